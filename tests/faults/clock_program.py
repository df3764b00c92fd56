"""``tehai`` with a wall clock that a file moves: python -m tests.faults.clock_program ARGUMENTS OF TEHAI.

The file named by CLOCK_FILE holds by how many seconds the store's clock is wrong; it is read at each look at the clock.
The monotonic clock stays what it is, as when an operator or a time server sets the time of a machine.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from tehai.cli.main import main
from tehai.operations.clock import Microseconds, SystemClock, to_microseconds
from tehai.server import app

CLOCK_FILE = "TEHAI_TEST_CLOCK_FILE"
# So that a test sees several looks for what is old.
RETENTION_INTERVAL_SECONDS = 1.0


def wrong_now(_: SystemClock) -> Microseconds:
    """Return the time of the machine and what the file adds to it."""
    return time.time_ns() // 1000 + to_microseconds(float(Path(os.environ[CLOCK_FILE]).read_text() or 0))


if __name__ == "__main__":
    SystemClock.now = wrong_now  # type: ignore[method-assign,assignment]
    app.RETENTION_INTERVAL_SECONDS = RETENTION_INTERVAL_SECONDS
    main()
