"""A client of a Tehai server: the same call as in process, over gRPC."""

from tehai.client.errors import ServerRefusedError, ServerUnreachableError, SolveAbandonedError
from tehai.client.sourcing_client import SourcingClient

__all__ = ["ServerRefusedError", "ServerUnreachableError", "SolveAbandonedError", "SourcingClient"]
