"""Fields are read where they lie, and nothing of the program's runs while they are."""

from __future__ import annotations

import dataclasses
from collections import namedtuple
from enum import Enum
from types import MappingProxyType, SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pydantic
import pytest

from agenttrace.semconv.fields import (
    as_list,
    class_field,
    class_name,
    field,
    fields,
    from_package,
    has_fields,
    int_field,
    is_a,
    is_record,
    is_unset,
    list_field,
    package_of,
    text_field,
    text_of,
)

from .hostile import HOSTILE, LazyDict, LazyList, Proxied, Touched, assert_untouched, resisting


class Model(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")

    role: str = "user"
    left_out: str | None = None


@dataclasses.dataclass
class Record:
    role: str = "user"
    left_out: str | None = None


@dataclasses.dataclass(slots=True)
class Slotted:
    role: str = "user"
    left_out: str | None = None


class PartlySlotted:
    __slots__ = ("left_out", "role")

    def __init__(self) -> None:
        self.role = "user"


class Attributes:
    def __init__(self) -> None:
        self.role = "user"
        self.left_out = None

    @property
    def computed(self) -> str:
        raise Touched("computed")

    def __getattr__(self, name: str) -> Any:
        raise Touched(name)


class Role(str, Enum):
    USER = "user"


class Plain(Enum):
    USER = "user"


Pair = namedtuple("Pair", "role left_out")

SOURCES: dict[str, Any] = {
    "dict": {"role": "user", "left_out": None},
    "dict subclass": LazyDict(role="user", left_out=None),
    "read-only view": MappingProxyType({"role": "user", "left_out": None}),
    "pydantic model": Model(),
    "dataclass": Record(),
    "dataclass with slots": Slotted(),
    "slots": PartlySlotted(),
    "plain object": Attributes(),
    "namespace": SimpleNamespace(role="user", left_out=None),
    "named tuple": Pair("user", None),
}


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_a_field_is_found_wherever_it_lies(source: Any) -> None:
    """The first name that has a value counts; None and names that aren't there count as nothing."""
    assert field(source, "role") == "user"
    assert field(source, "nothing", "left_out", "role") == "user"
    assert field(source, "left_out") is None
    assert field(source, "nothing") is None
    assert fields(source) == {"role": "user"}
    assert has_fields(source, ("role",))
    assert not has_fields(source, ("role", "nothing"))


def test_a_field_that_is_none_is_one_that_is_had() -> None:
    """A response says by its fields what it is, whatever is in them."""
    assert has_fields({"role": None}, ("role",))
    assert has_fields(Model(), ("role", "left_out"))


def test_fields_beside_those_a_model_declares_are_found() -> None:
    """A newer provider sends what an older client doesn't know."""
    model = Model.model_validate({"role": "user", "reasoning": "hm"})
    assert field(model, "reasoning") == "hm"
    assert fields(model) == {"role": "user", "reasoning": "hm"}


@pytest.mark.parametrize("name", [name for name in HOSTILE if name != "a key that can't be compared"])
def test_nothing_of_an_object_is_run(name: str) -> None:
    """Properties, ``__getattr__``, ``__class__`` and methods of containers are the program's code."""
    value = HOSTILE[name]()
    for read in (fields, as_list, text_of, is_record, is_unset, package_of, class_name):
        read(value)
    for look_up in (field, text_field, int_field, list_field):
        look_up(value, "role", "content")
        look_up({"value": value}, "value", "role")
    has_fields(value, ("role",))
    is_a(value, "openai", "ChatCompletion")
    from_package(value, "openai")
    class_field(value, "role")
    assert_untouched(value)


def test_a_property_is_not_a_field() -> None:
    """What is computed isn't asked for."""
    assert field(Attributes(), "computed", "missing") is None
    assert field(Proxied(), "role") is None
    assert field(MagicMock(), "role", "content") is None


def test_what_says_it_is_something_else_is_taken_for_what_it_is() -> None:
    """``__class__`` lies, the type doesn't."""
    assert as_list(MagicMock(spec=list)) == ()
    assert text_of(MagicMock(spec=str)) is None
    assert field(MagicMock(spec=dict), "role") is None


def test_lists_and_texts_of_subclasses_are_read_by_the_methods_of_their_base() -> None:
    """Overridden methods may ask a database."""
    assert as_list(LazyList([1, 2])) == [1, 2]
    assert as_list(Pair(1, 2)) == (1, 2)
    assert text_of(resisting(str)) == ""
    assert type(text_of(Role.USER)) is str


def test_texts_are_strings_that_say_something() -> None:
    """An enumeration's member is its value; what is no string is none."""
    assert text_field({"role": Role.USER}, "role") == "user"
    assert text_field({"role": Plain.USER}, "role") == "user"
    assert text_field({"role": ""}, "role") is None
    assert text_field({"role": 5}, "role") is None
    assert text_of(Plain.USER) == "user"
    assert text_of(["user"]) is None


@pytest.mark.parametrize(
    ("value", "expected"), [(3, 3), (3.0, 3), (0, 0), (3.5, None), (-1, None), (True, None), ("3", None), (None, None)]
)
def test_counts_are_whole_and_not_negative(value: object, expected: int | None) -> None:
    """Anything else is no count."""
    assert int_field({"tokens": value}, "tokens") == expected


def test_lists_are_lists_and_tuples() -> None:
    """A generator is left alone, and so is a text."""
    items = iter([1])
    assert list_field({"items": items}, "items") == ()
    assert list(items) == [1]
    assert list_field({"items": "ab"}, "items") == ()
    assert list_field({"items": (1,)}, "items") == (1,)


def test_classes_are_known_by_name_and_package() -> None:
    """Nothing is imported to tell what an object is."""
    assert is_a(Model(), "pydantic", "BaseModel")
    assert not is_a(Model(), "pydantic", "Other")
    assert from_package(Model(), "pydantic")
    assert not from_package(object(), "pydantic")
    assert package_of(1) == "builtins"
    assert class_name(Model()) == "Model"


def test_a_record_is_what_declares_its_fields() -> None:
    """A plain object may be a client with its key among its fields."""
    assert all(map(is_record, (Model(), Record(), Slotted())))
    assert not any(map(is_record, (Attributes(), {}, Model, MagicMock(), 1)))


def test_what_lies_in_a_class_is_found_as_it_lies_there() -> None:
    """A property isn't run."""
    assert type(class_field(Attributes(), "computed")) is property
    assert class_field(Attributes(), "nothing") is None
