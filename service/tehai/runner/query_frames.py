"""What a query process and its server tell each other: a header and then each part as a message of its own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import IntEnum
from multiprocessing.connection import Connection


class QueryFrame(IntEnum):
    """What an answer is."""

    # As many parts as the query's kind returns.
    ANSWER = 0
    # ViolationLists that are one list together.
    VIOLATIONS = 1
    # A traceback in UTF-8, for the server's log.
    FAILED = 2
    # No parts; the process has lost an unknown amount of memory and must be replaced.
    OUT_OF_MEMORY = 3


@dataclass(frozen=True, slots=True)
class Query:
    """A question to a query process."""

    kind: str
    parts: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query process says to one query."""

    frame: QueryFrame
    parts: tuple[bytes, ...]


def send_query(queries: Connection, query: Query) -> None:
    """Send a query; blocks until the process has taken it."""
    _send(queries, [query.kind, len(query.parts)], query.parts)


def receive_query(queries: Connection) -> Query:
    """Return the next query; raise EOFError where the server is gone."""
    kind, count = json.loads(queries.recv_bytes())
    return Query(kind, tuple(queries.recv_bytes() for _ in range(count)))


def send_answer(answers: Connection, answer: Answer) -> None:
    """Send an answer; blocks until the server has taken it."""
    _send(answers, [int(answer.frame), len(answer.parts)], answer.parts)


def receive_answer(answers: Connection) -> Answer:
    """Return the next answer; raise EOFError where the process is gone."""
    frame, count = json.loads(answers.recv_bytes())
    return Answer(QueryFrame(frame), tuple(answers.recv_bytes() for _ in range(count)))


def _send(pipe: Connection, header: list[str | int], parts: tuple[bytes, ...]) -> None:
    pipe.send_bytes(json.dumps(header).encode())
    for part in parts:
        pipe.send_bytes(part)
