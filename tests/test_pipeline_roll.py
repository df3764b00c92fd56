"""A rolled problem is what is left: valid, the plan carried over keeps its rules, and no yen is lost or paid twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from tehai.domain.market import FiscalYearAmount
from tehai.domain.offer import Allocation, CapacityBlock, Existing, Purchase, QuotaStep, Reservation
from tehai.domain.plan import BillComponent, Plan
from tehai.domain.problem import CurrentPlacement, FigureStatus, Problem, SourceNote
from tehai.domain.programme import ClaimMade
from tehai.domain.workload import Pausing
from tehai.explain.references import references
from tehai.pipeline_roll import RollError, roll, roll_counts
from tehai.validation import validate
from tehai.verify import check_plan
from tests.builders import (
    block_term,
    capacity_block,
    current_placement,
    day,
    dollars,
    make_calendar,
    make_current_plan,
    make_market,
    make_member,
    make_offer,
    make_problem,
    make_rules,
    make_site,
    make_workload,
    on_demand,
    purchase,
    reservation,
    route,
    term,
    yen,
)
from tests.explain.hand_made import SHA256, block, bought, hand_plan, placement, reserved
from tests.explain.of_oracle import plan_of_oracle
from tests.explain.test_members import random_case
from tests.oracle import solve_oracle
from tests.rolling import ROLL_PERIOD, carried_over, rolling_plan, rolling_problem

WEEK = 168.0


@pytest.fixture(scope="module")
def problem() -> Problem:
    """Return the problem with everything in it."""
    return rolling_problem()


@pytest.fixture(scope="module")
def plan(problem: Problem) -> Plan:
    """Return its plan."""
    return rolling_plan(problem)


@pytest.fixture(scope="module")
def rolled(problem: Problem, plan: Plan) -> Problem:
    """Return the problem on 2027-05-03."""
    return roll(problem, plan, day(ROLL_PERIOD), change_yen=4_000)


def test_the_plan_is_valid_and_so_is_what_is_left(problem: Problem, plan: Plan, rolled: Problem) -> None:
    """Plan and problem pass verification and validation before the roll, the problem after it."""
    assert validate(problem) == ()
    assert check_plan(problem, SHA256, plan).violations == ()
    assert validate(rolled) == ()


def test_the_plan_carried_over_keeps_every_rule(problem: Problem, plan: Plan, rolled: Problem) -> None:
    """What is left of the plan is a valid plan of what is left of the problem."""
    assert check_plan(rolled, SHA256, carried_over(problem, plan, rolled, ROLL_PERIOD)).violations == ()


def test_no_yen_is_lost_or_paid_twice(problem: Problem, plan: Plan, rolled: Problem) -> None:
    """Cost by the day and cost of the plan carried over are the cost of the plan.

    By the day: 0.4 of the fee and all periods of the two terms that are booked, the block, the order with its claim,
    use, electricity and carbon before the day, claims for that use, lateness of the one that runs and the part of that
    of the one that waits, and the charge of those that can no longer run.
    """
    left = carried_over(problem, plan, rolled, ROLL_PERIOD)
    terms = 2 * 8 * WEEK * 10 * 300
    the_block = 8 * 24 * 14 * 400
    order = 8_000_000 * 40 / 40 - 1_000_000
    # "done" and three weeks of "runs" take the allocation first, in the cloud; "pauses" has run on reserved capacity.
    use = 4 * 8 * WEEK * 100
    carbon = 4 * 8 * WEEK * 0.25 * 10 + 2 * 8 * WEEK * 0.5 * 10
    claims = 60_000 + 200_001
    lateness = 1_000 + 4 * 500
    gone = 5_000 + 100
    before = terms + the_block + order + use + carbon - claims + lateness + gone
    assert plan.objective_yen - left.objective_yen == pytest.approx(before, abs=len(plan.bill_lines))


def test_cash_of_every_year_goes_on(problem: Problem, plan: Plan, rolled: Problem) -> None:
    """What the portfolio may still spend in a year is what it could have spent under the plan, to the yen.

    Claims for use before the day are paid in the next fiscal year and are income of it.
    """
    left = carried_over(problem, plan, rolled, ROLL_PERIOD)
    before = {item.fiscal_year: item.amount_yen for item in plan.cash}
    after = {item.fiscal_year: item.amount_yen for item in left.cash}
    limits = {item.fiscal_year: item.amount_yen for item in problem.rules.portfolio_budgets}
    for item in rolled.rules.portfolio_budgets:
        year = item.fiscal_year
        assert item.amount_yen - after[year] == pytest.approx(limits[year] - before[year], abs=2)


def test_workloads_by_state(rolled: Problem) -> None:
    """Finished and expired ones leave, with those that wait for the latter; running ones keep what is left."""
    found = {workload.id: workload for workload in rolled.workloads}
    assert sorted(found) == ["later", "next", "pauses", "runs", "wish"]
    runs, pauses = found["runs"], found["pauses"]
    assert runs.normalised_accelerator_hours == pytest.approx(8 * WEEK * 3)
    assert runs.release_date == day(4)
    assert runs.late_start_yen_per_period == 0
    # 180 hours are left, 12 of them for going on after the pause that is taken.
    assert pauses.normalised_accelerator_hours == pytest.approx(8 * 180.0)
    assert pauses.pausing == Pausing(1, 12.0)
    assert pauses.release_date == day(6)
    assert found["next"].after_workload_ids == ()
    assert found["later"].after_workload_ids == ("runs", "next")


def test_the_plan_in_force_is_the_plan(rolled: Problem) -> None:
    """Running workloads are locked from their first period left on, planned ones are not."""
    assert rolled.current_plan.change_yen == 4_000
    assert rolled.current_plan.placements == (
        CurrentPlacement("runs", "cloud", 8, day(4), locked=True),
        CurrentPlacement("pauses", "pool", 8, day(6), locked=True),
        CurrentPlacement("next", "cloud", 8, day(6), locked=False),
        CurrentPlacement("later", "pool", 16, day(10), locked=False),
    )


def test_booked_orders_are_existing_capacity(rolled: Problem) -> None:
    """Each order booked before the day is an offer with its window, its whole accelerators and what is to be paid."""
    kinds = {offer.id: offer.kind for offer in rolled.offers}
    periodic = round(0.6 * 8 * WEEK * 300)
    assert kinds["reserved-booked-20270405"] == Existing(
        8,
        None,
        day(11),
        metered=False,
        payments=(FiscalYearAmount(2027, 7 * periodic),),
        reference_price_per_accelerator_hour=yen("300.0000"),
    )
    assert kinds["reserved-booked-20270426"] == Existing(
        8,
        None,
        day(14),
        metered=False,
        payments=(FiscalYearAmount(2027, 10 * periodic),),
        reference_price_per_accelerator_hour=yen("300.0000"),
    )
    assert kinds["block-booked-20270419"] == Existing(
        8, day(5), day(7), metered=False, reference_price_per_accelerator_hour=yen("400.0000")
    )
    # 30 % of eight accelerators are two whole ones.
    assert kinds["bought-booked-20270426"] == Existing(
        2,
        day(5),
        day(45),
        metered=True,
        accelerator_steps=(QuotaStep(day(9), 8),),
        payments=(FiscalYearAmount(2027, 6_000_000),),
        # 8,000,000 yen for eight accelerators that live 4 weeks at 30 % and 36 in full.
        reference_price_per_accelerator_hour=yen("160.0102"),
    )


def test_what_may_still_be_booked(rolled: Problem) -> None:
    """Blocks come free when booked ones end, units never do, hours used are gone."""
    kinds = {offer.id: offer.kind for offer in rolled.offers}
    free = {name: kind for name, kind in kinds.items() if isinstance(kind, Reservation)}
    assert [(name, kind.blocks_max, kind.from_date) for name, kind in free.items()] == [
        ("reserved", 1, day(11)),
        ("reserved-free-20270712", 1, day(14)),
    ]
    blocks = [kind for kind in kinds.values() if isinstance(kind, CapacityBlock)]
    assert [(kind.blocks_max, kind.from_date) for kind in blocks] == [(1, None), (1, day(7))]
    assert [kind.units_max for kind in kinds.values() if isinstance(kind, Purchase)] == [2]
    shared = kinds["shared"]
    assert isinstance(shared, Allocation)
    assert [quota.accelerator_hours for quota in shared.quotas] == [20_000.0 - 4 * 8 * WEEK, 5_000.0]


def test_limits_are_what_is_left(rolled: Problem) -> None:
    """Instalments of the order are off the ceilings, kg off the carbon, waiting off the waiting."""
    rules = rolled.rules
    assert rules.capital_ceilings == (FiscalYearAmount(2027, 22_000_000), FiscalYearAmount(2028, 9_000_000))
    assert [row.mass_kg for row in rules.carbon_limits] == [pytest.approx(90_000 - 8 * WEEK * (4 * 0.25 + 2 * 0.5))]
    # "runs" and "pauses" have waited one period each, "next" and "later" four.
    assert rules.total_waiting_periods_max == 20 - 2 - 8


def test_budgets_of_members_are_what_is_left(rolled: Problem) -> None:
    """List bills before the day are off the running year, claims paid in the next year are on it."""
    budgets = {member.id: member.budgets for member in rolled.members}
    assert budgets["one"] == (
        FiscalYearAmount(2027, int(90_000_000 - 4 * 8 * WEEK * 500)),
        FiscalYearAmount(2028, 50_000_000 + 260_001),
    )
    assert budgets["two"] == ()


def test_claims_are_made(rolled: Problem) -> None:
    """Claims for use before the day, half of that of "runs", and of the order are made; those before stay."""
    made = {programme.id: programme.claims_made for programme in rolled.programmes}
    assert made["use"] == (ClaimMade("p", "one", 2026, 7), ClaimMade("p", "one", 2027, 260_001))
    assert made["buy"] == (ClaimMade("", "one", 2027, 1_000_000),)


def test_list_prices_stay_what_they_were() -> None:
    """A pool whose only offer is bought out keeps its charge reference, so that budgets of members mean the same."""
    offers = [make_offer(purchase(dollars(8_000), units_max=1), "bought")]
    market = make_market(yen_rate="0.05")
    members = [make_member(budgets={2027: 1_000_000})]
    problem = make_problem(
        [make_workload(deadline=8)], offers, members=members, market=market, calendar=make_calendar(8)
    )
    plan = hand_plan(problem, [placement(problem, "job", {5: WEEK})], purchases=[bought(problem, 1)])
    rolled = roll(problem, plan, 2)
    assert validate(rolled) == ()
    before, after = references(problem).charge["pool"], references(rolled).charge["pool"]
    assert before[2:].min() > 0
    assert after == pytest.approx(before[2:], abs=1e-5)


def test_what_is_gone_and_not_yet_paid_stays_to_pay() -> None:
    """Units that have ended their life before the last instalment: no capacity, and the payment."""
    kind = purchase(yen(4_000_000), units_max=2, life=2, payments=((0, 0.5), (6, 0.5)))
    offers = [make_offer(kind, "bought"), make_offer(on_demand(), "demand")]
    rules = make_rules(budgets={2027: 9_000_000}, capital_ceilings={2027: 8_000_000})
    problem = make_problem([make_workload(deadline=10)], offers, rules=rules, calendar=make_calendar(10))
    plan = hand_plan(problem, [placement(problem, "job", {8: WEEK})], purchases=[bought(problem, 0, 2)])
    rolled = roll(problem, plan, 4)
    assert validate(rolled) == ()
    left = carried_over(problem, plan, rolled, 4)
    assert check_plan(rolled, SHA256, left).violations == ()
    assert left.cash == (FiscalYearAmount(2027, 4_000_000 + 8 * 168 * 500),)
    assert rolled.rules.capital_ceilings == (FiscalYearAmount(2027, 0),)
    assert rolled.rules.portfolio_budgets == (FiscalYearAmount(2027, 5_000_000),)
    assert [offer.id for offer in rolled.offers] == ["bought-booked-20270405", "demand"]


def test_a_block_that_ends_within_a_period_rounds_down() -> None:
    """Ten days in weeks: the second week has three days of eight accelerators, three whole ones for all of it."""
    offers = [make_offer(capacity_block([block_term(10)], booking_max=4), "block"), make_offer(on_demand(), "demand")]
    problem = make_problem([make_workload(deadline=8)], offers, calendar=make_calendar(8))
    plan = hand_plan(problem, [placement(problem, "job", {3: WEEK})], blocks=[block(problem, 3, 1)])
    kinds = {offer.id: offer.kind for offer in roll(problem, plan, 2).offers}
    steps = (QuotaStep(day(4), 3),)
    price = yen("400.0000")
    assert kinds["block-booked-20270412"] == Existing(8, day(3), day(5), False, steps, (), price)


def test_data_and_code_are_where_a_workload_runs() -> None:
    """A running workload pays no transfer, porting or lateness again, and its budget has paid them."""
    offers = [make_offer(on_demand(), "demand")]
    workload = make_workload(
        hours=8 * 504.0,
        release=0,
        deadline=8,
        late_yen=9,
        data_site_id="home",
        data_terabytes=2.0,
        porting={"chip": 70},
    )
    members = [make_member(budgets={2027: 9_000_000})]
    rules = make_rules(budgets={2027: 8_000_000})
    sites = [make_site(), make_site("home")]
    problem = make_problem(
        [workload], offers, sites=sites, members=members, rules=rules, calendar=make_calendar(8), routes=[route("home")]
    )
    plan = hand_plan(problem, [placement(problem, "job", {1: 504.0})])
    rolled = roll(problem, plan, 2)
    left = carried_over(problem, plan, rolled, 2)
    assert check_plan(rolled, SHA256, left).violations == ()
    spent = 8 * 168 * 500 + 2_000 + 70
    assert plan.objective_yen - left.objective_yen == spent + 9
    assert rolled.rules.portfolio_budgets[0].amount_yen == 8_000_000 - spent
    assert rolled.members[0].budgets[0].amount_yen == 9_000_000 - spent


def test_locks_and_charges_of_the_plan_in_force_stay() -> None:
    """A planned workload that is locked, or has a charge of its own, keeps both."""
    current = make_current_plan([current_placement(start=3, locked=True, change_yen=77)], 5)
    problem = make_problem([make_workload(deadline=8)], calendar=make_calendar(8), current_plan=current)
    plan = hand_plan(problem, [placement(problem, "job", {3: WEEK})])
    rolled = roll(problem, plan, 2, 9)
    assert rolled.current_plan == make_current_plan([current_placement(start=3, locked=True, change_yen=77)], 9)


def test_renewals_fit_between_what_is_booked() -> None:
    """A term that follows a booked one in the same block stays possible, however few blocks there are."""
    offers = [make_offer(reservation([term(4)], blocks_max=1), "reserved"), make_offer(on_demand())]
    problem = make_problem([make_workload(deadline=12)], offers, calendar=make_calendar(12))
    plan = hand_plan(problem, [placement(problem, "job", {6: WEEK})], [reserved(problem, 1), reserved(problem, 5)])
    rolled = roll(problem, plan, 3)
    assert validate(rolled) == ()
    assert check_plan(rolled, SHA256, carried_over(problem, plan, rolled, 3)).violations == ()


def test_rolling_twice_is_rolling_once(problem: Problem, plan: Plan, rolled: Problem) -> None:
    """Two steps leave the same workloads, limits and claims as one, and the same accelerators in every pool."""
    left = carried_over(problem, plan, rolled, ROLL_PERIOD)
    twice, once = roll(rolled, left, day(7), 4_000), roll(problem, plan, day(7), 4_000)
    assert validate(twice) == validate(once) == ()
    assert [item.id for item in twice.workloads] == [item.id for item in once.workloads]
    assert replace(twice.rules, portfolio_budgets=()) == replace(once.rules, portfolio_budgets=())
    assert _spendable(twice) == pytest.approx(_spendable(once), abs=2)
    assert twice.members == once.members
    assert [item.claims_made for item in twice.programmes] == [item.claims_made for item in once.programmes]
    assert twice.current_plan.placements == once.current_plan.placements
    totals = [
        sum(offer.kind.accelerators for offer in found.offers if isinstance(offer.kind, Existing))
        for found in (twice, once)
    ]
    assert totals[0] == totals[1]


def _spendable(found: Problem) -> dict[int, int]:
    """Return what the portfolio may spend on anything but existing capacity, by fiscal year."""
    left = {item.fiscal_year: item.amount_yen for item in found.rules.portfolio_budgets}
    for offer in found.offers:
        for item in getattr(offer.kind, "payments", ()):
            left[item.fiscal_year] -= item.amount_yen
    return left


def test_notes_of_what_is_gone_go(problem: Problem, plan: Plan) -> None:
    """A note on a workload that has finished would name nothing."""
    notes = tuple(
        SourceNote(subject, FigureStatus.VERIFIED, "", "", "", "", "") for subject in ("market", "workloads/done/hours")
    )
    rolled = roll(replace(problem, source_notes=notes), plan, day(ROLL_PERIOD))
    assert [note.subject for note in rolled.source_notes] == ["market"]


def test_what_became_of_it_is_counted(problem: Problem, plan: Plan, rolled: Problem) -> None:
    """One finished, two run, two are planned, two can no longer run; four orders go on."""
    counts = roll_counts(problem, plan, rolled)
    assert (counts.finished, counts.running, counts.planned, counts.left, counts.offers_booked) == (1, 2, 2, 2, 4)


@pytest.mark.parametrize("to", [date(2027, 4, 5), date(2027, 5, 4), date(2030, 1, 7), date(2026, 1, 5), 0, 60])
def test_days_that_are_no_beginning_are_refused(problem: Problem, plan: Plan, to: date | int) -> None:
    """The first day, a day within a period and days outside the horizon are refused with what to do."""
    with pytest.raises(RollError, match="name a day"):
        roll(problem, plan, to)


def test_periods_that_begin_within_a_day_are_refused() -> None:
    """Where periods last ten hours, only every twelfth begins at 00:00."""
    problem = make_problem([make_workload(hours=80.0)], calendar=make_calendar(20, period_hours=10))
    plan = hand_plan(problem, [])
    with pytest.raises(RollError, match="2027-04-10"):
        roll(problem, plan, date(2027, 4, 6))
    assert roll(problem, plan, date(2027, 4, 10)).calendar.period_count == 8


def test_nothing_left_is_said() -> None:
    """Where every workload has finished there is no problem to make."""
    problem = make_problem()
    plan = hand_plan(problem, [placement(problem, "job", {0: WEEK})])
    with pytest.raises(RollError, match="no workload is left"):
        roll(problem, plan, 2)


def test_the_bill_has_what_the_test_counts(plan: Plan) -> None:
    """Every component that the sum of costs names is in the bill, so that the sum proves something."""
    components = {line.component for line in plan.bill_lines}
    wanted = {"RESERVATION", "CAPACITY_BLOCK", "PURCHASE", "ALLOCATION", "GRANT", "LATENESS", "CARBON", "NOT_RUN"}
    assert {BillComponent[name] for name in wanted} <= components


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("period", [1, 2, 3])
def test_the_best_plan_of_a_random_problem_can_be_carried_over(seed: int, period: int) -> None:
    """The placements of the oracle, with orders on top, are valid after the roll too, and cost what is left.

    Without grants, whose reference changes, and without shares of work, which hold for the rest of the year alone.
    """
    problem = random_case(seed)
    rules = replace(problem.rules, minimum_domestic_shares=(), concentration_limits=(), portfolio_budgets=())
    problem = replace(problem, programmes=(), rules=rules)
    best = plan_of_oracle(problem, solve_oracle(problem))
    orders = (reserved(problem, 0, 1, 1), reserved(problem, 2, 3))
    plan = hand_plan(problem, best.placements, orders, best.capacity_block_orders, best.purchase_orders)
    assert check_plan(problem, SHA256, plan).violations == ()
    try:
        rolled = roll(problem, plan, period)
    except RollError:
        assert seed == 4
        return
    assert validate(rolled) == ()
    left = carried_over(problem, plan, rolled, period)
    assert check_plan(rolled, SHA256, left).violations == ()
    assert left.objective_yen < plan.objective_yen
    ends = {0: 3, 2: 4}
    going_on = [order for order in orders if order.start_period < period < ends[order.start_period]]
    assert roll_counts(problem, plan, rolled).offers_booked == len(going_on)
