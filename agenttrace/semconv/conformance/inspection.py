"""A span as the rules see it: its attributes sorted once by where they stand in the vocabulary."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from openinference.semconv.trace import OpenInferenceSpanKindValues, SpanAttributes

from .places import CONTEXT_ATTRIBUTES, Place, place_of
from .values import is_blank, is_hidden
from .views import SpanView
from .violations import Rule, SpanReference, Violation

__all__ = ["Findings", "Inspection", "ListItem"]

KINDS = frozenset(kind.value for kind in OpenInferenceSpanKindValues)
"""The span kinds of the specification."""

Findings = Iterator[Violation]
_KIND = SpanAttributes.OPENINFERENCE_SPAN_KIND
_ABOUT_KIND = _KIND.rpartition(".")[0]


@dataclass(frozen=True)
class ListItem:
    """One object of a flattened list."""

    prefix: str
    """What its attributes begin with, without the last dot: ``llm.input_messages.0``."""
    list_name: str
    """The list's own name: ``llm.input_messages``, ``message.contents``."""
    values: dict[str, Any] = field(default_factory=dict)
    """Its own attributes by their last name: ``message.role``."""

    def has(self, name: str) -> bool:
        """Whether it has an attribute of that name that isn't an empty text."""
        return name in self.values and not is_blank(self.values[name])


class Inspection:
    """A span, ready for the rules.

    Args:
        view: The span.
    """

    def __init__(self, view: SpanView) -> None:
        self.view = view
        self.attributes: dict[str, Any] = {key: value for key, value in view.attributes.items() if isinstance(key, str)}
        kind = self.attributes.get(_KIND)
        self.kind: str | None = kind if isinstance(kind, str) and kind in KINDS else None
        """The span's kind where it is one of the specification's."""
        self.placed: list[tuple[str, Any, Place]] = []
        """Name, value and place of every attribute under a reserved name."""
        self.indexes: dict[str, set[int]] = {}
        """The indexes that occur in each list, by the name that leads up to them."""
        self.items: dict[str, ListItem] = {}
        """The objects of all lists by their prefix."""
        for key, value in self.attributes.items():
            place = place_of(key)
            if place is not None:
                self.placed.append((key, value, place))
                self._note(value, place)
        self._reference = SpanReference(view.trace_id, view.span_id, view.name, kind if isinstance(kind, str) else None)

    @property
    def is_openinference(self) -> bool:
        """Whether it means to be OpenInference's: others' (HTTP, a database) have at most what every span has."""
        return any(
            (place.is_known and key not in CONTEXT_ATTRIBUTES) or key.startswith(_ABOUT_KIND)
            for key, _, place in self.placed
        )

    def violation(self, rule: Rule, attribute: str, problem: str, advice: str) -> Violation:
        """A breach of ``rule`` by this span."""
        return Violation(self._reference, attribute, rule, problem, advice)

    def has(self, name: str) -> bool:
        """Whether there is an attribute of that name that isn't an empty text."""
        return name in self.attributes and not is_blank(self.attributes[name])

    def visible(self, name: str) -> Any:
        """The attribute of that name, None where there is none or it is hidden."""
        value = self.attributes.get(name)
        return None if is_hidden(value) else value

    def text(self, name: str) -> str | None:
        """As `visible`, where it is a text that isn't empty."""
        value = self.visible(name)
        return value if isinstance(value, str) and value else None

    def items_of(self, *list_names: str) -> Iterator[ListItem]:
        """The objects of all lists of these names."""
        return (item for item in self.items.values() if item.list_name in list_names)

    def _note(self, value: Any, place: Place) -> None:
        prefix = ""
        for path, own, index in place.lists:
            self.indexes.setdefault(path, set()).add(index)
            prefix = f"{path}.{index}"
            if prefix not in self.items:
                self.items[prefix] = ListItem(prefix, own)
        if prefix and place.is_known:
            self.items[prefix].values[place.leaf] = value
