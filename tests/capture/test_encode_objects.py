"""What objects of every kind are written as, and what is never done to them."""

from __future__ import annotations

import collections
import dataclasses
import datetime as dt
import decimal
import fractions
import functools
import json
import os
import pathlib
import re
import threading
import types
import uuid
from enum import Enum, Flag, IntEnum
from typing import Any, ClassVar, NamedTuple

import attrs
import numpy as np
import pandas as pd
import pydantic
import pydantic.v1
import pytest

from agenttrace.capture.encode import encode_json


def written(value: object) -> Any:
    """What is recorded of ``value``, parsed."""
    return json.loads(encode_json({"value": value}))["value"]


class Color(Enum):
    """An enumeration whose values are plain, but for one."""

    RED = "red"
    MIXED = (1, 2)


class Level(IntEnum):
    """An enumeration of integers."""

    LOW = 1


class Access(Flag):
    """Flags."""

    READ = 1
    WRITE = 2


class Point(NamedTuple):
    """A named tuple."""

    x: int
    y: object


@dataclasses.dataclass
class Job:
    """A dataclass with what asdict() can't copy, and a field kept out of the repr."""

    name: str
    lock: Any = dataclasses.field(default_factory=threading.Lock)
    secret: str = dataclasses.field(default="hunter2", repr=False)
    limit: ClassVar[int] = 3


@dataclasses.dataclass
class Slotted:
    """A dataclass without a __dict__."""

    __slots__ = ("name", "unset")
    name: str
    unset: int

    def __init__(self) -> None:
        self.name = "a"


class Message(pydantic.BaseModel):
    """A model with everything that must not run or show."""

    model_config = pydantic.ConfigDict(extra="allow")
    role: str
    when: dt.date
    password: pydantic.SecretStr
    hidden: str = pydantic.Field(default="hunter2", repr=False)
    excluded: str = pydantic.Field(default="hunter2", exclude=True)

    @pydantic.field_serializer("role")
    def serialize_role(self, role: str) -> str:
        """Never run."""
        raise AssertionError

    @pydantic.computed_field  # type: ignore[prop-decorator]
    @property
    def computed(self) -> str:
        """Never run."""
        raise AssertionError


class Tags(pydantic.RootModel[list[str]]):
    """A model that is a list."""


class OldMessage(pydantic.v1.BaseModel):
    """A model of pydantic 1."""

    role: str
    hidden: str = pydantic.v1.Field("hunter2", repr=False)


@attrs.define
class Place:
    """An attrs class, without a __dict__."""

    city: str
    key: str = attrs.field(default="hunter2", repr=False)


@attrs.define
class Town(Place):
    """One that inherits fields."""

    people: int = 0


def test_dataclasses_are_their_fields() -> None:
    """Nothing is copied; class variables and fields without repr stay out."""
    assert written(Job("a")) == {"name": "a", "lock": "<_thread.lock object>"}
    assert written(Slotted()) == {"name": "a"}


def test_pydantic_models_are_their_fields() -> None:
    """No serializer and no property runs; extra fields are there, secrets and excluded fields aren't."""
    message = Message.model_validate({"role": "user", "when": "2026-01-02", "password": "hunter2", "more": [1]})
    assert written(message) == {
        "role": "user",
        "when": "2026-01-02",
        "password": "__REDACTED__",
        "more": [1],
    }
    assert written(Tags(["a", "b"])) == ["a", "b"]
    assert written([Tags(["a"]), Tags([])]) == [["a"], []]


def test_pydantic_1_models_are_their_fields() -> None:
    """As those of pydantic 2."""
    assert written(OldMessage.parse_obj({"role": "user"})) == {"role": "user"}


def test_attrs_classes_are_their_fields() -> None:
    """Inherited ones first, those without repr not at all."""
    assert written(Place("Oslo")) == {"city": "Oslo"}
    assert written(Town("Oslo", people=700_000)) == {"city": "Oslo", "people": 700_000}


def test_named_tuples_are_their_fields() -> None:
    """Of typing and of collections."""
    assert written(Point(1, {2})) == {"x": 1, "y": [2]}
    pair: Any = collections.namedtuple("pair", ["a", "b"])
    assert written(pair(1, 2)) == {"a": 1, "b": 2}


def test_enumerations_are_their_values_or_names() -> None:
    """The name where the value is an object."""
    assert written([Color.RED, Color.MIXED, Level.LOW, Access.READ | Access.WRITE]) == ["red", "MIXED", 1, 3]


def test_times_are_iso_8601() -> None:
    """With their zone and to the microsecond."""
    assert written(dt.datetime(2026, 1, 2, 3, 4, 5, 6, dt.timezone.utc)) == "2026-01-02T03:04:05.000006+00:00"
    assert written([dt.date(2026, 1, 2), dt.time(3, 4)]) == ["2026-01-02", "03:04:00"]
    durations = [dt.timedelta(days=1, hours=2, seconds=1.5), dt.timedelta(0), dt.timedelta(seconds=-1), dt.timedelta(7)]
    assert written(durations) == ["P1DT2H1.5S", "PT0S", "-PT1S", "P7D"]


def test_a_time_zone_that_raises_is_contained() -> None:
    """isoformat() asks the program's tzinfo."""

    class Zone(dt.tzinfo):
        def fail(self, when: object) -> Any:
            raise RuntimeError

        utcoffset = dst = tzname = fail

    assert written(dt.datetime(2026, 1, 2, tzinfo=Zone())) == "<datetime.datetime: unreadable, RuntimeError>"


def test_exact_numbers_are_text() -> None:
    """No digit is lost."""
    identifier = uuid.UUID(int=5)
    value = [decimal.Decimal("1.10"), fractions.Fraction(1, 3), 1 + 2j, identifier, pathlib.PurePosixPath("/tmp/x")]
    assert written(value) == ["1.10", "1/3", "(1+2j)", str(identifier), "/tmp/x"]


def test_sets_are_sorted_lists() -> None:
    """Where their items can be compared without running anything."""
    assert written({3, 1, 2}) == [1, 2, 3]
    assert written(frozenset({"b", "a"})) == ["a", "b"]
    assert sorted(map(str, written({1, "a", None}))) == ["1", "None", "a"]


def test_bytes_are_their_length_and_a_preview() -> None:
    """Of any type, readable where they are text."""
    assert written(b"abc") == {"type": "bytes", "length": 3, "preview": "abc"}
    assert written(bytearray(b"\xff" + b"x" * 99)) == {
        "type": "bytearray",
        "length": 100,
        "preview": "\\xff" + "x" * 63 + "…",
    }
    assert written(memoryview(b"abc")) == {"type": "memoryview", "length": 3, "preview": "abc"}
    released = memoryview(b"abc")
    released.release()
    assert "unreadable" in written(released)


def test_numpy_arrays_are_their_shape_and_a_preview() -> None:
    """Small ones whole, of large ones a few items; a million are as fast as ten."""
    assert written(np.array([[1, 2], [3, 4]], dtype="int16")) == {
        "type": "numpy.ndarray",
        "shape": [2, 2],
        "dtype": "int16",
        "preview": [[1, 2], [3, 4]],
    }
    assert written(np.full((1000, 1000), np.nan))["preview"] == ["NaN"] * 10
    assert written(np.array([{1}, "a"], dtype=object))["preview"] == [[1], "a"]


def test_numpy_scalars_are_plain_ones() -> None:
    """Dates keep their unit; what Python has no number for is text."""
    scalars = [
        np.float32(0.5),
        np.int64(3),
        np.bool_(True),
        np.str_("a"),
        np.datetime64("2026-01-02"),
        np.float64("nan"),
    ]
    assert written(scalars) == [0.5, 3, True, "a", "2026-01-02", "NaN"]
    assert float(written(np.longdouble("0.1"))) == pytest.approx(0.1)
    assert written({np.int64(1): "a"}) == {"1": "a"}


def test_data_frames_are_their_shape_and_first_rows() -> None:
    """With the columns' dtypes; of many columns the first fifty."""
    frame = pd.DataFrame({"a": range(1000), "b": [{"x": 1}] * 1000})
    described = written(frame)
    assert described["type"] == "pandas.DataFrame"
    assert described["shape"] == [1000, 2]
    assert described["dtype"] == {"a": "int64", "b": "object"}
    assert described["preview"] == [{"a": row, "b": {"x": 1}} for row in range(5)]
    assert len(written(pd.DataFrame(np.zeros((2, 300))))["preview"][0]) == 50


def test_columns_of_the_same_name_are_not_lost() -> None:
    """Rows are lists then."""
    described = written(pd.DataFrame([[1, 2]], columns=["a", "a"]))
    assert described["columns"] == ["a", "a"]
    assert described["preview"] == [[1, 2]]


def test_series_are_their_length_and_first_items() -> None:
    """And an index, a timestamp and what is missing."""
    described = written(pd.Series(range(1000), name="n"))
    assert described == {
        "type": "pandas.Series",
        "shape": [1000],
        "dtype": "int64",
        "name": "n",
        "preview": list(range(10)),
    }
    assert written(pd.Index(["a"]))["preview"] == ["a"]
    assert written([pd.Timestamp("2026-01-02"), pd.NaT]) == ["2026-01-02T00:00:00", "NaT"]


def test_exceptions_are_their_type_and_message() -> None:
    """Also one whose message raises."""

    class Silent(Exception):
        def __str__(self) -> str:
            raise ValueError

    assert written(ValueError("no such city")) == "ValueError: no such city"
    assert written(KeyError()) == "KeyError"
    assert written(Silent()).endswith("Silent: unreadable, ValueError>")


def test_other_collections_are_lists_and_objects() -> None:
    """Those of the standard library and whatever is registered as one."""
    assert written([range(3), collections.deque([1], 5), {1: 2}.keys(), {1: 2}.values()]) == [[0, 1, 2], [1], [1], [2]]
    assert written(collections.Counter("aab")) == {"a": 2, "b": 1}
    assert written(collections.defaultdict(list, a=[1])) == {"a": [1]}
    assert written(types.MappingProxyType({"a": 1})) == {"a": 1}
    assert written([collections.UserDict(a=1), collections.UserList([1])]) == [{"a": 1}, [1]]
    assert written(collections.ChainMap({"a": 1}, {"a": 2, "b": 3})) == {"a": 1, "b": 3}


def test_code_is_named() -> None:
    """Functions, methods, classes and modules by where they are found."""
    assert written(written) == f"<function {__name__}.written>"
    assert written(Color) == f"<class {__name__}.Color>"
    assert written([len, os, int]) == ["<function builtins.len>", "<module os>", "<class int>"]
    assert written(Tags(["a"]).model_dump) == "<method pydantic.main.BaseModel.model_dump>"
    assert written(functools.partial(print, "hunter2")) == "<functools.partial object>"


def test_an_object_with_a_repr_says_it() -> None:
    """And with only a __str__, that."""

    class Said:
        def __repr__(self) -> str:
            return "Said()"

    class Told:
        def __str__(self) -> str:
            return "told"

    assert written([Said(), Told(), re.compile("a")]) == ["Said()", "told", "re.compile('a')"]


def test_an_object_without_a_repr_is_named_and_not_opened() -> None:
    """Attributes are where clients keep their keys."""

    class Client:
        def __init__(self) -> None:
            self.api_key = "hunter2"

    assert written(Client()).endswith("Client object>")
    assert "hunter2" not in encode_json(Client())
    assert written(os.environ) == "<os._Environ object>"
