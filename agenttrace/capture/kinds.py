"""Which way the objects of a class are written, found by looking at the class once.

An object's own methods are called only where nothing else tells what it is, and never on what could block, be consumed
or change by being read: iterators, generators, coroutines, futures, files, sockets, locks, databases.
"""

from __future__ import annotations

import collections
import types
from collections.abc import Callable, ItemsView, KeysView, Mapping, Sequence, Set, ValuesView
from enum import Enum
from typing import Any
from weakref import WeakKeyDictionary

from ..blame import is_meant_for_program
from . import objects
from .arrays import array_converter
from .classes import bases_of, class_name, defines, find_in_class, is_one_of, loaded, module_of, owner_of
from .contents import Described
from .mappings import mapping_converter, view_converter
from .records import named_tuple, record_converter

Converter = Callable[[Any], Described]


def describe(value: object) -> Described:
    """What ``value`` is to be written as. Whatever its methods do, nothing of theirs is raised.

    Raises:
        BaseException: Only what a signal meant for the program (:mod:`agenttrace.blame`).
    """
    cls = type(value)
    try:
        return converter_for(cls)(value)
    except BaseException as error:
        if is_meant_for_program(error):
            raise
        return f"<{class_name(cls)}: unreadable, {class_name(type(error))}>"


def converter_for(cls: type) -> Converter:
    """How instances of ``cls`` are written."""
    try:
        known = _BUILTINS.get(cls) or _known.get(cls)
    except Exception as error:  # a metaclass whose instances have no hash
        if is_meant_for_program(error):
            raise
        return _find_converter(cls)
    if known is None:
        known = _known[cls] = _find_converter(cls)
    return known


def _find_converter(cls: type) -> Converter:
    bases = bases_of(cls)
    module_roots = frozenset(module_of(base).partition(".")[0] for base in bases)
    return (
        _by_builtin_base(cls)
        or array_converter(cls, module_roots)
        or record_converter(cls)
        or _by_standard_library(cls)
        or _by_protocol(cls, module_roots)
        or _by_own_text(cls)
    )


def _by_builtin_base(cls: type) -> Converter | None:
    if is_one_of(cls, (Enum,)):
        return objects.enumeration
    if is_one_of(cls, (BaseException,)):
        return objects.exception
    if is_one_of(cls, (tuple,)) and is_one_of(type(find_in_class(cls, "_fields")), (tuple,)):
        return named_tuple
    for base, converter in _BUILTIN_BASES.items():
        if is_one_of(cls, (base,)):
            return converter
    return None


def _by_standard_library(cls: type) -> Converter | None:
    for module, name, converter in _STANDARD_LIBRARY:
        if is_one_of(cls, (loaded(module, name),)):
            return converter
    return None


def _by_protocol(cls: type, module_roots: frozenset[str]) -> Converter | None:
    never_read = (loaded("os", "_Environ"), loaded("multiprocessing.managers", "BaseProxy"))
    if defines(cls, *_ITERATOR_METHODS) or module_roots & _NEVER_READ or is_one_of(cls, never_read):
        return objects.as_name
    try:
        if issubclass(cls, Mapping):
            return mapping_converter(cls)
        if issubclass(cls, (ItemsView, KeysView, ValuesView)):
            return view_converter(cls)
        if issubclass(cls, (Sequence, Set)):
            return objects.foreign_collection
    except Exception:  # a metaclass whose instances have no hash: nothing can have registered them
        return None
    if is_one_of(cls, (loaded("array", "array"),)):
        return objects.foreign_collection
    # Other iterables may be lazy, and their repr may read them (a Django query set's asks the database).
    return objects.as_name if defines(cls, "__iter__") or defines(cls, *_RESOURCE_METHODS) else None


def _by_own_text(cls: type) -> Converter:
    for method, converter in (("__repr__", objects.as_text), ("__str__", objects.as_str)):
        owner = owner_of(cls, method)
        if owner is not None and owner is not object:
            quiet = module_of(owner).partition(".")[0] in _NEVER_ASKED
            return objects.as_name if quiet else converter
    return objects.as_name


# Kept as long as the class lives and no longer; threads may race to add the same entry, which does no harm.
_known: WeakKeyDictionary[type, Converter] = WeakKeyDictionary()

_BUILTINS: dict[type, Converter] = {
    dict: objects.mapping,
    list: objects.sequence,
    tuple: objects.sequence,
    set: objects.set_of_items,
    frozenset: objects.set_of_items,
    bytes: objects.byte_string,
    bytearray: objects.byte_string,
    memoryview: objects.byte_string,
    complex: objects.complex_number,
    range: objects.collection,
    collections.deque: objects.collection,
    **dict.fromkeys(objects.DICTIONARY_VIEWS, objects.collection),
    type: objects.type_name,
    types.FunctionType: objects.function_name,
    types.BuiltinFunctionType: objects.function_name,
    types.MethodType: objects.method_name,
    types.ModuleType: objects.module_name,
    types.GeneratorType: objects.running_name,
    types.AsyncGeneratorType: objects.running_name,
    types.CoroutineType: objects.running_name,
}

# The first that is a base decides.
_BUILTIN_BASES: dict[type, Converter] = {
    str: objects.string,
    int: objects.integer,
    float: objects.floating,
    complex: objects.complex_number,
    dict: objects.mapping,
    list: objects.sequence,
    tuple: objects.sequence,
    set: objects.set_of_items,
    frozenset: objects.set_of_items,
    bytes: objects.byte_string,
    bytearray: objects.byte_string,
    type: objects.type_name,
    types.ModuleType: objects.module_name,
    **dict.fromkeys(objects.DICTIONARY_VIEWS, objects.dictionary_view),
}

# Found where the program has imported them already.
_STANDARD_LIBRARY: tuple[tuple[str, str, Converter], ...] = (
    ("datetime", "date", objects.iso_time),  # datetime is one of its subclasses
    ("datetime", "time", objects.iso_time),
    ("datetime", "timedelta", objects.iso_duration),
    ("decimal", "Decimal", objects.decimal),
    ("fractions", "Fraction", objects.rational),
    ("uuid", "UUID", objects.as_str),
    ("pathlib", "PurePath", objects.as_str),
)

_ITERATOR_METHODS = ("__next__", "__anext__", "__aiter__", "__await__")
_RESOURCE_METHODS = ("read", "write", "recv", "acquire")
# What an object of these modules holds is a file's or another process's.
_NEVER_READ = frozenset({"shelve", "dbm", "mmap"})
# The repr of objects of these modules takes locks, asks the operating system or shows what they wait for.
_NEVER_ASKED = frozenset(
    {
        *("_asyncio", "_io", "_socket", "_thread", "asyncio", "concurrent", "functools", "io", "multiprocessing"),
        *("queue", "select", "socket", "sqlite3", "ssl", "subprocess", "tempfile", "threading", "weakref", "_weakref"),
    }
)
