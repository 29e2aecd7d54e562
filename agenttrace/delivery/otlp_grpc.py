"""OTLP over gRPC: one call a batch, its status read for what it tells a person to do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import DESCRIPTOR

from .endpoint import Endpoint
from .otlp_answer import accepted
from .sink import Answer, Verdict
from .transport import USER_AGENT, TransportOptions

__all__ = ["GrpcConnection"]

_METHOD = f"/{DESCRIPTOR.services_by_name['TraceService'].full_name}/Export"


class GrpcConnection:
    """Calls the trace service of one server.

    The official exporter isn't used for this because it answers success or failure only, keeps the server's
    ``partial_success`` to itself, and retries by sleeping; its encoder is what makes the payload.

    Args:
        endpoint: The server.
        headers: Metadata to send along, names in lower case.
        options: Compression and certificates.
    """

    def __init__(self, endpoint: Endpoint, headers: Mapping[str, str], options: TransportOptions) -> None:
        self._endpoint = endpoint
        self._metadata = tuple(headers.items())
        self._options = options
        self._channel: grpc.Channel | None = None

    def send(self, payload: bytes, timeout: float) -> Answer:
        """Send one encoded batch."""
        if self._channel is None:
            self._channel = self._open_channel()
        # Bytes go in and out as they are, so that the encoded batch can be measured, split and kept.
        call = self._channel.unary_unary(_METHOD, request_serializer=None, response_deserializer=None)
        compression = grpc.Compression.Gzip if self._options.compression == "gzip" else None
        try:
            response = call(payload, timeout=timeout, metadata=self._metadata, compression=compression)
        except grpc.RpcError as error:
            answer = self._read(error.code(), error.details() or "", timeout)
            if answer.verdict is Verdict.UNREACHABLE:
                # A channel waits for up to two minutes between its own attempts to connect, a new one tries at once.
                self.close()
            return answer
        return accepted(str(self._endpoint), response)

    def close(self) -> None:
        """Close the channel."""
        channel, self._channel = self._channel, None
        if channel is not None:
            channel.close()

    def _open_channel(self) -> grpc.Channel:
        options: list[tuple[str, int | str]] = [
            ("grpc.use_local_subchannel_pool", 1),
            ("grpc.primary_user_agent", USER_AGENT),
        ]
        if self._endpoint.is_loopback:
            options.append(("grpc.enable_http_proxy", 0))  # no proxy stands between a program and its own machine
        if not self._endpoint.is_secure:
            return grpc.insecure_channel(self._endpoint.address, options=options)
        files = (self._options.certificate, self._options.client_key, self._options.client_certificate)
        return grpc.secure_channel(
            self._endpoint.address,
            grpc.ssl_channel_credentials(*(Path(file).read_bytes() if file else None for file in files)),
            options=options,
        )

    def _read(self, code: grpc.StatusCode, details: str, timeout: float) -> Answer:
        status = grpc.StatusCode
        name = str(self._endpoint)
        if code is status.UNAVAILABLE:
            return self._unavailable(name, details)
        if code is status.DEADLINE_EXCEEDED:
            return Answer(Verdict.LATER, f"{name} doesn't answer within {timeout:.3g} s")
        if code is status.RESOURCE_EXHAUSTED and "larger than max" in details:
            return Answer(Verdict.SPLIT, f"{name} takes no message as large as one span is")
        if code in (status.CANCELLED, status.ABORTED, status.OUT_OF_RANGE, status.DATA_LOSS, status.RESOURCE_EXHAUSTED):
            return Answer(Verdict.LATER, f"{name} is busy ({code.name})")
        if code in (status.UNAUTHENTICATED, status.PERMISSION_DENIED):
            problem = f"{name} refuses the credentials ({code.name}): check api_key or the authorization header"
            return Answer(Verdict.REFUSED, problem)
        if code is status.UNIMPLEMENTED:
            problem = f'{name} is no OTLP server for gRPC: check the port, or register(protocol="http/protobuf")'
            return Answer(Verdict.REFUSED, problem)
        if code in (status.INTERNAL, status.UNKNOWN):
            return Answer(Verdict.FAULTY, f"{name} failed ({code.name}): see the server's log")
        return Answer(Verdict.REFUSED, f"{name} refuses the spans ({code.name})")

    def _unavailable(self, name: str, details: str) -> Answer:
        # gRPC tells by words alone whether a server said "unavailable" or nobody was there to say anything.
        lowered = details.lower()
        if "http1" in lowered or "parsing http/2" in lowered:
            problem = f'{name} speaks HTTP, not gRPC: register(protocol="http/protobuf"), or use its gRPC port'
            return Answer(Verdict.UNREACHABLE, problem)
        if any(words in lowered for words in ("dns", "name resolution", "errors resolving", "lookup failed")):
            problem = f"the host {self._endpoint.host} of {name} isn't known: is it spelled right?"
            return Answer(Verdict.UNREACHABLE, problem)
        if "ssl" in lowered or "tls" in lowered or "certificate" in lowered:
            problem = f"no secure connection to {name} can be made: does it speak TLS, and is its certificate trusted?"
            return Answer(Verdict.UNREACHABLE, problem)
        if "connect" in lowered:
            return Answer(Verdict.UNREACHABLE, f"no server answers at {name}: is it running, and is the port right?")
        return Answer(Verdict.LATER, f"{name} is busy (UNAVAILABLE)")
