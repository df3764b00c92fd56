"""Rows of the whole portfolio and of members in the master (docs/rules.md, "Rows")."""

from __future__ import annotations

import numpy as np

from tehai.master.claim_part import ClaimPart
from tehai.master.context import YEN, MasterContext
from tehai.master.linear_model import INFINITY
from tehai.master.supply_part import SupplyPart

# Part by which an integer plan keeps a row over shares of work, so that solver tolerances cannot break it.
SHARE_MARGIN = 1e-8


def add_rule_rows(context: MasterContext, supply: SupplyPart, claims: ClaimPart) -> None:
    """Add power, work, budgets, ceilings, carbon, waiting and precedence rows."""
    _add_power_rows(context)
    _add_work_rows(context)
    _add_budget_rows(context, supply, claims)
    _add_member_budget_rows(context, claims)
    _add_capital_rows(context, supply)
    _add_carbon_rows(context)
    _add_waiting_row(context)
    for i, (u, w) in enumerate(zip(context.arrays["before"], context.arrays["after"], strict=True)):
        _add_precedence(context, i, int(u), int(w))


def _add_power_rows(context: MasterContext) -> None:
    arrays, rows, periods = context.arrays, context.rows, context.periods
    limit = np.repeat(arrays["site_limit_kwh"], periods)
    row_of_cell = context.add_limit_rows("power", limit, 1.0 / context.period_hours)
    drawn = rows.kwh > 0.0
    cell = rows.cell[drawn]
    site = arrays["pool_site"][cell // periods]
    kwh = rows.kwh[drawn] / context.period_hours
    context.add_to_rows(row_of_cell, site * periods + cell % periods, context.x[rows.column[drawn]], kwh)


def _add_work_rows(context: MasterContext) -> None:
    """Domestic shares and concentration limits, in accelerator-periods of normalised work."""
    arrays, rows = context.arrays, context.rows
    pool = context.instance.modes["pool"][context.columns.mode]
    count = len(arrays["work_row_year"])
    row_of = context.add_limit_rows("work", np.zeros(count), 1.0 / context.period_hours)
    for k, year in enumerate(arrays["work_row_year"]):
        coefficient = arrays["work_row_coefficient"][k]
        if context.integer:
            coefficient = np.where(coefficient > 0.0, coefficient * (1.0 + SHARE_MARGIN), coefficient)
        values = rows.work[:, year] * coefficient[pool] / context.period_hours
        context.add_to_rows(row_of, np.full(len(values), k), context.x, values)


def _add_budget_rows(context: MasterContext, supply: SupplyPart, claims: ClaimPart) -> None:
    arrays, year_of = context.arrays, context.arrays["year_of_period"]
    row_of = context.add_limit_rows("budget", arrays["budget_yen"], plan_limits=arrays["plan_budget_yen"])
    context.add_to_rows(row_of, year_of[supply.hourly_period], supply.hourly, supply.hourly_cash * YEN)
    metered_years = np.broadcast_to(year_of, supply.metered_use.shape)
    context.add_to_rows(row_of, metered_years, supply.metered_use, supply.metered_cash * YEN)
    option, year = np.nonzero(arrays["option_cash"])
    context.add_to_rows(row_of, year, supply.units[option], arrays["option_cash"][option, year] * YEN)
    context.add_to_rows(row_of, year_of[context.columns.start], context.x, context.rows.pay_yen * YEN)
    claims.add_income(row_of)


def _add_member_budget_rows(context: MasterContext, claims: ClaimPart) -> None:
    """List bills of the workloads of a member, less what they claim in the year in which it is paid."""
    arrays, years = context.arrays, context.years
    row_of = context.add_limit_rows(
        "member_budget", arrays["member_budget_yen"], plan_limits=arrays["plan_member_budget_yen"]
    )
    column, year = np.nonzero(context.rows.charge_yen)
    cell = arrays["member"][context.columns.workload[column]] * years + year
    context.add_to_rows(row_of, cell, context.x[column], context.rows.charge_yen[column, year] * YEN)
    usage = claims.of_workloads
    paid = claims.pay_year(usage)
    cell = np.where(paid >= 0, usage.member * years + paid, -1)
    context.add_to_rows(row_of, cell, usage.variable, -np.ones(len(usage)))


def _add_capital_rows(context: MasterContext, supply: SupplyPart) -> None:
    row_of = context.add_limit_rows("capital", context.arrays["capital_yen"])
    option, year = np.nonzero(context.arrays["option_capital"])
    yen = context.arrays["option_capital"][option, year]
    context.add_to_rows(row_of, year, supply.units[option], yen * YEN)


def _add_carbon_rows(context: MasterContext) -> None:
    """Kilograms are counted in parts of the limit's size, so that coefficients stay near one."""
    limits = context.arrays["carbon_kg"]
    finite = limits[np.isfinite(limits)]
    unit = 1.0 / max(float(finite.mean()), 1.0) if len(finite) else 1.0
    row_of = context.add_limit_rows("carbon", limits, unit)
    column, year = np.nonzero(context.rows.kg)
    context.add_to_rows(row_of, year, context.x[column], context.rows.kg[column, year] * unit)


def _add_waiting_row(context: MasterContext) -> None:
    row_of = context.add_limit_rows("waiting", np.array([context.arrays["waiting_periods"]]), 1.0)
    context.add_to_rows(row_of, np.zeros(len(context.x), dtype=np.int64), context.x, context.rows.wait)


def _add_precedence(context: MasterContext, i: int, before: int, after: int) -> None:
    """[after has started by t] is at most [before has ended by t], for each period in which a column of it starts.

    Between two starts the left side stands still and the right side can only grow, so other periods add nothing. What
    has ended less what has started is carried from one start to the next by a variable that is not negative; its
    reduced cost is the price of the row.
    """
    columns, rows, model = context.columns, context.rows, context.model
    mine = np.flatnonzero(columns.workload == after)
    theirs = np.flatnonzero(columns.workload == before)
    if not len(mine):
        return
    starts, step = np.unique(columns.start[mine], return_inverse=True)
    balance = model.add_variables(np.zeros(len(starts)), INFINITY, integer=False)
    carried = model.add_rows(len(starts), 0.0, 0.0)
    model.add_entries(carried, balance, np.ones(1))
    model.add_entries(carried[1:], balance[:-1], -np.ones(1))
    model.add_entries(carried[step], context.x[mine], np.ones(1))
    ended = np.searchsorted(starts, rows.end[theirs])
    theirs, ended = theirs[ended < len(starts)], ended[ended < len(starts)]
    model.add_entries(carried[ended], context.x[theirs], -np.ones(1))
    # The reduced cost of a balance is the dual of the next row less that of its own.
    context.note_differences("precedence", i * context.periods + starts, carried, 1.0 / YEN)
