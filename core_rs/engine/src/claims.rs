//! What a column claims at given prices: fiscal years filled by descending worth, up to the cap of its project.

use crate::column::Column;
use crate::instance::{Instance, NONE, YEAR_COUNT_MAX};
use crate::prefix_cost::PrefixCost;

/// Yen by fiscal year index.
pub type YearClaims = [f64; YEAR_COUNT_MAX];

/// Worth in yen of the best claims of a column from its claim set.
pub fn claims_worth(instance: &Instance, prefix: &PrefixCost, column: &Column) -> f64 {
    let programmes = instance.programmes_of(column.claim_set);
    programmes.iter().map(|&r| programme_worth(instance, prefix, column, r)).sum()
}

/// Worth in yen of the best claim of a column from one programme.
fn programme_worth(instance: &Instance, prefix: &PrefixCost, column: &Column, programme: usize) -> f64 {
    let mode = &instance.modes[column.mode];
    let rate = instance.rules.rate[mode.workload * instance.sizes.programmes + programme];
    if prefix.project_price_of(instance, mode.workload, programme) <= 0.0 {
        let cap = instance.project_cap(mode.workload, programme);
        let eligible = rate * column.weighted_hours(instance, prefix.reference_of(instance, mode, programme));
        if eligible <= cap {
            return rate * column.weighted_hours(instance, prefix.reference_worth_of(instance, mode, programme));
        }
    }
    fill_claims(instance, prefix, column, programme, &mut [0.0; YEAR_COUNT_MAX])
}

/// Fill fiscal years by descending worth up to rate times eligible cost, until the project cap; returns the worth.
///
/// `claims` receives yen by fiscal year index; years that are not claimed stay as they are.
pub fn fill_claims(
    instance: &Instance,
    prefix: &PrefixCost,
    column: &Column,
    programme: usize,
    claims: &mut [f64],
) -> f64 {
    let workload = instance.modes[column.mode].workload;
    let project_price = prefix.project_price_of(instance, workload, programme);
    let worths = prefix.worth_of(instance, workload, programme);
    let (first_year, last_year) = years_of_run(instance, column);
    let mut eligible = [0.0; YEAR_COUNT_MAX];
    eligible_by_year(instance, &prefix.reference, column, programme, &mut eligible);
    let rate = instance.rules.rate[workload * instance.sizes.programmes + programme];
    let mut left = instance.project_cap(workload, programme);
    let mut total = 0.0;
    let mut done = [false; YEAR_COUNT_MAX];
    for _ in first_year..=last_year {
        let mut best = (0.0, NONE);
        for y in (first_year..=last_year).filter(|&y| !done[y]) {
            let worth = worths[y] - project_price;
            if worth > best.0 {
                best = (worth, y);
            }
        }
        if best.1 == NONE || left <= 0.0 {
            break;
        }
        done[best.1] = true;
        let amount = (rate * eligible[best.1]).min(left);
        claims[best.1] = amount;
        left -= amount;
        total += best.0 * amount;
    }
    total
}

/// First and last fiscal year index between the column's start and its end.
pub fn years_of_run(instance: &Instance, column: &Column) -> (usize, usize) {
    let year_of = &instance.pools.year_of_period;
    (year_of[column.start], year_of[column.end(instance) - 1])
}

/// Eligible cost of a column by fiscal year index in yen, before the rate; `reference` is (R, P, T + 1) prefix sums.
pub fn eligible_by_year(instance: &Instance, reference: &[f64], column: &Column, programme: usize, out: &mut [f64]) {
    let mode = &instance.modes[column.mode];
    let stride = instance.sizes.periods + 1;
    let base = (programme * instance.sizes.pools + mode.pool) * stride;
    let row = &reference[base..base + stride];
    let (first_year, last_year) = years_of_run(instance, column);
    out[first_year..=last_year].fill(0.0);
    let run = instance.run_of(mode, column.pauses.count);
    for piece in column.pieces(&run) {
        let last = instance.pools.year_of_period[piece.end() - 1];
        for (y, slot) in out.iter_mut().enumerate().take(last + 1).skip(instance.pools.year_of_period[piece.from]) {
            let from = piece.from.max(instance.year_first[y]);
            let until = piece.full_end.min(instance.year_first[y + 1]).max(from);
            *slot += mode.gang * instance.pools.period_hours * (row[until] - row[from]);
        }
        if piece.has_rest {
            out[last] += mode.gang * run.rest_hours * (row[piece.full_end + 1] - row[piece.full_end]);
        }
    }
}
