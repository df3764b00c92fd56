//! A problem as arrays: immutable, and valid from its constructor.

use crate::checks::{check_offers, check_pools, check_rules, check_workloads};
use crate::column::NO_CLAIMS;
use crate::error::{EngineError, check_indices};
use crate::prices::row_limits;
pub use crate::runs::whole_periods;
pub use crate::tables::{
    CAPACITY_TOLERANCE, CommittedOffers, HourlyOffers, NONE, PoolTable, RuleTable, Sizes, WorkloadTable, YEAR_COUNT_MAX,
};

/// A workload in a pool with a gang: everything of a column but start and programme.
#[derive(Clone, Copy, Debug)]
pub struct Mode {
    /// Workload index.
    pub workload: usize,
    /// Pool index.
    pub pool: usize,
    /// Accelerators occupied, whole nodes; hours count these.
    pub gang: f64,
    /// Accelerators that work, as the gang option has them.
    pub accelerators: f64,
    /// Hours the gang runs without pauses.
    pub run_hours: f64,
    /// Full periods without pauses.
    pub full: usize,
    /// Hours in the last, partly used period without pauses; 0 where there is none.
    pub rest_hours: f64,
    /// Periods touched without pauses.
    pub length: usize,
    /// Normalised work per accelerator-hour occupied, without pauses.
    pub speed: f64,
    /// Whether pool and gang are those of the current plan.
    pub is_current: bool,
    /// Claim sets open to the workload in the pool: `open_claim_sets[claim_sets.0..claim_sets.1]`.
    pub claim_sets: (usize, usize),
    /// Legal starts without pauses are `start_ranges[ranges.0..ranges.1]`; may be empty where the workload can pause.
    pub ranges: (usize, usize),
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
    /// On demand, existing and allocations.
    pub hourly: HourlyOffers,
    /// Reservations, capacity blocks and purchases.
    pub committed: CommittedOffers,
    /// Rows and programmes.
    pub rules: RuleTable,
    /// Legal modes, grouped by workload.
    pub modes: Vec<Mode>,
    /// First mode of each workload, (W + 1,).
    pub mode_offset: Vec<usize>,
    /// Half-open ranges of legal starts.
    pub start_ranges: Vec<(usize, usize)>,
    /// Claim sets open to modes, see `Mode::claim_sets`.
    pub open_claim_sets: Vec<usize>,
    /// Limit of each row, laid out as the prices.
    pub row_limits: Vec<f64>,
    /// Precedences (positions in `workloads.before`) in which each workload is the predecessor.
    pub precedences_as_before: Vec<Vec<usize>>,
    /// Precedences in which each workload is the successor.
    pub precedences_as_after: Vec<Vec<usize>>,
    /// Price slot of each member: 0 for those without a budget or a cap of their own, (M,).
    pub member_slot: Vec<usize>,
    /// Member whose rows a slot stands for; `NONE` for slot 0.
    pub slot_member: Vec<usize>,
    /// Priced project caps.
    pub project_rows: Vec<ProjectRow>,
    /// Row in `project_rows` of (workload, programme) or `NONE`, (W, R).
    pub project_row_of: Vec<usize>,
    /// First period of each fiscal year and T at the end, (Y + 1,).
    pub year_first: Vec<usize>,
    /// Hourly offers of each pool.
    pub hourly_of_pool: Vec<Vec<usize>>,
    /// Committed offers of each pool.
    pub committed_of_pool: Vec<Vec<usize>>,
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
            open_claim_sets: Vec::new(),
            row_limits: Vec::new(),
            precedences_as_before: vec![Vec::new(); sizes.workloads],
            precedences_as_after: vec![Vec::new(); sizes.workloads],
            member_slot: Vec::new(),
            slot_member: Vec::new(),
            project_rows: Vec::new(),
            project_row_of: Vec::new(),
            year_first: Vec::new(),
            hourly_of_pool: vec![Vec::new(); sizes.pools],
            committed_of_pool: vec![Vec::new(); sizes.pools],
        };
        instance.derive_lists();
        instance.derive_member_slots();
        instance.derive_modes();
        instance.derive_project_rows();
        instance.row_limits = row_limits(&instance);
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

    /// Claim sets open to a mode.
    pub fn claim_sets_of(&self, mode: &Mode) -> &[usize] {
        &self.open_claim_sets[mode.claim_sets.0..mode.claim_sets.1]
    }

    /// Programmes of a claim set; none for `NO_CLAIMS`.
    pub fn programmes_of(&self, claim_set: usize) -> &[usize] {
        if claim_set == NO_CLAIMS {
            return &[];
        }
        let offset = &self.rules.claim_set_offset;
        &self.rules.claim_set_programmes[offset[claim_set]..offset[claim_set + 1]]
    }

    /// Price slot of a workload's member.
    pub fn slot_of(&self, workload: usize) -> usize {
        self.member_slot[self.workloads.member[workload]]
    }

    /// Normalised work per accelerator-hour of a mode with so many pauses (hours of resuming do no work).
    pub fn speed_of(&self, mode: &Mode, pause_count: usize) -> f64 {
        let resumed = self.workloads.resume_hours[mode.workload] * pause_count as f64;
        mode.speed * mode.run_hours / (mode.run_hours + resumed)
    }

    /// Yen for transfer and porting of a mode that starts in a period, nominal.
    pub fn start_yen(&self, mode: &Mode, start: usize) -> f64 {
        let cell = mode.workload * self.sizes.pools + mode.pool;
        let route = self.workloads.pool_route[cell];
        let porting = self.workloads.porting_yen[cell];
        if route == NONE {
            return porting;
        }
        porting + self.workloads.terabytes[mode.workload] * self.pools.route_yen[route * self.sizes.periods + start]
    }

    /// Yen charged for a placement that differs from the current plan; 0 where it does not.
    pub fn change_yen(&self, mode: &Mode, start: usize) -> f64 {
        let stays = mode.is_current && start == self.workloads.current_start[mode.workload];
        if stays { 0.0 } else { self.workloads.change_yen[mode.workload] }
    }

    /// Periods of a pool that have room for a gang, as a row of (T,).
    pub fn capacity_row(&self, pool: usize) -> &[f64] {
        &self.pools.capacity_max[pool * self.sizes.periods..(pool + 1) * self.sizes.periods]
    }

    /// What is left of the cap of a workload's project in a programme.
    pub fn project_cap(&self, workload: usize, programme: usize) -> f64 {
        self.rules.project_cap_yen[programme * self.sizes.projects + self.workloads.project[workload]]
    }

    /// Legal (workload, pool, gang, start) in all: the evaluations of one pricing pass.
    pub fn start_count(&self) -> usize {
        self.start_ranges.iter().map(|range| range.1 - range.0).sum()
    }
}
