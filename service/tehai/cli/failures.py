"""One table from exceptions to what a person reads and the exit code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from tehai.cli.exit_codes import ExitCode


class Failure(click.ClickException):
    """Ends a command with a message on stderr and one of the documented codes."""

    def __init__(self, message: str, code: ExitCode) -> None:
        super().__init__(message)
        self.code = code


@contextmanager
def failures() -> Iterator[None]:
    """Turn the exceptions of a solve, here or on a server, into failures; violations of the input pass."""
    from tehai.domain.violation import UnverifiedAnswerError

    try:
        yield
    except UnverifiedAnswerError as error:
        lines = [f"  {v.code} {v.path}: {v.message}" for v in error.violations]
        text = "the answer failed its independent check and is withheld; this is a fault of Tehai"
        raise Failure("\n".join([text, *lines]), ExitCode.NOT_VERIFIED) from error


@contextmanager
def server_failures() -> Iterator[None]:
    """Turn what can go wrong with a server into failures."""
    from tehai.client import ServerRefusedError, ServerUnreachableError, SolveAbandonedError

    try:
        yield
    except (ServerUnreachableError, ServerRefusedError) as error:
        raise Failure(str(error), ExitCode.SERVER) from error
    except SolveAbandonedError as error:
        text = "interrupted: the server has ended the solve, and its plan is lost"
        raise Failure(text, ExitCode.INTERRUPTED) from error
