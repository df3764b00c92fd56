"""One solve, told in the words of ARCHITECTURE.md: ascend, master, search, polish, certify."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tehai.domain.certificate import Certificate
from tehai.domain.plan import Plan, SolveOptions, StopReason
from tehai.domain.problem import Problem
from tehai.domain.result import Progress, SolvePhase
from tehai.engine.instance import build_instance, limit_threads
from tehai.engine.search import empty_plan
from tehai.solve.certificate_builder import build_certificate
from tehai.solve.effort import Effort
from tehai.solve.improve import improve_plan
from tehai.solve.plan_builder import build_plan
from tehai.solve.price import ascend, improve_prices
from tehai.solve.state import State


@dataclass(frozen=True)
class Answer:
    """A plan with its certificate, not yet verified."""

    plan: Plan
    certificate: Certificate
    stop_reason: StopReason
    unplaceable_ids: tuple[str, ...]


def solve(
    problem: Problem,
    problem_sha256: str,
    tehai_version: str,
    options: SolveOptions,
    on_progress: Callable[[Progress], None],
    should_stop: Callable[[], bool],
) -> Answer:
    """Solve a valid problem.

    Args:
        problem: passed validation.
        problem_sha256: hash of its canonical form, for plan and certificate.
        tehai_version: recorded in the plan.
        options: limits; under ``work_limit`` the answer is the same every time.
        on_progress: called between steps with bound and incumbent.
        should_stop: asked between steps; the best plan so far is kept.
    """
    effort = Effort(options, should_stop)
    reporter = _Reporter(on_progress, effort)
    reporter.say(SolvePhase.BUILD, None)
    limit_threads(options.threads)
    instance = build_instance(problem)
    state = ascend(instance, effort)
    reporter.say(SolvePhase.ASCEND, state)
    improve_prices(state, effort)
    reporter.say(SolvePhase.MASTER, state)
    stop_reason = improve_plan(state, effort, lambda phase: reporter.say(SolvePhase(phase), state))
    reporter.say(SolvePhase.CERTIFY, state)
    best = state.plan if state.plan is not None else empty_plan(instance)
    return Answer(
        plan=build_plan(instance, best, problem_sha256, tehai_version, options, stop_reason),
        certificate=build_certificate(instance, state.prices, state.bound, problem_sha256),
        stop_reason=stop_reason,
        unplaceable_ids=tuple(problem.workloads[w].id for w in instance.unplaceable),
    )


class _Reporter:
    """Turns the state into progress messages."""

    def __init__(self, on_progress: Callable[[Progress], None], effort: Effort) -> None:
        self._on_progress = on_progress
        self._effort = effort

    def say(self, phase: SolvePhase, state: State | None) -> None:
        has_plan = state is not None and state.plan is not None and not state.misses_mandatory
        objective = round(state.objective) if state is not None and has_plan else None
        bound = None if state is None else int(state.bound)
        gap = None
        if state is not None and objective is not None and objective > 0:
            gap = (state.objective - state.bound) / state.objective
        self._on_progress(Progress(phase, self._effort.elapsed_seconds, objective, bound, gap))
