"""The messages, parts and tools of the providers' own client libraries go in as they are."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import anthropic
import anthropic.types as anthropic_types
import cohere
import ollama
import openai
import PIL.Image
import pytest
import smolagents
from google.genai import types as google_types
from huggingface_hub import ChatCompletionInputMessage
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, SystemMessage, ToolMessage
from langchain_core.prompts import ChatPromptTemplate
from mistralai.client import models as mistral_models
from openai.types.chat import ChatCompletionMessage, ChatCompletionMessageFunctionToolCall
from openai.types.chat.chat_completion_message_function_tool_call import Function
from openai.types.responses import (
    ResponseFunctionToolCall,
    ResponseFunctionWebSearch,
    ResponseOutputMessage,
    ResponseOutputText,
    ResponseReasoningItem,
)
from openai.types.responses.response_function_web_search import ActionSearch
from openai.types.responses.response_reasoning_item import Summary

from agenttrace.capture.reserved import encode_reserved
from agenttrace.semconv.attributes import message_attributes
from agenttrace.semconv.messages import read_messages

from .hostile import assert_valid

PIXEL = b"\x89PNG"
ARGUMENTS = '{"city": "Oslo"}'


def picture(mode: str = "RGB", size: tuple[int, int] = (4, 3)) -> PIL.Image.Image:
    return PIL.Image.new(mode, size)


def unread_picture() -> PIL.Image.Image:
    """An image that is still in its file."""
    buffer = BytesIO()
    picture().save(buffer, "PNG")
    buffer.seek(0)
    return PIL.Image.open(buffer)


def openai_chat() -> list[Any]:
    call = ChatCompletionMessageFunctionToolCall(
        id="call_1", type="function", function=Function(name="f", arguments=ARGUMENTS)
    )
    return [
        {"role": "user", "content": "Weather?"},
        ChatCompletionMessage(role="assistant", content=None, tool_calls=[call]),
        {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
        ChatCompletionMessage(role="assistant", content="Rain."),
    ]


def openai_responses() -> list[Any]:
    return [
        {"role": "user", "content": "Weather?"},
        ResponseReasoningItem(
            id="rs_1", type="reasoning", summary=[Summary(text="Hm.", type="summary_text")], encrypted_content="enc"
        ),
        ResponseFunctionToolCall(type="function_call", id="fc_1", call_id="call_1", name="f", arguments=ARGUMENTS),
        {"type": "function_call_output", "call_id": "call_1", "output": "rain"},
        ResponseFunctionWebSearch(
            id="ws_1", type="web_search_call", status="completed", action=ActionSearch(type="search", query="Oslo")
        ),
        ResponseOutputMessage(
            id="msg_1",
            type="message",
            role="assistant",
            status="completed",
            content=[ResponseOutputText(type="output_text", text="Rain.", annotations=[])],
        ),
    ]


def anthropic_messages() -> list[Any]:
    return [
        {"role": "user", "content": "Weather?"},
        {
            "role": "assistant",
            "content": [
                anthropic_types.ThinkingBlock(type="thinking", thinking="Hm.", signature="s"),
                anthropic_types.RedactedThinkingBlock(type="redacted_thinking", data="d"),
                anthropic_types.TextBlock(type="text", text="Let me see.", citations=None),
                anthropic_types.ToolUseBlock(type="tool_use", id="t1", name="f", input={"city": "Oslo"}),
            ],
        },
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "rain"}]},
    ]


def google_contents() -> list[Any]:
    part = google_types.Part
    return [
        google_types.Content(
            role="user", parts=[part(text="Weather?"), part.from_bytes(data=PIXEL, mime_type="image/png")]
        ),
        google_types.Content(
            role="model",
            parts=[
                part(text="Hm.", thought=True, thought_signature=b"sig"),
                part(
                    function_call=google_types.FunctionCall(id="c1", name="f", args={"city": "Oslo"}),
                    thought_signature=b"sig",
                ),
            ],
        ),
        google_types.Content(role="user", parts=[part.from_function_response(name="f", response={"result": "rain"})]),
    ]


def google_parts() -> list[Any]:
    file = google_types.Part.from_uri(file_uri="gs://bucket/a.pdf", mime_type="application/pdf")
    return ["What is it?", google_types.Part.from_bytes(data=PIXEL, mime_type="image/png"), file]


def langchain_messages() -> list[Any]:
    call: Any = {"name": "f", "args": {"city": "Oslo"}, "id": "c1"}
    block = {"type": "tool_use", "id": "c1", "name": "f", "input": {"city": "Oslo"}}
    image = {"type": "image", "base64": "AAAA", "mime_type": "image/jpeg"}
    return [
        SystemMessage("Be brief."),
        HumanMessage([{"type": "text", "text": "Weather?"}, image]),
        AIMessage([{"type": "text", "text": "Let me see."}, block], tool_calls=[call]),
        ToolMessage("rain", tool_call_id="c1", name="f"),
        AIMessageChunk(content="Rain."),
    ]


def mistral_messages() -> list[Any]:
    call = mistral_models.ToolCall(id="c1", function=mistral_models.FunctionCall(name="f", arguments=ARGUMENTS))
    return [
        mistral_models.SystemMessage(content="Be brief."),
        mistral_models.UserMessage(content="Weather?"),
        mistral_models.AssistantMessage(tool_calls=[call]),
        mistral_models.ToolMessage(content="rain", tool_call_id="c1", name="f"),
    ]


def cohere_messages() -> list[Any]:
    call = cohere.ToolCallV2(
        id="c1", type="function", function=cohere.ToolCallV2Function(name="f", arguments=ARGUMENTS)
    )
    return [
        cohere.SystemChatMessageV2(content="Be brief."),
        cohere.UserChatMessageV2(content="Weather?"),
        cohere.AssistantChatMessageV2(tool_plan="I will look.", tool_calls=[call]),
        cohere.ToolChatMessageV2(tool_call_id="c1", content="rain"),
    ]


def ollama_messages() -> list[Any]:
    call = ollama.Message.ToolCall(function=ollama.Message.ToolCall.Function(name="f", arguments={"city": "Oslo"}))
    return [
        ollama.Message(role="user", content="Weather?", images=[ollama.Image(value=PIXEL)]),
        ollama.Message(role="assistant", thinking="Hm.", content="", tool_calls=[call]),
        ollama.Message(role="tool", content="rain", tool_name="f"),
    ]


def huggingface_messages() -> list[Any]:
    return [ChatCompletionInputMessage(role="user", content="Weather?")]


def smolagents_messages() -> list[Any]:
    role = smolagents.MessageRole
    call = smolagents.models.ChatMessageToolCall(
        id="c1",
        type="function",
        function=smolagents.models.ChatMessageToolCallFunction(name="f", arguments={"city": "Oslo"}),
    )
    return [
        smolagents.ChatMessage(role=role.SYSTEM, content=[{"type": "text", "text": "Be brief."}]),
        smolagents.ChatMessage(
            role=role.USER, content=[{"type": "text", "text": "Weather?"}, {"type": "image", "image": picture("F")}]
        ),
        smolagents.ChatMessage(role=role.ASSISTANT, content=None, tool_calls=[call]),
        smolagents.ChatMessage(role=role.TOOL_CALL, content=[{"type": "text", "text": "Calling tools: f"}]),
        smolagents.ChatMessage(role=role.TOOL_RESPONSE, content=[{"type": "text", "text": "rain"}]),
    ]


USER = {"role": "user", "content": "Weather?"}
SYSTEM = {"role": "system", "content": "Be brief."}
WRITTEN = {"name": "f", "arguments": ARGUMENTS}
MEANT = {"name": "f", "arguments": {"city": "Oslo"}}
IMAGE = {"type": "image", "url": "data:image/png;base64,iVBORw=="}
HM = {"type": "reasoning", "text": "Hm."}
LET_ME_SEE = {"type": "text", "text": "Let me see."}
CONVERSATIONS: dict[Callable[[], list[Any]], list[dict[str, Any]]] = {
    openai_chat: [
        USER,
        {"role": "assistant", "tool_calls": [{"id": "call_1", **WRITTEN}]},
        {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
        {"role": "assistant", "content": "Rain."},
    ],
    openai_responses: [
        USER,
        {"role": "assistant", "contents": [{**HM, "id": "rs_1", "encrypted_content": "enc"}]},
        {"role": "assistant", "tool_calls": [{"id": "call_1", **WRITTEN}]},
        {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
        {
            "role": "assistant",
            "tool_calls": [
                {
                    "id": "ws_1",
                    "name": "web_search_call",
                    "arguments": {"action": ActionSearch(type="search", query="Oslo")},
                }
            ],
        },
        {"role": "assistant", "content": "Rain."},
    ],
    anthropic_messages: [
        USER,
        {
            "role": "assistant",
            "contents": [
                {**HM, "signature": "s"},
                {"type": "reasoning", "data": "d"},
                LET_ME_SEE,
                {"type": "tool_use", "tool_call": {"id": "t1", **MEANT}},
            ],
            "tool_calls": [{"id": "t1", **MEANT}],
        },
        {"role": "tool", "tool_call_id": "t1", "content": "rain"},
    ],
    google_contents: [
        {"role": "user", "contents": [{"type": "text", "text": "Weather?"}, IMAGE]},
        {
            "role": "model",
            "contents": [
                {**HM, "signature": "c2ln"},
                {"type": "tool_use", "tool_call": {"id": "c1", "reasoning_signature": "c2ln", **MEANT}},
            ],
            "tool_calls": [{"id": "c1", "reasoning_signature": "c2ln", **MEANT}],
        },
        {"role": "tool", "name": "f", "content": {"result": "rain"}},
    ],
    google_parts: [
        {
            "role": "user",
            "contents": [
                {"type": "text", "text": "What is it?"},
                IMAGE,
                {"type": "document", "url": "gs://bucket/a.pdf", "mime_type": "application/pdf"},
            ],
        }
    ],
    langchain_messages: [
        SYSTEM,
        {
            "role": "user",
            "contents": [
                {"type": "text", "text": "Weather?"},
                {"type": "image", "url": "data:image/jpeg;base64,AAAA"},
            ],
        },
        {
            "role": "assistant",
            "contents": [LET_ME_SEE, {"type": "tool_use", "tool_call": {"id": "c1", **MEANT}}],
            "tool_calls": [{"id": "c1", **MEANT}],
        },
        {"role": "tool", "tool_call_id": "c1", "name": "f", "content": "rain"},
        {"role": "assistant", "content": "Rain."},
    ],
    mistral_messages: [
        SYSTEM,
        USER,
        {"role": "assistant", "tool_calls": [{"id": "c1", **WRITTEN}]},
        {"role": "tool", "tool_call_id": "c1", "name": "f", "content": "rain"},
    ],
    cohere_messages: [
        SYSTEM,
        USER,
        {
            "role": "assistant",
            "contents": [{"type": "reasoning", "text": "I will look."}],
            "tool_calls": [{"id": "c1", **WRITTEN}],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "rain"},
    ],
    ollama_messages: [
        {"role": "user", "contents": [{"type": "text", "text": "Weather?"}, IMAGE]},
        {"role": "assistant", "contents": [HM, {"type": "text", "text": ""}], "tool_calls": [MEANT]},
        {"role": "tool", "name": "f", "content": "rain"},
    ],
    huggingface_messages: [USER],
    smolagents_messages: [
        SYSTEM,
        {
            "role": "user",
            "contents": [
                {"type": "text", "text": "Weather?"},
                {"type": "text", "text": "[image of 4 by 3 pixels, F]"},
            ],
        },
        {"role": "assistant", "tool_calls": [{"id": "c1", **MEANT}]},
        {"role": "assistant", "content": "Calling tools: f"},
        {"role": "tool", "content": "rain"},
    ],
}


@pytest.mark.parametrize("make", CONVERSATIONS, ids=lambda make: make.__name__)
def test_the_messages_of_a_client_are_read(make: Callable[[], list[Any]]) -> None:
    """Roles, parts in order, thoughts with their signatures, calls and results are recorded."""
    read = read_messages(make())
    assert read == CONVERSATIONS[make]
    assert_valid(encode_reserved(message_attributes("llm.input_messages", read)))


def test_a_filled_prompt_of_langchain_is_its_messages() -> None:
    """The value of a chat prompt holds them."""
    template = ChatPromptTemplate.from_messages([("system", "Be {how}."), ("user", "{question}")])
    assert read_messages(template.invoke({"how": "brief", "question": "Weather?"})) == [SYSTEM, USER]


def test_instructions_in_google_s_form_are_the_system_s() -> None:
    """They may be a text, a part, or contents without a role."""
    instructions = google_types.Content(parts=[google_types.Part(text="Be brief.")])
    for form in ("Be brief.", google_types.Part(text="Be brief."), instructions, [instructions]):
        assert read_messages(form, "system") == [SYSTEM]


def test_a_small_image_in_memory_is_encoded_and_stays_as_it_is() -> None:
    """The image that is recorded is the one that was sent, and the program's has nothing noted in it."""
    image = picture()
    before = dict(vars(image))
    [message] = read_messages([{"role": "user", "content": [{"type": "image", "image": image}]}])
    [part] = message["contents"]
    assert part["type"] == "image"
    assert part["url"].startswith("data:image/png;base64,")
    assert vars(image) == before


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: picture(size=(1000, 1000)), "[image of 1000 by 1000 pixels, RGB]"),
        (lambda: picture(mode="F"), "[image of 4 by 3 pixels, F]"),
        (unread_picture, "[image of 4 by 3 pixels, RGB]"),
    ],
    ids=["a large one", "one that PNG has no room for", "one that is still in its file"],
)
def test_other_images_in_memory_are_described(make: Callable[[], PIL.Image.Image], text: str) -> None:
    """Encoding takes time, and reading a file changes the image."""
    image = make()
    before = dict(vars(image))
    for content in ([{"type": "image", "image": image}], [image]):
        assert read_messages([{"role": "user", "content": content}]) == [{"role": "user", "content": text}]
    assert vars(image) == before


def test_smolagents_images_are_those_within() -> None:
    """Its own class wraps the image."""
    [message] = read_messages([["What is it?", smolagents.AgentImage(picture())]])
    assert [part["type"] for part in message["contents"]] == ["text", "image"]


def test_what_a_client_has_for_a_value_that_is_not_set_is_nothing() -> None:
    """It has an object of its own for that."""
    message = mistral_models.AssistantMessage(tool_calls=[])
    assert read_messages([message, {"role": "user", "content": "a"}]) == [
        {"role": "assistant"},
        {"role": "user", "content": "a"},
    ]
    assert type(openai.NOT_GIVEN).__name__ == type(anthropic.NOT_GIVEN).__name__ == "NotGiven"
