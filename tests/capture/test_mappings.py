"""Which mappings are read: plain containers, and none that reading could change."""

from __future__ import annotations

import collections
import importlib
import json
import os
from collections.abc import Callable, Iterator, MutableMapping
from types import MappingProxyType
from typing import Any

import pytest

from agenttrace.capture.encode import encode_attribute, encode_json


def written(value: object) -> Any:
    """What is recorded of ``value``, parsed."""
    return json.loads(encode_json({"value": value}))["value"]


class Cache(MutableMapping[str, int]):
    """One that moves what was read to its end, as ``cachetools.LRUCache`` does, and counts how often it is asked."""

    def __init__(self, **items: int) -> None:
        self.order = collections.OrderedDict(items)
        self.asked = 0

    def __getitem__(self, key: str) -> int:
        self.asked += 1
        self.order.move_to_end(key)
        return self.order[key]

    def __iter__(self) -> Iterator[str]:
        self.asked += 1
        return iter(list(self.order))

    def __len__(self) -> int:
        self.asked += 1
        return len(self.order)

    def __setitem__(self, key: str, value: int) -> None:
        self.order[key] = value

    def __delitem__(self, key: str) -> None:
        del self.order[key]


class CacheOfUserDict(collections.UserDict[str, int]):
    """One that keeps its items in a ``UserDict``."""

    def __getitem__(self, key: str) -> int:
        raise AssertionError

    __iter__ = __len__ = __getitem__  # type: ignore[assignment]


class CacheOfOrderedDict(collections.OrderedDict[str, int]):
    """The recipe of the standard library's documentation."""

    def __getitem__(self, key: str) -> int:
        self.move_to_end(key)
        return super().__getitem__(key)


@pytest.mark.parametrize(
    "make",
    [
        lambda cache: cache,
        MappingProxyType,
        lambda cache: collections.ChainMap({"z": 1}, cache),
        lambda cache: cache.items(),
        lambda cache: cache.keys(),
        lambda cache: cache.values(),
    ],
)
def test_a_cache_is_named_and_not_read(make: Callable[[Cache], Any]) -> None:
    """Not even its length is asked for, in whatever it is wrapped."""
    cache = Cache(a=1, b=2)
    value = make(cache)
    text = encode_json({"cache": value})
    encode_attribute(value)
    assert (cache.asked, list(cache.order)) == (0, ["a", "b"])
    assert "object>" in text
    assert written(cache) == f"<{__name__}.Cache object>"


def test_what_is_built_on_a_dictionary_is_read_past_its_own_methods() -> None:
    """So that a cache made of it does not change."""
    ordered = CacheOfOrderedDict(a=1, b=2)
    assert written(ordered) == {"a": 1, "b": 2}
    assert [written(ordered.items()), written(ordered.values()), written(ordered.keys())] == [
        [["a", 1], ["b", 2]],
        [1, 2],
        ["a", "b"],
    ]
    assert list(collections.OrderedDict.__iter__(ordered)) == ["a", "b"]
    built = CacheOfUserDict.__new__(CacheOfUserDict)
    built.data = {"a": 1}
    assert written(built) == {"a": 1}
    assert written(CacheOfUserDict.__new__(CacheOfUserDict)).endswith("CacheOfUserDict object>")


def test_a_chain_of_dictionaries_is_read_without_adding_to_them() -> None:
    """Looking a key up in the chain would add it to a ``defaultdict``."""
    first: collections.defaultdict[str, list[int]] = collections.defaultdict(list, a=[1])
    assert written(collections.ChainMap(first, {"a": [2], "b": [3]})) == {"a": [1], "b": [3]}
    assert list(first) == ["a"]


def test_a_chain_does_not_open_the_environment() -> None:
    """The recipe of the documentation: the command line before the environment before defaults."""
    assert written(collections.ChainMap({"a": 1}, os.environ)) == [{"a": 1}, "<os._Environ object>"]  # type: ignore[misc]


@pytest.mark.parametrize(
    ("module", "name", "items"),
    [
        ("requests.structures", "CaseInsensitiveDict", {"A": "1"}),
        ("urllib3", "HTTPHeaderDict", {"A": "1"}),
        ("httpx", "Headers", {"a": "1"}),
        ("httpx", "QueryParams", {"a": "1"}),
        ("multidict", "CIMultiDict", {"A": "1"}),
        ("starlette.datastructures", "Headers", {"a": "1"}),
        ("starlette.datastructures", "QueryParams", {"a": "1"}),
        ("django.http.request", "HttpHeaders", {"HTTP_A": "1"}),
        ("frozendict", "frozendict", {"a": 1}),
        ("immutabledict", "immutabledict", {"a": 1}),
        ("immutables", "Map", {"a": 1}),
    ],
)
def test_plain_containers_of_other_libraries_are_read(module: str, name: str, items: dict[str, Any]) -> None:
    """As long as no subclass reads them in a way of its own."""
    pytest.importorskip(module.partition(".")[0])
    cls = getattr(importlib.import_module(module), name)
    expected = {"A": "1"} if name == "HttpHeaders" else items
    assert written(cls(items)) == expected
    assert written(MappingProxyType(cls(items))) == expected

    body = {"__module__": __name__, "__getitem__": None}
    try:
        inheriting, redefining = type("Inheriting", (cls,), {}), type("Redefining", (cls,), body)
    except TypeError:  # a class of C that can't be inherited from
        return
    assert written(inheriting(items)) == expected
    if not issubclass(cls, dict):
        assert written(redefining(items)) == f"<{__name__}.Redefining object>"
