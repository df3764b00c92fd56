//! Columns of docs/rules.md word by word, without prefix sums, modes or closed forms.

use tehai_engine::instance::{CommittedOffers, HourlyOffers, Instance, NONE, Sizes};
use tehai_engine::prices::PriceLayout;

use super::PERIOD_HOURS;

/// A legal column, with the accelerator-hours of each period (T,).
#[derive(Clone, Debug)]
pub struct NaiveColumn {
    pub workload: usize,
    pub pool: usize,
    /// Accelerators as the gang option has them.
    pub accelerators: f64,
    pub start: usize,
    pub end: usize,
    pub pauses: usize,
    /// Position in the claim sets.
    pub claim_set: Option<usize>,
    pub hours: Vec<f64>,
}

/// Largest capacity of each pool and period, (P, T): what stands, and every committed offer at its limit.
pub fn largest_capacity(sizes: &Sizes, hourly: &HourlyOffers, committed: &CommittedOffers) -> Vec<f64> {
    let mut most = vec![0.0; sizes.pools * sizes.periods];
    for t in 0..sizes.periods {
        for (offer, pool) in hourly.pool.iter().enumerate() {
            most[pool * sizes.periods + t] += hourly.limit_hours[offer * sizes.periods + t] / PERIOD_HOURS;
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
    entry_at(committed, &committed.live_accelerators, option, t)
}

/// Accelerator-hours that one unit of an order option offers in a period.
pub fn hours_at(committed: &CommittedOffers, option: usize, t: usize) -> f64 {
    entry_at(committed, &committed.live_hours, option, t)
}

fn entry_at(committed: &CommittedOffers, values: &[f64], option: usize, t: usize) -> f64 {
    let first = committed.option_first[option];
    let live = &values[committed.live_offset[option]..committed.live_offset[option + 1]];
    if t < first { 0.0 } else { live.get(t - first).copied().unwrap_or(0.0) }
}

/// Every legal column of a workload, each without claims and with every open claim set.
pub fn columns(instance: &Instance, workload: usize) -> Vec<NaiveColumn> {
    let (table, pools, sizes) = (&instance.workloads, &instance.pools, &instance.sizes);
    let mut found = Vec::new();
    for pool in 0..sizes.pools {
        for option in table.gang_offset[workload]..table.gang_offset[workload + 1] {
            let accelerators = table.gang_accelerators[option];
            let throughput = pools.pool_throughput[pool * sizes.families + table.family[workload]];
            let is_planned = table.current_pool[workload] == pool && table.current_gang[workload] == accelerators;
            let legal = table.pool_allowed[workload * sizes.pools + pool]
                && throughput > 0.0
                && accelerators <= pools.pool_gang_max[pool]
                && accelerators * pools.pool_memory_gb[pool] >= table.memory_gb[workload]
                && (is_planned || !table.locked[workload]);
            if legal {
                let run = table.work[workload] / (accelerators * throughput * table.gang_efficiency[option]);
                push_columns(instance, workload, pool, accelerators, run, &mut found);
            }
        }
    }
    found
}

/// Every choice of periods of one (pool, gang), with its claim sets.
fn push_columns(
    instance: &Instance,
    workload: usize,
    pool: usize,
    accelerators: f64,
    run: f64,
    found: &mut Vec<NaiveColumn>,
) {
    let (table, sizes) = (&instance.workloads, &instance.sizes);
    let mut occupied = 0.0;
    while occupied < accelerators {
        occupied += instance.pools.pool_node[pool];
    }
    for chosen in 1..1_u32 << sizes.periods {
        let touched: Vec<usize> = (0..sizes.periods).filter(|t| chosen >> t & 1 == 1).collect();
        let pauses = touched.windows(2).filter(|pair| pair[1] > pair[0] + 1).count();
        if pauses > table.pauses_max[workload] {
            continue;
        }
        let (start, end) = (touched[0], touched[touched.len() - 1] + 1);
        let in_window = table.release[workload] <= start
            && end <= table.deadline[workload]
            && (start == table.current_start[workload] || !table.locked[workload])
            && touched.iter().all(|t| instance.pools.capacity_max[pool * sizes.periods + t] >= occupied - 1e-6);
        let resumed = run + pauses as f64 * table.resume_hours[workload];
        let Some(hours) = in_window.then(|| hours_of(sizes.periods, &touched, occupied, resumed)).flatten() else {
            continue;
        };
        let column = NaiveColumn { workload, pool, accelerators, start, end, pauses, claim_set: None, hours };
        let open = (0..sizes.claim_sets).filter(|&set| is_open(instance, set, workload, pool));
        found.extend(open.map(|set| NaiveColumn { claim_set: Some(set), ..column.clone() }));
        found.push(column);
    }
}

/// Hours by period, filling the touched periods in order; None where they are too many or too few.
fn hours_of(periods: usize, touched: &[usize], occupied: f64, run: f64) -> Option<Vec<f64>> {
    let mut hours = vec![0.0; periods];
    let mut left = run;
    for &t in touched {
        if left <= 1e-9 * PERIOD_HOURS {
            return None;
        }
        let taken = left.min(PERIOD_HOURS);
        hours[t] = occupied * taken;
        left -= taken;
    }
    (left <= 1e-9 * PERIOD_HOURS).then_some(hours)
}

/// Programmes of a claim set.
pub fn programmes(instance: &Instance, claim_set: Option<usize>) -> Vec<usize> {
    let rules = &instance.rules;
    claim_set.map_or(Vec::new(), |set| {
        rules.claim_set_programmes[rules.claim_set_offset[set]..rules.claim_set_offset[set + 1]].to_vec()
    })
}

fn is_open(instance: &Instance, set: usize, workload: usize, pool: usize) -> bool {
    programmes(instance, Some(set)).iter().all(|r| {
        instance.rules.rate[workload * instance.sizes.programmes + r] > 0.0
            && instance.rules.programme_pool[r * instance.sizes.pools + pool]
    })
}

/// Normalised work by fiscal year, split in proportion to the hours.
pub fn work_by_year(instance: &Instance, column: &NaiveColumn) -> Vec<f64> {
    let mut work = vec![0.0; instance.sizes.years];
    let all: f64 = column.hours.iter().sum();
    for (t, hours) in column.hours.iter().enumerate() {
        work[instance.pools.year_of_period[t]] += instance.workloads.work[column.workload] * hours / all;
    }
    work
}

/// Transfer and porting as paid.
pub fn start_yen(instance: &Instance, column: &NaiveColumn) -> f64 {
    let (table, sizes) = (&instance.workloads, &instance.sizes);
    let cell = column.workload * sizes.pools + column.pool;
    let transfer = match table.pool_route[cell] {
        NONE => 0.0,
        route => table.terabytes[column.workload] * instance.pools.route_yen[route * sizes.periods + column.start],
    };
    transfer + table.porting_yen[cell]
}

/// Charge where a placed workload is not as in the current plan.
pub fn change_yen(instance: &Instance, column: &NaiveColumn) -> f64 {
    let (table, w) = (&instance.workloads, column.workload);
    let stays = table.current_pool[w] == column.pool
        && table.current_gang[w] == column.accelerators
        && table.current_start[w] == column.start;
    if stays { 0.0 } else { table.change_yen[w] }
}

/// Price of a column as in "The certificate", what it claims left out.
pub fn price_before_claims(instance: &Instance, column: &NaiveColumn, prices: &[f64]) -> f64 {
    let (layout, sizes, pools) = (PriceLayout::of(instance), &instance.sizes, &instance.pools);
    let (table, w) = (&instance.workloads, column.workload);
    let wait = (column.start - table.release[w]) as f64;
    let mut total = wait * (table.late_yen[w] + prices[layout.waiting]) + change_yen(instance, column);
    let gamma = |year: usize| prices[layout.member_budget + table.member[w] * sizes.years + year];
    for (t, hours) in column.hours.iter().enumerate() {
        let (year, cell) = (pools.year_of_period[t], column.pool * sizes.periods + t);
        let mut hour = prices[layout.capacity + cell];
        if pools.pool_site[column.pool] != NONE {
            hour +=
                prices[layout.power + pools.pool_site[column.pool] * sizes.periods + t] * pools.pool_kw[column.pool];
        }
        hour += (pools.carbon_yen_per_kg + prices[layout.carbon + year]) * pools.pool_kg[column.pool];
        hour += gamma(year) * pools.charge_reference[cell];
        total += hours * hour;
    }
    let year = pools.year_of_period[column.start];
    total += start_yen(instance, column) * (pools.discount[column.start] + prices[layout.budget + year] + gamma(year));
    let work = work_by_year(instance, column);
    for (k, &year) in instance.rules.work_row_year.iter().enumerate() {
        total +=
            prices[layout.work + k] * work[year] * instance.rules.work_row_coefficient[k * sizes.pools + column.pool];
    }
    for (i, (&before, &after)) in table.before.iter().zip(&table.after).enumerate() {
        let theta = &prices[layout.precedence + i * sizes.periods..layout.precedence + (i + 1) * sizes.periods];
        if after == w {
            total += theta[column.start..].iter().sum::<f64>();
        }
        if before == w {
            total -= theta[column.end..].iter().sum::<f64>();
        }
    }
    total
}

/// Most that a column may claim from a programme in each fiscal year before caps, (Y,).
pub fn claimable(instance: &Instance, column: &NaiveColumn, programme: usize) -> Vec<f64> {
    let sizes = &instance.sizes;
    let rate = instance.rules.rate[column.workload * sizes.programmes + programme];
    let mut most = vec![0.0; sizes.years];
    for (t, hours) in column.hours.iter().enumerate() {
        if instance.rules.programme_window[programme * sizes.periods + t] {
            let reference = instance.pools.grant_reference[column.pool * sizes.periods + t];
            most[instance.pools.year_of_period[t]] += rate * hours * reference;
        }
    }
    most
}

/// Worth of a yen that a workload claims from a programme, by fiscal year, the cap of its project counted.
pub fn claim_worths(instance: &Instance, workload: usize, programme: usize, prices: &[f64]) -> Vec<f64> {
    let (layout, sizes) = (PriceLayout::of(instance), &instance.sizes);
    let member = instance.workloads.member[workload];
    let project = instance.workloads.project[workload];
    let row = instance.project_rows.iter().position(|row| row.programme == programme && row.project == project);
    (0..sizes.years)
        .map(|y| {
            let cell = programme * sizes.years + y;
            let mut worth = instance.rules.claim_discount[cell] - prices[layout.programme + cell];
            worth -= prices[layout.member_cap + (programme * sizes.members + member) * sizes.years + y];
            if let Some(paid) = Some(instance.rules.claim_pay_year[cell]).filter(|&paid| paid != NONE) {
                worth += prices[layout.budget + paid] + prices[layout.member_budget + member * sizes.years + paid];
            }
            worth - row.map_or(0.0, |row| prices[layout.project + row])
        })
        .collect()
}

/// What is left of the cap of a workload's project.
pub fn cap(instance: &Instance, workload: usize, programme: usize) -> f64 {
    instance.rules.project_cap_yen[programme * instance.sizes.projects + instance.workloads.project[workload]]
}

/// True price of a column.
pub fn price(instance: &Instance, column: &NaiveColumn, prices: &[f64]) -> f64 {
    let claimed: f64 = programmes(instance, column.claim_set)
        .into_iter()
        .map(|r| {
            let worths = claim_worths(instance, column.workload, r, prices);
            best_filling(&claimable(instance, column, r), &worths, cap(instance, column.workload, r))
        })
        .sum();
    price_before_claims(instance, column, prices) - claimed
}

/// Worth of the best filling up to `left` in all: every order of every set is filled greedily (no sorting by worth).
pub fn best_filling(most: &[f64], worth: &[f64], left: f64) -> f64 {
    fill_from(most, worth, left, 0)
}

fn fill_from(most: &[f64], worth: &[f64], left: f64, used: u32) -> f64 {
    let mut best = 0.0_f64;
    for y in 0..most.len() {
        if used & (1 << y) == 0 {
            let amount = most[y].min(left);
            best = best.max(amount * worth[y] + fill_from(most, worth, left - amount, used | (1 << y)));
        }
    }
    best
}
