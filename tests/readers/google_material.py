"""Answers of Gemini's API in the shapes of its public reference, whole and as the chunks of a stream."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx
from google import genai
from google.genai import types
from pydantic import BaseModel

from .replay import ReplayServer

MODEL = "gemini-2.5-flash"
USAGE = {"promptTokenCount": 8, "candidatesTokenCount": 20, "totalTokenCount": 28}
COUNTS = {"prompt": 8, "completion": 20, "total": 28}
KNOWN = {"model_name": MODEL, "provider": "google", "system": "vertexai"}


def connect(server: ReplayServer, *, vertexai: bool = False) -> genai.Client:
    """The client, which talks to ``server`` alone."""
    options = types.HttpOptions(
        base_url=server.url,
        # aiohttp, which the client prefers where it is installed, warns of how the client uses it.
        async_client_args={"transport": httpx.AsyncHTTPTransport()},
    )
    return genai.Client(api_key="test", vertexai=vertexai, http_options=options)


class Case(NamedTuple):
    """One answer: what the API sends, and what is to be read."""

    parts: list[dict[str, Any]]
    message: dict[str, Any]
    finish_reason: str = "STOP"
    usage: dict[str, Any] = USAGE
    counts: dict[str, Any] = COUNTS
    candidate: dict[str, Any] = {}

    def sent(self) -> dict[str, Any]:
        """The whole response as the API sends it."""
        whole = {**self.candidate, "content": content(self.parts), "finishReason": self.finish_reason}
        return response([whole], self.usage)

    def expected(self) -> dict[str, Any]:
        """What is to be read."""
        return {
            **KNOWN,
            "output_messages": [self.message],
            "token_counts": self.counts,
            "finish_reason": self.finish_reason,
        }

    def chunks(self) -> list[dict[str, Any]]:
        """The chunks of the stream that gives this answer: texts in pieces, the reason and all counts with the last."""
        pieces = [piece for part in self.parts for piece in _taken_apart(part)]
        begun = {name: self.usage[name] for name in ("promptTokenCount",) if name in self.usage}
        sent = [response([{"content": content([piece])}], begun) for piece in pieces]
        last = {**self.candidate, "content": content([{"text": ""}]), "finishReason": self.finish_reason}
        return [*sent, response([last], self.usage)]


def content(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """The content of a candidate; without parts where there are none."""
    return {"parts": parts, "role": "model"} if parts else {"role": "model"}


def response(candidates: list[dict[str, Any]], usage: dict[str, Any], identifier: str = "r-1") -> dict[str, Any]:
    """A response, or a chunk, with these candidates."""
    return {
        "candidates": [{"index": index, **candidate} for index, candidate in enumerate(candidates)],
        "usageMetadata": usage,
        "modelVersion": MODEL,
        "responseId": identifier,
    }


def _taken_apart(part: dict[str, Any]) -> Iterator[dict[str, Any]]:
    text = part.get("text")
    if not text:
        yield part
        return
    signature = part.get("thoughtSignature")
    starts = range(0, len(text), 3)
    for start in starts:
        last = {"thoughtSignature": signature} if signature and start == starts[-1] else {}
        thought = {"thought": True} if part.get("thought") else {}
        yield {"text": text[start : start + 3], **thought, **last}


OSLO = {"functionCall": {"id": "c1", "name": "get_weather", "args": {"city": "Oslo", "days": 2}}}
BERGEN = {"functionCall": {"name": "get_weather", "args": {"city": "Bergen"}}}
READ_OSLO = {
    "id": "c1",
    "name": "get_weather",
    "arguments": {"city": "Oslo", "days": 2},
    "reasoning_signature": "AQIDBA==",
}
READ_BERGEN = {"name": "get_weather", "arguments": {"city": "Bergen"}}
PIXEL = "iVBORw0KGgo="
SEARCH = {"toolCall": {"id": "t1", "toolType": "GOOGLE_SEARCH_WEB", "args": {"queries": ["Oslo"]}}}
SEARCHED = {"toolResponse": {"id": "t1", "toolType": "GOOGLE_SEARCH_WEB", "response": {"found": 3}}}
READ_SEARCH = {"id": "t1", "name": "GOOGLE_SEARCH_WEB", "arguments": {"queries": ["Oslo"]}}
READ_SEARCHED = {"tool_response": {"id": "t1", "tool_type": "GOOGLE_SEARCH_WEB", "response": {"found": 3}}}

CASES = {
    "text": Case([{"text": "Rain in both."}], {"role": "model", "content": "Rain in both."}),
    "thought": Case(
        [
            {"text": "It is November.", "thought": True},
            {"text": "Rain.", "thoughtSignature": "AQIDBA=="},
        ],
        {
            "role": "model",
            "contents": [
                {"type": "reasoning", "text": "It is November."},
                {"type": "text", "text": "Rain.", "signature": "AQIDBA=="},
            ],
        },
        usage={"promptTokenCount": 8, "candidatesTokenCount": 20, "thoughtsTokenCount": 30, "totalTokenCount": 58},
        counts={"prompt": 8, "completion": 50, "total": 58, "reasoning": 30},
    ),
    "parallel functions": Case(
        [{"text": "I look."}, {**OSLO, "thoughtSignature": "AQIDBA=="}, BERGEN],
        {
            "role": "model",
            "contents": [
                {"type": "text", "text": "I look."},
                {"type": "tool_use", "tool_call": READ_OSLO},
                {"type": "tool_use", "tool_call": READ_BERGEN},
            ],
            "tool_calls": [READ_OSLO, READ_BERGEN],
        },
    ),
    "functions alone": Case([BERGEN], {"role": "model", "tool_calls": [READ_BERGEN]}),
    "code": Case(
        [
            {"text": "I reckon."},
            {"executableCode": {"language": "PYTHON", "code": "print(2 + 2)"}},
            {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "4\n"}},
            {"text": "It is 4."},
        ],
        {
            "role": "model",
            "contents": [
                {"type": "text", "text": "I reckon."},
                {"type": "text", "text": "print(2 + 2)"},
                {"type": "text", "text": "4\n"},
                {"type": "text", "text": "It is 4."},
            ],
        },
    ),
    "picture": Case(
        [{"text": "Here:"}, {"inlineData": {"mimeType": "image/png", "data": PIXEL}}],
        {
            "role": "model",
            "contents": [
                {"type": "text", "text": "Here:"},
                {"type": "image", "url": f"data:image/png;base64,{PIXEL}"},
            ],
        },
    ),
    "speech": Case(
        [{"inlineData": {"mimeType": "audio/wav", "data": "UklGRg=="}}],
        {
            "role": "model",
            "contents": [
                {"type": "audio", "url": "data:audio/wav;base64,UklGRg==", "mime_type": "audio/wav"},
            ],
        },
        usage={
            **USAGE,
            "promptTokensDetails": [
                {"modality": "TEXT", "tokenCount": 3},
                {"modality": "AUDIO", "tokenCount": 5},
            ],
            "candidatesTokensDetails": [{"modality": "AUDIO", "tokenCount": 20}],
        },
        counts={**COUNTS, "audio": 5, "completion_audio": 20},
    ),
    "cache and tools": Case(
        [{"text": "Rain."}],
        {"role": "model", "content": "Rain."},
        usage={
            "promptTokenCount": 1008,
            "cachedContentTokenCount": 1000,
            "toolUsePromptTokenCount": 50,
            "candidatesTokenCount": 20,
            "totalTokenCount": 1078,
        },
        counts={"prompt": 1058, "completion": 20, "total": 1078, "cache_read": 1000},
    ),
    "grounded": Case(
        [{"text": "Rain."}],
        {
            "role": "model",
            "contents": [
                {"type": "text", "text": "Rain."},
                {"type": "document", "url": "https://yr.no/oslo", "name": "Oslo"},
                {"type": "document", "url": "gs://notes/1", "content": "It rains.", "name": "Notes"},
                {"type": "document", "url": "https://example.org/poem", "name": "A poem"},
            ],
        },
        candidate={
            "groundingMetadata": {
                "webSearchQueries": ["weather Oslo"],
                "groundingChunks": [
                    {"web": {"uri": "https://yr.no/oslo", "title": "Oslo"}},
                    {"retrievedContext": {"uri": "gs://notes/1", "title": "Notes", "text": "It rains."}},
                ],
            },
            "citationMetadata": {
                "citationSources": [
                    {"uri": "https://example.org/poem", "title": "A poem", "startIndex": 0, "endIndex": 4}
                ]
            },
        },
    ),
    "a tool that Google runs": Case(
        [SEARCH, SEARCHED, {"text": "Rain."}],
        {
            "role": "model",
            "contents": [
                {"type": "tool_use", "tool_call": READ_SEARCH},
                {"type": "text", "text": READ_SEARCHED},
                {"type": "text", "text": "Rain."},
            ],
            "tool_calls": [READ_SEARCH],
        },
    ),
    "stopped for safety": Case(
        [],
        {"role": "model"},
        "SAFETY",
        usage={"promptTokenCount": 8, "totalTokenCount": 8},
        counts={"prompt": 8, "total": 8},
        candidate={"safetyRatings": [{"category": "HARM_CATEGORY_HARASSMENT", "probability": "HIGH"}]},
    ),
    "no room to answer": Case(
        [],
        {"role": "model"},
        "MAX_TOKENS",
        usage={"promptTokenCount": 8, "thoughtsTokenCount": 30, "totalTokenCount": 38},
        counts={"prompt": 8, "completion": 30, "total": 38, "reasoning": 30},
    ),
}

# What only Vertex AI says, or the client takes from Vertex AI only.
VERTEX_CASES = {
    "a call that can't be parsed": Case(
        [],
        {"role": "model", "content": "Malformed function call: get_weather("},
        "MALFORMED_FUNCTION_CALL",
        candidate={"finishMessage": "Malformed function call: get_weather("},
    ),
    "recited": Case(
        [{"text": "Rain."}],
        {
            "role": "model",
            "contents": [
                {"type": "text", "text": "Rain."},
                {"type": "document", "url": "https://example.org/poem"},
            ],
        },
        candidate={
            "citationMetadata": {"citations": [{"uri": "https://example.org/poem", "startIndex": 0, "endIndex": 4}]}
        },
    ),
    "thought": CASES["thought"],
    "picture": CASES["picture"],
}
ALL_CASES = {**CASES, **VERTEX_CASES}


SNAKE = {"toolResponse": "tool_response", "toolType": "tool_type"}


def plain(value: Any) -> Any:
    """``value`` with the client's objects in it as dictionaries, None left out, names as the client has them."""
    if isinstance(value, BaseModel):
        value = dict(value)
    if isinstance(value, dict):
        return {SNAKE.get(name, name): plain(item) for name, item in value.items() if item is not None}
    return [plain(item) for item in value] if isinstance(value, list) else value
