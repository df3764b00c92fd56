"""Bad input about offers, E14xx."""

from __future__ import annotations

from tests.validation.changes import Case, add, again, both, drop, put

RESERVATION = "offers[1].reservation"
EXISTING = "offers[2].existing"
PURCHASE = "offers[3].purchase"
ALLOCATION = "offers[6].allocation"
BLOCK = "offers[7].capacity_block"

OFFER_CASES = [
    Case("no offers", "E1401", put("offers", [])),
    Case("negative price", "E1402", put("offers[0].on_demand.price_per_accelerator_hour.amount", "-1")),
    Case("price beyond reason", "E1402", put(f"{PURCHASE}.price_per_unit.amount", "1000000000001")),
    Case(
        "negative price of a term", "E1402", put(f"{RESERVATION}.terms[1].price_per_accelerator_hour.amount", "-0.001")
    ),
    Case("window backwards", "E1404", put(f"{PURCHASE}.until_date", "2028-01-10")),
    Case("zero quota", "E1405", put("offers[4].on_demand.quota_accelerators", 0)),
    Case("fewer than nothing there", "E1405", put("offers[2].existing.accelerators", -8)),
    Case("meter without price", "E1406", drop("sites[1].electricity_yen_per_kwh"), at="offers[2].existing.metered"),
    Case("empty block", "E1421", put(f"{RESERVATION}.block_accelerators", 0)),
    Case("no blocks", "E1422", put(f"{RESERVATION}.blocks_max", -2)),
    Case("blocks beyond reason", "E1422", put(f"{RESERVATION}.blocks_max", 2_000_000)),
    Case("negative lead", "E1423", put(f"{RESERVATION}.lead_time_periods", -1)),
    Case("lead of a lifetime", "E1423", put(f"{RESERVATION}.lead_time_periods", 10_000)),
    Case("no terms", "E1424", put(f"{RESERVATION}.terms", [])),
    Case("zero-length term", "E1425", put(f"{RESERVATION}.terms[0].term_periods", 0)),
    Case("term of a lifetime", "E1426", put(f"{RESERVATION}.terms[0].term_periods", 10_000)),
    Case("term twice", "E1427", again(f"{RESERVATION}.terms", 1), at="offers[1].reservation.terms[3]"),
    Case("empty unit", "E1431", put(f"{PURCHASE}.unit_accelerators", 0)),
    Case("no units", "E1432", put(f"{PURCHASE}.units_max", 0)),
    Case("units beyond reason", "E1432", put(f"{PURCHASE}.units_max", 2_000_000)),
    Case("never delivered", "E1433", put(f"{PURCHASE}.delivery_steps", [])),
    Case("delivered before the order", "E1434", put(f"{PURCHASE}.delivery_steps[0].periods_after_order", -1)),
    Case("steps at once", "E1434", put(f"{PURCHASE}.delivery_steps[1].periods_after_order", 2)),
    Case(
        "fractions fall",
        "E1435",
        put(f"{PURCHASE}.delivery_steps[0].delivered_fraction", 1.0),
        at="offers[3].purchase.delivery_steps[1].delivered_fraction",
    ),
    Case("nothing delivered", "E1435", put(f"{PURCHASE}.delivery_steps[0].delivered_fraction", 0.0)),
    Case("part delivered", "E1436", put(f"{PURCHASE}.delivery_steps[1].delivered_fraction", 0.9)),
    Case("no life", "E1437", put(f"{PURCHASE}.life_periods", 0)),
    Case("residual above one", "E1438", put(f"{PURCHASE}.residual_fraction", 1.1)),
    Case("negative haircut", "E1439", put(f"{PURCHASE}.residual_haircut_fraction", -0.1)),
    Case("delivered in a lifetime", "E1440", put(f"{PURCHASE}.delivery_steps[1].periods_after_order", 10_000)),
    Case("negative price of an allocation", "E1402", put(f"{ALLOCATION}.price_per_accelerator_hour.amount", "-1")),
    Case("negative price of a block", "E1402", put(f"{BLOCK}.terms[0].price_per_accelerator_hour.amount", "-1")),
    Case("negative price of a route", "E1402", put("routes[0].price_per_terabyte.amount", "-1")),
    Case("negative grant reference", "E1402", put("pools[0].grant_reference.amount", "-1")),
    Case("negative charge reference", "E1402", put("pools[0].charge_reference.amount", "-1")),
    Case(
        "price steps backwards",
        "E1407",
        again("pools[0].charge_reference.steps", 0),
        at="pools[0].charge_reference.steps[1].from_date",
    ),
    Case(
        "price steps in disorder",
        "E1407",
        put(
            "offers[0].on_demand.price_per_accelerator_hour.steps",
            [{"from_date": "2028-03-01", "amount": "600"}, {"from_date": "2028-02-01", "amount": "610"}],
        ),
        at="offers[0].on_demand.price_per_accelerator_hour.steps[1].from_date",
    ),
    Case("paid for use later", "E1408", put("pools[0].charge_reference.steps[0].amount", "-0.5")),
    Case(
        "quota steps backwards",
        "E1409",
        again("offers[0].on_demand.quota_steps", 0),
        at="offers[0].on_demand.quota_steps[1].from_date",
    ),
    Case(
        "existing steps backwards",
        "E1409",
        add(f"{EXISTING}.accelerator_steps", {"from_date": "2028-01-31", "accelerators": 4}),
        at=f"{EXISTING}.accelerator_steps[1].from_date",
    ),
    Case("negative quota later", "E1410", put("offers[0].on_demand.quota_steps[0].accelerators", -1)),
    Case("everything later", "E1410", put(f"{ALLOCATION}.accelerator_steps[0].accelerators", 10_000_001)),
    Case("part without its size", "E1428", drop(f"{RESERVATION}.terms[2].upfront_fraction")),
    Case("part of what is prepaid", "E1428", put(f"{RESERVATION}.terms[1].upfront_fraction", 0.5)),
    Case("part that is all", "E1429", put(f"{RESERVATION}.terms[2].upfront_fraction", 1)),
    Case("part in per cent", "E1429", put(f"{RESERVATION}.terms[2].upfront_fraction", 25)),
    Case("paid before the order", "E1441", put(f"{PURCHASE}.payment_steps[0].periods_after_order", -1)),
    Case("instalments at once", "E1441", put(f"{PURCHASE}.payment_steps[1].periods_after_order", 0)),
    Case("instalment of nothing", "E1442", drop(f"{PURCHASE}.payment_steps[0].fraction")),
    Case("instalment above the price", "E1442", put(f"{PURCHASE}.payment_steps[1].fraction", 1.5)),
    Case(
        "part of the price", "E1443", put(f"{PURCHASE}.payment_steps[1].fraction", 0.4), at=f"{PURCHASE}.payment_steps"
    ),
    Case(
        "more than the price",
        "E1443",
        put(f"{PURCHASE}.payment_steps[1].fraction", 0.51),
        at=f"{PURCHASE}.payment_steps",
    ),
    Case("paid in a lifetime", "E1444", put(f"{PURCHASE}.payment_steps[1].periods_after_order", 10_000)),
    Case("allocation of no year", "E1451", put(f"{ALLOCATION}.quotas", [])),
    Case("allocation of no hours", "E1452", drop(f"{ALLOCATION}.quotas[0].accelerator_hours")),
    Case("allocation of more hours than there are", "E1452", put(f"{ALLOCATION}.quotas[1].accelerator_hours", 1e12)),
    Case("quota year twice", "E1453", put(f"{ALLOCATION}.quotas[1].fiscal_year", 2027)),
    Case("quota years backwards", "E1453", put(f"{ALLOCATION}.quotas[1].fiscal_year", 2026)),
    Case(
        "two allocations in a pool",
        "E1454",
        both(again("offers", 6), put("offers[8].id", "second-allocation")),
        at="offers[8].pool_id",
    ),
    Case("quota of year 28", "E1455", put(f"{ALLOCATION}.quotas[0].fiscal_year", 28)),
    Case(
        "allocation of nothing",
        "E1405",
        both(drop(f"{ALLOCATION}.accelerators"), put(f"{ALLOCATION}.accelerator_steps", [])),
        f"{ALLOCATION}.accelerators",
    ),
    Case("empty capacity block", "E1461", put(f"{BLOCK}.block_accelerators", 0)),
    Case("no capacity blocks", "E1462", put(f"{BLOCK}.blocks_max", 0)),
    Case("capacity blocks beyond reason", "E1462", put(f"{BLOCK}.blocks_max", 2_000_000)),
    Case("booked after it begins", "E1463", put(f"{BLOCK}.booking_periods_min", -1)),
    Case("booked a lifetime ahead", "E1463", put(f"{BLOCK}.booking_periods_max", 10_000)),
    Case("booked neither early nor late", "E1464", put(f"{BLOCK}.booking_periods_max", 0)),
    Case("block of no term", "E1465", put(f"{BLOCK}.terms", [])),
    Case("block of no day", "E1466", put(f"{BLOCK}.terms[0].term_days", 0)),
    Case("block of half a year and a day", "E1466", put(f"{BLOCK}.terms[0].term_days", 183)),
    Case("block term twice", "E1467", again(f"{BLOCK}.terms", 0), at="offers[7].capacity_block.terms[1]"),
    Case("negative sunk payment", "E1471", put(f"{EXISTING}.payments[0].amount_yen", -1)),
    Case("sunk year twice", "E1472", again(f"{EXISTING}.payments", 0), at="offers[2].existing.payments[1].fiscal_year"),
    Case("sunk in year 28", "E1473", put(f"{EXISTING}.payments[0].fiscal_year", 28)),
]
