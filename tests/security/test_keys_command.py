"""``tehai keys``: a key is made, listed and revoked, and shown once only."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import click
import pytest
from click.testing import CliRunner, Result

from tehai.cli.exit_codes import ExitCode
from tehai.cli.failures import Failure
from tehai.cli.keys import keys_group
from tehai.security.api_keys import parse_key, verify_key
from tests.security.material import MemoryKeys


class Command:
    """The command with a store in memory."""

    def __init__(self) -> None:
        self.store = MemoryKeys()
        self.opened = 0

    def __call__(self, *arguments: str) -> Result:
        """Run the command in process; ``return_value`` is its exit code."""
        return CliRunner().invoke(keys_group(self._open), list(arguments), standalone_mode=False)

    def create(self, *more: str) -> Result:
        """Make a key of the tenant example."""
        return self("create", "--tenant", "example", "--scope", "quotes:read", *more)

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[MemoryKeys]:
        self.opened += 1
        if self.store.failure is not None:
            raise self.store.failure
        yield self.store


def test_a_new_key_is_printed_alone_and_opens() -> None:
    """Standard output is the key and nothing else; what was kept recognises it."""
    command = Command()
    done = command.create("--display-name", "nightly", "--expire-days", "30")
    assert done.return_value == ExitCode.OK
    (record,) = command.store.records.values()
    presented = parse_key(done.stdout.strip())
    assert verify_key(presented, record, record.create_time / 1_000_000).principal.tenant == "example"
    assert record.expire_time == record.create_time + 30 * 86_400 * 1_000_000
    assert "not shown again" in done.stderr
    assert presented.secret.hex() not in done.stderr


def test_json_has_the_key_once_and_never_its_hash() -> None:
    """Create prints an object with the key, list one without."""
    command = Command()
    made = json.loads(command.create("--output", "json").stdout)
    assert made["scopes"] == ["quotes:read"]
    assert made["expire_time"] is None
    listed = json.loads(command("list", "--tenant", "example", "-o", "json").stdout)
    (key,) = listed["keys"]
    assert {**key, "key": made["key"]} == made
    (record,) = command.store.records.values()
    assert record.secret_hash.decode() not in json.dumps(listed)
    assert json.loads(command("list", "--tenant", "other", "-o", "json").stdout) == {"keys": []}


def test_the_table_shows_names_as_they_are() -> None:
    """Each key is a line with id, name, scopes and times; brackets are no markup."""
    command = Command()
    command("create", "--tenant", "example", "--scope", "all", "--display-name", "[red]a[/red]")
    text = command("list", "--tenant", "example").stdout
    (record,) = command.store.records.values()
    for word in (record.key_id, "[red]a[/red]", "solves:write", "plans:read"):
        assert word in text
    assert command("list", "--tenant", "other").stdout == "no keys\n"


def test_revoke_ends_a_key_of_the_tenant_only() -> None:
    """A key is revoked by its id, again without harm, and not by another tenant."""
    command = Command()
    command.create()
    (key_id,) = command.store.records
    with pytest.raises(click.UsageError, match="has no key"):
        raise_of(command("revoke", key_id, "--tenant", "other"))
    assert command.store.records[key_id].revoke_time is None
    for _ in range(2):
        assert command("revoke", key_id, "--tenant", "example").return_value == ExitCode.OK
    assert command.store.records[key_id].revoke_time == 1
    revoked = json.loads(command("revoke", key_id, "--tenant", "example", "-o", "json").stdout)
    assert revoked["revoke_time"] == "1970-01-01T00:00:00Z"
    with pytest.raises(click.UsageError, match="has no key"):
        raise_of(command("revoke", "0" * 16, "--tenant", "example"))


def raise_of(done: Result) -> None:
    """Raise what a command raised."""
    assert done.exception is not None
    raise done.exception


@pytest.mark.parametrize(
    "arguments",
    [
        ("create", "--tenant", "No Tenant", "--scope", "quotes:read"),
        ("create", "--tenant", "example"),
        ("create", "--tenant", "example", "--scope", "everything"),
        ("create", "--tenant", "example", "--scope", "all", "--display-name", "x" * 64),
        ("create", "--tenant", "example", "--scope", "all", "--expire-days", "0"),
        ("list", "--tenant", "No Tenant"),
        ("revoke", "0" * 16, "--tenant", "No Tenant"),
    ],
)
def test_wrong_arguments_never_reach_the_store(arguments: tuple[str, ...]) -> None:
    """What is wrong is a usage error, and no store is opened for it."""
    command = Command()
    with pytest.raises(click.UsageError):
        raise_of(command(*arguments))
    assert command.opened == 0


def test_a_whole_key_pasted_as_an_id_is_not_repeated() -> None:
    """Revoke asks for the id, without printing the secret that it was given."""
    command = Command()
    key = command.create().stdout.strip()
    with pytest.raises(click.UsageError) as caught:
        raise_of(command("revoke", key, "--tenant", "example"))
    assert "between the two underscores" in str(caught.value)
    assert key.rpartition("_")[2] not in str(caught.value)


def test_a_store_that_cannot_is_a_failure_with_its_code() -> None:
    """A database that is away ends the command with the documented code and its own words."""
    command = Command()
    command.store.failure = RuntimeError("the database does not answer; start it")
    with pytest.raises(Failure, match="start it") as caught:
        raise_of(command("list", "--tenant", "example"))
    assert caught.value.code == ExitCode.SERVER


def test_a_database_without_its_packages_is_a_failure_that_names_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """TEHAI_DATABASE_URL without the extra ends the command with the documented code and what to install."""
    from tehai.cli.keys import command

    # What Python has where a package is not there.
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.delitem(sys.modules, "tehai.operations.postgres_store", raising=False)
    monkeypatch.setenv("TEHAI_DATABASE_URL", "postgresql://127.0.0.1:1/tehai")
    with pytest.raises(Failure, match=r"pip install 'tehai\[postgres\]'") as caught:
        raise_of(CliRunner().invoke(command, ["list", "--tenant", "example"], standalone_mode=False))
    assert caught.value.code == ExitCode.SERVER
