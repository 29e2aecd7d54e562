"""A span while its body runs: what is recorded when the body is done, however it ends."""

from __future__ import annotations

from collections.abc import Mapping
from time import time_ns
from typing import TYPE_CHECKING, Any

from openinference.semconv.trace import SpanAttributes
from opentelemetry.trace import Span as OtelSpan
from opentelemetry.trace import Status, StatusCode

from . import faults
from .current import HANDLE_KEY, SPAN_KEY, Context, attach
from .semconv.masking import REDACTED
from .span import Lists, Span, write_attributes
from .wrapping.activity import Activity, end_unfinished, unfinished

if TYPE_CHECKING:
    from .details import Details
    from .recording import SpanOpener
    from .semconv.mask import Mask
    from .yielded import Items

__all__ = ["RunningSpan"]

_OUTPUT_VALUE = SpanAttributes.OUTPUT_VALUE
_OUTPUT_MIME_TYPE = SpanAttributes.OUTPUT_MIME_TYPE
_OK = Status(StatusCode.OK)
_UNSET = StatusCode.UNSET
# How an iterator's own methods say that there is no more.
_ENDS_OF_ITERATION = (StopIteration, StopAsyncIteration)
_STEPS_OF_ITERATION = ("__next__", "__anext__")
_MANY = 16  # attributes from which on a span's limit may be near


class RunningSpan(Activity):
    """A span while its body runs, entered from the start: what is recorded when the body is done, however it ends."""

    _handle: Span | None = None
    _items: Items | None = None
    _details: Details | None = None
    ended_at: int | None = None
    """When the body ended, in nanoseconds since 1970, where that isn't when the span is ended."""

    def __init__(
        self,
        opener: SpanOpener,
        otel_span: OtelSpan,
        parent: Context,
        before: Context,
        attributes: Mapping[str, Any],
        lists: Lists | None,
        mask: Mask,
    ) -> None:
        self.otel_span: OtelSpan = otel_span
        self._mask = mask
        self._opener = opener
        self._attribute_count = len(attributes)
        if opener.describer is not None:
            from .details import Details

            self._details = Details(lists or {}, attributes.keys(), opener.options.get("attributes") or ())
        # This object stands in the context, which it refers to only until it is left: what would be garbage for the
        # cycle collector with every call is freed at once.
        self._previous = before
        self._attached = context = Context({**parent, SPAN_KEY: otel_span, HANDLE_KEY: self})
        self._token = attach(context)

    def handle(self) -> Span:
        """The handle that the user gets: always the same one, which knows what was set on it."""
        if self._handle is None:
            self._handle = Span(self.otel_span, collects_lists=True, describer=self._opener.describer)
        return self._handle

    def expect_items(self) -> None:
        """The body yields, so that what it yields is the output, be it nothing."""
        if self.otel_span.is_recording():
            from .yielded import Items

            self._items = Items(self._opener)

    def follow(self, value: Any) -> Any:
        """See `Activity.follow`: a provider's stream object is watched to its end."""
        describer = self._opener.describer
        if describer is None or not self.otel_span.is_recording():
            return None
        try:
            form = describer.stream_form(value)
            if form is None:
                return None
            if not _is_usable(form):
                faults.warn_once("agenttrace: a reader's stream_form() gave something else than a StreamForm or None.")
                return None
            from .streaming import followed_stream

            self.expect_items()
            if self._items is not None:
                self._items.are_of_a_stream = True
            return followed_stream(value, self, form)
        except BaseException as error:
            faults.contain(f"following the stream that {self._opener.name} returned", error)
            return None

    def finish(self, value: Any) -> None:
        """Record ``value``, or what was yielded, as output, status OK, and end the span."""
        ended = self.ended_at or time_ns()
        if self.otel_span.is_recording():
            try:
                self._set_status(_OK)
                self._record_output(value)
                if self._handle is not None or self._details is not None:
                    self._record_details(value)
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
        ended = self.ended_at or time_ns()
        if self.otel_span.is_recording():
            try:
                if self._items is not None:
                    self._record_output(None)
                if self._handle is not None or self._details is not None:
                    self._record_details(None)
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
            if self._handle is not None or self._details is not None:
                self._write_late()
            self._end(self.ended_at or time_ns())

    def add_item(self, item: Any) -> None:
        """Record ``item`` as one that was yielded; the first one is an event."""
        if self._items is not None:
            try:
                self._items.add(item, self.otel_span)
            except RecursionError:
                return
            except BaseException as error:
                faults.contain(f"recording an item of {self._opener.name}", error)

    def skip_items(self) -> None:
        """See `Activity.skip_items`: the whole answer, which the stream knows at its end, is to be recorded."""
        if self._items is not None:
            self._items.skip(self.otel_span)

    def _record_output(self, value: Any) -> None:
        opener, handle = self._opener, self._handle
        if opener.records_output and (handle is None or not handle._has_output):
            try:
                otel_span, items, mask = self.otel_span, self._items, self._mask
                present = getattr(otel_span, "attributes", None)
                count = 0 if present is None else len(present)
                # Asking for a name that isn't there takes a while; a span that has no more than it began with needs no
                # asking whether somebody set the output on it.
                if present is not None and count != self._attribute_count and _OUTPUT_VALUE in present:
                    return
                if mask.hides_output:
                    otel_span.set_attribute(_OUTPUT_VALUE, REDACTED)
                    return
                whole = items is None or items.give_way_to(value)
                text, mime_type = opener.encode_output(value) if whole or items is None else items.output()
                if mask.is_active or count > _MANY:
                    write_attributes(otel_span, {_OUTPUT_VALUE: text, _OUTPUT_MIME_TYPE: mime_type})
                    return
                # Two calls are faster than one with a mapping, which the SDK checks against abstract classes.
                otel_span.set_attribute(_OUTPUT_VALUE, text)
                otel_span.set_attribute(_OUTPUT_MIME_TYPE, mime_type)
            except BaseException as error:
                faults.contain(f"recording the output of {opener.name}", error)

    def _record_details(self, value: Any) -> None:
        """Record what more there is to say of the call, and the lists that the user set."""
        opener, details, items = self._opener, self._details, self._items
        try:
            if details is not None and opener.describer is not None:
                recorded = details.recorded(self.otel_span)
                if items is not None and items.collector is not None and not items.give_way_to(value):
                    flat = items.collector.describe(recorded)
                elif value is not None and (items is None or items.give_way_to(value)):
                    flat = opener.describer.after(value, recorded)
                else:
                    flat = {}
                if not opener.records_output or opener.options.get("process_output") is not None:
                    from .details import content_left_out

                    flat = content_left_out(flat, opener.kind, recorded)
                details.add(flat, self.otel_span, self._handle)
        except RecursionError:
            raise  # for `unfinished`
        except BaseException as error:
            faults.contain(f"recording the details of {opener.name}", error)
        self._write_late()

    def _write_late(self) -> None:
        try:
            from .details import write_late

            write_late(self.otel_span, self._handle, self._details)
        except RecursionError:
            raise
        except BaseException as error:
            faults.contain(f"writing the lists of {self._opener.name}", error)

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


def _is_usable(form: object) -> bool:
    """Whether ``form``, which may be of a reader of the user's, is a `StreamForm` with names in it."""
    from .readers import StreamForm

    return isinstance(form, StreamForm) and all(isinstance(part, (frozenset, set, tuple)) for part in form)
