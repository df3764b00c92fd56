//! The arrays that come in, as tables; matrices are row-major.

/// Most fiscal years of a horizon; scratch space in the hot loop has this size.
pub const YEAR_COUNT_MAX: usize = 64;
/// Marks a pool whose site has no power limit.
pub const NO_SITE: usize = usize::MAX;
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
