//! Commitments of a plan: units of order options, what is live, and what they claim.

use crate::instance::{CAPACITY_TOLERANCE, Instance, NONE};
use crate::search::solution::Solution;

impl Solution {
    /// Order more (or fewer) units of an option, and claim `claim_yen` for it in all from now on.
    ///
    /// The caller has checked the offer's limit and what may be claimed.
    pub fn change_units(&mut self, instance: &Instance, option: usize, change: i64, claim_yen: f64) {
        self.set_order_claim(instance, option, claim_yen);
        if change == 0 {
            return;
        }
        let (table, years) = (&instance.committed, instance.sizes.years);
        let offer = self.statics.offer_of_option[option];
        let delta = change as f64;
        self.units[option] = (i64::from(self.units[option]) + change) as u32;
        self.units_of_offer[offer] += delta;
        self.order_cost += delta * table.option_cost[option];
        let layout = self.statics.rows.layout;
        for y in 0..years {
            self.rows[layout.budget + y] += delta * table.option_cash[option * years + y];
            self.rows[layout.capital + y] += delta * table.option_capital[option * years + y];
        }
        if table.option_programme[option] != NONE {
            let uses =
                &mut self.owner_uses[table.owner[offer] * instance.sizes.programmes + table.option_programme[option]];
            *uses = (i64::from(*uses) + change) as u32;
        }
        self.change_live(instance, option, delta);
    }

    fn change_live(&mut self, instance: &Instance, option: usize, delta: f64) {
        let (table, periods) = (&instance.committed, instance.sizes.periods);
        let offer = self.statics.offer_of_option[option];
        let pool = table.pool[offer];
        let quota = self.statics.quota_of_pool[pool];
        let first = table.option_first[option];
        let entries = table.live_offset[option]..table.live_offset[option + 1];
        for (t, entry) in (first..).zip(entries.clone()) {
            let (own, cell) = (offer * periods + t, pool * periods + t);
            let accelerators = delta * table.live_accelerators[entry];
            let hours = delta * table.live_hours[entry];
            for (value, amount) in [
                (&mut self.live[own], accelerators),
                (&mut self.pool_live[cell], accelerators),
                (&mut self.live_hours[own], hours),
                (&mut self.pool_hours[cell], hours),
            ] {
                *value += amount;
                if *value < CAPACITY_TOLERANCE {
                    *value = 0.0;
                }
            }
            if quota == NONE {
                self.refresh_cell(instance, pool, t);
            }
        }
        if quota != NONE && !entries.is_empty() {
            let years = &instance.pools.year_of_period;
            (years[first]..=years[first + entries.len() - 1]).for_each(|y| self.refresh_block(instance, quota, y));
        }
    }

    /// Claim so many yen for the units of an option in all.
    fn set_order_claim(&mut self, instance: &Instance, option: usize, claim_yen: f64) {
        let change = claim_yen - self.order_claims[option];
        if change == 0.0 {
            return;
        }
        let table = &instance.committed;
        let (programme, year) = (table.option_programme[option], table.option_claim_year[option]);
        let owner = table.owner[self.statics.offer_of_option[option]];
        self.order_claims[option] = claim_yen;
        self.order_cost -= change * instance.rules.claim_discount[programme * instance.sizes.years + year];
        self.note_claim(instance, (programme, owner, year), change);
    }

    /// Yen that so many units of an option can claim: what rate, budget and cap leave, its own claim counted as free.
    pub fn claimable_by_order(&self, instance: &Instance, option: usize, units: u32) -> f64 {
        let table = &instance.committed;
        let programme = table.option_programme[option];
        if programme == NONE || units == 0 {
            return 0.0;
        }
        let owner = table.owner[self.statics.offer_of_option[option]];
        let left = self.claim_left(instance, programme, owner, table.option_claim_year[option]);
        // Rounding must not turn an unchanged claim into a new one.
        let most = f64::from(units) * table.option_claim_yen[option];
        let own = self.order_claims[option];
        if most <= own { most } else { own + (most - own).min(left) }
    }

    /// Units of an option that can still be ordered under the offer's limit and beside its owner's claims.
    pub fn units_left(&self, instance: &Instance, option: usize) -> u32 {
        if !self.is_option_open(instance, option) {
            return 0;
        }
        let table = &instance.committed;
        let offer = self.statics.offer_of_option[option];
        let limit = table.unit_limit[offer];
        if !table.limit_is_live[offer] {
            return (limit - self.units_of_offer[offer] + 0.5).max(0.0) as u32;
        }
        let first = table.option_first[option];
        let live = &table.live_accelerators[table.live_offset[option]..table.live_offset[option + 1]];
        let most =
            live.iter().enumerate().map(|(d, block)| self.live[offer * instance.sizes.periods + first + d] / block);
        (limit - most.fold(0.0, f64::max) + 0.5).max(0.0) as u32
    }

    /// Options of the same offer that have the same periods live: bookings of a block, programmes of a purchase.
    pub fn variants(&self, instance: &Instance, option: usize) -> std::ops::Range<usize> {
        let (table, offer) = (&instance.committed, self.statics.offer_of_option[option]);
        let length = |o: usize| table.live_offset[o + 1] - table.live_offset[o];
        let is_variant = |o: usize| table.option_first[o] == table.option_first[option] && length(o) == length(option);
        let (mut first, mut end) = (option, option + 1);
        while first > table.option_offset[offer] && is_variant(first - 1) {
            first -= 1;
        }
        while end < table.option_offset[offer + 1] && is_variant(end) {
            end += 1;
        }
        first..end
    }
}
