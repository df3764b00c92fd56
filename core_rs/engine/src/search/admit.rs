//! What fits a plan: the hard rows of one column, and plans that come from elsewhere.

use std::cmp::Reverse;

use crate::column::{Column, NOT_RUN};
use crate::instance::{CAPACITY_TOLERANCE, Instance, NONE};
use crate::search::solution::{HOURS_TOLERANCE, PlanParts, Solution};
use crate::tables::YEAR_COUNT_MAX;

impl Solution {
    /// Build from a plan and leave out what breaks a hard row: units beyond their limit, columns that do not fit, claims
    /// beyond what is left.
    pub fn admit(instance: &Instance, mandatory_yen: f64, plan: &PlanParts) -> Self {
        let mut solution = Self::empty(instance, mandatory_yen);
        for (option, &wanted) in plan.units.iter().enumerate() {
            let count = if wanted > 0 { wanted.min(solution.units_left(instance, option)) } else { 0 };
            if count > 0 {
                let claimable = solution.claimable_by_order(instance, option, count);
                let claim_yen = plan.order_claims[option].max(0.0).min(claimable);
                solution.change_units(instance, option, i64::from(count), claim_yen);
            }
        }
        let mut placed: Vec<usize> = (0..plan.columns.len()).filter(|&w| plan.columns[w].mode != NOT_RUN).collect();
        // A predecessor starts before its successors; what is pinned has the first choice.
        placed.sort_by_key(|&w| (Reverse(solution.statics.is_pinned[w]), plan.columns[w].start, w));
        let stride = solution.claim_stride(instance);
        for w in placed {
            let mut column = plan.columns[w];
            if !is_legal(instance, w, &column) || !solution.fits(instance, &column) {
                continue;
            }
            let mut claims = plan.claims[w * stride..(w + 1) * stride].to_vec();
            column.claim_set = solution.cut_claims(instance, &column, &mut claims);
            solution.place(instance, w, column, &claims);
        }
        solution
    }

    /// Periods in which a workload may run beside its placed predecessors and successors; None while a predecessor is missing.
    pub fn precedence_window(&self, instance: &Instance, workload: usize) -> Option<(usize, usize)> {
        let mut window = (instance.workloads.release[workload], instance.workloads.deadline[workload]);
        for &i in &instance.precedences_as_after[workload] {
            let before = instance.workloads.before[i];
            if !self.is_placed(before) {
                return None;
            }
            window.0 = window.0.max(self.ends[before]);
        }
        for &i in &instance.precedences_as_before[workload] {
            let after = instance.workloads.after[i];
            if self.is_placed(after) {
                window.1 = window.1.min(self.columns[after].start);
            }
        }
        Some(window)
    }

    /// Whether a legal column of a workload that is not placed keeps precedence, gang, capacity, power and quota.
    pub fn fits(&self, instance: &Instance, column: &Column) -> bool {
        let mode = &instance.modes[column.mode];
        let Some(window) = self.precedence_window(instance, mode.workload) else { return false };
        column.start >= window.0 && column.end(instance) <= window.1 && self.has_room(instance, column)
    }

    /// Whether every period has room for a column: gang, capacity, power and quota.
    pub fn has_room(&self, instance: &Instance, column: &Column) -> bool {
        let mode = &instance.modes[column.mode];
        let quota = self.statics.quota_of_pool[mode.pool];
        let mut must = [0.0; YEAR_COUNT_MAX];
        for (t, hours) in column.touched(instance) {
            let cell = mode.pool * instance.sizes.periods + t;
            let has_room = mode.gang <= self.pool_live[cell] + CAPACITY_TOLERANCE
                && self.hours[cell] + hours <= self.pool_hours[cell] + HOURS_TOLERANCE
                && self.has_power(instance, mode.pool, t, hours);
            if !has_room {
                return false;
            }
            if quota != NONE {
                let offer = self.statics.quotas[quota].offer;
                let others = self.pool_hours[cell] - instance.hourly.limit_hours[offer * instance.sizes.periods + t];
                let short = |placed: f64| (placed - others).max(0.0);
                must[instance.pools.year_of_period[t]] += short(self.hours[cell] + hours) - short(self.hours[cell]);
            }
        }
        let keeps = |y: usize| must[y] <= 0.0 || must[y] <= self.quota_room(instance, quota, y) + HOURS_TOLERANCE;
        (0..instance.sizes.years).all(keeps)
    }

    /// Whether the site of a pool has power for so many hours more in a period.
    #[inline]
    pub fn has_power(&self, instance: &Instance, pool: usize, t: usize, hours: f64) -> bool {
        let site = instance.pools.pool_site[pool];
        if site == NONE {
            return true;
        }
        let kwh = self.kwh[site * instance.sizes.periods + t] + hours * instance.pools.pool_kw[pool];
        kwh <= instance.pools.site_limit_kwh[site] * (1.0 + 1e-12) + 1e-9
    }
}

/// Whether a column is one of the workload's legal columns, room aside.
fn is_legal(instance: &Instance, workload: usize, column: &Column) -> bool {
    let table = &instance.workloads;
    instance.modes_of(workload).contains(&column.mode)
        && column.pauses_fit(instance)
        && column.start >= table.release[workload]
        && column.end(instance) <= table.deadline[workload]
        && (!table.locked[workload] || column.start == table.current_start[workload])
}
