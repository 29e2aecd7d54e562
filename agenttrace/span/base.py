"""What all setters of a span's handle stand on: that none of them raises, and how what they set is written."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Concatenate, TypeVar

from openinference.semconv.trace import SpanAttributes
from opentelemetry.trace import Span as OtelSpan
from typing_extensions import ParamSpec

from .. import faults
from ..semconv.types import Annotation
from .writing import Lists, split_lists, write_attributes, write_lists

if TYPE_CHECKING:
    from ..kinds import Describer

__all__ = ["HandleBase", "contained"]

P = ParamSpec("P")
S = TypeVar("S", bound="HandleBase")


def contained(method: Callable[Concatenate[S, P], None]) -> Callable[Concatenate[S, P], None]:
    """``method``, which then logs what goes wrong in it instead of raising, and skips a span that nobody records."""

    def contained_method(self: S, /, *args: P.args, **kwargs: P.kwargs) -> None:
        try:
            if self.otel_span.is_recording():
                method(self, *args, **kwargs)
        except BaseException as error:
            faults.contain(f"Span.{method.__name__}()", error)

    functools.update_wrapper(contained_method, method)
    return contained_method


class HandleBase:
    """One OpenTelemetry span, and what was said about it through this handle."""

    __slots__ = ("__weakref__", "_describer", "_has_output", "_has_status", "_lists", "_otel_span", "_own")

    def __init__(
        self, otel_span: OtelSpan, *, collects_lists: bool = False, describer: Describer | None = None
    ) -> None:
        self._otel_span = otel_span
        self._describer = describer
        """Who says what an input or output that the user sets means on a span of this kind."""
        self._has_output: bool = False
        """Whether the user set the output, so that the mark leaves it alone."""
        self._has_status: bool = False
        """Whether the user set the status, so that the mark leaves it alone."""
        self._own: set[str] = set()
        """The names of what the user set beside: attributes, and lists by their own name."""
        self._lists: Lists | None = {} if collects_lists else None
        """Lists of objects, written when the span ends, since a list once written can't be shortened. None where nobody
        will do that: on a span that no mark opened they are written at once."""

    @property
    def otel_span(self) -> OtelSpan:
        """The OpenTelemetry span itself, for all that this handle has no method for.

        Example:
            >>> current_span().otel_span.add_link(other_span_context)
        """
        return self._otel_span

    def _set(self, flat: Mapping[str, Any]) -> None:
        """Set attributes of the vocabulary, with values of any type; None sets nothing."""
        from ..capture.reserved import encode_reserved

        encoded = encode_reserved(flat)
        self._own.update(encoded)
        write_attributes(self._otel_span, encoded)

    def _add_described(self, flat: Mapping[str, Any]) -> None:
        """Record what an input or output says, except for what the user has set by itself."""
        from ..capture.reserved import encode_reserved

        single, lists = split_lists(encode_reserved(flat))
        write_attributes(self._otel_span, {key: value for key, value in single.items() if key not in self._own})
        if self._lists is not None:
            self._lists.update((name, part) for name, part in lists.items() if name not in self._own)

    def _known(self) -> dict[str, Any]:
        """What is recorded or will be, by attribute."""
        known = dict(self._attributes())
        for flat in (self._lists or {}).values():
            known.update(flat)
        return known

    def _set_list(self, name: str, flat: Mapping[str, Any]) -> None:
        """Set the list ``name`` of flattened objects, in the place of what it was; an empty one leaves nothing."""
        from ..capture.reserved import encode_reserved

        self._own.add(name)
        encoded = encode_reserved(flat)
        if self._lists is None:
            write_lists(self._otel_span, {name: encoded})
        else:
            self._lists[name] = encoded

    def _append_annotation(self, name: str, annotation: Annotation) -> None:
        """Add ``annotation`` to the list ``name`` of annotations."""
        from ..capture.reserved import encode_reserved
        from ..semconv.attributes import annotation_attributes

        self._own.add(name)
        present = self._lists.get(name, {}) if self._lists is not None else self._attributes()
        start = f"{name}."
        places = {key[len(start) :].partition(".")[0] for key in present if key.startswith(start)}
        encoded = encode_reserved(annotation_attributes(name, len(places), annotation))
        if self._lists is None:
            write_lists(self._otel_span, {name: encoded})
        else:
            self._lists[name] = {**present, **encoded}

    def _attributes(self) -> Mapping[str, Any]:
        """What the span has so far, where the SDK's spans tell."""
        attributes = getattr(self._otel_span, "attributes", None)
        return attributes if isinstance(attributes, Mapping) else {}

    def _recorded(self, key: str) -> Any:
        """What the span has under ``key``, where the SDK's spans tell."""
        return self._attributes().get(key)

    def _kind(self) -> Any:
        return self._recorded(SpanAttributes.OPENINFERENCE_SPAN_KIND)
