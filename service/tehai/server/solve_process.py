"""The server's side of one solve process: start, frames, stop, and the certainty that it is gone."""

from __future__ import annotations

import asyncio
import multiprocessing
import threading
from collections.abc import AsyncIterator
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext

from tehai.server.errors import SolveFailedError
from tehai.server.frames import FrameKind, unpack

Frame = tuple[FrameKind, bytes]

# The module is named here, not imported: the server stays free of the solver.
WORKER_MODULE = "tehai.server.worker"


def start_fork_server() -> ForkServerContext:
    """Start the process that all solve processes are forked from; call it before any gRPC object exists."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([WORKER_MODULE])
    forkserver.ensure_running()
    return context


def run_worker(orders: Connection, frames: Connection, interval_seconds: float, grace_seconds: float) -> None:
    """Run in the new process: hand over to the worker module, which is loaded there already."""
    from tehai.server.worker import solve_in_process

    solve_in_process(orders, frames, interval_seconds, grace_seconds)


class SolveProcess:
    """One process for one solve. ``frames`` ends with the terminal frame; ``close`` ends the process for certain.

    A thread of its own does what blocks: starting, sending the problem, receiving frames and joining.
    """

    def __init__(self, context: ForkServerContext, interval_seconds: float, grace_seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[Frame | None] = asyncio.Queue()
        orders_end, self._orders = context.Pipe(duplex=False)
        self._frames, frames_end = context.Pipe(duplex=False)
        self._child_ends = (orders_end, frames_end)
        arguments = (orders_end, frames_end, interval_seconds, grace_seconds)
        self._process = context.Process(target=run_worker, args=arguments, name="tehai-solve", daemon=True)
        # Guards the orders, which both the thread (sending) and the loop (closing) use.
        self._lock = threading.Lock()
        self._stopping = False
        self._killed = False
        self._gone = asyncio.Event()
        self._thread: threading.Thread | None = None

    def start(self, problem: bytes, options: bytes) -> None:
        """Start the process and send it the serialised problem and options; return at once."""
        self._thread = threading.Thread(target=self._run, args=(problem, options), name="solve", daemon=True)
        self._thread.start()

    async def frames(self) -> AsyncIterator[Frame]:
        """Yield progress and then the terminal frame; raise SolveFailedError where the process died before it.

        Of several progress frames that wait, only the newest is given.
        """
        while True:
            frame = await self._queue.get()
            while frame is not None and frame[0] is FrameKind.PROGRESS and not self._queue.empty():
                frame = self._queue.get_nowait()
            if frame is None:
                message = f"solve process {self._process.pid} ended with code {self._process.exitcode}"
                raise SolveFailedError(message)
            yield frame
            if frame[0] is not FrameKind.PROGRESS:
                return

    def stop(self) -> None:
        """Ask the solve to end with its best plan; may be called any number of times."""
        # The thread may be sending a large problem: closing waits for it in a thread of its own.
        if not self._stopping:
            self._stopping = True
            threading.Thread(target=self._close_orders, name="stop", daemon=True).start()

    def kill(self) -> None:
        """End the process at once."""
        self._killed = True
        if self._process.pid is not None and not self._gone.is_set():
            self._process.kill()

    async def close(self, grace_seconds: float) -> None:
        """Make sure that the process is gone: ask it, wait for ``grace_seconds``, kill it."""
        if self._thread is None:
            return
        self.stop()
        try:
            await asyncio.wait_for(self._gone.wait(), grace_seconds)
        except TimeoutError:
            self.kill()
            await self._gone.wait()

    def _run(self, problem: bytes, options: bytes) -> None:
        """Live in the thread from start to join; always ends the queue with None."""
        try:
            self._process.start()
            for end in self._child_ends:
                end.close()
            if self._killed:
                self._process.kill()
            with self._lock:
                self._orders.send_bytes(problem)
                self._orders.send_bytes(options)
            while True:
                self._tell(unpack(self._frames.recv_bytes()))
        except (EOFError, OSError):
            # The process closed its end: it has answered, or it died.
            pass
        finally:
            self._end()

    def _end(self) -> None:
        """Join the process, free the pipes, and say that it is gone."""
        self._close_orders()
        self._frames.close()
        if self._process.pid is not None:
            self._process.join()
        self._tell(None)

    def _close_orders(self) -> None:
        with self._lock:
            self._orders.close()

    def _tell(self, frame: Frame | None) -> None:
        """Hand a frame to the loop; None says that the process is gone."""
        try:
            self._loop.call_soon_threadsafe(self._receive, frame)
        except RuntimeError:
            # The loop is closed: the server has ended.
            return

    def _receive(self, frame: Frame | None) -> None:
        self._queue.put_nowait(frame)
        if frame is None:
            self._gone.set()
