//! Prices of columns and the bound against slow code; claims, caps, pauses and every kind of row included.

mod common;

use common::naive::{self, NaiveColumn};
use common::{cases, naive_bound, random_instance, random_prices};
use proptest::prelude::*;
use tehai_engine::column::{Column, NO_CLAIMS, NOT_RUN, Pauses};
use tehai_engine::columns::{claim_set_size_max, collect, expand};
use tehai_engine::evaluation::evaluate;
use tehai_engine::instance::{Instance, NONE};
use tehai_engine::prefix_cost::PrefixCost;
use tehai_engine::pricing::{cheapest, cheapest_start, column_price};

fn close(a: f64, b: f64) -> bool {
    a == b || (a - b).abs() <= 1e-9 * a.abs().max(b.abs()) + 1e-5
}

/// The engine's name of a naive column.
fn engine_column(instance: &Instance, column: &NaiveColumn) -> Column {
    let same = |index: &usize| {
        let mode = &instance.modes[*index];
        mode.pool == column.pool && mode.accelerators == column.accelerators
    };
    let mode = instance.modes_of(column.workload).find(same).expect("a legal column has a mode");
    let mut pauses = Pauses::default();
    let mut done = 0;
    for t in column.start..column.end {
        if column.hours[t] > 0.0 {
            done += 1;
        } else if column.hours[t - 1] > 0.0 {
            pauses.after[pauses.count] = done;
            pauses.gap[pauses.count] = 1;
            pauses.count += 1;
        } else {
            pauses.gap[pauses.count - 1] += 1;
        }
    }
    Column { mode, start: column.start, pauses, claim_set: column.claim_set.unwrap_or(NO_CLAIMS), price: 0.0 }
}

/// Every legal column of an instance under the engine's name.
fn all_columns(instance: &Instance) -> Vec<(Column, NaiveColumn)> {
    let listed = (0..instance.sizes.workloads).flat_map(|w| naive::columns(instance, w));
    listed.map(|column| (engine_column(instance, &column), column)).collect()
}

proptest! {
    #![proptest_config(cases(400))]

    /// Every column written out, pauses and claims included, has the price of the rules.
    #[test]
    fn column_price_is_that_of_the_rules(seed in any::<u64>()) {
        let instance = random_instance(seed);
        let prices = random_prices(&instance, seed);
        let prefix = PrefixCost::new(&instance, &prices);
        for (column, slow) in all_columns(&instance) {
            let (fast, slow) = (column_price(&instance, &prefix, &column), naive::price(&instance, &slow, &prices));
            prop_assert!(close(fast, slow), "{column:?}: {fast} against {slow}");
        }
    }

    /// The term of each workload is the least over every column written out, those with pauses at their relaxed minimum;
    /// its column is legal and has its true price, which is nowhere below the term.
    #[test]
    fn term_is_the_relaxed_minimum(seed in any::<u64>()) {
        let instance = random_instance(seed);
        let prices = random_prices(&instance, seed);
        let prefix = PrefixCost::new(&instance, &prices);
        let legal = all_columns(&instance);
        for w in 0..instance.sizes.workloads {
            let fast = cheapest(&instance, &prefix, w);
            let slow = naive_bound::term(&instance, w, &prices);
            prop_assert!(close(fast.bound_price, slow), "workload {w}: {} against {slow}", fast.bound_price);
            prop_assert!(fast.column.price >= fast.bound_price);
            if fast.column.mode != NOT_RUN {
                let twin = legal.iter().find(|(column, _)| column.key() == fast.column.key());
                let twin = twin.expect("the cheapest column is legal");
                prop_assert!(close(fast.column.price, naive::price(&instance, &twin.1, &prices)));
            }
        }
    }

    /// The cheapest column of a mode without pauses is the least of them, infinite where each needs a pause.
    #[test]
    fn cheapest_start_of_a_mode_is_its_minimum(seed in any::<u64>()) {
        let instance = random_instance(seed);
        let prices = random_prices(&instance, seed);
        let prefix = PrefixCost::new(&instance, &prices);
        let mut legal = vec![false; instance.modes.len()];
        let mut least = vec![f64::INFINITY; instance.modes.len()];
        for (column, slow) in all_columns(&instance) {
            legal[column.mode] = true;
            if column.pauses.count == 0 {
                least[column.mode] = least[column.mode].min(naive::price(&instance, &slow, &prices));
            }
        }
        for index in 0..instance.modes.len() {
            prop_assert!(legal[index], "mode {index} has no legal column");
            prop_assert!(close(cheapest_start(&instance, &prefix, index).price, least[index]));
        }
    }

    /// The whole bound is the one of docs/rules.md, and its terms add up to it.
    #[test]
    fn bound_is_the_naive_bound(seed in any::<u64>()) {
        let instance = random_instance(seed);
        let prices = random_prices(&instance, seed);
        let evaluation = evaluate(&instance, &prices);
        let slow = naive_bound::bound(&instance, &prices);
        prop_assert!(close(evaluation.bound, slow), "{} against {slow}", evaluation.bound);
        let terms: f64 = evaluation.workload_terms.iter().filter(|term| term.is_finite()).sum();
        let limits = instance.row_limits.iter().zip(&prices).filter(|(limit, _)| limit.is_finite());
        let priced: f64 = limits.map(|(limit, price)| limit * price).sum();
        prop_assert!(close(evaluation.bound, terms + evaluation.supply.total() - priced));
    }

    /// Cheap columns are all columns without pauses within the threshold and, of those with pauses, one for each mode and
    /// claim set: the cheapest one where nothing is claimed. Each is legal and has its own price.
    #[test]
    fn cheap_columns_are_complete(seed in any::<u64>(), threshold in 0.0..20_000.0_f64) {
        let instance = random_instance(seed);
        let prices = random_prices(&instance, seed);
        let mut found = collect(&instance, &prices, threshold, usize::MAX);
        let limits: Vec<f64> =
            (0..instance.sizes.workloads).map(|w| naive_bound::term(&instance, w, &prices) + threshold).collect();
        let mut least_of_mode = vec![f64::INFINITY; instance.modes.len()];
        let mut listed_of_mode = least_of_mode.clone();
        for (column, slow) in all_columns(&instance) {
            let price = naive::price(&instance, &slow, &prices);
            let position = found.iter().position(|c| c.key() == column.key());
            match position {
                Some(position) => {
                    let listed = found.swap_remove(position);
                    prop_assert!(close(listed.price, price) && price <= limits[slow.workload] + 1e-5);
                    if slow.pauses > 0 && slow.claim_set.is_none() {
                        listed_of_mode[column.mode] = price;
                    }
                }
                None => prop_assert!(slow.pauses > 0 || price > limits[slow.workload] - 1e-5, "missing {column:?}"),
            }
            if slow.pauses > 0 && slow.claim_set.is_none() && price <= limits[slow.workload] - 1e-5 {
                least_of_mode[column.mode] = least_of_mode[column.mode].min(price);
            }
        }
        prop_assert!(found.is_empty(), "{found:?} are not legal");
        for (least, listed) in least_of_mode.iter().zip(&listed_of_mode) {
            prop_assert!(least.is_infinite() || close(*least, *listed), "{listed} listed, {least} is least");
        }
    }

    /// Of the columns with pauses at most one is listed for each mode and claim set.
    #[test]
    fn one_column_with_pauses_for_each_claim_set(seed in any::<u64>()) {
        let instance = random_instance(seed);
        let found = collect(&instance, &random_prices(&instance, seed), 1e9, usize::MAX);
        let mut keys: Vec<_> =
            found.iter().filter(|c| c.pauses.count > 0).map(|c| (c.mode, c.claim_set)).collect();
        let count = keys.len();
        keys.sort_unstable();
        keys.dedup();
        prop_assert_eq!(keys.len(), count);
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

    /// Rows of a column (hours, energy, work, bills, carbon, claimable yen, charges, window) are those of the rules.
    #[test]
    fn expanded_rows_are_those_of_the_rules(seed in any::<u64>()) {
        let instance = random_instance(seed);
        let (sizes, pools, table) = (&instance.sizes, &instance.pools, &instance.workloads);
        for (column, slow) in all_columns(&instance) {
            let rows = expand(&instance, &[column]);
            let mut hours = vec![0.0; sizes.periods];
            for entry in rows.offset[0]..rows.offset[1] {
                prop_assert_eq!(rows.cell[entry] / sizes.periods, slow.pool);
                hours[rows.cell[entry] % sizes.periods] += rows.hours[entry];
                let limited = pools.pool_site[slow.pool] != NONE;
                let kwh = if limited { rows.hours[entry] * pools.pool_kw[slow.pool] } else { 0.0 };
                prop_assert!(close(rows.kwh[entry], kwh));
            }
            let (mut bill, mut kg) = (vec![0.0; sizes.years], vec![0.0; sizes.years]);
            prop_assert!(hours.iter().zip(&slow.hours).all(|(a, b)| close(*a, *b)));
            for (t, hours) in slow.hours.iter().enumerate() {
                let year = pools.year_of_period[t];
                bill[year] += hours * pools.charge_reference[slow.pool * sizes.periods + t];
                kg[year] += hours * pools.pool_kg[slow.pool];
            }
            let paid = naive::start_yen(&instance, &slow);
            bill[pools.year_of_period[slow.start]] += paid;
            let work = naive::work_by_year(&instance, &slow);
            for y in 0..sizes.years {
                prop_assert!(close(rows.work[y], work[y]) && close(rows.charge_yen[y], bill[y]));
                prop_assert!(close(rows.kg[y], kg[y]));
            }
            let mut claimable = vec![0.0; claim_set_size_max(&instance) * sizes.years];
            for (i, r) in naive::programmes(&instance, slow.claim_set).into_iter().enumerate() {
                claimable[i * sizes.years..(i + 1) * sizes.years]
                    .copy_from_slice(&naive::claimable(&instance, &slow, r));
            }
            prop_assert_eq!(claimable.len(), rows.claimable_yen.len());
            prop_assert!(claimable.iter().zip(&rows.claimable_yen).all(|(a, b)| close(*a, *b)));
            let wait = (slow.start - table.release[slow.workload]) as f64;
            let fixed = wait * table.late_yen[slow.workload]
                + naive::change_yen(&instance, &slow)
                + kg.iter().sum::<f64>() * pools.carbon_yen_per_kg
                + paid * pools.discount[slow.start];
            prop_assert!(close(rows.fixed_yen[0], fixed) && close(rows.pay_yen[0], paid));
            prop_assert_eq!((rows.wait[0], rows.start[0], rows.end[0]), (wait, slow.start, slow.end));
        }
    }
}

/// The random instances hold what the tests above claim to cover.
#[test]
fn random_instances_cover_the_rules() {
    let mut seen = std::collections::BTreeMap::<&str, usize>::new();
    let mut note = |what: &'static str, is_there: bool| *seen.entry(what).or_default() += usize::from(is_there);
    for seed in 0..400 {
        let instance = random_instance(seed);
        note("project row", !instance.project_rows.is_empty());
        note("member slot", instance.slot_member.len() > 1);
        for (column, slow) in all_columns(&instance) {
            for r in naive::programmes(&instance, slow.claim_set) {
                let yen = naive::claimable(&instance, &slow, r);
                note("capped", yen.iter().sum::<f64>() > naive::cap(&instance, slow.workload, r));
                note("several years", yen.iter().filter(|&&yen| yen > 0.0).count() > 1);
            }
            note("stacked", naive::programmes(&instance, slow.claim_set).len() > 1);
            note("node", instance.modes[column.mode].gang > slow.accelerators);
            note("change", naive::change_yen(&instance, &slow) > 0.0);
            note("transfer", naive::start_yen(&instance, &slow) > 0.0);
            note("one pause", slow.pauses == 1);
            note("two pauses", slow.pauses == 2);
            note("three pauses", slow.pauses == 3);
            note("locked with pauses", slow.pauses > 0 && instance.workloads.locked[slow.workload]);
        }
        for other in 0..5 {
            let evaluation = evaluate(&instance, &random_prices(&instance, seed + 1_000 * other));
            for (column, term) in evaluation.columns.iter().zip(&evaluation.workload_terms) {
                note("cheapest has pauses", column.pauses.count > 0);
                note("relaxed", *term < column.price);
            }
        }
    }
    for (what, count) in &seen {
        assert!(*count >= 10, "{what}: {count} times; all: {seen:?}");
    }
    assert_eq!(seen.len(), 14, "{seen:?}");
}
