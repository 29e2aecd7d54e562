"""Annotations as JSON Schema: builtin and standard types, special forms, texts, and what cannot be read."""

import collections
import collections.abc
import datetime as dt
import decimal
import enum
import fractions
import ipaddress
import json
import pathlib
import re
import sys
import types
import typing
import uuid
from typing import Annotated, Any, Literal, NewType, Optional, TypeVar, Union

import annotated_types
import numpy as np
import pydantic
import pytest
import typing_extensions
from jsonschema import Draft202012Validator

from agenttrace.capture.tools import tool_parameters


def declare(annotation: Any) -> dict[str, Any]:
    """The schema of a function with one parameter of that annotation, checked to be one."""

    def function(x): ...

    function.__annotations__["x"] = annotation
    schema: dict[str, Any] = tool_parameters(function)
    Draft202012Validator.check_schema(schema)
    assert json.loads(json.dumps(schema)) == schema
    return schema


def property_of(annotation: Any) -> Any:
    """The schema of a parameter of that annotation."""
    return declare(annotation)["properties"]["x"]


class Color(enum.Enum):
    RED = "red"
    GREEN = "green"
    CRIMSON = "red"  # noqa: PIE796  # an alias


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Odd(enum.Enum):
    PAIR = (1, 2)
    ONE = 1
    HUGE = 2**70


class Right(enum.Flag):
    READ = 1
    WRITE = 2


class Grade(str, enum.Enum):
    A = "a"

    def __repr__(self) -> str:
        raise RuntimeError


class Tags(list[str]):
    pass


class Text(str):
    __slots__ = ()


class Plain:
    pass


UserId = NewType("UserId", int)
Number = TypeVar("Number", bound=float)
Key = TypeVar("Key", int, str)
Free = TypeVar("Free")
INTEGER, STRING, NULL = {"type": "integer"}, {"type": "string"}, {"type": "null"}


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (str, STRING),
        (int, INTEGER),
        (float, {"type": "number"}),
        (bool, {"type": "boolean"}),
        (None, NULL),
        (type(None), NULL),
        (bytes, {"type": "string", "format": "binary"}),
        (bytearray, {"type": "string", "format": "binary"}),
        (complex, STRING),
        (Text, STRING),
        (Any, {}),
        (object, {}),
        (typing_extensions.Any, {}),
        (typing.LiteralString if sys.version_info >= (3, 11) else typing_extensions.LiteralString, STRING),
        (typing_extensions.Never, {"not": {}}),
        (typing.NoReturn, {"not": {}}),
        (UserId, INTEGER),
        (Number, {"type": "number"}),
        (Key, {"anyOf": [INTEGER, STRING]}),
        (Free, {}),
        (typing_extensions.Self, {}),
        (type, {"title": "type"}),
        (type[int], {}),
        (typing.Callable, {"title": "Callable"}),
        (collections.abc.Callable[[int], str], {"title": "Callable"}),
        (Plain, {"title": "Plain"}),
        (5, {}),
        (..., {}),
        ([int], {}),
    ],
)
def test_simple_types(annotation: Any, expected: dict[str, Any]) -> None:
    """Scalars, variables, aliases for them; types that JSON has no form for allow anything."""
    assert property_of(annotation) == expected


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (dt.datetime, "date-time"),
        (dt.date, "date"),
        (dt.time, "time"),
        (dt.timedelta, "duration"),
        (uuid.UUID, "uuid"),
        (pathlib.Path, "path"),
        (pathlib.PurePosixPath, "path"),
        (decimal.Decimal, "decimal"),
        (fractions.Fraction, None),
        (ipaddress.IPv4Address, "ipv4"),
        (ipaddress.IPv6Address, "ipv6"),
        (re.Pattern, "regex"),
        (re.Pattern[str], "regex"),
    ],
)
def test_types_that_are_written_as_text(annotation: Any, expected: str | None) -> None:
    """Standard types whose values a model writes as a text say in which format."""
    assert property_of(annotation) == (STRING if expected is None else {"type": "string", "format": expected})


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (list, {"type": "array"}),
        (typing.List, {"type": "array"}),  # noqa: UP006
        (typing.List[int], {"type": "array", "items": INTEGER}),  # noqa: UP006
        (list[list[int]], {"type": "array", "items": {"type": "array", "items": INTEGER}}),
        (list[Any], {"type": "array"}),
        (collections.abc.Sequence[str], {"type": "array", "items": STRING}),
        (typing.Iterable[str], {"type": "array", "items": STRING}),
        (collections.deque[int], {"type": "array", "items": INTEGER}),
        (Tags, {"type": "array"}),
        (set[int], {"type": "array", "items": INTEGER, "uniqueItems": True}),
        (frozenset, {"type": "array", "uniqueItems": True}),
        (collections.abc.Set[int], {"type": "array", "items": INTEGER, "uniqueItems": True}),
        (tuple, {"type": "array"}),
        (typing.Tuple, {"type": "array"}),  # noqa: UP006
        (tuple[()], {"type": "array", "maxItems": 0}),
        (tuple[int, ...], {"type": "array", "items": INTEGER}),
        (tuple[int, str], {"type": "array", "prefixItems": [INTEGER, STRING], "minItems": 2, "maxItems": 2}),
        (
            tuple[int, typing_extensions.Unpack[tuple[str, ...]]],
            {"type": "array", "prefixItems": [INTEGER], "minItems": 1, "items": STRING},
        ),
        (dict, {"type": "object"}),
        (dict[str, int], {"type": "object", "additionalProperties": INTEGER}),
        (dict[int, Any], {"type": "object"}),
        (
            dict[Literal["a", "b"], int],
            {
                "type": "object",
                "propertyNames": {"type": "string", "enum": ["a", "b"]},
                "additionalProperties": INTEGER,
            },
        ),
        (collections.abc.Mapping[str, str], {"type": "object", "additionalProperties": STRING}),
        (typing.DefaultDict[str, int], {"type": "object", "additionalProperties": INTEGER}),  # noqa: UP006
        (collections.OrderedDict, {"type": "object"}),
        (collections.Counter[str], {"type": "object", "additionalProperties": INTEGER}),
    ],
)
def test_containers(annotation: Any, expected: dict[str, Any]) -> None:
    """Lists, sets, tuples of fixed and of any length, mappings, by whatever name, and classes made from them."""
    assert property_of(annotation) == expected


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (Optional[int], {"anyOf": [INTEGER, NULL]}),  # noqa: UP045
        (int | None, {"anyOf": [INTEGER, NULL]}),
        (Union[int, str, None], {"anyOf": [INTEGER, STRING, NULL]}),  # noqa: UP007
        (Union[int, UserId], INTEGER),  # noqa: UP007
        (Union[int, Any], {}),  # noqa: UP007
        (Annotated[int | str, "x"] | None, {"anyOf": [{"anyOf": [INTEGER, STRING], "description": "x"}, NULL]}),
        (list[int | None], {"type": "array", "items": {"anyOf": [INTEGER, NULL]}}),
        (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}),
        (Literal[1, True], {"enum": [1, True]}),
        (Literal["a", None], {"enum": ["a", None]}),
        (Literal[Color.RED, Level.LOW], {"enum": ["red", 1]}),
        (Literal[b"a"], {"type": "string", "enum": ["a"]}),
        (typing_extensions.Literal["a"], {"type": "string", "enum": ["a"]}),
        (Color, {"type": "string", "enum": ["red", "green"]}),
        (Level, {"type": "integer", "enum": [1, 2]}),
        (Grade, {"type": "string", "enum": ["a"]}),
        (Odd, {"enum": ["PAIR", 1, "HUGE"]}),
        (Right, INTEGER),
        (enum.Enum("Many", [f"m{i}" for i in range(1000)]), INTEGER),
    ],
)
def test_choices(annotation: Any, expected: dict[str, Any]) -> None:
    """Unions lose doubles; literals and enumerations give their values, by name where JSON has no form for one."""
    assert property_of(annotation) == expected


class Described:
    description = "By an object."


class Refuses:
    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (Annotated[int, "A number."], {**INTEGER, "description": "A number."}),
        (Annotated[int, Described()], {**INTEGER, "description": "By an object."}),
        (Annotated[int, typing_extensions.Doc("A doc.")], {**INTEGER, "description": "A doc."}),
        (Annotated[int, Refuses(), "After."], {**INTEGER, "description": "After."}),
        (Annotated[int, "First.", "Second."], {**INTEGER, "description": "First."}),
        (
            Annotated[int, annotated_types.Ge(0), annotated_types.Lt(5)],
            {**INTEGER, "minimum": 0, "exclusiveMaximum": 5},
        ),
        (
            Annotated[float, annotated_types.Interval(gt=0, le=1)],
            {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
        ),
        (Annotated[int, annotated_types.MultipleOf(0)], INTEGER),
        (Annotated[int, annotated_types.Ge(float("nan"))], INTEGER),
        (Annotated[str, annotated_types.Len(1, 9)], {**STRING, "minLength": 1, "maxLength": 9}),
        (Annotated[list[int], annotated_types.MinLen(1)], {"type": "array", "items": INTEGER, "minItems": 1}),
        (Annotated[int | None, annotated_types.Ge(0)], {"anyOf": [{**INTEGER, "minimum": 0}, NULL]}),
        (
            Annotated[str, pydantic.Field(description="A code.", pattern="^a", min_length=2, examples=["ab"])],
            {**STRING, "description": "A code.", "pattern": "^a", "minLength": 2, "examples": ["ab"]},
        ),
        (Annotated[str, np.zeros(3), np], STRING),
    ],
)
def test_annotated(annotation: Any, expected: dict[str, Any]) -> None:
    """Texts, objects with a description, bounds of annotated-types and pydantic; what does not fit is left out."""
    assert property_of(annotation) == expected


def test_numpy_numbers_are_numbers() -> None:
    """Types that are registered as numbers count as such, with numpy never imported for it."""
    assert property_of(np.int32) == INTEGER
    assert property_of(np.float32) == {"type": "number"}


JsonValue = Union[dict[str, "JsonValue"], list["JsonValue"], str, None]  # noqa: UP007  # as it is written where the text cannot stand in `|`
Either = typing_extensions.TypeAliasType("Either", "int | list[Either]")
Simple = typing_extensions.TypeAliasType("Simple", int | str)
Pair = typing_extensions.TypeAliasType("Pair", tuple[Free, Free], type_params=(Free,))


def test_recursive_unions_refer_to_themselves() -> None:
    """The classic type of any JSON value becomes a definition with its own name."""
    schema = declare(JsonValue)
    reference = {"$ref": "#/$defs/JsonValue"}
    assert schema["properties"]["x"] == reference
    body = [{"type": "object", "additionalProperties": reference}, {"type": "array", "items": reference}, STRING, NULL]
    assert schema["$defs"] == {"JsonValue": {"anyOf": body}}
    assert declare("JsonValue") == schema
    assert declare(list["JsonValue"])["$defs"] == schema["$defs"]


def test_type_aliases() -> None:
    """Aliases stand in place; generic ones with their arguments, recursive ones under their name."""
    assert property_of(Simple) == {"anyOf": [INTEGER, STRING]}
    assert property_of(Pair[int])["prefixItems"] == [INTEGER, INTEGER]
    assert declare(Either)["$defs"] == {
        "Either": {"anyOf": [INTEGER, {"type": "array", "items": {"$ref": "#/$defs/Either"}}]}
    }


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the syntax is of Python 3.12")
def test_the_type_statement_and_type_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Type parameters of functions and aliases are type variables, in text annotations too."""
    source = (
        "type Tree[T] = T | list[Tree[T]]\n"
        "def f[T: int, *Ts](x: T, y: 'Tree[str]', *rest: *Ts): ...\n"
        "class Box[T]:\n    def g[S: float](self, x: 'S', y: 'list[T]'): ...\n"
    )
    module = types.ModuleType("a_module_of_today")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(source, vars(module))
    schema: dict[str, Any] = tool_parameters(module.f)
    Draft202012Validator.check_schema(schema)
    assert schema["properties"] == {"x": INTEGER, "y": {"$ref": "#/$defs/Tree"}, "rest": {"type": "array"}}
    assert schema["$defs"]["Tree"] == {"anyOf": [STRING, {"type": "array", "items": {"$ref": "#/$defs/Tree"}}]}
    assert tool_parameters(module.Box.g)["properties"] == {"x": {"type": "number"}, "y": {"type": "array"}}


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        ("int", INTEGER),
        (" list[ 'int' ] ", {"type": "array", "items": INTEGER}),
        (list["int"], {"type": "array", "items": INTEGER}),
        (Optional["Color"], {"anyOf": [{"type": "string", "enum": ["red", "green"]}, NULL]}),
        ("Missing", {}),
        ("Missing.part[int] | None", {}),
        ("dict[str, Missing]", {"type": "object"}),
        ("list[Missing] | None", {"anyOf": [{"type": "array"}, NULL]}),
        ("Annotated[int, Missing(5)]", INTEGER),
        ("Iterable[UUID]", {"type": "array", "items": {"type": "string", "format": "uuid"}}),
        ("not python", {}),
        ("1 / 0", {}),
        ("", {}),
        ("[" * 500, {}),
        ("-" * 1999 + "1", {}),
        ("list[" * 5000 + "int" + "]" * 5000, {}),
    ],
    ids=lambda value: str(value)[:30],
)
def test_texts(annotation: Any, expected: dict[str, Any]) -> None:
    """Texts are resolved, forward references inside types too; a name that is not found costs its own place only."""
    assert property_of(annotation) == expected
