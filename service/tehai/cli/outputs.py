"""Printing: objects as JSON or YAML, violations, tables."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

import click

from tehai.domain.violation import Violation

if TYPE_CHECKING:
    from rich.console import RenderableType

Format = Literal["table", "json", "yaml"]
# Width of tables where the output is not a terminal.
FILE_COLUMNS = 160
STDOUT, STDERR = 1, 2

output_option = click.option(
    "--output",
    "-o",
    "output",
    type=click.Choice(["table", "json", "yaml"]),
    default="table",
    show_default=True,
    help="What is printed on standard output.",
)


@contextmanager
def native_text_on_stderr() -> Iterator[None]:
    """Send what native code writes to standard output to standard error.

    HiGHS prints a line of its own now and then, whatever its settings (OR-Tools 9.15); standard output belongs to the
    answer. Nothing of ours may be printed there meanwhile.
    """
    sys.stdout.flush()
    kept = os.dup(STDOUT)
    os.dup2(STDERR, STDOUT)
    try:
        yield
    finally:
        # What the C library has buffered would come out later.
        ctypes.CDLL(None).fflush(None)
        os.dup2(kept, STDOUT)
        os.close(kept)


def print_object(value: dict[str, Any], output: Format) -> None:
    """Print one object as JSON or YAML."""
    if output == "json":
        click.echo(json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False))
    else:
        import yaml

        click.echo(yaml.safe_dump(value, allow_unicode=True, sort_keys=False), nl=False)


def violation_objects(violations: Sequence[Violation]) -> list[dict[str, str]]:
    """Return violations as plain objects."""
    return [{"code": v.code, "path": v.path, "message": v.message, "action": v.action} for v in violations]


def print_violations(violations: Sequence[Violation], output: Format) -> None:
    """Print every violation of an input in the chosen format."""
    if output != "table":
        print_object({"valid": False, "violations": violation_objects(violations)}, output)
        return
    click.echo(f"{len(violations)} violation{'s' if len(violations) != 1 else ''}:")
    for violation in violations:
        click.echo(f"{violation.code} {violation.path}: {violation.message}")
        click.echo(f"      {violation.action}")


def print_renderable(renderable: RenderableType) -> None:
    """Print a table: as wide as the terminal, or a fixed width where output goes to a file."""
    from rich.console import Console

    width = None if sys.stdout.isatty() else FILE_COLUMNS
    if width is None and shutil.get_terminal_size().columns < 80:
        width = 80
    Console(width=width, highlight=False, file=sys.stdout).print(renderable)
