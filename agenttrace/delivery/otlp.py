"""The sink that speaks OTLP, over HTTP or gRPC."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from time import monotonic
from typing import TYPE_CHECKING, cast

from openinference.semconv.trace import AnnotationAttributes

from agenttrace import faults

from .decoding import decode_spans
from .endpoint import Endpoint
from .phoenix import post_annotations
from .sink import Answer, Verdict, keep_for_ever
from .transport import Connection, TransportOptions

if TYPE_CHECKING:
    from .otlp_grpc import GrpcConnection
    from .otlp_http import HttpConnection
    from .phoenix import JsonPoster

__all__ = ["OtlpSink", "load_libraries"]

_ANNOTATIONS_PAUSE_SECONDS = 60.0
_ANNOTATED = f".{AnnotationAttributes.ANNOTATION_NAME}".encode()  # what each annotation has, at least


class OtlpSink:
    """Delivers batches to one OTLP server. The connection is made when the first batch is there.

    Args:
        endpoint: The server.
        headers: Headers to send along.
        options: Compression, timeout and certificates.
        is_phoenix: Whether the server is known to be Phoenix; over HTTP, it says so itself.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        headers: Mapping[str, str],
        options: TransportOptions | None = None,
        *,
        is_phoenix: bool = False,
    ) -> None:
        self._is_phoenix = is_phoenix
        self.name: str = str(endpoint)
        self._endpoint = endpoint
        self._headers = {name.lower(): value for name, value in headers.items()}
        if endpoint.authorization is not None:
            self._headers.setdefault("authorization", endpoint.authorization)
        self._options = options or TransportOptions()
        self._connection_type = load_libraries(endpoint)
        self._connection: Connection | None = None
        self._post_again_at = 0.0

    @property
    def answers_early(self) -> bool:
        """Whether the server is known to be Phoenix, which answers before it has written."""
        return self._is_phoenix or getattr(self._connection, "is_phoenix", False)

    def send(self, payload: bytes, timeout: float) -> Answer:
        """Send ``payload``, and what Phoenix wants apart from it."""
        if sys.meta_path is None:  # as Python itself tells that nothing can be imported any more
            # Both requests and grpc import on their way, some of it when the server has the batch already.
            return Answer(Verdict.UNREACHABLE, _too_late(self.name))
        if self._connection is None:
            self._connection = self._connection_type(self._endpoint, self._headers, self._options)
        answer = self._connection.send(payload, timeout)
        takes_annotations = getattr(self._connection, "is_phoenix", False) and monotonic() >= self._post_again_at
        if answer.verdict is Verdict.ACCEPTED and takes_annotations and _ANNOTATED in payload:
            self._post_annotations(payload)
        return answer

    def _post_annotations(self, payload: bytes) -> None:
        try:
            if not post_annotations(cast("JsonPoster", self._connection), self.name, decode_spans(payload)):
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
