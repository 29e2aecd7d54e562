"""Answers of Anthropic's Messages API in the shapes of its public reference, whole and as the events of a stream."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from pydantic import BaseModel

QUESTION: list[Any] = [{"role": "user", "content": "What is the weather in Oslo and Bergen?"}]
MODEL = "claude-sonnet-4-5-20250929"
# A model's name that no release of the client warns of.
REQUEST: dict[str, Any] = {"model": "claude-test", "max_tokens": 100, "messages": QUESTION}
USAGE = {"input_tokens": 25, "output_tokens": 40}
COUNTS = {"prompt": 25, "completion": 40}
SEARCH_RESULT = {
    "type": "web_search_result",
    "url": "https://yr.no/oslo",
    "title": "Oslo",
    "encrypted_content": "EqgfCioI",
    "page_age": "1 day ago",
}


class Case(NamedTuple):
    """One answer: what the API sends, and what is to be read."""

    content: list[dict[str, Any]]
    message: dict[str, Any]
    stop_reason: str | None = "end_turn"
    usage: dict[str, Any] = USAGE
    counts: dict[str, Any] = COUNTS
    extra: dict[str, Any] = {}

    def sent(self) -> dict[str, Any]:
        """The whole message as the API sends it."""
        return {
            "id": "msg_01",
            "type": "message",
            "role": "assistant",
            "model": MODEL,
            "content": self.content,
            "stop_reason": self.stop_reason,
            "stop_sequence": None,
            "usage": self.usage,
            **self.extra,
        }

    def expected(self, *, streamed: bool = False) -> dict[str, Any]:
        """What is to be read; in a stream, arguments are the text that the model wrote."""
        call = {
            "model_name": MODEL,
            "system": "anthropic",
            "output_messages": [self.message],
            "token_counts": self.counts,
            "finish_reason": self.stop_reason,
        }
        return written(call) if streamed else call

    def events(self) -> list[dict[str, Any]]:
        """The events of the stream that gives this message."""
        return list(events_of(self.sent()))


def events_of(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The events of the stream that gives ``message``, its texts in pieces of three characters."""
    begun = {**message, "content": [], "stop_reason": None, "usage": {**message["usage"], "output_tokens": 1}}
    begun.pop("stop_details", None)
    yield {"type": "message_start", "message": begun}
    yield {"type": "ping"}
    for index, block in enumerate(message["content"]):
        start, deltas = _taken_apart(block)
        yield {"type": "content_block_start", "index": index, "content_block": start}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    delta = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    if "stop_details" in message:
        delta["stop_details"] = message["stop_details"]
    details = {name: value for name, value in message["usage"].items() if name == "output_tokens_details"}
    yield {
        "type": "message_delta",
        "delta": delta,
        "usage": {"output_tokens": message["usage"]["output_tokens"], **details},
    }
    yield {"type": "message_stop"}


def _taken_apart(block: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    kind = block["type"]
    if kind == "text":
        deltas = [{"type": "text_delta", "text": piece} for piece in _pieces(block["text"])]
        cited = [{"type": "citations_delta", "citation": citation} for citation in block.get("citations") or ()]
        return {**block, "text": "", **({"citations": []} if cited else {})}, [*cited, *deltas]
    if kind == "thinking":
        deltas = [{"type": "thinking_delta", "thinking": piece} for piece in _pieces(block["thinking"])]
        signed = {"type": "signature_delta", "signature": block["signature"]}
        return {"type": "thinking", "thinking": "", "signature": ""}, [*deltas, signed]
    if kind in ("tool_use", "server_tool_use", "mcp_tool_use"):
        text = json.dumps(block["input"])
        deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in ("", *_pieces(text))]
        return {**block, "input": {}}, deltas
    return block, []


def _pieces(text: str) -> list[str]:
    return [text[start : start + 3] for start in range(0, len(text), 3)]


def written(value: Any) -> Any:
    """``value`` with all arguments as the text that the model wrote."""
    if isinstance(value, list):
        return [written(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: json.dumps(item) if name == "arguments" and isinstance(item, dict) else written(item)
        for name, item in value.items()
    }


OSLO = {"type": "tool_use", "id": "toolu_01", "name": "get_weather", "input": {"city": "Oslo", "days": 2}}
BERGEN = {"type": "tool_use", "id": "toolu_02", "name": "get_weather", "input": {"city": "Bergen"}}
READ_OSLO = {"id": "toolu_01", "name": "get_weather", "arguments": {"city": "Oslo", "days": 2}}
READ_BERGEN = {"id": "toolu_02", "name": "get_weather", "arguments": {"city": "Bergen"}}
SEARCH = {"type": "server_tool_use", "id": "srvtoolu_01", "name": "web_search", "input": {"query": "weather Oslo"}}
READ_SEARCH = {"id": "srvtoolu_01", "name": "web_search", "arguments": {"query": "weather Oslo"}}
FOUND = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_01", "content": [SEARCH_RESULT]}
WEB_CITATION = {
    "type": "web_search_result_location",
    "url": "https://yr.no/oslo",
    "title": "Oslo",
    "encrypted_index": "Eo8B",
    "cited_text": "Rain, 4 degrees",
}
PAGE_CITATION = {
    "type": "page_location",
    "cited_text": "It always rains.",
    "document_index": 0,
    "document_title": "Bergen",
    "file_id": "file_01",
    "start_page_number": 1,
    "end_page_number": 2,
}

CASES = {
    "text": Case([{"type": "text", "text": "Rain in both."}], {"role": "assistant", "content": "Rain in both."}),
    "parallel tools": Case(
        [{"type": "text", "text": "I look."}, OSLO, BERGEN],
        {
            "role": "assistant",
            "contents": [
                {"type": "text", "text": "I look."},
                {"type": "tool_use", "tool_call": READ_OSLO},
                {"type": "tool_use", "tool_call": READ_BERGEN},
            ],
            "tool_calls": [READ_OSLO, READ_BERGEN],
        },
        "tool_use",
    ),
    "tools alone": Case([OSLO], {"role": "assistant", "tool_calls": [READ_OSLO]}, "tool_use"),
    "thinking": Case(
        [
            {"type": "thinking", "thinking": "It is November.", "signature": "EqQBCgIYAhIM"},
            {"type": "redacted_thinking", "data": "EmwKAhgBEgy3"},
            {"type": "text", "text": "Rain."},
        ],
        {
            "role": "assistant",
            "contents": [
                {"type": "reasoning", "text": "It is November.", "signature": "EqQBCgIYAhIM"},
                {"type": "reasoning", "data": "EmwKAhgBEgy3"},
                {"type": "text", "text": "Rain."},
            ],
        },
        usage={**USAGE, "output_tokens_details": {"thinking_tokens": 30}},
        counts={**COUNTS, "reasoning": 30},
    ),
    "thinking that isn't shown": Case(
        [{"type": "thinking", "thinking": "", "signature": "EqQBCgIYAhIM"}, {"type": "text", "text": "Rain."}],
        {
            "role": "assistant",
            "contents": [{"type": "reasoning", "signature": "EqQBCgIYAhIM"}, {"type": "text", "text": "Rain."}],
        },
    ),
    "web search": Case(
        [
            SEARCH,
            FOUND,
            {"type": "text", "text": "Rain in Oslo", "citations": [WEB_CITATION]},
            {"type": "text", "text": " and as ever in Bergen.", "citations": [PAGE_CITATION]},
        ],
        {
            "role": "assistant",
            "contents": [
                {"type": "tool_use", "tool_call": READ_SEARCH},
                {"type": "text", "text": FOUND},
                {"type": "text", "text": "Rain in Oslo"},
                {"type": "document", "url": "https://yr.no/oslo", "content": "Rain, 4 degrees", "name": "Oslo"},
                {"type": "text", "text": " and as ever in Bergen."},
                {"type": "document", "id": "file_01", "content": "It always rains.", "name": "Bergen"},
            ],
            "tool_calls": [READ_SEARCH],
        },
        usage={**USAGE, "server_tool_use": {"web_search_requests": 1}},
    ),
    "cache": Case(
        [{"type": "text", "text": "Rain."}],
        {"role": "assistant", "content": "Rain."},
        usage={
            **USAGE,
            "cache_read_input_tokens": 1000,
            "cache_creation_input_tokens": 200,
            "cache_creation": {"ephemeral_5m_input_tokens": 150, "ephemeral_1h_input_tokens": 50},
        },
        counts={"prompt": 1225, "completion": 40, "cache_read": 1000, "cache_write": 200},
    ),
    "cache by duration": Case(
        [{"type": "text", "text": "Rain."}],
        {"role": "assistant", "content": "Rain."},
        usage={**USAGE, "cache_creation": {"ephemeral_5m_input_tokens": 150, "ephemeral_1h_input_tokens": 50}},
        counts={"prompt": 225, "completion": 40, "cache_write": 200},
    ),
    "refusal": Case(
        [],
        {"role": "assistant", "content": "This could enable harm."},
        "refusal",
        extra={
            "stop_details": {"type": "refusal", "category": "cyber", "explanation": "This could enable harm."},
        },
    ),
    "nothing": Case([], {"role": "assistant"}),
    "cut short": Case([{"type": "text", "text": "Rain in"}], {"role": "assistant", "content": "Rain in"}, "max_tokens"),
}

MCP_RESULT = {
    "type": "mcp_tool_result",
    "tool_use_id": "mcptoolu_01",
    "is_error": False,
    "content": [{"type": "text", "text": "Rain"}],
}
READ_MCP = {"id": "mcptoolu_01", "name": "forecast", "arguments": {"city": "Oslo"}}
EXECUTED = {
    "type": "code_execution_tool_result",
    "tool_use_id": "srvtoolu_02",
    "content": {"type": "code_execution_result", "stdout": "4\n", "stderr": "", "return_code": 0, "content": []},
}
COMPACTED = {"type": "compaction", "content": "They spoke of rain.", "encrypted_content": "EqQB"}
BETA_CASES = {
    **CASES,
    "mcp": Case(
        [
            {
                "type": "mcp_tool_use",
                "id": "mcptoolu_01",
                "name": "forecast",
                "server_name": "weather",
                "input": {"city": "Oslo"},
            },
            MCP_RESULT,
            {"type": "text", "text": "Rain."},
        ],
        {
            "role": "assistant",
            "contents": [
                {"type": "tool_use", "tool_call": READ_MCP},
                {"type": "text", "text": MCP_RESULT},
                {"type": "text", "text": "Rain."},
            ],
            "tool_calls": [READ_MCP],
        },
    ),
    "code and compaction": Case(
        [COMPACTED, EXECUTED],
        {"role": "assistant", "contents": [{"type": "text", "text": COMPACTED}, {"type": "text", "text": EXECUTED}]},
    ),
}


def plain(value: Any) -> Any:
    """``value`` with the client's objects in it as dictionaries, None left out."""
    if isinstance(value, BaseModel):
        value = dict(value)
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items() if item is not None}
    return [plain(item) for item in value] if isinstance(value, list) else value
