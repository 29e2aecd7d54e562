"""What LangChain's own scripted models return in one piece: messages as each integration makes them."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.load import dumpd
from langchain_core.messages import AIMessage, HumanMessage, message_to_dict

from agenttrace.readers.langchain import LangChainReader

READER = LangChainReader()
OSLO = {"name": "get_weather", "args": {"city": "Oslo"}, "id": "call_1"}
OSLO_READ = {"name": "get_weather", "arguments": {"city": "Oslo"}, "id": "call_1"}
THOUGHT = {"type": "reasoning", "text": "It is November."}
RAIN = {"type": "text", "text": "Rain."}

MESSAGES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "text": ({"content": "Rain."}, {"content": "Rain."}),
    "nothing": ({"content": ""}, {}),
    "name": ({"content": "Rain.", "name": "forecaster"}, {"content": "Rain.", "name": "forecaster"}),
    "calls": (
        {"content": "", "tool_calls": [OSLO, {**OSLO, "id": None}]},
        {"tool_calls": [OSLO_READ, {"name": "get_weather", "arguments": {"city": "Oslo"}}]},
    ),
    "calls that couldn't be parsed": (
        {
            "content": "",
            "tool_calls": [OSLO],
            "invalid_tool_calls": [{"name": "get_weather", "args": '{"city": ', "id": "call_2", "error": "cut off"}],
        },
        {"tool_calls": [OSLO_READ, {"name": "get_weather", "arguments": '{"city": ', "id": "call_2"}]},
    ),
    "a call in OpenAI's oldest form": (
        {"content": "", "additional_kwargs": {"function_call": {"name": "get_weather", "arguments": "{}"}}},
        {"tool_calls": [{"name": "get_weather", "arguments": "{}"}]},
    ),
    "Anthropic's blocks": (
        {
            "content": [
                {"type": "thinking", "thinking": "It is November.", "signature": "c2ln"},
                {"type": "text", "text": "Rain.", "citations": [{"cited_text": "Wet.", "document_title": "Forecast"}]},
                {"type": "tool_use", "id": "call_1", "name": "get_weather", "input": {}, "partial_json": "{"},
                {"type": "text", "text": "So."},
            ],
            "tool_calls": [OSLO],
        },
        {
            "contents": [
                {**THOUGHT, "signature": "c2ln"},
                RAIN,
                {"type": "document", "content": "Wet.", "name": "Forecast"},
                {"type": "tool_use", "tool_call": OSLO_READ},
                {"type": "text", "text": "So."},
            ],
            "tool_calls": [OSLO_READ],
        },
    ),
    "LangChain's own blocks": (
        {
            "content": [
                {"type": "reasoning", "reasoning": "It is November.", "extras": {"signature": "c2ln"}},
                {"type": "text", "text": "Rain.", "annotations": [{"type": "citation", "url": "https://yr.no"}]},
                {"type": "tool_call", **OSLO},
                {"type": "image", "base64": "aQ==", "mime_type": "image/png"},
            ],
            "tool_calls": [OSLO],
        },
        {
            "contents": [
                {**THOUGHT, "signature": "c2ln"},
                RAIN,
                {"type": "document", "url": "https://yr.no"},
                {"type": "tool_use", "tool_call": OSLO_READ},
                {"type": "image", "url": "data:image/png;base64,aQ=="},
            ],
            "tool_calls": [OSLO_READ],
        },
    ),
    "blocks of OpenAI's responses": (
        {
            "content": [
                {
                    "type": "reasoning",
                    "id": "rs_1",
                    "summary": [
                        {"type": "summary_text", "text": "It is "},
                        {"type": "summary_text", "text": "November."},
                    ],
                    "encrypted_content": "Z0FB",
                },
                {"type": "text", "text": "Rain.", "annotations": [], "id": "msg_1"},
                {"type": "function_call", "name": "get_weather", "arguments": "{}", "call_id": "call_1", "id": "fc_1"},
            ],
            "tool_calls": [OSLO],
        },
        {
            "contents": [
                {**THOUGHT, "id": "rs_1", "encrypted_content": "Z0FB"},
                RAIN,
                {"type": "tool_use", "tool_call": OSLO_READ},
            ],
            "tool_calls": [OSLO_READ],
        },
    ),
    "Bedrock's thought": (
        {
            "content": [
                {"type": "reasoning_content", "reasoning_content": {"text": "It is November.", "signature": "c2ln"}},
                "Rain.",
            ]
        },
        {"contents": [{**THOUGHT, "signature": "c2ln"}, RAIN]},
    ),
    "a thought beside the content": (
        {"content": "Rain.", "additional_kwargs": {"reasoning_content": "It is November."}},
        {"contents": [THOUGHT, RAIN]},
    ),
    "an item of thought beside the content": (
        {
            "content": "Rain.",
            "additional_kwargs": {
                "reasoning": {"id": "rs_1", "summary": [{"type": "summary_text", "text": "It is November."}]}
            },
        },
        {"contents": [{**THOUGHT, "id": "rs_1"}, RAIN]},
    ),
    "refusal": ({"content": "", "additional_kwargs": {"refusal": "I can't say."}}, {"content": "I can't say."}),
    "speech": (
        {"content": "", "additional_kwargs": {"audio": {"id": "audio_1", "data": "UklG", "transcript": "Rain."}}},
        {"contents": [{"type": "audio", "transcript": "Rain."}]},
    ),
    "an unknown block": (
        {"content": [{"type": "non_standard", "value": {"weather": "rain"}}]},
        {"content": {"type": "non_standard", "value": {"weather": "rain"}}},
    ),
}


def forms(message: AIMessage) -> list[object]:
    """``message`` in all the ways in which LangChain writes one."""
    structured = {"raw": message, "parsed": None, "parsing_error": None}
    return [message, message.model_dump(), message_to_dict(message), dumpd(message), structured]


@pytest.mark.parametrize(("written", "expected"), MESSAGES.values(), ids=MESSAGES)
def test_a_message_is_read(written: dict[str, Any], expected: dict[str, Any]) -> None:
    """Whatever blocks and fields an integration uses, the message is the same, and so are its serialised forms."""
    response = GenericFakeChatModel(messages=iter([AIMessage(**written)])).invoke("What is the weather?")
    for form in forms(response):
        assert READER.reads(form)
        assert READER.read(form) == {"output_messages": [{"role": "assistant", **expected}]}


USAGES: dict[str, tuple[dict[str, Any], dict[str, int] | None]] = {
    "none": ({}, None),
    "zeros that a client filled in": (
        {"usage_metadata": {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}},
        None,
    ),
    "all details": (
        {
            "usage_metadata": {
                "input_tokens": 350,
                "output_tokens": 240,
                "total_tokens": 590,
                "input_token_details": {"audio": 10, "cache_creation": 200, "cache_read": 100},
                "output_token_details": {"audio": 20, "reasoning": 120},
            }
        },
        {
            "prompt": 350,
            "completion": 240,
            "total": 590,
            "cache_read": 100,
            "cache_write": 200,
            "audio": 10,
            "reasoning": 120,
            "completion_audio": 20,
        },
    ),
    "writes to the cache by how long they last": (
        {
            "usage_metadata": {
                "input_tokens": 350,
                "output_tokens": 240,
                "total_tokens": 590,
                "input_token_details": {
                    "cache_creation": 0,
                    "cache_read": 100,
                    "ephemeral_5m_input_tokens": 150,
                    "ephemeral_1h_input_tokens": 50,
                },
            }
        },
        {"prompt": 350, "completion": 240, "total": 590, "cache_read": 100, "cache_write": 200},
    ),
    "details of a service tier": (
        {
            "usage_metadata": {
                "input_tokens": 350,
                "output_tokens": 240,
                "total_tokens": 590,
                "input_token_details": {"priority_cache_read": 100, "priority": 250},
                "output_token_details": {"priority_reasoning": 120, "priority": 120},
            }
        },
        {"prompt": 350, "completion": 240, "total": 590, "cache_read": 100, "reasoning": 120},
    ),
    "an integration that leaves out what was cached": (
        {
            "usage_metadata": {
                "input_tokens": 3,
                "output_tokens": 240,
                "total_tokens": 243,
                "input_token_details": {"cache_read": 100, "cache_creation": 0},
            }
        },
        {"prompt": 103, "completion": 240, "total": 343, "cache_read": 100, "cache_write": 0},
    ),
    "only OpenAI's own": (
        {
            "response_metadata": {
                "token_usage": {
                    "prompt_tokens": 350,
                    "completion_tokens": 240,
                    "total_tokens": 590,
                    "prompt_tokens_details": {"cached_tokens": 100},
                }
            }
        },
        {"prompt": 350, "completion": 240, "total": 590, "cache_read": 100},
    ),
    "only Anthropic's own": (
        {
            "response_metadata": {
                "usage": {
                    "input_tokens": 50,
                    "output_tokens": 240,
                    "cache_read_input_tokens": 100,
                    "cache_creation_input_tokens": 200,
                }
            }
        },
        {"prompt": 350, "completion": 240, "cache_read": 100, "cache_write": 200},
    ),
}


@pytest.mark.parametrize(("written", "expected"), USAGES.values(), ids=USAGES)
def test_the_counts_are_read(written: dict[str, Any], expected: dict[str, int] | None) -> None:
    """LangChain's own counts come first, then the provider's; what was cached is within the prompt."""
    for form in forms(AIMessage("Rain.", **written)):
        assert READER.read(form).get("token_counts") == expected


IDENTITIES = {
    "OpenAI's": (
        {"model_name": "gpt-4o-2024-08-06", "finish_reason": "stop", "model_provider": "openai"},
        {"model_name": "gpt-4o-2024-08-06", "finish_reason": "stop"},
    ),
    "Anthropic's": (
        {"model": "claude-sonnet-4-5", "stop_reason": "end_turn", "model_provider": "anthropic"},
        {"model_name": "claude-sonnet-4-5", "finish_reason": "end_turn", "system": "anthropic"},
    ),
    "Google's": (
        {"model_name": "gemini-2.5-flash", "finish_reason": "STOP", "model_provider": "google_genai"},
        {"model_name": "gemini-2.5-flash", "finish_reason": "STOP", "system": "vertexai", "provider": "google"},
    ),
    "Bedrock's": (
        {"model_name": "us.amazon.nova-pro-v1:0", "stopReason": "end_turn", "model_provider": "bedrock_converse"},
        {"model_name": "us.amazon.nova-pro-v1:0", "finish_reason": "end_turn", "provider": "aws"},
    ),
    "Ollama's": (
        {"model": "qwen3:8b", "done": True, "done_reason": "stop", "model_provider": "ollama"},
        {"model_name": "qwen3:8b", "finish_reason": "stop", "provider": "ollama"},
    ),
    "nobody's": ({}, {}),
}


@pytest.mark.parametrize(("metadata", "expected"), IDENTITIES.values(), ids=IDENTITIES)
def test_model_reason_and_provider_are_read(metadata: dict[str, Any], expected: dict[str, str]) -> None:
    """Each integration has its names for the model and the reason; who it talks to is said where its name proves it."""
    for form in forms(AIMessage("Rain.", response_metadata=metadata)):
        assert READER.read(form) == {**expected, "output_messages": [{"role": "assistant", "content": "Rain."}]}


@pytest.mark.parametrize(
    "value",
    [
        None,
        "text",
        {},
        {"type": "ai"},
        {"type": "ai", "content": "x"},
        {"type": "human", "content": "x", "additional_kwargs": {}},
        {"role": "assistant", "content": "x"},
        {"raw": "x", "parsed": None, "parsing_error": None},
        {"generations": [["text"]], "llm_output": None},
        {"event": "message-start-up"},
        {"event": "on_chat_model_stream"},
        HumanMessage("x"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_no_model_of_langchain_said_is_left_alone(value: object) -> None:
    """Messages of people, and a program's own values, are not taken for a model's answer."""
    assert not READER.reads(value)
    assert not READER.reads_chunk(value)
    assert READER.stream_form(value) is None
    assert not READER.reads_tool(value)
