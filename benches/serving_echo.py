"""The least that a grpc.aio server can do: `python -m benches.serving_echo` answers every request with 1 KB."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import grpc.aio

from benches.serving_load import ECHO_METHOD


async def _serve() -> None:
    async def echo(request: bytes, _: Any) -> bytes:  # noqa: ANN401
        return request

    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    service, method = ECHO_METHOD.strip("/").split("/")
    handler = grpc.method_handlers_generic_handler(service, {method: grpc.unary_unary_rpc_method_handler(echo)})
    server.add_generic_rpc_handlers([handler])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(_serve())
