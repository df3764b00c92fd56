"""Rules on what comes after what, E1217 to E1219, and what follows from windows along a chain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tehai.validation.common import repeats, shown
from tehai.validation.registry import Found, rule
from tehai.validation.view import ProblemView

CYCLE_IDS_SHOWN = 10
_READS = ("workloads[].id", "workloads[].after_workload_ids")


@rule("E1217", "a workload comes after itself", "Remove it from its own after_workload_ids.", reads=("workloads[].id",))
def check_e1217_after_itself(view: ProblemView) -> Iterator[Found]:
    """Nothing waits for its own end."""
    for i, workload in enumerate(view.problem.workloads):
        for k, name in enumerate(workload.after_workload_ids):
            if name == workload.id:
                yield Found(f"workloads[{i}].after_workload_ids[{k}]", f"{shown(name)} would wait for its own end")


@rule("E1218", "a workload is listed twice among those that another comes after", "Keep one of the two.")
def check_e1218_predecessor_repeated(view: ProblemView) -> Iterator[Found]:
    """One order between two workloads is enough."""
    for i, workload in enumerate(view.problem.workloads):
        for k in repeats(workload.after_workload_ids):
            path = f"workloads[{i}].after_workload_ids[{k}]"
            yield Found(path, f"{shown(workload.after_workload_ids[k])} is listed again")


@rule(
    "E1219",
    "workloads come after each other in a circle",
    "Remove one of the steps that the message lists.",
    reads=_READS,
)
def check_e1219_precedence_cycle(view: ProblemView) -> Iterator[Found]:
    """Some order of the workloads keeps every precedence."""
    positions = {workload.id: i for i, workload in reversed(list(enumerate(view.problem.workloads)))}
    before = [
        [(k, positions[name]) for k, name in enumerate(w.after_workload_ids) if name in positions and name != w.id]
        for w in view.problem.workloads
    ]
    for cycle, k in _cycles(before):
        ids = [shown(view.problem.workloads[i].id) for i in (*cycle, cycle[0])]
        if len(ids) > CYCLE_IDS_SHOWN:
            ids = [*ids[: CYCLE_IDS_SHOWN - 2], f"({len(ids) - CYCLE_IDS_SHOWN + 1:,} more)", ids[-1]]
        yield Found(f"workloads[{cycle[-1]}].after_workload_ids[{k}]", f"no order is possible: {' after '.join(ids)}")


def _cycles(before: Sequence[Sequence[tuple[int, int]]]) -> Iterator[tuple[list[int], int]]:
    """Yield disjoint cycles as (positions, place in the last one's list that closes it); at least one if there is any.

    A walk in depth: a step to a workload that is still on the path closes a cycle.
    """
    finished = [False] * len(before)
    named: set[int] = set()
    for start in range(len(before)):
        if finished[start]:
            continue
        path, next_step = [start], [0]
        place = {start: 0}
        while path:
            node = path[-1]
            if next_step[-1] == len(before[node]):
                finished[node] = True
                del place[node]
                path.pop()
                next_step.pop()
                continue
            k, into = before[node][next_step[-1]]
            next_step[-1] += 1
            if into in place:
                cycle = path[place[into] :]
                if named.isdisjoint(cycle):
                    named.update(cycle)
                    yield cycle, k
            elif not finished[into]:
                place[into] = len(path)
                path.append(into)
                next_step.append(0)


def in_order(before: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the keys of an acyclic relation, each after all before it; names that are no key do not count."""
    waits = {name: sum(1 for other in others if other in before) for name, others in before.items()}
    after: dict[str, list[str]] = {name: [] for name in before}
    for name, others in before.items():
        for other in others:
            if other in after:
                after[other].append(name)
    ready = [name for name, count in waits.items() if count == 0]
    for name in ready:
        for follower in after[name]:
            waits[follower] -= 1
            if waits[follower] == 0:
                ready.append(follower)
    return ready
