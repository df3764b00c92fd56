"""``tehai diff``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tehai.cli.exit_codes import ExitCode
from tehai.cli.inputs import read_bytes, source_name
from tehai.cli.outputs import Format, output_option, print_renderable, print_violations
from tehai.cli.verify import read_answer
from tehai.domain.evaluation import NamedDifference, PlacementDifference, PlanDifference

if TYPE_CHECKING:
    from rich.table import Table

NOT_THERE = "–"


@click.command("diff")
@click.argument("before")
@click.argument("after")
@output_option
def command(before: str, after: str, output: Format) -> ExitCode:
    """Say what is different from plan BEFORE to plan AFTER: placements, bill, commitments.

    Each is a file that --plan-out wrote, or a plan alone; one of the two may be "-". Plans of different problems are
    compared by the ids of workloads and offers and by dates.
    """
    from tehai.evaluate import diff_plans

    if before == after == "-":
        message = "only one of BEFORE and AFTER can be standard input"
        raise click.UsageError(message)
    plans = []
    for path in (before, after):
        answer, violations = read_answer(read_bytes(path), source_name(path))
        if answer is None:
            print_violations(violations, output)
            return ExitCode.INVALID_INPUT
        plans.append(answer[0])
    _print(diff_plans(*plans), output)
    return ExitCode.OK


def _print(difference: PlanDifference, output: Format) -> None:
    """Print a difference: the message as text, or a table of each part that has rows."""
    from tehai.report.formats import spread
    from tehai.wire import plan_difference_to_proto, to_json, to_yaml

    if output != "table":
        message = plan_difference_to_proto(difference)
        click.echo(to_json(message) if output == "json" else to_yaml(message), nl=False)
        return
    if difference.placements:
        print_renderable(spread(_placements_table(difference.placements)))
    if difference.bill:
        print_renderable(spread(_named_table("Bill, yen, tax excluded", "Component", difference.bill)))
    if difference.commitments:
        print_renderable(spread(_named_table("Blocks and units ordered", "Order", difference.commitments)))
    click.echo(f"workloads placed differently: {len(difference.placements)}")
    click.echo(f"objective: {difference.objective_difference_yen:+,} yen")


def _placements_table(rows: tuple[PlacementDifference, ...]) -> Table:
    from tehai.report.formats import new_table

    table = new_table("Placements", ("Workload", "Change", "Before", "After"), ())
    for row in rows:
        table.add_row(row.workload_id, row.change.value, row.before or NOT_THERE, row.after or NOT_THERE)
    return table


def _named_table(title: str, what: str, rows: tuple[NamedDifference, ...]) -> Table:
    from tehai.report.formats import new_table

    table = new_table(title, (what,), ("Before", "After", "Difference"))
    for row in rows:
        table.add_row(row.name, f"{row.before:,}", f"{row.after:,}", f"{row.after - row.before:+,}")
    return table
