//! A plan against every row of docs/rules.md, from its columns, claims, units and order claims alone.

use std::collections::{BTreeMap, BTreeSet};

use tehai_engine::column::{Column, NO_CLAIMS, NOT_RUN};
use tehai_engine::instance::{Instance, NONE};
use tehai_engine::search::{PlanParts, RowLayout};

use super::naive::{self, NaiveColumn};

const CLOSE: f64 = 1e-3;

/// What a plan costs and how much of each soft row it uses.
pub struct Account {
    pub objective: f64,
    /// Laid out as `RowLayout`.
    pub rows: Vec<f64>,
    /// Fiscal years in which an allocation had less than it could have saved with.
    pub tight_quotas: usize,
}

/// The naive column of a placed workload; panics where the plan's column is not a legal one.
pub fn column_of(instance: &Instance, workload: usize, chosen: &Column) -> Option<NaiveColumn> {
    if chosen.mode == NOT_RUN {
        return None;
    }
    let mode = &instance.modes[chosen.mode];
    let claim_set = (chosen.claim_set != NO_CLAIMS).then_some(chosen.claim_set);
    let legal = naive::columns(instance, workload).into_iter().find(|column| {
        column.pool == mode.pool
            && column.accelerators == mode.accelerators
            && column.pauses == chosen.pauses.count
            && column.claim_set == claim_set
            && touched(column) == periods_of(chosen, touched(column).len())
    });
    Some(legal.expect("the plan uses a column that is not legal"))
}

fn touched(column: &NaiveColumn) -> Vec<usize> {
    (0..column.hours.len()).filter(|&t| column.hours[t] > 0.0).collect()
}

/// So many periods from the start on, stopping where the pauses say.
fn periods_of(chosen: &Column, count: usize) -> Vec<usize> {
    let (mut t, mut found) = (chosen.start, Vec::new());
    for done in 0..count {
        for pause in 0..chosen.pauses.count {
            if usize::from(chosen.pauses.after[pause]) == done {
                t += usize::from(chosen.pauses.gap[pause]);
            }
        }
        found.push(t);
        t += 1;
    }
    found
}

/// Assert every hard row, and account for the rest.
pub fn assert_hard_rows(instance: &Instance, plan: &PlanParts) -> Account {
    let rows = RowLayout::of(&instance.sizes);
    let mut account = Account { objective: 0.0, rows: vec![0.0; rows.count], tight_quotas: 0 };
    let placed: Vec<NaiveColumn> =
        (0..instance.sizes.workloads).filter_map(|w| column_of(instance, w, &plan.columns[w])).collect();
    for workload in (0..instance.sizes.workloads).filter(|&w| plan.columns[w].mode == NOT_RUN) {
        let charge = instance.workloads.not_run_yen[workload];
        account.objective += if charge.is_finite() { charge } else { super::MANDATORY_YEN };
    }
    placed.iter().for_each(|column| add_placement(instance, column, &mut account));
    add_orders(instance, plan, &mut account);
    assert_order_claims(instance, plan, &mut account);
    for pool in 0..instance.sizes.pools {
        add_served(instance, plan, &placed, pool, &mut account);
    }
    assert_claims(instance, plan, &placed, &mut account);
    assert_power(instance, &placed);
    assert_precedence(instance, &placed);
    account
}

/// Assert that the plan also keeps budgets, ceilings and limits; returns its objective.
pub fn assert_keeps_rules(instance: &Instance, plan: &PlanParts) -> Account {
    let account = assert_hard_rows(instance, plan);
    let (rows, rules) = (RowLayout::of(&instance.sizes), &instance.rules);
    let limits = [
        (rows.budget, rules.plan_budget_yen.clone()),
        (rows.work, vec![0.0; instance.sizes.work_rows]),
        (rows.member_budget, rules.plan_member_budget_yen.clone()),
        (rows.capital, rules.capital_yen.clone()),
        (rows.carbon, rules.carbon_kg.clone()),
        (rows.waiting, vec![rules.waiting_periods]),
    ];
    for (first, limits) in limits {
        for (used, limit) in account.rows[first..].iter().zip(limits) {
            assert!(*used <= limit + CLOSE, "{used} used of {limit} in the rows from {first} on");
        }
    }
    account
}

fn add_placement(instance: &Instance, column: &NaiveColumn, account: &mut Account) {
    let (sizes, pools, table) = (&instance.sizes, &instance.pools, &instance.workloads);
    let (rows, w) = (RowLayout::of(sizes), column.workload);
    let member = rows.member_budget + table.member[w] * sizes.years;
    let wait = (column.start - table.release[w]) as f64;
    account.objective += wait * table.late_yen[w] + naive::change_yen(instance, column);
    account.rows[rows.waiting] += wait;
    let (paid, year) = (naive::start_yen(instance, column), pools.year_of_period[column.start]);
    account.objective += paid * pools.discount[column.start];
    account.rows[rows.budget + year] += paid;
    account.rows[member + year] += paid;
    for (t, hours) in column.hours.iter().enumerate() {
        let (kg, year) = (hours * pools.pool_kg[column.pool], pools.year_of_period[t]);
        account.objective += kg * pools.carbon_yen_per_kg;
        account.rows[rows.carbon + year] += kg;
        account.rows[member + year] += hours * pools.charge_reference[column.pool * sizes.periods + t];
    }
    let work = naive::work_by_year(instance, column);
    for (k, &year) in instance.rules.work_row_year.iter().enumerate() {
        let coefficient = instance.rules.work_row_coefficient[k * sizes.pools + column.pool];
        account.rows[rows.work + k] += work[year] * coefficient;
    }
}

/// Limits of offers, and what their orders cost.
fn add_orders(instance: &Instance, plan: &PlanParts, account: &mut Account) {
    let (sizes, table) = (&instance.sizes, &instance.committed);
    let rows = RowLayout::of(sizes);
    for offer in 0..table.pool.len() {
        let options = table.option_offset[offer]..table.option_offset[offer + 1];
        let mut most: u32 = plan.units[options.clone()].iter().sum();
        if table.limit_is_live[offer] {
            let live =
                |t: usize| options.clone().filter(|&o| naive::live_at(table, o, t) > 0.0).map(|o| plan.units[o]).sum();
            most = (0..sizes.periods).map(live).max().unwrap_or(0);
        }
        assert!(f64::from(most) <= table.unit_limit[offer], "offer {offer} ordered beyond its limit");
    }
    for (option, &count) in plan.units.iter().enumerate() {
        account.objective += f64::from(count) * table.option_cost[option];
        for y in 0..sizes.years {
            account.rows[rows.budget + y] += f64::from(count) * table.option_cash[option * sizes.years + y];
            account.rows[rows.capital + y] += f64::from(count) * table.option_capital[option * sizes.years + y];
        }
    }
}

/// Capacity, gang and quota rows of a pool, and the cheapest cost of serving it.
fn add_served(instance: &Instance, plan: &PlanParts, placed: &[NaiveColumn], pool: usize, account: &mut Account) {
    let sizes = &instance.sizes;
    let quota = (0..instance.hourly.pool.len()).find(|&offer| {
        instance.hourly.pool[offer] == pool && (0..sizes.years).any(|y| quota_of(instance, offer, y).is_finite())
    });
    for y in 0..sizes.years {
        let mut cells = Vec::new();
        for t in (0..sizes.periods).filter(|&t| instance.pools.year_of_period[t] == y) {
            let sources = sources_of(instance, plan, pool, t, quota);
            let own = quota.map_or((0.0, 0.0, 0.0), |offer| hourly_source(instance, offer, t));
            let live: f64 = accelerators_live(instance, plan, pool, t);
            let mut hours = 0.0;
            for column in placed.iter().filter(|column| column.pool == pool && column.hours[t] > 0.0) {
                let node = instance.pools.pool_node[pool];
                assert!((column.accelerators / node).ceil() * node <= live + CLOSE, "gang does not fit what is live");
                hours += column.hours[t];
            }
            let room: f64 = own.2 + sources.iter().map(|source| source.2).sum::<f64>();
            assert!(hours <= room + CLOSE, "hours do not fit what is offered");
            cells.push(Cell { hours, sources, own });
        }
        let limit = quota.map_or(f64::INFINITY, |offer| quota_of(instance, offer, y));
        let (cost, cash, is_tight) = cheapest_service(&cells, limit);
        account.objective += cost;
        account.rows[RowLayout::of(sizes).budget + y] += cash;
        account.tight_quotas += usize::from(is_tight);
    }
}

/// Hours of a pool in a period, and who can serve them: (cost, cash, hours) each; `own` is the allocation with a quota.
struct Cell {
    hours: f64,
    sources: Vec<(f64, f64, f64)>,
    own: (f64, f64, f64),
}

impl Cell {
    /// Cost, cash and hours of the allocation where each of its hours costs `toll` more; the cost counts the toll.
    fn serve(&self, toll: f64) -> (f64, f64, f64) {
        let mut order: Vec<(f64, f64, f64, bool)> =
            self.sources.iter().map(|&(cost, cash, room)| (cost, cash, room, false)).collect();
        order.push((self.own.0 + toll, self.own.1, self.own.2, true));
        order.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (mut left, mut total) = (self.hours, (0.0, 0.0, 0.0));
        for (cost, cash, room, is_own) in order {
            let taken = room.min(left);
            left -= taken;
            total = (total.0 + taken * cost, total.1 + taken * cash, total.2 + if is_own { taken } else { 0.0 });
        }
        total
    }
}

/// Cheapest cost of serving all cells with at most `quota` hours of the allocation, its cash, and whether the quota binds.
///
/// By linear duality: the cost is the largest over tolls of the cost with the toll less toll times quota; the toll that
/// attains it is 0 or the difference between two sources.
fn cheapest_service(cells: &[Cell], quota: f64) -> (f64, f64, bool) {
    let with = |toll: f64| {
        let served = cells.iter().map(|cell| cell.serve(toll));
        served.fold((0.0, 0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1, sum.2 + one.2))
    };
    let free = with(0.0);
    if quota.is_infinite() || free.2 <= quota + CLOSE {
        return (free.0, free.1, false);
    }
    let mut best = (f64::NEG_INFINITY, 0.0);
    for cell in cells {
        for toll in cell.sources.iter().map(|source| source.0 - cell.own.0).filter(|&toll| toll > 0.0) {
            let value = with(toll).0 - toll * quota;
            best = if value > best.0 { (value, toll) } else { best };
        }
    }
    assert!(with(1e9).2 <= quota + CLOSE, "hours that only the allocation can serve pass its quota");
    let (cost, toll) = if best.0 > f64::NEG_INFINITY { best } else { (free.0, 0.0) };
    // What is left of the quota serves hours at the toll itself, in place of the source that costs as much.
    let (low, high) = (with(toll - 1e-7), with(toll + 1e-7));
    let between = low.2 - high.2;
    let part = if between > 1e-9 { (quota - high.2) / between } else { 0.0 };
    (cost, high.1 + part * (low.1 - high.1), true)
}

fn quota_of(instance: &Instance, offer: usize, year: usize) -> f64 {
    instance.hourly.quota_hours[offer * instance.sizes.years + year]
}

fn hourly_source(instance: &Instance, offer: usize, t: usize) -> (f64, f64, f64) {
    let cell = offer * instance.sizes.periods + t;
    (instance.hourly.unit_cost[cell], instance.hourly.unit_cash[cell], instance.hourly.limit_hours[cell])
}

/// (cost, cash, hours) of everything that can serve a pool in a period, an allocation with a quota left out.
fn sources_of(
    instance: &Instance,
    plan: &PlanParts,
    pool: usize,
    t: usize,
    quota: Option<usize>,
) -> Vec<(f64, f64, f64)> {
    let (periods, table) = (instance.sizes.periods, &instance.committed);
    let mut found = Vec::new();
    for offer in (0..instance.hourly.pool.len()).filter(|&offer| instance.hourly.pool[offer] == pool) {
        if Some(offer) != quota {
            found.push(hourly_source(instance, offer, t));
        }
    }
    for offer in (0..table.pool.len()).filter(|&offer| table.pool[offer] == pool) {
        let options = table.option_offset[offer]..table.option_offset[offer + 1];
        let hours: f64 = options.map(|o| f64::from(plan.units[o]) * naive::hours_at(table, o, t)).sum();
        found.push((table.use_cost[offer * periods + t], table.use_cash[offer * periods + t], hours));
    }
    found
}

fn accelerators_live(instance: &Instance, plan: &PlanParts, pool: usize, t: usize) -> f64 {
    let table = &instance.committed;
    let hourly: f64 = (0..instance.hourly.pool.len())
        .filter(|&offer| instance.hourly.pool[offer] == pool)
        .map(|offer| hourly_source(instance, offer, t).2 / super::PERIOD_HOURS)
        .sum();
    let here = (0..table.pool.len()).filter(|&offer| table.pool[offer] == pool);
    let options = here.flat_map(|offer| table.option_offset[offer]..table.option_offset[offer + 1]);
    hourly + options.map(|o| f64::from(plan.units[o]) * naive::live_at(table, o, t)).sum::<f64>()
}

/// Programmes claimed from by one project or owner.
type Claimed = BTreeMap<usize, BTreeSet<usize>>;

fn assert_exclusive(instance: &Instance, claimed: &Claimed) {
    for programmes in claimed.values() {
        let groups: Vec<usize> = programmes.iter().map(|&r| instance.rules.programme_group[r]).collect();
        for (i, group) in groups.iter().enumerate().filter(|(_, group)| **group != NONE) {
            assert!(!groups[..i].contains(group), "two programmes of an exclusivity group are claimed from");
        }
    }
}

/// A claim in objective and budgets.
fn add_claim(
    instance: &Instance,
    programme: usize,
    year: usize,
    yen: f64,
    member: Option<usize>,
    account: &mut Account,
) {
    let (sizes, cell) = (&instance.sizes, programme * instance.sizes.years + year);
    let rows = RowLayout::of(sizes);
    account.objective -= yen * instance.rules.claim_discount[cell];
    if let Some(paid) = Some(instance.rules.claim_pay_year[cell]).filter(|&paid| paid != NONE) {
        account.rows[rows.budget + paid] -= yen;
        if let Some(member) = member {
            account.rows[rows.member_budget + member * sizes.years + paid] -= yen;
        }
    }
}

/// Rates and exclusivity of orders; a capital programme has no claims but those of orders.
fn assert_order_claims(instance: &Instance, plan: &PlanParts, account: &mut Account) {
    let (sizes, table) = (&instance.sizes, &instance.committed);
    let (mut claimed, mut of_year, mut of_owner) = (Claimed::new(), BTreeMap::new(), BTreeMap::new());
    for offer in 0..table.pool.len() {
        for option in table.option_offset[offer]..table.option_offset[offer + 1] {
            let (yen, r, y) =
                (plan.order_claims[option], table.option_programme[option], table.option_claim_year[option]);
            let most = f64::from(plan.units[option]) * table.option_claim_yen[option];
            assert!((0.0..=most + CLOSE).contains(&yen), "order claims {yen} of {most}");
            if yen > 0.0 {
                claimed.entry(table.owner[offer]).or_default().insert(r);
                *of_year.entry((r, y)).or_insert(0.0) += yen;
                *of_owner.entry((r, table.owner[offer], y)).or_insert(0.0) += yen;
                add_claim(instance, r, y, yen, None, account);
            }
        }
    }
    assert_exclusive(instance, &claimed);
    for ((r, y), yen) in of_year {
        assert!(yen <= instance.rules.programme_budget_yen[r * sizes.years + y] + CLOSE, "orders over a budget");
    }
    for ((r, m, y), yen) in of_owner {
        let cap = instance.rules.member_cap_yen[(r * sizes.members + m) * sizes.years + y];
        assert!(yen <= cap + CLOSE, "orders over a member's cap");
    }
}

/// Rates, caps, budgets and exclusivity of workloads.
fn assert_claims(instance: &Instance, plan: &PlanParts, placed: &[NaiveColumn], account: &mut Account) {
    let (sizes, rules, table) = (&instance.sizes, &instance.rules, &instance.workloads);
    let slots = plan.claims.len() / (sizes.workloads * sizes.years);
    let (mut of_budget, mut of_member, mut of_project) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    let mut claimed = Claimed::new();
    for column in placed {
        let (w, programmes) = (column.workload, naive::programmes(instance, column.claim_set));
        let (member, project) = (table.member[w], table.project[w]);
        for (slot, claims) in
            plan.claims[w * slots * sizes.years..][..slots * sizes.years].chunks(sizes.years).enumerate()
        {
            let Some(&r) = programmes.get(slot) else {
                assert!(claims.iter().all(|&yen| yen == 0.0), "a claim without a programme");
                continue;
            };
            let most = naive::claimable(instance, column, r);
            for (y, &yen) in claims.iter().enumerate().filter(|(_, yen)| **yen != 0.0) {
                assert!((0.0..=most[y] + CLOSE).contains(&yen), "claim {yen} over its rate");
                *of_budget.entry((r, y)).or_insert(0.0) += yen;
                *of_member.entry((r, member, y)).or_insert(0.0) += yen;
                *of_project.entry((r, project)).or_insert(0.0) += yen;
                claimed.entry(project).or_default().insert(r);
                add_claim(instance, r, y, yen, Some(member), account);
            }
        }
    }
    assert_exclusive(instance, &claimed);
    for ((r, y), yen) in of_budget {
        assert!(yen <= rules.programme_budget_yen[r * sizes.years + y] + CLOSE, "claims over the programme's budget");
    }
    for ((r, m, y), yen) in of_member {
        let cap = rules.member_cap_yen[(r * sizes.members + m) * sizes.years + y];
        assert!(yen <= cap + CLOSE, "claims over the member's cap");
    }
    for ((r, project), yen) in of_project {
        assert!(yen <= rules.project_cap_yen[r * sizes.projects + project] + CLOSE, "claims over the project's cap");
    }
}

fn assert_power(instance: &Instance, placed: &[NaiveColumn]) {
    let (sizes, pools) = (&instance.sizes, &instance.pools);
    for site in 0..sizes.limited_sites {
        for t in 0..sizes.periods {
            let here = placed.iter().filter(|column| pools.pool_site[column.pool] == site);
            let kwh: f64 = here.map(|column| column.hours[t] * pools.pool_kw[column.pool]).sum();
            assert!(kwh <= pools.site_limit_kwh[site] + CLOSE, "power over the site's limit");
        }
    }
}

fn assert_precedence(instance: &Instance, placed: &[NaiveColumn]) {
    let of = |w: usize| placed.iter().find(|column| column.workload == w);
    for (&before, &after) in instance.workloads.before.iter().zip(&instance.workloads.after) {
        if let Some(late) = of(after) {
            let early = of(before).expect("a workload runs without its predecessor");
            assert!(early.end <= late.start, "a workload starts before its predecessor has ended");
        }
    }
}
