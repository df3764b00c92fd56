"""What crosses to Rust against the second opinion's reading of the same problem."""

from __future__ import annotations

import numpy as np
import pytest

from tehai.engine.instance import build_arrays, build_instance
from tehai.verify.reference import build_reference
from tests import builders as make
from tests.random_problems import random_problem


@pytest.mark.parametrize("seed", range(25))
def test_arrays_are_those_of_the_second_opinion(seed: int) -> None:
    """Windows, work, exchange rate, discount, largest capacity, references, power and carbon are derived alike."""
    problem = random_problem(seed)
    instance, reference = build_arrays(problem), build_reference(problem)
    arrays = instance.arrays
    assert np.array_equal(arrays["release"], reference.release)
    assert np.array_equal(arrays["deadline"], np.maximum(reference.deadline, 0))
    assert np.array_equal(np.array(reference.years)[arrays["year_of_period"]], reference.fiscal_year)
    for name, expected in (
        ("work", reference.work),
        ("capacity_max", reference.gang_max),
        ("grant_reference", reference.grant_reference),
        ("charge_reference", reference.charge_reference),
        ("pool_kw", reference.facility_kw),
        ("pool_kg", reference.carbon_kg),
        ("discount", reference.money.discount),
    ):
        assert arrays[name] == pytest.approx(expected, rel=1e-12, abs=1e-12), name
    assert instance.prices.forward == pytest.approx(reference.forward, rel=1e-12)


def test_a_workload_without_a_legal_column_is_left_out() -> None:
    """It is listed as unplaceable; a mandatory one costs nothing, so that bound and objective leave it out alike."""
    hopeless = make.make_workload("hopeless", memory_gb=1e6, not_run_yen=None)
    dear = make.make_workload("dear", memory_gb=1e6, not_run_yen=5)
    instance = build_instance(make.make_problem([make.make_workload(), hopeless, dear]))
    assert instance.unplaceable == (1, 2)
    assert list(instance.arrays["not_run_yen"]) == [100_000_000.0, 0.0, 5.0]
