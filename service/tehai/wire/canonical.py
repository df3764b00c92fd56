"""The canonical bytes of a problem and their hash."""

from __future__ import annotations

import hashlib

from tehai.domain.problem import Problem
from tehai.wire.problem import problem_to_proto


def problem_sha256(problem: Problem) -> str:
    """Return SHA-256, lower-case hexadecimal, of the canonical form of a valid problem.

    The canonical form is the deterministic protobuf serialisation of ``problem_to_proto``: decimals without exponent
    and trailing zeros, minus zero as zero, defaults that have a meaning written out. Problems that differ only in how
    they were written down have the same hash.
    """
    return hashlib.sha256(problem_to_proto(problem).SerializeToString(deterministic=True)).hexdigest()
