"""Databases for servers that commands are run against."""

from __future__ import annotations

from tests.server.databases import new_database

# A fixture of this folder too.
__all__ = ["new_database"]
