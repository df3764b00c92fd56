"""Who may call what: every RPC of the contract, found by its descriptor, with keys and tokens of two tenants."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import grpc
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from google.longrunning import operations_pb2 as lro
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from tehai.catalog import demo_problem
from tehai.operations.records import ApiKeyRecord
from tehai.operations.store import open_store
from tehai.security.api_keys import new_api_key
from tehai.security.scopes import ALL_SCOPES, RULES, Access, Scope
from tehai.v1 import sourcing_service_pb2 as pb
from tehai.v1.plan_pb2 import SolveOptions
from tehai.wire import problem_to_proto
from tests.security.material import AUDIENCE, ISSUER, TOKEN_KEYS, PrivateKey, jwk, jwks
from tests.server.databases import NewDatabase
from tests.server.process import ServerProcess, reason_of, status_of
from tests.server.waiting import SHORT, create, ended, solve_of

SERVICES = (pb.DESCRIPTOR.services_by_name["SourcingService"], lro.DESCRIPTOR.services_by_name["Operations"])
METHODS = [method for service in SERVICES for method in service.methods]
# Methods that name no resource: what they see follows from the credential alone.
WITHOUT_A_NAME = {
    "CreateSolve",
    "ListSolves",
    "UploadProblem",
    "GetLimits",
    "StreamSolve",
    "CheckProblem",
    "GetDemoProblem",
}
NAME_FIELDS = ("name", "plan", "from_plan", "to_plan", "stored_problem")
Code = grpc.StatusCode


@dataclass(frozen=True)
class Tenants:
    """A server with keys of two tenants, and a solve of the first one that has ended."""

    server: ServerProcess
    keys: dict[str, str]
    operation: lro.Operation
    stored_problem: str
    database_url: str

    def names(self, tenant: str) -> dict[str, str]:
        """Return the names of the solve's resources by the collection, as if they were of ``tenant``."""
        solve_id = self.operation.name.rpartition("/")[2]
        found = {c: f"tenants/{tenant}/{c}/{solve_id}" for c in ("solves", "plans", "operations")}
        return {**found, "problems": self.stored_problem.replace("/acme/", f"/{tenant}/")}


async def _keys(url: str, path: Path) -> dict[str, str]:
    """Make keys: for everything, of two tenants, and one for each scope."""
    store = await open_store(url, path)
    try:
        wanted = {"acme": ("acme", sorted(ALL_SCOPES)), "other": ("other", sorted(ALL_SCOPES))}
        wanted |= {scope.value: ("acme", [scope.value]) for scope in Scope}
        made = {}
        for name, (tenant, scopes) in wanted.items():
            key = new_api_key(tenant, scopes, name, 1)
            await store.put_key(ApiKeyRecord(**asdict(key.record)))
            made[name] = key.text
        return made
    finally:
        await store.close()


@pytest.fixture(scope="module")
def tenants(tmp_path_factory: pytest.TempPathFactory, new_database: NewDatabase) -> Iterator[Tenants]:
    """Return a server that takes no anonymous calls."""
    folder = tmp_path_factory.mktemp("access")
    path = folder / "solves.sqlite3"
    jwks(folder / "jwks.json", jwk(TOKEN_KEYS["EdDSA"], kid="k"))
    settings: dict[str, Any] = {
        "database_path": path,
        "anonymous_on_loopback": False,
        "reflection": True,
        "token_keys_file": folder / "jwks.json",
        "token_audience": AUDIENCE,
        "token_issuer": ISSUER,
    }
    with new_database() as url:
        keys = asyncio.run(_keys(url, path))
        with ServerProcess(database_url=url, **settings) as server:
            yield _with_a_solve(server, keys, url)


def _with_a_solve(server: ServerProcess, keys: dict[str, str], url: str) -> Tenants:
    problem = problem_to_proto(demo_problem("small"))
    operation = create(server, problem, SHORT, keys["acme"])
    assert ended(server, operation, keys["acme"]).plan
    data = problem.SerializeToString()
    header = pb.UploadHeader(total_bytes=len(data), content_sha256=sha256(data).hexdigest())
    parts = iter([pb.UploadProblemRequest(header=header), pb.UploadProblemRequest(data=data)])
    stored = server.stub(keys["acme"]).UploadProblem(parts, timeout=30)
    return Tenants(server, keys, operation, stored.name, url)


def call(server: ServerProcess, method: MethodDescriptor, request: Message, bearer: str = "") -> list[bytes]:
    """Call any method with one request and return every answer."""
    channel: Any = server.channel(bearer)
    kinds = {
        (False, False): channel.unary_unary,
        (False, True): channel.unary_stream,
        (True, False): channel.stream_unary,
        (True, True): channel.stream_stream,
    }
    made = kinds[method.client_streaming, method.server_streaming](
        f"/{method.containing_service.full_name}/{method.name}", type(request).SerializeToString, None
    )
    answer = made(iter([request]) if method.client_streaming else request, timeout=60)
    return list(answer) if method.server_streaming else [answer]


def code_of(tenants: Tenants, method: MethodDescriptor, request: Message, key: str) -> grpc.StatusCode:
    """Return the code that a call ends with."""
    try:
        call(tenants.server, method, request, tenants.keys[key])
    except grpc.RpcError as error:
        code: grpc.StatusCode = error.code()
        return code
    return Code.OK


def request_for(method: MethodDescriptor, names: dict[str, str]) -> Message:
    """Return a request whose every name is one of ``names``."""
    request = GetMessageClass(method.input_type)()
    for field in method.input_type.fields:
        if field.name not in NAME_FIELDS:
            continue
        if field.name == "name":
            kind = "operations" if method.containing_service is SERVICES[1] else "solves"
            kind = "plans" if method.name == "GetPlan" else kind
        else:
            kind = "problems" if field.name == "stored_problem" else "plans"
        # The parent of a list is the tenant.
        value = names[kind] if method.name != "ListOperations" else names[kind].rpartition("/operations/")[0]
        setattr(request, field.name, value)
    if isinstance(request, pb.StreamQuotesRequest):
        request.workload.id = "w"
    if isinstance(request, pb.QuoteWorkloadsRequest):
        request.workloads.add(id="w")
    return request


def names_a_resource(method: MethodDescriptor) -> bool:
    """Return whether a request of the method holds a name."""
    # What a demo problem is called is no resource.
    named = any(field.name in NAME_FIELDS for field in method.input_type.fields)
    return named and method.name != "GetDemoProblem"


def status_text(error: grpc.RpcError) -> str:
    """Return everything that a caller was told."""
    return f"{error.details()} {status_of(error)}"


def test_the_walk_finds_the_methods() -> None:
    """Every method is found, and those without a name are known by name."""
    assert len(METHODS) == len(RULES) - 3
    unnamed = {method.name for method in METHODS if not names_a_resource(method)}
    # The stored problem of CreateSolve has tests of its own.
    assert unnamed == WITHOUT_A_NAME - {"CreateSolve"}


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_nobody_gets_in_without_a_credential(tenants: Tenants, method: MethodDescriptor) -> None:
    """Without one, and with a key of the right form that was never made, every method is UNAUTHENTICATED."""
    request = request_for(method, tenants.names("acme"))
    for bearer, reason in (("", "CREDENTIALS_MISSING"), ("tehai_" + "0" * 16 + "_" + "0" * 64, "INVALID_API_KEY")):
        with pytest.raises(grpc.RpcError) as caught:
            call(tenants.server, method, request, bearer)
        assert caught.value.code() is Code.UNAUTHENTICATED
        assert reason_of(caught.value) == reason


def test_health_is_for_everybody_and_reflection_is_not(tenants: Tenants) -> None:
    """A load balancer has no credential; who asks what there is needs one."""
    health = health_pb2_grpc.HealthStub(tenants.server.channel())
    answer = health.Check(health_pb2.HealthCheckRequest(), timeout=30)
    assert answer.status == health_pb2.HealthCheckResponse.SERVING
    request = reflection_pb2.ServerReflectionRequest(list_services="")

    def ask(bearer: str = "") -> object:
        stub = reflection_pb2_grpc.ServerReflectionStub(tenants.server.channel(bearer))
        return next(iter(stub.ServerReflectionInfo(iter([request]), timeout=30)))

    assert ask(tenants.keys["other"])
    with pytest.raises(grpc.RpcError) as caught:
        ask()
    assert caught.value.code() is Code.UNAUTHENTICATED


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_each_method_needs_its_scope(tenants: Tenants, method: MethodDescriptor) -> None:
    """A key with one scope gets past the gate of exactly the methods that need that scope."""
    rule = RULES[f"/{method.containing_service.full_name}/{method.name}"]
    # A name that is nobody's: what is let in changes nothing.
    request = request_for(method, tenants.names("nobody"))
    for scope in Scope:
        allowed = rule.needs is scope or rule.needs is Access.AUTHENTICATED
        assert (code_of(tenants, method, request, scope.value) is not Code.PERMISSION_DENIED) == allowed, scope


@pytest.mark.parametrize(
    "method", [method for method in METHODS if names_a_resource(method)], ids=lambda method: method.name
)
def test_another_tenants_resource_is_refused_by_every_method(tenants: Tenants, method: MethodDescriptor) -> None:
    """The second tenant sees of the first one's resources what it sees of those that never were: NOT_FOUND.

    Asked by their real names, by those of its own tenant with the same ids, and by ids that were never used; what is
    told is the same but for the id, and names neither tenant's things.
    """
    told = []
    for names in (
        tenants.names("acme"),
        tenants.names("other"),
        {kind: name[:-4] + "0000" for kind, name in tenants.names("other").items()},
    ):
        if method.name == "ListOperations" and names != tenants.names("acme"):
            continue
        with pytest.raises(grpc.RpcError) as caught:
            call(tenants.server, method, request_for(method, names), tenants.keys["other"])
        assert caught.value.code() is Code.NOT_FOUND, caught.value
        assert "acme" not in status_text(caught.value)
        ids = [name.rpartition("/")[2] for name in names.values()]
        text = status_text(caught.value)
        for resource_id in ids:
            text = text.replace(resource_id, "ID")
        told.append(text)
    assert len(set(told)) == 1, told
    # The owner still has everything.
    assert ended(tenants.server, tenants.operation, tenants.keys["acme"]).plan


def test_the_owner_is_let_through(tenants: Tenants) -> None:
    """The requests that are refused to another tenant are answered to the owner, so the refusals mean something."""
    answered = set()
    for method in METHODS:
        if not names_a_resource(method) or method.name in ("DeleteSolve", "DeleteOperation", "CancelOperation"):
            continue
        code = code_of(tenants, method, request_for(method, tenants.names("acme")), "acme")
        # A quote of a workload without anything in it is refused for that.
        assert code is (Code.INVALID_ARGUMENT if "Quote" in method.name else Code.OK), method.name
        answered.add(method.name)
    assert len(answered) >= 10


def test_lists_hold_only_ones_own(tenants: Tenants) -> None:
    """What names no resource shows the second tenant nothing of the first one."""
    stub, operations = tenants.server.stub(tenants.keys["other"]), tenants.server.operations(tenants.keys["other"])
    assert not stub.ListSolves(pb.ListSolvesRequest(), timeout=30).solves
    assert not operations.ListOperations(lro.ListOperationsRequest(), timeout=30).operations
    own = tenants.server.stub(tenants.keys["acme"]).ListSolves(pb.ListSolvesRequest(), timeout=30).solves
    assert solve_of(tenants.operation) in {solve.name for solve in own}
    # A page token of one tenant is worth nothing to another.
    create(tenants.server, problem_to_proto(demo_problem("small")), SolveOptions(threads=0), tenants.keys["acme"])
    first = tenants.server.stub(tenants.keys["acme"]).ListSolves(pb.ListSolvesRequest(page_size=1), timeout=30)
    with pytest.raises(grpc.RpcError) as caught:
        stub.ListSolves(pb.ListSolvesRequest(page_size=1, page_token=first.next_page_token), timeout=30)
    assert caught.value.code() is Code.INVALID_ARGUMENT


def test_a_request_id_is_of_one_tenant(tenants: Tenants) -> None:
    """The same request id of two tenants makes two solves."""
    problem = problem_to_proto(demo_problem("small"))
    first = create(tenants.server, problem, SHORT, tenants.keys["acme"], request_id="same")
    second = create(tenants.server, problem, SHORT, tenants.keys["other"], request_id="same")
    assert first.name.startswith("tenants/acme/")
    assert second.name.startswith("tenants/other/")


def token(key: PrivateKey) -> str:
    """Return a token of tenant acme that may see solves."""
    now = time.time()
    said = {"aud": AUDIENCE, "iss": ISSUER, "sub": "alice", "tenant": "acme", "scope": "solves:read"}
    return jwt.encode({**said, "iat": now - 10, "exp": now + 600}, key, "EdDSA", {"kid": "k"})


def test_a_token_is_a_credential(tenants: Tenants) -> None:
    """A JWT of the issuer opens what its scopes and its tenant are; one of another key opens nothing."""
    good = token(TOKEN_KEYS["EdDSA"])
    name = solve_of(tenants.operation)
    assert tenants.server.stub(good).GetSolve(pb.GetSolveRequest(name=name), timeout=30).plan
    with pytest.raises(grpc.RpcError) as caught:
        tenants.server.stub(good).GetSolveResult(pb.GetSolveResultRequest(name=name), timeout=30)
    assert caught.value.code() is Code.PERMISSION_DENIED
    forged = token(ed25519.Ed25519PrivateKey.generate())
    with pytest.raises(grpc.RpcError) as caught:
        tenants.server.stub(forged).GetSolve(pb.GetSolveRequest(name=name), timeout=30)
    assert caught.value.code() is Code.UNAUTHENTICATED
    assert reason_of(caught.value) == "INVALID_TOKEN"


def test_who_asked_for_what_is_written_down(tenants: Tenants) -> None:
    """The audit log has the creation with its solve, and refusals with their reason."""

    async def entries() -> list[tuple[str, str, str, str]]:
        store = await open_store(tenants.database_url, Path(str(tenants.server.settings["database_path"])))
        try:
            found = await store.list_audit("acme", 0, 2**62, 1_000)
            return [(entry.method, entry.resource, entry.outcome, entry.subject) for entry in found]
        finally:
            await store.close()

    found = asyncio.run(entries())
    key_id = tenants.keys["acme"].split("_")[1]
    created = ("/tehai.v1.SourcingService/CreateSolve", solve_of(tenants.operation), "OK", f"key:{key_id}")
    assert created in found
    assert any(outcome == "SCOPE_MISSING" for _, _, outcome, _ in found)
