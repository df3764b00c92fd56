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

/// Push the half-open ranges of starts whose `length` periods all have room for `gang`; `row` is (T,).
pub fn push_start_ranges(row: &[f64], gang: f64, length: usize, window: (usize, usize), out: &mut Vec<(usize, usize)>) {
    let (mut t, deadline) = window;
    while t < deadline {
        if row[t] < gang - CAPACITY_TOLERANCE {
            t += 1;
            continue;
        }
        let run_start = t;
        while t < deadline && row[t] >= gang - CAPACITY_TOLERANCE {
            t += 1;
        }
        if t - run_start >= length {
            out.push((run_start, t - length + 1));
        }
    }
}
