"""Whole yen are split without losing or making one."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from tehai.explain.split import round_to_sum, split_yen

weights = st.lists(st.floats(0, 1e12, allow_nan=False), min_size=1, max_size=8)


@given(st.integers(-(10**15), 10**15), weights)
def test_parts_sum_to_the_whole_and_are_near_their_share(amount: int, given_weights: list[float]) -> None:
    """The parts sum to the amount, and each is less than a yen from its share."""
    parts = split_yen(amount, dict(enumerate(given_weights)))
    assert sum(parts.values()) == amount
    total = sum(map(Fraction, given_weights))
    for key, weight in enumerate(given_weights):
        share = amount * Fraction(weight) / total if total else Fraction(amount, len(given_weights))
        assert abs(parts[key] - share) < 1


def test_ties_go_to_the_first() -> None:
    """Two yen among three equals: the first two get them; without weights the split is equal."""
    assert split_yen(2, {"a": 1.0, "b": 1.0, "c": 1.0}) == {"a": 1, "b": 1, "c": 0}
    assert split_yen(3, {"a": 0.0, "b": 0.0}) == {"a": 2, "b": 1}
    assert split_yen(3, {}) == {}


def test_amounts_that_sum_to_something_else_carry_the_difference() -> None:
    """A half too little for two is a quarter for each, then rounded."""
    assert round_to_sum({"a": Fraction(1), "b": Fraction(1, 2)}, 2) == {"a": 1, "b": 1}
