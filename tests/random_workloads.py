"""Workloads of a random problem with everything they ask for, and the routes for their data."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta

from tehai.domain.problem import Route
from tehai.domain.workload import CountryRule, GangOption, Porting, Workload
from tests import builders as make
from tests.random_draw import YEN_PER_NORMALISED_HOUR, Draw

WORKLOADS_MAX = 12
FLOPS_PER_SECOND = 4e14
FAMILIES = ("torch", "jax")
TAGS = ("robotics", "language")
PAUSING_WINDOW_PERIODS = 7
YEN_PER_TERABYTE = 4000


def hours_of(workload: Workload) -> float:
    """Return the work of a workload in normalised accelerator-hours."""
    return workload.normalised_accelerator_hours or (workload.flops or 0.0) / (3600 * FLOPS_PER_SECOND)


def value_of(workload: Workload) -> float:
    """Return what the work of a workload costs at the usual price, in yen."""
    return hours_of(workload) * YEN_PER_NORMALISED_HOUR


def workloads_of(draw: Draw) -> tuple[Workload, ...]:
    """Return five to twelve workloads, one of them mandatory where the problem promises it."""
    count = draw.random.choice((5, 6, 7, 7, 8, 8, 9, 10, WORKLOADS_MAX))
    workloads = [_workload(draw, number) for number in range(count)]
    if draw.on["pausing"]:
        for number in draw.random.sample(range(count), draw.random.choice((2, 2, 3))):
            workloads[number] = _made_pausing(draw, workloads[number])
    if draw.one_mandatory:
        mandatory = draw.random.randrange(count)
        workloads[mandatory] = _made_mandatory(draw, workloads[mandatory])
    if draw.on["precedence"]:
        workloads = _ordered(draw, workloads)
    return tuple(workloads)


def _workload(draw: Draw, number: int) -> Workload:
    unit_gang = max(8, draw.unit // draw.random.choice((1, 1, 2, 2, 3)))
    count = draw.random.randint(1, 3)
    loss = draw.random.uniform(0.02, 0.15)
    gangs = {unit_gang * 2**step: round((1 - loss) ** step, 4) for step in range(count)}
    run_periods = draw.between(0.2, 4.0)
    hours = unit_gang * run_periods * draw.calendar.period_hours
    length = math.ceil(run_periods) + draw.random.randint(0, 5)
    release = draw.random.randint(0, max(0, draw.period_count - length - 1))
    value = hours * YEN_PER_NORMALISED_HOUR
    workload = make.make_workload(
        name=f"job-{number}",
        hours=round(hours, 2),
        gangs=gangs,
        release=draw.day(release) - draw.days(0, 0, 0, 2),
        deadline=draw.end_day(min(draw.period_count, release + length)) + draw.days(0, 0, 3),
        member_id=draw.random.choice(draw.members).id,
        project_id=draw.random.choice(("", "project-x", "project-x", "project-y")),
        memory_gb=unit_gang * draw.random.choice((16.0, 48.0, 72.0, 110.0, 160.0)),
        family=draw.random.choice(("torch", "torch", "jax")),
        sovereignty=_sovereignty(draw),
        tags=draw.random.sample(TAGS, draw.random.randint(0, 2)),
        late_yen=round(value * draw.random.choice((0.0, 0.01, 0.04, 0.1))),
        not_run_yen=round(value * draw.between(0.7, 2.2)),
    )
    if draw.happens(0.25):
        workload = replace(workload, normalised_accelerator_hours=None, flops=hours * 3600 * FLOPS_PER_SECOND)
    return _with_data(draw, _with_porting(draw, workload))


def _sovereignty(draw: Draw) -> CountryRule:
    if draw.happens(0.6):
        return make.ANY_COUNTRY
    return draw.random.choice((CountryRule(("JP",), ()), CountryRule(("JP",), ("JP",)), CountryRule((), ("JP",))))


def _with_data(draw: Draw, workload: Workload) -> Workload:
    if not draw.on["data"] or draw.happens(0.5):
        return workload
    terabytes = round(value_of(workload) * draw.between(0.005, 0.1) / YEN_PER_TERABYTE, 1)
    return replace(workload, data_site_id=draw.random.choice(draw.places).site.id, data_terabytes=terabytes)


def _with_porting(draw: Draw, workload: Workload) -> Workload:
    if not draw.on["porting"] or draw.happens(0.4):
        return workload
    chips = draw.random.sample(draw.chips, 2)
    porting = tuple(Porting(chip.id, round(value_of(workload) * draw.between(0.01, 0.12))) for chip in chips)
    return replace(workload, porting=porting)


def _made_pausing(draw: Draw, workload: Workload) -> Workload:
    """Return the workload as one that may pause: a run of some periods in a window that is not too long."""
    gang = workload.gang_options[0]
    speed = gang.accelerators * gang.scaling_efficiency_fraction
    hours = speed * draw.random.uniform(1.2, 3.0) * draw.calendar.period_hours
    release = draw.random.randint(0, draw.period_count - PAUSING_WINDOW_PERIODS)
    value = hours * YEN_PER_NORMALISED_HOUR
    return replace(
        workload,
        normalised_accelerator_hours=round(hours, 2),
        flops=None,
        gang_options=workload.gang_options[:2],
        memory_gb=gang.accelerators * 16.0,
        release_date=draw.day(release),
        deadline_date=draw.end_day(release + PAUSING_WINDOW_PERIODS),
        sovereignty=make.ANY_COUNTRY,
        late_start_yen_per_period=round(value * draw.random.choice((0.0, 0.03, 0.1, 0.2))),
        cost_not_run_yen=round(value * draw.between(1.0, 2.5)),
        pausing=make.pausing(draw.random.choice((1, 1, 2)), draw.random.choice((0.0, 24.0, 48.0, 72.0))),
    )


def _made_mandatory(draw: Draw, workload: Workload) -> Workload:
    """Return the workload as a mandatory one: easy to place and dear, so that it would rather not run."""
    return replace(
        workload,
        normalised_accelerator_hours=min(hours_of(workload), draw.unit / 20 * draw.calendar.period_hours * 4),
        flops=None,
        cost_not_run_yen=None,
        gang_options=(GangOption(draw.unit // 4, 0.7), GangOption(draw.unit // 2, 0.65)),
        sovereignty=make.ANY_COUNTRY,
        release_date=draw.day(0),
        deadline_date=draw.end_day(draw.period_count),
        memory_gb=1.0,
        software_family="torch",
        data_site_id=None,
        data_terabytes=0.0,
        pausing=None,
    )


def _ordered(draw: Draw, workloads: list[Workload]) -> list[Workload]:
    """Let one or two optional workloads wait for another one that is released before they have to end."""
    by_release = sorted(range(len(workloads)), key=lambda number: (workloads[number].release_date, number))
    ordered = list(workloads)
    for _ in range(draw.random.choice((1, 2, 2))):
        first, second = sorted(draw.random.sample(range(len(by_release)), 2))
        before, after = by_release[first], by_release[second]
        workload = ordered[after]
        # in the order of release, so that there is no cycle
        if workload.cost_not_run_yen is None or workloads[before].id in workload.after_workload_ids:
            continue
        room = draw.calendar.period_hours * draw.random.randint(0, 2) // 24
        last = draw.end_day(draw.period_count)
        ordered[after] = replace(
            workload,
            after_workload_ids=(*workload.after_workload_ids, workloads[before].id),
            deadline_date=min(last, workload.deadline_date + timedelta(days=room)),
        )
    return ordered


def routes_of(draw: Draw) -> tuple[Route, ...]:
    """Return ways between the sites, most of them; dearer out of the country of the data."""
    if not draw.on["data"]:
        return ()
    sites = list({place.site.id: place.site for place in draw.places}.values())
    routes = []
    for start in sites:
        for end in sites:
            if start is not end and draw.happens(0.5):
                factor = draw.between(0.5, 2.0)
                abroad = start.country_code != "JP" and draw.happens(0.7)
                yen = YEN_PER_TERABYTE * factor
                price = make.dollars(f"{yen / 150:.2f}") if abroad else make.yen(round(yen))
                routes.append(make.route(start.id, end.id, price))
    return tuple(routes)
