"""Next month's problem of a problem, its plan and a day; docs/rules.md, "A plan that goes on"."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from tehai.domain.calendar import HOURS_PER_DAY, Calendar
from tehai.domain.plan import Plan
from tehai.domain.problem import Problem, SourceNote
from tehai.explain.reading import Reading
from tehai.roll.claims import made_claims, rolled_programmes
from tehai.roll.limits import rolled_members, rolled_rules
from tehai.roll.moment import Moment, Stage
from tehai.roll.offers import rolled_offers
from tehai.roll.pools import with_charge_references
from tehai.roll.workloads import current_plan, rolled_workloads

COLLECTIONS = ("accelerators", "sites", "pools", "offers", "members", "workloads", "programmes")


class RollError(ValueError):
    """Raised where a problem cannot be rolled to a day; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class RollCounts:
    """What became of the workloads and orders of a plan."""

    finished: int
    running: int
    planned: int
    left: int
    offers_booked: int


def roll(problem: Problem, plan: Plan, to: date | int, change_yen: int = 0) -> Problem:
    """Return the problem that is left on the day ``to``, or at the beginning of that period.

    ``plan`` is a valid plan of the valid ``problem``. The horizon ends when it did. Charges of lateness and waiting
    count from the new first day on. ``change_yen`` is what a new plan pays for each placement that it changes.

    What cannot be said in a problem is left out: payments after the horizon; what is done of a share of domestic work
    or of an operator in the running year; the exclusive group that a finished workload claimed from. Booked capacity is
    sunk; what it cost an hour stays its reference price, so that grants count it as before.

    Raises:
        RollError: ``to`` is no beginning of a period within the horizon, or no workload is left.
    """
    period = period_of(problem.calendar, to)
    moment = Moment(Reading(problem, plan), period)
    workloads = rolled_workloads(moment)
    if not workloads:
        message = f"no workload is left on {moment.day}: all have finished; add workloads to the problem, or end here"
        raise RollError(message)
    claims = made_claims(moment)
    rolled = replace(
        problem,
        calendar=Calendar(moment.day, problem.calendar.period_hours, problem.calendar.period_count - period),
        offers=rolled_offers(moment),
        members=rolled_members(moment, claims),
        workloads=workloads,
        programmes=rolled_programmes(moment, claims, workloads),
        rules=rolled_rules(moment, claims),
        current_plan=current_plan(moment, change_yen),
    )
    rolled = with_charge_references(moment, rolled)
    return replace(rolled, source_notes=_notes_left(problem, rolled))


def roll_counts(problem: Problem, plan: Plan, rolled: Problem) -> RollCounts:
    """Return what became of workloads and orders in a rolled problem; ``left`` are neither placed nor possible now."""
    period = period_of(problem.calendar, rolled.calendar.first_date)
    moment = Moment(Reading(problem, plan), period)
    stages = [moment.stage(placed) for placed in moment.reading.placed]
    before = {offer.id for offer in problem.offers}
    finished = stages.count(Stage.FINISHED)
    return RollCounts(
        finished=finished,
        running=stages.count(Stage.RUNNING),
        planned=stages.count(Stage.PLANNED),
        left=len(problem.workloads) - len(rolled.workloads) - finished,
        offers_booked=sum(offer.id not in before and "-booked-" in offer.id for offer in rolled.offers),
    )


def period_of(calendar: Calendar, to: date | int) -> int:
    """Return the period that begins at 00:00 of a day, or a period as it is.

    Raises:
        RollError: the horizon has no such period after the first, or the period does not begin at 00:00.
    """
    period = to if isinstance(to, int) else calendar.first_period_from(to)
    day = calendar.date_of(period)
    last = calendar.date_of(calendar.period_count - 1)
    if not 0 < period < calendar.period_count:
        wanted = f"period {to}" if isinstance(to, int) else to.isoformat()
        message = f"{wanted} is not within the horizon: name a day after {calendar.first_date} and up to {last}"
        raise RollError(message)
    if period * calendar.period_hours % HOURS_PER_DAY or (not isinstance(to, int) and day != to):
        wanted = day.isoformat() if isinstance(to, int) else to.isoformat()
        message = f"no period begins at 00:00 of {wanted}: name a day on which one does, such as {_whole_day(calendar)}"
        raise RollError(message)
    return period


def _whole_day(calendar: Calendar) -> date:
    """Return the first day after the first date on which a period begins at 00:00."""
    whole = (t for t in range(1, HOURS_PER_DAY + 1) if t * calendar.period_hours % HOURS_PER_DAY == 0)
    return calendar.date_of(next(whole))


def _notes_left(problem: Problem, rolled: Problem) -> tuple[SourceNote, ...]:
    """Return the source notes whose subject is still there."""
    rows = {f"{name}/{item.id}" for name in COLLECTIONS for item in getattr(problem, name)}
    rows -= {f"{name}/{item.id}" for name in COLLECTIONS for item in getattr(rolled, name)}
    return tuple(note for note in problem.source_notes if "/".join(note.subject.split("/", 2)[:2]) not in rows)
