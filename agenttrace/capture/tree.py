"""Any object → a tree of plain builtins, within a budget, breadth first.

Breadth first, so that what stands near the top is kept when the budget ends below it; with a queue and not by
recursion, so that neither deep nesting nor a caller close to the interpreter's limit matters. Strings are not copied
here: the tree notes where the long ones are, and :mod:`.shorten` cuts them once it is known how much room each has.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from itertools import islice
from typing import Any, NamedTuple, TypeAlias

from orjson import Fragment, dumps

from ..blame import is_meant_for_program
from ..semconv.secrets import harmless
from .classes import class_name
from .contents import Contents, Described, Instead
from .kinds import describe
from .objects import DICTIONARY_VIEWS, LARGEST_INTEGER, SMALLEST_INTEGER, plain_scalar
from .plain import DEEPEST, dump_plain
from .redaction import hide_in_string, hides_secrets, shown_value
from .text import Excerpt, bounded_text, excerpt, valid_text

SHORT = 128
"""Characters of ASCII up to which a string is never touched after it was put into the tree."""

_SHORT_LIST = 64
_LONGEST_KEY = 1024  # bytes
_SHORTEST_KEY = 64  # bytes
_KEY_WIDTH = 16
_READABLE = 256  # characters of a long string that the budget sets aside for it
_COST = 32  # of an entry, in units of the budget
_COST_OF_CONTAINER = 64  # beside what it costs as an entry
_COST_OF_SCALAR = 16  # of an entry in a long list of numbers, which is read by loops that run in C
_NUMBERS = frozenset({int, float, bool})
_SMALLEST_BUDGET = 4096
_REDIRECTIONS = 10
_ATTEMPTS = 3
_MARK_KEY = "…"


# By id, with the object, so that no other one gets that id meanwhile.
Known: TypeAlias = "dict[int, tuple[object, Excerpt]]"


class Place(NamedTuple):
    """A string of the tree that may have to be cut or cleaned, and where it stands."""

    target: Any
    key: Any
    text: str
    length: int
    """Characters of the whole text, of which ``text`` may be the beginning only."""


class _Pending(NamedTuple):
    """A container of the tree that is still empty."""

    contents: Contents
    target: Any
    source: object
    outer: _Pending | None
    depth: int


class Tree:
    """The tree of one value.

    Args:
        value: The value, anything.
        width: The most entries to take from one container.
        limit: Bytes that the value may take in the end; the budget of entries follows from it.
        known: What objects said of themselves in an earlier attempt at the same value.
        use_fragments: Whether small plain containers below the root may be taken whole.
    """

    def __init__(self, value: object, width: int, limit: int, known: Known, use_fragments: bool = True) -> None:
        self.places: list[Place] = []
        """Where its long and its non-ASCII strings are."""
        self.was_clipped: bool = False
        """Whether the width kept entries out."""
        self.was_exhausted: bool = False
        """Whether the budget ended before the tree did."""
        self.has_fragments: bool = False
        """Whether a container was taken whole."""
        self.widest: int = 0
        """The most entries that were taken from one container."""
        self.hides_secrets: bool = hides_secrets()
        """Whether secrets are redacted."""
        self._use_fragments = use_fragments
        self._width = width
        self._limit = limit
        self._known = known
        self._room = max(limit, _SMALLEST_BUDGET)
        self._room_for_texts = 2 * self._room
        self._pending: deque[_Pending] = deque()
        self.holder: list[Any] = [None]
        """The root, in a list so that it has a place like everything below it."""
        self.holder[0] = self._plain(value, self.holder, 0, None)
        while self._pending:
            self._fill(self._pending.popleft())

    @property
    def room_factor(self) -> float:
        """How many times wider the tree could be, with some caution, if all of it grew with its width."""
        whole = max(self._limit, _SMALLEST_BUDGET)
        return 0.9 * whole / (whole - self._room) if self._room > 0 else 0.0

    def _plain(self, value: Any, target: Any, key: Any, outer: _Pending | None) -> Any:
        """``value`` as something that orjson writes; a container is returned empty and filled later."""
        kind = type(value)
        self._room -= _COST
        if kind is str:
            return self._text(value, len(value), target, key)
        if _is_scalar(kind):
            return plain_scalar(value, kind)
        if self._use_fragments and outer is not None and outer.depth < 3 and (kind is dict or kind is list):
            fragment = self._fragment(value)
            if fragment is not None:
                return fragment
        return self._object(value, target, key, outer)

    def _text(self, text: str, length: int, target: Any, key: Any) -> str:
        self._room -= min(len(text), _READABLE)
        if len(text) > SHORT or length > len(text) or not text.isascii():
            self.places.append(Place(target, key, text, length))
        elif self.hides_secrets and '"' in text:
            return hide_in_string(text)
        return text

    def _fragment(self, value: Any) -> Fragment | None:
        """The JSON of a small plain container, which need not be taken apart."""
        try:
            data = dump_plain(value, min(self._room, self._limit // 16))
        except BaseException as error:  # what dump_plain can't write; the slow way can
            if is_meant_for_program(error):
                raise
            return None
        if data is None:
            return None
        self._room -= len(data)
        self.has_fragments = True
        return Fragment(data)

    def _object(self, value: Any, target: Any, key: Any, outer: _Pending | None) -> Any:
        described = self._describe(value)
        for _ in range(_REDIRECTIONS):
            if type(described) is not Instead:
                break
            value = described.value
            if _is_scalar(type(value)):
                return plain_scalar(value, type(value))
            described = Excerpt(value, len(value)) if type(value) is str else self._describe(value)
        if type(described) is Contents:
            fragment = self._fragment(described.ready) if described.ready and self._use_fragments else None
            return self._container(described, value, outer) if fragment is None else fragment
        if type(described) is Excerpt:
            return self._text(*self._remembered(value, described), target, key)
        if type(described) is Instead:
            return f"<{class_name(type(value))}: wrapped too often>"
        if type(described) is str:
            return self._text(described, len(described), target, key)
        return described

    def _describe(self, value: object) -> Described:
        known = self._known.get(id(value))
        return describe(value) if known is None else known[1]

    def _remembered(self, value: object, said: Excerpt) -> Excerpt:
        # The texts that objects make are copies: many long ones must not add up to more than a few times the limit.
        kept = Excerpt(said.text[: max(SHORT, self._room_for_texts)], said.length)
        self._room_for_texts -= len(kept.text)
        if type(value) is not str:
            self._known[id(value)] = (value, kept)
        return kept

    def _container(self, contents: Contents, value: object, outer: _Pending | None) -> Any:
        depth = 1 if outer is None else outer.depth + 1
        if depth > DEEPEST:
            return f"<{contents.name}: nested more than {DEEPEST} levels deep>"
        above = outer
        while above is not None:
            if above.source is value:
                return f"<cycle: {contents.name}>"
            above = above.outer
        self._room -= _COST_OF_CONTAINER
        fresh: Any = {} if contents.pairs else []
        self._pending.append(_Pending(contents, fresh, value, outer, depth))
        return fresh

    def _fill(self, pending: _Pending) -> None:
        source, size, pairs = pending.contents[:3]
        allowed = 0 if self._room <= 0 else self._width
        entries, note = _read(source, allowed + 1)
        if len(entries) > allowed:
            entries.pop()
            self.was_clipped = True
            self.was_exhausted = self.was_exhausted or not allowed
            note = _more(size, allowed)
        added = self._add_pairs(pending, entries) if pairs else self._add_items(pending, entries)
        self.widest = max(self.widest, added)
        if added < len(entries):
            self.was_exhausted = True
            note = _more(size, added)
        if not note:
            return
        if pairs:
            pending.target[_free_key(_MARK_KEY, pending.target, {})] = note.removeprefix("… ")
        else:
            pending.target.append(note)

    def _add_items(self, pending: _Pending, items: list[Any]) -> int:
        target = pending.target
        if len(items) > _SHORT_LIST and self._add_scalars(target, items):
            return len(target)
        for index, item in enumerate(items):
            if self._room <= 0:
                return index
            target.append(self._plain(item, target, index, pending))
        return len(items)

    def _add_scalars(self, target: list[Any], items: list[Any]) -> bool:
        """Add a long list of nothing but numbers without looking at each."""
        try:
            # A NaN or infinity makes the sum one too. What is too large for a float, orjson couldn't write either.
            if not (set(map(type, items)) <= _NUMBERS and float("-inf") < sum(items) < float("inf")):
                return False
            if min(items) < SMALLEST_INTEGER or max(items) > LARGEST_INTEGER:
                return False
        except Exception:  # a metaclass's __hash__, or a sum too large: each item is looked at then
            return False
        kept = items[: max(0, self._room) // _COST_OF_SCALAR]
        self._room -= len(items) * _COST_OF_SCALAR
        target.extend(kept)
        return True

    def _add_pairs(self, pending: _Pending, pairs: list[Any]) -> int:
        target = pending.target
        taken: dict[str, int] = {}
        for index, (key, item) in enumerate(pairs):
            if self._room <= 0:
                return index
            name = key if type(key) is str and len(key) <= SHORT and key.isascii() else self._key(key)
            if name in target:
                name = _free_key(f"{name} ({class_name(type(key))})", target, taken)
            self._room -= len(name)
            if self.hides_secrets and name not in harmless:
                item = shown_value(name, item, [key for key, _ in pairs if type(key) is str])  # noqa: PLW2901
            target[name] = self._plain(item, target, name, pending)
        return len(pairs)

    def _key(self, key: Any) -> str:
        """A key of any type as text: its own where it is a string or a scalar, else its JSON."""
        if key is None or type(key) is bool:
            return "null" if key is None else str(key).lower()
        limit = min(_LONGEST_KEY, self._limit)
        if limit < _SHORTEST_KEY:  # keys within keys within keys
            return class_name(type(key))
        # A key is text and no JSON of its own, so it may be cut anywhere.
        inner = Tree(key, _KEY_WIDTH, limit // 2, self._known, use_fragments=False)
        root = inner.holder[0]
        if type(root) is str:
            whole = inner.places[0] if inner.places else None
            return bounded_text(Excerpt(whole.text, whole.length) if whole else excerpt(root, limit), limit)
        for place in inner.places:
            place.target[place.key] = valid_text(place.text[:limit])
        return bounded_text(excerpt(dumps(root).decode("utf-8"), limit), limit)


def _read(source: Iterable[Any], count: int) -> tuple[list[Any], str]:
    """The first ``count`` entries, and what kept more from being read; a dictionary that changes is read once more."""
    entries: list[Any] = []
    for attempts_left in reversed(range(_ATTEMPTS)):
        entries.clear()
        try:
            entries.extend(islice(source, count))
            break
        except BaseException as error:
            if is_meant_for_program(error):
                raise
            may_begin_again = type(error) is RuntimeError and type(source) in DICTIONARY_VIEWS
            if not may_begin_again or not attempts_left:
                return entries, f"… unreadable after this: {class_name(type(error))}"
    return entries, ""


def _more(size: int | None, taken: int) -> str:
    if type(size) is int and size > taken:
        return f"… {size - taken:,} more items of {size:,}"
    return "… more items"


def _free_key(wanted: str, target: dict[str, Any], taken: dict[str, int]) -> str:
    """``wanted``, with a number behind it where ``target`` has that key; ``taken`` remembers the numbers given out."""
    name = wanted
    while name in target:
        taken[wanted] = taken.get(wanted, 1) + 1
        name = f"{wanted} ({taken[wanted]})"
    return name


def _is_scalar(kind: type) -> bool:
    # Not by membership in a set, which would ask a metaclass for the hash.
    return kind is int or kind is float or kind is bool or kind is type(None)
