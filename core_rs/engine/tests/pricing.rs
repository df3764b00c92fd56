//! Prices of columns and the bound against slow code; claims, caps and project rows included.

mod common;

use common::naive::{self, NaiveColumn};
use common::{cases, random_instance, random_prices};
use proptest::prelude::*;
use tehai_engine::columns::{collect, expand};
use tehai_engine::instance::Instance;
use tehai_engine::prefix_cost::PrefixCost;
use tehai_engine::pricing::{Column, NO_PROGRAMME, cheapest_column, evaluate};

fn close(a: f64, b: f64) -> bool {
    a == b || (a - b).abs() <= 1e-9 * a.abs().max(b.abs()) + 1e-6
}

/// The engine's name of a naive column.
fn key(instance: &Instance, column: &NaiveColumn) -> (usize, usize, usize) {
    let modes = instance.modes_of(column.workload);
    let same = |index: &usize| {
        let mode = &instance.modes[*index];
        mode.pool == column.pool && mode.gang == column.gang && mode.speed == column.speed
    };
    let mode = modes.into_iter().find(same).expect("a legal column has a mode");
    (mode, column.start, column.programme.unwrap_or(NO_PROGRAMME))
}

proptest! {
    #![proptest_config(cases(300))]

    /// The cheapest price of each workload is the minimum over every column written out.
    #[test]
    fn cheapest_column_is_the_minimum(seed in any::<u64>()) {
        let instance = random_instance(seed);
        let prices = random_prices(&instance, seed);
        let prefix = PrefixCost::new(&instance, &prices);
        for w in 0..instance.sizes.workloads {
            let (fast, slow) = (cheapest_column(&instance, &prefix, w).price, naive::cheapest(&instance, w, &prices));
            prop_assert!(close(fast, slow), "workload {w}: {fast} against {slow}");
        }
    }

    /// The whole bound is the one of docs/rules.md.
    #[test]
    fn bound_is_the_naive_bound(seed in any::<u64>()) {
        let instance = random_instance(seed);
        let prices = random_prices(&instance, seed);
        let (fast, slow) = (evaluate(&instance, &prices).bound, naive::bound(&instance, &prices));
        prop_assert!(close(fast, slow), "{fast} against {slow}");
    }

    /// Cheap columns are all columns within the threshold and no others, each at its own price.
    #[test]
    fn cheap_columns_are_complete(seed in any::<u64>(), threshold in 0.0..20_000.0_f64) {
        let instance = random_instance(seed);
        let prices = random_prices(&instance, seed);
        let found = collect(&instance, &prices, threshold, usize::MAX);
        for w in 0..instance.sizes.workloads {
            let limit = naive::cheapest(&instance, w, &prices) + threshold;
            let here: Vec<&Column> = found.iter().filter(|c| instance.modes[c.mode].workload == w).collect();
            let mut listed = 0;
            for column in naive::columns(&instance, w) {
                let price = naive::price(&instance, &column, &prices);
                let (mode, start, programme) = key(&instance, &column);
                let same = here.iter().find(|c| {
                    let twin = &instance.modes[c.mode];
                    let like = &instance.modes[mode];
                    (twin.pool, twin.gang, twin.speed) == (like.pool, like.gang, like.speed)
                        && (c.start, c.programme) == (start, programme)
                });
                match same {
                    Some(column) => prop_assert!(close(column.price, price)),
                    None => prop_assert!(price > limit - 1e-6, "workload {w}: a column at {price} is missing"),
                }
                listed += usize::from(same.is_some());
            }
            prop_assert_eq!(listed, here.len());
        }
    }

    /// A list cut short keeps the cheapest columns.
    #[test]
    fn cheap_columns_are_cut_at_the_dear_end(seed in any::<u64>(), most in 1..5_usize) {
        let instance = random_instance(seed);
        let prices = random_prices(&instance, seed);
        let all = collect(&instance, &prices, 1e9, usize::MAX);
        let cut = collect(&instance, &prices, 1e9, most);
        for w in 0..instance.sizes.workloads {
            let of = |list: &[Column]| -> Vec<Column> {
                list.iter().filter(|c| instance.modes[c.mode].workload == w).copied().collect()
            };
            prop_assert_eq!(&of(&all)[..of(&all).len().min(most)], &of(&cut)[..]);
        }
    }

    /// Rows of a column (hours, energy, work, claimable yen, lateness) are those of the rules.
    #[test]
    fn expanded_rows_are_those_of_the_rules(seed in any::<u64>()) {
        let instance = random_instance(seed);
        let (sizes, pools) = (&instance.sizes, &instance.pools);
        for column in (0..sizes.workloads).flat_map(|w| naive::columns(&instance, w)) {
            let (mode, start, programme) = key(&instance, &column);
            let rows = expand(&instance, &[Column { mode, start, programme, price: 0.0 }]);
            let mut hours = vec![0.0; sizes.periods];
            for entry in rows.offset[0]..rows.offset[1] {
                prop_assert_eq!(rows.cell[entry] / sizes.periods, column.pool);
                hours[rows.cell[entry] % sizes.periods] += rows.hours[entry];
                let limited = pools.pool_site[column.pool] != usize::MAX;
                let kwh = if limited { rows.hours[entry] * pools.pool_kw[column.pool] } else { 0.0 };
                prop_assert!(close(rows.kwh[entry], kwh));
            }
            let mut work = vec![0.0; sizes.years];
            for t in 0..sizes.periods {
                prop_assert!(close(hours[t], column.hours[t]));
                work[pools.year_of_period[t]] += column.hours[t] * column.speed;
            }
            let claimable = naive::claimable(&instance, &column);
            for y in 0..sizes.years {
                prop_assert!(close(rows.work[y], work[y]) && close(rows.claimable_yen[y], claimable[y]));
            }
            let late = (start - instance.workloads.release[column.workload]) as f64;
            prop_assert!(close(rows.late_yen[0], late * instance.workloads.late_yen[column.workload]));
        }
    }
}

/// The random instances hold what the tests above claim to cover.
#[test]
fn random_instances_cover_caps_and_project_rows() {
    let (mut project_rows, mut capped, mut several_years) = (0, 0, 0);
    for seed in 0..300 {
        let instance = random_instance(seed);
        project_rows += instance.project_rows.len();
        for column in (0..instance.sizes.workloads).flat_map(|w| naive::columns(&instance, w)) {
            let claimable = naive::claimable(&instance, &column);
            let cap = column.programme.map_or(f64::INFINITY, |r| instance.rules.project_cap_yen[r]);
            capped += usize::from(claimable.iter().sum::<f64>() > cap);
            several_years += usize::from(claimable.iter().filter(|&&yen| yen > 0.0).count() > 1);
        }
    }
    assert!(project_rows > 100 && capped > 200 && several_years > 100, "{project_rows} {capped} {several_years}");
}
