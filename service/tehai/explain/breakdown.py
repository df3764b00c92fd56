"""Everything that follows from a plan and its prices for the people who pay."""

from __future__ import annotations

from tehai.domain.certificate import Certificate
from tehai.domain.plan import Plan
from tehai.domain.problem import Problem
from tehai.domain.result import Breakdown
from tehai.explain.claims import claim_uses
from tehai.explain.members import member_bills
from tehai.explain.reading import Reading
from tehai.explain.references import references
from tehai.explain.shadow import shadow_prices
from tehai.explain.sides import by_component, by_currency, by_fiscal_year, by_member, by_site


def breakdown(problem: Problem, plan: Plan, certificate: Certificate) -> Breakdown:
    """Return the breakdown of a valid plan of a valid problem, with a certificate that has no faults of form.

    Each ``by_`` list and the member bills sum to ``plan.objective_yen``.
    """
    reading, found = Reading(problem, plan), references(problem)
    return Breakdown(
        by_component=by_component(reading),
        by_member=by_member(reading),
        by_site=by_site(reading),
        by_currency=by_currency(reading),
        by_fiscal_year=by_fiscal_year(reading),
        claim_uses=claim_uses(reading),
        shadow_prices=shadow_prices(reading, certificate, found),
        member_bills=member_bills(reading, certificate, found),
    )
