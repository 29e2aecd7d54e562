"""Pydantic AI's histories, as a model is sent them, and its responses: the objects, and what is dumped from them."""

from __future__ import annotations

from pydantic_ai.messages import (
    AudioUrl,
    BinaryContent,
    CachePoint,
    DocumentUrl,
    ImageUrl,
    ModelMessage,
    ModelMessagesTypeAdapter,
    ModelRequest,
    ModelResponse,
    SystemPromptPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.usage import RequestUsage

from agenttrace.readers.responses import read_response
from agenttrace.semconv.messages import read_messages

LOOK = ToolCallPart("look", {"at": "b.png"}, "call_look")


def test_a_history_is_read_as_it_is_sent() -> None:
    """Requests hold several messages each; the newest instructions come first; files keep their addresses."""
    prompt = ["Look:", ImageUrl("https://a/b.png"), BinaryContent(b"abc", media_type="image/png"), CachePoint()]
    more = [AudioUrl("https://a/b.mp3"), DocumentUrl("https://a/b.pdf")]
    history: list[ModelMessage] = [
        ModelRequest([SystemPromptPart("You see."), UserPromptPart([*prompt, *more])], instructions="Be long."),
        ModelResponse(
            [
                ThinkingPart("Hm.", signature="s"),
                TextPart("One moment."),
                LOOK,
            ]
        ),
        ModelRequest(
            [ToolReturnPart("look", {"seen": 3}, "call_look"), UserPromptPart("And?")], instructions="Be brief."
        ),
    ]
    read = read_messages(history)
    assert [message["role"] for message in read] == ["system", "system", "user", "assistant", "tool", "user"]
    assert [read[place].get("content") for place in (0, 1, 5)] == ["Be brief.", "You see.", "And?"]
    assert read[2]["contents"] == [
        {"type": "text", "text": "Look:"},
        {"type": "image", "url": "https://a/b.png"},
        {"type": "image", "url": "data:image/png;base64,YWJj"},
        {"type": "audio", "url": "https://a/b.mp3"},
        {"type": "document", "url": "https://a/b.pdf"},
    ]
    used = {"name": "look", "id": "call_look", "arguments": {"at": "b.png"}}
    assert read[3]["contents"] == [
        {"type": "reasoning", "text": "Hm.", "signature": "s"},
        {"type": "text", "text": "One moment."},
        {"type": "tool_use", "tool_call": used},
    ]
    assert read[4] == {"role": "tool", "content": {"seen": 3}, "name": "look", "tool_call_id": "call_look"}


def test_a_dumped_history_is_read_as_the_objects_are() -> None:
    """As it comes out of a database."""
    history: list[ModelMessage] = [
        ModelRequest([UserPromptPart(["Look:", ImageUrl("https://a/b.png")])], instructions="Be brief."),
        ModelResponse([TextPart("One moment."), LOOK]),
        ModelRequest([ToolReturnPart("look", "a tree", "call_look")]),
    ]
    dumped = ModelMessagesTypeAdapter.dump_python(history, mode="json")
    assert read_messages(dumped) == read_messages(history)
    assert read_response(dumped[1]) == read_response(history[1])


def test_a_response_is_read() -> None:
    """Who answered, what, why it stopped and what it took."""
    usage = RequestUsage(input_tokens=30, cache_read_tokens=20, output_tokens=9, details={"reasoning_tokens": 4})
    response = ModelResponse(
        [TextPart("Rain.")], usage=usage, model_name="gpt-4o", provider_name="google-gla", finish_reason="stop"
    )
    assert read_response(response) == {
        "model_name": "gpt-4o",
        "provider": "google",
        "output_messages": [{"role": "assistant", "content": "Rain."}],
        "token_counts": {"prompt": 30, "completion": 9, "cache_read": 20, "reasoning": 4},
        "finish_reason": "stop",
    }


def test_what_the_model_is_told_of_a_bad_call_is_that_tools_result() -> None:
    """A retry is sent in the place of a result; one that answers no call is the user's."""
    request = ModelRequest(
        [
            ToolReturnPart("look", [{"type": "missing", "loc": ["at"]}], "call_look", outcome="retried"),
            UserPromptPart(["Please", "look."]),
        ]
    )
    assert read_messages([request]) == [
        {"role": "tool", "content": [{"type": "missing", "loc": ["at"]}], "name": "look", "tool_call_id": "call_look"},
        {"role": "user", "contents": [{"type": "text", "text": "Please"}, {"type": "text", "text": "look."}]},
    ]


def test_what_only_looks_like_a_history_is_left_to_others() -> None:
    """A ``kind`` alone, or parts of another make, are no request of Pydantic AI's."""
    assert read_messages([{"kind": "request", "parts": [{"text": "Hello"}]}]) == [{"role": "user", "content": "Hello"}]
    assert read_response({"kind": "response", "parts": [{"text": "Hello"}]}) is None
