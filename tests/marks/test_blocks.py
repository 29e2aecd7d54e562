"""Marks as ``with`` and ``async with`` blocks: one object, used again, inside itself, from threads and tasks."""

from __future__ import annotations

import asyncio
import copy
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from opentelemetry import trace as otel_trace
from opentelemetry.context import Context, attach, set_value

from agenttrace import current_span, suppress_tracing, trace_agent, trace_llm, trace_step, trace_tool
from agenttrace.span import NO_SPAN

from .conftest import Spans
from .material import input_of, output_of, raised


def test_a_block_is_current_while_it_is_open(spans: Spans) -> None:
    """Inside, its span is OpenTelemetry's current one and ``current_span()``; afterwards it is neither."""
    with trace_step("choose") as step:
        assert otel_trace.get_current_span() is step.otel_span
        assert current_span() is step
        with spans.tracer.start_as_current_span("foreign"):
            pass
    assert current_span() is NO_SPAN
    assert spans.parent_of("foreign") == "choose"
    assert spans.only("choose").status.is_ok


def test_what_a_block_is_told(spans: Spans) -> None:
    """``input``, ``metadata``, ``tags`` and ``attributes`` are recorded at its start, an output only when it is set."""
    with trace_step("choose", input={"q": 1}, metadata={"k": [1]}, tags=["a", "b"], attributes={"x": 1.5}):
        pass
    span = spans.only()
    attributes = dict(span.attributes or {})
    assert input_of(span) == {"q": 1}
    assert output_of(span) is None
    assert attributes["metadata"] == '{"k":[1]}'
    assert attributes["tag.tags"] == ("a", "b")
    assert attributes["x"] == 1.5


def test_the_input_of_a_block_may_be_none_or_empty(spans: Spans) -> None:
    """What is falsy was said all the same."""
    values: list[object] = ["", 0, [], False]
    for value in values:
        with trace_step("s", input=value):
            pass
    assert [input_of(span) for span in spans.all()] == ["", 0, [], False]


def test_a_block_that_raises(spans: Spans) -> None:
    """The exception goes on, the same object, and the span has it as its error."""
    error = ValueError("no")

    def run() -> None:
        with trace_step("s"):
            raise error

    assert raised(run) is error
    assert spans.only().status.description == "ValueError: no"
    assert [event.name for event in spans.only().events] == ["exception"]


def test_a_tool_block_says_what_tool_it_is(spans: Spans) -> None:
    """A block has no function to read, so the tool is what the mark says it is."""
    with trace_tool("search", description="Finds.", parameters={"type": "object"}):
        pass
    attributes = dict(spans.only().attributes or {})
    assert attributes["tool.name"] == "search"
    assert attributes["tool.description"] == "Finds."
    assert attributes["tool.parameters"] == '{"type":"object"}'


def test_an_agent_block_names_the_agent(spans: Spans) -> None:
    """The name of an agent's block is the agent's."""
    with trace_agent("planner"):
        pass
    assert (spans.only().attributes or {})["agent.name"] == "planner"


def test_a_name_of_none_is_no_name(spans: Spans) -> None:
    """An option that is None is as good as one left out."""
    with trace_step(name=None):  # type: ignore[call-overload]
        pass
    assert spans.only().name == "step"


def test_one_object_is_used_again(spans: Spans) -> None:
    """Each ``with`` on the same object is a span of its own."""
    step = trace_step("s", input="same")
    for number in range(3):
        with step as span:
            span.set_output(number)
    assert [output_of(span) for span in spans.all()] == [0, 1, 2]
    assert len({span.context.span_id for span in spans.all() if span.context}) == 3


def test_one_object_is_used_inside_itself(spans: Spans) -> None:
    """Re-entered, an object makes a span inside its span, each ended by the exit that belongs to it."""
    step = trace_step("s")
    with step as outer, step as middle:
        with step as inner:
            inner.set_output("inner")
        middle.set_output("middle")
        assert current_span() is middle
        del outer
    assert [output_of(span) for span in spans.all()] == ["inner", "middle", None]
    assert [span.parent and span.parent.span_id for span in spans.all()[:2]] == [
        span.context and span.context.span_id for span in spans.all()[1:]
    ]


def test_one_object_inside_itself_while_tracing_is_suppressed(spans: Spans) -> None:
    """The exit of a block that isn't recorded leaves the recorded one around it open."""
    step = trace_step("s")
    with step as outer:
        with suppress_tracing():
            with step as inner:
                assert inner is NO_SPAN
            assert spans.names() == []
        assert current_span() is outer
        outer.set_output("still open")
    assert output_of(spans.only()) == "still open"


def test_one_object_unrecorded_outside_and_recorded_inside(spans: Spans) -> None:
    """So does the other way round."""
    step = trace_step("s")
    with suppress_tracing():
        step.__enter__()
    with step as recorded:
        assert current_span() is recorded
        recorded.set_output("mine")
    step.__exit__(None, None, None)
    assert output_of(spans.only()) == "mine"
    assert current_span() is NO_SPAN


def test_one_object_in_many_threads(spans: Spans) -> None:
    """Threads that hold the same object open at the same time each end their own span."""
    step = trace_step("shared")
    together = threading.Barrier(4, timeout=60)

    def run(number: int) -> int:
        for _ in range(10):
            with step as span:
                together.wait()
                assert current_span() is span
                span.set_output(number)
                together.wait()
        return number

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(run, range(4))) == [0, 1, 2, 3]
    assert sorted(output_of(span) for span in spans.all()) == sorted(list(range(4)) * 10)
    assert all(span.parent is None for span in spans.all())


def test_one_object_entered_by_another_thread_while_this_one_leaves(spans: Spans) -> None:
    """However closely they meet, each leaves its own block."""
    step = trace_step("shared")
    entered, leave = threading.Event(), threading.Event()

    def other() -> None:
        with step as span:
            entered.set()
            assert leave.wait(60)
            assert current_span() is span
            span.set_output("other")

    thread = threading.Thread(target=other)

    class Meeting(list):  # type: ignore[type-arg]
        """Lets the other thread in between a look at the open blocks and what is done after it."""

        def __len__(self) -> int:
            length = super().__len__()
            if not thread.ident:
                thread.start()
                assert entered.wait(60)
            return length

    step._open_blocks = Meeting()
    with step as span:
        span.set_output("mine")
    if not thread.ident:
        thread.start()
    leave.set()
    thread.join()
    assert [output_of(span) for span in spans.all()] == ["mine", "other"]


def test_what_stands_in_the_context_is_never_compared(spans: Spans) -> None:
    """Threads that share an object may have anything in their contexts, arrays that can't be compared for instance."""

    class Incomparable:
        def __eq__(self, other: object) -> bool:
            raise ValueError("the truth value is ambiguous")

        __hash__ = object.__hash__

    step = trace_step("shared")
    together = threading.Barrier(3, timeout=60)

    def run(number: int) -> int:
        attach(set_value("array", Incomparable()))
        with step as span:
            together.wait()
            span.set_output(number)
        return number

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(run, range(3))) == [0, 1, 2]
    assert sorted(output_of(span) for span in spans.all()) == [0, 1, 2]


@pytest.mark.parametrize("asynchronous", [False, True])
def test_one_object_in_many_tasks(asynchronous: bool, spans: Spans) -> None:
    """Tasks that hold the same object open across ``await`` each end their own span, whatever the order of the ends."""
    step = trace_llm("shared")

    async def run(number: int, gates: list[asyncio.Event]) -> None:
        async def body(span: object) -> None:
            assert current_span() is span
            current_span().set_output(number)
            await gates[number].wait()
            assert current_span() is span

        if asynchronous:
            async with step as span:
                await body(span)
        else:
            with step as span:
                await body(span)
        if number + 1 < len(gates):
            gates[number + 1].set()

    async def main() -> None:
        gates = [asyncio.Event() for _ in range(4)]
        with trace_agent("root"):
            tasks = [asyncio.create_task(run(number, gates)) for number in range(4)]
            await asyncio.sleep(0)
            gates[0].set()
            await asyncio.gather(*tasks)

    asyncio.run(main())
    assert [output_of(span) for span in spans.named("shared")] == [0, 1, 2, 3]
    root = spans.only("root").context
    assert all(span.parent == root for span in spans.named("shared"))


def test_a_block_held_open_by_a_generator_that_another_thread_closes(spans: Spans) -> None:
    """The block ends with the generator, in silence, and leaves the closing thread's own span current."""

    def steps() -> object:
        with trace_step("held"):
            yield

    generator = steps()
    next(generator)  # type: ignore[call-overload]

    def close() -> None:
        with trace_step("own") as own:
            generator.close()  # type: ignore[attr-defined]
            assert current_span() is own

    with ThreadPoolExecutor(1) as pool:
        pool.submit(close).result()
    assert spans.names() == ["held", "own"]
    # The thread that opened the block never got to close it: what it left current is ended, and taken off here.
    assert not current_span().otel_span.is_recording()
    attach(Context({key: value for key, value in _current().items() if key not in _span_keys()}))


def _current() -> dict[str, object]:
    from agenttrace.current import get_current

    return dict(get_current())


def _span_keys() -> set[str]:
    from agenttrace.current import HANDLE_KEY, SPAN_KEY

    return {HANDLE_KEY, SPAN_KEY}


def test_an_exit_without_an_entry_does_nothing(spans: Spans) -> None:
    """Leaving a block that was never entered raises nothing and makes no span."""
    trace_step("s").__exit__(None, None, None)
    assert spans.names() == []


def test_marks_can_be_copied_and_pickled(spans: Spans) -> None:
    """A mark kept on an object is copied and pickled with it, also when it was used before."""
    step = trace_step("s", attributes={"k": 1})
    with step:
        pass
    for other in (copy.copy(step), copy.deepcopy(step), pickle.loads(pickle.dumps(step))):
        with other:
            pass
    assert spans.names() == ["s"] * 4
    assert all((span.attributes or {})["k"] == 1 for span in spans.all())


def test_a_mark_can_be_told_from_another() -> None:
    """Its representation is its name."""
    assert repr(trace_step) == "<trace_step>"


def test_a_block_heeds_what_is_to_be_recorded_of_its_input(spans: Spans) -> None:
    """What the user chose for privacy on a mark holds in each of its forms."""
    with trace_step(capture_input=False)("silent", input="secret"):
        pass
    with trace_step(process_input=lambda bound: {**bound, "input": "masked"})("masked", input="secret"):
        pass
    assert "input.value" not in dict(spans.only("silent").attributes or {})
    assert dict(spans.only("masked").attributes or {})["input.value"] == '{"input":"masked"}'
