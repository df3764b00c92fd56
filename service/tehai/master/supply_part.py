"""Offers in the master: use by the hour, order options, live capacity, quotas, gangs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tehai.master.context import YEN, MasterContext
from tehai.master.linear_model import INFINITY, FloatArray, IntArray

# Hours by which a block's last period may differ from full through rounding.
HOURS_TOLERANCE = 1e-9


class SupplyPart:
    """Variables and rows of the supply side.

    ``hourly`` are hours of hourly offers (``hourly_row``, ``hourly_period``) in accelerator-periods, ``units`` of the
    order options, ``live`` (committed offers, T) blocks (accelerators for purchases), ``metered_use`` accelerator-
    periods of committed offers that pay electricity.
    """

    def __init__(self, context: MasterContext) -> None:
        """Add everything but the rows of the portfolio."""
        self.context = context
        self._add_hourly()
        self._add_units()
        self._add_live_variables()
        self._add_capacity_rows()
        self._add_commitment_rows()
        self._add_quota_rows()
        if context.integer:
            self._add_gang_rows()

    def _add_hourly(self) -> None:
        context, arrays = self.context, self.context.arrays
        self.hourly_row, self.hourly_period = np.nonzero(arrays["hourly_limit_hours"] > 0.0)
        cell = (self.hourly_row, self.hourly_period)
        cost = arrays["hourly_unit_cost"][cell] * context.period_hours
        self.hourly_cash = arrays["hourly_unit_cash"][cell] * context.period_hours
        limit = arrays["hourly_limit_hours"][cell] / context.period_hours
        self.hourly = context.model.add_variables(cost * YEN, limit, integer=False)

    def _add_units(self) -> None:
        context, arrays = self.context, self.context.arrays
        limits = arrays["unit_limit"][context.instance.offer_of_option]
        self.units = context.model.add_variables(arrays["option_cost"] * YEN, limits, integer=context.integer)

    def _add_live_variables(self) -> None:
        arrays, model, periods = self.context.arrays, self.context.model, self.context.periods
        count = len(arrays["committed_pool"])
        self.block = np.where(arrays["limit_is_live"], _block_accelerators(arrays), 1.0)
        most = np.where(arrays["limit_is_live"], arrays["unit_limit"], INFINITY)
        self.live = model.add_variables(np.zeros(count * periods), np.repeat(most, periods), integer=False)
        self.live = self.live.reshape(count, periods)
        self.metered = np.flatnonzero(arrays["use_cash"].max(axis=1, initial=0.0) > 0.0)
        cost = arrays["use_cost"][self.metered] * self.context.period_hours
        self.metered_cash = arrays["use_cash"][self.metered] * self.context.period_hours
        self.metered_use = model.add_variables(cost.ravel() * YEN, INFINITY, integer=False).reshape(-1, periods)

    def _add_capacity_rows(self) -> None:
        """Use of the offers of a pool less the hours placed there is not negative."""
        context, arrays, periods = self.context, self.context.arrays, self.context.periods
        model, rows = context.model, context.rows
        count = arrays["pools"] * periods
        capacity = model.add_rows(count, 0.0, INFINITY)
        context.note_prices("capacity", np.arange(count), capacity, 1.0 / (YEN * context.period_hours))
        model.add_entries(capacity[rows.cell], context.x[rows.column], -rows.hours / context.period_hours)
        cell = arrays["hourly_pool"][self.hourly_row] * periods + self.hourly_period
        model.add_entries(capacity[cell], self.hourly, np.ones(len(cell)))
        free = np.setdiff1d(np.arange(len(self.live)), self.metered)
        of_pool = capacity.reshape(-1, periods)[arrays["committed_pool"]]
        model.add_entries(of_pool[free], self.live[free], self.block[free, None])
        model.add_entries(of_pool[self.metered], self.metered_use, np.ones(1))
        self._take_off_short_periods(of_pool)

    def _take_off_short_periods(self, capacity_of_offer: IntArray) -> None:
        """A block that ends within a period offers less than its accelerators for the whole of it."""
        context, arrays = self.context, self.context.arrays
        option, period = self._option_periods()
        missing = arrays["live_accelerators"] * context.period_hours - arrays["live_hours"]
        short = np.flatnonzero(missing > HOURS_TOLERANCE)
        offer = context.instance.offer_of_option[option[short]]
        context.model.add_entries(
            capacity_of_offer[offer, period[short]],
            self.units[option[short]],
            -missing[short] / context.period_hours,
        )

    def _option_periods(self) -> tuple[IntArray, IntArray]:
        """Return option and period of each entry of ``live_accelerators``."""
        arrays = self.context.arrays
        lengths = np.diff(arrays["live_offset"])
        option = np.repeat(np.arange(len(lengths)), lengths)
        within = np.arange(len(option)) - arrays["live_offset"][:-1][option]
        return option, arrays["option_first"][option] + within

    def _add_commitment_rows(self) -> None:
        """Live capacity follows the orders: what begins is added, what ends is taken away, period by period.

        The differences of an order's profile are a handful of numbers where the profile itself has one for each period,
        which is what makes this master sparse. Blocks live at once are bounded on the variable.
        """
        arrays, model, periods = self.context.arrays, self.context.model, self.context.periods
        offer_of_option = self.context.instance.offer_of_option
        count = len(self.live)
        rows = model.add_rows(count * periods, 0.0, 0.0).reshape(count, periods)
        model.add_entries(rows, self.live, np.ones(1))
        model.add_entries(rows[:, 1:], self.live[:, :-1], -np.ones(1))
        position, period, change = self._profile_changes()
        offer = offer_of_option[position]
        model.add_entries(rows[offer, period], self.units[position], -change / self.block[offer])
        rows = model.add_rows(self.metered_use.size, 0.0, INFINITY).reshape(-1, periods)
        model.add_entries(rows, self.metered_use, -np.ones(1))
        model.add_entries(rows, self.live[self.metered], self.block[self.metered, None])
        limited = ~arrays["limit_is_live"][offer_of_option]
        total_rows = model.add_rows(count, -INFINITY, arrays["unit_limit"])
        model.add_entries(total_rows[offer_of_option[limited]], self.units[limited], np.ones(1))

    def _profile_changes(self) -> tuple[IntArray, IntArray, FloatArray]:
        """Return (order option, period, change of live accelerators) wherever an option's profile changes."""
        arrays = self.context.arrays
        offset = arrays["live_offset"]
        lengths = np.diff(offset)
        position = np.repeat(np.arange(len(lengths)), lengths + 1)
        first = np.cumsum(lengths + 1) - (lengths + 1)
        within = np.arange(len(position)) - np.repeat(first, lengths + 1)
        padded = np.append(arrays["live_accelerators"], 0.0)
        start = offset[:-1][position]
        inside = within < lengths[position]
        now = np.where(inside, padded[np.where(inside, start + within, 0)], 0.0)
        before = np.where(within > 0, padded[np.where(within > 0, start + within - 1, 0)], 0.0)
        period = arrays["option_first"][position] + within
        kept = (now != before) & (period < self.context.periods)
        return position[kept], period[kept], (now - before)[kept]

    def _add_quota_rows(self) -> None:
        """An allocation serves no more than its hours of a fiscal year; part of the supply side, so without a price."""
        context, arrays = self.context, self.context.arrays
        quota = arrays["hourly_quota_hours"].ravel() / context.period_hours
        listed = np.flatnonzero(np.isfinite(quota))
        row_of_cell = np.full(len(quota), -1, dtype=np.int64)
        row_of_cell[listed] = context.model.add_rows(len(listed), -INFINITY, quota[listed])
        cell = self.hourly_row * context.years + arrays["year_of_period"][self.hourly_period]
        context.add_to_rows(row_of_cell, cell, self.hourly, np.ones(1))

    def _add_gang_rows(self) -> None:
        """A gang fits what is live: for each workload, pool and period whose standing capacity is below the gang."""
        context, arrays, periods = self.context, self.context.arrays, self.context.periods
        model, rows = context.model, context.rows
        standing = np.zeros((arrays["pools"], periods))
        np.add.at(standing, arrays["hourly_pool"], arrays["hourly_limit_hours"] / context.period_hours)
        gang = context.instance.modes["gang"][context.columns.mode][rows.column]
        short = gang > standing.ravel()[rows.cell] + 1e-6
        cells_in_all = arrays["pools"] * periods
        key = context.columns.workload[rows.column[short]] * cells_in_all + rows.cell[short]
        keys, row_of = np.unique(key, return_inverse=True)
        cells = keys % cells_in_all
        gang_rows = model.add_rows(len(keys), -INFINITY, standing.ravel()[cells])
        model.add_entries(gang_rows[row_of], context.x[rows.column[short]], gang[short])
        for offer, pool in enumerate(arrays["committed_pool"]):
            here = np.flatnonzero(cells // periods == pool)
            live = self.live[offer, cells[here] % periods]
            model.add_entries(gang_rows[here], live, -np.full(len(here), self.block[offer]))


def _block_accelerators(arrays: Mapping[str, Any]) -> FloatArray:
    """Return the accelerators of one block of each committed offer, 1 where it has no order option."""
    first = arrays["live_offset"][np.minimum(arrays["option_offset"][:-1], max(len(arrays["live_offset"]) - 2, 0))]
    some = arrays["option_offset"][:-1] < arrays["option_offset"][1:]
    padded = np.append(arrays["live_accelerators"], 1.0)
    blocks: FloatArray = np.where(some, padded[np.where(some, first, -1)], 1.0)
    return blocks
