"""Every mark in every form, on every kind of callable: what is called is still what it was, and one span says so."""

from __future__ import annotations

import asyncio
import functools
import inspect
import operator
import sys
import types
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from agenttrace import trace_agent, trace_step, trace_tool

from .conftest import Spans
from .material import KINDS, MARKS, all_items, input_of, output_of, raised, run_to_end, span_name

each_mark = pytest.mark.parametrize("label", sorted(KINDS))


@each_mark
def test_bare_on_a_function(label: str, spans: Spans) -> None:
    """``@mark`` makes one span of the mark's kind, named like the function or as the kind asks, around each call."""

    @MARKS[label]
    def answer(question: str, times: int = 2) -> str:
        return question * times

    assert answer("a") == "aa"
    span = spans.only()
    assert span.name == span_name(label, "answer")
    assert span.attributes is not None
    assert span.attributes["openinference.span.kind"] == KINDS[label]
    assert span.status.is_ok
    assert input_of(span) == {"question": "a", "times": 2}
    assert output_of(span) == "aa"


@each_mark
@pytest.mark.parametrize("form", ["keyword", "string", "empty", "called", "called with options", "chained"])
def test_with_options_on_a_function(label: str, form: str, spans: Spans) -> None:
    """``@mark(…)``, ``@mark("name")``, ``@mark()``, ``mark(f)``, ``mark(f, …)`` and ``mark(…)(…)(f)`` all trace it."""
    mark = MARKS[label]

    def answer() -> int:
        return 1

    forms: dict[str, Callable[[], Any]] = {
        "keyword": lambda: mark(name="chosen")(answer),
        "string": lambda: mark("chosen")(answer),
        "empty": lambda: mark()(answer),
        "called": lambda: mark(answer),
        "called with options": lambda: mark(answer, name="chosen"),
        "chained": lambda: mark(name="chosen")(capture_input=True)(answer),
    }
    assert forms[form]()() == 1
    assert spans.only().name == (span_name(label, "answer") if form in ("empty", "called") else "chosen")


@each_mark
def test_as_a_block(label: str, spans: Spans) -> None:
    """``with mark(…) as span`` and ``async with`` make one span of the mark's kind, current inside."""
    mark = MARKS[label]
    with mark("outer") as outer:
        outer.set_attribute("said", 1)
        with mark:
            pass

    async def run() -> None:
        async with mark("outer", input="question"), mark:
            await asyncio.sleep(0)

    asyncio.run(run())
    default_name = span_name(label, label.removeprefix("trace_"))
    assert spans.names() == [default_name, "outer", default_name, "outer"]
    for inner, around in (spans.all()[:2], spans.all()[2:]):
        assert inner.parent is not None
        assert inner.parent == around.context
    assert {(span.attributes or {})["openinference.span.kind"] for span in spans.all()} == {KINDS[label]}
    assert (spans.all()[1].attributes or {})["said"] == 1
    assert input_of(spans.all()[3]) == "question"


def test_options_given_later_are_added_and_the_mark_stays_as_it_was(spans: Spans) -> None:
    """A mark with options is a new object: the mark it came from, and its siblings, don't have them."""
    base = trace_step(attributes={"team": "a"})
    base(name="one")(lambda: None)()
    base(lambda: None, name="two")()
    base(name="base")(lambda: None)()
    trace_step("plain")(lambda: None)()
    assert [(span.name, (span.attributes or {}).get("team")) for span in spans.all()] == [
        ("one", "a"),
        ("two", "a"),
        ("base", "a"),
        ("plain", None),
    ]


def test_one_mark_serves_many_functions(spans: Spans) -> None:
    """A mark with options, kept as an object, marks any number of functions and blocks."""
    tool = trace_tool(attributes={"team": "a"})

    @tool
    def first() -> int:
        return 1

    @tool
    def second() -> int:
        return 2

    with tool:
        assert (first(), second()) == (1, 2)
    assert spans.names() == ["first", "second", "tool"]
    assert all((span.attributes or {})["team"] == "a" for span in spans.all())


def test_marks_on_top_of_each_other_make_a_span_each(spans: Spans) -> None:
    """Two marks on one function: two spans, the upper mark's around the lower one's."""

    @trace_agent(name="agent")
    @trace_tool(name="tool")
    def answer(question: str) -> str:
        return question

    assert answer("?") == "?"
    assert spans.names() == ["tool", "agent"]
    assert spans.parent_of("tool") == "agent"
    assert input_of(spans.only("agent")) == "?"


def test_coroutine_functions(spans: Spans) -> None:
    """The span of a coroutine function starts when it is first awaited, and ends when it is done."""

    @trace_agent
    async def answer(question: str) -> str:
        await asyncio.sleep(0)
        return question.upper()

    assert asyncio.run(answer("why")) == "WHY"
    assert (input_of(spans.only()), output_of(spans.only())) == ("why", "WHY")


def test_generator_functions(spans: Spans) -> None:
    """The span of a generator function covers its body; what was yielded is its output."""

    @trace_agent
    def answer(question: str) -> Iterator[str]:
        yield from question

    assert list(answer("why")) == ["w", "h", "y"]
    assert (input_of(spans.only()), output_of(spans.only())) == ("why", "why")


def test_async_generator_functions(spans: Spans) -> None:
    """The same holds for an async generator function."""

    @trace_agent
    async def answer(question: str) -> AsyncIterator[str]:
        for letter in question:
            yield letter

    assert all_items(answer("why")) == ["w", "h", "y"]
    assert (input_of(spans.only()), output_of(spans.only())) == ("why", "why")


def test_awaitable_generator_functions(spans: Spans) -> None:
    """A `types.coroutine` stays awaitable."""

    @trace_step
    @types.coroutine
    def pause(seconds: int) -> Iterator[None]:
        yield
        return seconds  # type: ignore[return-value]

    async def run() -> Any:
        return await pause(3)  # type: ignore[misc]

    assert asyncio.run(run()) == 3
    assert (input_of(spans.only()), output_of(spans.only())) == ({"seconds": 3}, 3)


def test_lambdas(spans: Spans) -> None:
    """A lambda is traced under the name Python gives it, or a chosen one."""
    assert trace_step(lambda x: x + 1)(1) == 2
    assert trace_step("increment")(lambda x: x + 1)(1) == 2
    assert spans.names() == ["<lambda>", "increment"]
    assert input_of(spans.only("increment")) == {"x": 1}


def test_functions_inside_functions(spans: Spans) -> None:
    """A closure is named by its own name, without the function around it."""

    def outer(base: int) -> Callable[[int], int]:
        @trace_step
        def add(x: int) -> int:
            return base + x

        return add

    assert outer(1)(2) == 3
    assert spans.only().name == "add"


def scale(value: float, factor: float = 2, *, offset: float = 0) -> float:
    """Scale a value."""
    return value * factor + offset


async def scale_async(value: float, factor: float = 2, *, offset: float = 0) -> float:
    """Scale a value."""
    return value * factor + offset


def scale_in_steps(value: float, factor: float = 2, *, offset: float = 0) -> Iterator[float]:
    """Scale a value."""
    yield value * factor + offset


async def scale_in_async_steps(value: float, factor: float = 2, *, offset: float = 0) -> AsyncIterator[float]:
    """Scale a value."""
    yield value * factor + offset


PARTIALS = [
    pytest.param(scale, lambda x: x, id="function"),
    pytest.param(scale_async, run_to_end, id="coroutine function"),
    pytest.param(scale_in_steps, lambda x: next(x), id="generator function"),
    pytest.param(scale_in_async_steps, lambda x: all_items(x)[0], id="async generator function"),
]


@pytest.mark.parametrize(("function", "result_of"), PARTIALS)
def test_partials(function: Callable[..., Any], result_of: Callable[[Any], Any], spans: Spans) -> None:
    """A partial of any kind of function is called as before; what it binds by keyword is recorded with the rest."""
    plain = functools.partial(function, 3, offset=1)
    traced = trace_tool(plain)
    for args, kwargs in [((), {}), ((5,), {}), ((), {"factor": 5}), ((5,), {"offset": 2})]:
        spans.clear()
        result = result_of(traced(*args, **kwargs))
        assert result == result_of(plain(*args, **kwargs))
        span = spans.only(function.__name__)
        assert input_of(span) == {"factor": 2, "offset": 1, **dict(zip(("factor",), args, strict=False)), **kwargs}
        if "steps" not in function.__name__:
            assert output_of(span) == result


@pytest.mark.parametrize(("function", "result_of"), PARTIALS)
def test_partials_of_partials(function: Callable[..., Any], result_of: Callable[[Any], Any], spans: Spans) -> None:
    """Nested partials come down to the same function."""
    traced = trace_tool(functools.partial(functools.partial(function, factor=3), offset=4))
    assert result_of(traced(2)) == 10
    assert input_of(spans.only(function.__name__)) == {"value": 2, "factor": 3, "offset": 4}


class Scaler:
    """Scales."""

    def __init__(self, factor: float) -> None:
        self.factor = factor

    def __call__(self, value: float, /, *, offset: float = 0) -> float:
        """Scale a value."""
        return value * self.factor + offset

    def method(self, value: float, offset: float = 0) -> float:
        return value * self.factor + offset

    async def method_async(self, value: float, offset: float = 0) -> float:
        return value * self.factor + offset

    @classmethod
    def made(cls, factor: float) -> Scaler:
        return cls(factor)


class AsyncScaler(Scaler):
    async def __call__(self, value: float, /, *, offset: float = 0) -> float:  # type: ignore[override]
        return value * self.factor + offset


class SteppedScaler(Scaler):
    def __call__(self, value: float, /, *, offset: float = 0) -> Iterator[float]:  # type: ignore[override]
        yield value * self.factor + offset


class AsyncSteppedScaler(Scaler):
    async def __call__(self, value: float, /, *, offset: float = 0) -> AsyncIterator[float]:  # type: ignore[override]
        yield value * self.factor + offset


@pytest.mark.parametrize(
    ("made", "result_of"),
    [
        pytest.param(Scaler, lambda x: x, id="__call__"),
        pytest.param(AsyncScaler, run_to_end, id="async __call__"),
        pytest.param(SteppedScaler, lambda x: next(x), id="generator __call__"),
        pytest.param(AsyncSteppedScaler, lambda x: all_items(x)[0], id="async generator __call__"),
    ],
)
def test_callable_objects(made: type[Scaler], result_of: Callable[[Any], Any], spans: Spans) -> None:
    """An object with a ``__call__`` of any kind is traced by its class's name, without itself among the arguments."""
    plain = made(3)
    traced: Any = trace_tool(plain)
    assert result_of(traced(2, offset=1)) == 7
    span = spans.only(made.__name__)
    assert input_of(span) == {"value": 2, "offset": 1}
    plain.factor = 4
    assert result_of(traced(2)) == 8
    assert traced.__wrapped__ is plain


def test_bound_methods(spans: Spans) -> None:
    """A method that is bound already keeps its object, which is not among the arguments."""
    scaler = Scaler(3)
    assert trace_tool(scaler.method)(2, 1) == 7
    assert asyncio.run(trace_tool(scaler.method_async)(2, offset=1)) == 7
    assert trace_tool(Scaler.made)(5).factor == 5
    assert spans.names() == ["Scaler.method", "Scaler.method_async", "Scaler.made"]
    assert [input_of(span) for span in spans.all()] == [{"value": 2, "offset": 1}] * 2 + [{"factor": 5}]


def test_functions_of_a_class_called_with_an_object(spans: Spans) -> None:
    """``mark(Class.method)`` leaves the object out too, given in order or by name."""
    traced = trace_tool(Scaler.method)
    assert traced(Scaler(3), 2) == 6
    assert traced(self=Scaler(3), value=2) == 6
    assert trace_tool(functools.partial(Scaler.method, offset=1))(Scaler(3), 2) == 7
    assert [input_of(span) for span in spans.all()] == [
        {"value": 2, "offset": 0},
        {"value": 2, "offset": 0},
        {"value": 2, "offset": 1},
    ]


@pytest.mark.parametrize(
    ("function", "args", "kwargs", "name", "recorded"),
    [
        (len, ("abc",), {}, "len", {"obj": "abc"}),
        (sorted, ([2, 1],), {"reverse": True}, "sorted", {"iterable": [2, 1], "key": None, "reverse": True}),
        (max, (1, 2), {}, "max", {"args": [1, 2]}),
        (max, ([],), {"default": 3}, "max", {"args": [[]], "kwargs": {"default": 3}}),
        (str.upper, ("a",), {}, "str.upper", {"self": "a"}),
        ("a".join, (["b", "c"],), {}, "str.join", {"iterable": ["b", "c"]}),
        (operator.itemgetter(1), ([1, 2],), {}, "itemgetter", None),
        (dict.fromkeys, ("ab", 1), {}, "dict.fromkeys", {"iterable": "ab", "value": 1}),
    ],
)
def test_functions_written_in_c(
    function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], name: str, recorded: Any, spans: Spans
) -> None:
    """Builtins, methods of builtin types and C objects are traced, with what can be read of their signature."""
    assert trace_tool(function)(*args, **kwargs) == function(*args, **kwargs)
    span = spans.only()
    assert span.name == name
    if recorded is not None and "self" not in recorded:
        assert input_of(span) == recorded


def test_wrong_calls_of_functions_written_in_c(spans: Spans) -> None:
    """They raise the very TypeError of the plain function, and the span says so."""
    traced: Any = trace_tool(len)
    assert str(raised(lambda: traced(1, 2))) == str(raised(lambda: len(1, 2)))  # type: ignore[arg-type, call-arg]
    assert (spans.only().status.description or "").startswith("TypeError: len() takes exactly one argument")


def test_cached_functions_keep_their_cache(spans: Spans) -> None:
    """`functools.lru_cache` above or below the mark works, and its methods stay."""
    calls: list[int] = []

    @trace_tool
    @functools.lru_cache(maxsize=2)
    def below(x: int) -> int:
        calls.append(x)
        return x

    traced_below: Any = below
    assert [traced_below(1), traced_below(1)] == [1, 1]
    assert calls == [1]
    assert traced_below.cache_info().hits == 1
    traced_below.cache_clear()
    assert traced_below(1) == 1
    assert traced_below.cache_parameters()["maxsize"] == 2
    assert len(spans.named("below")) == 3

    @functools.lru_cache
    @trace_tool
    def above(x: int) -> int:
        return x

    assert [above(1), above(1)] == [1, 1]
    assert len(spans.named("above")) == 1


def test_single_dispatch_goes_on_dispatching(spans: Spans) -> None:
    """`functools.singledispatch` above or below the mark works, and registers further functions."""

    @trace_tool
    @functools.singledispatch
    def below(value: object) -> str:
        return "object"

    traced_below: Any = below

    @traced_below.register
    def _(value: int) -> str:
        return "int"

    @functools.singledispatch
    @trace_tool
    def above(value: object) -> str:
        return "object"

    @above.register
    @trace_tool(name="above for int")
    def _(value: int) -> str:
        return "int"

    assert [traced_below(""), traced_below(1), above(""), above(1)] == ["object", "int", "object", "int"]
    assert spans.names() == ["below", "below", "above", "above for int"]


def test_a_decorator_below_keeps_the_names_of_the_arguments(spans: Spans) -> None:
    """Through a decorator that takes ``*args`` and ``**kwargs``, arguments go by the names that the user knows."""

    def retried(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        return wrapper

    class Agent:
        @trace_tool
        @retried
        def run(self, question: str, times: int = 1) -> str:
            return question

    @trace_tool
    @retried
    def run(question: str, times: int = 1) -> str:
        return question

    assert (Agent().run("?"), run("?", times=2)) == ("?", "?")
    assert [input_of(span) for span in spans.all()] == [
        {"question": "?", "times": 1},
        {"question": "?", "times": 2},
    ]


def test_a_decorator_below_that_shows_another_signature_is_called_as_its_callers_do(spans: Spans) -> None:
    """A decorator may set ``__signature__`` and take its arguments by keyword only: they reach it by keyword."""

    def injected(function: Callable[..., Any]) -> Callable[..., Any]:
        async def wrapper(*args: Any, **kwargs: Any) -> Any:
            return await function(kwargs.pop("request"), *args, **kwargs)

        wrapper.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]
        return wrapper

    @trace_tool
    @injected
    async def handle(request: str, page: int) -> str:
        return f"{request} {page}"

    assert run_to_end(handle(request="GET", page=2)) == "GET 2"
    assert input_of(spans.only()) == {"request": "GET", "page": 2}


@pytest.mark.skipif(sys.version_info < (3, 12), reason="inspect.markcoroutinefunction came with Python 3.12")
def test_a_function_that_is_only_marked_as_a_coroutine_function_runs_when_called(spans: Spans) -> None:
    """What `inspect.markcoroutinefunction` marks does its work at the call; so does the traced one."""
    called: list[str] = []

    async def work(x: str) -> str:
        return x

    @trace_step
    @inspect.markcoroutinefunction
    def start(x: str) -> Any:
        called.append(x)
        return work(x)

    assert inspect.iscoroutinefunction(start)
    coroutine = start("a")
    assert called == ["a"]
    assert run_to_end(coroutine) == "a"
    assert output_of(spans.only()) == "a"


def test_what_cannot_be_marked_is_a_type_error() -> None:
    """A first argument that is neither callable nor string says at once what to write instead."""
    for target in (1, b"name", ["name"], object()):
        with pytest.raises(
            TypeError, match=r"trace_tool\(\) marks a function or class, or takes a name: .* is neither"
        ):
            trace_tool(target)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="gives two names"):
        trace_tool("one", name="two")
