//! What one insertion looks at, and the parts of its guided cost that depend on start and end alone.

use crate::instance::{Instance, Mode};
use crate::search::guidance::Guidance;
use crate::search::solution::Solution;

/// A plan seen by an insertion: with the prices of its soft rows now, and the weight of the capacity price.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The problem.
    pub instance: &'a Instance,
    /// Prices of the ascent.
    pub guidance: &'a Guidance,
    /// The plan so far.
    pub solution: &'a Solution,
    /// Price of each soft row: that of the ascent, or the penalty's weight while the row is broken.
    pub row_price: &'a [f64],
    /// In [0, 1], mixes the capacity price into the exact cost: 0 is the cost of this insertion alone (committed capacity
    /// is free), 1 the price of the hours to the whole portfolio (what others would pay for them).
    pub price_weight: f64,
}

impl View<'_> {
    /// Guided cost of starting a mode in `start`: lateness, waiting, change, transfer and porting, precedence before it.
    pub fn start_cost(&self, mode: &Mode, start: usize) -> f64 {
        let (instance, table) = (self.instance, &self.instance.workloads);
        let workload = mode.workload;
        let layout = self.solution.statics.rows.layout;
        let waiting = (start - table.release[workload]) as f64;
        let mut cost = waiting * (table.late_yen[workload] + self.row_price[layout.waiting]);
        cost += instance.change_yen(mode, start);
        let moving = instance.start_yen(mode, start);
        if moving != 0.0 {
            let year = instance.pools.year_of_period[start];
            let member = layout.member_budget + table.member[workload] * instance.sizes.years;
            let paid = self.row_price[layout.budget + year] + self.row_price[member + year];
            cost += moving * (instance.pools.discount[start] + paid);
        }
        cost + self.guidance.prefix.precedence_start[workload].get(start).copied().unwrap_or(0.0)
    }

    /// Guided cost of ending a workload before `end`: the price of precedence after it, and successors left without a start.
    pub fn end_cost(&self, workload: usize, end: usize) -> f64 {
        let instance = self.instance;
        let mut cost = -self.guidance.prefix.precedence_end[workload].get(end).copied().unwrap_or(0.0);
        for &i in &instance.precedences_as_before[workload] {
            let after = instance.workloads.after[i];
            if end > self.solution.statics.latest_start[after] {
                cost += self.guidance.loss[after];
            }
        }
        cost
    }

    /// Guided cost of not running a workload; with `with_successors` also of the successors that then cannot run.
    pub fn not_run_cost(&self, workload: usize, with_successors: bool) -> f64 {
        let charge = self.solution.not_run_charge(self.instance, workload);
        if !with_successors {
            return charge;
        }
        let after = self.instance.precedences_as_before[workload].iter().map(|&i| self.instance.workloads.after[i]);
        charge + after.map(|w| self.guidance.loss[w]).sum::<f64>()
    }
}
