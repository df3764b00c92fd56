"""Everything that the store refuses, each with what to do about it. Texts name ids of the caller's own tenant only."""

from __future__ import annotations


class StoreError(RuntimeError):
    """Base of the errors of a store. What was asked for has not happened, unless the class says otherwise."""


class StoreUnavailableError(StoreError):
    """Raised when the database cannot be reached or does not answer; try again after ``retry_seconds``.

    Where the connection broke while a change was being committed, the change may have been made: repeat a creation with
    its request id, and look at the record before repeating anything else.
    """

    def __init__(self, reason: str, retry_seconds: float = 1.0) -> None:
        super().__init__(f"the store is not available ({reason}); try again later")
        self.retry_seconds = retry_seconds


class StoreFullError(StoreError):
    """Raised when the database cannot grow. Nothing was changed, and reading goes on."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"the store is full ({reason}); free disk space, raise the limit, or delete solves that are not needed"
        )


class StoreCorruptError(StoreError):
    """Raised when the database is not what this program wrote; restore a backup."""


class StoreSettingError(StoreError):
    """Raised at opening when the database is set up so that it cannot keep the store's promises."""


class SchemaError(StoreError):
    """Raised at opening when the database's migrations are not those of this program."""


class RequestIdConflictError(StoreError):
    """Raised when a request id comes back with another payload."""

    def __init__(self, request_id: str) -> None:
        super().__init__(
            f"request id {request_id!r} was used for another payload; use a new id, or send the same payload"
        )
        self.request_id = request_id


class QueueFullError(StoreError):
    """Raised when as many solves wait as may wait."""

    def __init__(self, queue_max: int) -> None:
        super().__init__(f"all {queue_max} places in the queue are taken; try again later")
        self.queue_max = queue_max


class TenantQueueFullError(StoreError):
    """Raised when as many solves of one tenant wait as may wait; other tenants may have place."""

    def __init__(self, queued: int, tenant_queue_max: int) -> None:
        super().__init__(f"{queued} solves of the tenant wait already, {tenant_queue_max} may; try again later")
        self.queued = queued
        self.tenant_queue_max = tenant_queue_max


class StaleClaimError(StoreError):
    """Raised when a claim no longer holds: the solve ended, was given back, or was taken by another worker."""

    def __init__(self, solve_id: str, fence: int) -> None:
        super().__init__(f"claim {fence} on solve {solve_id!r} no longer holds; stop working on it")
        self.solve_id = solve_id
        self.fence = fence


class SolveNotFoundError(StoreError, LookupError):
    """Raised when the tenant has no such solve."""

    def __init__(self, solve_id: str) -> None:
        super().__init__(f"no solve {solve_id!r}")
        self.solve_id = solve_id


class SolveExistsError(StoreError):
    """Raised when a new solve has the id of an older one."""

    def __init__(self, solve_id: str) -> None:
        super().__init__(f"there is a solve {solve_id!r} already; choose another id")
        self.solve_id = solve_id


class SolveNotEndedError(StoreError):
    """Raised when a solve must have ended and has not."""

    def __init__(self, solve_id: str, state: str) -> None:
        super().__init__(f"solve {solve_id!r} is {state}; watch it or wait for its end, or cancel it")
        self.solve_id = solve_id
        self.state = state


class BlobNotFoundError(StoreError, LookupError):
    """Raised when the tenant has no such bytes."""

    def __init__(self, kind: str, key: str) -> None:
        super().__init__(f"no {kind} {key!r}")
        self.kind = kind
        self.key = key


class UploadGoneError(StoreError, LookupError):
    """Raised when an upload was finished, given up or swept away."""

    def __init__(self, key: str) -> None:
        super().__init__(f"the upload of {key!r} is no longer open; start it again")
        self.key = key


class KeyNotFoundError(StoreError, LookupError):
    """Raised when there is no such API key."""

    def __init__(self, key_id: str) -> None:
        super().__init__(f"no API key {key_id!r}")
        self.key_id = key_id


class InvalidRecordError(StoreError, ValueError):
    """Raised when a record to be written breaks a rule; names every field that does."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class FilterError(StoreError, ValueError):
    """Raised when a list filter cannot be read: ``part`` is the bad piece and ``offset`` its first character."""

    def __init__(self, part: str, offset: int, reason: str) -> None:
        super().__init__(f"filter, at character {offset + 1}, {part!r}: {reason}")
        self.part = part
        self.offset = offset
        self.reason = reason


class PageTokenError(StoreError, ValueError):
    """Raised when a page token was not made by this store for this tenant and this filter."""

    def __init__(self) -> None:
        super().__init__("page_token is not one that this list gave for this filter; start again without one")
