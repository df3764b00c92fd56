//! What the constructor refuses, by name.

mod common;

use common::{Tables, random_tables};
use tehai_engine::error::EngineError;
use tehai_engine::instance::{Instance, NONE};

fn refusal(change: impl Fn(&mut Tables)) -> EngineError {
    let mut tables = random_tables(7);
    change(&mut tables);
    let Tables { sizes, pools, workloads, hourly, committed, rules } = tables;
    Instance::new(sizes, pools, workloads, hourly, committed, rules).expect_err("tables that do not fit were taken")
}

/// An array of another length is refused with its name and both lengths.
#[test]
fn wrong_length_is_refused() {
    let expected = random_tables(7).sizes.workloads;
    let error = refusal(|tables| tables.workloads.work.push(1.0));
    assert_eq!(error, EngineError::Length { name: "work", found: expected + 1, expected });
    assert_eq!(error.to_string(), format!("array `work` has {} entries, expected {expected}", expected + 1));
}

/// An index outside its table is refused.
#[test]
fn wrong_index_is_refused() {
    let error = refusal(|tables| tables.workloads.family[0] = 99);
    assert!(matches!(error, EngineError::Index { name: "family", index: 99, .. }), "{error}");
    let error = refusal(|tables| tables.sizes.years = 65);
    assert!(matches!(error, EngineError::Index { name: "years", index: 65, .. }), "{error}");
}

/// NaN and infinity are refused where a number is needed; an infinite charge (mandatory) is taken.
#[test]
fn values_that_are_not_finite_are_refused() {
    for value in [f64::NAN, f64::INFINITY] {
        let error = refusal(|tables| tables.pools.pool_kw[0] = value);
        assert_eq!(error, EngineError::NotFinite { name: "pool_kw" });
    }
    let mut tables = random_tables(7);
    tables.workloads.not_run_yen[0] = f64::INFINITY;
    assert!(tables.instance().workloads.not_run_yen[0].is_infinite());
}

/// An option that claims needs an owner, a pausing workload no more pauses than a column can hold.
#[test]
fn claims_without_owner_and_too_many_pauses_are_refused() {
    let error = refusal(|tables| tables.workloads.pauses_max[0] = 4);
    assert!(matches!(error, EngineError::Index { name: "pauses_max", index: 4, count: 4 }), "{error}");
    let claiming = |tables: &Tables| tables.committed.option_programme.iter().any(|&programme| programme != NONE);
    let seed = (0..).find(|&seed| claiming(&random_tables(seed))).expect("some instance claims for orders");
    let mut tables = random_tables(seed);
    tables.committed.owner.fill(NONE);
    let Tables { sizes, pools, workloads, hourly, committed, rules } = tables;
    let error = Instance::new(sizes, pools, workloads, hourly, committed, rules).expect_err("a claim has no owner");
    assert!(matches!(error, EngineError::Index { name: "committed_owner", .. }), "{error}");
}

/// NONE is taken where something may be absent, any other index outside its table is not.
#[test]
fn absent_is_no_index() {
    for (site, is_taken) in [(NONE, true), (99, false)] {
        let mut tables = random_tables(7);
        tables.pools.pool_site[0] = site;
        let Tables { sizes, pools, workloads, hourly, committed, rules } = tables;
        assert_eq!(Instance::new(sizes, pools, workloads, hourly, committed, rules).is_ok(), is_taken);
    }
}

/// Legal starts of all modes are exactly the columns that a period-by-period reading of the rules finds.
#[test]
fn legal_starts_are_the_legal_columns() {
    let mut found = 0;
    for seed in 0..200 {
        let instance = common::random_instance(seed);
        let naive = (0..instance.sizes.workloads).flat_map(|w| common::naive::columns(&instance, w));
        let expected = naive.filter(|column| column.claim_set.is_none() && column.pauses == 0).count();
        assert_eq!(instance.start_count(), expected, "seed {seed}");
        found += expected;
    }
    assert!(found > 1_000, "only {found} columns in all instances");
}
