//! The hot loop: every workload's cheapest column at given prices, and the bound that follows.

use rayon::prelude::*;

use crate::instance::{Instance, Mode, NO_SITE, YEAR_COUNT_MAX};
use crate::prefix_cost::{PrefixCost, run_sum};
use crate::prices::{PriceLayout, project_to_rows, row_limits};
use crate::supply::supply_minimum;

/// No programme is claimed.
pub const NO_PROGRAMME: usize = usize::MAX;
/// The workload is not run.
pub const NOT_RUN: usize = usize::MAX;

/// A column: mode, start and programme, with its price.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Column {
    /// Index into `Instance::modes`, or `NOT_RUN`.
    pub mode: usize,
    /// First period.
    pub start: usize,
    /// Programme claimed or `NO_PROGRAMME`.
    pub programme: usize,
    /// Price in yen at the prices it was found with.
    pub price: f64,
}

impl Column {
    /// The choice not to run a workload.
    pub fn not_run(price: f64) -> Self {
        Self { mode: NOT_RUN, start: 0, programme: NO_PROGRAMME, price }
    }
}

/// One evaluation of the Lagrangian bound.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// The bound in yen; mandatory workloads without any legal column are left out.
    pub bound: f64,
    /// A supergradient, laid out as the prices.
    pub gradient: Vec<f64>,
    /// Cheapest column of each workload, (W,).
    pub columns: Vec<Column>,
    /// Order options and their units at the supply side's minimum.
    pub orders: Vec<(usize, f64)>,
}

/// Re-compute the bound at `prices` with a supergradient and every workload's cheapest column.
pub fn evaluate(instance: &Instance, prices: &[f64]) -> Evaluation {
    let prefix = PrefixCost::new(instance, prices);
    let columns: Vec<Column> =
        (0..instance.sizes.workloads).into_par_iter().map(|w| cheapest_column(instance, &prefix, w)).collect();
    let limits = row_limits(instance);
    let mut gradient: Vec<f64> = limits.iter().map(|limit| -limit).collect();
    let mut bound: f64 = -limits.iter().zip(prices).map(|(limit, price)| limit * price).sum::<f64>();
    let mut orders = Vec::new();
    bound += supply_minimum(instance, prices, &mut gradient, &mut orders);
    // One fixed order of summation, so that threads cannot change a bit.
    for column in &columns {
        if column.price.is_finite() {
            bound += column.price;
            add_column_gradient(instance, &prefix, column, &mut gradient);
        }
    }
    Evaluation { bound, gradient, columns, orders }
}

/// Project `prices` to the rows that exist and evaluate there.
pub fn evaluate_projected(instance: &Instance, prices: &mut [f64]) -> Evaluation {
    project_to_rows(instance, prices);
    evaluate(instance, prices)
}

/// Cheapest column of a workload, "not run" included unless it is mandatory.
pub fn cheapest_column(instance: &Instance, prefix: &PrefixCost, workload: usize) -> Column {
    let mut best = Column::not_run(instance.workloads.not_run_yen[workload]);
    let mut base = vec![0.0; instance.sizes.periods];
    for index in instance.modes_of(workload) {
        let mode = &instance.modes[index];
        for &(first, last) in instance.starts_of(mode) {
            base_prices(instance, prefix, mode, (first, last), &mut base);
            for (start, &price) in (first..last).zip(&base[first..last]) {
                if price < best.price {
                    best = Column { mode: index, start, programme: NO_PROGRAMME, price };
                }
            }
            for r in open_programmes(instance, mode) {
                improve_with_programme(instance, prefix, index, r, (first, last), &base, &mut best);
            }
        }
    }
    best
}

/// Cheapest column of a mode, claims included; its price is infinite where the mode has no start.
pub fn cheapest_start(instance: &Instance, prefix: &PrefixCost, index: usize) -> Column {
    let mode = &instance.modes[index];
    let mut best = Column::not_run(f64::INFINITY);
    let mut base = vec![0.0; instance.sizes.periods];
    for &(first, last) in instance.starts_of(mode) {
        base_prices(instance, prefix, mode, (first, last), &mut base);
        for (start, &price) in (first..last).zip(&base[first..last]) {
            if price < best.price {
                best = Column { mode: index, start, programme: NO_PROGRAMME, price };
            }
        }
        for r in open_programmes(instance, mode) {
            improve_with_programme(instance, prefix, index, r, (first, last), &base, &mut best);
        }
    }
    best
}

/// Price of a column at the prices of `prefix`.
pub fn column_price(instance: &Instance, prefix: &PrefixCost, column: &Column) -> f64 {
    let mode = &instance.modes[column.mode];
    let stride = instance.sizes.periods + 1;
    let period_hours = instance.pools.period_hours;
    let hour = &prefix.hour[mode.pool * stride..(mode.pool + 1) * stride];
    let share = prefix.share(instance.pools.pool_domestic[mode.pool]);
    let late = (column.start - instance.workloads.release[mode.workload]) as f64;
    let mut price = run_sum(hour, mode, column.start, period_hours)
        + mode.speed * run_sum(share, mode, column.start, period_hours)
        + late * instance.workloads.late_yen[mode.workload];
    if column.programme != NO_PROGRAMME {
        price -= claim_value(instance, prefix, mode, column.start, column.programme, f64::NEG_INFINITY);
    }
    price
}

/// Every column of a workload whose price is at most its cheapest plus `threshold_yen`, cheapest first, at most `most`.
pub fn cheap_columns(
    instance: &Instance,
    prefix: &PrefixCost,
    workload: usize,
    threshold_yen: f64,
    most: usize,
) -> Vec<Column> {
    let limit = cheapest_column(instance, prefix, workload).price + threshold_yen;
    let mut found = Vec::new();
    let mut base = vec![0.0; instance.sizes.periods];
    for index in instance.modes_of(workload) {
        let mode = &instance.modes[index];
        for &(first, last) in instance.starts_of(mode) {
            base_prices(instance, prefix, mode, (first, last), &mut base);
            for (start, &without) in (first..last).zip(&base[first..last]) {
                if without <= limit {
                    found.push(Column { mode: index, start, programme: NO_PROGRAMME, price: without });
                }
                for r in open_programmes(instance, mode) {
                    let price = without - claim_value(instance, prefix, mode, start, r, f64::NEG_INFINITY);
                    if price <= limit {
                        found.push(Column { mode: index, start, programme: r, price });
                    }
                }
            }
        }
    }
    found.sort_by(|a, b| {
        a.price.total_cmp(&b.price).then((a.mode, a.start, a.programme).cmp(&(b.mode, b.start, b.programme)))
    });
    found.truncate(most);
    found
}

/// Programmes open to a mode's workload in its pool.
pub fn open_programmes<'a>(instance: &'a Instance, mode: &Mode) -> impl Iterator<Item = usize> + use<'a> {
    let (workload, pool) = (mode.workload, mode.pool);
    let sizes = instance.sizes;
    (0..sizes.programmes).filter(move |&r| {
        instance.rules.rate[workload * sizes.programmes + r] > 0.0
            && instance.rules.programme_pool[r * sizes.pools + pool]
    })
}

/// Price of capacity, power, share and lateness for starts of a range; fills `out[first..last]`.
fn base_prices(instance: &Instance, prefix: &PrefixCost, mode: &Mode, range: (usize, usize), out: &mut [f64]) {
    let stride = instance.sizes.periods + 1;
    let hour = &prefix.hour[mode.pool * stride..(mode.pool + 1) * stride];
    let share = prefix.share(instance.pools.pool_domestic[mode.pool]);
    let period_hours = instance.pools.period_hours * mode.gang;
    let rest_hours = if mode.length > mode.full { mode.rest_hours * mode.gang } else { 0.0 };
    let late = instance.workloads.late_yen[mode.workload];
    let release = instance.workloads.release[mode.workload];
    let (first, last) = range;
    let count = last - first;
    let (from, to) = (&hour[first..last], &hour[first + mode.full..last + mode.full]);
    let after = &hour[first + mode.length..last + mode.length];
    let (share_from, share_to) = (&share[first..last], &share[first + mode.full..last + mode.full]);
    let share_after = &share[first + mode.length..last + mode.length];
    let target = &mut out[first..last];
    for i in 0..count {
        let hours = (to[i] - from[i]) + mode.speed * (share_to[i] - share_from[i]);
        let rest = (after[i] - to[i]) + mode.speed * (share_after[i] - share_to[i]);
        target[i] = period_hours * hours + rest_hours * rest + late * ((first + i - release) as f64);
    }
}

fn improve_with_programme(
    instance: &Instance,
    prefix: &PrefixCost,
    index: usize,
    programme: usize,
    range: (usize, usize),
    base: &[f64],
    best: &mut Column,
) {
    let mode = &instance.modes[index];
    for (start, &without) in (range.0..range.1).zip(&base[range.0..range.1]) {
        let price = without - claim_value(instance, prefix, mode, start, programme, without - best.price);
        if price < best.price {
            *best = Column { mode: index, start, programme, price };
        }
    }
}

/// Worth in yen of the best claim of a column from a programme; 0 where it cannot exceed `needed` (saves the filling).
fn claim_value(
    instance: &Instance,
    prefix: &PrefixCost,
    mode: &Mode,
    start: usize,
    programme: usize,
    needed: f64,
) -> f64 {
    let sizes = &instance.sizes;
    let rate = instance.rules.rate[mode.workload * sizes.programmes + programme];
    let stride = sizes.periods + 1;
    let base = (programme * sizes.pools + mode.pool) * stride;
    let period_hours = instance.pools.period_hours;
    let uncapped = rate * run_sum(&prefix.reference_worth[base..base + stride], mode, start, period_hours);
    if uncapped <= 0.0 || uncapped <= needed {
        return 0.0;
    }
    let row = instance.project_row_of[mode.workload * sizes.programmes + programme];
    let priced = row != usize::MAX && prefix.project_price[row] > 0.0;
    let eligible = rate * run_sum(&prefix.reference[base..base + stride], mode, start, period_hours);
    if !priced && eligible <= instance.rules.project_cap_yen[programme] {
        return uncapped;
    }
    let mut claims = [0.0; YEAR_COUNT_MAX];
    fill_claims(instance, prefix, mode, start, programme, &mut claims)
}

/// Fill fiscal years by descending worth up to rate times eligible cost, until the project cap; returns the worth.
///
/// `claims` receives yen by fiscal year index.
pub fn fill_claims(
    instance: &Instance,
    prefix: &PrefixCost,
    mode: &Mode,
    start: usize,
    programme: usize,
    claims: &mut [f64],
) -> f64 {
    let sizes = &instance.sizes;
    let row = instance.project_row_of[mode.workload * sizes.programmes + programme];
    let project_price = if row == usize::MAX { 0.0 } else { prefix.project_price[row] };
    let (first_year, last_year) = years_of_run(instance, mode, start);
    let mut eligible = [0.0; YEAR_COUNT_MAX];
    eligible_by_year(instance, &prefix.reference, mode, start, programme, &mut eligible);
    let rate = instance.rules.rate[mode.workload * sizes.programmes + programme];
    let mut left = instance.rules.project_cap_yen[programme];
    let mut total = 0.0;
    let mut done = [false; YEAR_COUNT_MAX];
    for _ in first_year..=last_year {
        let mut best = (0.0, usize::MAX);
        for (y, taken) in done.iter().enumerate().take(last_year + 1).skip(first_year) {
            let worth = prefix.claim_worth[programme * sizes.years + y] - project_price;
            if !taken && worth > best.0 {
                best = (worth, y);
            }
        }
        if best.1 == usize::MAX || left <= 0.0 {
            break;
        }
        done[best.1] = true;
        let amount = (rate * eligible[best.1]).min(left);
        claims[best.1] = amount;
        left -= amount;
        total += best.0 * amount;
    }
    total
}

/// First and last fiscal year index that a run touches.
pub fn years_of_run(instance: &Instance, mode: &Mode, start: usize) -> (usize, usize) {
    (instance.pools.year_of_period[start], instance.pools.year_of_period[start + mode.length - 1])
}

/// Eligible cost of a run by fiscal year index in yen, before the rate; `reference` is (R, P, T + 1) prefix sums.
pub fn eligible_by_year(
    instance: &Instance,
    reference: &[f64],
    mode: &Mode,
    start: usize,
    programme: usize,
    out: &mut [f64],
) {
    let sizes = &instance.sizes;
    let stride = sizes.periods + 1;
    let base = (programme * sizes.pools + mode.pool) * stride;
    let row = &reference[base..base + stride];
    let (first_year, last_year) = years_of_run(instance, mode, start);
    let full_end = start + mode.full;
    for (y, slot) in out.iter_mut().enumerate().take(last_year + 1).skip(first_year) {
        let from = start.max(instance.year_first[y]);
        let until = full_end.min(instance.year_first[y + 1]).max(from);
        *slot = mode.gang * instance.pools.period_hours * (row[until] - row[from]);
    }
    if mode.length > mode.full {
        out[last_year] += mode.gang * mode.rest_hours * (row[full_end + 1] - row[full_end]);
    }
}

fn add_column_gradient(instance: &Instance, prefix: &PrefixCost, column: &Column, gradient: &mut [f64]) {
    if column.mode == NOT_RUN {
        return;
    }
    let layout = PriceLayout::of(instance);
    let sizes = &instance.sizes;
    let mode = &instance.modes[column.mode];
    let site = instance.pools.pool_site[mode.pool];
    let home = f64::from(u8::from(instance.pools.pool_domestic[mode.pool]));
    for offset in 0..mode.length {
        let t = column.start + offset;
        let hours = instance.hours_at(mode, offset);
        let year = instance.pools.year_of_period[t];
        gradient[layout.capacity + mode.pool * sizes.periods + t] += hours;
        if site != NO_SITE {
            gradient[layout.power + site * sizes.periods + t] += hours * instance.pools.pool_kw[mode.pool];
        }
        if instance.rules.share_min[year] >= 0.0 {
            gradient[layout.share + year] += hours * mode.speed * (instance.rules.share_min[year] - home);
        }
    }
    if column.programme != NO_PROGRAMME {
        let mut claims = [0.0; YEAR_COUNT_MAX];
        fill_claims(instance, prefix, mode, column.start, column.programme, &mut claims);
        let row = instance.project_row_of[mode.workload * sizes.programmes + column.programme];
        for (y, &claim) in claims.iter().enumerate().take(sizes.years) {
            gradient[layout.budget + y] -= claim;
            gradient[layout.programme + column.programme * sizes.years + y] += claim;
            if row != usize::MAX {
                gradient[layout.project + row] += claim;
            }
        }
    }
}
