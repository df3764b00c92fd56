//! What the search derives from an instance once: merit order with cash, quotas, rivals of programmes, grant sums.

use crate::columns::claim_set_size_max;
use crate::instance::{Instance, NONE};
use crate::prefix_cost::PrefixCost;
use crate::prices::PriceLayout;
use crate::search::rows::SoftRows;

/// One offer as a source of hours in one cell.
#[derive(Clone, Copy, Debug)]
pub struct Source {
    /// Yen per accelerator-hour in the objective.
    pub cost: f64,
    /// Yen per accelerator-hour paid.
    pub cash: f64,
    /// Hours of an hourly offer; unused for a committed one.
    pub limit_hours: f64,
    /// Committed offer, or `NONE` for an hourly one.
    pub committed: usize,
}

/// An allocation whose hours of a fiscal year are limited, beside the merit order of its pool.
#[derive(Clone, Copy, Debug)]
pub struct Quota {
    /// Hourly offer.
    pub offer: usize,
    /// Its pool.
    pub pool: usize,
}

/// Tables that no move changes.
#[derive(Clone, Debug)]
pub struct Statics {
    /// Soft rows.
    pub rows: SoftRows,
    /// Allocations with a quota.
    pub quotas: Vec<Quota>,
    /// Quota of each pool or `NONE`, (P,).
    pub quota_of_pool: Vec<usize>,
    /// Offer of each order option.
    pub offer_of_option: Vec<usize>,
    /// Other programmes of each programme's exclusivity group, (R,) lists.
    pub rivals: Vec<Vec<usize>>,
    /// Rows over normalised work of each fiscal year, (Y,) lists.
    pub work_rows_of_year: Vec<Vec<usize>>,
    /// Most programmes of one claim set, at least 1.
    pub claim_slots: usize,
    /// Sum over eligible periods of the grant reference, (R, P, T + 1).
    pub reference: Vec<f64>,
    /// Last start of each workload that leaves its successors a start of their own, (W,).
    pub latest_start: Vec<usize>,
    /// Workloads that stay where they are: locked, or before one that is, (W,).
    pub is_pinned: Vec<bool>,
    source_offset: Vec<usize>,
    sources: Vec<Source>,
}

impl Statics {
    /// Derive everything from an instance.
    pub fn new(instance: &Instance) -> Self {
        let sizes = &instance.sizes;
        let has_quota = |offer: usize| {
            let quotas = &instance.hourly.quota_hours[offer * sizes.years..(offer + 1) * sizes.years];
            quotas.iter().any(|hours| hours.is_finite())
        };
        let quotas: Vec<Quota> = (0..instance.hourly.pool.len())
            .filter(|&offer| has_quota(offer))
            .map(|offer| Quota { offer, pool: instance.hourly.pool[offer] })
            .collect();
        let mut quota_of_pool = vec![NONE; sizes.pools];
        quotas.iter().enumerate().for_each(|(q, quota)| quota_of_pool[quota.pool] = q);
        let (source_offset, sources) = merit_order(instance, &quotas);
        let mut work_rows_of_year = vec![Vec::new(); sizes.years];
        instance.rules.work_row_year.iter().enumerate().for_each(|(k, &y)| work_rows_of_year[y].push(k));
        let mut offer_of_option = vec![0; instance.committed.option_first.len()];
        for (offer, pair) in instance.committed.option_offset.windows(2).enumerate() {
            offer_of_option[pair[0]..pair[1]].fill(offer);
        }
        let unpriced = PrefixCost::new(instance, &vec![0.0; PriceLayout::of(instance).count]);
        Self {
            rows: SoftRows::new(instance),
            quotas,
            quota_of_pool,
            offer_of_option,
            rivals: rivals(instance),
            work_rows_of_year,
            claim_slots: claim_set_size_max(instance).max(1),
            reference: unpriced.reference,
            latest_start: latest_starts(instance),
            is_pinned: pinned(instance),
            source_offset,
            sources,
        }
    }

    /// Sources of a cell besides an allocation with a quota, cheapest first.
    #[inline]
    pub fn sources(&self, cell: usize) -> &[Source] {
        &self.sources[self.source_offset[cell]..self.source_offset[cell + 1]]
    }
}

fn merit_order(instance: &Instance, quotas: &[Quota]) -> (Vec<usize>, Vec<Source>) {
    let periods = instance.sizes.periods;
    let (mut offset, mut all) = (vec![0], Vec::new());
    for cell in 0..instance.sizes.pools * periods {
        let (pool, t) = (cell / periods, cell % periods);
        let first = all.len();
        all.extend(instance.committed_of_pool[pool].iter().map(|&o| Source {
            cost: instance.committed.use_cost[o * periods + t],
            cash: instance.committed.use_cash[o * periods + t],
            limit_hours: 0.0,
            committed: o,
        }));
        let hourly = instance.hourly_of_pool[pool].iter().filter(|&&o| quotas.iter().all(|quota| quota.offer != o));
        all.extend(hourly.map(|&o| Source {
            cost: instance.hourly.unit_cost[o * periods + t],
            cash: instance.hourly.unit_cash[o * periods + t],
            limit_hours: instance.hourly.limit_hours[o * periods + t],
            committed: NONE,
        }));
        all[first..].sort_by(|a, b| a.cost.total_cmp(&b.cost));
        offset.push(all.len());
    }
    (offset, all)
}

fn rivals(instance: &Instance) -> Vec<Vec<usize>> {
    let groups = &instance.rules.programme_group;
    let of_group = |r: usize| (0..groups.len()).filter(move |&other| other != r && groups[other] == groups[r]);
    (0..groups.len()).map(|r| if groups[r] == NONE { Vec::new() } else { of_group(r).collect() }).collect()
}

fn latest_starts(instance: &Instance) -> Vec<usize> {
    let workloads = instance.sizes.workloads;
    let mut latest: Vec<usize> = (0..workloads).map(|w| own_latest_start(instance, w)).collect();
    let shortest: Vec<usize> = (0..workloads)
        .map(|w| instance.modes_of(w).map(|index| instance.modes[index].length).min().unwrap_or(1))
        .collect();
    // As many rounds as the longest chain has links; a circle cannot go on for ever.
    for _ in 0..workloads {
        let mut changed = false;
        for (&u, &w) in instance.workloads.before.iter().zip(&instance.workloads.after) {
            let most = latest[w].saturating_sub(shortest[u]);
            changed |= most < latest[u];
            latest[u] = latest[u].min(most);
        }
        if !changed {
            break;
        }
    }
    latest
}

fn own_latest_start(instance: &Instance, workload: usize) -> usize {
    if instance.workloads.locked[workload] {
        return instance.workloads.current_start[workload];
    }
    if instance.workloads.pauses_max[workload] > 0 {
        return instance.workloads.deadline[workload].saturating_sub(1);
    }
    let modes = instance.modes_of(workload);
    modes.flat_map(|index| instance.starts_of(&instance.modes[index])).map(|range| range.1 - 1).max().unwrap_or(0)
}

fn pinned(instance: &Instance) -> Vec<bool> {
    let mut is_pinned = instance.workloads.locked.clone();
    for _ in 0..instance.sizes.workloads {
        let before = is_pinned.clone();
        for (&u, &w) in instance.workloads.before.iter().zip(&instance.workloads.after) {
            is_pinned[u] |= is_pinned[w];
        }
        if before == is_pinned {
            break;
        }
    }
    is_pinned
}
