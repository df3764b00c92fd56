"""More planted faults, in the second example: the rules of pauses, nodes, blocks, allocations, claims and limits."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta

from tehai.domain.certificate import (
    ConcentrationPrice,
    FiscalYearPrice,
    MemberCapPrice,
    MemberPrice,
    PrecedencePrices,
    ProgrammePrice,
)
from tehai.domain.market import FiscalYearAmount
from tehai.domain.offer import FiscalYearHours
from tehai.domain.plan import BillComponent
from tehai.domain.problem import ConcentrationLimit, CurrentPlan, FiscalYearMass
from tehai.domain.programme import ClaimMade
from tests import builders as make
from tests.verify.changes import (
    Change,
    bill_again,
    both,
    claim_bound,
    claims,
    first_price,
    in_block_order,
    in_certificate,
    in_kind,
    in_placement,
    in_plan,
    in_problem,
    in_row,
    in_rules,
    in_segment,
    in_use,
    one_more_block_order,
    one_more_price,
    repeated_price,
    unit_claims,
    without_component,
)
from tests.verify.economics import economics_answer
from tests.verify.example import PERIOD_COUNT, Answer, day
from tests.verify.planted import Planted

# placements of the second example, by position
KEPT, LONG, FOLLOW, SCIENCE, MOVED, ABROAD, ALONE = range(7)
A_DAY = timedelta(days=1)
NO_PRICES = (0.0,) * PERIOD_COUNT


def planted(name: str, *changes: Change, codes: str) -> Planted:
    """Return one line of the table; ``codes`` are separated by spaces."""
    return Planted(name, both(*changes), frozenset(codes.split()), economics_answer)


def moved_to(position: int, period: int) -> Change:
    """Start a placement of one segment in another period."""
    return in_segment(position, start_period=period, start_date=day(period))


def one_segment(answer: Answer) -> Answer:
    """Let "long" run its first segment only."""
    return in_placement(LONG, segments=answer.plan.placements[LONG].segments[:1])(answer)


def one_more_segment(answer: Answer) -> Answer:
    """Give "alone", which may not pause, its segment twice."""
    segment = answer.plan.placements[ALONE].segments[0]
    later = replace(segment, start_period=10, start_date=day(10), run_hours=segment.run_hours - 168.0)
    return in_placement(ALONE, segments=(replace(segment, run_hours=168.0), later))(answer)


def without_follow(answer: Answer) -> Answer:
    """Do not run "long", which "follow" runs after, and bill again."""
    kept = tuple(item for i, item in enumerate(answer.plan.placements) if i != LONG)
    not_run = (*answer.plan.not_run_workload_ids, "long")
    return both(in_plan(placements=kept, not_run_workload_ids=not_run), bill_again)(answer)


def programme(programme_id: str, **changes: object) -> Change:
    """Replace fields of a programme."""
    return in_row("programmes", programme_id, **changes)


PLACEMENTS = (
    planted("pause of a workload that may not", one_more_segment, codes="V2105 V2121 V2504"),
    planted("more pauses than allowed", in_row("workloads", "long", pausing=None), codes="V2105 V2115 V2406 V2504"),
    planted("work left out after a pause", one_segment, codes="V2114 V2115 V2301 V2302 V2406 V2504"),
    planted("pause without its overhead", in_segment(LONG, 1, run_hours=178.07142857142856 - 3.5), codes="V2115"),
    planted("hours of a segment that are no number", in_segment(LONG, 1, run_hours=math.nan), codes="V2115"),
    planted(
        "no route for the data", in_problem(lambda problem: replace(problem, routes=())), codes="V2117 V2503 V2506"
    ),
    planted("locked workload moved in time", moved_to(KEPT, 1), bill_again, codes="V2118 V2301"),
    planted("second segment in another pool", in_segment(LONG, 1, pool_id="us"), codes="V2119"),
    planted("second segment with another gang", in_segment(LONG, 1, accelerators=24), codes="V2119"),
    planted("no pause between segments", in_segment(LONG, 1, start_period=4, start_date=day(4)), codes="V2120 V2504"),
    planted("segments in the wrong order", in_segment(LONG, 1, start_period=0, start_date=day(0)), codes="V2120 V2504"),
    planted(
        "pause within a period",
        in_segment(LONG, 0, run_hours=500.0),
        in_segment(LONG, 1, run_hours=182.07142857142856),
        codes="V2121 V2504",
    ),
    planted(
        "nothing left after a pause",
        in_segment(LONG, 0, run_hours=840.0),
        in_segment(LONG, 1, run_hours=682.07142857142856 - 840.0, start_period=7, start_date=day(7)),
        codes="V2121 V2311 V2504",
    ),
    planted("wrong date after a pause", in_segment(LONG, 1, start_date=day(5) + A_DAY), codes="V2116"),
    planted(
        "idle accelerators of a node left out",
        in_row("pools", "jp", node_accelerators=64),
        codes="V2114 V2301 V2302 V2309 V2504",
    ),
)

ORDERS = (
    planted("block of a reservation", one_more_block_order(offer_id="us-term"), codes="V2231"),
    planted("unknown term of a block", one_more_block_order(term_index=2), codes="V2232"),
    planted("block before its window", in_kind("offers", "us-block", from_date=day(3)), codes="V2114 V2233 V2406"),
    planted("block booked too early", in_kind("offers", "us-block", booking_periods_max=1), codes="V2234"),
    planted(
        "block booked after it begins", in_block_order(booking_period=3, booking_date=day(3)), bill_again, codes="V2234"
    ),
    planted("no capacity blocks", one_more_block_order(blocks=0), codes="V2235"),
    planted("more capacity blocks live than there are", in_block_order(blocks=2), bill_again, codes="V2236"),
    planted("wrong date of a booking", in_block_order(booking_date=day(1)), codes="V2237"),
    planted("wrong date of a block", in_block_order(start_date=day(1)), codes="V2237"),
    planted("use beyond the last hours of a block", in_use("us-block", 3, 8 * 168.0), bill_again, codes="V2226"),
    planted(
        "allocation used beyond its hours",
        in_kind("offers", "grant-hours", quotas=(FiscalYearHours(2027, 10_000.0), FiscalYearHours(2028, 2_000.0))),
        codes="V2227",
    ),
    planted(
        "allocation used in a year without hours",
        in_kind("offers", "grant-hours", quotas=(FiscalYearHours(2028, 20_000.0),)),
        codes="V2227",
    ),
    planted(
        "use beyond the quota after a step",
        in_kind("offers", "jp-demand", quota_steps=()),
        in_use("jp-demand", 3, 33 * 168.0),
        bill_again,
        codes="V2226",
    ),
)

ROWS = (
    planted(
        "operator with too large a share",
        in_rules(
            concentration_limits=(ConcentrationLimit("cloud", 2027, 0.03), ConcentrationLimit("cloud", 2028, 0.9))
        ),
        codes="V2306",
    ),
    planted(
        "member budget broken",
        in_row("members", "maker", budgets=(FiscalYearAmount(2027, 15_000_000), FiscalYearAmount(2028, 60_000_000))),
        codes="V2307",
    ),
    planted("capital ceiling broken", in_rules(capital_ceilings=(FiscalYearAmount(2027, 10_000_000),)), codes="V2308"),
    planted(
        "carbon limit broken",
        in_rules(carbon_limits=(FiscalYearMass(2027, 22_000.0), FiscalYearMass(2028, 22_000.0))),
        codes="V2309",
    ),
    planted("too much waiting", in_rules(total_waiting_periods_max=6), codes="V2310"),
    planted(
        "start before the end of another", in_row("workloads", "alone", after_workload_ids=("follow",)), codes="V2311"
    ),
    planted("predecessor that is not run", without_follow, codes="V2311"),
    planted(
        "sunk payments break the budget",
        in_kind("offers", "jp-owned", payments=(FiscalYearAmount(2027, 70_000_000),)),
        bill_again,
        codes="V2305",
    ),
)

CLAIMS = (
    planted("programme for purchases claimed for use", claims(ALONE, ("capital", 2027, 0)), codes="V2403"),
    planted("flag of the larger rate is missing", in_row("members", "maker", flags=()), codes="V2406"),
    planted("grant reference lowered", in_row("pools", "jp", grant_reference=make.yen(20)), codes="V2406"),
    planted("programmes that stack one way only", programme("local", stackable_programme_ids=()), codes="V2409"),
    planted(
        "exclusive programmes in one project",
        claims(FOLLOW, ("rival", 2028, 100)),
        codes="V2410",
    ),
    planted("claims above the member's cap", programme("use", member_cap_yen=300_000), codes="V2411"),
    planted(
        "claims made before use up the member's cap",
        programme("use", claims_made=(ClaimMade("", "maker", 2027, 1_000_000),)),
        codes="V2411",
    ),
    planted(
        "claims made before use up the project's cap",
        programme("use", claims_made=(ClaimMade("model", "lab", 2026, 1_300_000),)),
        codes="V2407",
    ),
    planted(
        "claims made before use up the budget",
        programme("use", claims_made=(ClaimMade("", "nobody", 2027, 1_200_000),)),
        codes="V2408",
    ),
    planted("usage programme claimed for units", unit_claims(("use", 2027, 1)), codes="V2421 V2423"),
    planted(
        "purchase without an owner", in_kind("offers", "jp-bought", owner_member_id=""), bill_again, codes="V2421 V2423"
    ),
    planted("claim for another year than the order's", unit_claims(("capital", 2028, 1)), codes="V2422"),
    planted("claim above the price of the units", unit_claims(("capital-too", 2027, 1_382_000)), codes="V2423"),
    # 11 of 100 periods of life lie in the horizon: a tenth of 13,794,520 yen is eligible for that share
    planted("claim for life after the horizon", unit_claims(("capital-too", 2027, 151_740)), codes="V2423"),
    planted(
        "order after the programme's window",
        programme("capital-too", until_date=day(0)),
        unit_claims(("capital-too", 2027, 1)),
        codes="V2423",
    ),
    planted(
        "order that claims from two programmes",
        programme("capital-too", exclusivity_group=""),
        unit_claims(("capital", 2027, 1), ("capital-too", 2027, 1)),
        codes="V2424",
    ),
    planted(
        "owner that claims from exclusive programmes",
        lambda answer: both(
            in_plan(
                purchase_orders=(
                    answer.plan.purchase_orders[0],
                    replace(
                        answer.plan.purchase_orders[0],
                        claims=(
                            replace(answer.plan.purchase_orders[0].claims[0], programme_id="capital-too", amount_yen=9),
                        ),
                    ),
                )
            ),
            in_rules(capital_ceilings=(FiscalYearAmount(2027, 60_000_000),)),
            bill_again,
        )(answer),
        codes="V2425",
    ),
    planted("units claim above the member's cap", unit_claims(("capital", 2027, 400_001)), codes="V2411"),
)

FIGURES = (
    planted("receivable left out", in_plan(claims_receivable_after_horizon_yen=0), codes="V2508"),
    planted("bill without carbon", without_component(BillComponent.CARBON), codes="V2502"),
    planted("bill without change", without_component(BillComponent.CHANGE), codes="V2502"),
    planted("bill without transfer", without_component(BillComponent.TRANSFER), codes="V2502"),
    planted("bill without porting", without_component(BillComponent.PORTING), codes="V2502"),
    planted("bill without a capacity block", without_component(BillComponent.CAPACITY_BLOCK), codes="V2502"),
    planted("bill without the allocation", without_component(BillComponent.ALLOCATION), codes="V2502"),
    planted(
        "nothing discounted",
        in_problem(lambda p: replace(p, market=replace(p.market, discount_rate=p.market.discount_rate * 0))),
        codes="V2504",
    ),
    planted(
        "spread of the dollar left out",
        in_problem(
            lambda p: replace(p, market=replace(p.market, usd_conversion_spread_yen=p.market.discount_rate * 0))
        ),
        codes="V2406 V2504 V2506 V2507",
    ),
    planted("own cost of capital left out", in_row("members", "maker", cost_of_capital=None), codes="V2504"),
    planted(
        "instalments paid at once", in_kind("offers", "jp-bought", payment_steps=()), codes="V2308 V2504 V2506 V2507"
    ),
    planted(
        "current plan left out",
        in_problem(lambda p: replace(p, current_plan=CurrentPlan())),
        codes="V2503",
    ),
    planted("step of the tariff left out", in_row("sites", "tokyo", electricity_steps=()), codes="V2406 V2504 V2506"),
)

CERTIFICATE = (
    planted(
        "price of waiting without a limit",
        in_rules(total_waiting_periods_max=None),
        in_certificate(waiting_price=1.0),
        codes="V2603",
    ),
    planted("waiting price that is no number", in_certificate(waiting_price=math.nan), codes="V2606"),
    planted(
        "price of an operator without a limit",
        one_more_price("concentration_prices", ConcentrationPrice("home", 2027, 0.0)),
        codes="V2603",
    ),
    planted(
        "price of a member without a budget",
        one_more_price("member_budget_prices", MemberPrice("lab", 2027, 0.0)),
        codes="V2603",
    ),
    planted(
        "price of a member's cap that is not",
        one_more_price("member_cap_prices", MemberCapPrice("rival", "lab", 2027, 0.0)),
        codes="V2603",
    ),
    planted(
        "price of a ceiling that is not",
        one_more_price("capital_ceiling_prices", FiscalYearPrice(2028, 0.0)),
        codes="V2603",
    ),
    planted(
        "price of a carbon limit that is not",
        one_more_price("carbon_prices", FiscalYearPrice(2029, 0.0)),
        codes="V2603",
    ),
    planted(
        "price of a budget that is not",
        one_more_price("programme_budget_prices", ProgrammePrice("local", 2027, 0.0)),
        codes="V2603",
    ),
    planted(
        "price of a precedence that is not",
        one_more_price("precedence_prices", PrecedencePrices("follow", "long", NO_PRICES)),
        codes="V2603",
    ),
    planted("precedence priced twice", repeated_price("precedence_prices"), codes="V2604"),
    planted("prices of a precedence too short", first_price("precedence_prices", values=(0.0,)), codes="V2605"),
    planted("infinite price of carbon", first_price("carbon_prices", value=math.inf), codes="V2606"),
    planted("bound of the second example overstated", claim_bound(2), codes="V2607"),
)

TABLE = (*PLACEMENTS, *ORDERS, *ROWS, *CLAIMS, *FIGURES, *CERTIFICATE)
