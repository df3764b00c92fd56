//! The supply side's closed form against every whole number of units.

mod common;

use common::{cases, naive_supply, random_instance, random_prices};
use proptest::prelude::*;
use tehai_engine::instance::Instance;
use tehai_engine::prices::PriceLayout;
use tehai_engine::supply::supply_minimum;

fn minimum(instance: &Instance, prices: &[f64]) -> (f64, Vec<(usize, f64)>) {
    let mut gradient = vec![0.0; PriceLayout::of(instance).count];
    let mut orders = Vec::new();
    (supply_minimum(instance, prices, &mut gradient, &mut orders).total(), orders)
}

proptest! {
    #![proptest_config(cases(400))]

    /// Chains of terms, purchases and hourly offers cost what the best of all whole numbers of units costs.
    #[test]
    fn minimum_is_the_best_of_all_units(seed in any::<u64>()) {
        let instance = random_instance(seed);
        let prices = random_prices(&instance, seed);
        let (fast, slow) = (minimum(&instance, &prices).0, naive_supply::supply(&instance, &prices));
        prop_assert!((fast - slow).abs() <= 1e-9 * slow.abs() + 1e-6, "{fast} against {slow}");
    }

    /// The orders that are handed out with the minimum keep the limit of their offer.
    #[test]
    fn orders_of_the_minimum_keep_the_limit(seed in any::<u64>()) {
        let instance = random_instance(seed);
        let prices = random_prices(&instance, seed);
        let mut units = vec![0; instance.committed.option_first.len()];
        for (option, count) in minimum(&instance, &prices).1 {
            units[option] += count as usize;
        }
        for offer in 0..instance.committed.pool.len() {
            let options = instance.committed.option_offset[offer]..instance.committed.option_offset[offer + 1];
            prop_assert!(naive_supply::within_limit(&instance, offer, &units[options]));
        }
    }
}

/// The random prices make offers order something, chains of several terms among them.
#[test]
fn random_prices_order_chains_and_purchases() {
    let (mut chains, mut purchases) = (0, 0);
    for seed in 0..400 {
        let instance = random_instance(seed);
        let table = &instance.committed;
        let orders = minimum(&instance, &random_prices(&instance, seed)).1;
        for offer in 0..table.pool.len() {
            let options = table.option_offset[offer]..table.option_offset[offer + 1];
            let count = orders.iter().filter(|order| options.contains(&order.0)).count();
            chains += usize::from(table.limit_is_live[offer] && count > 1);
            purchases += usize::from(!table.limit_is_live[offer] && count == 1);
        }
    }
    assert!(chains > 10 && purchases > 50, "{chains} chains, {purchases} purchases");
}
