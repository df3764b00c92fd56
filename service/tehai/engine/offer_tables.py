"""The tables of offers that cross to Rust, filled offer by offer."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tehai.domain.problem import Problem
from tehai.engine.market_arrays import FloatArray, PricesOverTime


@dataclass(frozen=True)
class OrderKey:
    """Which decision an order option stands for: blocks of a term that begin, or units ordered, in ``period``.

    ``term_index`` is -1 for a purchase, ``booking`` the period in which a capacity block is booked (-1 for the rest),
    ``programme`` the capital programme that a purchase claims from (-1 for none).
    """

    offer_index: int
    term_index: int
    period: int
    booking: int = -1
    programme: int = -1


@dataclass
class HourlyArrays:
    """Offers used by the hour; one row of (T,) each, quotas of (Y,)."""

    offer_index: list[int] = field(default_factory=list)
    pool: list[int] = field(default_factory=list)
    unit_cost: list[FloatArray] = field(default_factory=list)
    unit_cash: list[FloatArray] = field(default_factory=list)
    limit_hours: list[FloatArray] = field(default_factory=list)
    quota_hours: list[FloatArray] = field(default_factory=list)


@dataclass(frozen=True)
class OptionClaim:
    """What one unit of an order option may claim: programme, most yen, and index of the fiscal year."""

    programme: int
    yen: float
    year: int


NO_CLAIM = OptionClaim(-1, 0.0, 0)


@dataclass(frozen=True)
class OrderOption:
    """One unit of an order: first live period, accelerators and hours of each live period, cost, cash and capital."""

    key: OrderKey
    first: int
    accelerators: FloatArray
    hours: FloatArray
    cost: float
    cash: FloatArray
    capital: FloatArray
    claim: OptionClaim = NO_CLAIM


@dataclass
class CommittedArrays:
    """Offers with commitments and their order options."""

    offer_index: list[int] = field(default_factory=list)
    pool: list[int] = field(default_factory=list)
    limit_is_live: list[bool] = field(default_factory=list)
    unit_limit: list[float] = field(default_factory=list)
    owner: list[int] = field(default_factory=list)
    use_cost: list[FloatArray] = field(default_factory=list)
    use_cash: list[FloatArray] = field(default_factory=list)
    option_offset: list[int] = field(default_factory=lambda: [0])
    options: list[OrderOption] = field(default_factory=list)


@dataclass
class OfferArrays:
    """All offers, with the largest capacity and the references (P, T) that follow; references in nominal yen."""

    hourly: HourlyArrays
    committed: CommittedArrays
    capacity_max: FloatArray
    grant_reference: FloatArray
    charge_reference: FloatArray


class OfferTables:
    """Tables to be filled; ``power_yen`` is the electricity of one accelerator-hour, nominal, (P, T)."""

    def __init__(self, problem: Problem, prices: PricesOverTime, power_yen: FloatArray) -> None:
        """Prepare empty tables for a problem."""
        self.problem = problem
        self.calendar = problem.calendar
        self.prices = prices
        self.power_yen = power_yen
        self.years = self.calendar.fiscal_years()
        self.period_count = self.calendar.period_count
        self.hours = float(self.calendar.period_hours)
        self.year_of_period = np.array([self.calendar.fiscal_year(t) for t in range(self.period_count)]) - self.years[0]
        shape = (len(problem.pools), self.period_count)
        self.capacity_max = np.zeros(shape)
        self._lowest, self._highest = np.full(shape, np.inf), np.zeros(shape)
        self._on_demand = np.full(shape, np.inf)
        self.hourly, self.committed = HourlyArrays(), CommittedArrays()

    def add_hourly(
        self,
        index: int,
        pool: int,
        cash: FloatArray,
        accelerators: FloatArray,
        quota_hours: FloatArray | None = None,
        sunk: FloatArray | None = None,
    ) -> None:
        """Add an offer used by the hour: ``cash`` in yen per accelerator-hour, accelerators live, both (T,).

        ``sunk`` (T,) is what an hour cost besides; it counts in references alone.
        """
        self.note_pool(pool, accelerators, cash if sunk is None else cash + sunk)
        table = self.hourly
        table.offer_index.append(index)
        table.pool.append(pool)
        table.unit_cost.append(cash * self.prices.discount)
        table.unit_cash.append(cash)
        table.limit_hours.append(accelerators * self.hours)
        table.quota_hours.append(np.full(len(self.years), np.inf) if quota_hours is None else quota_hours)

    def add_committed(
        self, index: int, pool: int, limit: int, *, is_live: bool, use_cash: FloatArray | None = None, owner: int = -1
    ) -> None:
        """Close a committed offer: its options are those added since the last one."""
        table = self.committed
        cash = np.zeros(self.period_count) if use_cash is None else use_cash
        table.offer_index.append(index)
        table.pool.append(pool)
        table.limit_is_live.append(is_live)
        table.unit_limit.append(float(limit))
        table.owner.append(owner)
        table.use_cost.append(cash * self.prices.discount)
        table.use_cash.append(cash)
        table.option_offset.append(len(table.options))

    def add_option(self, option: OrderOption) -> None:
        """Add an order option of the offer that is closed next."""
        self.committed.options.append(option)

    def note_pool(self, pool: int, capacity: FloatArray, unit: FloatArray) -> None:
        """Note the largest capacity of an offer and its nominal unit price where it can serve, both (T,)."""
        serves = capacity > 0.0
        self.capacity_max[pool] += capacity
        self._lowest[pool] = np.minimum(self._lowest[pool], np.where(serves, unit, np.inf))
        self._highest[pool] = np.maximum(self._highest[pool], np.where(serves, unit, 0.0))

    def note_on_demand(self, pool: int, capacity: FloatArray, unit: FloatArray) -> None:
        """Note a price that members are charged where the pool gives none."""
        self._on_demand[pool] = np.minimum(self._on_demand[pool], np.where(capacity > 0.0, unit, np.inf))

    def arrays(self) -> OfferArrays:
        """Return the tables with the references of every pool and period (docs/rules.md, "Claims")."""
        lowest = np.where(np.isfinite(self._lowest), self._lowest, 0.0)
        charge = np.where(np.isfinite(self._on_demand), self._on_demand, self._highest)
        for p, pool in enumerate(self.problem.pools):
            if pool.grant_reference is not None:
                lowest[p] = np.minimum(lowest[p], self.prices.yen_path(pool.grant_reference, 0, self.period_count))
            if pool.charge_reference is not None:
                charge[p] = self.prices.yen_path(pool.charge_reference, 0, self.period_count)
        return OfferArrays(self.hourly, self.committed, self.capacity_max, lowest, charge)
