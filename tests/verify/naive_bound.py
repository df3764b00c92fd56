"""The certificate of docs/rules.md evaluated column by column: the witness of ``compute_bound``."""

from __future__ import annotations

from tehai.domain.certificate import Certificate
from tehai.domain.offer import Existing, Offer, OnDemand, Purchase, Reservation, ReservationTerm
from tehai.domain.problem import Problem
from tehai.domain.programme import Programme
from tehai.domain.workload import Workload
from tests.verify.naive import Naive, NaiveColumn, kept, prepaid


def naive_bound(problem: Problem, certificate: Certificate) -> float:
    """Return the bound of projected prices, yen."""
    return _NaiveBound(problem, certificate).value()


class _NaiveBound:
    def __init__(self, problem: Problem, certificate: Certificate) -> None:
        self.naive = Naive(problem)
        self.problem = problem
        self.pi = {(p.subject_id, t): max(0, v) for p in certificate.capacity_prices for t, v in enumerate(p.values)}
        self.rho = {(p.subject_id, t): max(0, v) for p in certificate.power_prices for t, v in enumerate(p.values)}
        self.sigma = {p.fiscal_year: max(0, p.value) for p in certificate.domestic_share_prices}
        self.beta = {p.fiscal_year: max(0, p.value) for p in certificate.budget_prices}
        self.nu = {(p.programme_id, p.fiscal_year): max(0, p.value) for p in certificate.programme_budget_prices}
        self.mu = {(p.programme_id, p.project_id): max(0, p.value) for p in certificate.project_cap_prices}

    def value(self) -> float:
        """The whole sum."""
        total = sum(self._workload(workload) for workload in self.problem.workloads)
        total += sum(self._supply(offer) for offer in self.problem.offers)
        for site in self.problem.sites:
            if site.power_limit_kw is not None:
                for t in range(self.naive.count):
                    total -= self.rho.get((site.id, t), 0) * site.power_limit_kw * self.naive.period_hours
        for budget in self.problem.rules.portfolio_budgets:
            total -= self.beta.get(budget.fiscal_year, 0) * budget.amount_yen
        for programme in self.problem.programmes:
            for yearly in programme.kind.budgets:
                total -= self.nu.get((programme.id, yearly.fiscal_year), 0) * yearly.amount_yen
            for (programme_id, _), price in self.mu.items():
                if programme_id == programme.id:
                    total -= price * (programme.kind.project_cap_yen or 0)
        return total

    def _workload(self, workload: Workload) -> float:
        prices = [self._column(column) for column in self.naive.columns(workload)]
        if workload.cost_not_run_yen is not None:
            prices.append(float(workload.cost_not_run_yen))
        return min(prices, default=0.0)

    def _column(self, column: NaiveColumn) -> float:
        naive, workload, pool = self.naive, column.workload, column.pool
        price = float(workload.late_start_yen_per_period * (column.start - naive.release(workload)))
        whole = sum(column.hours.values())
        shares = {s.fiscal_year: s.share_fraction for s in self.problem.rules.minimum_domestic_shares}
        for t, hours in column.hours.items():
            price += hours * self.pi.get((pool.id, t), 0)
            price += hours * self.rho.get((pool.site_id, t), 0) * naive.kilowatts(pool)
            work = naive.work(workload) * hours / whole
            year = naive.year(t)
            price += self.sigma.get(year, 0) * (shares.get(year, 0) - naive.domestic(pool)) * work
        return price - max([0.0] + [self._claims(programme, column) for programme in self.problem.programmes])

    def _claims(self, programme: Programme, column: NaiveColumn) -> float:
        rate = self.naive.grant_rate(programme, column.workload, column.pool)
        left = float("inf") if programme.kind.project_cap_yen is None else float(programme.kind.project_cap_yen)
        mu = self.mu.get((programme.id, column.workload.project), 0)
        years = [
            (1 + self.beta.get(year, 0) - self.nu.get((programme.id, year), 0) - mu, rate * cost)
            for year, cost in self.naive.eligible(programme, column).items()
        ]
        worth = 0.0
        for value, most in sorted(years, reverse=True):
            if value > 0:
                claim = min(most, left)
                left -= claim
                worth += value * claim
        return worth

    def _supply(self, offer: Offer) -> float:
        naive, kind = self.naive, offer.kind
        if isinstance(kind, OnDemand | Existing):
            total = 0.0
            for t in range(naive.count):
                own = (
                    naive.yen(kind.price_per_accelerator_hour, t) if isinstance(kind, OnDemand) else self._power(offer)
                )
                gain = own * self._paid(t) - self.pi.get((offer.pool_id, t), 0)
                total += naive.most_live(offer, t) * naive.period_hours * min(0.0, gain)
            return total
        if isinstance(kind, Reservation):
            return kind.blocks_max * self._best_terms(offer, kind)
        costs = [self._unit(offer, kind, s) for s in naive.order_periods(kind)]
        return kind.units_max * min([0.0, *costs])

    def _power(self, offer: Offer) -> float:
        return self.naive.electricity(offer)

    def _paid(self, t: int) -> float:
        return 1 + self.beta.get(self.naive.year(t), 0)

    def _best_terms(self, offer: Offer, kind: Reservation) -> float:
        count = self.naive.count
        best = {count: 0.0}
        for t in range(count - 1, -1, -1):
            choices = [best[t + 1]]
            if t in self.naive.term_starts(kind):
                choices += [
                    self._block(offer, kind, term, t) + best[min(t + term.term_periods, count)] for term in kind.terms
                ]
            best[t] = min(choices)
        return best[0]

    def _block(self, offer: Offer, kind: Reservation, term: ReservationTerm, s: int) -> float:
        naive = self.naive
        hours = kind.block_accelerators * naive.period_hours
        price = term.price_per_accelerator_hour
        periods = range(s, min(s + term.term_periods, naive.count))
        worth = sum(hours * self.pi.get((offer.pool_id, t), 0) for t in periods)
        if prepaid(term):
            booking = s - kind.lead_time_periods
            fee = hours * term.term_periods * naive.yen(price, booking)
            share = min(term.term_periods, naive.count - s) / term.term_periods
            return fee * share + fee * self.beta.get(naive.year(booking), 0) - worth
        return sum(hours * naive.yen(price, t) * self._paid(t) for t in periods) - worth

    def _unit(self, offer: Offer, kind: Purchase, s: int) -> float:
        naive = self.naive
        first = kind.delivery_steps[0].periods_after_order
        share = min(kind.life_periods, naive.count - s - first) / kind.life_periods
        price = naive.yen(kind.price_per_unit, s)
        cost = price * kept(kind) * share + self.beta.get(naive.year(s), 0) * price
        for t in range(s, naive.count):
            gain = max(0.0, self.pi.get((offer.pool_id, t), 0) - self._power(offer) * self._paid(t))
            cost -= kind.unit_accelerators * naive.period_hours * naive.ramp(kind, t - s) * gain
        return cost
