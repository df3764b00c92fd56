"""The compiled module: its stub is true, its build is for speed, and it refuses arrays that do not fit."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tehai.engine import _native
from tehai.engine.instance import build_instance
from tests.random_problems import random_problem

ROOT = Path(__file__).resolve().parents[2]


def _arrays() -> dict[str, Any]:
    return dict(build_instance(random_problem(3)).arrays)


def test_the_stub_is_true() -> None:
    """Every name of the stub is in the compiled module with the same parameters, and the other way round."""
    command = [sys.executable, "-m", "mypy.stubtest", "tehai.engine._native", "--mypy-config-file", "pyproject.toml"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no issues found in 1 module" in done.stdout


def test_the_build_is_a_release_of_this_version() -> None:
    """A debug build would be some twenty times slower; an older one would be another engine."""
    assert _native.build_info() == (version("tehai"), "release")


def test_arrays_as_built_are_taken() -> None:
    """The changes below start from arrays that are accepted."""
    assert _native.Instance(_arrays()).start_count() > 0


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("work", None, KeyError),
        ("work", np.zeros(1), ValueError),
        ("work", np.array(["much"]), TypeError),
        ("release", np.zeros(3, dtype=np.float64), TypeError),
        ("periods", "many", TypeError),
        ("option_first", None, KeyError),
    ],
)
def test_arrays_that_do_not_fit_are_refused(name: str, value: object, error: type[Exception]) -> None:
    """A missing array, another length and another type are errors that name the array."""
    arrays = _arrays()
    if value is None:
        del arrays[name]
    else:
        arrays[name] = value
    with pytest.raises(error, match=r"periods|str" if name == "periods" else name):
        _native.Instance(arrays)


def test_numbers_that_are_none_are_refused() -> None:
    """NaN in an array and an index outside its table are errors that name the array."""
    arrays = _arrays()
    arrays["pool_kw"] = arrays["pool_kw"] * np.nan
    with pytest.raises(ValueError, match="pool_kw"):
        _native.Instance(arrays)
    arrays = _arrays()
    arrays["family"] = arrays["family"] + 99
    with pytest.raises(IndexError, match="family"):
        _native.Instance(arrays)


def test_prices_are_checked() -> None:
    """A vector of prices has one finite number for each row."""
    native = build_instance(random_problem(3)).native
    count = native.price_layout()["count"]
    for prices in (np.zeros(count - 1), np.full(count, np.nan)):
        with pytest.raises(ValueError, match="prices"):
            native.evaluate(prices)
    bound, gradient, columns, terms = native.evaluate(np.zeros(count))
    assert np.isfinite(bound)
    assert gradient.shape == (count,)
    assert len(columns["mode"]) == len(terms["workload"]) == len(random_problem(3).workloads)
