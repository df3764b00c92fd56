"""What Rust refuses is what the rules of a problem refuse: the fast path answers no nonsense, the slow one says why."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.message import Message
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tehai.domain.violation import InvalidProblemError
from tehai.quote import QuoteBook, QuoteRefusedError
from tehai.quote.messages import CODES, STREAM, WORKLOADS, check_request_bytes
from tehai.v1 import sourcing_service_pb2, workload_pb2
from tehai.wire.workload import workload_to_proto
from tests.quote.asking import EXPIRE_SECONDS, PLAN, ask, random_book

Change = Callable[[workload_pb2.Workload], object]
SEED = 3


def _set(**values: object) -> Change:
    """Return a change that sets fields."""

    def change(workload: workload_pb2.Workload) -> None:
        for name, value in values.items():
            setattr(workload, name, value)

    return change


def _clear(name: Any) -> Change:  # noqa: ANN401 - one of the fields
    def change(workload: workload_pb2.Workload) -> None:
        workload.ClearField(name)

    return change


def _gang(accelerators: int, efficiency: float = 0.9) -> Change:
    return lambda w: w.gang_options.append(
        workload_pb2.GangOption(accelerators=accelerators, scaling_efficiency_fraction=efficiency)
    )


def _porting(accelerator_id: str, amount_yen: int) -> Change:
    return lambda w: w.porting.append(workload_pb2.Porting(accelerator_id=accelerator_id, amount_yen=amount_yen))


def _pausing(pauses_max: int, hours: float) -> Change:
    return lambda w: w.pausing.CopyFrom(workload_pb2.Pausing(pauses_max=pauses_max, resume_overhead_hours=hours))


def _both(first: Change, second: Change) -> Change:
    def change(workload: workload_pb2.Workload) -> None:
        first(workload)
        second(workload)

    return change


def _country(code: str) -> Change:
    return lambda w: w.sovereignty.site_country_codes.append(code)


BAD: dict[str, Change] = {
    "id missing": _set(id=""),
    "id malformed": _set(id="Job_1"),
    "id too long": _set(id="a" * 64),
    "member unknown": _set(member_id="nobody"),
    "project unknown": _set(project_id="no-such-project"),
    "project malformed": _set(project_id="No project"),
    "release is no date": _set(release_date="2028-02-30"),
    "release in another form": _set(release_date="2028-2-3"),
    "deadline missing": _set(deadline_date=""),
    "deadline before release": _set(release_date="2028-05-01", deadline_date="2028-04-30"),
    "deadline on release": _set(release_date="2028-05-01", deadline_date="2028-05-01"),
    "no work": _both(_clear("flops"), _clear("normalised_accelerator_hours")),
    "work of nothing": _set(normalised_accelerator_hours=0.0),
    "work negative": _set(normalised_accelerator_hours=-1.0),
    "work not a number": _set(normalised_accelerator_hours=math.nan),
    "work too large": _set(normalised_accelerator_hours=1.1e12),
    "flops infinite": _set(flops=math.inf),
    "flops negative": _set(flops=-1e20),
    "no gang": _clear("gang_options"),
    "gang of nothing": _gang(0),
    "gang negative": _gang(-8),
    "gang too large": _gang(10_000_001),
    "gang twice": _both(_gang(977), _gang(977)),
    "efficiency zero": _gang(977, 0.0),
    "efficiency above one": _gang(977, 1.000001),
    "efficiency not a number": _gang(977, math.nan),
    "memory negative": _set(memory_gb=-1.0),
    "memory not a number": _set(memory_gb=math.nan),
    "memory too large": _set(memory_gb=1.1e12),
    "family missing": _set(software_family=""),
    "family blank": _set(software_family="  "),
    "family of two lines": _set(software_family="cuda\nrocm"),
    "family in parts": _set(software_family="cafe\u0301"),
    "display name with a zero byte": _set(display_name="a\0"),
    "display name in parts": _set(display_name="\u30cf\u309a"),
    "display name too long": _set(display_name="a" * 2_001),
    "tag in parts": lambda w: w.tags.append("cafe\u0301"),
    "tag empty": lambda w: w.tags.append(""),
    "tag twice": lambda w: w.tags.extend(["x", "x"]),
    "country malformed": _country("jp"),
    "country of three": _country("JPN"),
    "lateness negative": _set(late_start_yen_per_period=-1),
    "lateness too large": _set(late_start_yen_per_period=10**15 + 1),
    "not run negative": _set(cost_not_run_yen=-1),
    "not run too large": _set(cost_not_run_yen=10**15 + 1),
    "neither cost nor mandatory": _both(_clear("cost_not_run_yen"), _clear("mandatory")),
    "mandatory false": _set(mandatory=False),
    "data site unknown": _set(data_site_id="nowhere", data_terabytes=1.0),
    "data without size": _both(_clear("data_terabytes"), _set(data_site_id="nowhere")),
    "data without site": _both(_clear("data_site_id"), _set(data_terabytes=1.0)),
    "data negative": _set(data_terabytes=-1.0),
    "data not a number": _set(data_terabytes=math.nan),
    "data too large": _set(data_terabytes=1.1e9),
    "porting unknown": _porting("no-chip", 1),
    "porting twice": _both(_porting("no-chip", 1), _porting("no-chip", 1)),
    "no pauses": _pausing(0, 1.0),
    "too many pauses": _pausing(4, 1.0),
    "pause saves time": _pausing(1, -1.0),
    "pause too long": _pausing(1, 8_785.0),
    "too many predecessors": lambda w: w.after_workload_ids.extend(["a"] * 65),
}
GOOD: dict[str, Change] = {
    "as it is": lambda _: None,
    "display name in Japanese": _set(display_name="学習"),
    "longest display name": _set(display_name="\u00e9" * 2_000),
    "large gang of the smallest efficiency": _gang(9_999_999, 1e-6),
    "efficiency one": _gang(977, 1.0),
    "free of charge": _set(late_start_yen_per_period=0, cost_not_run_yen=0),
    "dearest": _set(late_start_yen_per_period=10**15, cost_not_run_yen=10**15),
    "largest work": _set(normalised_accelerator_hours=1e12),
    "smallest work": _set(normalised_accelerator_hours=5e-324),
    "mandatory": _set(mandatory=True),
    "far away": _set(release_date="0001-01-01", deadline_date="9999-12-31"),
    "before the horizon": _set(release_date="1900-01-01", deadline_date="1900-02-01"),
    "after the horizon": _set(release_date="2500-01-01", deadline_date="2500-02-01"),
    "no such family": _set(software_family="fortran"),
    "countries": _both(_country("JP"), _country("ZZ")),
    "precedence": lambda w: w.after_workload_ids.append("anything"),
    "pauses": _pausing(3, 8_784.0),
    "id of the longest": _set(id="a" * 63, project_id=""),
}


def _workload(change: Change) -> workload_pb2.Workload:
    problem, _, _ = random_book(SEED)
    workload = workload_to_proto(problem.workloads[0])
    change(workload)
    return workload


def _request(change: Change) -> bytes:
    many = sourcing_service_pb2.QuoteWorkloadsRequest(plan=PLAN, workloads=[_workload(change)])
    return many.SerializeToString()


@pytest.mark.parametrize("name", BAD)
def test_bad_requests_are_refused_by_both_paths(name: str) -> None:
    """Rust refuses, and the rules say where: every path lies within the workload."""
    _, _, book = random_book(SEED)
    with pytest.raises(QuoteRefusedError) as refused:
        ask(book, _request(BAD[name]))
    assert refused.value.path.startswith("workloads[0]")
    with pytest.raises(InvalidProblemError) as invalid:
        check_request_bytes(book, _request(BAD[name]))
    assert all(violation.path.startswith("workloads[0]") for violation in invalid.value.violations)
    assert all(violation.action for violation in invalid.value.violations)


@pytest.mark.parametrize("name", GOOD)
def test_good_requests_are_answered_by_both_paths(name: str) -> None:
    """Neither path refuses what is at the edge of the limits or cannot be placed; the latter has a reason."""
    _, _, book = random_book(SEED)
    [quote] = ask(book, _request(GOOD[name]))
    assert bool(quote.placements) != bool(quote.reason)
    check_request_bytes(book, _request(GOOD[name]))


def test_every_fault_of_a_request_is_named_at_once() -> None:
    """The slow path tells all faults of all workloads, each with its own path."""
    _, _, book = random_book(SEED)
    bad = [_workload(BAD[name]) for name in ("member unknown", "gang of nothing", "project unknown")]
    request = sourcing_service_pb2.QuoteWorkloadsRequest(plan=PLAN, workloads=bad, placements_max=21)
    with pytest.raises(InvalidProblemError) as invalid:
        check_request_bytes(book, request.SerializeToString())
    assert {violation.path.split(".")[0] for violation in invalid.value.violations} == {
        "placements_max",
        "workloads[0]",
        "workloads[1]",
        "workloads[2]",
    }


@pytest.mark.parametrize(
    ("count", "placements_max", "path"),
    [(0, 0, "workloads"), (101, 0, "workloads"), (1, -1, "placements_max"), (1, 21, "placements_max")],
)
def test_counts_are_bounded(count: int, placements_max: int, path: str) -> None:
    """A request has 1 to 100 workloads and asks for at most 20 placements; both paths say so."""
    _, _, book = random_book(SEED)
    workloads = [_workload(GOOD["as it is"])] * count
    request = sourcing_service_pb2.QuoteWorkloadsRequest(
        plan=PLAN, workloads=workloads, placements_max=placements_max
    ).SerializeToString()
    with pytest.raises(QuoteRefusedError) as refused:
        ask(book, request)
    assert refused.value.path == path
    with pytest.raises(InvalidProblemError) as invalid:
        check_request_bytes(book, request)
    assert [violation.path for violation in invalid.value.violations] == [path]
    assert invalid.value.violations[0].code in CODES


def test_stream_requests_are_named_by_their_own_fields() -> None:
    """A request of a stream has one workload: its paths begin with ``workload``."""
    _, _, book = random_book(SEED)
    bad = sourcing_service_pb2.StreamQuotesRequest(workload=_workload(BAD["member unknown"]))
    with pytest.raises(InvalidProblemError) as invalid:
        check_request_bytes(book, bad.SerializeToString(), STREAM)
    assert [violation.path for violation in invalid.value.violations] == ["workload.member_id"]
    with pytest.raises(InvalidProblemError) as invalid:
        check_request_bytes(book, b"", STREAM)
    assert [violation.code for violation in invalid.value.violations] == ["Q1005"]


def test_bytes_that_are_no_request_are_refused() -> None:
    """Garbage is a refusal on both paths, not a crash."""
    _, _, book = random_book(SEED)
    with pytest.raises(QuoteRefusedError):
        ask(book, b"\xff\xff\xff")
    with pytest.raises(InvalidProblemError) as invalid:
        check_request_bytes(book, b"\xff\xff\xff")
    assert [violation.code for violation in invalid.value.violations] == ["Q1001"]


def test_codes_are_documented() -> None:
    """docs/quotes.md has every code of its own with what to do."""
    text = (Path(__file__).resolve().parents[2] / "docs" / "quotes.md").read_text(encoding="utf-8")
    assert len(CODES) >= 5
    for code, action in CODES.items():
        [row] = [line for line in text.splitlines() if line.startswith(f"| {code} |")]
        assert row.endswith(f"| {action} |")


def _unknown_field(message: Message) -> bytes:
    """Return the encoding of a number under the first field number that the contract of a message does not have."""
    key = (max(field.number for field in message.DESCRIPTOR.fields) + 1) << 3
    return bytes([key, 5]) if key < 0x80 else bytes([key & 0x7F | 0x80, key >> 7, 5])


def _messages(message: Message, path: str = "") -> Iterator[tuple[str, Message]]:
    """Yield a message and those in it with their paths."""
    yield path, message
    for descriptor, value in message.ListFields():
        if descriptor.message_type is not None:
            where = f"{path}.{descriptor.name}".lstrip(".")
            for i, inner in enumerate(value if descriptor.is_repeated else [value]):
                yield from _messages(inner, f"{where}[{i}]" if descriptor.is_repeated else where)


def _full(kind: str) -> Message:
    """Return a request that has a message in every field that takes one."""
    workload = _workload(_both(_both(_country("JP"), _pausing(1, 1.0)), _porting("no-chip", 1)))
    if kind == STREAM:
        return sourcing_service_pb2.StreamQuotesRequest(plan=PLAN, workload=workload)
    return sourcing_service_pb2.QuoteWorkloadsRequest(plan=PLAN, workloads=[workload])


def _ask_either(book: bytes, request: bytes, kind: str) -> None:
    if kind == STREAM:
        QuoteBook(book).stream([request], PLAN, EXPIRE_SECONDS, 0)
    else:
        ask(book, request)


@pytest.mark.parametrize("kind", [WORKLOADS, STREAM])
def test_fields_that_are_not_known_are_refused_by_path(kind: str) -> None:
    """A field of a later contract, or a misspelt one, is refused at every depth by both paths; all known ones pass."""
    _, _, book = random_book(SEED)
    paths = [path for path, _ in _messages(_full(kind))]
    known = {re.sub(r"\[\d+\]", "", path.removeprefix("workloads[0]").removeprefix("workload")) for path in paths}
    assert known == {"", ".gang_options", ".sovereignty", ".porting", ".pausing"}
    for place, path in enumerate(paths):
        request = _full(kind)
        message = list(_messages(request))[place][1]
        message.MergeFromString(_unknown_field(message))
        with pytest.raises(QuoteRefusedError, match="not known"):
            _ask_either(book, request.SerializeToString(), kind)
        with pytest.raises(InvalidProblemError) as invalid:
            check_request_bytes(book, request.SerializeToString(), kind)
        [violation] = [violation for violation in invalid.value.violations if violation.code == "E1110"]
        assert violation.path.rpartition(".")[0] == path


CUTS = st.lists(st.tuples(st.integers(0, 2_000), st.binary(max_size=6)), min_size=1, max_size=4)
# Pieces that a change at random seldom hits: text that is refused, and fields that are not known.
PIECES = st.sampled_from((b"\0", b"\n", b"\xcc\x81", b"\xe2\x80\xa8", b"\x08\x05", b"\xb8\x01\x05", b"\x78\x00"))


def _damaged(cuts: Sequence[tuple[int, bytes]]) -> bytes:
    data = bytearray(_full(WORKLOADS).SerializeToString())
    for at, replacement in cuts:
        at %= len(data)
        data[at : at + len(replacement)] = replacement
    return bytes(data)


def _agree(request: bytes) -> None:
    """Both paths take a request or both refuse it, and answers are finite."""
    _, _, book = random_book(SEED)
    try:
        quotes = ask(book, request)
    except QuoteRefusedError:
        with pytest.raises(InvalidProblemError):
            check_request_bytes(book, request)
        return
    for quote in quotes:
        assert bool(quote.placements) != bool(quote.reason)
        assert all(0 < placement.run_hours < math.inf for placement in quote.placements)
    check_request_bytes(book, request)


@given(cuts=CUTS)
@settings(max_examples=300, deadline=None)
def test_mutated_requests_crash_nothing(cuts: list[tuple[int, bytes]]) -> None:
    """Bytes changed at random are answered with finite figures or refused, by both paths alike."""
    _agree(_damaged(cuts))


@pytest.mark.slow
@given(cuts=st.lists(st.tuples(st.integers(0, 2_000), st.one_of(PIECES, st.binary(max_size=6))), max_size=4))
@settings(max_examples=30_000, deadline=None, suppress_health_check=list(HealthCheck))
def test_many_mutated_requests_crash_nothing(cuts: list[tuple[int, bytes]]) -> None:
    """The same for many more, with damage that text and field numbers are prone to."""
    _agree(_damaged(cuts))
