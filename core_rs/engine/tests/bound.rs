//! What the ascent rests on: supergradients, threads that change nothing, a best bound that is never lost.

mod common;

use common::{cases, random_instance, random_prices};
use proptest::prelude::*;
use tehai_engine::dual_ascent::{Ascent, AscentOptions};
use tehai_engine::evaluation::{Evaluation, evaluate};
use tehai_engine::instance::Instance;

const OPTIONS: AscentOptions = AscentOptions { step_count: 60, step_first: 0.1, step_last: 1e-3 };

/// Whether no workload's term is below the price of its column: nothing is lost by relaxing claims of pauses.
fn is_tight(evaluation: &Evaluation) -> bool {
    evaluation.columns.iter().zip(&evaluation.workload_terms).all(|(column, term)| column.price == *term)
}

/// Bound at `q` and the plane through the evaluation at `p`.
fn bound_and_plane(instance: &Instance, at: &Evaluation, p: &[f64], q: &[f64]) -> (f64, f64) {
    let slope: f64 = at.gradient.iter().zip(q.iter().zip(p)).map(|(g, (q, p))| g * (q - p)).sum();
    (evaluate(instance, q).bound, at.bound + slope)
}

proptest! {
    #![proptest_config(cases(400))]

    /// The bound lies nowhere above the plane through any of its points along the gradient there, where no claim of a
    /// column with pauses is relaxed (the relaxation tries some multipliers only, so it is not concave to the last yen).
    #[test]
    fn gradient_is_a_supergradient(seed in any::<u64>(), here in any::<u64>(), there in any::<u64>()) {
        let instance = random_instance(seed);
        let (p, q) = (random_prices(&instance, here), random_prices(&instance, there));
        let at = evaluate(&instance, &p);
        if is_tight(&at) {
            let (found, plane) = bound_and_plane(&instance, &at, &p, &q);
            prop_assert!(found <= plane + 1e-9 * plane.abs() + 1e-4, "bound {found} over its plane {plane}");
        }
    }

    /// One thread and two give the same bits: bound, gradient and columns.
    #[test]
    fn threads_change_no_bit(seed in any::<u64>()) {
        let instance = random_instance(seed);
        let prices = random_prices(&instance, seed);
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads can be made");
            pool.install(|| evaluate(&instance, &prices))
        };
        let (one, two) = (run(1), run(2));
        prop_assert_eq!(one.bound.to_bits(), two.bound.to_bits());
        let bits = |values: &[f64]| values.iter().map(|v| v.to_bits()).collect::<Vec<u64>>();
        prop_assert_eq!(bits(&one.gradient), bits(&two.gradient));
        prop_assert_eq!(one.columns, two.columns);
    }
}

/// Where claims of pauses are relaxed, the gradient is the slope of the bound on a short step in any direction; between two
/// columns of one price the bound may bend down, never up.
#[test]
fn gradient_of_a_relaxed_claim_is_a_slope() {
    let (mut seen, mut straight) = (0, 0);
    for seed in 0..3_000 {
        let instance = random_instance(seed);
        // A mean of two points has fewer prices at 0, where columns tie.
        let pair = (random_prices(&instance, seed), random_prices(&instance, seed + 1));
        let p: Vec<f64> = pair.0.iter().zip(&pair.1).map(|(one, other)| 0.5 * (one + other)).collect();
        let at = evaluate(&instance, &p);
        if is_tight(&at) {
            continue;
        }
        let target = random_prices(&instance, seed + 2);
        let q: Vec<f64> = p.iter().zip(&target).map(|(p, target)| p + 1e-7 * (target - p)).collect();
        let (found, plane) = bound_and_plane(&instance, &at, &p, &q);
        let rounding = 1e-6 + 1e-11 * plane.abs();
        assert!(found <= plane + rounding, "seed {seed}: {found} over {plane}");
        seen += 1;
        straight += usize::from(found >= plane - rounding);
    }
    assert!(seen >= 10 && 10 * straight >= 7 * seen, "{straight} of {seen} relaxed claims");
}

/// Nearly all random points are tight, so that the test of supergradients tests something.
#[test]
fn most_points_are_tight() {
    let tight = (0..400).filter(|&seed| {
        let instance = random_instance(seed);
        is_tight(&evaluate(&instance, &random_prices(&instance, seed)))
    });
    assert!(tight.count() > 300);
}
/// The best bound only rises, also when an ascent is continued, and the best prices prove it.
#[test]
fn ascent_never_loses_its_best_bound() {
    let mut risen = 0;
    for seed in 0..40 {
        let instance = random_instance(seed);
        let mut ascent = Ascent::new(&instance, &[]);
        let mut seen = vec![f64::NEG_INFINITY];
        for _ in 0..2 {
            let passes = ascent.run(&instance, &OPTIONS, |best, _| {
                seen.push(best);
                false
            });
            assert_eq!(passes, OPTIONS.step_count);
        }
        assert!(seen.windows(2).all(|pair| pair[0] <= pair[1]), "seed {seed}");
        assert_eq!(ascent.best_bound, evaluate(&instance, &ascent.best_prices).bound, "seed {seed}");
        assert!(ascent.best_prices.iter().all(|&price| price >= 0.0));
        risen += usize::from(ascent.best_bound > seen[1] + 1.0);
    }
    assert!(risen > 20, "the ascent improved only {risen} of 40 bounds");
}

/// An ascent stops after the pass in which it is told to.
#[test]
fn ascent_stops_when_told() {
    let instance = random_instance(3);
    let mut asked = 0;
    let passes = Ascent::new(&instance, &[]).run(&instance, &OPTIONS, |_, _| {
        asked += 1;
        asked == 5
    });
    assert_eq!((passes, asked), (5, 5));
}

/// Units that every pass orders in full have the same mean where the ascent is stopped on the way.
#[test]
fn mean_units_of_a_stopped_ascent_are_a_mean() {
    let mut ordered_in_full = 0;
    for seed in 0..40 {
        let instance = random_instance(seed);
        let (mut whole, mut stopped) = (Ascent::new(&instance, &[]), Ascent::new(&instance, &[]));
        whole.run(&instance, &OPTIONS, |_, _| false);
        let mut passes = 0;
        stopped.run(&instance, &OPTIONS, |_, _| {
            passes += 1;
            passes > OPTIONS.step_count * 3 / 4
        });
        for offer in 0..instance.committed.pool.len() {
            let limit = instance.committed.unit_limit[offer];
            for option in instance.committed.option_offset[offer]..instance.committed.option_offset[offer + 1] {
                if limit > 0.0 && whole.mean_units[option] > limit - 1e-9 {
                    assert!((stopped.mean_units[option] - limit).abs() < 1e-9, "seed {seed}");
                    ordered_in_full += 1;
                }
            }
        }
    }
    assert!(ordered_in_full > 0, "no offer is ordered in full by every pass");
}

/// Mean units lie within the limits of their offers, so that rounding them gives a start.
#[test]
fn mean_units_keep_the_limits() {
    for seed in 0..40 {
        let instance = random_instance(seed);
        let mut ascent = Ascent::new(&instance, &[]);
        ascent.run(&instance, &OPTIONS, |_, _| false);
        for offer in 0..instance.committed.pool.len() {
            let options = instance.committed.option_offset[offer]..instance.committed.option_offset[offer + 1];
            for &units in &ascent.mean_units[options] {
                assert!((0.0..=instance.committed.unit_limit[offer] + 1e-9).contains(&units), "seed {seed}");
            }
        }
    }
}
