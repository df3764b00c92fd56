"""Exit codes of every command; docs/cli.md lists the same table."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Stable: a code keeps its meaning for ever."""

    OK = 0
    INTERNAL_ERROR = 1
    USAGE = 2
    INVALID_INPUT = 3
    NOT_VERIFIED = 4
    NO_FULL_PLAN = 5
    SERVER = 6
    INTERRUPTED = 130


MEANINGS = {
    ExitCode.OK: "done; a solve that was told to stop and answered with its best plan counts",
    ExitCode.INTERNAL_ERROR: "a fault of Tehai itself",
    ExitCode.USAGE: (
        "an unknown command, option or key, a file that cannot be read or written; "
        "of serve also settings, certificates or token keys that are wrong"
    ),
    ExitCode.INVALID_INPUT: "the problem or the plan file breaks a rule of its form; every violation is listed",
    ExitCode.NOT_VERIFIED: "a plan or its bound failed the independent check",
    ExitCode.NO_FULL_PLAN: "a plan, but a mandatory workload is not in it",
    ExitCode.SERVER: (
        "the server cannot be reached, or refused; of serve and keys: the database cannot be used; "
        "of serve also: it cannot listen, or an extra is not installed"
    ),
    ExitCode.INTERRUPTED: "interrupted before there was a plan to print",
}
