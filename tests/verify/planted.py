"""The table of planted faults: what is changed in the example answer, and the codes that must be found, no others.

Most changes are billed again, so that the bill fits what is wrong; elsewhere the bill's own codes are listed too.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from tehai.domain.certificate import FiscalYearPrice, PricePath, ProgrammePrice, ProjectCapPrice
from tehai.domain.market import JPY, USD, FiscalYearAmount
from tehai.domain.plan import BillComponent, BillLine
from tehai.domain.problem import FiscalYearShare
from tehai.domain.workload import CountryRule
from tests.verify.changes import (
    Change,
    bill_again,
    both,
    claim_above_objective,
    claim_bound,
    claims,
    claims_as_they_are,
    first_line,
    first_price,
    in_certificate,
    in_kind,
    in_placement,
    in_plan,
    in_purchase_order,
    in_row,
    in_rules,
    in_segment,
    in_term_order,
    in_use,
    one_more_placement,
    one_more_price,
    one_more_purchase_order,
    one_more_term_order,
    one_more_use,
    repeated_price,
    with_cash,
    with_lines,
    without_component,
)
from tests.verify.example import PERIOD_COUNT, YEARS, Answer, day, example_answer


@dataclass(frozen=True, slots=True)
class Planted:
    """A change to a valid answer and the exact set of codes that it must give."""

    name: str
    change: Change
    codes: frozenset[str]
    start: Callable[[], Answer] = example_answer


def planted(name: str, *changes: Change, codes: str) -> Planted:
    """Return one line of the table; ``codes`` are separated by spaces."""
    return Planted(name, both(*changes), frozenset(codes.split()))


# placements of the example, by position
MUST, OWN_DATA, PRETRAIN, TUNE, LATE, FAST, SPRING = range(7)
A_DAY = timedelta(days=1)
NO_HOURS = (0.0,) * PERIOD_COUNT
ONLY_US = CountryRule(("US",), ())
LATE_FEE = BillLine(BillComponent.LATENESS, "spring", 2027, JPY, 5)

IDENTITY = (
    planted("newer schema", in_plan(schema_version=2), codes="V2001"),
    planted("plan of another problem", in_plan(problem_sha256="00" * 32), codes="V2002"),
)

PLACEMENTS = (
    planted(
        "unknown workload placed",
        one_more_placement(lambda answer: replace(answer.plan.placements[OWN_DATA], workload_id="nobody")),
        codes="V2101",
    ),
    planted("unknown workload not run", in_plan(not_run_workload_ids=("too-big", "nobody")), codes="V2101"),
    planted("workload left out", in_plan(not_run_workload_ids=()), bill_again, codes="V2102"),
    planted("workload listed twice", in_plan(not_run_workload_ids=("too-big", "too-big")), codes="V2103"),
    planted(
        "workload placed twice",
        one_more_placement(lambda answer: answer.plan.placements[OWN_DATA]),
        codes="V2103 V2301",
    ),
    planted(
        "workload placed and not run", in_plan(not_run_workload_ids=("too-big", "tune")), bill_again, codes="V2104"
    ),
    planted("no segment", in_placement(OWN_DATA, segments=()), codes="V2105"),
    planted("unknown pool", in_segment(OWN_DATA, pool_id="moon"), codes="V2106"),
    planted("gang that is no option", in_segment(OWN_DATA, accelerators=9), codes="V2107"),
    planted("gang over the pool's limit", in_row("pools", "jp", gang_accelerators_max=12), codes="V2108"),
    planted("software family that does not run", in_segment(OWN_DATA, pool_id="jp-fast"), codes="V2109"),
    planted("too little memory", in_row("workloads", "own-data", memory_gb=640.5), codes="V2110"),
    planted("data abroad", in_row("workloads", "own-data", sovereignty=ONLY_US), codes="V2111"),
    planted("start before the release", in_row("workloads", "own-data", release_date=day(0) + A_DAY), codes="V2112"),
    planted("late finish", in_row("workloads", "pretrain", deadline_date=day(7) - A_DAY), codes="V2113"),
    planted("start long after the horizon", in_segment(OWN_DATA, start_period=2**31 - 1), codes="V2113"),
    planted("start long before the horizon", in_segment(OWN_DATA, start_period=-(2**31)), codes="V2112"),
    planted(
        "more accelerators than can ever be live",
        in_kind("offers", "jp-demand", quota_accelerators=0),
        in_kind("offers", "jp-owned", accelerators=8),
        codes="V2114 V2226 V2302",
    ),
    planted("run too short", in_segment(TUNE, run_hours=187.0), codes="V2115"),
    planted("run that is no number", in_segment(TUNE, run_hours=math.nan), codes="V2115"),
    planted("wrong start date", in_segment(TUNE, start_date=day(2) + A_DAY), codes="V2116"),
)

ORDERS = (
    planted("term of an on-demand offer", one_more_term_order(offer_id="us-demand"), codes="V2201"),
    planted("term of an unknown offer", one_more_term_order(offer_id="moon"), codes="V2201"),
    planted("unknown term", one_more_term_order(term_index=2), codes="V2202"),
    planted("term after the window", in_kind("offers", "us-block", until_date=day(9)), codes="V2203"),
    planted("term before the lead time", in_kind("offers", "us-block", lead_time_periods=2), codes="V2204 V2503 V2506"),
    planted("no blocks", one_more_term_order(blocks=0), codes="V2205"),
    planted("more blocks live than there are", in_term_order(blocks=3), bill_again, codes="V2206"),
    planted("wrong date of a term", in_term_order(start_date=day(2)), codes="V2207"),
    planted("purchase of a reservation", one_more_purchase_order(offer_id="us-block"), codes="V2211"),
    planted("order outside the window", in_kind("offers", "jp-fast-bought", from_date=day(1)), codes="V2212"),
    planted("no units", one_more_purchase_order(units=0), codes="V2213"),
    planted("more units than there are", in_purchase_order(units=3), bill_again, codes="V2214 V2305"),
    planted("wrong date of a purchase", in_purchase_order(order_date=day(1)), codes="V2215"),
)

USES = (
    planted("use of an unknown offer", one_more_use("moon", NO_HOURS), codes="V2221"),
    planted("use given twice", one_more_use("jp-owned", NO_HOURS), codes="V2222"),
    planted("use too short", one_more_use("us-demand", NO_HOURS[1:]), codes="V2223"),
    planted("use that is no number", one_more_use("us-demand", (math.nan, *NO_HOURS[1:])), codes="V2224"),
    planted("infinite use", one_more_use("us-demand", (math.inf, *NO_HOURS[1:])), codes="V2224"),
    planted("negative use", one_more_use("us-demand", (-1.0, *NO_HOURS[1:])), bill_again, codes="V2225 V2301"),
    planted("use beyond the quota", in_use("jp-demand", 3, 48 * 168 + 0.01), bill_again, codes="V2226"),
)

ROWS = (
    planted("overbooked pool", in_use("jp-demand", 3, 1_000.0), bill_again, codes="V2301"),
    planted(
        "gang larger than what is live",
        in_purchase_order(order_period=1, order_date=day(1)),
        bill_again,
        codes="V2302",
    ),
    planted("site over its power limit", in_row("sites", "tokyo", power_limit_kw=40.0), codes="V2303"),
    planted(
        "domestic share missed",
        in_rules(domestic=ONLY_US, minimum_domestic_shares=(FiscalYearShare(2027, 0.01), FiscalYearShare(2028, 0.0))),
        codes="V2304",
    ),
    planted(
        "portfolio budget broken",
        in_rules(portfolio_budgets=(FiscalYearAmount(2027, 43_000_000), FiscalYearAmount(2028, 60_000_000))),
        codes="V2305",
    ),
)

CLAIMS = (
    planted("unknown programme", claims_as_they_are(OWN_DATA, ("gift", 2027, 0)), codes="V2401"),
    planted("claim without a programme", claims_as_they_are(OWN_DATA, ("", 2027, 0)), codes="V2401"),
    planted(
        "programme not open to the pool",
        in_kind("programmes", "grant", eligible_pool_ids=("jp",)),
        codes="V2403",
    ),
    planted("programme not open to the workload", claims_as_they_are(OWN_DATA, ("grant", 2027, 0)), codes="V2403"),
    planted(
        "claim in a year outside the horizon", claims(TUNE, ("grant", 2027, 31_064), ("grant", 2030, 0)), codes="V2404"
    ),
    planted("claim in the same year twice", claims(TUNE, ("grant", 2027, 1), ("grant", 2027, 2)), codes="V2404"),
    planted("negative claim", claims(TUNE, ("grant", 2027, -1)), codes="V2405"),
    planted("claim above the eligible cost", claims(TUNE, ("grant", 2027, 31_065)), codes="V2406"),
    planted("claim in a year without use", claims(TUNE, ("grant", 2028, 1)), codes="V2406"),
    planted("claims above the project's cap", in_kind("programmes", "grant", project_cap_yen=136_728), codes="V2407"),
    planted(
        "claims above the programme's budget",
        in_row("programmes", "grant", budgets=(FiscalYearAmount(2027, 340_091), FiscalYearAmount(2028, 900_000))),
        codes="V2408",
    ),
)

FIGURES = (
    planted("wrong exchange rate", in_plan(forward_usd_jpy=(152.5,) * PERIOD_COUNT), codes="V2501"),
    planted("forward curve too short", in_plan(forward_usd_jpy=()), codes="V2501"),
    planted("bill without electricity", without_component(BillComponent.ELECTRICITY), codes="V2502"),
    planted("bill without lateness", without_component(BillComponent.LATENESS), codes="V2502"),
    planted("bill line given twice", with_lines(lambda lines: lines.append(lines[0])), codes="V2503"),
    planted(
        "bill line of zero", with_lines(lambda lines: lines.append(replace(LATE_FEE, amount_yen=0))), codes="V2503"
    ),
    planted("bill line of nothing", with_lines(lambda lines: lines.append(LATE_FEE)), codes="V2503"),
    planted("line in the wrong currency", first_line(currency_code=USD), codes="V2502 V2503"),
    planted("line a yen too low", first_line(amount_yen=129_132), codes="V2504"),
    planted("objective a yen too low", in_plan(objective_yen=36_972_383), codes="V2505"),
    planted("cash of a year left out", with_cash(lambda cash: cash.pop()), codes="V2506"),
    planted("cash given twice", with_cash(lambda cash: cash.append(cash[0])), codes="V2506"),
    planted("cash too low", with_cash(lambda cash: cash.insert(0, replace(cash.pop(0), amount_yen=1))), codes="V2506"),
    planted("obligation left out", in_plan(obligation_after_horizon_yen=0), codes="V2507"),
)

CERTIFICATE = (
    planted("certificate with a newer schema", in_certificate(schema_version=2), codes="V2601"),
    planted("certificate of another problem", in_certificate(problem_sha256="00" * 32), codes="V2602"),
    planted("price of an unknown pool", one_more_price("capacity_prices", PricePath("moon", NO_HOURS)), codes="V2603"),
    planted(
        "power price of a site without a limit",
        one_more_price("power_prices", PricePath("oregon", NO_HOURS)),
        codes="V2603",
    ),
    planted(
        "share price of a year without a rule",
        one_more_price("domestic_share_prices", FiscalYearPrice(2026, 1.0)),
        codes="V2603",
    ),
    planted(
        "budget price of an unlimited year", one_more_price("budget_prices", FiscalYearPrice(2030, 1.0)), codes="V2603"
    ),
    planted(
        "budget price of an unlimited programme",
        one_more_price("programme_budget_prices", ProgrammePrice("relief", YEARS[0], 1.0)),
        codes="V2603",
    ),
    planted(
        "cap price of a project of one workload",
        one_more_price("project_cap_prices", ProjectCapPrice("grant", "tune", 1.0)),
        codes="V2603",
    ),
    planted("pool priced twice", repeated_price("capacity_prices"), codes="V2604"),
    planted("budget priced twice", repeated_price("budget_prices"), codes="V2604"),
    planted("price path too long", first_price("capacity_prices", values=(*NO_HOURS, 0.0)), codes="V2605"),
    planted("price that is no number", first_price("power_prices", values=(math.nan, *NO_HOURS[1:])), codes="V2606"),
    planted("infinite price", first_price("project_cap_prices", value=math.inf), codes="V2606"),
    planted("absurd price", first_price("budget_prices", value=1e300), codes="V2606"),
    planted("bound overstated by two yen", claim_bound(2), codes="V2607"),
    planted("bound above the objective", claim_above_objective, codes="V2607 V2608"),
)


TABLE = (*IDENTITY, *PLACEMENTS, *ORDERS, *USES, *ROWS, *CLAIMS, *FIGURES, *CERTIFICATE)
