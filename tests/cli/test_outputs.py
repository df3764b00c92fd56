"""Standard output belongs to the answer."""

from __future__ import annotations

import ctypes

import pytest

from tehai.cli.outputs import native_text_on_stderr


def test_native_text_goes_to_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    """What the C library prints inside lands on standard error, even where it is still buffered at the end."""
    library = ctypes.CDLL(None)
    with native_text_on_stderr():
        library.puts(b"solver talks")
    library.puts(b"after")
    library.fflush(None)
    captured = capfd.readouterr()
    assert captured.out == "after\n"
    assert captured.err == "solver talks\n"


def test_standard_output_comes_back_after_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    """An exception inside passes through and leaves standard output as it was."""
    with pytest.raises(RuntimeError, match="inside"), native_text_on_stderr():
        raise RuntimeError("inside")
    ctypes.CDLL(None).puts(b"after")
    ctypes.CDLL(None).fflush(None)
    assert capfd.readouterr().out == "after\n"
