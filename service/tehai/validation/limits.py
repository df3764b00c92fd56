"""Rules on the size of a problem as a whole, E19xx; that on costs stands in costs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tehai.domain.limits import LIMITS
from tehai.domain.offer import Allocation, CapacityBlock, Existing, Purchase, Reservation
from tehai.domain.programme import UsageGrant
from tehai.validation.offers import accelerator_counts, kind_path
from tehai.validation.prices import prices_of
from tehai.validation.registry import MORE_CODE, Found, rule
from tehai.validation.texts import texts_of
from tehai.validation.view import ProblemView, programme_kind_path

COLLECTIONS = (
    "accelerators",
    "sites",
    "pools",
    "offers",
    "members",
    "workloads",
    "programmes",
    "source_notes",
    "routes",
)
SizedLists = Iterator[tuple[str, Sequence[object], int]]


@rule("E1901", "a list is longer than the limit", "Shorten the list.")
def check_e1901_list_too_long(view: ProblemView) -> Iterator[Found]:
    """Every list of a problem is bounded."""
    for lists in (_collections, _workload_lists, _offer_lists, _step_lists, _programme_lists, _rule_lists):
        for path, items, limit in lists(view):
            if len(items) > limit:
                yield Found(path, f"{len(items):,} entries; the limit is {limit:,}")


def _collections(view: ProblemView) -> SizedLists:
    for name in COLLECTIONS:
        yield name, getattr(view.problem, name), getattr(LIMITS, name)
    yield "current_plan.placements", view.problem.current_plan.placements, LIMITS.workloads


def _workload_lists(view: ProblemView) -> SizedLists:
    for i, workload in enumerate(view.problem.workloads):
        path = f"workloads[{i}]"
        yield f"{path}.gang_options", workload.gang_options, LIMITS.gang_options_per_workload
        yield f"{path}.tags", workload.tags, LIMITS.strings_per_list
        yield f"{path}.after_workload_ids", workload.after_workload_ids, LIMITS.predecessors_per_workload
        yield f"{path}.porting", workload.porting, LIMITS.portings_per_workload
    for i, member in enumerate(view.problem.members):
        yield f"members[{i}].flags", member.flags, LIMITS.strings_per_list
        yield f"members[{i}].budgets", member.budgets, LIMITS.fiscal_year_rows_per_list


def _offer_lists(view: ProblemView) -> SizedLists:
    for i, offer in enumerate(view.problem.offers):
        path = kind_path(i, offer)
        match offer.kind:
            case Reservation() | CapacityBlock():
                yield f"{path}.terms", offer.kind.terms, LIMITS.terms_per_reservation
            case Purchase(delivery_steps=deliveries, payment_steps=payments):
                yield f"{path}.delivery_steps", deliveries, LIMITS.steps_per_delivery
                yield f"{path}.payment_steps", payments, LIMITS.steps_per_delivery
            case Allocation(quotas=quotas):
                yield f"{path}.quotas", quotas, LIMITS.fiscal_year_rows_per_list
            case Existing(payments=sunk):
                yield f"{path}.payments", sunk, LIMITS.fiscal_year_rows_per_list
            case _:
                pass


def _step_lists(view: ProblemView) -> SizedLists:
    for path, price in prices_of(view):
        yield f"{path}.steps", price.steps, LIMITS.steps_per_path
    for _, _, path, steps in accelerator_counts(view):
        yield path, steps, LIMITS.steps_per_path
    for i, site in enumerate(view.problem.sites):
        yield f"sites[{i}].electricity_steps", site.electricity_steps, LIMITS.steps_per_path


def _programme_lists(view: ProblemView) -> SizedLists:
    for i, programme in enumerate(view.problem.programmes):
        path, kind_fields = f"programmes[{i}]", programme_kind_path(i, programme)
        yield f"{path}.budgets", programme.budgets, LIMITS.fiscal_year_rows_per_list
        yield f"{path}.stackable_programme_ids", programme.stackable_programme_ids, LIMITS.stackable_programmes
        yield f"{path}.claims_made", programme.claims_made, LIMITS.claims_made_per_programme
        yield f"{kind_fields}.rates", programme.kind.rates, LIMITS.strings_per_list
        yield f"{kind_fields}.eligible_pool_ids", programme.kind.eligible_pool_ids, LIMITS.strings_per_list
        if isinstance(programme.kind, UsageGrant):
            yield f"{kind_fields}.eligible_tags", programme.kind.eligible_tags, LIMITS.strings_per_list


def _rule_lists(view: ProblemView) -> SizedLists:
    rules = view.problem.rules
    for name in ("minimum_domestic_shares", "portfolio_budgets", "capital_ceilings", "carbon_limits"):
        yield f"rules.{name}", getattr(rules, name), LIMITS.fiscal_year_rows_per_list
    yield "rules.concentration_limits", rules.concentration_limits, LIMITS.concentration_limits


@rule("E1902", "text is longer than the limit", f"Shorten it to {LIMITS.string_characters:,} characters.")
def check_e1902_text_too_long(view: ProblemView) -> Iterator[Found]:
    """Every text is bounded."""
    for path, text in texts_of(view.problem):
        if len(text) > LIMITS.string_characters:
            yield Found(path, f"{len(text):,} characters; the limit is {LIMITS.string_characters:,}")


def _precedences(view: ProblemView) -> int:
    return sum(len(workload.after_workload_ids) for workload in view.problem.workloads)


@rule(
    "E1903",
    "the problem has too many prices",
    "Use fewer periods, pools, sites, precedences or members.",
    reads=("calendar", "pools", "sites", "members", "programmes", "workloads[].after_workload_ids"),
)
def check_e1903_too_many_prices(view: ProblemView) -> Iterator[Found]:
    """One price vector of the certificate stays within the limit."""
    problem = view.problem
    if view.calendar is None or view.fiscal_years is None:
        return
    by_period = len(problem.pools) + 3 * len(problem.sites) + _precedences(view)
    by_year = len(problem.members) * (1 + len(problem.programmes))
    cells = view.calendar.period_count * by_period + len(view.fiscal_years) * by_year
    if cells > LIMITS.cells:
        yield Found("calendar.period_count", f"{cells:,} prices by period and year; the limit is {LIMITS.cells:,}")


@rule(
    "E1904",
    "the problem has too many placements to price",
    "Use fewer workloads, gang options, pools or periods.",
    reads=("calendar", "pools"),
)
def check_e1904_too_many_placements(view: ProblemView) -> Iterator[Found]:
    """One pricing pass stays within the limit."""
    options = sum(len(workload.gang_options) for workload in view.problem.workloads)
    cells = options * len(view.problem.pools) * max(view.problem.calendar.period_count, 0)
    if view.calendar is not None and cells > LIMITS.pricing_cells:
        yield Found("workloads", f"{cells:,} placements to price; the limit is {LIMITS.pricing_cells:,}")


@rule(
    "E1906",
    "the problem has too many precedences",
    "List only direct predecessors; what follows from others may be left out.",
)
def check_e1906_too_many_precedences(view: ProblemView) -> Iterator[Found]:
    """Precedences of all workloads together stay within the limit."""
    count = _precedences(view)
    if count > LIMITS.precedences:
        yield Found("workloads", f"{count:,} entries of after_workload_ids; the limit is {LIMITS.precedences:,}")


@rule(MORE_CODE, "more is wrong than is listed", "Correct what is listed and check again.")
def check_e1999_more(view: ProblemView) -> Iterator[Found]:  # noqa: ARG001 (a rule like the others)
    """Listed for its code; ``ordered`` reports it where a list is cut."""
    yield from ()
