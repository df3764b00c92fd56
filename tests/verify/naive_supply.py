"""The supply side of the certificate of docs/rules.md, offer by offer, and its prices by what they price."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from tehai.domain.certificate import Certificate, PricePath
from tehai.domain.offer import Allocation, CapacityBlock, Offer, OnDemand, Purchase, Reservation
from tests.verify.naive import kept, payments_of, upfront
from tests.verify.naive_columns import NaiveColumns


class NaivePrices:
    """Projected prices, 0 where there is none, by the letters of the rules."""

    def __init__(self, certificate: Certificate) -> None:
        c = certificate
        self.pi = _by_period(c.capacity_prices)
        self.rho = _by_period(c.power_prices)
        self.sigma = _table((p.fiscal_year, p.value) for p in c.domestic_share_prices)
        self.beta = _table((p.fiscal_year, p.value) for p in c.budget_prices)
        self.nu = _table(((p.programme_id, p.fiscal_year), p.value) for p in c.programme_budget_prices)
        self.mu = _table(((p.programme_id, p.project_id), p.value) for p in c.project_cap_prices)
        self.chi = _table(((p.operator_id, p.fiscal_year), p.value) for p in c.concentration_prices)
        self.gamma = _table(((p.member_id, p.fiscal_year), p.value) for p in c.member_budget_prices)
        self.eta = _table(((p.programme_id, p.member_id, p.fiscal_year), p.value) for p in c.member_cap_prices)
        self.alpha = _table((p.fiscal_year, p.value) for p in c.capital_ceiling_prices)
        self.delta = _table((p.fiscal_year, p.value) for p in c.carbon_prices)
        self.omega = max(0.0, c.waiting_price)
        self.theta = {
            (p.before_workload_id, p.after_workload_id): [max(0.0, v) for v in p.values] for p in c.precedence_prices
        }


class _Table(dict[Any, float]):
    """Prices by what they price, 0 where there is none."""

    def __missing__(self, key: Any) -> float:  # noqa: ANN401
        return 0.0


def _table(items: Iterable[tuple[Any, float]]) -> _Table:
    return _Table((key, max(0.0, value)) for key, value in items)


def _by_period(paths: Iterable[PricePath]) -> _Table:
    return _table(((path.subject_id, t), value) for path in paths for t, value in enumerate(path.values))


def naive_supply(naive: NaiveColumns, prices: NaivePrices, offer: Offer) -> float:
    """supply(o)."""
    kind = offer.kind
    if isinstance(kind, Allocation):
        return _allocation(naive, prices, offer, kind)
    if isinstance(kind, Reservation | CapacityBlock):
        return kind.blocks_max * _best_chain(naive, prices, offer, kind)
    if isinstance(kind, Purchase):
        return kind.units_max * min([0.0, *(_unit(naive, prices, offer, kind, s) for s in naive.order_periods(kind))])
    total = 0.0
    for t in range(naive.count):
        own = naive.cur(kind.price_per_accelerator_hour, t) if isinstance(kind, OnDemand) else 0.0
        gain = (own + naive.electricity(offer, t)) * paid(naive, prices, t) - prices.pi[offer.pool_id, t]
        total += naive.most_live(offer, t) * naive.period_hours * min(0.0, gain)
    return total


def paid(naive: NaiveColumns, prices: NaivePrices, t: int) -> float:
    """What a yen that the portfolio pays in a period counts."""
    return naive.discount(t) + prices.beta[naive.year(t)]


def _allocation(naive: NaiveColumns, prices: NaivePrices, offer: Offer, kind: Allocation) -> float:
    total = 0.0
    for year in naive.years:
        left = sum(q.accelerator_hours for q in kind.quotas if q.fiscal_year == year)
        gains = []
        for t in range(naive.count):
            if naive.year(t) == year:
                cost = naive.cur(kind.price_per_accelerator_hour, t) * paid(naive, prices, t)
                gains.append((cost - prices.pi[offer.pool_id, t], naive.most_live(offer, t) * naive.period_hours))
        for gain, most in sorted(gains):
            if gain < 0:
                total += gain * min(most, left)
                left -= min(most, left)
    return total


def _best_chain(naive: NaiveColumns, prices: NaivePrices, offer: Offer, kind: Reservation | CapacityBlock) -> float:
    options: defaultdict[int, list[tuple[int, float]]] = defaultdict(list)
    if isinstance(kind, Reservation):
        for s in naive.term_starts(kind):
            for k, term in enumerate(kind.terms):
                options[s].append((term.term_periods, _term(naive, prices, offer, kind, k, s)))
    else:
        for length, s, b in naive.block_options(kind):
            hours = naive.block_hours(length, s)
            fee = kind.block_accelerators * 24 * length.term_days * naive.cur(length.price_per_accelerator_hour, b)
            inside = sum(h for t, h in hours.items() if t < naive.count) / (24 * length.term_days)
            cost = fee * (naive.discount(b) * inside + prices.beta[naive.year(b)])
            cost -= sum(kind.block_accelerators * h * prices.pi[offer.pool_id, t] for t, h in hours.items())
            options[s].append((len(hours), cost))
    best = {naive.count: 0.0}
    for t in range(naive.count - 1, -1, -1):
        best[t] = min([best[t + 1], *(cost + best[min(t + length, naive.count)] for length, cost in options[t])])
    return best[0]


def _term(naive: NaiveColumns, prices: NaivePrices, offer: Offer, kind: Reservation, k: int, s: int) -> float:
    term = kind.terms[k]
    hours = kind.block_accelerators * naive.period_hours
    price, b, u = term.price_per_accelerator_hour, s - kind.lead_time_periods, upfront(term)
    fee = u * hours * term.term_periods * naive.cur(price, b)
    share = min(term.term_periods, naive.count - s) / term.term_periods
    cost = fee * (share * naive.discount(b) + prices.beta[naive.year(b)])
    for t in range(s, min(s + term.term_periods, naive.count)):
        cost += (1 - u) * hours * naive.cur(price, b, t) * paid(naive, prices, t)
        cost -= hours * prices.pi[offer.pool_id, t]
    return cost


def _unit(naive: NaiveColumns, prices: NaivePrices, offer: Offer, kind: Purchase, s: int) -> float:
    owner = naive.members[kind.owner_member_id].cost_of_capital if kind.owner_member_id else None
    first = kind.delivery_steps[0].periods_after_order
    inside = min(kind.life_periods, naive.count - s - first)
    price = naive.cur(kind.price_per_unit, s)
    cost = -naive.discount(s + first + inside, owner) * price * (1 - kept(kind) * inside / kind.life_periods)
    for after, fraction in payments_of(kind):
        instalment = fraction * naive.cur(kind.price_per_unit, s, s + after)
        cost += naive.discount(s + after, owner) * instalment
        if s + after < naive.count:
            year = naive.year(s + after)
            cost += (prices.beta[year] + prices.alpha[year]) * instalment
    for t in range(s, naive.count):
        gain = max(0.0, prices.pi[offer.pool_id, t] - naive.electricity(offer, t) * paid(naive, prices, t))
        cost -= kind.unit_accelerators * naive.period_hours * naive.ramp(kind, t - s) * gain
    return cost - max([0.0, *_claims(naive, prices, offer, kind, s)])


def _claims(naive: NaiveColumns, prices: NaivePrices, offer: Offer, kind: Purchase, s: int) -> list[float]:
    """What one unit may claim from each capital programme, at its value."""
    worths = []
    for programme in naive.problem.programmes:
        rate = naive.order_rate(programme, kind, naive.pools[offer.pool_id])
        if rate > 0 and naive.in_window(programme, s):
            year = naive.year(s)
            paid_in = naive.pay_year(programme, year)
            value = naive.discount(naive.pay_day(programme, year)) - prices.nu[programme.id, year]
            value -= prices.eta[programme.id, kind.owner_member_id, year]
            value += 0.0 if paid_in is None else prices.beta[paid_in]
            worths.append(value * rate * naive.cur(kind.price_per_unit, s) * naive.part_inside(kind, s))
    return worths
