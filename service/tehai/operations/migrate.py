"""Numbered migrations: every SQL file of a backend is applied once, in order, all missing ones in one transaction."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from tehai.operations.errors import SchemaError

_NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
TABLE = "schema_migrations"


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of migrations/<backend>."""

    number: int
    name: str
    text: str

    @property
    def sha256(self) -> str:
        """Return the hash of the text; a migration never changes once it was released."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def read_migrations(backend: str) -> tuple[Migration, ...]:
    """Return the migrations of ``sqlite`` or ``postgres``, packaged with this module, numbered from 1 without a gap."""
    found = []
    for entry in files("tehai.operations").joinpath("migrations", backend).iterdir():
        match = _NAME.fullmatch(entry.name)
        if match is not None:
            found.append(Migration(int(match[1]), match[2], entry.read_text(encoding="utf-8")))
    found.sort(key=lambda migration: migration.number)
    if not found or [migration.number for migration in found] != list(range(1, len(found) + 1)):
        message = f"migrations/{backend} must be numbered from 0001 without a gap; the installation is damaged"
        raise SchemaError(message)
    return tuple(found)


def missing(migrations: Sequence[Migration], applied: Sequence[tuple[int, str]]) -> tuple[Migration, ...]:
    """Return what is to be applied after ``applied`` (number and hash of each, in order).

    Raise SchemaError where the database is newer than this program, or was made by a changed migration.
    """
    if len(applied) > len(migrations):
        message = (
            f"the database has migration {applied[-1][0]} and this program ends at {len(migrations)}; update Tehai"
        )
        raise SchemaError(message)
    for migration, (number, sha256) in zip(migrations, applied, strict=False):
        if (migration.number, migration.sha256) != (number, sha256):
            message = (
                f"migration {number} of the database is not {migration.number:04d}_{migration.name} of this program"
            )
            raise SchemaError(message)
    return tuple(migrations[len(applied) :])
