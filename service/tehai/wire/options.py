"""Limits of a solve, between message and domain."""

from __future__ import annotations

import math
from typing import NamedTuple

from tehai.domain.plan import SolveOptions
from tehai.domain.violation import Violation
from tehai.v1 import plan_pb2
from tehai.wire.reading import Reader, member_path
from tehai.wire.unknown import report_unknown_fields

TIME_LIMIT_SECONDS_MAX = 7 * 24 * 3600.0
THREADS_MAX = 1_024
WORK_LIMIT_MAX = 2**62


class DecodedOptions(NamedTuple):
    """Options with defaults where nothing, or nothing usable, was given; and what was wrong."""

    options: SolveOptions
    violations: tuple[Violation, ...]


def _in_range(value: float, lowest: float, highest: float, reader: Reader, path: str, name: str) -> bool:
    if math.isfinite(value) and lowest <= value <= highest:
        return True
    reader.fail("E1113", member_path(path, name), f"{value} is not between {lowest:,} and {highest:,}")
    return False


def solve_options_from_proto(message: plan_pb2.SolveOptions, reader: Reader, path: str) -> SolveOptions:
    """Read options; an unset limit takes its default."""
    given: dict[str, float] = {}
    if message.HasField("time_limit_seconds"):
        given["time_limit_seconds"] = message.time_limit_seconds
    if message.HasField("gap_fraction"):
        given["gap_fraction"] = message.gap_fraction
    if message.HasField("work_limit"):
        given["work_limit"] = message.work_limit
    if message.HasField("seed"):
        given["seed"] = message.seed
    if message.HasField("threads"):
        given["threads"] = message.threads
    ranges = {
        "time_limit_seconds": (0.001, TIME_LIMIT_SECONDS_MAX),
        "gap_fraction": (0.0, 1.0),
        "work_limit": (1, WORK_LIMIT_MAX),
        "seed": (0, 2**64 - 1),
        "threads": (1, THREADS_MAX),
    }
    usable = {name: value for name, value in given.items() if _in_range(value, *ranges[name], reader, path, name)}
    defaults = SolveOptions()
    work_limit = usable.get("work_limit")
    return SolveOptions(
        time_limit_seconds=usable.get("time_limit_seconds", defaults.time_limit_seconds),
        gap_fraction=usable.get("gap_fraction", defaults.gap_fraction),
        work_limit=None if work_limit is None else int(work_limit),
        seed=int(usable.get("seed", defaults.seed)),
        threads=int(usable.get("threads", defaults.threads)),
    )


def options_from_proto(message: plan_pb2.SolveOptions) -> DecodedOptions:
    """Read options, with paths that begin with "options"."""
    reader = Reader()
    report_unknown_fields(message, reader, "options")
    options = solve_options_from_proto(message, reader, "options")
    return DecodedOptions(options, tuple(reader.violations))


def options_to_proto(options: SolveOptions) -> plan_pb2.SolveOptions:
    """Write options, defaults included."""
    return plan_pb2.SolveOptions(
        time_limit_seconds=options.time_limit_seconds,
        gap_fraction=options.gap_fraction,
        work_limit=options.work_limit,
        seed=options.seed,
        threads=options.threads,
    )
