//! Ruin and recreate on the exact cost of a plan (Schrimpf et al. 2000; slack induction after Christiaens and Vanden Berghe 2020).

mod admit;
mod chain;
mod claims;
mod guidance;
mod insertion;
mod moves;
mod orders;
mod pausing;
mod quota;
mod rows;
mod scratch;
mod solution;
mod statics;
mod terms;

pub use chain::{Chain, RunOptions};
pub use guidance::Guidance;
pub use quota::Block;
pub use rows::{RowLayout, SoftRows};
pub use solution::{PlanParts, Solution};
