"""What ``solve`` and ``demo`` share: options, the solve here or on a server, and the printed answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tehai.cli.exit_codes import ExitCode
from tehai.cli.failures import failures, server_failures
from tehai.cli.inputs import write_text
from tehai.cli.interrupt import run_interruptible
from tehai.cli.outputs import (
    Format,
    native_text_on_stderr,
    output_option,
    print_object,
    print_renderable,
    print_violations,
)
from tehai.cli.progress import OnProgress, shown_progress
from tehai.domain.plan import SolveOptions
from tehai.domain.result import SolveResult, SolveStatus
from tehai.domain.violation import InvalidProblemError

if TYPE_CHECKING:
    from tehai.v1.problem_pb2 import Problem as ProblemMessage

F = TypeVar("F", bound=Callable[..., Any])
DEFAULTS = SolveOptions()
_KEEPS = "Stopping; the best plan so far follows. Ctrl-C again ends at once."
_LOSES = "Stopping; a server cannot hand over the plan of a call that ends."


@dataclass(frozen=True)
class Request:
    """How to solve and what to do with the answer."""

    options: SolveOptions
    output: Format
    server: str | None
    plan_out: str | None
    quiet: bool


def solve_options(command: F) -> F:
    """Add the options of a solve to a command."""
    # Written in the order of the help text, applied from the last to the first.
    options = (
        output_option,
        click.option("--server", metavar="HOST:PORT", help="Solve on a Tehai server instead of in this process."),
        click.option(
            "--time-limit",
            type=click.FloatRange(min=0, min_open=True),
            default=DEFAULTS.time_limit_seconds,
            show_default=True,
            metavar="SECONDS",
            help="Stop after this time with the best plan. Not read where a work limit is given.",
        ),
        click.option(
            "--gap",
            type=click.FloatRange(min=0, max=1),
            default=DEFAULTS.gap_fraction,
            show_default=True,
            metavar="FRACTION",
            help="Stop when the plan is proven this close to the best, on the objective and on the bill.",
        ),
        click.option(
            "--work-limit",
            type=click.IntRange(min=1),
            metavar="UNITS",
            help="Stop after this much deterministic effort: the same limit and seed give the same plan.",
        ),
        click.option("--seed", type=click.IntRange(min=0, max=2**64 - 1), default=DEFAULTS.seed, show_default=True),
        click.option("--threads", type=click.IntRange(min=1), default=DEFAULTS.threads, show_default=True),
        click.option("--plan-out", metavar="FILE", help="Save plan and certificate; .json is JSON, all else YAML."),
        click.option("--quiet", is_flag=True, help="Show no progress."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def request_of(arguments: dict[str, Any]) -> Request:
    """Return the request that the options of ``solve_options`` make up."""
    options = SolveOptions(
        time_limit_seconds=arguments["time_limit"],
        gap_fraction=arguments["gap"],
        work_limit=arguments["work_limit"],
        seed=arguments["seed"],
        threads=arguments["threads"],
    )
    return Request(options, arguments["output"], arguments["server"], arguments["plan_out"], arguments["quiet"])


def solve_and_print(message: ProblemMessage, request: Request) -> ExitCode:
    """Solve a problem, print the answer or everything that is wrong, and return the exit code."""
    try:
        with failures(), server_failures_if(request.server):
            result = _solve(message, request)
    except InvalidProblemError as error:
        print_violations(error.violations, request.output)
        return ExitCode.INVALID_INPUT
    if request.plan_out is not None:
        save_plan(request.plan_out, result)
    print_result(message, result, request.output)
    return exit_code(result)


def _solve(message: ProblemMessage, request: Request) -> SolveResult:
    """Solve here, or on the server; progress on stderr, Ctrl-C heard."""
    solver = _here if request.server is None else _there
    note = _KEEPS if request.server is None else _LOSES
    with shown_progress(request.options.gap_fraction, quiet=request.quiet) as on_progress:
        return run_interruptible(lambda should_stop: solver(message, request, on_progress, should_stop), note=note)


def _here(
    message: ProblemMessage, request: Request, on_progress: OnProgress, should_stop: Callable[[], bool]
) -> SolveResult:
    from tehai import pipeline

    with native_text_on_stderr():
        return pipeline.run(message, request.options, on_progress, should_stop)


def _there(
    message: ProblemMessage, request: Request, on_progress: OnProgress, should_stop: Callable[[], bool]
) -> SolveResult:
    from tehai.cli.remote import connected

    with connected(request.server or "") as client:
        return client.solve(message, request.options, on_progress, should_stop)


def server_failures_if(server: str | None) -> Any:  # noqa: ANN401 - one of two context managers
    """Return the context that maps errors of a server, without loading gRPC where there is none."""
    from contextlib import nullcontext

    return nullcontext() if server is None else server_failures()


def save_plan(path: str, result: SolveResult) -> None:
    """Write the result, plan and certificate included, for ``tehai verify``."""
    from tehai.wire import result_to_proto, to_json, to_yaml

    message = result_to_proto(result)
    write_text(path, to_json(message) if path.endswith(".json") else to_yaml(message))


def print_result(message: ProblemMessage, result: SolveResult, output: Format) -> None:
    """Print the summary as an object, or the whole report as tables."""
    if output != "table":
        from tehai.report import result_summary

        print_object(result_summary(result), output)
        return
    from tehai.report import report
    from tehai.wire import problem_from_proto

    problem = problem_from_proto(message).problem
    if problem is None:
        message_text = "a solved problem no longer decodes"
        raise RuntimeError(message_text)
    print_renderable(report(problem, result))


def exit_code(result: SolveResult) -> ExitCode:
    """Return the code of a finished solve."""
    if not result.verified:
        return ExitCode.NOT_VERIFIED
    if result.status in (SolveStatus.INFEASIBLE, SolveStatus.MANDATORY_MISSED):
        return ExitCode.NO_FULL_PLAN
    return ExitCode.OK
