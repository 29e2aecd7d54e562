"""The items of one run of a generator, on their way to becoming its span's output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openinference.semconv.trace import OpenInferenceSpanKindValues
from opentelemetry.trace import Span as OtelSpan

from .capture.results import YieldedItems

if TYPE_CHECKING:
    from .kinds import Collector
    from .recording import SpanOpener

# The name under which OpenInference's instrumentors, and so the backends, know the moment of a model's first token.
_FIRST_OF_MODEL = "First Token Stream Event"
_FIRST_ITEM = "first_item"


def first_item_event(kind: str) -> str:
    """The name of the event that marks a generator's first item."""
    return _FIRST_OF_MODEL if kind == OpenInferenceSpanKindValues.LLM.value else _FIRST_ITEM


class Items:
    """What a generator yielded: as text at once or, where the mark has a function for all of them, as they are."""

    __slots__ = ("_kept", "_opener", "_reduce", "_skipped", "_texts", "are_of_a_stream", "collector", "has_started")

    def __init__(self, opener: SpanOpener) -> None:
        self._opener = opener
        self.has_started: bool = False
        """Whether there was a first item."""
        self.are_of_a_stream: bool = False
        """Whether they come from a provider's stream object, which may know the whole answer at its end."""
        self._skipped = False
        self.collector: Collector | None = None
        """Who understands the items, if anybody does."""
        self._reduce = opener.options.get("reduce")
        keeps = opener.records_output and (self._reduce or opener.options.get("process_output"))
        self._kept: list[Any] | None = [] if keeps else None
        self._texts = YieldedItems() if opener.records_output and not keeps else None

    def add(self, item: Any, otel_span: OtelSpan) -> None:
        """Take in ``item``; the first one is an event of ``otel_span``."""
        if not self.has_started:
            self._begin(otel_span)
            describer = self._opener.describer
            if describer is not None:
                self.collector = describer.collector(item)
        if self.collector is not None:
            self.collector.add(item)
            if self._kept is not None:
                self._kept.append(item)
        elif self._kept is not None:
            self._kept.append(item)
        elif self._texts is not None:
            self._texts.add(item)

    def skip(self, otel_span: OtelSpan) -> None:
        """Note that items went by unseen."""
        if not self.has_started:
            self._begin(otel_span)
        self._skipped = True

    def give_way_to(self, value: object) -> bool:
        """Whether ``value``, the whole answer, tells more than the items that were seen."""
        return self.are_of_a_stream and value is not None and (self._skipped or self.collector is None)

    def _begin(self, otel_span: OtelSpan) -> None:
        self.has_started = True
        otel_span.add_event(first_item_event(self._opener.kind))

    def output(self) -> tuple[str, str]:
        """The output and its MIME type."""
        if self._kept is None:
            if self.collector is None:
                return (self._texts or YieldedItems()).output()
            output = self.collector.output()
            return output.output() if isinstance(output, YieldedItems) else self._opener.encode_output(output)
        items, self._kept = self._kept, []
        if self._reduce is not None:
            return self._opener.encode_output(self._reduce(items))
        if all(type(item) is str for item in items):
            return self._opener.encode_output("".join(items))
        return self._opener.encode_output(items)
