"""``tehai demo``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tehai.catalog import DEMO_PROBLEM_NAMES, demo_problem
from tehai.cli.exit_codes import ExitCode
from tehai.cli.failures import server_failures
from tehai.cli.inputs import write_text
from tehai.cli.solving import request_of, solve_and_print, solve_options

if TYPE_CHECKING:
    from tehai.v1.problem_pb2 import Problem as ProblemMessage


@click.command("demo")
@click.argument("name", type=click.Choice(DEMO_PROBLEM_NAMES), default=DEMO_PROBLEM_NAMES[0])
@click.option("--problem-out", metavar="FILE", help="Save the problem to edit it; .json is JSON, all else YAML.")
@solve_options
def command(name: str, problem_out: str | None, **arguments: Any) -> ExitCode:  # noqa: ANN401 - of solve_options
    """Solve the ready problem NAME and print the plan."""
    request = request_of(arguments)
    message = _problem(name, request.server)
    if problem_out is not None:
        from tehai.wire import to_json, to_yaml

        write_text(problem_out, to_json(message) if problem_out.endswith(".json") else to_yaml(message))
    return solve_and_print(message, request)


def _problem(name: str, server: str | None) -> ProblemMessage:
    """Return the problem from the catalogue here, or from the server's."""
    if server is None:
        from tehai.wire import problem_to_proto

        return problem_to_proto(demo_problem(name))
    with server_failures():
        from tehai.cli.remote import connected

        with connected(server) as client:
            return client.demo_problem(name)
