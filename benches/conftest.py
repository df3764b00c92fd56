"""Shared by all benches: no figures from a debug build, and every bench on both problems."""

from __future__ import annotations

import pytest

from benches.cases import CASES
from benches.machine import debug_build_refusal


def pytest_configure() -> None:
    """Stop before anything is timed where the engine was compiled without optimisation."""
    refusal = debug_build_refusal()
    if refusal is not None:
        pytest.exit(refusal, returncode=2)


@pytest.fixture(params=CASES)
def case_name(request: pytest.FixtureRequest) -> str:
    """Return the name of the problem that a bench runs on."""
    name: str = request.param
    return name
