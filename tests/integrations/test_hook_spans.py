"""Spans that hooks open and end: whose child each is, when it is current, and that none stays open."""

from __future__ import annotations

import threading

from agenttrace import current_span, trace_agent, trace_llm, trace_step, trace_tool
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
