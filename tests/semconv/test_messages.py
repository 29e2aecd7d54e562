"""Conversations as people have them at hand become OpenInference's messages, whatever stands in them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from agenttrace import faults
from agenttrace.capture.reserved import encode_reserved
from agenttrace.semconv.attributes import message_attributes
from agenttrace.semconv.messages import (
    MOST_MESSAGES,
    is_message,
    make_message,
    read_message,
    read_messages,
)
from agenttrace.semconv.types import ContentPart, Message

from .hostile import HOSTILE, OddKey, a_generator, anything, assert_untouched, assert_valid, nested, nested_in

quick = settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])

OSLO = {"id": "call_1", "name": "get_weather", "arguments": '{"city": "Oslo"}'}
OSLO_IN_CHAT = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "get_weather", "arguments": '{"city": "Oslo"}'},
}

CONVERSATIONS: dict[str, tuple[Any, list[dict[str, Any]]]] = {
    "a text": ("Hello", [{"role": "user", "content": "Hello"}]),
    "several texts": (["a", "b"], [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}]),
    "one message": ({"role": "user", "content": "a"}, [{"role": "user", "content": "a"}]),
    "pairs of role and text": (
        [("system", "Be brief."), ["human", "a"], ("ai", "b")],
        [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": "b"},
        ],
    ),
    "a pair of role and parts": (
        [("human", [{"type": "text", "text": "a"}])],
        [{"role": "user", "content": "a"}],
    ),
    "pairs of something else": (
        [("What is it?", "It is rain.")],
        [
            {
                "role": "user",
                "contents": [{"type": "text", "text": "What is it?"}, {"type": "text", "text": "It is rain."}],
            }
        ],
    ),
    "chat with tools": (
        [
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "name": "ann", "content": [{"type": "text", "text": "Weather?"}]},
            {"role": "assistant", "content": None, "tool_calls": [OSLO_IN_CHAT]},
            {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
        ],
        [
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "name": "ann", "content": "Weather?"},
            {"role": "assistant", "tool_calls": [OSLO]},
            {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
        ],
    ),
    "a call of the old kind": (
        [
            {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
            {"role": "function", "name": "f", "content": "1"},
        ],
        [
            {"role": "assistant", "tool_calls": [{"name": "f", "arguments": "{}"}]},
            {"role": "function", "name": "f", "content": "1"},
        ],
    ),
    "text beside a call": (
        [{"role": "assistant", "content": "Let me see.", "tool_calls": [OSLO_IN_CHAT]}],
        [{"role": "assistant", "content": "Let me see.", "tool_calls": [OSLO]}],
    ),
    "a refusal": (
        [{"role": "assistant", "content": None, "refusal": "I can't."}],
        [{"role": "assistant", "content": "I can't."}],
    ),
    "thoughts beside the text": (
        [{"role": "assistant", "content": "Rain.", "reasoning_content": "It is November."}],
        [
            {
                "role": "assistant",
                "contents": [{"type": "reasoning", "text": "It is November."}, {"type": "text", "text": "Rain."}],
            }
        ],
    ),
    "signed thoughts beside the text": (
        [
            {
                "role": "assistant",
                "content": "Rain.",
                "reasoning_content": "It is November.",
                "thinking_blocks": [{"type": "thinking", "thinking": "It is November.", "signature": "s"}],
            }
        ],
        [
            {
                "role": "assistant",
                "contents": [
                    {"type": "reasoning", "text": "It is November.", "signature": "s"},
                    {"type": "text", "text": "Rain."},
                ],
            }
        ],
    ),
    "a spoken answer": (
        [{"role": "assistant", "content": None, "audio": {"id": "a1", "transcript": "Rain."}}],
        [{"role": "assistant", "contents": [{"type": "audio", "transcript": "Rain."}]}],
    ),
    "Anthropic's blocks": (
        [
            {"role": "user", "content": "Weather?"},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "I must look.", "signature": "s"},
                    {"type": "text", "text": "Let me see."},
                    {"type": "tool_use", "id": "call_1", "name": "get_weather", "input": {"city": "Oslo"}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "call_1", "content": [{"type": "text", "text": "rain"}]},
                    {"type": "text", "text": "And tomorrow?"},
                ],
            },
        ],
        [
            {"role": "user", "content": "Weather?"},
            {
                "role": "assistant",
                "contents": [
                    {"type": "reasoning", "text": "I must look.", "signature": "s"},
                    {"type": "text", "text": "Let me see."},
                    {"type": "tool_use", "tool_call": {**OSLO, "arguments": {"city": "Oslo"}}},
                ],
                "tool_calls": [{**OSLO, "arguments": {"city": "Oslo"}}],
            },
            {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
            {"role": "user", "content": "And tomorrow?"},
        ],
    ),
    "Gemini's contents": (
        [
            {"role": "user", "parts": [{"text": "Weather?"}]},
            {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {"a": 1}}, "thoughtSignature": "s"}]},
            {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"result": "rain"}}}]},
        ],
        [
            {"role": "user", "content": "Weather?"},
            {"role": "model", "tool_calls": [{"name": "f", "arguments": {"a": 1}, "reasoning_signature": "s"}]},
            {"role": "tool", "name": "f", "content": {"result": "rain"}},
        ],
    ),
    "Bedrock's messages": (
        [
            {"role": "user", "content": [{"text": "Weather?"}]},
            {
                "role": "assistant",
                "content": [
                    {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "s"}}},
                    {"toolUse": {"toolUseId": "t1", "name": "f", "input": {}}},
                ],
            },
            {"role": "user", "content": [{"toolResult": {"toolUseId": "t1", "content": [{"text": "rain"}]}}]},
        ],
        [
            {"role": "user", "content": "Weather?"},
            {
                "role": "assistant",
                "contents": [
                    {"type": "reasoning", "text": "Hm.", "signature": "s"},
                    {"type": "tool_use", "tool_call": {"id": "t1", "name": "f", "arguments": {}}},
                ],
                "tool_calls": [{"id": "t1", "name": "f", "arguments": {}}],
            },
            {"role": "tool", "tool_call_id": "t1", "content": "rain"},
        ],
    ),
    "the items of OpenAI's responses": (
        [
            {"role": "user", "content": [{"type": "input_text", "text": "Weather?"}]},
            {
                "type": "reasoning",
                "id": "rs_1",
                "summary": [{"type": "summary_text", "text": "I must"}, {"type": "summary_text", "text": " look."}],
                "encrypted_content": "enc",
            },
            {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "get_weather", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "call_1", "output": "rain"},
            {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"query": "Oslo"}},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Rain."}]},
        ],
        [
            {"role": "user", "content": "Weather?"},
            {
                "role": "assistant",
                "contents": [
                    {"type": "reasoning", "id": "rs_1", "text": "I must look.", "encrypted_content": "enc"},
                ],
            },
            {"role": "assistant", "tool_calls": [{"id": "call_1", "name": "get_weather", "arguments": "{}"}]},
            {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
            {
                "role": "assistant",
                "tool_calls": [
                    {"id": "ws_1", "name": "web_search_call", "arguments": {"action": {"query": "Oslo"}}},
                ],
            },
            {"role": "assistant", "content": "Rain."},
        ],
    ),
    "LangChain's dictionaries": (
        [
            {"type": "system", "content": "Be brief."},
            {"type": "human", "data": {"content": "Weather?"}},
            {"type": "ai", "content": "", "tool_calls": [{"name": "f", "args": {}, "id": "c1"}]},
        ],
        [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Weather?"},
            {"role": "assistant", "content": "", "tool_calls": [{"id": "c1", "name": "f", "arguments": {}}]},
        ],
    ),
    "Ollama's images": (
        [{"role": "user", "content": "What is it?", "images": ["AAAA"]}],
        [
            {
                "role": "user",
                "contents": [
                    {"type": "text", "text": "What is it?"},
                    {"type": "image", "url": "data:image/png;base64,AAAA"},
                ],
            }
        ],
    ),
    "the parts of one message": (
        ["What is it?", {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}],
        [
            {
                "role": "user",
                "contents": [
                    {"type": "text", "text": "What is it?"},
                    {"type": "image", "url": "https://example.com/a.png"},
                ],
            }
        ],
    ),
    "parts between messages": (
        [{"role": "system", "content": "Be brief."}, {"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
        [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "contents": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
        ],
    ),
    "one part": ({"type": "text", "text": "a"}, [{"role": "user", "content": "a"}]),
    "what holds messages": ({"messages": [{"role": "user", "content": "a"}]}, [{"role": "user", "content": "a"}]),
    "conversations in a list": (
        [[{"role": "user", "content": "a"}], [{"role": "user", "content": "b"}]],
        [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}],
    ),
    "nothing": ([], []),
    "None": (None, []),
    "tokens": ([15339, 1917], []),
    "a number": (5, []),
    "a mapping of something else": ({"city": "Oslo"}, []),
    "an item that nobody knows": (
        [{"role": "user", "content": "a"}, {"type": "item_reference", "id": "x"}],
        [{"role": "user", "content": "a"}, {"role": "user", "content": {"type": "item_reference", "id": "x"}}],
    ),
    "a tool's result of several texts": (
        [
            {
                "role": "tool",
                "tool_call_id": "1",
                "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
            }
        ],
        [{"role": "tool", "tool_call_id": "1", "content": "ab"}],
    ),
    "an empty text": ([{"role": "assistant", "content": ""}], [{"role": "assistant", "content": ""}]),
    "no content at all": ([{"role": "assistant", "content": None}], [{"role": "assistant"}]),
}


@pytest.mark.parametrize(("conversation", "expected"), CONVERSATIONS.values(), ids=CONVERSATIONS)
def test_a_conversation_is_read(conversation: Any, expected: list[dict[str, Any]]) -> None:
    """Roles, texts, parts in their order, calls of tools and their results are OpenInference's."""
    assert read_messages(conversation) == expected
    assert_valid(encode_reserved(message_attributes("llm.input_messages", read_messages(conversation))))


OWN: list[Message] = [
    {"role": "system", "content": "Be brief."},
    {
        "role": "user",
        "contents": [
            {"type": "text", "text": "a", "id": "p1", "signature": "s"},
            {"type": "image", "url": "https://example.com/a.png"},
            {"type": "audio", "url": "https://example.com/a.mp3", "mime_type": "audio/mpeg", "transcript": "b"},
            {"type": "video", "url": "gs://bucket/a.mp4"},
            {"type": "document", "id": "d1", "content": "c", "mime_type": "text/plain", "name": "c.txt"},
            {"type": "document", "url": "https://example.com/a.pdf"},
        ],
    },
    {
        "role": "assistant",
        "contents": [
            {"type": "reasoning", "text": "hm", "id": "r", "signature": "s", "data": "d", "encrypted_content": "e"},
            {"type": "tool_use", "tool_call": {"id": "1", "name": "f", "arguments": "{}", "reasoning_signature": "s"}},
        ],
        "tool_calls": [{"id": "1", "name": "f", "arguments": "{}", "reasoning_signature": "s"}],
    },
    {"role": "tool", "content": "1", "name": "f", "tool_call_id": "1"},
]


def test_openinference_messages_stay_as_they_are() -> None:
    """What is written by the documented types comes out the same."""
    assert read_messages(OWN) == OWN


def test_the_role_of_what_names_none_is_the_one_asked_for() -> None:
    """A text is the user's where it goes in, and the assistant's where it comes out."""
    assert read_messages("a", "assistant") == [{"role": "assistant", "content": "a"}]
    assert read_message({"content": "a"}, "assistant") == [{"role": "assistant", "content": "a"}]
    assert read_messages([{"type": "text", "text": "Be brief."}], "system") == [
        {"role": "system", "content": "Be brief."}
    ]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"role": "user", "content": "a"}, True),
        ({"role": "assistant"}, True),
        ({"role": "critic", "content": "a"}, True),
        ({"role": "admin", "name": "Ann"}, False),
        ({"role": 5, "content": "a"}, False),
        ({"content": "a"}, False),
        ({"type": "human", "content": "a"}, True),
        ({"type": "article", "content": "a"}, False),
        ("a", False),
        ([{"role": "user", "content": "a"}], False),
        (None, False),
        ({}, False),
    ],
)
def test_a_message_names_a_role_and_says_something(value: object, expected: bool) -> None:
    """A mapping with a role may be anything: a user account, for one."""
    assert is_message(value) is expected


def test_a_single_text_is_the_content_and_anything_else_the_contents() -> None:
    """OpenInference has ``message.content`` for a message that is nothing but one text."""
    text: ContentPart = {"type": "text", "text": "a"}
    assert make_message("user", [text]) == {"role": "user", "content": "a"}
    assert make_message("user", [text, text]) == {"role": "user", "contents": [text, text]}
    signed: ContentPart = {"type": "text", "text": "a", "signature": "s"}
    assert make_message("user", [signed]) == {"role": "user", "contents": [signed]}


def test_a_call_that_stands_in_two_places_is_listed_once() -> None:
    """LangChain has the calls of Anthropic's models among the blocks and beside them."""
    written: ContentPart = {"type": "tool_use", "tool_call": {"id": "1", "name": "f", "arguments": '{"a":1}'}}
    read = make_message("assistant", [written], [{"id": "1", "name": "f", "arguments": {"a": 1}}])
    assert read.get("tool_calls") == [{"id": "1", "name": "f", "arguments": '{"a":1}'}]
    nameless: ContentPart = {"type": "tool_use", "tool_call": {"name": "f", "arguments": "{}"}}
    assert len(make_message("assistant", [nameless], [{"name": "f", "arguments": "{}"}]).get("tool_calls", ())) == 1


def test_equal_calls_beside_the_content_are_all_listed() -> None:
    """A model may call the same tool twice, and some give calls no id."""
    calls: Any = [{"name": "roll_dice", "arguments": "{}"}] * 2
    assert make_message("assistant", [], calls).get("tool_calls") == calls


@quick
@given(anything)
def test_anything_in_the_place_of_a_conversation_is_recorded_validly(value: object) -> None:
    """Nothing raises, and what comes out can be sent and is OpenInference."""
    messages = read_messages(value)
    assert all(type(message["role"]) is str for message in messages)
    assert_valid(encode_reserved(message_attributes("llm.input_messages", messages)))


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize(
    "place",
    [
        lambda value: value,
        lambda value: [value, {"role": "user", "content": "b"}],
        lambda value: [{"role": "user", "content": value}, {"role": "user", "content": "b"}],
        lambda value: [{"role": value, "content": value, "tool_calls": [value]}, {"role": "user", "content": "b"}],
        lambda value: [{"role": "user", "content": [{"type": value, "text": value}, {"type": "text", "text": "b"}]}],
    ],
    ids=["itself", "a message", "the content", "every field", "a part"],
)
def test_what_resists_does_no_harm(make: Callable[[], Any], place: Callable[[Any], Any]) -> None:
    """Nothing of a foreign object is called while it is read, and the messages beside it are there."""
    value = make()
    messages = read_messages(place(value))
    assert_untouched(value)
    if place(0) != 0:
        texts: list[Any] = [message.get("content") for message in messages]
        texts += [part.get("text") for message in messages for part in message.get("contents", ())]
        assert any(type(text) is str and text == "b" for text in texts)
    assert_valid(encode_reserved(message_attributes("llm.input_messages", messages)))


def test_a_message_that_can_t_be_read_is_named(caplog: pytest.LogCaptureFixture) -> None:
    """Its place in the conversation stays, the log says so once, and the others are as they are."""
    faults.forget()
    odd = {OddKey("audio"): "a", "role": "user", "content": ["a"]}
    read = read_messages([{"role": "system", "content": "Be brief."}, odd, odd])
    unreadable = {"role": "user", "content": "<dict: unreadable>"}
    assert read == [{"role": "system", "content": "Be brief."}, unreadable, unreadable]
    assert [record.message.split(" failed")[0] for record in caplog.records] == ["agenttrace: reading a message"]


def test_a_generator_is_left_alone() -> None:
    """Messages that were to be read once are still there for the program."""
    messages = a_generator()
    assert read_messages(messages) == []
    assert read_messages([messages]) != []
    assert len(list(messages)) == 1


def test_nothing_of_a_conversation_is_changed() -> None:
    """What is the program's stays as it was, and the messages that are read are others."""
    conversation = [{"role": "user", "content": [{"type": "text", "text": "a"}]}, {"role": "tool", "content": "b"}]
    read = read_messages(conversation)
    read[0]["role"] = read[1]["role"] = "changed"
    assert conversation == [
        {"role": "user", "content": [{"type": "text", "text": "a"}]},
        {"role": "tool", "content": "b"},
    ]


def test_a_long_conversation_keeps_its_first_and_its_newest_messages() -> None:
    """A message in the place of those that are left out says how many."""
    conversation = [{"role": "user", "content": str(index)} for index in range(100_000)]
    messages = read_messages(conversation)
    assert len(messages) == MOST_MESSAGES + 1
    assert messages[0]["content"] == "0"
    assert messages[1] == {"role": "system", "content": f"… {100_000 - MOST_MESSAGES} more messages"}
    assert messages[2]["content"] == str(100_000 - MOST_MESSAGES + 1)
    assert messages[-1]["content"] == "99999"


def test_messages_of_very_many_parts_are_cut() -> None:
    """So many parts are recorded of a whole conversation, and where it ends a text says so."""
    part = {"type": "text", "text": "a"}
    messages = read_messages([{"role": "user", "content": [part] * 30_000}, {"role": "user", "content": [part]}])
    assert sum(len(message.get("contents", ())) for message in messages) == 5001
    assert messages[0]["contents"][-1] == {"type": "text", "text": "… 25000 more parts"}
    assert messages[1] == {"role": "user", "content": "… 1 more parts"}
    calls = [{"function": {"name": "f"}}] * 30_000
    [called] = read_messages([{"role": "assistant", "tool_calls": calls}])
    assert len(called["tool_calls"]) == 5000


def test_a_very_long_text_is_handed_on_uncopied() -> None:
    """Cutting it is the encoder's affair, which looks at no more than it keeps."""
    text = "x" * 50_000_000
    [message] = read_messages([{"role": "user", "content": [{"type": "text", "text": text}]}])
    assert message["content"] is text
    encoded = encode_reserved(message_attributes("llm.input_messages", [message]))
    assert len(str(encoded["llm.input_messages.0.message.content"])) < 2_000_000


@pytest.mark.parametrize(
    "name", ["messages", "content", "contents", "parts", "thinking", "source", "tool_calls", "data"]
)
def test_deep_nesting_takes_no_stack(name: str) -> None:
    """Ten times deeper than the interpreter can call, and read all the same."""
    depth = 10 * sys.getrecursionlimit()
    for value in (nested_in(name, depth), nested(depth), [nested_in(name, depth), {"role": "user", "content": "b"}]):
        assert_valid(encode_reserved(message_attributes("llm.input_messages", read_messages(value))))


def test_an_object_among_the_parts_is_not_opened() -> None:
    """A client that was handed over by mistake has its key in its fields."""

    class Client:
        def __init__(self) -> None:
            self.api_key = "sk-1234"

    read = read_messages([{"role": "user", "content": [Client()]}, Client()])
    assert "sk-1234" not in str(encode_reserved(message_attributes("llm.input_messages", read)))


def test_images_in_the_items_of_a_response_are_images() -> None:
    """One that OpenAI made, or a screenshot that was sent back, is an image part, so that it can be hidden as one."""
    items = [
        {
            "type": "image_generation_call",
            "id": "ig1",
            "result": "iVBOR",
            "output_format": "png",
            "status": "completed",
        },
        {
            "type": "computer_call_output",
            "call_id": "c1",
            "output": {"type": "computer_screenshot", "image_url": "data:image/png;base64,iVBOR"},
        },
    ]
    made, screenshot = read_messages(items)
    image = {"type": "image", "url": "data:image/png;base64,iVBOR"}
    call = {"name": "image_generation_call", "id": "ig1", "arguments": {"output_format": "png"}}
    assert made == {
        "role": "assistant",
        "contents": [{"type": "tool_use", "tool_call": call}, image],
        "tool_calls": [call],
    }
    assert screenshot == {"role": "tool", "contents": [image], "tool_call_id": "c1"}
