"""What objects can't do to tracing (raise, lie, never end) and what it doesn't do to them (consume, block, keep)."""

from __future__ import annotations

import asyncio
import concurrent.futures
import datetime as dt
import gc
import io
import itertools
import json
import pathlib
import signal
import socket
import threading
import weakref
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Any

import numpy as np
import pandas as pd
import pydantic
import pydantic.v1
import pytest

from agenttrace.capture.encode import encode_json, encode_text, max_value_bytes


def written(value: object) -> Any:
    """What is recorded of ``value``, parsed."""
    return json.loads(encode_json({"value": value}))["value"]


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


def test_a_collection_that_never_ends_is_bounded() -> None:
    """Though it lies about its length."""

    class Endless(Sequence[Any]):
        def __getitem__(self, index: Any) -> Any:
            return index

        def __iter__(self) -> Iterator[Any]:
            yield from itertools.count()

        def __len__(self) -> int:
            return 3

    text = encode_json({"endless": Endless(), "question": "short"})
    assert len(text.encode()) <= max_value_bytes()
    described = json.loads(text)
    assert described["question"] == "short"
    assert described["endless"][:3] == [0, 1, 2]
    assert described["endless"][-1] == "… more items"


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
