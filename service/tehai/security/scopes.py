"""The one table from RPC to what a caller must be allowed to do; an RPC that is not in it is refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from types import MappingProxyType

from tehai.security.errors import PermissionDeniedError
from tehai.security.principal import Principal


class Scope(StrEnum):
    """What a credential may allow; each stands in keys and tokens by its value."""

    # See solves and follow them.
    SOLVES_READ = "solves:read"
    # Start, stop and delete them, and upload problems.
    SOLVES_WRITE = "solves:write"
    # See results and plans, compare and evaluate them.
    PLANS_READ = "plans:read"
    # Price workloads against a plan.
    QUOTES_READ = "quotes:read"
    # Have a problem checked.
    PROBLEMS_CHECK = "problems:check"


ALL_SCOPES = frozenset(scope.value for scope in Scope)


class Access(Enum):
    """Needs that are no scope."""

    # Anyone, without a credential.
    PUBLIC = "public"
    # Anyone with a credential.
    AUTHENTICATED = "authenticated"


@dataclass(frozen=True, slots=True)
class Rule:
    """What one RPC needs, and how it counts."""

    needs: Scope | Access
    # Counts against the second, lower rate: it costs a process or a large write.
    heavy: bool = False
    # Whether a call that went well is an audit entry; one that was refused always is. Off for polls and single quotes,
    # which would bury the rest.
    audited: bool = True
    # Counts as an open stream and not as a request.
    stream: bool = False


def _methods(service: str, rules: Mapping[str, Rule]) -> dict[str, Rule]:
    return {f"/{service}/{name}": rule for name, rule in rules.items()}


RULES: Mapping[str, Rule] = MappingProxyType(
    {
        **_methods(
            "tehai.v1.SourcingService",
            {
                "CreateSolve": Rule(Scope.SOLVES_WRITE, heavy=True),
                "GetSolve": Rule(Scope.SOLVES_READ, audited=False),
                "ListSolves": Rule(Scope.SOLVES_READ),
                "DeleteSolve": Rule(Scope.SOLVES_WRITE),
                "WatchSolve": Rule(Scope.SOLVES_READ, stream=True),
                "GetSolveResult": Rule(Scope.PLANS_READ),
                "DownloadSolveResult": Rule(Scope.PLANS_READ, stream=True),
                "GetPlan": Rule(Scope.PLANS_READ),
                "UploadProblem": Rule(Scope.SOLVES_WRITE, heavy=True, stream=True),
                "DiffPlans": Rule(Scope.PLANS_READ, heavy=True),
                "EvaluatePlan": Rule(Scope.PLANS_READ, heavy=True),
                "QuoteWorkloads": Rule(Scope.QUOTES_READ, audited=False),
                "StreamQuotes": Rule(Scope.QUOTES_READ, stream=True),
                "GetLimits": Rule(Access.AUTHENTICATED, audited=False),
                "StreamSolve": Rule(Scope.SOLVES_WRITE, heavy=True, stream=True),
                "CheckProblem": Rule(Scope.PROBLEMS_CHECK, heavy=True),
                "GetDemoProblem": Rule(Access.AUTHENTICATED, audited=False),
            },
        ),
        **_methods(
            "google.longrunning.Operations",
            {
                "ListOperations": Rule(Scope.SOLVES_READ),
                "GetOperation": Rule(Scope.SOLVES_READ, audited=False),
                "DeleteOperation": Rule(Scope.SOLVES_WRITE),
                "CancelOperation": Rule(Scope.SOLVES_WRITE),
                # Waits for long, like a stream.
                "WaitOperation": Rule(Scope.SOLVES_READ, audited=False, stream=True),
            },
        ),
        # Load balancers have no credential.
        **_methods(
            "grpc.health.v1.Health",
            {
                "Check": Rule(Access.PUBLIC, audited=False),
                "Watch": Rule(Access.PUBLIC, audited=False, stream=True),
            },
        ),
        # On only by a setting of its own.
        **_methods(
            "grpc.reflection.v1alpha.ServerReflection",
            {"ServerReflectionInfo": Rule(Access.AUTHENTICATED, audited=False, stream=True)},
        ),
    }
)


def rule_of(method: str) -> Rule:
    """Return the rule of a method by its full name ``/package.Service/Method``; raise PermissionDeniedError."""
    rule = RULES.get(method)
    if rule is None:
        raise PermissionDeniedError("UNKNOWN_METHOD", "this method is open to nobody")
    return rule


def authorize(principal: Principal, rule: Rule) -> None:
    """Return where ``principal`` may call a method with ``rule``; raise PermissionDeniedError, naming the scope."""
    if isinstance(rule.needs, Scope) and rule.needs.value not in principal.scopes:
        raise PermissionDeniedError("SCOPE_MISSING", f"the credential lacks the scope {rule.needs.value}")


def unknown_scopes(scopes: Iterable[str]) -> tuple[str, ...]:
    """Return those of ``scopes`` that there are not, in order."""
    return tuple(scope for scope in scopes if scope not in ALL_SCOPES)
