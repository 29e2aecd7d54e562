"""What a marked function raises is what the plain one raises, and the span says so by the rules."""

from __future__ import annotations

import asyncio
import concurrent.futures
import sys
import traceback
from collections.abc import AsyncGenerator, Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.trace import StatusCode

import agenttrace
from agenttrace import current_span, trace_agent, trace_step, trace_tool

from .conftest import Spans
from .differential import HIDES_FRAMES, describe, frames

if sys.version_info < (3, 11):
    from exceptiongroup import BaseExceptionGroup, ExceptionGroup


class WithoutText(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")

    __repr__ = __str__


class WithExitingText(Exception):
    def __str__(self) -> str:
        raise SystemExit("from __str__")


class WithTextOfAnotherType(Exception):
    def __str__(self) -> str:
        return 7  # type: ignore[return-value]


class WithoutTraceback(Exception):
    @property
    def __traceback__(self) -> Any:  # type: ignore[override]
        raise RuntimeError("no traceback")


class Immutable(Exception):
    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("immutable")


class Slotted(Exception):
    __slots__ = ()


class OfAgents:
    class Nested(Exception):
        pass


def grouped() -> BaseException:
    return ExceptionGroup("several", [ValueError("one"), ExceptionGroup("inner", [KeyError("two")])])


def with_cycle() -> BaseException:
    one, two = ValueError("one"), ValueError("two")
    one.__context__, two.__context__ = two, one
    return one


ERRORS: dict[str, Callable[[], BaseException]] = {
    "plain": lambda: ValueError("text"),
    "without text": WithoutText,
    "whose text exits": WithExitingText,
    "with text of another type": WithTextOfAnotherType,
    "without traceback": WithoutTraceback,
    "immutable": Immutable,
    "slotted": Slotted,
    "nested class": OfAgents.Nested,
    "group": grouped,
    "cycle": with_cycle,
    "huge": lambda: ValueError("x" * 20_000_000),
    "surrogates": lambda: ValueError("\ud800"),
    "stop": lambda: StopIteration(3),
    "recursion": lambda: RecursionError("said so"),
    "memory": lambda: MemoryError(),
    "cancelled future": concurrent.futures.CancelledError,
}
CONTROL: dict[str, Callable[[], BaseException]] = {
    "KeyboardInterrupt": KeyboardInterrupt,
    "SystemExit": lambda: SystemExit(3),
    "CancelledError": lambda: asyncio.CancelledError("enough"),
    "BaseExceptionGroup": lambda: BaseExceptionGroup("several", [KeyboardInterrupt()]),
}


def run_function(mark: Callable[[Any], Any], error: BaseException) -> None:
    @mark
    def fails() -> None:
        raise error

    fails()


def run_method(mark: Callable[[Any], Any], error: BaseException) -> None:
    class Agent:
        @mark
        def fails(self) -> None:
            raise error

    Agent().fails()


def run_coroutine(mark: Callable[[Any], Any], error: BaseException) -> None:
    @mark
    async def fails() -> None:
        raise error

    with pytest.raises(StopIteration):
        fails().send(None)


def run_generator(mark: Callable[[Any], Any], error: BaseException) -> None:
    @mark
    def fails() -> Generator[int, None, None]:
        yield 1
        raise error

    for _ in fails():
        pass


def run_block(mark: Callable[[Any], Any], error: BaseException) -> None:
    with trace_step("fails"):
        raise error


RUNS = [run_function, run_method, run_coroutine, run_generator, run_block]


def raised_by(run: Callable[..., None], mark: Callable[[Any], Any], error: BaseException) -> BaseException:
    """What came out of ``run``."""
    try:
        run(mark, error)
    except BaseException as raised:
        return raised
    raise AssertionError("nothing was raised")


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("make", [*ERRORS.values(), *CONTROL.values()], ids=[*ERRORS, *CONTROL])
def test_the_same_object_goes_on(spans: Spans, run: Callable[..., None], make: Callable[[], BaseException]) -> None:
    """Whatever it is; with its cause, its context and its suppression as they were."""
    error = make()
    before = error.__cause__, error.__context__, error.__suppress_context__
    raised = raised_by(run, trace_tool, error)
    if isinstance(error, StopIteration) and run in (run_coroutine, run_generator):
        assert isinstance(raised, RuntimeError)
        assert raised.__cause__ is error
    else:
        assert raised is error
    assert (error.__cause__, error.__context__, error.__suppress_context__) == before
    spans.only()
    spans.assert_each_ended_once()


@pytest.mark.parametrize("make", [make for name, make in ERRORS.items() if name != "cancelled future"])
def test_an_exception_is_one_event_and_the_status(spans: Spans, make: Callable[[], BaseException]) -> None:
    """Type, message, stack trace; ``Type: message``; all of it text, and bounded."""
    error = make()
    raised_by(run_function, trace_tool, error)
    span = spans.only()
    assert span.status.status_code is StatusCode.ERROR
    assert (span.status.description or "").startswith(type(error).__qualname__)
    [event] = span.events
    assert event.name == "exception"
    assert event.attributes is not None
    assert set(event.attributes) >= {"exception.type", "exception.message", "exception.stacktrace"}
    assert str(event.attributes["exception.type"]).endswith(type(error).__qualname__)
    for text in (*event.attributes.values(), span.status.description):
        assert len(str(text).encode()) < 2_000_000


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("name", CONTROL)
def test_control_flow_is_an_event_of_its_name_and_no_error(spans: Spans, run: Callable[..., None], name: str) -> None:
    """Cancellation, Ctrl-C and exit."""
    raised_by(run, trace_tool, CONTROL[name]())
    span = spans.only()
    assert span.status.status_code is StatusCode.UNSET
    assert [event.name for event in span.events if event.name != "first_item"] == [name]


def test_a_cancelled_future_s_error_is_cancellation_too(spans: Spans) -> None:
    """``concurrent.futures`` has a CancelledError of its own, which is an Exception."""
    raised_by(run_function, trace_tool, concurrent.futures.CancelledError())
    span = spans.only()
    assert span.status.status_code is StatusCode.UNSET
    assert [event.name for event in span.events] == ["CancelledError"]


@pytest.mark.parametrize("run", RUNS)
def test_generator_exit_leaves_nothing(spans: Spans, run: Callable[..., None]) -> None:
    """Raised by the body itself, it is still no error and no event."""
    raised_by(run, trace_tool, GeneratorExit())
    span = spans.only()
    assert span.status.status_code is not StatusCode.ERROR
    assert [event.name for event in span.events if event.name != "first_item"] == []


def test_the_traceback_has_the_user_s_frames_alone(spans: Spans) -> None:  # noqa: C901  four functions, one in another
    """Through marks within marks, in all four kinds, what is printed is what the plain program prints."""

    def make(mark: Callable[[Any], Any]) -> Callable[[], Any]:
        @mark
        def innermost(number: int) -> float:
            try:
                return 1 / number
            except ZeroDivisionError as error:
                raise ValueError("no such number") from error

        @mark
        async def asks(number: int) -> float:
            return innermost(number)

        @mark
        async def streams(number: int) -> AsyncGenerator[float, None]:
            yield await asks(number)

        @mark
        def counts(number: int) -> Generator[Any, None, None]:
            async def first() -> float:
                return [item async for item in streams(number)][0]  # noqa: RUF015  `next` takes no async generator

            yield asyncio.run(first())

        @mark
        def outermost() -> list[Any]:
            return list(counts(0))

        return outermost

    def told(function: Callable[[], Any]) -> tuple[Any, str]:
        try:
            function()
        except ValueError as error:
            text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
            return describe(error, {}, "told", True), text
        raise AssertionError

    plain, marked = told(make(lambda function: function)), told(make(trace_agent))
    assert marked[0] == plain[0]
    if HIDES_FRAMES:
        assert marked[1] == plain[1]
    for span in spans.all():
        attributes = span.events[-1].attributes
        assert attributes is not None
        assert str(Path(agenttrace.__file__).parent) not in str(attributes["exception.stacktrace"])


def test_an_error_that_passes_several_spans_is_on_each_once(spans: Spans) -> None:
    """One event a span; an error that was caught in between is on the inner one only."""

    @trace_tool(name="tool")
    def tool() -> None:
        raise OSError("down")

    @trace_agent(name="agent")
    def agent() -> str:
        try:
            with trace_step("try"):
                tool()
        except OSError:
            return "sorry"
        return "never"

    assert agent() == "sorry"
    assert {span.name: (span.status.status_code, len(span.events)) for span in spans.all()} == {
        "tool": (StatusCode.ERROR, 1),
        "try": (StatusCode.ERROR, 1),
        "agent": (StatusCode.OK, 0),
    }


def test_an_error_raised_while_another_is_handled_keeps_its_context(spans: Spans) -> None:
    """``__context__`` is what it is in plain Python, and nothing of tracing's."""

    def raises(kind: type[Exception]) -> None:
        raise kind("inner")

    def told(function: Callable[[type[Exception]], None]) -> list[Any]:
        seen = []
        for suppress in (False, True):
            try:
                try:
                    raise KeyError("first")
                except KeyError as first:
                    if suppress:
                        try:
                            function(ValueError)
                        except ValueError as error:
                            raise error from None
                    else:
                        assert sys.exc_info()[1] is first
                        function(ValueError)
            except ValueError as error:
                seen.append(describe(error, {}, "told", True))
        assert sys.exc_info() == (None, None, None)
        return seen

    assert told(trace_tool(raises)) == told(raises)


def test_what_the_user_sets_stands_whatever_is_raised(spans: Spans) -> None:
    """A status of the user's own wins over the error's; the event is there all the same."""

    @trace_tool(name="expected")
    def fails() -> None:
        current_span().set_status("ok")
        raise ValueError("expected")

    with pytest.raises(ValueError, match="expected"):
        fails()
    span = spans.only()
    assert span.status.status_code is StatusCode.OK
    assert [event.name for event in span.events] == ["exception"]


def test_an_exception_that_was_handled_is_an_event_only(spans: Spans) -> None:
    """``record_exception`` leaves the status alone and takes any error."""

    @trace_tool(name="recovers")
    def recovers() -> str:
        for make in ERRORS.values():
            current_span().record_exception(make())
        return "fine"

    assert recovers() == "fine"
    span = spans.only()
    assert span.status.status_code is StatusCode.OK
    assert [event.name for event in span.events] == ["exception"] * len(ERRORS)


# A wrong call of each kind; ``calls`` is what is tried on it.
def plain_function(first: int, /, second: int = 0, *, third: int = 0) -> None: ...
async def coroutine_function(first: int, /, second: int = 0, *, third: int = 0) -> None: ...
def generator_function(first: int, /, second: int = 0, *, third: int = 0) -> Generator[None, None, None]:
    yield


async def async_generator_function(first: int, /, second: int = 0, *, third: int = 0) -> AsyncGenerator[None, None]:
    yield


@pytest.mark.parametrize("function", [plain_function, coroutine_function, generator_function, async_generator_function])
@pytest.mark.parametrize(
    "call",
    [
        lambda function: function(),
        lambda function: function(1, 2, 3),
        lambda function: function(1, fourth=4),
        lambda function: function(first=1),
        lambda function: function(1, 2, second=2),
        lambda function: function(1, *(2, 3, 4), third=3),
    ],
)
def test_a_wrong_call_raises_the_plain_type_error_at_once(
    spans: Spans, function: Callable[..., Any], call: Callable[[Any], Any]
) -> None:
    """When it is called, not when the result is awaited or iterated, in the same words and through no frame more."""

    def told(candidate: Callable[..., Any]) -> Any:
        try:
            call(candidate)
        except TypeError as error:
            return str(error), frames(error, "told")
        raise AssertionError("the call was taken")

    assert told(trace_tool(function)) == told(function)
    for other in (trace_tool(name="n")(function), trace_step(trace_tool(function))):
        assert told(other) == told(function)


def test_the_event_of_an_exception_is_not_later_than_the_span_s_end(spans: Spans) -> None:
    """A timeline shows the exception where the call ended, however long its text took to make."""

    @trace_agent
    def fails() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fails()
    span = spans.only()
    assert [event.timestamp for event in span.events] == [span.end_time]


def test_an_iterator_s_own_end_is_no_error(spans: Spans) -> None:
    """``__next__`` says by StopIteration that there is no more; anywhere else it is an exception like others."""

    class Once:
        def __iter__(self) -> Once:
            return self

        @trace_step
        def __next__(self) -> int:
            raise StopIteration

    @trace_tool
    def search() -> None:
        raise StopIteration

    assert list(Once()) == []
    with pytest.raises(StopIteration):
        search()
    end, failure = spans.all()
    assert (end.status.status_code, list(end.events)) == (StatusCode.OK, [])
    assert failure.status.status_code is StatusCode.ERROR
