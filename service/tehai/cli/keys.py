"""``tehai keys``."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tehai.cli.exit_codes import ExitCode
from tehai.cli.failures import Failure, not_installed
from tehai.cli.outputs import Format, output_option, print_object, print_renderable

if TYPE_CHECKING:
    from tehai.security.records import ApiKey, KeyStore

OpenStore = Callable[[], "AbstractAsyncContextManager[KeyStore]"]
Answer = TypeVar("Answer")
SCOPES = ("plans:read", "problems:check", "quotes:read", "solves:read", "solves:write")
ALL = "all"
DAY_MICROSECONDS = 86_400_000_000


def keys_group(open_store: OpenStore) -> click.Group:
    """Return the command with a store of keys that ``open_store`` opens when it is needed."""

    @click.group("keys")
    def command() -> None:
        """Make, list and revoke API keys."""

    command.add_command(_create(open_store))
    command.add_command(_list(open_store))
    command.add_command(_revoke(open_store))
    return command


def _create(open_store: OpenStore) -> click.Command:
    @click.command("create")
    @click.option("--tenant", required=True, metavar="NAME", help="Whose key it is.")
    @click.option(
        "--scope",
        "scopes",
        multiple=True,
        required=True,
        type=click.Choice((*SCOPES, ALL)),
        help="What it allows; may be repeated.",
    )
    @click.option("--display-name", default="", metavar="TEXT", help="To tell it from others.")
    @click.option("--expire-days", type=click.IntRange(min=1, max=36_500), help="Days until it ends [default: never].")
    @output_option
    def create(
        tenant: str, scopes: tuple[str, ...], display_name: str, expire_days: int | None, output: Format
    ) -> ExitCode:
        """Make a key and print it, once; only a hash of it is kept."""
        from tehai.security.api_keys import InvalidKeyRequestError, new_api_key

        now = time.time_ns() // 1_000
        expire = None if expire_days is None else now + expire_days * DAY_MICROSECONDS
        try:
            key = new_api_key(tenant, SCOPES if ALL in scopes else scopes, display_name, now, expire)
        except InvalidKeyRequestError as error:
            raise click.UsageError(str(error)) from error
        _with_store(open_store, lambda store: store.put_key(key.record))
        if output == "table":
            click.echo(key.text)
            click.echo(f"key {key.record.key_id} of tenant {tenant}; it is not shown again", err=True)
        else:
            print_object({**_object(key.record), "key": key.text}, output)
        return ExitCode.OK

    return create


def _list(open_store: OpenStore) -> click.Command:
    @click.command("list")
    @click.option("--tenant", required=True, metavar="NAME", help="Whose keys.")
    @output_option
    def list_keys(tenant: str, output: Format) -> ExitCode:
        """List the keys of a tenant, oldest first, without their secrets."""
        _check_tenant(tenant)
        keys = _with_store(open_store, lambda store: store.list_keys(tenant))
        if output == "table":
            _print_table(tuple(keys))
        else:
            print_object({"keys": [_object(key) for key in keys]}, output)
        return ExitCode.OK

    return list_keys


def _revoke(open_store: OpenStore) -> click.Command:
    @click.command("revoke")
    @click.argument("key_id", metavar="KEY_ID")
    @click.option("--tenant", required=True, metavar="NAME", help="Whose key it is.")
    @output_option
    def revoke(key_id: str, tenant: str, output: Format) -> ExitCode:
        """End a key for good; running servers notice within TEHAI_CREDENTIAL_CACHE_SECONDS."""
        from tehai.security.api_keys import is_key_id

        _check_tenant(tenant)
        if not is_key_id(key_id):
            # Not quoted: it may be a whole key, pasted by mistake.
            text = "KEY_ID is the part between the two underscores of a key, 16 hexadecimal digits"
            raise click.UsageError(text)
        try:
            key = _with_store(open_store, lambda store: store.revoke_key(tenant, key_id))
        except LookupError as error:
            text = f"tenant {tenant} has no key {key_id}; see tehai keys list --tenant {tenant}"
            raise click.UsageError(text) from error
        if output == "table":
            click.echo(f"key {key.key_id} of tenant {tenant} revoked {_time(key.revoke_time)}")
        else:
            print_object(_object(key), output)
        return ExitCode.OK

    return revoke


def _with_store(open_store: OpenStore, work: Callable[[KeyStore], Coroutine[Any, Any, Answer]]) -> Answer:
    """Do ``work`` on the store; raise Failure where the store cannot, LookupError where it has not."""

    async def run() -> Answer:
        async with open_store() as store:
            return await work(store)

    try:
        return asyncio.run(run())
    except LookupError:
        raise
    except (OSError, RuntimeError) as error:
        # Errors of a store are RuntimeErrors that say what to do.
        message = f"the store of keys: {error}"
        raise Failure(message, ExitCode.SERVER) from error
    except ModuleNotFoundError as error:
        raise not_installed(error) from error


def _check_tenant(tenant: str) -> None:
    from tehai.security.tenants import TENANT_RULE, is_tenant

    if not is_tenant(tenant):
        message = f"tenant {tenant!r}: must be {TENANT_RULE}"
        raise click.UsageError(message)


def _object(key: ApiKey) -> dict[str, Any]:
    """Return a key as a plain object, without its hash."""
    return {
        "key_id": key.key_id,
        "tenant": key.tenant,
        "scopes": list(key.scopes),
        "display_name": key.display_name,
        "create_time": _time(key.create_time),
        "expire_time": _time(key.expire_time),
        "revoke_time": _time(key.revoke_time),
    }


def _print_table(keys: tuple[ApiKey, ...]) -> None:
    from rich.table import Table
    from rich.text import Text

    if not keys:
        click.echo("no keys")
        return
    table = Table(box=None)
    for title in ("key id", "name", "scopes", "made", "ends", "revoked"):
        table.add_column(title)
    for key in keys:
        times = (_time(key.create_time), _time(key.expire_time), _time(key.revoke_time))
        # Text, so that brackets in a name are not markup.
        row = (key.key_id, key.display_name, " ".join(key.scopes), *(time or "" for time in times))
        table.add_row(*(Text(cell) for cell in row))
    print_renderable(table)


def _time(microseconds: int | None) -> str | None:
    """Return a time as RFC 3339 in UTC, whole seconds; None where there is none."""
    if microseconds is None:
        return None
    return datetime.fromtimestamp(microseconds // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@asynccontextmanager
async def _open_server_store() -> AsyncIterator[KeyStore]:
    """Open the store that a server with the same settings uses."""
    from tehai.operations.store import open_store
    from tehai.server.settings import StoreSettings

    settings = StoreSettings()
    store = await open_store(settings.database_url.get_secret_value(), settings.database_file)
    try:
        yield store
    finally:
        await store.close()


command = keys_group(_open_server_store)
