"""Clients of a Tehai server: blocking and for an event loop, over the whole contract; docs/clients.md."""

from tehai.client.async_sourcing_client import AsyncSourcingClient
from tehai.client.connection import Connection
from tehai.client.errors import (
    DeadlineExceededError,
    ErrorDetails,
    FieldFault,
    ServerError,
    ServerRefusedError,
    ServerUnreachableError,
    SolveAbandonedError,
    SolveFailedError,
    TransferError,
)
from tehai.client.names import operation_name, plan_name, solve_name
from tehai.client.retries import RetryPolicy
from tehai.client.solves import SolveEvent, require_plan, solve_of_operation
from tehai.client.sourcing_client import SourcingClient

__all__ = [
    "AsyncSourcingClient",
    "Connection",
    "DeadlineExceededError",
    "ErrorDetails",
    "FieldFault",
    "RetryPolicy",
    "ServerError",
    "ServerRefusedError",
    "ServerUnreachableError",
    "SolveAbandonedError",
    "SolveEvent",
    "SolveFailedError",
    "SourcingClient",
    "TransferError",
    "operation_name",
    "plan_name",
    "require_plan",
    "solve_name",
    "solve_of_operation",
]
