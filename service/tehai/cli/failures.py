"""One table from exceptions to what a person reads and the exit code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from tehai.cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from tehai.client import ServerError

# What a server says of a solve whose answer it withholds.
NOT_VERIFIED_REASON = "ANSWER_NOT_VERIFIED"
# Packages of which nothing but an extra needs one, by the name that is imported.
_EXTRAS = {
    "psycopg": "PostgreSQL needs the packages of the extra: pip install 'tehai[postgres]', or unset TEHAI_DATABASE_URL"
}


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
        raise Failure(str(error), server_code(error)) from error
    except SolveAbandonedError as error:
        text = "interrupted: the server has ended the solve, and its plan is lost"
        raise Failure(text, ExitCode.INTERRUPTED) from error


def server_code(error: ServerError) -> ExitCode:
    """Return the code of what a server answered: an answer that it found wrong counts as one that was found here."""
    return ExitCode.NOT_VERIFIED if error.details.reason == NOT_VERIFIED_REASON else ExitCode.SERVER


def not_installed(error: ModuleNotFoundError) -> Failure:
    """Return the failure where a package is missing; it names the extra that brings it."""
    package = (error.name or "").partition(".")[0]
    return Failure(_EXTRAS.get(package, str(error)), ExitCode.SERVER)
