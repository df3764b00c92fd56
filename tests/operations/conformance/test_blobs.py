"""Bytes: ranges of large ones, uploads in parts, what replaces what."""

from __future__ import annotations

import asyncio
import hashlib

import pytest

from tehai.operations.errors import BlobNotFoundError, UploadGoneError
from tehai.operations.records import BlobKind, Upload
from tehai.operations.store import Store
from tests.operations.backends import Backend
from tests.operations.solves import OTHER_TENANT, TENANT, created, sha256

MEBIBYTE = 1 << 20


def pattern(size: int) -> bytes:
    """Return bytes in which every range differs from its neighbours."""
    return hashlib.shake_256(str(size).encode()).digest(size)


@pytest.mark.asyncio
async def test_ranges_of_a_hundred_megabytes(store: Store) -> None:
    """Any range of 100 MB is exactly that range, at the edges of its pieces too, and the whole is the whole."""
    size = 100_000_000
    data = pattern(size)
    record = await store.put_blob(TENANT, BlobKind.RESULT, "large", data)
    assert record.size_bytes == size == await store.blob_size(TENANT, BlobKind.RESULT, "large")
    ranges = [
        (0, 1),
        (0, MEBIBYTE),
        (MEBIBYTE - 1, 2),
        (MEBIBYTE, MEBIBYTE),
        (4 * MEBIBYTE - 3, 3 * MEBIBYTE + 7),
        (57_123_456, 4_000_000),
        (size - 1, 1),
        (size - 5, 100),
        (size, 10),
        (size + 10**12, 10),
        (12, 0),
    ]
    for offset, length in ranges:
        got = await store.read_blob(TENANT, BlobKind.RESULT, "large", offset, length)
        assert got == data[offset : offset + length], (offset, length)
    assert await store.get_blob(TENANT, BlobKind.RESULT, "large") == data
    for offset, length in ((-1, 5), (0, -5)):
        with pytest.raises(ValueError, match="negative"):
            await store.read_blob(TENANT, BlobKind.RESULT, "large", offset, length)


@pytest.mark.asyncio
async def test_an_upload_is_seen_when_it_is_complete(store: Store, backend: Backend) -> None:
    """Parts of any length add up; nobody reads them before the end, and afterwards nobody adds to them."""
    data = pattern(3 * MEBIBYTE + 77)
    key = sha256(data)
    upload = await store.begin_upload(TENANT, BlobKind.PROBLEM, key)
    position = 0
    for length in (0, 1, 5 * 1000, MEBIBYTE, MEBIBYTE + 1, 0, len(data)):
        part = data[position : position + length]
        position += len(part)
        assert await store.append_upload(upload, part) == position
        with pytest.raises(BlobNotFoundError):
            await store.get_blob(TENANT, BlobKind.PROBLEM, key)
    record = await store.finish_upload(upload, 100)
    assert (record.size_bytes, record.expire_time) == (len(data), record.create_time + 100_000_000)
    assert await (await backend.open()).get_blob(TENANT, BlobKind.PROBLEM, key) == data
    assert await store.read_blob(TENANT, BlobKind.PROBLEM, key, 4990, 20) == data[4990:5010]
    for call in (store.append_upload(upload, b"more"), store.finish_upload(upload)):
        with pytest.raises(UploadGoneError):
            await call
    await store.abort_upload(upload)
    assert await store.get_blob(TENANT, BlobKind.PROBLEM, key) == data


@pytest.mark.asyncio
async def test_an_upload_belongs_to_its_tenant(store: Store) -> None:
    """With another tenant's name the same upload is not there, and giving it up leaves it open."""
    upload = await store.begin_upload(TENANT, BlobKind.PROBLEM, "k")
    foreign = Upload(upload.blob_id, OTHER_TENANT, BlobKind.PROBLEM, "k")
    for call in (store.append_upload(foreign, b"x"), store.finish_upload(foreign)):
        with pytest.raises(UploadGoneError):
            await call
    await store.abort_upload(foreign)
    assert await store.append_upload(upload, b"x") == 1
    await store.abort_upload(upload)
    with pytest.raises(UploadGoneError):
        await store.append_upload(upload, b"x")


@pytest.mark.asyncio
async def test_equal_problems_are_kept_once(store: Store) -> None:
    """A problem that comes again stays the first one and lives to the later time; other bytes are replaced."""
    first = await store.put_blob(TENANT, BlobKind.PROBLEM, "p", b"bytes", 100)
    sooner = await store.put_blob(TENANT, BlobKind.PROBLEM, "p", b"bytes", 10)
    later = await store.put_blob(TENANT, BlobKind.PROBLEM, "p", b"bytes", 1000)
    assert first.expire_time is not None
    assert (sooner.expire_time, later.expire_time) == (first.expire_time, first.expire_time + 900_000_000)
    await store.put_blob(TENANT, BlobKind.QUOTE_BOOK, "s", b"old and longer")
    await store.put_blob(TENANT, BlobKind.QUOTE_BOOK, "s", b"new")
    assert await store.get_blob(TENANT, BlobKind.QUOTE_BOOK, "s") == b"new"
    assert await store.blob_size(TENANT, BlobKind.QUOTE_BOOK, "s") == 3


@pytest.mark.asyncio
async def test_the_same_bytes_from_many_at_once(store: Store, backend: Backend) -> None:
    """Sixteen uploads of one problem at once over two stores end well, and its solves can be created beside them."""
    second = await backend.open()
    problem = pattern(MEBIBYTE + 1)
    await asyncio.gather(
        *((store, second)[n % 2].put_blob(TENANT, BlobKind.PROBLEM, sha256(problem), problem, 10) for n in range(16)),
        *(created((store, second)[n % 2], problem=problem) for n in range(8)),
    )
    assert await store.get_blob(TENANT, BlobKind.PROBLEM, sha256(problem)) == problem
    assert (await store.counts()).queued == 8


@pytest.mark.asyncio
async def test_no_bytes_are_bytes_too(store: Store) -> None:
    """An empty blob is there and has nothing in it."""
    await store.put_blob(TENANT, BlobKind.RESULT, "empty", b"")
    assert await store.get_blob(TENANT, BlobKind.RESULT, "empty") == b""
    assert await store.blob_size(TENANT, BlobKind.RESULT, "empty") == 0
