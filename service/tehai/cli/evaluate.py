"""``tehai evaluate``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from tehai.cli.exit_codes import ExitCode
from tehai.cli.failures import failures
from tehai.cli.inputs import read_bytes, source_name
from tehai.cli.outputs import Format, output_option, print_renderable, print_violations
from tehai.cli.verify import read_answer
from tehai.domain.evaluation import Evaluation, OfferPriceFactor, ScenarioChange
from tehai.domain.market import FiscalYearAmount
from tehai.domain.plan import BillComponent, BillLine
from tehai.domain.violation import InvalidProblemError

if TYPE_CHECKING:
    from rich.table import Table


@click.command("evaluate")
@click.argument("problem")
@click.argument("plan")
@click.option(
    "--usd-jpy-factor", type=float, default=1.0, metavar="FACTOR", help="Forward rates of the dollar times it."
)
@click.option(
    "--offer-price",
    "offer_prices",
    multiple=True,
    metavar="OFFER=FACTOR",
    help="Every price of an offer times a factor; may be given for several offers.",
)
@click.option(
    "--without-programme",
    "cancelled",
    multiple=True,
    metavar="PROGRAMME",
    help="A programme that pays nothing; may be given several times.",
)
@click.option("--electricity-factor", type=float, default=1.0, metavar="FACTOR", help="Prices of electricity times it.")
@output_option
def command(
    problem: str,
    plan: str,
    usd_jpy_factor: float,
    offer_prices: tuple[str, ...],
    cancelled: tuple[str, ...],
    electricity_factor: float,
    output: Format,
) -> ExitCode:
    """Say what PLAN of PROBLEM costs under a change, and which limits it would break; nothing is solved.

    PLAN is a file that --plan-out wrote, or a plan alone. One of the two may be "-". Placements, orders and use stay as
    planned; grants are cut to what they may be under the change.
    """
    from tehai.evaluate import evaluate_plan
    from tehai.pipeline_check import check_text
    from tehai.wire import problem_sha256

    if problem == plan == "-":
        message = "only one of PROBLEM and PLAN can be standard input"
        raise click.UsageError(message)
    factors = tuple(_factor_of(text) for text in offer_prices)
    change = ScenarioChange(usd_jpy_factor, factors, cancelled, electricity_factor)
    found, violations = check_text(read_bytes(problem), source_name=source_name(problem))
    if found is None:
        print_violations(violations, output)
        return ExitCode.INVALID_INPUT
    answer, violations = read_answer(read_bytes(plan), source_name(plan))
    if answer is None:
        print_violations(violations, output)
        return ExitCode.INVALID_INPUT
    try:
        with failures():
            evaluation = evaluate_plan(found, problem_sha256(found), answer[0], change)
    except InvalidProblemError as error:
        print_violations(error.violations, output)
        # V codes are what the second opinion says of the plan as it is.
        of_plan = any(violation.code.startswith("V") for violation in error.violations)
        return ExitCode.NOT_VERIFIED if of_plan else ExitCode.INVALID_INPUT
    _print(evaluation, output)
    return ExitCode.OK


def _factor_of(text: str) -> OfferPriceFactor:
    """Read OFFER=FACTOR; a usage error where it is not that."""
    offer_id, sign, factor = text.rpartition("=")
    try:
        if sign and offer_id:
            return OfferPriceFactor(offer_id, float(factor))
    except ValueError:
        pass  # the same message as for text without a sign
    message = f'--offer-price {text!r} is not an offer and a factor, such as "tokyo-on-demand=1.2"'
    raise click.UsageError(message)


def _print(evaluation: Evaluation, output: Format) -> None:
    """Print an evaluation: the message as text, or tables of what moves."""
    from tehai.report.formats import spread
    from tehai.wire import evaluation_to_proto, to_json, to_yaml

    if output != "table":
        message = evaluation_to_proto(evaluation)
        click.echo(to_json(message) if output == "json" else to_yaml(message), nl=False)
        return
    print_renderable(spread(_bill_table(evaluation)))
    print_renderable(spread(_cash_table(evaluation)))
    if not evaluation.broken_limits:
        click.echo("limits: none is broken")
        return
    click.echo(f"limits broken under the change: {len(evaluation.broken_limits)}")
    for limit in evaluation.broken_limits:
        click.echo(f"{limit.code} {limit.path}: {limit.message}")


def _bill_table(evaluation: Evaluation) -> Table:
    """Return the bill by component, as planned and under the change, yen."""
    from tehai.report.formats import new_table

    table = new_table("Bill, yen, tax excluded", ("Component",), ("As planned", "Changed", "Difference"))
    before, after = _by_component(evaluation.bill_lines), _by_component(evaluation.changed_bill_lines)
    for component in BillComponent:
        if component in before or component in after:
            table.add_row(component.value, *_figures(before[component], after[component]))
    table.add_section()
    totals = _figures(evaluation.objective_yen, evaluation.changed_objective_yen)
    table.add_row("Objective", *totals, style="bold")
    return table


def _cash_table(evaluation: Evaluation) -> Table:
    """Return cash by fiscal year, as planned and under the change, yen."""
    from tehai.report.formats import fiscal_year, new_table

    table = new_table("Cash by fiscal year, yen", ("Fiscal year",), ("As planned", "Changed", "Difference"))
    after = _by_year(evaluation.changed_cash)
    for year, amount in _by_year(evaluation.cash).items():
        table.add_row(fiscal_year(year), *_figures(amount, after[year]))
    return table


def _figures(before: int, after: int) -> tuple[str, str, str]:
    return f"{before:,}", f"{after:,}", f"{after - before:+,}"


def _by_component(lines: Iterable[BillLine]) -> Counter[BillComponent]:
    sums: Counter[BillComponent] = Counter()
    for line in lines:
        sums[line.component] += line.amount_yen
    return sums


def _by_year(amounts: Iterable[FiscalYearAmount]) -> dict[int, int]:
    return {item.fiscal_year: item.amount_yen for item in amounts}
