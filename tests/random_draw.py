"""What all parts of a random problem share: chances, dates, places, prices and the switches of its features."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from tehai.domain.calendar import Calendar
from tehai.domain.market import UnitPrice
from tehai.domain.supply import Accelerator, Pool, Site
from tehai.domain.workload import Member, SizeClass
from tests import builders as make

POOLS_MAX = 4
PERIODS_MAX = 16
NEW_FISCAL_YEAR = date(2028, 4, 1)
YEN_PER_NORMALISED_HOUR = 520.0
FLAG = "venture"
# accelerators: memory in GB, power in kW, speed
CHIPS = ((80.0, 1.3, 1.0), (141.0, 1.4, 1.3), (192.0, 1.8, 2.1), (64.0, 0.9, 0.6))
# sites: country, country of the operator; the first is always there
PLACES = (("JP", "JP"), ("US", "US"), ("JP", "US"), ("SG", "US"))
OPERATORS = ("north", "south")
# every switch with the chance that it is on
SWITCHES = {
    "discount": 0.5,
    "cost of capital": 0.6,
    "conversion spread": 0.5,
    "price steps": 0.4,
    "quota steps": 0.4,
    "electricity steps": 0.3,
    "nodes": 0.35,
    "carbon price": 0.35,
    "carbon limit": 0.35,
    "concentration": 0.4,
    "allocation": 0.35,
    "capacity block": 0.4,
    "owners": 0.85,
    "capital grant": 0.35,
    "instalments": 0.5,
    "capital ceiling": 0.5,
    "existing payments": 0.5,
    "member budget": 0.35,
    "data": 0.5,
    "porting": 0.35,
    "current plan": 0.4,
    "lock": 0.35,
    "precedence": 0.4,
    "waiting": 0.35,
    "pausing": 0.5,
    "exclusivity": 0.5,
    "stacking": 0.35,
    "member cap": 0.55,
    "claims made": 0.4,
    "payment lag": 0.4,
    "flags": 0.85,
    "grant reference": 0.45,
    "charge reference": 0.5,
}


@dataclass(frozen=True, slots=True)
class Place:
    """A pool with what is needed to price its offers."""

    pool: Pool
    site: Site
    chip: Accelerator
    speed: float
    yen_per_hour: float


class Draw:
    """Draws time and places of one problem, and keeps what its other parts need."""

    def __init__(self, random: Random) -> None:
        """Draw sizes, switches, calendar and places."""
        self.random = random
        self.on = {name: self.happens(chance) for name, chance in SWITCHES.items()}
        # a feature that binds only beside another one brings it along
        self.on["member budget"] |= self.on["charge reference"] and self.happens(0.85)
        self.on["quota steps"] |= self.on["pausing"] and self.happens(0.6)
        self.unit = random.choice((16384, 24576, 32768))
        self.period_count = random.randint(9, PERIODS_MAX)
        self.calendar = self._calendar()
        self.members = self._members()
        self.chips = self._chips()
        self.places = self._places()
        # at most one pool has capacity that costs next to nothing, so that the optimum stays large
        owned = self.on["existing payments"] or self.happens(0.4)
        self.owned = random.randrange(POOLS_MAX) % len(self.places) if owned else -1
        self.allocated = random.randrange(len(self.places)) if self.on["allocation"] else -1
        self.one_mandatory = self.happens(0.7)

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

    def days(self, *choices: int) -> timedelta:
        """Return one of several numbers of days."""
        return timedelta(days=self.random.choice(choices))

    def window(self, chance: float) -> tuple[date | None, date | None]:
        """Return a window that is open on both sides unless, with this chance, an edge lies in the horizon."""
        from_date = until_date = None
        if self.happens(chance):
            from_date = self.day(self.random.randint(1, self.period_count // 2))
        if self.happens(chance):
            until_date = self.day(self.random.randint(self.period_count // 2 + 1, self.period_count - 1))
        return from_date, until_date

    def accelerators(self, low: float, high: float) -> int:
        """Return a number of accelerators between two multiples of the unit."""
        return 8 * round(self.unit * self.random.uniform(low, high) / 8)

    def price(self, place: Place, yen: float) -> UnitPrice:
        """Return a price of about so many yen in the currency of a place, with a later price now and then."""
        in_dollars = place.site.operator_country_code == "US" and self.happens(0.8)
        later: dict[date, float] = {}
        if self.on["price steps"] and self.happens(0.5):
            later = {self.day(self.random.randint(1, self.period_count - 2)): yen * self.between(0.75, 1.3)}
        if in_dollars:
            return make.dollars(f"{yen / 150:.3f}", {day: f"{amount / 150:.3f}" for day, amount in later.items()})
        return make.yen(round(yen), {day: round(amount) for day, amount in later.items()})

    def _calendar(self) -> Calendar:
        period_hours = self.random.choice((168, 168, 168, 336, 84))
        before = self.random.randint(3, self.period_count - 3)
        first = NEW_FISCAL_YEAR - timedelta(days=before * period_hours // 24)
        return Calendar(first, period_hours, self.period_count)

    def _members(self) -> tuple[Member, ...]:
        def capital() -> str | None:
            return f"{self.random.uniform(0.03, 0.12):.3f}" if self.on["cost of capital"] else None

        return (
            make.make_member("large-a", cost_of_capital=capital()),
            make.make_member("small-b", SizeClass.SME, (FLAG,) if self.happens(0.5) else (), cost_of_capital=capital()),
            make.make_member("small-c", SizeClass.SME, (FLAG,) if self.happens(0.7) else (), cost_of_capital=capital()),
        )

    def _chips(self) -> tuple[Accelerator, ...]:
        chips = []
        for number, (memory, kilowatts, speed) in enumerate(self.random.sample(CHIPS, 3)):
            speeds = {"torch": round(speed * self.random.uniform(0.9, 1.1), 3)}
            if number == 0 or self.happens(0.55):
                speeds["jax"] = round(speed * self.random.uniform(0.8, 1.2), 3)
            chips.append(make.make_accelerator(f"chip-{number}", memory, kilowatts, speeds))
        return tuple(chips)

    def _places(self) -> tuple[Place, ...]:
        count = self.random.randint(2, POOLS_MAX)
        kinds = [PLACES[0], PLACES[1], *self.random.sample(PLACES, 2)][:count]
        sites: dict[str, Site] = {}
        places = []
        for number, (country, operator) in enumerate(kinds):
            site_id = f"{country}-{operator}".lower()
            if site_id not in sites:
                sites[site_id] = self._site(site_id, country, operator, "home" if number == 0 else "")
            chip = self.random.choice(self.chips)
            speed = chip.throughputs[0].normalised_throughput
            discount = 1.0 if country == "JP" else 0.75
            yen_per_hour = YEN_PER_NORMALISED_HOUR * speed * discount * self.between(0.75, 1.35)
            pool = self._pool(number, sites[site_id], chip, yen_per_hour)
            places.append(Place(pool, sites[site_id], chip, speed, yen_per_hour))
        return tuple(places)

    def _pool(self, number: int, site: Site, chip: Accelerator, yen_per_hour: float) -> Pool:
        node = self.unit // self.random.choice((5, 7, 9, 11)) if self.on["nodes"] and self.happens(0.7) else 1
        grant = charge = None
        if self.on["grant reference"] and self.happens(0.7):
            grant = make.yen(round(yen_per_hour * self.between(0.05, 0.35)))
        if self.on["charge reference"] and self.happens(0.9):
            charge = make.yen(round(yen_per_hour * self.between(0.3, 2.4)))
        largest = self.unit * self.random.choice((1, 2, 4, 8)) // 2
        return make.make_pool(f"pool-{number}", site.id, chip.id, largest, node, grant, charge)

    def _site(self, site_id: str, country: str, operator_country: str, operator_id: str) -> Site:
        limit = round(self.unit * self.random.uniform(0.8, 2.2)) if self.happens(0.55) else None
        tariff = self.random.randint(18, 32)
        steps = {}
        if self.on["electricity steps"]:
            steps = {self.day(self.random.randint(1, self.period_count - 3)): round(tariff * self.between(0.5, 2.5))}
        return make.make_site(
            site_id,
            country,
            operator_country,
            limit,
            round(self.random.uniform(1.1, 1.5), 2),
            str(tariff),
            steps,
            operator_id or self.random.choice(OPERATORS),
            round(self.random.uniform(0.1, 0.7), 2),
        )
