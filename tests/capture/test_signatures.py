"""Callables of every kind: what their caller gives, where names in annotations come from, whose docstring counts."""

import functools
import json
import operator
import sys
import types
from dataclasses import dataclass
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from agenttrace.capture.tools import tool_description, tool_parameters

INTEGER, STRING = {"type": "integer"}, {"type": "string"}


def parameters_of(function: Any, **options: Any) -> Any:
    """The schema of ``function``, checked to be one that can be sent."""
    schema = tool_parameters(function, **options)
    Draft202012Validator.check_schema(schema)
    assert json.loads(json.dumps(schema)) == schema
    return schema


def properties_of(function: Any) -> Any:
    """The schemas of the parameters of ``function``."""
    return parameters_of(function)["properties"]


def search(query: str, /, limit: int = 10, *terms: str, exact: bool, untyped=None, **filters: int):  # noqa: D417  # not all are described
    """Search the index.

    All of it.

    Args:
        query: What to look for.
        limit (int): How many
            at most.
        *terms: More words.
        **filters: Bounds.

    Returns:
        The hits.
    """


class Service:
    """A service."""

    def __init__(self, host: str, port: int = 80) -> None:  # noqa: D417  # not all are described
        """Make it.

        Args:
            host: Where.
        """

    def method(self, x: int) -> None:
        """Do it."""

    @classmethod
    def of_class(cls, x: int) -> None:
        """Do it."""

    @classmethod
    def of_odd_class(klass, x: int) -> None:
        """Do it."""

    @staticmethod
    def of_nobody(x: int) -> None:
        """Do it."""

    @property
    def size(self) -> int:
        """The size."""
        return 1

    def __call__(self, x: int) -> None:
        """Do it."""

    class Nested:
        """A class of the class."""

    def with_names_of_the_class(self, x: "Nested | None") -> None:
        pass


class Heir(Service):
    def method(self, x: int) -> None:
        pass


class Silent:
    """Described by its class."""

    def __call__(self, x: int) -> None:
        pass


@pytest.mark.parametrize(
    "function",
    [
        Service.method,
        Service("a").method,
        Service.of_class,
        Service.__dict__["of_class"],
        Service.__dict__["of_odd_class"],
        Service.__dict__["of_class"].__func__,
        Service.of_nobody,
        Service.__dict__["of_nobody"],
        Service("a"),
        Service.__call__,
        Heir.method,
        Heir("a").method,
        functools.partial(Service.method, Service("a")),
        functools.partial(Service("a").method),
        functools.wraps(Service.method)(lambda *args, **kwargs: None),
        functools.lru_cache(Service("a").method),
        types.MethodType(Service.method, 5),
    ],
)
def test_methods_lose_their_first_parameter(function: Any) -> None:
    """However a method is come by, the instance or class is not the caller's to give."""
    assert parameters_of(function) == {"type": "object", "properties": {"x": INTEGER}, "required": ["x"]}
    assert tool_description(function) == "Do it."


def test_first_parameters_that_are_the_callers_stay() -> None:
    """``cls`` outside of a class, and any name in a static method, is a parameter like others; ``self`` never is."""

    def function(cls, x): ...

    assert list(properties_of(function)) == ["cls", "x"]
    assert list(properties_of(staticmethod(function))) == ["cls", "x"]
    assert list(properties_of(lambda self, x: None)) == ["x"]
    assert list(properties_of(lambda x, self: None)) == ["x", "self"]
    assert list(properties_of(classmethod(lambda *args: None))) == ["args"]


def test_properties_and_names_of_the_class_body() -> None:
    """A getter takes nothing; a text annotation finds the classes around the method."""
    assert parameters_of(Service.__dict__["size"]) == {"type": "object", "properties": {}}
    assert tool_description(Service.__dict__["size"]) == "The size."
    assert properties_of(Service.with_names_of_the_class)["x"]["anyOf"][0] == {"title": "Nested"}


@dataclass
class Order:
    """An order.

    Attributes:
        item: What.
    """

    item: str
    count: int = 1


class Empty:
    pass


def test_classes_are_described_as_what_they_are_called_with() -> None:
    """The parameters of the constructor, the description of the class; nothing that Python wrote itself."""
    assert properties_of(Service) == {"host": {**STRING, "description": "Where."}, "port": {**INTEGER, "default": 80}}
    assert tool_description(Service) == "A service."
    assert properties_of(Order) == {"item": {**STRING, "description": "What."}, "count": {**INTEGER, "default": 1}}
    assert tool_description(Order) == "An order."
    assert parameters_of(Empty) == {"type": "object", "properties": {}}
    assert tool_description(Empty) is None
    assert tool_description(Silent()) == "Described by its class."
    assert tool_description(Empty()) is None


def test_partials_lose_what_they_bind() -> None:
    """By position and by keyword, partials of partials and wrappers of partials too."""
    partial = functools.partial(functools.partial(search, "q"), 5, exact=True)
    assert list(properties_of(partial)) == ["terms", "untyped"]
    assert list(properties_of(functools.wraps(partial)(lambda: None))) == ["terms", "untyped"]
    assert tool_description(partial) == tool_description(search)
    assert properties_of(functools.partial(search, "q"))["exact"] == {"type": "boolean"}


def test_builtins() -> None:
    """C functions tell their parameters' names where they tell anything."""
    assert parameters_of(len) == {"type": "object", "properties": {"obj": {}}, "required": ["obj"]}
    assert parameters_of(dict.get)["required"] == ["key"]
    assert parameters_of(dict) == {"type": "object"}
    assert parameters_of(operator.itemgetter(1))["type"] == "object"
    assert tool_description(len) == "Return the number of items in a container."
    assert tool_description(int) is None


def test_wrappers_tell_of_what_they_wrap() -> None:
    """Signature and names come from the function inside, the docstring from the outermost that has one."""

    @functools.wraps(search)
    def wrapper(*args: Any, **kwargs: Any) -> Any: ...

    assert parameters_of(wrapper) == parameters_of(search)
    wrapper.__doc__ = "Mine."
    assert tool_description(wrapper) == "Mine."
    assert "description" not in properties_of(wrapper)["query"]


TEXT_MODULE = """
from __future__ import annotations
from typing import TYPE_CHECKING, Annotated
if TYPE_CHECKING:
    import datetime, uuid
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Literal, Optional
    import pandas as pd
    from somewhere import Row

def outer(kind):
    class Local: ...
    def inner(x: Annotated[kind, "A kind."], y: Local | None, z: later): return Local
    return inner
    later = 5

def function(a: Sequence[Path], b: Literal["x"] | None, c: Row, d: list[Row], e: pd.DataFrame, f: int,
             g: datetime.datetime, h: uuid.UUID, i: Optional[Later], j: "Later"): ...

class Later(int): ...
"""


def test_names_that_only_type_checkers_import(monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard names are known all the same; others cost only what they stand for."""
    module = types.ModuleType("a_module_for_type_checkers")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(TEXT_MODULE, vars(module))
    properties = properties_of(module.function)
    assert properties == {
        "a": {"type": "array", "items": {"type": "string", "format": "path"}},
        "b": {"anyOf": [{"type": "string", "enum": ["x"]}, {"type": "null"}]},
        "c": {},
        "d": {"type": "array"},
        "e": {},
        "f": INTEGER,
        "g": {"type": "string", "format": "date-time"},
        "h": {"type": "string", "format": "uuid"},
        "i": {"anyOf": [INTEGER, {"type": "null"}]},
        "j": INTEGER,
    }
    local = {"anyOf": [{"title": "Local"}, {"type": "null"}]}
    assert properties_of(module.outer(int)) == {"x": {"description": "A kind."}, "y": local, "z": {}}


def test_names_of_enclosing_functions() -> None:
    """A text annotation sees the variables that the function itself has kept."""

    class Local(int):
        pass

    def function(x: "Local", y: "unset"):  # type: ignore[name-defined]  # noqa: F821  # a variable without a value
        return Local, unset  # type: ignore[name-defined]  # noqa: F821  # as above

    assert properties_of(function) == {"x": INTEGER, "y": {}}
