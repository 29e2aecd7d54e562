"""A plain function may return what isn't done yet: the caller gets one of the same kind, and the span lasts as long."""

from __future__ import annotations

import asyncio
import concurrent.futures
import functools
import gc
import inspect
import io
import itertools
import types
import warnings
import weakref
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Iterator
from typing import Any

import pytest
from opentelemetry.trace import StatusCode

from agenttrace import current_span, trace_step, trace_tool

from .conftest import LogCatcher, Spans
from .differential import describe


def count(limit: int) -> Generator[int, Any, str]:
    for number in range(limit):
        yield number
    return "counted"


async def acount(limit: int) -> AsyncGenerator[int, Any]:
    for number in range(limit):
        yield number


async def answer(question: str) -> str:
    await asyncio.sleep(0)
    return f"the answer to {question}"


def output(spans: Spans, name: str | None = None) -> Any:
    """The recorded output of the only span."""
    attributes = spans.only(name).attributes
    assert attributes is not None
    return attributes.get("output.value")


def test_a_generator_is_followed_to_its_end(spans: Spans) -> None:
    """It is one still, of the same name; the span ends with it and has the items; the return value comes through."""

    @trace_tool(name="stream")
    def stream(limit: int) -> Generator[int, Any, str]:
        return count(limit)

    generator = stream(3)
    assert type(generator) is types.GeneratorType
    assert (generator.__name__, generator.__qualname__) == ("count", "count")
    assert inspect.getgeneratorstate(generator) == inspect.GEN_CREATED
    assert spans.all() == []
    assert current_span().span_id == "0" * 16
    assert [next(generator), next(generator), next(generator)] == [0, 1, 2]
    with pytest.raises(StopIteration) as stop:
        next(generator)
    assert stop.value.value == "counted"
    assert output(spans) == "[0,1,2]"


def test_a_generator_expression_is_followed(spans: Spans) -> None:
    """What most functions of this sort return."""

    @trace_tool(name="stream")
    def stream(limit: int) -> Iterator[int]:
        return (number * 2 for number in range(limit))

    assert list(stream(3)) == [0, 2, 4]
    assert output(spans) == "[0,2,4]"


def test_a_generator_that_was_begun_takes_what_is_sent_to_it(spans: Spans) -> None:
    """A function may have taken the first item already; the next step goes on from there, with a value too."""

    def totals() -> Generator[int, int, None]:
        total = 0
        while True:
            total += yield total

    def begun() -> Generator[int, int, None]:
        generator = totals()
        next(generator)
        return generator

    for function in (begun, trace_tool(begun)):
        generator = function()
        assert inspect.getgeneratorstate(generator) == inspect.GEN_SUSPENDED
        assert [generator.send(2), generator.send(3), generator.send(4)] == [2, 5, 9]
        generator.close()
    assert output(spans) == "[2,5,9]"


def test_a_begun_generator_that_is_dropped_is_closed(spans: Spans) -> None:
    """Its ``finally`` runs, as for the plain one."""
    order: list[str] = []

    def words() -> Generator[str, None, None]:
        try:
            yield "first"
            yield "second"
        finally:
            order.append("finally")

    @trace_tool
    def begun() -> Generator[str, None, None]:
        generator = words()
        next(generator)
        return generator

    begun()
    gc.collect()
    assert order == ["finally"]
    spans.only()


@pytest.mark.parametrize("state", ["exhausted", "closed", "never started"])
def test_a_generator_that_is_done_or_never_run(spans: Spans, state: str) -> None:
    """One with nothing to come ends the span at once; one that is dropped unstarted ends it then."""

    @trace_tool
    def make() -> Generator[int, Any, str]:
        generator = count(1)
        if state == "exhausted":
            list(generator)
        elif state == "closed":
            generator.close()
        return generator

    generator = make()
    assert len(spans.all()) == (0 if state == "never started" else 1)
    if state == "never started":
        generator.close()
    assert list(generator) == []
    del generator
    assert spans.only().status.status_code is not StatusCode.ERROR


def test_a_generator_that_returns_itself(spans: Spans) -> None:
    """One that is running when a traced function returns it is handed on as it is."""
    made: list[Generator[Any, Any, Any]] = []

    @trace_tool
    def me() -> Generator[Any, Any, Any]:
        return made[0]

    def body() -> Generator[Any, Any, Any]:
        yield me() is made[0]

    made.append(body())
    assert next(made[0]) is True
    made.pop().close()
    spans.only()


def test_an_async_generator_is_followed_to_its_end(spans: Spans) -> None:
    """From a plain function and from a coroutine function, which is how model clients make their streams."""

    @trace_tool(name="plain")
    def plain(limit: int) -> AsyncGenerator[int, Any]:
        return acount(limit)

    @trace_tool(name="awaited")
    async def awaited(limit: int) -> AsyncGenerator[int, Any]:
        await asyncio.sleep(0)
        return acount(limit)

    async def main() -> None:
        generator = plain(2)
        assert type(generator) is types.AsyncGeneratorType
        assert generator.__qualname__ == "acount"
        assert [item async for item in generator] == [0, 1]
        stream = await awaited(3)
        assert spans.named("awaited") == []
        assert [item async for item in stream] == [0, 1, 2]

    asyncio.run(main())
    assert output(spans, "plain") == "[0,1]"
    assert output(spans, "awaited") == "[0,1,2]"


def test_an_async_generator_that_was_begun_takes_what_is_sent_to_it(spans: Spans) -> None:
    """A function may have looked at the first item already."""

    async def totals() -> AsyncGenerator[int, int]:
        total = 0
        while True:
            total += yield total

    async def begun() -> AsyncGenerator[int, int]:
        generator = totals()
        await generator.__anext__()
        return generator

    async def main() -> None:
        for function in (begun, trace_tool(begun)):
            generator = await function()
            assert [await generator.asend(2), await generator.asend(3)] == [2, 5]
            await generator.aclose()

    asyncio.run(main())
    assert output(spans) == "[2,5]"


def test_an_async_generator_that_is_done_or_never_run(spans: Spans) -> None:
    """Every span ends, once, and no error."""

    @trace_tool
    async def make(exhaust: bool) -> AsyncGenerator[int, Any]:
        generator = acount(1)
        if exhaust:
            async for _ in generator:
                pass
        return generator

    async def main() -> None:
        assert [item async for item in await make(True)] == []
        await (await make(False)).aclose()
        await make(False)

    asyncio.run(main())
    gc.collect()
    assert len(spans.all()) == 3
    assert {span.status.status_code for span in spans.all()} <= {StatusCode.OK, StatusCode.UNSET}


def test_a_coroutine_is_followed_to_its_end(spans: Spans) -> None:
    """It is one still; what runs in it is inside the span, and its result is the output."""

    @trace_tool(name="ask")
    def ask(question: str) -> Coroutine[Any, Any, str]:
        async def run() -> str:
            with trace_step("inside"):
                return await answer(question)

        return run()

    async def main() -> None:
        coroutine = ask("life")
        assert inspect.iscoroutine(coroutine)
        assert coroutine.__name__ == "run"
        assert spans.all() == []
        assert await asyncio.create_task(coroutine) == "the answer to life"

    asyncio.run(main())
    assert output(spans, "ask") == "the answer to life"
    assert spans.parent_of("inside") == "ask"


def test_a_coroutine_that_raises(spans: Spans) -> None:
    """The same error through the same frames, and the span has it."""
    raised = ValueError("no answer")

    async def fails() -> str:
        await asyncio.sleep(0)
        raise raised

    def ask() -> Coroutine[Any, Any, str]:
        return fails()

    async def told(function: Callable[[], Coroutine[Any, Any, str]]) -> Any:
        try:
            await function()
        except ValueError as error:
            told = describe(error, {id(raised): "raised"}, "told", True)
            error.__traceback__ = None
            return told

    assert asyncio.run(told(trace_tool(ask))) == asyncio.run(told(ask))
    assert spans.only().status.description == "ValueError: no answer"


def test_a_coroutine_that_is_never_awaited_warns_once(spans: Spans) -> None:
    """With the plain one's words; the span ends when it is dropped."""

    def ask(question: str) -> Coroutine[Any, Any, str]:
        return answer(question)

    def warned(function: Callable[[str], Any], close: bool) -> list[str]:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            coroutine = function("life")
            if close:
                coroutine.close()
            del coroutine
            gc.collect()
        return [f"{warning.category.__name__}: {warning.message}" for warning in caught]

    assert warned(trace_tool(ask), close=False) == warned(ask, close=False)
    assert warned(trace_tool(ask), close=True) == warned(ask, close=True) == []
    assert len(spans.all()) == 2
    assert not any(span.events for span in spans.all())


def test_a_coroutine_that_was_awaited_is_handed_on(spans: Spans) -> None:
    """Awaiting it again raises what Python says."""

    @trace_tool
    async def spent() -> Coroutine[Any, Any, str]:
        coroutine = answer("life")
        await coroutine
        return coroutine

    async def main() -> None:
        coroutine = await spent()
        with pytest.raises(RuntimeError, match="cannot reuse already awaited coroutine"):
            await coroutine

    asyncio.run(main())
    spans.only()


def test_a_task_or_future_is_handed_on_and_ends_the_span(spans: Spans) -> None:
    """The very object; the span ends with it, with its result."""
    made: list[Any] = []

    @trace_tool(name="start")
    def start() -> asyncio.Task[str]:
        made.append(asyncio.ensure_future(answer("life")))
        return made[-1]

    async def main() -> None:
        task = start()
        assert task is made[0]
        assert spans.all() == []
        assert await task == "the answer to life"
        await asyncio.sleep(0)
        assert output(spans, "start") == "the answer to life"

    asyncio.run(main())


@pytest.mark.parametrize("end", ["result", "error", "cancel", "drop"])
@pytest.mark.parametrize("kind", ["asyncio", "concurrent"])
def test_every_end_of_a_future(spans: Spans, log: LogCatcher, kind: str, end: str) -> None:
    """A result, an error, a cancellation, or nothing ever: one span, with the right status."""

    @trace_tool(name="later")
    def later() -> Any:
        return asyncio.get_running_loop().create_future() if kind == "asyncio" else concurrent.futures.Future()

    async def main() -> None:
        future = later()
        if end == "result":
            future.set_result(42)
        elif end == "error":
            future.set_exception(ValueError("failed"))
            await asyncio.sleep(0)
            with pytest.raises(ValueError, match="failed"):
                future.result()
        elif end == "cancel":
            future.cancel()
        await asyncio.sleep(0)

    asyncio.run(main())
    gc.collect()
    span = spans.only()
    statuses = {"result": StatusCode.OK, "error": StatusCode.ERROR}
    events = {"error": ["exception"], "cancel": ["CancelledError"]}
    assert span.status.status_code is statuses.get(end, StatusCode.UNSET)
    assert [event.name for event in span.events] == events.get(end, [])
    if end == "result":
        assert output(spans) == "42"


def test_a_future_whose_error_nobody_looked_at_still_says_so(spans: Spans, log: LogCatcher) -> None:
    """asyncio's "exception was never retrieved" is not silenced by tracing looking at it."""

    @trace_tool(name="later")
    def later() -> asyncio.Future[int]:
        return asyncio.get_running_loop().create_future()

    async def main() -> None:
        future = later()
        future.set_exception(ValueError("failed"))
        await asyncio.sleep(0)
        del future
        gc.collect()

    asyncio.run(main())
    log.expect("asyncio: Future exception was never retrieved")
    assert spans.only().status.description == "ValueError: failed"


def test_a_future_that_is_done_ends_the_span_at_once(spans: Spans) -> None:
    """Also when its event loop is closed."""
    loop = asyncio.new_event_loop()
    future = loop.create_future()
    future.set_result("done")
    loop.close()

    @trace_tool(name="later")
    def later() -> asyncio.Future[str]:
        return future

    assert later() is future
    assert output(spans) == "done"


def test_a_future_of_an_executor(spans: Spans) -> None:
    """Submitted work is waited for in its own thread."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:

        @trace_tool(name="submit")
        def submit() -> concurrent.futures.Future[int]:
            return pool.submit(sum, [1, 2, 3])

        with trace_step("outer"):
            assert submit().result() == 6
    assert output(spans, "submit") == "6"
    assert spans.parent_of("submit") == "outer"


@pytest.mark.parametrize(
    "make",
    [
        lambda: iter([1, 2, 3]),
        lambda: map(str, [1, 2, 3]),
        lambda: zip("ab", "cd", strict=True),
        lambda: itertools.count(),
        lambda: io.StringIO("a\nb"),
        lambda: reversed([1, 2]),
        lambda: enumerate("ab"),
        lambda: functools.partial(print),
    ],
)
def test_any_other_iterator_is_handed_on_untouched(spans: Spans, make: Callable[[], Any]) -> None:
    """The very object, with nothing taken from it; the span ends with the call."""
    made = make()
    position = repr(made), made.tell() if isinstance(made, io.StringIO) else None

    @trace_tool(name="make")
    def give() -> Any:
        return made

    assert give() is made
    assert (repr(made), made.tell() if isinstance(made, io.StringIO) else None) == position
    assert spans.only().status.status_code is StatusCode.OK


def test_an_iterator_or_awaitable_of_the_user_s_own_is_handed_on(spans: Spans) -> None:
    """A class with ``__next__`` or ``__await__`` is the caller's affair."""

    class Own:
        steps = 0

        def __iter__(self) -> Own:
            self.steps += 1
            return self

        def __next__(self) -> int:
            self.steps += 1
            raise StopIteration

        def __await__(self) -> Generator[None, None, int]:
            self.steps += 1
            return 1
            yield

        def __aiter__(self) -> Own:
            self.steps += 1
            return self

    own = Own()

    @trace_tool(name="give")
    def give() -> Own:
        return own

    assert give() is own
    assert own.steps == 0
    spans.only()


def test_an_awaitable_generator_stays_awaitable(spans: Spans) -> None:
    """``types.coroutine``: marked itself, and returned by a marked function."""

    @types.coroutine
    def once() -> Generator[None, None, str]:
        yield
        return "done"

    @trace_tool
    def returns() -> Any:
        return once()

    async def main() -> None:
        assert await returns() == "done"
        assert await trace_tool(once)() == "done"

    asyncio.run(main())
    assert len(spans.all()) == 2


def test_a_generator_that_returns_or_a_coroutine_that_gives_another(spans: Spans) -> None:
    """A coroutine that returns a coroutine, a function that returns a function's generator: each is followed."""

    @trace_tool(name="outer")
    def outer() -> Coroutine[Any, Any, AsyncGenerator[int, Any]]:
        async def inner() -> AsyncGenerator[int, Any]:
            return acount(2)

        return inner()

    async def main() -> None:
        stream = await outer()
        assert spans.all() == []
        assert [item async for item in stream] == [0, 1]

    asyncio.run(main())
    assert output(spans) == "[0,1]"


def test_nothing_is_kept_alive(spans: Spans) -> None:
    """Neither the returned generator nor a future's result outlives the program's own references."""

    class Item:
        pass

    @trace_tool
    def make() -> Generator[Item, None, None]:
        return (Item() for _ in range(2))

    @trace_tool
    def later() -> concurrent.futures.Future[Item]:
        future: concurrent.futures.Future[Item] = concurrent.futures.Future()
        future.set_result(Item())
        return future

    gc.collect()
    gc.disable()
    try:
        generator = make()
        item: Any = next(generator)
        watched: weakref.ref[Any] = weakref.ref(item)
        del item
        assert watched() is None
        generator.close()
        watched = weakref.ref(generator)
        del generator
        assert watched() is None
        future = later()
        watched = weakref.ref(future.result())
        assert watched() is not None
        del future
        assert watched() is None
    finally:
        gc.enable()
