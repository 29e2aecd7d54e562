"""OTLP over gRPC: one call a batch, its status read for what it tells a person to do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import grpc
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import DESCRIPTOR

from .endpoint import Endpoint
from .grpc_failures import connection_problem, is_cut_off, is_local_failure
from .otlp_answer import accepted, refused_credentials
from .server_words import ServerWords
from .sink import Answer, Verdict
from .tls import authorities_problem
from .transport import USER_AGENT, TransportOptions

__all__ = ["GrpcConnection"]

_METHOD = f"/{DESCRIPTOR.services_by_name['TraceService'].full_name}/Export"
_STATUS_DETAILS = "grpc-status-details-bin"
_LATER_CODES = (
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.OUT_OF_RANGE,
    grpc.StatusCode.DATA_LOSS,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
)
# A message over a limit has no status of its own: RESOURCE_EXHAUSTED, which Rust's servers call OUT_OF_RANGE, stands
# for exhausted quotas too, and UNKNOWN for what a proxy said in HTTP. So it goes by what gRPC's libraries call it.
_TOO_LARGE_CODES = (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.OUT_OF_RANGE, grpc.StatusCode.UNKNOWN)
_TOO_LARGE = re.compile(r"larger than max|exceeds (?:the )?max|length too large|with status: 413", re.IGNORECASE)


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
        self._words = ServerWords(headers)
        self._channel: grpc.Channel | None = None
        self.status: str = ""
        """How the latest answer's status reads, like ``gRPC OK``; empty while there was none."""

    def send(self, payload: bytes, timeout: float) -> Answer:
        """Send one encoded batch."""
        self.status = ""
        if self._channel is None:
            problem = authorities_problem(self._options) if self._endpoint.is_secure else None
            if problem is not None:
                return Answer(Verdict.UNREACHABLE, problem)
            try:
                self._channel = self._open_channel()
            except OSError:
                return Answer(Verdict.UNREACHABLE, "the files that are named for TLS can't be read")
        # Bytes go in and out as they are, so that the encoded batch can be measured, split and kept.
        call = self._channel.unary_unary(_METHOD, request_serializer=None, response_deserializer=None)
        compression = grpc.Compression.Gzip if self._options.compression == "gzip" else None
        try:
            response = call(payload, timeout=timeout, metadata=self._metadata, compression=compression)
        except grpc.RpcError as error:
            answer = self._read(error, timeout)
            if answer.verdict is Verdict.UNREACHABLE:
                # A channel waits for up to two minutes between its own attempts to connect, a new one tries at once.
                self.close()
            return answer
        self.status = "gRPC OK"
        return accepted(str(self._endpoint), response, self._words)

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
        certificate = self._options.client_certificate
        # gRPC's library ends the whole process over one without the other; a file may hold both.
        key = (self._options.client_key or certificate) if certificate else None
        files = (self._options.certificate, key, certificate)
        return grpc.secure_channel(
            self._endpoint.address,
            grpc.ssl_channel_credentials(*(Path(file).read_bytes() if file else None for file in files)),
            options=options,
        )

    def _read(self, error: grpc.RpcError, timeout: float) -> Answer:
        code, details = error.code(), error.details() or ""
        status = grpc.StatusCode
        name = str(self._endpoint)
        self.status = f"gRPC {code.name}"
        if code is status.UNAVAILABLE and is_local_failure(details):
            problem = connection_problem(self._endpoint, details, self._options)
            if is_cut_off(details):
                return Answer(Verdict.LATER, problem, interrupted=True)
            return Answer(Verdict.UNREACHABLE, problem)
        if code is status.DEADLINE_EXCEEDED:
            return Answer(Verdict.LATER, f"{name} doesn't answer within {timeout:.3g} s")
        if code in _TOO_LARGE_CODES and _TOO_LARGE.search(details):
            problem = f"{name} takes no message as large as one span is"
            return Answer(Verdict.SPLIT, self._words.after(problem, details))
        if code in _LATER_CODES:
            wish = _retry_after(error)
            # Without it the specification knows no reason to try again but a message over the limit.
            is_doubtful = code is grpc.StatusCode.RESOURCE_EXHAUSTED and wish is None
            return Answer(Verdict.LATER, f"{name} is busy ({code.name})", wish, may_be_too_large=is_doubtful)
        return self._refusal(name, code, details)

    def _refusal(self, name: str, code: grpc.StatusCode, details: str) -> Answer:
        status = grpc.StatusCode
        verdict = Verdict.FAULTY if code in (status.INTERNAL, status.UNKNOWN) else Verdict.REFUSED
        if code in (status.UNAUTHENTICATED, status.PERMISSION_DENIED):
            problem = f"{name} {refused_credentials(self._words.has_credentials, code.name)}"
        elif code is status.UNIMPLEMENTED:
            problem = f'{name} is no OTLP server for gRPC: check the port, or register(protocol="http/protobuf")'
        elif verdict is Verdict.FAULTY:
            problem = f"{name} failed ({code.name}): see the server's log"
        else:
            problem = f"{name} refuses the spans ({code.name})"
        return Answer(verdict, self._words.after(problem, details))


def _retry_after(error: grpc.RpcError) -> float | None:
    """The seconds that the server asks to be left alone for, from the ``google.rpc.RetryInfo`` of its answer."""
    for key, value in error.trailing_metadata() or ():
        if key != _STATUS_DETAILS or not isinstance(value, bytes):
            continue
        try:
            for detail in Status.FromString(value).details:
                info = RetryInfo()
                if detail.Unpack(info):
                    return max(0.0, float(info.retry_delay.seconds) + float(info.retry_delay.nanos) / 1e9)
        except DecodeError:
            return None
    return None
