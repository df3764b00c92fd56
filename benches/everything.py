"""An instance of ``instances`` with every rule of docs/rules.md switched on: "M-all" is "M" with what this module adds.

Drawn from a stream of its own, so that the underlying instance stays what it is. Limits are set so that they bind in
places and leave room: a fifth of the members meets its budget, a few workloads in a hundred wait for another.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import numpy as np

from tehai.domain.market import JPY, USD, FiscalYearAmount, PriceStep, UnitPrice
from tehai.domain.offer import (
    Allocation,
    CapacityBlock,
    CapacityBlockTerm,
    Existing,
    FiscalYearHours,
    Offer,
    OnDemand,
    PaymentStep,
    PaymentTiming,
    Purchase,
    QuotaStep,
    Reservation,
)
from tehai.domain.problem import (
    ConcentrationLimit,
    CurrentPlacement,
    CurrentPlan,
    FiscalYearMass,
    Problem,
    Route,
    Rules,
)
from tehai.domain.programme import CapitalGrant, ClaimMade, Programme, SizeClassRate, UsageGrant
from tehai.domain.supply import Pool, Site
from tehai.domain.workload import CountryRule, Member, Pausing, Porting, SizeClass, Workload

YEN_PER_NORMALISED_HOUR = 560.0
NODE = 8
VENTURE = "venture-capital"
GRID_KG_PER_KWH = {"JP": 0.45, "US": 0.38, "SG": 0.41}
PRICE_RISE_DATE = date(2028, 4, 1)
BLOCK_DAYS = (1, 3, 7, 14, 28, 91, 182)


def with_everything(problem: Problem, seed: int) -> Problem:
    """Return the problem with every further rule; the same seed adds the same."""
    return _Adder(problem, np.random.Generator(np.random.PCG64(seed))).problem()


class _Adder:
    """Adds rule by rule to one problem."""

    def __init__(self, base: Problem, random: np.random.Generator) -> None:
        self.base, self.random = base, random
        self.years = base.calendar.fiscal_years()
        self.site_of_pool = {pool.id: self._base_site(pool) for pool in base.pools}
        flops = base.reference_sustained_flops or 1.0
        self.hours = {
            w.id: w.normalised_accelerator_hours or (w.flops or 0.0) / (3600.0 * flops) for w in base.workloads
        }
        self.list_bill = sum(self.hours.values()) * YEN_PER_NORMALISED_HOUR

    def problem(self) -> Problem:
        """Return the whole problem."""
        base = self.base
        workloads = self._workloads()
        return replace(
            base,
            display_name=f"{base.display_name} with every rule",
            market=replace(base.market, discount_rate=Decimal("0.02"), usd_conversion_spread_yen=Decimal("0.5")),
            sites=tuple(self._site(number, site) for number, site in enumerate(base.sites)),
            pools=tuple(self._pool(pool) for pool in base.pools),
            offers=tuple(self._offer(offer) for offer in base.offers) + self._further_offers(),
            members=tuple(self._member(number, member) for number, member in enumerate(base.members)),
            workloads=workloads,
            programmes=self._programmes(),
            rules=self._rules(),
            routes=self._routes(),
            current_plan=self._current_plan(workloads),
        )

    def _base_site(self, pool: Pool) -> Site:
        return next(site for site in self.base.sites if site.id == pool.site_id)

    def _on_demand(self, pool: Pool) -> list[OnDemand]:
        return [o.kind for o in self.base.offers if o.pool_id == pool.id and isinstance(o.kind, OnDemand)]

    def _happens(self, chance: float) -> bool:
        return bool(self.random.random() < chance)

    def _between(self, low: float, high: float) -> float:
        return float(self.random.uniform(low, high))

    def _site(self, number: int, site: Site) -> Site:
        tariff = site.electricity_yen_per_kwh or Decimal(20)
        return replace(
            site,
            operator_id=f"operator-{number % 6}",
            grid_carbon_kg_per_kwh=GRID_KG_PER_KWH[site.country_code],
            electricity_steps=(PriceStep(PRICE_RISE_DATE, (tariff * Decimal("1.08")).quantize(Decimal("0.01"))),),
        )

    def _pool(self, pool: Pool) -> Pool:
        grant = UnitPrice(Decimal(400), JPY) if self._happens(0.1) else None
        charge = UnitPrice(Decimal(600), JPY) if self._happens(0.2) else None
        return replace(pool, node_accelerators=NODE, grant_reference=grant, charge_reference=charge)

    def _offer(self, offer: Offer) -> Offer:
        kind = offer.kind
        if isinstance(kind, OnDemand) and self._happens(0.5):
            price = kind.price_per_accelerator_hour
            later = (price.amount * Decimal(f"{self._between(0.92, 1.10):.3f}")).quantize(Decimal("0.001"))
            steps = (QuotaStep(PRICE_RISE_DATE, round(kind.quota_accelerators * 1.2)),)
            price = replace(price, steps=(PriceStep(PRICE_RISE_DATE, later),))
            kind = replace(kind, price_per_accelerator_hour=price, quota_steps=steps)
        elif isinstance(kind, Reservation) and self._happens(0.4):
            first, *others = kind.terms
            partial = replace(first, payment_timing=PaymentTiming.PARTIAL, upfront_fraction=0.4)
            kind = replace(kind, terms=(partial, *others))
        elif isinstance(kind, Purchase):
            owner = self.base.members[int(self.random.integers(len(self.base.members)))].id
            steps_paid = (PaymentStep(0, 0.3), PaymentStep(8, 0.7)) if self._happens(0.5) else ()
            kind = replace(kind, owner_member_id=owner, payment_steps=steps_paid)
        elif isinstance(kind, Existing):
            left = FiscalYearAmount(self.years[0], kind.accelerators * 200_000)
            kind = replace(kind, payments=(left,), reference_price_per_accelerator_hour=UnitPrice(Decimal(350), JPY))
        return replace(offer, kind=kind)

    def _further_offers(self) -> tuple[Offer, ...]:
        """Return an allocation in one domestic pool of four and capacity blocks in every American pool."""
        found: list[Offer] = []
        for number, pool in enumerate(self.base.pools):
            country = self.site_of_pool[pool.id].country_code
            quota = max((kind.quota_accelerators for kind in self._on_demand(pool)), default=NODE)
            if country == "JP" and number % 4 == 0:
                accelerators = max(NODE, quota // 4)
                hours = tuple(FiscalYearHours(year, accelerators * 2_000.0) for year in self.years)
                price = UnitPrice(Decimal(f"{self._between(150, 300):.0f}"), JPY)
                allocation = Allocation(price, accelerators, hours, None, None)
                found.append(Offer(f"{pool.id}-points", f"points in {pool.display_name}", pool.id, allocation))
            elif country == "US":
                found.append(Offer(f"{pool.id}-block", f"blocks in {pool.display_name}", pool.id, self._block(pool)))
        return tuple(found)

    def _block(self, pool: Pool) -> CapacityBlock:
        on_demand = self._on_demand(pool)[0]
        base = on_demand.price_per_accelerator_hour
        terms = tuple(
            CapacityBlockTerm(days, UnitPrice((base.amount * part).quantize(Decimal("0.001")), USD))
            for days, part in zip(BLOCK_DAYS, _falling(len(BLOCK_DAYS)), strict=True)
        )
        return CapacityBlock(NODE, max(1, on_demand.quota_accelerators // 24), 0, 8, terms, None, None)

    def _member(self, number: int, member: Member) -> Member:
        own = sum(self.hours[w.id] for w in self.base.workloads if w.member_id == member.id) * YEN_PER_NORMALISED_HOUR
        budgets = tuple(FiscalYearAmount(year, round(own * 0.75 + 1e8)) for year in self.years)
        return replace(
            member,
            flags=(VENTURE,) if number % 4 == 0 else (),
            budgets=budgets if number % 5 == 0 else (),
            share_fraction=1.0 / len(self.base.members),
            cost_of_capital=Decimal("0.06") if member.size_class is SizeClass.SME else Decimal("0.03"),
        )

    def _programmes(self) -> tuple[Programme, ...]:
        """Return the base's grants with stacking, exclusivity, lag, member caps and made claims; and one on capital."""
        first, second, third = self.base.programmes[:3]
        cap = round(self.list_bill * 0.01 / len(self.base.members) * 4)
        member = self.base.members[0].id
        made = (ClaimMade("", member, self.years[0], cap // 10),)
        rates = (*first.kind.rates, SizeClassRate(SizeClass.LARGE, 0.6, VENTURE))
        assert isinstance(second.kind, UsageGrant)
        half = replace(second.kind, rates=tuple(replace(rate, rate_fraction=0.3) for rate in second.kind.rates))
        capital = Programme(
            id="grant-machines",
            display_name="grant for machines",
            from_date=first.from_date,
            until_date=first.until_date,
            kind=CapitalGrant(
                (SizeClassRate(SizeClass.SME, 0.5), SizeClassRate(SizeClass.LARGE, 0.3333)),
                (),
                CountryRule(("JP",), ()),
            ),
            budgets=tuple(FiscalYearAmount(year, round(self.list_bill * 0.004)) for year in self.years),
        )
        return (
            replace(
                first,
                kind=replace(first.kind, rates=rates),
                member_cap_yen=cap,
                payment_lag_days=90,
                exclusivity_group="core",
                claims_made=made,
            ),
            replace(second, kind=half, stackable_programme_ids=(third.id,), payment_lag_days=30),
            replace(
                third,
                kind=replace(third.kind, rates=tuple(replace(rate, rate_fraction=0.4) for rate in third.kind.rates)),
                stackable_programme_ids=(second.id,),
                exclusivity_group="core",
            ),
            capital,
        )

    def _rules(self) -> Rules:
        watts = self.list_bill / YEN_PER_NORMALISED_HOUR * 1.2 * 0.45
        concentration = tuple(ConcentrationLimit("operator-0", year, 0.35) for year in self.years)
        return replace(
            self.base.rules,
            capital_ceilings=tuple(FiscalYearAmount(year, round(self.list_bill * 0.06)) for year in self.years),
            concentration_limits=concentration,
            carbon_price_yen_per_kg=Decimal(3),
            carbon_limits=tuple(FiscalYearMass(year, round(watts * 0.6)) for year in self.years),
            total_waiting_periods_max=len(self.base.workloads) * 4,
        )

    def _routes(self) -> tuple[Route, ...]:
        sites = self.base.sites
        prices = {"JP": UnitPrice(Decimal(2_000), JPY), "US": UnitPrice(Decimal(85), USD)}
        other = UnitPrice(Decimal(110), USD)
        return tuple(
            Route(a.id, b.id, prices.get(a.country_code, other))
            # The last site gives nothing away: its data stays.
            for a in sites[:-1]
            for b in sites
            if a.id != b.id
        )

    def _workloads(self) -> tuple[Workload, ...]:
        """Return the workloads with data, porting, pauses, and a chain for a few in a hundred."""
        changed: list[Workload] = []
        for number, workload in enumerate(self.base.workloads):
            site = self.base.sites[int(self.random.integers(len(self.base.sites)))]
            if self._happens(0.5):
                terabytes = round(self._between(1.0, 40.0), 1)
                workload = replace(workload, data_site_id=site.id, data_terabytes=terabytes)
            if self._happens(0.2):
                porting = (Porting("domestic", round(self.hours[workload.id] * 10)),)
                workload = replace(workload, porting=porting)
            if self._happens(0.08):
                workload = replace(workload, pausing=Pausing(2, 6.0))
            before = changed[number - 1] if number else None
            if before is not None and self._happens(0.08) and workload.cost_not_run_yen is not None:
                workload = self._after(before, workload)
            changed.append(workload)
        return tuple(changed)

    def _after(self, before: Workload, workload: Workload) -> Workload:
        """Return the workload with a predecessor, its window moved so that both can run."""
        last = self.base.calendar.first_date + timedelta(
            hours=self.base.calendar.period_hours * self.base.calendar.period_count
        )
        deadline = min(last, max(workload.deadline_date, before.deadline_date + timedelta(weeks=12)))
        return replace(workload, after_workload_ids=(before.id,), deadline_date=deadline)

    def _current_plan(self, workloads: tuple[Workload, ...]) -> CurrentPlan:
        """Return a plan in force for one workload in twenty, where it may be."""
        placements: list[CurrentPlacement] = []
        for workload in workloads[::20]:
            gang = workload.gang_options[0].accelerators
            pool = next((p for p in self.base.pools if self._fits(workload, p, gang)), None)
            if pool is None:
                continue
            release = max(0, self.base.calendar.first_period_from(workload.release_date))
            day = self.base.calendar.date_of(release)
            # One run is locked, where it ends in time and the pool's quota holds it whatever else is decided.
            locked = not any(entry.locked for entry in placements) and self._can_be_locked(workload, pool, gang)
            placements.append(CurrentPlacement(workload.id, pool.id, gang, day, locked=locked))
        return CurrentPlan(300_000, tuple(placements))

    def _can_be_locked(self, workload: Workload, pool: Pool, gang: int) -> bool:
        chip = next(item for item in self.base.accelerators if item.id == pool.accelerator_id)
        speed = next(f.normalised_throughput for f in chip.throughputs if f.software_family == workload.software_family)
        speed *= workload.gang_options[0].scaling_efficiency_fraction
        run = timedelta(hours=self.hours[workload.id] / (gang * speed))
        quota = max(kind.quota_accelerators for kind in self._on_demand(pool))
        in_time = run + timedelta(weeks=1) < workload.deadline_date - workload.release_date
        return in_time and gang + NODE <= quota and self.site_of_pool[pool.id].power_limit_kw is None

    def _fits(self, workload: Workload, pool: Pool, gang: int) -> bool:
        site = self.site_of_pool[pool.id]
        chip = next(item for item in self.base.accelerators if item.id == pool.accelerator_id)
        runs = any(item.software_family == workload.software_family for item in chip.throughputs)
        allowed = workload.sovereignty.accepts(site.country_code, site.operator_country_code)
        stays = workload.data_site_id in (None, site.id)
        roomy = bool(self._on_demand(pool))
        enough = gang * chip.memory_gb >= workload.memory_gb
        return allowed and runs and stays and roomy and enough and gang <= pool.gang_accelerators_max


def _falling(count: int) -> tuple[Decimal, ...]:
    """Return parts of the on-demand price, from 0.95 for the shortest block to 0.62 for the longest."""
    step = (Decimal("0.95") - Decimal("0.62")) / (count - 1)
    return tuple(Decimal("0.95") - step * number for number in range(count))
