"""Progress in words and on the bar."""

from __future__ import annotations

import pytest

from tehai.cli.progress import describe, fraction_done, shown_progress
from tehai.domain.result import Progress, SolvePhase


def test_a_line_has_phase_cost_bound_and_gap() -> None:
    """What exists is shown and what does not is left out."""
    full = Progress(SolvePhase.SEARCH, 1.25, 1_234_567, 1_200_000, 0.028)
    assert describe(full) == "1.2 s  search  cost ¥1,234,567  bound ¥1,200,000  gap 2.80 %"
    assert describe(Progress(SolvePhase.BUILD, 0.0, None, None, None)) == "0.0 s  build"


@pytest.mark.parametrize(("gap", "done"), [(None, 0.0), (2.0, 0.0), (1.0, 0.0), (0.1, 1 / 3), (0.001, 1.0), (0.0, 1.0)])
def test_the_bar_moves_with_the_gap(gap: float | None, done: float) -> None:
    """The bar is empty without a gap, full at the target, and moves by the logarithm between."""
    assert fraction_done(gap, 0.001) == pytest.approx(done)


def test_lines_are_few_and_none_when_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    """Off a terminal the first progress prints a line and a burst no more; quiet prints nothing."""
    progress = Progress(SolvePhase.ASCEND, 0.1, None, 5, None)
    for quiet, lines in ((False, 1), (True, 0)):
        with shown_progress(0.001, quiet=quiet) as on_progress:
            for _ in range(100):
                on_progress(progress)
        assert len(capsys.readouterr().err.splitlines()) == lines
