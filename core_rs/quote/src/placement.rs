//! A column as it is told: its price part by part, in whole yen.

use crate::book::Book;
use crate::check::Job;
use crate::claims::{OpenClaims, PoolClaims};
use crate::message::{Claim, QuotedPlacement};
use crate::price::{Found, PoolPrices};

/// Parts of a price in the order of `QuotedPlacement`: capacity, rules, moving, lateness, grants.
const PARTS: usize = 5;

/// Tell a column that `cheapest_in_pool` found.
pub(crate) fn placement_of(book: &Book, job: &Job, claims: &OpenClaims, found: &Found) -> QuotedPlacement {
    let (pool, mode, start, hours) = (&book.pools[found.pool], &found.mode, found.start, book.period_hours);
    let Some(prices) = PoolPrices::of(book, job, pool) else {
        return QuotedPlacement::default(); // not reached: a found column has its route
    };
    let (paid, own) = prices.start_pay(start);
    let (moving, waited) = (prices.moving_yen(start), (start - job.release) as f64);
    let capacity = mode.weighted(hours, &pool.capacity, start);
    let member = prices.member_sums().map_or(0.0, |sums| mode.weighted(hours, &sums, start));
    let rules = mode.weighted(hours, &pool.hour, start) - capacity
        + mode.density * mode.weighted(hours, &pool.work, start)
        + member
        + moving * own
        + book.waiting_price * waited;
    let best = PoolClaims::of(book, job, claims, found.pool).best(mode, start);
    let parts = [capacity, rules, moving * paid, job.late_yen * waited, -best.worth];
    let (price_yen, [capacity_yen, rules_yen, moving_yen, lateness_yen, grants_yen]) = whole_parts(parts);
    QuotedPlacement {
        pool_id: pool.id.clone(),
        accelerators: job.workload.gang_options[mode.option].accelerators,
        start_period: start as i32,
        start_date: book.start_dates[start].clone(),
        run_hours: mode.run_hours(book),
        price_yen,
        capacity_yen,
        rules_yen,
        moving_yen,
        lateness_yen,
        grants_yen,
        claims: claims_of(book, &best.claims),
        list_bill_yen: (mode.weighted(hours, &pool.charge, start) + moving).round_ties_even() as i64,
    }
}

/// Claims in whole yen, rounded down; those of less than a yen are none.
fn claims_of(book: &Book, claims: &[(usize, usize, f64)]) -> Vec<Claim> {
    let whole = claims.iter().filter(|(_, _, yen)| *yen >= 1.0);
    let mut found: Vec<Claim> = whole
        .map(|&(programme, year, yen)| Claim {
            programme_id: book.programmes[programme].id.clone(),
            fiscal_year: book.first_fiscal_year + year as i32,
            amount_yen: yen as i64,
        })
        .collect();
    found.sort_by(|a, b| (&a.programme_id, a.fiscal_year).cmp(&(&b.programme_id, b.fiscal_year)));
    found
}

/// The sum rounded half-even, and parts that sum to it: each rounded down, then the largest remainders up.
fn whole_parts(parts: [f64; PARTS]) -> (i64, [i64; PARTS]) {
    let price = parts.iter().sum::<f64>().round_ties_even() as i64;
    let mut whole = parts.map(|part| part.floor() as i64);
    let mut order: [usize; PARTS] = std::array::from_fn(|i| i);
    order.sort_by(|&a, &b| (parts[b] - parts[b].floor()).total_cmp(&(parts[a] - parts[a].floor())));
    let missing = price - whole.iter().sum::<i64>();
    for &i in order.iter().take(missing.clamp(0, PARTS as i64) as usize) {
        whole[i] += 1;
    }
    (price, whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_sum_to_the_price_and_stay_within_a_yen() {
        for parts in
            [[1.5, 2.25, 0.0, 0.75, -3.4], [0.5, 0.0, 0.0, 0.0, 0.0], [1e12 + 0.3, -0.1, 0.4, 0.2, -1e12 - 0.9]]
        {
            let (price, whole) = whole_parts(parts);
            assert_eq!(price, whole.iter().sum::<i64>());
            assert_eq!(price, parts.iter().sum::<f64>().round_ties_even() as i64);
            assert!(parts.iter().zip(whole).all(|(part, yen)| (part - yen as f64).abs() <= 1.0));
        }
    }
}
