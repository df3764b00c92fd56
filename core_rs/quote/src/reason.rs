//! Why a workload has no placement: each rule that forbids pools, with the pools it forbids.

use crate::book::{Book, Pool};
use crate::check::Job;
use crate::price::accepts;
use crate::runs::mode_of;

/// Pools named for each rule; of more only the number is told.
const POOLS_NAMED: usize = 8;

/// The rules in the order in which they are looked at; the first one that forbids a pool is told.
const RULES: [&str; 7] = [
    "the software family does not run on",
    "the sovereignty rule excludes",
    "every gang option is larger than gang_accelerators_max of",
    "no gang option reaches the memory in",
    "no route leads the data to",
    "the window is shorter than the run in",
    "not as many accelerators can be live for as long in",
];

/// Say why a workload without a placement has none.
pub(crate) fn reason_of(book: &Book, job: &Job) -> String {
    if job.deadline <= job.release {
        return "its window holds no period of the horizon".into();
    }
    let mut forbidden: [Vec<&str>; RULES.len()] = Default::default();
    for pool in &book.pools {
        forbidden[first_rule(book, job, pool)].push(&pool.id);
    }
    let told = RULES.iter().zip(&forbidden).filter(|(_, pools)| !pools.is_empty());
    let mut text: Vec<String> = told.map(|(rule, pools)| format!("{rule} {}", named(pools))).collect();
    if job.workload.pausing.is_some() {
        text.push("runs with pauses are not quoted".into());
    }
    text.join("; ")
}

/// Position of the first rule that forbids a pool.
fn first_rule(book: &Book, job: &Job, pool: &Pool) -> usize {
    let accelerator = &book.accelerators[pool.accelerator];
    let throughput = job.family.map_or(0.0, |family| accelerator.throughput[family]);
    if throughput <= 0.0 {
        return 0;
    }
    if !accepts(book, job, pool) {
        return 1;
    }
    let options = &job.workload.gang_options;
    let small: Vec<usize> =
        (0..options.len()).filter(|&i| i64::from(options[i].accelerators) <= pool.gang_max).collect();
    if small.is_empty() {
        return 2;
    }
    let reaches = |&i: &usize| f64::from(options[i].accelerators) * accelerator.memory_gb >= job.workload.memory_gb;
    let able: Vec<usize> = small.into_iter().filter(reaches).collect();
    if able.is_empty() {
        return 3;
    }
    if job.data.is_some_and(|(site, _)| site != pool.site && !book.routes.contains_key(&(site, pool.site))) {
        return 4;
    }
    let fits = |&i: &usize| {
        mode_of(book, job, pool, i, throughput).is_some_and(|mode| job.release + mode.length() <= job.deadline)
    };
    if able.iter().any(fits) { 6 } else { 5 }
}

fn named(pools: &[&str]) -> String {
    let shown = pools[..pools.len().min(POOLS_NAMED)].join(", ");
    match pools.len().saturating_sub(POOLS_NAMED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
