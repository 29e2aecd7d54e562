"""The one way a span is opened and ended, whatever was marked: `SpanOpener` before the body, `RunningSpan` after."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import time_ns
from typing import TYPE_CHECKING, Any

from openinference.semconv.trace import OpenInferenceSpanKindValues, SpanAttributes
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode
from opentelemetry.trace import Span as OtelSpan

from . import faults
from .context import CONTEXT_ATTRIBUTES, attributes_from_context
from .current import HANDLE_KEY, SPAN_KEY, SUPPRESS_KEY, Context, attach, get_current
from .provider import find_source
from .span import Span, valid_attributes
from .wrapping.activity import Activity, end_unfinished, unfinished

if TYPE_CHECKING:
    from .yielded import Items

__all__ = ["RunningSpan", "SpanOpener", "import_ahead"]

_OUTPUT_VALUE = SpanAttributes.OUTPUT_VALUE
_OUTPUT_MIME_TYPE = SpanAttributes.OUTPUT_MIME_TYPE
_OK = Status(StatusCode.OK)
_UNSET = StatusCode.UNSET
_INTERNAL = SpanKind.INTERNAL
# How an iterator's own methods say that there is no more.
_ENDS_OF_ITERATION = (StopIteration, StopAsyncIteration)
_STEPS_OF_ITERATION = ("__next__", "__anext__")


class SpanOpener:
    """Opens the spans of one mark on one function or block.

    Args:
        kind: The OpenInference span kind.
        name: The spans' name.
        options: The mark's options, checked.
        subject: The name of the agent or tool, where it is not ``name``.
    """

    __slots__ = (
        "_links",
        "_static",
        "encode_input",
        "encode_output",
        "kind",
        "name",
        "options",
        "records_output",
        "subject",
    )

    def __init__(self, kind: str, name: str, options: Mapping[str, Any], subject: str | None = None) -> None:
        self.kind: str = kind
        self.name: str = name
        self.options: Mapping[str, Any] = options
        self.subject: str | None = subject
        given = options.get("attributes") or {}
        self.records_output: bool = options.get("capture_output") is not False and _OUTPUT_VALUE not in given
        """Whether the result is recorded at all."""
        self.encode_input: Callable[[Any], tuple[str, str]]
        self.encode_output: Callable[[Any], tuple[str, str]]
        """What a result is recorded as, and its MIME type."""
        self._links = [_as_link(link) for link in options.get("links") or ()]
        self._static: dict[str, Any] | None = None

    def open(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> RunningSpan | None:
        """Open the span of a call with these arguments, entered; None where nothing is recorded."""
        context = get_current()
        try:
            source = find_source(context)
            if source is None or context.get(SUPPRESS_KEY):
                return None
            attributes = (self._static or self._prepare()).copy()
            if not CONTEXT_ATTRIBUTES.isdisjoint(context):
                attributes = {**attributes_from_context(context), **attributes}
            # Attributes are cheapest where the span starts. Unless the sampler may say no: nothing is serialised then.
            certain = source.samples_all and (SPAN_KEY not in context or _is_recording(context))
            if certain:
                self.add_start_attributes(attributes, context, args, kwargs)
            otel_span = source.start_span(self.name, context, _INTERNAL, attributes, self._links)
            try:
                if not certain and otel_span.is_recording():
                    added: dict[str, Any] = {}
                    self.add_start_attributes(added, context, args, kwargs)
                    otel_span.set_attributes(added)
                    attributes.update(added)
                return RunningSpan(self, otel_span, context, len(attributes))
            except RecursionError:
                unfinished.append(otel_span)
                return None
            except BaseException:  # Ctrl-C, while the arguments were read
                otel_span.end()
                raise
        except RecursionError:
            return None  # not even a line can be logged here
        except BaseException as error:
            if get_current() is not context:
                attach(context)
            faults.contain(f"opening the span {self.name}", error)
            return None

    def _prepare(self) -> dict[str, Any]:
        from .capture.text import valid_text

        self.name = valid_text(self.name)
        self.prepare()
        static = self.static_attributes()
        self._static = static
        return static

    def prepare(self) -> None:
        """Get ready for the first span: what takes time, and what need not be imported before."""
        from .capture.encode import encode_value

        self.encode_input = encode_value
        process = self.options.get("process_output")
        self.encode_output = encode_value if process is None else lambda result: encode_value(process(result))

    def static_attributes(self) -> dict[str, Any]:
        """The attributes that all spans of this opener have. Made at the first span, not at import."""
        from .capture.encode import encode_json, encode_text

        attributes: dict[str, Any] = {SpanAttributes.OPENINFERENCE_SPAN_KIND: self.kind}
        name_attribute = _NAME_ATTRIBUTES.get(self.kind)
        if name_attribute is not None:
            attributes[name_attribute] = encode_text(self.options.get("name") or self.subject or self.name)
        for option, key in _OPTION_ATTRIBUTES.items():
            value = self.options.get(option)
            if value is not None:
                attributes[key] = encode_text(value) if isinstance(value, str) else encode_json(value)
        return {**attributes, **self.given_attributes()}

    def given_attributes(self) -> dict[str, Any]:
        """The attributes that the user gave the mark."""
        return valid_attributes(self.options.get("attributes") or {})

    def add_start_attributes(
        self, attributes: dict[str, Any], context: Context, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        """Add to ``attributes`` what is known before the body runs and differs from span to span; never raises."""


_NAME_ATTRIBUTES = {
    OpenInferenceSpanKindValues.AGENT.value: SpanAttributes.AGENT_NAME,
    OpenInferenceSpanKindValues.TOOL.value: SpanAttributes.TOOL_NAME,
}
_OPTION_ATTRIBUTES = {
    "description": SpanAttributes.TOOL_DESCRIPTION,
    "parameters": SpanAttributes.TOOL_PARAMETERS,
    "graph_node_id": SpanAttributes.GRAPH_NODE_ID,
    "graph_node_parent_id": SpanAttributes.GRAPH_NODE_PARENT_ID,
}


class RunningSpan(Activity):
    """A span while its body runs, entered from the start: what is recorded when the body is done, however it ends."""

    _handle: Span | None = None
    _items: Items | None = None

    def __init__(self, opener: SpanOpener, otel_span: OtelSpan, parent: Context, attribute_count: int) -> None:
        self.otel_span: OtelSpan = otel_span
        self._opener = opener
        self._attribute_count = attribute_count
        # This object stands in the context, which it refers to only until it is left: what would be garbage for the
        # cycle collector with every call is freed at once.
        self._previous = parent
        self._attached = context = Context({**parent, SPAN_KEY: otel_span, HANDLE_KEY: self})
        self._token = attach(context)

    def handle(self) -> Span:
        """The handle that the user gets: always the same one, which knows what was set on it."""
        if self._handle is None:
            self._handle = Span(self.otel_span)
        return self._handle

    def expect_items(self) -> None:
        """The body yields, so that what it yields is the output, be it nothing."""
        if self.otel_span.is_recording():
            from .yielded import Items

            self._items = Items(self._opener)

    def finish(self, value: Any) -> None:
        """Record ``value``, or what was yielded, as output, status OK, and end the span."""
        ended = time_ns()
        if self.otel_span.is_recording():
            try:
                self._set_status(_OK)
                self._record_output(value)
            finally:  # also when Ctrl-C comes while the output is read
                self._end(ended)

    def fail(self, error: BaseException) -> None:
        """Record ``error`` and end the span.

        An `Exception` is one ``exception`` event and status ERROR. Cancellation, KeyboardInterrupt and SystemExit are
        an event of that name and no error; being closed, or the end of an iterator, is neither.
        """
        if isinstance(error, GeneratorExit):
            self.give_up()
            return
        ended = time_ns()
        if self.otel_span.is_recording():
            try:
                if self._items is not None:
                    self._record_output(None)
                if isinstance(error, _ENDS_OF_ITERATION) and self._opener.name.endswith(_STEPS_OF_ITERATION):
                    self._set_status(_OK)
                else:
                    self._record_failure(error, ended)
            finally:
                self._end(ended)

    def give_up(self) -> None:
        """End the span with what was yielded so far. A consumer that wants no more makes no error."""
        if self._items is None:
            self.end()
        else:
            self.finish(None)

    def end(self) -> None:
        """End the span with nothing more recorded."""
        if self.otel_span.is_recording():
            self._end(time_ns())

    def add_item(self, item: Any) -> None:
        """Record ``item`` as one that was yielded; the first one is an event."""
        if self._items is not None:
            try:
                self._items.add(item, self.otel_span)
            except RecursionError:
                return
            except BaseException as error:
                faults.contain(f"recording an item of {self._opener.name}", error)

    def _record_output(self, value: Any) -> None:
        opener, handle = self._opener, self._handle
        if opener.records_output and (handle is None or not handle._has_output):
            try:
                if self._has_foreign_output():
                    return
                text, mime_type = opener.encode_output(value) if self._items is None else self._items.output()
                otel_span = self.otel_span
                # Two calls are faster than one with a mapping, which the SDK checks against abstract classes.
                otel_span.set_attribute(_OUTPUT_VALUE, text)
                otel_span.set_attribute(_OUTPUT_MIME_TYPE, mime_type)
            except BaseException as error:
                faults.contain(f"recording the output of {opener.name}", error)

    def _has_foreign_output(self) -> bool:
        """Whether somebody set the output on the OpenTelemetry span itself."""
        attributes = getattr(self.otel_span, "attributes", None)
        # Asking for a name that isn't there takes a while; a span that has no more than it began with needs no asking.
        return attributes is not None and len(attributes) != self._attribute_count and _OUTPUT_VALUE in attributes

    def _record_failure(self, error: BaseException, ended: int) -> None:
        from .capture.errors import EXCEPTION_EVENT, describe, exception_attributes, is_failure
        from .capture.text import valid_text

        try:
            failed = is_failure(error)
            event = EXCEPTION_EVENT if failed else valid_text(type(error).__name__)
            self.otel_span.add_event(event, exception_attributes(error, escaped=True), ended)
            if failed:
                self._set_status(Status(StatusCode.ERROR, describe(error)))
        except BaseException as fault:
            faults.contain(f"recording an exception of {self._opener.name}", fault)
            self._set_status(Status(StatusCode.ERROR, type(error).__name__))

    def _set_status(self, status: Status) -> None:
        """Set ``status`` unless the user has set one, here or on the OpenTelemetry span itself."""
        if self._handle is not None and self._handle._has_status:
            return
        try:
            present = getattr(self.otel_span, "status", None)
            if present is None or present.status_code is _UNSET:
                self.otel_span.set_status(status)
        except BaseException as error:
            faults.contain(f"setting the status of {self._opener.name}", error)

    def _end(self, ended: int) -> None:
        try:
            self.otel_span.end(ended)
        except RecursionError:
            raise  # for `unfinished`
        except BaseException as error:
            faults.contain(f"ending the span {self._opener.name}", error)
        if unfinished:
            end_unfinished()


def import_ahead() -> None:
    """Import what the first traced call would otherwise import while its span runs.

    For the places that set tracing up: a first trace that shows 20 ms of imports as an agent's work misleads.
    """
    from . import yielded  # noqa: F401
    from .capture import arguments, encode, errors, tools  # noqa: F401
    from .wrapping import deferred  # noqa: F401


def _is_recording(context: Context) -> bool:
    parent = context[SPAN_KEY]
    return isinstance(parent, OtelSpan) and parent.is_recording()


def _as_link(link: Link | SpanContext | Span) -> Link:
    if isinstance(link, Link):
        return link
    return Link(link.otel_span.get_span_context() if isinstance(link, Span) else link)
