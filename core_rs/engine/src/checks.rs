//! Whether the tables fit each other.

use crate::column::PAUSE_COUNT_MAX;
use crate::error::{EngineError, check_finite, check_indices, check_length};
use crate::tables::{CommittedOffers, HourlyOffers, NONE, PoolTable, RuleTable, Sizes, WorkloadTable};

/// Most periods of a horizon in which a workload may pause: what the code of pauses can hold.
const PAUSING_PERIODS_MAX: usize = 1_023;

pub fn check_pools(sizes: &Sizes, pools: &PoolTable) -> Result<(), EngineError> {
    let (p, t) = (sizes.pools, sizes.periods);
    check_rows("year_of_period", &pools.year_of_period, t, sizes.years)?;
    check_rows_or_none("pool_site", &pools.pool_site, p, sizes.limited_sites)?;
    check_finite("period_hours", &[pools.period_hours])?;
    check_finite("carbon_yen_per_kg", &[pools.carbon_yen_per_kg])?;
    check_numbers(&[
        ("discount", &pools.discount, t),
        ("pool_kw", &pools.pool_kw, p),
        ("pool_kg", &pools.pool_kg, p),
        ("pool_memory_gb", &pools.pool_memory_gb, p),
        ("pool_gang_max", &pools.pool_gang_max, p),
        ("pool_node", &pools.pool_node, p),
        ("pool_throughput", &pools.pool_throughput, p * sizes.families),
        ("capacity_max", &pools.capacity_max, p * t),
        ("grant_reference", &pools.grant_reference, p * t),
        ("charge_reference", &pools.charge_reference, p * t),
        ("site_limit_kwh", &pools.site_limit_kwh, sizes.limited_sites),
        ("route_yen", &pools.route_yen, sizes.routes * t),
    ])
}

pub fn check_workloads(sizes: &Sizes, table: &WorkloadTable) -> Result<(), EngineError> {
    let w = sizes.workloads;
    let gangs = table.gang_accelerators.len();
    check_rows("gang_offset", &table.gang_offset, w + 1, gangs + 1)?;
    check_numbers(&[
        ("work", &table.work, w),
        ("memory_gb", &table.memory_gb, w),
        ("late_yen", &table.late_yen, w),
        ("porting_yen", &table.porting_yen, w * sizes.pools),
        ("terabytes", &table.terabytes, w),
        ("resume_hours", &table.resume_hours, w),
        ("current_gang", &table.current_gang, w),
        ("change_yen", &table.change_yen, w),
        ("gang_accelerators", &table.gang_accelerators, gangs),
        ("gang_efficiency", &table.gang_efficiency, gangs),
    ])?;
    check_length("not_run_yen", &table.not_run_yen, w)?;
    check_length("release", &table.release, w)?;
    check_rows("deadline", &table.deadline, w, sizes.periods + 1)?;
    check_rows("family", &table.family, w, sizes.families)?;
    check_rows("project", &table.project, w, sizes.projects)?;
    check_rows("member", &table.member, w, sizes.members)?;
    check_rows("pauses_max", &table.pauses_max, w, PAUSE_COUNT_MAX + 1)?;
    if table.pauses_max.iter().any(|&most| most > 0) {
        check_indices("periods", &[sizes.periods], PAUSING_PERIODS_MAX + 1)?;
    }
    check_rows_or_none("current_pool", &table.current_pool, w, sizes.pools)?;
    check_length("current_start", &table.current_start, w)?;
    check_length("locked", &table.locked, w)?;
    check_rows_or_none("pool_route", &table.pool_route, w * sizes.pools, sizes.routes)?;
    check_rows("before", &table.before, table.after.len(), w)?;
    check_rows("after", &table.after, table.before.len(), w)?;
    check_length("pool_allowed", &table.pool_allowed, w * sizes.pools)
}

pub fn check_offers(sizes: &Sizes, hourly: &HourlyOffers, committed: &CommittedOffers) -> Result<(), EngineError> {
    let t = sizes.periods;
    let (hourly_count, committed_count) = (hourly.pool.len(), committed.pool.len());
    check_indices("hourly_pool", &hourly.pool, sizes.pools)?;
    check_length("hourly_quota_hours", &hourly.quota_hours, hourly_count * sizes.years)?;
    check_numbers(&[
        ("hourly_unit_cost", &hourly.unit_cost, hourly_count * t),
        ("hourly_unit_cash", &hourly.unit_cash, hourly_count * t),
        ("hourly_limit_hours", &hourly.limit_hours, hourly_count * t),
        ("unit_limit", &committed.unit_limit, committed_count),
        ("use_cost", &committed.use_cost, committed_count * t),
        ("use_cash", &committed.use_cash, committed_count * t),
    ])?;
    check_indices("committed_pool", &committed.pool, sizes.pools)?;
    check_rows_or_none("committed_owner", &committed.owner, committed_count, sizes.members)?;
    check_length("limit_is_live", &committed.limit_is_live, committed_count)?;
    check_options(sizes, committed)
}

fn check_options(sizes: &Sizes, committed: &CommittedOffers) -> Result<(), EngineError> {
    let (options, live) = (committed.option_first.len(), committed.live_accelerators.len());
    check_rows("option_offset", &committed.option_offset, committed.pool.len() + 1, options + 1)?;
    check_numbers(&[
        ("option_cost", &committed.option_cost, options),
        ("option_cash", &committed.option_cash, options * sizes.years),
        ("option_capital", &committed.option_capital, options * sizes.years),
        ("option_claim_yen", &committed.option_claim_yen, options),
        ("live_accelerators", &committed.live_accelerators, live),
        ("live_hours", &committed.live_hours, live),
    ])?;
    check_rows_or_none("option_programme", &committed.option_programme, options, sizes.programmes)?;
    check_length("option_claim_year", &committed.option_claim_year, options)?;
    check_rows("live_offset", &committed.live_offset, options + 1, live + 1)?;
    for option in 0..options {
        let length = committed.live_offset[option + 1] - committed.live_offset[option];
        check_indices("option_first", &[committed.option_first[option] + length], sizes.periods + 1)?;
        if committed.option_programme[option] != NONE {
            check_indices("option_claim_year", &[committed.option_claim_year[option]], sizes.years)?;
        }
    }
    for offer in 0..committed.pool.len() {
        let options = committed.option_offset[offer]..committed.option_offset[offer + 1];
        let claims = committed.option_programme[options].iter().any(|&programme| programme != NONE);
        if claims && committed.owner[offer] == NONE {
            return Err(EngineError::Index { name: "committed_owner", index: NONE, count: sizes.members });
        }
    }
    Ok(())
}

pub fn check_rules(sizes: &Sizes, rules: &RuleTable) -> Result<(), EngineError> {
    let (r, y, k) = (sizes.programmes, sizes.years, sizes.work_rows);
    check_rows("work_row_year", &rules.work_row_year, k, y)?;
    check_numbers(&[
        ("work_row_coefficient", &rules.work_row_coefficient, k * sizes.pools),
        ("claim_discount", &rules.claim_discount, r * y),
        ("rate", &rules.rate, sizes.workloads * r),
    ])?;
    for (name, limits, expected) in [
        ("budget_yen", &rules.budget_yen, y),
        ("plan_budget_yen", &rules.plan_budget_yen, y),
        ("member_budget_yen", &rules.member_budget_yen, sizes.members * y),
        ("plan_member_budget_yen", &rules.plan_member_budget_yen, sizes.members * y),
        ("capital_yen", &rules.capital_yen, y),
        ("carbon_kg", &rules.carbon_kg, y),
        ("project_cap_yen", &rules.project_cap_yen, r * sizes.projects),
        ("programme_budget_yen", &rules.programme_budget_yen, r * y),
        ("member_cap_yen", &rules.member_cap_yen, r * sizes.members * y),
    ] {
        check_length(name, limits, expected)?;
    }
    check_length("programme_window", &rules.programme_window, r * sizes.periods)?;
    check_length("programme_pool", &rules.programme_pool, r * sizes.pools)?;
    check_length("programme_group", &rules.programme_group, r)?;
    check_rows_or_none("claim_pay_year", &rules.claim_pay_year, r * y, y)?;
    let listed = rules.claim_set_programmes.len();
    check_rows("claim_set_offset", &rules.claim_set_offset, sizes.claim_sets + 1, listed + 1)?;
    check_indices("claim_set_programmes", &rules.claim_set_programmes, r)
}

fn check_numbers(arrays: &[(&'static str, &Vec<f64>, usize)]) -> Result<(), EngineError> {
    for &(name, values, expected) in arrays {
        check_length(name, values, expected)?;
        check_finite(name, values)?;
    }
    Ok(())
}

/// Check the length of an array of indices, and the indices.
fn check_rows(name: &'static str, values: &[usize], expected: usize, count: usize) -> Result<(), EngineError> {
    check_length(name, values, expected)?;
    check_indices(name, values, count)
}

fn check_rows_or_none(name: &'static str, values: &[usize], expected: usize, count: usize) -> Result<(), EngineError> {
    check_length(name, values, expected)?;
    match values.iter().find(|&&index| index != NONE && index >= count) {
        Some(&index) => Err(EngineError::Index { name, index, count }),
        None => Ok(()),
    }
}
