"""Limits on messages, as the scan of a request needs them and as GetLimits tells them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from types import MappingProxyType

from google.protobuf.descriptor import FileDescriptor

from tehai.domain.limits import LIMITS
from tehai.engine.messages import MessageScanner
from tehai.security import ServerLimits, TenantLimits
from tehai.server.settings import ServerSettings
from tehai.v1 import sourcing_service_pb2

_PACKAGE = "tehai.v1"
_YEARS, _STRINGS, _STEPS = LIMITS.fiscal_year_rows_per_list, LIMITS.strings_per_list, LIMITS.steps_per_path
# Most entries of every list of a problem; the rules E19 say the same of a problem that was read.
LIST_LIMITS: Mapping[str, int] = MappingProxyType(
    {
        f"{_PACKAGE}.{name}": limit
        for name, limit in {
            "Problem.accelerators": LIMITS.accelerators,
            "Problem.sites": LIMITS.sites,
            "Problem.pools": LIMITS.pools,
            "Problem.offers": LIMITS.offers,
            "Problem.members": LIMITS.members,
            "Problem.workloads": LIMITS.workloads,
            "Problem.programmes": LIMITS.programmes,
            "Problem.source_notes": LIMITS.source_notes,
            "Problem.routes": LIMITS.routes,
            "CurrentPlan.placements": LIMITS.workloads,
            "Accelerator.throughputs": _STRINGS,
            "Site.electricity_steps": _STEPS,
            "UnitPrice.steps": _STEPS,
            "OnDemand.quota_steps": _STEPS,
            "Reservation.terms": LIMITS.terms_per_reservation,
            "CapacityBlock.terms": LIMITS.terms_per_reservation,
            "Purchase.delivery_steps": LIMITS.steps_per_delivery,
            "Purchase.payment_steps": LIMITS.steps_per_delivery,
            "Existing.accelerator_steps": _STEPS,
            "Existing.payments": _YEARS,
            "Allocation.quotas": _YEARS,
            "Allocation.accelerator_steps": _STEPS,
            "Member.flags": _STRINGS,
            "Member.budgets": _YEARS,
            "Workload.gang_options": LIMITS.gang_options_per_workload,
            "Workload.tags": _STRINGS,
            "Workload.after_workload_ids": LIMITS.predecessors_per_workload,
            "Workload.porting": LIMITS.portings_per_workload,
            "SovereigntyRule.site_country_codes": _STRINGS,
            "SovereigntyRule.operator_country_codes": _STRINGS,
            "UsageGrant.rates": _STRINGS,
            "UsageGrant.eligible_pool_ids": _STRINGS,
            "UsageGrant.eligible_site_country_codes": _STRINGS,
            "UsageGrant.eligible_operator_country_codes": _STRINGS,
            "UsageGrant.eligible_tags": _STRINGS,
            "CapitalGrant.rates": _STRINGS,
            "CapitalGrant.eligible_pool_ids": _STRINGS,
            "CapitalGrant.eligible_site_country_codes": _STRINGS,
            "CapitalGrant.eligible_operator_country_codes": _STRINGS,
            "Programme.budgets": _YEARS,
            "Programme.stackable_programme_ids": LIMITS.stackable_programmes,
            "Programme.claims_made": LIMITS.claims_made_per_programme,
            "DomesticRule.site_country_codes": _STRINGS,
            "DomesticRule.operator_country_codes": _STRINGS,
            "Rules.minimum_domestic_shares": _YEARS,
            "Rules.portfolio_budgets": _YEARS,
            "Rules.capital_ceilings": _YEARS,
            "Rules.concentration_limits": LIMITS.concentration_limits,
            "Rules.carbon_limits": _YEARS,
        }.items()
    }
)


def new_scanner() -> MessageScanner:
    """Return a scanner of the requests of this service, with LIST_LIMITS."""
    files: dict[str, bytes] = {}

    def gather(file: FileDescriptor) -> None:
        if file.name not in files:
            files[file.name] = file.serialized_pb
            for dependency in file.dependencies:
                gather(dependency)

    gather(sourcing_service_pb2.DESCRIPTOR)
    return MessageScanner(files.values(), LIST_LIMITS)


def limits_by_name(settings: ServerSettings, tenant: TenantLimits, server: ServerLimits) -> dict[str, float]:
    """Return every limit that a caller has, by name: of its problem, of its tenant and of this server."""
    named = {name: float(value) for name, value in asdict(LIMITS).items() if name != "input_bytes"}
    named |= tenant.by_name() | {name: float(value) for name, value in asdict(server).items()}
    named["message_bytes"] = float(min(tenant.message_bytes, settings.message_bytes_max))
    named["upload_bytes"] = float(settings.upload_bytes_max)
    named["queue"] = float(settings.queue_max)
    return dict(sorted(named.items()))
