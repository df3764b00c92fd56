"""Short ways to build domain objects in tests: every field has a default, a test names only what it is about.

The default problem has four weeks from Monday 2027-04-05, one Japanese site with one pool of 64 accelerators on demand
at 500 yen, one member and no rules. Periods are given as numbers; ``day(period)`` turns them into dates of the default
calendar. ``name`` is the id and the display name. Steps of prices, quotas and tariffs are given by date or by period.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from tehai.domain.calendar import Calendar
from tehai.domain.market import JPY, USD, FiscalYearAmount, Market, PriceStep, UnitPrice
from tehai.domain.offer import (
    Allocation,
    CapacityBlock,
    CapacityBlockTerm,
    DeliveryStep,
    Existing,
    FiscalYearHours,
    Offer,
    OfferKind,
    OnDemand,
    PaymentStep,
    PaymentTiming,
    Purchase,
    QuotaStep,
    Reservation,
    ReservationTerm,
)
from tehai.domain.problem import (
    SCHEMA_VERSION,
    ConcentrationLimit,
    CurrentPlacement,
    CurrentPlan,
    FiscalYearMass,
    FiscalYearShare,
    Problem,
    Route,
    Rules,
)
from tehai.domain.programme import CapitalGrant, ClaimMade, Programme, SizeClassRate, UsageGrant
from tehai.domain.supply import Accelerator, FamilyThroughput, Pool, Site
from tehai.domain.workload import CountryRule, GangOption, Member, Pausing, Porting, SizeClass, Workload

Amount = str | int | float
PriceSteps = Mapping[date, Amount] | Mapping[int, Amount] | None
QuotaSteps = Mapping[date, int] | Mapping[int, int] | None
Rates = Mapping[SizeClass, float] | Sequence[SizeClassRate] | None

FIRST_DATE = date(2027, 4, 5)
PERIOD_HOURS = 168
PERIOD_COUNT = 4
ANY_COUNTRY = CountryRule((), ())
ONLY_JAPAN = CountryRule(("JP",), ())
NO_CURRENT_PLAN = CurrentPlan()
NO_RULES = Rules(domestic=ONLY_JAPAN, minimum_domestic_shares=(), portfolio_budgets=())


def day(period: int, first_date: date = FIRST_DATE, period_hours: int = PERIOD_HOURS) -> date:
    """Return the first day of a period."""
    return first_date + timedelta(days=period * period_hours // 24)


def as_date(when: int | date) -> date:
    """Return a date as it is, and the first day of a period of the default calendar for a number."""
    return day(when) if isinstance(when, int) else when


def price_steps(steps: PriceSteps) -> tuple[PriceStep, ...]:
    """Return amounts by the date or period they hold from, ascending."""
    by_date = {as_date(when): Decimal(str(amount)) for when, amount in (steps or {}).items()}
    return tuple(PriceStep(when, by_date[when]) for when in sorted(by_date))


def quota_steps(steps: QuotaSteps) -> tuple[QuotaStep, ...]:
    """Return numbers of accelerators by the date or period they hold from, ascending."""
    by_date = {as_date(when): accelerators for when, accelerators in (steps or {}).items()}
    return tuple(QuotaStep(when, by_date[when]) for when in sorted(by_date))


def yen(amount: Amount, steps: PriceSteps = None) -> UnitPrice:
    """Return a price in yen per unit; ``steps`` are later amounts by date or period."""
    return UnitPrice(Decimal(str(amount)), JPY, price_steps(steps))


def dollars(amount: Amount, steps: PriceSteps = None) -> UnitPrice:
    """Return a price in dollars per unit; ``steps`` are later amounts by date or period."""
    return UnitPrice(Decimal(str(amount)), USD, price_steps(steps))


def amounts(by_year: Mapping[int, int]) -> tuple[FiscalYearAmount, ...]:
    """Return yen by fiscal year in ascending order of years."""
    return tuple(FiscalYearAmount(year, by_year[year]) for year in sorted(by_year))


def make_calendar(
    period_count: int = PERIOD_COUNT, first_date: date = FIRST_DATE, period_hours: int = PERIOD_HOURS
) -> Calendar:
    """Return weeks from Monday 2027-04-05 on."""
    return Calendar(first_date=first_date, period_hours=period_hours, period_count=period_count)


def make_market(
    spot: str = "150",
    spot_date: date = FIRST_DATE,
    yen_rate: str = "0",
    dollar_rate: str = "0",
    discount_rate: str = "0",
    spread: str = "0",
) -> Market:
    """Return a market whose forward curve is flat unless rates are given, without discounting and spread."""
    return Market(Decimal(spot), spot_date, *map(Decimal, (yen_rate, dollar_rate, discount_rate, spread)))


def make_accelerator(
    name: str = "chip",
    memory_gb: float = 80.0,
    power_kw: float = 1.0,
    throughputs: Mapping[str, float] | None = None,
) -> Accelerator:
    """Return an accelerator that runs family "torch" at the reference speed."""
    speeds = {"torch": 1.0} if throughputs is None else throughputs
    return Accelerator(name, name, memory_gb, power_kw, tuple(FamilyThroughput(f, v) for f, v in speeds.items()))


def make_site(
    name: str = "site",
    country_code: str = "JP",
    operator_country_code: str = "JP",
    power_limit_kw: float | None = None,
    power_usage_effectiveness: float = 1.0,
    electricity_yen_per_kwh: str | None = None,
    electricity_steps: PriceSteps = None,
    operator_id: str = "",
    carbon_kg_per_kwh: float = 0.0,
) -> Site:
    """Return a Japanese site without a power limit, a named operator and emissions."""
    return Site(
        id=name,
        display_name=name,
        country_code=country_code,
        operator_country_code=operator_country_code,
        power_limit_kw=power_limit_kw,
        power_usage_effectiveness=power_usage_effectiveness,
        electricity_yen_per_kwh=None if electricity_yen_per_kwh is None else Decimal(electricity_yen_per_kwh),
        electricity_steps=price_steps(electricity_steps),
        operator_id=operator_id,
        grid_carbon_kg_per_kwh=carbon_kg_per_kwh,
    )


def make_pool(
    name: str = "pool",
    site_id: str = "site",
    accelerator_id: str = "chip",
    gang_accelerators_max: int = 1024,
    node: int = 1,
    grant_reference: UnitPrice | None = None,
    charge_reference: UnitPrice | None = None,
) -> Pool:
    """Return a pool of "chip" at "site", in nodes of one accelerator."""
    return Pool(name, name, site_id, accelerator_id, gang_accelerators_max, node, grant_reference, charge_reference)


def make_offer(kind: OfferKind, name: str = "offer", pool_id: str = "pool") -> Offer:
    """Return an offer of any kind in "pool"."""
    return Offer(name, name, pool_id, kind)


def on_demand(
    price: UnitPrice | None = None,
    quota: int = 64,
    from_date: date | None = None,
    until_date: date | None = None,
    steps: QuotaSteps = None,
) -> OnDemand:
    """Return 64 accelerators at 500 yen per hour used; ``steps`` are later quotas by date or period."""
    return OnDemand(price or yen(500), quota, from_date, until_date, quota_steps(steps))


def term(
    periods: int, price: UnitPrice | None = None, prepaid: bool = False, upfront: float | None = None
) -> ReservationTerm:
    """Return a term at 300 yen per accelerator-hour, paid each period unless ``prepaid`` or in part ``upfront``."""
    timing = PaymentTiming.PREPAID if prepaid else PaymentTiming.PERIODIC
    if upfront is not None:
        timing = PaymentTiming.PARTIAL
    return ReservationTerm(periods, price or yen(300), timing, upfront)


def reservation(
    terms: Sequence[ReservationTerm],
    block: int = 8,
    blocks_max: int = 8,
    lead: int = 0,
    from_date: date | None = None,
    until_date: date | None = None,
) -> Reservation:
    """Return up to 8 blocks of 8 accelerators that can begin at once."""
    return Reservation(block, blocks_max, lead, tuple(terms), from_date, until_date)


def block_term(days: int, price: UnitPrice | None = None) -> CapacityBlockTerm:
    """Return a term of a capacity block at 400 yen per accelerator-hour."""
    return CapacityBlockTerm(days, price or yen(400))


def capacity_block(
    terms: Sequence[CapacityBlockTerm] | None = None,
    block: int = 8,
    blocks_max: int = 8,
    booking_min: int = 0,
    booking_max: int = 0,
    from_date: date | None = None,
    until_date: date | None = None,
) -> CapacityBlock:
    """Return up to 8 blocks of 8 accelerators for a week, booked when they begin."""
    booking = (booking_min, booking_max)
    return CapacityBlock(block, blocks_max, *booking, tuple(terms or (block_term(7),)), from_date, until_date)


def allocation(
    hours: Mapping[int, float] | None = None,
    price: UnitPrice | None = None,
    accelerators: int = 64,
    from_date: date | None = None,
    until_date: date | None = None,
    steps: QuotaSteps = None,
) -> Allocation:
    """Return 64 accelerators at 100 yen per hour used with ``hours`` (2027: 10,000) by fiscal year."""
    quotas = tuple(FiscalYearHours(year, quota) for year, quota in sorted((hours or {2027: 10_000.0}).items()))
    return Allocation(price or yen(100), accelerators, quotas, from_date, until_date, quota_steps(steps))


def purchase(
    price: UnitPrice | None = None,
    unit: int = 8,
    units_max: int = 8,
    steps: Iterable[tuple[int, float]] = ((0, 1.0),),
    life: int = 100,
    residual: float = 0.0,
    haircut: float = 0.0,
    metered: bool = False,
    from_date: date | None = None,
    until_date: date | None = None,
    payments: Iterable[tuple[int, float]] = (),
    owner: str = "",
) -> Purchase:
    """Return up to 8 units of 8 accelerators, paid and delivered at once, that live 100 periods and have no owner.

    ``steps`` (deliveries) and ``payments`` (instalments) are pairs of periods after the order and a fraction.
    """
    return Purchase(
        unit_accelerators=unit,
        units_max=units_max,
        price_per_unit=price or yen(1_000_000),
        delivery_steps=tuple(DeliveryStep(periods, fraction) for periods, fraction in steps),
        life_periods=life,
        residual_fraction=residual,
        residual_haircut_fraction=haircut,
        metered=metered,
        from_date=from_date,
        until_date=until_date,
        payment_steps=tuple(PaymentStep(periods, fraction) for periods, fraction in payments),
        owner_member_id=owner,
    )


def existing(
    accelerators: int = 64,
    from_date: date | None = None,
    until_date: date | None = None,
    metered: bool = False,
    steps: QuotaSteps = None,
    payments: Mapping[int, int] | None = None,
    reference: UnitPrice | None = None,
) -> Existing:
    """Return 64 owned accelerators; ``payments`` are sunk yen by fiscal year."""
    sunk = amounts(payments or {})
    return Existing(accelerators, from_date, until_date, metered, quota_steps(steps), sunk, reference)


def make_member(
    name: str = "member",
    size_class: SizeClass = SizeClass.LARGE,
    flags: Sequence[str] = (),
    budgets: Mapping[int, int] | None = None,
    share: float | None = None,
    cost_of_capital: str | None = None,
) -> Member:
    """Return a large member without flags, budgets, a share and a cost of capital of its own."""
    capital = None if cost_of_capital is None else Decimal(cost_of_capital)
    return Member(name, name, size_class, tuple(flags), amounts(budgets or {}), share, capital)


def pausing(pauses_max: int = 1, overhead_hours: float = 0.0) -> Pausing:
    """Return one pause that costs no time."""
    return Pausing(pauses_max, overhead_hours)


def make_workload(
    name: str = "job",
    hours: float | None = 1344.0,
    flops: float | None = None,
    gangs: Mapping[int, float] | None = None,
    release: int | date = 0,
    deadline: int | date = PERIOD_COUNT,
    member_id: str = "member",
    project_id: str = "",
    memory_gb: float = 80.0,
    family: str = "torch",
    sovereignty: CountryRule = ANY_COUNTRY,
    tags: Sequence[str] = (),
    late_yen: int = 0,
    not_run_yen: int | None = 100_000_000,
    after: Sequence[str] = (),
    data_site_id: str | None = None,
    data_terabytes: float = 0.0,
    porting: Mapping[str, int] | None = None,
    pausing: Pausing | None = None,
) -> Workload:
    """Return one week on eight accelerators, worth 100 million yen, with a window of four default weeks.

    ``release`` and ``deadline`` are dates, or periods of the default calendar; ``not_run_yen=None`` makes it mandatory;
    ``porting`` is yen by accelerator.
    """
    return Workload(
        id=name,
        display_name=name,
        member_id=member_id,
        project_id=project_id,
        release_date=as_date(release),
        deadline_date=as_date(deadline),
        normalised_accelerator_hours=None if flops is not None else hours,
        flops=flops,
        gang_options=tuple(GangOption(n, kept) for n, kept in (gangs or {8: 1.0}).items()),
        memory_gb=memory_gb,
        software_family=family,
        sovereignty=sovereignty,
        tags=tuple(tags),
        late_start_yen_per_period=late_yen,
        cost_not_run_yen=not_run_yen,
        after_workload_ids=tuple(after),
        data_site_id=data_site_id,
        data_terabytes=data_terabytes,
        porting=tuple(Porting(accelerator_id, amount) for accelerator_id, amount in (porting or {}).items()),
        pausing=pausing,
    )


def size_class_rates(rates: Rates) -> tuple[SizeClassRate, ...]:
    """Return rates as they are, or by size class without a flag; None is half for everybody."""
    listed = {SizeClass.LARGE: 0.5, SizeClass.SME: 0.5} if rates is None else rates
    return tuple(SizeClassRate(*rate) for rate in listed.items()) if isinstance(listed, Mapping) else tuple(listed)


def claim_made(amount_yen: int, year: int = 2027, member_id: str = "member", project_id: str = "") -> ClaimMade:
    """Return yen that "member" claimed before the horizon for fiscal year 2027, of no project."""
    return ClaimMade(project_id, member_id, year, amount_yen)


def make_programme(
    name: str = "grant",
    rates: Rates = None,
    from_date: date = date(2020, 4, 1),
    until_date: date = date(2040, 4, 1),
    pool_ids: Sequence[str] = (),
    countries: CountryRule = ANY_COUNTRY,
    tags: Sequence[str] = (),
    project_cap_yen: int | None = None,
    budgets: Mapping[int, int] | None = None,
    member_cap_yen: int | None = None,
    lag_days: int = 0,
    group: str = "",
    stackable: Sequence[str] = (),
    claims_made: Sequence[ClaimMade] = (),
) -> Programme:
    """Return a grant of half the reference bill for everybody, without caps, paid at the end of the fiscal year."""
    return Programme(
        id=name,
        display_name=name,
        from_date=from_date,
        until_date=until_date,
        kind=UsageGrant(size_class_rates(rates), tuple(pool_ids), countries, tuple(tags), project_cap_yen),
        member_cap_yen=member_cap_yen,
        budgets=amounts(budgets or {}),
        payment_lag_days=lag_days,
        exclusivity_group=group,
        stackable_programme_ids=tuple(stackable),
        claims_made=tuple(claims_made),
    )


def make_capital_programme(
    name: str = "capital-grant",
    rates: Rates = None,
    from_date: date = date(2020, 4, 1),
    until_date: date = date(2040, 4, 1),
    pool_ids: Sequence[str] = (),
    countries: CountryRule = ANY_COUNTRY,
    budgets: Mapping[int, int] | None = None,
    member_cap_yen: int | None = None,
    lag_days: int = 0,
    group: str = "",
    claims_made: Sequence[ClaimMade] = (),
) -> Programme:
    """Return a grant of half the price of what an owner orders, without caps."""
    usage = make_programme(name, from_date=from_date, until_date=until_date, budgets=budgets, group=group)
    kind = CapitalGrant(size_class_rates(rates), tuple(pool_ids), countries)
    made = tuple(claims_made)
    return replace(usage, kind=kind, member_cap_yen=member_cap_yen, payment_lag_days=lag_days, claims_made=made)


def make_rules(
    domestic: CountryRule = ONLY_JAPAN,
    shares: Mapping[int, float] | None = None,
    budgets: Mapping[int, int] | None = None,
    capital_ceilings: Mapping[int, int] | None = None,
    concentration: Mapping[tuple[str, int], float] | None = None,
    carbon_price: Amount = 0,
    carbon_limits: Mapping[int, float] | None = None,
    waiting_max: int | None = None,
) -> Rules:
    """Return rules in which sites in Japan are domestic; ``concentration`` is by operator and fiscal year."""
    return Rules(
        domestic=domestic,
        minimum_domestic_shares=tuple(FiscalYearShare(*entry) for entry in sorted((shares or {}).items())),
        portfolio_budgets=amounts(budgets or {}),
        capital_ceilings=amounts(capital_ceilings or {}),
        concentration_limits=tuple(
            ConcentrationLimit(operator_id, year, share)
            for (operator_id, year), share in sorted((concentration or {}).items())
        ),
        carbon_price_yen_per_kg=Decimal(str(carbon_price)),
        carbon_limits=tuple(FiscalYearMass(*entry) for entry in sorted((carbon_limits or {}).items())),
        total_waiting_periods_max=waiting_max,
    )


def route(from_site_id: str, to_site_id: str = "site", price: UnitPrice | None = None) -> Route:
    """Return a way for data at 1,000 yen per terabyte."""
    return Route(from_site_id, to_site_id, price or yen(1_000))


def current_placement(
    workload_id: str = "job",
    pool_id: str = "pool",
    accelerators: int = 8,
    start: int | date = 0,
    locked: bool = False,
    change_yen: int | None = None,
) -> CurrentPlacement:
    """Return "job" on eight accelerators of "pool" from the first period on, free to change."""
    return CurrentPlacement(workload_id, pool_id, accelerators, as_date(start), locked, change_yen)


def make_current_plan(placements: Sequence[CurrentPlacement] = (), change_yen: int = 0) -> CurrentPlan:
    """Return a plan in force whose changes cost nothing."""
    return CurrentPlan(change_yen, tuple(placements))


def make_problem(
    workloads: Sequence[Workload] | None = None,
    offers: Sequence[Offer] | None = None,
    pools: Sequence[Pool] | None = None,
    sites: Sequence[Site] | None = None,
    accelerators: Sequence[Accelerator] | None = None,
    members: Sequence[Member] | None = None,
    programmes: Sequence[Programme] = (),
    rules: Rules = NO_RULES,
    calendar: Calendar | None = None,
    market: Market | None = None,
    reference_sustained_flops: float | None = None,
    display_name: str = "test problem",
    routes: Sequence[Route] = (),
    current_plan: CurrentPlan = NO_CURRENT_PLAN,
) -> Problem:
    """Return the default problem with any of its parts replaced."""
    return Problem(
        schema_version=SCHEMA_VERSION,
        display_name=display_name,
        calendar=calendar or make_calendar(),
        market=market or make_market(),
        reference_sustained_flops=reference_sustained_flops,
        accelerators=tuple(accelerators or (make_accelerator(),)),
        sites=tuple(sites or (make_site(),)),
        pools=tuple(pools or (make_pool(),)),
        offers=tuple((make_offer(on_demand()),) if offers is None else offers),
        members=tuple(members or (make_member(),)),
        workloads=tuple((make_workload(),) if workloads is None else workloads),
        programmes=tuple(programmes),
        rules=rules,
        source_notes=(),
        routes=tuple(routes),
        current_plan=current_plan,
    )
