//! Space that insertions use again and again.

use crate::instance::Instance;
use crate::search::quota::QuotaUse;
use crate::search::solution::Solution;

/// Scratch space of insertions.
#[derive(Clone, Debug)]
pub struct Scratch {
    /// Prefix sums of the guided cost of full periods, (T + 1,).
    pub full: Vec<f64>,
    /// Prefix counts of periods without room, (T + 1,).
    pub blocked: Vec<u32>,
    /// Guided cost of the last, partly used period, infinite where it has no room, (T,).
    pub rest: Vec<f64>,
    /// Prefix sums of what full periods ask of a quota, (T + 1,).
    pub quota_full: Vec<QuotaUse>,
    /// What the last period asks of a quota, (T,).
    pub quota_rest: Vec<QuotaUse>,
    /// Guided cost of an accelerator-hour besides dispatch and member budget, (Y,).
    pub hour_extra: Vec<f64>,
    /// Claims of the set looked at, (S, Y).
    pub claims: Vec<f64>,
    /// Eligible cost by fiscal year, (Y,).
    pub eligible: Vec<f64>,
    /// Claim sets open to the mode looked at.
    pub claim_sets: Vec<OpenSet>,
    /// Their programmes, see `OpenSet::terms`.
    pub claim_terms: Vec<ClaimTerm>,
    /// Shortest paths over pauses.
    pub paths: Paths,
}

/// A claim set open to a mode, with its part of `Scratch::claim_terms`.
#[derive(Clone, Copy, Debug)]
pub struct OpenSet {
    /// The claim set.
    pub claim_set: usize,
    /// Half-open range of its programmes.
    pub terms: (usize, usize),
}

/// A programme of an open claim set.
#[derive(Clone, Copy, Debug)]
pub struct ClaimTerm {
    /// Grant rate of the workload.
    pub rate: f64,
    /// Programme index.
    pub programme: usize,
}

/// Tables of the shortest path over (period, periods done, pauses taken).
#[derive(Clone, Debug, Default)]
pub struct Paths {
    /// Cheapest way to have just done so many periods, by (done, pauses).
    pub run: Vec<f64>,
    /// Cheapest way to be in a pause after so many periods, by (done, pauses before it).
    pub idle: Vec<f64>,
    /// How each state was reached, by (period, done, pauses).
    pub from: Vec<u8>,
}

impl Scratch {
    /// Space for an instance.
    pub fn new(instance: &Instance, solution: &Solution) -> Self {
        let (periods, years) = (instance.sizes.periods, instance.sizes.years);
        Self {
            full: vec![0.0; periods + 1],
            blocked: vec![0; periods + 1],
            rest: vec![f64::INFINITY; periods + 1],
            quota_full: vec![QuotaUse::default(); periods + 1],
            quota_rest: vec![QuotaUse::default(); periods + 1],
            hour_extra: vec![0.0; years],
            claims: vec![0.0; solution.claim_stride(instance)],
            eligible: vec![0.0; years],
            claim_sets: Vec::new(),
            claim_terms: Vec::new(),
            paths: Paths::default(),
        }
    }
}
