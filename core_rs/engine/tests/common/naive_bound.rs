//! The bound of docs/rules.md, "The certificate" and "Pauses in the bound", over columns written out.

use std::collections::BTreeMap;

use tehai_engine::instance::Instance;
use tehai_engine::prices::PriceLayout;

use super::naive::{self, NaiveColumn};
use super::naive_supply;

/// Least true cost of a workload: not run (unless mandatory) or its cheapest column; infinite where it can do neither.
pub fn cheapest(instance: &Instance, workload: usize, prices: &[f64]) -> f64 {
    naive::columns(instance, workload)
        .iter()
        .map(|column| naive::price(instance, column, prices))
        .fold(instance.workloads.not_run_yen[workload], f64::min)
}

/// Term of a workload in the bound: columns with pauses count at their relaxed minimum.
pub fn term(instance: &Instance, workload: usize, prices: &[f64]) -> f64 {
    let mut least = instance.workloads.not_run_yen[workload];
    let mut groups: BTreeMap<(usize, usize, usize, Option<usize>), Vec<NaiveColumn>> = BTreeMap::new();
    for column in naive::columns(instance, workload) {
        if column.pauses == 0 {
            least = least.min(naive::price(instance, &column, prices));
        } else {
            let key = (column.pool, column.accelerators as usize, column.pauses, column.claim_set);
            groups.entry(key).or_default().push(column);
        }
    }
    groups.values().map(|columns| relaxed_minimum(instance, columns, prices)).fold(least, f64::min)
}

/// Largest over `lambda` of the least relaxed price of columns that differ in their periods alone.
fn relaxed_minimum(instance: &Instance, columns: &[NaiveColumn], prices: &[f64]) -> f64 {
    let workload = columns[0].workload;
    let programmes = naive::programmes(instance, columns[0].claim_set);
    let mut vectors = vec![Vec::new()];
    for &r in &programmes {
        let mut values = vec![0.0];
        if naive::cap(instance, workload, r).is_finite() {
            values.extend(naive::claim_worths(instance, workload, r, prices).into_iter().filter(|&v| v > 0.0));
        }
        vectors = vectors
            .iter()
            .flat_map(|vector: &Vec<f64>| values.iter().map(|&value| [&vector[..], &[value]].concat()))
            .collect();
    }
    let relaxed = |lambda: &Vec<f64>| {
        let priced = columns.iter().map(|column| relaxed_price(instance, column, &programmes, lambda, prices));
        priced.fold(f64::INFINITY, f64::min)
    };
    vectors.iter().map(relaxed).fold(f64::NEG_INFINITY, f64::max)
}

fn relaxed_price(
    instance: &Instance,
    column: &NaiveColumn,
    programmes: &[usize],
    lambda: &[f64],
    prices: &[f64],
) -> f64 {
    let mut price = naive::price_before_claims(instance, column, prices);
    for (&r, &lambda) in programmes.iter().zip(lambda) {
        let worths = naive::claim_worths(instance, column.workload, r, prices);
        let most = naive::claimable(instance, column, r);
        price -= worths.iter().zip(&most).map(|(v, yen)| (v - lambda).max(0.0) * yen).sum::<f64>();
        if lambda > 0.0 {
            price -= lambda * naive::cap(instance, column.workload, r);
        }
    }
    price
}

/// The bound of docs/rules.md; mandatory workloads without a column are left out.
pub fn bound(instance: &Instance, prices: &[f64]) -> f64 {
    let (sizes, table) = (&instance.sizes, &instance.workloads);
    let mut total = naive_supply::supply(instance, prices);
    let terms = (0..sizes.workloads).map(|w| term(instance, w, prices));
    total += terms.filter(|least| least.is_finite()).sum::<f64>();
    let limits = limits(instance);
    assert_eq!(limits.len() + table.before.len() * sizes.periods, prices.len());
    for (price, limit) in prices.iter().zip(limits) {
        total -= if limit.is_finite() { price * limit } else { 0.0 };
    }
    total
}

/// Limits of all rows but precedences in the order of the layout; capacity and shares of work have limit 0.
fn limits(instance: &Instance) -> Vec<f64> {
    let (sizes, rules, layout) = (&instance.sizes, &instance.rules, PriceLayout::of(instance));
    let mut limits = vec![0.0; sizes.pools * sizes.periods];
    for kwh in &instance.pools.site_limit_kwh {
        limits.extend(std::iter::repeat_n(*kwh, sizes.periods));
    }
    limits.extend(std::iter::repeat_n(0.0, sizes.work_rows));
    limits.extend(&rules.budget_yen);
    limits.extend(&rules.programme_budget_yen);
    for row in &instance.project_rows {
        limits.push(rules.project_cap_yen[row.programme * sizes.projects + row.project]);
    }
    limits.extend(&rules.member_budget_yen);
    limits.extend(&rules.member_cap_yen);
    limits.extend(&rules.capital_yen);
    limits.extend(&rules.carbon_kg);
    assert_eq!(limits.len(), layout.waiting);
    limits.push(rules.waiting_periods);
    limits
}
