//! Columns as arrays: what the master needs to build its rows.

use rayon::prelude::*;

use crate::instance::{Instance, NO_SITE};
use crate::prefix_cost::PrefixCost;
use crate::prices::PriceLayout;
use crate::pricing::{Column, NO_PROGRAMME, cheap_columns, eligible_by_year};

/// Cheap columns of all workloads, grouped by workload.
pub fn collect(instance: &Instance, prices: &[f64], threshold_yen: f64, most_per_workload: usize) -> Vec<Column> {
    let prefix = PrefixCost::new(instance, prices);
    let found: Vec<Vec<Column>> = (0..instance.sizes.workloads)
        .into_par_iter()
        .map(|w| cheap_columns(instance, &prefix, w, threshold_yen, most_per_workload))
        .collect();
    found.concat()
}

/// Rows of a list of columns; C columns.
#[derive(Clone, Debug, Default)]
pub struct ColumnRows {
    /// Lateness charge in yen, (C,).
    pub late_yen: Vec<f64>,
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
    /// Rate times eligible cost by fiscal year, 0 without a programme, (C, Y).
    pub claimable_yen: Vec<f64>,
}

/// Expand columns to their rows.
pub fn expand(instance: &Instance, columns: &[Column]) -> ColumnRows {
    let sizes = &instance.sizes;
    let years = sizes.years;
    let prefix = PrefixCost::new(instance, &vec![0.0; PriceLayout::of(instance).count]);
    let mut rows = ColumnRows { offset: vec![0], ..ColumnRows::default() };
    for column in columns {
        let mode = &instance.modes[column.mode];
        let late = instance.workloads.late_yen[mode.workload];
        rows.late_yen.push(late * (column.start - instance.workloads.release[mode.workload]) as f64);
        let limited = instance.pools.pool_site[mode.pool] != NO_SITE;
        let kw = if limited { instance.pools.pool_kw[mode.pool] } else { 0.0 };
        let base = rows.work.len();
        rows.work.resize(base + years, 0.0);
        rows.claimable_yen.resize(base + years, 0.0);
        for offset in 0..mode.length {
            let t = column.start + offset;
            let hours = instance.hours_at(mode, offset);
            rows.cell.push(mode.pool * sizes.periods + t);
            rows.hours.push(hours);
            rows.kwh.push(hours * kw);
            rows.work[base + instance.pools.year_of_period[t]] += hours * mode.speed;
        }
        rows.offset.push(rows.cell.len());
        if column.programme != NO_PROGRAMME {
            let claimable = &mut rows.claimable_yen[base..base + years];
            eligible_by_year(instance, &prefix.reference, mode, column.start, column.programme, claimable);
            let rate = instance.rules.rate[mode.workload * sizes.programmes + column.programme];
            claimable.iter_mut().for_each(|yen| *yen *= rate);
        }
    }
    rows
}
