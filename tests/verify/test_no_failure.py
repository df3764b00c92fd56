"""No plan and no certificate, however absurd, makes the verification fail."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from tehai.domain.certificate import (
    ConcentrationPrice,
    FiscalYearPrice,
    MemberCapPrice,
    MemberPrice,
    PrecedencePrices,
    PricePath,
    ProgrammePrice,
    ProjectCapPrice,
)
from tehai.domain.market import FiscalYearAmount
from tehai.domain.plan import (
    BillComponent,
    BillLine,
    CapacityBlockOrder,
    Claim,
    OfferUse,
    Placement,
    PurchaseOrder,
    ReservationOrder,
    Segment,
)
from tehai.verify import check_answer
from tests.verify.economics import economics_answer
from tests.verify.example import PERIOD_COUNT, example_answer

INTEGERS = st.one_of(st.integers(-3, PERIOD_COUNT + 2), st.sampled_from([-(2**31), 2**31 - 1]))
AMOUNTS = st.one_of(INTEGERS, st.sampled_from([-(2**63), 2**63 - 1]))
FLOATS = st.one_of(st.floats(), st.floats(0.0, 3_000.0), st.sampled_from([168.0, 336.0, 504.0]))
DATES = st.sampled_from([date.min, date(2028, 2, 14), date.max])
YEARS = st.sampled_from([-1, 2027, 2028, 9999])
WORKLOADS = st.sampled_from(["", "own-data", "must", "too-big", "long", "follow", "kept", "science", "moon"])
POOLS = st.sampled_from(["jp", "us", "super", "moon"])
OFFERS = st.sampled_from(
    ["jp-demand", "us-block", "jp-fast-bought", "jp-owned", "jp-bought", "us-term", "grant-hours", "moon"]
)
PROGRAMMES = st.sampled_from(["", "grant", "use", "local", "rival", "capital", "moon"])
MEMBERS = st.sampled_from(["", "maker", "lab", "large"])
YEARLY = st.builds(FiscalYearAmount, YEARS, AMOUNTS)
CLAIMS = st.lists(st.builds(Claim, PROGRAMMES, YEARS, AMOUNTS), max_size=3).map(tuple)
HOURS = st.lists(FLOATS, max_size=PERIOD_COUNT).flatmap(
    lambda head: st.sampled_from([tuple(head), (*head, *(0.0,) * (PERIOD_COUNT - len(head)))])
)
GANGS = st.one_of(INTEGERS, st.sampled_from([8, 16, 28]))
SEGMENTS = st.builds(Segment, POOLS, GANGS, INTEGERS, DATES, FLOATS)
PLACEMENTS = st.builds(Placement, WORKLOADS, st.lists(SEGMENTS, max_size=3).map(tuple), CLAIMS)
LINES = st.builds(BillLine, st.sampled_from(BillComponent), WORKLOADS, INTEGERS, st.sampled_from(["JPY", "X"]), AMOUNTS)


def some(items: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    """Return up to three of these."""
    return st.lists(items, max_size=3).map(tuple)


PLAN_CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "schema_version": INTEGERS,
        "placements": some(PLACEMENTS),
        "not_run_workload_ids": some(WORKLOADS),
        "reservation_orders": some(st.builds(ReservationOrder, OFFERS, INTEGERS, INTEGERS, DATES, INTEGERS)),
        "purchase_orders": some(st.builds(PurchaseOrder, OFFERS, INTEGERS, DATES, INTEGERS, CLAIMS)),
        "capacity_block_orders": some(
            st.builds(CapacityBlockOrder, OFFERS, INTEGERS, INTEGERS, DATES, INTEGERS, DATES, INTEGERS)
        ),
        "offer_uses": some(st.builds(OfferUse, OFFERS, HOURS)),
        "forward_usd_jpy": HOURS,
        "bill_lines": some(LINES),
        "cash": some(YEARLY),
        "obligation_after_horizon_yen": AMOUNTS,
        "claims_receivable_after_horizon_yen": AMOUNTS,
        "objective_yen": AMOUNTS,
    },
)
CERTIFICATE_CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "capacity_prices": some(st.builds(PricePath, POOLS, HOURS)),
        "power_prices": some(st.builds(PricePath, st.sampled_from(["tokyo", "oregon"]), HOURS)),
        "domestic_share_prices": some(st.builds(FiscalYearPrice, YEARS, FLOATS)),
        "budget_prices": some(st.builds(FiscalYearPrice, YEARS, FLOATS)),
        "programme_budget_prices": some(st.builds(ProgrammePrice, PROGRAMMES, YEARS, FLOATS)),
        "project_cap_prices": some(st.builds(ProjectCapPrice, PROGRAMMES, st.sampled_from(["model", "tune"]), FLOATS)),
        "concentration_prices": some(st.builds(ConcentrationPrice, st.just("cloud"), YEARS, FLOATS)),
        "member_budget_prices": some(st.builds(MemberPrice, MEMBERS, YEARS, FLOATS)),
        "member_cap_prices": some(st.builds(MemberCapPrice, PROGRAMMES, MEMBERS, YEARS, FLOATS)),
        "capital_ceiling_prices": some(st.builds(FiscalYearPrice, YEARS, FLOATS)),
        "carbon_prices": some(st.builds(FiscalYearPrice, YEARS, FLOATS)),
        "waiting_price": FLOATS,
        "precedence_prices": some(st.builds(PrecedencePrices, WORKLOADS, WORKLOADS, HOURS)),
        "lower_bound_yen": AMOUNTS,
    },
)


@settings(max_examples=200, deadline=None)
@given(second=st.booleans(), plan_changes=PLAN_CHANGES, certificate_changes=CERTIFICATE_CHANGES)
def test_no_answer_makes_it_fail(
    second: bool, plan_changes: dict[str, object], certificate_changes: dict[str, object]
) -> None:
    """Whatever stands in a plan or a certificate, the outcome is a list of violations, never an exception."""
    answer = economics_answer() if second else example_answer()
    plan = replace(answer.plan, **plan_changes)  # type: ignore[arg-type]
    certificate = replace(answer.certificate, **certificate_changes)  # type: ignore[arg-type]
    verification = check_answer(answer.problem, answer.sha256, plan, certificate)
    assert verification.valid == (not verification.violations)
