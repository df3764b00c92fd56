"""All methods of the two services."""

from __future__ import annotations

from tehai.server.check_methods import CheckMethods
from tehai.server.operations_service import OperationMethods
from tehai.server.parts import ServerParts
from tehai.server.plan_methods import PlanMethods
from tehai.server.quote_methods import QuoteMethods
from tehai.server.solve_methods import SolveMethods
from tehai.server.stream_solve import StreamSolveMethods
from tehai.server.upload_methods import UploadMethods


def sourcing_methods(parts: ServerParts) -> tuple[object, ...]:
    """Return objects that have the methods of tehai.v1.SourcingService."""
    return (
        SolveMethods(parts),
        PlanMethods(parts),
        UploadMethods(parts),
        QuoteMethods(parts),
        StreamSolveMethods(parts),
        CheckMethods(parts),
    )


def operations_methods(parts: ServerParts) -> tuple[object, ...]:
    """Return objects that have the methods of google.longrunning.Operations."""
    return (OperationMethods(parts),)
