"""The rules over the whole portfolio, between message and domain."""

from __future__ import annotations

from tehai.domain.limits import LIMITS
from tehai.domain.problem import ConcentrationLimit, FiscalYearMass, FiscalYearShare, Rules
from tehai.domain.workload import CountryRule
from tehai.v1 import problem_pb2
from tehai.wire.market import (
    decimal_or_unset,
    decimal_or_zero_from_proto,
    double_to_wire,
    fiscal_year_amounts_from_proto,
    fiscal_year_amounts_to_proto,
)
from tehai.wire.reading import Reader
from tehai.wire.workload import country_rule_from_proto

DOMESTIC_BY_DEFAULT = CountryRule(("JP",), ())


def _domestic_from_proto(message: problem_pb2.Rules, reader: Reader, path: str) -> CountryRule:
    if not message.HasField("domestic"):
        return DOMESTIC_BY_DEFAULT
    rule = message.domestic
    return country_rule_from_proto(rule.site_country_codes, rule.operator_country_codes, reader, f"{path}.domestic")


def _share_from_proto(message: problem_pb2.FiscalYearShare, reader: Reader, path: str) -> FiscalYearShare:
    fraction = reader.number(message.share_fraction, path, "share_fraction")
    return FiscalYearShare(fiscal_year=message.fiscal_year, share_fraction=fraction)


def _concentration_from_proto(message: problem_pb2.ConcentrationLimit, reader: Reader, path: str) -> ConcentrationLimit:
    return ConcentrationLimit(
        operator_id=message.operator_id,
        fiscal_year=message.fiscal_year,
        share_fraction=reader.number(message.share_fraction, path, "share_fraction"),
    )


def _mass_from_proto(message: problem_pb2.FiscalYearMass, reader: Reader, path: str) -> FiscalYearMass:
    return FiscalYearMass(fiscal_year=message.fiscal_year, mass_kg=reader.number(message.mass_kg, path, "mass_kg"))


def rules_from_proto(message: problem_pb2.Rules, reader: Reader, path: str) -> Rules:
    """Read the rules; unset are: domestic (sites in JP), price of carbon (0), ceiling on waiting (none)."""
    years, limits = LIMITS.fiscal_year_rows_per_list, LIMITS.concentration_limits
    shares, concentration = message.minimum_domestic_shares, message.concentration_limits
    waiting_max = message.total_waiting_periods_max if message.HasField("total_waiting_periods_max") else None
    return Rules(
        domestic=_domestic_from_proto(message, reader, path),
        minimum_domestic_shares=reader.each(_share_from_proto, shares, years, path, "minimum_domestic_shares"),
        portfolio_budgets=fiscal_year_amounts_from_proto(message.portfolio_budgets, reader, path, "portfolio_budgets"),
        capital_ceilings=fiscal_year_amounts_from_proto(message.capital_ceilings, reader, path, "capital_ceilings"),
        concentration_limits=reader.each(
            _concentration_from_proto, concentration, limits, path, "concentration_limits"
        ),
        carbon_price_yen_per_kg=decimal_or_zero_from_proto(message, reader, path, "carbon_price_yen_per_kg"),
        carbon_limits=reader.each(_mass_from_proto, message.carbon_limits, years, path, "carbon_limits"),
        total_waiting_periods_max=waiting_max,
    )


def rules_to_proto(rules: Rules) -> problem_pb2.Rules:
    """Write the rules; what is domestic is always written out, since unset does not mean everywhere."""
    return problem_pb2.Rules(
        domestic=problem_pb2.DomesticRule(
            site_country_codes=rules.domestic.site_country_codes,
            operator_country_codes=rules.domestic.operator_country_codes,
        ),
        minimum_domestic_shares=[
            problem_pb2.FiscalYearShare(
                fiscal_year=share.fiscal_year, share_fraction=double_to_wire(share.share_fraction)
            )
            for share in rules.minimum_domestic_shares
        ],
        portfolio_budgets=fiscal_year_amounts_to_proto(rules.portfolio_budgets),
        capital_ceilings=fiscal_year_amounts_to_proto(rules.capital_ceilings),
        concentration_limits=[
            problem_pb2.ConcentrationLimit(
                operator_id=limit.operator_id,
                fiscal_year=limit.fiscal_year,
                share_fraction=double_to_wire(limit.share_fraction),
            )
            for limit in rules.concentration_limits
        ],
        carbon_price_yen_per_kg=decimal_or_unset(rules.carbon_price_yen_per_kg),
        carbon_limits=[
            problem_pb2.FiscalYearMass(fiscal_year=limit.fiscal_year, mass_kg=double_to_wire(limit.mass_kg))
            for limit in rules.carbon_limits
        ],
        total_waiting_periods_max=rules.total_waiting_periods_max,
    )
