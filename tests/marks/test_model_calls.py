"""What `trace_llm` reads by itself from the arguments and the result of the user's own function."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from agenttrace import current_span, trace_llm

from .conftest import LogCatcher, Spans
from .material import all_items, run_to_end

MESSAGES = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What is the weather in Oslo?"}]
INPUT_MESSAGES = {
    "llm.input_messages.0.message.role": "system",
    "llm.input_messages.0.message.content": "Be brief.",
    "llm.input_messages.1.message.role": "user",
    "llm.input_messages.1.message.content": "What is the weather in Oslo?",
}
RESPONSE = {
    "id": "c1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o-2024-08-06",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Rain."}}],
    "usage": {"prompt_tokens": 10, "completion_tokens": 3, "total_tokens": 13},
}
"""OpenAI's answer as its API gives it."""
ANSWER = {
    "llm.output_messages.0.message.role": "assistant",
    "llm.output_messages.0.message.content": "Rain.",
}
COUNTS = {
    "llm.token_count.prompt": 10,
    "llm.token_count.completion": 3,
    "llm.token_count.total": 13,
}


def llm_attributes(spans: Spans) -> dict[str, Any]:
    """What is on the only span under ``llm.``."""
    return {key: value for key, value in (spans.only().attributes or {}).items() if key.startswith("llm.")}


def test_arguments_and_response_are_read(spans: Spans) -> None:
    """Messages, tools, model and parameters of the call, and answer, model and tokens of a response are recorded."""

    @trace_llm
    def ask(messages: Any, model: str, temperature: float = 0.1, tools: Any = None, api_key: str = "") -> Any:
        return RESPONSE

    assert ask(MESSAGES, "gpt-4o", tools=[{"name": "f", "input_schema": {}}], api_key="sk-1") is RESPONSE
    assert llm_attributes(spans) == {
        **INPUT_MESSAGES,
        **ANSWER,
        **COUNTS,
        "llm.tools.0.tool.name": "f",
        "llm.tools.0.tool.json_schema": '{"name":"f","input_schema":{}}',
        "llm.model_name": "gpt-4o-2024-08-06",
        "llm.request.model_name": "gpt-4o",
        "llm.response.model_name": "gpt-4o-2024-08-06",
        "llm.system": "openai",
        "llm.invocation_parameters": '{"model":"gpt-4o","temperature":0.1}',
        "llm.finish_reason": "stop",
    }
    assert json.loads(str((spans.only().attributes or {})["output.value"]))["id"] == "c1"


def test_a_text_in_and_a_text_out_are_messages(spans: Spans) -> None:
    """A function from a string to a string is a user's message and an assistant's."""

    @trace_llm(model="my-model")
    def ask(question: str) -> str:
        return "Rain."

    ask("Weather?")
    assert llm_attributes(spans) == {
        "llm.model_name": "my-model",
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.content": "Weather?",
        **ANSWER,
    }


def test_the_arguments_are_recorded_as_they_were_before_the_call(spans: Spans) -> None:
    """What the function does to its messages is no part of what went in."""

    @trace_llm
    def ask(messages: list[dict[str, str]]) -> str:
        messages[0]["content"] = "changed"
        messages.append({"role": "assistant", "content": "Rain."})
        return "Rain."

    ask([{"role": "user", "content": "Weather?"}])
    assert llm_attributes(spans) == {
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.content": "Weather?",
        **ANSWER,
    }


@pytest.mark.parametrize("form", ["sync", "async", "generator", "async generator"])
def test_every_form_records_the_same(form: str, spans: Spans) -> None:
    """A function, a coroutine function and generators of texts put the same conversation on record."""

    @trace_llm
    def sync(messages: Any) -> str:
        return "Rain."

    @trace_llm
    async def coroutine(messages: Any) -> str:
        return "Rain."

    @trace_llm
    def generator(messages: Any) -> Iterator[str]:
        yield from ("Ra", "in.")

    @trace_llm
    async def async_generator(messages: Any) -> AsyncIterator[str]:
        for text in ("Ra", "in."):
            yield text

    if form == "sync":
        sync(MESSAGES)
    elif form == "async":
        run_to_end(coroutine(MESSAGES))
    elif form == "generator":
        assert list(generator(MESSAGES)) == ["Ra", "in."]
    else:
        assert all_items(async_generator(MESSAGES)) == ["Ra", "in."]
    assert llm_attributes(spans) == {**INPUT_MESSAGES, **ANSWER}
    assert (spans.only().attributes or {})["output.value"] == "Rain."


def test_what_the_user_sets_wins_over_what_is_read(spans: Spans) -> None:
    """Setters, attributes set by name and attributes of the mark stand, whatever the response says."""

    @trace_llm(attributes={"llm.finish_reason": "mine"})
    def ask(messages: Any, model: str = "gpt-4o") -> Any:
        span = current_span()
        span.set_model("set")
        span.set_output_messages("set")
        span.set_attribute("llm.token_count.total", 99)
        span.otel_span.set_attribute("llm.token_count.prompt", 77)
        span.otel_span.set_attributes({"llm.input_messages.0.message.content": "by hand"})
        return RESPONSE

    ask(MESSAGES)
    assert llm_attributes(spans) == {
        "llm.invocation_parameters": '{"model":"gpt-4o"}',
        "llm.system": "openai",
        "llm.model_name": "set",
        "llm.finish_reason": "mine",
        "llm.token_count.total": 99,
        "llm.token_count.prompt": 77,
        "llm.token_count.completion": 3,
        "llm.input_messages.0.message.content": "by hand",
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.content": "set",
    }


CONTENT = ("llm.input_messages", "llm.output_messages", "input.", "output.")


@pytest.mark.parametrize(
    ("options", "missing"),
    [
        ({"capture_input": False}, ("llm.input_messages", "input.")),
        ({"capture_output": False}, ("llm.output_messages", "output.")),
        ({"exclude_args": ["messages"]}, ("llm.input_messages",)),
        ({"attributes": {"input.value": "mine"}}, ("llm.input_messages", "input.")),
    ],
    ids=str,
)
def test_what_is_left_out_of_input_and_output_is_left_out_of_the_messages(
    options: dict[str, Any], missing: tuple[str, ...], spans: Spans
) -> None:
    """Options that keep the arguments or the result off the span keep the conversation off it, and no more."""

    @trace_llm(**options)
    def ask(messages: Any, model: str = "gpt-4o") -> Any:
        return RESPONSE

    ask(MESSAGES)
    keys = set(spans.only().attributes or {})
    given = set(options.get("attributes", ()))
    for prefix in CONTENT:
        assert any(key.startswith(prefix) for key in keys - given) == (prefix not in missing), prefix
    assert {"llm.model_name", "llm.token_count.total", "llm.invocation_parameters"} <= keys


def test_what_is_recorded_in_the_place_of_arguments_and_result_is_the_conversation_too(spans: Spans) -> None:
    """A mark's own functions decide what is told of the conversation; counts and model are still the response's."""

    @trace_llm(
        process_input=lambda arguments: {"messages": [{"role": "user", "content": "[hidden]"}]},
        process_output=lambda response: response["choices"][0]["message"]["content"][:2],
    )
    def ask(messages: Any) -> Any:
        return RESPONSE

    ask([{"role": "user", "content": "my secret"}])
    assert llm_attributes(spans) == {
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.content": "[hidden]",
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.content": "Ra",
        "llm.model_name": "gpt-4o-2024-08-06",
        "llm.system": "openai",
        "llm.finish_reason": "stop",
        **COUNTS,
    }


def test_a_response_in_a_tuple_is_read(spans: Spans) -> None:
    """A function that returns what it made of the response beside the response itself is understood."""

    @trace_llm
    def ask(messages: Any) -> Any:
        return "Rain.", RESPONSE

    ask(MESSAGES)
    assert llm_attributes(spans).items() >= {**ANSWER, **COUNTS}.items()


def test_what_is_no_response_leaves_the_result_as_it_is(spans: Spans) -> None:
    """A dictionary, an object or a number of the program's own is output and nothing else."""

    @trace_llm
    def ask(prompt: str, result: Any) -> Any:
        return result

    for result in ({"content": "x"}, {"choices": 3}, object(), 5, None, [], b"x", {"messages": "x"}, [{"role": None}]):
        assert ask("?", result) is result
    for span in spans.all():
        assert not [key for key in span.attributes or {} if key.startswith("llm.output_messages")], span.attributes


def test_an_error_keeps_what_went_in(spans: Spans) -> None:
    """A call that fails has its messages and parameters on record, and no answer."""

    @trace_llm
    def ask(messages: Any, temperature: float = 0) -> Any:
        raise TimeoutError("no answer")

    with pytest.raises(TimeoutError):
        ask(MESSAGES)
    assert llm_attributes(spans) == {**INPUT_MESSAGES, "llm.invocation_parameters": '{"temperature":0}'}
    assert spans.only().status.description == "TimeoutError: no answer"


def test_a_reader_that_raises_changes_nothing_for_the_caller(spans: Spans, log: LogCatcher) -> None:
    """A reader of the user's that fails is logged once, and the next one is asked."""
    from agenttrace import register_reader
    from agenttrace.readers import Reader, unregister_reader

    class Broken(Reader):
        name = "broken"

        def reads(self, response: object) -> bool:
            raise RuntimeError("broken")

    @trace_llm
    def ask(messages: Any) -> Any:
        return RESPONSE

    reader = register_reader(Broken())
    try:
        assert ask(MESSAGES) is RESPONSE
        assert ask(MESSAGES) is RESPONSE
    finally:
        unregister_reader(reader)
    for span in spans.all():
        assert (span.attributes or {}).items() >= ANSWER.items()
    log.expect("asking the reader broken failed with RuntimeError")


def test_a_reader_is_an_instance() -> None:
    """Registering the class in the place of an instance says what to write."""
    from agenttrace import register_reader
    from agenttrace.readers import Reader

    class Acme(Reader):
        pass

    with pytest.raises(TypeError, match=r"write Acme\(\)"):
        register_reader(Acme)  # type: ignore[arg-type]
