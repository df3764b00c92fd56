"""Tiny seeded problems for the search of everything: three weeks around 1 April, two pools, two or three workloads."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from random import Random

from tehai.domain.offer import OfferKind
from tehai.domain.problem import CurrentPlan, Problem, Rules
from tehai.domain.programme import Programme, SizeClassRate, UsageGrant
from tehai.domain.supply import Pool, Site
from tehai.domain.workload import Member, SizeClass, Workload
from tests import builders as make

FIRST_DATE = date(2028, 3, 20)
SECOND_WEEK, THIRD_WEEK, END = date(2028, 3, 27), date(2028, 4, 3), date(2028, 4, 10)
YEARS = (2027, 2028)


def tiny_problem(seed: int) -> Problem:
    """Return a problem with all kinds of offers and rows over the seeds; portfolio budgets only beside free claims."""
    return _Tiny(Random(f"tiny {seed}")).problem()


class _Tiny:
    def __init__(self, random: Random) -> None:
        self.random = random
        # claims and cash by year would have to be chosen together where both are limited
        self.budgeted = random.random() < 0.35
        self.pausing = random.random() < 0.4

    def happens(self, chance: float) -> bool:
        return self.random.random() < chance

    def problem(self) -> Problem:
        workloads = self._workloads()
        programmes = [*self._usage(workloads), *self._capital()]
        return make.make_problem(
            workloads=workloads,
            offers=[make.make_offer(kind, f"offer-{n}", pool) for n, (kind, pool) in enumerate(self._kinds())],
            pools=self._pools(),
            sites=self._sites(),
            members=[self._member("member"), self._member("other")],
            programmes=[self._uncapped(p) for p in programmes] if self.budgeted else programmes,
            rules=self._rules(),
            calendar=make.make_calendar(3, FIRST_DATE),
            market=make.make_market(
                spot_date=FIRST_DATE,
                dollar_rate="0.05",
                discount_rate=self.random.choice(("0", "0", "0.2")),
                spread=self.random.choice(("0", "5")),
            ),
            routes=[make.route("abroad", price=make.dollars(2)), make.route("site", "abroad")]
            if self.happens(0.8)
            else [],
            current_plan=self._current_plan(),
        )

    def _sites(self) -> list[Site]:
        random = self.random
        limit = random.choice((None, 12.0, 20.0))
        steps = {SECOND_WEEK: 60} if self.happens(0.3) else None
        home = make.make_site(
            power_limit_kw=limit,
            electricity_yen_per_kwh="25",
            electricity_steps=steps,
            operator_id="north",
            carbon_kg_per_kwh=0.5,
        )
        abroad = make.make_site(
            "abroad", "US", "US", electricity_yen_per_kwh="20", operator_id="south", carbon_kg_per_kwh=0.2
        )
        return [home, abroad]

    def _pools(self) -> list[Pool]:
        node = self.random.choice((1, 1, 6))
        grant = make.yen(100) if self.happens(0.2) else None
        charge = make.yen(300, {THIRD_WEEK: 500}) if self.happens(0.3) else None
        return [
            make.make_pool(node=node, grant_reference=grant),
            make.make_pool("far", "abroad", charge_reference=charge),
        ]

    def _kinds(self) -> list[tuple[OfferKind, str]]:
        random = self.random
        price = make.yen(random.randint(400, 700), {SECOND_WEEK: 350} if self.happens(0.3) else None)
        quota_steps = {THIRD_WEEK: 16} if self.happens(0.3) else None
        if self.pausing and self.happens(0.7):
            quota_steps = {SECOND_WEEK: 0, THIRD_WEEK: 8}
        kinds: list[tuple[OfferKind, str]] = [
            (make.on_demand(price, quota=random.choice((4, 8, 16)), steps=quota_steps), "pool"),
            (self._blocks(), "pool"),
            (self._existing(), "pool"),
            (make.on_demand(make.dollars(random.randint(2, 4)), quota=random.choice((4, 8))), "far"),
            (self._purchase(), "far"),
        ]
        if not self.budgeted and self.happens(0.4):
            hours = {year: float(random.randint(300, 2000)) for year in YEARS if self.happens(0.8)}
            pool_id = random.choice(("pool", "far"))
            kinds.append((make.allocation(hours or {2027: 900.0}, make.yen(90), random.choice((4, 8))), pool_id))
        return kinds

    def _blocks(self) -> OfferKind:
        random = self.random
        price = make.yen(random.randint(150, 400), {SECOND_WEEK: 140} if self.happens(0.3) else None)
        if self.pausing and self.happens(0.7):
            price = make.yen(1500)  # dearer than to wait for a week
        if self.happens(0.4):
            lengths = random.choice(((7,), (10,), (4, 14)))
            terms = [make.block_term(days, price) for days in lengths]
            return make.capacity_block(terms, blocks_max=1, booking_max=random.choice((0, 1)))
        upfront = random.choice((None, None, 0.4))
        term = make.term(random.choice((1, 2)), price, prepaid=self.happens(0.5), upfront=upfront)
        return make.reservation([term], blocks_max=random.choice((1, 2)), lead=random.choice((0, 1)))

    def _existing(self) -> OfferKind:
        payments = {2028: 100_000} if self.budgeted and self.happens(0.5) else None
        return make.existing(self.random.choice((2, 4)), metered=True, payments=payments)

    def _purchase(self) -> OfferKind:
        random = self.random
        return make.purchase(
            make.yen(random.randint(200, 900) * 1000),
            units_max=1,
            steps=[(0, 0.5), (1, 1.0)],
            life=3,
            payments=random.choice(((), ((0, 0.5), (2, 0.5)))),
            owner=random.choice(("", "member", "other")),
        )

    def _member(self, name: str) -> Member:
        random = self.random
        budgets = {2028: random.randint(200, 900) * 1000} if self.budgeted and self.happens(0.5) else None
        capital = "0.3" if self.happens(0.3) else None
        return make.make_member(name, flags=("venture",), budgets=budgets, cost_of_capital=capital)

    # Workloads

    def _workloads(self) -> list[Workload]:
        count = 2 if self.pausing else self.random.choice((2, 2, 3))
        # the search grows with every choice: three workloads have one gang each
        workloads = [self._workload(number, self.random.choice((1, 2)) if count == 2 else 1) for number in range(count)]
        if self.pausing:
            hours = 1344 * self.random.choice((1.3, 1.7))
            pausing = make.pausing(1, self.random.choice((0.0, 20.0)))
            dear = round(hours * 900)
            workloads[0] = replace(
                workloads[0],
                normalised_accelerator_hours=hours,
                pausing=pausing,
                cost_not_run_yen=dear,
                # at home, where capacity is short in the second week
                sovereignty=make.ONLY_JAPAN,
                data_site_id=None,
                data_terabytes=0.0,
            )
        if self.happens(0.3):
            workloads[1] = replace(workloads[1], after_workload_ids=("job-0",))
        return workloads

    def _workload(self, number: int, gangs: int) -> Workload:
        random = self.random
        hours = 1344 * random.choice((0.4, 0.75, 1.0, 1.5))
        data_site_id = random.choice((None, None, "site", "abroad"))
        return make.make_workload(
            f"job-{number}",
            hours=hours,
            gangs={8: 1.0} if gangs == 1 else {8: 1.0, 16: 0.9},
            release=FIRST_DATE,
            deadline=END,
            member_id=random.choice(("member", "other")),
            project_id=random.choice(("", "project")),
            late_yen=random.choice((0, 20_000)),
            not_run_yen=round(hours * random.choice((120, 350, 900))),
            data_site_id=data_site_id,
            data_terabytes=float(random.randint(1, 60)) if data_site_id else 0.0,
            porting={"chip": 30_000} if self.happens(0.2) else None,
        )

    def _current_plan(self) -> CurrentPlan:
        if self.happens(0.6):
            return make.make_current_plan()
        placements = [make.current_placement("job-0", "pool", 8, SECOND_WEEK, locked=self.happens(0.2))]
        if self.happens(0.5):
            placements.append(make.current_placement("job-1", "far", 8, FIRST_DATE, change_yen=70_000))
        return make.make_current_plan(placements, 40_000)

    # Programmes and rules

    def _usage(self, workloads: list[Workload]) -> list[Programme]:
        count = self.random.choice((0, 1, 1, 2))
        together = self.random.choice(("", "stack", "exclude")) if count == 2 else ""
        names = [f"grant-{number}" for number in range(count)]
        project = workloads[0].project
        return [self._usage_programme(name, names, together, project) for name in names]

    def _usage_programme(self, name: str, names: list[str], together: str, project: str) -> Programme:
        random = self.random
        made = [make.claim_made(40_000, 2027, "member", project)] if self.happens(0.3) else ()
        return make.make_programme(
            name,
            pool_ids=random.choice(((), ("pool",))),
            project_cap_yen=random.choice((None, 200_000, 300_000)),
            budgets={year: random.randint(50, 400) * 1000 for year in YEARS if self.happens(0.6)},
            member_cap_yen=random.choice((None, None, 120_000)),
            lag_days=random.choice((0, 0, 30)),
            group="group" if together == "exclude" else "",
            stackable=[other for other in names if other != name] if together == "stack" else (),
            claims_made=made,
        )

    def _capital(self) -> list[Programme]:
        random = self.random
        if self.happens(0.5):
            return []
        return [
            make.make_capital_programme(
                rates=[SizeClassRate(SizeClass.LARGE, 0.3, random.choice(("", "venture")))],
                budgets={2027: random.randint(20, 200) * 1000} if self.happens(0.4) else None,
                member_cap_yen=random.choice((None, 50_000)),
                lag_days=random.choice((0, 30)),
                group=random.choice(("", "group")),
            )
        ]

    def _uncapped(self, programme: Programme) -> Programme:
        kind = programme.kind
        open_kind = replace(kind, project_cap_yen=None) if isinstance(kind, UsageGrant) else kind
        return replace(programme, kind=open_kind, budgets=(), member_cap_yen=None, claims_made=())

    def _rules(self) -> Rules:
        random = self.random
        return make.make_rules(
            shares={2027: 0.5} if self.happens(0.25) else {},
            budgets={random.choice(YEARS): random.randint(300, 1200) * 1000} if self.budgeted else {},
            capital_ceilings={2027: 350_000} if self.happens(0.25) else {},
            concentration={("north", 2027): 0.6} if self.happens(0.2) else {},
            carbon_price=random.choice((0, 0, 80)),
            carbon_limits={2027: random.randint(400, 1200)} if self.happens(0.25) else {},
            waiting_max=random.choice((None, None, 1, 2)),
        )
