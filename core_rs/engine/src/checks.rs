//! Whether the tables fit each other.

use crate::error::{EngineError, check_finite, check_indices, check_length};
use crate::tables::NO_SITE;
use crate::tables::{CommittedOffers, HourlyOffers, PoolTable, RuleTable, Sizes, WorkloadTable};

pub fn check_pools(sizes: &Sizes, pools: &PoolTable) -> Result<(), EngineError> {
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

pub fn check_workloads(sizes: &Sizes, table: &WorkloadTable) -> Result<(), EngineError> {
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

pub fn check_offers(sizes: &Sizes, hourly: &HourlyOffers, committed: &CommittedOffers) -> Result<(), EngineError> {
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

pub fn check_rules(sizes: &Sizes, rules: &RuleTable) -> Result<(), EngineError> {
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
