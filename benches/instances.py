"""Seeded instances for the benches: a registry of names, and one generator for all sizes.

A portfolio over one or two years: work log-uniform over two to three and a half orders of magnitude, pools at home and
abroad with every kind of offer in yen and dollars, grants, budgets, a domestic share and power limits. ``tightness`` is
the work asked for divided by what all offers together could deliver; around 0.5 most weeks are contested and a few per
cent of the workloads are not run.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from math import ceil, log2

import numpy as np

from benches.everything import with_everything
from tehai.domain.calendar import Calendar
from tehai.domain.market import JPY, USD, FiscalYearAmount, Market, UnitPrice
from tehai.domain.offer import (
    DeliveryStep,
    Existing,
    Offer,
    OfferKind,
    OnDemand,
    PaymentTiming,
    Purchase,
    Reservation,
    ReservationTerm,
)
from tehai.domain.problem import SCHEMA_VERSION, FiscalYearShare, Problem, Rules
from tehai.domain.programme import Programme, SizeClassRate, UsageGrant
from tehai.domain.supply import Accelerator, FamilyThroughput, Pool, Site
from tehai.domain.workload import CountryRule, GangOption, Member, SizeClass, Workload

FIRST_DATE = date(2027, 4, 5)
PERIOD_HOURS = 168
USD_JPY = 160.0
YEN_PER_NORMALISED_HOUR = 560.0
# Part of the normalised capacity that each kind of offer can deliver at most.
ON_DEMAND_PART, RESERVATION_PART, PURCHASE_PART, EXISTING_PART = 0.50, 0.26, 0.12, 0.12
TAGS = ("robotics", "language", "vision")
ANY_COUNTRY = CountryRule((), ())
ONLY_JAPAN = CountryRule(("JP",), ())
# id, memory in GB, power in kW, speed by software family
CHIPS: tuple[tuple[str, float, float, dict[str, float]], ...] = (
    ("a100", 80.0, 0.81, {"torch": 0.36, "jax": 0.33}),
    ("h100", 80.0, 1.28, {"torch": 1.0, "jax": 0.95}),
    ("h200", 141.0, 1.30, {"torch": 1.08, "jax": 1.0}),
    ("b200", 180.0, 1.79, {"torch": 2.2, "jax": 2.0}),
    ("mi300x", 192.0, 1.35, {"torch": 0.84}),
    ("domestic", 96.0, 0.9, {"torch": 0.55, "jax": 0.5}),
)
# country, operator, price level, yen per kWh
PLACES = (
    ("JP", "JP", 1.0, 24.0),
    ("JP", "JP", 0.95, 21.0),
    ("JP", "US", 1.15, 26.0),
    ("US", "US", 0.8, 12.0),
    ("SG", "US", 0.9, 20.0),
)


@dataclass(frozen=True, slots=True)
class Size:
    """How many workloads, pools and weeks; smallest and largest work in normalised accelerator-hours.

    The fewer workloads there are, the narrower their range: none may be too large for every pool.
    """

    workloads: int
    pools: int
    periods: int
    work_hours_min: float
    work_hours_max: float


@dataclass(frozen=True, slots=True)
class InstanceSpec:
    """One named instance: everything that decides it; ``everything`` adds the rules of ``benches.everything``."""

    size: Size
    tightness: float
    seed: int
    everything: bool = False


SMALL = Size(100, 10, 52, 1_500.0, 150_000.0)
MEDIUM = Size(1_000, 40, 104, 300.0, 300_000.0)
LARGE = Size(10_000, 100, 104, 100.0, 300_000.0)

INSTANCES: dict[str, InstanceSpec] = {
    "S": InstanceSpec(SMALL, 0.55, 1),
    "S-loose": InstanceSpec(SMALL, 0.30, 2),
    "S-tight": InstanceSpec(SMALL, 0.60, 3),
    "M": InstanceSpec(MEDIUM, 0.50, 1),
    "L": InstanceSpec(LARGE, 0.50, 1),
    "S-all": InstanceSpec(SMALL, 0.55, 1, everything=True),
    "M-all": InstanceSpec(MEDIUM, 0.50, 1, everything=True),
}


def build_instance(name: str) -> Problem:
    """Return the instance of this name; the same name gives the same problem.

    Raises:
        KeyError: no instance has this name.
    """
    spec = INSTANCES[name]
    problem = _Drawer(name, spec).problem()
    return with_everything(problem, spec.seed) if spec.everything else problem


@dataclass(frozen=True, slots=True)
class _Place:
    """A pool with what its offers need: normalised speed, yen per accelerator-hour, normalised capacity wanted."""

    pool: Pool
    site: Site
    chip: Accelerator
    speed: float
    yen_per_hour: float
    capacity: float


class _Drawer:
    """Draws one instance part by part from one stream of random numbers."""

    def __init__(self, name: str, spec: InstanceSpec) -> None:
        self.name = name
        self.spec = spec
        self.random = np.random.Generator(np.random.PCG64(spec.seed))
        self.calendar = Calendar(FIRST_DATE, PERIOD_HOURS, spec.size.periods)
        self.members = self._members()
        self.work_hours = self._log_uniform(spec.size.work_hours_min, spec.size.work_hours_max, spec.size.workloads)
        self.places = self._places()
        # the smallest gang of a workload fits half of the pools
        accelerators = sorted(place.capacity / place.speed for place in self.places)
        self.smallest_gang_max = 2 ** int(log2(accelerators[len(accelerators) // 2] * 0.5))

    def problem(self) -> Problem:
        """Return the whole problem."""
        workloads = tuple(self._workload(number) for number in range(self.spec.size.workloads))
        return Problem(
            schema_version=SCHEMA_VERSION,
            display_name=f"instance {self.name}",
            calendar=self.calendar,
            market=Market(Decimal(f"{USD_JPY:.0f}"), FIRST_DATE, Decimal("0.010"), Decimal("0.037")),
            reference_sustained_flops=4e14,
            accelerators=_chips(),
            sites=tuple({place.site.id: place.site for place in self.places}.values()),
            pools=tuple(place.pool for place in self.places),
            offers=tuple(offer for place in self.places for offer in self._offers(place)),
            members=self.members,
            workloads=workloads,
            programmes=self._programmes(),
            rules=self._rules(),
            source_notes=(),
        )

    def _log_uniform(self, low: float, high: float, size: int) -> np.ndarray:
        return np.exp(self.random.uniform(np.log(low), np.log(high), size))

    def _between(self, low: float, high: float) -> float:
        return float(self.random.uniform(low, high))

    def _happens(self, chance: float) -> bool:
        return bool(self.random.random() < chance)

    # Places

    def _members(self) -> tuple[Member, ...]:
        count = max(5, min(300, self.spec.size.workloads // 8))
        return tuple(
            Member(f"member-{i}", f"member {i}", SizeClass.SME if i % 3 == 0 else SizeClass.LARGE) for i in range(count)
        )

    def _places(self) -> tuple[_Place, ...]:
        """Return pools of unequal size whose capacities add up to work / tightness."""
        count = self.spec.size.pools
        weights = self.random.permutation(1.0 / np.arange(1, count + 1) ** 0.6)
        hours = self.calendar.period_count * PERIOD_HOURS
        wanted = self.work_hours.sum() / self.spec.tightness / hours * weights / weights.sum()
        sites = [self._site(number) for number in range(max(3, ceil(count / 2.5)))]
        order = [number % len(sites) for number in range(count)]
        capacity_at = [sum(wanted[i] for i in range(count) if order[i] == s) for s in range(len(sites))]
        limited = [self._with_power_limit(s, c) for (s, _), c in zip(sites, capacity_at, strict=True)]
        levels = [level for _, level in sites]
        return tuple(self._place(i, limited[order[i]], levels[order[i]], float(wanted[i])) for i in range(count))

    def _site(self, number: int) -> tuple[Site, float]:
        country, operator, level, electricity = PLACES[number % len(PLACES)]
        usage = round(self._between(1.12, 1.5), 2)
        price = Decimal(f"{electricity * self._between(0.9, 1.1):.2f}")
        return Site(f"site-{number}", f"site {number}", country, operator, None, usage, price), level

    def _with_power_limit(self, site: Site, capacity: float) -> Site:
        """Limit half of the sites to three fifths of what their pools could draw."""
        if not self._happens(0.5):
            return site
        limit = round(0.6 * capacity * 1.25 * site.power_usage_effectiveness, 1)
        return Site(
            site.id,
            site.display_name,
            site.country_code,
            site.operator_country_code,
            limit,
            site.power_usage_effectiveness,
            site.electricity_yen_per_kwh,
        )

    def _place(self, number: int, site: Site, level: float, capacity: float) -> _Place:
        chip = _chips()[int(self.random.integers(len(CHIPS)))]
        speed = chip.throughputs[0].normalised_throughput
        price = YEN_PER_NORMALISED_HOUR * speed * level * self._between(0.8, 1.25)
        gang = 2 ** max(3, ceil(log2(capacity / speed * 0.5)))
        pool = Pool(f"pool-{number}", f"pool {number}", site.id, chip.id, gang)
        return _Place(pool, site, chip, speed, price, capacity)

    # Offers

    def _offers(self, place: _Place) -> list[Offer]:
        accelerators = place.capacity / place.speed
        kinds: list[OfferKind] = [self._on_demand(place, accelerators * ON_DEMAND_PART)]
        kinds.append(self._reservation(place, accelerators * RESERVATION_PART))
        if place.site.country_code == "JP":
            # what is owned stands in Japan, so it is twice as much there
            kinds.append(self._purchase(place, accelerators * PURCHASE_PART * 2))
            kinds.append(self._existing(accelerators * EXISTING_PART * 2))
        else:
            kinds.append(self._spare(place, accelerators * (PURCHASE_PART + EXISTING_PART)))
        return [
            Offer(f"{place.pool.id}-offer-{i}", f"{place.pool.display_name} offer {i}", place.pool.id, kind)
            for i, kind in enumerate(kinds)
        ]

    def _price(self, place: _Place, yen: float) -> UnitPrice:
        if place.site.operator_country_code == "US":
            return UnitPrice(Decimal(f"{yen / USD_JPY:.3f}"), USD)
        return UnitPrice(Decimal(f"{yen:.0f}"), JPY)

    def _on_demand(self, place: _Place, accelerators: float) -> OnDemand:
        price = self._price(place, place.yen_per_hour * self._between(1.0, 1.2))
        return OnDemand(price, max(8, round(accelerators)), None, None)

    def _spare(self, place: _Place, accelerators: float) -> OnDemand:
        """A promotion abroad: cheaper, and over by a date within the horizon."""
        until = self.calendar.date_of(int(self.random.integers(1, self.calendar.period_count)))
        price = self._price(place, place.yen_per_hour * self._between(0.85, 0.95))
        return OnDemand(price, max(4, round(accelerators)), None, until)

    def _reservation(self, place: _Place, accelerators: float) -> Reservation:
        block = 2 ** max(2, int(log2(max(1.0, accelerators / 6))))
        terms = tuple(
            ReservationTerm(
                periods,
                self._price(place, place.yen_per_hour * part * self._between(0.95, 1.05)),
                PaymentTiming.PREPAID if self._happens(0.5) else PaymentTiming.PERIODIC,
            )
            for periods, part in ((4, 0.95), (13, 0.88), (26, 0.82), (52, 0.76))
        )
        lead = int(self.random.choice((0, 2, 4, 8)))
        return Reservation(block, max(1, round(accelerators / block)), lead, terms, None, None)

    def _purchase(self, place: _Place, accelerators: float) -> Purchase:
        unit = 2 ** max(2, int(log2(max(1.0, accelerators / 4))))
        life = int(self.random.choice((30, 104, 156)))
        price = place.yen_per_hour * self._between(0.6, 0.75) * unit * PERIOD_HOURS * life
        first = int(self.random.integers(4, 20))
        steps = (DeliveryStep(first, 0.4), DeliveryStep(first + 6, 0.75), DeliveryStep(first + 12, 1.0))
        units_max = max(1, round(accelerators / unit))
        yen = UnitPrice(Decimal(f"{price:.0f}"), JPY)
        return Purchase(unit, units_max, yen, steps, life, 0.1, 0.3, True, None, None)

    def _existing(self, accelerators: float) -> Existing:
        edge = self.calendar.date_of(
            int(self.random.integers(self.calendar.period_count // 2, self.calendar.period_count))
        )
        return Existing(max(4, round(accelerators)), None, edge if self._happens(0.5) else None, True)

    # Workloads

    def _workload(self, number: int) -> Workload:
        hours = round(float(self.work_hours[number]), 1)
        options = self._gangs(hours)
        run_periods = hours / (options[0].accelerators * PERIOD_HOURS)
        length = min(
            self.calendar.period_count, ceil(run_periods * self._between(1.1, 2.0)) + int(self.random.integers(2, 14))
        )
        release = int(self.random.integers(0, self.calendar.period_count - length + 1))
        rate = YEN_PER_NORMALISED_HOUR * (self._between(0.8, 1.3) if self._happens(0.06) else self._between(1.8, 4.0))
        in_flops = self._happens(0.2)
        projects = max(1, self.spec.size.workloads // 6)
        chance = self.random.random()
        sovereignty = CountryRule(("JP",), ("JP",)) if chance < 0.1 else ONLY_JAPAN if chance < 0.3 else ANY_COUNTRY
        mandatory = self._happens(0.03) and hours < 20_000
        return Workload(
            id=f"job-{number}",
            display_name=f"job {number}",
            member_id=self.members[int(self.random.integers(len(self.members)))].id,
            project_id=f"project-{int(self.random.integers(projects))}" if self._happens(0.5) else "",
            release_date=self.calendar.date_of(release),
            deadline_date=FIRST_DATE + timedelta(weeks=release + length),
            normalised_accelerator_hours=None if in_flops else hours,
            flops=hours * 3600 * 4e14 if in_flops else None,
            gang_options=options,
            memory_gb=float(options[0].accelerators * self.random.choice((24, 48, 72, 72, 120))),
            software_family="jax" if self._happens(0.25) else "torch",
            sovereignty=ANY_COUNTRY if mandatory else sovereignty,
            tags=tuple(tag for tag in TAGS if self._happens(0.4)),
            late_start_yen_per_period=round(hours * YEN_PER_NORMALISED_HOUR * self._between(0.0, 0.02)),
            cost_not_run_yen=None if mandatory else round(hours * rate),
        )

    def _gangs(self, hours: float) -> tuple[GangOption, ...]:
        """Return one to four gangs, doubling, the smallest running for half a week to 16 weeks at reference speed."""
        weeks = float(self._log_uniform(0.5, 16.0, 1)[0])
        smallest = 2 ** max(0, round(log2(hours / (weeks * PERIOD_HOURS))))
        shortest = 2 ** ceil(log2(hours / (PERIOD_HOURS * self.calendar.period_count / 3)))
        smallest = max(min(smallest, self.smallest_gang_max), shortest)
        loss = self._between(0.02, 0.12)
        count = int(self.random.integers(1, 5))
        return tuple(GangOption(smallest * 2**i, round((1 - loss) ** i, 4)) for i in range(count))

    # Programmes and rules

    def _list_bill(self) -> float:
        return float(self.work_hours.sum()) * YEN_PER_NORMALISED_HOUR

    def _programmes(self) -> tuple[Programme, ...]:
        years = self.calendar.fiscal_years()
        count = len(years)
        programmes = []
        for number, tag in enumerate(TAGS):
            domestic = number != 1
            budget = round(self._list_bill() * 0.01 / count)
            kind = UsageGrant(
                rates=(SizeClassRate(SizeClass.SME, 0.6667), SizeClassRate(SizeClass.LARGE, 0.5)),
                eligible_pool_ids=(),
                eligible_countries=ONLY_JAPAN if domestic else ANY_COUNTRY,
                eligible_tags=(tag,),
                project_cap_yen=round(self._list_bill() * 0.25 / self.spec.size.workloads),
            )
            from_date = self.calendar.date_of(int(self.random.integers(0, self.calendar.period_count // 3)))
            until_date = self.calendar.date_of(self.calendar.period_count - int(self.random.integers(0, 12)))
            budgets = tuple(FiscalYearAmount(year, budget) for year in years)
            programme = Programme(f"grant-{tag}", f"grant for {tag}", from_date, until_date, kind, budgets=budgets)
            programmes.append(programme)
        return tuple(programmes)

    def _rules(self) -> Rules:
        years = self.calendar.fiscal_years()
        periods = [sum(self.calendar.fiscal_year(t) == y for t in range(self.calendar.period_count)) for y in years]
        bill = self._list_bill()
        budgets = tuple(
            FiscalYearAmount(year, round(bill * (0.6 * part / self.calendar.period_count + 0.15)))
            for year, part in zip(years, periods, strict=True)
        )
        shares = tuple(FiscalYearShare(year, 0.85) for year in years)
        return Rules(domestic=ONLY_JAPAN, minimum_domestic_shares=shares, portfolio_budgets=budgets)


def _chips() -> tuple[Accelerator, ...]:
    return tuple(
        Accelerator(name, name, memory, power, tuple(FamilyThroughput(f, speed) for f, speed in speeds.items()))
        for name, memory, power, speeds in CHIPS
    )
