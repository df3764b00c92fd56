"""Good requests of every method, to be damaged: on solves that have ended, so that no call has anything to wait for."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from google.longrunning import operations_pb2
from google.protobuf.message import Message
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from tehai.v1 import evaluation_pb2, sourcing_service_pb2
from tehai.v1.plan_pb2 import SolveOptions
from tests.hostile.methods import METHODS
from tests.hostile.mutation import Stream
from tests.wire.small_problem import small_message

OPTIONS = SolveOptions(work_limit=2)
UPLOAD_PIECES = 3
# Names that are none, or somebody else's.
GOOD_REPEATS = 5
OTHER_IDS = ("none", "a" * 64, "x' OR 1=1 --", "../../etc", "%2e%2e", "名前", "a/b", "A", "-", "")


@dataclass(frozen=True, slots=True)
class Resources:
    """What is there: two solves with plans, one that failed, a stored problem; ids without the rest of the name."""

    tenant: str
    solve: str
    other_solve: str
    failed_solve: str
    problem_sha256: str

    def good_names(self, collection: str) -> tuple[str, ...]:
        """Return names of what is there."""
        there = (self.solve, self.other_solve, self.failed_solve)
        if collection == "problems":
            there = (self.problem_sha256, self.problem_sha256, self.problem_sha256)
        return tuple(f"tenants/{self.tenant}/{collection}/{one}" for one in there)

    def bad_names(self, collection: str) -> tuple[str, ...]:
        """Return names of what is missing or another tenant's, and what is no name."""
        found = [f"tenants/{self.tenant}/{collection}/{one}" for one in OTHER_IDS]
        return (*found, f"tenants/other/{collection}/{self.solve}", f"tenants/{self.tenant}/{collection}", "/", "")

    def names(self, collection: str) -> tuple[str, ...]:
        """Return all of these, good ones first and as often as the others together, so that they go deep."""
        return self.good_names(collection) * GOOD_REPEATS + self.bad_names(collection)


def seeds_of_all(resources: Resources) -> Mapping[str, tuple[Stream, ...]]:
    """Return good requests by the path of their method; every method has some."""
    found: dict[str, list[Stream]] = {
        **_solves(resources),
        **_plans(resources),
        **_problems(),
        **_operations(resources),
        **_general(),
    }
    by_path = {method.path: tuple(found[method.name]) for method in METHODS if method.name != "Watch"}
    watch = [(health_pb2.HealthCheckRequest(service=name),) for name in ("", "tehai.v1.SourcingService", "none")]
    return {**by_path, "/grpc.health.v1.Health/Watch": tuple(watch)}


def _each(message: type[Message], field: str, names: tuple[str, ...], **others: object) -> list[Stream]:
    return [(message(**{field: name}, **others),) for name in names]


def _solves(resources: Resources) -> dict[str, list[Stream]]:
    service, names = sourcing_service_pb2, resources.names("solves")
    problem = small_message()
    stored = resources.names("problems")[0]
    return {
        "CreateSolve": [
            (service.CreateSolveRequest(problem=problem, options=OPTIONS, priority=9, display_name="first"),),
            (service.CreateSolveRequest(problem=problem, options=OPTIONS, request_id="hostile"),),
            (service.CreateSolveRequest(stored_problem=stored, options=OPTIONS),),
        ],
        "GetSolve": _each(service.GetSolveRequest, "name", names),
        "ListSolves": [
            (service.ListSolvesRequest(page_size=2),),
            (service.ListSolvesRequest(page_size=1000, filter='state = RUNNING AND display_name = "June"'),),
            (service.ListSolvesRequest(filter='create_time >= "2027-04-01T00:00:00Z" AND priority <= 3'),),
            (service.ListSolvesRequest(filter="state = (", page_token="AAAA"),),  # noqa: S106 - a page token
        ],
        "DeleteSolve": _each(service.DeleteSolveRequest, "name", resources.bad_names("solves")),
        "WatchSolve": _each(service.WatchSolveRequest, "name", names, after_sequence=1),
    }


def _plans(resources: Resources) -> dict[str, list[Stream]]:
    service, solves, plans = sourcing_service_pb2, resources.names("solves"), resources.names("plans")
    workloads = list(small_message().workloads)
    change = evaluation_pb2.ScenarioChange(
        usd_jpy_factor=1.1,
        offer_price_factors=[evaluation_pb2.OfferPriceFactor(offer_id=small_message().offers[0].id, factor=1.2)],
        cancelled_programme_ids=[small_message().programmes[0].id],
        electricity_factor=2.0,
    )
    quote = [(service.StreamQuotesRequest(workload=w, placements_max=2)) for w in workloads]
    quote[0].plan = plans[0]
    return {
        "GetSolveResult": _each(service.GetSolveResultRequest, "name", solves),
        "DownloadSolveResult": _each(service.DownloadSolveResultRequest, "name", solves, offset=10),
        "GetPlan": _each(service.GetPlanRequest, "name", plans),
        "DiffPlans": _each(service.DiffPlansRequest, "from_plan", plans, to_plan=plans[1]),
        "EvaluatePlan": _each(service.EvaluatePlanRequest, "plan", plans[:4], change=change),
        "QuoteWorkloads": _each(service.QuoteWorkloadsRequest, "plan", plans[:4], workloads=workloads),
        "StreamQuotes": [tuple(quote[:1]), tuple(quote)],
    }


def _problems() -> dict[str, list[Stream]]:
    service, problem = sourcing_service_pb2, small_message()
    data = problem.SerializeToString()
    size = len(data) // UPLOAD_PIECES + 1
    header = service.UploadHeader(total_bytes=len(data), content_sha256=hashlib.sha256(data).hexdigest())
    pieces = [service.UploadProblemRequest(data=data[at : at + size]) for at in range(0, len(data), size)]
    return {
        "UploadProblem": [(service.UploadProblemRequest(header=header), *pieces)],
        "StreamSolve": [(service.StreamSolveRequest(problem=problem, options=OPTIONS),)],
        "CheckProblem": [(service.CheckProblemRequest(problem=problem),)],
        "GetDemoProblem": [(service.GetDemoProblemRequest(name=name),) for name in ("small", "", "none")],
    }


def _operations(resources: Resources) -> dict[str, list[Stream]]:
    service, names = operations_pb2, resources.names("operations")
    wait = [service.WaitOperationRequest(name=name) for name in names]
    for request in wait:
        request.timeout.FromSeconds(1)
    parent = f"tenants/{resources.tenant}/operations"
    return {
        "ListOperations": [
            (service.ListOperationsRequest(name=parent, page_size=2),),
            (service.ListOperationsRequest(name=parent, filter="state = SUCCEEDED"),),
            (service.ListOperationsRequest(name="tenants/other/operations"),),
            (service.ListOperationsRequest(),),
        ],
        "GetOperation": _each(service.GetOperationRequest, "name", names),
        "DeleteOperation": _each(service.DeleteOperationRequest, "name", resources.bad_names("operations")),
        "CancelOperation": _each(service.CancelOperationRequest, "name", names),
        "WaitOperation": [(request,) for request in wait],
    }


def _general() -> dict[str, list[Stream]]:
    reflection = reflection_pb2.ServerReflectionRequest
    return {
        "GetLimits": [(sourcing_service_pb2.GetLimitsRequest(),)],
        "Check": [(health_pb2.HealthCheckRequest(service=name),) for name in ("", "tehai.v1.SourcingService", "none")],
        "ServerReflectionInfo": [
            (reflection(list_services=""), reflection(file_containing_symbol="tehai.v1.SourcingService")),
            (reflection(file_by_filename="tehai/v1/solve.proto"),),
        ],
    }
