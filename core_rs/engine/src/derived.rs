//! What an instance derives from its tables besides modes: lists, price slots, project rows.

use crate::instance::{Instance, NONE, ProjectRow};

impl Instance {
    pub(crate) fn derive_lists(&mut self) {
        self.year_first = vec![self.sizes.periods; self.sizes.years + 1];
        for t in (0..self.sizes.periods).rev() {
            self.year_first[self.pools.year_of_period[t]] = t;
        }
        // A year without a period of its own is empty: it begins where the next one does.
        for y in (0..self.sizes.years).rev() {
            self.year_first[y] = self.year_first[y].min(self.year_first[y + 1]);
        }
        self.hourly.pool.iter().enumerate().for_each(|(o, &p)| self.hourly_of_pool[p].push(o));
        self.committed.pool.iter().enumerate().for_each(|(o, &p)| self.committed_of_pool[p].push(o));
        self.workloads.before.iter().enumerate().for_each(|(i, &w)| self.precedences_as_before[w].push(i));
        self.workloads.after.iter().enumerate().for_each(|(i, &w)| self.precedences_as_after[w].push(i));
    }

    /// Members whose workloads see prices of rows of their own get a slot; all others share slot 0.
    pub(crate) fn derive_member_slots(&mut self) {
        let sizes = self.sizes;
        let mut has_own_rows = vec![false; sizes.members];
        for w in 0..sizes.workloads {
            let m = self.workloads.member[w];
            let budgets = &self.rules.member_budget_yen[m * sizes.years..(m + 1) * sizes.years];
            let is_capped = |r: usize| {
                let first = (r * sizes.members + m) * sizes.years;
                self.rules.rate[w * sizes.programmes + r] > 0.0
                    && self.rules.member_cap_yen[first..first + sizes.years].iter().any(|cap| cap.is_finite())
            };
            has_own_rows[m] = has_own_rows[m]
                || budgets.iter().any(|budget| budget.is_finite())
                || (0..sizes.programmes).any(is_capped);
        }
        self.member_slot = vec![0; sizes.members];
        self.slot_member = vec![NONE];
        for m in (0..sizes.members).filter(|&m| has_own_rows[m]) {
            self.member_slot[m] = self.slot_member.len();
            self.slot_member.push(m);
        }
    }

    /// Caps of projects of several workloads are rows; the cap of a workload alone is part of its own pricing.
    pub(crate) fn derive_project_rows(&mut self) {
        let (workloads, programmes, projects) = (self.sizes.workloads, self.sizes.programmes, self.sizes.projects);
        let mut size_of_project = vec![0usize; projects];
        self.workloads.project.iter().for_each(|&project| size_of_project[project] += 1);
        self.project_row_of = vec![NONE; workloads * programmes];
        for r in 0..programmes {
            let mut row_of_project = vec![NONE; projects];
            for w in 0..workloads {
                let project = self.workloads.project[w];
                let is_row = size_of_project[project] >= 2
                    && self.rules.rate[w * programmes + r] > 0.0
                    && self.rules.project_cap_yen[r * projects + project].is_finite();
                if !is_row {
                    continue;
                }
                if row_of_project[project] == NONE {
                    row_of_project[project] = self.project_rows.len();
                    self.project_rows.push(ProjectRow { programme: r, project });
                }
                self.project_row_of[w * programmes + r] = row_of_project[project];
            }
        }
    }
}
