//! A plan against every row of docs/rules.md, from its columns, claims and units alone.

use tehai_engine::instance::Instance;
use tehai_engine::pricing::{NO_PROGRAMME, NOT_RUN};
use tehai_engine::search::Solution;

use super::naive::{self, NaiveColumn};

const CLOSE: f64 = 1e-3;

/// The naive column of a placed workload; panics where the plan's column is not a legal one.
pub fn column_of(instance: &Instance, solution: &Solution, workload: usize) -> Option<NaiveColumn> {
    let chosen = solution.columns[workload];
    if chosen.mode == NOT_RUN {
        return None;
    }
    let mode = &instance.modes[chosen.mode];
    let programme = (chosen.programme != NO_PROGRAMME).then_some(chosen.programme);
    let legal = naive::columns(instance, workload).into_iter().find(|column| {
        column.pool == mode.pool
            && column.gang == mode.gang
            && column.speed == mode.speed
            && column.start == chosen.start
            && column.programme == programme
    });
    Some(legal.expect("the plan uses a column that is not legal"))
}

/// Assert every row, and that the objective the search keeps is the plan's own; returns the objective.
pub fn assert_keeps_rules(instance: &Instance, solution: &Solution) -> f64 {
    let sizes = &instance.sizes;
    let placed: Vec<NaiveColumn> = (0..sizes.workloads).filter_map(|w| column_of(instance, solution, w)).collect();
    let (mut objective, mut cash) = (0.0, vec![0.0; sizes.years]);
    for workload in 0..sizes.workloads {
        if solution.columns[workload].mode == NOT_RUN {
            let charge = instance.workloads.not_run_yen[workload];
            objective += if charge.is_finite() { charge } else { super::MANDATORY_YEN };
        }
    }
    for column in &placed {
        let late = column.start - instance.workloads.release[column.workload];
        objective += late as f64 * instance.workloads.late_yen[column.workload];
    }
    objective += assert_orders(instance, solution, &mut cash);
    objective += assert_served(instance, solution, &placed, &mut cash);
    objective -= assert_claims(instance, solution, &placed, &mut cash);
    assert_power_and_share(instance, &placed);
    for (spent, budget) in cash.iter().zip(&instance.rules.plan_budget_yen) {
        assert!(spent <= &(budget + CLOSE), "cash {spent} over budget {budget}");
    }
    assert!((objective - solution.objective()).abs() <= 1e-6 * objective.abs() + CLOSE);
    objective
}

fn assert_orders(instance: &Instance, solution: &Solution, cash: &mut [f64]) -> f64 {
    let table = &instance.committed;
    let mut cost = 0.0;
    for offer in 0..table.pool.len() {
        let options = table.option_offset[offer]..table.option_offset[offer + 1];
        let units: Vec<usize> = solution.units[options].iter().map(|&count| count as usize).collect();
        assert!(naive::within_limit(instance, offer, &units), "offer {offer} ordered beyond its limit");
    }
    for (option, &count) in solution.units.iter().enumerate() {
        cost += f64::from(count) * table.option_cost[option];
        for (y, yen) in cash.iter_mut().enumerate() {
            *yen += f64::from(count) * table.option_cash[option * instance.sizes.years + y];
        }
    }
    cost
}

/// Capacity and gang rows; returns the cost of serving the hours, cheapest sources first.
fn assert_served(instance: &Instance, solution: &Solution, placed: &[NaiveColumn], cash: &mut [f64]) -> f64 {
    let (sizes, mut total) = (&instance.sizes, 0.0);
    for pool in 0..sizes.pools {
        for t in 0..sizes.periods {
            let mut sources = sources_of(instance, solution, pool, t);
            let here = placed.iter().filter(|column| column.pool == pool && column.hours[t] > 0.0);
            let room: f64 = sources.iter().map(|source| source.1).sum();
            let mut left = 0.0;
            for column in here {
                assert!(column.gang * super::PERIOD_HOURS <= room + CLOSE, "gang does not fit what is live");
                left += column.hours[t];
            }
            assert!(left <= room + CLOSE, "hours do not fit what is live");
            sources.sort_by(|a, b| a.0.total_cmp(&b.0));
            for (unit_cost, most) in sources {
                let taken = most.min(left);
                left -= taken;
                total += taken * unit_cost;
                cash[instance.pools.year_of_period[t]] += taken * unit_cost;
            }
        }
    }
    total
}

/// (yen per hour, hours) of everything that can serve a pool in a period.
fn sources_of(instance: &Instance, solution: &Solution, pool: usize, t: usize) -> Vec<(f64, f64)> {
    let (periods, table) = (instance.sizes.periods, &instance.committed);
    let mut found = Vec::new();
    for offer in (0..instance.hourly.pool.len()).filter(|&offer| instance.hourly.pool[offer] == pool) {
        let cell = offer * periods + t;
        found.push((instance.hourly.unit_cost[cell], instance.hourly.limit_hours[cell]));
    }
    for offer in (0..table.pool.len()).filter(|&offer| table.pool[offer] == pool) {
        let options = table.option_offset[offer]..table.option_offset[offer + 1];
        let live: f64 = options.map(|o| f64::from(solution.units[o]) * naive::live_at(table, o, t)).sum();
        found.push((table.use_cost[offer * periods + t], live * super::PERIOD_HOURS));
    }
    found
}

/// Rate, project cap and programme budget; returns all claims.
fn assert_claims(instance: &Instance, solution: &Solution, placed: &[NaiveColumn], cash: &mut [f64]) -> f64 {
    let (sizes, rules) = (&instance.sizes, &instance.rules);
    let mut of_budget = vec![0.0; sizes.programmes * sizes.years];
    let mut of_project = std::collections::BTreeMap::new();
    for column in placed {
        let claims = &solution.claims[column.workload * sizes.years..(column.workload + 1) * sizes.years];
        let most = naive::claimable(instance, column);
        for y in 0..sizes.years {
            assert!(claims[y] >= 0.0 && claims[y] <= most[y] + CLOSE, "claim over its rate");
            cash[y] -= claims[y];
            if let Some(r) = column.programme {
                of_budget[r * sizes.years + y] += claims[y];
                let project = instance.workloads.project[column.workload];
                *of_project.entry((r, project)).or_insert(0.0) += claims[y];
            }
        }
    }
    for (spent, budget) in of_budget.iter().zip(&rules.programme_budget_yen) {
        assert!(spent <= &(budget + CLOSE), "claims over the programme's budget");
    }
    for ((r, _), spent) in of_project {
        assert!(spent <= rules.project_cap_yen[r] + CLOSE, "claims over the project's cap");
    }
    of_budget.iter().sum()
}

fn assert_power_and_share(instance: &Instance, placed: &[NaiveColumn]) {
    let (sizes, pools) = (&instance.sizes, &instance.pools);
    for site in 0..sizes.limited_sites {
        for t in 0..sizes.periods {
            let here = placed.iter().filter(|column| pools.pool_site[column.pool] == site);
            let kwh: f64 = here.map(|column| column.hours[t] * pools.pool_kw[column.pool]).sum();
            assert!(kwh <= pools.site_limit_kwh[site] + CLOSE, "power over the site's limit");
        }
    }
    for y in (0..sizes.years).filter(|&y| instance.rules.share_min[y] >= 0.0) {
        let work = |column: &NaiveColumn| -> f64 {
            let hours = column.hours.iter().enumerate().filter(|&(t, _)| pools.year_of_period[t] == y);
            column.speed * hours.map(|(_, hours)| hours).sum::<f64>()
        };
        let all: f64 = placed.iter().map(work).sum();
        let home: f64 = placed.iter().filter(|column| pools.pool_domestic[column.pool]).map(work).sum();
        assert!(home + CLOSE >= instance.rules.share_min[y] * all, "domestic share too small");
    }
}
