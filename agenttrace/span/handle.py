"""The handle on one span that a ``with`` block or `current_span` gives."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Protocol, cast

from openinference.semconv.trace import OpenInferenceMimeTypeValues, SpanAttributes
from opentelemetry.trace import (
    INVALID_SPAN,
    Status,
    StatusCode,
    format_span_id,
    format_trace_id,
    get_current_span,
)
from opentelemetry.trace import (
    Span as OtelSpan,
)

from ..current import HANDLE_KEY, get_current, is_suppressed
from ..faults import Advice
from ..semconv.masking import current_mask
from ..whereabouts import located
from .base import contained
from .material import MaterialSetters
from .model import ModelSetters
from .writing import split_lists, write_attributes

__all__ = ["NO_SPAN", "Span", "current_span", "valid_attributes", "valid_description", "valid_event"]

_MIME_TYPES = {
    "text": OpenInferenceMimeTypeValues.TEXT.value,
    "json": OpenInferenceMimeTypeValues.JSON.value,
}
_MIME_TYPE = re.compile(r"[\w!#$&^.+-]{1,127}/[\w!#$&^.+-]{1,127}")
_STATUS_CODES = {"ok": StatusCode.OK, "error": StatusCode.ERROR, "unset": StatusCode.UNSET}


class Span(ModelSetters, MaterialSetters):
    """One span, to say more about it than its mark records by itself.

    No method raises or blocks, whatever it is given, and on a span that isn't recorded (nothing registered, suppressed,
    sampled out, ended) all of them do nothing. What is set here wins over what the mark would have captured.

    Example:
        >>> with trace_step("choose a tool", input=question) as step:
        ...     choice = choose(question)
        ...     step.set_output(choice)
    """

    __slots__ = ()

    @property
    def trace_id(self) -> str:
        """The trace's id: 32 hexadecimal digits, all zero where there is no span.

        Example:
            >>> print(f"trace {current_span().trace_id}")
        """
        return format_trace_id(self._otel_span.get_span_context().trace_id)

    @property
    def span_id(self) -> str:
        """The span's id: 16 hexadecimal digits, all zero where there is no span.

        Example:
            >>> logger.info("answered", extra={"span_id": current_span().span_id})
        """
        return format_span_id(self._otel_span.get_span_context().span_id)

    @contained
    def set_input(self, value: Any, mime_type: str | None = None) -> None:
        """Record ``value`` as the span's input (OpenInference ``input.value`` and ``input.mime_type``).

        Args:
            value: A string is recorded as text, anything else as JSON; bounded to ``AGENTTRACE_MAX_VALUE_BYTES``.
            mime_type: ``"text/plain"`` or ``"application/json"`` where ``value`` is a string that says which; by
                default what the value's type says.

        Example:
            >>> with trace_step("choose a tool") as step:
            ...     step.set_input({"question": question, "tools": names})
        """
        self._set_value(SpanAttributes.INPUT_VALUE, SpanAttributes.INPUT_MIME_TYPE, value, mime_type)
        if self._describer is not None:
            self._add_described(self._describer.asked(value))

    @contained
    def set_output(self, value: Any, mime_type: str | None = None) -> None:
        """Record ``value`` as the span's output (OpenInference ``output.value`` and ``output.mime_type``).

        Args:
            value: A string is recorded as text, anything else as JSON; bounded to ``AGENTTRACE_MAX_VALUE_BYTES``. On
                spans of model calls, embeddings, retrievers and rerankers it is understood as a function's result is.
            mime_type: As for `set_input`.

        Example:
            >>> with trace_step("choose a tool") as step:
            ...     step.set_output(choose(question))
        """
        self._has_output = True
        self._set_value(SpanAttributes.OUTPUT_VALUE, SpanAttributes.OUTPUT_MIME_TYPE, value, mime_type)
        if self._describer is not None:
            self._add_described(self._describer.after(value, self._known()))

    @contained
    def set_attribute(self, key: str, value: Any) -> None:
        """Record an attribute.

        Args:
            key: Its name; OpenInference's are in ``openinference.semconv.trace.SpanAttributes``.
            value: Booleans, numbers, strings and lists of one of these are recorded as they are, anything else as JSON
                text; None records nothing.

        Example:
            >>> current_span().set_attribute("search.index", "products")
        """
        self._set_attributes({key: value})

    @contained
    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        """Record several attributes; see `set_attribute`.

        Args:
            attributes: Names and values.

        Example:
            >>> current_span().set_attributes({"search.index": "products", "search.hits": 12})
        """
        self._set_attributes(attributes)

    @contained
    def set_metadata(self, metadata: Mapping[str, Any]) -> None:
        """Add to the span's metadata (OpenInference ``metadata``, a JSON object).

        Args:
            metadata: Names and values. They are added to what ``using_metadata`` or an earlier call put there, and win
                over it.

        Example:
            >>> current_span().set_metadata({"experiment": "b", "attempt": 2})
        """
        from ..capture.encode import encode_json
        from ..context import merge_metadata

        if not isinstance(metadata, Mapping):
            raise Advice(f'metadata is a mapping such as {{"attempt": 2}}, not {type(metadata).__name__}')
        key = SpanAttributes.METADATA
        present = self._recorded(key)
        added = encode_json(dict(metadata))
        write_attributes(self._otel_span, {key: added if present is None else merge_metadata(present, added)})

    @contained
    def set_tags(self, tags: Iterable[str]) -> None:
        """Add to the span's tags (OpenInference ``tag.tags``), each once.

        Args:
            tags: Strings. They are added to those that ``using_tags`` or an earlier call put there.

        Example:
            >>> current_span().set_tags(["retried"])
        """
        from ..capture.encode import encode_text

        key = SpanAttributes.TAG_TAGS
        present = self._recorded(key)
        added = [tags] if isinstance(tags, str) else list(tags)
        known = present if isinstance(present, (list, tuple)) else ()
        merged = dict.fromkeys([*known, *(encode_text(str(tag)) for tag in added)])
        write_attributes(self._otel_span, {key: list(merged)})

    @contained
    def add_event(self, name: str, attributes: Mapping[str, Any] | None = None) -> None:
        """Record that something happened now.

        Args:
            name: What happened.
            attributes: More about it; values as for `set_attribute`.

        Example:
            >>> current_span().add_event("cache miss", {"key": key})
        """
        self._otel_span.add_event(_text(name), valid_event(attributes or {}))

    @contained
    def record_exception(self, error: BaseException) -> None:
        """Record an exception that was handled, as an event; the span's status stays as it is.

        Args:
            error: The exception. Nothing of it is kept but its text.

        Example:
            >>> try:
            ...     return fetch(url)
            ... except TimeoutError as error:
            ...     current_span().record_exception(error)
            ...     return None
        """
        from ..capture.errors import EXCEPTION_EVENT, exception_attributes

        self._otel_span.add_event(EXCEPTION_EVENT, exception_attributes(error))

    @contained
    def set_status(self, status: StatusCode | Status | str, description: str | None = None) -> None:
        """Say how the operation ended; what is said here stands whatever the call does.

        Args:
            status: ``"ok"``, ``"error"``, ``"unset"``, or OpenTelemetry's ``StatusCode`` or ``Status``.
            description: What went wrong, for an error.

        Example:
            >>> current_span().set_status("error", "the model refused")
        """
        if isinstance(status, Status):
            code, description = StatusCode(status.status_code), status.description
        else:
            # StatusCode() raises for what is none: an exporter would fail over it, with all the spans beside this one.
            code = _STATUS_CODES[status.lower()] if isinstance(status, str) else StatusCode(status)
        self._has_status = True
        kept = valid_description(description) if description is not None and code is StatusCode.ERROR else None
        self._otel_span.set_status(Status(code, kept))

    @contained
    def update_name(self, name: str) -> None:
        """Give the span another name.

        Args:
            name: The name.

        Example:
            >>> current_span().update_name(f"call {tool}")
        """
        self._otel_span.update_name(_text(name))

    def __repr__(self) -> str:
        return f"Span(trace_id={self.trace_id}, span_id={self.span_id})"

    def _set_value(self, key: str, mime_type_key: str, value: Any, mime_type: str | None) -> None:
        from ..capture.encode import encode_json, encode_value

        text, inferred = encode_value(value)
        if mime_type is None:
            mime_type = inferred
        else:
            mime_type = _MIME_TYPES.get(mime_type, mime_type)
            if not (isinstance(mime_type, str) and _MIME_TYPE.fullmatch(mime_type)):
                raise Advice("mime_type is no MIME type: write 'text/plain' or 'application/json'")
            if mime_type != inferred and not isinstance(value, str):
                text = encode_json(value)
        write_attributes(self._otel_span, {key: text, mime_type_key: _text(mime_type)})

    def _set_attributes(self, attributes: Mapping[str, Any]) -> None:
        valid = valid_attributes(attributes)
        if SpanAttributes.OUTPUT_VALUE in valid:
            self._has_output = True
        single, lists = split_lists(valid)
        self._own.update(single)
        self._own.update(lists)
        write_attributes(self._otel_span, valid)


class _HasHandle(Protocol):
    otel_span: OtelSpan

    def handle(self) -> Span: ...


NO_SPAN = Span(INVALID_SPAN)
"""The handle that stands for no span at all."""


def current_span() -> Span:
    """The innermost span that is running here, whoever opened it: a mark, or any other OpenTelemetry library.

    Returns:
        Its handle; outside any span, and where tracing is suppressed, one whose methods do nothing.

    Example:
        >>> @trace_tool
        ... def search(query: str) -> list[str]:
        ...     current_span().set_attribute("search.index", "products")
        ...     return find(query)
    """
    context = located(get_current())
    if is_suppressed(context):
        return NO_SPAN
    otel_span = get_current_span(context)
    running = cast("_HasHandle | None", context.get(HANDLE_KEY))
    if running is not None and running.otel_span is otel_span:
        return running.handle()
    return NO_SPAN if otel_span is INVALID_SPAN else Span(otel_span)


def valid_attributes(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """``attributes`` with values that OpenTelemetry takes; what is None is left out."""
    from ..capture.encode import encode_attribute
    from ..capture.redaction import shown_attribute

    named = {_text(key): value for key, value in attributes.items() if value is not None}
    return {key: encode_attribute(shown_attribute(key, value)) for key, value in named.items()}


def valid_event(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes of an event as `valid_attributes` makes them, with what is to be hidden hidden."""
    valid = valid_attributes(attributes)
    mask = current_mask()
    return mask.event_attributes(valid) if mask.is_active else valid


def valid_description(description: object) -> str:
    """The description of a status as valid text, with what is to be hidden hidden."""
    mask = current_mask()
    return mask.status_description(_text(description)) if mask.is_active else _text(description)


def _text(value: object) -> str:
    from ..capture.encode import encode_text

    return encode_text(value if isinstance(value, str) else str(value))
