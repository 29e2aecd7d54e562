"""Values that nobody expects in the place of a conversation or a document, and objects that resist being read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from types import MappingProxyType
from typing import Any
from unittest.mock import MagicMock

from hypothesis import strategies as st

from agenttrace.semconv.conformance.rules.types import is_of_type
from agenttrace.semconv.vocabulary import ValueType, lists_in, type_of

WORDS = (
    *("role", "content", "contents", "parts", "type", "text", "name", "tool_calls", "tool_call_id", "function", "id"),
    *("arguments", "args", "input", "image_url", "url", "source", "data", "media_type", "thinking", "summary", "value"),
    *("tool_result", "function_call", "functionResponse", "inline_data", "images", "audio", "messages", "refusal"),
    *("output", "call_id", "tool_call", "function_declarations", "json_schema", "description", "parameters"),
    *("documents", "page_content", "score", "metadata", "node", "document", "results", "index", "hits", "ids"),
    *("embeddings", "embedding", "vector", "prompt", "model", "config", "client", "tools", "temperature", "blocks"),
)
"""The names by which something is known for what it is."""
KINDS = (
    *("text", "image", "image_url", "input_audio", "video", "file", "document", "thinking", "reasoning", "tool_use"),
    *("tool_result", "function_call", "function_call_output", "web_search_call", "human", "ai", "message", "refusal"),
    *("user", "assistant", "system", "tool", "x"),
)


class Touched(BaseException):
    """Raised by whatever of a `Resisting` object is asked for."""


def _resist(name: str) -> Callable[..., Any]:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        type(self).touched.append(name)
        raise Touched(name)

    return method


_ASKED = (
    *("__getattr__", "__getattribute__", "__iter__", "__next__", "__len__", "__bool__", "__contains__", "__getitem__"),
    *("__eq__", "__lt__", "__str__", "__repr__", "__float__", "__int__", "__index__", "__call__", "__enter__"),
    *("__await__", "__aiter__", "__anext__", "__add__", "keys", "items", "get", "copy", "tolist"),
)


def resisting(*bases: type) -> Any:
    """An object of a class of its own, derived from ``bases``, of which nothing can be asked without a trace.

    ``type(thing).touched`` has the names of what was asked.
    """
    space = {name: _resist(name) for name in _ASKED}
    cls = type("Resisting", bases or (object,), {**space, "__hash__": object.__hash__, "touched": []})
    return cls()


def assert_untouched(thing: object) -> None:
    """Nothing was asked of ``thing``, if that can tell."""
    touched = type.__dict__["__dict__"].__get__(type(thing)).get("touched", [])
    assert touched == []


class OddKey(str):
    """A key that is found by its hash and then can't be compared."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        raise Touched("__eq__")


class Proxied:
    """An object whose ``__dict__`` is somebody's code, as that of Flask's ``request`` is."""

    @property
    def __dict__(self) -> dict[str, Any]:  # type: ignore[override]
        raise Touched("__dict__")


class LazyList(list[Any]):
    """A list that asks a database when it is read."""

    def __iter__(self) -> Iterator[Any]:
        raise Touched("__iter__")

    def __len__(self) -> int:
        raise Touched("__len__")

    def __getitem__(self, index: Any) -> Any:
        raise Touched("__getitem__")


class LazyDict(dict[str, Any]):
    """A dictionary that asks a database when it is read."""

    def get(self, key: Any, default: Any = None) -> Any:
        raise Touched("get")

    def __getitem__(self, key: Any) -> Any:
        raise Touched("__getitem__")

    def __contains__(self, key: object) -> bool:
        raise Touched("__contains__")

    def items(self) -> Any:
        raise Touched("items")


def cyclic() -> list[Any]:
    """A list that holds itself, as a list and as a message's content."""
    items: list[Any] = [{"role": "user", "content": "a"}]
    items += [items, {"role": "user", "content": items}, {"node": items, "messages": items}]
    return items


def nested(depth: int) -> Any:
    """A list in lists, ``depth`` of them."""
    value: Any = ["the innermost"]
    for _ in range(depth):
        value = [value]
    return value


def nested_in(name: str, depth: int) -> Any:
    """A mapping in mappings, each under ``name``."""
    value: Any = {"text": "the innermost", "role": "user", "content": "x"}
    for _ in range(depth):
        value = {name: value}
    return value


def a_generator() -> Iterator[Any]:
    """What would be gone once it was read."""
    yield {"role": "user", "content": "a"}


HOSTILE: dict[str, Callable[[], Any]] = {
    "what can't be asked anything": resisting,
    "a list that can't be asked anything": lambda: resisting(list),
    "a text that can't be asked anything": lambda: resisting(str),
    "a mapping that can't be asked anything": lambda: resisting(dict),
    "what answers to everything": MagicMock,
    "what says it is a list": lambda: MagicMock(spec=list),
    "what says it is a text": lambda: MagicMock(spec=str),
    "what says it is a mapping": lambda: MagicMock(spec=dict),
    "a lazy list": lambda: LazyList([{"role": "user", "content": "a"}]),
    "a lazy mapping": lambda: LazyDict(role="user", content="a", score=1),
    "a proxy": Proxied,
    "a key that can't be compared": lambda: {OddKey("role"): "user", OddKey("content"): "a", OddKey("type"): "text"},
    "keys that are no strings": lambda: {1: 2, None: 3, ("role",): 4},
    "a cycle": cyclic,
    "a deep list": lambda: nested(10_000),
    "deep messages": lambda: nested_in("messages", 10_000),
    "deep nodes": lambda: nested_in("node", 10_000),
    "deep contents": lambda: nested_in("content", 10_000),
    "deep thoughts": lambda: [{"type": "thinking", "thinking": [nested_in("thinking", 10_000)]}],
    "a generator": a_generator,
    "a read-only view": lambda: MappingProxyType({"role": "user", "content": "a"}),
    "a class": lambda: type("Message", (), {"role": "user", "content": "a"}),
    "a very large number": lambda: 10**5000,
    "no number": lambda: float("nan"),
    "a broken text": lambda: "\ud800",
    "bytes": lambda: b"\xff" * 10,
}
"""By what they are: values that must not be called, misread, consumed or waited for."""

# For hypothesis, which asks what it is given for its class and prints it.
_TOO_HOSTILE = {name for name in HOSTILE if "be asked" in name or "deep" in name or "proxy" in name}

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=20)
    | st.binary(max_size=10)
    | st.sampled_from([*KINDS, *WORDS, "", "{", '{"a": 1}', "data:image/png;base64,AAAA", "https://example.com/a.png"])
    | st.sampled_from([make for name, make in HOSTILE.items() if name not in _TOO_HOSTILE]).map(lambda make: make())
)
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.sampled_from(WORDS), inner, max_size=5)
        | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=2)
        | st.fixed_dictionaries({"type": st.sampled_from(KINDS)}, optional=dict.fromkeys(WORDS[5:], inner))
        | st.fixed_dictionaries({"role": st.sampled_from(KINDS), "content": inner})
    ),
    max_leaves=12,
)
"""Nested values of any kind, with the names in them that messages, tools and documents are known by."""


def assert_valid(encoded: dict[str, Any]) -> None:
    """``encoded`` is what OpenTelemetry takes and OpenInference asks for.

    Every value has its attribute's type, JSON is JSON, text can be sent, and lists count from 0 without a gap.
    """
    places: dict[str, set[int]] = {}
    for key, value in encoded.items():
        _assert_sendable(value)
        kind = type_of(key)
        assert kind is None or is_of_type(value, kind), (key, value)
        if kind is ValueType.JSON:
            json.loads(value, parse_constant=_refuse)
        for path, index in lists_in(key):
            places.setdefault(path, set()).add(index)
    for path, indexes in places.items():
        assert indexes == set(range(len(indexes))), path


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


def _assert_sendable(value: Any) -> None:
    items = value if isinstance(value, list) else [value]
    kinds = {type(item) for item in items}
    assert kinds <= {str, bool, int, float}, value
    assert len(kinds) <= 1, value
    for item in items:
        if isinstance(item, str):
            item.encode()
        elif type(item) is int:
            assert -(2**63) <= item < 2**63
