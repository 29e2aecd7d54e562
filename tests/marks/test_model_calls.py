"""What `trace_llm` reads by itself from the arguments and the result of the user's own function."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from agenttrace import current_span, register_reader, trace_llm
from agenttrace.readers import Reader, unregister_reader
from agenttrace.semconv.types import ModelCall

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


@pytest.mark.parametrize("keywords", ["kwargs", "options", "parameters", "config", "input"])
def test_further_keywords_are_read_under_their_own_names(keywords: str, spans: Spans) -> None:
    """Whatever a function calls the rest of its keyword arguments, what is in there is read as an argument is."""
    space: dict[str, Any] = {}
    exec(f"def ask(messages, **{keywords}): return 'Rain.'", space)
    tools = [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}]
    trace_llm(space["ask"])([{"role": "user", "content": "Oslo?"}], model="gpt-4o", tools=tools, temperature=0)
    attributes = llm_attributes(spans)
    assert attributes["llm.model_name"] == "gpt-4o"
    assert attributes["llm.tools.0.tool.name"] == "get_weather"
    assert json.loads(attributes["llm.invocation_parameters"]) == {"model": "gpt-4o", "temperature": 0}
    assert attributes["llm.input_messages.0.message.content"] == "Oslo?"


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

    class Broken(Reader):
        name = "broken"

        def reads(self, response: object) -> bool:
            raise RuntimeError("broken")

        def read(self, response: object) -> ModelCall:
            raise AssertionError("never asked")

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


def test_a_reader_is_an_instance_and_complete() -> None:
    """Registering a class, or a reader that lacks what it needs, says what to write."""

    class Acme(Reader):
        pass

    class HalfOfAcme(Reader):
        def reads(self, response: object) -> bool:
            return True

    class OtherHalf(HalfOfAcme):
        def read(self, response: object) -> ModelCall:
            return {}

        def reads_chunk(self, chunk: object) -> bool:
            return True

    with pytest.raises(TypeError, match=r"write Acme\(\)"):
        register_reader(Acme)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"Acme reads nothing: write reads\(\) and read\(\)"):
        register_reader(Acme())
    with pytest.raises(TypeError, match=r"has reads\(\) but no read\(\)"):
        register_reader(HalfOfAcme())
    with pytest.raises(TypeError, match=r"has reads_chunk\(\) but no assembler\(\)"):
        register_reader(OtherHalf())


@pytest.mark.parametrize(
    ("gives", "recorded", "line"),
    [
        (
            {"model": "m", "token_counts": {"total": 3}},
            {"llm.token_count.total": 3},
            "gave 'model', which no ModelCall has, so it is not recorded",
        ),
        ("text", {}, "gave str, not a ModelCall"),
        (ValueError("secret"), {}, "reading a response with the reader acme failed with ValueError"),
    ],
    ids=["unknown key", "no mapping", "raises"],
)
def test_a_mistake_in_a_reader_is_told_and_the_rest_recorded(
    gives: Any, recorded: dict[str, Any], line: str, spans: Spans, log: LogCatcher
) -> None:
    """What a reader gives that no model call has is logged once, with the reader's name; the caller notices nothing."""

    class AcmeReader(Reader):
        name = "acme"

        def reads(self, response: object) -> bool:
            return response == {"acme": 1}

        def read(self, response: object) -> ModelCall:
            if isinstance(gives, Exception):
                raise gives
            return gives  # type: ignore[no-any-return]

    @trace_llm
    def ask(messages: Any) -> Any:
        return {"acme": 1}

    reader = register_reader(AcmeReader())
    try:
        assert ask(MESSAGES) == {"acme": 1}
        assert ask(MESSAGES) == {"acme": 1}
    finally:
        unregister_reader(reader)
    for span in spans.all():
        found = {key: value for key, value in (span.attributes or {}).items() if key.startswith("llm.")}
        assert found == {**INPUT_MESSAGES, **recorded}
    log.expect(line)


def test_a_block_understands_what_it_is_given(spans: Spans) -> None:
    """As a block, input and output mean what arguments and result do; what is set by itself wins over that."""
    with trace_llm("first", model="gpt-4o", input=MESSAGES) as span:
        span.set_output(RESPONSE)
    with trace_llm("second") as span:
        span.set_finish_reason("mine")
        span.set_input({"messages": MESSAGES, "model": "gpt-4o", "temperature": 0})
        span.set_output_messages("set")
        span.set_output(RESPONSE)
    first, second = (dict(span.attributes or {}) for span in spans.all())
    answered = {"llm.model_name": "gpt-4o-2024-08-06", "llm.system": "openai", **COUNTS}
    asked = {"llm.request.model_name": "gpt-4o", "llm.response.model_name": "gpt-4o-2024-08-06"}
    assert first.items() >= {**INPUT_MESSAGES, **ANSWER, **answered, **asked, "llm.finish_reason": "stop"}.items()
    assert json.loads(str(first["input.value"])) == MESSAGES
    assert second.items() >= {**INPUT_MESSAGES, **answered, "llm.finish_reason": "mine"}.items()
    assert second["llm.invocation_parameters"] == '{"model":"gpt-4o","temperature":0}'
    assert second["llm.output_messages.0.message.content"] == "set"


def test_setters_take_a_providers_own_objects(spans: Spans) -> None:
    """A whole response gives its messages and its usage gives the counts, in any provider's words."""
    usages: list[Any] = [
        RESPONSE["usage"],
        {"input_tokens": 4, "cache_read_input_tokens": 6, "cache_creation_input_tokens": 0, "output_tokens": 3},
        {"prompt_token_count": 10, "candidates_token_count": 3, "total_token_count": 13},
        {"input_tokens": 10, "output_tokens": 3, "total_tokens": 13, "input_token_details": {"cache_read": 1}},
    ]
    for usage in usages:
        with trace_llm("block") as span:
            span.set_output_messages(RESPONSE)
            span.set_token_counts(usage)
    for ended in spans.all():
        assert (ended.attributes or {}).items() >= {**ANSWER, **COUNTS}.items()


@pytest.mark.parametrize(
    ("setter", "argument", "keywords", "line"),
    [
        ("set_token_counts", None, {"prompts": 1}, "there is no 'prompts': give prompt, completion"),
        ("set_token_counts", 5, {}, "no token counts are known in this int"),
        ("set_cost", None, {"promt": 1}, "there is no 'promt': give prompt, completion"),
        ("set_cost", 5, {}, "cost is int"),
        ("set_documents", 5, {}, "int holds nothing that is known as documents"),
        ("set_metadata", "hello", {}, "metadata is a mapping"),
        ("set_output", "x", {"mime_type": "3"}, "mime_type is no MIME type"),
    ],
)
def test_a_misused_setter_is_told_what_to_write(
    setter: str, argument: Any, keywords: dict[str, Any], line: str, spans: Spans, log: LogCatcher
) -> None:
    """Nothing is raised; the log says once what is wrong and what to give."""
    for _ in range(2):
        with trace_llm("block") as span:
            getattr(span, setter)(argument, **keywords)
    log.expect(line)
