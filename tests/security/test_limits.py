"""Limits per tenant: rate, what is open at once, size, queue; by a clock that the test moves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tehai.security.errors import LimitExceededError
from tehai.security.limits import TENANTS_KEPT, ServerLimits, TenantLimiter, TenantLimits, TokenBucket
from tehai.security.scopes import Access, Rule
from tests.security.material import Clock

LIGHT = Rule(Access.AUTHENTICATED)
HEAVY = Rule(Access.AUTHENTICATED, heavy=True)
STREAM = Rule(Access.AUTHENTICATED, stream=True)
SMALL = TenantLimits(
    requests_per_second=5,
    heavy_requests_per_second=1,
    requests_open=2,
    streams_open=1,
    message_bytes=1000,
    solves_queued=3,
)


@contextmanager
def admitted(limiter: TenantLimiter, tenant: str, rule: Rule) -> Iterator[None]:
    """Let a call in for the length of the block, as the gate does."""
    leave = limiter.enter(tenant, rule)
    try:
        yield
    finally:
        leave()


def call(limiter: TenantLimiter, tenant: str = "example", rule: Rule = LIGHT) -> LimitExceededError | None:
    """Make one short call; return the refusal, if any."""
    try:
        with admitted(limiter, tenant, rule):
            return None
    except LimitExceededError as error:
        return error


def test_a_burst_passes_and_then_the_rate() -> None:
    """Twice the rate passes at once; then a call is refused with exactly the time after which it passes."""
    clock = Clock(0.0)
    limiter = TenantLimiter(SMALL, monotonic=clock)
    assert [call(limiter) for _ in range(10)] == [None] * 10
    refused = call(limiter)
    assert refused is not None
    assert (refused.limit, refused.value, refused.reason) == ("requests_per_second", 5, "LIMIT_EXCEEDED")
    assert refused.retry_seconds is not None
    assert refused.retry_seconds == pytest.approx(0.2)
    clock.seconds += refused.retry_seconds
    assert call(limiter) is None
    assert call(limiter) is not None


def test_tenants_do_not_share() -> None:
    """One tenant at its limit leaves another alone, and one may have limits of its own."""
    limiter = TenantLimiter(SMALL, {"large": TenantLimits(requests_per_second=50)}, Clock(0.0))
    assert [call(limiter) is None for _ in range(11)] == [True] * 10 + [False]
    assert [call(limiter, "other") is None for _ in range(11)] == [True] * 10 + [False]
    assert [call(limiter, "large") is None for _ in range(101)] == [True] * 100 + [False]


def test_heavy_calls_have_a_rate_of_their_own() -> None:
    """A heavy call counts twice, and one that is refused as heavy takes nothing from the light ones."""
    limiter = TenantLimiter(SMALL, monotonic=Clock(0.0))
    assert [call(limiter, rule=HEAVY) is None for _ in range(5)] == [True, True, False, False, False]
    refused = call(limiter, rule=HEAVY)
    assert refused is not None
    assert refused.limit == "heavy_requests_per_second"
    assert refused.retry_seconds == pytest.approx(1.0)
    assert [call(limiter) is None for _ in range(9)] == [True] * 8 + [False]


def test_calls_and_streams_at_once_are_counted_apart() -> None:
    """As many as the limit are open at once, and a place is free again when its call ends, however it ends."""
    limiter = TenantLimiter(SMALL, monotonic=Clock(0.0))
    with admitted(limiter, "example", LIGHT), admitted(limiter, "example", LIGHT), admitted(limiter, "example", STREAM):
        assert limiter.open_counts("example") == {"requests_open": 2, "streams_open": 1}
        calls, streams = call(limiter), call(limiter, rule=STREAM)
        assert calls is not None
        assert streams is not None
        assert (calls.limit, streams.limit) == ("requests_open", "streams_open")
        assert calls.retry_seconds is not None
        assert call(limiter, "other") is None
    with pytest.raises(KeyError), admitted(limiter, "example", LIGHT):
        raise KeyError
    assert limiter.open_counts("example") == {"requests_open": 0, "streams_open": 0}


def test_all_tenants_together_have_a_limit_too() -> None:
    """One at a limit of its own is told so; another one that the server has no place left for, that it is busy."""
    server = ServerLimits(server_requests_open=3, server_streams_open=1)
    limiter = TenantLimiter(SMALL, monotonic=Clock(0.0), server=server)
    with ExitStack() as stack:
        for tenant, rule in (("a", LIGHT), ("a", LIGHT), ("b", LIGHT), ("b", STREAM)):
            stack.enter_context(admitted(limiter, tenant, rule))
        refused = [call(limiter, "a"), call(limiter, "b"), call(limiter, "c", HEAVY), call(limiter, "c", STREAM)]
        assert [(error.reason, error.limit, error.value) for error in refused if error is not None] == [
            ("LIMIT_EXCEEDED", "requests_open", 2),
            ("SERVER_BUSY", "server_requests_open", 3),
            ("SERVER_BUSY", "server_requests_open", 3),
            ("SERVER_BUSY", "server_streams_open", 1),
        ]
        assert all(error is not None and error.retry_seconds for error in refused)
    # Those that were refused took nothing of the rate: a heavy one passes, and there is one.
    assert [call(limiter, "c", HEAVY), call(limiter, "c", STREAM)] == [None, None]
    with pytest.raises(KeyError), admitted(limiter, "a", STREAM):
        raise KeyError
    assert call(limiter, "b", STREAM) is None


def test_messages_within_a_stream_count() -> None:
    """A stream of many requests runs into the same rate as many calls."""
    limiter = TenantLimiter(SMALL, monotonic=Clock(0.0))
    with admitted(limiter, "example", STREAM):
        for _ in range(9):
            limiter.charge("example")
        with pytest.raises(LimitExceededError) as caught:
            limiter.charge("example", 3)
    assert caught.value.retry_seconds == pytest.approx(0.6)


def test_size() -> None:
    """The largest size passes; one more byte does not, and waiting does not help."""
    limiter = TenantLimiter(SMALL)
    limiter.check_message("example", 1000)
    with pytest.raises(LimitExceededError) as size:
        limiter.check_message("example", 1001)
    assert (size.value.limit, size.value.retry_seconds) == ("message_bytes", None)


def test_more_than_a_bucket_holds_passes_when_it_is_full() -> None:
    """A charge above the burst is not refused for ever: it passes once, and its debt is paid by waiting."""
    clock = Clock(0.0)
    bucket = TokenBucket(2.0, 4.0, clock)
    assert bucket.take(10) == 0.0
    assert bucket.take(1) == pytest.approx(3.5)
    clock.seconds += 3.5
    assert bucket.take(1) == 0.0


def test_a_clock_that_goes_back_takes_nothing() -> None:
    """A step backwards neither empties nor fills a bucket."""
    clock = Clock(100.0)
    bucket = TokenBucket(1.0, 2.0, clock)
    bucket.take(1)
    clock.seconds = 50.0
    assert bucket.take(1) == 0.0
    assert bucket.take(1) > 0.0


def test_memory_is_bounded() -> None:
    """Quiet tenants are let go; one with an open stream or an empty bucket is not."""
    clock = Clock(0.0)
    limiter = TenantLimiter(SMALL, monotonic=clock)
    with admitted(limiter, "streaming", STREAM):
        for number in range(TENANTS_KEPT - 1):
            call(limiter, f"t{number}")
        clock.seconds += 100
        for _ in range(10):
            call(limiter, "busy")
        call(limiter, "one-more")
        assert set(limiter._usage) == {"streaming", "busy", "one-more"}
        assert call(limiter, "streaming", STREAM) is not None


def test_limits_that_let_nothing_through_are_refused() -> None:
    """Zero is no limit but a closed door; every such field is named."""
    with pytest.raises(ValueError, match="requests_open") as caught:
        TenantLimits(requests_open=0, solves_queued=-1)
    assert "solves_queued" in str(caught.value)
    assert TenantLimits().by_name()["message_bytes"] == 64 * 1024 * 1024


@given(st.floats(0.1, 1000), st.floats(1, 100), st.lists(st.tuples(st.floats(0, 5), st.floats(0.1, 50)), max_size=60))
def test_no_bucket_lets_more_through_than_its_rate(rate: float, burst: float, steps: list[tuple[float, float]]) -> None:
    """Whatever comes when, units that passed never exceed burst and rate together by more than one charge."""
    clock = Clock(0.0)
    bucket = TokenBucket(rate, burst, clock)
    passed, largest = 0.0, 0.0
    for wait, units in steps:
        clock.seconds += wait
        if bucket.take(units) == 0.0:
            passed += units
            largest = max(largest, units)
    assert passed <= burst + rate * clock.seconds + max(0.0, largest - burst) + 1e-6
