//! The cheapest place for one workload in a plan, by prefix sums of exact cost differences.

use crate::column::{Column, NO_CLAIMS, NOT_RUN, Pauses, Run};
use crate::instance::{CAPACITY_TOLERANCE, Instance, Mode, NONE};
use crate::search::pausing::improve_with_pauses;
use crate::search::quota::QuotaUse;
use crate::search::scratch::{ClaimTerm, OpenSet, Scratch};
use crate::search::solution::{HOURS_TOLERANCE, Solution};
use crate::search::terms::View;

/// A column with the claims that go with it.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The column; its price is the guided cost.
    pub column: Column,
    /// Claimed yen, (S, Y).
    pub claims: Vec<f64>,
}

/// How an insertion looks for columns with pauses.
#[derive(Clone, Copy, Debug, Default)]
pub struct PauseTrial {
    /// Pauses of the columns tried in every mode; 0 tries none unless nothing else fits.
    pub count: usize,
    /// Draw that picks the claim set whose claims the periods are chosen for.
    pub claim_draw: usize,
}

/// Cheapest candidate of a workload that is not placed, among `modes` and in a window; not to run it costs `not_run_cost`.
pub fn cheapest_insertion(
    view: &View,
    workload: usize,
    modes: &[usize],
    (window, trial): ((usize, usize), PauseTrial),
    not_run_cost: f64,
    scratch: &mut Scratch,
) -> Candidate {
    let claims = vec![0.0; scratch.claims.len()];
    let mut best = Candidate { column: Column::not_run(not_run_cost), claims };
    let Some(open) = view.solution.precedence_window(view.instance, workload) else { return best };
    let window = (window.0.max(open.0), window.1.min(open.1));
    for &index in modes {
        improve_with_starts(view, index, window, scratch, &mut best);
        if trial.count > 0 {
            improve_with_pauses(view, index, window, &trial, scratch, &mut best);
        }
    }
    if best.column.mode == NOT_RUN {
        for count in 1..=view.instance.workloads.pauses_max[workload] {
            for &index in modes {
                improve_with_pauses(view, index, window, &PauseTrial { count, ..trial }, scratch, &mut best);
            }
        }
    }
    if best.column.mode != NOT_RUN && best.column.claim_set == NO_CLAIMS {
        take_what_is_left(view, scratch, &mut best);
    }
    best
}

fn improve_with_starts(view: &View, index: usize, window: (usize, usize), scratch: &mut Scratch, best: &mut Candidate) {
    let instance = view.instance;
    let mode = &instance.modes[index];
    let ranges = instance.starts_of(mode);
    let Some((first, last)) = ranges.first().zip(ranges.last()).map(|(first, last)| (first.0, last.1)) else { return };
    let from = first.max(window.0);
    let until = (last - 1 + mode.length).min(window.1);
    if from + mode.length > until {
        return;
    }
    let run = instance.run_of(mode, 0);
    let quota = view.solution.statics.quota_of_pool[mode.pool];
    mark_cells(view, mode, &run, 0, (from, until), scratch);
    note_claim_sets(view, mode, scratch);
    for &(first, last) in ranges {
        for start in first.max(from)..last.min(until + 1 - mode.length) {
            let full_end = start + mode.full;
            if scratch.blocked[full_end] != scratch.blocked[start] {
                continue;
            }
            let mut price = scratch.full[full_end] - scratch.full[start];
            if mode.length > mode.full {
                price += scratch.rest[full_end];
            }
            if quota != NONE {
                price += quota_extra(view, quota, mode, start, scratch);
            }
            if price == f64::INFINITY {
                continue;
            }
            price += view.start_cost(mode, start) + view.end_cost(mode.workload, start + mode.length);
            let column = Column { mode: index, start, pauses: Pauses::default(), claim_set: NO_CLAIMS, price };
            improve(view, column, scratch, best);
        }
    }
}

/// Take a column as the best one where it is, without claims or with one of the sets noted in `scratch`.
pub fn improve(view: &View, column: Column, scratch: &mut Scratch, best: &mut Candidate) {
    if column.price < best.column.price {
        best.column = column;
        best.claims.fill(0.0);
    }
    for i in 0..scratch.claim_sets.len() {
        let open = scratch.claim_sets[i];
        // What cannot be worth enough before caps is not filled.
        if claim_bound(view, &column, open.terms, scratch) <= (column.price - best.column.price).max(0.0) {
            continue;
        }
        let claiming = Column { claim_set: open.claim_set, ..column };
        let worth = set_worth(view, &claiming, scratch);
        if column.price - worth < best.column.price {
            best.column = Column { price: column.price - worth, ..claiming };
            best.claims.copy_from_slice(&scratch.claims);
        }
    }
}

/// Note the claim sets that a mode may claim from beside the claims of its project.
pub fn note_claim_sets(view: &View, mode: &Mode, scratch: &mut Scratch) {
    let (instance, sizes) = (view.instance, &view.instance.sizes);
    scratch.claim_sets.clear();
    scratch.claim_terms.clear();
    for &claim_set in instance.claim_sets_of(mode) {
        if !view.solution.is_claim_set_open(instance, mode.workload, claim_set) {
            continue;
        }
        let first = scratch.claim_terms.len();
        scratch.claim_terms.extend(
            instance
                .programmes_of(claim_set)
                .iter()
                .map(|&r| ClaimTerm { rate: instance.rules.rate[mode.workload * sizes.programmes + r], programme: r }),
        );
        scratch.claim_sets.push(OpenSet { claim_set, terms: (first, scratch.claim_terms.len()) });
    }
}

/// Fill the guided cost of every period of a window with the hours of a run: prefix sums over full periods, and the last one.
pub fn mark_cells(
    view: &View,
    mode: &Mode,
    run: &Run,
    pause_count: usize,
    window: (usize, usize),
    scratch: &mut Scratch,
) {
    let instance = view.instance;
    let period_hours = mode.gang * instance.pools.period_hours;
    let rest_hours = mode.gang * run.rest_hours;
    let speed = instance.speed_of(mode, pause_count);
    note_hour_extra(view, mode, speed, window, scratch);
    let has_quota = view.solution.statics.quota_of_pool[mode.pool] != NONE;
    let (from, until) = window;
    scratch.full[from] = 0.0;
    scratch.blocked[from] = 0;
    scratch.quota_full[from] = QuotaUse::default();
    for t in from..until {
        let extra = hour_extra(view, mode, t, scratch);
        let found = if run.full > 0 { cell_difference(view, mode, t, period_hours, extra) } else { None };
        let (cost, asked) = found.unwrap_or_default();
        scratch.full[t + 1] = scratch.full[t] + cost;
        scratch.blocked[t + 1] = scratch.blocked[t] + u32::from(found.is_none());
        if has_quota {
            scratch.quota_full[t + 1] = scratch.quota_full[t].plus(&asked);
        }
        if run.rest_hours > 0.0 && t >= from + run.full {
            let last = cell_difference(view, mode, t, rest_hours, extra);
            scratch.rest[t] = last.map_or(f64::INFINITY, |found| found.0);
            if has_quota {
                scratch.quota_rest[t] = last.unwrap_or_default().1;
            }
        }
    }
}

/// Carbon and rows over work, for an accelerator-hour of each fiscal year that the window touches.
fn note_hour_extra(view: &View, mode: &Mode, speed: f64, window: (usize, usize), scratch: &mut Scratch) {
    let (instance, statics) = (view.instance, &view.solution.statics);
    let layout = statics.rows.layout;
    let year_of = &instance.pools.year_of_period;
    for y in year_of[window.0]..=year_of[window.1 - 1] {
        let carbon = instance.pools.carbon_yen_per_kg + view.row_price[layout.carbon + y];
        let work: f64 = statics.work_rows_of_year[y]
            .iter()
            .map(|&k| {
                let coefficient = instance.rules.work_row_coefficient[k * instance.sizes.pools + mode.pool];
                view.row_price[layout.work + k] * coefficient
            })
            .sum();
        scratch.hour_extra[y] = carbon * instance.pools.pool_kg[mode.pool] + speed * work;
    }
}

#[inline]
fn hour_extra(view: &View, mode: &Mode, t: usize, scratch: &Scratch) -> f64 {
    let (sizes, pools) = (&view.instance.sizes, &view.instance.pools);
    let year = pools.year_of_period[t];
    let budget = view.solution.statics.rows.layout.member_budget;
    let member = view.instance.workloads.member[mode.workload];
    let gamma = view.row_price[budget + member * sizes.years + year];
    scratch.hour_extra[year] + gamma * pools.charge_reference[mode.pool * sizes.periods + t]
}

/// Guided cost of so many hours more in a cell, and what they ask of a quota; None where there is no room.
#[inline(always)]
fn cell_difference(view: &View, mode: &Mode, t: usize, hours: f64, extra: f64) -> Option<(f64, QuotaUse)> {
    let (instance, solution): (&Instance, &Solution) = (view.instance, view.solution);
    let cell = mode.pool * instance.sizes.periods + t;
    if mode.gang > solution.pool_live[cell] + CAPACITY_TOLERANCE || !solution.has_power(instance, mode.pool, t, hours) {
        return None;
    }
    let quota = solution.statics.quota_of_pool[mode.pool];
    let (cost, cash, asked) = if quota == NONE {
        let (cost, cash) = solution.dispatch(instance, mode.pool, t, solution.hours[cell] + hours)?;
        (cost - solution.cell_cost[cell], cash - solution.cell_cash[cell], QuotaUse::default())
    } else {
        solution.quota_difference(instance, quota, t, hours)?
    };
    let year = instance.pools.year_of_period[t];
    let exact = cost + cash * view.row_price[solution.statics.rows.layout.budget + year];
    let priced = view.guidance.hour_price[cell] * hours;
    Some((exact + view.price_weight * (priced - exact) + extra * hours, asked))
}

/// Yen that a run without pauses costs more because its quota does not go round; infinite where it does not fit.
fn quota_extra(view: &View, quota: usize, mode: &Mode, start: usize, scratch: &Scratch) -> f64 {
    let (instance, year_of) = (view.instance, &view.instance.pools.year_of_period);
    let full_end = start + mode.full;
    let mut extra = 0.0;
    for y in year_of[start]..=year_of[start + mode.length - 1] {
        let from = start.max(instance.year_first[y]);
        let until = full_end.min(instance.year_first[y + 1]).max(from);
        let mut asked = scratch.quota_full[until].minus(&scratch.quota_full[from]);
        if mode.length > mode.full && year_of[full_end] == y {
            asked = asked.plus(&scratch.quota_rest[full_end]);
        }
        if asked.must > HOURS_TOLERANCE && asked.must > view.solution.quota_room(instance, quota, y) + HOURS_TOLERANCE {
            return f64::INFINITY;
        }
        let block = &view.solution.blocks[quota * instance.sizes.years + y];
        if block.value <= 0.0 && asked.taken > block.left_hours {
            extra += asked.saving * (1.0 - block.left_hours / asked.taken);
        }
    }
    extra * (1.0 - view.price_weight)
}

/// Guided worth of a column's claims from a set before caps and budgets.
#[inline]
fn claim_bound(view: &View, column: &Column, terms: (usize, usize), scratch: &Scratch) -> f64 {
    let instance = view.instance;
    let mode = &instance.modes[column.mode];
    let sums = |term: &ClaimTerm| view.guidance.prefix.reference_worth_of(instance, mode, term.programme);
    let terms = &scratch.claim_terms[terms.0..terms.1];
    if column.pauses.count > 0 {
        return terms.iter().map(|term| term.rate * column.weighted_hours(instance, sums(term))).sum();
    }
    let (full_end, end) = (column.start + mode.full, column.start + mode.length);
    let mut hours = 0.0;
    for term in terms {
        let row = sums(term);
        let mut worth = instance.pools.period_hours * (row[full_end] - row[column.start]);
        if end > full_end {
            worth += mode.rest_hours * (row[end] - row[full_end]);
        }
        hours += term.rate * worth;
    }
    mode.gang * hours
}

/// Guided worth of a column's claims, which are left in `scratch.claims`.
fn set_worth(view: &View, column: &Column, scratch: &mut Scratch) -> f64 {
    let instance = view.instance;
    let workload = instance.modes[column.mode].workload;
    fill_set(view, column, scratch);
    let programmes = instance.programmes_of(column.claim_set).iter();
    programmes
        .zip(scratch.claims.chunks_exact(instance.sizes.years))
        .map(|(&r, claims)| {
            let worths = view.guidance.prefix.worth_of(instance, workload, r);
            claims.iter().zip(worths).map(|(yen, worth)| yen * worth.max(0.0)).sum::<f64>()
        })
        .sum()
}

/// Fill `scratch.claims` with what is left for a column; returns the yen in all.
fn fill_set(view: &View, column: &Column, scratch: &mut Scratch) -> f64 {
    let years = view.instance.sizes.years;
    let programmes = view.instance.programmes_of(column.claim_set);
    let mut total = 0.0;
    for (slot, claims) in scratch.claims.chunks_exact_mut(years).enumerate() {
        match programmes.get(slot) {
            Some(&r) => {
                total += view.solution.fill_programme(view.instance, column, r, &mut scratch.eligible, claims);
            }
            None => claims.fill(0.0),
        }
    }
    total
}

/// Claim from the set that has most left: budgets nobody else uses are free money, whatever their price says.
fn take_what_is_left(view: &View, scratch: &mut Scratch, best: &mut Candidate) {
    note_claim_sets(view, &view.instance.modes[best.column.mode], scratch);
    let mut most = 0.0;
    best.claims.fill(0.0);
    for i in 0..scratch.claim_sets.len() {
        let claiming = Column { claim_set: scratch.claim_sets[i].claim_set, ..best.column };
        let total = fill_set(view, &claiming, scratch);
        if total > most {
            most = total;
            best.column.claim_set = claiming.claim_set;
            best.claims.copy_from_slice(&scratch.claims);
        }
    }
}
