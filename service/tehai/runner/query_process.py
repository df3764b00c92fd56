"""The server's side of one query process, which is replaced whenever it is lost."""

from __future__ import annotations

import threading
from multiprocessing import connection
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess

from tehai.domain.violation import InvalidProblemError, Violation
from tehai.runner.errors import QueryFailedError, QueryMemoryError
from tehai.runner.processes import END_SECONDS, died_for_memory, join_process, new_pipe, start_process
from tehai.runner.query_frames import Answer, Query, QueryFrame, receive_answer, send_query
from tehai.v1 import sourcing_service_pb2
from tehai.wire import violation_from_proto

# A process is replaced after so many queries, so that what one of them leaves behind never adds up.
QUERIES_OF_PROCESS = 500


def run_query_worker(queries: Connection, answers: Connection, memory_mb_max: int) -> None:
    """Run in the new process: hand over to the worker module, which is loaded there already."""
    from tehai.runner.query_worker import answer_queries

    answer_queries(queries, answers, memory_mb_max)


class QueryProcess:
    """One process for queries, one at a time; all but ``kill`` block and belong in one thread at a time."""

    def __init__(self, context: ForkServerContext, memory_mb_max: int) -> None:
        self._context = context
        self._memory_mb_max = memory_mb_max
        # Guards what follows against ``kill``, which comes from another thread.
        self._lock = threading.Lock()
        self._process: ForkServerProcess | None = None
        self._pipes: tuple[Connection, Connection] | None = None
        self._answered = 0
        # Whether it was killed and may not be seen to be dead yet.
        self._killed = False
        self._closed = False

    @property
    def pid(self) -> int | None:
        """Number of the process, None where there is none just now."""
        with self._lock:
            return None if self._process is None else self._process.pid

    def ask(self, query: Query, given_up: threading.Event) -> list[bytes]:
        """Return the answer; raise InvalidProblemError, QueryMemoryError, QueryFailedError.

        Whoever sets ``given_up`` and then calls ``kill`` ends the query wherever it is. Afterwards there is a process
        that is ready, or none: the next query starts one.
        """
        answer = self._exchange(query, given_up)
        self._answered += 1
        if answer.frame is QueryFrame.OUT_OF_MEMORY or self._answered >= QUERIES_OF_PROCESS:
            self.end()
        if answer.frame is QueryFrame.OUT_OF_MEMORY:
            raise QueryMemoryError(self._memory_mb_max)
        if answer.frame is QueryFrame.VIOLATIONS:
            raise InvalidProblemError(tuple(v for part in answer.parts for v in _read_violations(part)))
        if answer.frame is QueryFrame.FAILED:
            raise QueryFailedError(answer.parts[0].decode("utf-8", "replace"))
        return list(answer.parts)

    def start(self) -> None:
        """Start the process where there is none, or a dead one; raise QueryFailedError."""
        if self._process is not None:
            if not self._killed and not connection.wait([self._process.sentinel], 0):
                return
            self.end()
        query_end, queries = new_pipe(self._context)
        answers, answer_end = new_pipe(self._context)
        process = self._context.Process(
            target=run_query_worker,
            args=(query_end, answer_end, self._memory_mb_max),
            name="tehai-query",
            daemon=True,
        )
        try:
            start_process(process)
        except (OSError, EOFError) as error:
            queries.close()
            answers.close()
            message = "a query process cannot be started"
            raise QueryFailedError(message) from error
        finally:
            query_end.close()
            answer_end.close()
        with self._lock:
            self._process, self._pipes, self._answered, self._killed = process, (queries, answers), 0, False
            if self._closed:
                process.kill()

    def kill(self) -> None:
        """End the process at once; whoever asks it just now gets QueryFailedError."""
        with self._lock:
            if self._process is not None:
                self._killed = True
                self._process.kill()

    def close(self) -> None:
        """End the process at once and for good."""
        with self._lock:
            self._closed = True
        self.kill()

    def end(self) -> int | None:
        """End the process, wait until it is gone, and return its exit code."""
        self.kill()
        with self._lock:
            process, self._process = self._process, None
            pipes, self._pipes = self._pipes, None
        for pipe in pipes or ():
            pipe.close()
        return None if process is None else join_process(process, END_SECONDS)

    def _exchange(self, query: Query, given_up: threading.Event) -> Answer:
        try:
            return receive_answer(self._send(query, given_up))
        except (EOFError, OSError) as error:
            # Dead by itself, or killed: the exit code says which, so it is waited for before anybody kills it again.
            code = self._join_dead()
            if died_for_memory(code, self._memory_mb_max):
                raise QueryMemoryError(self._memory_mb_max) from None
            message = f"a query process ended with code {code}"
            raise QueryFailedError(message) from error

    def _send(self, query: Query, given_up: threading.Event) -> Connection:
        """Send a query to a process, or to another one where that has died while it was idle; return its answers."""
        for is_last in (False, True):
            self.start()
            if given_up.is_set():
                message = "the query was given up before it began"
                raise QueryFailedError(message)
            assert self._pipes is not None
            queries, answers = self._pipes
            try:
                send_query(queries, query)
            except OSError:
                if is_last or given_up.is_set():
                    raise
                self.end()
            else:
                break
        return answers

    def _join_dead(self) -> int | None:
        with self._lock:
            process = self._process
        code = None
        if process is not None:
            code = join_process(process, END_SECONDS)
        self.end()
        return code


def _read_violations(data: bytes) -> list[Violation]:
    found = sourcing_service_pb2.ViolationList.FromString(data)
    return [violation_from_proto(violation) for violation in found.violations]
