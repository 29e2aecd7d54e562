"""What the tests of the marks share besides fixtures: the marks, and reading what a span says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan

import agenttrace
from agenttrace.tracing import Mark

KINDS = {
    "trace_agent": "AGENT",
    "trace_chain": "CHAIN",
    "trace_embedding": "EMBEDDING",
    "trace_evaluator": "EVALUATOR",
    "trace_guardrail": "GUARDRAIL",
    "trace_llm": "LLM",
    "trace_prompt": "PROMPT",
    "trace_reranker": "RERANKER",
    "trace_retriever": "RETRIEVER",
    "trace_step": "CHAIN",
    "trace_tool": "TOOL",
}
"""The marks' names, and the OpenInference span kind of each."""

MARKS: dict[str, Mark] = {name: getattr(agenttrace, name) for name in KINDS}


def input_of(span: ReadableSpan) -> Any:
    """What ``span`` has as input: text, or what its JSON stands for; None where there is none."""
    return _value(span, "input")


def output_of(span: ReadableSpan) -> Any:
    """What ``span`` has as output: text, or what its JSON stands for; None where there is none."""
    return _value(span, "output")


def _value(span: ReadableSpan, which: str) -> Any:
    attributes = span.attributes or {}
    if f"{which}.value" not in attributes:
        assert f"{which}.mime_type" not in attributes
        return None
    text = attributes[f"{which}.value"]
    assert isinstance(text, str)
    mime_type = attributes[f"{which}.mime_type"]
    assert mime_type in ("text/plain", "application/json")
    return text if mime_type == "text/plain" else json.loads(text)


def run_to_end(awaitable: Any) -> Any:
    """Drive a coroutine, or each step of an async generator, that never has to wait; gives what it returns."""
    try:
        awaitable.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("it waits for something")


def all_items(generator: Any) -> list[Any]:
    """What an async generator yields that never has to wait."""
    return list(_items(generator))


def _items(generator: Any) -> Iterator[Any]:
    while True:
        try:
            yield run_to_end(generator.__anext__())
        except StopAsyncIteration:
            return


def raised(function: Callable[[], Any]) -> BaseException:
    """What ``function`` raises."""
    try:
        function()
    except BaseException as error:
        return error
    raise AssertionError("it raised nothing")


def span_name(label: str, name: str) -> str:
    """The name of a span of the mark ``label`` that would be called ``name`` by what it is put on."""
    return "CreateEmbeddings" if label == "trace_embedding" else name
