//! A column: where and when a workload runs, with its pauses and the set of programmes it claims from.

use crate::instance::{Instance, Mode};
use crate::prefix_cost::run_sum;
use crate::runs::whole_periods;

/// Most pauses of one column.
pub const PAUSE_COUNT_MAX: usize = 3;
/// Nothing is claimed.
pub const NO_CLAIMS: usize = usize::MAX;
/// The workload is not run.
pub const NOT_RUN: usize = usize::MAX;
/// Bits of a number of periods in the code of pauses.
const PERIOD_BITS: u32 = 10;

/// Pauses in order of time: after so many full periods in all (counted from the start) the gang stops for so many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pauses {
    /// Pauses taken; later entries of the arrays are 0.
    pub count: usize,
    /// Full periods done before each pause, strictly ascending, at least 1.
    pub after: [u16; PAUSE_COUNT_MAX],
    /// Periods that each pause lasts, at least 1.
    pub gap: [u16; PAUSE_COUNT_MAX],
}

impl Pauses {
    /// One number for all of it; 0 without pauses.
    pub fn code(&self) -> i64 {
        (0..self.count).fold(0, |code, i| {
            let entry = i64::from(self.after[i]) | i64::from(self.gap[i]) << PERIOD_BITS;
            code | entry << (2 * PERIOD_BITS * i as u32)
        })
    }

    /// The pauses of a number; what is no pause (no period before it, or none in it) ends the list.
    pub fn from_code(code: i64) -> Self {
        let mut pauses = Self::default();
        let mask = (1 << PERIOD_BITS) - 1;
        for i in 0..PAUSE_COUNT_MAX {
            let entry = code >> (2 * PERIOD_BITS * i as u32);
            let (after, gap) = ((entry & mask) as u16, ((entry >> PERIOD_BITS) & mask) as u16);
            if after == 0 || gap == 0 {
                break;
            }
            pauses.after[i] = after;
            pauses.gap[i] = gap;
            pauses.count += 1;
        }
        pauses
    }

    /// Periods of all pauses together.
    pub fn gap_total(&self) -> usize {
        self.gap.iter().map(|&gap| usize::from(gap)).sum()
    }
}

/// A column: mode, start, pauses and claim set, with its price.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Column {
    /// Index into `Instance::modes`, or `NOT_RUN`.
    pub mode: usize,
    /// First period.
    pub start: usize,
    /// Pauses.
    pub pauses: Pauses,
    /// Claim set or `NO_CLAIMS`.
    pub claim_set: usize,
    /// Price in yen at the prices it was found with.
    pub price: f64,
}

impl Column {
    /// The choice not to run a workload.
    pub fn not_run(price: f64) -> Self {
        Self { mode: NOT_RUN, start: 0, pauses: Pauses::default(), claim_set: NO_CLAIMS, price }
    }

    /// What the column is, without its price, in an order.
    pub fn key(&self) -> (usize, usize, Pauses, usize) {
        (self.mode, self.start, self.pauses, self.claim_set)
    }

    /// First period after the last one touched; the column is run.
    pub fn end(&self, instance: &Instance) -> usize {
        let mode = &instance.modes[self.mode];
        self.start + instance.run_of(mode, self.pauses.count).length() + self.pauses.gap_total()
    }

    /// Every period that the column touches with its accelerator-hours, in order; the column is run.
    pub fn touched<'a>(&self, instance: &'a Instance) -> impl Iterator<Item = (usize, f64)> + use<'a> {
        let mode = &instance.modes[self.mode];
        let run = instance.run_of(mode, self.pauses.count);
        let (pauses, gang, period_hours) = (self.pauses, mode.gang, instance.pools.period_hours);
        let (mut t, mut next_pause) = (self.start, 0);
        (0..run.length()).map(move |done| {
            while next_pause < pauses.count && usize::from(pauses.after[next_pause]) == done {
                t += usize::from(pauses.gap[next_pause]);
                next_pause += 1;
            }
            let hours = if done < run.full { gang * period_hours } else { gang * run.rest_hours };
            t += 1;
            (t - 1, hours)
        })
    }

    /// Whether the column may stop and go on as its pauses say: each one after a period touched and before the last one.
    pub fn pauses_fit(&self, instance: &Instance) -> bool {
        let mode = &instance.modes[self.mode];
        let length = instance.run_of(mode, self.pauses.count).length();
        let after = &self.pauses.after[..self.pauses.count];
        self.pauses.count <= instance.workloads.pauses_max[mode.workload]
            && after.iter().chain(&self.pauses.gap[..self.pauses.count]).all(|&periods| periods >= 1)
            && after.is_sorted_by(|a, b| a < b)
            && after.last().is_none_or(|&last| usize::from(last) < length)
    }

    /// Accelerator-hours of the column weighted by (T + 1,) prefix sums; the column is run.
    pub fn weighted_hours(&self, instance: &Instance, prefix: &[f64]) -> f64 {
        let mode = &instance.modes[self.mode];
        if self.pauses.count == 0 {
            return run_sum(prefix, mode, self.start, instance.pools.period_hours);
        }
        let run = instance.run_of(mode, self.pauses.count);
        let (mut full, mut rest) = (0.0, 0.0);
        for piece in self.pieces(&run) {
            full += prefix[piece.full_end] - prefix[piece.from];
            if piece.has_rest {
                rest += prefix[piece.full_end + 1] - prefix[piece.full_end];
            }
        }
        mode.gang * (instance.pools.period_hours * full + run.rest_hours * rest)
    }

    /// Stretches without interruption, in order of time; `run` is that of the column.
    pub fn pieces(&self, run: &Run) -> impl Iterator<Item = Piece> + use<> {
        let (pauses, start, run) = (self.pauses, self.start, *run);
        let mut gaps = 0;
        (0..=pauses.count).map(move |i| {
            let before = if i == 0 { 0 } else { usize::from(pauses.after[i - 1]) };
            gaps += if i == 0 { 0 } else { usize::from(pauses.gap[i - 1]) };
            let until = if i < pauses.count { usize::from(pauses.after[i]) } else { run.length() };
            let from = start + before + gaps;
            Piece { from, full_end: from + until.min(run.full) - before, has_rest: until > run.full }
        })
    }
}

/// A stretch without interruption.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// First period.
    pub from: usize,
    /// Half-open end of the full periods.
    pub full_end: usize,
    /// Whether the last, partly used period follows.
    pub has_rest: bool,
}

impl Piece {
    /// Half-open end.
    pub fn end(&self) -> usize {
        self.full_end + usize::from(self.has_rest)
    }
}

/// Full periods and the hours of the last, partly used one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Run {
    /// Full periods.
    pub full: usize,
    /// Hours in the last period; 0 where there is none.
    pub rest_hours: f64,
}

impl Run {
    /// Periods touched.
    pub fn length(&self) -> usize {
        self.full + usize::from(self.rest_hours > 0.0)
    }
}

impl Instance {
    /// Run of a mode with so many pauses, the overhead of resuming included.
    pub fn run_of(&self, mode: &Mode, pause_count: usize) -> Run {
        if pause_count == 0 {
            return Run { full: mode.full, rest_hours: mode.rest_hours };
        }
        let resumed = self.workloads.resume_hours[mode.workload] * pause_count as f64;
        let (full, rest_hours) = whole_periods(mode.run_hours + resumed, self.pools.period_hours);
        Run { full, rest_hours }
    }
}
