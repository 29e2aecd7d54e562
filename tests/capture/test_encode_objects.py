"""What objects of every kind are written as, and what is never done to them."""

from __future__ import annotations

import asyncio
import collections
import concurrent.futures
import dataclasses
import datetime as dt
import decimal
import fractions
import functools
import gc
import io
import json
import os
import pathlib
import re
import signal
import socket
import threading
import types
import uuid
import weakref
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum, Flag, IntEnum
from typing import Any, ClassVar, NamedTuple

import attrs
import numpy as np
import pandas as pd
import pydantic
import pydantic.v1
import pytest

from agenttrace.capture.encode import encode_json, encode_text, max_value_bytes


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
        "password": "**********",
        "more": [1],
    } or written(message) == {
        "role": "user",
        "when": "2026-01-02",
        "password": "SecretStr('**********')",
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


def test_what_can_be_consumed_is_not(tmp_path: pathlib.Path) -> None:
    """Generators, iterators, files and lazy collections are as before."""

    def count() -> Iterator[int]:
        yield from range(3)

    class Query:
        def __iter__(self) -> Iterator[int]:
            raise AssertionError

        def __len__(self) -> int:
            raise AssertionError

        __repr__ = __str__ = __len__  # type: ignore[assignment]

    generator, iterator, mapped = count(), iter([1, 2]), map(str, [1])
    path = tmp_path / "file"
    path.write_text("text")
    with path.open() as file, io.BytesIO(b"abc") as memory:
        texts = written([generator, iterator, mapped, file, memory, Query()])
        assert file.tell() == memory.tell() == 0
    assert [list(generator), list(iterator), list(mapped)] == [[0, 1, 2], [1, 2], ["1"]]
    assert texts[0] == "<generator test_what_can_be_consumed_is_not.<locals>.count>"
    assert texts[1:5] == [
        "<list_iterator object>",
        "<map object>",
        "<_io.TextIOWrapper object>",
        "<_io.BytesIO object>",
    ]


def test_what_can_be_awaited_is_not() -> None:
    """Coroutines, futures, tasks and async generators."""

    async def main() -> list[str]:
        async def answer() -> int:
            return 42

        async def stream() -> Any:
            yield 1

        coroutine, task = answer(), asyncio.ensure_future(answer())
        texts: list[str] = written([coroutine, task, stream(), asyncio.Lock()])
        assert not task.done()
        assert [await coroutine, await task] == [42, 42]
        return texts

    texts = asyncio.run(main())
    assert texts[0].startswith("<coroutine test_what_can_be_awaited_is_not")
    assert [text.split(" ")[0] for text in texts[1:]] == ["<_asyncio.Task", "<async", "<asyncio.locks.Lock"]


def test_locks_sockets_and_futures_are_named() -> None:
    """Their repr takes locks or asks the operating system."""
    with socket.socket() as connection:
        texts = written([threading.Lock(), threading.Event(), connection, concurrent.futures.Future()])
    assert texts == [
        "<_thread.lock object>",
        "<threading.Event object>",
        "<socket.socket object>",
        "<concurrent.futures._base.Future object>",
    ]


def test_a_future_whose_lock_is_held_does_not_block() -> None:
    """repr() of a Future waits for its condition."""
    future: concurrent.futures.Future[int] = concurrent.futures.Future()
    result = []
    with future._condition:
        thread = threading.Thread(target=lambda: result.append(written(future)))
        thread.start()
        thread.join(10)
        assert result == ["<concurrent.futures._base.Future object>"]


@pytest.mark.parametrize(
    "error", [ValueError, RecursionError, MemoryError, KeyboardInterrupt, SystemExit, GeneratorExit]
)
def test_an_object_whose_repr_raises_is_contained(error: type[BaseException]) -> None:
    """Whatever it raises, what stands beside it is recorded."""

    class Raising:
        def __repr__(self) -> str:
            raise error("hunter2")

    text = encode_json({"bad": Raising(), "good": "x"})
    assert json.loads(text)["good"] == "x"
    assert f"unreadable, {error.__name__}>" in text
    assert "hunter2" not in text


def test_every_method_may_raise() -> None:
    """None of them is needed to name the object."""

    class Hostile:
        def fail(self, *args: object) -> Any:
            raise ZeroDivisionError

        __repr__ = __str__ = __getattr__ = __getattribute__ = __iter__ = __len__ = __eq__ = __bool__ = fail  # type: ignore[assignment]
        __class__ = property(fail)  # type: ignore[assignment]
        __dict__ = property(fail)  # type: ignore[assignment]
        __format__ = __sizeof__ = __reduce__ = __dir__ = __contains__ = __getitem__ = fail  # type: ignore[assignment]
        __hash__ = object.__hash__

    assert written([Hostile(), {Hostile(): 1}, {Hostile()}])[0].endswith("Hostile object>")


def test_a_metaclass_may_raise_and_lie() -> None:
    """Classes are looked at through type's own slots."""

    class Meta(type):
        def fail(cls, *args: object) -> Any:
            raise ZeroDivisionError

        __hash__ = __eq__ = __getattribute__ = __instancecheck__ = __subclasscheck__ = fail  # type: ignore[assignment]
        __mro__ = __name__ = __module__ = __dict__ = property(fail)  # type: ignore[assignment,misc]

    class Odd(metaclass=Meta):
        def __repr__(self) -> str:
            return "odd"

    assert written([Odd(), {"k": Odd()}, Odd]) == ["odd", {"k": "odd"}, written(Odd)]
    assert written(Odd).endswith(".Odd>")


def test_an_object_that_lies_about_its_class_is_what_it_is() -> None:
    """isinstance() believes __class__; this is no string, no dict and no array."""

    class Liar:
        def __init__(self, claimed: type) -> None:
            self.claimed = claimed

        @property  # type: ignore[misc]
        def __class__(self) -> type:  # type: ignore[override]
            return self.claimed

    for claimed in (str, dict, list, int, np.ndarray, pd.DataFrame, dt.datetime, Enum):
        assert written(Liar(claimed)).endswith("Liar object>")


def test_subclasses_of_builtins_are_read_by_the_builtins_methods() -> None:
    """Whatever theirs do."""

    def fail(*args: object) -> Any:
        raise ZeroDivisionError

    methods = (
        "__iter__",
        "__len__",
        "__getitem__",
        "__repr__",
        "__str__",
        "__int__",
        "__float__",
        "__index__",
        "__eq__",
    )
    body = {**dict.fromkeys((*methods, "items", "keys", "values", "get"), fail), "__hash__": object.__hash__}
    values = ["text", 5, 0.5, {"a": 1}, [1, 2], (1, 2), {1}, frozenset({1})]
    odd = [type("Odd", (type(value),), dict(body))(value) for value in values]
    assert written(odd) == ["text", 5, 0.5, {"a": 1}, [1, 2], [1, 2], [1], [1]]
    assert encode_text(odd[0]) == "text"
    assert written({odd[0]: 1}) == {"text": 1}


def test_a_mapping_that_never_ends_is_bounded() -> None:
    """And one that lies about its length, and one whose values can't be read."""

    class Endless(Mapping[Any, Any]):
        def __getitem__(self, key: Any) -> Any:
            if key == 2:
                raise OSError
            return key

        def __iter__(self) -> Iterator[Any]:
            key = 0
            while True:
                yield key
                key += 1

        def __len__(self) -> int:
            return 3

    text = encode_json({"endless": Endless(), "question": "short"})
    assert len(text.encode()) <= max_value_bytes()
    described = json.loads(text)
    assert described["question"] == "short"
    assert described["endless"]["0"] == 0
    assert described["endless"]["2"] == "<unreadable: OSError>"
    assert described["endless"]["…"] == "more items"


def test_a_collection_that_breaks_off_keeps_what_was_read() -> None:
    """The mark names the error."""

    class Broken(Sequence[int]):
        def __getitem__(self, index: Any) -> Any:
            if index == 2:
                raise OSError
            return index

        def __len__(self) -> int:
            return 5

    assert written(Broken()) == [0, 1, "… unreadable after this: OSError"]


def test_a_huge_repr_is_cut() -> None:
    """Fifty objects that say a megabyte each fit together."""

    class Long:
        def __repr__(self) -> str:
            return "x" * 5_000_000

    text = encode_json([Long() for _ in range(50)])
    assert len(text.encode()) <= max_value_bytes()
    assert all(item.endswith("… [truncated: 5000000 characters]") for item in json.loads(text))


def test_each_object_is_asked_once() -> None:
    """Even where the value has to be cut and is gone through again."""
    asked = []

    class Counting:
        def __repr__(self) -> str:
            asked.append(1)
            return "counted"

    encode_json({"object": Counting(), "rows": [{"n": object} for _ in range(50_000)]})
    assert len(asked) == 1


def test_nothing_is_kept_alive() -> None:
    """Neither objects nor their classes, after success and after failure."""

    class Kept:
        def __repr__(self) -> str:
            raise ValueError

    class Model(pydantic.BaseModel):
        item: Any

    def make() -> list[weakref.ref[Any]]:
        local = type("Local", (), {"__repr__": lambda self: "local"})
        objects: list[Any] = [Kept(), local(), Model(item=[1]), np.zeros(3)]
        encode_json({"objects": objects, "again": {"objects": objects}, "text": "\udc80"})
        return [weakref.ref(item) for item in [*objects, local]]

    references = make()
    gc.collect()
    assert [reference() for reference in references] == [None] * 5


def test_a_dictionary_that_other_threads_change_is_recorded() -> None:
    """Before or after the change, but never with an error."""
    shared: dict[str, Any] = {}
    stop = threading.Event()

    def change() -> None:
        count = 0
        while not stop.is_set():
            count += 1
            shared[str(count % 50)] = {"n": count} if count % 3 else object
            shared.pop(str((count * 7) % 50), None)

    thread = threading.Thread(target=change)
    thread.start()
    try:
        for _ in range(500):
            assert "unreadable" not in encode_json({"shared": shared, "list": [shared, object]})
    finally:
        stop.set()
        thread.join()


@pytest.mark.skipif(not hasattr(signal, "raise_signal"), reason="needs signals")
def test_ctrl_c_while_an_object_is_read_reaches_the_program() -> None:
    """It was meant for the program, which would have got it without tracing, too."""

    class Slow:
        def __repr__(self) -> str:
            signal.raise_signal(signal.SIGINT)
            return "slow"

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            encode_json([Slow()])
    finally:
        signal.signal(signal.SIGINT, before)


def test_the_programs_own_signal_handler_may_raise_anything() -> None:
    """A worker's time limit is an ordinary exception; a bound method may be the handler."""

    class Limit(Exception):
        pass

    class Worker:
        def stop(self, number: int, frame: object) -> None:
            raise Limit

    class Slow:
        def __repr__(self) -> str:
            signal.raise_signal(signal.SIGTERM)
            return "slow"

    before = signal.signal(signal.SIGTERM, Worker().stop)
    try:
        with pytest.raises(Limit):
            encode_json([Slow()])
    finally:
        signal.signal(signal.SIGTERM, before)
