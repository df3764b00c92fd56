"""Bad text: every kind is answered with its code at its path, and nothing crashes."""

from __future__ import annotations

import pytest

from tehai.domain.limits import LIMITS
from tehai.pipeline_check import check_text
from tehai.wire.codes import FORMAT_CODES
from tehai.wire.yaml_tree import ALIASED_VALUES_MAX
from tests.wire.small_problem import pairs, small_text

# (name, text to replace in the small problem, replacement, code, path; {line} is where the text stood)
REPLACED = [
    ("syntax", "schema_version: 1\n", "schema_version: [1\n", "E1003", "line {next}, column 13"),
    ("key twice", "schema_version: 1\n", "schema_version: 1\nschema_version: 1\n", "E1004", "schema_version"),
    ("key twice in a list", "id: r1\n", "id: r1\n    id: r2\n", "E1004", "accelerators[1].id"),
    ("unknown field", "schema_version: 1\n", "schema_version: 1\nweather: fine\n", "E1005", "weather"),
    (
        "unknown field inside",
        "display_name: Domestic R1",
        "displayname: Domestic R1",
        "E1005",
        "accelerators[1].displayname",
    ),
    ("camel case", "  period_hours: 168", "  periodHours: 168", "E1005", "calendar.periodHours"),
    ("kind of a later version", "    existing:\n", "    spot:\n", "E1005", "offers[2].spot"),
    ("merge key", "schema_version: 1\n", "schema_version: 1\n<<: {}\n", "E1005", "<<"),
    ("text for a number", "memory_gb: 141", "memory_gb: a lot", "E1006", "accelerators[0].memory_gb"),
    ("number in quotes", "memory_gb: 141", 'memory_gb: "141"', "E1006", "accelerators[0].memory_gb"),
    ("word for a truth value", "metered: true", "metered: yes", "E1006", "offers[2].existing.metered"),
    ("scalar for a list", "tags: [physical-ai]", "tags: physical-ai", "E1006", "workloads[2].tags"),
    ("scalar for a mapping", "  domestic: {site", "  domestic: JP # {site", "E1006", "rules.domestic"),
    ("mapping for a scalar", "memory_gb: 141", "memory_gb: {a: 1}", "E1006", "accelerators[0].memory_gb"),
    ("null", "period_count: 16", "period_count:", "E1007", "calendar.period_count"),
    ("null list", "tags: [physical-ai]", "tags: ~", "E1007", "workloads[2].tags"),
    ("null message", "  domestic: {site", "  domestic: null # {site", "E1007", "rules.domestic"),
    ("fraction for a whole number", "period_count: 16", "period_count: 16.5", "E1008", "calendar.period_count"),
    ("whole number in quotes", "period_count: 16", 'period_count: "16"', "E1008", "calendar.period_count"),
    ("too large for 32 bits", "period_count: 16", "period_count: 3000000000", "E1009", "calendar.period_count"),
    (
        "too large for 64 bits",
        "cost_not_run_yen: 9000000",
        "cost_not_run_yen: 9223372036854775808",
        "E1009",
        "workloads[0].cost_not_run_yen",
    ),
    ("ten thousand digits", "period_count: 16", f"period_count: {'9' * 10_000}", "E1009", "calendar.period_count"),
    ("too large for a double", "memory_gb: 141", "memory_gb: 1e999", "E1009", "accelerators[0].memory_gb"),
    (
        "unknown choice",
        "size_class: SIZE_CLASS_SME\n",
        "size_class: SIZE_CLASS_HUGE\n",
        "E1010",
        "members[0].size_class",
    ),
    ("number for a choice", "size_class: SIZE_CLASS_SME\n", "size_class: 1\n", "E1010", "members[0].size_class"),
    (
        "two kinds of work",
        "    flops: 2.6e+21",
        "    flops: 2.6e+21\n    normalised_accelerator_hours: 1",
        "E1011",
        "workloads[1].normalised_accelerator_hours",
    ),
    (
        "cost and mandatory",
        "    mandatory: true",
        "    mandatory: true\n    cost_not_run_yen: 1",
        "E1011",
        "workloads[2].cost_not_run_yen",
    ),
    ("not a number", "memory_gb: 141", "memory_gb: .nan", "E1012", "accelerators[0].memory_gb"),
    ("infinity", "power_limit_kw: 12.0", "power_limit_kw: .inf", "E1012", "sites[1].power_limit_kw"),
    ("infinity for a whole number", "period_count: 16", "period_count: .inf", "E1012", "calendar.period_count"),
    ("tag", "period_count: 16", "period_count: !!int 16", "E1013", "line {line}, column 17"),
    (
        "python tag",
        "market:",
        "market: !!python/object/apply:os.system [true]\nmarkets:",
        "E1013",
        "line {line}, column 9",
    ),
    ("alias to itself", "tags: [physical-ai]", "tags: &a [*a]", "E1014", "line {line}, column 15"),
    ("alias to nothing", "tags: [physical-ai]", "tags: *nobody", "E1014", "line {line}, column 11"),
    ("deep nesting", "tags: [physical-ai]", f"tags: {'[' * 100}{']' * 100}", "E1015", "line {line}, column 40"),
    ("number for an id", "id: tokyo\n", "id: 7\n", "E1016", "sites[0].id"),
    (
        "truth value for text",
        "display_name: Domestic R1",
        "display_name: true",
        "E1016",
        "accelerators[1].display_name",
    ),
    (
        "exponent in a decimal",
        'amount: "620"',
        "amount: 6.2e2",
        "E1016",
        "offers[0].on_demand.price_per_accelerator_hour.amount",
    ),
    ("second document", "rules:", "---\nrules:", "E1017", "line {line}, column 1"),
]

# (name, bytes, source name, code, path)
WHOLE = [
    ("not UTF-8", b"display_name: \xff", "a.yaml", "E1002", "byte 14"),
    ("control character", b"display_name: \x01", "a.yaml", "E1003", "document"),
    ("JSON syntax", b'{"schema_version": 1,}', "a.json", "E1003", "line 1, column 22"),
    ("YAML in a JSON file", b"schema_version: 1", "a.json", "E1003", "line 1, column 1"),
    ("list as a key", b"[1, 2]: 3", "a.yaml", "E1003", "line 1, column 6"),
    ("JSON key twice", b'{"calendar": {"period_count": 1, "period_count": 2}}', "-", "E1004", "calendar.period_count"),
    ("a list", b"- 1", "a.yaml", "E1006", "document"),
    ("a JSON null", b"null", "a.json", "E1006", "document"),
    ("JSON NaN", b'{"reference_sustained_flops": NaN}', "a.json", "E1012", "reference_sustained_flops"),
    ("JSON Infinity", b'{"reference_sustained_flops": -Infinity}', "a.json", "E1012", "reference_sustained_flops"),
    ("JSON null", b'{"calendar": {"period_count": null}}', "a.json", "E1007", "calendar.period_count"),
    ("deep JSON", b'{"a":' + b"[" * 100_000, "a.json", "E1015", "document"),
    ("nested JSON", b'{"a":' + b"[" * 50 + b"]" * 50 + b"}", "a.json", "E1015", "document"),
    ("empty", b"", "a.yaml", "E1017", "document"),
    ("comment only", b"# nothing\n", "a.yaml", "E1017", "document"),
    ("half a surrogate pair", b'{"display_name": "\\ud800"}', "a.json", "E1018", "display_name"),
]


@pytest.mark.parametrize(("name", "old", "new", "code", "path"), REPLACED, ids=[case[0] for case in REPLACED])
def test_changed_file(name: str, old: str, new: str, code: str, path: str) -> None:
    """One fault in a valid file is reported with its code and path, with an action, and once."""
    assert old in small_text(), name
    line = small_text()[: small_text().index(old)].count("\n") + 1
    path = path.format(line=line, next=line + 1)
    problem, violations = check_text(small_text().replace(old, new, 1).encode(), source_name="small.yaml")
    assert problem is None
    assert pairs(violations).count((code, path)) == 1, violations
    assert all(violation.message and violation.action for violation in violations)


@pytest.mark.parametrize(("name", "data", "source", "code", "path"), WHOLE, ids=[case[0] for case in WHOLE])
def test_whole_document(name: str, data: bytes, source: str, code: str, path: str) -> None:
    """A document that is wrong as a whole is reported with its code and where it stopped."""
    problem, violations = check_text(data, source_name=source)
    assert problem is None, name
    assert (code, path) in pairs(violations), violations


def test_a_document_over_the_limit_is_refused_unread() -> None:
    """Size is looked at before anything else."""
    _, violations = check_text(bytes(LIMITS.input_bytes + 1), source_name="a.yaml")
    assert pairs(violations) == [("E1001", "document")]


def test_every_text_code_has_a_case() -> None:
    """No code for text is without a test."""
    cases = {"E1001"} | {case[3] for case in (*REPLACED, *WHOLE)}
    codes = {code for code in FORMAT_CODES if code.startswith("E10")}
    assert len(codes) >= 15
    assert cases == codes


def test_aliases_within_reason_are_expanded() -> None:
    """An alias stands for its anchor's value, scalar or mapping."""
    text = small_text().replace('amount: "620"', 'amount: &price "620"').replace('amount: "430"', "amount: *price")
    problem, violations = check_text(text.encode(), source_name="small.yaml")
    assert problem is not None, violations
    assert "*price" in text


def test_aliases_beyond_reason_are_refused() -> None:
    """A file that doubles in size with every line is refused before it costs memory."""
    lines = ["a0: &a0 [x, x]", *(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]" for i in range(1, 60))]
    problem, violations = check_text("\n".join(lines).encode(), source_name="laughs.yaml")
    assert problem is None
    assert [violation.code for violation in violations] == ["E1014"]
    assert f"{ALIASED_VALUES_MAX:,}" in violations[0].message


def test_everything_is_reported_at_once() -> None:
    """Faults of text, form and meaning come in one list, in the order of their paths."""
    text = small_text()
    for old, new in (
        ("memory_gb: 141", "memory_gb: a lot"),
        ("country_code: US\n    operator", "country_code: usa\n    operator"),
        ("release_date: 2028-02-07", "release_date: tomorrow"),
        ("units_max: 2", "units_max: -2"),
        ("  period_count: 16", "  period_count: 16\n  weeks: 16"),
    ):
        assert old in text
        text = text.replace(old, new, 1)
    _, violations = check_text(text.encode(), source_name="small.yaml")
    assert pairs(violations) == [
        ("E1006", "accelerators[0].memory_gb"),
        ("E1005", "calendar.weeks"),
        ("E1432", "offers[3].purchase.units_max"),
        ("E1311", "sites[2].country_code"),
        ("E1105", "workloads[3].release_date"),
    ]


def test_a_close_name_is_suggested() -> None:
    """A slip of the pen is answered with the field that was meant."""
    text = small_text().replace("power_kw: 1.3", "power_kW: 1.3")
    _, violations = check_text(text.encode(), source_name="small.yaml")
    assert [v.action for v in violations if v.path == "accelerators[0].power_kW"] == ["Did you mean power_kw?"]


def test_long_and_strange_keys_are_shown_short() -> None:
    """What a violation quotes is short and printable, whatever the file holds."""
    data = ('{"' + "k" * 100_000 + '": 1, "\\u001b[31m": 2, "\\ud800": 3}').encode()
    _, violations = check_text(data, source_name="a.json")
    unknown = [v for v in violations if v.code == "E1005"]
    assert len(unknown) == 3
    for violation in unknown:
        assert len(violation.path) + len(violation.message) < 300
        assert violation.path.isprintable()
        (violation.path + violation.message).encode()
