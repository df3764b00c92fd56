"""What tenants may ask for: each how often, how much at once, how large; and all together, how much at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields

from tehai.security.errors import LimitExceededError, ServerBusyError
from tehai.security.scopes import Rule

# A tenant that is quiet needs no memory; beyond this many, quiet ones are let go.
TENANTS_KEPT = 1_000
# When to try again where no clock says it.
BUSY_RETRY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class TenantLimits:
    """Limits of one tenant; names are those that GetLimits gives them."""

    # Calls, and messages of StreamQuotes; twice as many may come at once after a rest of two seconds.
    requests_per_second: float = 5_000.0
    # Of those, calls that cost a process or a large write.
    heavy_requests_per_second: float = 20.0
    # Calls under way at once, streams not counted.
    requests_open: int = 512
    # Streams and waits under way at once.
    streams_open: int = 512
    # Largest request, bytes; the server's own limit may be lower.
    message_bytes: int = 64 * 1024 * 1024
    # Solves that wait; those that run do not count.
    solves_queued: int = 100

    def __post_init__(self) -> None:
        """Refuse limits that let nothing through; raise ValueError with every one."""
        wrong = [f"{f.name}: must be greater than 0" for f in fields(self) if not getattr(self, f.name) > 0]
        if wrong:
            raise ValueError("\n".join(wrong))

    def by_name(self) -> dict[str, float]:
        """Return every limit by its name."""
        return {f.name: float(getattr(self, f.name)) for f in fields(self)}


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """Limits of one server, of all tenants together; names are those that GetLimits gives them."""

    # Calls under way at once, streams not counted.
    server_requests_open: int = 2048
    # Streams and waits under way at once.
    server_streams_open: int = 2048


class TokenBucket:
    """Lets ``rate`` units pass each second on average, and ``burst`` at once after a rest."""

    def __init__(self, rate: float, burst: float, monotonic: Callable[[], float]) -> None:
        self.rate = rate
        self._burst = burst
        self._monotonic = monotonic
        self._level = burst
        self._filled = monotonic()

    def take(self, units: float = 1.0) -> float:
        """Take ``units`` and return 0, or take nothing and return the seconds after which they will be there."""
        self._fill()
        # More than fits the bucket would never be there: it is let through when the bucket is full.
        if self._level >= min(units, self._burst):
            self._level -= units
            return 0.0
        return (min(units, self._burst) - self._level) / self.rate

    def give_back(self, units: float = 1.0) -> None:
        """Return units that were taken for a call that was refused all the same."""
        self._level = min(self._burst, self._level + units)

    @property
    def full(self) -> bool:
        """Whether it holds as much as it can."""
        self._fill()
        return self._level >= self._burst

    def _fill(self) -> None:
        now = self._monotonic()
        # A clock that went back must not empty the bucket.
        self._level = min(self._burst, self._level + max(0.0, now - self._filled) * self.rate)
        self._filled = now


def _none_open() -> dict[str, int]:
    return {"requests_open": 0, "streams_open": 0}


@dataclass(slots=True)
class _Usage:
    limits: TenantLimits
    all_calls: TokenBucket
    heavy_calls: TokenBucket
    open: dict[str, int] = field(default_factory=_none_open)

    @property
    def quiet(self) -> bool:
        return not any(self.open.values()) and self.all_calls.full and self.heavy_calls.full


class TenantLimiter:
    """Counts what each tenant, and all together, do in this process; use it from one event loop."""

    def __init__(
        self,
        default: TenantLimits | None = None,
        tenants: Mapping[str, TenantLimits] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        server: ServerLimits | None = None,
    ) -> None:
        """``tenants`` have limits of their own, all others the default; ``server`` is for all of them together."""
        self._default = default or TenantLimits()
        self.server = server or ServerLimits()
        self._server_open = _none_open()
        self._tenants = dict(tenants or {})
        self._monotonic = monotonic
        self._usage: dict[str, _Usage] = {}

    def limits(self, tenant: str) -> TenantLimits:
        """Return the limits of a tenant."""
        return self._tenants.get(tenant, self._default)

    def enter(self, tenant: str, rule: Rule) -> Callable[[], None]:
        """Let one call in until what is returned is called; raise LimitExceededError, which takes nothing away."""
        usage = self._of(tenant)
        name = "streams_open" if rule.stream else "requests_open"
        what = "streams and waits" if rule.stream else "calls"
        most = getattr(usage.limits, name)
        if usage.open[name] >= most:
            raise LimitExceededError(name, most, f"{most} {what} are under way already", BUSY_RETRY_SECONDS)
        most = getattr(self.server, f"server_{name}")
        if self._server_open[name] >= most:
            text = f"{most} {what} of all tenants are under way already"
            raise ServerBusyError(f"server_{name}", most, text, BUSY_RETRY_SECONDS)
        _take(usage.all_calls, "requests_per_second", 1.0)
        if rule.heavy:
            try:
                _take(usage.heavy_calls, "heavy_requests_per_second", 1.0)
            except LimitExceededError:
                usage.all_calls.give_back()
                raise
        usage.open[name] += 1
        self._server_open[name] += 1

        def leave() -> None:
            usage.open[name] -= 1
            self._server_open[name] -= 1

        return leave

    def charge(self, tenant: str, units: int = 1) -> None:
        """Count ``units`` more requests within an admitted stream; raise LimitExceededError."""
        _take(self._of(tenant).all_calls, "requests_per_second", float(units))

    def charge_heavy(self, tenant: str) -> None:
        """Count one call that turned out to cost a process; raise LimitExceededError."""
        _take(self._of(tenant).heavy_calls, "heavy_requests_per_second", 1.0)

    def check_message(self, tenant: str, size_bytes: int) -> None:
        """Raise LimitExceededError for a request larger than the tenant may send; trying again does not help."""
        most = self.limits(tenant).message_bytes
        if size_bytes > most:
            text = f"the request has {size_bytes} bytes, {most} are the most; upload larger problems in parts"
            raise LimitExceededError("message_bytes", most, text, None)

    def open_counts(self, tenant: str) -> Mapping[str, int]:
        """Return how many calls and streams of a tenant are under way, by the names of their limits."""
        return dict(self._of(tenant).open)

    def _of(self, tenant: str) -> _Usage:
        usage = self._usage.get(tenant)
        if usage is None:
            if len(self._usage) >= TENANTS_KEPT:
                self._usage = {name: kept for name, kept in self._usage.items() if not kept.quiet}
            limits = self.limits(tenant)
            every, heavy = limits.requests_per_second, limits.heavy_requests_per_second
            usage = _Usage(limits, self._bucket(every), self._bucket(heavy))
            self._usage[tenant] = usage
        return usage

    def _bucket(self, rate: float) -> TokenBucket:
        """Return a bucket for two seconds' worth, and at least one call."""
        return TokenBucket(rate, max(1.0, 2.0 * rate), self._monotonic)


def _take(bucket: TokenBucket, name: str, units: float) -> None:
    wait = bucket.take(units)
    if wait > 0.0:
        text = f"more than {bucket.rate:g} a second"
        raise LimitExceededError(name, bucket.rate, text, wait)
