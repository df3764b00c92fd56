"""The client that commands use: what the environment says of credential and certificates, and errors as failures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tehai.cli.exit_codes import ExitCode
from tehai.cli.failures import Failure, server_code, server_failures

if TYPE_CHECKING:
    from tehai.cli.outputs import Format
    from tehai.client import SourcingClient
    from tehai.v1.solve_pb2 import Solve
    from tehai.v1.sourcing_service_pb2 import ListSolvesResponse, QuoteWorkloadsResponse

F = TypeVar("F", bound=Callable[..., Any])
DEFAULT_SERVER = "127.0.0.1:50051"
SERVER_HELP = "Where the server is; also TEHAI_SERVER. Its API key or token is read from TEHAI_API_KEY."


def server_option(command: F) -> F:
    """Add ``--server`` to a command that needs one."""
    return click.option(
        "--server",
        metavar="HOST:PORT",
        envvar="TEHAI_SERVER",
        default=DEFAULT_SERVER,
        show_default=True,
        help=SERVER_HELP,
    )(command)


@contextmanager
def connected(server: str) -> Iterator[SourcingClient]:
    """Connect to a server; what goes wrong is a Failure, settings that do not fit are a usage error.

    A credential is taken from the environment and not from the command line, which other users of a machine can see.
    """
    from tehai.client import Connection, SourcingClient

    try:
        connection = Connection.from_environment(server)
    except OSError as error:
        message = f"cannot read {error.filename}: {error.strerror or error}"
        raise click.UsageError(message) from error
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    with SourcingClient(connection) as client:
        yield client


@contextmanager
def remote(server: str) -> Iterator[SourcingClient]:
    """Connect to a server for a command that does nothing else: refusals are told field by field."""
    from tehai.client import ServerRefusedError, TransferError

    try:
        with server_failures(), connected(server) as client:
            try:
                yield client
            except ServerRefusedError as error:
                raise Failure(refusal_text(error), server_code(error)) from error
    except TransferError as error:
        raise Failure(str(error), ExitCode.SERVER) from error


def refusal_text(error: Exception) -> str:
    """Return an error of the client with its details, a line for each field."""
    from tehai.client import ServerError

    lines = [str(error)]
    if isinstance(error, ServerError):
        lines += [f"  {fault.field}: {fault.description}" for fault in error.details.faults]
        if error.details.retry_delay_seconds is not None:
            lines.append(f"  try again in {error.details.retry_delay_seconds:g} s")
        if error.details.request_id:
            lines.append(f"  request {error.details.request_id}")
    return "\n".join(lines)


def checked_name(name: str) -> str:
    """Return the name of a solve; a usage error where it is none. The name of its plan or operation will do."""
    from tehai.client import solve_name

    try:
        return solve_name(name)
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def print_message(message: Solve | ListSolvesResponse | QuoteWorkloadsResponse, output: Format) -> None:
    """Print a message as JSON or YAML."""
    from tehai.wire import to_json, to_yaml

    click.echo(to_json(message) if output == "json" else to_yaml(message), nl=False)
