"""Progress of a solve on stderr: a bar on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from tehai.domain.result import Progress

LINE_SECONDS = 5.0
# A new phase is worth a line sooner.
PHASE_SECONDS = 1.0
OnProgress = Callable[[Progress], None]


@contextmanager
def shown_progress(gap_target: float, *, quiet: bool) -> Iterator[OnProgress]:
    """Yield a function that shows progress; it may be called often and from any thread."""
    if quiet:
        yield lambda _: None
    elif sys.stderr.isatty():
        with _bar(gap_target) as on_progress:
            yield on_progress
    else:
        yield _Lines()


class _Lines:
    """Prints the first progress, then one every LINE_SECONDS, or after PHASE_SECONDS where the phase is another."""

    def __init__(self) -> None:
        self._last: Progress | None = None
        self._printed_at = 0.0

    def __call__(self, progress: Progress) -> None:
        """Print ``progress`` if it is time."""
        now, last = time.monotonic(), self._last
        seconds = LINE_SECONDS if last is not None and progress.phase is last.phase else PHASE_SECONDS
        if last is None or now - self._printed_at >= seconds:
            self._last, self._printed_at = progress, now
            click.echo(describe(progress), err=True)


@contextmanager
def _bar(gap_target: float) -> Iterator[OnProgress]:
    """Yield a function that moves a bar from a gap of 100 % to ``gap_target``, on a logarithmic scale."""
    from rich.console import Console
    from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (SpinnerColumn(), BarColumn(bar_width=30), TextColumn("{task.description}"), TimeElapsedColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=1.0)

        def on_progress(progress: Progress) -> None:
            text = describe(progress, elapsed=False)
            bar.update(task, description=text, completed=fraction_done(progress.gap, gap_target))

        yield on_progress


def fraction_done(gap: float | None, gap_target: float) -> float:
    """Return how far the gap has come from 1 to ``gap_target``: each halving is the same step."""
    if gap is None or gap >= 1:
        return 0.0
    smallest = max(gap_target, 1e-9)
    return 1.0 if gap <= smallest else math.log(gap) / math.log(smallest)


def describe(progress: Progress, *, elapsed: bool = True) -> str:
    """Return phase, cost, bound and gap in one line."""
    parts = [f"{progress.elapsed_seconds:.1f} s"] if elapsed else []
    parts.append(progress.phase.value)
    if progress.objective_yen is not None:
        parts.append(f"cost ¥{progress.objective_yen:,}")
    if progress.lower_bound_yen is not None:
        parts.append(f"bound ¥{progress.lower_bound_yen:,}")
    if progress.gap is not None:
        parts.append(f"gap {progress.gap * 100:.2f} %")
    return "  ".join(parts)
