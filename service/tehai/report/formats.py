"""How amounts, shares and tables look, the same everywhere."""

from __future__ import annotations

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

MILLION = 1_000_000
NONE = "–"


def million(amount_yen: float) -> str:
    """Return an amount in million yen with one decimal; nothing is a dash."""
    return NONE if amount_yen == 0 else f"{amount_yen / MILLION:,.1f}"


def yen(amount_yen: int) -> str:
    """Return an amount to the yen."""
    return f"¥{amount_yen:,}"


def percent(fraction: float | None, decimals: int = 1) -> str:
    """Return a fraction as a percentage; None is a dash."""
    return NONE if fraction is None else f"{fraction * 100:.{decimals}f} %"


def hours(accelerator_hours: float) -> str:
    """Return accelerator-hours as whole thousands with one decimal."""
    return NONE if accelerator_hours == 0 else f"{accelerator_hours / 1000:,.1f}"


def count(number: float) -> str:
    """Return a number of accelerators; part of one, of an order that is being delivered, shows one decimal."""
    if number == 0:
        return NONE
    return f"{number:,.0f}" if abs(number - round(number)) < 1e-9 else f"{number:,.1f}"


def fiscal_year(year: int) -> str:
    """Return the name of a fiscal year."""
    return f"FY{year}"


def new_table(title: str, texts: tuple[str, ...], numbers: tuple[str, ...] = (), caption: str | None = None) -> Table:
    """Return an empty table: columns of text first, then right-aligned columns of numbers."""
    table = Table(title=title, caption=caption, box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for name in texts:
        table.add_column(name, overflow="fold")
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def spread(part: RenderableType) -> RenderableType:
    """Return a part with a blank line after it; a table's title and caption are not folded to the table's width."""
    if not isinstance(part, Table):
        return part
    title, caption = part.title, part.caption
    part.title = part.caption = None
    lines: list[RenderableType] = [Text(str(title), style="bold"), part]
    if caption is not None:
        lines.append(Text(str(caption), style="dim"))
    return Group(*lines, "")
