"""What is recorded of an attribute is what OpenInference's own library records of it, except where ours is stricter."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openinference import instrumentation
from openinference.semconv.trace import SpanAttributes

from agenttrace.semconv.mask import Mask
from agenttrace.semconv.masking import REDACTED
from agenttrace.semconv.privacy import HIDING, TraceConfig
from agenttrace.semconv.vocabulary import TYPES

LIMIT = 100
SMALL = "data:image/png;base64," + "A" * 8
LARGE = "data:image/png;base64," + "A" * 400
LISTS = (
    *("llm.input_messages", "llm.output_messages", "llm.tools", "llm.prompts", "llm.choices"),
    *("retrieval.documents", "reranker.input_documents", "reranker.output_documents", "embedding.embeddings"),
    *("input.images", "output.images", "input.documents", "output.documents", "annotations"),
)
PARTS = ("image.image.url", "audio.audio.url", "audio.audio.transcript", "video.video.url", "document.document.url")
SINGLE = sorted({value for name, value in vars(SpanAttributes).items() if name.isupper()})


def flattened() -> list[str]:
    """Every reserved name at the root and in every list, and every part of a message."""
    keys = [*SINGLE, *TYPES]
    for name in LISTS:
        keys += [f"{name}.0.{leaf}" for leaf in TYPES]
        keys += [f"{name}.12"]
    for name in LISTS[:2]:
        contents = f"{name}.3.message.contents.1.message_content"
        keys += [f"{contents}.{part}" for part in (*PARTS, "text", "type", "data", "document.document.content")]
        keys += [f"{name}.3.message.tool_calls.0.tool_call.function.arguments"]
    return list(dict.fromkeys(keys))


KEYS = flattened()

# Where ours hides more, by the field that is set; docs/privacy.md says so and why.
EMBEDDED_TEXT = ("embedding.embeddings", "embedding.text")
STRICTER: dict[str, list[tuple[str, ...]]] = {
    "hide_inputs": [
        EMBEDDED_TEXT,
        ("llm.prompt_template.variables",),
        ("input.documents",),
        *[("exception.message",), ("exception.stacktrace",)],
    ],
    "hide_outputs": [
        ("llm.function_call",),
        ("output.documents",),
        *[("exception.message",), ("exception.stacktrace",)],
    ],
    "hide_input_messages": [EMBEDDED_TEXT, ("exception.message",), ("exception.stacktrace",)],
    "hide_output_messages": [("exception.message",), ("exception.stacktrace",)],
    "hide_input_text": [
        EMBEDDED_TEXT,
        *[("llm.input_messages", "message_content.document"), ("llm.input_messages", "message_content.audio")],
        ("input.documents",),
        *[("exception.message",), ("exception.stacktrace",)],
    ],
    "hide_output_text": [
        *[("llm.output_messages", "message_content.document"), ("llm.output_messages", "message_content.audio")],
        ("output.documents",),
        *[("exception.message",), ("exception.stacktrace",)],
    ],
    "hide_input_images": [("llm.input_messages", "message_content.video")],
    "hide_prompts": [("exception.message",), ("exception.stacktrace",)],
    "hide_choices": [("exception.message",), ("exception.stacktrace",)],
    "hide_retrieval_documents": [("exception.message",), ("exception.stacktrace",)],
    "hide_embeddings_text": [("exception.message",), ("exception.stacktrace",)],
}


def is_stricter(hidden: dict[str, bool], key: str) -> bool:
    return any(
        all(part in key for part in parts) for name, rows in STRICTER.items() if hidden.get(name) for parts in rows
    )


def compared(hidden: dict[str, Any], key: str, value: Any) -> tuple[Any, Any]:
    """What we record and what they do; None for nothing."""
    given = {**dict.fromkeys(HIDING, False), **hidden}
    ours = Mask(TraceConfig(**given, base64_image_max_length=LIMIT)).attributes({key: value})
    theirs = instrumentation.TraceConfig(**given, base64_image_max_length=LIMIT).mask(key, value)
    return ours.get(key), theirs


@pytest.mark.parametrize("field", [None, *HIDING])
def test_each_field_hides_what_theirs_does(field: str | None) -> None:
    """Every reserved name, flattened or not, with texts and with images below and over the limit."""
    hidden = {} if field is None else {field: True}
    for key in KEYS:
        for value in ("text", SMALL, LARGE):
            ours, theirs = compared(hidden, key, value)
            if ours != theirs:
                assert is_stricter(hidden, key), (key, value, ours, theirs)
                assert ours in (None, REDACTED)
                assert theirs == value


def test_where_ours_is_stricter_is_no_more_than_it_says() -> None:
    """Each row of the table above is needed, so that the documentation says what is so."""
    for field, rows in STRICTER.items():
        for parts in rows:
            keys = [key for key in KEYS if all(part in key for part in parts)]
            assert any(compared({field: True}, key, "text")[0] != "text" for key in keys), (field, parts)
            assert any(compared({field: True}, key, "text")[1] == "text" for key in keys), (field, parts)


@settings(max_examples=500, deadline=None)
@given(
    st.dictionaries(st.sampled_from(HIDING), st.booleans()),
    st.sampled_from(KEYS) | st.tuples(st.sampled_from(KEYS), st.sampled_from(KEYS)).map(".0.".join),
    st.sampled_from(["text", SMALL, LARGE, "data:image/svg+xml,<svg/>" * 20, "", 5, 1.5, True]),
)
def test_all_combinations_hide_what_theirs_do(hidden: dict[str, bool], key: str, value: object) -> None:
    """However many fields are set, and whatever the attribute is called."""
    ours, theirs = compared(hidden, key, value)
    if is_stricter(hidden, key):
        assert ours in (theirs, None, REDACTED)
    else:
        assert ours == theirs


def test_callables_are_no_values_of_ours() -> None:
    """Theirs takes functions that give the value late; ours is asked whether it has to be made at all."""
    assert Mask(TraceConfig(hide_inputs=True)).hides_input
    assert Mask(TraceConfig(hide_outputs=True)).hides_output
    assert not Mask(TraceConfig()).hides_input
    assert not Mask(TraceConfig(hide_input_messages=True)).hides_input
