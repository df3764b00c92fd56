//! One price for each dualised row, as one flat vector.

use crate::instance::Instance;
use crate::tables::NONE;

/// Where each family of rows begins in the flat vector of prices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriceLayout {
    /// Yen per accelerator-hour, (P, T).
    pub capacity: usize,
    /// Yen per facility kWh, (J, T).
    pub power: usize,
    /// Rows over normalised work, yen per normalised accelerator-hour, (K,).
    pub work: usize,
    /// Portfolio budget, yen per yen, (Y,).
    pub budget: usize,
    /// Programme budgets, yen per yen, (R, Y).
    pub programme: usize,
    /// Project caps, yen per yen, one for each project row.
    pub project: usize,
    /// Member budgets, yen per yen, (M, Y).
    pub member_budget: usize,
    /// Member caps, yen per yen, (R, M, Y).
    pub member_cap: usize,
    /// Capital ceiling, yen per yen, (Y,).
    pub capital: usize,
    /// Carbon limit, yen per kg, (Y,).
    pub carbon: usize,
    /// Total waiting, yen per period, (1,).
    pub waiting: usize,
    /// Precedences, yen per workload, (precedences, T).
    pub precedence: usize,
    /// Prices in all.
    pub count: usize,
}

impl PriceLayout {
    /// Layout of an instance.
    pub fn of(instance: &Instance) -> Self {
        let sizes = &instance.sizes;
        let power = sizes.pools * sizes.periods;
        let work = power + sizes.limited_sites * sizes.periods;
        let budget = work + sizes.work_rows;
        let programme = budget + sizes.years;
        let project = programme + sizes.programmes * sizes.years;
        let member_budget = project + instance.project_rows.len();
        let member_cap = member_budget + sizes.members * sizes.years;
        let capital = member_cap + sizes.programmes * sizes.members * sizes.years;
        let carbon = capital + sizes.years;
        let waiting = carbon + sizes.years;
        let precedence = waiting + 1;
        let count = precedence + instance.workloads.before.len() * sizes.periods;
        Self {
            capacity: 0,
            power,
            work,
            budget,
            programme,
            project,
            member_budget,
            member_cap,
            capital,
            carbon,
            waiting,
            precedence,
            count,
        }
    }
}

/// Limits of all rows, laid out as the prices; infinite where there is no row, 0 where the row has no limit of its own.
pub fn row_limits(instance: &Instance) -> Vec<f64> {
    let layout = PriceLayout::of(instance);
    let rules = &instance.rules;
    let mut limits = vec![0.0; layout.count];
    let periods = instance.sizes.periods;
    for (j, &kwh) in instance.pools.site_limit_kwh.iter().enumerate() {
        limits[layout.power + j * periods..layout.power + (j + 1) * periods].fill(kwh);
    }
    limits[layout.budget..layout.programme].copy_from_slice(&rules.budget_yen);
    limits[layout.programme..layout.project].copy_from_slice(&rules.programme_budget_yen);
    for (row, project_row) in instance.project_rows.iter().enumerate() {
        limits[layout.project + row] =
            rules.project_cap_yen[project_row.programme * instance.sizes.projects + project_row.project];
    }
    limits[layout.member_budget..layout.member_cap].copy_from_slice(&rules.member_budget_yen);
    limits[layout.member_cap..layout.capital].copy_from_slice(&rules.member_cap_yen);
    limits[layout.capital..layout.carbon].copy_from_slice(&rules.capital_yen);
    limits[layout.carbon..layout.waiting].copy_from_slice(&rules.carbon_kg);
    limits[layout.waiting] = rules.waiting_periods;
    limits
}

/// Set to zero what has no row, and negative prices (docs/rules.md, "The certificate").
pub fn project_to_rows(instance: &Instance, prices: &mut [f64]) {
    for (price, &limit) in prices.iter_mut().zip(&instance.row_limits) {
        *price = if *price > 0.0 && limit.is_finite() { *price } else { 0.0 };
    }
}

/// Row of a member's cap in a programme, as a position in the flat vector.
pub fn member_cap_row(
    instance: &Instance,
    layout: &PriceLayout,
    programme: usize,
    member: usize,
    year: usize,
) -> usize {
    layout.member_cap + (programme * instance.sizes.members + member) * instance.sizes.years + year
}

/// Worth of a claimed yen of a fiscal year before project caps: discounted, for budgets of the payment year, less caps.
///
/// `member` is the member of the workload (its budget counts) or the owner of an order (it does not);
/// `NONE` is a member without rows of its own.
pub fn claim_worth(
    instance: &Instance,
    layout: &PriceLayout,
    prices: &[f64],
    (programme, member, year): (usize, usize, usize),
    with_member_budget: bool,
) -> f64 {
    let cell = programme * instance.sizes.years + year;
    let pay_year = instance.rules.claim_pay_year[cell];
    let mut worth = instance.rules.claim_discount[cell] - prices[layout.programme + cell];
    if pay_year != NONE {
        worth += prices[layout.budget + pay_year];
    }
    if member == NONE {
        return worth;
    }
    if pay_year != NONE && with_member_budget {
        worth += prices[layout.member_budget + member * instance.sizes.years + pay_year];
    }
    worth - prices[member_cap_row(instance, layout, programme, member, year)]
}
