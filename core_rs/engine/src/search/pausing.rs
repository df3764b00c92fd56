//! Columns with pauses: the cheapest periods for a run that may stop, as a shortest path.

use crate::column::{Column, NO_CLAIMS, Pauses, Run};
use crate::instance::{Instance, Mode, NONE};
use crate::search::insertion::{Candidate, PauseTrial, improve, mark_cells, note_claim_sets};
use crate::search::scratch::{Paths, Scratch};
use crate::search::terms::View;

/// Flag of a period that follows a pause.
const RESUMED: u8 = 1;
/// Flag of a pause that begins after the period before.
const PAUSE_BEGINS: u8 = 2;

/// Improve `best` with the cheapest column of a mode that has exactly the trial's pauses, if there is one.
pub fn improve_with_pauses(
    view: &View,
    index: usize,
    window: (usize, usize),
    trial: &PauseTrial,
    scratch: &mut Scratch,
    best: &mut Candidate,
) {
    let (instance, count) = (view.instance, trial.count);
    let mode = &instance.modes[index];
    let run = instance.run_of(mode, count);
    if run.length() <= count || window.0 + run.length() + count > window.1 {
        return;
    }
    mark_cells(view, mode, &run, count, window, scratch);
    note_claim_sets(view, mode, scratch);
    // Periods are chosen without claims, or for those of one set: which claims can be had is known only afterwards.
    let pick = trial.claim_draw % (scratch.claim_sets.len() + 1);
    let claim_set = scratch.claim_sets.get(pick).map_or(NO_CLAIMS, |open| open.claim_set);
    let mut paths = std::mem::take(&mut scratch.paths);
    let costs = PeriodCosts { view, mode, run: &run, scratch, claim_set, window };
    let found = costs.shortest(count, &mut paths);
    let column = found.map(|(start, pauses)| Column { mode: index, start, pauses, claim_set: NO_CLAIMS, price: 0.0 });
    let priced = column.map(|column| Column { price: costs.price(&column), ..column });
    scratch.paths = paths;
    let Some(column) = priced else { return };
    let is_within_quota =
        view.solution.statics.quota_of_pool[mode.pool] == NONE || view.solution.has_room(instance, &column);
    if is_within_quota {
        improve(view, column, scratch, best);
    }
}

/// Guided cost of each period of a window, for the periods of one run.
struct PeriodCosts<'a> {
    view: &'a View<'a>,
    mode: &'a Mode,
    run: &'a Run,
    scratch: &'a Scratch,
    claim_set: usize,
    window: (usize, usize),
}

impl PeriodCosts<'_> {
    /// Cost of doing period number `done` (from 1) of the run in `t`, before claims; infinite without room.
    #[inline]
    fn period(&self, t: usize, done: usize) -> f64 {
        if done > self.run.full {
            self.scratch.rest[t]
        } else if self.scratch.blocked[t + 1] == self.scratch.blocked[t] {
            self.scratch.full[t + 1] - self.scratch.full[t]
        } else {
            f64::INFINITY
        }
    }

    /// Worth of what an accelerator-hour in `t` lets claim from the set.
    fn claim_worth(&self, t: usize) -> f64 {
        let instance = self.view.instance;
        let programmes = instance.programmes_of(self.claim_set);
        let worth = |&r: &usize| {
            let sums = self.view.guidance.prefix.reference_worth_of(instance, self.mode, r);
            instance.rules.rate[self.mode.workload * instance.sizes.programmes + r] * (sums[t + 1] - sums[t])
        };
        programmes.iter().map(worth).sum()
    }

    fn start(&self, t: usize) -> f64 {
        let table = &self.view.instance.workloads;
        let workload = self.mode.workload;
        if table.locked[workload] && t != table.current_start[workload] {
            return f64::INFINITY;
        }
        self.view.start_cost(self.mode, t)
    }

    /// Guided cost of a column before claims.
    fn price(&self, column: &Column) -> f64 {
        let instance: &Instance = self.view.instance;
        let periods: f64 = column.touched(instance).enumerate().map(|(done, (t, _))| self.period(t, done + 1)).sum();
        periods
            + self.view.start_cost(self.mode, column.start)
            + self.view.end_cost(self.mode.workload, column.end(instance))
    }

    /// Start and pauses of the cheapest way through the window with exactly `count` pauses.
    fn shortest(&self, count: usize, paths: &mut Paths) -> Option<(usize, Pauses)> {
        let (from, until) = self.window;
        let length = self.run.length();
        let (width, stride) = (count + 1, (length + 1) * (count + 1));
        for costs in [&mut paths.run, &mut paths.idle] {
            costs.clear();
            costs.resize(stride, f64::INFINITY);
        }
        paths.from.resize(paths.from.len().max((until - from) * stride), 0);
        let hours = self.mode.gang * self.view.instance.pools.period_hours;
        let mut best = (f64::INFINITY, NONE);
        for t in from..until {
            let worth = self.claim_worth(t);
            // Periods done that are neither more than have passed nor too few to finish in time.
            let least = (length + t + 1).saturating_sub(until).max(1);
            for done in (least..=length.min(t - from + 1)).rev() {
                let credit = if done > self.run.full { self.mode.gang * self.run.rest_hours } else { hours } * worth;
                let cost = self.period(t, done) - credit;
                for pauses in 0..width {
                    let here = done * width + pauses;
                    let (on, resumed) = match (done, pauses) {
                        (1, 0) => (self.start(t), f64::INFINITY),
                        (1, _) => (f64::INFINITY, f64::INFINITY),
                        (_, 0) => (paths.run[here - width], f64::INFINITY),
                        _ => (paths.run[here - width], paths.idle[here - width - 1]),
                    };
                    let mut flags = if resumed < on { RESUMED } else { 0 };
                    if paths.run[here] < paths.idle[here] {
                        paths.idle[here] = paths.run[here];
                        flags |= PAUSE_BEGINS;
                    }
                    paths.run[here] = cost + on.min(resumed);
                    paths.from[(t - from) * stride + here] = flags;
                }
            }
            let total = paths.run[stride - 1] + self.view.end_cost(self.mode.workload, t + 1);
            if t - from + 1 >= length && total < best.0 {
                best = (total, t);
            }
        }
        (best.1 != NONE).then(|| trace(&paths.from, from, best.1, (length, count)))
    }
}

/// Follow the flags back from the last period touched.
fn trace(flags: &[u8], from: usize, last: usize, (length, count): (usize, usize)) -> (usize, Pauses) {
    let (width, stride) = (count + 1, (length + 1) * (count + 1));
    let flag = |t: usize, done: usize, pauses: usize| flags[(t - from) * stride + done * width + pauses];
    let mut found = Pauses { count, ..Pauses::default() };
    let (mut t, mut done, mut pauses) = (last, length, count);
    while done > 1 {
        let resumed = flag(t, done, pauses) & RESUMED != 0;
        t -= 1;
        done -= 1;
        if !resumed {
            continue;
        }
        pauses -= 1;
        found.after[pauses] = done as u16;
        found.gap[pauses] = 1;
        while flag(t, done, pauses) & PAUSE_BEGINS == 0 {
            found.gap[pauses] += 1;
            t -= 1;
        }
        t -= 1;
    }
    (t, found)
}
