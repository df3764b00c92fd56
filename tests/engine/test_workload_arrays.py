"""Workloads as arrays: routes and porting, the current plan, pauses and precedences."""

from __future__ import annotations

import numpy as np

from tehai.engine.instance import build_arrays, build_instance
from tests import builders as make

SITES = [make.make_site("here"), make.make_site("there"), make.make_site("far")]
POOLS = [make.make_pool(f"in-{site.id}", site.id) for site in SITES]
OFFERS = [make.make_offer(make.on_demand(), f"hire-{pool.id}", pool.id) for pool in POOLS]


def test_data_needs_a_route() -> None:
    """Data stays at its own site for nothing, follows the one route there is, and goes nowhere else."""
    workloads = [
        make.make_workload("moves", data_site_id="here", data_terabytes=3.0),
        make.make_workload("free"),
        make.make_workload("empty", data_site_id="here"),
    ]
    routes = [make.route("far", "there"), make.route("here", "there", make.yen(1000, {2: 700}))]
    arrays = build_arrays(
        make.make_problem(workloads, OFFERS, POOLS, SITES, routes=routes, market=make.make_market())
    ).arrays
    assert arrays["pool_allowed"].tolist() == [[True, True, False], [True] * 3, [True] * 3]
    assert arrays["pool_route"].tolist() == [[-1, 1, -1], [-1] * 3, [-1] * 3]
    assert arrays["terabytes"].tolist() == [3.0, 0.0, 0.0]
    assert arrays["route_yen"].tolist() == [[1000.0] * 4, [1000.0, 1000.0, 700.0, 700.0]]


def test_porting_is_by_accelerator() -> None:
    """Every pool of the accelerator costs its amount, others nothing."""
    chips = [make.make_accelerator(), make.make_accelerator("other")]
    pools = [make.make_pool("a"), make.make_pool("b", accelerator_id="other"), make.make_pool("c")]
    offers = [make.make_offer(make.on_demand(), f"hire-{pool.id}", pool.id) for pool in pools]
    workload = make.make_workload(porting={"chip": 7})
    arrays = build_arrays(make.make_problem([workload], offers, pools, accelerators=chips)).arrays
    assert arrays["porting_yen"].tolist() == [[7.0, 0.0, 7.0]]


def test_the_current_plan_costs_its_changes() -> None:
    """Own figure before the plan's; not running counts as a change; locked workloads must run."""
    names = ("listed", "own", "locked", "new")
    workloads = [make.make_workload(name, not_run_yen=100) for name in names]
    placements = [
        make.current_placement("listed", start=1),
        make.current_placement("own", start=make.day(2), change_yen=9),
        make.current_placement("locked", locked=True),
    ]
    plan = make.make_current_plan(placements, change_yen=5)
    arrays = build_arrays(make.make_problem(workloads, current_plan=plan)).arrays
    assert arrays["current_pool"].tolist() == [0, 0, 0, -1]
    assert arrays["current_gang"].tolist() == [8, 8, 8, 0]
    assert arrays["current_start"].tolist() == [1, 2, 0, 0]
    assert arrays["change_yen"].tolist() == [5, 9, 5, 0]
    assert arrays["not_run_yen"].tolist() == [105, 109, np.inf, 100]
    assert arrays["locked"].tolist() == [False, False, True, False]


def test_pauses_and_precedences() -> None:
    """Numbers of pauses with their overhead, and pairs (before, after) by position."""
    workloads = [
        make.make_workload("first", pausing=make.pausing(2, 6.0)),
        make.make_workload("second", after=["first"]),
        make.make_workload("third", after=["second", "first"]),
    ]
    arrays = build_arrays(make.make_problem(workloads)).arrays
    assert arrays["pauses_max"].tolist() == [2, 0, 0]
    assert arrays["resume_hours"].tolist() == [6.0, 0.0, 0.0]
    assert list(zip(arrays["before"], arrays["after"], strict=True)) == [(0, 1), (1, 2), (0, 2)]


def test_a_locked_workload_keeps_one_mode_and_start() -> None:
    """The engine offers nothing but what the current plan has; locked where nothing is legal, it is left out."""
    workload = make.make_workload(gangs={8: 1.0, 16: 1.0})
    plan = make.make_current_plan([make.current_placement(start=2, locked=True)])
    instance = build_instance(make.make_problem([workload], current_plan=plan))
    assert instance.native.start_count() == 1
    assert instance.modes["accelerators"].tolist() == [8.0]
    late = make.make_current_plan([make.current_placement(start=3, accelerators=32, locked=True)])
    hopeless = build_instance(make.make_problem([workload], current_plan=late))
    assert hopeless.unplaceable == (0,)
    assert hopeless.arrays["not_run_yen"].tolist() == [0.0]


def test_a_gang_occupies_whole_nodes() -> None:
    """Six accelerators in nodes of eight take eight, at the speed of six."""
    instance = build_instance(make.make_problem([make.make_workload(gangs={6: 1.0})], pools=[make.make_pool(node=8)]))
    modes = instance.modes
    assert (modes["accelerators"].tolist(), modes["gang"].tolist()) == ([6.0], [8.0])
    assert modes["run_hours"].tolist() == [1344.0 / 6]
