"""The local store as a destination: an exporter that writes ended spans into one SQLite file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from .paths import absolute_store_path, default_store_path
from .writing import write_spans

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from opentelemetry.sdk.trace import ReadableSpan

__all__ = ["LocalSpanExporter", "default_store_path"]


class LocalSpanExporter(SpanExporter):
    """Writes ended spans into the local store, where ``agenttrace show`` finds them.

    Each batch is one transaction; a span that is delivered twice is kept once. Several processes, and the children of
    a fork, may write to one store. Nothing is opened or made before the first span.

    Args:
        path: The store's file, or None for `default_store_path`.

    Raises:
        ValueError: If no path is given and this user has no home folder.

    Example:
        >>> provider.add_span_processor(BatchSpanProcessor(LocalSpanExporter(Path("run.db"))))
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path: Path = absolute_store_path(path)
        """The store's file."""
        self._is_shut_down = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Write ``spans``, all of them or none.

        Returns:
            SUCCESS when they are in the store. FAILURE when it can't be written to (a full disk, a folder that is
            read-only, another program's file), which is logged once; the same spans may be tried again.
        """
        if self._is_shut_down:
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS if write_spans(self.path, spans) else SpanExportResult.FAILURE

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Nothing waits here: what `export` took is in the file."""
        return True

    def shutdown(self) -> None:
        """Take no more spans."""
        self._is_shut_down = True
