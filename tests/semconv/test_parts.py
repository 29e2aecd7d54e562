"""The parts of a message, in the shape of whichever provider, become OpenInference's content parts."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from agenttrace.semconv.media import Room
from agenttrace.semconv.parts import is_part, joined_text, read_parts, read_tool_call

from .hostile import HOSTILE, anything, assert_untouched

quick = settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])

PNG = "data:image/png;base64,AAAA"
WAV = "data:audio/wav;base64,AAAA"

PARTS: dict[str, tuple[Any, dict[str, Any]]] = {
    "text": ({"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}, {"type": "text", "text": "a"}),
    "input_text": ({"type": "input_text", "text": "a"}, {"type": "text", "text": "a"}),
    "output_text": ({"type": "output_text", "text": "a", "annotations": []}, {"type": "text", "text": "a"}),
    "refusal": ({"type": "refusal", "refusal": "No."}, {"type": "text", "text": "No."}),
    "an assistant's text": ({"type": "text", "text": {"value": "a", "annotations": []}}, {"type": "text", "text": "a"}),
    "text that is no text": ({"type": "text", "text": {"a": 1}}, {"type": "text", "text": {"a": 1}}),
    "text of nothing": ({"type": "text"}, {"type": "text", "text": ""}),
    "Gemini's text": ({"text": "a", "thoughtSignature": "s"}, {"type": "text", "text": "a", "signature": "s"}),
    "Gemini's thought": (
        {"text": "hm", "thought": True, "thoughtSignature": "s"},
        {"type": "reasoning", "text": "hm", "signature": "s"},
    ),
    "a thought": (
        {"type": "thinking", "thinking": "hm", "signature": "s"},
        {"type": "reasoning", "text": "hm", "signature": "s"},
    ),
    "a hidden thought": ({"type": "redacted_thinking", "data": "d"}, {"type": "reasoning", "data": "d"}),
    "Mistral's thought": (
        {"type": "thinking", "thinking": [{"type": "text", "text": "h"}, {"type": "text", "text": "m"}]},
        {"type": "reasoning", "text": "hm"},
    ),
    "OpenAI's thought": (
        {"type": "reasoning", "id": "r", "summary": [{"type": "summary_text", "text": "hm"}]},
        {"type": "reasoning", "id": "r", "text": "hm"},
    ),
    "OpenAI's whole thought": (
        {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "hm"}]},
        {"type": "reasoning", "text": "hm"},
    ),
    "a thought without words": ({"type": "reasoning", "summary": []}, {"type": "reasoning"}),
    "Bedrock's hidden thought": (
        {"reasoningContent": {"redactedContent": b"abc"}},
        {"type": "reasoning", "data": "YWJj"},
    ),
    "image_url": (
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "low"}},
        {"type": "image", "url": "https://example.com/a.png"},
    ),
    "image_url as text": (
        {"type": "image_url", "image_url": "https://example.com/a.png"},
        {"type": "image", "url": "https://example.com/a.png"},
    ),
    "input_image": ({"type": "input_image", "image_url": PNG}, {"type": "image", "url": PNG}),
    "an uploaded image": ({"type": "input_image", "file_id": "file-1"}, {"type": "image", "url": "file-1"}),
    "Anthropic's image": (
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
        {"type": "image", "url": PNG},
    ),
    "Anthropic's image at an address": (
        {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}},
        {"type": "image", "url": "https://example.com/a.png"},
    ),
    "MCP's image": (
        {"type": "image", "data": "AAAA", "mimeType": "image/jpeg"},
        {"type": "image", "url": "data:image/jpeg;base64,AAAA"},
    ),
    "Gemini's image": (
        {"inlineData": {"data": "AAAA", "mimeType": "image/png"}},
        {"type": "image", "url": PNG},
    ),
    "Gemini's file": (
        {"fileData": {"fileUri": "gs://bucket/a.mp4", "mimeType": "video/mp4"}},
        {"type": "video", "url": "gs://bucket/a.mp4"},
    ),
    "Gemini's bytes": (
        {"inline_data": {"data": b"\0\0\0", "mime_type": "audio/wav"}},
        {"type": "audio", "url": WAV, "mime_type": "audio/wav"},
    ),
    "Gemini's bytes of an unknown kind": (
        {"inline_data": {"data": b"\0\0\0"}},
        {"type": "document", "url": "data:application/octet-stream;base64,AAAA"},
    ),
    "Bedrock's image": (
        {"image": {"format": "jpeg", "source": {"bytes": b"\0\0\0"}}},
        {"type": "image", "url": "data:image/jpeg;base64,AAAA"},
    ),
    "an image in a file": (
        {"type": "image", "image": "pictures/cat.png"},
        {"type": "image", "url": "pictures/cat.png"},
    ),
    "an image that is none": ({"type": "image"}, {"type": "text", "text": "[NoneType, not recorded]"}),
    "input_audio": (
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
        {"type": "audio", "url": WAV, "mime_type": "audio/wav"},
    ),
    "audio_url": (
        {"type": "audio_url", "audio_url": {"url": "https://example.com/a.mp3"}},
        {"type": "audio", "url": "https://example.com/a.mp3"},
    ),
    "video_url": (
        {"type": "video_url", "video_url": {"url": "https://example.com/a.mp4"}},
        {"type": "video", "url": "https://example.com/a.mp4"},
    ),
    "a file": (
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AAAA"}},
        {"type": "document", "url": "data:application/pdf;base64,AAAA", "name": "a.pdf"},
    ),
    "an uploaded file": ({"type": "input_file", "file_id": "file-1"}, {"type": "document", "id": "file-1"}),
    "Anthropic's document": (
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "a"}, "title": "A"},
        {"type": "document", "content": "a", "mime_type": "text/plain", "name": "A"},
    ),
    "Anthropic's PDF": (
        {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "AAAA"}},
        {"type": "document", "url": "data:application/pdf;base64,AAAA", "mime_type": "application/pdf"},
    ),
    "Anthropic's document of parts": (
        {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "a"}]}},
        {"type": "document", "content": "a"},
    ),
    "Cohere's document": (
        {"type": "document", "document": {"id": "d1", "data": {"text": "a"}}},
        {"type": "document", "id": "d1", "content": "a"},
    ),
    "Mistral's document": (
        {"type": "document_url", "document_url": "https://example.com/a.pdf", "document_name": "a.pdf"},
        {"type": "document", "url": "https://example.com/a.pdf", "name": "a.pdf"},
    ),
    "Gemini's code": (
        {"executableCode": {"language": "PYTHON", "code": "print(1)"}},
        {"type": "text", "text": "print(1)"},
    ),
    "what its code printed": (
        {"codeExecutionResult": {"outcome": "OK", "output": "1\n"}},
        {"type": "text", "text": "1\n"},
    ),
    "Anthropic's call": (
        {"type": "tool_use", "id": "1", "name": "f", "input": {"a": 1}},
        {"type": "tool_use", "tool_call": {"id": "1", "name": "f", "arguments": {"a": 1}}},
    ),
    "Gemini's call": (
        {"functionCall": {"name": "f", "args": {}}, "thoughtSignature": "s"},
        {"type": "tool_use", "tool_call": {"name": "f", "arguments": {}, "reasoning_signature": "s"}},
    ),
    "what nobody knows": ({"type": "hologram", "beam": 1}, {"type": "text", "text": {"type": "hologram", "beam": 1}}),
    "a string": ("a", {"type": "text", "text": "a"}),
    "a number": (5, {"type": "text", "text": 5}),
}


@pytest.mark.parametrize(("part", "expected"), PARTS.values(), ids=PARTS)
def test_a_part_is_read(part: Any, expected: dict[str, Any]) -> None:
    """By its type, or by the fields that it has."""
    assert read_parts([part]) == ([expected], [])
    assert read_parts(part) == ([expected], [])


RESULTS: dict[str, tuple[Any, tuple[str | None, str | None, Any]]] = {
    "Anthropic's": ({"type": "tool_result", "tool_use_id": "1", "content": "a"}, ("1", None, "a")),
    "OpenAI's": ({"type": "function_call_output", "call_id": "1", "output": "a"}, ("1", None, "a")),
    "Gemini's": ({"functionResponse": {"name": "f", "response": {"a": 1}}}, (None, "f", {"a": 1})),
    "Bedrock's": ({"toolResult": {"toolUseId": "1", "content": []}}, ("1", None, [])),
}


@pytest.mark.parametrize(("part", "expected"), RESULTS.values(), ids=RESULTS)
def test_a_result_of_a_tool_is_no_part(part: Any, expected: tuple[str | None, str | None, Any]) -> None:
    """It is a message of its own in OpenInference."""
    assert read_parts(["a", part, "b"]) == ([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], [expected])


CALLS: dict[str, tuple[Any, dict[str, Any] | None]] = {
    "OpenAI's": (
        {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}},
        {"id": "1", "name": "f", "arguments": '{"a":1}'},
    ),
    "OpenAI's free-form": (
        {"id": "1", "type": "custom", "custom": {"name": "f", "input": "SELECT 1"}},
        {"id": "1", "name": "f", "arguments": "SELECT 1"},
    ),
    "OpenAI's responses'": (
        {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": "{}"},
        {"id": "call_1", "name": "f", "arguments": "{}"},
    ),
    "LangChain's": ({"name": "f", "args": {"a": 1}, "id": None}, {"name": "f", "arguments": {"a": 1}}),
    "Mistral's without an id": (
        {"id": "null", "function": {"name": "f", "arguments": {}}},
        {"name": "f", "arguments": {}},
    ),
    "Cohere's of the old kind": ({"name": "f", "parameters": {"a": 1}}, {"name": "f", "arguments": {"a": 1}}),
    "one whose function is a name": ({"function": "f", "arguments": "{}"}, {"name": "f", "arguments": "{}"}),
    "one without arguments": ({"name": "f"}, {"name": "f"}),
    "one without a name": ({"id": "1", "arguments": "{}"}, None),
    "no call": ("f", None),
}


@pytest.mark.parametrize(("call", "expected"), CALLS.values(), ids=CALLS)
def test_a_call_of_a_tool_is_read(call: Any, expected: dict[str, Any] | None) -> None:
    """Its name, its id, its arguments as the model wrote them or as they were meant."""
    assert read_tool_call(call) == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("a", "a"),
        (["a", "b"], "ab"),
        ([{"type": "text", "text": "a"}, "b"], "ab"),
        ({"type": "text", "text": "a"}, "a"),
        ([{"text": "a"}], "a"),
        ({"text": "a", "score": 1}, {"text": "a", "score": 1}),
        ([{"text": "a", "score": 1}], [{"text": "a", "score": 1}]),
        ([{"type": "text", "text": "a"}, {"type": "image"}], [{"type": "text", "text": "a"}, {"type": "image"}]),
        ([], []),
        (None, None),
        ({"a": 1}, {"a": 1}),
    ],
)
def test_texts_are_joined_where_there_is_nothing_else(content: Any, expected: Any) -> None:
    """A tool's result in several texts is one text; one with an image in it stays in parts."""
    assert joined_text(content) == expected


def test_texts_that_are_too_long_together_stay_apart() -> None:
    """Joining them would copy them; the encoder keeps no more than a part of one."""
    texts = ["x" * 5_000_000] * 10
    assert joined_text(texts) is texts


def test_raw_data_is_written_as_far_as_there_is_room() -> None:
    """Base64 takes time: a megabyte of one image is written, and some of all together."""
    [large], _ = read_parts([{"inline_data": {"data": bytes(2_000_000), "mime_type": "image/png"}}])
    assert large == {"type": "text", "text": "[image/png, too large to record]"}
    many, _ = read_parts([{"type": "image", "image": bytes(900_000)}] * 12)
    assert [part["type"] for part in many] == ["image"] * 8 + ["text"] * 4
    assert many[-1] == {"type": "text", "text": "[900000 bytes, too large to record]"}


def test_a_very_long_text_is_no_data_to_be_copied() -> None:
    """What is longer than any image is described."""
    [part], _ = read_parts([{"type": "image", "source": {"data": "A" * 50_000_000}}])
    assert part["type"] == "text"


def test_very_many_parts_are_cut() -> None:
    """A text says how many are left out."""
    parts, _ = read_parts(["a"] * 100_000)
    assert len(parts) == Room.MOST_PARTS + 1
    assert parts[-1] == {"type": "text", "text": f"… {100_000 - Room.MOST_PARTS} more parts"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"type": "text", "text": "a"}, True),
        ({"text": "a"}, True),
        ({"inline_data": {}}, True),
        ({"type": "hologram"}, False),
        ({"city": "Oslo"}, False),
        (5, False),
        (None, False),
    ],
)
def test_a_part_is_known_by_its_shape(value: object, expected: bool) -> None:
    """What is in none is none."""
    assert is_part(value) is expected


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_what_resists_does_no_harm(make: Any) -> None:
    """Nothing of a foreign object is called while it is read as a part, or in the place of any field of one."""
    value = make()
    for kind in ("image", "input_audio", "video", "document", "file", "thinking", "tool_use", "tool_result", "text"):
        names = ("text", "image_url", "source", "data", "thinking", "summary", "name", "input", "content", "file_id")
        read_parts([{"type": kind, **dict.fromkeys(names, value)}, {"type": kind, "source": {"data": value}}])
    read_parts([value])
    read_tool_call({"function": {"name": value, "arguments": value}, "id": value})
    assert_untouched(value)


@quick
@given(anything)
def test_anything_can_be_a_part(value: object) -> None:
    """Every part says what it is, and every call which tool it calls."""
    parts, _ = read_parts(value)
    for part in parts:
        assert type(part["type"]) is str
        if part["type"] == "tool_use":
            assert type(part["tool_call"]["name"]) is str
