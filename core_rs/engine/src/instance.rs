//! A problem as arrays: immutable, and valid from its constructor.

use crate::error::{EngineError, check_finite, check_indices, check_length};

/// Most fiscal years of a horizon; scratch space in the hot loop has this size.
pub const YEAR_COUNT_MAX: usize = 64;
/// Marks a pool whose site has no power limit.
pub const NO_SITE: usize = usize::MAX;
/// Part of a period under which a remainder counts as nothing (docs/rules.md, "Placements").
const REST_TOLERANCE: f64 = 1e-9;
/// Accelerators by which a fractional delivery may fall short of a gang through rounding.
pub const CAPACITY_TOLERANCE: f64 = 1e-6;

/// Counts of the tables.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sizes {
    /// Periods T.
    pub periods: usize,
    /// Pools P.
    pub pools: usize,
    /// Sites with a power limit J.
    pub limited_sites: usize,
    /// Fiscal years Y of the horizon.
    pub years: usize,
    /// Workloads W.
    pub workloads: usize,
    /// Programmes R.
    pub programmes: usize,
    /// Software families.
    pub families: usize,
}

/// Calendar and pools; matrices are row-major.
#[derive(Clone, Debug, Default)]
pub struct PoolTable {
    /// Hours in a period.
    pub period_hours: f64,
    /// Fiscal year index of each period, (T,).
    pub year_of_period: Vec<usize>,
    /// Limited site of each pool or `NO_SITE`, (P,).
    pub pool_site: Vec<usize>,
    /// Facility kW of one accelerator, (P,).
    pub pool_kw: Vec<f64>,
    /// Whether the pool counts as domestic, (P,).
    pub pool_domestic: Vec<bool>,
    /// Memory of one accelerator in GB, (P,).
    pub pool_memory_gb: Vec<f64>,
    /// Largest gang of one workload, (P,).
    pub pool_gang_max: Vec<f64>,
    /// Normalised throughput, 0 where the family does not run, (P, families).
    pub pool_throughput: Vec<f64>,
    /// Most accelerators that can be live, (P, T).
    pub capacity_max: Vec<f64>,
    /// Grant reference in yen per accelerator-hour, (P, T).
    pub grant_reference: Vec<f64>,
    /// Facility kWh a site may use in a period, (J,).
    pub site_limit_kwh: Vec<f64>,
}

/// Workloads and their gang options.
#[derive(Clone, Debug, Default)]
pub struct WorkloadTable {
    /// Normalised accelerator-hours, (W,).
    pub work: Vec<f64>,
    /// First legal start, (W,).
    pub release: Vec<usize>,
    /// Half-open end of the window in periods, (W,).
    pub deadline: Vec<usize>,
    /// Memory of the whole gang in GB, (W,).
    pub memory_gb: Vec<f64>,
    /// Software family, (W,).
    pub family: Vec<usize>,
    /// Yen per period of late start, (W,).
    pub late_yen: Vec<f64>,
    /// Yen when not run; infinite for mandatory ones, (W,).
    pub not_run_yen: Vec<f64>,
    /// Project of each workload, (W,).
    pub project: Vec<usize>,
    /// Whether the workload may be in the pool by its sovereignty rule, (W, P).
    pub pool_allowed: Vec<bool>,
    /// First gang option of each workload, (W + 1,).
    pub gang_offset: Vec<usize>,
    /// Accelerators of each gang option.
    pub gang_accelerators: Vec<f64>,
    /// Scaling efficiency of each gang option.
    pub gang_efficiency: Vec<f64>,
}

/// Offers used by the hour: on demand and existing capacity.
#[derive(Clone, Debug, Default)]
pub struct HourlyOffers {
    /// Pool of each offer, (O,).
    pub pool: Vec<usize>,
    /// Yen per accelerator-hour, all of it cash in the period, (O, T).
    pub unit_cost: Vec<f64>,
    /// Accelerator-hours that can be used, (O, T).
    pub limit_hours: Vec<f64>,
}

/// Offers with commitments: reservations and purchases.
#[derive(Clone, Debug, Default)]
pub struct CommittedOffers {
    /// Pool of each offer, (C,).
    pub pool: Vec<usize>,
    /// True: `unit_limit` bounds the units live at once (reservation); false: all orders together (purchase).
    pub limit_is_live: Vec<bool>,
    /// Blocks or units, (C,).
    pub unit_limit: Vec<f64>,
    /// Yen per accelerator-hour used, electricity, (C, T).
    pub use_cost: Vec<f64>,
    /// First order option of each offer, (C + 1,).
    pub option_offset: Vec<usize>,
    /// First period the option is live, per option.
    pub option_first: Vec<usize>,
    /// Objective cost of one unit, per option.
    pub option_cost: Vec<f64>,
    /// Cash of one unit by fiscal year, (options, Y).
    pub option_cash: Vec<f64>,
    /// First entry of each option in `live_accelerators`, (options + 1,).
    pub live_offset: Vec<usize>,
    /// Accelerators of one unit in each period from `option_first` on.
    pub live_accelerators: Vec<f64>,
}

/// Rows over fiscal years, and programmes.
#[derive(Clone, Debug, Default)]
pub struct RuleTable {
    /// Least domestic share, negative where the year has none, (Y,).
    pub share_min: Vec<f64>,
    /// Portfolio budget in yen, infinite where there is none, (Y,).
    pub budget_yen: Vec<f64>,
    /// Portfolio budget that a plan may spend, less what rounding of claims and solver tolerances can add, (Y,).
    pub plan_budget_yen: Vec<f64>,
    /// Whether use in the period is eligible, (R, T).
    pub programme_window: Vec<bool>,
    /// Whether the pool is eligible, (R, P).
    pub programme_pool: Vec<bool>,
    /// Cap of a project in yen, infinite where there is none, (R,).
    pub project_cap_yen: Vec<f64>,
    /// Budget in yen, infinite where there is none, (R, Y).
    pub programme_budget_yen: Vec<f64>,
    /// Grant rate, 0 where the workload is not eligible, (W, R).
    pub rate: Vec<f64>,
}

/// A workload in a pool with a gang: everything of a column but start and programme.
#[derive(Clone, Copy, Debug)]
pub struct Mode {
    /// Workload index.
    pub workload: usize,
    /// Pool index.
    pub pool: usize,
    /// Accelerators.
    pub gang: f64,
    /// Full periods.
    pub full: usize,
    /// Hours in the last, partly used period; 0 where there is none.
    pub rest_hours: f64,
    /// Periods touched.
    pub length: usize,
    /// Normalised work per accelerator-hour.
    pub speed: f64,
    /// Legal starts are `start_ranges[ranges.0..ranges.1]`.
    pub ranges: (usize, usize),
}

/// One offer as a source of hours in one cell.
#[derive(Clone, Copy, Debug)]
pub struct Source {
    /// Yen per accelerator-hour.
    pub unit_cost: f64,
    /// Hours of an hourly offer; unused for a committed one.
    pub limit_hours: f64,
    /// Committed offer, or `usize::MAX` for an hourly one.
    pub committed: usize,
}

/// A priced row: the cap of a project of several workloads in a programme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProjectRow {
    /// Programme index.
    pub programme: usize,
    /// Project index.
    pub project: usize,
}

/// A whole problem as arrays with its legal modes.
#[derive(Clone, Debug)]
pub struct Instance {
    /// Counts.
    pub sizes: Sizes,
    /// Pools and calendar.
    pub pools: PoolTable,
    /// Workloads.
    pub workloads: WorkloadTable,
    /// On demand and existing.
    pub hourly: HourlyOffers,
    /// Reservations and purchases.
    pub committed: CommittedOffers,
    /// Rows and programmes.
    pub rules: RuleTable,
    /// Legal modes, grouped by workload.
    pub modes: Vec<Mode>,
    /// First mode of each workload, (W + 1,).
    pub mode_offset: Vec<usize>,
    /// Half-open ranges of legal starts.
    pub start_ranges: Vec<(usize, usize)>,
    /// Priced project caps.
    pub project_rows: Vec<ProjectRow>,
    /// Row in `project_rows` of (workload, programme) or `usize::MAX`, (W, R).
    pub project_row_of: Vec<usize>,
    /// First period of each fiscal year and T at the end, (Y + 1,).
    pub year_first: Vec<usize>,
    /// Hourly offers of each pool.
    pub hourly_of_pool: Vec<Vec<usize>>,
    /// Committed offers of each pool.
    pub committed_of_pool: Vec<Vec<usize>>,
    /// Sources of each cell (P, T), cheapest first.
    pub merit_order: Vec<Vec<Source>>,
}

impl Instance {
    /// Check the arrays and derive the legal modes.
    ///
    /// # Errors
    /// `EngineError` where lengths, indices or values do not fit.
    pub fn new(
        sizes: Sizes,
        pools: PoolTable,
        workloads: WorkloadTable,
        hourly: HourlyOffers,
        committed: CommittedOffers,
        rules: RuleTable,
    ) -> Result<Self, EngineError> {
        check_indices("years", &[sizes.years], YEAR_COUNT_MAX + 1)?;
        check_pools(&sizes, &pools)?;
        check_workloads(&sizes, &workloads)?;
        check_offers(&sizes, &hourly, &committed)?;
        check_rules(&sizes, &rules)?;
        let mut year_first = vec![sizes.periods; sizes.years + 1];
        for t in (0..sizes.periods).rev() {
            year_first[pools.year_of_period[t]] = t;
        }
        let mut hourly_of_pool = vec![Vec::new(); sizes.pools];
        hourly.pool.iter().enumerate().for_each(|(o, &p)| hourly_of_pool[p].push(o));
        let mut committed_of_pool = vec![Vec::new(); sizes.pools];
        committed.pool.iter().enumerate().for_each(|(o, &p)| committed_of_pool[p].push(o));
        let mut instance = Self {
            sizes,
            pools,
            workloads,
            hourly,
            committed,
            rules,
            modes: Vec::new(),
            mode_offset: vec![0],
            start_ranges: Vec::new(),
            project_rows: Vec::new(),
            project_row_of: Vec::new(),
            year_first,
            hourly_of_pool,
            committed_of_pool,
            merit_order: Vec::new(),
        };
        instance.derive_merit_order();
        instance.derive_modes();
        instance.derive_project_rows();
        Ok(instance)
    }

    /// Modes of one workload as a range of `modes`.
    pub fn modes_of(&self, workload: usize) -> std::ops::Range<usize> {
        self.mode_offset[workload]..self.mode_offset[workload + 1]
    }

    /// Ranges of legal starts of a mode.
    pub fn starts_of(&self, mode: &Mode) -> &[(usize, usize)] {
        &self.start_ranges[mode.ranges.0..mode.ranges.1]
    }

    /// Whether the workload has to run.
    pub fn is_mandatory(&self, workload: usize) -> bool {
        self.workloads.not_run_yen[workload].is_infinite()
    }

    /// Hours of a mode in the period `offset` periods after its start, accelerator-hours.
    pub fn hours_at(&self, mode: &Mode, offset: usize) -> f64 {
        if offset < mode.full { mode.gang * self.pools.period_hours } else { mode.gang * mode.rest_hours }
    }

    /// Legal (workload, pool, gang, start) in all: the evaluations of one pricing pass.
    pub fn start_count(&self) -> usize {
        self.start_ranges.iter().map(|range| range.1 - range.0).sum()
    }

    fn derive_merit_order(&mut self) {
        let periods = self.sizes.periods;
        self.merit_order = Vec::with_capacity(self.sizes.pools * periods);
        for cell in 0..self.sizes.pools * periods {
            let (pool, t) = (cell / periods, cell % periods);
            let mut sources: Vec<Source> = self.committed_of_pool[pool]
                .iter()
                .map(|&o| Source {
                    unit_cost: self.committed.use_cost[o * periods + t],
                    limit_hours: 0.0,
                    committed: o,
                })
                .collect();
            sources.extend(self.hourly_of_pool[pool].iter().map(|&o| Source {
                unit_cost: self.hourly.unit_cost[o * periods + t],
                limit_hours: self.hourly.limit_hours[o * periods + t],
                committed: usize::MAX,
            }));
            sources.sort_by(|a, b| a.unit_cost.total_cmp(&b.unit_cost));
            self.merit_order.push(sources);
        }
    }

    fn derive_modes(&mut self) {
        for w in 0..self.sizes.workloads {
            for p in 0..self.sizes.pools {
                if !self.workloads.pool_allowed[w * self.sizes.pools + p] {
                    continue;
                }
                for g in self.workloads.gang_offset[w]..self.workloads.gang_offset[w + 1] {
                    self.push_mode(w, p, g);
                }
            }
            self.mode_offset.push(self.modes.len());
        }
    }

    fn push_mode(&mut self, workload: usize, pool: usize, option: usize) {
        let table = &self.workloads;
        let gang = table.gang_accelerators[option];
        let throughput = self.pools.pool_throughput[pool * self.sizes.families + table.family[workload]];
        let fits = gang <= self.pools.pool_gang_max[pool]
            && throughput > 0.0
            && gang * self.pools.pool_memory_gb[pool] >= table.memory_gb[workload];
        if !fits {
            return;
        }
        let speed = throughput * table.gang_efficiency[option];
        let (full, rest_hours) = whole_periods(table.work[workload] / (gang * speed), self.pools.period_hours);
        let length = full + usize::from(rest_hours > 0.0);
        let first_range = self.start_ranges.len();
        let row = &self.pools.capacity_max[pool * self.sizes.periods..(pool + 1) * self.sizes.periods];
        let window = (table.release[workload], table.deadline[workload]);
        push_start_ranges(row, gang, length, window, &mut self.start_ranges);
        let ranges = (first_range, self.start_ranges.len());
        if ranges.0 < ranges.1 {
            self.modes.push(Mode { workload, pool, gang, full, rest_hours, length, speed, ranges });
        }
    }

    fn derive_project_rows(&mut self) {
        let (workload_count, programme_count) = (self.sizes.workloads, self.sizes.programmes);
        let project_count = self.workloads.project.iter().max().map_or(0, |&last| last + 1);
        let mut members = vec![0usize; project_count];
        self.workloads.project.iter().for_each(|&project| members[project] += 1);
        self.project_row_of = vec![usize::MAX; workload_count * programme_count];
        for r in 0..programme_count {
            if self.rules.project_cap_yen[r].is_infinite() {
                continue;
            }
            let mut row_of_project = vec![usize::MAX; project_count];
            for w in 0..workload_count {
                let project = self.workloads.project[w];
                if members[project] < 2 || self.rules.rate[w * programme_count + r] <= 0.0 {
                    continue;
                }
                if row_of_project[project] == usize::MAX {
                    row_of_project[project] = self.project_rows.len();
                    self.project_rows.push(ProjectRow { programme: r, project });
                }
                self.project_row_of[w * programme_count + r] = row_of_project[project];
            }
        }
    }
}

/// Split a run into full periods and the hours of the last one (docs/rules.md, "Placements").
pub fn whole_periods(run_hours: f64, period_hours: f64) -> (usize, f64) {
    let periods = run_hours / period_hours;
    let full = (periods + REST_TOLERANCE).floor();
    let rest = periods - full;
    if rest > REST_TOLERANCE {
        (full as usize, rest * period_hours)
    } else if full == 0.0 {
        (0, run_hours)
    } else {
        (full as usize, 0.0)
    }
}

/// Push the half-open ranges of starts whose `length` periods all have room for `gang`; `row` is (T,).
fn push_start_ranges(row: &[f64], gang: f64, length: usize, window: (usize, usize), out: &mut Vec<(usize, usize)>) {
    let (mut t, deadline) = window;
    while t < deadline {
        if row[t] < gang - CAPACITY_TOLERANCE {
            t += 1;
            continue;
        }
        let run_start = t;
        while t < deadline && row[t] >= gang - CAPACITY_TOLERANCE {
            t += 1;
        }
        if t - run_start >= length {
            out.push((run_start, t - length + 1));
        }
    }
}

fn check_pools(sizes: &Sizes, pools: &PoolTable) -> Result<(), EngineError> {
    let (p, t) = (sizes.pools, sizes.periods);
    check_length("year_of_period", &pools.year_of_period, t)?;
    check_indices("year_of_period", &pools.year_of_period, sizes.years)?;
    check_length("pool_site", &pools.pool_site, p)?;
    let limited: Vec<usize> = pools.pool_site.iter().copied().filter(|&site| site != NO_SITE).collect();
    check_indices("pool_site", &limited, sizes.limited_sites)?;
    for (name, values, expected) in [
        ("pool_kw", &pools.pool_kw, p),
        ("pool_memory_gb", &pools.pool_memory_gb, p),
        ("pool_gang_max", &pools.pool_gang_max, p),
        ("pool_throughput", &pools.pool_throughput, p * sizes.families),
        ("capacity_max", &pools.capacity_max, p * t),
        ("grant_reference", &pools.grant_reference, p * t),
        ("site_limit_kwh", &pools.site_limit_kwh, sizes.limited_sites),
    ] {
        check_length(name, values, expected)?;
        check_finite(name, values)?;
    }
    check_length("pool_domestic", &pools.pool_domestic, p)
}

fn check_workloads(sizes: &Sizes, table: &WorkloadTable) -> Result<(), EngineError> {
    let w = sizes.workloads;
    let gangs = table.gang_accelerators.len();
    check_length("gang_offset", &table.gang_offset, w + 1)?;
    check_indices("gang_offset", &table.gang_offset, gangs + 1)?;
    for (name, values, expected) in [
        ("work", &table.work, w),
        ("memory_gb", &table.memory_gb, w),
        ("late_yen", &table.late_yen, w),
        ("gang_accelerators", &table.gang_accelerators, gangs),
        ("gang_efficiency", &table.gang_efficiency, gangs),
    ] {
        check_length(name, values, expected)?;
        check_finite(name, values)?;
    }
    check_length("not_run_yen", &table.not_run_yen, w)?;
    check_length("release", &table.release, w)?;
    check_length("deadline", &table.deadline, w)?;
    check_indices("deadline", &table.deadline, sizes.periods + 1)?;
    check_length("family", &table.family, w)?;
    check_indices("family", &table.family, sizes.families)?;
    check_length("project", &table.project, w)?;
    check_indices("project", &table.project, w)?;
    check_length("pool_allowed", &table.pool_allowed, w * sizes.pools)
}

fn check_offers(sizes: &Sizes, hourly: &HourlyOffers, committed: &CommittedOffers) -> Result<(), EngineError> {
    let t = sizes.periods;
    let (hourly_count, committed_count) = (hourly.pool.len(), committed.pool.len());
    let option_count = committed.option_first.len();
    check_indices("hourly.pool", &hourly.pool, sizes.pools)?;
    check_indices("committed.pool", &committed.pool, sizes.pools)?;
    for (name, values, expected) in [
        ("hourly.unit_cost", &hourly.unit_cost, hourly_count * t),
        ("hourly.limit_hours", &hourly.limit_hours, hourly_count * t),
        ("committed.unit_limit", &committed.unit_limit, committed_count),
        ("committed.use_cost", &committed.use_cost, committed_count * t),
        ("option_cost", &committed.option_cost, option_count),
        ("option_cash", &committed.option_cash, option_count * sizes.years),
    ] {
        check_length(name, values, expected)?;
        check_finite(name, values)?;
    }
    check_finite("live_accelerators", &committed.live_accelerators)?;
    check_length("limit_is_live", &committed.limit_is_live, committed_count)?;
    check_length("option_offset", &committed.option_offset, committed_count + 1)?;
    check_indices("option_offset", &committed.option_offset, option_count + 1)?;
    check_length("live_offset", &committed.live_offset, option_count + 1)?;
    check_indices("live_offset", &committed.live_offset, committed.live_accelerators.len() + 1)?;
    for option in 0..option_count {
        let length = committed.live_offset[option + 1] - committed.live_offset[option];
        check_indices("option_first", &[committed.option_first[option] + length], t + 1)?;
    }
    Ok(())
}

fn check_rules(sizes: &Sizes, rules: &RuleTable) -> Result<(), EngineError> {
    let (r, y) = (sizes.programmes, sizes.years);
    check_length("share_min", &rules.share_min, y)?;
    check_length("budget_yen", &rules.budget_yen, y)?;
    check_length("plan_budget_yen", &rules.plan_budget_yen, y)?;
    check_length("programme_window", &rules.programme_window, r * sizes.periods)?;
    check_length("programme_pool", &rules.programme_pool, r * sizes.pools)?;
    check_length("project_cap_yen", &rules.project_cap_yen, r)?;
    check_length("programme_budget_yen", &rules.programme_budget_yen, r * y)?;
    check_length("rate", &rules.rate, sizes.workloads * r)?;
    check_finite("rate", &rules.rate)
}
