"""Every RPC that the server has, from the descriptors of its services."""

from __future__ import annotations

from dataclasses import dataclass

from google.longrunning import operations_pb2
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from tehai.v1 import sourcing_service_pb2

SERVICES: tuple[ServiceDescriptor, ...] = (
    sourcing_service_pb2.DESCRIPTOR.services_by_name["SourcingService"],
    operations_pb2.DESCRIPTOR.services_by_name["Operations"],
    health_pb2.DESCRIPTOR.services_by_name["Health"],
    reflection_pb2.DESCRIPTOR.services_by_name["ServerReflection"],
)


@dataclass(frozen=True, slots=True)
class Method:
    """One RPC; ``path`` is its full name ``/package.Service/Method``."""

    path: str
    request: type[Message]
    response: type[Message]
    client_streams: bool
    server_streams: bool

    @property
    def name(self) -> str:
        """Return its short name."""
        return self.path.rpartition("/")[2]


def _method(descriptor: MethodDescriptor) -> Method:
    return Method(
        f"/{descriptor.containing_service.full_name}/{descriptor.name}",
        GetMessageClass(descriptor.input_type),
        GetMessageClass(descriptor.output_type),
        bool(descriptor.client_streaming),
        bool(descriptor.server_streaming),
    )


METHODS: tuple[Method, ...] = tuple(_method(method) for service in SERVICES for method in service.methods)
