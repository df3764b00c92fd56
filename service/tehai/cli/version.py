"""``tehai version``."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

import click

from tehai.cli.exit_codes import ExitCode


@click.command("version")
def command() -> ExitCode:
    """Print the version."""
    try:
        number = version("tehai")
    except PackageNotFoundError:
        number = "not installed"
    click.echo(f"tehai {number}")
    return ExitCode.OK
