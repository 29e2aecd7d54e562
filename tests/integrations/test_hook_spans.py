"""Spans that hooks open and end: whose child each is, when it is current, and that none stays open."""

from __future__ import annotations

import threading

import pytest
from opentelemetry.context import get_current

from agenttrace import (
    current_span,
    suppress_tracing,
    trace_agent,
    trace_llm,
    trace_step,
    trace_tool,
    using_session,
)
from agenttrace.integrations import hook_spans
from agenttrace.integrations.hook_spans import HookSpans
from agenttrace.testing import capture_spans


def test_a_span_belongs_under_the_one_its_framework_names() -> None:
    """The parent is found by its key, whatever is current where the hook is called."""
    spans = HookSpans("a framework")
    with capture_spans() as captured:
        spans.start("run", trace_agent, "agent", input="why?")
        with trace_step("unrelated"):
            spans.start("call", trace_tool, "search", parent="run", input={"query": "why"})
        spans.finish("call", "because")
        spans.finish("run", "because")
    assert captured.tree() == "AGENT agent\n  TOOL search\nCHAIN unrelated\n"
    assert captured.output("search") == "because"


def test_a_span_inside_its_parents_body_belongs_under_what_is_current_there() -> None:
    """A step that the user marked inside of a hook's span is not jumped over."""
    spans = HookSpans("a framework")
    with capture_spans() as captured:
        spans.start("run", trace_agent, "agent")
        with spans.inside("run"), trace_step("my own step"):
            spans.start("call", trace_tool, "search", parent="run")
            spans.finish("call")
        spans.finish("run")
    assert captured.tree() == "AGENT agent\n  CHAIN my own step\n    TOOL search\n"


def test_a_current_span_is_current_until_it_ends() -> None:
    """Between its hooks it is the current span, and afterwards what was current before is again."""
    spans = HookSpans("a framework")
    with capture_spans() as captured, trace_step("outer") as outer:
        spans.start("run", trace_agent, "agent", current=True)
        with trace_step("inner"):
            pass
        spans.finish("run")
        assert current_span() is outer
    assert captured.tree() == "CHAIN outer\n  AGENT agent\n    CHAIN inner\n"


def test_hooks_may_be_called_in_different_threads() -> None:
    """One that ends in another thread than it began in leaves both threads' contexts as they were."""
    spans = HookSpans("a framework")
    with capture_spans() as captured, trace_step("outer") as outer:
        spans.start("run", trace_agent, "agent")
        thread = threading.Thread(target=lambda: spans.finish("run", "done"))
        thread.start()
        thread.join()
        assert current_span() is outer
    assert captured.tree() == "CHAIN outer\n  AGENT agent\n"


def test_what_is_still_open_below_a_span_ends_with_it() -> None:
    """A framework that never says that something is over leaves nothing open."""
    spans = HookSpans("a framework")
    with capture_spans() as captured:
        spans.start("run", trace_agent, "agent")
        spans.start("step", trace_step, "step", parent="run")
        spans.start("call", trace_tool, "search", parent="step")
        spans.fail("run", ValueError("no luck"))
    assert captured.unfinished == []
    assert captured.tree() == "AGENT agent\n  CHAIN step\n    TOOL search\n"
    assert captured.find("agent").status.description == "ValueError: no luck"


def test_a_framework_that_ends_nothing_fills_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound the oldest of the innermost is let go, and never one that others are below."""
    monkeypatch.setattr(hook_spans, "MOST_OPEN", 4)
    spans = HookSpans("a framework")
    with capture_spans() as captured:
        spans.start("run", trace_agent, "agent")
        spans.start("step", trace_step, "step", parent="run")
        for number in range(5):
            spans.start(number, trace_tool, f"search {number}", parent="step")
        assert captured.unfinished == ["agent", "step", "search 3", "search 4"]
        spans.finish("step")
        assert captured.unfinished == ["agent"]
        spans.finish("run", "done")
    assert [captured.find(name).status.is_unset for name in ("search 0", "search 2")] == [True, True]
    assert captured.output("agent") == "done"


def test_a_model_call_is_understood() -> None:
    """What goes into a model, and what it answers, is read as a marked function's arguments and result are."""
    spans = HookSpans("a framework")
    answer = {
        "object": "chat.completion",
        "model": "gpt-4o-2024-08-06",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Rain."}}],
        "usage": {"prompt_tokens": 21, "completion_tokens": 2, "total_tokens": 23},
    }
    with capture_spans() as captured:
        asked = {"messages": [{"role": "user", "content": "Oslo?"}], "temperature": 0}
        spans.start("call", trace_llm, "chat", input=asked, model="gpt-4o")
        spans.finish("call", answer)
    attributes = captured.find("chat").attributes or {}
    assert attributes["llm.input_messages.0.message.content"] == "Oslo?"
    assert attributes["llm.output_messages.0.message.content"] == "Rain."
    assert attributes["llm.token_count.total"] == 23
    assert attributes["llm.model_name"] == "gpt-4o-2024-08-06"


def test_ending_what_never_began_is_nothing() -> None:
    """Hooks that come alone, or twice, record nothing and raise nothing."""
    spans = HookSpans("a framework")
    with capture_spans() as captured:
        spans.finish("unknown", "output")
        spans.fail("unknown", ValueError())
        spans.start("run", trace_agent, "agent")
        spans.finish("run")
        spans.finish("run")
        with spans.inside("run") as nothing:
            assert not nothing.otel_span.is_recording()
    assert len(captured) == 1
    assert captured[0].name == "agent"


def test_a_framework_that_knows_where_code_runs_has_marks_belong_there() -> None:
    """Nothing is current, yet a mark stands below the span that the framework names, with what is said around it."""
    place: list[str] = []
    spans = HookSpans("a framework", locate=lambda: place[-1] if place else None)
    with capture_spans() as captured:
        context = get_current()
        spans.start("run", trace_agent, "agent", within=using_session("thread 7"))
        spans.start("call", trace_tool, "search", parent="run")
        assert get_current() is context
        place.append("call")
        with trace_step("in the tool"), trace_step("deeper"):
            current_span().set_attribute("seen", True)
        with using_session("own"), trace_step("in a session of its own"):
            pass
        with suppress_tracing(), trace_step("unseen"):
            pass
        current_span().set_attribute("located", "tool")
        place.clear()
        assert get_current() is context
        with trace_step("outside"):
            pass
        spans.finish("run")
    captured.assert_tree("""
        AGENT agent
          TOOL search
            CHAIN in the tool
              CHAIN deeper
            CHAIN in a session of its own
        CHAIN outside
    """)
    sessions = {span.name: (span.attributes or {}).get("session.id") for span in captured}
    assert sessions["deeper"] == "thread 7"
    assert sessions["in a session of its own"] == "own"
    assert sessions["outside"] is None
    assert (captured.find("search").attributes or {})["located"] == "tool"


def test_the_innermost_of_two_frameworks_counts() -> None:
    """One framework's run in a tool of another's: marks stand below the inner one, whichever was set up first."""
    outer_place: list[str] = []
    inner_place: list[str] = []
    inner = HookSpans("inner", locate=lambda: inner_place[-1] if inner_place else None)
    outer = HookSpans("outer", locate=lambda: outer_place[-1] if outer_place else None)
    with capture_spans() as captured:
        outer.start("tool", trace_tool, "outer tool")
        outer_place.append("tool")
        inner.start("run", trace_agent, "inner agent")
        inner_place.append("run")
        with trace_step("inmost"):
            pass
        inner_place.clear()
        inner.finish("run")
        with trace_step("back"):
            pass
        outer_place.clear()
        outer.finish("tool")
    captured.assert_tree("""
        TOOL outer tool
          AGENT inner agent
            CHAIN inmost
          CHAIN back
    """)


def test_a_stream_may_outlive_the_span_that_began_it() -> None:
    """What is open below goes on, and what begins there later still belongs there."""
    spans = HookSpans("a framework")
    with capture_spans() as captured:
        spans.start("run", trace_agent, "agent")
        spans.start("stream", trace_llm, "model", parent="run")
        spans.finish("run", lasts=True)
        assert captured.unfinished == ["model"]
        spans.start("late", trace_step, "late", parent="run")
        spans.finish("late")
        spans.finish("stream", "said")
    captured.assert_tree("""
        AGENT agent
          LLM model
          CHAIN late
    """)
    assert captured.output("model") == "said"


def test_a_framework_that_fails_to_say_where_code_runs_changes_nothing() -> None:
    """What it raises is kept from the marked function, whose span belongs where it would without."""
    fails: list[bool] = [True]

    def locate() -> None:
        if fails:
            raise RuntimeError("no idea")

    HookSpans("a framework", locate=locate)
    with capture_spans() as captured, trace_step("outer"), trace_step("inner"):
        current_span().set_attribute("seen", True)
    fails.clear()
    assert captured.tree() == "CHAIN outer\n  CHAIN inner\n"
    assert (captured.find("inner").attributes or {})["seen"] is True
