"""The store with the time and the failures of each operation as metrics."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any, cast

from tehai.operations.errors import StoreCorruptError, StoreFullError, StoreUnavailableError
from tehai.operations.store import Store
from tehai.telemetry import Metrics

# Operations that wait for something else than the database.
_WAITING = frozenset({"wait_for_events", "close"})
_OWN_FAULTS = (StoreUnavailableError, StoreFullError, StoreCorruptError, TimeoutError, OSError)


def measured(store: Store, metrics: Metrics) -> Store:
    """Return ``store`` with its operations measured; everything else of it is as it was."""
    return cast("Store", _MeasuredStore(store, metrics))


class _MeasuredStore:
    def __init__(self, store: Store, metrics: Metrics) -> None:
        self._store = store
        self._metrics = metrics

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - an operation of the store
        """Make the measured operation when it is first used, and keep it."""
        operation = getattr(self._store, name)
        if callable(operation) and name not in _WAITING:
            operation = self._measured(name, operation)
        setattr(self, name, operation)
        return operation

    def _measured(self, name: str, operation: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def call(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - those of the operation
            started = time.monotonic()
            try:
                return await operation(*arguments, **named)
            except _OWN_FAULTS:
                self._metrics.count("tehai_store_errors_total", name)
                raise
            finally:
                self._metrics.observe("tehai_store_seconds", time.monotonic() - started, name)

        return call
