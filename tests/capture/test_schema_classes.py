"""Classes with named fields as JSON Schema: data classes, typed dictionaries, named tuples, attrs and pydantic."""

import dataclasses
import json
import sys
import types
import typing
from collections import namedtuple
from dataclasses import InitVar, dataclass, field
from typing import Any, Generic, NamedTuple, Optional, TypeVar

import attrs
import pytest
from jsonschema import Draft202012Validator
from typing_extensions import NotRequired, ReadOnly, Required, TypedDict, Unpack

from agenttrace.capture.tools import tool_parameters

INTEGER, STRING, NULL = {"type": "integer"}, {"type": "string"}, {"type": "null"}
Item = TypeVar("Item")


def declare(*annotations: Any) -> dict[str, Any]:
    """The schema of a function with parameters a, b, … of those annotations, checked to be one."""

    def function(a, b, c): ...

    for name, annotation in zip("abc", annotations, strict=False):
        function.__annotations__[name] = annotation
    schema: dict[str, Any] = tool_parameters(function)
    Draft202012Validator.check_schema(schema)
    assert json.loads(json.dumps(schema)) == schema
    for reference in _references(schema):
        assert reference.removeprefix("#/$defs/") in schema["$defs"]
    return schema


def _references(part: Any) -> typing.Iterator[str]:
    if isinstance(part, dict):
        for name, item in part.items():
            yield from [item] if name == "$ref" else _references(item)
    elif isinstance(part, list):
        for item in part:
            yield from _references(item)


def definition_of(cls: Any) -> Any:
    """The definition that a parameter of type ``cls`` refers to."""
    schema = declare(cls)
    return schema["$defs"][schema["properties"]["a"]["$ref"].removeprefix("#/$defs/")]


@dataclass
class Place:
    """A place on a map.

    Attributes:
        north: Degrees
            north.
    """

    north: float
    name: str = "here"
    tags: list[str] = field(default_factory=list)
    code: int = field(default=0, metadata={"description": "A code."})
    cached: int = field(default=0, init=False)
    seed: InitVar[int] = 3
    total: typing.ClassVar[int] = 0
    api_key: str = "hush"


@dataclass
class Tree(Generic[Item]):
    value: Item
    children: "list[Tree[Item]]"
    parent: Optional["Tree[Item]"] = None


@dataclass
class IntegerTree(Tree[int]):
    depth: int = 0


@dataclass
class First:
    second: "Second"


@dataclass
class Second:
    firsts: "dict[str, First]"
    missing: "Missing" = None  # type: ignore[name-defined]  # noqa: F821  # a name that cannot be resolved


def test_dataclasses() -> None:
    """Fields with defaults, factories, descriptions of three kinds; what no caller gives and secrets are left out."""
    assert definition_of(Place) == {
        "type": "object",
        "description": "A place on a map.",
        "properties": {
            "north": {"type": "number", "description": "Degrees north."},
            "name": {**STRING, "default": "here"},
            "tags": {"type": "array", "items": STRING},
            "code": {**INTEGER, "description": "A code.", "default": 0},
            "seed": {**INTEGER, "default": 3},
            "api_key": STRING,
        },
        "required": ["north"],
    }


def test_classes_that_contain_each_other() -> None:
    """References go round in a circle; a field that cannot be resolved costs only itself."""
    schema = declare(First)
    assert schema["$defs"]["First"]["properties"] == {"second": {"$ref": "#/$defs/Second"}}
    firsts = {"type": "object", "additionalProperties": {"$ref": "#/$defs/First"}}
    assert schema["$defs"]["Second"]["properties"] == {"firsts": firsts, "missing": {"default": None}}


def test_generic_classes_have_a_definition_for_each_set_of_arguments() -> None:
    """Type variables stand for their arguments, inherited ones too."""
    definitions = declare(Tree[int], Tree[str], IntegerTree)["$defs"]
    assert definitions["Tree"]["properties"]["value"] == INTEGER
    assert definitions["Tree"]["properties"]["children"]["items"] == {"$ref": "#/$defs/Tree"}
    assert definitions["Tree_2"]["properties"]["value"] == STRING
    assert definitions["Tree_2"]["properties"]["parent"]["anyOf"] == [{"$ref": "#/$defs/Tree_2"}, NULL]
    assert definitions["IntegerTree"]["properties"]["value"] == INTEGER


def test_classes_of_one_name_are_told_apart() -> None:
    """A second class of the same name gets a number; characters that a reference cannot hold are replaced."""
    others = [dataclasses.make_dataclass("Place", [("x", int)]) for _ in range(2)]
    odd = dataclasses.make_dataclass("Größe", [("x", int)])
    odd.__name__ = "a/b~c #"
    assert list(declare(*others, odd)["$defs"]) == ["Place", "Place_2", "a_b_c"]


def test_local_classes_can_mention_themselves() -> None:
    """A class made in a function knows its own name, and that of the classes in its body."""

    @dataclass
    class Local:
        class Inner:
            pass

        following: "Local | None"
        inner: "Inner"

    properties = definition_of(Local)["properties"]
    assert properties == {"following": {"anyOf": [{"$ref": "#/$defs/Local"}, NULL]}, "inner": {"title": "Inner"}}


class Base(TypedDict):
    """Options.

    Attributes:
        name: The name.
    """

    name: str
    limit: NotRequired[int]


class Options(Base, total=False):
    mode: str
    level: Required[int]
    fixed: ReadOnly[Required[int]]
    following: "Options"


def test_typed_dictionaries() -> None:
    """Totality of each class, and Required and NotRequired against it."""
    definition = definition_of(Options)
    assert definition["properties"] == {
        "name": {**STRING, "description": "The name."},
        "limit": INTEGER,
        "mode": STRING,
        "level": INTEGER,
        "fixed": INTEGER,
        "following": {"$ref": "#/$defs/Options"},
    }
    assert definition["required"] == ["name", "level", "fixed"]
    assert definition_of(Base)["description"] == "Options."
    plain = typing.TypedDict("plain", {"odd key": int})
    assert definition_of(plain)["properties"] == {"odd key": INTEGER}
    make: Any = TypedDict  # what `closed` means is newer than the type checkers
    assert definition_of(make("Closed", {"x": int}, closed=True))["additionalProperties"] is False


def test_typed_dictionaries_with_text_annotations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where annotations are text the class itself does not see what is required; the schema does."""
    source = (
        "from __future__ import annotations\n"
        "from typing_extensions import *\n"
        "class Keys(TypedDict):\n    a: NotRequired[int]\n    b: Annotated[NotRequired[str], 'B.']\n    c: Missing\n"
        "class Loose(TypedDict, total=False):\n    a: Required[int]\n    b: str\n"
    )
    module = types.ModuleType("a_module_with_text_annotations")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(source, vars(module))
    assert definition_of(module.Keys) == {
        "type": "object",
        "properties": {"a": INTEGER, "b": {**STRING, "description": "B."}, "c": {}},
        "required": ["c"],
    }
    assert definition_of(module.Loose)["required"] == ["a"]


def test_keyword_arguments_of_a_typed_dictionary() -> None:
    """``**options: Unpack[Options]`` declares each key as a parameter."""

    def function(x: int, **options: Unpack[Base]): ...

    def as_text(x: int, **options: "Unpack[Base]"): ...

    for each in (function, as_text):
        schema: dict[str, Any] = tool_parameters(each)
        assert schema["properties"] == {"x": INTEGER, "name": {**STRING, "description": "The name."}, "limit": INTEGER}
        assert schema["required"] == ["x", "name"]
        assert "additionalProperties" not in schema


class Point(NamedTuple):
    """A point."""

    x: int
    y: float = 0.5


def test_named_tuples() -> None:
    """An array with titles; without annotations too."""
    titled = {"title": "y", "type": "number", "default": 0.5}
    assert definition_of(Point) == {
        "type": "array",
        "description": "A point.",
        "prefixItems": [{"title": "x", "type": "integer"}, titled],
        "minItems": 1,
        "maxItems": 2,
    }
    untyped = namedtuple("untyped", ["p", "q"])
    assert definition_of(untyped)["prefixItems"] == [{"title": "p"}, {"title": "q"}]
    assert definition_of(namedtuple("none", [])) == {"type": "array", "maxItems": 0}


@attrs.define
class Person:
    """Somebody."""

    name: str
    _age: int = 0
    friends: "list[Person]" = attrs.field(factory=list)
    hidden: int = attrs.field(default=1, init=False)


def test_attrs_classes() -> None:
    """Names as the constructor takes them, factories, what no caller gives."""
    properties = definition_of(attrs.make_class("Loose", {"x": attrs.field(metadata={"description": "Any."})}))[
        "properties"
    ]
    assert properties == {"x": {"description": "Any."}}
    definition = definition_of(Person)
    assert definition["required"] == ["name"]
    assert definition["properties"] == {
        "name": STRING,
        "age": {**INTEGER, "default": 0},
        "friends": {"type": "array", "items": {"$ref": "#/$defs/Person"}},
    }


class Stubborn:
    """Says that it is a data class, and is none."""

    __dataclass_fields__ = {"x": 5}


class Broken(NamedTuple):
    x: int


Broken._fields = ("x", 5)  # type: ignore[assignment,misc]  # the lie is the point


@pytest.mark.parametrize("cls", [Stubborn, Broken])
def test_classes_that_lie_allow_anything(cls: Any) -> None:
    """What cannot be read as what it says it is costs only its own definition."""
    schema = declare(cls, int)
    assert schema["properties"]["b"] == INTEGER
    assert schema["$defs"][cls.__name__] == {}


def test_a_long_chain_of_classes_costs_no_stack() -> None:
    """Five hundred classes, each within the one before: defined one after another, as many as there is room for."""
    cls: Any = int
    for number in range(500):
        cls = dataclasses.make_dataclass(f"Link{number}", [("x", cls)])
    schema = declare(cls)
    assert len(schema["$defs"]) == 300
