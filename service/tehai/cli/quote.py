"""``tehai quote``: what workloads would cost at the prices of a plan that a server keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tehai.cli.exit_codes import ExitCode
from tehai.cli.inputs import read_bytes, source_name
from tehai.cli.outputs import Format, output_option, print_renderable, print_violations
from tehai.cli.remote import checked_name, print_message, remote, server_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tehai.v1.quote_pb2 import Quote
    from tehai.v1.workload_pb2 import Workload

# More at once go by the stream.
REQUEST_MAX = 100


@click.command("quote")
@click.argument("plan")
@click.argument("workloads")
@click.option("--id", "ids", multiple=True, metavar="ID", help="Only this workload of the file; may be repeated.")
@click.option(
    "--placements",
    type=click.IntRange(1, 20),
    default=3,
    show_default=True,
    help="The best placement and its alternatives, so many for each workload.",
)
@server_option
@output_option
def command(plan: str, workloads: str, ids: tuple[str, ...], placements: int, server: str, output: Format) -> ExitCode:
    """Price WORKLOADS at the prices of PLAN; nothing is solved and nothing is reserved.

    PLAN is the name of a plan, of its solve or of its operation. WORKLOADS is a problem as a YAML or JSON file, of
    which the workloads are read; "-" reads standard input.
    """
    from tehai.v1.problem_pb2 import Problem
    from tehai.v1.sourcing_service_pb2 import QuoteWorkloadsResponse
    from tehai.wire import parse_text

    checked = checked_name(plan)
    message, violations = parse_text(read_bytes(workloads), Problem, source_name=source_name(workloads))
    if message is None:
        print_violations(violations, output)
        return ExitCode.INVALID_INPUT
    chosen = _chosen(message.workloads, ids, workloads)
    with remote(server) as client:
        if len(chosen) <= REQUEST_MAX:
            quotes = list(client.quote(checked, chosen, placements))
        else:
            quotes = list(client.stream_quotes(checked, chosen, placements))
    if output != "table":
        print_message(QuoteWorkloadsResponse(quotes=quotes), output)
        return ExitCode.OK
    _print_table(quotes)
    return ExitCode.OK


def _chosen(workloads: Sequence[Workload], ids: tuple[str, ...], source: str) -> list[Workload]:
    """Return the workloads of these ids, all without ids; a usage error where one is missing or there are none."""
    missing = sorted(set(ids) - {workload.id for workload in workloads})
    if missing:
        message = f"{source_name(source)} has no workload {', '.join(map(repr, missing))}"
        raise click.UsageError(message)
    if not workloads:
        message = f"{source_name(source)} has no workloads"
        raise click.UsageError(message)
    return [workload for workload in workloads if not ids or workload.id in ids]


def _print_table(quotes: list[Quote]) -> None:
    """Print a row for each placement, the best first, and why there is none."""
    from rich.text import Text

    from tehai.report.formats import new_table, spread

    texts = ("Workload", "Pool", "Start")
    numbers = ("Count", "Hours", "Price", "Capacity", "Rules", "Moving", "Lateness", "Grants")
    table = new_table("Quotes, yen, tax excluded", texts, numbers)
    for quote in quotes:
        for position, placement in enumerate(quote.placements):
            parts = (
                placement.price_yen,
                placement.capacity_yen,
                placement.rules_yen,
                placement.moving_yen,
                placement.lateness_yen,
                placement.grants_yen,
            )
            cells = (
                "" if position else quote.workload_id,
                placement.pool_id,
                placement.start_date,
                f"{placement.accelerators:,}",
                f"{placement.run_hours:,.1f}",
                *(f"{part:,}" for part in parts),
            )
            # Text, so that brackets in a name are not markup.
            table.add_row(*(Text(cell) for cell in cells))
    print_renderable(spread(table))
    for quote in quotes:
        if not quote.placements:
            click.echo(f"{quote.workload_id}: no placement: {quote.reason}")
        elif quote.better_not_run:
            click.echo(f"{quote.workload_id}: not running it costs less")
    expire = min((quote.expire_time.ToDatetime() for quote in quotes if quote.HasField("expire_time")), default=None)
    until = "" if expire is None else f" until {expire:%Y-%m-%dT%H:%M:%SZ}"
    click.echo(f"indicative{until}; nothing is reserved")
