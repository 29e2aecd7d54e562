"""Through the marks: whatever a traced call takes, does and gives back, what is hidden is nowhere on its spans."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from opentelemetry.trace import get_current_span

from agenttrace import (
    annotate,
    current_span,
    trace_agent,
    trace_chain,
    trace_embedding,
    trace_llm,
    trace_retriever,
    trace_step,
    trace_tool,
    using_attributes,
    using_metadata,
    using_session,
)
from agenttrace.semconv.masking import REDACTED
from agenttrace.semconv.privacy import TraceConfig
from agenttrace.testing import CapturedSpans, capture_spans

SECRET = "hunter2"
PLAIN = "Oslo"


def everything(spans: CapturedSpans) -> str:
    return "\n".join(span.to_json() for span in spans)


# Secrets by their names


@dataclass
class Account:
    user: str
    password: str


def test_secret_arguments_are_redacted_by_default() -> None:
    """By name, by position, in ``**``, as the only argument, in an object, and in what is given back."""

    @trace_tool
    def log_in(user: str, password: str, **more: Any) -> dict[str, str]:
        return {"user": user, "access_token": password}

    @trace_chain
    def check(api_key: str) -> str:
        return "ok"

    @trace_agent
    def run(account: Account) -> Account:
        log_in("ann", SECRET, session_token=SECRET)
        log_in(user="ann", password=SECRET)
        check(SECRET)
        return account

    with capture_spans() as spans:
        assert run(Account("ann", SECRET)) == Account("ann", SECRET)
    assert SECRET not in everything(spans)
    first, _ = spans.find_all("log_in")
    assert spans.input(first) == {"user": "ann", "password": REDACTED, "more": {"session_token": REDACTED}}
    assert spans.output(first) == {"user": "ann", "access_token": REDACTED}
    assert spans.input("check") == REDACTED
    assert spans.output("check") == "ok"
    assert spans.input("run") == {"account": {"user": "ann", "password": REDACTED}}
    assert spans.output("run") == {"user": "ann", "password": REDACTED}

    with capture_spans(config=TraceConfig(redact_secrets=False)) as spans:
        run(Account("ann", SECRET))
    assert spans.input("run") == {"account": {"user": "ann", "password": SECRET}}
    assert spans.input("check") == SECRET


def test_secrets_in_a_conversation_are_redacted_by_default() -> None:
    """In a tool call's arguments, which are JSON in JSON in the input and JSON in an attribute of the message."""
    arguments = json.dumps({"user": "ann", "password": SECRET})
    call = {"id": "c1", "type": "function", "function": {"name": "log_in", "arguments": arguments}}
    messages: list[Any] = [
        {"role": "user", "content": PLAIN},
        {"role": "assistant", "content": None, "tool_calls": [call]},
    ]

    @trace_llm
    def ask(messages: list[dict[str, Any]], model: str, extra_headers: dict[str, str]) -> dict[str, Any]:
        return {"choices": [{"message": {"role": "assistant", "content": None, "tool_calls": [call]}}]}

    with capture_spans() as spans:
        ask(messages, "gpt-4o", {"Authorization": f"Bearer {SECRET}"})
    assert SECRET not in everything(spans)
    assert PLAIN in everything(spans)
    key = "llm.input_messages.1.message.tool_calls.0.tool_call.function.arguments"
    assert json.loads(str((spans[0].attributes or {})[key])) == {"user": "ann", "password": REDACTED}


def test_secrets_in_metadata_and_items() -> None:
    """What is set for a whole run, on one span, and what a generator yields."""

    @trace_chain
    def stream() -> Iterator[Any]:
        current_span().set_metadata({"api_key": SECRET, "attempt": 2})
        current_span().set_attribute("settings", {"password": SECRET})
        yield {"token": SECRET}
        yield {"a": 1}

    with capture_spans() as spans, using_metadata({"credentials": SECRET, "team": "a"}):
        list(stream())
    assert SECRET not in everything(spans)
    attributes = spans[0].attributes or {}
    assert json.loads(str(attributes["metadata"])) == {
        "credentials": REDACTED,
        "team": "a",
        "api_key": REDACTED,
        "attempt": 2,
    }
    assert spans.output("stream") == [{"token": REDACTED}, {"a": 1}]


def test_an_attribute_that_is_a_secret_by_its_name() -> None:
    """Set on the handle, given to the mark or to an event, it is redacted with nothing configured."""
    with capture_spans() as spans, trace_step("step", attributes={"db.password": SECRET}) as step:
        step.set_attribute("app.api_key", SECRET)
        step.set_attribute("app.name", PLAIN)
        step.add_event("login", {"token": SECRET})
    assert SECRET not in everything(spans)
    attributes = spans[0].attributes or {}
    assert attributes["app.api_key"] == attributes["db.password"] == REDACTED
    assert attributes["app.name"] == PLAIN


# What is hidden


def call(*_: Any, **__: Any) -> str:
    return SECRET


async def call_async(*_: Any, **__: Any) -> str:
    return SECRET


def stream(*_: Any, **__: Any) -> Iterator[str]:
    yield SECRET
    yield SECRET


async def stream_async(*_: Any, **__: Any) -> AsyncIterator[str]:
    yield SECRET


def run_call(function: Callable[..., Any]) -> None:
    function(SECRET, b={"c": SECRET})


def run_async(function: Callable[..., Any]) -> None:
    asyncio.run(function(SECRET, b={"c": SECRET}))


def run_stream(function: Callable[..., Any]) -> None:
    assert list(function(SECRET, b={"c": SECRET})) == [SECRET, SECRET]


def run_stream_async(function: Callable[..., Any]) -> None:
    async def consume() -> None:
        assert [item async for item in function(SECRET, b={"c": SECRET})] == [SECRET]

    asyncio.run(consume())


FORMS = [(call, run_call), (call_async, run_async), (stream, run_stream), (stream_async, run_stream_async)]
MARKS = [trace_agent, trace_tool, trace_llm, trace_chain, trace_retriever, trace_embedding]


@pytest.mark.parametrize("mark", MARKS, ids=repr)
@pytest.mark.parametrize(("function", "run"), FORMS, ids=lambda function: function.__name__)
def test_hidden_inputs_and_outputs_are_on_no_span(mark: Any, function: Any, run: Any) -> None:
    """Of every kind and every form of function; what is hidden isn't even encoded, and the call is as it was."""

    def hidden(value: Any) -> Any:
        raise AssertionError("what nobody may see needn't be made")

    with capture_spans(config=TraceConfig(hide_inputs=True, hide_outputs=True)) as spans:
        run(mark(process_input=hidden)(function))
    assert len(spans) == 1
    assert SECRET not in everything(spans)
    attributes = spans[0].attributes or {}
    assert attributes["input.value"] == REDACTED
    assert attributes["output.value"] == REDACTED
    assert "input.mime_type" not in attributes
    assert "output.mime_type" not in attributes


def test_blocks_and_handles_hide_too() -> None:
    """A block's input, what its handle is told, and attributes by their own names."""
    config = TraceConfig(hide_inputs=True, hide_outputs=True)
    with capture_spans(config=config) as spans, trace_step("step", input=SECRET, attributes={"output.value": SECRET}):
        step = current_span()
        step.set_input({"a": SECRET})
        step.set_output(SECRET)
        step.set_attribute("input.value", SECRET)
        step.set_attributes({"llm.input_messages.0.message.content": SECRET})
    assert SECRET not in everything(spans)


def test_messages_of_a_model_call() -> None:
    """Hidden as a whole, or in their texts alone; roles, counts and the model stay."""
    messages = [{"role": "user", "content": SECRET}]

    @trace_llm(process_input=lambda bound: None, process_output=lambda result: None)
    def ask() -> str:
        span = current_span()
        span.set_model("gpt-4o", provider="openai")
        span.set_input_messages(messages)
        span.set_output_messages([{"role": "assistant", "content": SECRET}])
        span.set_token_counts(prompt=3, completion=4)
        return "x"

    with capture_spans(config=TraceConfig(hide_input_messages=True, hide_output_text=True)) as spans:
        ask()
    assert SECRET not in everything(spans)
    attributes = spans[0].attributes or {}
    assert not [key for key in attributes if key.startswith("llm.input_messages")]
    assert attributes["llm.output_messages.0.message.role"] == "assistant"
    assert attributes["llm.output_messages.0.message.content"] == REDACTED
    assert attributes["llm.model_name"] == "gpt-4o"
    assert attributes["llm.token_count.total"] == 7


def test_an_image_over_the_limit_is_redacted_and_one_below_is_not() -> None:
    """Without anything being configured, however large it is: a cut image is no image."""
    large = "data:image/png;base64," + "A" * 3_000_000

    def ask(limit: int | None) -> Any:
        with capture_spans(config=TraceConfig(base64_image_max_length=limit)) as spans, trace_llm("ask") as span:
            parts = [{"type": "image_url", "image_url": {"url": url}} for url in (large, "data:image/png;base64,AAAA")]
            span.set_input_messages([{"role": "user", "content": parts}])
        found = spans[0].attributes or {}
        return [found[f"llm.input_messages.0.message.contents.{n}.message_content.image.image.url"] for n in (0, 1)]

    assert ask(None) == [REDACTED, "data:image/png;base64,AAAA"]
    assert ask(0) == [REDACTED, REDACTED]


# What is redacted


def test_redact_is_asked_about_all_that_a_run_records() -> None:
    """Inputs, outputs, messages, metadata, tags, sessions, events: with the key it goes under; names are left alone."""
    asked: dict[str, list[str]] = {}

    def redact(key: str, text: str) -> str:
        asked.setdefault(key, []).append(text)
        return text.replace(SECRET, "•")

    @trace_tool(name="look up", description=f"Looks {SECRET} up.")
    def look_up(city: str) -> str:
        current_span().add_event("found", {"where": SECRET})
        return SECRET

    with (
        capture_spans(config=TraceConfig(redact=redact)) as spans,
        using_attributes(session_id=SECRET, user_id=SECRET, metadata={"a": SECRET}, tags=[SECRET, "b"]),
    ):
        look_up(SECRET)
    assert SECRET not in everything(spans)
    attributes = spans[0].attributes or {}
    assert attributes["tag.tags"] == ("•", "b")
    assert attributes["session.id"] == "•"
    assert attributes["tool.description"] == "Looks • up."
    assert spans.input("look up") == {"city": "•"}
    assert spans.output("look up") == "•"
    assert asked["where"] == [SECRET]
    assert "openinference.span.kind" not in asked
    assert spans[0].name == "look up"


def test_redact_makes_no_spans_and_sees_no_span_as_its_own() -> None:
    """It may be traced itself: what it does is no part of the run."""

    @trace_chain
    def ask_model(text: str) -> str:
        return text.replace(SECRET, "•")

    def redact(key: str, text: str) -> str:
        with trace_step("redacting"):
            return ask_model(text)

    with capture_spans(config=TraceConfig(redact=redact)) as spans, using_session("s"):
        trace_chain(call)(SECRET)
    assert [span.name for span in spans] == ["call"]
    assert SECRET not in everything(spans)
    assert not get_current_span().is_recording()


@pytest.mark.parametrize(
    "config",
    [{"redact": lambda key, text: text.replace(SECRET, "")}, {"hide_inputs": True}],
    ids=["redact", "hide_inputs"],
)
def test_the_carrier_of_an_annotation_passes_the_same_mask(config: dict[str, Any]) -> None:
    """What the context says goes on the carrier, too, and through what hides it."""
    variables = {"v": SECRET}
    with (
        capture_spans(config=TraceConfig(**config)) as spans,
        using_attributes(prompt_template="In {v}?", prompt_template_variables=variables),
    ):
        annotate("late", score=1, target=("1" * 32, "2" * 16))
    assert spans[0].name == "annotate late"
    assert SECRET not in everything(spans)
