"""``tehai serve``."""

from __future__ import annotations

from typing import Any

import click

from tehai.cli.exit_codes import ExitCode
from tehai.cli.failures import Failure


@click.command("serve")
@click.option("--host", metavar="ADDRESS", help="Address to listen on [default: 127.0.0.1].")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 takes a free one [default: 50051].")
@click.option("--solves-max", type=click.IntRange(min=1), help="Solves that run at once [default: 2].")
@click.option("--reflection/--no-reflection", default=None, help="Let clients ask for the services [default: no].")
def command(**arguments: Any) -> ExitCode:  # noqa: ANN401 - the options above
    """Answer over gRPC until SIGTERM or Ctrl-C.

    Every setting is also read from the environment, for example TEHAI_SOLVES_MAX; docs/cli.md lists them. There is
    no encryption: listen on a private network only.
    """
    from pydantic import ValidationError

    from tehai.server.app import AddressInUseError, serve
    from tehai.server.settings import ServerSettings

    given = {name: value for name, value in arguments.items() if value is not None}
    try:
        settings = ServerSettings(**given)
    except ValidationError as error:
        lines = [f"TEHAI_{str(fault['loc'][0]).upper()}: {fault['msg']}" for fault in error.errors()]
        raise click.UsageError("\n".join(lines)) from error
    try:
        serve(settings)
    except AddressInUseError as error:
        raise Failure(str(error), ExitCode.SERVER) from error
    return ExitCode.OK
