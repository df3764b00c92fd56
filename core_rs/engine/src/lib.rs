//! Pricing, dual ascent and search for sourcing problems. No Python here; docs/rules.md has the mathematics.

mod checks;
pub mod claims;
pub mod column;
pub mod columns;
mod derived;
pub mod dual_ascent;
pub mod error;
pub mod evaluation;
pub mod instance;
mod modes;
mod pauses;
pub mod prefix_cost;
pub mod prices;
pub mod pricing;
mod runs;
pub mod search;
mod shortest_path;
pub mod supply;
pub mod tables;
