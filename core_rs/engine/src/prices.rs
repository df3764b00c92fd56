//! One price for each dualised row, as one flat vector.

use crate::instance::Instance;

/// Where each family of rows begins in the flat vector of prices.
///
/// Order: capacity (P, T), power (J, T), domestic share (Y,), portfolio budget (Y,), programme budget (R, Y), project caps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriceLayout {
    /// Yen per accelerator-hour, (P, T).
    pub capacity: usize,
    /// Yen per facility kWh, (J, T).
    pub power: usize,
    /// Yen per normalised accelerator-hour, (Y,).
    pub share: usize,
    /// Yen per yen, (Y,).
    pub budget: usize,
    /// Yen per yen, (R, Y).
    pub programme: usize,
    /// Yen per yen, one for each project row.
    pub project: usize,
    /// Prices in all.
    pub count: usize,
}

impl PriceLayout {
    /// Layout of an instance.
    pub fn of(instance: &Instance) -> Self {
        let sizes = &instance.sizes;
        let power = sizes.pools * sizes.periods;
        let share = power + sizes.limited_sites * sizes.periods;
        let budget = share + sizes.years;
        let programme = budget + sizes.years;
        let project = programme + sizes.programmes * sizes.years;
        Self { capacity: 0, power, share, budget, programme, project, count: project + instance.project_rows.len() }
    }
}

/// Set to zero what has no row, and negative prices (docs/rules.md, "The certificate").
pub fn project_to_rows(instance: &Instance, prices: &mut [f64]) {
    let layout = PriceLayout::of(instance);
    prices.iter_mut().for_each(|price| *price = if *price > 0.0 { *price } else { 0.0 });
    let rules = &instance.rules;
    for y in 0..instance.sizes.years {
        if rules.share_min[y] < 0.0 {
            prices[layout.share + y] = 0.0;
        }
        if rules.budget_yen[y].is_infinite() {
            prices[layout.budget + y] = 0.0;
        }
        for r in 0..instance.sizes.programmes {
            let cell = r * instance.sizes.years + y;
            if rules.programme_budget_yen[cell].is_infinite() {
                prices[layout.programme + cell] = 0.0;
            }
        }
    }
}

/// Yen-weighted limits of the rows: the part of the bound that is linear in the prices, and its gradient.
pub fn row_limits(instance: &Instance) -> Vec<f64> {
    let layout = PriceLayout::of(instance);
    let mut limits = vec![0.0; layout.count];
    let (periods, years) = (instance.sizes.periods, instance.sizes.years);
    for j in 0..instance.sizes.limited_sites {
        limits[layout.power + j * periods..layout.power + (j + 1) * periods].fill(instance.pools.site_limit_kwh[j]);
    }
    for y in 0..years {
        limits[layout.budget + y] = finite_or_zero(instance.rules.budget_yen[y]);
        for r in 0..instance.sizes.programmes {
            let cell = r * years + y;
            limits[layout.programme + cell] = finite_or_zero(instance.rules.programme_budget_yen[cell]);
        }
    }
    for (row, project_row) in instance.project_rows.iter().enumerate() {
        limits[layout.project + row] = instance.rules.project_cap_yen[project_row.programme];
    }
    limits
}

fn finite_or_zero(value: f64) -> f64 {
    if value.is_finite() { value } else { 0.0 }
}
