//! The best claims of a column at the prices of a book: fiscal years filled by descending worth, up to the project's cap.

use crate::book::Book;
use crate::check::Job;
use crate::runs::Mode;

/// A usage programme that a workload may claim from, with what a claimed yen is worth to it.
pub(crate) struct OpenProgramme {
    pub programme: usize,
    pub rate: f64,
    /// By fiscal year; some are positive.
    worth: Vec<f64>,
    /// What is left of the project's cap.
    cap_left: f64,
}

/// The programmes that are open to a workload, and the sets of them that it may claim from together.
pub(crate) struct OpenClaims {
    pub open: Vec<OpenProgramme>,
    /// Bits are positions in `open`; no set lies within another one.
    sets: Vec<u128>,
}

impl OpenClaims {
    pub fn of(book: &Book, job: &Job) -> Self {
        let open: Vec<OpenProgramme> =
            (0..book.programmes.len()).filter_map(|r| OpenProgramme::of(book, job, r)).collect();
        let narrowed = book.claim_sets.iter().map(|set| {
            let inside = open.iter().enumerate().filter(|(_, o)| set >> o.programme & 1 == 1);
            inside.fold(0, |bits, (i, _)| bits | 1 << i)
        });
        let sets = largest(narrowed);
        Self { open, sets }
    }
}

impl OpenProgramme {
    fn of(book: &Book, job: &Job, r: usize) -> Option<Self> {
        let programme = &book.programmes[r];
        let rate = programme.rate[job.member];
        let tagged = programme.tags.is_empty() || job.workload.tags.iter().any(|tag| programme.tags.contains(tag));
        if rate <= 0.0 || !tagged {
            return None;
        }
        let budget = book.budget_price.get(&job.member);
        let cap = book.cap_price.get(&(r, job.member));
        let row = job.project.and_then(|project| book.project_rows.get(&(r, project)));
        let worth: Vec<f64> = (0..book.years())
            .map(|y| {
                let own = programme.pay_year[y].and_then(|paid| budget.map(|prices| prices[paid])).unwrap_or(0.0);
                let capped = cap.map_or(0.0, |prices| prices[y]);
                programme.worth[y] + own - capped - row.map_or(0.0, |row| row.price)
            })
            .collect();
        let cap_left = row.map_or(programme.project_cap, |row| row.left_yen);
        let earns = cap_left > 0.0 && worth.iter().any(|&v| v > 0.0);
        earns.then_some(Self { programme: r, rate, worth, cap_left })
    }
}

/// The sets that lie within no other one, without the empty set.
fn largest(sets: impl Iterator<Item = u128>) -> Vec<u128> {
    let mut found: Vec<u128> = sets.filter(|&set| set != 0).collect();
    found.sort_by_key(|set| std::cmp::Reverse((set.count_ones(), *set)));
    found.dedup();
    let mut kept: Vec<u128> = Vec::with_capacity(found.len());
    for set in found {
        if kept.iter().all(|other| set & other != set) {
            kept.push(set);
        }
    }
    kept
}

/// One programme in one pool as prefix sums over the periods of a workload's window, from its release on.
struct PoolProgramme {
    /// Position in `OpenClaims::open`.
    position: usize,
    /// Eligible grant reference.
    reference: Vec<f64>,
    /// The same times the positive worth of a claimed yen.
    reference_worth: Vec<f64>,
}

/// What a workload may claim in one pool.
pub(crate) struct PoolClaims<'a> {
    book: &'a Book,
    claims: &'a OpenClaims,
    /// First period of the workload's window.
    release: usize,
    programmes: Vec<PoolProgramme>,
    /// Bits are positions in `programmes`.
    sets: Vec<u128>,
}

/// The claims of a column: worth, and (programme, fiscal year position, yen) of each.
#[derive(Clone, Debug, Default)]
pub(crate) struct BestClaims {
    pub worth: f64,
    pub claims: Vec<(usize, usize, f64)>,
}

impl<'a> PoolClaims<'a> {
    pub fn of(book: &'a Book, job: &Job, claims: &'a OpenClaims, pool: usize) -> Self {
        let open_here = claims.open.iter().enumerate().filter(|(_, o)| book.programmes[o.programme].pools[pool]);
        let programmes: Vec<PoolProgramme> = open_here
            .map(|(position, open)| {
                let window = book.programmes[open.programme].window;
                let count = job.deadline.saturating_sub(job.release);
                let (mut reference, mut reference_worth) =
                    (Vec::with_capacity(count + 1), Vec::with_capacity(count + 1));
                let (mut total, mut total_worth) = (0.0, 0.0);
                reference.push(0.0);
                reference_worth.push(0.0);
                for t in job.release..job.deadline {
                    let is_open = (window.0..window.1).contains(&t);
                    let yen = if is_open { book.pools[pool].grant_reference[t] } else { 0.0 };
                    total += yen;
                    total_worth += yen * open.worth[book.year_of_period[t]].max(0.0);
                    reference.push(total);
                    reference_worth.push(total_worth);
                }
                PoolProgramme { position, reference, reference_worth }
            })
            .collect();
        let narrowed = claims.sets.iter().map(|set| {
            let inside = programmes.iter().enumerate().filter(|(_, p)| set >> p.position & 1 == 1);
            inside.fold(0, |bits, (i, _)| bits | 1 << i)
        });
        let sets = largest(narrowed);
        Self { book, claims, release: job.release, programmes, sets }
    }

    /// Worth of the best claims without caps of every start from `first` on, into `out`: no less than what they are worth.
    pub fn most_worths(&self, mode: &Mode, first: usize, out: &mut [f64], of_set: &mut Vec<f64>) {
        out.fill(0.0);
        for &set in &self.sets {
            of_set.clear();
            of_set.resize(out.len(), 0.0);
            for p in self.members(set) {
                let rate = self.open(p).rate;
                mode.add_weighted(self.book.period_hours, &p.reference_worth, first - self.release, rate, of_set);
            }
            out.iter_mut().zip(of_set.iter()).for_each(|(out, worth)| *out = out.max(*worth));
        }
    }

    /// Worth of the best claims of a start.
    pub fn worth(&self, mode: &Mode, start: usize) -> f64 {
        let of_programme = |p: &PoolProgramme| {
            let (open, hours, at) = (self.open(p), self.book.period_hours, start - self.release);
            if open.rate * mode.weighted(hours, &p.reference, at) <= open.cap_left {
                return open.rate * mode.weighted(hours, &p.reference_worth, at);
            }
            self.fill(p, mode, start, &mut |_, _| ())
        };
        let sum = |set: &u128| -> f64 { self.members(*set).map(of_programme).sum() };
        self.sets.iter().map(sum).fold(0.0, f64::max)
    }

    /// The best claims of a column.
    pub fn best(&self, mode: &Mode, start: usize) -> BestClaims {
        let mut best = BestClaims::default();
        for &set in &self.sets {
            let mut found = BestClaims::default();
            for p in self.members(set) {
                let programme = self.open(p).programme;
                let list = &mut found.claims;
                found.worth += self.fill(p, mode, start, &mut |year, yen| list.push((programme, year, yen)));
            }
            if found.worth > best.worth {
                best = found;
            }
        }
        best
    }

    fn open(&self, p: &PoolProgramme) -> &OpenProgramme {
        &self.claims.open[p.position]
    }

    fn members(&self, set: u128) -> impl Iterator<Item = &PoolProgramme> {
        self.programmes.iter().enumerate().filter(move |(i, _)| set >> i & 1 == 1).map(|(_, p)| p)
    }

    /// Fill fiscal years by descending worth; tells each claim and returns what they are worth.
    fn fill(&self, p: &PoolProgramme, mode: &Mode, start: usize, tell: &mut dyn FnMut(usize, f64)) -> f64 {
        let (open, year_of) = (self.open(p), &self.book.year_of_period);
        let (first, last) = (year_of[start], year_of[start + mode.length() - 1]);
        let (mut left, mut total, mut done) = (open.cap_left, 0.0, 0u128);
        for _ in first..=last {
            let waits = |y: &usize| done >> (y - first) & 1 == 0 && open.worth[*y] > 0.0;
            // Of equal worth the earlier year comes first.
            let Some(year) =
                (first..=last).rev().filter(waits).max_by(|a, b| open.worth[*a].total_cmp(&open.worth[*b]))
            else {
                break;
            };
            done |= 1 << (year - first);
            let yen = (open.rate * self.eligible(p, mode, start, year)).max(0.0).min(left);
            if yen > 0.0 {
                tell(year, yen);
            }
            left -= yen;
            total += open.worth[year] * yen;
        }
        total
    }

    /// Eligible cost of a column in a fiscal year, nominal yen before the rate.
    fn eligible(&self, p: &PoolProgramme, mode: &Mode, start: usize, year: usize) -> f64 {
        let (from, until) = (self.book.year_first[year], self.book.year_first[year + 1]);
        let (full_end, sums) = (start + mode.full, |t: usize| p.reference[t - self.release]);
        let (a, b) = (start.max(from), full_end.min(until));
        let mut sum = if b > a { self.book.period_hours * (sums(b) - sums(a)) } else { 0.0 };
        if mode.rest_hours > 0.0 && (from..until).contains(&full_end) {
            sum += mode.rest_hours * (sums(full_end + 1) - sums(full_end));
        }
        mode.occupied * sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn largest_sets_lie_within_no_other() {
        assert_eq!(largest([0b011, 0b001, 0, 0b100, 0b011].into_iter()), vec![0b011, 0b100]);
    }
}
