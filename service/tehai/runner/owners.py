"""Names of the servers that work on solves, so that one that starts can tell which of them are dead.

A name is unique to one start of one runner and says where it lives: this start of the machine, its process namespace,
the process and when that began. A server judges only names of its own machine and namespace; of all others the lease
decides.
"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Iterable
from pathlib import Path

_PROC = Path("/proc")
_HOST_CHARACTERS_MAX = 30
_SEPARATOR = "/"


def new_owner() -> str:
    """Return a name for a runner of this process."""
    host = socket.gethostname()[:_HOST_CHARACTERS_MAX].replace(_SEPARATOR, "-")
    pid = os.getpid()
    return _SEPARATOR.join((host, *_place(), str(pid), _start_of(pid), secrets.token_hex(4)))


def gone(owners: Iterable[str]) -> frozenset[str]:
    """Return those of ``owners`` that are certainly dead: of this machine and namespace, and their process is gone."""
    return frozenset(owner for owner in owners if _is_gone(owner))


def _is_gone(owner: str) -> bool:
    parts = owner.split(_SEPARATOR)
    if len(parts) != 6:
        return False
    _, boot, namespace, pid, start, _ = parts
    here = (boot, namespace) == _place()
    return here and pid.isdecimal() and start != "" and _start_of(int(pid)) != start


def _place() -> tuple[str, str]:
    """Return which start of which machine this is, and which namespace of processes."""
    boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return boot, str((_PROC / "self/ns/pid").stat().st_ino)


def _start_of(pid: int) -> str:
    """Return when a process began, in ticks since the machine did; "" where there is no such process."""
    try:
        text = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    # The name of the program is in brackets and may hold anything; the state follows it, and Z is dead.
    fields = text.rpartition(")")[2].split()
    return "" if fields[0] == "Z" else fields[19]
