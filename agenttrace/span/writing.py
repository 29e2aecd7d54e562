"""The one way in which attributes reach a span: masked, and so that a span's limit drops nothing that matters.

OpenTelemetry drops a span's oldest attributes when there are more than its limit, 128 by default, and the oldest are
its kind and its input. On a provider of `register()` the limit is 10,000; on somebody else's it is theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from gc import get_referents
from typing import Any

from openinference.semconv.trace import MessageAttributes, SpanAttributes
from opentelemetry.trace import Span as OtelSpan

from ..semconv.masking import current_mask
from ..semconv.vocabulary import OMITTED

__all__ = ["Lists", "split_lists", "write_attributes", "write_lists"]

Lists = dict[str, dict[str, Any]]
"""Flattened lists of objects, by the list's name: ``llm.input_messages``, ``retrieval.documents``."""

_KEPT_FREE = 6  # attributes that may still come: what the program sets last, and the marks of what was left out
_MANY = 16  # attributes below which no limit needs a look: nobody sets a lower one
_ESSENTIAL = (
    *(SpanAttributes.OPENINFERENCE_SPAN_KIND, SpanAttributes.SESSION_ID, SpanAttributes.USER_ID),
    *(SpanAttributes.LLM_MODEL_NAME, SpanAttributes.EMBEDDING_MODEL_NAME),
    *(SpanAttributes.LLM_SYSTEM, SpanAttributes.LLM_PROVIDER, SpanAttributes.AGENT_NAME, SpanAttributes.TOOL_NAME),
    *(SpanAttributes.LLM_TOKEN_COUNT_PROMPT, SpanAttributes.LLM_TOKEN_COUNT_COMPLETION),
    SpanAttributes.LLM_TOKEN_COUNT_TOTAL,
    *(SpanAttributes.INPUT_VALUE, SpanAttributes.INPUT_MIME_TYPE),
    *(SpanAttributes.OUTPUT_VALUE, SpanAttributes.OUTPUT_MIME_TYPE),
)
_SYSTEM_ROLES = ("system", "developer")
_CONVERSATIONS = (SpanAttributes.LLM_INPUT_MESSAGES, SpanAttributes.LLM_OUTPUT_MESSAGES)


def write_attributes(otel_span: OtelSpan, attributes: Mapping[str, Any]) -> None:
    """Set ``attributes``, whose values are valid, on ``otel_span``; what hides them is heeded.

    Where the span has no room for all, its kind, model, session, input, output and token counts stay.
    """
    mask = current_mask()
    masked = mask.attributes(dict(attributes)) if mask.is_active else attributes
    if not masked:
        return
    present = _present(otel_span)
    if present is not None and len(present) + len(masked) > _MANY:
        limit = _limit_of(present)
        if limit is not None and len(present) + len(masked) > limit:
            essential = {key: present[key] for key in _ESSENTIAL if key in present and key not in masked}
            otel_span.set_attributes(masked)
            otel_span.set_attributes(essential)  # what is set again counts as new, and the oldest are dropped first
            return
    otel_span.set_attributes(masked)


def write_lists(otel_span: OtelSpan, lists: Lists) -> None:
    """Set flattened lists, as far as ``otel_span`` has room, as the last thing that is written on it.

    Of a conversation that is too long the system message and the newest messages stay, of other lists the first
    objects; ``agenttrace.omitted.<list>`` says how many were left out.
    """
    mask = current_mask()
    masked = {name: mask.attributes(flat) for name, flat in lists.items()}
    wanted = sum(map(len, masked.values()))
    present = _present(otel_span)
    limit = None if present is None or len(present) + wanted <= _MANY else _limit_of(present)
    if limit is not None and present is not None:
        masked = _fitted(masked, limit - len(present) - _KEPT_FREE)
    for flat in masked.values():
        if flat:
            otel_span.set_attributes(flat)


def split_lists(flat: Mapping[str, Any]) -> tuple[dict[str, Any], Lists]:
    """``flat`` apart: single attributes, and those of lists by the list's name."""
    from ..semconv.vocabulary import LISTS, lists_in

    single: dict[str, Any] = {}
    lists: Lists = {}
    for key, value in flat.items():
        through = lists_in(key)
        if through and through[0][0] in LISTS:
            lists.setdefault(through[0][0], {})[key] = value
        else:
            single[key] = value
    return single, lists


def _present(otel_span: OtelSpan) -> Mapping[str, Any] | None:
    attributes = getattr(otel_span, "attributes", None)
    return attributes if isinstance(attributes, Mapping) else None


def _limit_of(attributes: Mapping[str, Any]) -> int | None:
    """How many attributes the span that has ``attributes`` may have, None for any number.

    The SDK's spans hand out a read-only view of the object that knows.
    """
    for candidate in (attributes, *get_referents(attributes)):
        limit = getattr(candidate, "maxlen", None)
        if isinstance(limit, int):
            return limit
    return None


def _fitted(lists: Lists, room: int) -> Lists:
    from ..capture.shares import fair_share

    share = fair_share(map(len, lists.values()), max(0, room))
    return {
        name: flat if len(flat) <= share else _shortened(name, flat, max(0, int(share) - 1))
        for name, flat in lists.items()
    }


def _shortened(name: str, flat: Mapping[str, Any], room: int) -> dict[str, Any]:
    """As many whole objects of the list as ``room`` attributes allow, numbered anew, and how many are missing."""
    objects = _objects_of(name, flat)
    order = list(range(len(objects)))
    if name in _CONVERSATIONS:
        newest_first = order[:0:-1] if _is_system(objects[0]) else order[::-1]
        order = [*order[: len(order) - len(newest_first)], *newest_first]
    kept: list[int] = []
    for index in order:
        room -= len(objects[index])
        if room < 0:
            break
        kept.append(index)
    shortened = {
        f"{name}.{place}.{rest}": value
        for place, index in enumerate(sorted(kept))
        for rest, value in objects[index].items()
    }
    shortened[OMITTED + name] = len(objects) - len(kept)
    return shortened


def _objects_of(name: str, flat: Mapping[str, Any]) -> list[dict[str, Any]]:
    objects: dict[str, dict[str, Any]] = {}
    for key, value in flat.items():
        index, _, rest = key[len(name) + 1 :].partition(".")
        objects.setdefault(index, {})[rest] = value
    return list(objects.values())


def _is_system(message: Mapping[str, Any]) -> bool:
    return message.get(MessageAttributes.MESSAGE_ROLE) in _SYSTEM_ROLES
