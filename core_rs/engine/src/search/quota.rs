//! Allocations with a quota of hours for each fiscal year: the quota goes where an hour of it saves most.

use crate::instance::{Instance, NONE};
use crate::search::solution::{HOURS_TOLERANCE, Solution};

/// A fiscal year of an allocation with a quota.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Block {
    /// Hours that nothing else in the pool can serve.
    pub must_hours: f64,
    /// Hours of the quota that are not used.
    pub left_hours: f64,
    /// Yen that one more hour taken from the quota costs elsewhere; 0 while some is left.
    pub value: f64,
}

/// Hours of a period that the allocation can take over from one source.
#[derive(Clone, Copy, Debug)]
pub struct Segment {
    saving: f64,
    t: usize,
    hours: f64,
    cost: f64,
    cash: f64,
}

/// Hours of one insertion in a cell, seen from the quota.
#[derive(Clone, Copy, Debug, Default)]
pub struct QuotaUse {
    /// Hours that only the allocation can serve.
    pub must: f64,
    /// Hours it would serve.
    pub taken: f64,
    /// Yen that it saves by those of them that others could serve.
    pub saving: f64,
}

impl QuotaUse {
    /// Both together.
    #[inline]
    pub fn plus(&self, other: &Self) -> Self {
        Self { must: self.must + other.must, taken: self.taken + other.taken, saving: self.saving + other.saving }
    }

    /// This one without the other.
    #[inline]
    pub fn minus(&self, other: &Self) -> Self {
        Self { must: self.must - other.must, taken: self.taken - other.taken, saving: self.saving - other.saving }
    }
}

impl Solution {
    /// Split the quota of a fiscal year afresh; cost and cash of all its cells follow from hours and live capacity alone.
    pub(super) fn refresh_block(&mut self, instance: &Instance, quota: usize, year: usize) {
        let (sizes, offer) = (&instance.sizes, self.statics.quotas[quota].offer);
        let pool = self.statics.quotas[quota].pool;
        let span = instance.year_first[year]..instance.year_first[year + 1];
        let mut segments = std::mem::take(&mut self.segments);
        segments.clear();
        let mut must_hours = 0.0;
        for t in span.clone() {
            must_hours += self.serve_without(instance, pool, offer, t, &mut segments);
        }
        // Ties go to the earlier period, so that the split is one function of the hours.
        segments.sort_by(|a, b| b.saving.total_cmp(&a.saving).then(a.t.cmp(&b.t)));
        let mut left = instance.hourly.quota_hours[offer * sizes.years + year];
        let mut value = 0.0;
        for segment in &segments {
            if left <= HOURS_TOLERANCE {
                if value == 0.0 && segment.saving.is_finite() {
                    value = segment.saving;
                }
                break;
            }
            let (cell, taken) = (pool * sizes.periods + segment.t, segment.hours.min(left));
            let unit = offer * sizes.periods + segment.t;
            let cost = self.cell_cost[cell] + taken * (instance.hourly.unit_cost[unit] - segment.cost);
            let cash = self.cell_cash[cell] + taken * (instance.hourly.unit_cash[unit] - segment.cash);
            self.set_cell(instance, cell, segment.t, (cost, cash));
            left -= taken;
            if left <= HOURS_TOLERANCE && segment.saving.is_finite() {
                value = segment.saving;
            }
        }
        self.segments = segments;
        let limit = instance.hourly.quota_hours[offer * sizes.years + year];
        if must_hours > limit + HOURS_TOLERANCE && !span.is_empty() {
            // As an overfull cell: only passed through.
            let cell = pool * sizes.periods + span.start;
            let (cost, cash) = (self.cell_cost[cell], self.cell_cash[cell]);
            self.set_cell(instance, cell, span.start, (cost + self.mandatory_yen, cash + self.mandatory_yen));
        }
        self.blocks[quota * sizes.years + year] = Block { must_hours, left_hours: left.max(0.0), value };
    }

    /// Serve a cell by all other sources, and note what the allocation could take over; returns the hours only it can serve.
    fn serve_without(
        &mut self,
        instance: &Instance,
        pool: usize,
        offer: usize,
        t: usize,
        segments: &mut Vec<Segment>,
    ) -> f64 {
        let periods = instance.sizes.periods;
        let cell = pool * periods + t;
        let (mut left, mut cost, mut cash) = (self.hours[cell], 0.0, 0.0);
        let unit_cost = instance.hourly.unit_cost[offer * periods + t];
        let first = segments.len();
        for source in self.statics.sources(cell) {
            if left <= HOURS_TOLERANCE {
                break;
            }
            let room = if source.committed == NONE {
                source.limit_hours
            } else {
                self.live_hours[source.committed * periods + t]
            };
            let hours = left.min(room);
            cost += source.cost * hours;
            cash += source.cash * hours;
            left -= hours;
            let saving = source.cost - unit_cost;
            if saving > 0.0 && hours > 0.0 {
                segments.push(Segment { saving, t, hours, cost: source.cost, cash: source.cash });
            }
        }
        let must = if left > HOURS_TOLERANCE { left } else { 0.0 };
        if must > 0.0 {
            segments.push(Segment { saving: f64::INFINITY, t, hours: must, cost: 0.0, cash: 0.0 });
        }
        let limit = instance.hourly.limit_hours[offer * periods + t];
        if must > limit + HOURS_TOLERANCE {
            cost += self.mandatory_yen;
            cash += self.mandatory_yen;
        }
        self.set_cell(instance, cell, t, (cost, cash));
        // The dearest hours come last in the merit order: the allocation takes those first, up to what it has in the period.
        let mut room = limit;
        for segment in segments[first..].iter_mut().rev() {
            segment.hours = segment.hours.min(room);
            room -= segment.hours;
        }
        must
    }

    /// Whether the hours that only the allocation can serve fit its quota of the year.
    pub(super) fn is_quota_kept(&self, instance: &Instance, quota: usize, year: usize) -> bool {
        let offer = self.statics.quotas[quota].offer;
        let limit = instance.hourly.quota_hours[offer * instance.sizes.years + year];
        self.blocks[quota * instance.sizes.years + year].must_hours <= limit + HOURS_TOLERANCE
    }

    /// Hours of the year's quota that hours without any other source may still take.
    pub(super) fn quota_room(&self, instance: &Instance, quota: usize, year: usize) -> f64 {
        let offer = self.statics.quotas[quota].offer;
        let limit = instance.hourly.quota_hours[offer * instance.sizes.years + year];
        limit - self.blocks[quota * instance.sizes.years + year].must_hours
    }

    /// Estimated cost and cash of `hours` more in a cell of a pool with a quota: hours of the allocation cost what they save
    /// at the margin now. None where they do not fit the cell.
    #[inline(never)]
    pub(super) fn quota_difference(
        &self,
        instance: &Instance,
        quota: usize,
        t: usize,
        hours: f64,
    ) -> Option<(f64, f64, QuotaUse)> {
        let sizes = &instance.sizes;
        let (offer, pool) = (self.statics.quotas[quota].offer, self.statics.quotas[quota].pool);
        let cell = pool * sizes.periods + t;
        let (before, after) = (self.hours[cell], self.hours[cell] + hours);
        let room = instance.hourly.limit_hours[offer * sizes.periods + t];
        let others = self.pool_hours[cell] - room;
        if after > self.pool_hours[cell] + HOURS_TOLERANCE {
            return None;
        }
        let value = self.blocks[quota * sizes.years + instance.pools.year_of_period[t]].value;
        let (was, now) =
            (self.with_quota(instance, quota, t, before, value), self.with_quota(instance, quota, t, after, value));
        let (cost, cash) = (now.0 - was.0, now.1 - was.1);
        let must = (after - others).max(0.0) - (before - others).max(0.0);
        let taken = (now.2 - was.2).max(0.0);
        let alone = |hours: f64| self.dispatch(instance, pool, t, hours.min(others)).map_or(0.0, |found| found.0);
        let unit_cost = instance.hourly.unit_cost[offer * sizes.periods + t];
        let saving = (alone(after) - alone(before) + must * (unit_cost + value) - cost).max(0.0);
        Some((cost, cash, QuotaUse { must: must.max(0.0), taken, saving }))
    }

    /// Cost, cash and allocation hours of serving a cell where the allocation's hours cost `value` more than their price.
    fn with_quota(&self, instance: &Instance, quota: usize, t: usize, hours: f64, value: f64) -> (f64, f64, f64) {
        let (periods, offer) = (instance.sizes.periods, self.statics.quotas[quota].offer);
        let cell = self.statics.quotas[quota].pool * periods + t;
        let own_cost = instance.hourly.unit_cost[offer * periods + t] + value;
        let own_cash = instance.hourly.unit_cash[offer * periods + t];
        let own_room = instance.hourly.limit_hours[offer * periods + t];
        let (mut left, mut cost, mut cash, mut own) = (hours, 0.0, 0.0, None);
        for source in self.statics.sources(cell) {
            if own.is_none() && source.cost >= own_cost {
                let taken = left.min(own_room);
                own = Some(taken);
                left -= taken;
            }
            let room = if source.committed == NONE {
                source.limit_hours
            } else {
                self.live_hours[source.committed * periods + t]
            };
            let taken = left.min(room);
            cost += source.cost * taken;
            cash += source.cash * taken;
            left -= taken;
        }
        let own = own.unwrap_or_else(|| left.min(own_room));
        (cost + own * own_cost, cash + own * own_cash, own)
    }
}
