"""``tehai roll``."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from tehai.cli.exit_codes import ExitCode
from tehai.cli.failures import Failure
from tehai.cli.inputs import read_bytes, source_name, write_text
from tehai.cli.outputs import print_violations
from tehai.cli.verify import read_answer
from tehai.domain.limits import LIMITS

if TYPE_CHECKING:
    from tehai.domain.problem import Problem
    from tehai.pipeline_roll import RollCounts


@click.command("roll")
@click.argument("problem")
@click.argument("plan")
@click.option(
    "--to",
    required=True,
    metavar="YYYY-MM-DD",
    type=click.DateTime(formats=["%Y-%m-%d"]),
    help="First day of the new problem: one on which a period begins at 00:00.",
)
@click.option(
    "--change-yen",
    type=click.IntRange(0, LIMITS.amount_yen),
    default=0,
    show_default=True,
    metavar="YEN",
    help="What a new plan pays for each planned placement that it changes.",
)
@click.option("-o", "--problem-out", metavar="FILE", help="Save the problem; .json is JSON, all else YAML.")
def command(problem: str, plan: str, to: datetime, change_yen: int, problem_out: str | None) -> ExitCode:
    """Make the problem that is left of PROBLEM on a day, where PLAN was followed until then.

    PLAN is a file that --plan-out wrote, or a plan alone; it is checked first. One of the two may be "-". Without
    --problem-out the new problem is printed as YAML. What became of workloads and orders is said on standard error.
    """
    from tehai.pipeline_check import check_text
    from tehai.pipeline_roll import RollError, roll, roll_counts
    from tehai.validation import validate
    from tehai.verify import check_plan
    from tehai.wire import problem_sha256

    if problem == plan == "-":
        message = "only one of PROBLEM and PLAN can be standard input"
        raise click.UsageError(message)
    found, violations = check_text(read_bytes(problem), source_name=source_name(problem))
    if found is None:
        print_violations(violations, "table")
        return ExitCode.INVALID_INPUT
    answer, violations = read_answer(read_bytes(plan), source_name(plan))
    if answer is None:
        print_violations(violations, "table")
        return ExitCode.INVALID_INPUT
    checked = check_plan(found, problem_sha256(found), answer[0])
    if not checked.valid:
        print_violations(checked.violations, "table")
        return ExitCode.NOT_VERIFIED
    try:
        rolled = roll(found, answer[0], to.date(), change_yen)
    except RollError as error:
        raise click.UsageError(str(error)) from error
    if faults := validate(rolled):
        lines = [f"  {fault.code} {fault.path}: {fault.message}" for fault in faults]
        text = "the rolled problem breaks rules and is withheld; this is a fault of Tehai"
        raise Failure("\n".join([text, *lines]), ExitCode.INTERNAL_ERROR)
    _write(rolled, problem_out)
    _tell(rolled, roll_counts(found, answer[0], rolled))
    return ExitCode.OK


def _write(rolled: Problem, path: str | None) -> None:
    """Save the problem, or print it."""
    from tehai.wire import problem_to_proto, to_json, to_yaml

    message = problem_to_proto(rolled)
    if path is None:
        click.echo(to_yaml(message), nl=False)
    else:
        write_text(path, to_json(message) if path.endswith(".json") else to_yaml(message))


def _tell(rolled: Problem, counts: RollCounts) -> None:
    """Say what became of workloads and orders."""
    calendar = rolled.calendar
    lines = [
        f"from {calendar.first_date} on: {calendar.period_count} periods, {len(rolled.workloads)} workloads",
        f"workloads: {counts.finished} finished, {counts.running} running and locked, {counts.planned} planned",
        f"orders that are booked and go on as existing capacity: {counts.offers_booked}",
    ]
    if counts.left:
        lines.append(f"workloads that can no longer run and leave: {counts.left}")
    for line in lines:
        click.echo(line, err=True)
