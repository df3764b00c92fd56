"""What work in processes can end with, other than an answer."""

from __future__ import annotations


class TooManySolvesError(RuntimeError):
    """Raised when all places for solves are taken; try again after ``retry_seconds``."""

    def __init__(self, solves_max: int, retry_seconds: float) -> None:
        super().__init__(f"all {solves_max} places for solves are taken; try again later")
        self.solves_max = solves_max
        self.retry_seconds = retry_seconds


class ShuttingDownError(RuntimeError):
    """Raised when the server takes no more solves."""

    def __init__(self) -> None:
        super().__init__("the server is shutting down")


class SolveFailedError(RuntimeError):
    """Raised when a solve's process ended without an answer; the text is for the log, not for a caller."""


def _more(memory_mb_max: int) -> str:
    """Return what was needed, for a limit that is 0 where only the machine has one."""
    return f"more than {memory_mb_max} MB" if memory_mb_max else "more memory than there is"


class SolveMemoryError(RuntimeError):
    """Raised when a solve wanted more memory than it may have; its text is for the caller."""

    def __init__(self, memory_mb_max: int) -> None:
        super().__init__(f"the solve needed {_more(memory_mb_max)}; make the problem smaller, or have the limit raised")
        self.memory_mb_max = memory_mb_max


class SolveTimeError(RuntimeError):
    """Raised when a solve had no plan when its time was over; its text is for the caller."""

    def __init__(self, solve_seconds_max: float) -> None:
        super().__init__(
            f"the solve had no plan after {solve_seconds_max:g} s, the most a solve may take here;"
            " make the problem smaller, or have the limit raised"
        )
        self.solve_seconds_max = solve_seconds_max


class QueryFailedError(RuntimeError):
    """Raised when a query process failed or died; the text is for the log, not for a caller."""


class QueryMemoryError(RuntimeError):
    """Raised when a query wanted more memory than it may have; its text is for the caller."""

    def __init__(self, memory_mb_max: int) -> None:
        super().__init__(f"the request needed {_more(memory_mb_max)}; make it smaller")
        self.memory_mb_max = memory_mb_max


class QueryTimeoutError(RuntimeError):
    """Raised when a query had no answer in its time; its text is for the caller."""

    def __init__(self, timeout_seconds: float) -> None:
        super().__init__(f"no answer within {timeout_seconds:g} s; make the request smaller, or try again later")
        self.timeout_seconds = timeout_seconds


class TooManyQueriesError(RuntimeError):
    """Raised when as many queries wait as may wait; try again after ``retry_seconds``."""

    def __init__(self, retry_seconds: float) -> None:
        super().__init__("all processes for checks and evaluations are busy; try again later")
        self.retry_seconds = retry_seconds
