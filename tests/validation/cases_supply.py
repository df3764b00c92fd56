"""Bad input about accelerators, sites, pools and routes, E13xx."""

from __future__ import annotations

from tests.validation.changes import Case, again, drop, put

SUPPLY_CASES = [
    Case("no memory", "E1301", put("accelerators[0].memory_gb", 0)),
    Case("no power", "E1302", drop("accelerators[1].power_kw")),
    Case("runs nothing", "E1303", put("accelerators[1].throughputs", [])),
    Case("zero throughput", "E1304", put("accelerators[0].throughputs[1].normalised_throughput", 0)),
    Case(
        "family twice",
        "E1305",
        again("accelerators[0].throughputs", 0),
        at="accelerators[0].throughputs[2].software_family",
    ),
    Case("family without a name", "E1306", put("accelerators[1].throughputs[0].software_family", "")),
    Case("country in small letters", "E1311", put("sites[0].country_code", "jp")),
    Case("no operator country", "E1311", drop("sites[2].operator_country_code")),
    Case("no power at all", "E1312", put("sites[1].power_limit_kw", 0)),
    Case("better than perfect", "E1313", put("sites[0].power_usage_effectiveness", 0.99)),
    Case("paid for electricity", "E1314", put("sites[1].electricity_yen_per_kwh", "-0.01")),
    Case("no gang fits", "E1321", drop("pools[1].gang_accelerators_max")),
    Case("no accelerators", "E1331", put("accelerators", [])),
    Case("no sites", "E1332", put("sites", [])),
    Case("no pools", "E1333", put("pools", [])),
    Case("slow reference", "E1334", put("reference_sustained_flops", 0)),
    Case(
        "electricity steps backwards",
        "E1315",
        again("sites[1].electricity_steps", 0),
        "sites[1].electricity_steps[1].from_date",
    ),
    Case("paid for electricity later", "E1316", put("sites[1].electricity_steps[0].amount", "-1")),
    Case("electricity later only", "E1317", drop("sites[1].electricity_yen_per_kwh"), at="sites[1].electricity_steps"),
    Case("grid in grams", "E1318", put("sites[0].grid_carbon_kg_per_kwh", 450)),
    Case("grid that takes up carbon", "E1318", put("sites[0].grid_carbon_kg_per_kwh", -0.1)),
    Case("empty node", "E1322", put("pools[0].node_accelerators", 0)),
    Case("node of everything", "E1322", put("pools[0].node_accelerators", 10_000_001)),
    Case("route to itself", "E1341", put("routes[1].to_site_id", "oregon")),
    Case("route twice", "E1342", again("routes", 0), at="routes[2].to_site_id"),
]
