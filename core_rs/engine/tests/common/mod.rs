//! Random small instances, and slow code that reads docs/rules.md a second time; shares nothing with the crate but its tables.

// Each test file is a crate of its own and uses a part of this.
#![allow(dead_code)]

pub mod checks;
pub mod draw;
pub mod naive;
pub mod naive_bound;
pub mod naive_supply;

use proptest::test_runner::{Config, RngSeed};
use tehai_engine::instance::{CommittedOffers, HourlyOffers, Instance, PoolTable, RuleTable, Sizes, WorkloadTable};
use tehai_engine::prices::{PriceLayout, project_to_rows};

/// Hours of a period in every random instance.
pub const PERIOD_HOURS: f64 = 24.0;
/// Charge of a missed mandatory workload.
pub const MANDATORY_YEN: f64 = 1e7;

/// The same cases on every run; a failing seed is told, not shrunk.
pub fn cases(count: u32) -> Config {
    Config {
        cases: count,
        failure_persistence: None,
        max_shrink_iters: 0,
        rng_seed: RngSeed::Fixed(20_261_123),
        ..Config::default()
    }
}

/// The tables of an instance before they are checked.
#[derive(Clone, Debug)]
pub struct Tables {
    pub sizes: Sizes,
    pub pools: PoolTable,
    pub workloads: WorkloadTable,
    pub hourly: HourlyOffers,
    pub committed: CommittedOffers,
    pub rules: RuleTable,
}

impl Tables {
    /// Build the instance; the tables fit.
    pub fn instance(self) -> Instance {
        let Self { sizes, pools, workloads, hourly, committed, rules } = self;
        Instance::new(sizes, pools, workloads, hourly, committed, rules).expect("random tables fit each other")
    }
}

/// Random instance of a seed: every kind of offer and row, two or three fiscal years, up to five workloads.
pub fn random_instance(seed: u64) -> Instance {
    random_tables(seed).instance()
}

/// Tables of `random_instance`.
pub fn random_tables(seed: u64) -> Tables {
    draw::Draw::new(seed).tables()
}

/// Random prices of about the size of the costs, projected to the rows that exist; about a third are zero.
pub fn random_prices(instance: &Instance, seed: u64) -> Vec<f64> {
    let layout = PriceLayout::of(instance);
    let mut draw = draw::Draw::new(seed ^ 0x5eed);
    let mut prices: Vec<f64> = (0..layout.count)
        .map(|row| {
            let scale = match row {
                row if row < layout.budget => 150.0,
                row if row < layout.carbon => 0.8,
                row if row < layout.waiting => 100.0,
                row if row < layout.precedence => 400.0,
                _ => 1_500.0,
            };
            if draw.chance(0.35) { 0.0 } else { draw.real(0.0, scale) }
        })
        .collect();
    project_to_rows(instance, &mut prices);
    prices
}
