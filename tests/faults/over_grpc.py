"""The gRPC half of the loopback server."""

from __future__ import annotations

from concurrent import futures
from typing import Any

import grpc
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as services

from .over_http import Collector, answer_of
from .script import Fault

__all__ = ["GrpcBackend"]

_STATUS_DETAILS = "grpc-status-details-bin"


class GrpcBackend:
    """Listens on a loopback port until it is stopped; stopping cuts the connections that are open.

    Args:
        collector: The server that it belongs to.
        port: The port; 0 takes a free one.
        max_message_bytes: The largest message that it takes; None is gRPC's own 4 MB.
    """

    def __init__(self, collector: Collector, port: int, max_message_bytes: int | None = None) -> None:
        class Service(services.TraceServiceServicer):
            def Export(self, request: Any, context: Any) -> Any:
                return _answer(collector, request, context)

        options = [("grpc.so_reuseport", 0)]
        if max_message_bytes is not None:
            options.append(("grpc.max_receive_message_length", max_message_bytes))
        self._server = grpc.server(futures.ThreadPoolExecutor(16), options=options)
        services.add_TraceServiceServicer_to_server(Service(), self._server)
        self.port: int = int(self._server.add_insecure_port(f"127.0.0.1:{port}"))
        self._server.start()

    def stop(self) -> None:
        """Close the port, and every connection."""
        self._server.stop(None).wait()


def _answer(collector: Collector, request: Any, context: Any) -> Any:
    fault = collector.meet()
    if fault is not None and not fault.takes:
        _refuse(collector, context, fault)
    collector.take("grpc", [(name, str(value)) for name, value in context.invocation_metadata()], request)
    if fault is not None and fault.kind in ("cut", "half"):
        context.abort(grpc.StatusCode.UNAVAILABLE, "the connection was cut")
    if fault is not None and fault.kind == "slow":
        collector.delay(fault.seconds)
    return answer_of(fault)


def _refuse(collector: Collector, context: Any, fault: Fault) -> None:
    if fault.kind == "hang":
        collector.hang()
        context.abort(grpc.StatusCode.CANCELLED, "let go")
    code = grpc.StatusCode.UNAVAILABLE if isinstance(fault.code, int) else grpc.StatusCode[fault.code]
    wish = fault.headers.get("retry-after")
    if wish is not None:
        status = Status(code=code.value[0], message=fault.details)
        status.details.add().Pack(RetryInfo(retry_delay=Duration(seconds=int(wish))))
        context.set_trailing_metadata(((_STATUS_DETAILS, status.SerializeToString()),))
    context.abort(code, fault.details)
