//! The legal modes of an instance: workload, pool and gang, with their starts and claim sets.

use crate::instance::{Instance, Mode};
use crate::runs::{Shape, can_pause, push_start_ranges, whole_periods};

impl Instance {
    pub(crate) fn derive_modes(&mut self) {
        for w in 0..self.sizes.workloads {
            for p in 0..self.sizes.pools {
                if !self.workloads.pool_allowed[w * self.sizes.pools + p] {
                    continue;
                }
                let claim_sets = self.push_claim_sets(w, p);
                for g in self.workloads.gang_offset[w]..self.workloads.gang_offset[w + 1] {
                    self.push_mode(w, p, g, claim_sets);
                }
            }
            self.mode_offset.push(self.modes.len());
        }
    }

    /// Note the claim sets all of whose programmes are open to a workload in a pool.
    fn push_claim_sets(&mut self, workload: usize, pool: usize) -> (usize, usize) {
        let first = self.open_claim_sets.len();
        for set in 0..self.sizes.claim_sets {
            let is_open = self.programmes_of(set).iter().all(|&r| {
                self.rules.rate[workload * self.sizes.programmes + r] > 0.0
                    && self.rules.programme_pool[r * self.sizes.pools + pool]
            });
            if is_open {
                self.open_claim_sets.push(set);
            }
        }
        (first, self.open_claim_sets.len())
    }

    fn push_mode(&mut self, workload: usize, pool: usize, option: usize, claim_sets: (usize, usize)) {
        let table = &self.workloads;
        let accelerators = table.gang_accelerators[option];
        let throughput = self.pools.pool_throughput[pool * self.sizes.families + table.family[workload]];
        let is_current =
            table.current_pool[workload] == pool && (table.current_gang[workload] - accelerators).abs() < 0.5;
        let fits = accelerators <= self.pools.pool_gang_max[pool]
            && throughput > 0.0
            && accelerators * self.pools.pool_memory_gb[pool] >= table.memory_gb[workload]
            && (is_current || !table.locked[workload]);
        if !fits {
            return;
        }
        let node = self.pools.pool_node[pool].max(1.0);
        let gang = (accelerators / node).ceil() * node;
        let pace = throughput * table.gang_efficiency[option];
        let run_hours = table.work[workload] / (accelerators * pace);
        let (full, rest_hours) = whole_periods(run_hours, self.pools.period_hours);
        let length = full + usize::from(rest_hours > 0.0);
        let first_range = self.start_ranges.len();
        let mut mode = Mode {
            workload,
            pool,
            gang,
            accelerators,
            run_hours,
            full,
            rest_hours,
            length,
            speed: pace * (accelerators / gang),
            is_current,
            claim_sets,
            ranges: (first_range, first_range),
        };
        self.push_starts(&mode);
        mode.ranges.1 = self.start_ranges.len();
        let starts = mode.ranges.0 < mode.ranges.1;
        if starts || (1..=self.workloads.pauses_max[workload]).any(|count| self.can_run_with_pauses(&mode, count)) {
            self.modes.push(mode);
        }
    }

    fn push_starts(&mut self, mode: &Mode) {
        let table = &self.workloads;
        let window = (table.release[mode.workload], table.deadline[mode.workload]);
        let first_range = self.start_ranges.len();
        let row = &self.pools.capacity_max[mode.pool * self.sizes.periods..(mode.pool + 1) * self.sizes.periods];
        push_start_ranges(row, mode.gang, mode.length, window, &mut self.start_ranges);
        if table.locked[mode.workload] {
            let start = table.current_start[mode.workload];
            let is_legal = self.start_ranges[first_range..].iter().any(|range| (range.0..range.1).contains(&start));
            self.start_ranges.truncate(first_range);
            if is_legal {
                self.start_ranges.push((start, start + 1));
            }
        }
    }

    /// Whether a mode has a legal column with exactly so many pauses.
    fn can_run_with_pauses(&self, mode: &Mode, pause_count: usize) -> bool {
        let table = &self.workloads;
        let shape = Shape {
            length: self.run_of(mode, pause_count).length(),
            runs: pause_count + 1,
            window: (table.release[mode.workload], table.deadline[mode.workload]),
            start: table.locked[mode.workload].then(|| table.current_start[mode.workload]),
        };
        can_pause(self.capacity_row(mode.pool), mode.gang, &shape)
    }
}
