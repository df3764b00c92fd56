//! A plan under construction: placements, commitments, and every aggregate its exact cost needs.

use crate::instance::{CAPACITY_TOLERANCE, Instance, NO_SITE};
use crate::pricing::{Column, NO_PROGRAMME, NOT_RUN};

/// Accelerator-hours by which use may pass a limit through rounding.
const HOURS_TOLERANCE: f64 = 1e-4;
/// Normalised hours by which a share row may be short through rounding.
const WORK_TOLERANCE: f64 = 1e-6;

/// Placements and commitments with their aggregates, kept up to date by each change.
#[derive(Clone, Debug)]
pub struct Solution {
    /// Column of each workload; `price` is unused, (W,).
    pub columns: Vec<Column>,
    /// Yen claimed, (W, Y).
    pub claims: Vec<f64>,
    /// Units of each order option.
    pub units: Vec<u32>,
    /// Units ordered of each committed offer (purchases: against the limit).
    pub units_of_offer: Vec<f64>,
    /// Live accelerators of each committed offer, (C, T).
    pub live: Vec<f64>,
    /// Accelerator-hours placed, (P, T).
    pub hours: Vec<f64>,
    /// Cheapest cost of serving `hours`, (P, T).
    pub cell_cost: Vec<f64>,
    /// Accelerators live, (P, T).
    pub pool_live: Vec<f64>,
    /// Facility kWh used, (J, T).
    pub kwh: Vec<f64>,
    /// Share row: least share times all work less domestic work; positive is a violation, (Y,).
    pub share_short: Vec<f64>,
    /// Cash paid less claims, (Y,).
    pub cash: Vec<f64>,
    /// Yen claimed from each programme, (R, Y).
    pub programme_claims: Vec<f64>,
    /// Yen claimed by each project row.
    pub project_claims: Vec<f64>,
    /// Commitments, in the objective.
    pub order_cost: f64,
    /// Lateness and not-run charges less claims.
    pub workload_cost: f64,
    /// Charge that stands for a missed mandatory workload.
    pub mandatory_yen: f64,
}

impl Solution {
    /// Nothing placed, nothing ordered.
    pub fn empty(instance: &Instance, mandatory_yen: f64) -> Self {
        let sizes = &instance.sizes;
        let cells = sizes.pools * sizes.periods;
        let mut solution = Self {
            columns: vec![Column::not_run(0.0); sizes.workloads],
            claims: vec![0.0; sizes.workloads * sizes.years],
            units: vec![0; instance.committed.option_first.len()],
            units_of_offer: vec![0.0; instance.committed.pool.len()],
            live: vec![0.0; instance.committed.pool.len() * sizes.periods],
            hours: vec![0.0; cells],
            cell_cost: vec![0.0; cells],
            pool_live: vec![0.0; cells],
            kwh: vec![0.0; sizes.limited_sites * sizes.periods],
            share_short: vec![0.0; sizes.years],
            cash: vec![0.0; sizes.years],
            programme_claims: vec![0.0; sizes.programmes * sizes.years],
            project_claims: vec![0.0; instance.project_rows.len()],
            order_cost: 0.0,
            workload_cost: 0.0,
            mandatory_yen,
        };
        for offer in 0..instance.hourly.pool.len() {
            for t in 0..sizes.periods {
                let limit = instance.hourly.limit_hours[offer * sizes.periods + t];
                solution.pool_live[instance.hourly.pool[offer] * sizes.periods + t] +=
                    limit / instance.pools.period_hours;
            }
        }
        for w in 0..sizes.workloads {
            solution.workload_cost += solution.not_run_charge(instance, w);
        }
        solution
    }

    /// Build from columns, their claims and the units of each option.
    pub fn build(instance: &Instance, mandatory_yen: f64, columns: &[Column], claims: &[f64], units: &[u32]) -> Self {
        let mut solution = Self::empty(instance, mandatory_yen);
        for (option, &count) in units.iter().enumerate() {
            if count > 0 {
                solution.change_units(instance, option, i64::from(count));
            }
        }
        let years = instance.sizes.years;
        for (w, column) in columns.iter().enumerate() {
            if column.mode != NOT_RUN {
                solution.place(instance, w, *column, &claims[w * years..(w + 1) * years]);
            }
        }
        solution
    }

    /// Charge of not running a workload.
    pub fn not_run_charge(&self, instance: &Instance, workload: usize) -> f64 {
        let charge = instance.workloads.not_run_yen[workload];
        if charge.is_finite() { charge } else { self.mandatory_yen }
    }

    /// Exact objective in yen, without penalties.
    pub fn objective(&self) -> f64 {
        self.cell_cost.iter().sum::<f64>() + self.order_cost + self.workload_cost
    }

    /// Yen by which the fiscal-year rows are broken, each at its weight.
    pub fn penalty(&self, instance: &Instance, share_weight: &[f64], budget_weight: &[f64]) -> f64 {
        let mut total = 0.0;
        for y in 0..instance.sizes.years {
            if instance.rules.share_min[y] >= 0.0 {
                total += share_weight[y] * self.share_short[y].max(0.0);
            }
            if instance.rules.plan_budget_yen[y].is_finite() {
                total += budget_weight[y] * (self.cash[y] - instance.rules.plan_budget_yen[y]).max(0.0);
            }
        }
        total
    }

    /// Whether the fiscal-year rows hold; all other rows hold by construction.
    pub fn is_feasible(&self, instance: &Instance) -> bool {
        (0..instance.sizes.years).all(|y| {
            (instance.rules.share_min[y] < 0.0 || self.share_short[y] <= WORK_TOLERANCE)
                && self.cash[y] <= instance.rules.plan_budget_yen[y]
        })
    }

    /// Cheapest cost of `hours` in a cell, or None where they do not fit.
    pub fn dispatch_cost(&self, instance: &Instance, pool: usize, t: usize, hours: f64) -> Option<f64> {
        let periods = instance.sizes.periods;
        let (mut left, mut cost) = (hours, 0.0);
        for source in &instance.merit_order[pool * periods + t] {
            if left <= HOURS_TOLERANCE {
                break;
            }
            let room = if source.committed == usize::MAX {
                source.limit_hours
            } else {
                self.live[source.committed * periods + t] * instance.pools.period_hours
            };
            let taken = left.min(room);
            cost += source.unit_cost * taken;
            left -= taken;
        }
        (left <= HOURS_TOLERANCE).then_some(cost)
    }

    /// Put a workload that is not placed into a column; the caller has checked that it fits.
    pub fn place(&mut self, instance: &Instance, workload: usize, column: Column, claims: &[f64]) {
        self.workload_cost -= self.not_run_charge(instance, workload);
        self.columns[workload] = column;
        self.claims[workload * claims.len()..(workload + 1) * claims.len()].copy_from_slice(claims);
        self.apply(instance, workload, 1.0);
    }

    /// Take a placed workload out.
    pub fn unplace(&mut self, instance: &Instance, workload: usize) {
        self.apply(instance, workload, -1.0);
        self.columns[workload] = Column::not_run(0.0);
        let years = instance.sizes.years;
        self.claims[workload * years..(workload + 1) * years].fill(0.0);
        self.workload_cost += self.not_run_charge(instance, workload);
    }

    fn apply(&mut self, instance: &Instance, workload: usize, sign: f64) {
        let sizes = &instance.sizes;
        let column = self.columns[workload];
        let mode = &instance.modes[column.mode];
        let site = instance.pools.pool_site[mode.pool];
        let home = f64::from(u8::from(instance.pools.pool_domestic[mode.pool]));
        let late = (column.start - instance.workloads.release[workload]) as f64;
        self.workload_cost += sign * late * instance.workloads.late_yen[workload];
        for offset in 0..mode.length {
            let t = column.start + offset;
            let hours = sign * instance.hours_at(mode, offset);
            let year = instance.pools.year_of_period[t];
            self.set_hours(instance, mode.pool, t, hours);
            if site != NO_SITE {
                self.kwh[site * sizes.periods + t] += hours * instance.pools.pool_kw[mode.pool];
            }
            self.share_short[year] += hours * mode.speed * (instance.rules.share_min[year].max(0.0) - home);
        }
        if column.programme != NO_PROGRAMME {
            let row = instance.project_row_of[workload * sizes.programmes + column.programme];
            for y in 0..sizes.years {
                let claim = sign * self.claims[workload * sizes.years + y];
                self.programme_claims[column.programme * sizes.years + y] += claim;
                self.workload_cost -= claim;
                self.cash[y] -= claim;
                if row != usize::MAX {
                    self.project_claims[row] += claim;
                }
            }
        }
    }

    fn set_hours(&mut self, instance: &Instance, pool: usize, t: usize, change: f64) {
        let cell = pool * instance.sizes.periods + t;
        let hours = (self.hours[cell] + change).max(0.0);
        self.hours[cell] = if hours < HOURS_TOLERANCE { 0.0 } else { hours };
        self.refresh_cell(instance, pool, t);
    }

    fn refresh_cell(&mut self, instance: &Instance, pool: usize, t: usize) {
        let cell = pool * instance.sizes.periods + t;
        let cost = self.dispatch_cost(instance, pool, t, self.hours[cell]).unwrap_or(f64::INFINITY);
        // An overfull cell is only passed through while a neighbourhood is being ruined.
        let cost = if cost.is_finite() { cost } else { self.mandatory_yen };
        self.cash[instance.pools.year_of_period[t]] += cost - self.cell_cost[cell];
        self.cell_cost[cell] = cost;
    }

    /// Order more (or fewer) units of an option; the caller has checked the offer's limit.
    pub fn change_units(&mut self, instance: &Instance, option: usize, change: i64) {
        let table = &instance.committed;
        let (periods, years) = (instance.sizes.periods, instance.sizes.years);
        let offer = offer_of(instance, option);
        let delta = change as f64;
        self.units[option] = (i64::from(self.units[option]) + change) as u32;
        self.units_of_offer[offer] += delta;
        self.order_cost += delta * table.option_cost[option];
        for y in 0..years {
            self.cash[y] += delta * table.option_cash[option * years + y];
        }
        let live = &table.live_accelerators[table.live_offset[option]..table.live_offset[option + 1]];
        let pool = table.pool[offer];
        for (d, accelerators) in live.iter().enumerate() {
            let t = table.option_first[option] + d;
            for value in [&mut self.live[offer * periods + t], &mut self.pool_live[pool * periods + t]] {
                *value += delta * accelerators;
                if *value < CAPACITY_TOLERANCE {
                    *value = 0.0;
                }
            }
            self.refresh_cell(instance, pool, t);
        }
    }

    /// Units of an option that can still be ordered under the offer's limit.
    pub fn units_left(&self, instance: &Instance, option: usize) -> u32 {
        let table = &instance.committed;
        let offer = offer_of(instance, option);
        let limit = table.unit_limit[offer];
        if !table.limit_is_live[offer] {
            return (limit - self.units_of_offer[offer] + 0.5) as u32;
        }
        let first = table.option_first[option];
        let live = &table.live_accelerators[table.live_offset[option]..table.live_offset[option + 1]];
        let most =
            live.iter().enumerate().map(|(d, block)| self.live[offer * instance.sizes.periods + first + d] / block);
        (limit - most.fold(0.0, f64::max) + 0.5).max(0.0) as u32
    }

    /// Whether the cell serves its hours and its gangs; used after commitments shrink.
    pub fn placement_fits(&self, instance: &Instance, workload: usize) -> bool {
        let column = self.columns[workload];
        let mode = &instance.modes[column.mode];
        let periods = instance.sizes.periods;
        (column.start..column.start + mode.length).all(|t| {
            let cell = mode.pool * periods + t;
            let limit = self.pool_live[cell];
            mode.gang <= limit + CAPACITY_TOLERANCE
                && self.hours[cell] <= limit * instance.pools.period_hours + HOURS_TOLERANCE
        })
    }
}

/// Committed offer of an order option.
pub fn offer_of(instance: &Instance, option: usize) -> usize {
    instance.committed.option_offset.partition_point(|&first| first <= option) - 1
}
