//! Ruin and recreate on the exact cost of a plan (Schrimpf et al. 2000; slack induction after Christiaens and Vanden Berghe 2020).

mod insertion;
mod moves;
mod solution;

pub use insertion::{Guidance, shortlists};
pub use moves::{Chain, RunOptions};
pub use solution::Solution;
