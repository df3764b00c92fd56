"""``tehai serve``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tehai.cli.exit_codes import ExitCode
from tehai.cli.failures import Failure, not_installed

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_settings import BaseSettings

    from tehai.server.app import AllSettings


@click.command("serve")
@click.option("--host", metavar="ADDRESS", help="Address to listen on [default: 127.0.0.1].")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 takes a free one [default: 50051].")
@click.option("--solves-max", type=click.IntRange(min=1), help="Solves that run at once [default: 2].")
@click.option("--database-path", metavar="FILE", help="File of the embedded database.")
@click.option("--telemetry-port", type=click.IntRange(0, 65535), help="Port of /metrics, /healthz and /readyz.")
@click.option("--reflection/--no-reflection", default=None, help="Let clients ask for the services [default: no].")
@click.option("--console/--no-console", default=None, help="Serve the status page /console [default: no].")
def command(**arguments: Any) -> ExitCode:  # noqa: ANN401 - the options above
    """Answer over gRPC until SIGTERM or Ctrl-C.

    Every setting is also read from the environment, for example TEHAI_SOLVES_MAX; docs/cli.md lists them. Callers of
    this machine need no credential unless TEHAI_ANONYMOUS_ON_LOOPBACK=false; any other address needs TLS.
    """
    from tehai.operations.errors import StoreError
    from tehai.security import SecuritySetupError
    from tehai.server.app import AddressInUseError, serve
    from tehai.telemetry.tracing import TracingNotInstalledError

    settings = _read_settings({name: value for name, value in arguments.items() if value is not None})
    try:
        serve(settings)
    except SecuritySetupError as error:
        raise click.UsageError(str(error)) from error
    except (AddressInUseError, StoreError, TracingNotInstalledError) as error:
        raise Failure(str(error), ExitCode.SERVER) from error
    except ModuleNotFoundError as error:
        raise not_installed(error) from error
    return ExitCode.OK


def _read_settings(given: dict[str, Any]) -> AllSettings:
    """Return the settings of every part; raise UsageError with all that is wrong with them."""
    from pydantic import ValidationError

    from tehai.runner.settings import RunnerSettings
    from tehai.security import SecuritySettings
    from tehai.server.app import AllSettings
    from tehai.server.settings import ServerSettings
    from tehai.telemetry import TelemetrySettings

    found: dict[str, Any] = {}
    faults: list[str] = []
    kinds: dict[str, type[BaseSettings]] = {
        "server": ServerSettings,
        "runner": RunnerSettings,
        "security": SecuritySettings,
        "telemetry": TelemetrySettings,
    }
    for name, kind in kinds.items():
        try:
            # Each takes what is its own.
            found[name] = kind(**{field: value for field, value in given.items() if field in kind.model_fields})
        except ValidationError as error:
            faults += _faults(error)
    if not faults and found["server"].console and found["telemetry"].telemetry_port is None:
        faults.append("TEHAI_CONSOLE needs TEHAI_TELEMETRY_PORT: the page is on that port")
    if faults:
        raise click.UsageError("\n".join(faults))
    return AllSettings(**found)


def _faults(error: ValidationError) -> list[str]:
    """Return what is wrong, each by the name of its variable, without the value: it may be a secret."""
    lines = []
    for fault in error.errors(include_input=False, include_url=False):
        name = f"TEHAI_{str(fault['loc'][0]).upper()}: " if fault["loc"] else ""
        lines.append(f"{name}{fault['msg']}")
    return lines
