"""Member bills: by hand where one can, and no group does better alone beyond its part of what is left open."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

import pytest

from tehai.domain.certificate import Certificate
from tehai.domain.market import FiscalYearAmount
from tehai.domain.offer import Allocation, CapacityBlock, Existing, Offer, OnDemand, Purchase, Reservation
from tehai.domain.problem import Problem
from tehai.domain.result import MemberBill
from tehai.domain.workload import Workload
from tehai.explain.members import charged_terms, member_bills, shares
from tehai.explain.reading import Reading
from tehai.explain.references import references
from tehai.verify import bound_parts, check_plan, compute_bound
from tests.builders import (
    allocation,
    capacity_block,
    existing,
    make_calendar,
    make_member,
    make_offer,
    make_pool,
    make_problem,
    make_programme,
    make_rules,
    make_site,
    make_workload,
    on_demand,
    pausing,
    purchase,
    reservation,
    term,
    yen,
)
from tests.explain.certificates import certificate_of, oracle_prices
from tests.explain.hand_made import SHA256, hand_plan, placement
from tests.explain.of_oracle import plan_of_oracle
from tests.oracle import optimum_yen, solve_oracle

FULL = 8 * 168 * 500


def one_week(given: Sequence[float | None], budgets: dict[int, int] | None = None) -> Problem:
    """Return one week with two jobs and eight owned accelerators, so that one of the jobs goes on demand."""
    members = [make_member(name, share=share, budgets=budgets) for name, share in zip("ab", given, strict=True)]
    return make_problem(
        [make_workload(f"job-{name}", deadline=1, member_id=name) for name in "ab"],
        [make_offer(existing(8), "own"), make_offer(on_demand(), "demand")],
        members=members,
        calendar=make_calendar(1),
    )


def bills_of(problem: Problem, certificate: Certificate) -> dict[str, MemberBill]:
    """Return the bills of a plan that runs both jobs."""
    plan = hand_plan(problem, [placement(problem, f"job-{name}", {0: 168.0}) for name in "ab"])
    found = member_bills(Reading(problem, plan), certificate, references(problem))
    assert sum(bill.bill_yen for bill in found) == plan.objective_yen == FULL
    return {bill.member_id: bill for bill in found}


@pytest.mark.parametrize(
    ("given", "bills"),
    [((None, None), (FULL // 2, FULL // 2)), ((0.75, 0.25), (FULL // 4, FULL * 3 // 4)), ((1.0, 0.0), (0, FULL))],
)
def test_what_is_owned_together_is_worth_its_price(given: tuple[float, ...], bills: tuple[int, int]) -> None:
    """At 500 yen both jobs are charged 672,000; the owned week is worth 672,000 and goes to its owners by share."""
    problem = one_week(given)
    certificate = certificate_of(problem, oracle_prices(capacity={("pool", 0): 500.0}))
    found = bills_of(problem, certificate)
    assert (found["a"].bill_yen, found["b"].bill_yen) == bills
    assert all(bill.remainder_yen == 0 for bill in found.values())
    assert all(bill.list_bill_yen == FULL for bill in found.values())


def test_what_a_proof_leaves_open_is_split_by_list_bill() -> None:
    """Without any price the bound is nothing, and what is paid is all remainder."""
    problem = one_week((0.75, 0.25))
    found = bills_of(problem, certificate_of(problem, oracle_prices()))
    assert [bill.remainder_yen for bill in found.values()] == [FULL // 2, FULL // 2]
    assert [bill.bill_yen for bill in found.values()] == [FULL // 2, FULL // 2]


def test_a_price_of_a_members_budget_is_its_own() -> None:
    """A budget price makes a member's jobs dearer and its budget worth something; nobody else feels it."""
    problem = one_week((0.5, 0.5), {2027: FULL})
    prices = oracle_prices(capacity={("pool", 0): 500.0}, member_budget={("a", 2027): 0.25})
    found = bills_of(problem, certificate_of(problem, prices))
    assert [bill.bill_yen for bill in found.values()] == [FULL // 2, FULL // 2]


def test_shares_sum_to_one() -> None:
    """Where nobody gives a share all are equal; where some do, the others have none."""
    assert shares(make_problem(members=[make_member("a"), make_member("b"), make_member("c")])) == dict.fromkeys(
        "abc", Fraction(1, 3)
    )
    some = make_problem(members=[make_member("a", share=0.5), make_member("b"), make_member("c", share=0.5)])
    assert shares(some) == {"a": Fraction(1, 2), "b": 0, "c": Fraction(1, 2)}


# Every number below that is scaled is divisible by four, the smallest share.
SHARES = {2: (0.5, 0.5), 3: (0.5, 0.25, 0.25), 4: (0.25, 0.25, 0.25, 0.25)}


def random_case(seed: int) -> Problem:
    """Return a small problem of two to four members whose common things can be divided by shares."""
    draw = random.Random(seed)
    given = SHARES[draw.choice([2, 3, 4])]
    members = [
        make_member(f"m{i}", share=share, budgets={2027: 4_000_000} if draw.random() < 0.3 else None)
        for i, share in enumerate(given)
    ]
    offers = [
        make_offer(on_demand(yen(draw.choice([500, 700])), quota=draw.choice([16, 32])), "demand"),
        make_offer(reservation([term(2), term(3, yen(250), prepaid=True)], block=4, blocks_max=4), "reserved"),
        make_offer(existing(draw.choice([4, 8]), metered=True), "own"),
        make_offer(on_demand(yen(600), quota=16), "far-demand", "far"),
    ]
    if draw.random() < 0.5:
        offers.append(make_offer(purchase(yen(900_000), unit=4, units_max=4, life=8), "bought", "far"))
    if draw.random() < 0.5:
        offers.append(make_offer(allocation({2027: 4_000.0}, accelerators=16), "shared", "far"))
    if draw.random() < 0.5:
        offers.append(make_offer(capacity_block(block=4, blocks_max=4, booking_max=1), "block", "far"))
    rules = make_rules(
        shares={2027: 0.4} if draw.random() < 0.5 else None,
        budgets={2027: 6_000_000} if draw.random() < 0.4 else None,
        carbon_limits={2027: 4_000.0} if draw.random() < 0.4 else None,
        concentration={("operator", 2027): 0.6} if draw.random() < 0.4 else None,
        waiting_max=4 if draw.random() < 0.4 else None,
    )
    programmes = [make_programme("use", project_cap_yen=800_000, budgets={2027: 1_200_000})]
    return make_problem(
        list(_jobs(draw, len(given))),
        offers,
        [make_pool(), make_pool("far", "abroad", node=draw.choice([1, 4]))],
        [
            make_site(electricity_yen_per_kwh="20", carbon_kg_per_kwh=0.3, power_limit_kw=draw.choice([None, 24.0])),
            make_site("abroad", "US", "US", operator_id="operator", carbon_kg_per_kwh=0.6),
        ],
        members=members,
        programmes=programmes if draw.random() < 0.6 else [],
        rules=rules,
    )


def _jobs(draw: random.Random, members: int) -> Iterator[Workload]:
    """Yield one or two jobs for each member; the second may have to wait for the first."""
    for i in range(members):
        for k in range(draw.choice([1, 2])):
            yield make_workload(
                f"job-{i}-{k}",
                hours=draw.choice([4, 8]) * 168.0 * draw.choice([0.5, 1.0, 1.5]),
                gangs={4: 1.0, 8: 0.9},
                release=draw.choice([0, 0, 1]),
                member_id=f"m{i}",
                project_id=f"p{i}",
                late_yen=draw.choice([0, 20_000]),
                not_run_yen=draw.choice([600_000, 3_000_000]),
                after=[f"job-{i}-0"] if k == 1 and draw.random() < 0.5 else [],
                pausing=pausing(1, 4.0) if draw.random() < 0.3 else None,
            )


def alone(problem: Problem, members: frozenset[str]) -> Problem:
    """Return the problem of a group: its workloads and limits, and its share of all that is common."""
    part = float(sum(value for name, value in shares(problem).items() if name in members))

    def amounts(found: tuple[FiscalYearAmount, ...]) -> tuple[FiscalYearAmount, ...]:
        return tuple(replace(item, amount_yen=whole(item.amount_yen * part)) for item in found)

    rules = problem.rules
    waiting = rules.total_waiting_periods_max
    return replace(
        problem,
        workloads=tuple(item for item in problem.workloads if item.member_id in members),
        offers=tuple(filter(None, (part_of_offer(offer, part) for offer in problem.offers))),
        sites=tuple(
            replace(site, power_limit_kw=None if site.power_limit_kw is None else site.power_limit_kw * part)
            for site in problem.sites
        ),
        programmes=tuple(replace(item, budgets=amounts(item.budgets)) for item in problem.programmes),
        rules=replace(
            rules,
            portfolio_budgets=amounts(rules.portfolio_budgets),
            carbon_limits=tuple(replace(item, mass_kg=item.mass_kg * part) for item in rules.carbon_limits),
            total_waiting_periods_max=None if waiting is None else whole(waiting * part),
        ),
    )


def part_of_offer(offer: Offer, part: float) -> Offer | None:
    """Return a part of an offer: of its quota, or of the number of its blocks or units."""
    match offer.kind:
        case OnDemand() as kind:
            scaled: object = replace(kind, quota_accelerators=whole(kind.quota_accelerators * part))
        case Existing() as kind:
            scaled = replace(kind, accelerators=whole(kind.accelerators * part))
        case Allocation() as kind:
            hours = tuple(replace(item, accelerator_hours=item.accelerator_hours * part) for item in kind.quotas)
            scaled = replace(kind, accelerators=whole(kind.accelerators * part), quotas=hours)
        case Purchase() as kind:
            scaled = replace(kind, units_max=whole(kind.units_max * part))
        case Reservation() | CapacityBlock() as kind:
            scaled = replace(kind, blocks_max=whole(kind.blocks_max * part))
    return replace(offer, kind=scaled)  # type: ignore[arg-type]


def whole(amount: float) -> int:
    """Return an amount that has to be a whole number."""
    assert amount == int(amount), amount
    return int(amount)


@pytest.mark.parametrize("seed", range(16))
def test_no_group_does_better_alone(seed: int) -> None:
    """Each group's optimum with its own and its share is no less than its bills less its part of the remainder.

    Bills come from the oracle's linear prices; the parts of the bound are exact, so the charges before rounding are
    compared, and the rounded bills are within a yen of them.
    """
    problem = random_case(seed)
    result = solve_oracle(problem)
    assert result.optimum_yen is not None
    plan, certificate = plan_of_oracle(problem, result), certificate_of(problem, result.prices)
    assert check_plan(problem, SHA256, plan).violations == ()
    found = references(problem)
    reading = Reading(problem, plan)
    charges = charged_terms(reading, found, bound_parts(problem, certificate))
    bills = {bill.member_id: bill for bill in member_bills(reading, certificate, found)}
    assert float(sum(charges.values())) == pytest.approx(compute_bound(problem, certificate), rel=1e-9, abs=1e-6)
    assert sum(bill.bill_yen for bill in bills.values()) == plan.objective_yen
    for name, charge in charges.items():
        assert bills[name].bill_yen - bills[name].remainder_yen == pytest.approx(float(charge), abs=2)
    names = [member.id for member in problem.members]
    for size in range(1, len(names) + 1):
        for group in itertools.combinations(names, size):
            cost = optimum_yen(alone(problem, frozenset(group)))
            charged = float(sum(charges[name] for name in group))
            assert cost is None or cost >= charged - 1e-6 * max(1.0, abs(charged)), (group, cost, charged)
