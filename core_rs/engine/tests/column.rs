//! Columns with pauses: their code, and the periods they touch.

use proptest::prelude::*;
use tehai_engine::column::{Column, NO_CLAIMS, PAUSE_COUNT_MAX, Pauses};
use tehai_engine::instance::Instance;

mod common;

use common::{cases, random_instance};

/// Pauses of a list of (full periods done before, periods of the gap).
fn pauses_of(list: &[(u16, u16)]) -> Pauses {
    let mut pauses = Pauses { count: list.len(), ..Pauses::default() };
    for (i, &(after, gap)) in list.iter().enumerate() {
        (pauses.after[i], pauses.gap[i]) = (after, gap);
    }
    pauses
}

proptest! {
    #![proptest_config(cases(400))]

    /// Every list of pauses comes back from its code, which is not negative and is 0 only for none.
    #[test]
    fn code_comes_back(list in prop::collection::vec((1..1_023_u16, 1..1_023_u16), 0..=PAUSE_COUNT_MAX)) {
        let pauses = pauses_of(&list);
        prop_assert_eq!(Pauses::from_code(pauses.code()), pauses);
        prop_assert!(pauses.code() >= 0);
        prop_assert_eq!(pauses.code() == 0, list.is_empty());
    }

    /// Whatever number comes in, its pauses are at least one period long and after at least one.
    #[test]
    fn any_code_is_a_list(code in any::<i64>()) {
        let pauses = Pauses::from_code(code);
        prop_assert!(pauses.after[..pauses.count].iter().all(|&after| after >= 1));
        prop_assert!(pauses.gap[..pauses.count].iter().all(|&gap| gap >= 1));
    }

    /// Hours weighted by prefix sums are those of the periods touched; pieces and end agree with them.
    #[test]
    fn weighted_hours_are_those_of_the_periods(seed in any::<u64>(), list in gaps()) {
        let instance = random_instance(seed % 50);
        let Some(mut column) = column_with(&instance, &list) else { return Ok(()) };
        column.start = 1;
        let end = column.end(&instance);
        let mut prefix = vec![0.0; end + 1];
        for t in 0..end {
            prefix[t + 1] = prefix[t] + (1.7 * t as f64).sin() + 2.0;
        }
        let touched: Vec<(usize, f64)> = column.touched(&instance).collect();
        let slow: f64 = touched.iter().map(|&(t, hours)| hours * (prefix[t + 1] - prefix[t])).sum();
        prop_assert!((column.weighted_hours(&instance, &prefix) - slow).abs() < 1e-6);
        prop_assert_eq!(touched[touched.len() - 1].0 + 1, end);
        let run = instance.run_of(&instance.modes[column.mode], list.len());
        let pieces: Vec<usize> = column.pieces(&run).flat_map(|piece| piece.from..piece.end()).collect();
        prop_assert_eq!(pieces, touched.iter().map(|pair| pair.0).collect::<Vec<usize>>());
    }
}

/// Pauses after one more full period each, with gaps.
fn gaps() -> impl Strategy<Value = Vec<u16>> {
    prop::collection::vec(1..5_u16, 0..=2)
}

/// A column of a mode that is long enough for the pauses, whatever its window.
fn column_with(instance: &Instance, gaps: &[u16]) -> Option<Column> {
    let list: Vec<(u16, u16)> = gaps.iter().enumerate().map(|(i, &gap)| (i as u16 + 1, gap)).collect();
    let pauses = pauses_of(&list);
    (0..instance.modes.len())
        .map(|mode| Column { mode, start: 0, pauses, claim_set: NO_CLAIMS, price: 0.0 })
        .find(|column| column.pauses_fit(instance))
}

/// A pause after the last period, one before the first, or one too many does not fit.
#[test]
fn pauses_outside_the_run_do_not_fit() {
    let (mut fitting, mut refused) = (0, 0);
    for seed in 0..100 {
        let instance = random_instance(seed);
        for mode in 0..instance.modes.len() {
            let most = instance.workloads.pauses_max[instance.modes[mode].workload];
            let length = instance.run_of(&instance.modes[mode], 1).length() as u16;
            let column = |list: &[(u16, u16)]| Column {
                mode,
                start: 0,
                pauses: pauses_of(list),
                claim_set: NO_CLAIMS,
                price: 0.0,
            };
            assert!(column(&[]).pauses_fit(&instance));
            assert_eq!(column(&[(length - 1, 1)]).pauses_fit(&instance), most >= 1 && length >= 2);
            assert!(!column(&[(length, 1)]).pauses_fit(&instance));
            assert!(!column(&[(2, 1), (1, 1)]).pauses_fit(&instance));
            fitting += usize::from(most >= 1 && length >= 2);
            refused += 1;
        }
    }
    assert!(fitting > 50 && refused > 100, "{fitting} {refused}");
}
