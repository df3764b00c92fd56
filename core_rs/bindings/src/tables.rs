//! The tables of an instance from a dict of arrays; docs are those of `tehai_engine::tables`.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use tehai_engine::instance::{CommittedOffers, HourlyOffers, PoolTable, RuleTable, Sizes, WorkloadTable};

use crate::arrays::{array, indices, number};

pub fn read_sizes(arrays: &Bound<'_, PyDict>) -> PyResult<Sizes> {
    Ok(Sizes {
        periods: number(arrays, "periods")?,
        pools: number(arrays, "pools")?,
        limited_sites: number(arrays, "limited_sites")?,
        years: number(arrays, "years")?,
        workloads: number(arrays, "workloads")?,
        programmes: number(arrays, "programmes")?,
        families: number(arrays, "families")?,
        members: number(arrays, "members")?,
        projects: number(arrays, "projects")?,
        routes: number(arrays, "routes")?,
        work_rows: number(arrays, "work_rows")?,
        claim_sets: number(arrays, "claim_sets")?,
    })
}

pub fn read_pools(arrays: &Bound<'_, PyDict>) -> PyResult<PoolTable> {
    Ok(PoolTable {
        period_hours: number(arrays, "period_hours")?,
        year_of_period: indices(arrays, "year_of_period")?,
        discount: array(arrays, "discount")?,
        pool_site: indices(arrays, "pool_site")?,
        pool_kw: array(arrays, "pool_kw")?,
        pool_kg: array(arrays, "pool_kg")?,
        carbon_yen_per_kg: number(arrays, "carbon_yen_per_kg")?,
        pool_memory_gb: array(arrays, "pool_memory_gb")?,
        pool_gang_max: array(arrays, "pool_gang_max")?,
        pool_node: array(arrays, "pool_node")?,
        pool_throughput: array(arrays, "pool_throughput")?,
        capacity_max: array(arrays, "capacity_max")?,
        grant_reference: array(arrays, "grant_reference")?,
        charge_reference: array(arrays, "charge_reference")?,
        site_limit_kwh: array(arrays, "site_limit_kwh")?,
        route_yen: array(arrays, "route_yen")?,
    })
}

pub fn read_workloads(arrays: &Bound<'_, PyDict>) -> PyResult<WorkloadTable> {
    Ok(WorkloadTable {
        work: array(arrays, "work")?,
        release: indices(arrays, "release")?,
        deadline: indices(arrays, "deadline")?,
        memory_gb: array(arrays, "memory_gb")?,
        family: indices(arrays, "family")?,
        late_yen: array(arrays, "late_yen")?,
        not_run_yen: array(arrays, "not_run_yen")?,
        project: indices(arrays, "project")?,
        member: indices(arrays, "member")?,
        pool_allowed: array(arrays, "pool_allowed")?,
        porting_yen: array(arrays, "porting_yen")?,
        pool_route: indices(arrays, "pool_route")?,
        terabytes: array(arrays, "terabytes")?,
        pauses_max: indices(arrays, "pauses_max")?,
        resume_hours: array(arrays, "resume_hours")?,
        current_pool: indices(arrays, "current_pool")?,
        current_gang: array(arrays, "current_gang")?,
        current_start: indices(arrays, "current_start")?,
        change_yen: array(arrays, "change_yen")?,
        locked: array(arrays, "locked")?,
        gang_offset: indices(arrays, "gang_offset")?,
        gang_accelerators: array(arrays, "gang_accelerators")?,
        gang_efficiency: array(arrays, "gang_efficiency")?,
        before: indices(arrays, "before")?,
        after: indices(arrays, "after")?,
    })
}

pub fn read_hourly(arrays: &Bound<'_, PyDict>) -> PyResult<HourlyOffers> {
    Ok(HourlyOffers {
        pool: indices(arrays, "hourly_pool")?,
        unit_cost: array(arrays, "hourly_unit_cost")?,
        unit_cash: array(arrays, "hourly_unit_cash")?,
        limit_hours: array(arrays, "hourly_limit_hours")?,
        quota_hours: array(arrays, "hourly_quota_hours")?,
    })
}

pub fn read_committed(arrays: &Bound<'_, PyDict>) -> PyResult<CommittedOffers> {
    Ok(CommittedOffers {
        pool: indices(arrays, "committed_pool")?,
        limit_is_live: array(arrays, "limit_is_live")?,
        unit_limit: array(arrays, "unit_limit")?,
        owner: indices(arrays, "committed_owner")?,
        use_cost: array(arrays, "use_cost")?,
        use_cash: array(arrays, "use_cash")?,
        option_offset: indices(arrays, "option_offset")?,
        option_first: indices(arrays, "option_first")?,
        option_cost: array(arrays, "option_cost")?,
        option_cash: array(arrays, "option_cash")?,
        option_capital: array(arrays, "option_capital")?,
        option_programme: indices(arrays, "option_programme")?,
        option_claim_yen: array(arrays, "option_claim_yen")?,
        option_claim_year: indices(arrays, "option_claim_year")?,
        live_offset: indices(arrays, "live_offset")?,
        live_accelerators: array(arrays, "live_accelerators")?,
        live_hours: array(arrays, "live_hours")?,
    })
}

pub fn read_rules(arrays: &Bound<'_, PyDict>) -> PyResult<RuleTable> {
    Ok(RuleTable {
        work_row_year: indices(arrays, "work_row_year")?,
        work_row_coefficient: array(arrays, "work_row_coefficient")?,
        budget_yen: array(arrays, "budget_yen")?,
        plan_budget_yen: array(arrays, "plan_budget_yen")?,
        member_budget_yen: array(arrays, "member_budget_yen")?,
        plan_member_budget_yen: array(arrays, "plan_member_budget_yen")?,
        capital_yen: array(arrays, "capital_yen")?,
        carbon_kg: array(arrays, "carbon_kg")?,
        waiting_periods: number(arrays, "waiting_periods")?,
        programme_window: array(arrays, "programme_window")?,
        programme_pool: array(arrays, "programme_pool")?,
        programme_group: indices(arrays, "programme_group")?,
        project_cap_yen: array(arrays, "project_cap_yen")?,
        programme_budget_yen: array(arrays, "programme_budget_yen")?,
        member_cap_yen: array(arrays, "member_cap_yen")?,
        claim_discount: array(arrays, "claim_discount")?,
        claim_pay_year: indices(arrays, "claim_pay_year")?,
        rate: array(arrays, "rate")?,
        claim_set_offset: indices(arrays, "claim_set_offset")?,
        claim_set_programmes: indices(arrays, "claim_set_programmes")?,
    })
}
