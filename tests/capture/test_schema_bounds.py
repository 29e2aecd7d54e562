"""Annotations of any size, any depth and any manners: the schema is valid, bounded, and nothing is raised."""

import collections.abc
import dataclasses
import datetime as dt
import enum
import json
import types
import typing
from typing import Annotated, Any, Literal, NewType, TypeVar, Union

import pytest
import typing_extensions
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from agenttrace.capture.schema.builder import MAX_SCHEMA_CHARACTERS
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


class Odd(enum.Enum):
    PAIR = (1, 2)
    HUGE = 2**70


class Text(str):
    __slots__ = ()


class Plain:
    pass


class Refuses:
    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


UserId = NewType("UserId", int)
Number = TypeVar("Number", bound=float)
Free = TypeVar("Free")
JsonValue = Union[dict[str, "JsonValue"], list["JsonValue"], str, None]  # noqa: UP007  # a text cannot stand in `|`
Either = typing_extensions.TypeAliasType("Either", "int | list[Either]")
Pair = typing_extensions.TypeAliasType("Pair", tuple[Free, Free], type_params=(Free,))


def test_a_type_of_any_depth_gives_a_small_schema() -> None:
    """What is nested deeper than anybody reads becomes a schema that allows anything."""
    annotation: Any = int
    for _ in range(5000):
        annotation = types.GenericAlias(list, (annotation,))
    assert len(json.dumps(property_of(annotation))) < 2000


def test_a_type_that_grows_without_end_gives_a_bounded_schema() -> None:
    """Unions that double at each level, a generic class that contains itself of a larger type, a thousand fields."""
    wide: Any = int
    for level in range(30):
        wide = dict[str, wide] | list[wide] | tuple[wide, Literal[level]]
    assert len(json.dumps(declare(wide))) < 2 * MAX_SCHEMA_CHARACTERS
    assert len(json.dumps(declare(Growing[int]))) < 2 * MAX_SCHEMA_CHARACTERS
    large = dataclasses.make_dataclass("Large", [(f"{'f' * 100}{i}", int) for i in range(5000)])
    assert len(json.dumps(declare(large))) < 2 * MAX_SCHEMA_CHARACTERS


@dataclasses.dataclass
class Growing(typing.Generic[Free]):
    value: Free
    left: "Growing[list[Free]]"
    right: "Growing[dict[str, Free]]"


class HostileMeta(type):
    def __getattribute__(cls, name: str) -> Any:
        raise RuntimeError(name)

    def __hash__(cls) -> int:
        raise RuntimeError

    def __eq__(cls, other: object) -> bool:
        raise RuntimeError


class Liar:
    @property  # type: ignore[misc]  # a lie is what is meant
    def __class__(self) -> Any:
        raise RuntimeError


# Out of the module's own names, where pytest would ask them what they are.
HOSTILE: dict[str, Any] = {
    "class": HostileMeta("Hostile", (), {}),
    "liar": Liar(),
    "refuses": Refuses(),
    "metadata": Annotated[int, Liar()],
    "argument": types.GenericAlias(list, (Liar(),)),
}


MATERIAL: list[Any] = [
    *(int, str, None, Any, Color, Odd, Plain, Growing, Growing[int], Text, Number, UserId, dt.date),
    *("int", "Missing", "[", "JsonValue", JsonValue, Either, Pair[int], 5, ..., (), [], {}, object()),
    *HOSTILE.values(),
]
# By place: hypothesis would ask hostile things what they are.
LEAVES = st.integers(0, len(MATERIAL) - 1).map(lambda place: MATERIAL[place])


def combined(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Annotations made from others, in ways that typing allows and in ways that it does not."""
    origins = st.sampled_from(
        [list, set, tuple, dict, type, Growing, collections.abc.Sequence, collections.abc.Mapping]
    )
    generic = st.builds(
        lambda origin, arguments: types.GenericAlias(origin, tuple(arguments)), origins, st.lists(inner)
    )
    annotated = st.builds(lambda base, extra: attempt(lambda: Annotated[base, extra]), inner, inner)
    union = st.lists(inner, min_size=1).map(lambda members: attempt(lambda: Union[tuple(members)]))  # noqa: UP007
    literal = st.lists(inner).map(lambda members: attempt(lambda: Literal[tuple(members)]))
    return st.one_of(generic, annotated, union, literal)


def attempt(make: Any) -> Any:
    """What ``make`` gives, or None where typing refuses."""
    try:
        return make()
    except Exception:
        return None


@settings(deadline=None)  # the validator takes its time
@given(st.recursive(LEAVES, combined, max_leaves=12))
def test_any_annotation_gives_a_valid_schema(annotation: Any) -> None:
    """Whatever stands after the colon, and however it is combined: a valid schema of bounded size, and no error."""
    assert len(json.dumps(declare(annotation))) < 2 * MAX_SCHEMA_CHARACTERS


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_annotations_cost_only_themselves(name: str) -> None:
    """An annotation whose every attribute raises leaves the other parameters their schemas."""

    def function(bad, good: int): ...

    function.__annotations__["bad"] = HOSTILE[name]
    schema: dict[str, Any] = tool_parameters(function)
    Draft202012Validator.check_schema(schema)
    assert schema["properties"]["good"] == {"type": "integer"}
