"""The sink that speaks OTLP: encodes a batch with OpenTelemetry's encoder and sends it over HTTP or gRPC."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Mapping, Sequence
from time import monotonic
from typing import TYPE_CHECKING, cast

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

from agenttrace import faults

from .endpoint import Endpoint
from .sink import Answer, Verdict, keep_for_ever
from .transport import Connection, TransportOptions

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

    from .otlp_grpc import GrpcConnection
    from .otlp_http import HttpConnection
    from .phoenix import JsonPoster

__all__ = ["OtlpSink", "load_libraries"]

_ANNOTATIONS_PAUSE_SECONDS = 60.0
_this_thread = threading.local()


class OtlpSink:
    """Delivers batches to one OTLP server. The connection is made when the first batch is there.

    Args:
        endpoint: The server.
        headers: Headers to send along.
        options: Compression, timeout and certificates.
    """

    def __init__(self, endpoint: Endpoint, headers: Mapping[str, str], options: TransportOptions | None = None) -> None:
        self.name: str = str(endpoint)
        self._endpoint = endpoint
        self._headers = {name.lower(): value for name, value in headers.items()}
        if endpoint.authorization is not None:
            self._headers.setdefault("authorization", endpoint.authorization)
        self._options = options or TransportOptions()
        self._connection_type = load_libraries(endpoint)
        self._connection: Connection | None = None
        self._post_again_at = 0.0

    def deliver(self, spans: Sequence[ReadableSpan], timeout: float) -> Answer:
        """Encode and send ``spans``. Where one can't be encoded, the batch is to be split until it is alone."""
        if sys.meta_path is None:  # as Python itself tells that nothing can be imported any more
            # Both requests and grpc import on their way, some of it when the server has the batch already.
            return Answer(Verdict.REFUSED, _too_late(self.name))
        try:
            payload = _encode(spans)
        except BaseException as error:
            faults.contain("encoding a span", error)
            return Answer(Verdict.SPLIT)
        if self._connection is None:
            self._connection = self._connection_type(self._endpoint, self._headers, self._options)
        answer = self._connection.send(payload, timeout)
        takes_annotations = getattr(self._connection, "is_phoenix", False) and monotonic() >= self._post_again_at
        if answer.verdict is Verdict.ACCEPTED and takes_annotations:
            self._post_annotations(spans)
        return answer

    def _post_annotations(self, spans: Sequence[ReadableSpan]) -> None:
        from .phoenix import post_annotations

        try:
            if not post_annotations(cast("JsonPoster", self._connection), self.name, spans):
                self._post_again_at = monotonic() + _ANNOTATIONS_PAUSE_SECONDS
        except BaseException as error:  # the spans have arrived, whatever becomes of these
            faults.contain("sending annotations", error)

    def close(self) -> None:
        """Close the connection; a later batch opens a new one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def forget(self) -> None:
        """Drop a connection that the parent process uses, untouched."""
        keep_for_ever(self._connection)
        self._connection = None


def load_libraries(endpoint: Endpoint) -> type[HttpConnection | GrpcConnection]:
    """Import what sending to ``endpoint`` needs; what connects to it.

    Done by the thread that registers: were it left to the worker, a fork in the middle of it would leave the child with
    modules that are locked for ever. Importing this module has loaded the encoder already.
    """
    if endpoint.protocol == "grpc":
        from .otlp_grpc import GrpcConnection

        return GrpcConnection
    from .otlp_http import HttpConnection

    return HttpConnection


def _too_late(name: str) -> str:
    return (
        f"spans that end while Python takes itself apart can't be sent to {name}: "
        "close what still runs, such as generators, before the program ends"
    )


def _encode(spans: Sequence[ReadableSpan]) -> bytes:
    _hush(encode_spans.__module__)
    _this_thread.is_encoding = True
    try:
        payload: bytes = encode_spans(spans).SerializeToString()
        return payload
    finally:
        _this_thread.is_encoding = False


class _NotOurs(logging.Filter):
    """Keeps out what the encoder logs on our worker's behalf: a stack trace, with the attribute that it stumbled over.

    Records of everybody else who uses the encoder pass.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        return not getattr(_this_thread, "is_encoding", False)


_not_ours = _NotOurs()


def _hush(encoder: str) -> None:
    # A logger's filters don't hold for its children, so each module of the encoder needs one.
    for name in (encoder, encoder.rpartition(".")[0]):
        encoder_logger = logging.getLogger(name)
        if _not_ours not in encoder_logger.filters:
            encoder_logger.addFilter(_not_ours)
