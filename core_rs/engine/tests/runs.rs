//! How a run splits into periods, at the edges of the tolerance.

use tehai_engine::instance::whole_periods;

const HOURS: f64 = 168.0;

/// A run of a whole number of periods has no rest.
#[test]
fn whole_number_of_periods_has_no_rest() {
    assert_eq!(whole_periods(3.0 * HOURS, HOURS), (3, 0.0));
}

/// Rounding error on either side of a whole number does not touch one more period.
#[test]
fn rounding_error_counts_as_nothing() {
    for error in [-1e-10, 1e-10] {
        assert_eq!(whole_periods((3.0 + error) * HOURS, HOURS), (3, 0.0));
    }
}

/// A remainder over the tolerance is kept, however small, and so is a run just short of a whole number.
#[test]
fn small_remainder_is_kept() {
    let (full, rest) = whole_periods((3.0 + 1e-7) * HOURS, HOURS);
    assert_eq!(full, 3);
    assert!((rest - 1e-7 * HOURS).abs() < 1e-9);
    let (full, rest) = whole_periods((3.0 - 1e-7) * HOURS, HOURS);
    assert_eq!(full, 2);
    assert!((rest - (1.0 - 1e-7) * HOURS).abs() < 1e-6);
}

/// A run shorter than the tolerance still touches one period with all its hours.
#[test]
fn tiny_run_keeps_its_hours() {
    assert_eq!(whole_periods(1e-12 * HOURS, HOURS), (0, 1e-12 * HOURS));
}

/// Hours of full periods and rest add up to the run.
#[test]
fn hours_add_up() {
    for step in 1..2_000 {
        let run = f64::from(step) * 0.731;
        let (full, rest) = whole_periods(run, HOURS);
        assert!((full as f64 * HOURS + rest - run).abs() < 1e-6, "run of {run} hours");
        assert!((0.0..HOURS).contains(&rest));
    }
}
