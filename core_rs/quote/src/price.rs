//! The cheapest column of a workload in each pool at the prices of a book.

use crate::book::{Book, Pool, prefix_sums};
use crate::check::Job;
use crate::claims::{OpenClaims, PoolClaims};
use crate::runs::{Mode, mode_of, push_starts};

/// Dearer placements are none: beyond it a price has no whole yen to tell.
const PRICE_YEN_MAX: f64 = 9.0e15;

/// The cheapest column of a workload in a pool.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    pub pool: usize,
    pub mode: Mode,
    pub start: usize,
    /// Yen, claims included.
    pub price: f64,
}

/// What the prices of a pool come to for one workload.
pub(crate) struct PoolPrices<'a> {
    pub book: &'a Book,
    pub job: &'a Job<'a>,
    pub pool: &'a Pool,
    /// Prices of the budget of the workload's member by fiscal year, where it has any.
    pub budget: Option<&'a [f64]>,
    /// Nominal yen for porting, and terabytes with their route where data is moved.
    porting_yen: f64,
    route: Option<(usize, f64)>,
}

impl<'a> PoolPrices<'a> {
    /// `None` where no route leads to the pool for the workload's data.
    pub fn of(book: &'a Book, job: &'a Job<'a>, pool: &'a Pool) -> Option<Self> {
        let route = match job.data {
            Some((site, terabytes)) if site != pool.site => Some((*book.routes.get(&(site, pool.site))?, terabytes)),
            _ => None,
        };
        let ported = job.porting.iter().find(|(accelerator, _)| *accelerator == pool.accelerator);
        Some(Self {
            book,
            job,
            pool,
            budget: book.budget_price.get(&job.member).map(Vec::as_slice),
            porting_yen: ported.map_or(0.0, |(_, yen)| *yen),
            route,
        })
    }

    /// Nominal yen for transfer and porting of a start.
    pub fn moving_yen(&self, start: usize) -> f64 {
        let transfer = self
            .route
            .map_or(0.0, |(route, terabytes)| terabytes * self.book.route_yen[route * self.book.periods + start]);
        transfer + self.porting_yen
    }

    /// What a yen for transfer or porting counts: its payment, and the price of the member's budget.
    pub fn start_pay(&self, start: usize) -> (f64, f64) {
        let own = self.budget.map_or(0.0, |prices| prices[self.book.year_of_period[start]]);
        (self.book.start_pay[start], own)
    }

    /// Price of the member's budget for an accelerator-hour as prefix sums; `None` where it has none.
    pub fn member_sums(&self) -> Option<Vec<f64>> {
        let prices = self.budget?;
        let years = self.book.year_of_period.iter();
        Some(prefix_sums(years.zip(&self.pool.charge_reference).map(|(&year, charge)| prices[year] * charge)))
    }

    /// Lateness and the price of waiting.
    fn waiting_yen(&self) -> f64 {
        self.job.late_yen + self.book.waiting_price
    }
}

/// The cheapest column of a workload in a pool; `None` where it has no legal one.
pub(crate) fn cheapest_in_pool(book: &Book, job: &Job, claims: &OpenClaims, index: usize) -> Option<Found> {
    let pool = &book.pools[index];
    let prices = PoolPrices::of(book, job, pool)?;
    let modes = legal_modes(book, job, pool);
    if modes.is_empty() {
        return None;
    }
    let member = prices.member_sums();
    let with_member: Option<Vec<f64>> =
        member.map(|sums| sums.iter().zip(&pool.hour).map(|(own, hour)| own + hour).collect());
    let hour = with_member.as_deref().unwrap_or(&pool.hour);
    let claimable = PoolClaims::of(book, job, claims, index);
    let mut best: Option<Found> = None;
    let (mut starts, mut base, mut most, mut spare) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for mode in modes {
        starts.clear();
        push_starts(job, pool, &mode, &mut starts);
        for &(first, end) in &starts {
            base.clear();
            base.resize(end - first, 0.0);
            base_prices(&prices, &mode, hour, first, &mut base);
            most.clear();
            most.resize(end - first, 0.0);
            claimable.most_worths(&mode, first, &mut most, &mut spare);
            for (start, (&base, &most)) in (first..end).zip(base.iter().zip(&most)) {
                let known = best.map_or(f64::INFINITY, |found| found.price);
                if base - most >= known {
                    continue;
                }
                let price = base - if most > 0.0 { claimable.worth(&mode, start) } else { 0.0 };
                if price < known && price < PRICE_YEN_MAX {
                    best = Some(Found { pool: index, mode, start, price });
                }
            }
        }
    }
    best
}

/// Modes of a workload in a pool that its family, countries, gang, memory and window allow.
pub(crate) fn legal_modes(book: &Book, job: &Job, pool: &Pool) -> Vec<Mode> {
    let accelerator = &book.accelerators[pool.accelerator];
    let throughput = job.family.map_or(0.0, |family| accelerator.throughput[family]);
    if throughput <= 0.0 || !accepts(book, job, pool) {
        return Vec::new();
    }
    let options = job.workload.gang_options.iter().enumerate();
    options
        .filter(|(_, option)| {
            let accelerators = i64::from(option.accelerators);
            accelerators <= pool.gang_max && accelerators as f64 * accelerator.memory_gb >= job.workload.memory_gb
        })
        .filter_map(|(i, _)| mode_of(book, job, pool, i, throughput))
        .filter(|mode| job.release + mode.length() <= job.deadline)
        .collect()
}

/// Whether the workload's sovereignty rule accepts the pool's site.
pub(crate) fn accepts(book: &Book, job: &Job, pool: &Pool) -> bool {
    let Some(rule) = &job.workload.sovereignty else { return true };
    let site = &book.sites[pool.site];
    let allows = |codes: &[String], country: &String| codes.is_empty() || codes.contains(country);
    allows(&rule.site_country_codes, &site.country) && allows(&rule.operator_country_codes, &site.operator_country)
}

/// Prices before claims of every start from `first` on, added to `out`; `hour` are the sums of all that an accelerator-hour
/// is charged.
fn base_prices(prices: &PoolPrices, mode: &Mode, hour: &[f64], first: usize, out: &mut [f64]) {
    let (hours, pool) = (prices.book.period_hours, prices.pool);
    mode.add_weighted(hours, hour, first, 1.0, out);
    if pool.work_is_priced {
        mode.add_weighted(hours, &pool.work, first, mode.density, out);
    }
    let waiting = prices.waiting_yen();
    (first..).zip(out.iter_mut()).for_each(|(start, price)| *price += waiting * (start - prices.job.release) as f64);
    if prices.porting_yen > 0.0 || prices.route.is_some() {
        for (start, price) in (first..).zip(out.iter_mut()) {
            let (paid, own) = prices.start_pay(start);
            *price += prices.moving_yen(start) * (paid + own);
        }
    }
}
