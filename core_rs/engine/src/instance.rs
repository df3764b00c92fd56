//! A problem as arrays: immutable, and valid from its constructor.

use crate::checks::{check_offers, check_pools, check_rules, check_workloads};
use crate::error::{EngineError, check_indices};
use crate::runs::push_start_ranges;
pub use crate::runs::whole_periods;
pub use crate::tables::{
    CAPACITY_TOLERANCE, CommittedOffers, HourlyOffers, NO_SITE, PoolTable, RuleTable, Sizes, WorkloadTable,
    YEAR_COUNT_MAX,
};

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
