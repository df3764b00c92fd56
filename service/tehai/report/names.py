"""Look-ups by id over a problem, and names that people read."""

from __future__ import annotations

from dataclasses import dataclass, field

from tehai.domain.offer import Offer
from tehai.domain.problem import Problem
from tehai.domain.programme import Programme
from tehai.domain.supply import Pool, Site
from tehai.domain.workload import Member, Workload


@dataclass(frozen=True)
class Names:
    """The nouns of one problem by id."""

    problem: Problem
    pools: dict[str, Pool] = field(init=False)
    sites: dict[str, Site] = field(init=False)
    offers: dict[str, Offer] = field(init=False)
    members: dict[str, Member] = field(init=False)
    workloads: dict[str, Workload] = field(init=False)
    programmes: dict[str, Programme] = field(init=False)

    def __post_init__(self) -> None:
        put = object.__setattr__
        for name in ("pools", "sites", "offers", "members", "workloads", "programmes"):
            put(self, name, {noun.id: noun for noun in getattr(self.problem, name)})

    def site_of_pool(self, pool_id: str) -> Site:
        """Return the site that a pool stands at."""
        return self.sites[self.pools[pool_id].site_id]

    def is_domestic(self, pool_id: str) -> bool:
        """Return whether the problem's rule counts the pool as domestic."""
        site = self.site_of_pool(pool_id)
        return self.problem.rules.domestic.accepts(site.country_code, site.operator_country_code)

    def member(self, member_id: str) -> str:
        """Return the name of a member; what is no member's id ("unassigned") as it is."""
        return shown(self.members[member_id]) if member_id in self.members else member_id

    def site(self, site_id: str) -> str:
        """Return the name of a site; what is no site's id ("unassigned") as it is."""
        return shown(self.sites[site_id]) if site_id in self.sites else site_id


def shown(noun: Pool | Site | Offer | Member | Workload | Programme) -> str:
    """Return the display name, else the id."""
    return noun.display_name or noun.id
