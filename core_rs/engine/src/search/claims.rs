//! What may be claimed, and how much of it: exclusivity, rates, and what caps and budgets have left.

use crate::claims::{eligible_by_year, years_of_run};
use crate::column::{Column, NO_CLAIMS};
use crate::instance::{Instance, NONE};
use crate::search::solution::Solution;

impl Solution {
    /// Whether a workload that is not placed may claim from the set beside the claims of its project.
    pub fn is_claim_set_open(&self, instance: &Instance, workload: usize, set: usize) -> bool {
        let programmes = instance.programmes_of(set);
        let first = instance.workloads.project[workload] * instance.sizes.programmes;
        programmes.iter().all(|&r| {
            let rivals = &self.statics.rivals[r];
            rivals.iter().all(|&other| self.project_uses[first + other] == 0 && !programmes.contains(&other))
        })
    }

    /// Whether one more unit of an order option may claim from its programme beside the orders of its owner.
    pub fn is_option_open(&self, instance: &Instance, option: usize) -> bool {
        let programme = instance.committed.option_programme[option];
        if programme == NONE {
            return true;
        }
        let owner = instance.committed.owner[self.statics.offer_of_option[option]];
        let first = owner * instance.sizes.programmes;
        self.statics.rivals[programme].iter().all(|&other| self.owner_uses[first + other] == 0)
    }

    /// Yen that a member can still claim from a programme in a fiscal year.
    #[inline]
    pub fn claim_left(&self, instance: &Instance, programme: usize, member: usize, year: usize) -> f64 {
        let cell = programme * instance.sizes.years + year;
        let of_member = (programme * instance.sizes.members + member) * instance.sizes.years + year;
        let budget = instance.rules.programme_budget_yen[cell] - self.programme_claims[cell];
        let cap = instance.rules.member_cap_yen[of_member] - self.member_claims[of_member];
        budget.min(cap).max(0.0)
    }

    /// Fill `out` (Y,) year by year with what rate, caps and budget leave to a column; returns the yen in all.
    ///
    /// `eligible` is scratch space of the same length; `column` is the workload's, which is not placed.
    pub fn fill_programme(
        &self,
        instance: &Instance,
        column: &Column,
        programme: usize,
        eligible: &mut [f64],
        out: &mut [f64],
    ) -> f64 {
        let workload = instance.modes[column.mode].workload;
        let (project, member) = (instance.workloads.project[workload], instance.workloads.member[workload]);
        let rate = instance.rules.rate[workload * instance.sizes.programmes + programme];
        eligible_by_year(instance, &self.statics.reference, column, programme, eligible);
        out.fill(0.0);
        let of_project = programme * instance.sizes.projects + project;
        let mut left = (instance.rules.project_cap_yen[of_project] - self.project_claims[of_project]).max(0.0);
        let mut total = 0.0;
        let (first, last) = years_of_run(instance, column);
        // Runs are short against a fiscal year: filling the years in order loses little, and the master fills them exactly.
        for y in first..=last {
            let amount = (rate * eligible[y]).min(left).min(self.claim_left(instance, programme, member, y));
            out[y] = amount;
            left -= amount;
            total += amount;
        }
        total
    }

    /// Cut the claims of a column (S, Y) to what is open and left; returns the claim set that remains.
    pub fn cut_claims(&self, instance: &Instance, column: &Column, claims: &mut [f64]) -> usize {
        let workload = instance.modes[column.mode].workload;
        let listed = instance.claim_sets_of(&instance.modes[column.mode]);
        let is_open =
            listed.contains(&column.claim_set) && self.is_claim_set_open(instance, workload, column.claim_set);
        if !is_open {
            claims.fill(0.0);
            return NO_CLAIMS;
        }
        let years = instance.sizes.years;
        let (mut eligible, mut most) = (vec![0.0; years], vec![0.0; years]);
        let of_set = instance.programmes_of(column.claim_set);
        for (slot, wanted) in claims.chunks_exact_mut(years).enumerate() {
            let Some(&r) = of_set.get(slot) else {
                wanted.fill(0.0);
                continue;
            };
            eligible_by_year(instance, &self.statics.reference, column, r, &mut eligible);
            most.fill(0.0);
            let (first, last) = years_of_run(instance, column);
            let of_project = r * instance.sizes.projects + instance.workloads.project[workload];
            let mut left = (instance.rules.project_cap_yen[of_project] - self.project_claims[of_project]).max(0.0);
            let rate = instance.rules.rate[workload * instance.sizes.programmes + r];
            for y in first..=last {
                let member = instance.workloads.member[workload];
                most[y] = (rate * eligible[y]).min(self.claim_left(instance, r, member, y));
            }
            for (yen, limit) in wanted.iter_mut().zip(&most) {
                *yen = yen.max(0.0).min(*limit).min(left);
                left -= *yen;
            }
        }
        column.claim_set
    }
}
