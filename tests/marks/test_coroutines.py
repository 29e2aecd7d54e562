"""A marked coroutine function gives a coroutine that does what the plain one does."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import inspect
import types
import warnings
import weakref
from collections.abc import Callable, Coroutine, Generator
from typing import Any

import anyio
import pytest
from opentelemetry.trace import StatusCode

from agenttrace import current_span, keep_context, suppress_tracing, trace_step, trace_tool, using_session

from .conftest import Spans
from .differential import describe

WRAPS: dict[str, Callable[[Any], Any]] = {
    "marked": trace_tool,
    "marked twice": lambda function: trace_step(trace_tool(name="inner")(function)),
    "with a session": using_session("s"),
    "with context kept": keep_context,
    "suppressed": lambda function: suppress_tracing()(trace_tool(function)),
}


async def answers(question: str) -> str:
    await asyncio.sleep(0)
    return question * 2


async def answers_at_once(question: str) -> str:
    return question * 2


async def fails(question: str) -> str:
    await asyncio.sleep(0)
    try:
        raise KeyError(question)
    except KeyError as error:
        raise ValueError("failed") from error


async def fails_at_once(question: str) -> str:
    raise ValueError("failed")


async def stops(question: str) -> str:
    raise StopIteration(question)


async def is_interrupted(question: str) -> str:
    await asyncio.sleep(0)
    raise GeneratorExit(question)


async def exits_async(question: str) -> str:
    raise StopAsyncIteration(question)


BODIES = [answers, answers_at_once, fails, fails_at_once, stops, is_interrupted, exits_async]


@pytest.mark.parametrize("wrap", WRAPS.values(), ids=WRAPS)
@pytest.mark.parametrize("body", BODIES)
def test_its_result_or_error_is_the_plain_one(
    spans: Spans, wrap: Callable[[Any], Any], body: Callable[[str], Coroutine[Any, Any, str]]
) -> None:
    """The value; or the error with its cause, context and frames; also where the caller is handling another."""

    async def told(function: Callable[[str], Coroutine[Any, Any, str]]) -> list[Any]:
        seen: list[Any] = []
        for handling in (False, True):
            try:
                if handling:
                    try:
                        raise LookupError("the caller's own")
                    except LookupError:
                        seen.append(await function("x"))
                else:
                    seen.append(await function("x"))
            except BaseException as error:
                seen.append(describe(error, {}, "told", True))
                error.__traceback__ = None
        return seen

    assert asyncio.run(told(wrap(body))) == asyncio.run(told(body))


def test_it_is_a_coroutine_of_the_same_name(spans: Spans) -> None:
    """Type and names; nothing starts until it is awaited."""
    marked = trace_tool(answers)
    coroutine = marked("x")
    assert type(coroutine) is types.CoroutineType
    assert (coroutine.__name__, coroutine.__qualname__) == ("answers", "answers")
    assert inspect.iscoroutinefunction(marked)
    assert spans._started == []
    coroutine.close()
    assert spans._started == []


@pytest.mark.parametrize("close", [False, True])
def test_one_never_awaited_warns_as_the_plain_one_does(spans: Spans, close: bool) -> None:
    """Once, with the same words; closed, not at all."""

    def warned(function: Callable[[str], Coroutine[Any, Any, str]]) -> list[str]:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            coroutine = function("x")
            if close:
                coroutine.close()
            del coroutine
            gc.collect()
        return [f"{warning.category.__name__}: {warning.message}" for warning in caught]

    plain = warned(answers)
    assert warned(trace_tool(answers)) == plain
    assert len(plain) == (0 if close else 1)
    assert spans._started == []


def test_steps_by_hand_are_the_plain_ones(spans: Spans) -> None:
    """``send``, ``throw`` and ``close`` reach the body; so does what an awaitable sends up."""

    @types.coroutine
    def ask(value: str) -> Generator[str, Any, Any]:
        return (yield value)

    def body_of(notes: list[Any]) -> Callable[[], Coroutine[str, Any, Any]]:
        async def body() -> Any:
            first = await ask("first")
            notes.append(first)
            try:
                await ask("second")
            except ValueError as error:
                notes.append(error.args)
            try:
                return await ask("third")
            finally:
                notes.append("finally")

        return body

    def told(wrap: Callable[[Any], Any], last: str) -> list[Any]:
        notes: list[Any] = []
        coroutine = wrap(body_of(notes))()
        notes.append(inspect.getcoroutinestate(coroutine))
        notes.append(coroutine.send(None))
        notes.append(inspect.getcoroutinestate(coroutine))
        notes.append(coroutine.send("answer"))
        notes.append(coroutine.throw(ValueError("thrown")))
        try:
            notes.append(coroutine.close() if last == "close" else coroutine.send("the end"))
        except StopIteration as stop:
            notes.append(stop.value)
        notes.append(inspect.getcoroutinestate(coroutine))
        with pytest.raises(RuntimeError, match="cannot reuse already awaited coroutine"):
            coroutine.send(None)
        return notes

    for last in ("close", "return"):
        assert told(trace_tool, last) == told(lambda function: function, last)
    assert [span.status.status_code for span in spans.all()] == [StatusCode.UNSET, StatusCode.OK]
    assert [span.events for span in spans.all()] == [(), ()]


def test_a_cancelled_one(spans: Spans) -> None:
    """The body sees the CancelledError and may clean up; the span has an event of that name and no error status."""
    order: list[str] = []

    @trace_tool
    async def waits() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            with trace_step("cleaning up"):
                order.append("finally")

    async def main() -> None:
        task = asyncio.create_task(waits())
        await asyncio.sleep(0)
        task.cancel("enough")
        with pytest.raises(asyncio.CancelledError) as cancelled:
            await task
        assert cancelled.value.args in ((), ("enough",))

    asyncio.run(main())
    assert order == ["finally"]
    span = spans.only("waits")
    assert span.status.status_code is StatusCode.UNSET
    assert [event.name for event in span.events] == ["CancelledError"]
    assert spans.parent_of("cleaning up") == "waits"


def test_one_that_swallows_its_cancellation_is_no_error(spans: Spans) -> None:
    """What it returns then is its output, and the status OK."""

    @trace_tool
    async def stubborn() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "stayed"
        return "never"

    async def main() -> None:
        task = asyncio.create_task(stubborn())
        await asyncio.sleep(0)
        task.cancel()
        assert await task == "stayed"

    asyncio.run(main())
    span = spans.only()
    assert span.status.status_code is StatusCode.OK
    assert span.events == ()


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_anyio_cancel_scopes(spans: Spans, backend: str) -> None:
    """Around the call and inside it, on both backends."""

    @trace_tool
    async def waits(inside: bool) -> str:
        if inside:
            with anyio.move_on_after(0):
                await anyio.sleep_forever()
            return "moved on"
        await anyio.sleep_forever()
        return "never"

    async def main() -> None:
        assert await waits(True) == "moved on"
        with anyio.move_on_after(0) as scope:
            await waits(False)
        assert scope.cancelled_caught

    anyio.run(main, backend=backend)
    assert [span.status.status_code for span in spans.all()] == [StatusCode.OK, StatusCode.UNSET]
    assert [len(span.events) for span in spans.all()] == [0, 1]


def test_many_at_once_each_with_its_own_children(spans: Spans) -> None:
    """``gather``, tasks, and a coroutine made in one task and awaited in another: the parent is where it is awaited."""

    @trace_tool
    async def work(number: int) -> int:
        handle = current_span()
        for _ in range(3):
            await asyncio.sleep(0)
            assert current_span() is handle
        with trace_step(f"child {number}"):
            await asyncio.sleep(0)
        return number

    async def elsewhere(coroutine: Coroutine[Any, Any, int]) -> int:
        with trace_step("elsewhere"):
            return await coroutine

    async def main() -> None:
        with trace_step("outer") as outer:
            assert await asyncio.gather(*(work(number) for number in range(20))) == list(range(20))
            assert current_span() is outer
            assert await asyncio.create_task(elsewhere(work(20))) == 20
            assert current_span() is outer

    asyncio.run(main())
    ids = {span.context.span_id: span for span in spans.all() if span.context}
    for number in range(21):
        parent = spans.only(f"child {number}").parent
        assert parent is not None
        assert ids[parent.span_id].attributes["input.value"] == f'{{"number":{number}}}'  # type: ignore[index]
        grandparent = ids[parent.span_id].parent
        assert grandparent is not None
        assert ids[grandparent.span_id].name == ("elsewhere" if number == 20 else "outer")


def test_one_left_unfinished_by_its_event_loop(spans: Spans) -> None:
    """Dropped while it waits: its span ends when the coroutine goes, without an error and without a log line."""

    @trace_tool
    async def waits() -> None:
        await asyncio.Event().wait()

    async def body() -> None:
        await waits()

    loop = asyncio.new_event_loop()
    coroutine = body()
    loop.call_soon(lambda: coroutine.send(None))
    loop.call_soon(loop.stop)
    loop.run_forever()
    loop.close()
    coroutine.close()
    span = spans.only()
    assert span.events == ()
    assert span.status.status_code is StatusCode.UNSET


def test_context_variables_are_the_task_s(spans: Spans) -> None:
    """What the body sets its caller sees, as in plain Python."""
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")

    @trace_tool
    async def sets() -> None:
        variable.set("by the body")

    async def main() -> None:
        await sets()
        assert variable.get() == "by the body"

    asyncio.run(main())


def test_arguments_and_results_are_not_kept_alive(spans: Spans) -> None:
    """The body may drop an argument while it runs; the result goes when the caller lets it go."""

    class Item:
        pass

    class Failure(Exception):
        pass

    async def body(argument: Item, watched: list[weakref.ref[Any]], fail: bool) -> Item:
        watched.append(weakref.ref(argument))
        del argument
        await asyncio.sleep(0)
        assert watched[0]() is None
        if fail:
            raise Failure
        return Item()

    async def main() -> None:
        for function in (body, trace_tool(body)):
            result: Any = await function(Item(), [], False)
            alive: weakref.ref[Any] = weakref.ref(result)
            del result
            assert alive() is None
            try:
                await function(Item(), [], True)
            except Failure as error:
                alive = weakref.ref(error)
            assert alive() is None

    gc.collect()
    gc.disable()
    try:
        asyncio.run(main())
    finally:
        gc.enable()


def test_an_async_exit_stack_holds_a_span_open(spans: Spans) -> None:
    """``async with`` on an exit stack, closed after other awaits."""

    async def main() -> None:
        async with contextlib.AsyncExitStack() as stack:
            held = await stack.enter_async_context(trace_step("held"))
            await asyncio.sleep(0)
            assert current_span() is held

    asyncio.run(main())
    assert spans.names() == ["held"]
