"""What is recorded of a call: its arguments as they were before it, its result, its error, a generator's items."""

from __future__ import annotations

import asyncio
import gc
import json
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from agenttrace import current_span, trace_agent, trace_llm, trace_step, trace_tool
from agenttrace.capture.limits import VARIABLE, reread_limits

from .conftest import Spans
from .material import all_items, input_of, output_of, raised, run_to_end


@pytest.fixture
def small_values(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The most bytes that one value may take: few."""
    monkeypatch.setenv(VARIABLE, "1000")
    reread_limits()
    yield 1000
    monkeypatch.undo()
    reread_limits()


def text_of(spans: Spans, key: str) -> tuple[str, str]:
    """An attribute of the one span there is, and its MIME type."""
    attributes = dict(spans.only().attributes or {})
    return str(attributes[f"{key}.value"]), str(attributes[f"{key}.mime_type"])


# Inputs


def test_one_string_parameter_is_text(spans: Spans) -> None:
    """The input is the text itself, ``text/plain``."""
    trace_agent(lambda question: None)("why?\n")
    assert text_of(spans, "input") == ("why?\n", "text/plain")


def test_one_parameter_of_another_type_is_json(spans: Spans) -> None:
    """An argument that isn't a string is in a JSON object, by its name."""
    trace_agent(lambda question: None)(["why"])
    assert text_of(spans, "input") == ('{"question":["why"]}', "application/json")


def test_the_string_of_one_parameter_may_come_by_name_or_default(spans: Spans) -> None:
    """How it got there makes no difference."""

    @trace_agent
    def by_name(*, question: str = "default") -> None: ...

    by_name()
    by_name(question="given")
    assert [input_of(span) for span in spans.all()] == ["default", "given"]


def test_a_string_in_variable_arguments_is_json(spans: Spans) -> None:
    """``*args`` and ``**kwargs`` take any number of values, so they are never one text."""
    trace_agent(lambda *args: None)("why")
    trace_agent(lambda **kwargs: None)(question="why")
    assert [input_of(span) for span in spans.all()] == [{"args": ["why"]}, {"kwargs": {"question": "why"}}]


def test_tools_always_give_json(spans: Spans) -> None:
    """A tool's input is the JSON object that a model would have called it with."""
    trace_tool(lambda city: None)("Oslo")
    assert text_of(spans, "input") == ('{"city":"Oslo"}', "application/json")


def test_no_parameters_is_an_empty_object(spans: Spans) -> None:
    """What takes nothing has ``{}`` as input."""
    trace_tool(lambda: None)()
    assert text_of(spans, "input") == ("{}", "application/json")


def test_arguments_stand_in_the_order_of_the_signature(spans: Spans) -> None:
    """With defaults applied, and however they were given."""

    @trace_tool
    def function(a: int, b: int = 2, *rest: int, c: int, d: int = 4, **more: int) -> None: ...

    function(c=3, a=1, e=5)
    function(1, 9, 8, 7, c=3)
    texts = [str((span.attributes or {})["input.value"]) for span in spans.all()]
    assert texts == [
        '{"a":1,"b":2,"rest":[],"c":3,"d":4,"more":{"e":5}}',
        '{"a":1,"b":9,"rest":[8,7],"c":3,"d":4,"more":{}}',
    ]


def test_inputs_are_recorded_as_they_were_before_the_call(spans: Spans) -> None:
    """What the body does to its arguments is not in the input, in functions of any kind."""

    def change(items: list[int], more: dict[str, int]) -> None:
        items.append(2)
        more.clear()

    @trace_step
    def function(items: list[int], more: dict[str, int]) -> None:
        change(items, more)

    @trace_step
    async def coroutine(items: list[int], more: dict[str, int]) -> None:
        change(items, more)

    @trace_step
    def generator(items: list[int], more: dict[str, int]) -> Iterator[int]:
        change(items, more)
        yield 1

    @trace_step
    async def async_generator(items: list[int], more: dict[str, int]) -> Any:
        change(items, more)
        yield 1

    function([1], {"k": 1})
    asyncio.run(coroutine([1], {"k": 1}))
    list(generator([1], {"k": 1}))
    all_items(async_generator([1], {"k": 1}))
    assert [input_of(span) for span in spans.all()] == [{"items": [1], "more": {"k": 1}}] * 4


def test_iterators_are_not_consumed(spans: Spans) -> None:
    """An iterator, generator or file among arguments or results still has all it had."""
    given = iter([1, 2])

    @trace_tool
    def function(items: Iterator[int]) -> Any:
        return {"items": items}

    result = function(given)
    assert result["items"] is given
    assert list(given) == [1, 2]


def test_nothing_is_kept_after_the_call(spans: Spans) -> None:
    """Arguments, results and errors are free when the program lets go of them."""

    class Thing:
        pass

    @trace_agent
    def function(argument: Thing) -> Thing:
        return Thing()

    @trace_agent
    def failing(argument: Thing) -> None:
        raise ValueError(argument)

    @trace_agent
    def items(argument: Thing) -> Iterator[Thing]:
        yield Thing()

    gc.disable()
    try:
        argument = Thing()
        references = [weakref.ref(argument), weakref.ref(result := function(argument))]
        try:
            failing(argument)
        except ValueError as error:
            references.append(weakref.ref(error.args[0]))
        for item in items(argument):
            references.append(weakref.ref(item))
        del argument, result, item
        assert [reference() for reference in references] == [None] * 4
    finally:
        gc.enable()


@pytest.mark.usefixtures("small_values")
def test_inputs_and_outputs_are_bounded(spans: Spans) -> None:
    """A long value is cut to the limit, marked with how long it was, and valid still."""

    @trace_agent
    def function(question: str) -> list[str]:
        return [question] * 10

    function("x" * 100_000)
    text, mime_type = text_of(spans, "input")
    assert mime_type == "text/plain"
    assert len(text.encode()) <= 1000
    assert text.startswith("xxxx")
    assert "100000" in text.replace(",", "").replace("_", "")
    text, mime_type = text_of(spans, "output")
    assert len(text.encode()) <= 1000
    assert json.loads(text)


class Hostile:
    """Raises, or lies, whatever it is asked."""

    def _raise(self, *args: object) -> Any:
        raise RuntimeError("hostile")

    __repr__ = __str__ = __iter__ = __len__ = __hash__ = __eq__ = __bool__ = __reduce__ = __getattr__ = _raise  # type: ignore[assignment]
    __format__ = __bytes__ = __contains__ = __call__ = __int__ = __index__ = __float__ = __copy__ = _raise

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        raise RuntimeError("hostile")

    @property
    def __dict__(self) -> Any:  # type: ignore[override]
        raise RuntimeError("hostile")


class HostileMeta(type):
    """A metaclass whose classes can't be hashed, compared or shown."""

    def __hash__(cls) -> int:
        raise RuntimeError("hostile")

    def __eq__(cls, other: object) -> bool:
        raise RuntimeError("hostile")

    def __repr__(cls) -> str:
        raise RuntimeError("hostile")

    def __instancecheck__(cls, instance: object) -> bool:
        raise RuntimeError("hostile")


class OfHostileMeta(metaclass=HostileMeta):
    """An instance of a hostile class."""


@pytest.mark.parametrize("made", [Hostile, OfHostileMeta, lambda: OfHostileMeta])
@pytest.mark.parametrize("kind", ["function", "coroutine", "generator", "async generator"])
def test_hostile_arguments_and_results_go_through(made: Any, kind: str, spans: Spans) -> None:
    """What raises at every touch arrives and comes back as the same object, and input and output are valid."""
    value = made()

    @trace_tool
    def function(argument: object, other: object) -> object:
        return argument

    @trace_tool
    async def coroutine(argument: object, other: object) -> object:
        return argument

    @trace_tool
    def generator(argument: object, other: object) -> Iterator[object]:
        yield argument

    @trace_tool
    async def async_generator(argument: object, other: object) -> Any:
        yield argument

    if kind == "function":
        result = function(value, other=value)
    elif kind == "coroutine":
        result = run_to_end(coroutine(value, other=value))
    elif kind == "generator":
        [result] = generator(value, other=value)
    else:
        [result] = all_items(async_generator(value, other=value))
    assert result is value
    assert set(input_of(spans.only())) == {"argument", "other"}
    assert isinstance(output_of(spans.only()), list if "generator" in kind else str)
    assert spans.only().status.is_ok


# Outputs


@pytest.mark.parametrize(
    ("result", "text", "mime_type"),
    [
        ("text", "text", "text/plain"),
        ("", "", "text/plain"),
        (None, "null", "application/json"),
        (1.5, "1.5", "application/json"),
        (float("nan"), '"NaN"', "application/json"),
        ({"a": (1, 2)}, '{"a":[1,2]}', "application/json"),
        (2**80, f'"{2**80}"', "application/json"),
    ],
)
def test_results(result: object, text: str, mime_type: str, spans: Spans) -> None:
    """A string is recorded as text, anything else as JSON."""
    assert trace_agent(lambda: result)() is result
    assert text_of(spans, "output") == (text, mime_type)


def test_strings_that_are_yielded_are_joined(spans: Spans) -> None:
    """The output of a generator of strings is one text."""

    @trace_llm
    def answer() -> Iterator[str]:
        yield from ["an", "", " answer"]

    assert list(answer()) == ["an", "", " answer"]
    assert text_of(spans, "output") == ("an answer", "text/plain")


def test_other_items_are_a_list(spans: Spans) -> None:
    """One item that is no string makes the output a JSON list of all of them."""

    @trace_llm
    def answer() -> Iterator[object]:
        yield from ["a", {"b": 1}, None, 2**70, "c"]

    list(answer())
    assert output_of(spans.only()) == ["a", {"b": 1}, None, str(2**70), "c"]


def test_items_are_recorded_as_they_were_when_they_were_yielded(spans: Spans) -> None:
    """A list that the body goes on filling is three different items."""

    @trace_llm
    def growing() -> Iterator[list[int]]:
        items: list[int] = []
        for number in range(3):
            items.append(number)
            yield items

    list(growing())
    assert output_of(spans.only()) == [[0], [0, 1], [0, 1, 2]]


def test_a_generator_that_yields_nothing_has_an_empty_output(spans: Spans) -> None:
    """No items are an empty list, whatever the generator returns; ``reduce`` gets that list."""

    @trace_llm
    def nothing() -> Iterator[str]:
        yield from ()

    @trace_llm
    async def nothing_async() -> Any:
        for _ in range(0):
            yield

    @trace_llm(reduce=sum)
    def reduced() -> Iterator[int]:
        yield from ()

    list(nothing())
    all_items(nothing_async())
    list(reduced())
    assert [(span.attributes or {})["output.value"] for span in spans.all()] == ["[]", "[]", "0"]


def test_what_was_yielded_before_an_error_is_the_output(spans: Spans) -> None:
    """So is what was yielded before the consumer had enough."""

    @trace_llm
    def failing() -> Iterator[str]:
        yield "some"
        raise ValueError("no more")

    generator = failing()
    assert next(generator) == "some"
    assert str(raised(lambda: next(generator))) == "no more"
    closed = failing()
    next(closed)
    closed.close()
    assert [output_of(span) for span in spans.all()] == ["some", "some"]
    assert [span.status.is_ok for span in spans.all()] == [False, True]


def test_the_first_item_is_an_event(spans: Spans) -> None:
    """``first_item``, and for a model the name that OpenInference's instrumentors give the first token."""

    def answer() -> Iterator[str]:
        yield from "ab"

    list(trace_step(answer)())
    list(trace_llm(answer)())
    assert [[event.name for event in span.events] for span in spans.all()] == [
        ["first_item"],
        ["First Token Stream Event"],
    ]


@pytest.mark.parametrize("item", ["x" * 30, {"text": "x" * 30}, 1])
def test_many_items_are_bounded(item: object, small_values: int, spans: Spans) -> None:
    """As many as fit are recorded, and how many are left out is said."""

    @trace_llm
    def endless() -> Iterator[object]:
        for _ in range(10_000):
            yield item

    assert sum(1 for _ in endless()) == 10_000
    text, mime_type = text_of(spans, "output")
    assert len(text.encode()) <= small_values
    assert "more items" in text[-40:]
    if mime_type == "application/json":
        *items, last = json.loads(text)
        assert len(items) > 10
        assert items == [item] * len(items)
        assert last == f"… {10_000 - len(items)} more items"


@pytest.mark.parametrize("item", ["x" * 5000, "ø" * 5000, {"text": "x" * 5000}, ["ø" * 400] * 20])
def test_one_large_item_is_cut(item: object, small_values: int, spans: Spans) -> None:
    """What fits of it is recorded."""

    @trace_llm
    def one() -> Iterator[object]:
        yield item

    list(one())
    text, mime_type = text_of(spans, "output")
    assert small_values // 2 < len(text.encode()) <= small_values
    assert ("xxx" in text) or ("øøø" in text) or ("\\u00f8" in text)
    if mime_type == "application/json":
        json.loads(text)


def test_a_large_item_after_small_ones_is_cut(small_values: int, spans: Spans) -> None:
    """The small ones are recorded whole."""

    @trace_llm
    def some() -> Iterator[object]:
        yield {"n": 1}
        yield {"text": "x" * 5000}
        yield {"n": 2}

    list(some())
    text, _ = text_of(spans, "output")
    assert len(text.encode()) <= small_values
    items = json.loads(text)
    assert items[0] == {"n": 1}
    assert "xxx" in text


# Errors


def test_an_error(spans: Spans) -> None:
    """One exception event, status ERROR with type and message, and the same exception goes on."""
    error = ValueError("bad city")

    @trace_tool
    def weather(city: str) -> str:
        raise error

    assert raised(lambda: weather("x")) is error
    span = spans.only()
    assert span.status.description == "ValueError: bad city"
    [event] = span.events
    attributes = dict(event.attributes or {})
    assert event.name == "exception"
    assert attributes["exception.type"] == "ValueError"
    assert attributes["exception.message"] == "bad city"
    assert "in weather" in str(attributes["exception.stacktrace"])
    assert "agenttrace/wrapping" not in str(attributes["exception.stacktrace"])
    assert output_of(span) is None
    assert input_of(span) == {"city": "x"}


def test_a_wrong_call_is_on_record(spans: Spans) -> None:
    """With the arguments as they came, and the plain function's TypeError."""

    @trace_tool
    def weather(city: str) -> str:
        return city

    call: Any = weather
    error = raised(lambda: call("a", "b", k=1))
    assert type(error) is TypeError
    assert input_of(spans.only()) == {"args": ["a", "b"], "kwargs": {"k": 1}}
    assert spans.only().status.description == f"TypeError: {error}"


def test_the_wrong_call_of_a_method_is_on_record_without_its_object(spans: Spans) -> None:
    """Nor is a wrongly called method's object among the arguments."""

    class Agent:
        @trace_agent
        def run(self, question: str) -> str:
            return question

    call: Any = Agent().run
    raised(lambda: call("a", "b"))
    raised(call)
    assert [input_of(span) for span in spans.all()] == [{"args": ["a", "b"]}, {"args": []}]


# What the user says wins


def test_what_the_user_sets_wins_over_what_is_captured(spans: Spans) -> None:
    """Input, output and status that the body sets stay, in functions of every kind."""

    def say() -> None:
        span = current_span()
        span.set_input("my input")
        span.set_output({"mine": 1})
        span.set_status("error", "mine")

    @trace_tool
    def function(x: int) -> int:
        say()
        return x

    @trace_tool
    async def coroutine(x: int) -> int:
        say()
        return x

    @trace_tool
    def generator(x: int) -> Iterator[int]:
        say()
        yield x

    @trace_tool
    async def async_generator(x: int) -> Any:
        say()
        yield x

    function(1)
    asyncio.run(coroutine(1))
    list(generator(1))
    all_items(async_generator(1))
    for span in spans.all():
        assert (input_of(span), output_of(span)) == ("my input", {"mine": 1})
        assert span.status.description == "mine"


def test_a_lazy_object_as_the_only_argument_is_not_looked_into(spans: Spans) -> None:
    """Asking it for its class would make it do its work, which the plain call doesn't."""
    asked = []

    def class_of_what_is_behind(lazy: object) -> type:
        asked.append("class")
        return str

    lazy_type: Any = type("Lazy", (), {"__class__": property(class_of_what_is_behind)})

    @trace_agent
    def function(question: object) -> None:
        return None

    function(lazy_type())
    assert asked == []


def test_names_with_lone_surrogates_are_recorded(spans: Spans) -> None:
    r"""As text that can be sent: an exporter would lose the whole span over one."""
    with trace_step("odd \udc80", graph_node_id="\udc81"):
        pass
    span = spans.only()
    assert span.name == "odd \\udc80"
    assert (span.attributes or {})["graph.node.id"] == "\\udc81"
