"""Whether the server should be sent work."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

CHECK_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """Ready, or the names of what is not."""

    ready: bool
    failing: tuple[str, ...] = ()


class Readiness:
    """Named checks, each of which returns where all is well and raises where not, and whether the server drains."""

    def __init__(self, check_seconds: float = CHECK_SECONDS) -> None:
        """A check that takes longer than ``check_seconds`` has failed."""
        self._checks: dict[str, Callable[[], Awaitable[object]]] = {}
        self._check_seconds = check_seconds
        self._draining = False

    def add(self, name: str, check: Callable[[], Awaitable[object]]) -> None:
        """Add a check."""
        self._checks[name] = check

    def drain(self) -> None:
        """Be unready from now on, whatever the checks say: the server is about to end."""
        self._draining = True

    async def verdict(self) -> Verdict:
        """Run every check, all at once."""
        if self._draining:
            return Verdict(ready=False, failing=("draining",))
        names = tuple(self._checks)
        well = await asyncio.gather(*(self._passes(name) for name in names))
        failing = tuple(name for name, passed in zip(names, well, strict=True) if not passed)
        return Verdict(not failing, failing)

    async def _passes(self, name: str) -> bool:
        try:
            await asyncio.wait_for(self._checks[name](), self._check_seconds)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is not well, and the probe learns no more
            structlog.stdlib.get_logger(__name__).warning("not ready", check=name, exc_info=error)
            return False
        return True
