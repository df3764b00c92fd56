"""Offers of a random problem, every kind."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date

from tehai.domain.offer import Offer, OfferKind, OnDemand, ReservationTerm
from tests import builders as make
from tests.random_draw import Draw, Place

# how often a term is paid when booked, over the term, and partly each
TIMINGS = ("prepaid",) * 2 + ("periodic",) * 2 + ("partial",) * 3


def offers_of(draw: Draw, place: Place) -> list[Offer]:
    """Return the offers of one pool; at least one."""
    kinds: list[OfferKind] = []
    if draw.one_mandatory and place is draw.places[0]:
        # domestic capacity without a window or steps, so that a mandatory workload can run whatever the rules are
        kinds.append(replace(_on_demand(draw, place), from_date=None, until_date=None, quota_steps=()))
    elif draw.happens(0.65):
        kinds.append(_on_demand(draw, place))
    if draw.happens(0.75):
        kinds.append(_reservation(draw, place))
    if draw.happens(0.6) or (draw.on["capital grant"] and place is draw.places[0]):
        kinds.append(_purchase(draw, place))
    if draw.on["capacity block"] and draw.happens(0.5):
        kinds.append(_capacity_block(draw, place))
    if draw.owned >= 0 and place is draw.places[draw.owned]:
        kinds.append(_existing(draw))
    if draw.allocated >= 0 and place is draw.places[draw.allocated]:
        kinds.append(_allocation(draw, place))
    kinds = kinds or [_on_demand(draw, place)]
    return [make.make_offer(kind, f"{place.pool.id}-offer-{i}", place.pool.id) for i, kind in enumerate(kinds)]


def _steps(draw: Draw, accelerators: int) -> dict[date, int]:
    """Return a later number of accelerators, often none for a while."""
    if not draw.on["quota steps"] or draw.happens(0.4):
        return {}
    first = draw.random.randint(1, draw.period_count // 2)
    steps = {draw.day(first): 8 * round(accelerators * draw.random.choice((0.0, 0.3, 0.6, 1.8)) / 8)}
    if draw.happens(0.6):
        steps[draw.day(first + draw.random.randint(1, 3))] = 8 * round(accelerators * draw.between(0.7, 1.5) / 8)
    return steps


def _on_demand(draw: Draw, place: Place) -> OnDemand:
    price = draw.price(place, place.yen_per_hour * draw.between(0.95, 1.3))
    quota = draw.accelerators(0.4, 2.5)
    return make.on_demand(price, quota, *draw.window(0.15), steps=_steps(draw, quota))


def _reservation(draw: Draw, place: Place) -> OfferKind:
    block = draw.unit // draw.random.choice((2, 2, 4))
    terms: list[ReservationTerm] = []
    lengths = sorted(draw.random.sample((2, 3, 4, 6, 8, 12, 26), draw.random.randint(1, 3)))
    for length in lengths:
        price = draw.price(place, place.yen_per_hour * (0.57 - 0.06 * math.log2(length)))
        timing = draw.random.choice(TIMINGS)
        upfront = draw.random.choice((0.25, 0.5)) if timing == "partial" else None
        terms.append(make.term(length, price, prepaid=timing == "prepaid", upfront=upfront))
    blocks_max = max(1, round(draw.unit / block * draw.random.choice((0.25, 0.25, 0.25, 0.5, 0.5))))
    return make.reservation(terms, block, blocks_max, draw.random.choice((0, 1, 2, 3, 5)), *draw.window(0.15))


def _capacity_block(draw: Draw, place: Place) -> OfferKind:
    block = draw.unit // draw.random.choice((1, 2, 4))
    days = draw.calendar.period_hours / 24
    lengths = sorted({max(1, round(days * part)) for part in draw.random.sample((0.5, 1.0, 1.4, 2.0, 3.0), 2)})
    terms = [
        make.block_term(length, draw.price(place, place.yen_per_hour * draw.between(0.4, 0.7))) for length in lengths
    ]
    earliest = draw.random.choice((0, 0, 1, 2))
    return make.capacity_block(
        terms,
        block,
        draw.random.choice((1, 1, 2)),
        earliest,
        earliest + draw.random.choice((0, 1, 2)),
        *draw.window(0.3),
    )


def _purchase(draw: Draw, place: Place) -> OfferKind:
    unit = draw.unit // draw.random.choice((1, 2, 4, 8))
    first = draw.random.randint(0, 3)
    steps = [(first, 1.0)]
    if draw.happens(0.65):
        steps = [(first, draw.random.choice((0.25, 0.5))), (first + draw.random.randint(1, 4), 1.0)]
    claims = draw.on["capital grant"]
    life = draw.random.choice((4, 5, 8, 20) if claims else (4, 5, 6, 8, 52, 78))
    hourly = place.yen_per_hour * draw.between(0.12, 0.4)
    price = hourly * unit * draw.calendar.period_hours * life
    payments: list[tuple[int, float]] = []
    if draw.on["instalments"] and draw.happens(0.9):
        payments = draw.random.choice(([(0, 0.25), (3, 0.75)], [(1, 0.5), (5, 0.5)], [(0, 0.5), (6, 0.25), (20, 0.25)]))
    owned = claims or draw.on["owners"]
    return make.purchase(
        draw.price(place, price),
        unit,
        draw.random.choice((1, 1, 1, 2)),
        steps,
        life,
        residual=draw.random.choice((0.0, 0.15, 0.3)),
        haircut=draw.random.choice((0.0, 0.25, 0.5)),
        metered=draw.happens(0.75),
        payments=payments,
        owner=draw.random.choice(draw.members).id if owned else "",
    )


def _existing(draw: Draw) -> OfferKind:
    accelerators = draw.accelerators(0.3, 0.9)
    found = make.existing(
        accelerators, *draw.window(0.25), metered=draw.happens(0.85), steps=_steps(draw, accelerators)
    )
    # Without a draw, so that the stream of the other features stays what it is.
    return replace(found, reference_price_per_accelerator_hour=make.yen(330)) if accelerators % 64 else found


def _allocation(draw: Draw, place: Place) -> OfferKind:
    accelerators = draw.accelerators(0.3, 0.9)
    quotas = {}
    for year in draw.calendar.fiscal_years():
        periods = sum(draw.calendar.fiscal_year(t) == year for t in range(draw.period_count))
        if draw.happens(0.85):
            quotas[year] = round(accelerators * draw.calendar.period_hours * periods * draw.between(0.06, 0.4), 1)
    quotas = quotas or {draw.calendar.fiscal_years()[0]: float(accelerators * draw.calendar.period_hours)}
    price = draw.price(place, place.yen_per_hour * draw.between(0.2, 0.5))
    return make.allocation(quotas, price, accelerators, *draw.window(0.15), steps=_steps(draw, accelerators))
