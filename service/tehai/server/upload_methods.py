"""UploadProblem: a problem that is too large for one message, in parts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from hashlib import sha256

from tehai.operations.errors import StoreError
from tehai.operations.records import BlobKind, Upload
from tehai.security import current_admission
from tehai.server.interceptors import Context
from tehai.server.parts import ServerParts
from tehai.server.request_errors import FieldFault, InvalidRequestError
from tehai.server.resources import SHA256, Collection, resource_name, to_stored_problem
from tehai.server.solve_methods import DAY_SECONDS
from tehai.v1 import solve_pb2
from tehai.v1 import sourcing_service_pb2 as pb

# Parts are written together up to this: each write is a commit of its own.
WRITE_BYTES = 1024 * 1024


class UploadMethods:
    """The method of SourcingService that takes a stream of parts."""

    def __init__(self, parts: ServerParts) -> None:
        self._parts = parts
        self._store = parts.store

    async def upload_problem(
        self, requests: AsyncIterator[pb.UploadProblemRequest], _: Context
    ) -> solve_pb2.StoredProblem:
        """Keep the bytes that the header announces; a stream that ends early, or with other bytes, keeps nothing."""
        self._parts.check_open()
        tenant = current_admission().tenant
        header = await self._header(requests)
        current_admission().resource = resource_name(tenant, Collection.PROBLEM, header.content_sha256)
        upload = await self._store.begin_upload(tenant, BlobKind.PROBLEM, header.content_sha256)
        finished = False
        try:
            await self._receive(requests, header, upload)
            retention_seconds = self._parts.settings.retention_days * DAY_SECONDS
            record = await self._store.finish_upload(upload, retention_seconds)
            finished = True
            return to_stored_problem(record)
        finally:
            if not finished:
                # Also for a caller that went away; where it fails, retention finds the upload.
                with suppress(StoreError):
                    await asyncio.shield(self._store.abort_upload(upload))

    async def _header(self, requests: AsyncIterator[pb.UploadProblemRequest]) -> pb.UploadHeader:
        first = await anext(requests, None)
        if first is None or first.WhichOneof("part") != "header":
            raise InvalidRequestError(FieldFault("header", "must be the first message"))
        header, most = first.header, self._parts.settings.upload_bytes_max
        faults = []
        if not 1 <= header.total_bytes <= most:
            faults.append(FieldFault("header.total_bytes", f"must be 1 to {most}, not {header.total_bytes}"))
        if not SHA256.fullmatch(header.content_sha256):
            faults.append(FieldFault("header.content_sha256", "must be 64 lower-case hexadecimal digits"))
        if faults:
            raise InvalidRequestError(*faults)
        return header

    async def _receive(
        self, requests: AsyncIterator[pb.UploadProblemRequest], header: pb.UploadHeader, upload: Upload
    ) -> None:
        """Write the parts as they come; raise InvalidRequestError where they are not what the header says."""
        hasher = sha256()
        received = 0
        waiting: list[bytes] = []
        waiting_bytes = 0
        async for request in requests:
            self._parts.check_open()
            if request.WhichOneof("part") != "data":
                raise InvalidRequestError(FieldFault("data", "must be in every message after the first"))
            received += len(request.data)
            if received > header.total_bytes:
                text = f"there are more bytes than the {header.total_bytes} of header.total_bytes"
                raise InvalidRequestError(FieldFault("data", text))
            waiting.append(request.data)
            waiting_bytes += len(request.data)
            if waiting_bytes >= WRITE_BYTES:
                await self._write(upload, hasher.update, waiting)
                waiting, waiting_bytes = [], 0
        if waiting_bytes:
            await self._write(upload, hasher.update, waiting)
        if received < header.total_bytes:
            text = f"there are {received} bytes, fewer than the {header.total_bytes} of header.total_bytes"
            raise InvalidRequestError(FieldFault("data", text))
        if hasher.hexdigest() != header.content_sha256:
            raise InvalidRequestError(FieldFault("header.content_sha256", "is not that of the bytes that came"))

    async def _write(self, upload: Upload, update: object, waiting: list[bytes]) -> None:
        data = b"".join(waiting)
        await asyncio.to_thread(update, data)  # type: ignore[arg-type]
        await self._store.append_upload(upload, data)
