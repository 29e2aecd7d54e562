"""A marked async generator does what the plain one does, in the task that asks for each step."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import inspect
import sys
import threading
import types
import warnings
import weakref
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.trace import StatusCode

from agenttrace import current_span, keep_context, suppress_tracing, trace_llm, trace_step, trace_tool, using_session

from .bodies import ASYNC_BODIES, AsyncBody, Noter, async_cleans_up, async_counts
from .conftest import LogCatcher, Spans
from .differential import WHILE_HANDLING, Operation, run_async

Wrap = Callable[[AsyncBody], Callable[[Noter], Any]]


def returned_by_a_function(body: AsyncBody) -> Callable[[Noter], Any]:
    """A marked plain function that returns the body's async generator."""

    @trace_tool
    def make(note: Noter) -> AsyncGenerator[Any, Any]:
        return body(note)

    return make


def suppressed(body: AsyncBody) -> Callable[[Noter], Any]:
    """The marked body, run where tracing is suppressed."""
    return suppress_tracing()(trace_tool(body))


def marked_twice(body: AsyncBody) -> Callable[[Noter], Any]:
    """One mark on another."""
    return trace_llm(trace_tool(name="inner")(body))


WRAPS: dict[str, Wrap] = {
    "marked": trace_tool,
    "marked twice": marked_twice,
    "returned by a function": returned_by_a_function,
    "with a session": using_session("s"),
    "with context kept": keep_context,
    "suppressed": suppressed,
}
SCRIPTS: dict[str, list[Operation]] = {
    "exhausted": [("next",)] * 6,
    "sent to": [("next",), ("send", "a"), ("send", "b"), ("send", "c"), ("send", "d")],
    "sent to before it started": [("send", "too early"), ("next",)],
    "closed": [("next",), ("close",), ("close",), ("next",)],
    "closed before it started": [("close",), ("next",)],
    "closed, and on if it can": [("next",), ("close",), ("next",), ("next",), ("close",), ("close",)],
    "thrown at before it started": [("throw", ValueError), ("next",)],
    "thrown ValueError": [("next",), ("throw", ValueError), ("next",), ("next",)],
    "thrown RuntimeError": [("next",), ("throw", RuntimeError), ("next",)],
    "thrown OSError": [("next",), ("throw", OSError), ("next",)],
    "thrown CancelledError": [("next",), ("throw", asyncio.CancelledError), ("next",)],
    "thrown GeneratorExit": [("next",), ("throw", GeneratorExit), ("next",), ("close",)],
    "thrown StopIteration": [("next",), ("throw", StopIteration), ("next",), ("close",)],
    "thrown StopAsyncIteration": [("next",), ("throw", StopAsyncIteration), ("next",), ("close",)],
    "thrown a class": [("next",), ("throw class", ValueError), ("next",)],
    "thrown at twice": [("next",), ("throw", ValueError), ("throw", KeyError), ("send", 1), ("close",)],
    "while handling": [
        ("next", WHILE_HANDLING),
        ("send", 1, WHILE_HANDLING),
        ("throw", ValueError, WHILE_HANDLING),
        ("next", WHILE_HANDLING),
        ("close", WHILE_HANDLING),
    ],
}


@pytest.mark.parametrize("wrap", WRAPS.values(), ids=WRAPS)
@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_every_step_is_the_plain_one(spans: Spans, wrap: Wrap, script: list[Operation]) -> None:
    """Values, exceptions (object, cause, context, frames), states and side effects, for every body."""

    async def main() -> None:
        for body in ASYNC_BODIES:
            plain = await run_async(body, script)
            assert await run_async(wrap(body), script) == plain, body.__name__

    asyncio.run(main())


_ERRORS = st.sampled_from(
    [ValueError, OSError, asyncio.CancelledError, GeneratorExit, StopIteration, StopAsyncIteration]
)
_OPERATIONS = st.one_of(
    st.tuples(st.just("next")),
    st.tuples(st.just("next"), st.just(WHILE_HANDLING)),
    st.tuples(st.just("send"), st.sampled_from([None, "sent"])),
    st.tuples(st.just("throw"), _ERRORS),
    st.tuples(st.just("throw"), _ERRORS, st.just(WHILE_HANDLING)),
    st.tuples(st.just("close")),
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)
@given(
    body=st.sampled_from(ASYNC_BODIES),
    script=st.lists(_OPERATIONS, max_size=8),
    wrap=st.sampled_from(list(WRAPS.values())),
)
def test_any_script_goes_as_with_the_plain_one(
    spans: Spans, body: AsyncBody, script: list[Operation], wrap: Wrap
) -> None:
    """Whatever a consumer does, in whatever order."""

    async def main() -> None:
        assert await run_async(wrap(body), script) == await run_async(body, script)

    asyncio.run(main())


def test_it_is_an_async_generator_of_the_same_name(spans: Spans) -> None:
    """Type, names and the module's own tests."""
    marked = trace_tool(async_counts)
    generator = marked(lambda line: None)
    assert type(generator) is types.AsyncGeneratorType
    assert (generator.__name__, generator.__qualname__) == ("async_counts", "async_counts")
    assert inspect.isasyncgenfunction(marked)


def test_the_span_is_current_in_the_body_alone(spans: Spans) -> None:
    """The consumer's current span is its own before, between and after the steps, whatever the body holds open."""

    @trace_tool
    async def search() -> AsyncIterator[int]:
        with spans.tracer.start_as_current_span("held"):
            async with trace_step("held within"):
                for number in range(3):
                    await asyncio.sleep(0)
                    with trace_step(f"child {number}"):
                        await asyncio.sleep(0)
                    yield number
        assert current_span().otel_span.name == "search"  # type: ignore[attr-defined]

    async def main() -> None:
        async with trace_step("outer") as outer:
            async for _ in search():
                assert current_span() is outer
                await asyncio.sleep(0)
            assert current_span() is outer

    asyncio.run(main())
    assert [spans.parent_of(f"child {number}") for number in range(3)] == ["held within"] * 3
    assert [spans.parent_of(name) for name in ("held within", "held", "search")] == ["held", "search", "outer"]


def test_two_interleaved_generators_keep_their_own_children(spans: Spans) -> None:
    """In whichever order they are stepped and closed, in one task or two."""

    @trace_tool
    async def numbers(name: str) -> AsyncGenerator[int, None]:
        for number in range(3):
            with trace_step(f"of {name}"):
                await asyncio.sleep(0)
                yield number

    async def main() -> None:
        with trace_step("outer") as outer:
            one, two = numbers("one"), numbers("two")
            assert [await one.__anext__(), await two.__anext__(), await one.__anext__()] == [0, 0, 1]
            assert current_span() is outer
            await asyncio.gather(two.aclose(), one.__anext__())
            assert current_span() is outer
            assert [item async for item in one] == []

    asyncio.run(main())
    inputs = {
        span.context.span_id: span.attributes["input.value"]
        for span in spans.named("numbers")
        if span.context and span.attributes
    }
    for name in ("one", "two"):
        assert {inputs[span.parent.span_id] for span in spans.named(f"of {name}") if span.parent} == {
            f'{{"name":"{name}"}}'
        }


def test_aclose_has_run_the_finally_when_it_returns(spans: Spans) -> None:
    """Awaits in it included; no event and no error, and the body's cleaning up is inside the span."""
    order: list[str] = []

    @trace_tool
    async def words() -> AsyncGenerator[str, None]:
        try:
            yield "first"
            yield "second"
        finally:
            await asyncio.sleep(0)
            with trace_step("cleaning up"):
                order.append("finally")

    async def main() -> None:
        generator = words()
        await generator.__anext__()
        await generator.aclose()
        order.append("closed")

    asyncio.run(main())
    assert order == ["finally", "closed"]
    assert spans.parent_of("cleaning up") == "words"
    span = spans.only("words")
    assert [event.name for event in span.events] == ["first_item"]
    assert span.status.status_code is not StatusCode.ERROR


def test_aclose_from_another_task_ends_the_span_once(spans: Spans) -> None:
    """And the closing task's own current span stays."""

    @trace_tool
    async def words() -> AsyncGenerator[str, None]:
        with trace_step("held"):
            yield "first"

    async def main() -> None:
        generator = words()
        with trace_step("outer"):
            await generator.__anext__()

        async def close() -> None:
            with trace_step("other task") as own:
                await generator.aclose()
                assert current_span() is own

        await asyncio.create_task(close())

    asyncio.run(main())
    assert spans.parent_of("held") == "words"
    assert spans.parent_of("words") == "outer"
    assert spans.parent_of("other task") is None


def test_steps_in_several_tasks(spans: Spans) -> None:
    """Each step in a task of its own, as ``asyncio.wait_for`` takes them before Python 3.12."""

    @trace_tool
    async def numbers() -> AsyncGenerator[int, None]:
        for number in range(3):
            with trace_step(f"child {number}"):
                await asyncio.sleep(0)
            yield number

    async def step(generator: AsyncGenerator[int, None]) -> int:
        return await generator.__anext__()

    async def main() -> None:
        generator = numbers()
        got = [await asyncio.create_task(step(generator)) for _ in range(3)]
        assert got == [0, 1, 2]
        with pytest.raises(StopAsyncIteration):
            await generator.__anext__()

    asyncio.run(main())
    assert {spans.parent_of(f"child {number}") for number in range(3)} == {"numbers"}


def test_stepping_it_while_it_runs_raises_the_plain_error(spans: Spans) -> None:
    """``asynchronous generator is already running``, for every kind of step, and the run goes on."""

    async def waits(go_on: asyncio.Event) -> AsyncGenerator[int, None]:
        await go_on.wait()
        yield 1

    async def errors(function: Callable[[asyncio.Event], AsyncGenerator[int, None]]) -> list[str]:
        go_on = asyncio.Event()
        generator = function(go_on)
        running = asyncio.ensure_future(generator.__anext__())
        await asyncio.sleep(0)
        messages: list[str] = []
        for step in (lambda: generator.__anext__(), lambda: generator.aclose(), lambda: generator.athrow(ValueError)):
            try:
                await step()
            except RuntimeError as error:
                messages.append(str(error))
        go_on.set()
        assert await running == 1
        await generator.aclose()
        return messages

    plain = asyncio.run(errors(waits))
    assert len(plain) == 3
    assert asyncio.run(errors(trace_tool(waits))) == plain


@pytest.mark.parametrize("way", ["break", "drop", "never started", "cycle"])
def test_one_left_early_is_closed_by_the_event_loop(spans: Spans, way: str) -> None:
    """As with a plain one the loop closes it; its span ends, once, with no error."""
    order: list[str] = []

    @trace_tool
    async def words() -> AsyncGenerator[str, None]:
        try:
            yield "first"
            yield "second"
        finally:
            await asyncio.sleep(0)
            order.append("finally")

    async def leave() -> None:
        if way == "never started":
            words()
            return
        if way == "break":
            async for _ in words():
                break
            return
        generator = words()
        await generator.__anext__()
        if way == "cycle":
            holder: list[Any] = [generator]
            holder.append(holder)

    async def main() -> None:
        await leave()
        gc.collect()
        for _ in range(5):
            await asyncio.sleep(0)

    asyncio.run(main())
    assert order == ([] if way == "never started" else ["finally"])
    assert len(spans.all()) == len(order)


def test_the_event_loop_s_end_closes_an_open_one_once(spans: Spans) -> None:
    """``asyncio.run`` closes what is still open at the end, with an await in its ``finally``, without a complaint."""
    order: list[str] = []
    kept: list[Any] = []

    @trace_tool
    async def words() -> AsyncGenerator[str, None]:
        try:
            yield "first"
        finally:
            await asyncio.sleep(0)
            order.append("finally")

    async def main() -> None:
        for wrapped in (
            words(),
            trace_llm(words)(),
            returned_by_a_function(async_cleans_up)(lambda line: order.append(str(line))),
        ):
            kept.append(wrapped)
            await wrapped.__anext__()

    asyncio.run(main())
    assert sorted(order) == ["cleaned up", "finally", "finally"]
    spans.assert_each_ended_once()


def test_one_dropped_after_its_event_loop_is_closed_does_what_the_plain_one_does(spans: Spans) -> None:
    """Nothing of the body runs any more; the span ends when the generator goes."""

    async def body(order: list[str]) -> AsyncGenerator[str, None]:
        try:
            yield "first"
        finally:
            order.append("finally")

    def leave(function: Callable[[list[str]], AsyncGenerator[str, None]]) -> list[str]:
        order: list[str] = []
        loop = asyncio.new_event_loop()
        generator = function(order)
        loop.run_until_complete(generator.__anext__())
        loop.close()
        del generator
        gc.collect()
        return order

    assert leave(trace_tool(body)) == leave(body)
    spans.only()
    spans.assert_each_ended_once()


def test_one_driven_without_an_event_loop(spans: Spans) -> None:
    """By hand, and dropped halfway: the ``finally`` runs then and there, as in a plain one."""

    async def body(order: list[str]) -> AsyncGenerator[str, None]:
        try:
            yield "first"
        finally:
            order.append("finally")

    def leave(function: Callable[[list[str]], AsyncGenerator[str, None]]) -> list[str]:
        order: list[str] = []
        generator = function(order)
        with pytest.raises(StopIteration) as stop:
            generator.__anext__().__await__().__next__()  # type: ignore[attr-defined]
        assert stop.value.value == "first"
        del generator, stop
        gc.collect()
        return order

    assert leave(trace_tool(body)) == leave(body) == ["finally"]
    spans.only()


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_anyio_scopes_held_open_across_yields(spans: Spans, backend: str) -> None:
    """Cancel scopes, ``move_on_after`` and task groups are entered and left in one task, and do their work."""

    async def ticks() -> AsyncGenerator[int, None]:
        with anyio.CancelScope() as scope, anyio.move_on_after(60):
            async with anyio.create_task_group() as group:
                group.start_soon(anyio.sleep, 0)
                yield 1
                await anyio.sleep(0)
                yield 2
                scope.cancel()
                await anyio.sleep_forever()
        yield 3

    async def use(function: Callable[[], AsyncGenerator[int, None]]) -> list[Any]:
        seen: list[Any] = [[item async for item in function()]]
        for wait in (False, True):
            try:
                with anyio.move_on_after(0):
                    async with contextlib.aclosing(function()) as generator:
                        async for _ in generator:
                            if not wait:
                                break
                            await anyio.sleep_forever()
            except BaseException as error:  # a task group makes a group of the GeneratorExit
                seen.append(type(error).__name__)
        return seen

    async def main() -> None:
        plain = await use(ticks)
        assert plain[0] == [1, 2, 3]
        assert await use(trace_tool(ticks)) == plain

    anyio.run(main, backend=backend)
    assert len(spans.all()) == 3


@pytest.mark.skipif(sys.version_info < (3, 11), reason="asyncio.timeout came with Python 3.11")
def test_an_asyncio_timeout_held_open_across_yields(spans: Spans) -> None:
    """It interrupts the body's own await, and nothing of the consumer's."""

    @trace_tool
    async def ticks() -> AsyncGenerator[str, None]:
        try:
            async with asyncio.timeout(0.01):  # type: ignore[attr-defined,unused-ignore]
                yield "before"
                await asyncio.Event().wait()
        except TimeoutError:
            yield "timed out"

    async def main() -> None:
        assert [item async for item in ticks()] == ["before", "timed out"]

    asyncio.run(main())
    assert spans.only().status.status_code is StatusCode.OK


def test_a_cancelled_consumer_leaves_an_event_of_that_name(spans: Spans) -> None:
    """Cancelled while the body waits: the same CancelledError reaches the body and the consumer; no error status."""
    seen: list[BaseException] = []

    @trace_tool
    async def waits() -> AsyncGenerator[int, None]:
        yield 1
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError as error:
            seen.append(error)
            raise

    async def consume() -> None:
        async for _ in waits():
            pass

    async def main() -> None:
        task = asyncio.create_task(consume())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert len(seen) == 1
    span = spans.only()
    assert span.status.status_code is StatusCode.UNSET
    assert [event.name for event in span.events] == ["first_item", "CancelledError"]


def test_context_variables_are_shared_with_the_consumer_as_in_plain_python(spans: Spans) -> None:
    """What the body sets the consumer sees, and the other way round."""
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")

    @trace_tool
    async def body() -> AsyncGenerator[str, None]:
        variable.set("by the body")
        yield variable.get()
        yield variable.get()

    async def main() -> None:
        generator = body()
        await generator.__anext__()
        assert variable.get() == "by the body"
        variable.set("by the consumer")
        assert await generator.__anext__() == "by the consumer"
        await generator.aclose()

    asyncio.run(main())


@pytest.mark.parametrize("swallows", [False, True])
@pytest.mark.parametrize("error", [None, ValueError, asyncio.CancelledError, StopAsyncIteration, RuntimeError])
def test_an_async_context_manager_made_of_a_marked_generator(
    spans: Spans, error: type[BaseException] | None, swallows: bool
) -> None:
    """``contextlib.asynccontextmanager`` works over it: errors reach the body, come out the same or are swallowed."""

    async def body() -> AsyncIterator[str]:
        try:
            yield "given"
        except BaseException:
            if not swallows:
                raise

    async def use(function: Callable[[], AsyncIterator[str]]) -> Any:
        thrown = None if error is None else error("in the block")
        try:
            async with contextlib.asynccontextmanager(function)() as given:
                assert given == "given"
                assert current_span().span_id == "0" * 16
                if thrown is not None:
                    raise thrown
        except BaseException as raised:
            return raised is thrown, type(raised), raised.__context__, raised.__cause__
        return None

    async def main() -> None:
        assert await use(trace_tool(body)) == await use(body)

    asyncio.run(main())
    spans.only()


class Item:
    """Something a weak reference can follow."""


def test_nothing_yielded_or_sent_is_kept_alive(spans: Spans) -> None:
    """An item lives as long as the consumer holds it, a sent value as long as the body does, an argument likewise."""

    async def body(argument: Item) -> AsyncGenerator[Item, Item | None]:
        del argument
        for _ in range(3):
            received = yield Item()
            del received
            yield Item()

    async def main() -> None:
        for function in (body, trace_tool(body)):
            argument = Item()
            watched = weakref.ref(argument)
            generator = function(argument)
            del argument
            item: Any = await generator.__anext__()
            assert watched() is None
            watched = weakref.ref(item)
            del item
            assert watched() is None
            sent = Item()
            watched = weakref.ref(sent)
            item = await generator.asend(sent)
            del sent
            assert watched() is None
            watched = weakref.ref(item)
            del item
            assert watched() is None
            await generator.aclose()

    asyncio.run(main())


def test_no_step_was_never_awaited(spans: Spans) -> None:
    """A step that is made and dropped is what it is in a plain one: no warning of tracing's own coroutines."""

    async def main(function: Callable[[Noter], AsyncGenerator[Any, Any]]) -> list[str]:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            generator = function(lambda line: None)
            made: list[Any] = [generator.asend(None), generator.aclose()]
            await generator.__anext__()
            made.append(generator.asend(None))
            del made
            gc.collect()
            await generator.aclose()
        return [str(warning.message).replace("traced", "async_counts") for warning in caught]

    assert asyncio.run(main(trace_tool(async_counts))) == asyncio.run(main(async_counts))


def test_one_closed_by_a_loop_in_another_thread(spans: Spans, log: LogCatcher) -> None:
    """Begun in one thread's loop, ended in another's: the span ends once and nothing is logged."""

    @trace_tool
    async def words() -> AsyncGenerator[str, None]:
        with trace_step("held"):
            yield "first"

    async def begin() -> AsyncGenerator[str, None]:
        with trace_step("outer"):
            generator = words()
            await generator.__anext__()
            return generator

    loop = asyncio.new_event_loop()
    generator = loop.run_until_complete(begin())

    async def close() -> None:
        await generator.aclose()

    thread = threading.Thread(target=lambda: asyncio.run(close()))
    thread.start()
    thread.join()
    loop.close()
    assert spans.parent_of("held") == "words"
    assert spans.names() == ["outer", "held", "words"]


def test_with_nothing_registered_it_is_the_plain_one() -> None:
    """No provider, no span, the same steps; the loop's end closes it once."""
    marked = trace_tool(async_counts)

    async def main() -> None:
        for script in SCRIPTS.values():
            assert await run_async(marked, script) == await run_async(async_counts, script)

    asyncio.run(main())
