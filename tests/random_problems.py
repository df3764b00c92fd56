"""Seeded random problems for the oracle: up to 12 workloads, 4 pools and 16 periods, every feature mixed in.

Figures are chosen so that features *bind*: ``feature_drops`` says what that means, ``test_random_problems`` counts.
Amounts are large (an optimum of 10^8 yen or more), so that rounding bill lines to the yen stays far below a millionth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random

from tehai.domain.calendar import Calendar
from tehai.domain.market import Market, UnitPrice
from tehai.domain.offer import Offer, OfferKind, OnDemand, ReservationTerm
from tehai.domain.problem import Problem, Rules
from tehai.domain.programme import Programme
from tehai.domain.supply import Accelerator, Pool, Site
from tehai.domain.workload import CountryRule, GangOption, SizeClass, Workload
from tests import builders as make

DEFAULT_SEEDS = range(40)
SLOW_SEEDS = range(200)
WORKLOADS_MAX = 12
POOLS_MAX = 4
PERIODS_MAX = 16
FLOPS_PER_SECOND = 4e14
NEW_FISCAL_YEAR = date(2028, 4, 1)
FAMILIES = ("torch", "jax")
TAGS = ("robotics", "language")
# accelerators: memory in GB, power in kW, speed
CHIPS = ((80.0, 1.3, 1.0), (141.0, 1.4, 1.3), (192.0, 1.8, 2.1), (64.0, 0.9, 0.6))
# sites: country, operator; the first is always there
PLACES = (("JP", "JP"), ("US", "US"), ("JP", "US"), ("SG", "US"))
YEN_PER_NORMALISED_HOUR = 520.0


def random_problem(seed: int) -> Problem:
    """Return the problem of a seed; the same seed gives the same problem."""
    return _Drawer(Random(f"tehai oracle {seed}"), seed).problem()


@dataclass(frozen=True, slots=True)
class _Place:
    """A pool with what the drawer needs to price its offers."""

    pool: Pool
    site: Site
    chip: Accelerator
    speed: float
    yen_per_hour: float


class _Drawer:
    """Draws one problem part by part."""

    def __init__(self, random: Random, seed: int) -> None:
        self.random = random
        self.seed = seed
        self.unit = random.choice((16384, 24576, 32768))
        self.period_count = random.randint(9, PERIODS_MAX)
        self.calendar = self._calendar()
        self.chips = self._chips()
        self.places = self._places()
        # at most one pool has capacity that costs next to nothing, so that the optimum stays large
        self.owned = self.random.randrange(POOLS_MAX) % len(self.places) if self.happens(0.6) else -1
        self.one_mandatory = self.happens(0.7)
        self.members = (make.make_member("large-a"), make.make_member("small-b", SizeClass.SME))

    def problem(self) -> Problem:
        """Return the whole problem."""
        offers = tuple(offer for place in self.places for offer in self._offers(place))
        workloads = self._workloads()
        return Problem(
            schema_version=1,
            display_name=f"random problem {self.seed}",
            calendar=self.calendar,
            market=self._market(),
            reference_sustained_flops=FLOPS_PER_SECOND,
            accelerators=self.chips,
            sites=tuple({place.site.id: place.site for place in self.places}.values()),
            pools=tuple(place.pool for place in self.places),
            offers=offers,
            members=self.members,
            workloads=workloads,
            programmes=self._programmes(workloads),
            rules=self._rules(workloads),
            source_notes=(),
        )

    def happens(self, chance: float) -> bool:
        """Return True with this chance."""
        return self.random.random() < chance

    def between(self, low: float, high: float) -> float:
        """Return a number from the log-uniform distribution between two positive numbers."""
        return math.exp(self.random.uniform(math.log(low), math.log(high)))

    def day(self, period: int) -> date:
        """Return the first day of a period."""
        return self.calendar.date_of(period)

    def end_day(self, period: int) -> date:
        """Return the first day whose 00:00 is not before the period begins."""
        return self.calendar.first_date + timedelta(days=math.ceil(period * self.calendar.period_hours / 24))

    # Time and money

    def _calendar(self) -> Calendar:
        period_hours = self.random.choice((168, 168, 168, 336, 84))
        before = self.random.randint(3, self.period_count - 3)
        first = NEW_FISCAL_YEAR - timedelta(days=before * period_hours // 24)
        return Calendar(first, period_hours, self.period_count)

    def _market(self) -> Market:
        return make.make_market(
            spot=str(self.random.randint(135, 168)),
            spot_date=self.calendar.first_date - timedelta(days=self.random.randint(0, 60)),
            yen_rate=f"{self.random.uniform(0.002, 0.02):.4f}",
            dollar_rate=f"{self.random.uniform(0.03, 0.055):.4f}",
        )

    # Places

    def _chips(self) -> tuple[Accelerator, ...]:
        chips = []
        for number, (memory, kilowatts, speed) in enumerate(self.random.sample(CHIPS, 3)):
            speeds = {"torch": round(speed * self.random.uniform(0.9, 1.1), 3)}
            if number == 0 or self.happens(0.55):
                speeds["jax"] = round(speed * self.random.uniform(0.8, 1.2), 3)
            chips.append(make.make_accelerator(f"chip-{number}", memory, kilowatts, speeds))
        return tuple(chips)

    def _places(self) -> tuple[_Place, ...]:
        count = self.random.randint(2, POOLS_MAX)
        kinds = [PLACES[0], PLACES[1], *self.random.sample(PLACES, 2)][:count]
        sites: dict[str, Site] = {}
        places = []
        for number, (country, operator) in enumerate(kinds):
            site_id = f"{country}-{operator}".lower()
            site = sites.setdefault(site_id, self._site(site_id, country, operator))
            chip = self.random.choice(self.chips)
            pool = make.make_pool(f"pool-{number}", site.id, chip.id, self.unit * self.random.choice((1, 2, 4, 8)) // 2)
            speed = chip.throughputs[0].normalised_throughput
            discount = 1.0 if country == "JP" else 0.75
            price = YEN_PER_NORMALISED_HOUR * speed * discount * self.between(0.75, 1.35)
            places.append(_Place(pool, site, chip, speed, price))
        return tuple(places)

    def _site(self, site_id: str, country: str, operator: str) -> Site:
        limit = round(self.unit * self.random.uniform(0.9, 2.6)) if self.happens(0.55) else None
        usage = round(self.random.uniform(1.1, 1.5), 2)
        return make.make_site(site_id, country, operator, limit, usage, str(self.random.randint(18, 32)))

    # Offers

    def _offers(self, place: _Place) -> list[Offer]:
        kinds: list[OfferKind] = []
        if self.one_mandatory and place is self.places[0]:
            # domestic capacity without a window, so that a mandatory workload can run whatever the rules are
            kinds.append(replace(self._on_demand(place), from_date=None, until_date=None))
        elif self.happens(0.65):
            kinds.append(self._on_demand(place))
        if self.happens(0.7):
            kinds.append(self._reservation(place))
        if self.happens(0.5):
            kinds.append(self._purchase(place))
        if self.owned >= 0 and place is self.places[self.owned]:
            kinds.append(self._existing())
        kinds = kinds or [self._on_demand(place)]
        return [make.make_offer(kind, f"{place.pool.id}-offer-{i}", place.pool.id) for i, kind in enumerate(kinds)]

    def _window(self, chance: float) -> tuple[date | None, date | None]:
        """Return a window that is open on both sides unless, with this chance, an edge lies in the horizon."""
        from_date = until_date = None
        if self.happens(chance):
            from_date = self.day(self.random.randint(1, self.period_count // 2))
        if self.happens(chance):
            until_date = self.day(self.random.randint(self.period_count // 2 + 1, self.period_count - 1))
        return from_date, until_date

    def _price(self, place: _Place, yen: float) -> UnitPrice:
        if place.site.operator_country_code == "US" and self.happens(0.8):
            return make.dollars(f"{yen / 150:.3f}")
        return make.yen(round(yen))

    def _accelerators(self, low: float, high: float) -> int:
        return 8 * round(self.unit * self.random.uniform(low, high) / 8)

    def _on_demand(self, place: _Place) -> OnDemand:
        price = self._price(place, place.yen_per_hour * self.between(0.95, 1.3))
        return make.on_demand(price, self._accelerators(0.4, 2.5), *self._window(0.15))

    def _reservation(self, place: _Place) -> OfferKind:
        block = self.unit // self.random.choice((1, 2, 4))
        terms: list[ReservationTerm] = []
        lengths = sorted(self.random.sample((2, 3, 4, 6, 8, 12, 26), self.random.randint(1, 3)))
        for length in lengths:
            price = self._price(place, place.yen_per_hour * (0.68 - 0.07 * math.log2(length)))
            terms.append(make.term(length, price, prepaid=self.happens(0.5)))
        blocks_max = max(1, round(self.unit / block * self.random.choice((0.25, 0.25, 0.5, 0.5, 1))))
        return make.reservation(terms, block, blocks_max, self.random.choice((0, 1, 2, 3, 5)), *self._window(0.15))

    def _purchase(self, place: _Place) -> OfferKind:
        unit = self.unit // self.random.choice((1, 2, 4, 8))
        first = self.random.randint(0, 3)
        steps = [(first, 1.0)]
        if self.happens(0.65):
            steps = [(first, self.random.choice((0.25, 0.5))), (first + self.random.randint(1, 4), 1.0)]
        life = self.random.choice((4, 5, 6, 8, 52, 78))
        hourly = place.yen_per_hour * self.between(0.2, 0.5)
        price = hourly * unit * self.calendar.period_hours * life
        return make.purchase(
            self._price(place, price),
            unit,
            self.random.choice((1, 1, 1, 2)),
            steps,
            life,
            residual=self.random.choice((0.0, 0.15, 0.3)),
            haircut=self.random.choice((0.0, 0.25, 0.5)),
            metered=self.happens(0.75),
        )

    def _existing(self) -> OfferKind:
        return make.existing(self._accelerators(0.3, 0.9), *self._window(0.25), metered=self.happens(0.85))

    # Workloads

    def _workloads(self) -> tuple[Workload, ...]:
        count = self.random.choice((5, 6, 7, 8, 9, 10, WORKLOADS_MAX))
        workloads = [self._workload(number) for number in range(count)]
        if self.one_mandatory:
            mandatory = self.random.randrange(count)
            workloads[mandatory] = self._made_mandatory(workloads[mandatory])
        return tuple(workloads)

    def _workload(self, number: int) -> Workload:
        unit_gang = max(8, self.unit // self.random.choice((1, 1, 2, 2, 3)))
        count = self.random.randint(1, 3)
        loss = self.random.uniform(0.02, 0.15)
        gangs = {unit_gang * 2**step: round((1 - loss) ** step, 4) for step in range(count)}
        run_periods = self.between(0.2, 4.0)
        hours = unit_gang * run_periods * self.calendar.period_hours
        length = math.ceil(run_periods) + self.random.randint(0, 5)
        release = self.random.randint(0, max(0, self.period_count - length - 1))
        value = hours * YEN_PER_NORMALISED_HOUR
        workload = make.make_workload(
            name=f"job-{number}",
            hours=round(hours, 2),
            gangs=gangs,
            release=self.day(release) - self._days(0, 0, 0, 2),
            deadline=self.end_day(min(self.period_count, release + length)) + self._days(0, 0, 3),
            member_id=self.random.choice(self.members).id,
            project_id=self.random.choice(("", "project-x", "project-x", "project-y")),
            memory_gb=unit_gang * self.random.choice((16.0, 48.0, 72.0, 110.0, 160.0)),
            family=self.random.choice(("torch", "torch", "jax")),
            sovereignty=self._sovereignty(),
            tags=self.random.sample(TAGS, self.random.randint(0, 2)),
            late_yen=round(value * self.random.choice((0.0, 0.01, 0.04, 0.1))),
            not_run_yen=round(value * self.between(0.7, 2.2)),
        )
        if self.happens(0.25):
            workload = replace(workload, normalised_accelerator_hours=None, flops=hours * 3600 * FLOPS_PER_SECOND)
        return workload

    def _days(self, *choices: int) -> timedelta:
        return timedelta(days=self.random.choice(choices))

    def _sovereignty(self) -> CountryRule:
        if self.happens(0.6):
            return make.ANY_COUNTRY
        return self.random.choice((CountryRule(("JP",), ()), CountryRule(("JP",), ("JP",)), CountryRule((), ("JP",))))

    def _made_mandatory(self, workload: Workload) -> Workload:
        """Return the workload as a mandatory one: easy to place and dear, so that it would rather not run."""
        return replace(
            workload,
            normalised_accelerator_hours=min(self._hours(workload), self.unit / 20 * self.calendar.period_hours * 4),
            flops=None,
            cost_not_run_yen=None,
            gang_options=(GangOption(self.unit // 4, 0.7), GangOption(self.unit // 2, 0.65)),
            sovereignty=make.ANY_COUNTRY,
            release_date=self.day(0),
            deadline_date=self.end_day(self.period_count),
            memory_gb=1.0,
            software_family="torch",
        )

    # Programmes and rules

    def _programmes(self, workloads: tuple[Workload, ...]) -> tuple[Programme, ...]:
        return tuple(self._programme(number, workloads) for number in range(self.random.choice((0, 1, 1, 1, 2))))

    def _programme(self, number: int, workloads: tuple[Workload, ...]) -> Programme:
        bill = sum(self._value(w) for w in workloads)
        rates = {SizeClass.SME: self.random.choice((0.5, 0.6667)), SizeClass.LARGE: self.random.choice((0.3333, 0.5))}
        if self.happens(0.2):
            del rates[SizeClass.LARGE]
        from_date, until_date = self._window(0.5)
        pool_ids = [p.pool.id for p in self.places if self.happens(0.6)] if self.happens(0.6) else []
        cap = round(bill * self.between(0.002, 0.03)) if self.happens(0.75) else None
        budgets = {}
        if self.happens(0.55):
            budgets = {year: round(bill * self.between(0.004, 0.05)) for year in self.calendar.fiscal_years()}
        return make.make_programme(
            f"grant-{number}",
            rates,
            from_date or date(2027, 4, 1),
            until_date or date(2029, 4, 1),
            pool_ids,
            CountryRule(("JP",), ()) if self.happens(0.4) else make.ANY_COUNTRY,
            [self.random.choice(TAGS)] if self.happens(0.5) else [],
            cap,
            budgets,
        )

    def _hours(self, workload: Workload) -> float:
        return workload.normalised_accelerator_hours or (workload.flops or 0.0) / (3600 * FLOPS_PER_SECOND)

    def _value(self, workload: Workload) -> float:
        return self._hours(workload) * YEN_PER_NORMALISED_HOUR

    def _rules(self, workloads: tuple[Workload, ...]) -> Rules:
        years = self.calendar.fiscal_years()
        shares = {year: round(self.random.uniform(0.4, 0.9), 2) for year in years if self.happens(0.3)}
        bill = sum(self._value(w) for w in workloads)
        budgets = {year: round(bill * self.between(0.08, 0.35)) for year in years if self.happens(0.3)}
        domestic = CountryRule(("JP",), ("JP",)) if self.happens(0.3) else make.ONLY_JAPAN
        return make.make_rules(domestic, shares, budgets)
