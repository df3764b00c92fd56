//! From the bytes of a request to the bytes of its answer.

use prost::Message;

use crate::book::Book;
use crate::check::{Job, check};
use crate::claims::OpenClaims;
use crate::error::Refusal;
use crate::known::{self, Known};
use crate::message::{
    PlanOfRequest, Quote, QuoteWorkloadsRequest, QuoteWorkloadsResponse, StreamQuotesRequest, StreamQuotesResponse,
    Timestamp, Workload,
};
use crate::placement::placement_of;
use crate::price::{Found, cheapest_in_pool};
use crate::reason::reason_of;

/// Most workloads of one request.
pub const WORKLOADS_MAX: usize = 100;
/// Most placements of one workload, and those told where the request names no number.
pub const PLACEMENTS_MAX: i32 = 20;
const PLACEMENTS_DEFAULT: usize = 3;
/// Most columns that one request may take: about a second.
const EVALUATIONS_MAX: usize = 100_000_000;

/// What the server adds to a request.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Name of the plan as the answer tells it.
    pub plan: &'a str,
    /// When the quotes end, seconds since 1970 UTC.
    pub expire_seconds: i64,
}

/// Plan named in a request of either kind.
///
/// # Errors
/// `Refusal` where the bytes are no such message.
pub fn plan_of(request: &[u8]) -> Result<String, Refusal> {
    Ok(decode::<PlanOfRequest>(request)?.plan)
}

/// Answer a `QuoteWorkloadsRequest`; `None` where that takes more than `evaluations_max` columns.
///
/// # Errors
/// `Refusal` where anything in the request is wrong.
pub fn quote_workloads(
    book: &Book,
    request: &[u8],
    asked: Asked,
    evaluations_max: usize,
) -> Result<Option<Vec<u8>>, Refusal> {
    let request: QuoteWorkloadsRequest = decode_known(request, &known::QUOTE_WORKLOADS_REQUEST)?;
    let count = request.workloads.len();
    if !(1..=WORKLOADS_MAX).contains(&count) {
        return Err(Refusal::at("workloads", format!("{count} entries; 1 to {WORKLOADS_MAX} are allowed")));
    }
    let most = placements_max(request.placements_max, "placements_max")?;
    let jobs: Vec<Job> = request
        .workloads
        .iter()
        .enumerate()
        .map(|(i, workload)| check(book, workload, &format!("workloads[{i}]")))
        .collect::<Result<_, _>>()?;
    let columns = jobs.iter().map(|job| evaluations(book, job)).sum::<usize>();
    if columns > EVALUATIONS_MAX {
        let message = format!("{columns} placements to price; the limit is {EVALUATIONS_MAX}: quote fewer at once");
        return Err(Refusal::at("workloads", message));
    }
    if columns > evaluations_max {
        return Ok(None);
    }
    let quotes = jobs.iter().map(|job| quote(book, job, most, asked)).collect();
    Ok(Some(QuoteWorkloadsResponse { quotes }.encode_to_vec()))
}

/// Answer `StreamQuotesRequest`s in order, the first of them number `first_index` of its stream.
///
/// Returns the answers up to the first request in which anything is wrong, and what that is; ends early after the answer
/// that reaches `evaluations_max` columns.
pub fn stream_quotes<'a>(
    book: &Book,
    requests: impl IntoIterator<Item = &'a [u8]>,
    asked: Asked,
    first_index: i64,
    evaluations_max: usize,
) -> (Vec<Vec<u8>>, Option<Refusal>) {
    let (mut answers, mut columns) = (Vec::new(), 0);
    for (request_index, request) in (first_index..).zip(requests) {
        match stream_quote(book, request, asked) {
            Ok((quote, evaluations)) => {
                answers.push(StreamQuotesResponse { request_index, quote: Some(quote) }.encode_to_vec());
                columns += evaluations;
            }
            Err(refusal) => return (answers, Some(refusal)),
        }
        if columns >= evaluations_max {
            break;
        }
    }
    (answers, None)
}

fn stream_quote(book: &Book, request: &[u8], asked: Asked) -> Result<(Quote, usize), Refusal> {
    let request: StreamQuotesRequest = decode_known(request, &known::STREAM_QUOTES_REQUEST)?;
    if !request.plan.is_empty() && request.plan != asked.plan {
        return Err(Refusal::at("plan", "not the plan of the first request; open another stream for another plan"));
    }
    let most = placements_max(request.placements_max, "placements_max")?;
    let workload: &Workload = request.workload.as_ref().ok_or_else(|| Refusal::at("workload", "missing"))?;
    let job = check(book, workload, "workload")?;
    let columns = evaluations(book, &job);
    if columns > EVALUATIONS_MAX {
        return Err(Refusal::at("workload", format!("{columns} placements to price; the limit is {EVALUATIONS_MAX}")));
    }
    Ok((quote(book, &job, most, asked), columns))
}

fn decode<M: Message + Default>(request: &[u8]) -> Result<M, Refusal> {
    M::decode(request).map_err(|_| Refusal::at("request", "not a message of this method"))
}

/// Decode a request that has no field but those of its contract: a misspelt or newer one is refused, not passed over.
fn decode_known<M: Message + Default>(request: &[u8], known: &Known) -> Result<M, Refusal> {
    let message = decode(request)?;
    if known.covers(request) { Ok(message) } else { Err(Refusal::at("request", "has a field that is not known")) }
}

fn placements_max(asked: i32, path: &str) -> Result<usize, Refusal> {
    match asked {
        0 => Ok(PLACEMENTS_DEFAULT),
        1..=PLACEMENTS_MAX => Ok(asked as usize),
        _ => Err(Refusal::at(path, format!("{asked}; 1 to {PLACEMENTS_MAX} are allowed, 0 is {PLACEMENTS_DEFAULT}"))),
    }
}

/// Columns that pricing a workload looks at, at most; the work that grants add counts as columns of about its time.
fn evaluations(book: &Book, job: &Job) -> usize {
    let window = job.deadline.saturating_sub(job.release) + 16;
    let rated = |set: u128| {
        let of_set = book.programmes.iter().enumerate().filter(|(r, _)| set >> r & 1 == 1);
        of_set.filter(|(_, programme)| programme.rate[job.member] > 0.0).count()
    };
    let claimable: usize = book.claim_sets.iter().map(|&set| rated(set)).sum();
    let compared =
        job.workload.tags.len() * book.programmes.iter().map(|programme| programme.tags.len()).sum::<usize>();
    book.pools.len() * window * job.workload.gang_options.len() * (1 + claimable / 8) + compared / 16
}

fn quote(book: &Book, job: &Job, most: usize, asked: Asked) -> Quote {
    let claims = OpenClaims::of(book, job);
    let mut found: Vec<Found> = (0..book.pools.len()).filter_map(|p| cheapest_in_pool(book, job, &claims, p)).collect();
    found.sort_by(|a, b| a.price.total_cmp(&b.price).then(a.pool.cmp(&b.pool)));
    let better_not_run = found.first().zip(job.not_run_yen).is_some_and(|(best, yen)| yen < best.price);
    Quote {
        workload_id: job.workload.id.clone(),
        reason: if found.is_empty() { reason_of(book, job) } else { String::new() },
        placements: found.iter().take(most).map(|found| placement_of(book, job, &claims, found)).collect(),
        indicative: true,
        expire_time: Some(Timestamp { seconds: asked.expire_seconds, nanos: 0 }),
        plan: asked.plan.to_owned(),
        better_not_run,
    }
}
