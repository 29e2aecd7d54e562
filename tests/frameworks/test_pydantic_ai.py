"""Pydantic AI: its agents marked by hand, and recorded through a capability."""

# mypy: disallow-subclassing-any=False

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic_ai import Agent, ApprovalRequired, CallDeferred, DeferredToolRequests, ModelRetry, RunContext
from pydantic_ai.capabilities import AbstractCapability
from pydantic_ai.direct import model_request
from pydantic_ai.exceptions import UnexpectedModelBehavior
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    TextPart,
    ToolCallPart,
)
from pydantic_ai.models import Model
from pydantic_ai.models.fallback import FallbackModel
from pydantic_ai.models.function import AgentInfo, DeltaToolCall, FunctionModel
from pydantic_ai.models.test import TestModel
from pydantic_ai.models.wrapper import WrapperModel

from agenttrace import suppress_tracing, trace_step, using_session
from agenttrace.integrations.pydantic_ai import traced_model, tracing_capability
from agenttrace.testing import CapturedSpans, capture_spans

from .example_runs import only_trace, outline, run_example, values

Answer = Callable[[list[ModelMessage]], ModelResponse]


class Forecast(BaseModel):
    """What an agent is to answer."""

    city: str
    rain: bool


@pytest.fixture(autouse=True)
def event_loop() -> Iterator[None]:
    """The loop that ``run_sync`` runs in, which would make one itself and not close it."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    loop.close()
    asyncio.set_event_loop(None)


@pytest.fixture
def spans() -> Iterator[CapturedSpans]:
    """The spans of the test."""
    with capture_spans() as captured:
        yield captured


def scripted(*answers: Any) -> FunctionModel:
    """A model that answers with these parts, one list after the other; an exception is raised."""
    return FunctionModel(scripted_answer(*answers), model_name="scripted")


def scripted_answer(*answers: Any) -> Callable[[list[ModelMessage], AgentInfo], ModelResponse]:
    """The function of such a model."""
    left = list(answers)

    def answer(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        parts = left.pop(0)
        if isinstance(parts, Exception):
            raise parts
        return ModelResponse([TextPart(parts)] if isinstance(parts, str) else parts)

    return answer


def agent_of(model: Any, **options: Any) -> Agent[Any, Any]:
    return Agent(model, name="weather", capabilities=[tracing_capability()], **options)


def get_weather(city: str) -> str:
    """The weather of a city."""
    with trace_step("look it up", input=city):
        return f"rain in {city}"


async def get_weather_slowly(city: str) -> str:
    """The weather of a city, from somewhere else."""
    await asyncio.sleep(0)
    return get_weather(city)


def call(tool: str, **arguments: Any) -> ToolCallPart:
    return ToolCallPart(tool, arguments, f"call_{tool}")


def attributes_of(span: Any) -> dict[str, Any]:
    return dict(span.attributes or {})


# By hand


def test_the_example_leaves_one_tree(tmp_path: Path) -> None:
    """Marks on what a tool does, on the model and on the run make one tree that breaks no rule."""
    assert run_example("pydantic_ai_agent", tmp_path) == "warmer='Lima' difference=14.5\n"
    spans = only_trace(tmp_path)
    assert outline(spans) == ["AGENT comparer", "  LLM ask", "  TOOL measure", "  TOOL measure", "  LLM ask"]
    assert values(spans, "measure", "input.value") == ['{"city":"Oslo"}', '{"city":"Lima"}']
    assert values(spans, "measure", "output.value") == ["4.5", "19.0"]
    assert values(spans, "comparer", "output.value") == ['{"warmer":"Lima","difference":14.5}']
    first, second = (dict(span.attributes) for span in spans if span.name == "ask")
    assert first["llm.input_messages.0.message.content"] == "Compare what the tool measures."
    assert first["llm.input_messages.1.message.content"] == "Is Oslo or Lima warmer?"
    assert [first[f"llm.tools.{place}.tool.name"] for place in range(2)] == ["measure", "final_result"]
    assert first["llm.model_name"] == "scripted"
    assert second["llm.input_messages.3.message.content"] == "4.5"
    assert second["llm.output_messages.0.message.tool_calls.0.tool_call.function.name"] == "final_result"
    assert second["llm.token_count.total"] == 76


# Through the capability


def test_a_run_is_one_tree(spans: CapturedSpans) -> None:
    """Requests, tools that run at the same time, and marks of the user's inside of these."""
    model = scripted([call("get_weather", city="Oslo"), call("get_weather_slowly", city="Rome")], "Rain, both.")
    agent = agent_of(model, tools=[get_weather, get_weather_slowly], instructions="Be brief.")
    assert agent.run_sync("Oslo and Rome?").output == "Rain, both."
    spans.assert_tree("""
        AGENT weather
          LLM chat scripted
          TOOL get_weather
            CHAIN look it up
          TOOL get_weather_slowly
            CHAIN look it up
          LLM chat scripted
    """)
    spans.assert_conformant(strict=True)
    assert (spans.input("weather"), spans.output("weather")) == ("Oslo and Rome?", "Rain, both.")
    tool = attributes_of(spans.find("get_weather"))
    assert (spans.input("get_weather"), spans.output("get_weather")) == ({"city": "Oslo"}, "rain in Oslo")
    assert (tool["tool.description"], tool["tool.id"]) == ("The weather of a city.", "call_get_weather")
    assert '"required":["city"]' in tool["tool.parameters"]


def test_a_request_is_read(spans: CapturedSpans) -> None:
    """Instructions, messages, tools, settings, answer, tokens; of the settings nothing that may be secret."""
    model = scripted([call("get_weather", city="Oslo")], "Rain.")
    settings: Any = {"temperature": 0.2, "extra_headers": {"X-Key": "s3cr3t"}}
    agent_of(model, tools=[get_weather], instructions="Be brief.", model_settings=settings).run_sync("Oslo?")
    first, second = map(attributes_of, spans.find_all(kind="LLM"))
    assert first["llm.input_messages.0.message.role"] == "system"
    assert first["llm.input_messages.0.message.content"] == "Be brief."
    assert first["llm.input_messages.1.message.content"] == "Oslo?"
    assert first["llm.tools.0.tool.name"] == "get_weather"
    assert first["llm.invocation_parameters"] == '{"model":"scripted","temperature":0.2}'
    called = "llm.output_messages.0.message.tool_calls.0.tool_call"
    assert (first[f"{called}.id"], first[f"{called}.function.name"]) == ("call_get_weather", "get_weather")
    assert second["llm.input_messages.3.message.role"] == "tool"
    assert second["llm.input_messages.3.message.content"] == "rain in Oslo"
    assert second["llm.output_messages.0.message.content"] == "Rain."
    assert second["llm.token_count.total"] == second["llm.token_count.prompt"] + second["llm.token_count.completion"]
    assert "s3cr3t" not in "".join(span.to_json() for span in spans)


def test_a_conversation_is_a_session(spans: CapturedSpans) -> None:
    """Runs of one conversation share it; a session that the program has set is left alone."""
    agent = agent_of(scripted("Rain.", "Sun.", "Snow."))
    first = agent.run_sync("Today?", conversation_id="talk-1")
    agent.run_sync("Tomorrow?", message_history=first.all_messages())
    with using_session("mine"):
        agent.run_sync("And then?")
    sessions = [attributes_of(span)["session.id"] for span in spans]
    assert sessions == ["talk-1"] * 4 + ["mine"] * 2


def test_dependencies_are_not_recorded(spans: CapturedSpans) -> None:
    """What a tool is given beside the model's arguments is the program's own."""

    def look(ctx: RunContext[str], city: str) -> str:
        return f"{city}, by a key of {len(ctx.deps)}"

    agent_of(scripted([call("look", city="Oslo")], "Rain."), deps_type=str, tools=[look]).run_sync("?", deps="s3cr3t")
    assert spans.input("look") == {"city": "Oslo"}
    assert "s3cr3t" not in "".join(span.to_json() for span in spans)


def test_an_agent_in_a_tool_stands_in_the_tool(spans: CapturedSpans) -> None:
    """One agent that another one asks."""
    inner = Agent(scripted("Rain."), name="forecaster", capabilities=[tracing_capability()])

    async def ask(question: str) -> str:
        return str((await inner.run(question)).output)

    agent_of(scripted([call("ask", question="Oslo?")], "Take a coat."), tools=[ask]).run_sync("What to wear?")
    spans.assert_tree("""
        AGENT weather
          LLM chat scripted
          TOOL ask
            AGENT forecaster
              LLM chat scripted
          LLM chat scripted
    """)


def test_a_streamed_run_is_whole(spans: CapturedSpans) -> None:
    """Its spans end with the streams, and what the consumer marks meanwhile stands in the run."""
    agent = agent_of(FunctionModel(stream_function=stream_weather, model_name="scripted"), tools=[get_weather])

    async def consume() -> list[str]:
        async with agent.run_stream("Oslo?") as result:
            with trace_step("consumer"):
                texts = [text async for text in result.stream_text(delta=True, debounce_by=None)]
        with trace_step("afterwards"):
            return texts

    assert asyncio.run(consume()) == ["It ", "rains."]
    spans.assert_tree("""
        AGENT weather
          LLM chat scripted
          TOOL get_weather
            CHAIN look it up
          LLM chat scripted
          CHAIN consumer
        CHAIN afterwards
    """)
    last = attributes_of(spans.find_all(kind="LLM")[-1])
    assert last["llm.output_messages.0.message.content"] == "It rains."
    assert last["llm.token_count.completion"] == 3
    assert spans.output("weather") == "It rains."
    spans.assert_conformant(strict=True)


async def stream_weather(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[Any]:
    """Calls a tool, then says what came of it in two pieces."""
    if len(messages) == 1:
        yield {0: DeltaToolCall("get_weather", '{"city": "Oslo"}', tool_call_id="call_1")}
    else:
        yield "It "
        yield "rains."


def test_a_stream_that_is_left_early_is_no_failure(spans: CapturedSpans) -> None:
    """What came so far is recorded, and nothing stays open or current."""
    agent = agent_of(FunctionModel(stream_function=stream_weather, model_name="scripted"), tools=[get_weather])

    async def consume() -> None:
        async with agent.run_stream("Oslo?") as result:
            async for _ in result.stream_text(delta=True, debounce_by=None):
                break
        with trace_step("afterwards"):
            pass

    asyncio.run(consume())
    assert spans.unfinished == []
    spans.assert_no_errors()
    spans.assert_parent("afterwards", None)
    last = attributes_of(spans.find_all(kind="LLM")[-1])
    assert last["llm.output_messages.0.message.content"].startswith("It ")


def test_a_run_by_steps_is_one_tree(spans: CapturedSpans) -> None:
    """``iter()`` hands the program one node after the other."""
    agent = agent_of(scripted([call("get_weather", city="Oslo")], "Rain."), tools=[get_weather])

    async def step_through() -> int:
        async with agent.iter("Oslo?") as run:
            return len([node async for node in run])

    assert asyncio.run(step_through()) == 6
    assert spans.tree().splitlines()[0] == "AGENT weather"
    assert [span.name for span in spans.roots] == ["weather"]
    assert spans.output("weather") == "Rain."


def test_events_of_a_run_come_from_one_tree(spans: CapturedSpans) -> None:
    """``run_stream_events()`` is consumed in a task of its own."""
    agent = agent_of(FunctionModel(stream_function=stream_weather, model_name="scripted"), tools=[get_weather])

    async def consume() -> int:
        async with agent.run_stream_events("Oslo?") as events:
            return len([event async for event in events])

    assert asyncio.run(consume()) > 0
    assert [span.name for span in spans.roots] == ["weather"]
    assert spans.unfinished == []
    spans.assert_no_errors()


# What goes wrong, and what is mended


def test_a_call_to_be_mended_is_an_error_of_the_tool_alone(spans: CapturedSpans) -> None:
    """``ModelRetry`` is what the model sees, and the run goes on."""

    def flaky() -> str:
        raise ModelRetry("Try again later.")

    agent_of(scripted([call("flaky")], "Never mind."), tools=[flaky]).run_sync("?")
    assert spans.find("flaky").status.description == "ModelRetry: Try again later."
    assert spans.output("flaky") == "Try again later."
    assert [span.name for span in spans if not span.status.is_ok] == ["flaky"]
    spans.assert_conformant(strict=True)


def test_arguments_that_do_not_fit_are_an_error_of_the_tool_alone(spans: CapturedSpans) -> None:
    """The tool never ran, and its span says why."""
    model = scripted([call("get_weather", town="Oslo")], [call("get_weather", city="Oslo")], "Rain.")
    agent_of(model, tools=[get_weather]).run_sync("Oslo?")
    refused, accepted = spans.find_all("get_weather")
    assert "ValidationError" in str(refused.status.description)
    assert spans.input(refused) == {"town": "Oslo"}
    assert accepted.status.is_ok
    assert spans.find("weather").status.is_ok


def test_an_output_that_does_not_fit_is_an_error_of_its_own(spans: CapturedSpans) -> None:
    """A model that is asked once more has its first answer on record as one that was not accepted."""
    model = scripted([call("final_result", city="Oslo")], [call("final_result", city="Oslo", rain=True)])
    result = agent_of(model, output_type=Forecast).run_sync("Oslo?")
    assert result.output == Forecast(city="Oslo", rain=True)
    spans.assert_tree("""
        AGENT weather
          LLM chat scripted
          CHAIN output rejected
          LLM chat scripted
    """)
    assert "ValidationError" in str(spans.find("output rejected").status.description)
    assert spans.output("weather") == {"city": "Oslo", "rain": True}
    assert attributes_of(spans.find_all(kind="LLM")[0])["llm.tools.0.tool.name"] == "final_result"


def test_an_output_function_is_a_step(spans: CapturedSpans) -> None:
    """What it was given and what it made of it."""

    def shout(text: str) -> str:
        return text.upper()

    agent_of(scripted([call("final_result", text="rain")]), output_type=shout).run_sync("Oslo?")
    step = spans.find(kind="CHAIN")
    assert step.name == "shout"
    assert spans.output(step) == "RAIN"


def test_a_tool_that_fails_ends_the_run(spans: CapturedSpans) -> None:
    """Any other exception is on the tool's span and on the run's."""

    def fail() -> str:
        raise KeyError("Atlantis")

    with pytest.raises(KeyError, match="Atlantis"):
        agent_of(scripted([call("fail")]), tools=[fail]).run_sync("?")
    failed = {span.name: span.status.description for span in spans if not span.status.is_ok}
    assert failed == {"weather": "KeyError: 'Atlantis'", "fail": "KeyError: 'Atlantis'"}


def test_a_model_that_fails_ends_the_run(spans: CapturedSpans) -> None:
    """What it raises is on the request's span and on the run's, and reaches the caller."""
    with pytest.raises(UnexpectedModelBehavior, match="out of order"):
        agent_of(scripted(UnexpectedModelBehavior("out of order"))).run_sync("?")
    assert [span.status.is_ok for span in spans] == [False, False]
    assert "out of order" in str(spans.find("chat scripted").status.description)


@pytest.mark.parametrize("exception", [ApprovalRequired, CallDeferred])
def test_a_call_that_waits_is_no_error(exception: Any, spans: CapturedSpans) -> None:
    """A call that somebody is to approve, or to answer, is put off."""

    def delete() -> str:
        raise exception(metadata={"reason": "cautious"})

    agent = agent_of(scripted([call("delete")]), tools=[delete], output_type=[str, DeferredToolRequests])
    assert isinstance(agent.run_sync("?").output, DeferredToolRequests)
    spans.assert_no_errors()
    tool = attributes_of(spans.find("delete"))
    assert tool["metadata"] == f'{{"deferred":"{exception.__name__}","reason":"cautious"}}'
    assert "output.value" not in tool


def test_a_model_that_steps_in_is_the_one_that_answered(spans: CapturedSpans) -> None:
    """A chain of models is one request, by the name of who answered."""
    from pydantic_ai.exceptions import ModelHTTPError

    model = FallbackModel(scripted(ModelHTTPError(503, "scripted")), TestModel(model_name="spare", call_tools=[]))
    agent_of(model).run_sync("?")
    request = attributes_of(spans.find(kind="LLM"))
    assert request["llm.model_name"] == "spare"
    spans.assert_no_errors()


# Without an agent, and without anybody to record


def test_a_model_alone_is_traced(spans: CapturedSpans) -> None:
    """``traced_model`` is for requests that no agent makes."""
    model = traced_model(TestModel(custom_output_text="Rain."))
    response = asyncio.run(model_request(model, [ModelRequest.user_text_prompt("Oslo?")]))
    assert isinstance(response, ModelResponse)
    request = attributes_of(spans.find("chat test", kind="LLM"))
    assert request["llm.input_messages.0.message.content"] == "Oslo?"
    assert request["llm.output_messages.0.message.content"] == "Rain."


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("where", ["twice on the agent", "one object twice", "on the agent and for the run"])
def test_two_capabilities_are_one(where: str, streamed: bool, spans: CapturedSpans) -> None:
    """However an agent comes by a second one, each run, request and tool is recorded once, tokens included."""
    first = tracing_capability()
    again = first if where == "one object twice" else tracing_capability()
    for_agent, for_run = ([first], [again]) if where == "on the agent and for the run" else ([first, again], [])
    model = FunctionModel(
        scripted_answer([call("get_weather", city="Oslo")], "It rains."),
        stream_function=stream_weather,
        model_name="scripted",
    )
    agent = Agent(model, name="weather", capabilities=for_agent, tools=[get_weather])

    async def ask() -> str:
        if not streamed:
            return str((await agent.run("Oslo?", capabilities=for_run)).output)
        async with agent.run_stream("Oslo?", capabilities=for_run) as result:
            return str(await result.get_output())

    assert asyncio.run(ask()) == "It rains."
    spans.assert_tree("""
        AGENT weather
          LLM chat scripted
          TOOL get_weather
            CHAIN look it up
          LLM chat scripted
    """)


def test_an_override_of_the_capabilities_records_once(spans: CapturedSpans) -> None:
    """What a test of the program puts in the place of the agent's model is recorded as the agent's."""
    agent = agent_of(scripted("Rain."))
    with agent.override(model=traced_model(scripted("Sun."))):
        assert agent.run_sync("Oslo?", capabilities=[tracing_capability()]).output == "Sun."
    assert spans.tree() == "AGENT weather\n  LLM chat scripted\n"


def router_to(model: Model) -> Model:
    """A model of the program's own, which hands each request on."""

    class Router(TestModel):
        async def request(self, *arguments: Any) -> ModelResponse:
            return await model.request(*arguments)

    return Router()


class Renewing(WrapperModel):
    """A wrapper of the program's own, whose messages are other objects than those that it was given."""

    async def request(self, messages: Any, *arguments: Any) -> ModelResponse:
        return await self.wrapped.request([replace(message) for message in messages], *arguments)


@pytest.mark.parametrize(
    "around",
    [
        lambda model: model,
        traced_model,
        FallbackModel,
        Renewing,
        lambda model: Renewing(FallbackModel(Renewing(model))),
        router_to,
    ],
    ids=["alone", "traced model", "fallback", "renewing", "several", "router"],
)
def test_a_traced_model_steps_back_in_an_agent_with_the_capability(around: Any, spans: CapturedSpans) -> None:
    """The capability's span is the request's record; a second one would have its tokens again."""
    agent = agent_of(around(traced_model(scripted([call("get_weather", city="Oslo")], "Rain."))), tools=[get_weather])
    result = agent.run_sync("Oslo?")
    outline = [line.split(" chat ")[0] for line in spans.tree().splitlines()]
    assert outline == ["AGENT weather", "  LLM", "  TOOL get_weather", "    CHAIN look it up", "  LLM"]
    tokens = [attributes_of(span)["llm.token_count.total"] for span in spans.find_all(kind="LLM")]
    assert (len(tokens), sum(tokens)) == (2, result.usage.total_tokens)


def test_a_traced_model_that_streams_steps_back_too(spans: CapturedSpans) -> None:
    """The stream is recorded once, up to its end."""
    model = FunctionModel(stream_function=stream_weather, model_name="scripted")
    agent = agent_of(traced_model(traced_model(model)), tools=[get_weather])

    async def consume() -> tuple[str, int]:
        async with agent.run_stream("Oslo?") as result:
            return str(await result.get_output()), result.usage.total_tokens

    text, total = asyncio.run(consume())
    assert text == "It rains."
    tokens = [attributes_of(span)["llm.token_count.total"] for span in spans.find_all(kind="LLM")]
    assert (len(tokens), sum(tokens)) == (2, total)


def test_a_request_that_a_model_makes_beside_its_own_is_recorded(spans: CapturedSpans) -> None:
    """Only the same request is left out: what a model asks another one, and the agent that it runs, are not it."""
    other = traced_model(scripted("weather"))
    forecaster = Agent(traced_model(scripted("Rain.")), name="forecaster", capabilities=[tracing_capability()])

    async def answer(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        await model_request(other, [ModelRequest.user_text_prompt("What is this about?")])
        return ModelResponse([TextPart((await forecaster.run("Oslo?")).output)])

    agent_of(FunctionModel(answer, model_name="asking")).run_sync("Oslo?")
    spans.assert_tree("""
        AGENT weather
          LLM chat asking
            LLM chat scripted
            AGENT forecaster
              LLM chat scripted
    """)


@pytest.mark.parametrize(
    ("given", "advice"),
    [
        (3, 'a model, or a name such as "openai:gpt-4o-mini", not int'),
        (TestModel, "not the class TestModel"),
        (Agent(TestModel()), r"not an agent: write Agent\(…, capabilities=\[tracing_capability\(\)\]\)"),
    ],
    ids=["number", "class", "agent"],
)
def test_what_is_no_model_is_refused_at_once(given: Any, advice: str) -> None:
    """With what to write instead."""
    with pytest.raises(TypeError, match=advice):
        traced_model(given)


def test_a_models_name_will_do() -> None:
    """As everywhere in Pydantic AI."""
    assert traced_model("test").model_name == "test"


def test_nothing_is_recorded_where_tracing_is_suppressed(spans: CapturedSpans) -> None:
    """The run goes on as it would."""
    with suppress_tracing():
        agent = agent_of(scripted([call("get_weather", city="Oslo")], "Rain."), tools=[get_weather])
        assert agent.run_sync("Oslo?").output == "Rain."
    assert len(spans) == 0


def test_nothing_is_recorded_without_a_registration() -> None:
    """Where nobody called ``register()`` the capability is idle."""
    agent = agent_of(scripted([call("get_weather", city="Oslo")], "Rain."), tools=[get_weather])
    assert agent.run_sync("Oslo?").output == "Rain."


def test_the_capability_changes_nothing_of_the_run() -> None:
    """The messages of a run are the same with it and without, but for times and ids."""

    def messages(capabilities: list[AbstractCapability[Any]]) -> list[Any]:
        model = scripted([call("get_weather", city="Oslo")], "Rain.")
        agent = Agent(model, tools=[get_weather], instructions="Be brief.", capabilities=capabilities)
        return [
            [(part.part_kind, part.content) for part in message.parts if hasattr(part, "content")]
            for message in agent.run_sync("Oslo?").all_messages()
        ]

    with capture_spans():
        assert messages([tracing_capability()]) == messages([])
