//! How long a run is and where it may start (docs/rules.md, "Placements").

use crate::tables::CAPACITY_TOLERANCE;

/// Part of a period under which a remainder counts as nothing.
const REST_TOLERANCE: f64 = 1e-9;

/// Split a run into full periods and the hours of the last one (docs/rules.md, "Placements").
pub fn whole_periods(run_hours: f64, period_hours: f64) -> (usize, f64) {
    let periods = run_hours / period_hours;
    let full = (periods + REST_TOLERANCE).floor();
    let rest = periods - full;
    if rest > REST_TOLERANCE {
        (full as usize, rest * period_hours)
    } else if full == 0.0 {
        (0, run_hours)
    } else {
        (full as usize, 0.0)
    }
}

/// Whether a period has room for a gang; a fractional delivery may fall short through rounding.
#[inline]
pub fn has_room(capacity: f64, gang: f64) -> bool {
    capacity >= gang - CAPACITY_TOLERANCE
}

/// Half-open stretches of the window whose periods all have room for `gang`; `row` is (T,).
fn stretches(row: &[f64], gang: f64, window: (usize, usize)) -> Vec<(usize, usize)> {
    let (mut t, deadline) = window;
    let mut found = Vec::new();
    while t < deadline {
        if !has_room(row[t], gang) {
            t += 1;
            continue;
        }
        let first = t;
        while t < deadline && has_room(row[t], gang) {
            t += 1;
        }
        found.push((first, t));
    }
    found
}

/// Push the half-open ranges of starts whose `length` periods all have room for `gang`; `row` is (T,).
pub fn push_start_ranges(row: &[f64], gang: f64, length: usize, window: (usize, usize), out: &mut Vec<(usize, usize)>) {
    let long_enough = stretches(row, gang, window).into_iter().filter(|stretch| stretch.1 - stretch.0 >= length);
    out.extend(long_enough.map(|(first, end)| (first, end - length + 1)));
}

/// What a column with pauses has to look like.
pub struct Shape {
    /// Periods touched.
    pub length: usize,
    /// Runs they form.
    pub runs: usize,
    /// Half-open window of periods.
    pub window: (usize, usize),
    /// The only start, where it is fixed.
    pub start: Option<usize>,
}

/// Whether some choice of periods with room for `gang` has this shape.
///
/// In a stretch of a periods j runs can touch any number from j to a + 1 - j. So as many stretches as there are runs are used,
/// the longest ones (and the one of a fixed start), and further runs split them.
pub fn can_pause(row: &[f64], gang: f64, shape: &Shape) -> bool {
    let first = shape.start.unwrap_or(0).max(shape.window.0);
    if shape.start.is_some_and(|start| start < shape.window.0) {
        return false;
    }
    let found = stretches(row, gang, (first, shape.window.1));
    if shape.start.is_some_and(|start| found.first().is_none_or(|stretch| stretch.0 != start)) {
        return false;
    }
    let mut lengths: Vec<usize> = found.iter().map(|stretch| stretch.1 - stretch.0).collect();
    // The stretch of a fixed start is always used.
    let forced = usize::from(shape.start.is_some());
    lengths[forced..].sort_unstable_by(|a, b| b.cmp(a));
    lengths.truncate(shape.runs);
    let most_runs: usize = lengths.iter().map(|length| length.div_ceil(2)).sum();
    let most_periods = lengths.iter().map(|length| length + 1).sum::<usize>();
    most_runs >= shape.runs && shape.length >= shape.runs && shape.length + shape.runs <= most_periods
}
