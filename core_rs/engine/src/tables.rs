//! The arrays that come in, as tables; matrices are row-major.

/// Most fiscal years of a horizon; scratch space in the hot loop has this size.
pub const YEAR_COUNT_MAX: usize = 64;
/// Marks what is not there: a pool without a limited site, an option without a programme, and so on.
pub const NONE: usize = usize::MAX;
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
    /// Programmes R, on usage and on capital.
    pub programmes: usize,
    /// Software families.
    pub families: usize,
    /// Members M.
    pub members: usize,
    /// Projects.
    pub projects: usize,
    /// Routes for data.
    pub routes: usize,
    /// Rows over normalised work (domestic shares, concentration limits) K.
    pub work_rows: usize,
    /// Sets of programmes that one column may claim from.
    pub claim_sets: usize,
}

/// Calendar and pools.
#[derive(Clone, Debug, Default)]
pub struct PoolTable {
    /// Hours in a period.
    pub period_hours: f64,
    /// Fiscal year index of each period, (T,).
    pub year_of_period: Vec<usize>,
    /// Part of a payment in the period that counts in the objective, (T,).
    pub discount: Vec<f64>,
    /// Limited site of each pool or `NONE`, (P,).
    pub pool_site: Vec<usize>,
    /// Facility kW of one accelerator, (P,).
    pub pool_kw: Vec<f64>,
    /// Kilograms of carbon dioxide of one accelerator-hour, (P,).
    pub pool_kg: Vec<f64>,
    /// Yen charged for each kilogram.
    pub carbon_yen_per_kg: f64,
    /// Memory of one accelerator in GB, (P,).
    pub pool_memory_gb: Vec<f64>,
    /// Largest gang of one workload, (P,).
    pub pool_gang_max: Vec<f64>,
    /// Accelerators of one node, (P,).
    pub pool_node: Vec<f64>,
    /// Normalised throughput, 0 where the family does not run, (P, families).
    pub pool_throughput: Vec<f64>,
    /// Most accelerators that can be live, (P, T).
    pub capacity_max: Vec<f64>,
    /// Grant reference in yen per accelerator-hour, nominal, (P, T).
    pub grant_reference: Vec<f64>,
    /// Charge reference in yen per accelerator-hour, nominal, (P, T).
    pub charge_reference: Vec<f64>,
    /// Facility kWh a site may use in a period, (J,).
    pub site_limit_kwh: Vec<f64>,
    /// Yen to move a terabyte, nominal, (routes, T).
    pub route_yen: Vec<f64>,
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
    /// Yen when not run, a change of the current plan included; infinite for mandatory and locked ones, (W,).
    pub not_run_yen: Vec<f64>,
    /// Project of each workload, (W,).
    pub project: Vec<usize>,
    /// Member of each workload, (W,).
    pub member: Vec<usize>,
    /// Whether the workload may be in the pool: sovereignty and a route for its data, (W, P).
    pub pool_allowed: Vec<bool>,
    /// Yen for porting, paid at the start, nominal, (W, P).
    pub porting_yen: Vec<f64>,
    /// Route of the data to the pool, `NONE` where nothing has to be moved, (W, P).
    pub pool_route: Vec<usize>,
    /// Terabytes to move, (W,).
    pub terabytes: Vec<f64>,
    /// Most pauses, (W,).
    pub pauses_max: Vec<usize>,
    /// Hours that the gang runs longer for each pause, (W,).
    pub resume_hours: Vec<f64>,
    /// Pool in the current plan or `NONE`, (W,).
    pub current_pool: Vec<usize>,
    /// Accelerators (as in `gang_accelerators`) in the current plan, (W,).
    pub current_gang: Vec<f64>,
    /// Start in the current plan, (W,).
    pub current_start: Vec<usize>,
    /// Yen where a placement differs from the current plan, (W,); 0 for workloads that are not in it.
    pub change_yen: Vec<f64>,
    /// Whether pool, gang and start have to be those of the current plan, (W,).
    pub locked: Vec<bool>,
    /// First gang option of each workload, (W + 1,).
    pub gang_offset: Vec<usize>,
    /// Accelerators of each gang option.
    pub gang_accelerators: Vec<f64>,
    /// Scaling efficiency of each gang option.
    pub gang_efficiency: Vec<f64>,
    /// Predecessor of each precedence.
    pub before: Vec<usize>,
    /// Successor of each precedence.
    pub after: Vec<usize>,
}

/// Offers used by the hour: on demand, existing capacity and allocations.
#[derive(Clone, Debug, Default)]
pub struct HourlyOffers {
    /// Pool of each offer, (O,).
    pub pool: Vec<usize>,
    /// Yen per accelerator-hour in the objective, (O, T).
    pub unit_cost: Vec<f64>,
    /// Yen per accelerator-hour paid in the period, (O, T).
    pub unit_cash: Vec<f64>,
    /// Accelerator-hours that can be used; accelerators live are this over the period's hours, (O, T).
    pub limit_hours: Vec<f64>,
    /// Accelerator-hours that can be used in a fiscal year, infinite where there is no quota, (O, Y).
    /// At most one offer of a pool has a finite one.
    pub quota_hours: Vec<f64>,
}

/// Offers with commitments: reservations, capacity blocks and purchases.
#[derive(Clone, Debug, Default)]
pub struct CommittedOffers {
    /// Pool of each offer, (C,).
    pub pool: Vec<usize>,
    /// True: `unit_limit` bounds the units live at once (reservation, block); false: all orders together (purchase).
    pub limit_is_live: Vec<bool>,
    /// Blocks or units, (C,).
    pub unit_limit: Vec<f64>,
    /// Member that owns what is ordered or `NONE`, (C,).
    pub owner: Vec<usize>,
    /// Yen per accelerator-hour used (electricity) in the objective, (C, T).
    pub use_cost: Vec<f64>,
    /// The same as paid, (C, T).
    pub use_cash: Vec<f64>,
    /// First order option of each offer, (C + 1,).
    pub option_offset: Vec<usize>,
    /// First period the option is live, per option.
    pub option_first: Vec<usize>,
    /// Objective cost of one unit before claims, per option.
    pub option_cost: Vec<f64>,
    /// Cash of one unit by fiscal year, (options, Y).
    pub option_cash: Vec<f64>,
    /// Part of it that counts against the capital ceiling, (options, Y).
    pub option_capital: Vec<f64>,
    /// Capital programme that the option claims from or `NONE`, per option.
    pub option_programme: Vec<usize>,
    /// Most yen claimed for one unit, per option; 0 without a programme.
    pub option_claim_yen: Vec<f64>,
    /// Fiscal year index of the claim, per option.
    pub option_claim_year: Vec<usize>,
    /// First entry of each option in `live_accelerators`, (options + 1,).
    pub live_offset: Vec<usize>,
    /// Accelerators of one unit in each period from `option_first` on (what a gang can use at once).
    pub live_accelerators: Vec<f64>,
    /// Accelerator-hours of one unit in the same periods (less than full where a block ends within one).
    pub live_hours: Vec<f64>,
}

/// Rows over fiscal years, and programmes. Limits are what is left after claims made and sunk payments.
#[derive(Clone, Debug, Default)]
pub struct RuleTable {
    /// Fiscal year of each row over normalised work, (K,).
    pub work_row_year: Vec<usize>,
    /// Coefficient of work done in a pool; the row says that the sum is at most 0, (K, P).
    pub work_row_coefficient: Vec<f64>,
    /// Portfolio budget in yen, infinite where there is none, (Y,).
    pub budget_yen: Vec<f64>,
    /// Portfolio budget that a plan may spend, less what rounding of claims and solver tolerances can add, (Y,).
    pub plan_budget_yen: Vec<f64>,
    /// Member budgets, infinite where there is none, (M, Y).
    pub member_budget_yen: Vec<f64>,
    /// The same less what rounding of claims can add, (M, Y).
    pub plan_member_budget_yen: Vec<f64>,
    /// Capital ceiling, infinite where there is none, (Y,).
    pub capital_yen: Vec<f64>,
    /// Carbon limit, infinite where there is none, (Y,).
    pub carbon_kg: Vec<f64>,
    /// Most periods of waiting in all, infinite where there is no limit.
    pub waiting_periods: f64,
    /// Whether use in the period is eligible, (R, T).
    pub programme_window: Vec<bool>,
    /// Whether the pool is eligible, (R, P).
    pub programme_pool: Vec<bool>,
    /// Exclusivity group of each programme or `NONE`, (R,).
    pub programme_group: Vec<usize>,
    /// What is left of the cap of a project in yen, infinite where there is none, (R, projects).
    pub project_cap_yen: Vec<f64>,
    /// What is left of the budget in yen, infinite where there is none, (R, Y).
    pub programme_budget_yen: Vec<f64>,
    /// What is left of the cap of a member in yen, infinite where there is none, (R, M, Y).
    pub member_cap_yen: Vec<f64>,
    /// Part of a claim of the fiscal year that counts in the objective, (R, Y).
    pub claim_discount: Vec<f64>,
    /// Fiscal year index in which a claim of the fiscal year is paid, `NONE` after the horizon, (R, Y).
    pub claim_pay_year: Vec<usize>,
    /// Grant rate, 0 where the workload is not eligible, (W, R).
    pub rate: Vec<f64>,
    /// First entry of each claim set in `claim_set_programmes`, (claim sets + 1,).
    pub claim_set_offset: Vec<usize>,
    /// Programmes of each claim set, ascending; single programmes are sets of their own.
    pub claim_set_programmes: Vec<usize>,
}
