//! The loop: ruin a neighbourhood, recreate it, accept or undo (simulated annealing).

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use crate::column::{Column, NOT_RUN};
use crate::instance::Instance;
use crate::search::guidance::Guidance;
use crate::search::insertion::{Candidate, PauseTrial, cheapest_insertion};
use crate::search::scratch::Scratch;
use crate::search::solution::Solution;
use crate::search::terms::View;

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
    /// Factor on the weights of broken soft rows: near one early, so that rows are met where it is cheapest, high late.
    pub penalty_scale: f64,
}

/// Part of shortlisted modes skipped in an insertion, to vary the search.
const SKIP_FRACTION: f64 = 0.03;
/// Part of insertions that look at every mode.
const FULL_FRACTION: f64 = 0.03;
/// Part of the insertions of a workload that can pause which try pauses in every mode.
const PAUSE_FRACTION: f64 = 0.3;
/// Part of iterations that may take out what a lock holds; it goes back to its pool, gang and start, claims and pauses apart.
const UNPIN_FRACTION: f64 = 0.1;
/// Part of insertions that look at a part of their window only, to vary the search.
const CUT_FRACTION: f64 = 0.05;
/// Part of iterations that break no soft row, whatever it costs.
const STRICT_FRACTION: f64 = 0.1;
/// Factor on the weights of broken rows in those.
const STRICT_FACTOR: f64 = 1e4;
/// Candidates of one insertion that are tried because the one before broke a soft row.
const RETRIES_MAX: usize = 6;
/// Part of iterations in which a predecessor counts what its successors are worth.
const FORESIGHT_FRACTION: f64 = 0.7;
/// Part of the other iterations that pull a badly placed workload to where the prices want it.
const PULL_FRACTION: f64 = 0.4;
/// Part of the rest that takes out a precedence with what hangs on it, where there are precedences.
const CHAIN_FRACTION: f64 = 0.15;
/// Order of insertion that keeps the list as it is.
const AS_LISTED: usize = 4;
/// Weights of the capacity price in insertions, drawn once an iteration.
const PRICE_WEIGHTS: [f64; 4] = [0.0, 0.4, 0.8, 1.0];
/// Iterations after which aggregates are built afresh, so that rounding cannot creep.
const REFRESH_INTERVAL: usize = 2_000;
/// Iterations after which the factor of a row that is still broken grows.
const FACTOR_INTERVAL: usize = 500;
/// Growth of that factor; it shrinks by the same while the row holds.
const FACTOR_GROWTH: f64 = 1.1;
/// Largest factor.
const FACTOR_MAX: f64 = 1e4;
/// Unplaced workloads tried besides the ruined ones.
const UNPLACED_TRIED_MAX: usize = 2;

/// What one iteration changed, to take it back.
#[derive(Clone, Debug, Default)]
pub struct Journal {
    /// Column of each workload before it was touched.
    pub columns: Vec<(usize, Column)>,
    /// Claims of those columns, (entries, S, Y).
    pub claims: Vec<f64>,
    /// Order option, change of its units and its claim before.
    pub orders: Vec<(usize, i64, f64)>,
}

/// What all insertions of one iteration have in common.
struct InsertionTerms {
    /// Weight of the capacity price.
    price_weight: f64,
    /// Whether a predecessor counts what its successors are worth.
    with_successors: bool,
    /// Factor on the weights of broken rows.
    strictness: f64,
}

/// One seeded chain with its current and best plan.
#[derive(Clone, Debug)]
pub struct Chain {
    /// Best feasible plan, if any.
    pub best: Option<(f64, Solution)>,
    pub(super) current: Solution,
    pub(super) generator: Pcg64Mcg,
    pub(super) journal: Journal,
    /// Workloads taken out, to be inserted again.
    pub(super) removed: Vec<usize>,
    /// Workloads drawn for a neighbourhood with their draw.
    pub(super) scored: Vec<(f64, usize)>,
    /// Whether this iteration may take out what a lock holds.
    pub(super) may_unpin: bool,
    current_cost: f64,
    penalty_scale: f64,
    /// Factor on the weight of each soft row.
    factors: Vec<f64>,
    /// Yen per unit by which each soft row is broken now.
    weights: Vec<f64>,
    /// Price of each soft row in insertions now.
    row_price: Vec<f64>,
    scratch: Scratch,
    /// Workloads in the order of their insertion, and the iteration in which each was last queued.
    sequence: Vec<usize>,
    queued: Vec<u64>,
    queue_round: u64,
    modes: Vec<usize>,
}

impl Chain {
    /// Start from a plan.
    pub fn new(instance: &Instance, guidance: &Guidance, start: Solution, seed: u64) -> Self {
        let row_count = guidance.row_price.len();
        let mut chain = Self {
            best: None,
            scratch: Scratch::new(instance, &start),
            current: start,
            generator: Pcg64Mcg::seed_from_u64(seed),
            journal: Journal::default(),
            removed: Vec::new(),
            scored: Vec::new(),
            may_unpin: false,
            current_cost: 0.0,
            penalty_scale: 1.0,
            factors: vec![1.0; row_count],
            weights: guidance.row_weight.clone(),
            row_price: guidance.row_price.clone(),
            sequence: Vec::new(),
            queued: vec![0; instance.sizes.workloads],
            queue_round: 0,
            modes: Vec::new(),
        };
        chain.current_cost = chain.cost();
        chain.note_best(chain.current.objective());
        chain
    }

    /// Insert every workload that is not placed, hardest first; then run.
    pub fn construct(&mut self, instance: &Instance, guidance: &Guidance) {
        self.clear_journal();
        self.removed.extend((0..instance.sizes.workloads).filter(|&w| !self.current.is_placed(w)));
        self.recreate(instance, guidance, 0, 0.8);
        self.current_cost = self.cost();
        self.note_best(self.current.objective());
    }

    /// Continue from another plan, keeping the best one found so far.
    pub fn restart_from(&mut self, solution: Solution) {
        self.current = solution;
        self.current_cost = self.cost();
        self.note_best(self.current.objective());
    }

    /// Iterate; the best plan is kept in `best`.
    pub fn run(&mut self, instance: &Instance, guidance: &Guidance, options: &RunOptions) {
        let ratio = options.temperature_last_yen / options.temperature_first_yen;
        let shrink = ratio.powf(1.0 / options.iteration_count.max(1) as f64);
        let mut temperature = options.temperature_first_yen;
        self.penalty_scale = options.penalty_scale;
        self.weigh_rows(guidance);
        for iteration in 0..options.iteration_count {
            if iteration % REFRESH_INTERVAL == 0 {
                self.refresh(instance);
            }
            if iteration % FACTOR_INTERVAL == FACTOR_INTERVAL - 1 {
                self.adapt_factors(guidance);
            }
            self.iterate(instance, guidance, options, temperature);
            temperature *= shrink;
        }
        self.refresh(instance);
    }

    fn iterate(&mut self, instance: &Instance, guidance: &Guidance, options: &RunOptions, temperature: f64) {
        if instance.sizes.workloads == 0 && instance.committed.option_first.is_empty() {
            return;
        }
        self.clear_journal();
        let pulled = self.ruin(instance, guidance, options);
        self.add_unplaced(instance);
        // A pulled workload stands first in the list and has to be inserted first.
        let order = if pulled { AS_LISTED } else { self.generator.random_range(0..AS_LISTED) };
        let price_weight = PRICE_WEIGHTS[self.generator.random_range(0..PRICE_WEIGHTS.len())];
        self.recreate(instance, guidance, order, price_weight);
        let objective = self.current.objective();
        // A feasible plan counts even where an infeasible one is cheaper.
        self.note_best(objective);
        let cost = objective + self.current.penalty(&self.weights);
        let threshold = self.current_cost - temperature * self.generator.random::<f64>().max(1e-300).ln();
        if cost < threshold {
            self.current_cost = cost;
        } else {
            self.undo(instance);
            debug_assert!((self.cost() - self.current_cost).abs() <= 1e-6 * self.current_cost.abs() + 1e-2);
        }
    }

    /// Take workloads out by one of the moves; returns whether one of them was pulled.
    fn ruin(&mut self, instance: &Instance, guidance: &Guidance, options: &RunOptions) -> bool {
        let has_orders = !instance.committed.option_first.is_empty();
        let workloads = instance.sizes.workloads;
        self.may_unpin = self.generator.random_bool(UNPIN_FRACTION);
        let most = options.ruin_count_max.clamp(1, workloads + 1);
        let count = 1 + self.generator.random_range(0..most);
        if has_orders && (workloads == 0 || self.generator.random_bool(options.order_fraction)) {
            self.change_order(instance, guidance, count);
        } else if self.generator.random_bool(PULL_FRACTION) {
            self.pull(instance, guidance, count);
            return true;
        } else if !instance.workloads.before.is_empty() && self.generator.random_bool(CHAIN_FRACTION) {
            self.ruin_chain(instance, count);
        } else {
            self.ruin_around(instance, count);
        }
        false
    }

    fn add_unplaced(&mut self, instance: &Instance) {
        let mut missing: Vec<usize> = (0..instance.sizes.workloads)
            .filter(|&w| !self.current.is_placed(w) && !self.removed.contains(&w))
            .collect();
        self.shuffle(&mut missing);
        self.removed.extend(missing.into_iter().take(UNPLACED_TRIED_MAX));
    }

    /// Insert what was taken out, in one of the orders; what is locked comes first, a predecessor before its successors.
    fn recreate(&mut self, instance: &Instance, guidance: &Guidance, order: usize, price_weight: f64) {
        let table = &instance.workloads;
        let mut workloads = std::mem::take(&mut self.removed);
        let charge = |w: usize| self.current.not_run_charge(instance, w);
        match order {
            0 => workloads.sort_by(|&a, &b| charge(b).total_cmp(&charge(a)).then(a.cmp(&b))),
            1 => workloads.sort_by(|&a, &b| table.work[b].total_cmp(&table.work[a]).then(a.cmp(&b))),
            2 => workloads.sort_by_key(|&w| (table.deadline[w], w)),
            AS_LISTED => {}
            _ => self.shuffle(&mut workloads),
        }
        self.sequence.clear();
        self.queue_round += 1;
        for wants_first in [true, false] {
            for &w in workloads.iter().filter(|&&w| table.locked[w] == wants_first) {
                self.queue(instance, w);
            }
        }
        self.removed = workloads;
        let strictness = if self.generator.random_bool(STRICT_FRACTION) { STRICT_FACTOR } else { 1.0 };
        self.price_rows(guidance, strictness);
        let with_successors = self.generator.random_bool(FORESIGHT_FRACTION);
        let terms = InsertionTerms { price_weight, with_successors, strictness };
        for i in 0..self.sequence.len() {
            self.insert(instance, guidance, self.sequence[i], &terms);
        }
    }

    /// Queue a workload after those of its predecessors that are not placed.
    fn queue(&mut self, instance: &Instance, workload: usize) {
        if self.current.is_placed(workload) || self.queued[workload] == self.queue_round {
            return;
        }
        self.queued[workload] = self.queue_round;
        for &i in &instance.precedences_as_after[workload] {
            self.queue(instance, instance.workloads.before[i]);
        }
        self.sequence.push(workload);
    }

    fn insert(&mut self, instance: &Instance, guidance: &Guidance, workload: usize, terms: &InsertionTerms) {
        let trial = self.draw_trial(instance, guidance, workload);
        let window = self.draw_window(instance, workload);
        let mut best: Option<(f64, Candidate)> = None;
        for _ in 0..RETRIES_MAX {
            let view = View {
                instance,
                guidance,
                solution: &self.current,
                row_price: &self.row_price,
                price_weight: terms.price_weight,
            };
            let not_run_cost = view.not_run_cost(workload, terms.with_successors);
            let lost = not_run_cost - self.current.not_run_charge(instance, workload);
            let candidate =
                cheapest_insertion(&view, workload, &self.modes, (window, trial), not_run_cost, &mut self.scratch);
            if candidate.column.mode == NOT_RUN {
                break;
            }
            self.current.place(instance, workload, candidate.column, &candidate.claims);
            if !self.price_newly_broken(terms) && best.is_none() {
                self.note_inserted(workload, candidate.claims.len());
                return;
            }
            // The candidate breaks a row that it did not pay for: compare with others at their true cost.
            let cost = self.strict_cost(terms);
            self.current.unplace(instance, workload);
            let limit = best.as_ref().map(|best| best.0).unwrap_or_else(|| self.strict_cost(terms) + lost);
            if cost < limit {
                best = Some((cost, candidate));
            }
        }
        if let Some((_, candidate)) = best {
            self.current.place(instance, workload, candidate.column, &candidate.claims);
            self.note_inserted(workload, candidate.claims.len());
        }
    }

    /// Modes for an insertion into `modes`, and what it tries of pauses.
    fn draw_trial(&mut self, instance: &Instance, guidance: &Guidance, workload: usize) -> PauseTrial {
        let generator = &mut self.generator;
        self.modes.clear();
        if generator.random_bool(FULL_FRACTION) {
            self.modes.extend(instance.modes_of(workload));
        } else {
            let listed = guidance.shortlist[workload].iter().copied();
            self.modes.extend(listed.filter(|_| !generator.random_bool(SKIP_FRACTION)));
        }
        let most = instance.workloads.pauses_max[workload];
        if most == 0 {
            return PauseTrial::default();
        }
        let count = if generator.random_bool(PAUSE_FRACTION) { generator.random_range(1..=most) } else { 0 };
        PauseTrial { count, claim_draw: generator.random_range(0..usize::from(u16::MAX)) }
    }

    /// Periods that an insertion looks at; precedence cuts them further.
    fn draw_window(&mut self, instance: &Instance, workload: usize) -> (usize, usize) {
        let window = (instance.workloads.release[workload], instance.workloads.deadline[workload]);
        if window.1 <= window.0 + 1 || !self.generator.random_bool(CUT_FRACTION) {
            return window;
        }
        let cut = self.generator.random_range(window.0 + 1..window.1);
        if self.generator.random_bool(0.5) { (cut, window.1) } else { (window.0, cut) }
    }

    fn note_inserted(&mut self, workload: usize, claim_count: usize) {
        if !self.journal.columns.iter().any(|entry| entry.0 == workload) {
            self.journal.columns.push((workload, Column::not_run(0.0)));
            self.journal.claims.resize(self.journal.claims.len() + claim_count, 0.0);
        }
    }

    fn clear_journal(&mut self) {
        self.journal.columns.clear();
        self.journal.claims.clear();
        self.journal.orders.clear();
        self.removed.clear();
    }

    fn undo(&mut self, instance: &Instance) {
        let journal = std::mem::take(&mut self.journal);
        for entry in &journal.columns {
            if self.current.is_placed(entry.0) {
                self.current.unplace(instance, entry.0);
            }
        }
        for &(option, change, claim_yen) in journal.orders.iter().rev() {
            self.current.change_units(instance, option, -change, claim_yen);
        }
        let stride = self.current.claim_stride(instance);
        for (entry, &(w, column)) in journal.columns.iter().enumerate() {
            if column.mode != NOT_RUN {
                self.current.place(instance, w, column, &journal.claims[entry * stride..(entry + 1) * stride]);
            }
        }
        self.journal = journal;
    }

    fn refresh(&mut self, instance: &Instance) {
        self.current = self.current.rebuilt(instance);
        self.current_cost = self.cost();
    }

    fn cost(&self) -> f64 {
        self.current.objective() + self.current.penalty(&self.weights)
    }

    fn note_best(&mut self, objective: f64) {
        let better = self.best.as_ref().is_none_or(|(best, _)| objective < *best - 1e-6);
        if better && self.current.is_feasible() {
            self.best = Some((objective, self.current.clone()));
        }
    }

    fn strict_cost(&self, terms: &InsertionTerms) -> f64 {
        self.current.objective() + terms.strictness * self.current.penalty(&self.weights)
    }

    fn weigh_rows(&mut self, guidance: &Guidance) {
        for (row, weight) in self.weights.iter_mut().enumerate() {
            *weight = guidance.row_weight[row] * self.penalty_scale * self.factors[row];
        }
        self.current_cost = self.cost();
    }

    /// Raise the factor of each row that is broken now and lower the others': a row that stays broken gets dear in the end.
    fn adapt_factors(&mut self, guidance: &Guidance) {
        let rows = &self.current.statics.rows;
        for &row in &rows.limited {
            let is_broken = rows.is_broken(row, self.current.rows[row]);
            let growth = if is_broken { FACTOR_GROWTH } else { 1.0 / FACTOR_GROWTH };
            self.factors[row] = (self.factors[row] * growth).clamp(1.0, FACTOR_MAX);
        }
        self.weigh_rows(guidance);
    }

    /// Insertions pay the price of each soft row, and its penalty's weight where it is broken already.
    fn price_rows(&mut self, guidance: &Guidance, strictness: f64) {
        let rows = &self.current.statics.rows;
        for &row in &rows.limited {
            let is_broken = rows.is_broken(row, self.current.rows[row]);
            let price = guidance.row_price[row];
            self.row_price[row] = if is_broken { price.max(self.weights[row] * strictness) } else { price };
        }
    }

    /// Price the rows that are broken now and were not paid for as such; returns whether there are any.
    fn price_newly_broken(&mut self, terms: &InsertionTerms) -> bool {
        let rows = &self.current.statics.rows;
        let mut found = false;
        for &row in &rows.limited {
            let weight = self.weights[row] * terms.strictness;
            if self.row_price[row] < weight && rows.is_broken(row, self.current.rows[row]) {
                self.row_price[row] = weight;
                found = true;
            }
        }
        found
    }

    pub(super) fn shuffle(&mut self, values: &mut [usize]) {
        for i in (1..values.len()).rev() {
            values.swap(i, self.generator.random_range(0..=i));
        }
    }
}
