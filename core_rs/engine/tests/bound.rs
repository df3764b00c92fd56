//! What the ascent rests on: supergradients, threads that change nothing, a best bound that is never lost.

mod common;

use common::{cases, random_instance, random_prices};
use proptest::prelude::*;
use tehai_engine::dual_ascent::{Ascent, AscentOptions};
use tehai_engine::pricing::evaluate;

const OPTIONS: AscentOptions = AscentOptions { step_count: 60, step_first: 0.1, step_last: 1e-3 };

proptest! {
    #![proptest_config(cases(300))]

    /// The bound lies nowhere above the plane through any of its points along the gradient there.
    #[test]
    fn gradient_is_a_supergradient(seed in any::<u64>(), here in any::<u64>(), there in any::<u64>()) {
        let instance = random_instance(seed);
        let (p, q) = (random_prices(&instance, here), random_prices(&instance, there));
        let at = evaluate(&instance, &p);
        let slope: f64 = at.gradient.iter().zip(q.iter().zip(&p)).map(|(g, (q, p))| g * (q - p)).sum();
        let (found, plane) = (evaluate(&instance, &q).bound, at.bound + slope);
        prop_assert!(found <= plane + 1e-9 * plane.abs() + 1e-5, "bound {found} over its plane {plane}");
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
