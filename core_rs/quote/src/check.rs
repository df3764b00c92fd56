//! A workload of a request, checked against the book: what is left is safe to price.
//!
//! Only the first thing that is wrong is said; `tehai.quote.messages` names all of them with the rules of a problem.
//! The limits are those of `service/tehai/domain/limits.py`; `tests/quote/test_refusals.py` compares both sides.

use std::collections::HashSet;

use unicode_normalization::is_nfc;

use crate::book::Book;
use crate::dates::day_of;
use crate::error::Refusal;
use crate::message::{NotRun, Work, Workload};

const AMOUNT_YEN_MAX: i64 = 1_000_000_000_000_000;
const WORK_HOURS_MAX: f64 = 1e12;
const MEMORY_GB_MAX: f64 = 1e12;
const TERABYTES_MAX: f64 = 1e9;
const EFFICIENCY_MIN: f64 = 1e-6;
const ACCELERATORS_MAX: i32 = 10_000_000;
const GANG_OPTIONS_MAX: usize = 32;
const STRINGS_MAX: usize = 1_000;
const CHARACTERS_MAX: usize = 2_000;
const ID_CHARACTERS_MAX: usize = 63;
const PORTINGS_MAX: usize = 200;
const PREDECESSORS_MAX: usize = 64;
const PAUSES_MAX: i32 = 3;
const OVERHEAD_HOURS_MAX: f64 = 8_784.0;

/// A workload that can be priced.
pub(crate) struct Job<'a> {
    pub workload: &'a Workload,
    pub member: usize,
    /// Project whose cap counts, where the problem knows it.
    pub project: Option<usize>,
    /// Normalised accelerator-hours.
    pub work: f64,
    pub release: usize,
    /// Half-open end of the window; at most `release` where it holds no period.
    pub deadline: usize,
    /// `None`: no accelerator runs it.
    pub family: Option<usize>,
    /// Yen per period of lateness.
    pub late_yen: f64,
    /// Site and terabytes of data to move.
    pub data: Option<(usize, f64)>,
    /// Yen by accelerator.
    pub porting: Vec<(usize, f64)>,
    /// `None` for a mandatory workload.
    pub not_run_yen: Option<f64>,
}

/// Check a workload; `path` is where it stands in the request.
pub(crate) fn check<'a>(book: &Book, workload: &'a Workload, path: &str) -> Result<Job<'a>, Refusal> {
    let refuse = |field: &str, message: &str| Err(Refusal::at(format!("{path}.{field}"), message));
    if !is_id(&workload.id) {
        return refuse("id", "not an id");
    }
    let Some(&member) = book.member_index.get(&workload.member_id) else {
        return refuse("member_id", "not a member of the plan's problem");
    };
    let project =
        book.project_index.get(if workload.project_id.is_empty() { &workload.id } else { &workload.project_id });
    if project.is_none() && !workload.project_id.is_empty() {
        return refuse("project_id", "not a project of the plan's problem");
    }
    let (Some(release), Some(deadline)) = (day_of(&workload.release_date), day_of(&workload.deadline_date)) else {
        return refuse("release_date", "release_date or deadline_date is not a date");
    };
    if deadline <= release {
        return refuse("deadline_date", "not after release_date");
    }
    check_texts(workload, path)?;
    check_gangs(workload, path)?;
    let periods = book.periods as i64;
    Ok(Job {
        workload,
        member,
        project: project.copied(),
        work: work_of(book, workload, path)?,
        release: book.first_period_from(release).clamp(0, periods) as usize,
        deadline: book.last_end_by(deadline).clamp(0, periods) as usize,
        family: book.family_index.get(&workload.software_family).copied(),
        late_yen: amount(workload.late_start_yen_per_period, path, "late_start_yen_per_period")?,
        data: data_of(book, workload, path)?,
        porting: porting_of(book, workload, path)?,
        not_run_yen: match workload.not_run {
            Some(NotRun::CostNotRunYen(yen)) => Some(amount(yen, path, "cost_not_run_yen")?),
            Some(NotRun::Mandatory(true)) => None,
            Some(NotRun::Mandatory(false)) => return refuse("mandatory", "mandatory is false"),
            None => return refuse("cost_not_run_yen", "neither cost_not_run_yen nor mandatory is given"),
        },
    })
}

fn is_id(text: &str) -> bool {
    let (bytes, allowed) = (text.as_bytes(), |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-');
    bytes.len() <= ID_CHARACTERS_MAX && bytes.first().is_some_and(u8::is_ascii_lowercase) && bytes.iter().all(allowed)
}

fn is_name(text: &str) -> bool {
    is_plain(text) && !text.trim().is_empty()
}

/// Whether a text is short, without control characters and composed, as rules E1810, E1811 and E1902 ask.
fn is_plain(text: &str) -> bool {
    let clean = !text.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'));
    clean && text.chars().count() <= CHARACTERS_MAX && (text.is_ascii() || is_nfc(text))
}

fn is_country(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|b| b.is_ascii_uppercase())
}

fn all_different<T: Eq + std::hash::Hash>(items: impl Iterator<Item = T>) -> bool {
    let mut seen = HashSet::new();
    items.into_iter().all(|item| seen.insert(item))
}

fn check_texts(workload: &Workload, path: &str) -> Result<(), Refusal> {
    let refuse = |field: &str, message: &str| Err(Refusal::at(format!("{path}.{field}"), message));
    if !is_plain(&workload.display_name) {
        return refuse("display_name", "not a plain text");
    }
    if !is_name(&workload.software_family) {
        return refuse("software_family", "missing, or not a plain text");
    }
    let tags = &workload.tags;
    if tags.len() > STRINGS_MAX || !tags.iter().all(|tag| is_name(tag)) || !all_different(tags.iter()) {
        return refuse("tags", "a tag is empty, given twice or not a plain text");
    }
    if workload.after_workload_ids.len() > PREDECESSORS_MAX {
        return refuse("after_workload_ids", "too many");
    }
    let Some(rule) = &workload.sovereignty else { return Ok(()) };
    for codes in [&rule.site_country_codes, &rule.operator_country_codes] {
        if codes.len() > STRINGS_MAX || !codes.iter().all(|code| is_country(code)) {
            return refuse("sovereignty", "a country code is not two capital letters");
        }
    }
    Ok(())
}

fn check_gangs(workload: &Workload, path: &str) -> Result<(), Refusal> {
    let options = &workload.gang_options;
    let fits = (1..=GANG_OPTIONS_MAX).contains(&options.len())
        && options.iter().all(|option| {
            (1..=ACCELERATORS_MAX).contains(&option.accelerators)
                && (EFFICIENCY_MIN..=1.0).contains(&option.scaling_efficiency_fraction)
        })
        && all_different(options.iter().map(|option| option.accelerators));
    if !fits {
        return Err(Refusal::at(format!("{path}.gang_options"), "none, too many, given twice or out of range"));
    }
    if !(0.0..=MEMORY_GB_MAX).contains(&workload.memory_gb) {
        return Err(Refusal::at(format!("{path}.memory_gb"), "out of range"));
    }
    let Some(pausing) = &workload.pausing else { return Ok(()) };
    let fits = (1..=PAUSES_MAX).contains(&pausing.pauses_max)
        && (0.0..=OVERHEAD_HOURS_MAX).contains(&pausing.resume_overhead_hours);
    if fits { Ok(()) } else { Err(Refusal::at(format!("{path}.pausing"), "out of range")) }
}

fn work_of(book: &Book, workload: &Workload, path: &str) -> Result<f64, Refusal> {
    let (name, hours) = match workload.work {
        Some(Work::NormalisedAcceleratorHours(hours)) => ("normalised_accelerator_hours", hours),
        Some(Work::Flops(flops)) => match book.reference_sustained_flops() {
            Some(reference) => ("flops", flops / (3600.0 * reference)),
            None => return Err(Refusal::at(format!("{path}.flops"), "the problem has no reference_sustained_flops")),
        },
        None => return Err(Refusal::at(path, "neither normalised_accelerator_hours nor flops is given")),
    };
    if hours > 0.0 && hours <= WORK_HOURS_MAX {
        Ok(hours)
    } else {
        Err(Refusal::at(format!("{path}.{name}"), "out of range"))
    }
}

fn amount(yen: i64, path: &str, name: &str) -> Result<f64, Refusal> {
    if (0..=AMOUNT_YEN_MAX).contains(&yen) {
        Ok(yen as f64)
    } else {
        Err(Refusal::at(format!("{path}.{name}"), "out of range"))
    }
}

fn data_of(book: &Book, workload: &Workload, path: &str) -> Result<Option<(usize, f64)>, Refusal> {
    let refuse = |message: &str| Err(Refusal::at(format!("{path}.data_terabytes"), message));
    let terabytes = workload.data_terabytes.unwrap_or(0.0);
    if !(0.0..=TERABYTES_MAX).contains(&terabytes) {
        return refuse("out of range");
    }
    match &workload.data_site_id {
        None if terabytes != 0.0 => refuse("data_site_id is missing"),
        None => Ok(None),
        Some(_) if terabytes == 0.0 => refuse("data has no size"),
        Some(id) => match book.site_index.get(id) {
            Some(&site) => Ok(Some((site, terabytes))),
            None => Err(Refusal::at(format!("{path}.data_site_id"), "not a site of the plan's problem")),
        },
    }
}

fn porting_of(book: &Book, workload: &Workload, path: &str) -> Result<Vec<(usize, f64)>, Refusal> {
    let where_ = format!("{path}.porting");
    if workload.porting.len() > PORTINGS_MAX || !all_different(workload.porting.iter().map(|p| &p.accelerator_id)) {
        return Err(Refusal::at(where_, "too many, or an accelerator is listed twice"));
    }
    let one = |entry: &crate::message::Porting| match book.accelerator_index.get(&entry.accelerator_id) {
        Some(&accelerator) => Ok((accelerator, amount(entry.amount_yen, &where_, "amount_yen")?)),
        None => Err(Refusal::at(format!("{where_}.accelerator_id"), "not an accelerator of the plan's problem")),
    };
    workload.porting.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_of_a_problem() {
        for good in ["a", "job-1", &"a".repeat(63)] {
            assert!(is_id(good), "{good}");
        }
        for bad in ["", "1a", "-a", "A", "a_b", "a\n", &"a".repeat(64), "é"] {
            assert!(!is_id(bad), "{bad}");
        }
    }

    #[test]
    fn texts_are_those_of_a_problem() {
        for good in ["", "a b", "ロボット", "caf\u{e9}", &"é".repeat(CHARACTERS_MAX)] {
            assert!(is_plain(good), "{good:?}");
        }
        for bad in ["a\0", "a\n", "\u{2028}", "cafe\u{301}", &"é".repeat(CHARACTERS_MAX + 1)] {
            assert!(!is_plain(bad), "{bad:?}");
        }
    }
}
