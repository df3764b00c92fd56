//! Pricing, dual ascent and search for sourcing problems. No Python here; docs/rules.md has the mathematics.

pub mod columns;
pub mod dual_ascent;
pub mod error;
pub mod instance;
pub mod prefix_cost;
pub mod prices;
pub mod pricing;
pub mod search;
pub mod supply;
