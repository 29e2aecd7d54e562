"""`Mask`: images over the limit, the user's `redact`, secrets by an attribute's name, and its own faults."""

from __future__ import annotations

import logging
import signal
import threading
from typing import Any

import pytest
from openinference.semconv.trace import SpanAttributes

from agenttrace.current import get_current, is_suppressed
from agenttrace.semconv.mask import Mask, closed_mask
from agenttrace.semconv.masking import REDACTED, configure, current_mask, use_config
from agenttrace.semconv.privacy import TraceConfig
from tests.isolation import warnings_in

IMAGE = "llm.input_messages.0.message.contents.0.message_content.image.image.url"


def image(length: int) -> str:
    head = "data:image/png;base64,"
    return head + "A" * (length - len(head))


def test_nothing_is_configured_by_default() -> None:
    """Then attributes need not pass, and pass as the very same dictionary."""
    mask = Mask(TraceConfig())
    assert not mask.is_active
    assert not mask.withholds_errors
    attributes = {"input.value": "x", "llm.token_count.prompt": 3, "tag.tags": ["a"]}
    assert mask.attributes(attributes) is attributes
    assert mask.status_description("went wrong") == "went wrong"


@pytest.mark.parametrize(
    "config",
    [
        {"hide_llm_tools": True},
        {"redact": lambda key, text: text},
        {"base64_image_max_length": 5},
    ],
)
def test_anything_configured_makes_it_active(config: dict[str, Any]) -> None:
    """Whatever hides, redacts or limits."""
    assert Mask(TraceConfig(**config)).is_active
    assert not Mask(TraceConfig(redact_secrets=False)).is_active


def test_images_over_the_limit_are_redacted_without_being_asked_for() -> None:
    """32,000 characters by default; an address, and what is no base64, is of any length."""
    mask = Mask(TraceConfig())
    assert mask.attributes({IMAGE: image(32_000)}) == {IMAGE: image(32_000)}
    assert mask.attributes({IMAGE: image(32_001)}) == {IMAGE: REDACTED}
    assert mask.attributes({"input.images.0.image.url": image(32_001)}) == {"input.images.0.image.url": REDACTED}
    address = "https://example.com/" + "a" * 40_000
    assert mask.attributes({IMAGE: address}) == {IMAGE: address}
    assert mask.image(IMAGE, image(32_001)) == REDACTED
    assert mask.image(IMAGE, "https://example.com/a.png") == "https://example.com/a.png"
    hiding = Mask(TraceConfig(hide_input_images=True))
    assert hiding.image(IMAGE, "https://example.com/a.png") == REDACTED
    assert hiding.attributes({IMAGE: "https://example.com/a.png"}) == {}


def test_the_attributes_that_are_given_stay_as_they_are() -> None:
    """A mark's static attributes are used again and again."""
    attributes = {"input.value": "x", "input.mime_type": "text/plain", "app.api_key": "k"}
    masked = Mask(TraceConfig(hide_inputs=True)).attributes(attributes)
    assert masked == {"input.value": REDACTED, "app.api_key": REDACTED}
    assert attributes == {"input.value": "x", "input.mime_type": "text/plain", "app.api_key": "k"}


def test_attributes_whose_name_says_that_they_are_secrets() -> None:
    """By the last part of the name; what is True or False is none, and reserved names aren't."""
    attributes = {
        "app.api_key": "k",
        "http.request.header.cookie": ["a", "b"],
        "app.uses_auth": True,
        "app.auth": False,
        "llm.token_count.prompt": 3,
        "app.tokens": 3,
    }
    hidden = {**attributes, "app.api_key": REDACTED, "http.request.header.cookie": REDACTED}
    assert Mask(TraceConfig()).attributes(attributes) == hidden
    assert Mask(TraceConfig(redact_secrets=False)).attributes(attributes) == attributes


def test_other_conventions_are_hidden_too() -> None:
    """OpenTelemetry's own for model calls, by which other libraries' spans in the trace may be written."""
    attributes = {
        "gen_ai.input.messages": "[]",
        "gen_ai.system_instructions": "[]",
        "gen_ai.output.messages": "[]",
        "gen_ai.prompt.0.content": "x",
        "gen_ai.completion.0.content": "x",
        "gen_ai.tool.call.arguments": "{}",
        "gen_ai.tool.call.result": "x",
        "gen_ai.request.model": "m",
    }
    assert Mask(TraceConfig(hide_inputs=True, hide_outputs=True)).attributes(attributes) == {
        "gen_ai.request.model": "m"
    }
    hidden = Mask(TraceConfig(hide_input_text=True)).attributes(attributes)
    assert hidden["gen_ai.input.messages"] == REDACTED
    assert hidden["gen_ai.output.messages"] == "[]"


def test_audio_and_documents_of_the_span_itself() -> None:
    """With the inputs they go; with their texts, what they say goes."""
    attributes = {
        "input.audio.url": "u",
        "input.audio.transcript": "t",
        "input.audio.mime_type": "audio/wav",
        "input.documents.0.document.content": "c",
        "input.documents.0.document.name": "n",
    }
    assert Mask(TraceConfig(hide_inputs=True)).attributes(attributes) == {}
    assert Mask(TraceConfig(hide_input_text=True)).attributes(attributes) == {
        "input.audio.url": REDACTED,
        "input.audio.transcript": REDACTED,
        "input.audio.mime_type": "audio/wav",
        "input.documents.0.document.content": REDACTED,
        "input.documents.0.document.name": "n",
    }


class Calls:
    """A `redact` that remembers what it was asked."""

    def __init__(self, answer: Any = None) -> None:
        self.asked: list[tuple[str, str]] = []
        self.answer = answer

    def __call__(self, key: str, text: str) -> str:
        self.asked.append((key, text))
        assert is_suppressed(get_current())
        return f"<{text}>" if self.answer is None else self.answer


def test_redact_is_asked_about_every_text() -> None:
    """Texts alone and in lists, with tracing suppressed; not what is no text, is hidden, or is the library's own."""
    redact = Calls()
    mask = Mask(TraceConfig(redact=redact, hide_outputs=True))
    masked = mask.attributes(
        {
            SpanAttributes.OPENINFERENCE_SPAN_KIND: "LLM",
            SpanAttributes.INPUT_VALUE: "hello",
            SpanAttributes.INPUT_MIME_TYPE: "text/plain",
            SpanAttributes.OUTPUT_VALUE: "bye",
            SpanAttributes.TAG_TAGS: ["a", "b"],
            "embedding.embeddings.0.embedding.vector": [0.5, 1.5],
            SpanAttributes.LLM_TOKEN_COUNT_PROMPT: 3,
            "flag": True,
            "nested": {"a": "b", "c": 1},
        }
    )
    assert masked == {
        SpanAttributes.OPENINFERENCE_SPAN_KIND: "LLM",
        SpanAttributes.INPUT_VALUE: "<hello>",
        SpanAttributes.INPUT_MIME_TYPE: "text/plain",
        SpanAttributes.OUTPUT_VALUE: REDACTED,
        SpanAttributes.TAG_TAGS: ["<a>", "<b>"],
        "embedding.embeddings.0.embedding.vector": [0.5, 1.5],
        SpanAttributes.LLM_TOKEN_COUNT_PROMPT: 3,
        "flag": True,
        "nested": {"a": "<b>", "c": 1},
    }
    assert redact.asked == [("input.value", "hello"), ("tag.tags", "a"), ("tag.tags", "b"), ("nested", "b")]
    assert not is_suppressed(get_current())
    assert Mask(TraceConfig(redact=redact)).status_description("no luck") == "<no luck>"
    assert redact.asked[-1] == ("status.description", "no luck")
    assert mask.status_description("no luck") == REDACTED


class Loud(str):
    """A string that says something else when it is asked."""

    __slots__ = ()

    def __str__(self) -> str:
        return "hunter2"

    def isascii(self) -> bool:
        raise AssertionError("asked")

    def encode(self, *args: Any, **kwargs: Any) -> bytes:
        return b"hunter2"


def test_what_redact_returns_is_recorded_as_plain_valid_text() -> None:
    """A string of a subclass as what it is; what no exporter could send, written out."""
    masked = Mask(TraceConfig(redact=lambda key, text: Loud("quiet"))).attributes({"a": "x"})
    assert masked == {"a": "quiet"}
    assert type(masked["a"]) is str
    assert Mask(TraceConfig(redact=lambda key, text: "\udc80ö")).attributes({"a": "x"}) == {"a": "\\udc80ö"}


@pytest.mark.parametrize("answer", [5, b"bytes", ["a"], object()])
def test_a_redact_that_returns_no_string_redacts(answer: object, caplog: pytest.LogCaptureFixture) -> None:
    """With one warning, which doesn't quote it."""
    mask = Mask(TraceConfig(redact=Calls(answer)))
    assert mask.attributes({"a": "hunter2", "b": "hunter2"}) == {"a": REDACTED, "b": REDACTED}
    [warning] = warnings_in(caplog)
    assert type(answer).__name__ in warning
    assert "hunter2" not in caplog.text


@pytest.mark.parametrize("error", [ValueError, SystemExit, KeyboardInterrupt, GeneratorExit, RecursionError])
def test_a_redact_that_raises_redacts(error: type[BaseException], caplog: pytest.LogCaptureFixture) -> None:
    """Whatever it raises; one line of log names the type and nothing else, at DEBUG level too."""
    caplog.set_level(logging.DEBUG)

    def redact(key: str, text: str) -> str:
        raise error(text)

    with use_config(TraceConfig(redact=redact)) as mask:
        assert mask.attributes({"a": "hunter2", "n": 1}) == {"a": REDACTED, "n": 1}
        assert mask.attributes({"a": "hunter2"}) == {"a": REDACTED}
    assert len(warnings_in(caplog)) == 1
    assert error.__name__ in warnings_in(caplog)[0]
    assert "hunter2" not in caplog.text
    assert "as texts are hidden" in caplog.text


def test_a_signal_that_arrives_while_redact_runs_reaches_the_program() -> None:
    """Ctrl-C is the program's, not the redactor's."""

    def redact(key: str, text: str) -> str:
        signal.raise_signal(signal.SIGINT)
        return text

    mask = Mask(TraceConfig(redact=redact))
    with pytest.raises(KeyboardInterrupt):
        mask.attributes({"a": "x"})
    assert not is_suppressed(get_current())


def test_masking_that_fails_redacts(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """A fault of ours shows nothing: every value goes but what is the library's own word."""
    mask = Mask(TraceConfig(hide_llm_tools=True))

    def fail(key: str) -> bool:
        raise OSError("hunter2")

    monkeypatch.setattr(mask, "_rules", [(fail, None)])
    attributes = {SpanAttributes.OPENINFERENCE_SPAN_KIND: "LLM", "a": "hunter2", "b": 5}
    hidden = {SpanAttributes.OPENINFERENCE_SPAN_KIND: "LLM", "a": REDACTED, "b": REDACTED}
    assert mask.attributes(attributes) == hidden
    assert mask.event_attributes(attributes) == hidden
    assert mask.foreign_attributes(attributes) == hidden
    assert mask.hidden_attributes(attributes) == hidden
    assert "hunter2" not in caplog.text


def test_the_closed_mask_hides_all() -> None:
    """What is in force when nobody could say what is."""
    mask = closed_mask()
    for key in ("llm.input_messages.0.message.content", "llm.output_messages.0.message.content", "llm.tools.0", IMAGE):
        assert mask.attributes({key: "x"}) == {}
    for key in ("input.value", "output.value", "llm.prompts.0", "embedding.embeddings.0.embedding.text", "app.api_key"):
        assert mask.attributes({key: "x"}) == {key: REDACTED}
    assert mask.hides_error_texts


def test_the_texts_of_exceptions_are_hidden_with_the_inputs_or_the_outputs() -> None:
    """In events and in attributes, since they may repeat what is hidden; their types stay."""
    attributes = {"exception.type": "ValueError", "exception.message": "x", "exception.stacktrace": "x"}
    shown = Mask(TraceConfig(hide_llm_tools=True, hide_embeddings_vectors=True)).event_attributes(attributes)
    assert shown == attributes
    hidden = {"exception.type": "ValueError", "exception.message": REDACTED, "exception.stacktrace": REDACTED}
    for field in ("hide_inputs", "hide_output_text", "hide_prompts", "hide_retrieval_documents"):
        config: dict[str, Any] = {field: True}
        assert Mask(TraceConfig(**config)).event_attributes(attributes) == hidden


def test_many_names_are_remembered_in_bounds() -> None:
    """A program that makes up attribute names doesn't make the mask grow."""
    mask = Mask(TraceConfig(hide_inputs=True))
    for number in range(40_000):
        mask.attributes({f"app.number.{number}": 1})
    assert len(mask._actions) <= 16_384


def test_blocks_of_a_configuration_are_kept_apart() -> None:
    """Nested ones, and those of two threads; a thread without a context sees the one that was opened last."""
    seen = {}
    opened, done = threading.Event(), threading.Event()

    def other() -> None:
        with use_config(TraceConfig(hide_outputs=True)) as mask:
            opened.set()
            done.wait(30)
            seen["other"] = current_mask() is mask

    with use_config(TraceConfig(hide_inputs=True)) as outer:
        thread = threading.Thread(target=other)
        thread.start()
        assert opened.wait(30)
        assert current_mask() is outer
        with use_config(TraceConfig(hide_prompts=True)) as inner:
            assert current_mask() is inner
        assert current_mask() is outer
        done.set()
        thread.join()
        bare = threading.Thread(target=lambda: seen.update(bare=current_mask() is outer))
        bare.start()
        bare.join()
    assert seen == {"other": True, "bare": True}
    assert not current_mask().is_active


def test_what_was_registered_is_in_force_until_something_else_is() -> None:
    """None goes back to what the environment says."""
    assert configure(TraceConfig(hide_inputs=True)) is current_mask()
    assert current_mask().hides_input
    assert configure(None) is current_mask()
    assert not current_mask().hides_input


def test_a_program_at_its_recursion_limit_records_nothing_and_recovers(caplog: pytest.LogCaptureFixture) -> None:
    """The environment is read by the next call that has room for it."""

    def deep() -> Any:
        try:
            return deep()
        except RecursionError:
            try:
                return current_mask()
            except RecursionError:
                return None

    deep()
    assert not current_mask().is_active
    assert not warnings_in(caplog)
