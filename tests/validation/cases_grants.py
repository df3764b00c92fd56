"""Bad input about programmes, E15xx."""

from __future__ import annotations

from tests.validation.changes import Case, add, again, both, put

GRANT = "programmes[0].usage_grant"
CAPITAL = "programmes[2].capital_grant"
CLAIM = "programmes[0].claims_made[0]"
STACKS = "stackable_programme_ids"

GRANT_CASES = [
    Case("programme backwards", "E1501", put("programmes[0].until_date", "2027-12-31")),
    Case("no rates", "E1502", put(f"{GRANT}.rates", [])),
    Case("size class twice", "E1503", put(f"{GRANT}.rates[1].size_class", "SIZE_CLASS_SME")),
    Case("rate above one", "E1504", put(f"{GRANT}.rates[1].rate_fraction", 50)),
    Case("zero rate", "E1504", put(f"{GRANT}.rates[1].rate_fraction", 0)),
    Case("negative cap", "E1505", put(f"{GRANT}.project_cap_yen", -1)),
    Case("negative budget", "E1506", put("programmes[0].budgets[0].amount_yen", -1)),
    Case(
        "budget year twice",
        "E1507",
        again("programmes[0].budgets", 0),
        at="programmes[0].budgets[1].fiscal_year",
    ),
    Case("budget of another year", "E1508", put("programmes[0].budgets[0].fiscal_year", 2029)),
    Case("eligible in a word", "E1509", put(f"{GRANT}.eligible_site_country_codes[0]", "JAPAN")),
    Case(
        "eligible tag twice",
        "E1510",
        add(f"{GRANT}.eligible_tags", "robotics"),
        at="programmes[0].usage_grant.eligible_tags[2]",
    ),
    Case("no rates for orders", "E1502", put(f"{CAPITAL}.rates", [])),
    Case(
        "flag twice in rates",
        "E1503",
        again("programmes[1].usage_grant.rates", 0),
        at="programmes[1].usage_grant.rates[1].size_class",
    ),
    Case("rate of orders above one", "E1504", put(f"{CAPITAL}.rates[0].rate_fraction", 1.01)),
    Case("capital country in a word", "E1509", put(f"{CAPITAL}.eligible_operator_country_codes[0]", "Japan")),
    Case("negative member cap", "E1511", put("programmes[0].member_cap_yen", -1)),
    Case("paid before the year is over", "E1512", put("programmes[0].payment_lag_days", -1)),
    Case("paid in ten years and a day", "E1512", put("programmes[2].payment_lag_days", 3_651)),
    Case("stacks with itself", "E1514", add(f"programmes[0].{STACKS}", "robot-grant"), at=f"programmes[0].{STACKS}[1]"),
    Case("stacks twice", "E1515", add(f"programmes[0].{STACKS}", "city-grant"), at=f"programmes[0].{STACKS}[1]"),
    Case("stacks one-sidedly", "E1516", put(f"programmes[1].{STACKS}", []), at=f"programmes[0].{STACKS}[0]"),
    Case("orders stack", "E1517", put(f"programmes[2].{STACKS}", ["city-grant"]), at=f"programmes[2].{STACKS}[0]"),
    Case(
        "stacks with orders", "E1517", add(f"programmes[1].{STACKS}", "machine-grant"), at=f"programmes[1].{STACKS}[1]"
    ),
    Case(
        "stacks and excludes",
        "E1518",
        put("programmes[1].exclusivity_group", "national"),
        at=f"programmes[1].{STACKS}[0]",
    ),
    Case(
        "paid twice over",
        "E1519",
        put("programmes[1].usage_grant.rates[0].rate_fraction", 0.4),
        f"programmes[0].{STACKS}",
    ),
    Case(
        "paid over by three",
        "E1519",
        both(
            again("programmes", 1),
            put("programmes[3].id", "ward-grant"),
            put("programmes[1].usage_grant.rates[0].rate_fraction", 0.2),
            put("programmes[3].usage_grant.rates[0].rate_fraction", 0.2),
            put(f"programmes[0].{STACKS}", ["city-grant", "ward-grant"]),
            put(f"programmes[1].{STACKS}", ["robot-grant", "ward-grant"]),
            put(f"programmes[3].{STACKS}", ["robot-grant", "city-grant"]),
        ),
        at=f"programmes[0].{STACKS}",
    ),
    Case("claim of nothing", "E1521", put(f"{CLAIM}.amount_yen", 0)),
    Case("claim beyond reason", "E1521", put(f"{CLAIM}.amount_yen", 10**15 + 1)),
    Case("claim of the last century", "E1522", put(f"{CLAIM}.fiscal_year", 2016)),
    Case("claim of the future", "E1522", put(f"{CLAIM}.fiscal_year", 2029)),
    Case(
        "order of a project",
        "E1523",
        put(
            "programmes[2].claims_made",
            [{"project_id": "picking", "member_id": "car-maker-b", "fiscal_year": 2027, "amount_yen": 1}],
        ),
        at="programmes[2].claims_made[0].project_id",
    ),
]
