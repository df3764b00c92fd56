//! Prefix sums over periods: the price of any run is a difference of two entries.

use crate::instance::{Instance, Mode, NO_SITE};
use crate::prices::PriceLayout;

/// Prefix sums at one vector of prices.
#[derive(Clone, Debug)]
pub struct PrefixCost {
    /// Sum over periods of capacity and power price in yen per accelerator-hour, (P, T + 1).
    pub hour: Vec<f64>,
    /// Sum over periods of the domestic-share price of one normalised hour abroad, (T + 1).
    pub share_abroad: Vec<f64>,
    /// The same at home, (T + 1).
    pub share_home: Vec<f64>,
    /// Worth of one claimed yen by programme and fiscal year before project caps, (R, Y).
    pub claim_worth: Vec<f64>,
    /// Price of each project row.
    pub project_price: Vec<f64>,
    /// Sum over eligible periods of grant reference, (R, P, T + 1).
    pub reference: Vec<f64>,
    /// Sum over eligible periods of grant reference times positive worth, (R, P, T + 1).
    pub reference_worth: Vec<f64>,
}

impl PrefixCost {
    /// Build the sums for `prices` laid out as `PriceLayout` says.
    pub fn new(instance: &Instance, prices: &[f64]) -> Self {
        let layout = PriceLayout::of(instance);
        let (share_abroad, share_home) = share_sums(instance, &layout, prices);
        let claim_worth = claim_worths(instance, &layout, prices);
        let (reference, reference_worth) = reference_sums(instance, &claim_worth);
        Self {
            hour: hour_sums(instance, &layout, prices),
            share_abroad,
            share_home,
            claim_worth,
            project_price: prices[layout.project..].to_vec(),
            reference,
            reference_worth,
        }
    }

    /// Share sums of a pool.
    pub fn share(&self, domestic: bool) -> &[f64] {
        if domestic { &self.share_home } else { &self.share_abroad }
    }
}

/// Accelerator-hours weighted by a prefix sum over a mode's run from `start` on.
#[inline]
pub fn run_sum(prefix: &[f64], mode: &Mode, start: usize, period_hours: f64) -> f64 {
    let end = start + mode.full;
    let mut sum = period_hours * (prefix[end] - prefix[start]);
    if mode.length > mode.full {
        sum += mode.rest_hours * (prefix[end + 1] - prefix[end]);
    }
    mode.gang * sum
}

fn hour_sums(instance: &Instance, layout: &PriceLayout, prices: &[f64]) -> Vec<f64> {
    let (pools, periods) = (instance.sizes.pools, instance.sizes.periods);
    let mut sums = vec![0.0; pools * (periods + 1)];
    for p in 0..pools {
        let site = instance.pools.pool_site[p];
        let row = &mut sums[p * (periods + 1)..(p + 1) * (periods + 1)];
        for t in 0..periods {
            let power = if site == NO_SITE { 0.0 } else { prices[layout.power + site * periods + t] };
            row[t + 1] = row[t] + prices[layout.capacity + p * periods + t] + power * instance.pools.pool_kw[p];
        }
    }
    sums
}

fn share_sums(instance: &Instance, layout: &PriceLayout, prices: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let periods = instance.sizes.periods;
    let (mut abroad, mut home) = (vec![0.0; periods + 1], vec![0.0; periods + 1]);
    for t in 0..periods {
        let year = instance.pools.year_of_period[t];
        let (price, share) = (prices[layout.share + year], instance.rules.share_min[year].max(0.0));
        abroad[t + 1] = abroad[t] + price * share;
        home[t + 1] = home[t] + price * (share - 1.0);
    }
    (abroad, home)
}

fn claim_worths(instance: &Instance, layout: &PriceLayout, prices: &[f64]) -> Vec<f64> {
    let years = instance.sizes.years;
    (0..instance.sizes.programmes * years)
        .map(|cell| 1.0 + prices[layout.budget + cell % years] - prices[layout.programme + cell])
        .collect()
}

fn reference_sums(instance: &Instance, claim_worth: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let sizes = &instance.sizes;
    let stride = sizes.periods + 1;
    let mut reference = vec![0.0; sizes.programmes * sizes.pools * stride];
    let mut worth = reference.clone();
    for r in 0..sizes.programmes {
        for p in 0..sizes.pools {
            if !instance.rules.programme_pool[r * sizes.pools + p] {
                continue;
            }
            let base = (r * sizes.pools + p) * stride;
            for t in 0..sizes.periods {
                let open = instance.rules.programme_window[r * sizes.periods + t];
                let amount = if open { instance.pools.grant_reference[p * sizes.periods + t] } else { 0.0 };
                let value = claim_worth[r * sizes.years + instance.pools.year_of_period[t]].max(0.0);
                reference[base + t + 1] = reference[base + t] + amount;
                worth[base + t + 1] = worth[base + t] + amount * value;
            }
        }
    }
    (reference, worth)
}
