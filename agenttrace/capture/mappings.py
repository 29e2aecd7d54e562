"""Mappings other than dictionaries: which ones may be read, and how.

Reading may change a mapping: a cache moves what was read to the end of its queue or drops what has expired, and others
ask a file, a database or another process. Nothing in a class tells, so only those known to be plain containers are
read: ``UserDict``, ``ChainMap`` and ``MappingProxyType`` down to the dictionaries they are made of, and the classes
listed here by their own methods, as long as no subclass has redefined these. Any other mapping is named and not opened.
Not even its length is asked for: that may drop what has expired, too, or count a table's rows.
"""

from __future__ import annotations

import collections
from collections.abc import Callable, ItemsView, Iterator, KeysView, ValuesView
from gc import get_referents
from types import MappingProxyType
from typing import Any

from .classes import MISSING, class_name, instance_fields, is_one_of, loaded, owner_of
from .contents import Contents, Described, Instead
from .objects import as_name

Converter = Callable[[Any], Described]


def mapping_converter(cls: type) -> Converter:
    """How to write instances of ``cls``, a ``Mapping`` that is no ``dict``."""
    if is_one_of(cls, (MappingProxyType,)):
        return _proxy
    if is_one_of(cls, (collections.UserDict,)):
        return _user_dict
    if is_one_of(cls, (collections.ChainMap,)):
        return _chain
    return _listed if _is_listed(cls) else as_name


def view_converter(cls: type) -> Converter:
    """How to write instances of ``cls``, a view of a ``Mapping`` that is no ``dict``."""
    # Those of `collections.abc` read the mapping item by item.
    return _view if is_one_of(cls, (KeysView, ValuesView, ItemsView)) else as_name


def _proxy(value: Any) -> Described:
    # The mapping below has no public name; whatever it is, it is written as if there was no proxy.
    below = get_referents(value)
    return Instead(below[0]) if len(below) == 1 else as_name(value)


def _user_dict(value: Any) -> Described:
    # Not by its methods, which a subclass may have redefined to make a cache of it.
    data = instance_fields(value).get("data", MISSING)
    return as_name(value) if data is MISSING else Instead(data)


def _chain(value: Any) -> Described:
    maps = instance_fields(value).get("maps", MISSING)
    if type(maps) is not list:
        return as_name(value)
    if not all(is_one_of(type(single), (dict,)) for single in maps):
        return Instead(maps)  # each is written or named as what it is

    # Its own iteration copies all the maps first, and its lookup adds a missing key to a `defaultdict`.
    def pairs() -> Iterator[tuple[Any, Any]]:
        seen = set()
        for single in maps:
            for key, item in dict.items(single):
                if key not in seen:
                    seen.add(key)
                    yield key, item

    return Contents(pairs(), None, True, class_name(type(value)))


def _listed(value: Any) -> Contents:
    return Contents(value.items(), len(value), True, class_name(type(value)))


def _view(value: Any) -> Described:
    mapping = getattr(value, "_mapping", None)
    if not _is_listed(type(mapping)):
        return as_name(value)
    return Contents(iter(value), len(value), False, class_name(type(value)))


def _is_listed(cls: type) -> bool:
    for module, *names in _PLAIN:
        for name in names:
            plain = loaded(module, name)
            if is_one_of(cls, (plain,)) and all(
                owner_of(cls, method) is owner_of(plain, method) for method in _READING
            ):
                return True
    return False


_READING = ("items", "keys", "__iter__", "__getitem__", "__len__", "__getattribute__")

# Containers that hold in memory what they give, by the names under which they are imported.
_PLAIN: tuple[tuple[str, ...], ...] = (
    ("requests.structures", "CaseInsensitiveDict"),
    ("httpx", "Headers", "QueryParams"),
    ("urllib3", "HTTPHeaderDict"),
    ("multidict", "MultiDict", "CIMultiDict", "MultiDictProxy", "CIMultiDictProxy"),
    ("starlette.datastructures", "Headers", "MutableHeaders", "ImmutableMultiDict", "MultiDict"),
    ("starlette.datastructures", "QueryParams", "FormData"),
    ("django.utils.datastructures", "CaseInsensitiveMapping"),
    ("django.http.request", "HttpHeaders"),
    ("frozendict", "frozendict"),
    ("immutabledict", "immutabledict"),
    ("immutables", "Map"),
    ("pyrsistent", "PMap"),
    ("sqlalchemy.engine", "RowMapping"),
    ("proto.marshal.collections", "MapComposite"),
)
