"""The methods of the contract that a client calls: path and type of the answer of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from google.longrunning import operations_pb2 as lro
from google.protobuf import empty_pb2
from google.protobuf.message import Message

from tehai.v1 import evaluation_pb2, plan_pb2, solve_pb2
from tehai.v1 import sourcing_service_pb2 as pb

Request = TypeVar("Request", bound=Message)
Answer = TypeVar("Answer", bound=Message)


@dataclass(frozen=True, slots=True)
class Method(Generic[Request, Answer]):
    """One RPC."""

    path: str
    request: type[Request]
    answer: type[Answer]


def _sourcing(name: str, request: type[Request], answer: type[Answer]) -> Method[Request, Answer]:
    return Method(f"/tehai.v1.SourcingService/{name}", request, answer)


CREATE_SOLVE: Method[pb.CreateSolveRequest, lro.Operation] = _sourcing(
    "CreateSolve", pb.CreateSolveRequest, lro.Operation
)
GET_SOLVE = _sourcing("GetSolve", pb.GetSolveRequest, solve_pb2.Solve)
LIST_SOLVES = _sourcing("ListSolves", pb.ListSolvesRequest, pb.ListSolvesResponse)
DELETE_SOLVE = _sourcing("DeleteSolve", pb.DeleteSolveRequest, pb.DeleteSolveResponse)
WATCH_SOLVE = _sourcing("WatchSolve", pb.WatchSolveRequest, pb.WatchSolveResponse)
GET_SOLVE_RESULT = _sourcing("GetSolveResult", pb.GetSolveResultRequest, plan_pb2.SolveResult)
DOWNLOAD_SOLVE_RESULT = _sourcing("DownloadSolveResult", pb.DownloadSolveResultRequest, pb.DownloadSolveResultResponse)
GET_PLAN = _sourcing("GetPlan", pb.GetPlanRequest, plan_pb2.Plan)
UPLOAD_PROBLEM = _sourcing("UploadProblem", pb.UploadProblemRequest, solve_pb2.StoredProblem)
DIFF_PLANS = _sourcing("DiffPlans", pb.DiffPlansRequest, evaluation_pb2.PlanDifference)
EVALUATE_PLAN = _sourcing("EvaluatePlan", pb.EvaluatePlanRequest, evaluation_pb2.Evaluation)
QUOTE_WORKLOADS = _sourcing("QuoteWorkloads", pb.QuoteWorkloadsRequest, pb.QuoteWorkloadsResponse)
STREAM_QUOTES = _sourcing("StreamQuotes", pb.StreamQuotesRequest, pb.StreamQuotesResponse)
GET_LIMITS = _sourcing("GetLimits", pb.GetLimitsRequest, pb.GetLimitsResponse)
STREAM_SOLVE = _sourcing("StreamSolve", pb.StreamSolveRequest, pb.StreamSolveResponse)
CHECK_PROBLEM = _sourcing("CheckProblem", pb.CheckProblemRequest, pb.CheckProblemResponse)
GET_DEMO_PROBLEM = _sourcing("GetDemoProblem", pb.GetDemoProblemRequest, pb.GetDemoProblemResponse)

_OPERATIONS = "/google.longrunning.Operations"
GET_OPERATION: Method[lro.GetOperationRequest, lro.Operation] = Method(
    f"{_OPERATIONS}/GetOperation", lro.GetOperationRequest, lro.Operation
)
LIST_OPERATIONS: Method[lro.ListOperationsRequest, lro.ListOperationsResponse] = Method(
    f"{_OPERATIONS}/ListOperations", lro.ListOperationsRequest, lro.ListOperationsResponse
)
WAIT_OPERATION: Method[lro.WaitOperationRequest, lro.Operation] = Method(
    f"{_OPERATIONS}/WaitOperation", lro.WaitOperationRequest, lro.Operation
)
CANCEL_OPERATION: Method[lro.CancelOperationRequest, empty_pb2.Empty] = Method(
    f"{_OPERATIONS}/CancelOperation", lro.CancelOperationRequest, empty_pb2.Empty
)
