"""What an exception says is recorded as far as nothing hides it: in attributes, events, statuses and the log."""

from __future__ import annotations

import builtins
import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan

import agenttrace
from agenttrace import current_span, trace_agent, trace_chain, trace_tool
from agenttrace.semconv.masking import REDACTED
from agenttrace.semconv.privacy import TraceConfig
from agenttrace.testing import CapturedSpans, capture_spans

SECRET = "hunter2"
PACKAGE = str(Path(agenttrace.__file__).parent)
HIDING = [
    {"hide_inputs": True},
    {"hide_outputs": True},
    {"hide_input_messages": True},
    {"hide_output_messages": True},
    {"hide_input_text": True},
    {"hide_output_text": True},
    {"hide_prompts": True},
    {"hide_choices": True},
    {"hide_retrieval_documents": True},
    {"hide_embeddings_text": True},
]


class Refused(Exception):
    """An exception that says more than one line."""

    def __str__(self) -> str:
        return f'first line\n  File "{SECRET}", line 1, in {SECRET}\n    {SECRET}\n\n{SECRET}'


def chained() -> None:
    try:
        try:
            raise Refused
        except Refused as first:
            raise KeyError(SECRET) from first
    except KeyError:
        raise ValueError(f"no {SECRET}")  # noqa: B904 - the context is part of the material


def noted() -> None:
    error = ValueError(SECRET)
    if sys.version_info >= (3, 11):
        error.add_note(f"the password was {SECRET}")
    raise error


def suppressed() -> None:
    try:
        raise Refused
    except Refused:
        raise ValueError(SECRET) from None


def syntax() -> None:
    compile(f"x = '{SECRET}", f"<{SECRET}>", "exec")


def decoding() -> None:
    json.loads(f"{{'{SECRET}'")


def grouped() -> None:
    if sys.version_info >= (3, 11):
        group = builtins.ExceptionGroup
        raise group(SECRET, [ValueError(SECRET), group(SECRET, [Refused()])])
    chained()


def cyclic() -> None:
    first, second = ValueError(SECRET), KeyError(SECRET)
    first.__cause__, second.__cause__ = second, first
    raise first


MATERIAL = [chained, noted, suppressed, syntax, decoding, grouped, cyclic]


def caught(function: Any, config: TraceConfig) -> CapturedSpans:
    @trace_tool(name="log in")
    def log_in() -> None:
        function()

    @trace_agent
    def agent() -> None:
        try:
            log_in()
        except Exception as error:
            current_span().record_exception(error)
            raise

    with capture_spans(config=config) as spans, pytest.raises(BaseException):  # noqa: B017, PT011
        agent()
    return spans


def everything(spans: CapturedSpans) -> Iterator[str]:
    """All that is recorded, as it is exported."""
    for span in spans:
        yield span.to_json()
        yield repr([(event.name, dict(event.attributes or {})) for event in span.events])


def exception_of(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.events[-1].attributes or {})


@pytest.mark.parametrize("function", MATERIAL)
@pytest.mark.parametrize("config", HIDING, ids=lambda config: next(iter(config)))
def test_with_hidden_inputs_or_outputs_no_text_of_an_exception_is_recorded(
    function: Any, config: dict[str, bool], caplog: pytest.LogCaptureFixture
) -> None:
    """Causes, contexts, notes, groups and syntax errors too; the types and the frames stay."""
    caplog.set_level(logging.DEBUG)
    spans = caught(function, TraceConfig(**config))  # type: ignore[arg-type]
    assert not [text for text in everything(spans) if SECRET in text]
    assert SECRET not in caplog.text
    for span in spans:
        recorded = exception_of(span)
        assert recorded["exception.message"] == REDACTED
        assert f"in {function.__name__}" in recorded["exception.stacktrace"]
        assert recorded["exception.stacktrace"].endswith(f"{recorded['exception.type']}: {REDACTED}\n") or (
            "In this group" in recorded["exception.stacktrace"]
        )
        assert PACKAGE not in recorded["exception.stacktrace"]
        assert span.status.description == f"{recorded['exception.type'].rpartition('.')[2]}: {REDACTED}"


def test_a_stack_trace_without_texts_reads_as_pythons_own() -> None:
    """The innermost cause first, and how one led to the other."""
    spans = caught(chained, TraceConfig(hide_inputs=True))
    lines = exception_of(spans.find("log in"))["exception.stacktrace"].splitlines()
    told = [line for line in lines if not line.startswith(" ") and line]
    name = f"{Refused.__module__}.Refused"
    assert told == [
        "Traceback (most recent call last):",
        f"{name}: {REDACTED}",
        "The above exception was the direct cause of the following exception:",
        "Traceback (most recent call last):",
        f"KeyError: {REDACTED}",
        "During handling of the above exception, another exception occurred:",
        "Traceback (most recent call last):",
        f"ValueError: {REDACTED}",
    ]
    hidden = exception_of(caught(suppressed, TraceConfig(hide_inputs=True)).find("log in"))["exception.stacktrace"]
    assert hidden.count("Traceback") == 1


@pytest.mark.skipif(sys.version_info < (3, 11), reason="groups came with Python 3.11")
def test_the_members_of_a_group_are_told_by_their_types() -> None:
    """Each with its frames, where it was raised."""
    recorded = exception_of(caught(grouped, TraceConfig(hide_inputs=True)).find("log in"))
    assert recorded["exception.stacktrace"].count("In this group:") == 3
    assert f"ValueError: {REDACTED}" in recorded["exception.stacktrace"]
    assert f"Refused: {REDACTED}" in recorded["exception.stacktrace"]


@pytest.mark.parametrize("function", MATERIAL)
def test_what_a_redactor_knows_is_nowhere(function: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Neither in attributes, events, statuses nor the log; what else the exception says is."""
    caplog.set_level(logging.DEBUG)
    asked: list[str] = []

    def redact(key: str, text: str) -> str:
        asked.append(key)
        return text.replace(SECRET, "•")

    spans = caught(function, TraceConfig(redact=redact))
    assert not [text for text in everything(spans) if SECRET in text]
    assert SECRET not in caplog.text
    recorded = exception_of(spans.find("log in"))
    assert "•" in recorded["exception.stacktrace"] or function is decoding  # which doesn't quote what it can't decode
    assert "•" in recorded["exception.message"] or function in (decoding, syntax)
    assert {"exception.message", "exception.stacktrace", "status.description"} <= set(asked)


def test_a_redactor_that_fails_leaves_no_text(caplog: pytest.LogCaptureFixture) -> None:
    """The message, the stack trace and the description are all redacted."""

    def redact(key: str, text: str) -> str:
        raise ValueError(text)

    caplog.set_level(logging.DEBUG)
    spans = caught(chained, TraceConfig(redact=redact))
    span = spans.find("log in")
    assert exception_of(span)["exception.message"] == REDACTED
    assert exception_of(span)["exception.stacktrace"] == REDACTED
    assert exception_of(span)["exception.type"] == "ValueError"
    assert span.status.description == REDACTED
    assert SECRET not in caplog.text


def quoting_json() -> None:
    raise ValueError(f"server said 401: {json.dumps({'user': 'ann', 'password': SECRET})}")


def quoting_python() -> None:
    raise ValueError(f"bad settings {{'api_key': '{SECRET}'}} for Client(token='{SECRET}')")


def quoting_address() -> None:
    raise ConnectionError(f"no answer from https://example.com/v1?q=1&api_key={SECRET}")


@pytest.mark.parametrize("function", [quoting_json, quoting_python, quoting_address])
def test_secrets_that_an_exception_quotes_are_redacted_by_default(function: Any) -> None:
    """In JSON, in what Python writes and in addresses; the rest of the text is there to be read."""
    spans = caught(function, TraceConfig())
    assert not [text for text in everything(spans) if SECRET in text]
    recorded = exception_of(spans.find("log in"))
    assert REDACTED in recorded["exception.message"]
    assert recorded["exception.message"].split()[0] in ("server", "bad", "no")
    shown = caught(function, TraceConfig(redact_secrets=False))
    assert SECRET in exception_of(shown.find("log in"))["exception.message"]


def test_the_descriptions_that_the_user_gives() -> None:
    """A status set by hand, and an event's attributes, pass the mask as well."""

    @trace_chain
    def step() -> None:
        current_span().add_event("refused", {"exception.message": SECRET, "note": "n", "password": SECRET})
        current_span().set_status("error", SECRET)

    with capture_spans(config=TraceConfig(hide_outputs=True)) as spans:
        step()
    assert not [text for text in everything(spans) if SECRET in text]
    assert spans[0].status.description == REDACTED
    assert dict(spans[0].events[0].attributes or {}) == {
        "exception.message": REDACTED,
        "note": "n",
        "password": REDACTED,
    }


def test_the_log_of_a_fault_has_no_text_where_texts_are_hidden(caplog: pytest.LogCaptureFixture) -> None:
    """At DEBUG level the traceback is logged, but not where a configuration hides or redacts."""
    caplog.set_level(logging.DEBUG)

    def fail(bound: dict[str, Any]) -> object:
        raise ValueError(SECRET)

    @trace_chain(process_input=fail, name="first")
    def first() -> None: ...

    @trace_chain(process_input=fail, name="second")
    def second() -> None: ...

    with capture_spans():
        first()
    assert f"ValueError: {SECRET}" in caplog.text
    caplog.clear()
    with capture_spans(config=TraceConfig(redact=lambda key, text: text)):
        second()
    assert "as texts are hidden" in caplog.text
    assert SECRET not in caplog.text
