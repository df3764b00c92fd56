//! The loop: ruin a neighbourhood, recreate it, accept or undo (simulated annealing).

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use crate::instance::Instance;
use crate::pricing::{Column, NOT_RUN, cheapest_start, column_price};
use crate::search::insertion::{Guidance, Scratch, cheapest_insertion};
use crate::search::solution::Solution;

/// How a run is cooled and how large its neighbourhoods are.
#[derive(Clone, Copy, Debug)]
pub struct RunOptions {
    /// Iterations.
    pub iteration_count: usize,
    /// Temperature of the first iteration in yen.
    pub temperature_first_yen: f64,
    /// Temperature of the last iteration in yen.
    pub temperature_last_yen: f64,
    /// Most workloads taken out at once.
    pub ruin_count_max: usize,
    /// Part of iterations that change a commitment.
    pub order_fraction: f64,
    /// Factor on the weights of broken fiscal-year rows: near one early, so that rows are met where it is cheapest,
    /// high late.
    pub penalty_scale: f64,
}

/// Part of shortlisted modes skipped in an insertion, to vary the search.
const SKIP_FRACTION: f64 = 0.03;
/// Part of insertions that look at every mode.
const FULL_FRACTION: f64 = 0.03;
/// Part of the other iterations that pull a badly placed workload to where the prices want it.
const PULL_FRACTION: f64 = 0.4;
/// Workloads compared to find a badly placed one.
const PULL_TOURNAMENT: usize = 6;
/// Modes a pulled workload may be pulled to.
const PULL_MODES: usize = 3;
/// Order of insertion that keeps the list as it is.
const AS_LISTED: usize = 4;
/// Weights of the capacity price in insertions, drawn once an iteration.
const PRICE_WEIGHTS: [f64; 4] = [0.0, 0.4, 0.8, 1.0];
/// Iterations after which aggregates are built afresh, so that rounding cannot creep.
const REFRESH_INTERVAL: usize = 2_000;
/// Amounts of an order change are powers of two below two to this.
const ORDER_AMOUNT_POWERS: u32 = 2;
/// Unplaced workloads tried besides the ruined ones.
const UNPLACED_TRIED_MAX: usize = 2;

/// What one iteration changed, to take it back.
#[derive(Default)]
struct Journal {
    columns: Vec<(usize, Column, Vec<f64>)>,
    units: Vec<(usize, i64)>,
}

/// Where workloads are taken out: around a pool (if any) in a half-open span of periods.
struct Neighbourhood {
    pool: Option<usize>,
    span: (usize, usize),
    same_pool_only: bool,
}

/// One seeded chain with its current and best plan.
#[derive(Clone, Debug)]
pub struct Chain {
    current: Solution,
    current_cost: f64,
    penalty_scale: f64,
    /// Best feasible plan, if any.
    pub best: Option<(f64, Solution)>,
    generator: Pcg64Mcg,
    scratch: Scratch,
}

impl Chain {
    /// Start from a plan.
    pub fn new(instance: &Instance, guidance: &Guidance, start: Solution, seed: u64) -> Self {
        let mut chain = Self {
            current_cost: 0.0,
            penalty_scale: 1.0,
            current: start,
            best: None,
            generator: Pcg64Mcg::seed_from_u64(seed),
            scratch: Scratch::new(instance),
        };
        chain.current_cost = chain.cost(instance, guidance);
        chain.note_best(instance);
        chain
    }

    /// Insert every workload that is not placed, hardest first; then run.
    pub fn construct(&mut self, instance: &Instance, guidance: &Guidance) {
        let mut journal = Journal::default();
        let missing: Vec<usize> = (0..instance.sizes.workloads).filter(|&w| self.is_unplaced(w)).collect();
        self.recreate(instance, guidance, missing, &mut journal, 0, 0.8);
        self.current_cost = self.cost(instance, guidance);
        self.note_best(instance);
    }

    /// Continue from another plan, keeping the best one found so far.
    pub fn restart_from(&mut self, instance: &Instance, guidance: &Guidance, solution: Solution) {
        self.current = solution;
        self.current_cost = self.cost(instance, guidance);
        self.note_best(instance);
    }

    /// Iterate; the best plan is kept in `best`.
    pub fn run(&mut self, instance: &Instance, guidance: &Guidance, options: &RunOptions) {
        let ratio = options.temperature_last_yen / options.temperature_first_yen;
        let shrink = ratio.powf(1.0 / options.iteration_count.max(1) as f64);
        let mut temperature = options.temperature_first_yen;
        self.penalty_scale = options.penalty_scale;
        self.current_cost = self.cost(instance, guidance);
        for iteration in 0..options.iteration_count {
            if iteration % REFRESH_INTERVAL == 0 {
                self.refresh(instance, guidance);
            }
            self.iterate(instance, guidance, options, temperature);
            temperature *= shrink;
        }
        self.refresh(instance, guidance);
    }

    fn iterate(&mut self, instance: &Instance, guidance: &Guidance, options: &RunOptions, temperature: f64) {
        let mut journal = Journal::default();
        let has_orders = !instance.committed.option_first.is_empty();
        let mut removed = Vec::new();
        let mut pulled = false;
        let most = options.ruin_count_max.clamp(1, instance.sizes.workloads.max(1));
        let count = 1 + self.generator.random_range(0..most);
        if has_orders && self.generator.random_bool(options.order_fraction) {
            self.change_order(instance, count, &mut journal, &mut removed);
        } else if self.generator.random_bool(PULL_FRACTION) {
            self.pull(instance, guidance, count, &mut journal, &mut removed);
            pulled = true;
        } else {
            self.ruin_around(instance, count, &mut journal, &mut removed);
        }
        self.add_unplaced(instance, &mut removed);
        // A pulled workload stands first in the list and has to be inserted first.
        let order = if pulled { AS_LISTED } else { self.generator.random_range(0..AS_LISTED) };
        let price_weight = PRICE_WEIGHTS[self.generator.random_range(0..PRICE_WEIGHTS.len())];
        self.recreate(instance, guidance, removed, &mut journal, order, price_weight);
        let cost = self.cost(instance, guidance);
        let threshold = self.current_cost - temperature * self.generator.random::<f64>().max(1e-300).ln();
        if cost < threshold {
            self.current_cost = cost;
            self.note_best(instance);
        } else {
            self.undo(instance, journal);
        }
    }

    /// Make room where a badly placed workload would be cheapest at the prices, and give it the first choice.
    fn pull(
        &mut self,
        instance: &Instance,
        guidance: &Guidance,
        count: usize,
        journal: &mut Journal,
        removed: &mut Vec<usize>,
    ) {
        let mut worst = (f64::NEG_INFINITY, 0);
        for _ in 0..PULL_TOURNAMENT {
            let w = self.generator.random_range(0..instance.sizes.workloads);
            worst = if self.excess(instance, guidance, w) > worst.0 {
                (self.excess(instance, guidance, w), w)
            } else {
                worst
            };
        }
        let workload = worst.1;
        let listed = &guidance.shortlist[workload];
        if listed.is_empty() {
            return;
        }
        let index = listed[self.generator.random_range(0..listed.len().min(PULL_MODES))];
        let target = cheapest_start(instance, &guidance.prefix, index);
        if !self.is_unplaced(workload) {
            self.take_out(instance, workload, journal, removed);
        } else {
            removed.push(workload);
        }
        let mode = &instance.modes[index];
        let span = (target.start, target.start + mode.length);
        let near = Neighbourhood { pool: Some(mode.pool), span, same_pool_only: true };
        self.ruin_span(instance, &near, count, journal, removed);
    }

    /// Yen by which a workload's column is dearer at the prices than its cheapest one.
    fn excess(&self, instance: &Instance, guidance: &Guidance, workload: usize) -> f64 {
        let column = &self.current.columns[workload];
        let price = if column.mode == NOT_RUN {
            self.current.not_run_charge(instance, workload)
        } else {
            column_price(instance, &guidance.prefix, column)
        };
        price - guidance.cheapest[workload]
    }

    /// Take out workloads that are related to a random one: near in time, and in the same pool where it is placed.
    fn ruin_around(&mut self, instance: &Instance, count: usize, journal: &mut Journal, removed: &mut Vec<usize>) {
        let center = self.generator.random_range(0..instance.sizes.workloads);
        let (pool, from, until) = self.span(instance, center);
        let same_pool_only = self.generator.random_bool(0.3);
        let near = Neighbourhood { pool, span: (from, until), same_pool_only };
        self.ruin_span(instance, &near, count, journal, removed);
        if !self.is_unplaced(center) {
            self.take_out(instance, center, journal, removed);
        }
    }

    /// Pool and periods of a workload: of its placement, else of its window.
    fn span(&self, instance: &Instance, workload: usize) -> (Option<usize>, usize, usize) {
        let column = self.current.columns[workload];
        if column.mode == NOT_RUN {
            return (None, instance.workloads.release[workload], instance.workloads.deadline[workload]);
        }
        let mode = &instance.modes[column.mode];
        (Some(mode.pool), column.start, column.start + mode.length)
    }

    fn ruin_span(
        &mut self,
        instance: &Instance,
        near: &Neighbourhood,
        count: usize,
        journal: &mut Journal,
        removed: &mut Vec<usize>,
    ) {
        let mut scored: Vec<(f64, usize)> = Vec::new();
        for w in 0..instance.sizes.workloads {
            let column = self.current.columns[w];
            if column.mode == NOT_RUN {
                continue;
            }
            let mode = &instance.modes[column.mode];
            let overlap = near.span.1.min(column.start + mode.length) as f64 - near.span.0.max(column.start) as f64;
            let same_pool = near.pool == Some(mode.pool);
            if overlap <= 0.0 || (near.same_pool_only && near.pool.is_some() && !same_pool) {
                continue;
            }
            let weight = if same_pool { 3.0 } else { 1.0 };
            scored.push((weight * self.generator.random::<f64>(), w));
        }
        scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        for &(_, w) in scored.iter().take(count.saturating_sub(1)) {
            self.take_out(instance, w, journal, removed);
        }
    }

    fn take_out(&mut self, instance: &Instance, workload: usize, journal: &mut Journal, removed: &mut Vec<usize>) {
        let years = instance.sizes.years;
        let claims = self.current.claims[workload * years..(workload + 1) * years].to_vec();
        journal.columns.push((workload, self.current.columns[workload], claims));
        self.current.unplace(instance, workload);
        removed.push(workload);
    }

    /// Add, drop or move one unit of a random offer, and loosen what runs there.
    fn change_order(&mut self, instance: &Instance, count: usize, journal: &mut Journal, removed: &mut Vec<usize>) {
        let offer = self.generator.random_range(0..instance.committed.pool.len());
        let range = instance.committed.option_offset[offer]..instance.committed.option_offset[offer + 1];
        if range.is_empty() {
            return;
        }
        let ordered: Vec<usize> = range.clone().filter(|&option| self.current.units[option] > 0).collect();
        let kind = self.generator.random_range(0..3);
        let mut span = (usize::MAX, 0);
        let mut touch = |option: usize| {
            let first = instance.committed.option_first[option];
            let length = instance.committed.live_offset[option + 1] - instance.committed.live_offset[option];
            span = (span.0.min(first), span.1.max(first + length));
        };
        let mut amount = 1;
        let mut target = self.generator.random_range(range.clone());
        if kind != 0 && !ordered.is_empty() {
            let option = ordered[self.generator.random_range(0..ordered.len())];
            let drawn = self.draw_amount();
            amount = drawn.min(i64::from(self.current.units[option]));
            touch(option);
            self.current.change_units(instance, option, -amount);
            journal.units.push((option, -amount));
            if kind == 2 && self.generator.random_bool(0.7) {
                let step = self.generator.random_range(-4i64..=4);
                target = (option as i64 + step).clamp(range.start as i64, range.end as i64 - 1) as usize;
            }
        } else if kind == 0 {
            amount = self.draw_amount();
        }
        if kind != 1 || ordered.is_empty() {
            amount = amount.min(i64::from(self.current.units_left(instance, target)));
            if amount > 0 {
                touch(target);
                self.current.change_units(instance, target, amount);
                journal.units.push((target, amount));
            }
        }
        if span.0 < span.1 {
            let pool = instance.committed.pool[offer];
            self.take_out_misfits(instance, pool, span, journal, removed);
            let same_pool_only = self.generator.random_bool(0.3);
            let near = Neighbourhood { pool: Some(pool), span, same_pool_only };
            self.ruin_span(instance, &near, count, journal, removed);
        }
    }

    /// Units to change: mostly a few, now and then enough for a large gang.
    fn draw_amount(&mut self) -> i64 {
        1 << self.generator.random_range(0..ORDER_AMOUNT_POWERS)
    }

    /// After capacity shrank: take out workloads of the pool, in random order, until all others fit.
    fn take_out_misfits(
        &mut self,
        instance: &Instance,
        pool: usize,
        span: (usize, usize),
        journal: &mut Journal,
        removed: &mut Vec<usize>,
    ) {
        let mut here: Vec<usize> = (0..instance.sizes.workloads)
            .filter(|&w| {
                let column = self.current.columns[w];
                column.mode != NOT_RUN && {
                    let mode = &instance.modes[column.mode];
                    mode.pool == pool && column.start < span.1 && column.start + mode.length > span.0
                }
            })
            .collect();
        self.shuffle(&mut here);
        for w in here {
            if !self.current.placement_fits(instance, w) {
                self.take_out(instance, w, journal, removed);
            }
        }
    }

    fn add_unplaced(&mut self, instance: &Instance, removed: &mut Vec<usize>) {
        let mut missing: Vec<usize> =
            (0..instance.sizes.workloads).filter(|&w| self.is_unplaced(w) && !removed.contains(&w)).collect();
        self.shuffle(&mut missing);
        removed.extend(missing.into_iter().take(UNPLACED_TRIED_MAX));
    }

    fn recreate(
        &mut self,
        instance: &Instance,
        guidance: &Guidance,
        mut workloads: Vec<usize>,
        journal: &mut Journal,
        order: usize,
        price_weight: f64,
    ) {
        let table = &instance.workloads;
        let charge = |w: usize| self.current.not_run_charge(instance, w);
        match order {
            0 => workloads.sort_by(|&a, &b| charge(b).total_cmp(&charge(a)).then(a.cmp(&b))),
            1 => workloads.sort_by(|&a, &b| table.work[b].total_cmp(&table.work[a]).then(a.cmp(&b))),
            2 => workloads.sort_by_key(|&w| (table.deadline[w], w)),
            AS_LISTED => {}
            _ => self.shuffle(&mut workloads),
        }
        for w in workloads {
            let generator = &mut self.generator;
            let modes: Vec<usize> = if generator.random_bool(FULL_FRACTION) {
                instance.modes_of(w).collect()
            } else {
                let listed = guidance.shortlist[w].iter().copied();
                listed.filter(|_| !generator.random_bool(SKIP_FRACTION)).collect()
            };
            let candidate = cheapest_insertion(
                instance,
                guidance,
                &self.current,
                w,
                &mut self.scratch,
                modes.into_iter(),
                price_weight,
            );
            if candidate.column.mode == NOT_RUN {
                continue;
            }
            if !journal.columns.iter().any(|entry| entry.0 == w) {
                journal.columns.push((w, Column::not_run(0.0), Vec::new()));
            }
            self.current.place(instance, w, candidate.column, &candidate.claims);
        }
    }

    fn undo(&mut self, instance: &Instance, journal: Journal) {
        for entry in &journal.columns {
            if !self.is_unplaced(entry.0) {
                self.current.unplace(instance, entry.0);
            }
        }
        for &(option, change) in journal.units.iter().rev() {
            self.current.change_units(instance, option, -change);
        }
        for (w, column, claims) in journal.columns {
            if column.mode != NOT_RUN {
                self.current.place(instance, w, column, &claims);
            }
        }
    }

    fn refresh(&mut self, instance: &Instance, guidance: &Guidance) {
        let now = &self.current;
        let fresh = Solution::build(instance, now.mandatory_yen, &now.columns, &now.claims, &now.units);
        self.current = fresh;
        self.current_cost = self.cost(instance, guidance);
    }

    fn cost(&self, instance: &Instance, guidance: &Guidance) -> f64 {
        let broken = self.current.penalty(instance, &guidance.share_weight, &guidance.budget_weight);
        self.current.objective() + self.penalty_scale * broken
    }

    fn note_best(&mut self, instance: &Instance) {
        let objective = self.current.objective();
        let better = self.best.as_ref().is_none_or(|(best, _)| objective < *best - 1e-6);
        if better && self.current.is_feasible(instance) {
            self.best = Some((objective, self.current.clone()));
        }
    }

    fn is_unplaced(&self, workload: usize) -> bool {
        self.current.columns[workload].mode == NOT_RUN
    }

    fn shuffle(&mut self, values: &mut [usize]) {
        for i in (1..values.len()).rev() {
            values.swap(i, self.generator.random_range(0..=i));
        }
    }
}
