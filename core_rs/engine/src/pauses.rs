//! Columns with pauses: the cheapest ones, and what the bound counts for them (docs/rules.md, "Pauses in the bound").

use crate::column::{Column, NO_CLAIMS};
use crate::instance::{Instance, Mode};
use crate::prefix_cost::PrefixCost;
use crate::pricing::{Cheapest, column_price, end_price, start_prices};
use crate::runs::has_room;
use crate::shortest_path::{PathScratch, PausedRun};

/// Difference of a price and its relaxation that is rounding: so many yen, and this part of the price.
const ROUNDING_YEN: f64 = 1e-6;
const ROUNDING_FRACTION: f64 = 1e-11;

/// Columns of one workload with pauses at given prices.
pub struct PausePricing<'a> {
    instance: &'a Instance,
    prefix: &'a PrefixCost,
    run: PausedRun,
    /// Yen per hour before claims, (T,).
    plain: Vec<f64>,
    scratch: PathScratch,
}

/// Relaxed minimum over the columns of a mode with so many pauses and a claim set.
struct Relaxed {
    minimum: Cheapest,
    /// Least true price of the columns met.
    best: Column,
}

impl<'a> PausePricing<'a> {
    /// Prepare for the modes of an instance.
    pub fn new(instance: &'a Instance, prefix: &'a PrefixCost) -> Self {
        let periods = instance.sizes.periods;
        let run = PausedRun {
            unit: vec![0.0; periods],
            start: vec![0.0; periods],
            end: vec![0.0; periods + 1],
            ..PausedRun::default()
        };
        Self { instance, prefix, run, plain: vec![0.0; periods], scratch: PathScratch::default() }
    }

    /// Improve the term of a workload with the columns of a mode that pause.
    pub fn improve(&mut self, index: usize, best: &mut Cheapest) {
        self.for_each_set(index, |pricing, claim_set, pause_count| {
            if let Some(found) = pricing.relax(index, claim_set, pause_count, best.bound_price) {
                if found.minimum.bound_price < best.bound_price {
                    *best = found.minimum;
                }
            }
        });
    }

    /// Push the best column with pauses of each claim set of a mode, where its price is at most `limit`.
    pub fn push_cheap(&mut self, index: usize, limit: f64, found: &mut Vec<Column>) {
        let first = found.len();
        // Just over the limit: a column at the limit is in.
        let ceiling = limit + ROUNDING_YEN + ROUNDING_FRACTION * limit.abs();
        self.for_each_set(index, |pricing, claim_set, pause_count| {
            let Some(relaxed) = pricing.relax(index, claim_set, pause_count, ceiling) else { return };
            if relaxed.best.price > limit {
                return;
            }
            match found[first..].iter_mut().find(|column| column.claim_set == claim_set) {
                Some(column) if column.price <= relaxed.best.price => {}
                Some(column) => *column = relaxed.best,
                None => found.push(relaxed.best),
            }
        });
    }

    fn for_each_set(&mut self, index: usize, mut visit: impl FnMut(&mut Self, usize, usize)) {
        let instance = self.instance;
        let mode = &instance.modes[index];
        self.set_mode(mode);
        for pause_count in 1..=instance.workloads.pauses_max[mode.workload] {
            let run = instance.run_of(mode, pause_count);
            self.run.set_run(&run, pause_count, mode.gang, instance.pools.period_hours);
            if !self.run.is_possible() {
                continue;
            }
            self.set_plain(mode, pause_count);
            visit(self, NO_CLAIMS, pause_count);
            for &claim_set in instance.claim_sets_of(mode) {
                visit(self, claim_set, pause_count);
            }
        }
    }

    fn set_mode(&mut self, mode: &Mode) {
        let (instance, table) = (self.instance, &self.instance.workloads);
        let w = mode.workload;
        self.run.only_start = table.locked[w].then_some(table.current_start[w]);
        let first = self.run.only_start.unwrap_or(0).max(table.release[w]);
        self.run.window = (first, table.deadline[w].max(first));
        start_prices(instance, self.prefix, mode, self.run.window, &mut self.run.start);
        for t in first..self.run.window.1 {
            self.run.end[t + 1] = end_price(self.prefix, mode, t + 1);
        }
    }

    /// Yen per hour before claims; infinite where the gang has no room.
    fn set_plain(&mut self, mode: &Mode, pause_count: usize) {
        let (hour, work) = (self.prefix.hour_of(self.instance, mode), self.prefix.work_of(self.instance, mode));
        let speed = self.instance.speed_of(mode, pause_count);
        let room = self.instance.capacity_row(mode.pool);
        for t in self.run.window.0..self.run.window.1 {
            let yen = (hour[t + 1] - hour[t]) + speed * (work[t + 1] - work[t]);
            self.plain[t] = if has_room(room[t], mode.gang) { yen } else { f64::INFINITY };
        }
    }

    /// Largest relaxed minimum over the vectors `lambda`; None where it is shown to be at least `ceiling`.
    fn relax(&mut self, index: usize, claim_set: usize, pause_count: usize, ceiling: f64) -> Option<Relaxed> {
        let mode = &self.instance.modes[index];
        let choices = self.lambda_choices(mode, claim_set);
        let mut lambda = vec![0.0; choices.len()];
        let mut position = vec![0; choices.len()];
        let mut found: Option<Relaxed> = None;
        loop {
            let offset = self.set_unit(mode, claim_set, &lambda);
            let best_known = found.as_ref().map_or(f64::NEG_INFINITY, |relaxed| relaxed.minimum.bound_price);
            if self.run.is_at_least(ceiling + offset, &mut self.scratch) {
                return None;
            }
            let value = self.run.least(&mut self.scratch) - offset;
            if value >= ceiling {
                return None;
            }
            if value > best_known {
                let column = self.cheapest_path(index, claim_set);
                debug_assert_eq!(column.pauses.count, pause_count);
                let best = match &found {
                    Some(relaxed) if relaxed.best.price <= column.price => relaxed.best,
                    _ => column,
                };
                if column.price - value <= ROUNDING_YEN + ROUNDING_FRACTION * column.price.abs() {
                    let minimum = Cheapest { column, bound_price: column.price, lambda: Vec::new() };
                    return Some(Relaxed { minimum, best });
                }
                let minimum = Cheapest { column, bound_price: value, lambda: lambda.clone() };
                found = Some(Relaxed { minimum, best });
            }
            if !advance(&choices, &mut position, &mut lambda) {
                return found;
            }
        }
    }

    /// The cheapest path at the present costs as a column with its true price.
    fn cheapest_path(&mut self, index: usize, claim_set: usize) -> Column {
        let path = self.run.cheapest(&mut self.scratch);
        let mut column = Column { mode: index, start: path.start, pauses: path.pauses, claim_set, price: 0.0 };
        column.price = column_price(self.instance, self.prefix, &column);
        column
    }

    /// Values of `lambda` to try for each programme of a claim set, 0 first: the positive worths where a cap is left.
    fn lambda_choices(&self, mode: &Mode, claim_set: usize) -> Vec<Vec<f64>> {
        let (instance, w) = (self.instance, mode.workload);
        let of_programme = |&r: &usize| {
            let mut values = vec![0.0];
            if instance.project_cap(w, r).is_finite() {
                let project_price = self.prefix.project_price_of(instance, w, r);
                let worths = self.prefix.worth_of(instance, w, r).iter().map(|worth| worth - project_price);
                values.extend(worths.filter(|&worth| worth > 0.0));
                values.sort_by(f64::total_cmp);
                values.dedup();
            }
            values
        };
        instance.programmes_of(claim_set).iter().map(of_programme).collect()
    }

    /// Fill the costs of periods less claims relaxed at `lambda`; returns the sum of `lambda` times caps.
    fn set_unit(&mut self, mode: &Mode, claim_set: usize, lambda: &[f64]) -> f64 {
        let (instance, prefix, w) = (self.instance, self.prefix, mode.workload);
        let (first, until) = self.run.window;
        let unit = &mut self.run.unit;
        unit[first..until].copy_from_slice(&self.plain[first..until]);
        let mut offset = 0.0;
        for (&r, &lambda) in instance.programmes_of(claim_set).iter().zip(lambda) {
            let rate = instance.rules.rate[w * instance.sizes.programmes + r];
            let reference = prefix.reference_of(instance, mode, r);
            let floor = prefix.project_price_of(instance, w, r) + lambda;
            for (year, worth) in prefix.worth_of(instance, w, r).iter().enumerate() {
                let from = instance.year_first[year].max(first);
                let to = instance.year_first[year + 1].min(until);
                let part = rate * (worth - floor).max(0.0);
                if from < to && part > 0.0 {
                    let (here, next) = (&reference[from..to], &reference[from + 1..=to]);
                    unit[from..to]
                        .iter_mut()
                        .zip(here.iter().zip(next))
                        .for_each(|(yen, (a, b))| *yen -= part * (b - a));
                }
            }
            if lambda > 0.0 {
                offset += lambda * instance.project_cap(w, r);
            }
        }
        offset
    }
}

/// Step to the next vector, the last entry fastest; false after the last one.
fn advance(choices: &[Vec<f64>], position: &mut [usize], lambda: &mut [f64]) -> bool {
    for i in (0..choices.len()).rev() {
        position[i] = (position[i] + 1) % choices[i].len();
        lambda[i] = choices[i][position[i]];
        if position[i] > 0 {
            return true;
        }
    }
    false
}
