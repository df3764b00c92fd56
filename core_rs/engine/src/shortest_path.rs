//! The cheapest way to run with exactly so many pauses: a shortest path over (period, periods done, runs begun).

use crate::column::{Pauses, Run};

/// What a run with pauses costs, period by period.
#[derive(Clone, Debug, Default)]
pub struct PausedRun {
    /// Half-open window of periods.
    pub window: (usize, usize),
    /// The only start, where it is fixed.
    pub only_start: Option<usize>,
    /// Full periods and rest, the overhead of resuming included.
    pub full: usize,
    /// Periods touched.
    pub length: usize,
    /// Runs: pauses plus 1.
    pub runs: usize,
    /// Factor of `unit` in a full period.
    pub full_hours: f64,
    /// Factor of `unit` in the last period where it is not full.
    pub rest_hours: f64,
    /// Yen per hour, infinite where the gang has no room, (T,).
    pub unit: Vec<f64>,
    /// Yen for a start in a period, (T,).
    pub start: Vec<f64>,
    /// Yen for an end in a period, (T + 1,).
    pub end: Vec<f64>,
}

/// Where a path starts and pauses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Path {
    /// First period.
    pub start: usize,
    /// Pauses.
    pub pauses: Pauses,
}

/// Space of `PausedRun::cheapest`, kept between calls.
#[derive(Clone, Debug, Default)]
pub struct PathScratch {
    running: Vec<f64>,
    next: Vec<f64>,
    idle: Vec<f64>,
    idle_from: Vec<u16>,
    trace: Vec<u16>,
    sorted: Vec<f64>,
}

/// The period before was touched by the same run.
const CONTINUED: u16 = 0;

impl PausedRun {
    /// Take over the shape of a run with pauses.
    pub fn set_run(&mut self, run: &Run, pause_count: usize, gang: f64, period_hours: f64) {
        self.full = run.full;
        self.length = run.length();
        self.runs = pause_count + 1;
        self.full_hours = gang * period_hours;
        self.rest_hours = gang * run.rest_hours;
    }

    /// Whether the window is long enough and the run has a period for each stretch.
    pub fn is_possible(&self) -> bool {
        self.length >= self.runs && self.length + self.runs - 1 <= self.window.1.saturating_sub(self.window.0)
    }

    /// Whether a cheap lower bound of every path is at least `ceiling`: the cheapest periods in any order.
    pub fn is_at_least(&self, ceiling: f64, scratch: &mut PathScratch) -> bool {
        let unit = &self.unit[self.window.0..self.window.1];
        let cheapest = least(unit);
        let ends =
            least(&self.start[self.window.0..self.window.1]) + least(&self.end[self.window.0 + 1..=self.window.1]);
        let rest = self.rest_hours * cheapest;
        if cheapest == f64::INFINITY || ends + rest + self.full_hours * self.full as f64 * cheapest >= ceiling {
            return true;
        }
        if self.full == 0 {
            return false;
        }
        scratch.sorted.clear();
        scratch.sorted.extend_from_slice(unit);
        let (below, last, _) = scratch.sorted.select_nth_unstable_by(self.full - 1, f64::total_cmp);
        ends + rest + self.full_hours * (below.iter().sum::<f64>() + *last) >= ceiling
    }

    /// Cost of the cheapest path; infinite where there is none.
    pub fn least(&self, scratch: &mut PathScratch) -> f64 {
        self.search::<false>(scratch).0
    }

    /// The cheapest path; there is one.
    pub fn cheapest(&self, scratch: &mut PathScratch) -> Path {
        let (_, last) = self.search::<true>(scratch);
        self.trace_back(last, scratch)
    }

    /// Cost of the cheapest path and its last period.
    fn search<const TRACE: bool>(&self, scratch: &mut PathScratch) -> (f64, usize) {
        let (first, until) = self.window;
        let (length, stride) = (self.length, self.length + 1);
        scratch.reset(self.runs * stride, if TRACE { (until - first) * self.runs * stride } else { 0 });
        let mut best = (f64::INFINITY, first);
        for t in first..until {
            // Fewer periods done could not end in time, more cannot have been done yet.
            let fewest = (length + t + 1).saturating_sub(until).max(1);
            let most = (t - first + 1).min(length);
            // Later runs first: each reads what the run before it had left idle before this period.
            for j in (0..self.runs).rev() {
                self.touch::<TRACE>(t, j, (fewest, most), scratch);
                pass_idle::<TRACE>(t, j * stride, (fewest, most.min(t - first)), scratch);
            }
            std::mem::swap(&mut scratch.running, &mut scratch.next);
            if most == length {
                let total = scratch.running[self.runs * stride - 1] + self.end[t + 1];
                if total < best.0 {
                    best = (total, t);
                }
            }
        }
        best
    }

    /// Costs of states that touch period t in run j (from 0): `next` from `running` and from the run before.
    fn touch<const TRACE: bool>(&self, t: usize, j: usize, (fewest, most): (usize, usize), scratch: &mut PathScratch) {
        let stride = self.length + 1;
        let next = &mut scratch.next[j * stride..(j + 1) * stride];
        let unit = self.unit[t];
        if unit == f64::INFINITY {
            next[fewest..=most].fill(f64::INFINITY);
            return;
        }
        let running = &scratch.running[j * stride..(j + 1) * stride];
        let from = fewest.max(2);
        if j == 0 && fewest == 1 {
            let may_start = self.only_start.is_none_or(|start| start == t);
            next[1] = if may_start { self.start[t] } else { f64::INFINITY };
        }
        if from <= most {
            // One period more than in the state before.
            let before = from - 1..most;
            let (target, running) = (&mut next[from..=most], &running[before.clone()]);
            if j == 0 {
                target.copy_from_slice(running);
            } else {
                let resumed = &scratch.idle[(j - 1) * stride..j * stride][before.clone()];
                for ((next, &goes_on), &resumes) in target.iter_mut().zip(running).zip(resumed) {
                    *next = if resumes < goes_on { resumes } else { goes_on };
                }
                if TRACE {
                    let row = ((t - self.window.0) * self.runs + j) * stride;
                    let trace = &mut scratch.trace[row + from..=row + most];
                    let ends = &scratch.idle_from[(j - 1) * stride..j * stride][before];
                    for (i, came) in trace.iter_mut().enumerate() {
                        *came = if resumed[i] < running[i] { ends[i] } else { CONTINUED };
                    }
                }
            }
        }
        let full_until = most.min(self.full);
        let full_yen = self.full_hours * unit;
        if fewest <= full_until {
            next[fewest..=full_until].iter_mut().for_each(|cost| *cost += full_yen);
        }
        if most > self.full {
            next[most] += self.rest_hours * unit;
        }
    }

    fn trace_back(&self, last: usize, scratch: &PathScratch) -> Path {
        let stride = self.length + 1;
        let (mut t, mut j, mut done) = (last, self.runs - 1, self.length);
        let mut pauses = Pauses { count: self.runs - 1, ..Pauses::default() };
        while done > 1 {
            let from = scratch.trace[((t - self.window.0) * self.runs + j) * stride + done];
            done -= 1;
            if j == 0 || from == CONTINUED {
                t -= 1;
            } else {
                j -= 1;
                pauses.after[j] = done as u16;
                pauses.gap[j] = (t - usize::from(from)) as u16;
                t = usize::from(from) - 1;
            }
        }
        Path { start: t, pauses }
    }
}

impl PathScratch {
    fn reset(&mut self, states: usize, traced: usize) {
        for costs in [&mut self.running, &mut self.next, &mut self.idle] {
            costs.clear();
            costs.resize(states, f64::INFINITY);
        }
        self.idle_from.clear();
        self.idle_from.resize(states, 0);
        self.trace.clear();
        self.trace.resize(traced, CONTINUED);
    }
}

/// Leave period t untouched: the run of the states from `row` on ends before it, or ended earlier.
fn pass_idle<const TRACE: bool>(t: usize, row: usize, (fewest, most): (usize, usize), scratch: &mut PathScratch) {
    if fewest > most {
        return;
    }
    let span = row + fewest..=row + most;
    let (idle, running) = (&mut scratch.idle[span.clone()], &scratch.running[span.clone()]);
    if TRACE {
        for (i, from) in scratch.idle_from[span].iter_mut().enumerate() {
            if running[i] < idle[i] {
                *from = t as u16;
            }
        }
    }
    for (idle, &running) in idle.iter_mut().zip(running) {
        *idle = if running < *idle { running } else { *idle };
    }
}

/// Least of some values; infinite without any.
fn least(values: &[f64]) -> f64 {
    const LANES: usize = 8;
    let mut lanes = [f64::INFINITY; LANES];
    let chunks = values.chunks_exact(LANES);
    let remainder = chunks.remainder();
    for chunk in chunks {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane = if value < *lane { value } else { *lane };
        }
    }
    lanes.iter().chain(remainder).copied().fold(f64::INFINITY, f64::min)
}
