//! The moves of a chain: what an iteration takes out before it is inserted again.

use rand::RngExt;

use crate::column::NOT_RUN;
use crate::instance::{Instance, NONE};
use crate::search::chain::Chain;
use crate::search::guidance::Guidance;

/// Workloads compared to find a badly placed one.
const PULL_TOURNAMENT: usize = 6;
/// Modes a pulled workload may be pulled to.
const PULL_MODES: usize = 3;
/// Amounts of an order change are powers of two below two to this.
const ORDER_AMOUNT_POWERS: u32 = 2;
/// Part of order changes that take the cheapest booking or programme of their periods.
const BEST_VARIANT_FRACTION: f64 = 0.7;
/// Part of order changes that claim again what has become free.
const RECLAIM_FRACTION: f64 = 0.3;
/// Yen that a new claim has to bring to be worth a change.
const RECLAIM_YEN: f64 = 1.0;

/// Where workloads are taken out: around a pool (if any) in a half-open span of periods.
struct Neighbourhood {
    pool: Option<usize>,
    span: (usize, usize),
    same_pool_only: bool,
}

impl Chain {
    /// Make room where a badly placed workload would be cheapest at the prices, and give it the first choice.
    pub(super) fn pull(&mut self, instance: &Instance, guidance: &Guidance, count: usize) {
        let mut worst = (f64::NEG_INFINITY, NONE);
        for _ in 0..PULL_TOURNAMENT {
            let w = self.generator.random_range(0..instance.sizes.workloads);
            let excess = self.excess(instance, guidance, w);
            if excess > worst.0 && self.may_move(w) {
                worst = (excess, w);
            }
        }
        let workload = worst.1;
        if workload == NONE || guidance.shortlist[workload].is_empty() {
            return;
        }
        let listed = &guidance.shortlist[workload];
        let pick = self.generator.random_range(0..listed.len().min(PULL_MODES));
        let (index, start) = (listed[pick], guidance.shortlist_start[workload][pick]);
        if self.current.is_placed(workload) {
            self.take_out(instance, workload);
            // Successors were taken out before it; the pulled workload has to stand first.
            let last = self.removed.len() - 1;
            self.removed.swap(0, last);
        } else {
            self.removed.push(workload);
        }
        if start == NONE {
            return;
        }
        let mode = &instance.modes[index];
        let span = (start, start + mode.length);
        let near = Neighbourhood { pool: Some(mode.pool), span, same_pool_only: true };
        self.ruin_span(instance, &near, count);
    }

    /// Yen by which a workload's column is dearer at the prices than its cheapest one.
    fn excess(&self, instance: &Instance, guidance: &Guidance, workload: usize) -> f64 {
        let column = &self.current.columns[workload];
        let price = if column.mode == NOT_RUN {
            self.current.not_run_charge(instance, workload)
        } else {
            guidance.column_price(instance, column)
        };
        price - guidance.cheapest[workload]
    }

    /// Whether a workload may be taken out: no lock holds it, its own or that of a successor, or locks are loose now.
    fn may_move(&self, workload: usize) -> bool {
        self.may_unpin || !self.current.is_placed(workload) || !self.current.statics.is_pinned[workload]
    }

    /// Take out workloads that are related to a random one: near in time, and in the same pool where it is placed.
    pub(super) fn ruin_around(&mut self, instance: &Instance, count: usize) {
        let center = self.generator.random_range(0..instance.sizes.workloads);
        let (pool, span) = self.span(instance, center);
        let same_pool_only = self.generator.random_bool(0.3);
        let near = Neighbourhood { pool, span, same_pool_only };
        self.ruin_span(instance, &near, count);
        if self.may_move(center) {
            self.take_out(instance, center);
        }
    }

    /// Take out a precedence's workloads with all that come after, and others around them.
    pub(super) fn ruin_chain(&mut self, instance: &Instance, count: usize) {
        let picked = self.generator.random_range(0..instance.workloads.before.len());
        let mut first = instance.workloads.before[picked];
        // Now and then from further up, one predecessor after another.
        while self.generator.random_bool(0.5) {
            let Some(&i) = instance.precedences_as_after[first].first() else { break };
            first = instance.workloads.before[i];
        }
        let (pool, span) = self.span(instance, first);
        if self.may_move(first) {
            self.take_out(instance, first);
        }
        let near = Neighbourhood { pool, span, same_pool_only: false };
        self.ruin_span(instance, &near, count.div_ceil(2));
    }

    /// Pool and periods of a workload: of its placement, else of its window.
    fn span(&self, instance: &Instance, workload: usize) -> (Option<usize>, (usize, usize)) {
        let column = self.current.columns[workload];
        if column.mode == NOT_RUN {
            return (None, (instance.workloads.release[workload], instance.workloads.deadline[workload]));
        }
        (Some(instance.modes[column.mode].pool), (column.start, self.current.ends[workload]))
    }

    fn ruin_span(&mut self, instance: &Instance, near: &Neighbourhood, count: usize) {
        let mut scored = std::mem::take(&mut self.scored);
        scored.clear();
        for w in 0..instance.sizes.workloads {
            let column = self.current.columns[w];
            if column.mode == NOT_RUN || !self.may_move(w) {
                continue;
            }
            let pool = instance.modes[column.mode].pool;
            let overlaps = near.span.0 < self.current.ends[w] && column.start < near.span.1;
            let same_pool = near.pool == Some(pool);
            if !overlaps || (near.same_pool_only && near.pool.is_some() && !same_pool) {
                continue;
            }
            let weight = if same_pool { 3.0 } else { 1.0 };
            scored.push((weight * self.generator.random::<f64>(), w));
        }
        scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        for &(_, w) in scored.iter().take(count.saturating_sub(1)) {
            self.take_out(instance, w);
        }
        self.scored = scored;
    }

    /// Take out a workload if it is placed, and before it every placed successor.
    fn take_out(&mut self, instance: &Instance, workload: usize) {
        if !self.current.is_placed(workload) {
            return;
        }
        for &i in &instance.precedences_as_before[workload] {
            self.take_out(instance, instance.workloads.after[i]);
        }
        let stride = self.current.claim_stride(instance);
        self.journal.columns.push((workload, self.current.columns[workload]));
        self.journal.claims.extend_from_slice(&self.current.claims[workload * stride..(workload + 1) * stride]);
        self.current.unplace(instance, workload);
        self.removed.push(workload);
    }

    /// Add, drop or move a few units of a random offer, and loosen what runs there.
    pub(super) fn change_order(&mut self, instance: &Instance, guidance: &Guidance, count: usize) {
        let table = &instance.committed;
        let offer = self.generator.random_range(0..table.pool.len());
        let range = table.option_offset[offer]..table.option_offset[offer + 1];
        if range.is_empty() {
            return;
        }
        let ordered: Vec<usize> = range.clone().filter(|&option| self.current.units[option] > 0).collect();
        let kind = if ordered.is_empty() { 0 } else { self.generator.random_range(0..3) };
        let mut target = self.generator.random_range(range.clone());
        let mut amount = 1 << self.generator.random_range(0..ORDER_AMOUNT_POWERS);
        let mut span = (usize::MAX, 0);
        if kind != 0 {
            let option = ordered[self.generator.random_range(0..ordered.len())];
            let here = i64::from(self.current.units[option]);
            amount = amount.min(here);
            if kind == 2 && self.generator.random_bool(0.7) {
                target = self.shifted(instance, option, &range);
                let is_switch = self.current.variants(instance, option).contains(&target);
                // One owner claims from one programme of a group: a switch may have to take all units at once.
                amount = if is_switch && self.generator.random_bool(0.3) { here } else { amount };
            }
            self.order(instance, option, -amount, &mut span);
        }
        if kind != 1 {
            if self.generator.random_bool(BEST_VARIANT_FRACTION) && kind == 0 {
                target = self.best_variant(instance, guidance, target);
            }
            amount = amount.min(i64::from(self.current.units_left(instance, target)));
            self.order(instance, target, amount, &mut span);
        }
        if self.generator.random_bool(RECLAIM_FRACTION) {
            self.reclaim(instance, &ordered);
        }
        if span.0 < span.1 {
            let pool = table.pool[offer];
            self.take_out_misfits(instance, pool, span);
            let same_pool_only = self.generator.random_bool(0.3);
            let near = Neighbourhood { pool: Some(pool), span, same_pool_only };
            self.ruin_span(instance, &near, count);
        }
    }

    /// An option of the offer near this one: a few periods earlier or later, or another booking or programme.
    fn shifted(&mut self, instance: &Instance, option: usize, range: &std::ops::Range<usize>) -> usize {
        let variants = self.current.variants(instance, option);
        if variants.len() > 1 && self.generator.random_bool(0.5) {
            return self.generator.random_range(variants);
        }
        let step = self.generator.random_range(-4i64..=4) * variants.len() as i64;
        (option as i64 + step).clamp(range.start as i64, range.end as i64 - 1) as usize
    }

    /// The cheapest option at the prices that has the same periods live and can still be ordered.
    fn best_variant(&self, instance: &Instance, guidance: &Guidance, option: usize) -> usize {
        let variants = self.current.variants(instance, option);
        if variants.len() == 1 {
            return option;
        }
        let open = variants.filter(|&o| self.current.units_left(instance, o) > 0);
        open.map(|o| (self.unit_price(instance, guidance, o), o))
            .min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)))
            .map_or(option, |found| found.1)
    }

    /// Guided cost of one more unit of an option, its claim included.
    fn unit_price(&self, instance: &Instance, guidance: &Guidance, option: usize) -> f64 {
        let (table, years) = (&instance.committed, instance.sizes.years);
        let layout = self.current.statics.rows.layout;
        let paid: f64 = (0..years)
            .map(|y| {
                guidance.row_price[layout.budget + y] * table.option_cash[option * years + y]
                    + guidance.row_price[layout.capital + y] * table.option_capital[option * years + y]
            })
            .sum();
        let claim = self.current.claimable_by_order(instance, option, self.current.units[option] + 1);
        table.option_cost[option] + paid - (claim - self.current.order_claims[option]) * guidance.option_worth[option]
    }

    /// Order more or fewer units of an option with what they can claim, and widen `span` to its periods.
    fn order(&mut self, instance: &Instance, option: usize, change: i64, span: &mut (usize, usize)) {
        if change == 0 {
            return;
        }
        let table = &instance.committed;
        let length = table.live_offset[option + 1] - table.live_offset[option];
        *span = (span.0.min(table.option_first[option]), span.1.max(table.option_first[option] + length));
        let units = (i64::from(self.current.units[option]) + change) as u32;
        let claim_yen = self.current.claimable_by_order(instance, option, units);
        self.journal.orders.push((option, change, self.current.order_claims[option]));
        self.current.change_units(instance, option, change, claim_yen);
    }

    /// Let orders claim what budgets and caps have left by now.
    fn reclaim(&mut self, instance: &Instance, ordered: &[usize]) {
        for &option in ordered {
            let claim_yen = self.current.claimable_by_order(instance, option, self.current.units[option]);
            let before = self.current.order_claims[option];
            if claim_yen > before + RECLAIM_YEN {
                self.journal.orders.push((option, 0, before));
                self.current.change_units(instance, option, 0, claim_yen);
            }
        }
    }

    /// After capacity shrank: take out workloads of the pool, in random order, until all others fit; pinned ones last.
    fn take_out_misfits(&mut self, instance: &Instance, pool: usize, span: (usize, usize)) {
        let mut here: Vec<usize> = (0..instance.sizes.workloads)
            .filter(|&w| {
                let column = self.current.columns[w];
                column.mode != NOT_RUN
                    && instance.modes[column.mode].pool == pool
                    && column.start < span.1
                    && self.current.ends[w] > span.0
            })
            .collect();
        self.shuffle(&mut here);
        here.sort_by_key(|&w| self.current.statics.is_pinned[w]);
        for w in here {
            if self.current.is_placed(w) && !self.current.placement_fits(instance, w) {
                self.take_out(instance, w);
            }
        }
    }
}
