//! The Lagrangian bound at given prices with a supergradient (docs/rules.md, "The certificate").

use rayon::prelude::*;

use crate::claims::{YearClaims, fill_claims};
use crate::column::{Column, NOT_RUN};
use crate::instance::{Instance, Mode, NONE, YEAR_COUNT_MAX};
use crate::prefix_cost::PrefixCost;
use crate::prices::{PriceLayout, member_cap_row, project_to_rows};
use crate::pricing::{Cheapest, cheapest};
use crate::supply::{SupplyTerms, supply_minimum};

/// One evaluation of the Lagrangian bound.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// The bound in yen; mandatory workloads without any legal column are left out.
    pub bound: f64,
    /// A supergradient, laid out as the prices; 0 where there is no row.
    pub gradient: Vec<f64>,
    /// Cheapest column of each workload at its true price, (W,).
    pub columns: Vec<Column>,
    /// Term of each workload in the bound, (W,): the column's price, or less where claims of pauses are relaxed.
    pub workload_terms: Vec<f64>,
    /// Terms of the offers, not positive.
    pub supply: SupplyTerms,
    /// Order options and their units at the supply side's minimum.
    pub orders: Vec<(usize, f64)>,
}

/// Re-compute the bound at `prices`, which are 0 where there is no row, with every workload's cheapest column.
pub fn evaluate(instance: &Instance, prices: &[f64]) -> Evaluation {
    let layout = PriceLayout::of(instance);
    let prefix = PrefixCost::new(instance, prices);
    let choices: Vec<Cheapest> =
        (0..instance.sizes.workloads).into_par_iter().map(|w| cheapest(instance, &prefix, w)).collect();
    let mut gradient: Vec<f64> = instance.row_limits.iter().map(|&limit| -finite_or_zero(limit)).collect();
    let mut bound: f64 = gradient.iter().zip(prices).map(|(limit, price)| limit * price).sum();
    let mut orders = Vec::new();
    let supply = supply_minimum(instance, prices, &mut gradient, &mut orders);
    bound += supply.total();
    // One fixed order of summation, so that threads cannot change a bit.
    for choice in choices.iter().filter(|choice| choice.bound_price.is_finite()) {
        bound += choice.bound_price;
        if choice.column.mode != NOT_RUN {
            add_column_gradient(instance, &layout, &prefix, choice, &mut gradient);
        }
    }
    for (slope, limit) in gradient.iter_mut().zip(&instance.row_limits) {
        *slope = if limit.is_finite() { *slope } else { 0.0 };
    }
    let workload_terms = choices.iter().map(|choice| choice.bound_price).collect();
    let columns = choices.into_iter().map(|choice| choice.column).collect();
    Evaluation { bound, gradient, columns, workload_terms, supply, orders }
}

/// Project `prices` to the rows that exist and evaluate there.
pub fn evaluate_projected(instance: &Instance, prices: &mut [f64]) -> Evaluation {
    project_to_rows(instance, prices);
    evaluate(instance, prices)
}

fn finite_or_zero(value: f64) -> f64 {
    if value.is_finite() { value } else { 0.0 }
}

fn add_column_gradient(
    instance: &Instance,
    layout: &PriceLayout,
    prefix: &PrefixCost,
    choice: &Cheapest,
    gradient: &mut [f64],
) {
    let column = &choice.column;
    let mode = &instance.modes[column.mode];
    add_hours(instance, layout, column, mode, gradient);
    add_start_and_end(instance, layout, column, mode, gradient);
    for (i, &r) in instance.programmes_of(column.claim_set).iter().enumerate() {
        let mut claims = [0.0; YEAR_COUNT_MAX];
        match choice.lambda.get(i) {
            None => _ = fill_claims(instance, prefix, column, r, &mut claims),
            Some(&lambda) => relaxed_claims(instance, prefix, column, r, lambda, &mut claims),
        }
        add_claims(instance, layout, mode.workload, r, &claims, gradient);
    }
}

/// Rows over hours: capacity, power, carbon, normalised work, list bills.
fn add_hours(instance: &Instance, layout: &PriceLayout, column: &Column, mode: &Mode, gradient: &mut [f64]) {
    let (sizes, pools, rules) = (&instance.sizes, &instance.pools, &instance.rules);
    let site = pools.pool_site[mode.pool];
    let member = instance.workloads.member[mode.workload];
    let mut hours_of_year = [0.0; YEAR_COUNT_MAX];
    for (t, hours) in column.touched(instance) {
        let (cell, year) = (mode.pool * sizes.periods + t, pools.year_of_period[t]);
        gradient[layout.capacity + cell] += hours;
        if site != NONE {
            gradient[layout.power + site * sizes.periods + t] += hours * pools.pool_kw[mode.pool];
        }
        gradient[layout.member_budget + member * sizes.years + year] += hours * pools.charge_reference[cell];
        hours_of_year[year] += hours;
    }
    for (year, hours) in hours_of_year[..sizes.years].iter().enumerate() {
        gradient[layout.carbon + year] += hours * pools.pool_kg[mode.pool];
    }
    let speed = instance.speed_of(mode, column.pauses.count);
    for (k, &year) in rules.work_row_year.iter().enumerate() {
        let coefficient = rules.work_row_coefficient[k * sizes.pools + mode.pool];
        gradient[layout.work + k] += hours_of_year[year] * speed * coefficient;
    }
}

/// Rows over start and end: budgets that transfer and porting are paid from, waiting, precedences.
fn add_start_and_end(instance: &Instance, layout: &PriceLayout, column: &Column, mode: &Mode, gradient: &mut [f64]) {
    let (sizes, table, w) = (&instance.sizes, &instance.workloads, mode.workload);
    let year = instance.pools.year_of_period[column.start];
    let paid = instance.start_yen(mode, column.start);
    gradient[layout.budget + year] += paid;
    gradient[layout.member_budget + table.member[w] * sizes.years + year] += paid;
    gradient[layout.waiting] += (column.start - table.release[w]) as f64;
    let rows = |i: usize, from: usize| {
        layout.precedence + i * sizes.periods + from..layout.precedence + (i + 1) * sizes.periods
    };
    for &i in &instance.precedences_as_after[w] {
        gradient[rows(i, column.start)].iter_mut().for_each(|slope| *slope += 1.0);
    }
    for &i in &instance.precedences_as_before[w] {
        gradient[rows(i, column.end(instance))].iter_mut().for_each(|slope| *slope -= 1.0);
    }
}

/// Claims of a column in the relaxation of a project cap at `lambda`: all of the years worth more, and what they leave of the
/// cap (it may be negative) in the year whose worth `lambda` is.
fn relaxed_claims(
    instance: &Instance,
    prefix: &PrefixCost,
    column: &Column,
    programme: usize,
    lambda: f64,
    claims: &mut YearClaims,
) {
    let workload = instance.modes[column.mode].workload;
    let rate = instance.rules.rate[workload * instance.sizes.programmes + programme];
    let project_price = prefix.project_price_of(instance, workload, programme);
    let worths = prefix.worth_of(instance, workload, programme);
    let mut eligible = [0.0; YEAR_COUNT_MAX];
    crate::claims::eligible_by_year(instance, &prefix.reference, column, programme, &mut eligible);
    let mut left = instance.project_cap(workload, programme);
    let mut marginal = NONE;
    for (y, worth) in worths.iter().map(|worth| worth - project_price).enumerate() {
        if worth > lambda {
            claims[y] = rate * eligible[y];
            left -= claims[y];
        } else if worth == lambda {
            marginal = y;
        }
    }
    if lambda > 0.0 && marginal != NONE {
        claims[marginal] = left;
    }
}

/// Rows over claims of a workload from a programme.
fn add_claims(
    instance: &Instance,
    layout: &PriceLayout,
    workload: usize,
    programme: usize,
    claims: &YearClaims,
    gradient: &mut [f64],
) {
    let sizes = &instance.sizes;
    let member = instance.workloads.member[workload];
    let row = instance.project_row_of[workload * sizes.programmes + programme];
    for (y, &claim) in claims.iter().enumerate().take(sizes.years).filter(|(_, claim)| **claim != 0.0) {
        let cell = programme * sizes.years + y;
        let pay_year = instance.rules.claim_pay_year[cell];
        if pay_year != NONE {
            gradient[layout.budget + pay_year] -= claim;
            gradient[layout.member_budget + member * sizes.years + pay_year] -= claim;
        }
        gradient[layout.programme + cell] += claim;
        gradient[member_cap_row(instance, layout, programme, member, y)] += claim;
        if row != NONE {
            gradient[layout.project + row] += claim;
        }
    }
}
