"""Members and workloads, between message and domain."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tehai.domain.limits import LIMITS
from tehai.domain.workload import CountryRule, GangOption, Member, Pausing, Porting, SizeClass, Workload
from tehai.v1 import workload_pb2
from tehai.wire.market import (
    double_or_unset,
    double_to_wire,
    fiscal_year_amounts_from_proto,
    fiscal_year_amounts_to_proto,
    optional_decimal_from_proto,
    optional_decimal_to_text,
    optional_double_to_wire,
    optional_number_from_proto,
)
from tehai.wire.reading import PLACEHOLDER_NUMBER, Choices, Reader, member_path

SIZE_CLASSES = Choices(SizeClass, workload_pb2.SizeClass)
ANYWHERE = CountryRule((), ())


def strings_from_proto(values: Sequence[str], reader: Reader, path: str, name: str) -> tuple[str, ...]:
    """Read a list of strings of bounded length."""
    return tuple(reader.limited(values, LIMITS.strings_per_list, path, name))


def country_rule_from_proto(
    site_country_codes: Sequence[str], operator_country_codes: Sequence[str], reader: Reader, path: str
) -> CountryRule:
    """Read the two lists of a rule on countries; ``path`` is that of the message that holds them."""
    return CountryRule(
        site_country_codes=strings_from_proto(site_country_codes, reader, path, "site_country_codes"),
        operator_country_codes=strings_from_proto(operator_country_codes, reader, path, "operator_country_codes"),
    )


def member_from_proto(message: workload_pb2.Member, reader: Reader, path: str) -> Member:
    """Read a member."""
    return Member(
        id=message.id,
        display_name=message.display_name,
        size_class=SIZE_CLASSES.from_wire(message.size_class, reader, path, "size_class"),
        flags=strings_from_proto(message.flags, reader, path, "flags"),
        budgets=fiscal_year_amounts_from_proto(message.budgets, reader, path, "budgets"),
        share_fraction=optional_number_from_proto(message, reader, path, "share_fraction"),
        cost_of_capital=optional_decimal_from_proto(message, reader, path, "cost_of_capital"),
    )


def member_to_proto(member: Member) -> workload_pb2.Member:
    """Write a member."""
    return workload_pb2.Member(
        id=member.id,
        display_name=member.display_name,
        size_class=SIZE_CLASSES.to_wire(member.size_class),
        flags=member.flags,
        budgets=fiscal_year_amounts_to_proto(member.budgets),
        share_fraction=optional_double_to_wire(member.share_fraction),
        cost_of_capital=optional_decimal_to_text(member.cost_of_capital),
    )


def _work_from_proto(message: workload_pb2.Workload, reader: Reader, path: str) -> tuple[float | None, float | None]:
    match message.WhichOneof("work"):
        case "normalised_accelerator_hours":
            hours = message.normalised_accelerator_hours
            return reader.number(hours, path, "normalised_accelerator_hours"), None
        case "flops":
            return None, reader.number(message.flops, path, "flops")
        case None:
            names = ("normalised_accelerator_hours", "flops")
            reader.no_alternative(path, names, taint="normalised_accelerator_hours")
            return PLACEHOLDER_NUMBER, None


def _cost_not_run_from_proto(message: workload_pb2.Workload, reader: Reader, path: str) -> int | None:
    match message.WhichOneof("not_run"):
        case "cost_not_run_yen":
            return message.cost_not_run_yen
        case "mandatory":
            if not message.mandatory:
                reader.fail("E1112", member_path(path, "mandatory"), "mandatory is false")
            return None
        case None:
            reader.no_alternative(path, ("cost_not_run_yen", "mandatory"), taint="cost_not_run_yen")
            return 0


def _gang_option_from_proto(message: workload_pb2.GangOption, reader: Reader, path: str) -> GangOption:
    fraction = reader.number(message.scaling_efficiency_fraction, path, "scaling_efficiency_fraction")
    return GangOption(accelerators=message.accelerators, scaling_efficiency_fraction=fraction)


def _sovereignty_from_proto(message: workload_pb2.Workload, reader: Reader, path: str) -> CountryRule:
    if not message.HasField("sovereignty"):
        return ANYWHERE
    rule = message.sovereignty
    return country_rule_from_proto(rule.site_country_codes, rule.operator_country_codes, reader, f"{path}.sovereignty")


def _porting_from_proto(messages: Sequence[workload_pb2.Porting], reader: Reader, path: str) -> tuple[Porting, ...]:
    listed = reader.limited(messages, LIMITS.portings_per_workload, path, "porting")
    return tuple(Porting(accelerator_id=m.accelerator_id, amount_yen=m.amount_yen) for m in listed)


def _pausing_from_proto(message: workload_pb2.Workload, reader: Reader, path: str) -> Pausing | None:
    if not message.HasField("pausing"):
        return None
    overhead = reader.number(message.pausing.resume_overhead_hours, f"{path}.pausing", "resume_overhead_hours")
    return Pausing(pauses_max=message.pausing.pauses_max, resume_overhead_hours=overhead)


def workload_from_proto(message: workload_pb2.Workload, reader: Reader, path: str) -> Workload:
    """Read a workload; unset are: sovereignty (every country), data (nothing to move), pausing (in one piece)."""
    normalised_accelerator_hours, flops = _work_from_proto(message, reader, path)
    after = reader.limited(message.after_workload_ids, LIMITS.predecessors_per_workload, path, "after_workload_ids")
    return Workload(
        id=message.id,
        display_name=message.display_name,
        member_id=message.member_id,
        project_id=message.project_id,
        release_date=reader.date(message.release_date, path, "release_date"),
        deadline_date=reader.date(message.deadline_date, path, "deadline_date"),
        normalised_accelerator_hours=normalised_accelerator_hours,
        flops=flops,
        gang_options=reader.each(
            _gang_option_from_proto, message.gang_options, LIMITS.gang_options_per_workload, path, "gang_options"
        ),
        memory_gb=reader.number(message.memory_gb, path, "memory_gb"),
        software_family=message.software_family,
        sovereignty=_sovereignty_from_proto(message, reader, path),
        tags=strings_from_proto(message.tags, reader, path, "tags"),
        late_start_yen_per_period=message.late_start_yen_per_period,
        cost_not_run_yen=_cost_not_run_from_proto(message, reader, path),
        after_workload_ids=tuple(after),
        data_site_id=message.data_site_id if message.HasField("data_site_id") else None,
        data_terabytes=optional_number_from_proto(message, reader, path, "data_terabytes") or 0.0,
        porting=_porting_from_proto(message.porting, reader, path),
        pausing=_pausing_from_proto(message, reader, path),
    )


def _gang_options_to_proto(options: Iterable[GangOption]) -> list[workload_pb2.GangOption]:
    return [
        workload_pb2.GangOption(
            accelerators=option.accelerators,
            scaling_efficiency_fraction=double_to_wire(option.scaling_efficiency_fraction),
        )
        for option in options
    ]


def _sovereignty_to_proto(rule: CountryRule) -> workload_pb2.SovereigntyRule | None:
    if rule == ANYWHERE:
        return None
    return workload_pb2.SovereigntyRule(
        site_country_codes=rule.site_country_codes, operator_country_codes=rule.operator_country_codes
    )


def _pausing_to_proto(pausing: Pausing | None) -> workload_pb2.Pausing | None:
    if pausing is None:
        return None
    overhead = double_to_wire(pausing.resume_overhead_hours)
    return workload_pb2.Pausing(pauses_max=pausing.pauses_max, resume_overhead_hours=overhead)


def workload_to_proto(workload: Workload) -> workload_pb2.Workload:
    """Write a workload; a sovereignty rule that accepts every country and data of no size are left unset."""
    message = workload_pb2.Workload(
        id=workload.id,
        display_name=workload.display_name,
        member_id=workload.member_id,
        project_id=workload.project_id,
        release_date=workload.release_date.isoformat(),
        deadline_date=workload.deadline_date.isoformat(),
        gang_options=_gang_options_to_proto(workload.gang_options),
        memory_gb=double_to_wire(workload.memory_gb),
        software_family=workload.software_family,
        sovereignty=_sovereignty_to_proto(workload.sovereignty),
        tags=workload.tags,
        late_start_yen_per_period=workload.late_start_yen_per_period,
        after_workload_ids=workload.after_workload_ids,
        data_site_id=workload.data_site_id,
        data_terabytes=double_or_unset(workload.data_terabytes),
        porting=[
            workload_pb2.Porting(accelerator_id=p.accelerator_id, amount_yen=p.amount_yen) for p in workload.porting
        ],
        pausing=_pausing_to_proto(workload.pausing),
    )
    if workload.normalised_accelerator_hours is not None:
        message.normalised_accelerator_hours = double_to_wire(workload.normalised_accelerator_hours)
    if workload.flops is not None:
        message.flops = double_to_wire(workload.flops)
    if workload.cost_not_run_yen is None:
        message.mandatory = True
    else:
        message.cost_not_run_yen = workload.cost_not_run_yen
    return message
