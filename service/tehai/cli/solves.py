"""``tehai solves``: the solves that a server keeps."""

from __future__ import annotations

import json
import os
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from tehai.cli.exit_codes import ExitCode
from tehai.cli.failures import Failure, server_code
from tehai.cli.inputs import read_bytes, source_name
from tehai.cli.outputs import Format, output_option, print_renderable, print_violations
from tehai.cli.remote import checked_name, print_message, refusal_text, remote, server_option
from tehai.cli.solving import request_of, save_plan, solve_options

if TYPE_CHECKING:
    from datetime import datetime

    from tehai.client import SolveEvent
    from tehai.v1.solve_pb2 import Solve

LISTED = 50
NONE = "–"


@click.group("solves")
def command() -> None:
    """Create, list, follow, cancel and delete the solves that a server keeps.

    NAME is the name of a solve, of its plan or of its operation: tenants/TENANT/solves/SOLVE.
    """


@command.command("create")
@click.argument("problem")
@click.option("--display-name", default="", metavar="TEXT", help="To tell it from others.")
@click.option("--priority", type=click.IntRange(1, 9), help="1 is first, 9 is last [default: 5].")
@click.option("--request-id", metavar="ID", help="The same id and problem again give the same solve.")
@solve_options
def create(
    problem: str,
    display_name: str,
    priority: int | None,
    request_id: str | None,
    **arguments: Any,  # noqa: ANN401 - of solve_options
) -> ExitCode:
    """Have the server solve PROBLEM, and print the name of the solve at once.

    PROBLEM is a YAML or JSON file; "-" reads standard input. The solve goes on without this command.
    """
    from tehai.cli.remote import DEFAULT_SERVER
    from tehai.client import solve_of_operation
    from tehai.pipeline_check import read_problem

    request = request_of(arguments)
    if request.plan_out is not None:
        text = "--plan-out: there is no plan yet; see tehai solves show NAME --plan-out FILE"
        raise click.UsageError(text)
    message, violations = read_problem(read_bytes(problem), source_name=source_name(problem))
    if message is None:
        print_violations(violations, request.output)
        return ExitCode.INVALID_INPUT
    with remote(request.server or os.environ.get("TEHAI_SERVER") or DEFAULT_SERVER) as client:
        operation = client.create_solve(
            message, request.options, display_name=display_name, priority=priority, request_id=request_id
        )
        solve = solve_of_operation(operation)
    _print_solve(solve, request.output, short=True)
    return ExitCode.OK


@command.command("list")
@click.option("--filter", "condition", default="", metavar="TEXT", help="As in: state = RUNNING AND priority <= 3")
@click.option("--limit", type=click.IntRange(min=1), default=LISTED, show_default=True, help="Most solves to print.")
@server_option
@output_option
def list_solves(condition: str, limit: int, server: str, output: Format) -> ExitCode:
    """List solves, newest first."""
    with remote(server) as client:
        solves = list(islice(client.list_solves(condition, min(limit, 1_000)), limit))
    if output == "table":
        _print_table(solves)
    else:
        from tehai.v1.sourcing_service_pb2 import ListSolvesResponse

        print_message(ListSolvesResponse(solves=solves), output)
    return ExitCode.OK


@command.command("show")
@click.argument("name")
@click.option("--plan-out", metavar="FILE", help="Save plan and certificate; .json is JSON, all else YAML.")
@server_option
@output_option
def show(name: str, plan_out: str | None, server: str, output: Format) -> ExitCode:
    """Show how a solve stands."""
    checked = checked_name(name)
    with remote(server) as client:
        solve = client.get_solve(checked)
        result = None if plan_out is None else client.result(checked)
    if plan_out is not None and result is not None:
        save_plan(plan_out, result)
    _print_solve(solve, output)
    return ExitCode.OK


@command.command("watch")
@click.argument("name")
@click.option("--after", type=click.IntRange(min=0), default=0, metavar="SEQUENCE", help="Go on after this event.")
@server_option
@output_option
def watch(name: str, after: int, server: str, output: Format) -> ExitCode:
    """Follow a solve until it has ended; with --output json each event is one line.

    Ctrl-C ends the command, not the solve. The exit code is that of a solve here.
    """
    checked = checked_name(name)
    solve: Solve | None = None
    with remote(server) as client:
        for event in client.watch(checked, after):
            _print_event(event, output)
            solve = event.solve if event.ended else solve
    if solve is None:
        text = "the watch ended without the ended solve"
        raise RuntimeError(text)
    return _end(solve, output)


@command.command("cancel")
@click.argument("name")
@server_option
def cancel(name: str, server: str) -> ExitCode:
    """End a solve; it keeps the best plan that it has by then."""
    checked = checked_name(name)
    with remote(server) as client:
        client.cancel_operation(checked)
    click.echo(f"{checked} is asked to end", err=True)
    return ExitCode.OK


@command.command("delete")
@click.argument("name")
@server_option
def delete(name: str, server: str) -> ExitCode:
    """Delete a solve that has ended, with its plan."""
    checked = checked_name(name)
    with remote(server) as client:
        client.delete_solve(checked)
    click.echo(f"{checked} is deleted", err=True)
    return ExitCode.OK


def _end(solve: Solve, output: Format) -> ExitCode:
    """Print an ended solve and return the exit code that a solve here would have had."""
    from tehai.client import SolveFailedError, require_plan
    from tehai.v1 import plan_pb2

    if output == "table":
        _print_solve(solve, output)
    try:
        require_plan(solve)
    except SolveFailedError as error:
        code = {"CANCELLED": ExitCode.INTERRUPTED, "INVALID_ARGUMENT": ExitCode.INVALID_INPUT}.get(error.code)
        raise Failure(refusal_text(error), code or server_code(error)) from error
    missed = (plan_pb2.SOLVE_STATUS_INFEASIBLE, plan_pb2.SOLVE_STATUS_MANDATORY_MISSED)
    return ExitCode.NO_FULL_PLAN if solve.standing.status in missed else ExitCode.OK


def _print_event(event: SolveEvent, output: Format) -> None:
    """Print an event: as JSON in a line, as a document of YAML, or as a line for people on stderr."""
    from tehai.cli.progress import describe

    if output == "table":
        if event.progress is not None:
            click.echo(describe(event.progress), err=True)
        elif event.solve is not None:
            click.echo(_state(event.solve), err=True)
        return
    from tehai.v1.sourcing_service_pb2 import WatchSolveResponse
    from tehai.wire import progress_to_proto, to_json, to_yaml

    message = WatchSolveResponse(sequence=event.sequence)
    if event.progress is not None:
        message.progress.CopyFrom(progress_to_proto(event.progress))
    elif event.solve is not None:
        (message.ended if event.ended else message.changed).CopyFrom(event.solve)
    if output == "json":
        click.echo(json.dumps(json.loads(to_json(message)), ensure_ascii=False))
    else:
        click.echo(f"---\n{to_yaml(message)}", nl=False)


def _print_solve(solve: Solve, output: Format, *, short: bool = False) -> None:
    """Print a solve; ``short``: in a table only its name."""
    if output != "table":
        print_message(solve, output)
        return
    if short:
        click.echo(solve.name)
        return
    _print_table([solve])
    if solve.error.message:
        click.echo(f"error: {solve.error.message}")
    if solve.plan:
        click.echo(f"plan: {solve.plan}")


def _print_table(solves: list[Solve]) -> None:
    from rich.table import Table
    from rich.text import Text

    if not solves:
        click.echo("no solves")
        return
    table = Table(box=None)
    for title in ("solve", "state", "title", "prio", "created", "ended"):
        table.add_column(title, overflow="fold")
    for title in ("cost, yen", "gap"):
        table.add_column(title, justify="right", no_wrap=True)
    for solve in solves:
        standing = solve.standing
        cost = f"{standing.objective_yen:,}" if standing.HasField("objective_yen") else NONE
        gap = f"{standing.gap:.3%}" if standing.HasField("gap") else NONE
        times = (
            _time(solve.create_time.ToDatetime()),
            _time(solve.end_time.ToDatetime()) if solve.HasField("end_time") else NONE,
        )
        row = (solve.name, _state(solve), solve.display_name, str(solve.priority), *times, cost, gap)
        # Text, so that brackets in a name are not markup.
        table.add_row(*(Text(cell) for cell in row))
    print_renderable(table)


def _state(solve: Solve) -> str:
    """Return the state in lower case; one that is to end and has not says so."""
    from tehai.v1.solve_pb2 import SolveState

    state = SolveState.Name(solve.state).removeprefix("SOLVE_STATE_").lower()
    waits = solve.cancel_requested and not solve.HasField("end_time")
    return f"{state}, to end" if waits else state


def _time(time: datetime) -> str:
    """Return a time as RFC 3339 in UTC, whole seconds."""
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"
