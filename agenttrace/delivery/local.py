"""The local store as a sink: payloads back into spans, and those into its file."""

from __future__ import annotations

from pathlib import Path

from google.protobuf.message import DecodeError

from agenttrace import faults
from agenttrace.local.paths import absolute_store_path
from agenttrace.local.writing import write_spans

from .decoding import decode_spans
from .sink import ACCEPTED, LOCAL_EXIT_SECONDS, Answer, Verdict

__all__ = ["LocalSink"]

# What is only shown must not keep waiting what has to be kept.
_PATIENCE_FOR_RUNNING = 0.5


class LocalSink:
    """Writes payloads into the local store, where ``agenttrace show`` finds them.

    Each payload is one transaction; a span that arrives twice is kept once. Nothing stays open between two of them, so
    there is nothing to close, nor to forget after a fork.

    Args:
        path: The store's file, or None for the one in this user's data folder. Made with the first payload.

    Raises:
        ValueError: If no path is given and this user has no home folder.

    Example:
        >>> LocalSink("run.db").send(encode_spans(spans).SerializeToString(), timeout=10.0)
        Answer(verdict=<Verdict.ACCEPTED: 1>, problem='', retry_after=None, rejected=0)
    """

    exit_seconds: float | None = LOCAL_EXIT_SECONDS
    """How long an exit may wait for it. It is on this machine: it takes a backlog or fails at once."""

    def __init__(self, path: Path | str | None = None) -> None:
        self._path = absolute_store_path(path)

    @property
    def name(self) -> str:
        """The store's file."""
        return str(self._path)

    def send(self, payload: bytes, timeout: float) -> Answer:
        """Write the spans in ``payload``, all of them or none.

        Args:
            payload: A serialised ``ExportTraceServiceRequest``, or several behind each other.
            timeout: How long to wait for other processes that write to the store, in seconds.

        Returns:
            ACCEPTED when they are in the store; UNREACHABLE when it can't be written to, which has been logged once;
            REFUSED when ``payload`` isn't one.
        """
        try:
            spans = decode_spans(payload)
        except DecodeError:
            return Answer(Verdict.REFUSED, f"{self.name} was handed bytes that are no OTLP spans")
        return ACCEPTED if write_spans(self._path, spans, timeout) else Answer(Verdict.UNREACHABLE)

    def show_running(self, payload: bytes) -> None:
        """Have ``agenttrace show`` draw spans that are open, until they end and are sent.

        A span that has ended stays as it is, even when it is handed in late as a running one. Where others keep the
        store busy for half a second, nothing is shown: nothing is lost by it.

        Args:
            payload: As for `send`, with spans that have no end time.
        """
        try:
            spans = decode_spans(payload)
        except DecodeError as error:
            faults.report("showing running spans in the local store", error)
            return
        write_spans(self._path, spans, _PATIENCE_FOR_RUNNING, says_busy=False)

    def close(self) -> None:
        """Nothing is open."""

    def forget(self) -> None:
        """Nothing was inherited."""
