"""The decoders that atheris attacks (tools/fuzz.sh), attacked by hypothesis: a short form of the same."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from tests.hostile.damage import HypothesisChoices, damaged
from tests.hostile.decoders import DECODERS

EXAMPLES = 60
EXAMPLES_LONG = 5_000


@st.composite
def damaged_inputs(draw: st.DrawFn, seeds: tuple[bytes, ...]) -> bytes:
    """Return a good input, damaged up to three times."""
    data = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(1, 3))):
        data = damaged(HypothesisChoices(draw), data)
    return data


def _attack(name: str, examples: int) -> None:
    decoder = DECODERS[name]

    @seed(len(name))
    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(damaged_inputs(decoder.seeds()))
    def one(data: bytes) -> None:
        decoder.read(data)

    one()


@pytest.mark.parametrize("name", sorted(DECODERS))
def test_good_inputs(name: str) -> None:
    """Every decoder reads its seeds, so that what is made of them is not far from what it reads."""
    seeds = DECODERS[name].seeds()
    assert seeds
    for data in seeds:
        DECODERS[name].read(data)


@pytest.mark.parametrize("name", sorted(DECODERS))
def test_damaged_inputs(name: str) -> None:
    """No damage makes a decoder raise what it does not say, or answer otherwise than the second reader."""
    _attack(name, EXAMPLES)


@pytest.mark.slow
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("name", sorted(DECODERS))
def test_many_damaged_inputs(name: str) -> None:
    """Thousands more."""
    _attack(name, EXAMPLES_LONG)
