//! docs/rules.md word by word, without prefix sums, modes or closed forms.

use tehai_engine::instance::{CommittedOffers, HourlyOffers, Instance, NO_SITE, Sizes};
use tehai_engine::prices::PriceLayout;

/// A legal column, with the accelerator-hours of each period (T,).
#[derive(Clone, Debug)]
pub struct NaiveColumn {
    pub workload: usize,
    pub pool: usize,
    pub gang: f64,
    pub speed: f64,
    pub start: usize,
    pub programme: Option<usize>,
    pub hours: Vec<f64>,
}

/// Largest capacity of each pool and period, (P, T): what stands, and every committed offer at its limit.
pub fn largest_capacity(sizes: &Sizes, hourly: &HourlyOffers, committed: &CommittedOffers) -> Vec<f64> {
    let mut most = vec![0.0; sizes.pools * sizes.periods];
    for t in 0..sizes.periods {
        for (offer, pool) in hourly.pool.iter().enumerate() {
            most[pool * sizes.periods + t] += hourly.limit_hours[offer * sizes.periods + t] / super::PERIOD_HOURS;
        }
        for (offer, pool) in committed.pool.iter().enumerate() {
            let options = committed.option_offset[offer]..committed.option_offset[offer + 1];
            let largest = options.map(|option| live_at(committed, option, t)).fold(0.0, f64::max);
            most[pool * sizes.periods + t] += largest * committed.unit_limit[offer];
        }
    }
    most
}

/// Accelerators that one unit of an order option has live in a period.
pub fn live_at(committed: &CommittedOffers, option: usize, t: usize) -> f64 {
    let first = committed.option_first[option];
    let live = &committed.live_accelerators[committed.live_offset[option]..committed.live_offset[option + 1]];
    if t < first { 0.0 } else { live.get(t - first).copied().unwrap_or(0.0) }
}

/// Every legal column of a workload, each with no programme and with every open one.
pub fn columns(instance: &Instance, workload: usize) -> Vec<NaiveColumn> {
    let (table, pools, sizes) = (&instance.workloads, &instance.pools, &instance.sizes);
    let mut found = Vec::new();
    for pool in 0..sizes.pools {
        for option in table.gang_offset[workload]..table.gang_offset[workload + 1] {
            let gang = table.gang_accelerators[option];
            let throughput = pools.pool_throughput[pool * sizes.families + table.family[workload]];
            let legal = table.pool_allowed[workload * sizes.pools + pool]
                && throughput > 0.0
                && gang <= pools.pool_gang_max[pool]
                && gang * pools.pool_memory_gb[pool] >= table.memory_gb[workload];
            if !legal {
                continue;
            }
            let speed = throughput * table.gang_efficiency[option];
            for start in table.release[workload]..table.deadline[workload] {
                let Some(hours) = hours_of_run(instance, workload, pool, gang, speed, start) else { continue };
                let column = NaiveColumn { workload, pool, gang, speed, start, programme: None, hours };
                for r in 0..sizes.programmes {
                    if open(instance, r, workload, pool) {
                        found.push(NaiveColumn { programme: Some(r), ..column.clone() });
                    }
                }
                found.push(column);
            }
        }
    }
    found
}

fn open(instance: &Instance, programme: usize, workload: usize, pool: usize) -> bool {
    instance.rules.rate[workload * instance.sizes.programmes + programme] > 0.0
        && instance.rules.programme_pool[programme * instance.sizes.pools + pool]
}

/// Hours by period, walking from the start until the work is done; None where a period is too late or too small.
fn hours_of_run(
    instance: &Instance,
    workload: usize,
    pool: usize,
    gang: f64,
    speed: f64,
    start: usize,
) -> Option<Vec<f64>> {
    let periods = instance.sizes.periods;
    let mut hours = vec![0.0; periods];
    let mut left = instance.workloads.work[workload] / (gang * speed);
    let mut t = start;
    while left > 1e-9 * super::PERIOD_HOURS {
        let room =
            t < instance.workloads.deadline[workload] && instance.pools.capacity_max[pool * periods + t] >= gang - 1e-6;
        if !room {
            return None;
        }
        let taken = left.min(super::PERIOD_HOURS);
        hours[t] = gang * taken;
        left -= taken;
        t += 1;
    }
    Some(hours)
}

/// Price of a column as in "The certificate".
pub fn price(instance: &Instance, column: &NaiveColumn, prices: &[f64]) -> f64 {
    let (layout, sizes, pools) = (PriceLayout::of(instance), &instance.sizes, &instance.pools);
    let late = column.start - instance.workloads.release[column.workload];
    let mut total = late as f64 * instance.workloads.late_yen[column.workload];
    let home = f64::from(u8::from(pools.pool_domestic[column.pool]));
    for (t, hours) in column.hours.iter().enumerate() {
        let year = pools.year_of_period[t];
        total += hours * prices[layout.capacity + column.pool * sizes.periods + t];
        if pools.pool_site[column.pool] != NO_SITE {
            let row = layout.power + pools.pool_site[column.pool] * sizes.periods + t;
            total += hours * pools.pool_kw[column.pool] * prices[row];
        }
        if instance.rules.share_min[year] >= 0.0 {
            total += prices[layout.share + year] * (instance.rules.share_min[year] - home) * hours * column.speed;
        }
    }
    total - claim_worth(instance, column, prices)
}

/// Most that a column may claim in each fiscal year before the project cap, (Y,).
pub fn claimable(instance: &Instance, column: &NaiveColumn) -> Vec<f64> {
    let sizes = &instance.sizes;
    let mut most = vec![0.0; sizes.years];
    if let Some(r) = column.programme {
        let rate = instance.rules.rate[column.workload * sizes.programmes + r];
        for (t, hours) in column.hours.iter().enumerate() {
            if instance.rules.programme_window[r * sizes.periods + t] {
                let reference = instance.pools.grant_reference[column.pool * sizes.periods + t];
                most[instance.pools.year_of_period[t]] += rate * hours * reference;
            }
        }
    }
    most
}

/// Number of workloads of the project of `workload`.
pub fn project_size(instance: &Instance, workload: usize) -> usize {
    let project = &instance.workloads.project;
    project.iter().filter(|&&other| other == project[workload]).count()
}

/// Row of the cap of a workload's project in a programme, where it is priced.
pub fn project_row(instance: &Instance, workload: usize, programme: usize) -> Option<usize> {
    let project = instance.workloads.project[workload];
    instance.project_rows.iter().position(|row| row.programme == programme && row.project == project)
}

/// Worth of the best claim: every set of years in every order is filled greedily, the best is kept (no sorting by worth).
fn claim_worth(instance: &Instance, column: &NaiveColumn, prices: &[f64]) -> f64 {
    let Some(r) = column.programme else { return 0.0 };
    let (layout, years) = (PriceLayout::of(instance), instance.sizes.years);
    let most = claimable(instance, column);
    let project = project_row(instance, column.workload, r).map_or(0.0, |row| prices[layout.project + row]);
    let worth: Vec<f64> = (0..years)
        .map(|y| 1.0 + prices[layout.budget + y] - prices[layout.programme + r * years + y] - project)
        .collect();
    best_filling(&most, &worth, instance.rules.project_cap_yen[r], 0)
}

fn best_filling(most: &[f64], worth: &[f64], left: f64, used: u32) -> f64 {
    let mut best = 0.0_f64;
    for y in 0..most.len() {
        if used & (1 << y) == 0 {
            let amount = most[y].min(left);
            best = best.max(amount * worth[y] + best_filling(most, worth, left - amount, used | (1 << y)));
        }
    }
    best
}

/// Least cost of a workload: not run (unless mandatory) or its cheapest column; infinite where it can do neither.
pub fn cheapest(instance: &Instance, workload: usize, prices: &[f64]) -> f64 {
    columns(instance, workload)
        .iter()
        .map(|column| price(instance, column, prices))
        .fold(instance.workloads.not_run_yen[workload], f64::min)
}

/// The supply side's minimum: every offer on its own, every whole number of units of every option tried.
pub fn supply(instance: &Instance, prices: &[f64]) -> f64 {
    let (layout, sizes, hourly) = (PriceLayout::of(instance), &instance.sizes, &instance.hourly);
    let mut total = 0.0;
    for (offer, pool) in hourly.pool.iter().enumerate() {
        for t in 0..sizes.periods {
            let cell = offer * sizes.periods + t;
            let beta = prices[layout.budget + instance.pools.year_of_period[t]];
            let reduced = hourly.unit_cost[cell] * (1.0 + beta) - prices[layout.capacity + pool * sizes.periods + t];
            total += (hourly.limit_hours[cell] * reduced).min(0.0);
        }
    }
    for offer in 0..instance.committed.pool.len() {
        let options = instance.committed.option_offset[offer + 1] - instance.committed.option_offset[offer];
        total += cheapest_units(instance, offer, prices, &mut vec![0; options], 0);
    }
    total
}

/// Minimum over whole units of options from `next` on, given the units of the options before.
fn cheapest_units(instance: &Instance, offer: usize, prices: &[f64], units: &mut Vec<usize>, next: usize) -> f64 {
    if !within_limit(instance, offer, units) {
        return f64::INFINITY;
    }
    if next == units.len() {
        return reduced_cost(instance, offer, prices, units);
    }
    let mut best = f64::INFINITY;
    for count in 0..=instance.committed.unit_limit[offer] as usize {
        units[next] = count;
        best = best.min(cheapest_units(instance, offer, prices, units, next + 1));
    }
    units[next] = 0;
    best
}

/// Whether units of the options of an offer keep its limit: live at once (reservation), or in all (purchase).
pub fn within_limit(instance: &Instance, offer: usize, units: &[usize]) -> bool {
    let table = &instance.committed;
    let limit = table.unit_limit[offer] as usize;
    if !table.limit_is_live[offer] {
        return units.iter().sum::<usize>() <= limit;
    }
    (0..instance.sizes.periods).all(|t| {
        let live = units.iter().enumerate().filter(|&(i, _)| live_at(table, table.option_offset[offer] + i, t) > 0.0);
        live.map(|(_, count)| count).sum::<usize>() <= limit
    })
}

fn reduced_cost(instance: &Instance, offer: usize, prices: &[f64], units: &[usize]) -> f64 {
    let (layout, sizes, table) = (PriceLayout::of(instance), &instance.sizes, &instance.committed);
    let mut total = 0.0;
    for (i, &count) in units.iter().enumerate() {
        let option = table.option_offset[offer] + i;
        let cash: f64 =
            (0..sizes.years).map(|y| prices[layout.budget + y] * table.option_cash[option * sizes.years + y]).sum();
        total += count as f64 * (table.option_cost[option] + cash);
    }
    for t in 0..sizes.periods {
        let live: f64 =
            units.iter().enumerate().map(|(i, &n)| n as f64 * live_at(table, table.option_offset[offer] + i, t)).sum();
        let beta = prices[layout.budget + instance.pools.year_of_period[t]];
        let use_cost = table.use_cost[offer * sizes.periods + t] * (1.0 + beta);
        let earned = prices[layout.capacity + table.pool[offer] * sizes.periods + t] - use_cost;
        // use is free between nothing and all that is live
        total -= (live * super::PERIOD_HOURS * earned).max(0.0);
    }
    total
}

/// The bound of docs/rules.md; mandatory workloads without a column are left out.
pub fn bound(instance: &Instance, prices: &[f64]) -> f64 {
    let (layout, sizes, rules) = (PriceLayout::of(instance), &instance.sizes, &instance.rules);
    let mut total = supply(instance, prices);
    total += (0..sizes.workloads).map(|w| cheapest(instance, w, prices)).filter(|least| least.is_finite()).sum::<f64>();
    for t in 0..sizes.periods {
        for j in 0..sizes.limited_sites {
            total -= prices[layout.power + j * sizes.periods + t] * instance.pools.site_limit_kwh[j];
        }
    }
    for y in 0..sizes.years {
        if rules.budget_yen[y].is_finite() {
            total -= prices[layout.budget + y] * rules.budget_yen[y];
        }
        for r in 0..sizes.programmes {
            let cell = r * sizes.years + y;
            if rules.programme_budget_yen[cell].is_finite() {
                total -= prices[layout.programme + cell] * rules.programme_budget_yen[cell];
            }
        }
    }
    for (row, project_row) in instance.project_rows.iter().enumerate() {
        total -= prices[layout.project + row] * rules.project_cap_yen[project_row.programme];
    }
    total
}
