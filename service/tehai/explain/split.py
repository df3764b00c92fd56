"""Whole yen split so that the parts sum to the whole."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import TypeVar

K = TypeVar("K")


def split_yen(amount_yen: int, weights: Mapping[K, float]) -> dict[K, int]:
    """Return an amount in proportion to weights of 0 or more, by largest remainder; an equal split where all are 0.

    Ties go to whoever comes first. Without any weight nothing is split.
    """
    total = sum((Fraction(weight) for weight in weights.values()), Fraction(0))
    if total == 0:
        weights = dict.fromkeys(weights, 1.0)
        total = Fraction(len(weights))
    return round_to_sum({key: amount_yen * Fraction(weight) / total for key, weight in weights.items()}, amount_yen)


def round_to_sum(amounts: Mapping[K, Fraction], total_yen: int) -> dict[K, int]:
    """Return amounts in whole yen that sum to ``total_yen``, by largest remainder.

    Where the amounts themselves do not sum to ``total_yen``, everybody carries the same part of the difference.
    """
    if not amounts:
        return {}
    shift = (total_yen - sum(amounts.values(), Fraction(0))) / len(amounts)
    exact = {key: amount + shift for key, amount in amounts.items()}
    whole = {key: math.floor(amount) for key, amount in exact.items()}
    missing = total_yen - sum(whole.values())
    for key in sorted(exact, key=lambda key: whole[key] - exact[key])[:missing]:
        whole[key] += 1
    return whole
