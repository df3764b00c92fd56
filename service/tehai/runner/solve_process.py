"""The server's side of one solve process: start, orders, frames, stop, and the certainty that it is gone."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import threading
from collections.abc import AsyncIterator, Callable
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext

import structlog

from tehai.runner.errors import SolveFailedError, SolveMemoryError
from tehai.runner.frames import STOP, FrameKind, Phase, SolveJob, receive_frame
from tehai.runner.processes import END_SECONDS, died_for_memory, join_process, new_pipe, start_process

Frame = tuple[FrameKind, bytes]
OnPhase = Callable[[Phase], None]


def run_worker(orders: Connection, frames: Connection, job: SolveJob) -> None:
    """Run in the new process: hand over to the worker module, which is loaded there already."""
    from tehai.runner.worker import solve_in_process

    solve_in_process(orders, frames, job)


async def orders_of(problem: bytes, options: bytes) -> AsyncIterator[bytes]:
    """Yield the orders of a solve whose problem is at hand."""
    yield str(len(problem)).encode()
    yield problem
    yield options


class SolveProcess:
    """One process for one solve. ``frames`` ends with the terminal frame; ``close`` ends the process for certain.

    A thread of its own does what blocks: starting, sending the problem, receiving frames and joining.
    """

    def __init__(self, context: ForkServerContext, job: SolveJob, on_phase: OnPhase | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._job = job
        self._on_phase = on_phase
        self._queue: asyncio.Queue[Frame | None] = asyncio.Queue()
        orders_end, self._orders = new_pipe(context)
        self._frames, frames_end = new_pipe(context)
        self._child_ends = (orders_end, frames_end)
        self._process = context.Process(
            target=run_worker, args=(orders_end, frames_end, job), name="tehai-solve", daemon=True
        )
        # Set once the orders were sent, or never will be; before, the process knows no stop.
        self._ordered = threading.Event()
        # Guards the pipe of the orders, which stopping writes to and the thread closes.
        self._lock = threading.Lock()
        self._stopping = False
        self._killed = False
        self._gone = asyncio.Event()
        self._thread: threading.Thread | None = None
        # Why the orders did not arrive, or the process did not start.
        self.trouble: Exception | None = None

    @property
    def pid(self) -> int | None:
        """Number of the process; None before it has started."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """Exit code once it is gone, -N where signal N ended it; None where it never started."""
        return None if self._process.pid is None else self._process.exitcode

    @property
    def killed(self) -> bool:
        """Whether somebody ended the process, before it was gone by itself or after."""
        return self._killed

    def start(self, orders: AsyncIterator[bytes]) -> None:
        """Start the process and send it ``orders`` as it takes them; return at once."""
        thread = threading.Thread(target=self._run, args=(orders,), name="solve", daemon=True)
        # May fail at a limit on threads: then ``close`` must not wait for one.
        thread.start()
        self._thread = thread

    async def frames(self) -> AsyncIterator[Frame]:
        """Yield frames up to the terminal one.

        Of several progress frames that wait, only the newest is given; phases and texts for the log never are.
        Raises SolveMemoryError where memory ended the solve, and SolveFailedError where its process died before an
        answer, or was killed.
        """
        while True:
            frame = await self._queue.get()
            while frame is not None and frame[0] is FrameKind.PROGRESS and not self._queue.empty():
                frame = self._queue.get_nowait()
            if frame is None:
                raise self._death()
            if frame[0] is FrameKind.OUT_OF_MEMORY:
                raise SolveMemoryError(self._job.memory_mb_max)
            yield frame
            if frame[0].is_terminal:
                return

    def stop(self) -> None:
        """Ask the solve to end with its best plan; may be called any number of times."""
        # The other thread may be sending a large problem: stopping waits for it in a thread of its own.
        if not self._stopping:
            self._stopping = True
            threading.Thread(target=self._send_stop, name="stop", daemon=True).start()

    def kill(self) -> None:
        """End the process at once."""
        self._killed = True
        if self._process.pid is not None and not self._gone.is_set():
            self._process.kill()

    async def wait_gone(self) -> None:
        """Return once the process that was started is gone."""
        await self._gone.wait()

    async def close(self, grace_seconds: float) -> None:
        """Make sure that the process is gone: ask it, wait for ``grace_seconds``, kill it."""
        if self._thread is None:
            self._ordered.set()
            for end in (*self._child_ends, self._orders, self._frames):
                end.close()
            return
        self.stop()
        try:
            await asyncio.wait_for(self._gone.wait(), grace_seconds)
        except TimeoutError:
            self.kill()
            await self._gone.wait()

    def _death(self) -> Exception:
        """Return what the end without an answer means."""
        text = f"solve process {self._process.pid} ended with code {self.exit_code}"
        if not self._killed and died_for_memory(self.exit_code, self._job.memory_mb_max):
            structlog.stdlib.get_logger(__name__).warning(text)
            return SolveMemoryError(self._job.memory_mb_max)
        error = SolveFailedError(text)
        error.__cause__ = self.trouble
        return error

    def _run(self, orders: AsyncIterator[bytes]) -> None:
        """Live in the thread from start to join; always ends the queue with None."""
        try:
            self._start_and_send(orders)
            while True:
                kind, payload = receive_frame(self._frames)
                self._tell((kind, payload))
                if kind.is_terminal:
                    return
        except (EOFError, OSError) as error:
            # The process closed its end: it died, or it never started.
            if self._process.pid is None:
                self.trouble = error
        except Exception as error:  # noqa: BLE001 - from whoever gives the orders; told as the cause
            self.trouble = error
            self.kill()
        finally:
            self._end()

    def _start_and_send(self, orders: AsyncIterator[bytes]) -> None:
        """Start the process and hand it its orders; the next ones are fetched while others are on their way."""
        try:
            coming = self._fetch(orders)
            try:
                start_process(self._process)
            finally:
                for end in self._child_ends:
                    end.close()
            if self._killed:
                self._process.kill()
            while (part := coming.result()) is not None:
                coming = self._fetch(orders)
                self._orders.send_bytes(part)
        finally:
            self._ordered.set()

    def _fetch(self, orders: AsyncIterator[bytes]) -> concurrent.futures.Future[bytes | None]:
        """Have the loop fetch the next part of the orders; None is the end."""

        async def fetch() -> bytes | None:
            return await anext(orders, None)

        return asyncio.run_coroutine_threadsafe(fetch(), self._loop)

    def _end(self) -> None:
        """Join the process, free the pipes, and say that it is gone."""
        if self._process.pid is not None:
            join_process(self._process, END_SECONDS)
        with self._lock:
            self._orders.close()
        self._frames.close()
        self._tell(None)

    def _send_stop(self) -> None:
        self._ordered.wait()
        with self._lock, contextlib.suppress(OSError):
            self._orders.send_bytes(STOP)

    def _tell(self, frame: Frame | None) -> None:
        """Hand a frame to the loop; None says that the process is gone."""
        # Where the loop is closed the server has ended.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._receive, frame)

    def _receive(self, frame: Frame | None) -> None:
        if frame is None:
            self._gone.set()
        elif frame[0] is FrameKind.PHASE:
            if self._on_phase is not None:
                self._on_phase(Phase.from_bytes(frame[1]))
            return
        elif frame[0] is FrameKind.LOG:
            text = frame[1].decode("utf-8", "replace")
            structlog.stdlib.get_logger(__name__).warning("solve process", pid=self._process.pid, text=text)
            return
        self._queue.put_nowait(frame)
