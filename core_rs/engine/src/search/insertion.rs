//! The cheapest place for one workload in a plan, by prefix sums of exact cost differences.

use rayon::prelude::*;

use crate::instance::{CAPACITY_TOLERANCE, Instance, Mode, NO_SITE};
use crate::prefix_cost::{PrefixCost, run_sum};
use crate::pricing::{Column, NO_PROGRAMME, NOT_RUN, cheapest_start, eligible_by_year, open_programmes, years_of_run};
use crate::search::solution::Solution;

/// Prices of the rows whose slack a single insertion cannot see, taken from the ascent.
#[derive(Clone, Debug)]
pub struct Guidance {
    /// Prefix sums at the prices (share rows, worth of claims).
    pub prefix: PrefixCost,
    /// Price of the portfolio budget, (Y,).
    pub budget: Vec<f64>,
    /// Yen per normalised hour short of the share, (Y,).
    pub share_weight: Vec<f64>,
    /// Yen per yen over the budget, (Y,).
    pub budget_weight: Vec<f64>,
    /// Modes of each workload that are cheapest at the prices, (W,) lists; the rest are tried now and then.
    pub shortlist: Vec<Vec<usize>>,
    /// Cheapest price of each workload, "not run" included, (W,).
    pub cheapest: Vec<f64>,
}

/// Modes of each workload in order of their cheapest start at the prices, cut to `most`.
pub fn shortlists(instance: &Instance, prefix: &PrefixCost, most: usize) -> Vec<Vec<usize>> {
    (0..instance.sizes.workloads)
        .into_par_iter()
        .map(|w| {
            let mut priced: Vec<(f64, usize)> =
                instance.modes_of(w).map(|index| (cheapest_start(instance, prefix, index).price, index)).collect();
            priced.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            priced.into_iter().take(most).map(|(_, index)| index).collect()
        })
        .collect()
}

/// A column with the claim that goes with it.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The column; its price is the guided cost.
    pub column: Column,
    /// Claimed yen by fiscal year.
    pub claims: Vec<f64>,
}

/// Scratch space of insertions.
#[derive(Clone, Debug)]
pub struct Scratch {
    full: Vec<f64>,
    blocked: Vec<u32>,
    claims: Vec<f64>,
    eligible: Vec<f64>,
}

impl Scratch {
    /// Space for an instance.
    pub fn new(instance: &Instance) -> Self {
        let stride = instance.sizes.periods + 1;
        Self {
            full: vec![0.0; stride],
            blocked: vec![0; stride],
            claims: vec![0.0; instance.sizes.years],
            eligible: vec![0.0; instance.sizes.years],
        }
    }
}

/// Cheapest candidate of a workload that is not placed, among `modes`.
///
/// `price_weight` in [0, 1] mixes the capacity price into the exact cost: 0 is the cost of this insertion alone (committed
/// capacity is free), 1 the price of the hours to the whole portfolio (what others would pay for them).
pub fn cheapest_insertion(
    instance: &Instance,
    guidance: &Guidance,
    solution: &Solution,
    workload: usize,
    scratch: &mut Scratch,
    modes: impl Iterator<Item = usize>,
    price_weight: f64,
) -> Candidate {
    let not_run = solution.not_run_charge(instance, workload);
    let years = instance.sizes.years;
    let mut best = Candidate { column: Column::not_run(not_run), claims: vec![0.0; years] };
    for index in modes {
        let mode = &instance.modes[index];
        mark_cells(instance, guidance, solution, mode, price_weight, scratch);
        for &(first, last) in instance.starts_of(mode) {
            for start in first..last {
                if scratch.blocked[start + mode.full] != scratch.blocked[start] {
                    continue;
                }
                let price = base_price(instance, guidance, solution, mode, start, scratch, price_weight);
                let Some(price) = price else { continue };
                if price < best.column.price {
                    best.column = Column { mode: index, start, programme: NO_PROGRAMME, price };
                    best.claims.fill(0.0);
                }
                for r in open_programmes(instance, mode) {
                    let worth = claim(instance, guidance, solution, mode, start, r, price - best.column.price, scratch);
                    if price - worth < best.column.price {
                        best.column = Column { mode: index, start, programme: r, price: price - worth };
                        best.claims.copy_from_slice(&scratch.claims);
                    }
                }
            }
        }
    }
    if best.column.mode != NOT_RUN && best.column.programme == NO_PROGRAMME {
        take_what_is_left(instance, guidance, solution, scratch, &mut best);
    }
    best
}

/// Claim from the programme that has most left: budgets nobody else uses are free money, whatever their price says.
fn take_what_is_left(
    instance: &Instance,
    guidance: &Guidance,
    solution: &Solution,
    scratch: &mut Scratch,
    best: &mut Candidate,
) {
    let mode = &instance.modes[best.column.mode];
    let mut most = 0.0;
    best.claims.fill(0.0);
    for r in open_programmes(instance, mode) {
        fill_left(instance, guidance, solution, mode, best.column.start, r, scratch);
        let total: f64 = scratch.claims.iter().sum();
        if total > most {
            most = total;
            best.column.programme = r;
            best.claims.copy_from_slice(&scratch.claims);
        }
    }
}

/// Fill the prefix sums of the exact cost of one more full period, and of the periods that have no room.
fn mark_cells(
    instance: &Instance,
    guidance: &Guidance,
    solution: &Solution,
    mode: &Mode,
    price_weight: f64,
    scratch: &mut Scratch,
) {
    let hours = mode.gang * instance.pools.period_hours;
    let ranges = instance.starts_of(mode);
    let (from, until) = (ranges[0].0, ranges[ranges.len() - 1].1 - 1 + mode.length);
    scratch.full[from] = 0.0;
    scratch.blocked[from] = 0;
    for t in from..until {
        let cost = cell_difference(instance, guidance, solution, mode, t, hours, price_weight);
        scratch.full[t + 1] = scratch.full[t] + cost.unwrap_or(0.0);
        scratch.blocked[t + 1] = scratch.blocked[t] + u32::from(cost.is_none());
    }
}

fn cell_difference(
    instance: &Instance,
    guidance: &Guidance,
    solution: &Solution,
    mode: &Mode,
    t: usize,
    hours: f64,
    price_weight: f64,
) -> Option<f64> {
    let cell = mode.pool * instance.sizes.periods + t;
    if mode.gang > solution.pool_live[cell] + CAPACITY_TOLERANCE {
        return None;
    }
    let site = instance.pools.pool_site[mode.pool];
    if site != NO_SITE {
        let kwh = solution.kwh[site * instance.sizes.periods + t] + hours * instance.pools.pool_kw[mode.pool];
        if kwh > instance.pools.site_limit_kwh[site] * (1.0 + 1e-12) + 1e-9 {
            return None;
        }
    }
    let cost = solution.dispatch_cost(instance, mode.pool, t, solution.hours[cell] + hours)?;
    let year = instance.pools.year_of_period[t];
    let exact = (cost - solution.cell_cost[cell]) * (1.0 + guidance.budget[year]);
    let stride = instance.sizes.periods + 1;
    let prefix = &guidance.prefix.hour[mode.pool * stride..(mode.pool + 1) * stride];
    Some(exact + price_weight * ((prefix[t + 1] - prefix[t]) * hours - exact))
}

/// Guided cost before claims; None where the last period has no room.
fn base_price(
    instance: &Instance,
    guidance: &Guidance,
    solution: &Solution,
    mode: &Mode,
    start: usize,
    scratch: &Scratch,
    price_weight: f64,
) -> Option<f64> {
    let end = start + mode.full;
    let mut price = scratch.full[end] - scratch.full[start];
    if mode.length > mode.full {
        price += cell_difference(instance, guidance, solution, mode, end, mode.gang * mode.rest_hours, price_weight)?;
    }
    let share = guidance.prefix.share(instance.pools.pool_domestic[mode.pool]);
    price += mode.speed * run_sum(share, mode, start, instance.pools.period_hours);
    let late = (start - instance.workloads.release[mode.workload]) as f64;
    Some(price + late * instance.workloads.late_yen[mode.workload])
}

/// Best claim with what the budgets have left, into `scratch.claims`; returns its guided worth.
#[allow(clippy::too_many_arguments)]
fn claim(
    instance: &Instance,
    guidance: &Guidance,
    solution: &Solution,
    mode: &Mode,
    start: usize,
    programme: usize,
    needed: f64,
    scratch: &mut Scratch,
) -> f64 {
    let sizes = &instance.sizes;
    let rate = instance.rules.rate[mode.workload * sizes.programmes + programme];
    let stride = sizes.periods + 1;
    let base = (programme * sizes.pools + mode.pool) * stride;
    let most =
        rate * run_sum(&guidance.prefix.reference_worth[base..base + stride], mode, start, instance.pools.period_hours);
    if most <= needed.max(0.0) {
        return 0.0;
    }
    fill_left(instance, guidance, solution, mode, start, programme, scratch);
    let years = sizes.years;
    scratch
        .claims
        .iter()
        .enumerate()
        .map(|(y, yen)| yen * guidance.prefix.claim_worth[programme * years + y].max(0.0))
        .sum()
}

/// Fill `scratch.claims` year by year with what rate, project cap and budget leave.
fn fill_left(
    instance: &Instance,
    guidance: &Guidance,
    solution: &Solution,
    mode: &Mode,
    start: usize,
    programme: usize,
    scratch: &mut Scratch,
) {
    let sizes = &instance.sizes;
    let rate = instance.rules.rate[mode.workload * sizes.programmes + programme];
    scratch.claims.fill(0.0);
    scratch.eligible.fill(0.0);
    eligible_by_year(instance, &guidance.prefix.reference, mode, start, programme, &mut scratch.eligible);
    let row = instance.project_row_of[mode.workload * sizes.programmes + programme];
    let mut left = instance.rules.project_cap_yen[programme];
    if row != usize::MAX {
        left = (left - solution.project_claims[row]).max(0.0);
    }
    let (first_year, last_year) = years_of_run(instance, mode, start);
    // Runs are short against a fiscal year: filling the years in order loses little, and the master fills them exactly.
    for y in first_year..=last_year {
        let cell = programme * sizes.years + y;
        let budget_left = (instance.rules.programme_budget_yen[cell] - solution.programme_claims[cell]).max(0.0);
        let amount = (rate * scratch.eligible[y]).min(left).min(budget_left);
        scratch.claims[y] = amount;
        left -= amount;
    }
}
