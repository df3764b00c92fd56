"""Rules on which programmes go together, E1514 to E1519."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt

from tehai.domain.limits import LIMITS
from tehai.domain.programme import Programme, UsageGrant
from tehai.domain.workload import Member, SizeClass
from tehai.validation.common import FRACTION_TOLERANCE, repeats, shown
from tehai.validation.registry import Found, rule
from tehai.validation.view import ProblemView

_IDS = ("programmes[].id",)
Profile = tuple[SizeClass, frozenset[str]]
Floats = npt.NDArray[np.float64]
# Programmes, those that stack with all of them, and their rates together by profile.
Layer = tuple[tuple[str, ...], frozenset[str], Floats]


def _stackable(view: ProblemView) -> Iterator[tuple[str, Programme, str]]:
    """Yield (path, programme, id that it names)."""
    for i, programme in enumerate(view.problem.programmes):
        for k, name in enumerate(programme.stackable_programme_ids):
            yield f"programmes[{i}].stackable_programme_ids[{k}]", programme, name


@rule("E1514", "a programme stacks with itself", "Remove it from its own stackable_programme_ids.", reads=_IDS)
def check_e1514_stacks_with_itself(view: ProblemView) -> Iterator[Found]:
    """A workload claims a programme once."""
    for path, programme, name in _stackable(view):
        if name == programme.id:
            yield Found(path, f"{shown(name)} is the programme itself")


@rule("E1515", "a stackable programme is listed twice", "Keep one of the two.")
def check_e1515_stackable_repeated(view: ProblemView) -> Iterator[Found]:
    """Two programmes stack or do not."""
    for i, programme in enumerate(view.problem.programmes):
        for k in repeats(programme.stackable_programme_ids):
            path = f"programmes[{i}].stackable_programme_ids[{k}]"
            yield Found(path, f"{shown(programme.stackable_programme_ids[k])} is listed again")


@rule(
    "E1516",
    "a programme stacks with one that does not name it",
    "List each in the stackable_programme_ids of the other, or remove it here.",
    reads=("programmes[].id", "programmes[].stackable_programme_ids"),
)
def check_e1516_stacking_not_mutual(view: ProblemView) -> Iterator[Found]:
    """Both programmes allow what they pay for together."""
    for path, programme, name in _stackable(view):
        other = view.programmes.get(name)
        if other is not None and name != programme.id and programme.id not in other.stackable_programme_ids:
            yield Found(path, f"{shown(name)} does not name {shown(programme.id)}")


@rule(
    "E1517",
    "a capital programme stacks",
    "Remove stackable_programme_ids; only usage programmes stack, with each other.",
    reads=_IDS,
)
def check_e1517_capital_programme_stacks(view: ProblemView) -> Iterator[Found]:
    """An order claims from one programme, and an order is no workload."""
    for path, programme, name in _stackable(view):
        other = view.programmes.get(name)
        if not isinstance(programme.kind, UsageGrant):
            yield Found(path, f"{shown(programme.id)} is a capital grant")
        elif other is not None and not isinstance(other.kind, UsageGrant):
            yield Found(path, f"{shown(name)} is a capital grant")


@rule(
    "E1518",
    "a programme stacks with one of its exclusivity group",
    "Remove it from stackable_programme_ids, or put the two in different groups.",
    reads=("programmes[].id", "programmes[].exclusivity_group"),
)
def check_e1518_stacks_within_group(view: ProblemView) -> Iterator[Found]:
    """Programmes exclude each other or go together, not both."""
    for path, programme, name in _stackable(view):
        other = view.programmes.get(name)
        group = programme.exclusivity_group
        if group and other is not None and name != programme.id and other.exclusivity_group == group:
            yield Found(path, f"{shown(name)} is of group {shown(group)} too")


@rule(
    "E1519",
    "programmes that stack pay more than the whole cost",
    "Lower the rates of the programmes that the message lists, or let fewer of them stack.",
    reads=("programmes", "members"),
)
def check_e1519_stacked_rates_over_one(view: ProblemView) -> Iterator[Found]:
    """Programmes that a workload may claim together pay at most its cost, whichever member it is of."""
    partners = _partners(view)
    wanted = {rate.required_member_flag for name in partners for rate in view.programmes[name].kind.rates} - {""}
    profiles: dict[Profile, Member] = {}
    for member in view.problem.members:
        profiles.setdefault((member.size_class, frozenset(wanted.intersection(member.flags))), member)
    if not profiles:
        return
    rates = {name: np.array([_rate(view.programmes[name], profile) for profile in profiles]) for name in partners}
    positions = {programme.id: i for i, programme in reversed(list(enumerate(view.problem.programmes)))}
    for names, worst in _sets_over_one(partners, rates):
        member = list(profiles.values())[worst]
        total = " + ".join(f"{rates[name][worst]:g} of {shown(name)}" for name in names)
        message = f"member {shown(member.id)} would be paid {total}"
        yield Found(f"programmes[{positions[names[0]]}].stackable_programme_ids", message)


def _partners(view: ProblemView) -> dict[str, frozenset[str]]:
    """Return by id the usage programmes that each two name each other, in the order of the problem."""
    named = {
        programme.id: frozenset(programme.stackable_programme_ids[: LIMITS.stackable_programmes])
        for programme in view.programmes.values()
        if isinstance(programme.kind, UsageGrant)
    }
    mutual = {
        name: frozenset(other for other in others if other != name and name in named.get(other, frozenset()))
        for name, others in named.items()
    }
    return {name: others for name, others in mutual.items() if others}


def _rate(programme: Programme, profile: Profile) -> float:
    """Return the largest rate that holds for members alike; rates out of range break a rule of their own."""
    size_class, flags = profile
    return max(
        (
            rate.rate_fraction
            for rate in programme.kind.rates
            if rate.size_class is size_class
            and (not rate.required_member_flag or rate.required_member_flag in flags)
            and 0 < rate.rate_fraction <= 1
        ),
        default=0.0,
    )


def _sets_over_one(
    partners: Mapping[str, frozenset[str]], rates: Mapping[str, Floats]
) -> Iterator[tuple[tuple[str, ...], int]]:
    """Yield (programmes, profile) of sets that stack and pay over 1, each without a smaller one inside."""
    order = {name: i for i, name in enumerate(partners)}
    found: list[frozenset[str]] = []
    layer: list[Layer] = [((name,), partners[name], rates[name]) for name in partners]
    while layer:
        larger: list[Layer] = []
        for names, candidates, sums in layer:
            for name in sorted((c for c in candidates if order[c] > order[names[-1]]), key=order.__getitem__):
                together = frozenset((*names, name))
                if any(smaller <= together for smaller in found):
                    continue
                total = sums + rates[name]
                worst = int(total.argmax())
                if total[worst] > 1 + FRACTION_TOLERANCE:
                    found.append(together)
                    yield (*names, name), worst
                else:
                    larger.append(((*names, name), candidates & partners[name], total))
        layer = larger
