//! The supply side's minimum at given prices, in closed form, and what it uses there.

use crate::instance::Instance;
use crate::prices::PriceLayout;

/// Add the supply side's minimum: returns its yen and adds its use of each row to `gradient`.
///
/// The gradient convention is that of the whole bound: placed hours add, supplied hours subtract (capacity rows);
/// cash adds to budget rows. `orders` receives (order option, units) of the minimiser.
pub fn supply_minimum(
    instance: &Instance,
    prices: &[f64],
    gradient: &mut [f64],
    orders: &mut Vec<(usize, f64)>,
) -> f64 {
    let layout = PriceLayout::of(instance);
    let mut total = 0.0;
    for offer in 0..instance.hourly.pool.len() {
        total += hourly_minimum(instance, &layout, offer, prices, gradient);
    }
    for offer in 0..instance.committed.pool.len() {
        let worth = hour_worth(instance, &layout, offer, prices);
        total += if instance.committed.limit_is_live[offer] {
            chain_minimum(instance, &layout, offer, prices, &worth, gradient, orders)
        } else {
            best_order_minimum(instance, &layout, offer, prices, &worth, gradient, orders)
        };
    }
    total
}

fn budget_price(instance: &Instance, layout: &PriceLayout, prices: &[f64], t: usize) -> f64 {
    prices[layout.budget + instance.pools.year_of_period[t]]
}

fn hourly_minimum(
    instance: &Instance,
    layout: &PriceLayout,
    offer: usize,
    prices: &[f64],
    gradient: &mut [f64],
) -> f64 {
    let periods = instance.sizes.periods;
    let first_cell = layout.capacity + instance.hourly.pool[offer] * periods;
    let mut total = 0.0;
    for t in 0..periods {
        let unit_cost = instance.hourly.unit_cost[offer * periods + t];
        let limit = instance.hourly.limit_hours[offer * periods + t];
        let reduced = unit_cost * (1.0 + budget_price(instance, layout, prices, t)) - prices[first_cell + t];
        if reduced < 0.0 && limit > 0.0 {
            total += reduced * limit;
            gradient[first_cell + t] -= limit;
            gradient[layout.budget + instance.pools.year_of_period[t]] += unit_cost * limit;
        }
    }
    total
}

/// Worth of one live accelerator-hour of a committed offer in each period, (T,): the capacity price less the cost of use.
pub fn hour_worth(instance: &Instance, layout: &PriceLayout, offer: usize, prices: &[f64]) -> Vec<f64> {
    let periods = instance.sizes.periods;
    let first_cell = layout.capacity + instance.committed.pool[offer] * periods;
    (0..periods)
        .map(|t| {
            let use_cost = instance.committed.use_cost[offer * periods + t];
            let cost = use_cost * (1.0 + budget_price(instance, layout, prices, t));
            (prices[first_cell + t] - cost).max(0.0)
        })
        .collect()
}

/// Reduced cost of one unit of an order option.
pub fn option_reduced_cost(
    instance: &Instance,
    layout: &PriceLayout,
    option: usize,
    prices: &[f64],
    worth: &[f64],
) -> f64 {
    let table = &instance.committed;
    let years = instance.sizes.years;
    let mut reduced = table.option_cost[option];
    for y in 0..years {
        reduced += prices[layout.budget + y] * table.option_cash[option * years + y];
    }
    let live = &table.live_accelerators[table.live_offset[option]..table.live_offset[option + 1]];
    let first = table.option_first[option];
    let earned: f64 = live.iter().zip(&worth[first..]).map(|(accelerators, value)| accelerators * value).sum();
    reduced - earned * instance.pools.period_hours
}

/// A reservation: the best chain of terms that do not overlap, times the blocks that may be live.
fn chain_minimum(
    instance: &Instance,
    layout: &PriceLayout,
    offer: usize,
    prices: &[f64],
    worth: &[f64],
    gradient: &mut [f64],
    orders: &mut Vec<(usize, f64)>,
) -> f64 {
    let table = &instance.committed;
    let periods = instance.sizes.periods;
    let options = table.option_offset[offer]..table.option_offset[offer + 1];
    let mut best_from = vec![(0.0_f64, usize::MAX); periods + 1];
    let mut by_first: Vec<Vec<(f64, usize)>> = vec![Vec::new(); periods];
    for option in options {
        let reduced = option_reduced_cost(instance, layout, option, prices, worth);
        if reduced < 0.0 {
            by_first[table.option_first[option]].push((reduced, option));
        }
    }
    for t in (0..periods).rev() {
        best_from[t] = (best_from[t + 1].0, usize::MAX);
        for &(reduced, option) in &by_first[t] {
            let after = t + table.live_offset[option + 1] - table.live_offset[option];
            let value = reduced + best_from[after].0;
            if value < best_from[t].0 {
                best_from[t] = (value, option);
            }
        }
    }
    let blocks = table.unit_limit[offer];
    let mut t = 0;
    while t < periods {
        let option = best_from[t].1;
        if option == usize::MAX {
            t += 1;
            continue;
        }
        add_order(instance, layout, offer, option, blocks, worth, gradient);
        orders.push((option, blocks));
        t += table.live_offset[option + 1] - table.live_offset[option];
    }
    blocks * best_from[0].0
}

/// A purchase: all units in the best period, or none.
fn best_order_minimum(
    instance: &Instance,
    layout: &PriceLayout,
    offer: usize,
    prices: &[f64],
    worth: &[f64],
    gradient: &mut [f64],
    orders: &mut Vec<(usize, f64)>,
) -> f64 {
    let table = &instance.committed;
    let mut best = (0.0_f64, usize::MAX);
    for option in table.option_offset[offer]..table.option_offset[offer + 1] {
        let reduced = option_reduced_cost(instance, layout, option, prices, worth);
        if reduced < best.0 {
            best = (reduced, option);
        }
    }
    if best.1 != usize::MAX {
        add_order(instance, layout, offer, best.1, table.unit_limit[offer], worth, gradient);
        orders.push((best.1, table.unit_limit[offer]));
    }
    best.0 * table.unit_limit[offer]
}

fn add_order(
    instance: &Instance,
    layout: &PriceLayout,
    offer: usize,
    option: usize,
    units: f64,
    worth: &[f64],
    gradient: &mut [f64],
) {
    let table = &instance.committed;
    let (periods, years) = (instance.sizes.periods, instance.sizes.years);
    let first_cell = layout.capacity + table.pool[offer] * periods;
    for y in 0..years {
        gradient[layout.budget + y] += units * table.option_cash[option * years + y];
    }
    let live = &table.live_accelerators[table.live_offset[option]..table.live_offset[option + 1]];
    for (d, accelerators) in live.iter().enumerate() {
        let t = table.option_first[option] + d;
        if worth[t] > 0.0 {
            let hours = units * accelerators * instance.pools.period_hours;
            gradient[first_cell + t] -= hours;
            gradient[layout.budget + instance.pools.year_of_period[t]] += table.use_cost[offer * periods + t] * hours;
        }
    }
}
