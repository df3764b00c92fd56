//! A book in memory: checked tables with prefix sums, so that any run is priced by differences.

use std::collections::HashMap;

use prost::Message;

use crate::dates::{DAY_SECONDS, TOKYO_SECONDS, text_of};
use crate::error::BookError;
use crate::stored::{BOOK_VERSION, StoredBook};

/// Most programmes: a set of them is a mask of bits.
const PROGRAMMES_MAX: usize = 128;
/// Most fiscal years: those of a run are a mask of bits.
const YEARS_MAX: usize = 128;
/// Longest horizon and largest count of anything, far above the limits of a problem.
const PERIODS_MAX: usize = 100_000;

/// A site.
#[derive(Debug)]
pub(crate) struct Site {
    pub country: String,
    pub operator_country: String,
}

/// An accelerator; throughput by family position.
#[derive(Debug)]
pub(crate) struct Accelerator {
    pub memory_gb: f64,
    pub throughput: Vec<f64>,
}

/// A pool with its prices as prefix sums over periods, (T + 1,) each.
#[derive(Debug)]
pub(crate) struct Pool {
    pub id: String,
    pub site: usize,
    pub accelerator: usize,
    pub gang_max: i64,
    pub node: i64,
    /// Most accelerators that can be live, (T,).
    pub capacity_max: Vec<f64>,
    /// Capacity, yen per accelerator-hour.
    pub capacity: Vec<f64>,
    /// Capacity, power and carbon, yen per accelerator-hour.
    pub hour: Vec<f64>,
    /// Shares and concentration, yen per normalised hour.
    pub work: Vec<f64>,
    /// Whether any of them is not 0.
    pub work_is_priced: bool,
    /// Grant reference, nominal yen per accelerator-hour, (T,): programmes see parts of it.
    pub grant_reference: Vec<f64>,
    /// Charge reference, nominal yen per accelerator-hour, (T,).
    pub charge_reference: Vec<f64>,
    /// The same as prefix sums.
    pub charge: Vec<f64>,
}

/// A usage programme.
#[derive(Debug)]
pub(crate) struct Programme {
    pub id: String,
    /// Half-open range of eligible periods.
    pub window: (usize, usize),
    pub pools: Vec<bool>,
    /// Empty: open to every workload.
    pub tags: Vec<String>,
    /// By member.
    pub rate: Vec<f64>,
    /// By fiscal year: worth of a claimed yen before prices of the member and the project.
    pub worth: Vec<f64>,
    /// By fiscal year: position of the year of payment, `None` after the horizon.
    pub pay_year: Vec<Option<usize>>,
    /// Cap of a project of which nothing is claimed, infinite without one.
    pub project_cap: f64,
}

/// What is left of a project's cap in a programme, and its price.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProjectRow {
    pub left_yen: f64,
    pub price: f64,
}

/// Everything that pricing a workload needs.
#[derive(Debug)]
pub struct Book {
    pub(crate) first_day: i64,
    pub(crate) period_hours: f64,
    pub(crate) periods: usize,
    pub(crate) first_fiscal_year: i32,
    pub(crate) year_of_period: Vec<usize>,
    /// First period of each fiscal year and T at the end, (Y + 1,).
    pub(crate) year_first: Vec<usize>,
    /// First day of each period.
    pub(crate) start_dates: Vec<String>,
    pub(crate) reference_sustained_flops: f64,
    pub(crate) waiting_price: f64,
    pub(crate) start_pay: Vec<f64>,
    pub(crate) sites: Vec<Site>,
    pub(crate) site_index: HashMap<String, usize>,
    pub(crate) accelerators: Vec<Accelerator>,
    pub(crate) accelerator_index: HashMap<String, usize>,
    pub(crate) family_index: HashMap<String, usize>,
    /// Row of `route_yen` by (site from, site to).
    pub(crate) routes: HashMap<(usize, usize), usize>,
    pub(crate) route_yen: Vec<f64>,
    pub(crate) pools: Vec<Pool>,
    pub(crate) member_index: HashMap<String, usize>,
    /// Prices of a member's budget by fiscal year; members without any are not in it.
    pub(crate) budget_price: HashMap<usize, Vec<f64>>,
    pub(crate) programmes: Vec<Programme>,
    /// Prices of a member's cap by (programme, member) and fiscal year.
    pub(crate) cap_price: HashMap<(usize, usize), Vec<f64>>,
    /// Largest sets of programmes that stack, as bits.
    pub(crate) claim_sets: Vec<u128>,
    pub(crate) project_index: HashMap<String, usize>,
    pub(crate) project_rows: HashMap<(usize, usize), ProjectRow>,
    memory_bytes: usize,
}

impl Book {
    /// Read a stored book.
    ///
    /// # Errors
    /// `BookError` where the bytes are not a book of this version whose tables fit each other.
    pub fn read(data: &[u8]) -> Result<Self, BookError> {
        let stored = StoredBook::decode(data).map_err(|error| BookError::Damaged(error.to_string()))?;
        if stored.version != BOOK_VERSION {
            return Err(BookError::Version(stored.version, BOOK_VERSION));
        }
        check(&stored)?;
        Ok(build(stored, data.len()))
    }

    /// Bytes that the book takes in memory, roughly.
    pub fn memory_bytes(&self) -> usize {
        self.memory_bytes
    }

    /// End of the first period, seconds since 1970 UTC.
    pub fn first_period_end_seconds(&self) -> i64 {
        self.first_day * DAY_SECONDS - TOKYO_SECONDS + (self.period_hours * 3600.0) as i64
    }

    /// What a request may name, by kind: members, projects, sites, accelerators; ascending.
    pub fn known_ids(&self) -> [(&'static str, Vec<&str>); 4] {
        [
            ("member_ids", sorted_keys(&self.member_index)),
            ("project_ids", sorted_keys(&self.project_index)),
            ("site_ids", sorted_keys(&self.site_index)),
            ("accelerator_ids", sorted_keys(&self.accelerator_index)),
        ]
    }

    /// Sustained operations per second of the reference accelerator, `None` where work in flops has no meaning.
    pub fn reference_sustained_flops(&self) -> Option<f64> {
        (self.reference_sustained_flops > 0.0).then_some(self.reference_sustained_flops)
    }

    pub(crate) fn years(&self) -> usize {
        self.year_first.len() - 1
    }

    /// First period that begins at or after 00:00 of a day; may be negative or past the horizon.
    pub(crate) fn first_period_from(&self, day: i64) -> i64 {
        -(-self.hours_until(day)).div_euclid(self.period_hours as i64)
    }

    /// How many periods end at or before 00:00 of a day.
    pub(crate) fn last_end_by(&self, day: i64) -> i64 {
        self.hours_until(day).div_euclid(self.period_hours as i64)
    }

    fn hours_until(&self, day: i64) -> i64 {
        (day - self.first_day) * 24
    }
}

fn sorted_keys(index: &HashMap<String, usize>) -> Vec<&str> {
    let mut ids: Vec<&str> = index.keys().map(String::as_str).collect();
    ids.sort_unstable();
    ids
}

/// Sums over the periods before each one, (T + 1,).
pub(crate) fn prefix_sums(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut total = 0.0;
    let mut sums = vec![0.0];
    sums.extend(values.map(|value| {
        total += value;
        total
    }));
    sums
}

fn index_of(ids: Vec<String>) -> HashMap<String, usize> {
    ids.into_iter().enumerate().map(|(i, id)| (id, i)).collect()
}

fn check(s: &StoredBook) -> Result<(), BookError> {
    let (periods, years) = (s.start_pay.len(), year_count(s));
    let (pools, sites, kinds, members) =
        (s.pool_ids.len(), s.site_ids.len(), s.accelerator_ids.len(), s.member_ids.len());
    let (programmes, projects) = (s.programme_ids.len(), s.project_ids.len());
    let lengths: [(&str, usize, usize); 33] = [
        ("year_of_period", s.year_of_period.len(), periods),
        ("site_countries", s.site_countries.len(), sites),
        ("site_operator_countries", s.site_operator_countries.len(), sites),
        ("accelerator_memory_gb", s.accelerator_memory_gb.len(), kinds),
        ("throughput", s.throughput.len(), kinds * s.families.len()),
        ("route_to", s.route_to.len(), s.route_from.len()),
        ("route_yen", s.route_yen.len(), s.route_from.len() * periods),
        ("pool_site", s.pool_site.len(), pools),
        ("pool_accelerator", s.pool_accelerator.len(), pools),
        ("pool_gang_max", s.pool_gang_max.len(), pools),
        ("pool_node", s.pool_node.len(), pools),
        ("capacity_max", s.capacity_max.len(), pools * periods),
        ("capacity_price", s.capacity_price.len(), pools * periods),
        ("rules_price", s.rules_price.len(), pools * periods),
        ("work_price", s.work_price.len(), pools * years),
        ("grant_reference", s.grant_reference.len(), pools * periods),
        ("charge_reference", s.charge_reference.len(), pools * periods),
        ("budget_price", s.budget_price.len(), s.budget_member.len() * years),
        ("programme_from", s.programme_from.len(), programmes),
        ("programme_until", s.programme_until.len(), programmes),
        ("programme_pool", s.programme_pool.len(), programmes * pools),
        ("tag_offset", s.tag_offset.len(), programmes + 1),
        ("rate", s.rate.len(), programmes * members),
        ("claim_worth", s.claim_worth.len(), programmes * years),
        ("pay_year", s.pay_year.len(), programmes * years),
        ("project_cap_yen", s.project_cap_yen.len(), programmes),
        ("cap_member", s.cap_member.len(), s.cap_programme.len()),
        ("cap_price", s.cap_price.len(), s.cap_programme.len() * years),
        ("set_offset", s.set_offset.len().max(1), s.set_offset.len()),
        ("project_row_project", s.project_row_project.len(), s.project_row_programme.len()),
        ("project_row_left_yen", s.project_row_left_yen.len(), s.project_row_programme.len()),
        ("project_row_price", s.project_row_price.len(), s.project_row_programme.len()),
        ("periods", periods.clamp(1, PERIODS_MAX), periods),
    ];
    if let Some((name, found, expected)) = lengths.iter().find(|(_, found, expected)| found != expected) {
        return Err(BookError::Damaged(format!("`{name}` has {found} entries, expected {expected}")));
    }
    let indices: [(&str, &[u32], usize); 13] = [
        ("pool_site", &s.pool_site, sites),
        ("pool_accelerator", &s.pool_accelerator, kinds),
        ("route_from", &s.route_from, sites),
        ("route_to", &s.route_to, sites),
        ("budget_member", &s.budget_member, members),
        ("programme_from", &s.programme_from, periods + 1),
        ("programme_until", &s.programme_until, periods + 1),
        ("pay_year", &s.pay_year, years + 1),
        ("cap_programme", &s.cap_programme, programmes),
        ("cap_member", &s.cap_member, members),
        ("set_programmes", &s.set_programmes, programmes),
        ("project_row_programme", &s.project_row_programme, programmes),
        ("project_row_project", &s.project_row_project, projects),
    ];
    if let Some((name, _, _)) = indices.iter().find(|(_, values, count)| values.iter().any(|&v| v as usize >= *count)) {
        return Err(BookError::Damaged(format!("`{name}` points outside its table")));
    }
    let rising = |offsets: &[u32], end: usize| {
        offsets.first() == Some(&0) && offsets.is_sorted() && offsets.last().is_some_and(|&last| last as usize == end)
    };
    let years_rise = s.year_of_period.first() == Some(&0) && s.year_of_period.is_sorted() && years <= YEARS_MAX;
    let fits = years_rise
        && rising(&s.tag_offset, s.tags.len())
        && rising(&s.set_offset, s.set_programmes.len())
        && programmes <= PROGRAMMES_MAX
        && (1..=1_000_000).contains(&s.period_hours)
        && s.pool_node.iter().all(|&node| node >= 1);
    if !fits {
        return Err(BookError::Damaged("offsets, years or counts do not fit".into()));
    }
    check_numbers(s)
}

fn check_numbers(s: &StoredBook) -> Result<(), BookError> {
    let tables: [(&str, &[f64]); 13] = [
        ("start_pay", &s.start_pay),
        ("accelerator_memory_gb", &s.accelerator_memory_gb),
        ("throughput", &s.throughput),
        ("route_yen", &s.route_yen),
        ("capacity_max", &s.capacity_max),
        ("capacity_price", &s.capacity_price),
        ("rules_price", &s.rules_price),
        ("work_price", &s.work_price),
        ("grant_reference", &s.grant_reference),
        ("charge_reference", &s.charge_reference),
        ("claim_worth", &s.claim_worth),
        ("rate", &s.rate),
        ("prices of members and projects", &s.cap_price),
    ];
    let scalars = [s.reference_sustained_flops, s.waiting_price];
    let others = [&s.budget_price, &s.project_row_price];
    let finite = tables.iter().all(|(_, values)| values.iter().all(|v| v.is_finite()))
        && scalars.iter().all(|v| v.is_finite())
        && others.iter().all(|values| values.iter().all(|v| v.is_finite()))
        && s.project_row_left_yen.iter().chain(&s.project_cap_yen).all(|v| *v >= 0.0);
    if finite { Ok(()) } else { Err(BookError::Damaged("a number is not finite, or a cap is negative".into())) }
}

fn year_count(s: &StoredBook) -> usize {
    s.year_of_period.last().map_or(0, |&year| year as usize + 1)
}

fn build(s: StoredBook, stored_bytes: usize) -> Book {
    let (periods, years) = (s.start_pay.len(), year_count(&s));
    let year_of_period: Vec<usize> = s.year_of_period.iter().map(|&year| year as usize).collect();
    // A year without a period of its own is empty: it begins where the next one does.
    let year_first: Vec<usize> = (0..=years).map(|y| year_of_period.partition_point(|&year| year < y)).collect();
    let day_of_period = |t: usize| s.first_day + (t as i64 * i64::from(s.period_hours)).div_euclid(24);
    let pools = pools_of(&s, &year_of_period, years);
    // Ids and tables come once more as prefix sums and indexes.
    let memory_bytes = 3 * stored_bytes + pools.len() * periods * 8 * std::mem::size_of::<f64>();
    Book {
        first_day: s.first_day,
        period_hours: f64::from(s.period_hours),
        periods,
        first_fiscal_year: s.first_fiscal_year,
        start_dates: (0..periods).map(|t| text_of(day_of_period(t))).collect(),
        reference_sustained_flops: s.reference_sustained_flops,
        waiting_price: s.waiting_price,
        sites: s
            .site_countries
            .iter()
            .zip(&s.site_operator_countries)
            .map(|(country, operator)| Site { country: country.clone(), operator_country: operator.clone() })
            .collect(),
        accelerators: accelerators_of(&s),
        routes: s
            .route_from
            .iter()
            .zip(&s.route_to)
            .enumerate()
            .map(|(i, (&from, &to))| ((from as usize, to as usize), i))
            .collect(),
        budget_price: s
            .budget_member
            .iter()
            .enumerate()
            .map(|(i, &member)| (member as usize, s.budget_price[i * years..(i + 1) * years].to_vec()))
            .collect(),
        programmes: programmes_of(&s, years),
        cap_price: s
            .cap_programme
            .iter()
            .zip(&s.cap_member)
            .enumerate()
            .map(|(i, (&r, &m))| ((r as usize, m as usize), s.cap_price[i * years..(i + 1) * years].to_vec()))
            .collect(),
        claim_sets: s
            .set_offset
            .windows(2)
            .map(|pair| &s.set_programmes[pair[0] as usize..pair[1] as usize])
            .map(|set| set.iter().fold(0, |bits, &r| bits | 1 << r))
            .collect(),
        project_rows: (0..s.project_row_programme.len())
            .map(|i| {
                let key = (s.project_row_programme[i] as usize, s.project_row_project[i] as usize);
                (key, ProjectRow { left_yen: s.project_row_left_yen[i], price: s.project_row_price[i] })
            })
            .collect(),
        year_of_period,
        year_first,
        start_pay: s.start_pay,
        site_index: index_of(s.site_ids),
        accelerator_index: index_of(s.accelerator_ids),
        family_index: index_of(s.families),
        route_yen: s.route_yen,
        pools,
        member_index: index_of(s.member_ids),
        project_index: index_of(s.project_ids),
        memory_bytes,
    }
}

fn accelerators_of(s: &StoredBook) -> Vec<Accelerator> {
    let families = s.families.len();
    let rows = s.accelerator_memory_gb.iter().enumerate();
    rows.map(|(a, &memory_gb)| Accelerator {
        memory_gb,
        throughput: s.throughput[a * families..(a + 1) * families].to_vec(),
    })
    .collect()
}

fn pools_of(s: &StoredBook, year_of_period: &[usize], years: usize) -> Vec<Pool> {
    let periods = year_of_period.len();
    let make = |(p, id): (usize, &String)| {
        let cells = p * periods..(p + 1) * periods;
        let (capacity, rules) = (&s.capacity_price[cells.clone()], &s.rules_price[cells.clone()]);
        let charge = &s.charge_reference[cells.clone()];
        Pool {
            id: id.clone(),
            site: s.pool_site[p] as usize,
            accelerator: s.pool_accelerator[p] as usize,
            gang_max: i64::from(s.pool_gang_max[p]),
            node: i64::from(s.pool_node[p]),
            capacity_max: s.capacity_max[cells.clone()].to_vec(),
            capacity: prefix_sums(capacity.iter().copied()),
            hour: prefix_sums(capacity.iter().zip(rules).map(|(a, b)| a + b)),
            work: prefix_sums(year_of_period.iter().map(|year| s.work_price[p * years + year])),
            work_is_priced: s.work_price[p * years..(p + 1) * years].iter().any(|&price| price != 0.0),
            grant_reference: s.grant_reference[cells].to_vec(),
            charge_reference: charge.to_vec(),
            charge: prefix_sums(charge.iter().copied()),
        }
    };
    s.pool_ids.iter().enumerate().map(make).collect()
}

fn programmes_of(s: &StoredBook, years: usize) -> Vec<Programme> {
    let (pools, members) = (s.pool_ids.len(), s.member_ids.len());
    let make = |(r, id): (usize, &String)| Programme {
        id: id.clone(),
        window: (s.programme_from[r] as usize, s.programme_until[r] as usize),
        pools: s.programme_pool[r * pools..(r + 1) * pools].iter().map(|&open| open != 0).collect(),
        tags: s.tags[s.tag_offset[r] as usize..s.tag_offset[r + 1] as usize].to_vec(),
        rate: s.rate[r * members..(r + 1) * members].to_vec(),
        worth: s.claim_worth[r * years..(r + 1) * years].to_vec(),
        pay_year: s.pay_year[r * years..(r + 1) * years].iter().map(|&y| (y as usize).checked_sub(1)).collect(),
        project_cap: s.project_cap_yen[r],
    };
    s.programme_ids.iter().enumerate().map(make).collect()
}
