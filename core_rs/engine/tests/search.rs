//! Plans under construction: dispatch, aggregates that come back, chains that keep the best feasible plan.

mod common;

use common::checks::{assert_hard_rows, assert_keeps_rules};
use common::draw::Draw;
use common::naive::{self, NaiveColumn};
use common::{MANDATORY_YEN, PERIOD_HOURS, cases, random_instance, random_prices, random_tables};
use proptest::prelude::*;
use tehai_engine::column::{Column, NO_CLAIMS, NOT_RUN, Pauses};
use tehai_engine::evaluation::evaluate;
use tehai_engine::instance::{Instance, NONE};
use tehai_engine::search::{Chain, Guidance, PlanParts, RunOptions, Solution};

const OPTIONS: RunOptions = RunOptions {
    iteration_count: 400,
    temperature_first_yen: 2_000.0,
    temperature_last_yen: 10.0,
    ruin_count_max: 4,
    order_fraction: 0.3,
    penalty_scale: 2.0,
};

/// A random instance in which it pays to run and to order, programmes may exclude each other and orders may choose.
fn crowded_instance(seed: u64) -> Instance {
    let (mut tables, mut draw) = (random_tables(seed), Draw::new(seed ^ 0xc0ffee));
    if draw.chance(0.7) {
        let committed = &mut tables.committed;
        for yen in
            committed.option_cost.iter_mut().chain(&mut committed.option_cash).chain(&mut committed.option_capital)
        {
            *yen *= 0.2;
        }
        tables.workloads.not_run_yen.iter_mut().for_each(|yen| *yen *= 20.0);
        tables.hourly.quota_hours.iter_mut().for_each(|hours| *hours *= 0.4);
    }
    if tables.sizes.programmes > 1 && draw.chance(0.5) {
        tables.rules.programme_group.fill(0);
    }
    let capital = tables.committed.option_programme.iter().copied().find(|&programme| programme != NONE);
    if let Some(programme) = capital.filter(|_| draw.chance(0.5)) {
        // A usage programme that nobody may claim for use serves as the second one for orders.
        (0..tables.sizes.workloads).for_each(|w| tables.rules.rate[w * tables.sizes.programmes] = 0.0);
        let others = tables.committed.option_programme.iter_mut().filter(|listed| **listed == programme);
        others.step_by(2).for_each(|listed| *listed = 0);
    }
    tables.instance()
}

fn guidance(instance: &Instance, seed: u64) -> Guidance {
    Guidance::new(instance, random_prices(instance, seed), 4, MANDATORY_YEN).expect("a price for each row")
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
        (&a.cell_cash, &b.cell_cash),
        (&a.pool_live, &b.pool_live),
        (&a.pool_hours, &b.pool_hours),
        (&a.live, &b.live),
        (&a.live_hours, &b.live_hours),
        (&a.kwh, &b.kwh),
        (&a.rows, &b.rows),
        (&a.claims, &b.claims),
        (&a.order_claims, &b.order_claims),
        (&a.programme_claims, &b.programme_claims),
        (&a.project_claims, &b.project_claims),
        (&a.member_claims, &b.member_claims),
        (&a.units_of_offer, &b.units_of_offer),
    ];
    for (place, (left, right)) in pairs.into_iter().enumerate() {
        let close = left.iter().zip(right).all(|(x, y)| (x - y).abs() < 1e-3);
        assert!(close, "aggregate {place}: {left:?} against {right:?}");
    }
    assert_eq!((&a.units, &a.ends), (&b.units, &b.ends));
    assert_eq!((&a.project_uses, &a.owner_uses), (&b.project_uses, &b.owner_uses));
    for (left, right) in a.blocks.iter().zip(&b.blocks) {
        assert!((left.must_hours - right.must_hours).abs() < 1e-3, "{left:?} against {right:?}");
        assert!(left.left_hours == right.left_hours || (left.left_hours - right.left_hours).abs() < 1e-3);
    }
    assert!((a.objective() - b.objective()).abs() < 1e-3);
}

/// Columns without claims of every mode and start, some with a pause in the middle.
fn some_columns(instance: &Instance) -> Vec<(usize, Column)> {
    let mut found = Vec::new();
    for (index, mode) in instance.modes.iter().enumerate() {
        for &(first, last) in instance.starts_of(mode) {
            for start in first..last {
                let column = Column { mode: index, start, pauses: Pauses::default(), claim_set: NO_CLAIMS, price: 0.0 };
                found.push((mode.workload, column));
                let pauses = Pauses { count: 1, after: [1, 0, 0], gap: [1, 0, 0] };
                let paused = Column { pauses, ..column };
                let is_legal =
                    paused.pauses_fit(instance) && paused.end(instance) <= instance.workloads.deadline[mode.workload];
                if is_legal {
                    found.push((mode.workload, paused));
                }
            }
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
        tables.hourly.quota_hours.fill(f64::INFINITY);
        tables.hourly.limit_hours.iter_mut().for_each(|hours| *hours = (*hours / PERIOD_HOURS).min(5.0));
        tables.committed.live_hours.iter_mut().for_each(|hours| *hours = (*hours / PERIOD_HOURS).ceil());
        let instance = tables.instance();
        let mut solution = Solution::empty(&instance, MANDATORY_YEN);
        (0..instance.committed.option_first.len()).for_each(|o| solution.change_units(&instance, o, 1, 0.0));
        let periods = instance.sizes.periods;
        for pool in 0..instance.sizes.pools {
            for t in 0..periods {
                let mut sources: Vec<(f64, usize)> = Vec::new();
                for &offer in &instance.hourly_of_pool[pool] {
                    let cell = offer * periods + t;
                    sources.push((instance.hourly.unit_cost[cell], instance.hourly.limit_hours[cell] as usize));
                }
                for &offer in &instance.committed_of_pool[pool] {
                    let hours = solution.live_hours[offer * periods + t].round() as usize;
                    sources.push((instance.committed.use_cost[offer * periods + t], hours));
                }
                for hours in 0..8 {
                    let found = solution.dispatch(&instance, pool, t, hours as f64).map(|found| found.0);
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

/// What a test has changed, with the solution before it.
enum Change {
    Placed(usize),
    Ordered(usize),
}

proptest! {
    #![proptest_config(cases(150))]

    /// Placing and taking out, ordering and cancelling lead back to the aggregates there were.
    #[test]
    fn changes_can_be_taken_back(seed in any::<u64>(), picks in prop::collection::vec(any::<u32>(), 1..12)) {
        let instance = crowded_instance(seed);
        let mut solution = Solution::empty(&instance, MANDATORY_YEN);
        let columns = some_columns(&instance);
        let options = instance.committed.option_first.len();
        let mut done: Vec<(Solution, Change)> = Vec::new();
        for pick in picks {
            let (before, pick) = (solution.clone(), pick as usize);
            if pick % 2 == 0 && options > 0 {
                let option = pick / 2 % options;
                if solution.units_left(&instance, option) > 0 {
                    let claim = solution.claimable_by_order(&instance, option, solution.units[option] + 1);
                    solution.change_units(&instance, option, 1, claim);
                    done.push((before, Change::Ordered(option)));
                }
            } else if !columns.is_empty() {
                let (workload, mut column) = columns[pick / 2 % columns.len()];
                let sets = instance.claim_sets_of(&instance.modes[column.mode]);
                column.claim_set = sets.get(pick / 5 % (sets.len() + 1)).copied().unwrap_or(NO_CLAIMS);
                if !solution.is_placed(workload) {
                    let mut claims = vec![12.5; solution.claim_stride(&instance)];
                    column.claim_set = solution.cut_claims(&instance, &column, &mut claims);
                    solution.place(&instance, workload, column, &claims);
                    done.push((before, Change::Placed(workload)));
                }
            }
        }
        let whole = Solution::build(&instance, MANDATORY_YEN, &solution.parts());
        assert_same_aggregates(&whole, &solution);
        for (before, change) in done.into_iter().rev() {
            match change {
                Change::Placed(workload) => solution.unplace(&instance, workload),
                Change::Ordered(option) => {
                    solution.change_units(&instance, option, -1, before.order_claims[option]);
                }
            }
            assert_same_aggregates(&before, &solution);
        }
    }

    /// The best plan of a chain keeps every row, its aggregates are those of docs/rules.md, and no bound at any prices lies
    /// above its objective.
    #[test]
    fn best_plan_keeps_the_rules_and_the_bound(seed in any::<u64>()) {
        let instance = crowded_instance(seed);
        let Some((kept, plan)) = chain(&instance, seed).best else { return Ok(()) };
        let account = assert_keeps_rules(&instance, &plan.parts());
        prop_assert!((kept - account.objective).abs() <= 1e-6 * account.objective.abs() + 1e-3);
        for (row, (fast, slow)) in plan.rows.iter().zip(&account.rows).enumerate() {
            prop_assert!((fast - slow).abs() <= 1e-3, "row {row}: {fast} against {slow}");
        }
        let must_run = |w: usize| instance.workloads.not_run_yen[w].is_infinite();
        let missed = (0..instance.sizes.workloads).any(|w| must_run(w) && instance.modes_of(w).is_empty());
        if !missed {
            let bound = evaluate(&instance, &random_prices(&instance, seed ^ 1)).bound;
            let objective = account.objective;
            prop_assert!(bound <= objective + 1e-6 * objective.abs(), "bound {bound} over plan {objective}");
        }
    }

    /// A plan of arbitrary columns, claims and units is admitted without what breaks a hard row, and a plan of a chain whole.
    #[test]
    fn admitted_plans_keep_the_hard_rows(seed in any::<u64>(), picks in prop::collection::vec(any::<u32>(), 8)) {
        let instance = crowded_instance(seed);
        let listed = some_columns(&instance);
        let mut columns = vec![Column::not_run(0.0); instance.sizes.workloads];
        for pick in picks.iter().map(|&pick| pick as usize).filter(|_| !listed.is_empty()) {
            let (workload, column) = listed[pick % listed.len()];
            let sets = instance.claim_sets_of(&instance.modes[column.mode]);
            let claim_set = sets.get(pick / 7 % (sets.len() + 1)).copied().unwrap_or(NO_CLAIMS);
            columns[workload] = Column { claim_set, ..column };
        }
        let options = instance.committed.option_first.len();
        let units: Vec<u32> = (0..options).map(|option| picks[option % picks.len()] % 4).collect();
        let claims = vec![700.0; Solution::empty(&instance, MANDATORY_YEN).claims.len()];
        let order_claims = vec![900.0; options];
        let parts = PlanParts { columns: &columns, claims: &claims, units: &units, order_claims: &order_claims };
        let admitted = Solution::admit(&instance, MANDATORY_YEN, &parts);
        let account = assert_hard_rows(&instance, &admitted.parts());
        prop_assert!((admitted.objective() - account.objective).abs() <= 1e-6 * account.objective.abs() + 1e-3);
        if let Some((kept, plan)) = chain(&instance, seed).best {
            let again = Solution::admit(&instance, MANDATORY_YEN, &plan.parts());
            prop_assert!((again.objective() - kept).abs() < 1e-3, "{} admitted of {kept}", again.objective());
            prop_assert_eq!(&again.columns, &plan.columns);
        }
    }
}

/// Plans of the chains use every feature that the rules have for them: otherwise the tests above prove less than they say.
#[test]
fn plans_use_every_feature() {
    let names =
        ["plan", "pauses", "claims", "stacked", "order claims", "orders", "quota", "precedence", "lock", "limits"];
    let mut found = [0; 10];
    for seed in 0..250 {
        let instance = crowded_instance(seed);
        let Some((_, plan)) = chain(&instance, seed).best else { continue };
        let tight = assert_keeps_rules(&instance, &plan.parts()).tight_quotas > 0;
        let placed: Vec<&Column> = plan.columns.iter().filter(|column| column.mode != NOT_RUN).collect();
        let is_locked = |w: usize| instance.workloads.locked[w] && plan.is_placed(w);
        let limited =
            plan.rows.iter().zip(limits_of(&instance)).any(|(value, limit)| *value > 0.9 * limit && *value > 0.0);
        for (count, is_used) in found.iter_mut().zip([
            true,
            placed.iter().any(|column| column.pauses.count > 0),
            plan.claims.iter().any(|&yen| yen > 0.0),
            placed.iter().any(|column| instance.programmes_of(column.claim_set).len() > 1),
            plan.order_claims.iter().any(|&yen| yen > 0.0),
            plan.units.iter().any(|&units| units > 0),
            tight,
            instance.workloads.after.iter().any(|&w| plan.is_placed(w)),
            (0..instance.sizes.workloads).any(is_locked),
            limited,
        ]) {
            *count += usize::from(is_used);
        }
    }
    for (name, count) in names.iter().zip(found) {
        assert!(count > 4, "{name}: only {count} of 250 plans; {found:?}");
    }
}

fn limits_of(instance: &Instance) -> Vec<f64> {
    tehai_engine::search::SoftRows::new(instance).limit
}

/// The engine's column for one of the naive ones.
fn engine_column(instance: &Instance, naive: &NaiveColumn) -> Column {
    let mode = instance
        .modes_of(naive.workload)
        .find(|&m| instance.modes[m].pool == naive.pool && instance.modes[m].accelerators == naive.accelerators)
        .expect("a mode for each legal column");
    let touched: Vec<usize> = (0..naive.hours.len()).filter(|&t| naive.hours[t] > 0.0).collect();
    let mut pauses = Pauses::default();
    for (done, pair) in touched.windows(2).enumerate().filter(|(_, pair)| pair[1] > pair[0] + 1) {
        pauses.after[pauses.count] = done as u16 + 1;
        pauses.gap[pauses.count] = (pair[1] - pair[0] - 1) as u16;
        pauses.count += 1;
    }
    Column { mode, start: naive.start, pauses, claim_set: NO_CLAIMS, price: 0.0 }
}

/// A workload alone, without claims and soft rows, goes to the cheapest of all its columns, pauses included.
#[test]
fn one_workload_takes_its_cheapest_column() {
    let (mut compared, mut paused) = (0, 0);
    for seed in 0..400 {
        let mut tables = random_tables(seed);
        if tables.sizes.workloads > 1 {
            continue;
        }
        tables.committed.unit_limit.fill(0.0);
        tables.hourly.quota_hours.fill(f64::INFINITY);
        tables.rules.rate.fill(0.0);
        tables.rules.work_row_coefficient.fill(0.0);
        let rules = &mut tables.rules;
        for limits in [&mut rules.budget_yen, &mut rules.plan_budget_yen, &mut rules.member_budget_yen] {
            limits.fill(f64::INFINITY);
        }
        for limits in [&mut rules.plan_member_budget_yen, &mut rules.capital_yen, &mut rules.carbon_kg] {
            limits.fill(f64::INFINITY);
        }
        rules.waiting_periods = f64::INFINITY;
        let instance = tables.instance();
        let mut solution = Solution::empty(&instance, MANDATORY_YEN);
        let claims = vec![0.0; solution.claim_stride(&instance)];
        let mut best = (solution.objective(), 0);
        for naive in naive::columns(&instance, 0) {
            let column = engine_column(&instance, &naive);
            if solution.fits(&instance, &column) {
                solution.place(&instance, 0, column, &claims);
                let cost = solution.objective();
                best = if cost < best.0 - 1e-6 { (cost, column.pauses.count) } else { best };
                solution.unplace(&instance, 0);
            }
        }
        let found = chain(&instance, seed).best.expect("every plan is feasible").0;
        assert!((found - best.0).abs() < 1e-3, "seed {seed}: found {found}, cheapest {}", best.0);
        compared += 1;
        paused += usize::from(best.1 > 0);
    }
    assert!(compared > 40 && paused > 8, "{compared} compared, {paused} with pauses");
}

/// A longer run keeps the best plan or finds a better one, wherever the current plan wanders.
#[test]
fn run_keeps_the_best_plan() {
    let mut improved = 0;
    for seed in 0..60 {
        let instance = random_instance(seed);
        let guidance = guidance(&instance, seed);
        let mut chain = Chain::new(&instance, &guidance, Solution::empty(&instance, MANDATORY_YEN), seed);
        let mut last = chain.best.as_ref().map_or(f64::INFINITY, |best| best.0);
        for _ in 0..4 {
            chain.run(&instance, &guidance, &RunOptions { iteration_count: 60, ..OPTIONS });
            let now = chain.best.as_ref().map_or(f64::INFINITY, |best| best.0);
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
    let mut compared = 0;
    for seed in 0..25 {
        let instance = crowded_instance(seed);
        let (Some(first), Some(second)) = (chain(&instance, seed).best, chain(&instance, seed).best) else { continue };
        assert_eq!(first.0.to_bits(), second.0.to_bits());
        assert_eq!((first.1.columns, first.1.units), (second.1.columns, second.1.units));
        assert_eq!((first.1.claims, first.1.order_claims), (second.1.claims, second.1.order_claims));
        compared += 1;
    }
    assert!(compared > 10, "only {compared} plans compared");
}

/// Restarting from a worse plan does not lose the best one.
#[test]
fn restart_keeps_the_best_plan() {
    let mut compared = 0;
    for seed in 0..25 {
        let instance = random_instance(seed);
        let mut chain = chain(&instance, seed);
        let Some(best) = chain.best.as_ref().map(|best| best.0) else { continue };
        chain.restart_from(Solution::empty(&instance, MANDATORY_YEN));
        assert!(chain.best.is_some_and(|kept| kept.0 <= best));
        compared += 1;
    }
    assert!(compared > 10, "only {compared} plans compared");
}
