//! Random small instances, and slow code that reads docs/rules.md a second time; shares nothing with the crate but its tables.

// Each test file is a crate of its own and uses a part of this.
#![allow(dead_code)]

pub mod checks;
pub mod naive;

use proptest::test_runner::{Config, RngSeed};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use tehai_engine::instance::{
    CommittedOffers, HourlyOffers, Instance, NO_SITE, PoolTable, RuleTable, Sizes, WorkloadTable,
};
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

/// Random instance of a seed: every kind of offer and row, two or three fiscal years, up to six workloads.
pub fn random_instance(seed: u64) -> Instance {
    random_tables(seed).instance()
}

/// Tables of `random_instance`.
pub fn random_tables(seed: u64) -> Tables {
    let mut draw = Draw(Pcg64Mcg::seed_from_u64(seed));
    let sizes = Sizes {
        periods: draw.whole(4, 9),
        pools: draw.whole(1, 3),
        limited_sites: draw.whole(0, 2),
        years: draw.whole(2, 3),
        workloads: draw.whole(1, 6),
        programmes: draw.whole(0, 2),
        families: draw.whole(1, 2),
    };
    let hourly = draw.hourly(&sizes);
    let committed = draw.committed(&sizes);
    let pools = draw.pools(&sizes, &hourly, &committed);
    let workloads = draw.workloads(&sizes);
    let rules = draw.rules(&sizes);
    Tables { sizes, pools, workloads, hourly, committed, rules }
}

/// Random prices of about the size of the costs, projected to the rows that exist; about a third are zero.
pub fn random_prices(instance: &Instance, seed: u64) -> Vec<f64> {
    let layout = PriceLayout::of(instance);
    let mut draw = Draw(Pcg64Mcg::seed_from_u64(seed ^ 0x5eed));
    let mut prices: Vec<f64> = (0..layout.count)
        .map(|row| {
            let scale = if row < layout.budget { 150.0 } else { 1.2 };
            if draw.chance(0.3) { 0.0 } else { draw.real(0.0, scale) }
        })
        .collect();
    project_to_rows(instance, &mut prices);
    prices
}

struct Draw(Pcg64Mcg);

impl Draw {
    fn whole(&mut self, low: usize, high: usize) -> usize {
        self.0.random_range(low..=high)
    }

    fn real(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.0.random::<f64>()
    }

    fn chance(&mut self, part: f64) -> bool {
        self.0.random_bool(part)
    }

    fn reals(&mut self, count: usize, low: f64, high: f64) -> Vec<f64> {
        (0..count).map(|_| self.real(low, high)).collect()
    }

    fn infinite_or(&mut self, part_infinite: f64, low: f64, high: f64) -> f64 {
        if self.chance(part_infinite) { f64::INFINITY } else { self.real(low, high) }
    }

    fn hourly(&mut self, sizes: &Sizes) -> HourlyOffers {
        let count = self.whole(1, 4);
        let cells = count * sizes.periods;
        HourlyOffers {
            pool: (0..count).map(|_| self.whole(0, sizes.pools - 1)).collect(),
            unit_cost: self.reals(cells, 0.0, 120.0),
            limit_hours: (0..cells)
                .map(|_| if self.chance(0.2) { 0.0 } else { self.whole(1, 8) as f64 * PERIOD_HOURS })
                .collect(),
        }
    }

    fn committed(&mut self, sizes: &Sizes) -> CommittedOffers {
        let count = self.whole(0, 3);
        let mut table = CommittedOffers { option_offset: vec![0], live_offset: vec![0], ..CommittedOffers::default() };
        for _ in 0..count {
            table.pool.push(self.whole(0, sizes.pools - 1));
            let reservation = self.chance(0.5);
            table.limit_is_live.push(reservation);
            table.unit_limit.push(self.whole(1, 3) as f64);
            let metered = self.chance(0.5);
            let dearest = if metered { 30.0 } else { 0.0 };
            table.use_cost.extend(self.reals(sizes.periods, 0.0, dearest));
            let accelerators = self.whole(1, 4) as f64;
            for _ in 0..self.whole(0, 5) {
                self.push_option(sizes, &mut table, reservation, accelerators);
            }
            table.option_offset.push(table.option_first.len());
        }
        table
    }

    fn push_option(&mut self, sizes: &Sizes, table: &mut CommittedOffers, reservation: bool, accelerators: f64) {
        let first = self.whole(0, sizes.periods - 1);
        let length = self.whole(1, sizes.periods - first);
        let ramp = if reservation { 1.0 } else { self.real(0.3, 1.0) };
        let live = (0..length).map(|d| if d == 0 { accelerators * ramp } else { accelerators });
        table.live_accelerators.extend(live);
        table.live_offset.push(table.live_accelerators.len());
        table.option_first.push(first);
        table.option_cost.push(accelerators * PERIOD_HOURS * length as f64 * self.real(10.0, 90.0));
        table.option_cash.extend(self.reals(sizes.years, 0.0, 4_000.0));
    }

    fn pools(&mut self, sizes: &Sizes, hourly: &HourlyOffers, committed: &CommittedOffers) -> PoolTable {
        let (p, t) = (sizes.pools, sizes.periods);
        PoolTable {
            period_hours: PERIOD_HOURS,
            year_of_period: (0..t).map(|period| period * sizes.years / t).collect(),
            pool_site: (0..p)
                .map(|_| self.whole(0, sizes.limited_sites))
                .map(|j| j.checked_sub(1).unwrap_or(NO_SITE))
                .collect(),
            pool_kw: self.reals(p, 0.5, 2.0),
            pool_domestic: (0..p).map(|_| self.chance(0.5)).collect(),
            pool_memory_gb: self.reals(p, 60.0, 160.0),
            pool_gang_max: (0..p).map(|_| self.whole(2, 8) as f64).collect(),
            pool_throughput: (0..p * sizes.families)
                .map(|_| if self.chance(0.15) { 0.0 } else { self.real(0.4, 2.0) })
                .collect(),
            capacity_max: naive::largest_capacity(sizes, hourly, committed),
            grant_reference: self.reals(p * t, 0.0, 100.0),
            site_limit_kwh: self.reals(sizes.limited_sites, 4.0 * PERIOD_HOURS, 12.0 * PERIOD_HOURS),
        }
    }

    fn workloads(&mut self, sizes: &Sizes) -> WorkloadTable {
        let w = sizes.workloads;
        let release: Vec<usize> = (0..w).map(|_| self.whole(0, sizes.periods / 2)).collect();
        let mut table = WorkloadTable {
            work: self.reals(w, 5.0, 12.0 * PERIOD_HOURS),
            deadline: release.iter().map(|&first| self.whole(first.max(sizes.periods / 2), sizes.periods)).collect(),
            release,
            memory_gb: self.reals(w, 20.0, 160.0),
            family: (0..w).map(|_| self.whole(0, sizes.families - 1)).collect(),
            late_yen: self.reals(w, 0.0, 500.0),
            not_run_yen: (0..w).map(|_| self.infinite_or(0.15, 1_000.0, 40_000.0)).collect(),
            project: (0..w).map(|_| self.whole(0, w - 1)).collect(),
            pool_allowed: (0..w * sizes.pools).map(|_| self.chance(0.85)).collect(),
            gang_offset: vec![0],
            ..WorkloadTable::default()
        };
        for _ in 0..w {
            for _ in 0..self.whole(1, 4) {
                table.gang_accelerators.push(self.whole(1, 6) as f64);
                table.gang_efficiency.push(self.real(0.6, 1.0));
            }
            table.gang_offset.push(table.gang_accelerators.len());
        }
        table
    }

    fn rules(&mut self, sizes: &Sizes) -> RuleTable {
        let (r, y) = (sizes.programmes, sizes.years);
        let budget_yen: Vec<f64> = (0..y).map(|_| self.infinite_or(0.5, 5_000.0, 60_000.0)).collect();
        RuleTable {
            share_min: (0..y).map(|_| if self.chance(0.5) { -1.0 } else { self.real(0.1, 0.9) }).collect(),
            plan_budget_yen: budget_yen.iter().map(|yen| yen - 5.0).collect(),
            budget_yen,
            programme_window: (0..r * sizes.periods).map(|_| self.chance(0.8)).collect(),
            programme_pool: (0..r * sizes.pools).map(|_| self.chance(0.8)).collect(),
            project_cap_yen: (0..r).map(|_| self.infinite_or(0.2, 200.0, 4_000.0)).collect(),
            programme_budget_yen: (0..r * y).map(|_| self.infinite_or(0.4, 500.0, 8_000.0)).collect(),
            rate: (0..sizes.workloads * r).map(|_| if self.chance(0.2) { 0.0 } else { self.real(0.2, 0.7) }).collect(),
        }
    }
}
