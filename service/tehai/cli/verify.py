"""``tehai verify``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tehai.cli.exit_codes import ExitCode
from tehai.cli.inputs import read_bytes, source_name
from tehai.cli.outputs import Format, output_option, print_object, print_violations, violation_objects
from tehai.domain.certificate import Certificate
from tehai.domain.plan import Plan
from tehai.domain.violation import Violation

if TYPE_CHECKING:
    from tehai.verify import Verification


@click.command("verify")
@click.argument("problem")
@click.argument("plan")
@output_option
def command(problem: str, plan: str, output: Format) -> ExitCode:
    """Check PLAN and its bound against PROBLEM, independently of the solver.

    PLAN is a file that --plan-out wrote, or a plan alone, without a bound. One of the two may be "-".
    """
    from tehai.pipeline_check import check_text
    from tehai.verify import check_answer, check_plan
    from tehai.wire import problem_sha256

    if problem == plan == "-":
        message = "only one of PROBLEM and PLAN can be standard input"
        raise click.UsageError(message)
    found, violations = check_text(read_bytes(problem), source_name=source_name(problem))
    if found is None:
        print_violations(violations, output)
        return ExitCode.INVALID_INPUT
    answer, violations = read_answer(read_bytes(plan), source_name(plan))
    if answer is None:
        print_violations(violations, output)
        return ExitCode.INVALID_INPUT
    digest = problem_sha256(found)
    if answer[1] is None:
        verification = check_plan(found, digest, answer[0])
    else:
        verification = check_answer(found, digest, answer[0], answer[1])
    _print(verification, output)
    return ExitCode.OK if verification.valid else ExitCode.NOT_VERIFIED


def read_answer(data: bytes, name: str) -> tuple[tuple[Plan, Certificate | None] | None, tuple[Violation, ...]]:
    """Return plan and certificate of a saved result, or a plan alone, or None and what is wrong with the file."""
    from tehai.v1.plan_pb2 import Plan as PlanMessage
    from tehai.v1.plan_pb2 import SolveResult as ResultMessage
    from tehai.wire import parse_text, plan_from_proto, result_from_proto

    result_message, violations = parse_text(data, ResultMessage, source_name=name)
    if result_message is not None:
        result, violations = result_from_proto(result_message)
        return (None, violations) if result is None else ((result.plan, result.certificate), ())
    plan_message, plan_violations = parse_text(data, PlanMessage, source_name=name)
    if plan_message is None:
        # Whichever reading went further is the one that was meant.
        return None, min(violations, plan_violations, key=len)
    plan, plan_violations = plan_from_proto(plan_message)
    return (None, plan_violations) if plan is None else ((plan, None), ())


def _print(verification: Verification, output: Format) -> None:
    """Print the verdict."""
    if output != "table":
        print_object(
            {
                "valid": verification.valid,
                "violations": violation_objects(verification.violations),
                "objective_yen": verification.objective_yen,
                "lower_bound_yen": verification.lower_bound_yen,
            },
            output,
        )
        return
    click.echo("valid" if verification.valid else "NOT valid")
    click.echo(f"objective   ¥{verification.objective_yen:,}")
    bound = verification.lower_bound_yen
    click.echo("lower bound  none in the file" if bound is None else f"lower bound ¥{bound:,}")
    if verification.violations:
        print_violations(verification.violations, output)
