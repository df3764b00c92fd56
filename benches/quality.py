"""How good the plans are: solves by time limit, prints one line of JSON for each problem.

python -m benches.quality                # the example at 60 s, S at 30 s
python -m benches.quality M:60           # a name of benches.instances and seconds; several may be given
"""

from __future__ import annotations

import json
import sys

from benches.cases import EXAMPLE, problem_of, size_of
from benches.machine import debug_build_refusal
from tehai.domain.plan import SolveOptions
from tehai.pipeline import solve_valid

DEFAULT_RUNS = (f"{EXAMPLE}:60", "S:30")


def quality_of(name: str, time_limit_seconds: float) -> dict[str, object]:
    """Solve one problem, other options at their defaults, and return what RESULTS.md records."""
    result = solve_valid(problem_of(name), SolveOptions(time_limit_seconds=time_limit_seconds))
    return {
        "name": name,
        "size": size_of(name),
        "time_limit_seconds": time_limit_seconds,
        "gap": result.gap,
        "gap_on_bill": result.gap_on_bill,
        "verified": result.verified,
        "solve_seconds": round(result.solve_seconds, 2),
        "status": result.status.value,
        "stop_reason": result.stop_reason.value,
        "workloads_placed": result.workloads_placed,
        "workloads_not_run": result.workloads_not_run,
        "objective_yen": result.objective_yen,
        "lower_bound_yen": result.lower_bound_yen,
        "peak_memory_mb": round(result.peak_memory_mb),
    }


def main() -> int:
    """Run what the arguments ask for, else the default runs; 2 for a debug build."""
    refusal = debug_build_refusal()
    if refusal is not None:
        print(refusal, file=sys.stderr)
        return 2
    for run in sys.argv[1:] or DEFAULT_RUNS:
        name, _, seconds = run.partition(":")
        print(json.dumps(quality_of(name, float(seconds or 60))), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
