"""OpenAI's chat completions, whole, as its own client gives them and as the API writes them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import openai
import pytest
from pydantic import BaseModel

from agenttrace.readers.openai import OpenAIReader

from .openai_material import BERGEN, COUNTS, MESSAGES, MODEL, OSLO, called, choice, completion
from .replay import ReplayServer, json_answer

READER = OpenAIReader()
HEAD = {"model_name": MODEL, "token_counts": COUNTS, "finish_reason": "stop"}

ANSWERS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "text": (
        completion(choice({"content": "Rain."})),
        {**HEAD, "output_messages": [{"role": "assistant", "content": "Rain."}]},
    ),
    "empty": (
        completion(choice({"content": ""})),
        {**HEAD, "output_messages": [{"role": "assistant", "content": ""}]},
    ),
    "several choices": (
        completion(choice({"content": "Rain."}, "length"), choice({"content": "Sun."}, index=1)),
        {
            **HEAD,
            "finish_reason": "length",
            "output_messages": [{"role": "assistant", "content": "Rain."}, {"role": "assistant", "content": "Sun."}],
        },
    ),
    "parallel calls": (
        completion(choice({"content": "I look.", "tool_calls": [called(OSLO), called(BERGEN)]}, "tool_calls")),
        {
            **HEAD,
            "finish_reason": "tool_calls",
            "output_messages": [{"role": "assistant", "content": "I look.", "tool_calls": [OSLO, BERGEN]}],
        },
    ),
    "custom tool": (
        completion(
            choice(
                {"tool_calls": [{"id": "call_1", "type": "custom", "custom": {"name": "run", "input": "print(1)"}}]},
                "tool_calls",
            )
        ),
        {
            **HEAD,
            "finish_reason": "tool_calls",
            "output_messages": [
                {"role": "assistant", "tool_calls": [{"id": "call_1", "name": "run", "arguments": "print(1)"}]}
            ],
        },
    ),
    "legacy function call": (
        completion(choice({"function_call": {"name": "get_weather", "arguments": "{}"}}, "function_call")),
        {
            **HEAD,
            "finish_reason": "function_call",
            "output_messages": [{"role": "assistant", "tool_calls": [{"name": "get_weather", "arguments": "{}"}]}],
        },
    ),
    "refusal": (
        completion(choice({"refusal": "I won't."})),
        {**HEAD, "output_messages": [{"role": "assistant", "content": "I won't."}]},
    ),
    "refusal beside empty content": (
        completion(choice({"content": "", "refusal": "I won't."})),
        {**HEAD, "output_messages": [{"role": "assistant", "content": "I won't."}]},
    ),
    "refusal beside content": (
        completion(choice({"content": "Well.", "refusal": "I won't."})),
        {
            **HEAD,
            "output_messages": [
                {
                    "role": "assistant",
                    "contents": [{"type": "text", "text": "Well."}, {"type": "text", "text": "I won't."}],
                }
            ],
        },
    ),
    "spoken": (
        completion(
            choice({"audio": {"id": "audio_1", "data": "UklGRg==", "expires_at": 1_763_990_000, "transcript": "Rain."}})
        ),
        {**HEAD, "output_messages": [{"role": "assistant", "contents": [{"type": "audio", "transcript": "Rain."}]}]},
    ),
    "reasoning": (  # DeepSeek, xAI, Moonshot, vLLM
        completion(choice({"content": "Rain.", "reasoning_content": "It is November."})),
        {
            **HEAD,
            "output_messages": [
                {
                    "role": "assistant",
                    "contents": [{"type": "reasoning", "text": "It is November."}, {"type": "text", "text": "Rain."}],
                }
            ],
        },
    ),
    "cited": (
        completion(
            choice(
                {
                    "content": "Rain [1].",
                    "annotations": [
                        {
                            "type": "url_citation",
                            "url_citation": {"start_index": 5, "end_index": 8, "title": "yr", "url": "https://yr.no"},
                        }
                    ],
                }
            )
        ),
        {**HEAD, "output_messages": [{"role": "assistant", "content": "Rain [1]."}]},
    ),
    "no usage": (
        completion(choice({"content": "Rain."}), usage=None),
        {"model_name": MODEL, "finish_reason": "stop", "output_messages": [{"role": "assistant", "content": "Rain."}]},
    ),
    "no choices": (completion(), {"model_name": MODEL, "token_counts": COUNTS}),
}


def ask(server: ReplayServer, answer: dict[str, Any]) -> Any:
    """What OpenAI's client makes of ``answer``."""
    server.will_answer(json_answer(answer))
    with openai.OpenAI(base_url=server.url, api_key="test", max_retries=0) as client:
        return client.chat.completions.create(model="gpt-4.1", messages=MESSAGES)


@pytest.mark.parametrize("name", ANSWERS)
def test_a_chat_completion_is_read(server: ReplayServer, name: str) -> None:
    """All that a completion says of the call is read from the client's object, and nothing is made up."""
    answer, call = ANSWERS[name]
    whole = ask(server, answer)
    assert READER.reads(whole)
    assert not READER.reads_chunk(whole)
    assert READER.read(whole) == call


@pytest.mark.parametrize("name", ANSWERS)
def test_a_completion_as_a_dictionary_is_read_alike(server: ReplayServer, name: str) -> None:
    """The API's own JSON, and what the client's object dumps, read as the object does."""
    answer, call = ANSWERS[name]
    whole = ask(server, answer)
    for mapping in (answer, whole.model_dump(), whole.model_dump(exclude_none=True), whole.to_dict()):
        assert READER.reads(mapping)
        assert READER.read(mapping) == call


def test_a_parsed_completion_is_read(server: ReplayServer) -> None:
    """What `parse` gives, with the answer as a model beside it, is a completion like any other."""

    class Weather(BaseModel):
        rain: bool

    server.will_answer(json_answer(completion(choice({"content": '{"rain": true}', "tool_calls": []}))))
    with openai.OpenAI(base_url=server.url, api_key="test", max_retries=0) as client:
        parsed = client.chat.completions.parse(model="gpt-4.1", messages=MESSAGES, response_format=Weather)
    assert parsed.choices[0].message.parsed == Weather(rain=True)
    assert READER.reads(parsed)
    assert READER.read(parsed) == {**HEAD, "output_messages": [{"role": "assistant", "content": '{"rain": true}'}]}


def test_raw_responses_are_left_alone(server: ReplayServer) -> None:
    """What `with_raw_response` and `with_streaming_response` give isn't read: the body is the program's to fetch."""
    server.will_answer(json_answer(completion(choice({"content": "Rain."}))))
    with openai.OpenAI(base_url=server.url, api_key="test", max_retries=0) as client:
        raw = client.chat.completions.with_raw_response.create(model="gpt-4.1", messages=MESSAGES)
        manager = client.chat.completions.with_streaming_response.create(model="gpt-4.1", messages=MESSAGES)
        with manager as streaming:
            for value in (raw, manager, streaming):
                assert not READER.reads(value)
                assert not READER.reads_chunk(value)
                assert READER.stream_form(value) is None
            assert READER.read(streaming.parse())["output_messages"] == [{"role": "assistant", "content": "Rain."}]
        assert READER.reads(raw.parse())


def test_a_server_that_names_no_object_is_read() -> None:
    """Compatible servers that leave ``object`` out are known by the message in their first choice."""
    answer = completion(choice({"content": "Rain."}))
    del answer["object"]
    assert READER.reads(answer)
    assert READER.read(answer) == ANSWERS["text"][1]


@pytest.mark.parametrize(
    "value",
    [
        None,
        "choices",
        {},
        {"content": "Rain."},
        {"choices": []},
        {"choices": ["a", "b"]},
        {"choices": [{"message": "Rain."}]},
        {"choices": [{"message": {"content": "Rain."}}]},
        {"object": "chat.completion"},
        {"object": "chat.completion.deleted", "choices": [choice({"content": "Rain."})]},
        {"object": "response", "id": "resp_1"},
        {"object": "list", "data": [{"id": "gpt-4.1", "object": "model"}]},
        {"type": "response.created"},
        {"type": "chunk", "chunk": "Rain."},
        {"type": "error", "message": "no"},
        {"role": "assistant", "content": [{"type": "text", "text": "Rain."}]},
        {"message": {"role": "assistant", "content": "Rain."}, "done": True},
        {"candidates": [{"content": {"parts": [{"text": "Rain."}]}}]},
        SimpleNamespace(choices=None),
        SimpleNamespace(content="Rain."),
        openai.OpenAI,
    ],
    ids=repr,
)
def test_what_only_resembles_an_answer_is_left_alone(value: object) -> None:
    """A program's own values, and other providers' shapes, are neither responses nor chunks nor streams."""
    assert not READER.reads(value)
    assert not READER.reads_chunk(value)
    assert READER.stream_form(value) is None
