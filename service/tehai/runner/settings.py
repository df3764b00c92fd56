"""Settings of solver and query processes, from the environment (prefix TEHAI_); docs/cli.md lists them."""

from __future__ import annotations

import os

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

MEBIBYTE = 1024 * 1024


def default_threads() -> int:
    """Return the cores of this machine less one, which is left for answering."""
    return max(1, len(os.sched_getaffinity(0)) - 1)


class RunnerSettings(BaseSettings):
    """Every setting with its default; a value out of range is refused at start."""

    model_config = SettingsConfigDict(env_prefix="TEHAI_", frozen=True, extra="ignore")

    # Solves that run at once, of StreamSolve and of CreateSolve together.
    solves_max: int = Field(default=2, ge=1, le=256)
    # Of those of CreateSolve, how many of one tenant run at once, on all servers of one database together.
    solves_per_tenant_max: int = Field(default=2, ge=1, le=65_536)
    # Threads of one solve at most, whatever its options say; the default leaves a core for answering.
    solve_threads_max: int = Field(default_factory=default_threads, ge=1, le=1_024)
    # Memory that a solve may take beyond what its process starts with; 0: no limit.
    solve_memory_mb_max: int = Field(default=0, ge=0, le=1_000_000_000)
    # A solve that runs longer is told to stop; it then answers with its best plan.
    solve_seconds_max: float = Field(default=3600, gt=0)
    # Least time between two progress events of a solve.
    progress_interval_seconds: float = Field(default=0.2, gt=0, le=60)
    # Time that a solve of CreateSolve that was told to stop has to answer with its plan before it is killed.
    stop_grace_seconds: float = Field(default=30.0, ge=0, le=3600)
    # The same for a solve of StreamSolve whose caller is gone, so that nobody waits for the plan.
    cancel_grace_seconds: float = Field(default=1.0, ge=0, le=600)
    # On SIGTERM: give running solves back to the queue instead of ending them with the best plan so far.
    drain_requeues: bool = False
    # Looking for solves that another server accepted or gave back; those of this server start at once.
    claim_poll_seconds: float = Field(default=1.0, gt=0, le=60)
    # Sign of life of a running solve to the store, and how long one without it stays this server's.
    heartbeat_seconds: float = Field(default=1.0, gt=0, le=60)
    lease_seconds: float = Field(default=30.0, ge=1, le=3600)
    # When a refused caller should try again, and when the runner does after trouble with the store.
    retry_seconds: float = Field(default=5.0, gt=0, le=3600)
    # Processes for CheckProblem, demo problems, EvaluatePlan and DiffPlans, and requests that may wait for one.
    query_processes_max: int = Field(default=2, ge=1, le=256)
    query_queue_max: int = Field(default=64, ge=0, le=100_000)
    query_seconds_max: float = Field(default=60.0, gt=0, le=3600)
    # Memory that a query process may take beyond what it starts with; 0: no limit.
    query_memory_mb_max: int = Field(default=4_096, ge=0, le=1_000_000_000)
