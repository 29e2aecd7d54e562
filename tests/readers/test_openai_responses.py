"""OpenAI's responses, whole, as its own client gives them and as the API writes them."""

from __future__ import annotations

from typing import Any

import openai
import pytest
from pydantic import BaseModel

from agenttrace.readers.openai import OpenAIReader

from .openai_material import (
    MESSAGES,
    MODEL,
    OSLO,
    RESPONSE_CALL,
    RESPONSE_COUNTS,
    WHOLE_RESPONSE,
    call_item,
    reasoning_item,
    response,
    text_item,
)
from .replay import ReplayServer, json_answer

READER = OpenAIReader()
HEAD = {"model_name": MODEL, "token_counts": RESPONSE_COUNTS, "finish_reason": "completed"}
SEARCH = {"type": "search", "query": "weather Oslo", "sources": [{"type": "url", "url": "https://yr.no"}]}
FOUND = {"file_id": "file_1", "filename": "oslo.txt", "score": 0.75, "text": "Rain.", "attributes": {}}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
FUNCTION = {
    "type": "function",
    "name": "get_weather",
    "description": "Look it up.",
    "parameters": SCHEMA,
    "strict": True,
}


def hosted(kind: str, identifier: str, **arguments: Any) -> dict[str, Any]:
    """The part for a call of a tool that OpenAI runs."""
    return {"type": "tool_use", "tool_call": {"name": kind, "id": identifier, "arguments": arguments}}


# The items of an output, and the parts that they are.
ITEMS: dict[str, tuple[dict[str, Any], list[dict[str, Any]]]] = {
    "web search": (
        {"id": "ws_1", "type": "web_search_call", "status": "completed", "action": SEARCH},
        [hosted("web_search_call", "ws_1", action=SEARCH)],
    ),
    "file search": (
        {"id": "fs_1", "type": "file_search_call", "status": "completed", "queries": ["Oslo"], "results": [FOUND]},
        [hosted("file_search_call", "fs_1", queries=["Oslo"], results=[FOUND])],
    ),
    "code": (
        {
            "id": "ci_1",
            "type": "code_interpreter_call",
            "status": "completed",
            "code": "print(1)",
            "container_id": "cntr_1",
            "outputs": [{"type": "logs", "logs": "1\n"}],
        },
        [
            hosted(
                "code_interpreter_call",
                "ci_1",
                code="print(1)",
                container_id="cntr_1",
                outputs=[{"type": "logs", "logs": "1\n"}],
            )
        ],
    ),
    "computer": (
        {
            "id": "cu_1",
            "type": "computer_call",
            "call_id": "call_1",
            "status": "completed",
            "action": {"type": "click", "button": "left", "x": 10, "y": 20},
            "pending_safety_checks": [],
        },
        [
            hosted(
                "computer_call",
                "call_1",
                action={"type": "click", "button": "left", "x": 10, "y": 20},
                pending_safety_checks=[],
            )
        ],
    ),
    "image": (
        {
            "id": "ig_1",
            "type": "image_generation_call",
            "status": "completed",
            "result": "UklGRg==",
            "output_format": "webp",
            "revised_prompt": "A rainy street in Oslo.",
        },
        [
            hosted("image_generation_call", "ig_1", output_format="webp", revised_prompt="A rainy street in Oslo."),
            {"type": "image", "url": "data:image/webp;base64,UklGRg=="},
        ],
    ),
    "image that failed": (
        {"id": "ig_1", "type": "image_generation_call", "status": "failed", "result": None},
        [{"type": "tool_use", "tool_call": {"name": "image_generation_call", "id": "ig_1"}}],
    ),
    "drawing": (
        {
            "id": "ig_1",
            "type": "image_generation_call",
            "status": "completed",
            "result": "PHN2Zy8+",
            "output_format": "svg",
        },
        [
            hosted("image_generation_call", "ig_1", output_format="svg"),
            {"type": "image", "url": "data:image/svg+xml;base64,PHN2Zy8+"},
        ],
    ),
    "MCP": (
        {
            "id": "mcp_1",
            "type": "mcp_call",
            "status": "completed",
            "name": "forecast",
            "arguments": '{"city": "Oslo"}',
            "server_label": "weather",
            "output": "Rain.",
            "error": None,
            "approval_request_id": None,
        },
        [{"type": "tool_use", "tool_call": {"name": "forecast", "id": "mcp_1", "arguments": '{"city": "Oslo"}'}}],
    ),
    "custom tool": (
        {"id": "ctc_1", "type": "custom_tool_call", "call_id": "call_1", "name": "run", "input": "print(1)"},
        [{"type": "tool_use", "tool_call": {"name": "run", "id": "call_1", "arguments": "print(1)"}}],
    ),
    "function": (call_item(OSLO), [{"type": "tool_use", "tool_call": OSLO}]),
    "thought without a summary": (
        reasoning_item(encrypted_content="gAAAAA"),
        [{"type": "reasoning", "id": "rs_1", "encrypted_content": "gAAAAA"}],
    ),
    "thought in full": (  # as open models show it
        reasoning_item(content=[{"type": "reasoning_text", "text": "It is November."}]),
        [{"type": "reasoning", "id": "rs_1", "text": "It is November."}],
    ),
    "several texts": (
        text_item("Rain.", "Snow."),
        [{"type": "text", "text": "Rain."}, {"type": "text", "text": "Snow."}],
    ),
    "refusal": (
        {**text_item(), "content": [{"type": "refusal", "refusal": "I won't."}]},
        [{"type": "text", "text": "I won't."}],
    ),
    "what is not known yet": (
        {"id": "x_1", "type": "telepathy", "waves": [1, 2]},
        [{"type": "text", "text": {"id": "x_1", "type": "telepathy", "waves": [1, 2]}}],
    ),
}


def ask(server: ReplayServer, answer: dict[str, Any]) -> Any:
    """What OpenAI's client makes of ``answer``."""
    server.will_answer(json_answer(answer))
    with openai.OpenAI(base_url=server.url, api_key="test", max_retries=0) as client:
        return client.responses.create(model="gpt-4.1", input=MESSAGES)


def test_a_response_is_one_message_in_its_order(server: ReplayServer) -> None:
    """Thoughts, text and calls are the parts of one message; the calls are listed besides."""
    whole = ask(server, WHOLE_RESPONSE)
    for known in (whole, WHOLE_RESPONSE, whole.model_dump(), whole.to_dict()):
        assert READER.reads(known)
        assert not READER.reads_chunk(known)
        assert READER.read(known) == RESPONSE_CALL


@pytest.mark.parametrize("name", ITEMS)
def test_an_item_of_the_output_is_read(server: ReplayServer, name: str) -> None:
    """Each kind of item keeps its place between the others, read from the client's object and from the API's JSON."""
    item, parts = ITEMS[name]
    answer = response(text_item("Before."), item, text_item("After."))
    contents = [{"type": "text", "text": "Before."}, *parts, {"type": "text", "text": "After."}]
    calls = [part["tool_call"] for part in parts if part["type"] == "tool_use"]
    message = {"role": "assistant", "contents": contents, **({"tool_calls": calls} if calls else {})}
    for known in (answer, ask(server, answer)):
        assert READER.read(known) == {**HEAD, "output_messages": [message]}


@pytest.mark.parametrize(
    ("changes", "call"),
    [
        (
            {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}},
            {**HEAD, "finish_reason": "max_output_tokens"},
        ),
        (
            {"status": "failed", "error": {"code": "server_error", "message": "no"}},
            {**HEAD, "finish_reason": "failed"},
        ),
        ({"status": "queued", "usage": None}, {"model_name": MODEL}),
        ({"usage": None}, {"model_name": MODEL, "finish_reason": "completed"}),
        (
            {"tools": [FUNCTION, {"type": "web_search"}]},
            {
                **HEAD,
                "tools": [
                    {"name": "get_weather", "description": "Look it up.", "json_schema": FUNCTION},
                    {"name": "web_search", "json_schema": {"type": "web_search"}},
                ],
            },
        ),
    ],
    ids=["incomplete", "failed", "queued", "no usage", "tools"],
)
def test_what_stands_beside_the_output_is_read(
    server: ReplayServer, changes: dict[str, Any], call: dict[str, Any]
) -> None:
    """Why it ended, what it took and which tools were offered; a response that has not ended says none of why."""
    for known in (response(**changes), ask(server, response(**changes))):
        assert READER.reads(known)
        assert READER.read(known) == call


def test_a_parsed_response_is_read(server: ReplayServer) -> None:
    """What `responses.parse` gives, with the answer as a model beside it, is a response like any other."""

    class Weather(BaseModel):
        rain: bool

    server.will_answer(json_answer(response(text_item('{"rain": true}'))))
    with openai.OpenAI(base_url=server.url, api_key="test", max_retries=0) as client:
        parsed = client.responses.parse(model="gpt-4.1", input=MESSAGES, text_format=Weather)
    assert parsed.output_parsed == Weather(rain=True)
    assert READER.reads(parsed)
    assert READER.read(parsed) == {**HEAD, "output_messages": [{"role": "assistant", "content": '{"rain": true}'}]}
