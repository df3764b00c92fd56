"""``tehai solve``."""

from __future__ import annotations

from typing import Any

import click

from tehai.cli.exit_codes import ExitCode
from tehai.cli.inputs import read_bytes, source_name
from tehai.cli.outputs import print_violations
from tehai.cli.solving import request_of, solve_and_print, solve_options


@click.command("solve")
@click.argument("problem")
@solve_options
def command(problem: str, **arguments: Any) -> ExitCode:  # noqa: ANN401 - the options of solve_options
    """Plan where the compute of PROBLEM comes from.

    PROBLEM is a YAML or JSON file; "-" reads standard input. Ctrl-C keeps the best plan so far.
    """
    from tehai.pipeline_check import read_problem

    request = request_of(arguments)
    message, violations = read_problem(read_bytes(problem), source_name=source_name(problem))
    if message is None:
        print_violations(violations, request.output)
        return ExitCode.INVALID_INPUT
    return solve_and_print(message, request)
