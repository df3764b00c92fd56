"""Reading files and standard input."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from tehai.domain.limits import LIMITS

STANDARD_INPUT = "-"


def read_bytes(path: str) -> bytes:
    """Return the bytes of a file, or of standard input for "-"; at most one byte past the limit, to be refused."""
    try:
        if path == STANDARD_INPUT:
            return sys.stdin.buffer.read(LIMITS.input_bytes + 1)
        with Path(path).open("rb") as file:
            return file.read(LIMITS.input_bytes + 1)
    except OSError as error:
        message = f"cannot read {path}: {error.strerror or error}"
        raise click.UsageError(message) from error


def source_name(path: str) -> str:
    """Return what messages call the source."""
    return "standard input" if path == STANDARD_INPUT else path


def write_text(path: str, text: str) -> None:
    """Write a file in UTF-8; a usage error where that fails."""
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        message = f"cannot write {path}: {error.strerror or error}"
        raise click.UsageError(message) from error
