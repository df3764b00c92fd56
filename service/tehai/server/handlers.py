"""From the contract to functions: every method of a service has one, and how its request is read stands here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import grpc
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from tehai.server.request_errors import MalformedRequestError, RequestTooLargeError

# Of requests that carry a name and little more.
SMALL_REQUEST_BYTES_MAX = 64 * 1024
# Of those that carry a change, or a part of a problem: read by the interpreter, so that larger ones would hold it.
MEDIUM_REQUEST_BYTES_MAX = 256 * 1024
PART_BYTES_MAX = 4 * 1024 * 1024 + 1024
# Methods that take their request as bytes.
RAW = frozenset({"CreateSolve", "StreamSolve", "CheckProblem", "QuoteWorkloads", "StreamQuotes"})
_BYTES_MAX: Mapping[str, int] = {"EvaluatePlan": MEDIUM_REQUEST_BYTES_MAX, "UploadProblem": PART_BYTES_MAX}
_ADVICE: Mapping[str, str] = {"UploadProblem": "; send the problem in smaller parts"}
_WORD_BEGIN = re.compile(r"(?<!^)(?=[A-Z])")


def generic_handler(service: ServiceDescriptor, parts: tuple[object, ...]) -> grpc.GenericRpcHandler[Any, Any]:
    """Return the handler of a service; each method is a function of one of ``parts``, or LookupError is raised."""
    handlers = {method.name: _handler(method, _function(method, parts)) for method in service.methods}
    return grpc.method_handlers_generic_handler(service.full_name, handlers)


def _function(method: MethodDescriptor, parts: tuple[object, ...]) -> Callable[..., Any]:
    name = _WORD_BEGIN.sub("_", method.name).lower()
    found = [getattr(part, name) for part in parts if hasattr(part, name)]
    if len(found) != 1:
        message = f"{method.full_name} has {len(found)} functions {name}, not one"
        raise LookupError(message)
    function: Callable[..., Any] = found[0]
    return function


def _handler(method: MethodDescriptor, function: Callable[..., Any]) -> grpc.RpcMethodHandler[Any, Any]:
    make = {
        (False, False): grpc.unary_unary_rpc_method_handler,
        (False, True): grpc.unary_stream_rpc_method_handler,
        (True, False): grpc.stream_unary_rpc_method_handler,
        (True, True): grpc.stream_stream_rpc_method_handler,
    }[method.client_streaming, method.server_streaming]
    reader = None if method.name in RAW else _reader(method)
    return make(function, reader, _serialized)


def _reader(method: MethodDescriptor) -> Callable[[bytes], Message]:
    """Return a function that reads a request and raises RequestTooLargeError, MalformedRequestError."""
    kind = GetMessageClass(method.input_type)
    most = _BYTES_MAX.get(method.name, SMALL_REQUEST_BYTES_MAX)
    advice = _ADVICE.get(method.name, "")

    def read(data: bytes) -> Message:
        if len(data) > most:
            raise RequestTooLargeError(len(data), most, advice)
        try:
            return kind.FromString(data)
        except DecodeError:
            message = f"the request is not a {method.input_type.full_name}"
            raise MalformedRequestError(message) from None

    return read


def _serialized(answer: bytes | Message) -> bytes:
    """Return an answer as it is sent; handlers of large answers give bytes already."""
    return answer if isinstance(answer, bytes) else answer.SerializeToString()
