"""The door to the search: seeded, keeps its best plan, refuses plans of another shape."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tehai.engine.instance import EngineInstance, build_instance
from tehai.engine.search import Cooling, Search, empty_plan
from tests import builders as make
from tests.random_problems import random_problem

COOLING = Cooling(300, 1e6, 1e4, 6, 0.3, 2.0)


def _search(instance: EngineInstance, chains: int, seed: int) -> Search:
    _, prices, _, _ = instance.native.ascend(np.zeros(0), 100, 0.1, 1e-3, 100)
    search = Search(instance, prices, empty_plan(instance), chains, seed)
    search.construct()
    return search


def test_the_same_seed_gives_the_same_plan() -> None:
    """Two searches with two chains each agree in every array."""
    instance = build_instance(random_problem(5))
    found = []
    for _ in range(2):
        search = _search(instance, 2, 1)
        search.run(COOLING)
        plan = search.best_plan()
        assert plan is not None
        found.append((search.best_objective, {name: values.tolist() for name, values in plan.as_dict().items()}))
    assert found[0] == found[1]


def test_the_best_plan_only_improves() -> None:
    """Runs and restarts never lose the best objective."""
    instance = build_instance(random_problem(8))
    search = _search(instance, 1, 1)
    last = search.best_objective
    for _ in range(4):
        search.run(COOLING)
        search.restart_from_best()
        now = search.best_objective
        assert now is not None
        assert last is None or now <= last
        last = now
    search.restart_from(empty_plan(instance))
    assert search.best_objective == last


def test_a_plan_of_another_shape_is_refused() -> None:
    """Claims of another shape and modes that do not exist are errors."""
    instance = build_instance(random_problem(5))
    search = _search(instance, 1, 1)
    plan = empty_plan(instance)
    with pytest.raises(ValueError, match="plan needs"):
        search.restart_from(replace(plan, claims=np.zeros((1, 1))))
    with pytest.raises(IndexError, match="mode"):
        search.restart_from(replace(plan, mode=np.full_like(plan.mode, 10**9)))


def test_units_are_cut_to_the_limit_of_their_offer() -> None:
    """Terms that overlap share the blocks that may be live at once; orders of a purchase share its units."""
    terms = [make.term(1), make.term(4)]
    offers = [
        make.make_offer(make.reservation(terms, blocks_max=1), "blocks"),
        make.make_offer(make.purchase(units_max=3), "units"),
    ]
    instance = build_instance(make.make_problem(offers=offers))
    position = {(key.offer_index, key.term_index, key.period): i for i, key in enumerate(instance.order_keys)}
    wanted = np.zeros(len(position), dtype=np.int64)
    for key, count in (((0, 1, 0), 1), ((0, 0, 2), 1), ((1, -1, 0), 2), ((1, -1, 1), 2)):
        wanted[position[key]] = count
    prices = np.zeros(instance.native.price_layout()["count"])
    plan = Search(instance, prices, replace(empty_plan(instance), units=wanted), 1, 1).best_plan()
    assert plan is not None
    found = {key: int(plan.units[i]) for key, i in position.items() if plan.units[i]}
    assert found == {(0, 1, 0): 1, (1, -1, 0): 2, (1, -1, 1): 1}
