//! A workload in a pool with a gang: how long it runs and where it may start (docs/rules.md, "Placements").

use tehai_engine::instance::{CAPACITY_TOLERANCE, whole_periods};

use crate::book::{Book, Pool};
use crate::check::Job;

/// A gang of a workload in a pool: everything of a column but start and claims.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mode {
    /// Position in the workload's gang options.
    pub option: usize,
    /// Accelerators of whole nodes.
    pub occupied: f64,
    /// Full periods.
    pub full: usize,
    /// Hours of the last, partly used period; 0 where there is none.
    pub rest_hours: f64,
    /// Normalised work per accelerator-hour occupied.
    pub density: f64,
}

impl Mode {
    /// Periods touched.
    pub fn length(&self) -> usize {
        self.full + usize::from(self.rest_hours > 0.0)
    }

    /// Hours that the gang runs.
    pub fn run_hours(&self, book: &Book) -> f64 {
        self.full as f64 * book.period_hours + self.rest_hours
    }

    /// Accelerator-hours from `start` on, weighted by prefix sums.
    #[inline]
    pub fn weighted(&self, period_hours: f64, prefix: &[f64], start: usize) -> f64 {
        let end = start + self.full;
        let mut sum = period_hours * (prefix[end] - prefix[start]);
        if self.rest_hours > 0.0 {
            sum += self.rest_hours * (prefix[end + 1] - prefix[end]);
        }
        self.occupied * sum
    }

    /// The same times `scale` for every start from `first` on, added to `out`.
    #[inline]
    pub fn add_weighted(&self, period_hours: f64, prefix: &[f64], first: usize, scale: f64, out: &mut [f64]) {
        let (count, length) = (out.len(), self.length());
        let (full_hours, rest_hours) = (scale * self.occupied * period_hours, scale * self.occupied * self.rest_hours);
        let from = &prefix[first..first + count];
        let to = &prefix[first + self.full..first + self.full + count];
        let after = &prefix[first + length..first + length + count];
        for i in 0..count {
            out[i] += full_hours * (to[i] - from[i]) + rest_hours * (after[i] - to[i]);
        }
    }
}

/// The mode of a gang option in a pool whose accelerator runs the family at `throughput`; it may have no start.
///
/// `None` where the run is longer than any horizon.
pub(crate) fn mode_of(book: &Book, job: &Job, pool: &Pool, option: usize, throughput: f64) -> Option<Mode> {
    let gang = &job.workload.gang_options[option];
    let accelerators = f64::from(gang.accelerators);
    let run_hours = job.work / (accelerators * throughput * gang.scaling_efficiency_fraction);
    if run_hours.is_nan() || run_hours > book.period_hours * (book.periods as f64 + 1.0) {
        return None;
    }
    let (full, rest_hours) = whole_periods(run_hours, book.period_hours);
    let occupied = (i64::from(gang.accelerators) + pool.node - 1) / pool.node * pool.node;
    let mut mode = Mode { option, occupied: occupied as f64, full, rest_hours, density: 0.0 };
    mode.density = job.work / (mode.occupied * mode.run_hours(book));
    Some(mode)
}

/// Push the half-open ranges of starts at which a mode lies in the job's window and the pool has room for it.
pub(crate) fn push_starts(job: &Job, pool: &Pool, mode: &Mode, out: &mut Vec<(usize, usize)>) {
    let length = mode.length();
    let (mut first, mut t) = (job.release, job.release);
    while t <= job.deadline {
        let room = t < job.deadline && pool.capacity_max[t] >= mode.occupied - CAPACITY_TOLERANCE;
        if !room {
            if t >= first + length && length > 0 {
                out.push((first, t - length + 1));
            }
            first = t + 1;
        }
        t += 1;
    }
}
