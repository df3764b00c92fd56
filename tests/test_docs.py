"""What the documents name exists: links, files, verbs, commands, options, exit codes, settings."""

from __future__ import annotations

import re
from pathlib import Path

import click

from tehai.cli.exit_codes import MEANINGS
from tehai.cli.main import COMMANDS, cli
from tehai.cli.solving import DEFAULTS
from tehai.server.settings import ServerSettings

ROOT = Path(__file__).resolve().parent.parent
TOP_FOLDERS = ("benches", "core_rs", "docs", "examples", "proto", "requirements", "service", "tests", "tools")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")


def documents() -> list[Path]:
    """Return every Markdown file of the project that is ours to keep true."""
    files = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")])
    names = {path.name for path in files}
    assert {"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "ARCHITECTURE.md", "rules.md", "cli.md"} <= names
    return files


def anchors(text: str) -> set[str]:
    """Return the anchors of the headings, as web hosts make them."""
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_links_lead_somewhere() -> None:
    """Every relative link in a document names a file, and its anchor a heading of that file."""
    checked = 0
    for document in documents():
        for link in LINK.findall(document.read_text(encoding="utf-8")):
            if "://" in link or link.startswith("mailto:"):
                continue
            checked += 1
            name, _, anchor = link.partition("#")
            target = (document.parent / name).resolve() if name else document
            assert target.exists(), f"{document.name}: {link}"
            if anchor:
                assert anchor in anchors(target.read_text(encoding="utf-8")), f"{document.name}: {link}"
    assert checked >= 5


def test_files_named_in_documents_exist() -> None:
    """A path in code marks that begins with a folder of the project exists; patterns name at least one file."""
    checked = 0
    for document in documents():
        for text in CODE.findall(document.read_text(encoding="utf-8")):
            if not text.startswith(tuple(f"{folder}/" for folder in TOP_FOLDERS)) or " " in text or "<" in text:
                continue
            checked += 1
            found = list(ROOT.glob(text.rstrip("/"))) if "*" in text else [ROOT / text]
            assert found, f"{document.name}: {text}"
            assert all(path.exists() for path in found), f"{document.name}: {text}"
    assert checked >= 10


def make_verbs() -> set[str]:
    """Return the verbs of the Makefile."""
    verbs = set(
        re.findall(r"^([a-z][a-z-]*):.*##", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    )
    assert len(verbs) >= 10
    return verbs


def code_lines(text: str) -> list[str]:
    """Return the lines of shell code fences and the code marks of a document."""
    fences = re.findall(r"```(?:sh|bash|console)\n(.*?)```", text, flags=re.DOTALL)
    return [line for fence in fences for line in fence.splitlines()] + CODE.findall(text)


def test_verbs_and_commands_in_documents_exist() -> None:
    """Every ``make VERB`` and ``tehai COMMAND --option`` in a document is one that there is."""
    verbs, seen = make_verbs(), 0
    for document in documents():
        for line in code_lines(document.read_text(encoding="utf-8")):
            line = line.partition("#")[0]
            for verb in re.findall(r"(?:^|\s)make ([a-z-]+)", line):
                seen += 1
                assert verb in verbs, f"{document.name}: {line}"
            for name, rest in re.findall(r"(?:^|\s)(?:tehai|tehai\.cli\.main) ([a-z]+)([^|]*)", line):
                seen += 1
                assert name in COMMANDS, f"{document.name}: {line}"
                unknown = set(re.findall(r"--[a-z-]+", rest)) - {*options_of(name), "--help"}
                assert not unknown, f"{document.name}: {line}"
    assert seen >= 10


def options_of(name: str) -> set[str]:
    """Return the long options of a command and of the commands within it."""
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    within = list(command.commands.values()) if isinstance(command, click.Group) else []
    options = [p for each in (command, *within) for p in each.params if isinstance(p, click.Option)]
    return {text for option in options for text in (*option.opts, *option.secondary_opts) if text.startswith("--")}


def cli_document() -> str:
    """Return docs/cli.md."""
    return (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")


def table_rows(text: str, heading: str) -> list[list[str]]:
    """Return the cells of the tables below a heading of second level, without their head."""
    section = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line.startswith("|")
    ]
    assert len(rows) > 2, heading
    return [row for row in rows if not set(row[0]) <= {"-"}]


def test_every_command_and_option_is_documented() -> None:
    """docs/cli.md names every command and every option, and gives the defaults that the code has."""
    text = cli_document()
    for name in COMMANDS:
        assert f"`tehai {name}" in text, name
        for option in options_of(name):
            assert re.search(rf"`{option}[ `]", text), f"{name} {option}"
    defaults = {row[0].split()[0].strip("`"): row[1] for row in table_rows(text, "Options")}
    assert defaults["--time-limit"] == f"{DEFAULTS.time_limit_seconds:g}"
    assert defaults["--gap"] == f"{DEFAULTS.gap_fraction:g}"
    assert defaults["--seed"] == str(DEFAULTS.seed)
    assert defaults["--threads"] == str(DEFAULTS.threads)


def test_exit_codes_are_documented() -> None:
    """The table of exit codes in docs/cli.md is the one in the code."""
    documented = {row[0]: row[1] for row in table_rows(cli_document(), "Exit codes")[1:]}
    assert documented == {str(code.value): meaning for code, meaning in MEANINGS.items()}


def test_settings_are_documented() -> None:
    """Every setting of the server is in docs/cli.md with its default."""
    rows = table_rows(cli_document(), "Settings of the server")
    documented = {row[0].strip("`"): row[1] for row in rows if row[0].startswith("`TEHAI_")}
    wanted = {f"TEHAI_{name.upper()}": str(field.default) for name, field in ServerSettings.model_fields.items()}
    assert {name: value.lower() for name, value in documented.items()} == {n: v.lower() for n, v in wanted.items()}


def test_error_reasons_are_documented() -> None:
    """Every reason that the table of errors gives is in docs/cli.md."""
    source = (ROOT / "service" / "tehai" / "server" / "errors.py").read_text(encoding="utf-8")
    reasons = set(re.findall(r'"([A-Z]{3,}(?:_[A-Z]+)+)"', source))
    assert len(reasons) >= 6
    assert all(f"`{reason}`" in cli_document() for reason in reasons)
