"""capture_spans() and what it catches."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from opentelemetry import trace as otel_trace

from agenttrace import provider, trace_agent, trace_chain, trace_step, trace_tool, using_session
from agenttrace.testing import CapturedSpans, capture_spans


@trace_tool
def search(query: str) -> dict[str, object]:
    """A tool that answers with an object."""
    return {"query": query, "hits": [1, 2]}


@trace_tool(name="look up")
def look_up(name: str) -> str:
    """A tool that answers with a text."""
    return f"all about {name}"


@trace_tool
def broken() -> None:
    """A tool that fails."""
    raise ValueError("no luck")


@trace_agent
def plan(question: str) -> str:
    """An agent that calls two tools in a step."""
    with trace_step("gather"):
        search(question)
        look_up("oslo")
    return "done"


@trace_chain
async def wait(name: str) -> str:
    """A coroutine that lets others run."""
    await asyncio.sleep(0)
    return look_up(name)


def test_what_ran_is_there_in_the_order_it_started() -> None:
    """Spans end from the inside out, and are given from the outside in."""
    with capture_spans() as spans:
        plan("weather?")
    assert [span.name for span in spans] == ["plan", "gather", "search", "look up"]
    assert len(spans) == 4
    assert spans[0].name == "plan"
    assert [span.name for span in spans[-2:]] == ["search", "look up"]
    assert spans.tree() == "AGENT plan\n  CHAIN gather\n    TOOL search\n    TOOL look up\n"
    assert spans.tree() in repr(spans)


def test_it_is_asked_in_an_agents_words() -> None:
    """Roots, children, one span by name or kind, what went in and came out, decoded where it is JSON."""
    with capture_spans() as spans:
        plan("weather?")
    assert [span.name for span in spans.roots] == ["plan"]
    assert [span.name for span in spans.children("gather")] == ["search", "look up"]
    assert spans.children(spans.find(kind="agent")) == [spans.find("gather")]
    assert [span.name for span in spans.find_all(kind="TOOL")] == ["search", "look up"]
    assert spans.tools_called == ["search", "look up"]
    assert spans.input("plan") == "weather?"
    assert spans.input("search") == {"query": "weather?"}
    assert spans.output("search") == {"query": "weather?", "hits": [1, 2]}
    assert spans.output(spans.find("look up")) == "all about oslo"
    assert spans.input("gather") is None


def test_what_holds_passes() -> None:
    """The assertions say nothing when it is as they say."""
    with capture_spans() as spans:
        plan("weather?")
    spans.assert_tools_called(["search", "look up"])
    spans.assert_tools_called(["look up", "search"], in_any_order=True)
    spans.assert_no_errors()
    spans.assert_parent("search", "gather")
    spans.assert_parent("plan", None)
    spans.assert_tree(
        """
        AGENT plan
          CHAIN gather
            TOOL search
            TOOL look up
        """
    )


def test_what_does_not_hold_shows_the_tree() -> None:
    """Each message says what was expected, what was found, and shows the run."""
    with capture_spans() as spans:
        plan("weather?")
        with pytest.raises(ValueError, match="no luck"):
            broken()
    expectations = {
        "expected calls of the tools ['look up', 'search', 'broken'], found ['search', 'look up', 'broken']": (
            lambda: spans.assert_tools_called(["look up", "search", "broken"])
        ),
        "expected calls of the tools ['search'] in any order, found ['search', 'look up', 'broken']": (
            lambda: spans.assert_tools_called(["search"], in_any_order=True)
        ),
        "expected no errors, found\n  TOOL broken: ValueError: no luck": spans.assert_no_errors,
        "expected 'search' to be a child of 'plan', found a child of 'gather'": (
            lambda: spans.assert_parent("search", "plan")
        ),
        "expected 'search' to be a root, found a child of 'gather'": lambda: spans.assert_parent("search", None),
        "expected 'plan' to be a child of 'search', found a root": lambda: spans.assert_parent("plan", "search"),
        "expected one span with name 'nope', found none": lambda: spans.find("nope"),
        "expected one span with kind 'TOOL', found 3": lambda: spans.find(kind="TOOL"),
    }
    for message, expectation in expectations.items():
        with pytest.raises(AssertionError) as caught:
            expectation()
        assert str(caught.value) == f"{message}\n\n{spans.tree()}".rstrip()


def test_a_tree_that_differs_marks_the_lines() -> None:
    """What was expected and what was found, line by line."""
    with capture_spans() as spans, trace_step("one"):
        look_up("oslo")
    with pytest.raises(AssertionError) as caught:
        spans.assert_tree("CHAIN one\n  TOOL search")
    assert str(caught.value).splitlines()[1:] == ["  CHAIN one", "-   TOOL search", "+   TOOL look up"]


def test_nothing_caught_says_what_may_be_wrong() -> None:
    """A test that forgot the mark is told so."""
    with capture_spans() as spans:
        pass
    spans.assert_tree("")
    spans.assert_tools_called([])
    with pytest.raises(AssertionError, match="is the function marked, and called inside the capture"):
        spans.assert_tools_called(["search"])


def test_a_single_name_is_no_list_of_tools() -> None:
    """Its characters would else pass for names."""
    with capture_spans() as spans:
        look_up("oslo")
    with pytest.raises(TypeError) as caught:
        spans.assert_tools_called("look up")
    assert str(caught.value) == 'assert_tools_called takes a list such as ["look up"], not str'


def test_a_capture_without_a_with_block_says_so() -> None:
    """Whoever asks what capture_spans() returns for spans reads how it is written."""
    capture: Any = capture_spans()
    how = r"`with capture_spans\(\) as spans:`; it is `spans` that has"
    with pytest.raises(AttributeError, match=f"{how} 'tools_called'"):
        _ = capture.tools_called
    for ask in (len, list, lambda spans: spans[0]):
        with pytest.raises(TypeError, match=f"{how} the spans"):
            ask(capture)


def test_a_capture_may_be_entered_again() -> None:
    """Each time, also inside itself, it catches spans of its own."""
    capture = capture_spans()
    with capture as outer:
        look_up("before")
        with capture as inner:
            search("inside")
        look_up("after")
    assert (outer.tools_called, inner.tools_called) == (["look up", "look up"], ["search"])


def test_it_is_live() -> None:
    """It can be looked at inside the block, names what is still open, and takes what ends after the block."""
    with capture_spans() as spans:
        step = trace_step("late")
        step.__enter__()
        assert (len(spans), spans.unfinished) == (0, ["late"])
        with pytest.raises(AssertionError, match="not ended yet: late"):
            spans.find("late")
    step.__exit__(None, None, None)
    assert (len(spans), spans.unfinished) == (1, [])


def test_the_same_run_has_the_same_ids_and_times() -> None:
    """With deterministic=True two runs differ in nothing; ids count up, time ticks with each start and end."""

    def run() -> CapturedSpans:
        with capture_spans(deterministic=True) as spans:
            plan("weather?")
            with pytest.raises(ValueError, match="no luck"):
                broken()
        return spans

    first, second = run(), run()
    assert [span.to_json() for span in first] == [span.to_json() for span in second]
    contexts = [span.get_span_context() for span in first]
    assert [(context.trace_id, context.span_id) for context in contexts if context] == [
        (1, 1),
        (1, 2),
        (1, 3),
        (1, 4),
        (2, 5),
    ]
    begin = first[0].start_time
    assert begin == 1_735_689_600_000_000_000
    ticks = [((span.start_time or 0) - begin, (span.end_time or 0) - begin) for span in first]
    assert [(start // 10**6, end // 10**6) for start, end in ticks] == [(0, 7), (1, 6), (2, 3), (4, 5), (8, 9)]
    [event] = first.find("broken").events
    assert event.timestamp == begin + 8 * 10**6 + 1_000


def test_deterministic_events_stay_inside_their_span() -> None:
    """However many events a span has, they are in order, none before its start or after its end."""
    with capture_spans(deterministic=True) as spans, trace_step("busy") as step:
        for number in range(100):
            step.add_event(f"event {number}")
    [span] = spans
    times = [event.timestamp for event in span.events]
    assert len(times) == 100
    assert sorted(set(times)) == times
    assert span.start_time is not None
    assert span.end_time is not None
    assert span.start_time < times[0]
    assert times[-1] < span.end_time


def test_captures_nest() -> None:
    """The inner capture has what runs in it, the outer one the rest."""
    with capture_spans() as outer:
        look_up("before")
        with capture_spans() as inner:
            search("inside")
        look_up("after")
    assert inner.tools_called == ["search"]
    assert outer.tools_called == ["look up", "look up"]
    assert inner.tracer_provider is not outer.tracer_provider


def test_a_span_below_another_captures_span_is_a_root() -> None:
    """What was opened before the capture isn't in it, so what runs below it stands at the top."""
    with capture_spans(), trace_step("outside"), capture_spans() as inner:
        search("inside")
    assert [span.name for span in inner.roots] == ["search"]
    assert inner.tree() == "TOOL search\n"


def test_nothing_global_changes() -> None:
    """Neither OpenTelemetry's provider, nor the registered one, nor the threads there are."""
    before = otel_trace.get_tracer_provider(), provider.registered_provider(), threading.enumerate()
    with capture_spans() as spans:
        plan("weather?")
        assert (otel_trace.get_tracer_provider(), provider.registered_provider(), threading.enumerate()) == before
    assert len(spans) == 4
    search("nobody listens")
    assert len(spans) == 4


def test_threads_without_a_context_are_caught() -> None:
    """A plain thread starts with an empty context, and its spans are the capture's all the same."""
    with capture_spans() as spans:
        thread = threading.Thread(target=search, args=("weather?",))
        thread.start()
        thread.join()
    assert spans.tools_called == ["search"]


def test_captures_in_several_tasks_do_not_mix() -> None:
    """Each task's spans are its own capture's, however the tasks take turns."""

    async def run(name: str) -> CapturedSpans:
        with capture_spans() as spans:
            await wait(name)
            await wait(name)
        return spans

    async def both() -> tuple[CapturedSpans, CapturedSpans]:
        return await asyncio.gather(run("oslo"), run("rome"))

    for name, spans in zip(("oslo", "rome"), asyncio.run(both()), strict=True):
        assert [spans.input(span) for span in spans.find_all("look up")] == [{"name": name}] * 2


def test_captures_in_several_threads_do_not_mix() -> None:
    """Each thread's spans are its own capture's."""
    barrier = threading.Barrier(2)

    def run(name: str) -> CapturedSpans:
        with capture_spans() as spans:
            barrier.wait()
            look_up(name)
            barrier.wait()
        return spans

    with ThreadPoolExecutor(2) as executor:
        for name, spans in zip(("oslo", "rome"), executor.map(run, ("oslo", "rome")), strict=True):
            assert [spans.input(span) for span in spans] == [{"name": name}]


def test_other_libraries_spans_can_be_caught_too() -> None:
    """Given the capture's provider, their spans stand in the tree and carry the session."""
    with capture_spans() as spans, using_session("conversation-7"), trace_step("ask"):
        spans.tracer_provider.get_tracer("httpx").start_span("GET").end()
    spans.assert_tree("CHAIN ask\n  SPAN GET")
    assert [(span.attributes or {}).get("session.id") for span in spans] == ["conversation-7"] * 2


@pytest.mark.parametrize(
    ("variable", "value"),
    [("OTEL_SDK_DISABLED", "true"), ("OTEL_TRACES_SAMPLER", "always_off"), ("AGENTTRACE_DISABLED", "true")],
)
def test_the_environment_does_not_switch_a_capture_off(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A test run that exports nothing, as in CI, still has its assertions."""
    monkeypatch.setenv(variable, value)
    with capture_spans() as spans:
        search("weather?")
    assert spans.tools_called == ["search"]
