"""Notes on grants, on what comes after what and on the plan in force name what is allowed and cannot work out."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from tehai.domain.problem import Problem
from tehai.domain.programme import SizeClassRate
from tehai.domain.workload import SizeClass
from tehai.validation import notes, validate
from tehai.validation.precedence import in_order
from tests import builders as make

# Notes that every problem of the builders has.
USUAL = "limits left open:"


def _notes(problem: Problem) -> list[str]:
    assert validate(problem) == ()
    return [note for note in notes(problem) if not note.startswith(USUAL)]


def test_a_flag_of_nobody() -> None:
    """A rate for a flag that no member carries is named once, one that somebody carries is not."""
    rates = [
        SizeClassRate(SizeClass.LARGE, 0.5, "venture"),
        SizeClassRate(SizeClass.SME, 0.6, "venture"),
        SizeClassRate(SizeClass.SME, 0.4, "young"),
    ]
    members = [make.make_member(flags=["young"])]
    problem = make.make_problem(programmes=[make.make_programme(rates=rates)], members=members)
    assert _notes(problem) == ["programmes/grant has a rate for members with flag venture, which no member carries"]


def test_a_capital_grant_without_orders() -> None:
    """A capital grant that no purchase with an owner can claim is named: no owner, no rate, another pool."""
    grant = make.make_capital_programme(rates={SizeClass.SME: 0.5}, pool_ids=["pool"])
    members = [make.make_member(), make.make_member("small", SizeClass.SME)]
    note = "programmes/capital-grant is open to no purchase: none with an eligible owner in an eligible pool"
    for owner, pool_id, expected in (
        ("", "pool", [note]),
        ("member", "pool", [note]),
        ("small", "other", [note]),
        ("small", "pool", []),
    ):
        problem = make.make_problem(
            programmes=[grant],
            members=members,
            pools=[make.make_pool(), make.make_pool("other")],
            offers=[make.make_offer(make.on_demand()), make.make_offer(make.purchase(owner=owner), "buy", pool_id)],
        )
        assert _notes(problem) == expected


def test_claims_above_their_limits() -> None:
    """Claims made above a budget, a member cap and a project cap are named; those within are not."""
    claims = [
        make.claim_made(60, project_id="job"),
        make.claim_made(50),
        make.claim_made(70, year=2026, project_id="job"),
    ]
    grant = make.make_programme(project_cap_yen=120, budgets={2027: 100}, member_cap_yen=90, claims_made=claims)
    start, left = "programmes/grant has claims of", ": nothing is left"
    assert _notes(make.make_problem(programmes=[grant])) == [
        f"{start} 110 yen before the horizon, above its budget of fiscal year 2027 of 100{left}",
        f"{start} 110 yen before the horizon, above the cap of member member in fiscal year 2027 of 90{left}",
        f"{start} 130 yen before the horizon, above the cap of project job of 120{left}",
    ]
    lower = replace(grant, claims_made=tuple(replace(claim, amount_yen=40) for claim in claims))
    assert _notes(make.make_problem(programmes=[lower])) == []


def test_years_beside_the_horizon() -> None:
    """Hours granted and payments due in years outside the horizon are allowed and have no effect."""
    offers = [
        make.make_offer(make.allocation({2026: 5.0, 2027: 5.0}), "granted"),
        make.make_offer(make.existing(payments={2027: 1, 2030: 1}), "owned"),
    ]
    assert _notes(make.make_problem(offers=offers)) == [
        "offers/granted has hours of fiscal year 2026, outside the horizon",
        "offers/owned has a payment of fiscal year 2030, outside the horizon",
    ]


def test_precedences_that_windows_forbid() -> None:
    """Along a chain the earliest ends add up; what they leave no time for is named, with the day, and what follows."""
    names = ["first", "second", "third", "fourth"]
    after = {"second": ["first"], "third": ["second"], "fourth": ["third"]}
    jobs = [make.make_workload(name, after=after.get(name, ()), deadline=3 - (name == "third")) for name in names]
    late = (
        "workloads/third can never run after workloads/second, which ends on 2027-04-19 at the earliest: "
        "too late for 1 period of running to its deadline, 2027-04-19"
    )
    follows = "workloads/fourth can never run after workloads/third, which can never run itself"
    assert _notes(make.make_problem(workloads=jobs)) == [late, follows]
    jobs[2] = replace(jobs[2], deadline_date=make.day(3))
    jobs[3] = replace(jobs[3], deadline_date=make.day(4))
    assert _notes(make.make_problem(workloads=jobs)) == []


def test_after_a_workload_that_can_run_nowhere() -> None:
    """What comes after a hopeless workload is hopeless too."""
    jobs = [make.make_workload("last", after=["lost"]), make.make_workload("lost", family="fortran")]
    assert _notes(make.make_problem(workloads=jobs)) == [
        "workloads/lost can run nowhere: no pool's accelerator runs software family fortran",
        "workloads/last can never run after workloads/lost, which can run nowhere",
    ]


def test_a_lock_against_what_comes_before() -> None:
    """A workload that is locked to a start before its predecessor can end is named."""
    jobs = [make.make_workload("before", release=1), make.make_workload("job", after=["before"])]
    for start, count in ((1, 1), (2, 0)):
        plan = make.make_current_plan([make.current_placement(start=start, locked=True)])
        found = _notes(make.make_problem(workloads=jobs, current_plan=plan))
        assert len(found) == count
        assert all(note.endswith("too late for the start that the current plan locks") for note in found)


def test_placements_that_cannot_stay() -> None:
    """A planned placement that is not locked and no longer legal is named, one that can stay is not."""
    job = make.make_workload(release=1, memory_gb=640.0)
    stays = "workloads/job cannot stay in pool pool as in the current plan:"
    for start, memory_gb, reason in (
        (1, 640.0, ""),
        (0, 640.0, f"{stays} it is released on 2027-04-12"),
        (1, 641.0, f"{stays} 8 accelerators do not reach 641 GB of memory"),
    ):
        plan = make.make_current_plan([make.current_placement(start=start)])
        workload = replace(job, memory_gb=memory_gb, gang_options=make.make_workload(gangs={8: 1, 16: 1}).gang_options)
        found = _notes(make.make_problem(workloads=[workload], current_plan=plan))
        assert found == ([reason] if reason else [])


def test_a_locked_workload_is_named_as_locked() -> None:
    """Where capacity is missing for a locked workload the note says so, and dropping it is no choice."""
    plan = make.make_current_plan([make.current_placement(locked=True)])
    offers = [make.make_offer(make.on_demand(from_date=date(2027, 4, 12)))]
    job = make.make_workload(not_run_yen=0)
    found = _notes(make.make_problem(workloads=[job], offers=offers, current_plan=plan))
    assert len(found) == 1
    assert found[0].startswith("workloads/job can run nowhere and is locked: the current plan locks it to pool pool")


def test_order_of_precedences() -> None:
    """Each comes after all before it, whatever the order of the list; names that are unknown do not count."""
    before = {"c": ["b", "a"], "b": ["a"], "a": ["unknown"], "d": []}
    assert in_order(before) == ["a", "d", "b", "c"]
