"""What OpenAI's API answers, in the shapes of its public reference: the material of several files of tests."""

from __future__ import annotations

from typing import Any

MESSAGES: list[Any] = [{"role": "user", "content": "What is the weather in Oslo and Bergen?"}]
USAGE = {
    "prompt_tokens": 82,
    "completion_tokens": 37,
    "total_tokens": 119,
    "prompt_tokens_details": {"cached_tokens": 64, "cache_write_tokens": 8, "audio_tokens": 3},
    "completion_tokens_details": {
        "reasoning_tokens": 20,
        "audio_tokens": 5,
        "accepted_prediction_tokens": 0,
        "rejected_prediction_tokens": 0,
    },
}
COUNTS = {
    "prompt": 82,
    "completion": 37,
    "total": 119,
    "cache_read": 64,
    "cache_write": 8,
    "audio": 3,
    "reasoning": 20,
    "completion_audio": 5,
}
OSLO = {"id": "call_oslo", "name": "get_weather", "arguments": '{"city": "Oslo"}'}
BERGEN = {"id": "call_bergen", "name": "get_weather", "arguments": '{"city": "Bergen"}'}
MODEL = "gpt-4.1-2025-04-14"


def completion(*choices: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A chat completion."""
    head = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1_763_980_000, "model": MODEL}
    return {**head, "choices": list(choices), "usage": USAGE, "service_tier": "default", **more}


def choice(message: dict[str, Any], finish_reason: str = "stop", index: int = 0) -> dict[str, Any]:
    """One choice of a chat completion."""
    whole = {"role": "assistant", "content": None, "refusal": None, "annotations": [], **message}
    return {"index": index, "message": whole, "logprobs": None, "finish_reason": finish_reason}


def called(call: dict[str, str], **more: Any) -> dict[str, Any]:
    """A tool call as chat completions have it."""
    function = {"name": call["name"], "arguments": call["arguments"]}
    return {"id": call["id"], "type": "function", "function": function, **more}


def chunk(*choices: dict[str, Any], usage: Any = None, **more: Any) -> dict[str, Any]:
    """A chunk of a streamed chat completion."""
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_763_980_000, "model": MODEL}
    return {**head, "choices": list(choices), "usage": usage, "service_tier": "default", **more}


def delta(index: int = 0, finish_reason: str | None = None, **changes: Any) -> dict[str, Any]:
    """What a chunk adds to one choice."""
    return {"index": index, "delta": changes, "logprobs": None, "finish_reason": finish_reason}


def piece(index: int, arguments: str, call: dict[str, str] | None = None) -> dict[str, Any]:
    """A piece of a tool call; the first one of a call names it."""
    begins = {} if call is None else {"id": call["id"], "type": "function"}
    named = {} if call is None else {"name": call["name"]}
    return {"index": index, **begins, "function": {**named, "arguments": arguments}}


CHAT_CHUNKS = [
    chunk(delta(role="assistant", content="", refusal=None)),
    chunk(delta(content="Let me ")),
    chunk(delta(content="look.")),
    chunk(delta(tool_calls=[piece(0, "", OSLO)])),
    chunk(delta(tool_calls=[piece(0, '{"city"')])),
    chunk(delta(tool_calls=[piece(1, "", BERGEN)])),
    chunk(delta(tool_calls=[piece(1, '{"city": "Ber'), piece(0, ': "Oslo"}')])),
    chunk(delta(tool_calls=[piece(1, 'gen"}')])),
    chunk(delta(finish_reason="tool_calls")),
    chunk(usage=USAGE),
]
CHAT_CALL = {
    "model_name": MODEL,
    "output_messages": [{"role": "assistant", "content": "Let me look.", "tool_calls": [OSLO, BERGEN]}],
    "token_counts": COUNTS,
    "finish_reason": "tool_calls",
}

RESPONSE_USAGE = {
    "input_tokens": 82,
    "input_tokens_details": {"cached_tokens": 64, "cache_write_tokens": 8},
    "output_tokens": 37,
    "output_tokens_details": {"reasoning_tokens": 20},
    "total_tokens": 119,
}
RESPONSE_COUNTS = {
    "prompt": 82,
    "completion": 37,
    "total": 119,
    "cache_read": 64,
    "cache_write": 8,
    "reasoning": 20,
}


def response(*output: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A response."""
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1_763_980_000,
        "status": "completed",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": None,
        "model": MODEL,
        "output": list(output),
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "service_tier": "default",
        "store": True,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}, "verbosity": "medium"},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": RESPONSE_USAGE,
        "metadata": {},
        **more,
    }


def text_item(*texts: str) -> dict[str, Any]:
    """A message among a response's items."""
    content = [{"type": "output_text", "text": text, "annotations": [], "logprobs": []} for text in texts]
    return {"id": "msg_1", "type": "message", "status": "completed", "role": "assistant", "content": content}


def reasoning_item(*summaries: str, **more: Any) -> dict[str, Any]:
    """A thought among a response's items."""
    return {
        "id": "rs_1",
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": text} for text in summaries],
        **more,
    }


def call_item(call: dict[str, str]) -> dict[str, Any]:
    """A function call among a response's items."""
    return {
        "id": f"fc_{call['id']}",
        "type": "function_call",
        "status": "completed",
        "call_id": call["id"],
        "name": call["name"],
        "arguments": call["arguments"],
    }


def numbered(*events: dict[str, Any]) -> list[dict[str, Any]]:
    """The events of one stream in order."""
    return [{"sequence_number": number, **event} for number, event in enumerate(events)]


def at(kind: str, output_index: int, **more: Any) -> dict[str, Any]:
    """An event that concerns one item."""
    return {"type": f"response.{kind}", "output_index": output_index, "item_id": f"item_{output_index}", **more}


THOUGHT = reasoning_item("Two cities. ", "Two calls.", encrypted_content="gAAAAA")
WHOLE_RESPONSE = response(THOUGHT, text_item("Let me look."), call_item(OSLO), call_item(BERGEN))
CREATED = {"type": "response.created", "response": response(status="in_progress", usage=None)}
RESPONSE_EVENTS = numbered(
    CREATED,
    {"type": "response.in_progress", "response": response(status="in_progress", usage=None)},
    at("output_item.added", 0, item=reasoning_item()),
    at("reasoning_summary_part.added", 0, summary_index=0, part={"type": "summary_text", "text": ""}),
    at("reasoning_summary_text.delta", 0, summary_index=0, delta="Two "),
    at("reasoning_summary_text.delta", 0, summary_index=0, delta="cities. "),
    at("reasoning_summary_text.done", 0, summary_index=0, text="Two cities. "),
    at("reasoning_summary_part.done", 0, summary_index=0, part=THOUGHT["summary"][0]),
    at("reasoning_summary_part.added", 0, summary_index=1, part={"type": "summary_text", "text": ""}),
    at("reasoning_summary_text.delta", 0, summary_index=1, delta="Two calls."),
    at("reasoning_summary_text.done", 0, summary_index=1, text="Two calls."),
    at("reasoning_summary_part.done", 0, summary_index=1, part=THOUGHT["summary"][1]),
    at("output_item.done", 0, item=THOUGHT),
    at("output_item.added", 1, item={**text_item(), "status": "in_progress"}),
    at("content_part.added", 1, content_index=0, part={"type": "output_text", "text": "", "annotations": []}),
    at("output_text.delta", 1, content_index=0, delta="Let me ", logprobs=[]),
    at("output_text.delta", 1, content_index=0, delta="look.", logprobs=[]),
    at("output_text.done", 1, content_index=0, text="Let me look.", logprobs=[]),
    at("content_part.done", 1, content_index=0, part=text_item("Let me look.")["content"][0]),
    at("output_item.done", 1, item=text_item("Let me look.")),
    at("output_item.added", 2, item={**call_item(OSLO), "arguments": "", "status": "in_progress"}),
    at("output_item.added", 3, item={**call_item(BERGEN), "arguments": "", "status": "in_progress"}),
    at("function_call_arguments.delta", 2, delta='{"city": '),
    at("function_call_arguments.delta", 3, delta='{"city": "Ber'),
    at("function_call_arguments.delta", 2, delta='"Oslo"}'),
    at("function_call_arguments.delta", 3, delta='gen"}'),
    at("function_call_arguments.done", 2, name="get_weather", arguments=OSLO["arguments"]),
    at("output_item.done", 2, item=call_item(OSLO)),
    at("function_call_arguments.done", 3, name="get_weather", arguments=BERGEN["arguments"]),
    at("output_item.done", 3, item=call_item(BERGEN)),
    {"type": "response.completed", "response": WHOLE_RESPONSE},
)
RESPONSE_MESSAGE = {
    "role": "assistant",
    "contents": [
        {"type": "reasoning", "text": "Two cities. Two calls.", "id": "rs_1", "encrypted_content": "gAAAAA"},
        {"type": "text", "text": "Let me look."},
        {"type": "tool_use", "tool_call": OSLO},
        {"type": "tool_use", "tool_call": BERGEN},
    ],
    "tool_calls": [OSLO, BERGEN],
}
RESPONSE_CALL = {
    "model_name": MODEL,
    "output_messages": [RESPONSE_MESSAGE],
    "token_counts": RESPONSE_COUNTS,
    "finish_reason": "completed",
}
