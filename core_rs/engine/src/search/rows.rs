//! The rows that a search may break on its way, at a penalty: one vector of values, limits and weights for all kinds.

use crate::instance::{Instance, Sizes};

/// Normalised hours by which a row over work may be passed through rounding.
const WORK_TOLERANCE: f64 = 1e-6;
/// Part of a limit in kilograms or yen of instalments that rounding may add.
const SUM_TOLERANCE: f64 = 1e-9;

/// Where each kind of soft row begins in the vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowLayout {
    /// Portfolio budget in nominal yen, (Y,).
    pub budget: usize,
    /// Rows over normalised work, (K,).
    pub work: usize,
    /// Member budgets in nominal yen, (M, Y).
    pub member_budget: usize,
    /// Capital ceiling in nominal yen, (Y,).
    pub capital: usize,
    /// Kilograms of carbon dioxide, (Y,).
    pub carbon: usize,
    /// Periods of waiting, (1,).
    pub waiting: usize,
    /// Rows in all.
    pub count: usize,
}

impl RowLayout {
    /// Layout of an instance of these sizes.
    pub fn of(sizes: &Sizes) -> Self {
        let work = sizes.years;
        let member_budget = work + sizes.work_rows;
        let capital = member_budget + sizes.members * sizes.years;
        let carbon = capital + sizes.years;
        let waiting = carbon + sizes.years;
        Self { budget: 0, work, member_budget, capital, carbon, waiting, count: waiting + 1 }
    }
}

/// Limits of the soft rows; a row says that its value is at most its limit.
#[derive(Clone, Debug)]
pub struct SoftRows {
    /// Where each kind begins.
    pub layout: RowLayout,
    /// Limit of each row, infinite where there is none.
    pub limit: Vec<f64>,
    /// Amount by which a value may pass the limit through rounding.
    pub tolerance: Vec<f64>,
    /// Rows with a finite limit.
    pub limited: Vec<usize>,
}

impl SoftRows {
    /// Rows of an instance; budgets are those a plan may spend.
    pub fn new(instance: &Instance) -> Self {
        let layout = RowLayout::of(&instance.sizes);
        let rules = &instance.rules;
        let mut limit = vec![0.0; layout.count];
        limit[layout.budget..layout.work].copy_from_slice(&rules.plan_budget_yen);
        limit[layout.member_budget..layout.capital].copy_from_slice(&rules.plan_member_budget_yen);
        limit[layout.capital..layout.carbon].copy_from_slice(&rules.capital_yen);
        limit[layout.carbon..layout.waiting].copy_from_slice(&rules.carbon_kg);
        limit[layout.waiting] = rules.waiting_periods;
        let mut tolerance = vec![0.0; layout.count];
        tolerance[layout.work..layout.member_budget].fill(WORK_TOLERANCE);
        for row in layout.capital..layout.count {
            tolerance[row] = SUM_TOLERANCE * (1.0 + if limit[row].is_finite() { limit[row].abs() } else { 0.0 });
        }
        let limited = (0..layout.count).filter(|&row| limit[row].is_finite()).collect();
        Self { layout, limit, tolerance, limited }
    }

    /// Whether a row with this value is broken.
    pub fn is_broken(&self, row: usize, value: f64) -> bool {
        value > self.limit[row] + self.tolerance[row]
    }

    /// Yen for what is broken, each unit at its row's weight.
    pub fn penalty(&self, values: &[f64], weights: &[f64]) -> f64 {
        self.limited.iter().map(|&row| weights[row] * (values[row] - self.limit[row]).max(0.0)).sum()
    }
}
