"""The stream of a real client (``pip install openai``): you get the client's own object, the span the whole answer."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import openai
from checked import checked_run
from openai.types.chat import ChatCompletionChunk

from agenttrace import trace_agent, trace_llm

CHOICES: list[dict[str, object]] = [
    {"delta": {"role": "assistant", "content": "It "}},
    {"delta": {"content": "rains."}},
    {"delta": {}, "finish_reason": "stop"},
]
USAGE = {"prompt_tokens": 14, "completion_tokens": 4, "total_tokens": 18}


class Endpoint(BaseHTTPRequestHandler):
    """Stands in for the API on this machine: an event for each chunk, the last one with the usage."""

    def do_POST(self) -> None:
        """Answer a request."""
        head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 0, "model": "gpt-4o-mini-2024-07-18"}
        chunks = [{**head, "choices": [{"index": 0, **choice}]} for choice in CHOICES]
        events = [json.dumps(chunk) for chunk in (*chunks, {**head, "choices": [], "usage": USAGE})]
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        self.wfile.write("".join(f"data: {event}\n\n" for event in [*events, "[DONE]"]).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@trace_llm
def ask(prompt: str, client: openai.OpenAI) -> openai.Stream[ChatCompletionChunk]:
    """The stream itself is returned; its span ends when it does."""
    return client.chat.completions.create(
        model="gpt-4o-mini",
        messages=[{"role": "user", "content": prompt}],
        stream=True,
        stream_options={"include_usage": True},
    )


@trace_agent
def assistant(question: str, client: openai.OpenAI) -> str:
    """The answer, as its pieces come."""
    with ask(question, client) as stream:
        return "".join(choice.delta.content or "" for chunk in stream for choice in chunk.choices)


with checked_run(), HTTPServer(("127.0.0.1", 0), Endpoint) as server:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    client = openai.OpenAI(
        api_key="none",
        base_url=f"http://127.0.0.1:{server.server_port}/v1",
        http_client=openai.DefaultHttpxClient(trust_env=False),  # no proxy on the way to this machine
    )
    print(assistant("What is the weather in Oslo?", client))
    server.shutdown()
