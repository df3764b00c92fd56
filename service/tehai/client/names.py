"""Names of resources: a solve, its plan and its operation have the same last part."""

from __future__ import annotations

import re

_NAME = re.compile(r"(tenants/[^/]+)/(solves|plans|operations)/([^/]+)", re.ASCII)


def solve_name(name: str) -> str:
    """Return the name of the solve to which a solve, plan or operation belongs; raise ValueError for another name."""
    return _in_collection(name, "solves")


def plan_name(name: str) -> str:
    """Return the name of the plan of a solve, plan or operation; raise ValueError for another name."""
    return _in_collection(name, "plans")


def operation_name(name: str) -> str:
    """Return the name of the operation of a solve, plan or operation; raise ValueError for another name."""
    return _in_collection(name, "operations")


def _in_collection(name: str, collection: str) -> str:
    found = _NAME.fullmatch(name)
    if found is None:
        text = f"{name!r} is not a name of a solve, plan or operation, such as tenants/local/solves/SOLVE"
        raise ValueError(text)
    return f"{found[1]}/{collection}/{found[3]}"
