"""A marked generator does what the plain one does, step by step; its span is current while the body runs, no longer."""

from __future__ import annotations

import contextlib
import contextvars
import gc
import inspect
import threading
import types
import weakref
from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.trace import StatusCode

from agenttrace import current_span, keep_context, suppress_tracing, trace_llm, trace_step, trace_tool, using_session

from .bodies import BODIES, Body, Noter, counts
from .conftest import LogCatcher, Spans
from .differential import WHILE_HANDLING, Operation, run

Wrap = Callable[[Body], Callable[[Noter], Any]]


def returned_by_a_function(body: Body) -> Callable[[Noter], Any]:
    """A marked plain function that returns the body's generator."""

    @trace_tool
    def make(note: Noter) -> Generator[Any, Any, Any]:
        return body(note)

    return make


def suppressed(body: Body) -> Callable[[Noter], Any]:
    """The marked body, run where tracing is suppressed."""
    return suppress_tracing()(trace_tool(body))


def marked_twice(body: Body) -> Callable[[Noter], Any]:
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
    "thrown KeyboardInterrupt": [("next",), ("throw", KeyboardInterrupt), ("next",)],
    "thrown GeneratorExit": [("next",), ("throw", GeneratorExit), ("next",), ("close",)],
    "thrown StopIteration": [("next",), ("throw", StopIteration), ("next",), ("close",)],
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
    for body in BODIES:
        plain = run(body, script)
        assert run(wrap(body), script) == plain, body.__name__


_ERRORS = st.sampled_from([ValueError, OSError, KeyboardInterrupt, GeneratorExit, StopIteration, RecursionError])
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
    body=st.sampled_from(BODIES),
    script=st.lists(_OPERATIONS, max_size=8),
    wrap=st.sampled_from(list(WRAPS.values())),
)
def test_any_script_goes_as_with_the_plain_one(spans: Spans, body: Body, script: list[Operation], wrap: Wrap) -> None:
    """Whatever a consumer does, in whatever order."""
    assert run(wrap(body), script) == run(body, script)


def test_it_is_a_generator_of_the_same_name(spans: Spans) -> None:
    """Type, names and the module's own tests for generators."""
    marked = trace_tool(counts)
    generator = marked(lambda line: None)
    plain = counts(lambda line: None)
    assert type(generator) is types.GeneratorType
    assert (generator.__name__, generator.__qualname__) == (plain.__name__, plain.__qualname__)
    assert inspect.isgeneratorfunction(marked)
    assert repr(generator).startswith("<generator object counts at ")


def test_the_span_is_current_in_the_body_alone(spans: Spans) -> None:
    """The consumer's current span is its own before, between and after the steps."""

    @trace_tool
    def search() -> Iterator[str]:
        assert current_span().otel_span.name == "search"
        yield "a"
        assert current_span().otel_span.name == "search"
        with trace_step("inside"):
            pass
        yield "b"

    with trace_step("outer") as outer:
        for _ in search():
            assert current_span() is outer
            with trace_step("consumer"):
                pass
        assert current_span() is outer
    assert spans.parent_of("inside") == "search"
    assert spans.parent_of("search") == "outer"
    assert {span.parent.span_id for span in spans.named("consumer") if span.parent} == {int(outer.span_id, 16)}


def test_two_interleaved_generators_keep_their_own_children(spans: Spans) -> None:
    """Each body's spans are its own span's children, in whichever order they are stepped and closed."""

    @trace_tool
    def first() -> Iterator[int]:
        for number in range(3):
            with trace_step("of first"):
                yield number

    @trace_tool
    def second() -> Iterator[int]:
        for number in range(3):
            with trace_step("of second"):
                yield number

    with trace_step("outer") as outer:
        one, two = first(), second()
        assert [next(one), next(two), next(one), next(two)] == [0, 0, 1, 1]
        assert current_span() is outer
        two.close()
        assert current_span() is outer
        assert list(one) == [2]
        assert current_span() is outer
    ids = {span.name: span.context.span_id for span in spans.all() if span.context}
    for name, parent in (("of first", "first"), ("of second", "second"), ("first", "outer"), ("second", "outer")):
        assert {span.parent.span_id for span in spans.named(name) if span.parent} == {ids[parent]}


@pytest.mark.parametrize("kind", ["mark", "OpenTelemetry"])
def test_a_span_held_open_across_yields_is_current_again_when_the_body_goes_on(spans: Spans, kind: str) -> None:
    """Marks and plain OpenTelemetry blocks alike; the consumer never sees it."""

    @trace_tool
    def search() -> Iterator[int]:
        block: Any = trace_step("held") if kind == "mark" else spans.tracer.start_as_current_span("held")
        with block:
            for number in range(3):
                with trace_step(f"child {number}"):
                    pass
                yield number
        with trace_step("after"):
            pass

    with trace_step("outer") as outer:
        for _ in search():
            assert current_span() is outer
    assert [spans.parent_of(f"child {number}") for number in range(3)] == ["held"] * 3
    assert spans.parent_of("held") == "search"
    assert spans.parent_of("after") == "search"


@pytest.mark.parametrize("kind", ["mark", "OpenTelemetry"])
def test_a_span_held_open_ends_when_the_generator_is_closed(spans: Spans, kind: str) -> None:
    """Inner first, both once, and the consumer's context is its own."""

    @trace_tool
    def search() -> Iterator[int]:
        block: Any = trace_step("held") if kind == "mark" else spans.tracer.start_as_current_span("held")
        with block:
            yield 1
            yield 2

    with trace_step("outer") as outer:
        generator = search()
        next(generator)
        generator.close()
        assert current_span() is outer
    assert spans.names() == ["held", "search", "outer"]


def test_context_variables_are_shared_with_the_consumer_as_in_plain_python(spans: Spans) -> None:
    """What the body sets the consumer sees, and the other way round."""
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")

    @trace_tool
    def body() -> Iterator[str]:
        variable.set("by the body")
        yield variable.get()
        yield variable.get()

    generator = body()
    assert variable.get() == "unset"
    next(generator)
    assert variable.get() == "by the body"
    variable.set("by the consumer")
    assert next(generator) == "by the consumer"
    generator.close()


def test_the_span_starts_with_the_first_step_and_lasts_until_the_end(spans: Spans) -> None:
    """Making a generator starts nothing; exhausting it ends the span, OK, with the output."""

    @trace_tool
    def words() -> Generator[str, None, int]:
        yield "two "
        yield "words"
        return 7

    generator = words()
    assert spans._started == []
    next(generator)
    assert len(spans._started) == 1
    assert spans.all() == []
    assert list(generator) == ["words"]
    span = spans.only()
    assert span.status.status_code is StatusCode.OK
    assert span.attributes is not None
    assert span.attributes["output.value"] == "two words"
    assert [event.name for event in span.events] == ["first_item"]


def test_a_generator_never_started_has_no_span(spans: Spans) -> None:
    """Dropped or closed before its first step, nothing was started."""

    @trace_tool
    def words() -> Iterator[str]:
        yield "word"

    words()
    words().close()  # type: ignore[attr-defined]
    assert spans._started == []


@pytest.mark.parametrize("way", ["close", "drop", "cycle", "break", "throw GeneratorExit"])
def test_one_left_early_ends_without_event_or_error(spans: Spans, way: str) -> None:
    """A consumer that wants no more makes no error; the output is what was yielded."""
    ended: list[str] = []

    @trace_tool
    def words() -> Generator[str, None, None]:
        try:
            yield "first"
            yield "second"
        finally:
            with trace_step("cleaning up"):
                ended.append("body")

    def leave() -> None:
        generator = words()
        if way == "break":
            for _ in generator:
                break
            return
        next(generator)
        if way == "close":
            generator.close()
        elif way == "cycle":
            holder: list[Any] = [generator]
            holder.append(holder)
        elif way == "throw GeneratorExit":
            with pytest.raises(GeneratorExit):
                generator.throw(GeneratorExit)

    with trace_step("outer") as outer:
        leave()
        gc.collect()
        assert current_span() is outer
    assert ended == ["body"]
    span = spans.only("words")
    assert [event.name for event in span.events] == ["first_item"]
    assert span.status.status_code is not StatusCode.ERROR
    assert span.attributes is not None
    assert span.attributes["output.value"] == "first"
    assert spans.parent_of("cleaning up") == "words"


def test_one_closed_in_another_thread_ends_there(spans: Spans, log: LogCatcher) -> None:
    """The span ends, once, and the other thread's own context is left alone."""

    @trace_tool
    def words() -> Generator[str, None, None]:
        try:
            with trace_step("held"):
                yield "first"
        finally:
            with trace_step("cleaning up"):
                pass

    generator = words()
    with trace_step("outer"):
        next(generator)

    seen: list[bool] = []

    def close() -> None:
        with trace_step("of the thread") as own:
            generator.close()
            seen.append(current_span() is own)

    thread = threading.Thread(target=close)
    thread.start()
    thread.join()
    assert seen == [True]
    assert spans.parent_of("cleaning up") == "words"
    assert spans.parent_of("words") == "outer"
    assert spans.parent_of("held") == "words"


def test_steps_in_several_threads(spans: Spans) -> None:
    """A generator that is handed from thread to thread keeps its span."""

    @trace_tool
    def numbers() -> Generator[int, None, None]:
        for number in range(4):
            with trace_step(f"child {number}"):
                pass
            yield number

    generator = numbers()
    got: list[int] = []
    for _ in range(5):
        thread = threading.Thread(
            target=lambda: got.extend([item for item in [next(generator, None)] if item is not None])
        )
        thread.start()
        thread.join()
    assert got == [0, 1, 2, 3]
    assert {spans.parent_of(f"child {number}") for number in range(4)} == {"numbers"}


def test_one_that_two_threads_step_at_once_raises_the_plain_error(spans: Spans) -> None:
    """``generator already executing``, and the span goes on."""
    inside, go_on = threading.Event(), threading.Event()

    @trace_tool
    def waits() -> Iterator[int]:
        inside.set()
        go_on.wait()
        yield 1

    generator = waits()
    thread = threading.Thread(target=next, args=(generator,))
    thread.start()
    inside.wait()
    with pytest.raises(ValueError, match="generator already executing"):
        next(generator)
    go_on.set()
    thread.join()
    assert list(generator) == []
    assert spans.only().status.status_code is StatusCode.OK


def test_yield_from_a_marked_generator_gives_its_return_value(spans: Spans) -> None:
    """And the marked delegate's span is a child of the marked delegator's."""

    @trace_tool
    def inner() -> Generator[int, str, str]:
        received = yield 1
        return received * 2

    @trace_tool
    def outer() -> Generator[int, str, None]:
        result = yield from inner()
        yield len(result)

    generator = outer()
    assert next(generator) == 1
    assert generator.send("ab") == 4
    generator.close()
    assert spans.parent_of("inner") == "outer"


@pytest.mark.parametrize("error", [None, ValueError, KeyboardInterrupt, StopIteration, RuntimeError])
@pytest.mark.parametrize("swallows", [False, True])
def test_a_context_manager_made_of_a_marked_generator(
    spans: Spans, error: type[BaseException] | None, swallows: bool
) -> None:
    """``contextlib.contextmanager`` works over it: errors reach the body, and come out the same or are swallowed."""

    def body() -> Iterator[str]:
        try:
            yield "given"
        except BaseException:
            if not swallows:
                raise

    def use(function: Callable[[], Iterator[str]]) -> Any:
        thrown = None if error is None else error("in the block")
        try:
            with contextlib.contextmanager(function)() as given:
                assert given == "given"
                assert current_span().span_id == "0" * 16
                if thrown is not None:
                    raise thrown
        except BaseException as raised:
            return raised is thrown, type(raised), raised.__context__, raised.__cause__
        return None

    assert use(trace_tool(body)) == use(body)
    assert spans.only().name.endswith("body")


def test_a_context_manager_method_is_marked(spans: Spans) -> None:
    """``@trace_step`` over ``@contextmanager``: a plain function that returns an object, which is handed on."""

    @trace_step
    @contextlib.contextmanager
    def resource() -> Iterator[int]:
        yield 1

    with resource() as given:
        assert given == 1
    assert spans.only().name.endswith("resource")


class Item:
    """Something a weak reference can follow."""


def test_nothing_yielded_or_sent_is_kept_alive(spans: Spans) -> None:
    """An item lives as long as the consumer holds it, a sent value as long as the body does, an argument likewise."""

    def body(argument: Item) -> Generator[Item, Item | None, None]:
        del argument
        for _ in range(3):
            received = yield Item()
            del received
            yield Item()

    for function in (body, trace_tool(body)):
        argument = Item()
        watched = weakref.ref(argument)
        generator = function(argument)
        del argument
        item: Any = next(generator)
        assert watched() is None
        watched = weakref.ref(item)
        del item
        assert watched() is None
        sent = Item()
        watched = weakref.ref(sent)
        item = generator.send(sent)
        del sent
        assert watched() is None
        watched = weakref.ref(item)
        del item
        assert watched() is None
        generator.close()


def test_nothing_is_kept_alive_by_an_exception_that_was_thrown_in(spans: Spans) -> None:
    """The exception, and what its frames hold, go when the program lets them go."""

    def body() -> Generator[int, None, None]:
        while True:
            try:
                yield 1
            except ValueError:
                continue

    class Watched(ValueError):
        pass

    gc.collect()
    gc.disable()
    try:
        for function in (body, trace_tool(body)):
            generator = function()
            next(generator)
            error = Watched()
            watched = weakref.ref(error)
            generator.throw(error)
            error.__traceback__ = None
            del error
            assert watched() is None
            generator.close()
    finally:
        gc.enable()


def test_a_return_value_and_an_error_are_not_kept_alive(spans: Spans) -> None:
    """When the generator is gone, so are they, without a collection."""

    class Watched(Exception):
        pass

    def returns() -> Generator[int, None, Item]:
        yield 1
        return Item()

    def raises() -> Generator[int, None, Item]:
        yield 1
        raise Watched

    gc.collect()
    gc.disable()
    try:
        for function in (returns, trace_tool(returns), raises, trace_tool(raises)):
            generator = function()
            next(generator)
            try:
                next(generator)
            except StopIteration as stop:
                watched: weakref.ref[Any] = weakref.ref(stop.value)
            except Watched as error:
                watched = weakref.ref(error)
            assert watched() is None
    finally:
        gc.enable()


def test_a_raising_body_is_an_error_with_what_was_yielded(spans: Spans) -> None:
    """One exception event, status ERROR, and the items so far."""

    @trace_tool
    def words() -> Iterator[str]:
        yield "so far"
        raise ValueError("no more")

    generator = words()
    next(generator)
    with pytest.raises(ValueError, match="no more"):
        next(generator)
    span = spans.only()
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description == "ValueError: no more"
    assert [event.name for event in span.events] == ["first_item", "exception"]
    assert span.attributes is not None
    assert span.attributes["output.value"] == "so far"


def test_a_mark_s_own_functions_see_the_items(spans: Spans) -> None:
    """``reduce=`` takes the list of items; one that raises changes nothing for the consumer."""

    @trace_tool(name="sums", reduce=sum)
    def numbers() -> Iterator[int]:
        yield from (1, 2, 3)

    assert list(numbers()) == [1, 2, 3]
    attributes = spans.only("sums").attributes
    assert attributes is not None
    assert attributes["output.value"] == "6"


def test_a_reduce_that_raises_is_logged_once(spans: Spans, log: LogCatcher) -> None:
    """Every span ends, OK, without an output."""

    def reduce(items: list[int]) -> int:
        raise ZeroDivisionError

    @trace_tool(name="sums", reduce=reduce)
    def numbers() -> Iterator[int]:
        yield from (1, 2, 3)

    assert list(numbers()) == [1, 2, 3]
    assert list(numbers()) == [1, 2, 3]
    log.expect("recording the output of sums")
    for span in spans.all():
        assert span.status.status_code is StatusCode.OK
        assert span.attributes is not None
        assert "output.value" not in span.attributes


def test_with_nothing_registered_it_is_the_plain_one() -> None:
    """No provider, no span, the same steps."""
    marked = trace_tool(counts)
    for script in SCRIPTS.values():
        assert run(marked, script) == run(counts, script)
