//! Plans under construction: dispatch, aggregates that come back, chains that keep the best feasible plan.

mod common;

use common::checks::assert_keeps_rules;
use common::{MANDATORY_YEN, PERIOD_HOURS, cases, random_instance, random_prices, random_tables};
use proptest::prelude::*;
use tehai_engine::instance::Instance;
use tehai_engine::prefix_cost::PrefixCost;
use tehai_engine::prices::PriceLayout;
use tehai_engine::pricing::{Column, NO_PROGRAMME, cheapest_column, evaluate};
use tehai_engine::search::{Chain, Guidance, RunOptions, Solution, shortlists};

const OPTIONS: RunOptions = RunOptions {
    iteration_count: 400,
    temperature_first_yen: 2_000.0,
    temperature_last_yen: 10.0,
    ruin_count_max: 4,
    order_fraction: 0.3,
    penalty_scale: 2.0,
};

fn guidance(instance: &Instance, seed: u64) -> Guidance {
    let prices = random_prices(instance, seed);
    let (layout, years) = (PriceLayout::of(instance), instance.sizes.years);
    let prefix = PrefixCost::new(instance, &prices);
    let shortlist = shortlists(instance, &prefix, 4);
    let budget = prices[layout.budget..layout.budget + years].to_vec();
    let cheapest = (0..instance.sizes.workloads).map(|w| cheapest_column(instance, &prefix, w).price).collect();
    let (share_weight, budget_weight) = (vec![300.0; years], vec![3.0; years]);
    Guidance { prefix, budget, share_weight, budget_weight, shortlist, cheapest }
}

fn chain(instance: &Instance, seed: u64) -> Chain {
    let guidance = guidance(instance, seed);
    let mut chain = Chain::new(instance, &guidance, Solution::empty(instance, MANDATORY_YEN), seed);
    chain.construct(instance, &guidance);
    chain.run(instance, &guidance, &OPTIONS);
    chain
}

fn assert_same_aggregates(a: &Solution, b: &Solution) {
    let pairs = [
        (&a.hours, &b.hours),
        (&a.cell_cost, &b.cell_cost),
        (&a.pool_live, &b.pool_live),
        (&a.live, &b.live),
        (&a.kwh, &b.kwh),
        (&a.share_short, &b.share_short),
        (&a.cash, &b.cash),
        (&a.claims, &b.claims),
        (&a.programme_claims, &b.programme_claims),
        (&a.project_claims, &b.project_claims),
        (&a.units_of_offer, &b.units_of_offer),
    ];
    for (left, right) in pairs {
        assert!(left.iter().zip(right).all(|(x, y)| (x - y).abs() < 1e-3), "{left:?} against {right:?}");
    }
    assert_eq!(a.units, b.units);
    assert!((a.objective() - b.objective()).abs() < 1e-3);
}

/// Every legal column without a programme of the first workload that has one.
fn some_columns(instance: &Instance) -> Vec<(usize, Column)> {
    let mut found = Vec::new();
    for (index, mode) in instance.modes.iter().enumerate() {
        for &(first, last) in instance.starts_of(mode) {
            found.extend(
                (first..last)
                    .map(|start| (mode.workload, Column { mode: index, start, programme: NO_PROGRAMME, price: 0.0 })),
            );
        }
    }
    found
}

/// Least cost of whole hours among sources of whole hours, every split tried; None where they do not fit.
fn cheapest_split(sources: &[(f64, usize)], hours: usize) -> Option<f64> {
    let Some(&(cost, room)) = sources.first() else { return (hours == 0).then_some(0.0) };
    (0..=hours.min(room))
        .filter_map(|taken| cheapest_split(&sources[1..], hours - taken).map(|rest| rest + taken as f64 * cost))
        .min_by(f64::total_cmp)
}

/// Cheapest first is the best of all ways to split hours among the sources of a cell.
#[test]
fn merit_order_is_the_cheapest_dispatch() {
    let mut served = 0;
    for seed in 0..60 {
        let mut tables = random_tables(seed);
        tables.hourly.limit_hours.iter_mut().for_each(|hours| *hours = (*hours / PERIOD_HOURS).min(5.0));
        tables.committed.live_accelerators.iter_mut().for_each(|live| *live = live.ceil() / PERIOD_HOURS);
        let instance = tables.instance();
        let units: Vec<u32> = instance.committed.option_first.iter().map(|_| 1).collect();
        let idle = vec![Column::not_run(0.0); instance.sizes.workloads];
        let claims = vec![0.0; instance.sizes.workloads * instance.sizes.years];
        let solution = Solution::build(&instance, MANDATORY_YEN, &idle, &claims, &units);
        let periods = instance.sizes.periods;
        for pool in 0..instance.sizes.pools {
            for t in 0..periods {
                let mut sources: Vec<(f64, usize)> = Vec::new();
                for &offer in &instance.hourly_of_pool[pool] {
                    let cell = offer * periods + t;
                    sources.push((instance.hourly.unit_cost[cell], instance.hourly.limit_hours[cell] as usize));
                }
                for &offer in &instance.committed_of_pool[pool] {
                    let hours = (solution.live[offer * periods + t] * PERIOD_HOURS).round() as usize;
                    sources.push((instance.committed.use_cost[offer * periods + t], hours));
                }
                for hours in 0..8 {
                    let found = solution.dispatch_cost(&instance, pool, t, hours as f64);
                    match (found, cheapest_split(&sources, hours)) {
                        (Some(fast), Some(slow)) => assert!((fast - slow).abs() < 1e-6, "{fast} against {slow}"),
                        (None, None) => {}
                        (fast, slow) => panic!("seed {seed}: {fast:?} against {slow:?}"),
                    }
                    served += usize::from(found.is_some() && hours > 0 && sources.len() > 1);
                }
            }
        }
    }
    assert!(served > 200, "only {served} cells with a choice");
}

proptest! {
    #![proptest_config(cases(150))]

    /// Placing and taking out, ordering and cancelling lead back to the aggregates there were.
    #[test]
    fn changes_can_be_taken_back(seed in any::<u64>(), picks in prop::collection::vec(any::<u32>(), 1..12)) {
        let instance = random_instance(seed);
        let mut solution = Solution::empty(&instance, MANDATORY_YEN);
        let (columns, years) = (some_columns(&instance), instance.sizes.years);
        let options = instance.committed.option_first.len();
        let mut done: Vec<(Solution, Result<usize, usize>)> = Vec::new();
        for pick in picks {
            let before = solution.clone();
            let pick = pick as usize;
            if pick % 2 == 0 && options > 0 {
                let option = pick / 2 % options;
                if solution.units_left(&instance, option) > 0 {
                    solution.change_units(&instance, option, 1);
                    done.push((before, Err(option)));
                }
            } else if !columns.is_empty() {
                let (workload, mut column) = columns[pick / 2 % columns.len()];
                let rates = &instance.rules.rate[workload * instance.sizes.programmes..];
                if instance.sizes.programmes > 0 && rates[0] > 0.0 {
                    column.programme = 0;
                }
                if solution.columns[workload].mode == usize::MAX {
                    solution.place(&instance, workload, column, &vec![12.5; years]);
                    done.push((before, Ok(workload)));
                }
            }
        }
        let whole = Solution::build(&instance, MANDATORY_YEN, &solution.columns, &solution.claims, &solution.units);
        assert_same_aggregates(&whole, &solution);
        for (before, change) in done.into_iter().rev() {
            match change {
                Ok(workload) => solution.unplace(&instance, workload),
                Err(option) => solution.change_units(&instance, option, -1),
            }
            assert_same_aggregates(&before, &solution);
        }
    }

    /// The best plan of a chain keeps every row, and no bound at any prices lies above its objective.
    #[test]
    fn best_plan_keeps_the_rules_and_the_bound(seed in any::<u64>()) {
        let instance = random_instance(seed);
        let chain = chain(&instance, seed);
        let (kept, plan) = chain.best.expect("the empty plan keeps every row");
        let objective = assert_keeps_rules(&instance, &plan);
        prop_assert!((kept - objective).abs() <= 1e-6 * objective.abs() + 1e-3);
        let missed = (0..instance.sizes.workloads).any(|w| instance.is_mandatory(w) && instance.modes_of(w).is_empty());
        if !missed {
            let bound = evaluate(&instance, &random_prices(&instance, seed ^ 1)).bound;
            prop_assert!(bound <= objective + 1e-6 * objective.abs(), "bound {bound} over plan {objective}");
        }
    }
}

/// A longer run keeps the best plan or finds a better one, wherever the current plan wanders.
#[test]
fn run_keeps_the_best_plan() {
    let mut improved = 0;
    for seed in 0..40 {
        let instance = random_instance(seed);
        let guidance = guidance(&instance, seed);
        let mut chain = Chain::new(&instance, &guidance, Solution::empty(&instance, MANDATORY_YEN), seed);
        let mut last = chain.best.as_ref().expect("the empty plan keeps every row").0;
        for _ in 0..4 {
            chain.run(&instance, &guidance, &RunOptions { iteration_count: 60, ..OPTIONS });
            let now = chain.best.as_ref().expect("a best plan is never lost").0;
            assert!(now <= last, "seed {seed}: {now} after {last}");
            improved += usize::from(now < last);
            last = now;
        }
    }
    assert!(improved > 20, "only {improved} runs improved a plan");
}

/// The same seed gives the same plan to the bit.
#[test]
fn chain_is_deterministic() {
    for seed in 0..15 {
        let instance = random_instance(seed);
        let (one, two) = (chain(&instance, seed), chain(&instance, seed));
        let (first, second) = (one.best.expect("a plan"), two.best.expect("a plan"));
        assert_eq!(first.0.to_bits(), second.0.to_bits());
        assert_eq!((first.1.columns, first.1.units), (second.1.columns, second.1.units));
    }
}

/// Restarting from a worse plan does not lose the best one.
#[test]
fn restart_keeps_the_best_plan() {
    for seed in 0..15 {
        let instance = random_instance(seed);
        let guidance = guidance(&instance, seed);
        let mut chain = chain(&instance, seed);
        let best = chain.best.as_ref().expect("a plan").0;
        chain.restart_from(&instance, &guidance, Solution::empty(&instance, MANDATORY_YEN));
        assert!(chain.best.expect("a plan").0 <= best);
    }
}
