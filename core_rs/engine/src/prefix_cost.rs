//! Prefix sums over periods: the price of any run is a difference of two entries.

use rayon::prelude::*;

use crate::instance::{Instance, Mode, NONE};
use crate::prices::{PriceLayout, claim_worth};

/// Prefix sums at one vector of prices; S active price slots of members.
///
/// A member whose own rows all have price 0 shares slot 0: most caps and budgets are slack at most prices, and a slot
/// costs (R + 1) * P * (T + 1) sums (1,000 x 40 x 104 with 125 members: 24 ms a pass with all of them, 10 ms without).
#[derive(Clone, Debug)]
pub struct PrefixCost {
    /// Active slot of each slot of the instance.
    active_slot: Vec<usize>,
    /// Sum over periods of all that an accelerator-hour is charged, yen per accelerator-hour, (S, P, T + 1).
    pub hour: Vec<f64>,
    /// Sum over periods of the prices of rows over normalised work, yen per normalised hour, (P, T + 1).
    pub work: Vec<f64>,
    /// Worth of one claimed yen by fiscal year before project caps, (S, R, Y).
    pub claim_worth: Vec<f64>,
    /// Price of each project row.
    pub project_price: Vec<f64>,
    /// Sum over eligible periods of grant reference, (R, P, T + 1).
    pub reference: Vec<f64>,
    /// Sum over eligible periods of grant reference times positive worth, (S, R, P, T + 1).
    pub reference_worth: Vec<f64>,
    /// Yen counted for one yen of transfer or porting paid at a start, (S, T).
    pub start_pay: Vec<f64>,
    /// Yen per period of waiting.
    pub waiting: f64,
    /// Yen charged by precedences for a start in a period, (T + 1,) for each workload, empty where none ends before it.
    pub precedence_start: Vec<Vec<f64>>,
    /// Yen credited by precedences for an end in a period, (T + 1,) for each workload, empty where none waits for it.
    pub precedence_end: Vec<Vec<f64>>,
}

impl PrefixCost {
    /// Build the sums for `prices` laid out as `PriceLayout` says.
    pub fn new(instance: &Instance, prices: &[f64]) -> Self {
        let layout = PriceLayout::of(instance);
        let (active_slot, members) = active_slots(instance, &layout, prices);
        let worth = claim_worths(instance, &layout, prices, &members);
        let suffix = |lists: &[Vec<usize>]| -> Vec<Vec<f64>> {
            lists.iter().map(|list| suffix_sums(instance, &layout, prices, list)).collect()
        };
        Self {
            active_slot,
            hour: hour_sums(instance, &layout, prices, &members),
            work: work_sums(instance, &layout, prices),
            reference: reference_sums(instance),
            reference_worth: reference_worth_sums(instance, &worth, members.len()),
            claim_worth: worth,
            project_price: prices[layout.project..layout.member_budget].to_vec(),
            start_pay: start_pays(instance, &layout, prices, &members),
            waiting: prices[layout.waiting],
            precedence_start: suffix(&instance.precedences_as_after),
            precedence_end: suffix(&instance.precedences_as_before),
        }
    }

    /// Active slot of a workload's member.
    #[inline]
    fn slot_of(&self, instance: &Instance, workload: usize) -> usize {
        self.active_slot[instance.slot_of(workload)]
    }

    /// Yen counted for one yen of transfer or porting of a workload paid at a start, (T,).
    #[inline]
    pub fn start_pay_of(&self, instance: &Instance, workload: usize) -> &[f64] {
        let periods = instance.sizes.periods;
        let slot = self.slot_of(instance, workload);
        &self.start_pay[slot * periods..(slot + 1) * periods]
    }

    /// Sums over hours that a mode's workload sees in its pool, (T + 1,).
    #[inline]
    pub fn hour_of(&self, instance: &Instance, mode: &Mode) -> &[f64] {
        let row = self.slot_of(instance, mode.workload) * instance.sizes.pools + mode.pool;
        row_of(&self.hour, instance, row)
    }

    /// Sums over normalised work in a mode's pool, (T + 1,).
    #[inline]
    pub fn work_of(&self, instance: &Instance, mode: &Mode) -> &[f64] {
        row_of(&self.work, instance, mode.pool)
    }

    /// Sums over eligible grant reference of a programme in a mode's pool, (T + 1,).
    #[inline]
    pub fn reference_of(&self, instance: &Instance, mode: &Mode, programme: usize) -> &[f64] {
        row_of(&self.reference, instance, programme * instance.sizes.pools + mode.pool)
    }

    /// The same times the positive worth that the mode's workload sees, (T + 1,).
    #[inline]
    pub fn reference_worth_of(&self, instance: &Instance, mode: &Mode, programme: usize) -> &[f64] {
        let slot = self.slot_of(instance, mode.workload);
        let row = (slot * instance.sizes.programmes + programme) * instance.sizes.pools + mode.pool;
        row_of(&self.reference_worth, instance, row)
    }

    /// Worth by fiscal year of a yen that a workload claims from a programme, before the cap of its project, (Y,).
    #[inline]
    pub fn worth_of(&self, instance: &Instance, workload: usize, programme: usize) -> &[f64] {
        let years = instance.sizes.years;
        let row = self.slot_of(instance, workload) * instance.sizes.programmes + programme;
        &self.claim_worth[row * years..(row + 1) * years]
    }

    /// Price of the cap of a workload's project in a programme; 0 where it is no row.
    #[inline]
    pub fn project_price_of(&self, instance: &Instance, workload: usize, programme: usize) -> f64 {
        let row = instance.project_row_of[workload * instance.sizes.programmes + programme];
        if row == NONE { 0.0 } else { self.project_price[row] }
    }
}

#[inline]
fn row_of<'a>(sums: &'a [f64], instance: &Instance, row: usize) -> &'a [f64] {
    let stride = instance.sizes.periods + 1;
    &sums[row * stride..(row + 1) * stride]
}

/// Accelerator-hours weighted by a prefix sum over a mode's run without pauses from `start` on.
#[inline]
pub fn run_sum(prefix: &[f64], mode: &Mode, start: usize, period_hours: f64) -> f64 {
    let end = start + mode.full;
    let mut sum = period_hours * (prefix[end] - prefix[start]);
    if mode.length > mode.full {
        sum += mode.rest_hours * (prefix[end + 1] - prefix[end]);
    }
    mode.gang * sum
}

/// Fill rows of (T + 1,) prefix sums in parallel; `fill` writes the values of a row, (T,).
fn prefix_rows(instance: &Instance, row_count: usize, fill: impl Fn(usize, &mut [f64]) + Sync) -> Vec<f64> {
    let stride = instance.sizes.periods + 1;
    let mut sums = vec![0.0; row_count * stride];
    sums.par_chunks_mut(stride).enumerate().with_min_len(64).for_each(|(row, sum)| {
        fill(row, &mut sum[1..]);
        let mut total = 0.0;
        for value in &mut sum[1..] {
            total += *value;
            *value = total;
        }
    });
    sums
}

/// Active slot of each slot of the instance, and the member of each active slot (`NONE` for slot 0).
fn active_slots(instance: &Instance, layout: &PriceLayout, prices: &[f64]) -> (Vec<usize>, Vec<usize>) {
    let (sizes, years) = (&instance.sizes, instance.sizes.years);
    let mut members = vec![NONE];
    let active = |member: usize| {
        let budget = layout.member_budget + member * years;
        let caps = (0..sizes.programmes).map(|r| layout.member_cap + (r * sizes.members + member) * years);
        std::iter::once(budget).chain(caps).any(|first| prices[first..first + years].iter().any(|&price| price != 0.0))
    };
    let slots = instance
        .slot_member
        .iter()
        .map(|&member| {
            if member == NONE || !active(member) {
                return 0;
            }
            members.push(member);
            members.len() - 1
        })
        .collect();
    (slots, members)
}

fn hour_sums(instance: &Instance, layout: &PriceLayout, prices: &[f64], slot_member: &[usize]) -> Vec<f64> {
    let (sizes, pools) = (&instance.sizes, &instance.pools);
    let common: Vec<f64> = (0..sizes.pools)
        .flat_map(|p| (0..sizes.periods).map(move |t| common_hour_price(instance, layout, prices, p, t)))
        .collect();
    let members: Vec<Vec<f64>> = slot_member
        .iter()
        .map(|&member| {
            let years = pools.year_of_period.iter();
            years.map(|&year| member_budget_price(instance, layout, prices, member, year)).collect()
        })
        .collect();
    prefix_rows(instance, slot_member.len() * sizes.pools, |row, out| {
        let cells = row % sizes.pools * sizes.periods..(row % sizes.pools + 1) * sizes.periods;
        let member = members[row / sizes.pools].iter().zip(&pools.charge_reference[cells.clone()]);
        let values = common[cells].iter().zip(member);
        out.iter_mut().zip(values).for_each(|(out, (price, (member, charge)))| *out = price + member * charge);
    })
}

/// Price of an accelerator-hour to every member: capacity, power and carbon.
fn common_hour_price(instance: &Instance, layout: &PriceLayout, prices: &[f64], p: usize, t: usize) -> f64 {
    let (periods, pools) = (instance.sizes.periods, &instance.pools);
    let site = pools.pool_site[p];
    let power = if site == NONE { 0.0 } else { prices[layout.power + site * periods + t] };
    let carbon = pools.carbon_yen_per_kg + prices[layout.carbon + pools.year_of_period[t]];
    prices[layout.capacity + p * periods + t] + power * pools.pool_kw[p] + carbon * pools.pool_kg[p]
}

fn member_budget_price(instance: &Instance, layout: &PriceLayout, prices: &[f64], member: usize, year: usize) -> f64 {
    match member {
        NONE => 0.0,
        member => prices[layout.member_budget + member * instance.sizes.years + year],
    }
}

fn work_sums(instance: &Instance, layout: &PriceLayout, prices: &[f64]) -> Vec<f64> {
    let (sizes, rules) = (&instance.sizes, &instance.rules);
    let mut of_year = vec![0.0; sizes.pools * sizes.years];
    for (k, &year) in rules.work_row_year.iter().enumerate() {
        let price = prices[layout.work + k];
        let coefficients = &rules.work_row_coefficient[k * sizes.pools..(k + 1) * sizes.pools];
        for (p, coefficient) in coefficients.iter().enumerate() {
            of_year[p * sizes.years + year] += price * coefficient;
        }
    }
    prefix_rows(instance, sizes.pools, |p, out| {
        let years = out.iter_mut().zip(&instance.pools.year_of_period);
        years.for_each(|(out, year)| *out = of_year[p * sizes.years + year]);
    })
}

fn claim_worths(instance: &Instance, layout: &PriceLayout, prices: &[f64], slot_member: &[usize]) -> Vec<f64> {
    let sizes = &instance.sizes;
    let mut worths = Vec::with_capacity(slot_member.len() * sizes.programmes * sizes.years);
    for &member in slot_member {
        for programme in 0..sizes.programmes {
            worths.extend(
                (0..sizes.years).map(|year| claim_worth(instance, layout, prices, (programme, member, year), true)),
            );
        }
    }
    worths
}

/// Fill the grant reference of a row (programme, pool) in each period, (T,); 0 where use is not eligible.
fn eligible_reference(instance: &Instance, row: usize, out: &mut [f64]) {
    let sizes = &instance.sizes;
    let (programme, pool) = (row / sizes.pools, row % sizes.pools);
    if !instance.rules.programme_pool[row] {
        return;
    }
    let window = &instance.rules.programme_window[programme * sizes.periods..];
    let reference = &instance.pools.grant_reference[pool * sizes.periods..];
    for (out, (yen, is_open)) in out.iter_mut().zip(reference.iter().zip(window)) {
        *out = if *is_open { *yen } else { 0.0 };
    }
}

fn reference_sums(instance: &Instance) -> Vec<f64> {
    let row_count = instance.sizes.programmes * instance.sizes.pools;
    prefix_rows(instance, row_count, |row, out| eligible_reference(instance, row, out))
}

fn reference_worth_sums(instance: &Instance, worth: &[f64], slot_count: usize) -> Vec<f64> {
    let (sizes, years) = (&instance.sizes, instance.sizes.years);
    let rows_of_slot = sizes.programmes * sizes.pools;
    prefix_rows(instance, slot_count * rows_of_slot, |row, out| {
        eligible_reference(instance, row % rows_of_slot, out);
        for (year, value) in worth[row / sizes.pools * years..][..years].iter().enumerate() {
            let span = instance.year_first[year]..instance.year_first[year + 1];
            out[span].iter_mut().for_each(|out| *out *= value.max(0.0));
        }
    })
}

fn start_pays(instance: &Instance, layout: &PriceLayout, prices: &[f64], slot_member: &[usize]) -> Vec<f64> {
    slot_member
        .iter()
        .flat_map(|&member| {
            (0..instance.sizes.periods).map(move |t| {
                let year = instance.pools.year_of_period[t];
                let own = member_budget_price(instance, layout, prices, member, year);
                instance.pools.discount[t] + prices[layout.budget + year] + own
            })
        })
        .collect()
}

/// Sums of the prices of precedences over the periods from each one on, (T + 1,); empty without precedences.
fn suffix_sums(instance: &Instance, layout: &PriceLayout, prices: &[f64], precedences: &[usize]) -> Vec<f64> {
    if precedences.is_empty() {
        return Vec::new();
    }
    let periods = instance.sizes.periods;
    let mut sums = vec![0.0; periods + 1];
    for t in (0..periods).rev() {
        let here = precedences.iter().map(|i| prices[layout.precedence + i * periods + t]);
        sums[t] = sums[t + 1] + here.sum::<f64>();
    }
    sums
}
