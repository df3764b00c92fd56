//! The supply side's minimum by trying every whole number of units and every order of filling a quota.

use tehai_engine::instance::{Instance, NONE};
use tehai_engine::prices::PriceLayout;

use super::naive::{best_filling, hours_at, live_at};

/// The supply side's minimum: every offer on its own, every whole number of units of every option tried.
pub fn supply(instance: &Instance, prices: &[f64]) -> f64 {
    let hourly: f64 = (0..instance.hourly.pool.len()).map(|offer| hourly(instance, offer, prices)).sum();
    let committed = (0..instance.committed.pool.len()).map(|offer| committed(instance, offer, prices));
    hourly + committed.sum::<f64>()
}

/// Term of an hourly offer: each fiscal year's periods filled in every order until the quota.
pub fn hourly(instance: &Instance, offer: usize, prices: &[f64]) -> f64 {
    let (layout, sizes, table) = (PriceLayout::of(instance), &instance.sizes, &instance.hourly);
    let mut total = 0.0;
    for year in 0..sizes.years {
        let periods = (0..sizes.periods).filter(|&t| instance.pools.year_of_period[t] == year);
        let (most, worth): (Vec<f64>, Vec<f64>) = periods
            .map(|t| {
                let cell = offer * sizes.periods + t;
                let cost = table.unit_cost[cell] + prices[layout.budget + year] * table.unit_cash[cell];
                (table.limit_hours[cell], prices[layout.capacity + table.pool[offer] * sizes.periods + t] - cost)
            })
            .unzip();
        total -= best_filling(&most, &worth, table.quota_hours[offer * sizes.years + year]);
    }
    total
}

/// Term of a committed offer.
pub fn committed(instance: &Instance, offer: usize, prices: &[f64]) -> f64 {
    let options = instance.committed.option_offset[offer + 1] - instance.committed.option_offset[offer];
    cheapest_units(instance, offer, prices, &mut vec![0; options], 0)
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

/// Whether units of the options of an offer keep its limit: live at once (reservation, block), or in all (purchase).
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
        let mut cost = table.option_cost[option];
        for y in 0..sizes.years {
            let cell = option * sizes.years + y;
            cost += prices[layout.budget + y] * table.option_cash[cell];
            cost += prices[layout.capital + y] * table.option_capital[cell];
        }
        total += count as f64 * (cost - claim_worth(instance, offer, option, prices));
    }
    for t in 0..sizes.periods {
        let offered = |(i, &n): (usize, &usize)| n as f64 * hours_at(table, table.option_offset[offer] + i, t);
        let hours: f64 = units.iter().enumerate().map(offered).sum();
        let (cell, year) = (offer * sizes.periods + t, instance.pools.year_of_period[t]);
        let use_cost = table.use_cost[cell] + prices[layout.budget + year] * table.use_cash[cell];
        let earned = prices[layout.capacity + table.pool[offer] * sizes.periods + t] - use_cost;
        // use is free between nothing and all that is live
        total -= (hours * earned).max(0.0);
    }
    total
}

/// What the claim of one unit is worth; it need not be made.
fn claim_worth(instance: &Instance, offer: usize, option: usize, prices: &[f64]) -> f64 {
    let (layout, sizes, table) = (PriceLayout::of(instance), &instance.sizes, &instance.committed);
    let (r, y) = (table.option_programme[option], table.option_claim_year[option]);
    if r == NONE {
        return 0.0;
    }
    let cell = r * sizes.years + y;
    let mut worth = instance.rules.claim_discount[cell] - prices[layout.programme + cell];
    worth -= prices[layout.member_cap + (r * sizes.members + table.owner[offer]) * sizes.years + y];
    let paid = instance.rules.claim_pay_year[cell];
    if paid != NONE {
        worth += prices[layout.budget + paid];
    }
    worth.max(0.0) * table.option_claim_yen[option]
}
