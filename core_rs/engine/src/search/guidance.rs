//! What the prices of the ascent tell the search: worth of rows that a single insertion cannot see.

use rayon::prelude::*;

use crate::column::{Column, NOT_RUN};
use crate::error::{EngineError, check_length};
use crate::instance::{Instance, NONE};
use crate::prefix_cost::PrefixCost;
use crate::prices::{PriceLayout, project_to_rows};
use crate::pricing::{cheapest_column, cheapest_start, column_price};
use crate::search::rows::RowLayout;
use crate::supply::option_claim_worth;

/// Part of a typical cost that a broken row's unit costs besides its price, so that no row is free to break.
const BASE_WEIGHT: f64 = 0.1;
/// Part of a workload's mean cost that a period of waiting too many costs besides.
const WAITING_WEIGHT: f64 = 0.01;

/// Prices of the rows whose slack a single insertion cannot see, taken from the ascent.
#[derive(Clone, Debug)]
pub struct Guidance {
    /// Price of capacity and power in yen per accelerator-hour, (P, T).
    pub hour_price: Vec<f64>,
    /// Price of each soft row, see `RowLayout`.
    pub row_price: Vec<f64>,
    /// Yen per unit by which a soft row is broken, before a run's factors.
    pub row_weight: Vec<f64>,
    /// Worth of one yen that an order option claims.
    pub option_worth: Vec<f64>,
    /// Modes of each workload that are cheapest at the prices, (W,) lists; the rest are tried now and then.
    pub shortlist: Vec<Vec<usize>>,
    /// Cheapest start of each of them at the prices, `NONE` where it has none without pauses.
    pub shortlist_start: Vec<Vec<usize>>,
    /// Cheapest price of each workload, "not run" included, (W,).
    pub cheapest: Vec<f64>,
    /// Yen that are lost where a workload cannot run, its successors included, (W,).
    pub loss: Vec<f64>,
    /// Prefix sums at the prices.
    pub prefix: PrefixCost,
}

impl Guidance {
    /// Guidance at prices laid out as `PriceLayout`, with at most `shortlist_length` modes on each shortlist.
    ///
    /// `mandatory_yen` stands for the charge of a missed mandatory workload.
    ///
    /// # Errors
    /// `EngineError::Length` where the prices are not one for each row.
    pub fn new(
        instance: &Instance,
        mut prices: Vec<f64>,
        shortlist_length: usize,
        mandatory_yen: f64,
    ) -> Result<Self, EngineError> {
        let layout = PriceLayout::of(instance);
        check_length("prices", &prices, layout.count)?;
        project_to_rows(instance, &mut prices);
        let prefix = PrefixCost::new(instance, &prices);
        let cheapest: Vec<f64> = (0..instance.sizes.workloads)
            .into_par_iter()
            .map(|w| cheapest_column(instance, &prefix, w).price.min(mandatory_yen))
            .collect();
        let row_price = row_prices(instance, &layout, &prices);
        let listed = shortlists(instance, &prefix, shortlist_length);
        let starts = |columns: &Vec<Column>| columns.iter().map(|column| column.start).collect();
        Ok(Self {
            hour_price: hour_prices(instance, &layout, &prices),
            row_weight: row_weights(instance, &row_price, &cheapest),
            row_price,
            option_worth: (0..instance.committed.option_first.len())
                .map(|option| option_claim_worth(instance, &layout, option, &prices))
                .collect(),
            shortlist: listed.iter().map(|columns| columns.iter().map(|column| column.mode).collect()).collect(),
            shortlist_start: listed.iter().map(starts).collect(),
            loss: losses(instance, &cheapest, mandatory_yen),
            cheapest,
            prefix,
        })
    }

    /// Price of a column at the prices.
    pub fn column_price(&self, instance: &Instance, column: &Column) -> f64 {
        column_price(instance, &self.prefix, column)
    }
}

/// Cheapest column of each mode of a workload, cheapest first and cut to `most`; the start is `NONE` without one.
fn shortlists(instance: &Instance, prefix: &PrefixCost, most: usize) -> Vec<Vec<Column>> {
    (0..instance.sizes.workloads)
        .into_par_iter()
        .map(|w| {
            let mut priced: Vec<Column> = instance
                .modes_of(w)
                .map(|mode| {
                    let found = cheapest_start(instance, prefix, mode);
                    let start = if found.mode == NOT_RUN { NONE } else { found.start };
                    Column { mode, start, ..found }
                })
                .collect();
            priced.sort_by(|a, b| a.price.total_cmp(&b.price).then(a.mode.cmp(&b.mode)));
            priced.truncate(most);
            priced
        })
        .collect()
}

fn hour_prices(instance: &Instance, layout: &PriceLayout, prices: &[f64]) -> Vec<f64> {
    let periods = instance.sizes.periods;
    (0..instance.sizes.pools * periods)
        .map(|cell| {
            let (pool, t) = (cell / periods, cell % periods);
            let site = instance.pools.pool_site[pool];
            let power = if site == NONE { 0.0 } else { prices[layout.power + site * periods + t] };
            prices[layout.capacity + cell] + power * instance.pools.pool_kw[pool]
        })
        .collect()
}

fn row_prices(instance: &Instance, layout: &PriceLayout, prices: &[f64]) -> Vec<f64> {
    let rows = RowLayout::of(&instance.sizes);
    let mut row_price = vec![0.0; rows.count];
    let sizes = &instance.sizes;
    for (to, from, count) in [
        (rows.budget, layout.budget, sizes.years),
        (rows.work, layout.work, sizes.work_rows),
        (rows.member_budget, layout.member_budget, sizes.members * sizes.years),
        (rows.capital, layout.capital, sizes.years),
        (rows.carbon, layout.carbon, sizes.years),
        (rows.waiting, layout.waiting, 1),
    ] {
        row_price[to..to + count].copy_from_slice(&prices[from..from + count]);
    }
    row_price
}

fn row_weights(instance: &Instance, row_price: &[f64], cheapest: &[f64]) -> Vec<f64> {
    let rows = RowLayout::of(&instance.sizes);
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
    let pools = &instance.pools;
    let hour_yen = mean(&pools.grant_reference).max(mean(&pools.charge_reference)).max(1.0);
    let kg_yen = hour_yen / mean(&pools.pool_kg).max(1e-3);
    let costs: Vec<f64> = cheapest.iter().map(|yen| yen.abs()).collect();
    let wait_yen = BASE_WEIGHT * mean(&instance.workloads.late_yen) + WAITING_WEIGHT * mean(&costs);
    (0..rows.count)
        .map(|row| {
            let base = match row {
                row if row < rows.work => BASE_WEIGHT,
                row if row < rows.member_budget => BASE_WEIGHT * hour_yen,
                row if row < rows.carbon => BASE_WEIGHT,
                row if row < rows.waiting => BASE_WEIGHT * kg_yen,
                _ => wait_yen,
            };
            row_price[row] + base
        })
        .collect()
}

fn losses(instance: &Instance, cheapest: &[f64], mandatory_yen: f64) -> Vec<f64> {
    let own: Vec<f64> = (0..instance.sizes.workloads)
        .map(|w| (instance.workloads.not_run_yen[w].min(mandatory_yen) - cheapest[w]).max(0.0))
        .collect();
    let mut loss = own.clone();
    // As many rounds as the longest chain has links; a circle cannot go on for ever.
    for _ in 0..instance.sizes.workloads {
        let mut next = own.clone();
        for (&u, &w) in instance.workloads.before.iter().zip(&instance.workloads.after) {
            next[u] += loss[w];
        }
        if next == loss {
            break;
        }
        loss = next;
    }
    loss
}
