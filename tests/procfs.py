"""What Linux tells of processes: who is whose child, and what each of them uses."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Usage:
    """What processes use together; memory is the resident set, so pages that two share count twice."""

    processes: int
    rss_bytes: int
    open_files: int
    threads: int
    cpu_seconds: float


def parents() -> dict[int, int]:
    """Return the parent of every living process."""
    found = {}
    for path in PROC.glob("[0-9]*/stat"):
        try:
            # After the name in parentheses: state, then the parent.
            state, parent = path.read_text().rpartition(")")[2].split()[:2]
        except (OSError, ValueError):
            continue
        if state not in ("Z", "X"):
            found[int(path.parent.name)] = int(parent)
    return found


def children(pid: int) -> list[int]:
    """Return the living children of a process."""
    return [child for child, parent in parents().items() if parent == pid]


def descendants(pid: int) -> list[int]:
    """Return the living children of a process, their children and so on, without itself."""
    of = parents()
    found: list[int] = []
    level = [pid]
    while level:
        level = [child for child, parent in of.items() if parent in level]
        found += level
    return found


def nice_of(pid: int) -> int:
    """Return how nice a process is; -100 for one that is gone."""
    try:
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return -100
    # The third field of the file is the first after the name; niceness is the nineteenth.
    return int(fields[16])


def command_line(pid: int) -> str:
    """Return how a process was started, "" where it is gone."""
    try:
        return (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def with_environment(marker: str) -> list[int]:
    """Return the living processes that were started with ``marker`` in their environment."""
    found = []
    for pid in parents():
        try:
            if marker.encode() in (PROC / str(pid) / "environ").read_bytes():
                found.append(pid)
        except OSError:
            continue
    return found


def usage(pids: Iterable[int]) -> Usage:
    """Return what processes use together; those that are gone use nothing."""
    processes = rss_bytes = open_files = threads = 0
    cpu_seconds = 0.0
    for pid in pids:
        folder = PROC / str(pid)
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            resident = int((folder / "statm").read_text().split()[1]) * _PAGE_BYTES
            files = len(os.listdir(folder / "fd"))  # noqa: PTH208 - names only, and this is asked often
        except (OSError, IndexError, ValueError):
            continue
        processes += 1
        rss_bytes += resident
        open_files += files
        threads += int(fields[17])
        cpu_seconds += (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND
    return Usage(processes, rss_bytes, open_files, threads, cpu_seconds)
