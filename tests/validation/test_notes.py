"""Notes name what is allowed and worth knowing, and nothing else."""

from __future__ import annotations

import pytest

from tehai.domain.problem import Problem
from tehai.pipeline_check import check_message
from tehai.v1 import problem_pb2, workload_pb2
from tehai.validation import notes, uncapped, unplaceable, unplaceable_reason
from tehai.validation.notes import NOTES_PER_KIND_MAX
from tests.wire.small_problem import small_message, small_problem

LEFT_OPEN = (
    "programmes/robot-grant/budgets/2028",
    "programmes/city-grant/project_cap_yen",
    "programmes/city-grant/budgets/2027",
    "programmes/city-grant/budgets/2028",
    "rules/capital_ceilings/2028",
    "rules/carbon_limits/2028",
    "rules/concentration_limits/cloud/2028",
    "members/robot-maker-a/budgets/2028",
    "sites/tokyo/power_limit_kw",
    "sites/oregon/power_limit_kw",
)


def _valid(message: problem_pb2.Problem) -> Problem:
    problem, violations = check_message(message)
    assert problem is not None, violations
    return problem


def _unplanned() -> problem_pb2.Problem:
    """Return the small problem without a plan in force."""
    message = small_message()
    message.ClearField("current_plan")
    return message


def test_notes_of_the_small_problem() -> None:
    """The limits it leaves open and the status of its figures are all there is to say."""
    assert notes(small_problem()) == (
        f"limits left open: {', '.join(LEFT_OPEN)}",
        "figures by status of their source: 1 survey, 1 assumption",
    )


def test_limits_left_open() -> None:
    """A cap and a budget that are not given are listed, years a programme does not serve are not.

    Limits that few problems have (ceilings, carbon, concentration, budgets of members) are listed where some year has
    one, and not where none has.
    """
    assert uncapped(small_problem()) == LEFT_OPEN
    message = small_message()
    del message.programmes[1:]
    message.programmes[0].ClearField("stackable_programme_ids")
    message.programmes[0].usage_grant.ClearField("project_cap_yen")
    message.programmes[0].ClearField("budgets")
    message.programmes[0].until_date = "2028-04-01"
    for name in ("portfolio_budgets", "capital_ceilings", "carbon_limits", "concentration_limits"):
        message.rules.ClearField(name)
    message.members[0].ClearField("budgets")
    assert uncapped(_valid(message)) == (
        "programmes/robot-grant/project_cap_yen",
        "programmes/robot-grant/budgets/2027",
        "rules/portfolio_budgets/2027",
        "rules/portfolio_budgets/2028",
        "sites/tokyo/power_limit_kw",
        "sites/oregon/power_limit_kw",
    )


# (field of the fourth workload, value, why it can run nowhere)
OBSTACLES: list[tuple[str, object, str]] = [
    ("software_family", "fortran", "no pool's accelerator runs software family fortran"),
    (
        "sovereignty",
        workload_pb2.SovereigntyRule(operator_country_codes=["JP"]),
        "no pool that runs pytorch-cuda is in the countries that its sovereignty rule allows",
    ),
    ("gang", 65, "every gang option is larger than gang_accelerators_max of the pools that are left"),
    ("memory_gb", 1e5, "no gang option reaches 100000 GB of memory in a pool that is left"),
    ("release_date", "2028-06-01", "its window holds no period of the horizon"),
    ("deadline_date", "2028-02-13", "its window holds no period of the horizon"),
    ("normalised_accelerator_hours", 1e5, "the fastest placement takes 76 periods and its window has 10"),
    ("gang", 64, ""),
]


@pytest.mark.parametrize(("field", "value", "reason"), OBSTACLES)
def test_a_workload_that_can_run_nowhere_is_a_note(field: str, value: object, reason: str) -> None:
    """It is no violation; the note names the rule that leaves no placement."""
    message = _unplanned()
    workload = message.workloads[3]
    if field == "gang":
        del workload.gang_options[1:]
        assert isinstance(value, int)
        workload.gang_options[0].accelerators = value
    elif isinstance(value, workload_pb2.SovereigntyRule):
        workload.sovereignty.CopyFrom(value)
    else:
        setattr(workload, field, value)
    if field == "release_date":
        workload.deadline_date = "2028-08-01"
    problem = _valid(message)
    assert unplaceable_reason(problem, "night-regression") == reason
    assert [(u.workload_id, u.reason) for u in unplaceable(problem)] == (
        [("night-regression", reason)] if reason else []
    )
    sentence = f"workloads/night-regression can run nowhere: {reason}"
    assert (sentence in notes(problem)) == bool(reason)


def test_capacity_can_be_the_obstacle() -> None:
    """A mandatory workload for which no pool has enough accelerators for long enough is named as mandatory."""
    message = small_message()
    del message.offers[7]
    del message.offers[5]
    del message.offers[1]
    message.offers[0].on_demand.quota_accelerators = 8
    message.offers[0].on_demand.ClearField("quota_steps")
    message.offers[3].on_demand.until_date = "2028-02-20"
    problem = _valid(message)
    reason = "no pool can have as many accelerators live for as long as it would run"
    assert f"workloads/world-model can run nowhere and is mandatory: {reason}" in notes(problem)


def test_offers_that_are_never_live() -> None:
    """Each kind of offer whose window or lead time leaves nothing of the horizon is a note."""
    message = small_message()
    message.offers[0].on_demand.from_date = "2029-01-01"
    message.offers[1].reservation.lead_time_periods = 16
    message.offers[2].existing.from_date = "2027-01-10"
    message.offers[2].existing.until_date = "2028-01-10"
    message.offers[3].purchase.until_date = "2028-01-10"
    message.offers[3].purchase.from_date = "2027-01-10"
    message.offers[5].reservation.until_date = "2028-01-11"
    message.offers[6].allocation.accelerators = 0
    message.offers[6].allocation.accelerator_steps[0].accelerators = 0
    message.offers[7].capacity_block.booking_periods_min = 16
    message.offers[7].capacity_block.booking_periods_max = 20
    never = [note for note in notes(_valid(message)) if "never be live" in note]
    tokyo, north = ("tokyo-on-demand", "tokyo-reserved"), ("hokkaido-owned", "hokkaido-bought")
    names = (*tokyo, *north, "oregon-reserved", "hokkaido-allocation", "tokyo-block")
    assert never == [f"offers/{name} can never be live within the horizon" for name in names]


def test_other_notes() -> None:
    """A programme beside the horizon, a workload free to drop and deliveries after the end of life are named."""
    message = _unplanned()
    message.programmes[0].from_date = "2029-01-01"
    message.programmes[0].until_date = "2029-02-01"
    message.workloads[3].cost_not_run_yen = 0
    message.offers[3].purchase.life_periods = 2
    found = notes(_valid(message))
    assert "programmes/robot-grant has no period of the horizon in its window" in found
    assert "workloads/night-regression costs nothing when it is not run, so it will hardly be run" in found
    assert "offers/hokkaido-bought delivers after the end of its life, which counts from the first delivery" in found


def test_many_notes_of_a_kind_are_counted() -> None:
    """Thousands of workloads that can run nowhere do not drown the rest."""
    message = _unplanned()
    for i in range(NOTES_PER_KIND_MAX + 5):
        workload = message.workloads.add()
        workload.CopyFrom(message.workloads[3])
        workload.id, workload.software_family = f"w{i}", "fortran"
    found = notes(_valid(message))
    assert len(found) == NOTES_PER_KIND_MAX + 3
    assert found[NOTES_PER_KIND_MAX] == "and 5 more like the last"
