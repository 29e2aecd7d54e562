"""What a tool's definition says: its description, and its parameters for every kind of callable."""

import functools
import itertools
import json
import math
import pathlib
import re
from enum import Enum
from typing import Annotated, Any, Protocol
from unittest.mock import MagicMock

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from agenttrace.capture.docstrings import MAX_DOCSTRING_CHARACTERS
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


def test_a_function_with_parameters_of_every_kind() -> None:
    """Positional-only and keyword-only ones, defaults, stars, and what the docstring says of each."""
    assert parameters_of(search) == {
        "type": "object",
        "properties": {
            "query": {**STRING, "description": "What to look for."},
            "limit": {**INTEGER, "description": "How many at most.", "default": 10},
            "terms": {"type": "array", "items": STRING, "description": "More words."},
            "exact": {"type": "boolean"},
            "untyped": {"default": None},
        },
        "required": ["query", "exact"],
        "additionalProperties": {**INTEGER, "description": "Bounds."},
    }
    assert tool_description(search) == "Search the index.\n\nAll of it.\n\nReturns:\n    The hits."


def test_a_function_without_parameters_takes_an_empty_object() -> None:
    """Nothing is required of nothing."""
    assert parameters_of(lambda: None) == {"type": "object", "properties": {}}
    assert parameters_of(lambda *rest, **more: None) == {
        "type": "object",
        "properties": {"rest": {"type": "array"}},
        "additionalProperties": True,
    }


def test_stars_that_unpack_a_tuple() -> None:
    """``*args: *tuple[int, str]`` is the tuple itself."""

    def function(*args: "*tuple[int, str]"): ...  # type: ignore[valid-type]  # noqa: F722  # 3.11

    assert properties_of(function) == {
        "args": {"type": "array", "prefixItems": [INTEGER, STRING], "minItems": 2, "maxItems": 2}
    }


def test_what_is_written_nearest_describes_the_parameter() -> None:
    """The description in the annotation comes before that in the docstring."""

    def function(x: Annotated[int, "Near."], y: int):
        """:param x: Far.
        :param y: Far.
        """  # noqa: D205

    assert properties_of(function)["x"]["description"] == "Near."
    assert properties_of(function)["y"]["description"] == "Far."
    assert tool_description(function) is None


def test_pydantic_fields_in_the_place_of_defaults() -> None:
    """``x: int = Field(...)`` tells the description, the bounds and whether it is required."""
    untyped: Any = pydantic.Field(None)

    def function(x: int = pydantic.Field(description="An x.", ge=1), y: int = pydantic.Field(5), z=untyped): ...

    schema = parameters_of(function)
    assert schema["required"] == ["x"]
    assert schema["properties"] == {
        "x": {**INTEGER, "minimum": 1, "description": "An x."},
        "y": {**INTEGER, "default": 5},
        "z": {"default": None},
    }


class Mode(Enum):
    FAST = "fast"


class Boom:
    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __repr__(self) -> str:
        raise RuntimeError

    def __eq__(self, other: object) -> bool:
        raise RuntimeError

    def __bool__(self) -> bool:
        raise RuntimeError

    __hash__ = None  # type: ignore[assignment]  # cannot be hashed either


class ShoutingText(str):
    __slots__ = ()

    def encode(self, *args: Any) -> Any:
        raise RuntimeError


CYCLE: list[Any] = []
CYCLE.append(CYCLE)


@pytest.mark.parametrize(
    ("default", "expected"),
    [
        (None, None),
        (True, True),
        (-5, -5),
        (0.5, 0.5),
        ("text", "text"),
        (ShoutingText("text"), "text"),
        ("\ud800", "\\ud800"),
        ([1, "a", None], [1, "a", None]),
        ((1, 2), [1, 2]),
        ({"a": [1]}, {"a": [1]}),
        (Mode.FAST, "fast"),
        ({}, {}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_defaults_that_json_can_hold_are_shown(default: Any, expected: Any) -> None:
    """Scalars, members of enumerations, lists, tuples and dictionaries of them, as plain values."""

    def function(x=default): ...

    shown = properties_of(function)["x"]["default"]
    assert (shown, type(shown)) == (expected, type(expected))


# By name: pytest would ask hostile things what they are.
NOT_SHOWN: dict[str, Any] = {
    "object": object(),
    "boom": Boom(),
    "list of boom": [Boom()],
    "cycle": CYCLE,
    "large list": [0] * 1000,
    "nan": math.nan,
    "infinity": -math.inf,
    "large number": 2**64,
    "long text": "x" * 1000,
    "bytes": b"x",
    "number as key": {1: 2},
    "set": {1},
    "function": print,
    "path": pathlib.Path(),
    "iterator": iter([1]),
}


@pytest.mark.parametrize("name", NOT_SHOWN)
def test_other_defaults_are_only_known_to_exist(name: str) -> None:
    """What is large, hostile or has no JSON is not shown, and nothing of it is called; the parameter is optional."""

    def function(x: int = NOT_SHOWN[name]): ...

    assert parameters_of(function) == {"type": "object", "properties": {"x": INTEGER}}


def test_defaults_that_may_be_secrets_are_not_shown() -> None:
    """By the name of the parameter; numbers are harmless. The caller can name others."""

    def function(api_key="s3cret", authToken="s3cret", max_tokens=256, key=None, other="plain", mine="hidden"): ...

    schema = parameters_of(function, hide_defaults=["mine"])
    assert schema["properties"] == {
        "api_key": {},
        "authToken": {},
        "max_tokens": {"default": 256},
        "key": {"default": None},
        "other": {"default": "plain"},
        "mine": {},
    }


class EndlessAttributes:
    def __getattr__(self, name: str) -> Any:
        return EndlessAttributes()

    def __call__(self) -> None:
        pass


class RaisingSignature:
    def __call__(self, x: int) -> None:
        pass

    @property
    def __signature__(self) -> Any:
        raise RuntimeError


class LyingClass(Protocol):
    pass


def _cyclic() -> Any:
    def function(x: int) -> None: ...

    function.__wrapped__ = function  # type: ignore[attr-defined]  # what makes it cyclic
    return function


def _with(**attributes: Any) -> Any:
    def function(x: int) -> None: ...

    for name, value in attributes.items():
        setattr(function, name, value)
    return function


ODD: dict[str, Any] = {
    "boom": Boom(),
    "endless": EndlessAttributes(),
    "raising": RaisingSignature(),
    "cyclic": _cyclic(),
    "mock": MagicMock(),
    "protocol": LyingClass,
    "enum": Mode,
    "module": math,
    "none": None,
    "five": 5,
    "text": "f",
    "count": itertools.count(),
    "pattern": re.compile("x"),
    "partial": functools.partial(print, 1, sep=Boom()),
    "of boom": classmethod(print),
    "no getter": property(),
    "type": type,
    "object": object,
    "generic": list[int],
    "wrong signature": _with(__signature__=5),
    "wrong wrapped": _with(__wrapped__=Boom()),
    "wrong annotations": _with(__annotations__={"x": Boom(), "y": 5}),
    "wrong names": _with(__qualname__="a..b."),
    "wrong docstring": _with(__doc__=ShoutingText("Args:\n  x: y")),
    "docstring": _with(__doc__=5),
}


@pytest.mark.parametrize("name", ODD)
def test_whatever_is_given_something_comes_back(name: str) -> None:
    """Hostile, cyclic and endless objects, and things that are no callables: a valid schema and no error."""
    assert parameters_of(ODD[name])["type"] == "object"
    description = tool_description(ODD[name])
    assert description is None or type(description) is str


def test_nothing_of_the_function_is_changed() -> None:
    """Its attributes, annotations and docstring are the same objects as before."""

    def function(x: "int", y: "list[Missing]" = []):  # type: ignore[name-defined]  # noqa: B006, F821  # on purpose
        """Do it."""

    before = {**vars(function)}, dict(function.__annotations__), function.__doc__, function.__defaults__
    parameters_of(function)["properties"]["y"]["default"].append("changed by the caller")
    tool_description(function)
    assert ({**vars(function)}, function.__annotations__, function.__doc__, function.__defaults__) == before
    assert properties_of(function)["y"]["default"] == []


def test_a_huge_docstring_gives_a_bounded_description() -> None:
    """What is handed on is UTF-8 of bounded size."""
    function = _with(__doc__="\ud800 " + "word " * 1_000_000 + "\n\nArgs:\n    x: never read")
    description = tool_description(function)
    assert description is not None
    assert description.startswith("\\ud800 word")
    assert len(description) <= MAX_DOCSTRING_CHARACTERS
    assert len(json.dumps(parameters_of(_with(__doc__="Args:\n  x: " + "word " * 50_000)))) < 5_000


def test_many_parameters_are_all_declared() -> None:
    """As many as any program has; beyond that the schema stays bounded and valid."""
    names = [f"p{number}" for number in range(3000)]
    namespace: dict[str, Any] = {}
    exec(f"def function({', '.join(names)}): ...", namespace)
    assert list(properties_of(namespace["function"])) == names
    exec(f"def function({', '.join(name + 'x' * 200 for name in names)}): ...", namespace)
    schema = parameters_of(namespace["function"])
    assert list(schema["properties"]) == schema["required"]
    assert len(json.dumps(schema)) < 400_000


@given(st.text(), st.text(min_size=1))
def test_any_docstring_and_any_annotation_text(docstring: str, annotation: str) -> None:
    """Whatever is written in a function, its schema is valid and its description is text."""
    function = _with(__doc__=docstring, __annotations__={"x": annotation})
    parameters_of(function)
    description = tool_description(function)
    assert description is None or description.encode("utf-8")
