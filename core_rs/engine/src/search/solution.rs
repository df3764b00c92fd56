//! A plan under construction: placements, commitments, and every aggregate its exact cost needs.

use std::sync::Arc;

use crate::claims::years_of_run;
use crate::column::{Column, NO_CLAIMS, NOT_RUN};
use crate::instance::{CAPACITY_TOLERANCE, Instance, Mode, NONE};
use crate::search::quota::{Block, Segment};
use crate::search::statics::Statics;
use crate::tables::YEAR_COUNT_MAX;

/// Accelerator-hours by which use may pass a limit through rounding.
pub const HOURS_TOLERANCE: f64 = 1e-4;

/// A plan as it comes in or goes out: what is decided, and nothing that follows from it.
#[derive(Clone, Copy, Debug)]
pub struct PlanParts<'a> {
    /// Column of each workload; its price is not read, (W,).
    pub columns: &'a [Column],
    /// Nominal yen claimed, (W, S, Y): S programmes of the largest claim set, in the order of the set.
    pub claims: &'a [f64],
    /// Units of each order option.
    pub units: &'a [u32],
    /// Nominal yen claimed by each order option.
    pub order_claims: &'a [f64],
}

/// Placements and commitments with their aggregates, kept up to date by each change.
#[derive(Clone, Debug)]
pub struct Solution {
    /// Column of each workload; `price` is unused, (W,).
    pub columns: Vec<Column>,
    /// Nominal yen claimed, (W, S, Y).
    pub claims: Vec<f64>,
    /// Units of each order option.
    pub units: Vec<u32>,
    /// Nominal yen claimed by each order option.
    pub order_claims: Vec<f64>,
    /// First period after each placed workload, (W,).
    pub ends: Vec<usize>,
    /// Units ordered of each committed offer (purchases: against the limit).
    pub units_of_offer: Vec<f64>,
    /// Live accelerators of each committed offer, (C, T).
    pub live: Vec<f64>,
    /// Accelerator-hours that each committed offer has, (C, T).
    pub live_hours: Vec<f64>,
    /// Accelerator-hours placed, (P, T).
    pub hours: Vec<f64>,
    /// Cheapest cost of serving `hours`, (P, T).
    pub cell_cost: Vec<f64>,
    /// The same as paid, (P, T).
    pub cell_cash: Vec<f64>,
    /// Accelerators live, (P, T).
    pub pool_live: Vec<f64>,
    /// Accelerator-hours that all offers have, (P, T).
    pub pool_hours: Vec<f64>,
    /// Facility kWh used, (J, T).
    pub kwh: Vec<f64>,
    /// Value of each soft row, see `RowLayout`.
    pub rows: Vec<f64>,
    /// Yen claimed from each programme, (R, Y).
    pub programme_claims: Vec<f64>,
    /// Yen claimed by each project, (R, projects).
    pub project_claims: Vec<f64>,
    /// Yen claimed by each member, (R, M, Y).
    pub member_claims: Vec<f64>,
    /// Placed workloads of a project that claim from a programme, (projects, R).
    pub project_uses: Vec<u32>,
    /// Units of an owner that claim from a programme, (M, R).
    pub owner_uses: Vec<u32>,
    /// State of each fiscal year of each allocation with a quota, (quotas, Y).
    pub blocks: Vec<Block>,
    /// Commitments less the discounted claims for them.
    pub order_cost: f64,
    /// Charges of workloads, their transfer and porting, less discounted claims.
    pub workload_cost: f64,
    /// Charge that stands for a missed mandatory workload.
    pub mandatory_yen: f64,
    pub(super) statics: Arc<Statics>,
    pub(super) segments: Vec<Segment>,
}

impl Solution {
    /// Nothing placed, nothing ordered.
    pub fn empty(instance: &Instance, mandatory_yen: f64) -> Self {
        Self::empty_over(instance, Arc::new(Statics::new(instance)), mandatory_yen)
    }

    fn empty_over(instance: &Instance, statics: Arc<Statics>, mandatory_yen: f64) -> Self {
        let sizes = &instance.sizes;
        let (cells, committed) = (sizes.pools * sizes.periods, instance.committed.pool.len());
        let claim_count = sizes.workloads * statics.claim_slots * sizes.years;
        let mut solution = Self {
            columns: vec![Column::not_run(0.0); sizes.workloads],
            claims: vec![0.0; claim_count],
            units: vec![0; instance.committed.option_first.len()],
            order_claims: vec![0.0; instance.committed.option_first.len()],
            ends: vec![0; sizes.workloads],
            units_of_offer: vec![0.0; committed],
            live: vec![0.0; committed * sizes.periods],
            live_hours: vec![0.0; committed * sizes.periods],
            hours: vec![0.0; cells],
            cell_cost: vec![0.0; cells],
            cell_cash: vec![0.0; cells],
            pool_live: vec![0.0; cells],
            pool_hours: vec![0.0; cells],
            kwh: vec![0.0; sizes.limited_sites * sizes.periods],
            rows: vec![0.0; statics.rows.layout.count],
            programme_claims: vec![0.0; sizes.programmes * sizes.years],
            project_claims: vec![0.0; sizes.programmes * sizes.projects],
            member_claims: vec![0.0; sizes.programmes * sizes.members * sizes.years],
            project_uses: vec![0; sizes.projects * sizes.programmes],
            owner_uses: vec![0; sizes.members * sizes.programmes],
            blocks: Vec::new(),
            order_cost: 0.0,
            workload_cost: 0.0,
            mandatory_yen,
            statics,
            segments: Vec::new(),
        };
        for (offer, &pool) in instance.hourly.pool.iter().enumerate() {
            for t in 0..sizes.periods {
                let limit = instance.hourly.limit_hours[offer * sizes.periods + t];
                solution.pool_hours[pool * sizes.periods + t] += limit;
                solution.pool_live[pool * sizes.periods + t] += limit / instance.pools.period_hours;
            }
        }
        solution.blocks = vec![Block::default(); solution.statics.quotas.len() * sizes.years];
        for quota in 0..solution.statics.quotas.len() {
            (0..sizes.years).for_each(|year| solution.refresh_block(instance, quota, year));
        }
        for w in 0..sizes.workloads {
            solution.workload_cost += solution.not_run_charge(instance, w);
        }
        solution
    }

    /// Build from a plan as it is; what does not fit makes an overfull cell. `admit` leaves it out instead.
    pub fn build(instance: &Instance, mandatory_yen: f64, plan: &PlanParts) -> Self {
        let mut solution = Self::empty(instance, mandatory_yen);
        solution.fill(instance, plan);
        solution
    }

    /// The same plan with aggregates summed afresh, so that rounding cannot creep.
    pub fn rebuilt(&self, instance: &Instance) -> Self {
        let mut solution = Self::empty_over(instance, Arc::clone(&self.statics), self.mandatory_yen);
        solution.fill(instance, &self.parts());
        solution
    }

    /// What is decided.
    pub fn parts(&self) -> PlanParts<'_> {
        PlanParts { columns: &self.columns, claims: &self.claims, units: &self.units, order_claims: &self.order_claims }
    }

    fn fill(&mut self, instance: &Instance, plan: &PlanParts) {
        for (option, &count) in plan.units.iter().enumerate() {
            if count > 0 {
                self.change_units(instance, option, i64::from(count), plan.order_claims[option]);
            }
        }
        let stride = self.claim_stride(instance);
        for (w, column) in plan.columns.iter().enumerate() {
            if column.mode != NOT_RUN {
                self.place(instance, w, *column, &plan.claims[w * stride..(w + 1) * stride]);
            }
        }
    }

    /// Claims of one workload in `claims`: S times Y.
    pub fn claim_stride(&self, instance: &Instance) -> usize {
        self.statics.claim_slots * instance.sizes.years
    }

    /// Whether a workload is placed.
    pub fn is_placed(&self, workload: usize) -> bool {
        self.columns[workload].mode != NOT_RUN
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

    /// Yen for broken soft rows, each unit at its row's weight.
    pub fn penalty(&self, weights: &[f64]) -> f64 {
        self.statics.rows.penalty(&self.rows, weights)
    }

    /// Whether the soft rows hold; all other rows hold by construction.
    pub fn is_feasible(&self) -> bool {
        self.statics.rows.limited.iter().all(|&row| !self.statics.rows.is_broken(row, self.rows[row]))
    }

    /// Cheapest cost and cash of `hours` in a cell without an allocation that has a quota; None where they do not fit.
    #[inline(always)]
    pub fn dispatch(&self, instance: &Instance, pool: usize, t: usize, hours: f64) -> Option<(f64, f64)> {
        let periods = instance.sizes.periods;
        let (mut left, mut cost, mut cash) = (hours, 0.0, 0.0);
        for source in self.statics.sources(pool * periods + t) {
            if left <= HOURS_TOLERANCE {
                break;
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
        (left <= HOURS_TOLERANCE).then_some((cost, cash))
    }

    /// Put a workload that is not placed into a column; the caller has checked that it fits.
    pub fn place(&mut self, instance: &Instance, workload: usize, column: Column, claims: &[f64]) {
        self.workload_cost -= self.not_run_charge(instance, workload);
        self.columns[workload] = column;
        self.ends[workload] = column.end(instance);
        self.claims[workload * claims.len()..(workload + 1) * claims.len()].copy_from_slice(claims);
        self.apply(instance, workload, 1.0);
    }

    /// Take a placed workload out.
    pub fn unplace(&mut self, instance: &Instance, workload: usize) {
        self.apply(instance, workload, -1.0);
        self.columns[workload] = Column::not_run(0.0);
        self.ends[workload] = 0;
        let stride = self.claim_stride(instance);
        self.claims[workload * stride..(workload + 1) * stride].fill(0.0);
        self.workload_cost += self.not_run_charge(instance, workload);
    }

    fn apply(&mut self, instance: &Instance, workload: usize, sign: f64) {
        let column = self.columns[workload];
        let mode = &instance.modes[column.mode];
        self.apply_hours(instance, &column, mode, sign);
        self.apply_start(instance, &column, mode, sign);
        if column.claim_set != NO_CLAIMS {
            self.apply_claims(instance, workload, column.claim_set, sign);
        }
    }

    fn apply_hours(&mut self, instance: &Instance, column: &Column, mode: &Mode, sign: f64) {
        let (sizes, pools, pool) = (&instance.sizes, &instance.pools, mode.pool);
        let layout = self.statics.rows.layout;
        let (site, quota) = (pools.pool_site[pool], self.statics.quota_of_pool[pool]);
        let member = layout.member_budget + instance.workloads.member[mode.workload] * sizes.years;
        let mut hours_of_year = [0.0; YEAR_COUNT_MAX];
        for (t, amount) in column.touched(instance) {
            let (cell, hours) = (pool * sizes.periods + t, sign * amount);
            let year = pools.year_of_period[t];
            let placed = self.hours[cell] + hours;
            self.hours[cell] = if placed < HOURS_TOLERANCE { 0.0 } else { placed };
            if quota == NONE {
                self.refresh_cell(instance, pool, t);
            }
            if site != NONE {
                self.kwh[site * sizes.periods + t] += hours * pools.pool_kw[pool];
            }
            self.rows[member + year] += hours * pools.charge_reference[cell];
            hours_of_year[year] += hours;
        }
        let speed = instance.speed_of(mode, column.pauses.count);
        let (first, last) = years_of_run(instance, column);
        for (year, &hours) in hours_of_year.iter().enumerate().take(last + 1).skip(first) {
            let kg = hours * pools.pool_kg[pool];
            self.rows[layout.carbon + year] += kg;
            self.workload_cost += kg * pools.carbon_yen_per_kg;
            for &k in &self.statics.work_rows_of_year[year] {
                let coefficient = instance.rules.work_row_coefficient[k * sizes.pools + pool];
                self.rows[layout.work + k] += hours * speed * coefficient;
            }
            if quota != NONE {
                self.refresh_block(instance, quota, year);
            }
        }
    }

    fn apply_start(&mut self, instance: &Instance, column: &Column, mode: &Mode, sign: f64) {
        let (table, layout) = (&instance.workloads, self.statics.rows.layout);
        let (workload, start) = (mode.workload, column.start);
        let waiting = (start - table.release[workload]) as f64;
        self.rows[layout.waiting] += sign * waiting;
        let mut cost = waiting * table.late_yen[workload] + instance.change_yen(mode, start);
        let moving = instance.start_yen(mode, start);
        if moving != 0.0 {
            let year = instance.pools.year_of_period[start];
            cost += moving * instance.pools.discount[start];
            self.rows[layout.budget + year] += sign * moving;
            self.rows[layout.member_budget + table.member[workload] * instance.sizes.years + year] += sign * moving;
        }
        self.workload_cost += sign * cost;
    }

    fn apply_claims(&mut self, instance: &Instance, workload: usize, set: usize, sign: f64) {
        let (sizes, years) = (&instance.sizes, instance.sizes.years);
        let (project, member) = (instance.workloads.project[workload], instance.workloads.member[workload]);
        let layout = self.statics.rows.layout;
        let first = workload * self.claim_stride(instance);
        for (slot, &r) in instance.programmes_of(set).iter().enumerate() {
            let uses = &mut self.project_uses[project * sizes.programmes + r];
            *uses = if sign > 0.0 { *uses + 1 } else { *uses - 1 };
            for y in 0..years {
                let claim = sign * self.claims[first + slot * years + y];
                if claim == 0.0 {
                    continue;
                }
                self.note_claim(instance, (r, member, y), claim);
                self.project_claims[r * sizes.projects + project] += claim;
                self.workload_cost -= claim * instance.rules.claim_discount[r * years + y];
                let pay_year = instance.rules.claim_pay_year[r * years + y];
                if pay_year != NONE {
                    self.rows[layout.member_budget + member * years + pay_year] -= claim;
                }
            }
        }
    }

    /// A claim in the sums of programme, member and portfolio budget.
    pub(super) fn note_claim(&mut self, instance: &Instance, key: (usize, usize, usize), claim: f64) {
        let ((r, member, y), years) = (key, instance.sizes.years);
        self.programme_claims[r * years + y] += claim;
        self.member_claims[(r * instance.sizes.members + member) * years + y] += claim;
        let pay_year = instance.rules.claim_pay_year[r * years + y];
        if pay_year != NONE {
            self.rows[self.statics.rows.layout.budget + pay_year] -= claim;
        }
    }

    /// Serve a cell of a pool without a quota afresh.
    pub(super) fn refresh_cell(&mut self, instance: &Instance, pool: usize, t: usize) {
        let cell = pool * instance.sizes.periods + t;
        // An overfull cell is only passed through while a neighbourhood is being ruined.
        let (cost, cash) =
            self.dispatch(instance, pool, t, self.hours[cell]).unwrap_or((self.mandatory_yen, self.mandatory_yen));
        self.set_cell(instance, cell, t, (cost, cash));
    }

    pub(super) fn set_cell(&mut self, instance: &Instance, cell: usize, t: usize, (cost, cash): (f64, f64)) {
        let budget = self.statics.rows.layout.budget + instance.pools.year_of_period[t];
        self.rows[budget] += cash - self.cell_cash[cell];
        self.cell_cost[cell] = cost;
        self.cell_cash[cell] = cash;
    }

    /// Whether the cells of a placed workload serve their hours and its gang; used after commitments shrink.
    pub fn placement_fits(&self, instance: &Instance, workload: usize) -> bool {
        let column = self.columns[workload];
        let mode = &instance.modes[column.mode];
        let quota = self.statics.quota_of_pool[mode.pool];
        column.touched(instance).all(|(t, _)| {
            let cell = mode.pool * instance.sizes.periods + t;
            mode.gang <= self.pool_live[cell] + CAPACITY_TOLERANCE
                && self.hours[cell] <= self.pool_hours[cell] + HOURS_TOLERANCE
                && (quota == NONE || self.is_quota_kept(instance, quota, instance.pools.year_of_period[t]))
        })
    }
}
