"""When a lease has run out, judged without any wall clock.

A worker that lives raises its solve's heartbeat. Whoever looks remembers when, on its own monotonic clock, it first saw
a heartbeat; one that has not moved for the length of the lease belongs to a worker that is gone. So neither a jump of a
clock nor two machines that disagree about the time end a lease. The price: a process that has just started waits one
lease before it judges, except on owners that it is told are gone.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lease:
    """A running solve as the database shows it; ``number`` is its row."""

    number: int
    owner: str
    fence: int
    heartbeat: int
    lease_seconds: float


class LeaseWatch:
    """Remembers which heartbeat was seen when."""

    def __init__(self) -> None:
        self._first_seen: dict[tuple[int, int, int], float] = {}

    def run_out(
        self, leases: Sequence[Lease], monotonic_seconds: float, owners_gone: Collection[str] = ()
    ) -> tuple[Lease, ...]:
        """Return those of ``leases`` (all that there are) that have run out, or whose owner is gone."""
        seen = {}
        found = []
        for lease in leases:
            key = (lease.number, lease.fence, lease.heartbeat)
            first = seen[key] = self._first_seen.get(key, monotonic_seconds)
            if lease.owner in owners_gone or monotonic_seconds - first >= lease.lease_seconds:
                found.append(lease)
        # What is no longer there is forgotten, so that this does not grow.
        self._first_seen = seen
        return tuple(found)
