//! The supply side's minimum at given prices, in closed form, and what it uses there.

use crate::instance::{Instance, NONE};
use crate::prices::{PriceLayout, claim_worth, member_cap_row};

/// Terms of the offers in the bound, yen, not positive.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SupplyTerms {
    /// Of each hourly offer, (O,).
    pub hourly: Vec<f64>,
    /// Of each committed offer, (C,).
    pub committed: Vec<f64>,
}

impl SupplyTerms {
    /// Sum over all offers.
    pub fn total(&self) -> f64 {
        self.hourly.iter().chain(&self.committed).sum()
    }
}

/// The supply side's minimum: returns its yen by offer and adds its use of each row to `gradient`.
///
/// The gradient convention is that of the whole bound: placed hours add, supplied hours subtract (capacity rows);
/// cash adds to budget rows, claims take off. `orders` receives (order option, units) of the minimiser.
pub fn supply_minimum(
    instance: &Instance,
    prices: &[f64],
    gradient: &mut [f64],
    orders: &mut Vec<(usize, f64)>,
) -> SupplyTerms {
    let side = SupplySide { instance, layout: PriceLayout::of(instance), prices };
    let hourly = (0..instance.hourly.pool.len()).map(|offer| side.hourly_minimum(offer, gradient)).collect();
    let committed = (0..instance.committed.pool.len())
        .map(|offer| {
            let worth = hour_worth(instance, &side.layout, offer, prices);
            if instance.committed.limit_is_live[offer] {
                side.chain_minimum(offer, &worth, gradient, orders)
            } else {
                side.best_order_minimum(offer, &worth, gradient, orders)
            }
        })
        .collect();
    SupplyTerms { hourly, committed }
}

/// Worth of one live accelerator-hour of a committed offer in each period, (T,): the capacity price less the cost of use.
pub fn hour_worth(instance: &Instance, layout: &PriceLayout, offer: usize, prices: &[f64]) -> Vec<f64> {
    let periods = instance.sizes.periods;
    let first_cell = layout.capacity + instance.committed.pool[offer] * periods;
    (0..periods)
        .map(|t| {
            let cell = offer * periods + t;
            let beta = prices[layout.budget + instance.pools.year_of_period[t]];
            let cost = instance.committed.use_cost[cell] + beta * instance.committed.use_cash[cell];
            (prices[first_cell + t] - cost).max(0.0)
        })
        .collect()
}

/// Worth of a yen that an option claims; 0 without a programme or where it is not worth claiming.
pub fn option_claim_worth(instance: &Instance, layout: &PriceLayout, option: usize, prices: &[f64]) -> f64 {
    let table = &instance.committed;
    if table.option_programme[option] == NONE {
        return 0.0;
    }
    let owner = table.owner[offer_of(instance, option)];
    let key = (table.option_programme[option], owner, table.option_claim_year[option]);
    claim_worth(instance, layout, prices, key, false).max(0.0)
}

/// Reduced cost of one unit of an order option; `worth` is `hour_worth` of its offer.
pub fn option_reduced_cost(
    instance: &Instance,
    layout: &PriceLayout,
    option: usize,
    prices: &[f64],
    worth: &[f64],
) -> f64 {
    let table = &instance.committed;
    let years = instance.sizes.years;
    let mut reduced = table.option_cost[option]
        - table.option_claim_yen[option] * option_claim_worth(instance, layout, option, prices);
    for y in 0..years {
        reduced += prices[layout.budget + y] * table.option_cash[option * years + y];
        reduced += prices[layout.capital + y] * table.option_capital[option * years + y];
    }
    let live = &table.live_hours[table.live_offset[option]..table.live_offset[option + 1]];
    let first = table.option_first[option];
    let earned: f64 = live.iter().zip(&worth[first..]).map(|(hours, value)| hours * value).sum();
    reduced - earned
}

/// Committed offer of an order option.
pub fn offer_of(instance: &Instance, option: usize) -> usize {
    instance.committed.option_offset.partition_point(|&first| first <= option) - 1
}

struct SupplySide<'a> {
    instance: &'a Instance,
    layout: PriceLayout,
    prices: &'a [f64],
}

impl SupplySide<'_> {
    /// Hours of an offer, all that pay in each fiscal year or, under a quota, those that pay most.
    fn hourly_minimum(&self, offer: usize, gradient: &mut [f64]) -> f64 {
        let (instance, layout) = (self.instance, &self.layout);
        let periods = instance.sizes.periods;
        let first_cell = layout.capacity + instance.hourly.pool[offer] * periods;
        let mut total = 0.0;
        let mut paying: Vec<(f64, usize)> = Vec::with_capacity(periods);
        for year in 0..instance.sizes.years {
            let budget_row = layout.budget + year;
            let quota = instance.hourly.quota_hours[offer * instance.sizes.years + year];
            paying.clear();
            for t in instance.year_first[year]..instance.year_first[year + 1] {
                let cell = offer * periods + t;
                let cash = self.prices[budget_row] * instance.hourly.unit_cash[cell];
                let reduced = instance.hourly.unit_cost[cell] + cash - self.prices[first_cell + t];
                if reduced < 0.0 && instance.hourly.limit_hours[cell] > 0.0 {
                    paying.push((reduced, t));
                }
            }
            if quota.is_finite() {
                paying.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            }
            let mut left = quota;
            for &(reduced, t) in &paying {
                let hours = instance.hourly.limit_hours[offer * periods + t].min(left);
                left -= hours;
                total += reduced * hours;
                gradient[first_cell + t] -= hours;
                gradient[budget_row] += instance.hourly.unit_cash[offer * periods + t] * hours;
            }
        }
        total
    }

    /// A reservation or block: the best chain of terms that do not overlap, times the blocks that may be live.
    fn chain_minimum(&self, offer: usize, worth: &[f64], gradient: &mut [f64], orders: &mut Vec<(usize, f64)>) -> f64 {
        let table = &self.instance.committed;
        let periods = self.instance.sizes.periods;
        let length = |option: usize| table.live_offset[option + 1] - table.live_offset[option];
        let mut best_from = vec![(0.0_f64, NONE); periods + 1];
        let mut by_first: Vec<Vec<(f64, usize)>> = vec![Vec::new(); periods];
        for option in table.option_offset[offer]..table.option_offset[offer + 1] {
            let reduced = self.reduced_cost(option, worth);
            if reduced < 0.0 && length(option) > 0 {
                by_first[table.option_first[option]].push((reduced, option));
            }
        }
        for t in (0..periods).rev() {
            best_from[t] = (best_from[t + 1].0, NONE);
            for &(reduced, option) in &by_first[t] {
                let value = reduced + best_from[t + length(option)].0;
                if value < best_from[t].0 {
                    best_from[t] = (value, option);
                }
            }
        }
        let blocks = table.unit_limit[offer];
        let mut t = 0;
        while t < periods {
            match best_from[t].1 {
                NONE => t += 1,
                option => {
                    self.add_order(offer, option, worth, gradient);
                    orders.push((option, blocks));
                    t += length(option);
                }
            }
        }
        blocks * best_from[0].0
    }

    /// A purchase: all units in the best period with the best claim, or none.
    fn best_order_minimum(
        &self,
        offer: usize,
        worth: &[f64],
        gradient: &mut [f64],
        orders: &mut Vec<(usize, f64)>,
    ) -> f64 {
        let table = &self.instance.committed;
        let mut best = (0.0_f64, NONE);
        for option in table.option_offset[offer]..table.option_offset[offer + 1] {
            let reduced = self.reduced_cost(option, worth);
            if reduced < best.0 {
                best = (reduced, option);
            }
        }
        if best.1 != NONE {
            self.add_order(offer, best.1, worth, gradient);
            orders.push((best.1, table.unit_limit[offer]));
        }
        best.0 * table.unit_limit[offer]
    }

    fn reduced_cost(&self, option: usize, worth: &[f64]) -> f64 {
        option_reduced_cost(self.instance, &self.layout, option, self.prices, worth)
    }

    /// Add to `gradient` as many units of an option as its offer may have.
    fn add_order(&self, offer: usize, option: usize, worth: &[f64], gradient: &mut [f64]) {
        let (instance, layout) = (self.instance, &self.layout);
        let table = &instance.committed;
        let (periods, years) = (instance.sizes.periods, instance.sizes.years);
        let units = table.unit_limit[offer];
        let first_cell = layout.capacity + table.pool[offer] * periods;
        for y in 0..years {
            gradient[layout.budget + y] += units * table.option_cash[option * years + y];
            gradient[layout.capital + y] += units * table.option_capital[option * years + y];
        }
        let live = &table.live_hours[table.live_offset[option]..table.live_offset[option + 1]];
        for (d, block_hours) in live.iter().enumerate() {
            let t = table.option_first[option] + d;
            if worth[t] > 0.0 {
                let hours = units * block_hours;
                gradient[first_cell + t] -= hours;
                gradient[layout.budget + instance.pools.year_of_period[t]] +=
                    table.use_cash[offer * periods + t] * hours;
            }
        }
        if option_claim_worth(instance, layout, option, self.prices) > 0.0 {
            self.add_claim(offer, option, units, gradient);
        }
    }

    fn add_claim(&self, offer: usize, option: usize, units: f64, gradient: &mut [f64]) {
        let (instance, layout, table) = (self.instance, &self.layout, &self.instance.committed);
        let (programme, year) = (table.option_programme[option], table.option_claim_year[option]);
        let claim = units * table.option_claim_yen[option];
        let cell = programme * instance.sizes.years + year;
        let pay_year = instance.rules.claim_pay_year[cell];
        if pay_year != NONE {
            gradient[layout.budget + pay_year] -= claim;
        }
        gradient[layout.programme + cell] += claim;
        gradient[member_cap_row(instance, layout, programme, table.owner[offer], year)] += claim;
    }
}
