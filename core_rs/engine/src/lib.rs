//! Pricing, dual ascent and search for sourcing problems. No Python here; docs/rules.md has the mathematics.

mod checks;
pub mod columns;
pub mod dual_ascent;
pub mod error;
pub mod instance;
pub mod prefix_cost;
pub mod prices;
pub mod pricing;
mod runs;
pub mod search;
pub mod supply;
pub mod tables;
