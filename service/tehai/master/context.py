"""What the parts of a master share: columns with their rows, the model, and the rows that have a price."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tehai.engine.instance import EngineInstance
from tehai.master.columns import ColumnRows, ColumnSet
from tehai.master.linear_model import INFINITY, FloatArray, IntArray, ModelArrays

YEN = 1e-6


@dataclass(frozen=True)
class PricedRows:
    """Rows whose duals, times ``factor``, are the prices at ``positions`` of the flat vector.

    With ``differences`` it is the dual of the next row (0 after the last) less that of its own.
    """

    positions: IntArray
    rows: IntArray
    factor: float
    differences: bool = False


@dataclass
class MasterContext:
    """One model under construction.

    Money is in million yen and hours in accelerator-periods, so that coefficients stay near one.
    """

    instance: EngineInstance
    columns: ColumnSet
    rows: ColumnRows
    integer: bool
    model: ModelArrays = field(default_factory=ModelArrays)
    priced: list[PricedRows] = field(default_factory=list)
    x: IntArray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def __post_init__(self) -> None:
        """Look up what every part needs."""
        self.arrays: Mapping[str, Any] = self.instance.arrays
        self.layout = self.instance.native.price_layout()
        self.years, self.periods = len(self.instance.years), int(self.arrays["periods"])
        self.period_hours = float(self.arrays["period_hours"])

    def note_prices(self, family: str, cells: IntArray, rows: IntArray, factor: float) -> None:
        """Note that the duals of ``rows`` are prices of a family of the layout, at ``cells`` of it."""
        self.priced.append(PricedRows(self.layout[family] + np.asarray(cells), np.asarray(rows), factor))

    def note_differences(self, family: str, cells: IntArray, rows: IntArray, factor: float) -> None:
        """Note that differences between the duals of ``rows`` are prices: those of variables carried between them."""
        self.priced.append(PricedRows(self.layout[family] + np.asarray(cells), rows, factor, differences=True))

    def add_limit_rows(
        self, family: str, limits: FloatArray, unit: float = YEN, plan_limits: FloatArray | None = None
    ) -> IntArray:
        """Add a row "at most" for each finite limit, and its price; returns the row of each cell, -1 without one.

        ``unit`` turns the limits into those of the model; a row's price is yen per unit of the limit. An integer master
        keeps ``plan_limits`` where given.
        """
        flat = np.asarray(limits, dtype=np.float64).ravel()
        cells = np.flatnonzero(np.isfinite(flat))
        kept = flat if plan_limits is None or not self.integer else np.asarray(plan_limits).ravel()
        rows = self.model.add_rows(len(cells), -INFINITY, kept[cells] * unit)
        self.note_prices(family, cells, rows, -unit / YEN)
        row_of_cell = np.full(len(flat), -1, dtype=np.int64)
        row_of_cell[cells] = rows
        return row_of_cell

    def add_to_rows(self, row_of_cell: IntArray, cells: IntArray, variables: IntArray, values: FloatArray) -> None:
        """Add coefficients to the rows of cells; cells of -1, and those without a row, are left out."""
        cells, variables, values = (np.ravel(a) for a in np.broadcast_arrays(cells, variables, values))
        kept = np.flatnonzero((cells >= 0) & (values != 0.0))
        rows = row_of_cell[cells[kept]]
        kept, rows = kept[rows >= 0], rows[rows >= 0]
        self.model.add_entries(rows, variables[kept], values[kept])

    def prices(self, duals: FloatArray) -> FloatArray:
        """Return row duals as the flat vector of the ascent; none is negative."""
        prices: FloatArray = np.zeros(self.layout["count"])
        for priced in self.priced:
            values = duals[priced.rows]
            if priced.differences:
                values = np.diff(values, append=0.0)
            prices[priced.positions] = values * priced.factor
        return np.maximum(prices, 0.0)
