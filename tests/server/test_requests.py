"""How requests are read: names, sizes, lists, and that each method of the contract has its function."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from google.longrunning import operations_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from tehai.engine.messages import (
    MalformedMessageError,
    RestTooLargeError,
    TooManyEntriesError,
    delimited_field,
    field_bytes,
    split_field,
)
from tehai.operations.errors import BlobNotFoundError, SolveNotFoundError
from tehai.security.gate import _ADMISSION, Admission
from tehai.security.principal import CredentialKind, Principal
from tehai.security.scopes import RULES
from tehai.server.handlers import RAW, generic_handler
from tehai.server.limits import LIST_LIMITS, new_scanner
from tehai.server.request_errors import InvalidRequestError, MalformedRequestError, RequestTooLargeError
from tehai.server.resources import Collection, own_resource
from tehai.v1 import plan_pb2, problem_pb2
from tehai.v1 import sourcing_service_pb2 as pb

SOLVE = "0f8fad5b-d9cb-469f-a165-70867728950e"
SOURCING = pb.DESCRIPTOR.services_by_name["SourcingService"]
OPERATIONS = operations_pb2.DESCRIPTOR.services_by_name["Operations"]
CREATE = pb.CreateSolveRequest.DESCRIPTOR.full_name


@contextmanager
def admitted(tenant: str) -> Iterator[Admission]:
    """Handle a call of a tenant."""
    admission = Admission(Principal(tenant, "", frozenset(), CredentialKind.ANONYMOUS))
    token = _ADMISSION.set(admission)
    try:
        yield admission
    finally:
        _ADMISSION.reset(token)


def test_a_name_of_ones_own_is_read_and_noted() -> None:
    """Tenant and id come out of a name, and the audit log learns it."""
    with admitted("acme") as admission:
        owned = own_resource(f"tenants/acme/solves/{SOLVE}", Collection.SOLVE, "name")
        assert (owned.tenant, owned.id) == ("acme", SOLVE)
        assert admission.resource == f"tenants/acme/solves/{SOLVE}"


@pytest.mark.parametrize(
    "name",
    [
        "",
        SOLVE,
        "tenants/acme/solves/",
        f"tenants/acme/plans/{SOLVE}",
        f"tenants//solves/{SOLVE}",
        f"tenants/acme/solves/{SOLVE}/",
        f"/tenants/acme/solves/{SOLVE}",
        f"tenants/../solves/{SOLVE}",
        f"tenants/ACME/solves/{SOLVE}",
        "tenants/acme/solves/a b",
        "tenants/acme/solves/a\0",
        "tenants/acme/solves/%2e",
        "tenants/acme/solves/" + "a" * 64,
        "tenants/acme/solves/" + "a" * 100_000,
    ],
)
def test_what_is_no_name_is_refused_with_its_field(name: str) -> None:
    """A malformed name is INVALID_ARGUMENT, names the field, and shows what a name looks like."""
    with admitted("acme"), pytest.raises(InvalidRequestError) as caught:
        own_resource(name, Collection.SOLVE, "name")
    assert caught.value.faults[0].field == "name"
    assert "tenants/{tenant}/solves/{solve}" in caught.value.faults[0].text


@pytest.mark.parametrize("collection", list(Collection))
def test_anothers_resource_is_as_one_that_is_not_there(collection: Collection) -> None:
    """The error for another tenant's name is that of a missing resource, and holds no word of the tenant."""
    resource_id = "a" * 64 if collection is Collection.PROBLEM else SOLVE
    with admitted("acme"), pytest.raises((SolveNotFoundError, BlobNotFoundError)) as caught:
        own_resource(f"tenants/other/{collection.value}/{resource_id}", collection, "name")
    assert "other" not in str(caught.value)


def lists_below(message: Descriptor, seen: set[str]) -> Iterator[FieldDescriptor]:
    """Yield every list that a message may hold, at any depth."""
    if message.full_name in seen:
        return
    seen.add(message.full_name)
    for field in message.fields:
        if field.is_repeated:
            yield field
        if field.message_type is not None:
            yield from lists_below(field.message_type, seen)


def test_every_list_of_a_problem_has_a_limit() -> None:
    """A list that is added to the contract cannot be forgotten."""
    names = {field.full_name for field in lists_below(problem_pb2.Problem.DESCRIPTOR, set())}
    assert len(names) > 40
    assert names == set(LIST_LIMITS)


def test_a_request_is_scanned_and_split() -> None:
    """The problem's bytes come out as they went in; what is beside them is a request without a problem."""
    problem = problem_pb2.Problem(display_name="June")
    request = pb.CreateSolveRequest(problem=problem, request_id="r", options=plan_pb2.SolveOptions(threads=1))
    data = request.SerializeToString()
    new_scanner().check(CREATE, data, counted=True)
    split = split_field(data, pb.CreateSolveRequest.PROBLEM_FIELD_NUMBER, 100)
    assert split.value == problem.SerializeToString()
    rest = pb.CreateSolveRequest.FromString(split.rest)
    assert (rest.request_id, rest.options.threads, rest.HasField("problem")) == ("r", 1, False)
    with pytest.raises(RestTooLargeError):
        split_field(data, pb.CreateSolveRequest.PROBLEM_FIELD_NUMBER, 3)
    assert field_bytes(delimited_field(2, b"abc") + delimited_field(9, b"x"), 2) == b"abc"
    assert field_bytes(b"", 2) is None


def test_a_list_that_is_too_long_is_refused_by_path() -> None:
    """Lists are counted where they are, also within other messages."""
    scanner = new_scanner()
    programmes = pb.CreateSolveRequest()
    for _ in range(101):
        programmes.problem.programmes.add()
    with pytest.raises(TooManyEntriesError) as caught:
        scanner.check(CREATE, programmes.SerializeToString(), counted=True)
    assert caught.value.path == "problem.programmes"
    scanner.check(CREATE, programmes.SerializeToString(), counted=False)
    gangs = pb.CreateSolveRequest()
    for count in (1, 33):
        workload = gangs.problem.workloads.add()
        for _ in range(count):
            workload.gang_options.add()
    with pytest.raises(TooManyEntriesError) as caught:
        scanner.check(CREATE, gangs.SerializeToString(), counted=True)
    assert caught.value.path == "problem.workloads[1].gang_options"


@pytest.mark.parametrize("data", [b"\x0a\x05a", b"\xff", b"\x0b\x0c", b"\x0a\x04\x0a\x02\xff\xfe", b"\x08\x01"])
def test_bytes_that_are_no_request_are_refused(data: bytes) -> None:
    """What protobuf would not read, the scan does not pass either."""
    with pytest.raises(MalformedMessageError):
        new_scanner().check(CREATE, data, counted=True)


class Everything:
    """Has a function for every method."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - a function of any kind
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda request, _: request


def reader_of(service: Any, method: str) -> Any:  # noqa: ANN401 - descriptors are untyped
    """Return what reads the request of a method."""
    handler: Any = generic_handler(service, (Everything(),))
    details: Any = type("Details", (), {"method": f"/{service.full_name}/{method}"})()
    return handler.service(details).request_deserializer


def test_a_request_that_cannot_be_read_or_is_too_large_is_refused_in_words_of_ours() -> None:
    """Neither the parser's text nor an unbounded parse reaches anybody."""
    read = reader_of(SOURCING, "GetSolve")
    assert read(pb.GetSolveRequest(name="a").SerializeToString()).name == "a"
    with pytest.raises(MalformedRequestError):
        read(b"\xff\xff")
    with pytest.raises(RequestTooLargeError):
        read(pb.GetSolveRequest(name="a" * 70_000).SerializeToString())


def test_large_requests_are_not_read_by_the_interpreter() -> None:
    """Methods whose requests hold a problem or come in thousands take bytes."""
    assert all(reader_of(SOURCING, name) is None for name in RAW)
    with_problem = {
        method.name
        for method in SOURCING.methods
        if any(field.message_type is problem_pb2.Problem.DESCRIPTOR for field in method.input_type.fields)
    }
    assert with_problem == {"CreateSolve", "StreamSolve", "CheckProblem"}
    assert with_problem < RAW


@pytest.mark.parametrize("service", [SOURCING, OPERATIONS])
def test_each_method_has_its_function_and_its_rule(service: Any) -> None:  # noqa: ANN401 - descriptors are untyped
    """A method that is added to the contract is served by exactly one function, and the gate knows what it needs."""
    from tehai.server.check_methods import CheckMethods
    from tehai.server.operations_service import OperationMethods
    from tehai.server.plan_methods import PlanMethods
    from tehai.server.quote_methods import QuoteMethods
    from tehai.server.solve_methods import SolveMethods
    from tehai.server.stream_solve import StreamSolveMethods
    from tehai.server.upload_methods import UploadMethods

    kinds = (SolveMethods, PlanMethods, UploadMethods, QuoteMethods, StreamSolveMethods, CheckMethods)
    chosen = (OperationMethods,) if service is OPERATIONS else kinds
    assert generic_handler(service, chosen)
    for method in service.methods:
        rule = RULES[f"/{service.full_name}/{method.name}"]
        waits = method.name == "WaitOperation"
        assert rule.stream == (method.client_streaming or method.server_streaming or waits), method.name
    functions = [name for kind in chosen for name, _ in inspect.getmembers(kind, inspect.isfunction) if name[0] != "_"]
    assert len(functions) == len(service.methods)
