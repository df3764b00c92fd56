//! The hot loop: prices of every start of a mode, and every workload's cheapest column.

use crate::claims::claims_worth;
use crate::column::{Column, NO_CLAIMS, Pauses};
use crate::instance::{Instance, Mode, NONE};
use crate::pauses::PausePricing;
use crate::prefix_cost::PrefixCost;

/// The cheapest choice of a workload, as the bound counts it.
#[derive(Clone, Debug)]
pub struct Cheapest {
    /// The column with its true price.
    pub column: Column,
    /// The workload's term of the bound: the price, or less where the bound relaxes the claims of pauses.
    pub bound_price: f64,
    /// Relaxed prices of the project caps of the column's programmes, where the term is relaxed; else empty.
    pub lambda: Vec<f64>,
}

/// By so much two ways to add up one price may differ, in yen.
const ROUNDING_YEN: f64 = 1e-3;

/// Prices of the starts of a mode, kept between modes.
struct StartPrices {
    /// Before claims, (T,).
    base: Vec<f64>,
    /// Worth of the claims of a set without caps: no less than what they are worth, (T,).
    worth: Vec<f64>,
}

impl StartPrices {
    fn new(instance: &Instance) -> Self {
        Self { base: vec![0.0; instance.sizes.periods], worth: vec![0.0; instance.sizes.periods] }
    }
}

/// Cheapest choice of a workload, "not run" included unless it is mandatory.
pub fn cheapest(instance: &Instance, prefix: &PrefixCost, workload: usize) -> Cheapest {
    let mut best = Column::not_run(instance.workloads.not_run_yen[workload]);
    let mut prices = StartPrices::new(instance);
    let pauses = instance.workloads.pauses_max[workload] > 0;
    let mut promising: Vec<(f64, usize)> = Vec::new();
    for index in instance.modes_of(workload) {
        let least = improve_with_starts(instance, prefix, index, &mut prices, &mut best);
        if pauses {
            promising.push((least, index));
        }
    }
    let mut found = Cheapest { column: best, bound_price: best.price, lambda: Vec::new() };
    if pauses {
        // What is cheap without pauses is likely to be cheap with them; a low price found early rules out the rest.
        promising.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let mut pausing = PausePricing::new(instance, prefix);
        promising.iter().for_each(|&(_, index)| pausing.improve(index, &mut found));
    }
    found
}

/// Column of the cheapest choice, at its true price.
pub fn cheapest_column(instance: &Instance, prefix: &PrefixCost, workload: usize) -> Column {
    cheapest(instance, prefix, workload).column
}

/// Cheapest column of a mode without pauses, claims included; its price is infinite where the mode has no start.
pub fn cheapest_start(instance: &Instance, prefix: &PrefixCost, index: usize) -> Column {
    let mut best = Column::not_run(f64::INFINITY);
    improve_with_starts(instance, prefix, index, &mut StartPrices::new(instance), &mut best);
    best
}

/// Improve `best` with the starts of a mode; returns the least price before claims, infinite without a start.
fn improve_with_starts(
    instance: &Instance,
    prefix: &PrefixCost,
    index: usize,
    prices: &mut StartPrices,
    best: &mut Column,
) -> f64 {
    let mode = &instance.modes[index];
    let mut least = f64::INFINITY;
    for &(first, last) in instance.starts_of(mode) {
        base_prices(instance, prefix, mode, (first, last), &mut prices.base);
        let base = &prices.base[first..last];
        for (start, &price) in (first..last).zip(base) {
            if price < least {
                least = price;
                if price < best.price {
                    *best = without_pauses(index, start, NO_CLAIMS, price);
                }
            }
        }
        for &claim_set in instance.claim_sets_of(mode) {
            uncapped_worths(instance, prefix, mode, claim_set, (first, last), &mut prices.worth);
            for ((start, &without), &most) in (first..last).zip(base).zip(&prices.worth[first..last]) {
                if without - most >= best.price {
                    continue;
                }
                let mut column = without_pauses(index, start, claim_set, without);
                column.price -= claims_worth(instance, prefix, &column);
                if column.price < best.price {
                    *best = column;
                }
            }
        }
    }
    least
}

fn without_pauses(mode: usize, start: usize, claim_set: usize, price: f64) -> Column {
    Column { mode, start, pauses: Pauses::default(), claim_set, price }
}

/// Price of a column at the prices of `prefix`; the column is run.
pub fn column_price(instance: &Instance, prefix: &PrefixCost, column: &Column) -> f64 {
    price_before_claims(instance, prefix, column) - claims_worth(instance, prefix, column)
}

/// Price of a column without what it claims.
pub fn price_before_claims(instance: &Instance, prefix: &PrefixCost, column: &Column) -> f64 {
    let mode = &instance.modes[column.mode];
    let hours = column.weighted_hours(instance, prefix.hour_of(instance, mode));
    let work = column.weighted_hours(instance, prefix.work_of(instance, mode));
    hours
        + instance.speed_of(mode, column.pauses.count) * work
        + start_price(instance, prefix, mode, column.start)
        + end_price(prefix, mode, column.end(instance))
}

/// What the start of a mode costs: lateness, waiting, change, transfer and porting, precedences before it.
pub fn start_price(instance: &Instance, prefix: &PrefixCost, mode: &Mode, start: usize) -> f64 {
    let (table, w) = (&instance.workloads, mode.workload);
    let pay = prefix.start_pay_of(instance, w)[start];
    let precedence = &prefix.precedence_start[w];
    (table.late_yen[w] + prefix.waiting) * (start - table.release[w]) as f64
        + instance.change_yen(mode, start)
        + instance.start_yen(mode, start) * pay
        + precedence.get(start).copied().unwrap_or(0.0)
}

/// What precedences charge for the end of a mode's workload; not positive.
pub fn end_price(prefix: &PrefixCost, mode: &Mode, end: usize) -> f64 {
    -prefix.precedence_end[mode.workload].get(end).copied().unwrap_or(0.0)
}

/// Columns of a workload whose price is at most its cheapest plus `threshold_yen`, cheapest first, at most `most`.
///
/// All columns without pauses; of those with pauses the best of each (mode, claim set).
pub fn cheap_columns(
    instance: &Instance,
    prefix: &PrefixCost,
    workload: usize,
    threshold_yen: f64,
    most: usize,
) -> Vec<Column> {
    let limit = cheapest(instance, prefix, workload).bound_price + threshold_yen;
    let mut found = Vec::new();
    let mut prices = StartPrices::new(instance);
    for index in instance.modes_of(workload) {
        push_cheap_starts(instance, prefix, index, limit, &mut prices, &mut found);
    }
    if instance.workloads.pauses_max[workload] > 0 {
        let mut pausing = PausePricing::new(instance, prefix);
        instance.modes_of(workload).for_each(|index| pausing.push_cheap(index, limit, &mut found));
    }
    found.sort_by(|a, b| a.price.total_cmp(&b.price).then(a.key().cmp(&b.key())));
    found.truncate(most);
    found
}

/// Push the starts of a mode, with no claims and with each claim set, whose price is at most `limit`.
fn push_cheap_starts(
    instance: &Instance,
    prefix: &PrefixCost,
    index: usize,
    limit: f64,
    prices: &mut StartPrices,
    found: &mut Vec<Column>,
) {
    let mode = &instance.modes[index];
    for &(first, last) in instance.starts_of(mode) {
        base_prices(instance, prefix, mode, (first, last), &mut prices.base);
        let base = &prices.base[first..last];
        let cheap = (first..last).zip(base).filter(|(_, price)| **price <= limit);
        found.extend(cheap.map(|(start, &price)| without_pauses(index, start, NO_CLAIMS, price)));
        for &claim_set in instance.claim_sets_of(mode) {
            uncapped_worths(instance, prefix, mode, claim_set, (first, last), &mut prices.worth);
            for ((start, &without), &most) in (first..last).zip(base).zip(&prices.worth[first..last]) {
                if without - most > limit + ROUNDING_YEN {
                    continue;
                }
                let mut column = without_pauses(index, start, claim_set, without);
                column.price -= claims_worth(instance, prefix, &column);
                if column.price <= limit {
                    found.push(column);
                }
            }
        }
    }
}

/// Worth of the claims of a set without caps, for starts of a range; fills `out[first..last]`.
fn uncapped_worths(
    instance: &Instance,
    prefix: &PrefixCost,
    mode: &Mode,
    claim_set: usize,
    (first, last): (usize, usize),
    out: &mut [f64],
) {
    let target = &mut out[first..last];
    target.fill(0.0);
    for &r in instance.programmes_of(claim_set) {
        let rate = instance.rules.rate[mode.workload * instance.sizes.programmes + r];
        let row = prefix.reference_worth_of(instance, mode, r);
        let full_hours = rate * instance.pools.period_hours * mode.gang;
        let rest_hours = if mode.length > mode.full { rate * mode.rest_hours * mode.gang } else { 0.0 };
        let (from, to) = (&row[first..last], &row[first + mode.full..last + mode.full]);
        let after = &row[first + mode.length..last + mode.length];
        for (i, worth) in target.iter_mut().enumerate() {
            *worth += full_hours * (to[i] - from[i]) + rest_hours * (after[i] - to[i]);
        }
    }
}

/// Price of a run without pauses before claims for starts of a range; fills `out[first..last]`.
fn base_prices(instance: &Instance, prefix: &PrefixCost, mode: &Mode, range: (usize, usize), out: &mut [f64]) {
    let hour = prefix.hour_of(instance, mode);
    let work = prefix.work_of(instance, mode);
    let period_hours = instance.pools.period_hours * mode.gang;
    let rest_hours = if mode.length > mode.full { mode.rest_hours * mode.gang } else { 0.0 };
    let late = instance.workloads.late_yen[mode.workload] + prefix.waiting;
    let release = instance.workloads.release[mode.workload];
    let (first, last) = range;
    let count = last - first;
    let (from, to) = (&hour[first..last], &hour[first + mode.full..last + mode.full]);
    let after = &hour[first + mode.length..last + mode.length];
    let (work_from, work_to) = (&work[first..last], &work[first + mode.full..last + mode.full]);
    let work_after = &work[first + mode.length..last + mode.length];
    let target = &mut out[first..last];
    for i in 0..count {
        let hours = (to[i] - from[i]) + mode.speed * (work_to[i] - work_from[i]);
        let rest = (after[i] - to[i]) + mode.speed * (work_after[i] - work_to[i]);
        target[i] = period_hours * hours + rest_hours * rest + late * ((first + i - release) as f64);
    }
    add_start_terms(instance, prefix, mode, range, out);
    let after = &prefix.precedence_end[mode.workload];
    if !after.is_empty() {
        let credits = &after[first + mode.length..last + mode.length];
        out[first..last].iter_mut().zip(credits).for_each(|(price, credit)| *price -= credit);
    }
}

/// What the starts of a range cost, as `start_price`; fills `out[range.0..range.1]`.
pub fn start_prices(instance: &Instance, prefix: &PrefixCost, mode: &Mode, range: (usize, usize), out: &mut [f64]) {
    let late = instance.workloads.late_yen[mode.workload] + prefix.waiting;
    let release = instance.workloads.release[mode.workload];
    (range.0..range.1).zip(&mut out[range.0..range.1]).for_each(|(t, price)| *price = late * (t - release) as f64);
    add_start_terms(instance, prefix, mode, range, out);
}

/// Add what only some starts cost: change, transfer and porting, precedences before it.
fn add_start_terms(instance: &Instance, prefix: &PrefixCost, mode: &Mode, range: (usize, usize), out: &mut [f64]) {
    let (w, periods) = (mode.workload, instance.sizes.periods);
    let (first, last) = range;
    let target = &mut out[first..last];
    if instance.workloads.change_yen[w] != 0.0 {
        (first..last).zip(target.iter_mut()).for_each(|(start, price)| *price += instance.change_yen(mode, start));
    }
    let cell = w * instance.sizes.pools + mode.pool;
    let (route, porting) = (instance.workloads.pool_route[cell], instance.workloads.porting_yen[cell]);
    let pay = &prefix.start_pay_of(instance, w)[first..last];
    if route != NONE {
        let terabytes = instance.workloads.terabytes[w];
        let yen = &instance.pools.route_yen[route * periods..][first..last];
        target.iter_mut().zip(yen).zip(pay).for_each(|((price, yen), pay)| *price += (porting + terabytes * yen) * pay);
    } else if porting != 0.0 {
        target.iter_mut().zip(pay).for_each(|(price, pay)| *price += porting * pay);
    }
    let before = &prefix.precedence_start[w];
    if !before.is_empty() {
        target.iter_mut().zip(&before[first..last]).for_each(|(price, charge)| *price += charge);
    }
}
