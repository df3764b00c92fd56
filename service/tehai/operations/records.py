"""The records of the store: frozen, and made of text, numbers and bytes only.

Every ``*_time`` is in microseconds since 1970 UTC; None is unset. Bytes are serialised messages that the store never
reads.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import StrEnum

from tehai.operations.clock import Microseconds
from tehai.operations.errors import InvalidRecordError

PRIORITY_FIRST = 1
PRIORITY_LAST = 9
PRIORITY_DEFAULT = 5
DISPLAY_NAME_CHARACTERS_MAX = 63
REQUEST_ID_CHARACTERS_MAX = 64
IDENTIFIER_CHARACTERS_MAX = 128
_SHA256 = re.compile(r"[0-9a-f]{64}")


class SolveState(StrEnum):
    """Where a solve is; the last three are terminal."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def ended(self) -> bool:
        """Return whether the state never changes again."""
        return self not in (SolveState.QUEUED, SolveState.RUNNING)


class EventKind(StrEnum):
    """What an event says; ``ENDED`` is the last one of its solve."""

    PROGRESS = "progress"
    CHANGED = "changed"
    ENDED = "ended"


class BlobKind(StrEnum):
    """What bytes are: a problem has its SHA-256 as key, the others the id of their solve."""

    PROBLEM = "problem"
    RESULT = "result"
    QUOTE_BOOK = "quote-book"


def text_is_storable(text: str) -> bool:
    """Return whether both backends keep ``text`` as it is: valid Unicode without the character NUL."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSolve:
    """A solve to be created. ``problem_sha256`` is of the problem's bytes, lower-case hexadecimal.

    ``request_sha256`` is of the whole request; the same ``request_id`` with another one is a conflict. The solve is
    deleted ``retention_seconds`` after its end.
    """

    tenant: str
    solve_id: str
    request_sha256: str
    problem_sha256: str
    problem_bytes: int
    options: bytes
    request_id: str = ""
    display_name: str = ""
    priority: int = PRIORITY_DEFAULT
    attempts_max: int = 3
    retention_seconds: float = 30 * 86_400

    def check(self, problem: bytes | None) -> None:
        """Raise InvalidRecordError with every field that is wrong, also where ``problem`` has another length."""
        texts = {
            "tenant": (self.tenant, 1, IDENTIFIER_CHARACTERS_MAX),
            "solve_id": (self.solve_id, 1, IDENTIFIER_CHARACTERS_MAX),
            "request_id": (self.request_id, 0, REQUEST_ID_CHARACTERS_MAX),
            "display_name": (self.display_name, 0, DISPLAY_NAME_CHARACTERS_MAX),
        }
        wrong = [
            f"{name} must have {least} to {most} characters, none of them NUL"
            for name, (text, least, most) in texts.items()
            if not least <= len(text) <= most or not text_is_storable(text)
        ]
        wrong += [
            f"{name} must be 64 lower-case hexadecimal digits"
            for name, text in (("request_sha256", self.request_sha256), ("problem_sha256", self.problem_sha256))
            if not _SHA256.fullmatch(text)
        ]
        if not PRIORITY_FIRST <= self.priority <= PRIORITY_LAST:
            wrong.append(f"priority must be {PRIORITY_FIRST} to {PRIORITY_LAST}, not {self.priority}")
        if self.attempts_max < 1:
            wrong.append(f"attempts_max must be 1 or more, not {self.attempts_max}")
        if not 0 <= self.retention_seconds <= 100 * 366 * 86_400:
            wrong.append(f"retention_seconds must be 0 to 100 years, not {self.retention_seconds}")
        if self.problem_bytes < 0 or (problem is not None and len(problem) != self.problem_bytes):
            wrong.append(f"problem_bytes must be the length of the problem, not {self.problem_bytes}")
        if wrong:
            raise InvalidRecordError(tuple(wrong))


@dataclass(frozen=True, slots=True, kw_only=True)
class SolveRecord:
    """One accepted solve and what became of it.

    ``request_id``, ``plan_id`` and ``owner`` are "" and ``standing`` and ``error`` are b"" where there is none.
    ``start_time`` is of the last attempt and unset while it waits; ``expire_time`` is set at the end.
    """

    tenant: str
    solve_id: str
    request_id: str
    request_sha256: str
    display_name: str
    priority: int
    state: SolveState
    create_time: Microseconds
    start_time: Microseconds | None
    end_time: Microseconds | None
    expire_time: Microseconds | None
    attempt_count: int
    attempts_max: int
    problem_sha256: str
    problem_bytes: int
    options: bytes
    standing: bytes
    cancel_requested: bool
    plan_id: str
    error: bytes
    last_sequence: int
    # Who works on it.
    owner: str


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to a solve; ``sequence`` ascends from 1 and never repeats, whatever is retried.

    A progress event's payload is the worker's; the other kinds carry ``StateChange`` bytes.
    """

    tenant: str
    solve_id: str
    sequence: int
    kind: EventKind
    payload: bytes
    time: Microseconds


@dataclass(frozen=True, slots=True)
class StateChange:
    """What a solve was right after a change: payload of the events ``CHANGED`` and ``ENDED``, as JSON."""

    state: SolveState
    attempt_count: int
    cancel_requested: bool

    @classmethod
    def of(cls, record: SolveRecord) -> StateChange:
        """Return the change that led to ``record``."""
        return cls(record.state, record.attempt_count, record.cancel_requested)

    def to_bytes(self) -> bytes:
        """Return the payload."""
        values = {
            "state": self.state.value,
            "attempt_count": self.attempt_count,
            "cancel_requested": self.cancel_requested,
        }
        return json.dumps(values, separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, payload: bytes) -> StateChange:
        """Read a payload that ``to_bytes`` made."""
        values = json.loads(payload)
        return cls(SolveState(values["state"]), values["attempt_count"], values["cancel_requested"])


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work on a solve. It holds until the solve ends, is given back, or its lease runs out.

    ``fence`` rises with every claim on the solve, so that a worker with an older one can change nothing. ``record`` is
    the solve at the moment of the claim.
    """

    record: SolveRecord
    owner: str
    fence: int
    lease_seconds: float

    @property
    def tenant(self) -> str:
        """Return the tenant of the solve."""
        return self.record.tenant

    @property
    def solve_id(self) -> str:
        """Return the id of the solve."""
        return self.record.solve_id


@dataclass(frozen=True, slots=True)
class RecoverReport:
    """Solves whose worker is gone: those that wait again, and those that ended because of it."""

    requeued: tuple[SolveRecord, ...] = ()
    failed: tuple[SolveRecord, ...] = ()
    cancelled: tuple[SolveRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class SolvePage:
    """One page of a list; ``next_page_token`` is "" on the last one."""

    records: tuple[SolveRecord, ...]
    next_page_token: str


@dataclass(frozen=True, slots=True)
class QueueCounts:
    """How many solves wait and run, of all tenants, and since when the oldest waits (None: none does)."""

    queued: int
    running: int
    oldest_create_time: Microseconds | None


@dataclass(frozen=True, slots=True)
class BlobRecord:
    """Bytes that are kept, without the bytes. Unset ``expire_time``: they go with the last solve that uses them."""

    tenant: str
    kind: BlobKind
    key: str
    size_bytes: int
    create_time: Microseconds
    expire_time: Microseconds | None


@dataclass(frozen=True, slots=True)
class Upload:
    """Bytes that arrive in parts and cannot be read before they are complete."""

    blob_id: int
    tenant: str
    kind: BlobKind
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyRecord:
    """An API key without its secret; ``secret_hash`` is all that is kept of that."""

    key_id: str
    tenant: str
    secret_hash: bytes
    scopes: tuple[str, ...]
    display_name: str
    create_time: Microseconds
    expire_time: Microseconds | None = None
    revoke_time: Microseconds | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """Who asked for what, and what came of it (``outcome``: the name of a status code)."""

    time: Microseconds
    tenant: str
    subject: str
    method: str
    resource: str
    outcome: str
    request_id: str
    peer: str


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """How long what has no time of its own is kept."""

    # An upload that was begun and neither finished nor given up.
    upload_seconds: float = 86_400
    audit_seconds: float = 400 * 86_400
    # A wall clock further ahead than this, when a server starts, of the time that deleting last went by may be wrong.
    clock_ahead_seconds_max: float = 86_400
    # For so long, running, servers with such a clock delete nothing.
    quarantine_seconds: float = 86_400


@dataclass(frozen=True, slots=True)
class RetentionClock:
    """The time that deleting last went by, and for how long servers have run since without trusting their clock."""

    trusted_time: Microseconds
    held_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class ExpireReport:
    """How many of each were deleted; none where the clock may be wrong and ``held_seconds`` are still to wait."""

    solves: int = 0
    problems: int = 0
    other_blobs: int = 0
    uploads: int = 0
    audit_entries: int = 0
    held_seconds: float = 0.0
