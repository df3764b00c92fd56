"""Short ways to build domain objects in tests: every field has a default, a test names only what it is about.

The default problem has four weeks from Monday 2027-04-05, one Japanese site with one pool of 64 accelerators on demand
at 500 yen, one member and no rules. Periods are given as numbers; ``day(period)`` turns them into dates of the default
calendar. ``name`` is the id and the display name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal

from tehai.domain.calendar import Calendar
from tehai.domain.market import JPY, USD, FiscalYearAmount, Market, UnitPrice
from tehai.domain.offer import (
    DeliveryStep,
    Existing,
    Offer,
    OfferKind,
    OnDemand,
    PaymentTiming,
    Purchase,
    Reservation,
    ReservationTerm,
)
from tehai.domain.problem import SCHEMA_VERSION, FiscalYearShare, Problem, Rules
from tehai.domain.programme import Programme, SizeClassRate, UsageGrant
from tehai.domain.supply import Accelerator, FamilyThroughput, Pool, Site
from tehai.domain.workload import CountryRule, GangOption, Member, SizeClass, Workload

FIRST_DATE = date(2027, 4, 5)
PERIOD_HOURS = 168
PERIOD_COUNT = 4
ANY_COUNTRY = CountryRule((), ())
ONLY_JAPAN = CountryRule(("JP",), ())
NO_RULES = Rules(domestic=ONLY_JAPAN, minimum_domestic_shares=(), portfolio_budgets=())


def day(period: int, first_date: date = FIRST_DATE, period_hours: int = PERIOD_HOURS) -> date:
    """Return the first day of a period."""
    return first_date + timedelta(days=period * period_hours // 24)


def yen(amount: str | int | float) -> UnitPrice:
    """Return a price in yen per unit."""
    return UnitPrice(Decimal(str(amount)), JPY)


def dollars(amount: str | int | float) -> UnitPrice:
    """Return a price in dollars per unit."""
    return UnitPrice(Decimal(str(amount)), USD)


def amounts(by_year: Mapping[int, int]) -> tuple[FiscalYearAmount, ...]:
    """Return yen by fiscal year in ascending order of years."""
    return tuple(FiscalYearAmount(year, by_year[year]) for year in sorted(by_year))


def make_calendar(
    period_count: int = PERIOD_COUNT, first_date: date = FIRST_DATE, period_hours: int = PERIOD_HOURS
) -> Calendar:
    """Return weeks from Monday 2027-04-05 on."""
    return Calendar(first_date=first_date, period_hours=period_hours, period_count=period_count)


def make_market(spot: str = "150", spot_date: date = FIRST_DATE, yen_rate: str = "0", dollar_rate: str = "0") -> Market:
    """Return a market whose forward curve is flat unless rates are given."""
    return Market(Decimal(spot), spot_date, Decimal(yen_rate), Decimal(dollar_rate))


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
) -> Site:
    """Return a Japanese site without a power limit."""
    electricity = None if electricity_yen_per_kwh is None else Decimal(electricity_yen_per_kwh)
    return Site(name, name, country_code, operator_country_code, power_limit_kw, power_usage_effectiveness, electricity)


def make_pool(
    name: str = "pool", site_id: str = "site", accelerator_id: str = "chip", gang_accelerators_max: int = 1024
) -> Pool:
    """Return a pool of "chip" at "site"."""
    return Pool(name, name, site_id, accelerator_id, gang_accelerators_max)


def make_offer(kind: OfferKind, name: str = "offer", pool_id: str = "pool") -> Offer:
    """Return an offer of any kind in "pool"."""
    return Offer(name, name, pool_id, kind)


def on_demand(
    price: UnitPrice | None = None,
    quota: int = 64,
    from_date: date | None = None,
    until_date: date | None = None,
) -> OnDemand:
    """Return 64 accelerators at 500 yen per hour used."""
    return OnDemand(price or yen(500), quota, from_date, until_date)


def term(periods: int, price: UnitPrice | None = None, prepaid: bool = False) -> ReservationTerm:
    """Return a term at 300 yen per accelerator-hour, paid period by period unless ``prepaid``."""
    timing = PaymentTiming.PREPAID if prepaid else PaymentTiming.PERIODIC
    return ReservationTerm(periods, price or yen(300), timing)


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
) -> Purchase:
    """Return up to 8 units of 8 accelerators, delivered at once, that live 100 periods."""
    delivery = tuple(DeliveryStep(periods, fraction) for periods, fraction in steps)
    return Purchase(
        unit, units_max, price or yen(1_000_000), delivery, life, residual, haircut, metered, from_date, until_date
    )


def existing(
    accelerators: int = 64, from_date: date | None = None, until_date: date | None = None, metered: bool = False
) -> Existing:
    """Return 64 owned accelerators."""
    return Existing(accelerators, from_date, until_date, metered)


def make_member(name: str = "member", size_class: SizeClass = SizeClass.LARGE) -> Member:
    """Return a large member."""
    return Member(name, name, size_class)


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
) -> Workload:
    """Return one week on eight accelerators, worth 100 million yen, with a window of four default weeks.

    ``release`` and ``deadline`` are dates, or periods of the default calendar; ``not_run_yen=None`` makes it mandatory.
    """
    return Workload(
        id=name,
        display_name=name,
        member_id=member_id,
        project_id=project_id,
        release_date=day(release) if isinstance(release, int) else release,
        deadline_date=day(deadline) if isinstance(deadline, int) else deadline,
        normalised_accelerator_hours=None if flops is not None else hours,
        flops=flops,
        gang_options=tuple(GangOption(n, kept) for n, kept in (gangs or {8: 1.0}).items()),
        memory_gb=memory_gb,
        software_family=family,
        sovereignty=sovereignty,
        tags=tuple(tags),
        late_start_yen_per_period=late_yen,
        cost_not_run_yen=not_run_yen,
    )


def make_programme(
    name: str = "grant",
    rates: Mapping[SizeClass, float] | None = None,
    from_date: date = date(2020, 4, 1),
    until_date: date = date(2040, 4, 1),
    pool_ids: Sequence[str] = (),
    countries: CountryRule = ANY_COUNTRY,
    tags: Sequence[str] = (),
    project_cap_yen: int | None = None,
    budgets: Mapping[int, int] | None = None,
) -> Programme:
    """Return a grant of half the reference bill for everybody, without caps."""
    shares = {SizeClass.LARGE: 0.5, SizeClass.SME: 0.5} if rates is None else rates
    kind = UsageGrant(
        rates=tuple(SizeClassRate(size_class, rate) for size_class, rate in shares.items()),
        eligible_pool_ids=tuple(pool_ids),
        eligible_countries=countries,
        eligible_tags=tuple(tags),
        project_cap_yen=project_cap_yen,
        budgets=amounts(budgets or {}),
    )
    return Programme(name, name, from_date, until_date, kind)


def make_rules(
    domestic: CountryRule = ONLY_JAPAN,
    shares: Mapping[int, float] | None = None,
    budgets: Mapping[int, int] | None = None,
) -> Rules:
    """Return rules in which sites in Japan are domestic."""
    listed = tuple(FiscalYearShare(year, share) for year, share in sorted((shares or {}).items()))
    return Rules(domestic=domestic, minimum_domestic_shares=listed, portfolio_budgets=amounts(budgets or {}))


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
    )
