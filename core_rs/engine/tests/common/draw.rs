//! Random small tables with every kind of offer, row and charge.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use tehai_engine::instance::{CommittedOffers, HourlyOffers, NONE, PoolTable, RuleTable, Sizes, WorkloadTable};

use super::{PERIOD_HOURS, Tables, naive};

/// Generator of tables; a roomy instance has wide windows and room for runs with pauses.
pub struct Draw {
    generator: Pcg64Mcg,
    roomy: bool,
}

impl Draw {
    pub fn new(seed: u64) -> Self {
        Self { generator: Pcg64Mcg::seed_from_u64(seed), roomy: false }
    }

    pub fn whole(&mut self, low: usize, high: usize) -> usize {
        self.generator.random_range(low..=high)
    }

    pub fn real(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.generator.random::<f64>()
    }

    pub fn chance(&mut self, part: f64) -> bool {
        self.generator.random_bool(part)
    }

    fn reals(&mut self, count: usize, low: f64, high: f64) -> Vec<f64> {
        (0..count).map(|_| self.real(low, high)).collect()
    }

    fn zero_or(&mut self, part_zero: f64, low: f64, high: f64) -> f64 {
        if self.chance(part_zero) { 0.0 } else { self.real(low, high) }
    }

    fn infinite_or(&mut self, part_infinite: f64, low: f64, high: f64) -> f64 {
        if self.chance(part_infinite) { f64::INFINITY } else { self.real(low, high) }
    }

    fn limits(&mut self, count: usize, part_infinite: f64, low: f64, high: f64) -> Vec<f64> {
        (0..count).map(|_| self.infinite_or(part_infinite, low, high)).collect()
    }

    pub fn tables(mut self) -> Tables {
        self.roomy = self.chance(0.5);
        let workloads = self.whole(1, if self.roomy { 3 } else { 5 });
        let mut sizes = Sizes {
            periods: if self.roomy { self.whole(7, 9) } else { self.whole(4, 8) },
            pools: self.whole(1, 3),
            limited_sites: self.whole(0, 2),
            years: self.whole(2, 3),
            workloads,
            programmes: self.whole(0, 3),
            families: self.whole(1, 2),
            members: self.whole(1, 3),
            projects: self.whole(1, workloads),
            routes: self.whole(1, 2),
            work_rows: self.whole(0, 3),
            claim_sets: 0,
        };
        // The last programme of three pays for orders.
        let capital = if sizes.programmes == 3 { 2 } else { NONE };
        let hourly = self.hourly(&sizes);
        let committed = self.committed(&sizes, capital);
        let pools = self.pools(&sizes, &hourly, &committed);
        let workloads = self.workloads(&sizes);
        let rules = self.rules(&mut sizes, capital);
        Tables { sizes, pools, workloads, hourly, committed, rules }
    }

    fn hourly(&mut self, sizes: &Sizes) -> HourlyOffers {
        let count = self.whole(1, 4);
        let cells = count * sizes.periods;
        let unit_cash = self.reals(cells, 0.0, 120.0);
        let mut table = HourlyOffers {
            pool: (0..count).map(|_| self.whole(0, sizes.pools - 1)).collect(),
            unit_cost: unit_cash.iter().map(|cash| cash * self.real(0.9, 1.0)).collect(),
            unit_cash,
            limit_hours: (0..cells)
                .map(|_| {
                    let least = if self.roomy { 4 } else { 1 };
                    if self.chance(0.15) { 0.0 } else { self.whole(least, 8) as f64 * PERIOD_HOURS }
                })
                .collect(),
            quota_hours: vec![f64::INFINITY; count * sizes.years],
        };
        let mut has_quota = vec![false; sizes.pools];
        for offer in 0..count {
            if self.chance(0.4) && !has_quota[table.pool[offer]] {
                has_quota[table.pool[offer]] = true;
                for y in 0..sizes.years {
                    table.quota_hours[offer * sizes.years + y] = self.zero_or(0.2, 50.0, 900.0);
                }
            }
        }
        table
    }

    fn committed(&mut self, sizes: &Sizes, capital: usize) -> CommittedOffers {
        let count = self.whole(0, 3);
        let mut table = CommittedOffers { option_offset: vec![0], live_offset: vec![0], ..CommittedOffers::default() };
        for _ in 0..count {
            table.pool.push(self.whole(0, sizes.pools - 1));
            let is_live = self.chance(0.5);
            table.limit_is_live.push(is_live);
            table.unit_limit.push(self.whole(1, 3) as f64);
            let owner = if is_live || self.chance(0.3) { NONE } else { self.whole(0, sizes.members - 1) };
            table.owner.push(owner);
            let dearest = if self.chance(0.5) { 30.0 } else { 0.0 };
            let use_cash = self.reals(sizes.periods, 0.0, dearest);
            table.use_cost.extend(use_cash.iter().map(|cash| cash * self.real(0.9, 1.0)));
            table.use_cash.extend(use_cash);
            let accelerators = self.whole(1, 4) as f64;
            for _ in 0..self.whole(0, 5) {
                let programme = if owner != NONE && capital != NONE && self.chance(0.5) { capital } else { NONE };
                self.push_option(sizes, &mut table, is_live, accelerators, programme);
            }
            table.option_offset.push(table.option_first.len());
        }
        table
    }

    fn push_option(
        &mut self,
        sizes: &Sizes,
        table: &mut CommittedOffers,
        is_live: bool,
        accelerators: f64,
        programme: usize,
    ) {
        let first = self.whole(0, sizes.periods - 1);
        let length = self.whole(1, sizes.periods - first);
        let ramp = if is_live { 1.0 } else { self.real(0.3, 1.0) };
        // A block may end within a period.
        let ends = if is_live && self.chance(0.4) { self.real(0.2, 0.9) } else { 1.0 };
        for d in 0..length {
            let live = if d == 0 { accelerators * ramp } else { accelerators };
            table.live_accelerators.push(live);
            table.live_hours.push(live * PERIOD_HOURS * if d + 1 == length { ends } else { 1.0 });
        }
        table.live_offset.push(table.live_accelerators.len());
        table.option_first.push(first);
        let price = accelerators * PERIOD_HOURS * length as f64 * self.real(10.0, 90.0);
        table.option_cost.push(price);
        table.option_cash.extend(self.reals(sizes.years, 0.0, 4_000.0));
        let most = if is_live { 0.0 } else { 3_000.0 };
        table.option_capital.extend(self.reals(sizes.years, 0.0, most));
        table.option_programme.push(programme);
        table.option_claim_yen.push(if programme == NONE { 0.0 } else { price * self.real(0.1, 0.6) });
        table.option_claim_year.push(self.whole(0, sizes.years - 1));
    }

    fn pools(&mut self, sizes: &Sizes, hourly: &HourlyOffers, committed: &CommittedOffers) -> PoolTable {
        let (p, t) = (sizes.pools, sizes.periods);
        PoolTable {
            period_hours: PERIOD_HOURS,
            year_of_period: (0..t).map(|period| period * sizes.years / t).collect(),
            discount: (0..t).map(|period| 0.99_f64.powi(period as i32)).collect(),
            pool_site: (0..p)
                .map(|_| self.whole(0, sizes.limited_sites))
                .map(|j| j.checked_sub(1).unwrap_or(NONE))
                .collect(),
            pool_kw: self.reals(p, 0.5, 2.0),
            pool_kg: (0..p).map(|_| self.zero_or(0.2, 0.1, 0.8)).collect(),
            carbon_yen_per_kg: self.zero_or(0.4, 1.0, 30.0),
            pool_memory_gb: self.reals(p, 60.0, 160.0),
            pool_gang_max: (0..p).map(|_| self.whole(2, 8) as f64).collect(),
            pool_node: (0..p).map(|_| if self.chance(0.5) { 1.0 } else { self.whole(2, 4) as f64 }).collect(),
            pool_throughput: (0..p * sizes.families)
                .map(|_| if self.chance(0.15) { 0.0 } else { self.real(0.4, 2.0) })
                .collect(),
            capacity_max: naive::largest_capacity(sizes, hourly, committed),
            grant_reference: self.reals(p * t, 0.0, 100.0),
            charge_reference: self.reals(p * t, 0.0, 150.0),
            site_limit_kwh: self.reals(sizes.limited_sites, 4.0 * PERIOD_HOURS, 12.0 * PERIOD_HOURS),
            route_yen: self.reals(sizes.routes * t, 5.0, 60.0),
        }
    }

    fn workloads(&mut self, sizes: &Sizes) -> WorkloadTable {
        let (w, p) = (sizes.workloads, sizes.pools);
        let latest = if self.roomy { 1 } else { sizes.periods / 2 };
        let release: Vec<usize> = (0..w).map(|_| self.whole(0, latest)).collect();
        let earliest = if self.roomy { sizes.periods - 1 } else { sizes.periods / 2 };
        let mut table = WorkloadTable {
            work: if self.roomy {
                self.reals(w, 40.0, 9.0 * PERIOD_HOURS)
            } else {
                self.reals(w, 5.0, 12.0 * PERIOD_HOURS)
            },
            deadline: release.iter().map(|&first| self.whole(first.max(earliest), sizes.periods)).collect(),
            release,
            memory_gb: self.reals(w, 20.0, 160.0),
            family: (0..w).map(|_| self.whole(0, sizes.families - 1)).collect(),
            late_yen: (0..w).map(|_| self.zero_or(0.2, 10.0, 500.0)).collect(),
            not_run_yen: self.limits(w, if self.roomy { 0.5 } else { 0.15 }, 1_000.0, 40_000.0),
            project: (0..w).map(|_| self.whole(0, sizes.projects - 1)).collect(),
            member: (0..w).map(|_| self.whole(0, sizes.members - 1)).collect(),
            pool_allowed: (0..w * p).map(|_| self.chance(0.85)).collect(),
            porting_yen: (0..w * p).map(|_| self.zero_or(0.6, 50.0, 2_000.0)).collect(),
            pool_route: (0..w * p)
                .map(|_| if self.chance(0.5) { NONE } else { self.whole(0, sizes.routes - 1) })
                .collect(),
            terabytes: (0..w).map(|_| self.zero_or(0.3, 1.0, 30.0)).collect(),
            pauses_max: (0..w).map(|_| if self.chance(0.3) { 0 } else { self.whole(1, 3) }).collect(),
            resume_hours: (0..w).map(|_| self.zero_or(0.3, 0.5, 15.0)).collect(),
            gang_offset: vec![0],
            ..WorkloadTable::default()
        };
        for _ in 0..w {
            // The gang options of a workload differ.
            let first = self.whole(1, 3);
            for more in 0..self.whole(1, 3) {
                table.gang_accelerators.push((first + more) as f64);
                table.gang_efficiency.push(self.real(0.6, 1.0));
            }
            table.gang_offset.push(table.gang_accelerators.len());
        }
        self.current_plan(sizes, &mut table);
        self.precedences(sizes, &mut table);
        table
    }

    fn current_plan(&mut self, sizes: &Sizes, table: &mut WorkloadTable) {
        for w in 0..sizes.workloads {
            let is_planned = self.chance(0.4);
            let option = self.whole(table.gang_offset[w], table.gang_offset[w + 1] - 1);
            table.current_pool.push(if is_planned { self.whole(0, sizes.pools - 1) } else { NONE });
            table.current_gang.push(if is_planned { table.gang_accelerators[option] } else { 0.0 });
            table.current_start.push(if is_planned { self.whole(0, sizes.periods / 2) } else { 0 });
            table.change_yen.push(if is_planned { self.zero_or(0.2, 100.0, 3_000.0) } else { 0.0 });
            let is_locked = is_planned && self.chance(0.3);
            table.locked.push(is_locked);
            if is_locked {
                table.not_run_yen[w] = f64::INFINITY;
            }
        }
    }

    fn precedences(&mut self, sizes: &Sizes, table: &mut WorkloadTable) {
        for after in 1..sizes.workloads {
            for before in 0..after {
                if self.chance(0.25) {
                    table.before.push(before);
                    table.after.push(after);
                }
            }
        }
    }

    fn rules(&mut self, sizes: &mut Sizes, capital: usize) -> RuleTable {
        let (r, y, m) = (sizes.programmes, sizes.years, sizes.members);
        let budget_yen = self.limits(y, 0.5, 5_000.0, 60_000.0);
        let member_budget_yen = self.limits(m * y, 0.6, 2_000.0, 40_000.0);
        let mut table = RuleTable {
            work_row_year: (0..sizes.work_rows).map(|_| self.whole(0, y - 1)).collect(),
            work_row_coefficient: self.reals(sizes.work_rows * sizes.pools, -0.8, 0.8),
            plan_budget_yen: budget_yen.iter().map(|yen| yen - 5.0).collect(),
            budget_yen,
            plan_member_budget_yen: member_budget_yen.iter().map(|yen| yen - 5.0).collect(),
            member_budget_yen,
            capital_yen: self.limits(y, 0.5, 0.0, 9_000.0),
            carbon_kg: self.limits(y, 0.5, 50.0, 500.0),
            waiting_periods: self.infinite_or(0.5, 0.0, 9.0),
            programme_window: (0..r * sizes.periods).map(|_| self.chance(0.8)).collect(),
            programme_pool: (0..r * sizes.pools).map(|_| self.chance(0.8)).collect(),
            programme_group: vec![NONE; r],
            project_cap_yen: self.limits(r * sizes.projects, 0.3, 200.0, 4_000.0),
            programme_budget_yen: self.limits(r * y, 0.4, 500.0, 8_000.0),
            member_cap_yen: self.limits(r * m * y, 0.6, 200.0, 5_000.0),
            claim_discount: self.reals(r * y, 0.85, 1.0),
            claim_pay_year: (0..r * y).map(|cell| self.pay_year(cell % y, y)).collect(),
            rate: (0..sizes.workloads * r)
                .map(|cell| if cell % r == capital { 0.0 } else { self.zero_or(0.2, 0.2, 0.5) })
                .collect(),
            claim_set_offset: vec![0],
            claim_set_programmes: Vec::new(),
        };
        let usage: Vec<usize> = (0..r).filter(|&programme| programme != capital).collect();
        let mut sets: Vec<Vec<usize>> = usage.iter().map(|&programme| vec![programme]).collect();
        if usage.len() > 1 && self.chance(0.6) {
            sets.push(usage);
        }
        for set in &sets {
            table.claim_set_programmes.extend(set);
            table.claim_set_offset.push(table.claim_set_programmes.len());
        }
        sizes.claim_sets = sets.len();
        table
    }

    /// Paid in the year of the claim or the next one, which may lie after the horizon.
    fn pay_year(&mut self, year: usize, years: usize) -> usize {
        let paid = year + self.whole(0, 1);
        if paid < years { paid } else { NONE }
    }
}
