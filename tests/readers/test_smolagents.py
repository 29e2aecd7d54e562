"""What smolagents' models return: its own against a server on loopback, and a user's subclass."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest
from anthropic.types import Message as AnthropicMessage
from hypothesis import given
from hypothesis import strategies as st
from smolagents import ChatMessage, InferenceClientModel, Model, OpenAIModel, TokenUsage, Tool, tool
from smolagents.models import (
    ChatMessageStreamDelta,
    ChatMessageToolCall,
    ChatMessageToolCallFunction,
    ChatMessageToolCallStreamDelta,
    MessageRole,
    agglomerate_stream_deltas,
    get_tool_json_schema,
)

from agenttrace.readers.smolagents import SmolagentsReader

from .assembling import assembled, assembled_until, cut
from .replay import Answer, ReplayServer, event_stream, json_answer

READER = SmolagentsReader()
MODEL = "Qwen/Qwen3-32B"
MESSAGES: Any = [{"role": "user", "content": [{"type": "text", "text": "What is the weather in Oslo and Bergen?"}]}]
COMMON = {"id": "chatcmpl-1", "created": 1_763_978_400, "model": MODEL}
USAGE = {
    "prompt_tokens": 19,
    "completion_tokens": 8,
    "total_tokens": 27,
    "prompt_tokens_details": {"cached_tokens": 16},
    "completion_tokens_details": {"reasoning_tokens": 5},
}
COUNTS = {"prompt": 19, "completion": 8, "total": 27, "cache_read": 16, "reasoning": 5}
OSLO = {"id": "call_1", "name": "get_weather", "arguments": '{"city": "Oslo"}'}
BERGEN = {"id": "call_2", "name": "get_weather", "arguments": '{"city": "Bergen"}'}


@tool
def get_weather(city: str, day: str | None = None) -> str:
    """The weather of a city.

    Args:
        city: Its name.
        day: The day, today if left out.
    """
    return f"rain in {city} on {day}"


class Anything(Tool):  # type: ignore[misc]  # untyped where smolagents is not followed
    """A tool in the form of a class."""

    name = "anything"
    description = "Takes a value of any type."
    inputs = {"value": {"type": "any", "description": "The value."}}
    output_type = "string"

    def forward(self, value: Any) -> str:
        return str(value)


class Parrot(Model):  # type: ignore[misc]
    """A model of the user's own, which says what it was told to."""

    def __init__(self, *answers: ChatMessage) -> None:
        super().__init__(model_id="parrot")
        self.answers = list(answers)

    def generate(self, messages: Any, *args: Any, **kwargs: Any) -> ChatMessage:
        return self.answers.pop(0)


def call(call: dict[str, str]) -> dict[str, Any]:
    function = {"name": call["name"], "arguments": call["arguments"]}
    return {"id": call["id"], "type": "function", "function": function}


def completion(*messages: dict[str, Any], reason: str = "stop") -> dict[str, Any]:
    choices = [{"index": index, "finish_reason": reason, "message": each} for index, each in enumerate(messages)]
    return {**COMMON, "object": "chat.completion", "choices": choices, "usage": USAGE}


def chunk(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
    choices = [{"index": 0, "delta": delta, "finish_reason": reason}]
    return {**COMMON, "object": "chat.completion.chunk", "choices": choices}


def made_openai(server: ReplayServer) -> Model:
    return OpenAIModel(MODEL, api_base=server.url, api_key="test", client_kwargs={"max_retries": 0})


def made_inference_client(server: ReplayServer) -> Model:
    return InferenceClientModel(server.url, token="test")


def close(model: Any) -> None:
    getattr(model.client, "close", lambda: None)()


@pytest.fixture(params=[made_openai, made_inference_client], ids=["OpenAIModel", "InferenceClientModel"])
def model(request: pytest.FixtureRequest, server: ReplayServer) -> Iterator[Model]:
    make: Callable[[ReplayServer], Model] = request.param
    made = make(server)
    yield made
    close(made)


MESSAGES_READ = {
    "text": ({"role": "assistant", "content": "Rain."}, {"role": "assistant", "content": "Rain."}),
    "thought": (
        {"role": "assistant", "content": "Rain.", "reasoning_content": "It is November."},
        {
            "role": "assistant",
            "contents": [{"type": "reasoning", "text": "It is November."}, {"type": "text", "text": "Rain."}],
        },
    ),
    "thought and tools": (
        {
            "role": "assistant",
            "content": None,
            "reasoning_content": "I must look.",
            "tool_calls": [call(OSLO), call(BERGEN)],
        },
        {
            "role": "assistant",
            "contents": [{"type": "reasoning", "text": "I must look."}],
            "tool_calls": [OSLO, BERGEN],
        },
    ),
    "tools": (
        {"role": "assistant", "content": None, "tool_calls": [call(OSLO), call(BERGEN)]},
        {"role": "assistant", "tool_calls": [OSLO, BERGEN]},
    ),
}


@pytest.mark.parametrize(("message", "expected"), MESSAGES_READ.values(), ids=MESSAGES_READ)
def test_a_message_of_a_model_is_read(
    server: ReplayServer, model: Model, message: dict[str, Any], expected: dict[str, Any]
) -> None:
    """What smolagents leaves in the provider's response is read from there: model, reason, thoughts and all counts."""
    server.will_answer(json_answer(completion(message)))
    response = model.generate(MESSAGES, tools_to_call_from=[get_weather])
    assert READER.reads(response)
    assert READER.read(response) == {
        "model_name": MODEL,
        "finish_reason": "stop",
        "token_counts": COUNTS,
        "output_messages": [expected],
    }


def test_what_smolagents_cut_off_is_not_read(server: ReplayServer) -> None:
    """The message ends before a stop sequence, and the answer is what the program got of it."""
    reasoning = OpenAIModel("o3", api_base=server.url, api_key="test")  # a model that knows no stop sequences
    server.will_answer(json_answer(completion({"role": "assistant", "content": "Rain.<end>And more."})))
    response = reasoning.generate(MESSAGES, stop_sequences=["<end>"])
    assert READER.read(response)["output_messages"] == [{"role": "assistant", "content": "Rain."}]
    close(reasoning)


def test_several_choices_are_read(server: ReplayServer) -> None:
    """The choices beside the one that smolagents took are in the provider's response."""
    model = made_openai(server)
    messages = [{"role": "assistant", "content": text} for text in ("Rain.", "Snow.")]
    server.will_answer(json_answer(completion(*messages, reason="length")))
    assert READER.read(model.generate(MESSAGES, n=2)) == {
        "model_name": MODEL,
        "finish_reason": "length",
        "token_counts": COUNTS,
        "output_messages": messages,
    }
    close(model)


CALL = ChatMessageToolCall(ChatMessageToolCallFunction({"city": "Oslo"}, "get_weather"), "call_1", "function")
ANSWERS: dict[str, tuple[ChatMessage, dict[str, Any]]] = {
    "text": (
        ChatMessage(MessageRole.ASSISTANT, "Rain."),
        {"output_messages": [{"role": "assistant", "content": "Rain."}]},
    ),
    "parts and usage": (
        ChatMessage(
            MessageRole.ASSISTANT,
            [{"type": "text", "text": "Rain."}, {"type": "text", "text": "Snow."}],
            token_usage=TokenUsage(19, 8),
        ),
        {
            "output_messages": [
                {
                    "role": "assistant",
                    "contents": [{"type": "text", "text": "Rain."}, {"type": "text", "text": "Snow."}],
                }
            ],
            "token_counts": {"prompt": 19, "completion": 8},
        },
    ),
    "call, and a raw response of its own kind": (
        ChatMessage(MessageRole.ASSISTANT, None, [CALL], raw={"out": "Rain."}, token_usage=TokenUsage(19, 8)),
        {
            "output_messages": [
                {
                    "role": "assistant",
                    "tool_calls": [{"id": "call_1", "name": "get_weather", "arguments": {"city": "Oslo"}}],
                }
            ],
            "token_counts": {"prompt": 19, "completion": 8},
        },
    ),
    "nothing": (ChatMessage(MessageRole.ASSISTANT, ""), {"output_messages": [{"role": "assistant", "content": ""}]}),
}


@pytest.mark.parametrize(("answer", "expected"), ANSWERS.values(), ids=ANSWERS)
def test_a_message_of_a_users_own_model_is_read(answer: ChatMessage, expected: dict[str, Any]) -> None:
    """Without a known response in it the message says what there is, as an object and dumped alike."""
    response = Parrot(answer).generate(MESSAGES)
    for form in (response, response.dict()):
        assert READER.reads(form)
        assert READER.read(form) == expected


def test_the_response_in_a_message_may_be_any_providers() -> None:
    """A user's own model that asks Anthropic leaves the counts of the cache in its response."""
    raw = AnthropicMessage.model_validate(
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "claude-sonnet-4-5",
            "content": [
                {"type": "thinking", "thinking": "It is November.", "signature": "c2ln"},
                {"type": "text", "text": "Rain."},
            ],
            "stop_reason": "end_turn",
            "usage": {
                "input_tokens": 3,
                "output_tokens": 8,
                "cache_read_input_tokens": 16,
                "cache_creation_input_tokens": 0,
            },
        }
    )
    answer = ChatMessage(MessageRole.ASSISTANT, "Rain.", raw=raw, token_usage=TokenUsage(3, 8))
    read = READER.read(Parrot(answer).generate(MESSAGES))
    assert read["token_counts"]["prompt"] == 19
    assert read["token_counts"]["cache_read"] == 16
    assert read["model_name"] == "claude-sonnet-4-5"
    assert read["finish_reason"] == "end_turn"
    assert read["output_messages"] == [
        {
            "role": "assistant",
            "contents": [
                {"type": "reasoning", "text": "It is November.", "signature": "c2ln"},
                {"type": "text", "text": "Rain."},
            ],
        }
    ]


def test_a_message_that_holds_itself_is_read() -> None:
    """A message of smolagents' in a message, be it itself, is not followed."""
    answer = ChatMessage(MessageRole.ASSISTANT, "Rain.")
    answer.raw = answer
    assert READER.read(answer) == {"output_messages": [{"role": "assistant", "content": "Rain."}]}


def test_a_stream_of_a_model_is_put_together(server: ReplayServer, model: Any) -> None:
    """Text and calls whose arguments take turns are one message; the counts come in a delta of their own."""
    pieces: list[dict[str, Any]] = [
        {"role": "assistant", "content": "Let me "},
        {"content": "look."},
        {"tool_calls": [{"index": 0, **call({**OSLO, "arguments": ""})}]},
        {"tool_calls": [{"index": 1, **call({**BERGEN, "arguments": ""})}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": '{"city": '}}]},
        {"tool_calls": [{"index": 1, "function": {"arguments": '{"city": "Bergen"}'}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": '"Oslo"}'}}]},
    ]
    last = {**COMMON, "object": "chat.completion.chunk", "choices": [], "usage": USAGE}
    server.will_answer(event_stream([*map(chunk, pieces), chunk({}, "tool_calls"), last], done=True))
    deltas = list(model.generate_stream(MESSAGES))
    assert assembled(READER, deltas) == {
        "output_messages": [{"role": "assistant", "content": "Let me look.", "tool_calls": [OSLO, BERGEN]}],
        "token_counts": {"prompt": 19, "completion": 8},
    }


def test_a_stream_that_breaks_off_gives_what_there_was(server: ReplayServer) -> None:
    """An error in the middle leaves the text that came before it."""
    model: Any = made_openai(server)
    error = {"error": {"message": "overloaded", "type": "server_error"}}
    server.will_answer(event_stream([chunk({"role": "assistant", "content": "It will"}), error]))
    assert assembled_until(READER, model.generate_stream(MESSAGES), openai.APIError) == {
        "output_messages": [{"role": "assistant", "content": "It will"}]
    }
    close(model)


@given(
    st.text(max_size=40),
    st.lists(st.integers(0, 40), max_size=6),
    st.dictionaries(st.integers(0, 3), st.text(max_size=20), max_size=3),
)
def test_what_is_put_together_is_what_smolagents_puts_together(
    text: str, places: list[int], arguments: dict[int, str]
) -> None:
    """However a stream is cut, the result is that of smolagents' own function, tokens added up like there."""
    deltas = [
        ChatMessageStreamDelta(content=piece, token_usage=TokenUsage(2 if number == 0 else 0, 1))
        for number, piece in enumerate(cut(text, places))
    ]
    for index, written in arguments.items():
        for number, piece in enumerate(cut(written, places)):
            named = ("call" + str(index), "get_weather") if number == 0 else (None, "")
            function = ChatMessageToolCallFunction(piece, named[1])
            delta = ChatMessageToolCallStreamDelta(index, named[0], "function", function)
            deltas.append(ChatMessageStreamDelta(tool_calls=[delta]))
    assert assembled(READER, deltas) == READER.read(agglomerate_stream_deltas(deltas))


def test_an_error_of_the_server_is_no_response(server: ReplayServer) -> None:
    """The model raises for what isn't an answer; its error is not taken for one."""
    model = made_openai(server)
    server.will_answer(Answer(b'{"error": {"message": "invalid key"}}', status=401))
    with pytest.raises(openai.AuthenticationError) as caught:
        model.generate(MESSAGES)
    assert not READER.reads(caught.value)
    close(model)


@pytest.mark.parametrize("offered", [get_weather, Anything()], ids=["function", "class"])
def test_a_tool_is_read_as_it_is_sent(offered: Tool) -> None:
    """A tool's definition is the one that smolagents itself makes of it for the provider."""
    assert READER.reads_tool(offered)
    assert READER.read_tool(offered) == get_tool_json_schema(offered)


@pytest.mark.parametrize(
    "value",
    [
        None,
        "text",
        {},
        {"role": "assistant", "content": "x"},
        {"role": "assistant", "content": "x", "tool_calls": None, "raw": None},
        {"role": None, "content": "x", "tool_calls": None, "raw": None, "token_usage": None},
        TokenUsage(1, 2),
        get_weather,
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_no_message_of_smolagents_is_left_alone(value: object) -> None:
    """A message in the shape that all share is no response of smolagents'."""
    assert not READER.reads(value)
    assert not READER.reads_chunk(value)
    assert READER.stream_form(value) is None
