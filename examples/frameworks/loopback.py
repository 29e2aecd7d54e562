"""A model's endpoint on this machine, which answers as a script says: OpenAI's chat completions, Anthropic's messages.

The clients and frameworks in the examples beside this file talk to it as they talk to the real thing, over HTTP, so an
example runs offline and without a key, and its model still asks for tools, several at once, and streams. A script is a
function from the conversation so far to the next reply:

    def script(asked: Asked) -> Reply:
        if not asked.results:
            return Reply(calls=[Call("get_weather", {"city": "Oslo"})])
        return Reply(f"In Oslo: {asked.results[-1].text}")

    with openai_endpoint(script) as endpoint:
        client = openai.OpenAI(**endpoint)

`openai_endpoint` and `anthropic_endpoint` give way to a real model where the environment names one.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["Asked", "Call", "Reply", "Result", "Script", "anthropic_endpoint", "openai_endpoint", "serve"]

Json = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """A tool that the model asks for."""

    tool: str
    arguments: Json


@dataclass(frozen=True)
class Result:
    """What a tool answered."""

    tool: str
    arguments: Json
    text: str


@dataclass(frozen=True)
class Asked:
    """What the model is asked, as far as a script needs to know it."""

    question: str
    """The text of the last message of the user's."""
    results: Sequence[Result] = ()
    """What tools answered since that message, in order."""
    system: str = ""
    tools: Sequence[str] = ()
    """The names of the tools that are offered."""
    model: str = ""
    words: int = 0
    """How many words there are in the conversation: the count of tokens that the endpoint reports."""


@dataclass(frozen=True)
class Reply:
    """What the model says, or the tools that it asks for, or both."""

    text: str = ""
    calls: Sequence[Call] = field(default_factory=tuple)


Script = Callable[[Asked], Reply]
"""The model. What it raises goes to the client as an error of the request (400), which no client tries again."""


@contextmanager
def openai_endpoint(script: Script) -> Iterator[Json]:
    """What to make an OpenAI client with: nothing where the environment names an endpoint, else one for ``script``.

    Args:
        script: The model that answers where neither ``OPENAI_API_KEY`` nor ``OPENAI_BASE_URL`` is set.

    Yields:
        Keyword arguments: ``openai.OpenAI(**endpoint)``, and as well for what frameworks make of it.
    """
    if os.environ.get("OPENAI_API_KEY") or os.environ.get("OPENAI_BASE_URL"):
        yield {} if os.environ.get("OPENAI_API_KEY") else {"api_key": "none"}
        return
    with serve(script) as url:
        yield {"base_url": f"{url}/v1", "api_key": "none"}


@contextmanager
def anthropic_endpoint(script: Script) -> Iterator[Json]:
    """What to make an Anthropic client with: nothing where the environment names an endpoint, else one for ``script``.

    Args:
        script: The model that answers where neither ``ANTHROPIC_API_KEY`` nor ``ANTHROPIC_BASE_URL`` is set.

    Yields:
        Keyword arguments: ``anthropic.Anthropic(**endpoint)``.
    """
    if os.environ.get("ANTHROPIC_API_KEY") or os.environ.get("ANTHROPIC_BASE_URL"):
        yield {} if os.environ.get("ANTHROPIC_API_KEY") else {"api_key": "none"}
        return
    with serve(script) as url:
        yield {"base_url": url, "api_key": "none"}


@contextmanager
def serve(script: Script) -> Iterator[str]:
    """Run the endpoint while the block runs.

    Args:
        script: The model.

    Yields:
        Its address, to which OpenAI's clients want ``/v1`` added: ``http://127.0.0.1:…``.
    """
    handler = type("Handler", (_Handler,), {"script": staticmethod(script)})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, _no_proxy():
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def _no_proxy() -> Iterator[None]:
    """No proxy on the way to this machine, whatever the environment says."""
    before = os.environ.get("NO_PROXY")
    os.environ["NO_PROXY"] = "127.0.0.1" if not before else f"{before},127.0.0.1"
    try:
        yield
    finally:
        if before is None:
            os.environ.pop("NO_PROXY", None)
        else:
            os.environ["NO_PROXY"] = before


class _Handler(BaseHTTPRequestHandler):
    """One request: read in the provider's form, answered by the script, written in the provider's form."""

    protocol_version = "HTTP/1.1"
    script: Script

    def do_POST(self) -> None:
        """Answer."""
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        form = _FORMS.get(self.path.partition("?")[0])
        if form is None:
            self._send(404, _error(f"there is no {self.path} here"))
            return
        read, written, events = form
        try:
            asked = read(request)
            reply = self.script(asked)
        except Exception as error:
            self._send(400, _error(f"{type(error).__name__}: {error}"))
            return
        if request.get("stream"):
            self._send_events(events(asked, reply))
        else:
            self._send(200, written(asked, reply))

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _send(self, status: int, answer: Json) -> None:
        self._write(status, "application/json", json.dumps(answer))

    def _send_events(self, events: list[Json]) -> None:
        lines = []
        for event in events:
            name = f"event: {event['type']}\n" if "type" in event else ""
            lines.append(f"{name}data: {json.dumps(event)}\n\n")
        if "type" not in events[0]:
            lines.append("data: [DONE]\n\n")
        self._write(200, "text/event-stream", "".join(lines))

    def _write(self, status: int, content_type: str, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _error(message: str) -> Json:
    return {"type": "error", "error": {"type": "invalid_request_error", "message": message}}


# OpenAI's chat completions.


def _read_chat(request: Json) -> Asked:
    messages = request["messages"]
    last = max(place for place, message in enumerate(messages) if message["role"] == "user")
    calls = {call["id"]: call["function"] for message in messages[last:] for call in message.get("tool_calls") or ()}
    results = [
        Result(call["name"], json.loads(call["arguments"] or "{}"), _text(message["content"]))
        for message in messages[last:]
        if message["role"] == "tool"
        for call in [calls[message["tool_call_id"]]]
    ]
    system = [_text(message["content"]) for message in messages if message["role"] in ("system", "developer")]
    return Asked(
        question=_text(messages[last]["content"]),
        results=results,
        system="\n".join(system),
        tools=[tool["function"]["name"] for tool in request.get("tools") or ()],
        model=request["model"],
        words=_words(*(_text(message.get("content")) for message in messages)),
    )


def _written_chat(asked: Asked, reply: Reply) -> Json:
    message = {"role": "assistant", "content": reply.text or None, **_chat_calls(asked, reply)}
    choice = {"index": 0, "message": message, "finish_reason": _chat_reason(reply), "logprobs": None}
    return {**_chat_head(asked, "chat.completion"), "choices": [choice], "usage": _chat_usage(asked, reply)}


def _chat_events(asked: Asked, reply: Reply) -> list[Json]:
    deltas: list[Json] = [{"role": "assistant", "content": ""}, *({"content": piece} for piece in _pieces(reply.text))]
    for place, call in enumerate(_chat_calls(asked, reply).get("tool_calls", ())):
        function = call["function"]
        deltas.append({"tool_calls": [{"index": place, **call, "function": {**function, "arguments": ""}}]})
        deltas += [
            {"tool_calls": [{"index": place, "function": {"arguments": piece}}]}
            for piece in _pieces(function["arguments"])
        ]
    head = _chat_head(asked, "chat.completion.chunk")
    chunks = [{**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    end = {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": _chat_reason(reply)}]}
    return [*chunks, end, {**head, "choices": [], "usage": _chat_usage(asked, reply)}]


def _chat_head(asked: Asked, kind: str) -> Json:
    return {"id": "chatcmpl-loopback", "object": kind, "created": 0, "model": asked.model}


def _chat_calls(asked: Asked, reply: Reply) -> Json:
    calls = [
        {"id": identifier, "type": "function", "function": {"name": tool, "arguments": json.dumps(arguments)}}
        for identifier, tool, arguments in _numbered(asked, reply, "call")
    ]
    return {"tool_calls": calls} if calls else {}


def _chat_reason(reply: Reply) -> str:
    return "tool_calls" if reply.calls else "stop"


def _chat_usage(asked: Asked, reply: Reply) -> Json:
    answer = _answer_words(reply)
    return {"prompt_tokens": asked.words, "completion_tokens": answer, "total_tokens": asked.words + answer}


# Anthropic's messages.


def _read_messages(request: Json) -> Asked:
    messages = [{**message, "content": _blocks(message["content"])} for message in request["messages"]]
    last = max(
        place
        for place, message in enumerate(messages)
        if message["role"] == "user" and any(block["type"] == "text" for block in message["content"])
    )
    blocks = [block for message in messages[last:] for block in message["content"]]
    calls = {block["id"]: block for block in blocks if block["type"] == "tool_use"}
    results = [
        Result(call["name"], call["input"], _text(block.get("content")))
        for block in blocks
        if block["type"] == "tool_result"
        for call in [calls[block["tool_use_id"]]]
    ]
    system = _text(request.get("system"))
    texts = [_text([block]) for message in messages for block in message["content"]]
    return Asked(
        question=_text(messages[last]["content"]),
        results=results,
        system=system,
        tools=[tool["name"] for tool in request.get("tools") or ()],
        model=request["model"],
        words=_words(system, *texts),
    )


def _written_message(asked: Asked, reply: Reply) -> Json:
    usage = {"input_tokens": asked.words, "output_tokens": _answer_words(reply)}
    reason = "tool_use" if reply.calls else "end_turn"
    return {**_message_head(asked), "content": _answer_blocks(asked, reply), "stop_reason": reason, "usage": usage}


def _message_events(asked: Asked, reply: Reply) -> list[Json]:
    start = {**_message_head(asked), "content": [], "usage": {"input_tokens": asked.words, "output_tokens": 1}}
    events: list[Json] = [{"type": "message_start", "message": start}]
    for place, block in enumerate(_answer_blocks(asked, reply)):
        if block["type"] == "text":
            empty, deltas = {**block, "text": ""}, [{"type": "text_delta", "text": p} for p in _pieces(block["text"])]
        else:
            pieces = _pieces(json.dumps(block["input"]))
            empty, deltas = {**block, "input": {}}, [{"type": "input_json_delta", "partial_json": p} for p in pieces]
        events.append({"type": "content_block_start", "index": place, "content_block": empty})
        events += [{"type": "content_block_delta", "index": place, "delta": delta} for delta in deltas]
        events.append({"type": "content_block_stop", "index": place})
    whole = _written_message(asked, reply)
    end = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    usage = {"output_tokens": whole["usage"]["output_tokens"]}
    return [*events, {"type": "message_delta", "delta": end, "usage": usage}, {"type": "message_stop"}]


def _message_head(asked: Asked) -> Json:
    head = {"id": "msg_loopback", "type": "message", "role": "assistant", "model": asked.model}
    return {**head, "stop_reason": None, "stop_sequence": None}


def _answer_blocks(asked: Asked, reply: Reply) -> list[Json]:
    text = [{"type": "text", "text": reply.text}] if reply.text else []
    calls = [
        {"type": "tool_use", "id": identifier, "name": tool, "input": arguments}
        for identifier, tool, arguments in _numbered(asked, reply, "toolu")
    ]
    return text + calls


# Both.


def _numbered(asked: Asked, reply: Reply, prefix: str) -> list[tuple[str, str, Json]]:
    first = len(asked.results) + 1
    return [(f"{prefix}_{first + place}", call.tool, call.arguments) for place, call in enumerate(reply.calls)]


def _text(content: object) -> str:
    """The text of a message's content, whole or in parts, and of what a tool answered."""
    if isinstance(content, str):
        return content
    return "".join(_text(part.get("text") or part.get("content")) for part in _blocks(content))


def _blocks(content: object) -> list[Json]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return content if isinstance(content, list) else []


def _pieces(text: str) -> list[str]:
    """``text`` in the pieces that a stream sends."""
    return [text[place : place + 12] for place in range(0, len(text), 12)]


def _words(*texts: str) -> int:
    return sum(len(text.split()) for text in texts)


def _answer_words(reply: Reply) -> int:
    return _words(reply.text, *(json.dumps(call.arguments) for call in reply.calls))


_FORMS = {
    "/v1/chat/completions": (_read_chat, _written_chat, _chat_events),
    "/v1/messages": (_read_messages, _written_message, _message_events),
}
