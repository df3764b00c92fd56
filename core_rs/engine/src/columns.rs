//! Columns as arrays: what the master needs to build its rows.

use rayon::prelude::*;

use crate::claims::eligible_by_year;
use crate::column::Column;
use crate::instance::{Instance, NONE, YEAR_COUNT_MAX};
use crate::prefix_cost::PrefixCost;
use crate::prices::PriceLayout;
use crate::pricing::cheap_columns;

/// Cheap columns of all workloads, grouped by workload.
pub fn collect(instance: &Instance, prices: &[f64], threshold_yen: f64, most_per_workload: usize) -> Vec<Column> {
    let prefix = PrefixCost::new(instance, prices);
    let found: Vec<Vec<Column>> = (0..instance.sizes.workloads)
        .into_par_iter()
        .map(|w| cheap_columns(instance, &prefix, w, threshold_yen, most_per_workload))
        .collect();
    found.concat()
}

/// Rows of a list of columns that are run; C columns, S programmes in the largest claim set.
#[derive(Clone, Debug, Default)]
pub struct ColumnRows {
    /// Charges in the objective besides hours: lateness, change, carbon, discounted transfer and porting, (C,).
    pub fixed_yen: Vec<f64>,
    /// Transfer and porting as paid, (C,).
    pub pay_yen: Vec<f64>,
    /// First entry of each column in `cell` and `hours`, (C + 1,).
    pub offset: Vec<usize>,
    /// pool * T + period of each entry.
    pub cell: Vec<usize>,
    /// Accelerator-hours of each entry.
    pub hours: Vec<f64>,
    /// Facility kWh of each entry; 0 where the site has no limit.
    pub kwh: Vec<f64>,
    /// Normalised work by fiscal year, (C, Y).
    pub work: Vec<f64>,
    /// List bill by fiscal year, (C, Y).
    pub charge_yen: Vec<f64>,
    /// Kilograms of carbon dioxide by fiscal year, (C, Y).
    pub kg: Vec<f64>,
    /// Rate times eligible cost by fiscal year from each programme of the claim set, before caps, (C, S, Y).
    pub claimable_yen: Vec<f64>,
    /// Periods from release to start, (C,).
    pub wait: Vec<f64>,
    /// First period, (C,).
    pub start: Vec<usize>,
    /// Half-open end, (C,).
    pub end: Vec<usize>,
}

/// Programmes of the largest claim set: S of `ColumnRows::claimable_yen`.
pub fn claim_set_size_max(instance: &Instance) -> usize {
    instance.rules.claim_set_offset.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0)
}

/// Expand columns to their rows; all of them are run.
pub fn expand(instance: &Instance, columns: &[Column]) -> ColumnRows {
    let prefix = PrefixCost::new(instance, &vec![0.0; PriceLayout::of(instance).count]);
    let most = claim_set_size_max(instance);
    let mut rows = ColumnRows { offset: vec![0], ..ColumnRows::default() };
    for column in columns {
        push_rows(instance, column, &mut rows);
        push_claimable(instance, &prefix, column, most, &mut rows);
    }
    rows
}

fn push_rows(instance: &Instance, column: &Column, rows: &mut ColumnRows) {
    let (sizes, pools, table) = (&instance.sizes, &instance.pools, &instance.workloads);
    let mode = &instance.modes[column.mode];
    let kw = if pools.pool_site[mode.pool] == NONE { 0.0 } else { pools.pool_kw[mode.pool] };
    let speed = instance.speed_of(mode, column.pauses.count);
    let base = rows.work.len();
    for yearly in [&mut rows.work, &mut rows.charge_yen, &mut rows.kg] {
        yearly.resize(base + sizes.years, 0.0);
    }
    for (t, hours) in column.touched(instance) {
        let (cell, year) = (mode.pool * sizes.periods + t, base + pools.year_of_period[t]);
        rows.cell.push(cell);
        rows.hours.push(hours);
        rows.kwh.push(hours * kw);
        rows.work[year] += hours * speed;
        rows.charge_yen[year] += hours * pools.charge_reference[cell];
        rows.kg[year] += hours * pools.pool_kg[mode.pool];
    }
    rows.offset.push(rows.cell.len());
    let wait = (column.start - table.release[mode.workload]) as f64;
    let pay = instance.start_yen(mode, column.start);
    let kg: f64 = rows.kg[base..].iter().sum();
    rows.charge_yen[base + pools.year_of_period[column.start]] += pay;
    rows.fixed_yen.push(
        wait * table.late_yen[mode.workload]
            + instance.change_yen(mode, column.start)
            + kg * pools.carbon_yen_per_kg
            + pay * pools.discount[column.start],
    );
    rows.pay_yen.push(pay);
    rows.wait.push(wait);
    rows.start.push(column.start);
    rows.end.push(column.end(instance));
}

fn push_claimable(instance: &Instance, prefix: &PrefixCost, column: &Column, most: usize, rows: &mut ColumnRows) {
    let sizes = &instance.sizes;
    let workload = instance.modes[column.mode].workload;
    let base = rows.claimable_yen.len();
    rows.claimable_yen.resize(base + most * sizes.years, 0.0);
    for (i, &r) in instance.programmes_of(column.claim_set).iter().enumerate() {
        let mut eligible = [0.0; YEAR_COUNT_MAX];
        eligible_by_year(instance, &prefix.reference, column, r, &mut eligible);
        let rate = instance.rules.rate[workload * sizes.programmes + r];
        let slots = &mut rows.claimable_yen[base + i * sizes.years..base + (i + 1) * sizes.years];
        slots.iter_mut().zip(&eligible).for_each(|(slot, yen)| *slot = rate * yen);
    }
}
