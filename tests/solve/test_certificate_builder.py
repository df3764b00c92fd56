"""A certificate says what the flat vector says, and nothing of rows that do not exist."""

from __future__ import annotations

import numpy as np
import pytest

from tehai.engine.instance import build_instance
from tehai.solve.certificate_builder import build_certificate
from tehai.verify import compute_bound
from tests.engine.test_bound import flat_prices
from tests.random_problems import random_problem


@pytest.mark.parametrize("seed", range(12))
def test_prices_go_there_and_back(seed: int) -> None:
    """Random prices, negative ones and ones without a row too: read back they give the engine's own bound."""
    instance = build_instance(random_problem(seed))
    count = instance.native.price_layout()["count"]
    prices = np.random.default_rng(seed).uniform(-50.0, 500.0, count)
    bound, _, _, _ = instance.native.evaluate(prices)
    certificate = build_certificate(instance, prices, bound, "hash")
    again = flat_prices(instance, certificate)
    assert (again >= 0.0).all()
    assert (again[again > 0.0] == prices[again > 0.0]).all()
    assert instance.native.evaluate(again)[0] == pytest.approx(bound, rel=1e-12)
    assert compute_bound(instance.problem, certificate) == pytest.approx(bound, rel=1e-9)
    assert certificate.lower_bound_yen <= bound
    assert certificate.problem_sha256 == "hash"
