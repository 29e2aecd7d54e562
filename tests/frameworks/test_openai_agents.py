"""The OpenAI Agents SDK: its agents marked by hand, and recorded through its own tracing."""

# mypy: disallow-subclassing-any=False

from __future__ import annotations

import asyncio
import contextlib
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from agents import (
    Agent,
    GuardrailFunctionOutput,
    InputGuardrailTripwireTriggered,
    MaxTurnsExceeded,
    ModelSettings,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    RunConfig,
    Runner,
    add_trace_processor,
    flush_traces,
    function_tool,
    input_guardrail,
    set_trace_processors,
    set_tracing_disabled,
    trace,
)
from agents.testing import ModelStep, ScriptedModel, assistant_message, function_call
from agents.usage import Usage
from openai import AsyncOpenAI

from agenttrace import suppress_tracing, trace_agent, trace_llm, trace_step
from agenttrace.integrations.openai_agents import tracing_processor
from agenttrace.testing import CapturedSpans, capture_spans
from tests.readers.openai_material import (
    BERGEN,
    CHAT_CHUNKS,
    OSLO,
    RESPONSE_EVENTS,
    call_item,
    called,
    choice,
    completion,
    response,
    text_item,
)
from tests.readers.replay import ReplayServer, event_stream, json_answer, replay_server

from .example_runs import EXAMPLES, only_trace, outline, run_example

DEFINITION = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather of a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    "strict": True,
}


@trace_llm(method="get_response", name="ask", model="scripted")
@trace_llm(method="stream_response", name="ask", model="scripted")
class TracedModel(ScriptedModel):
    """The SDK's model for tests, whose calls its own tracing tells nothing of, marked by hand."""


@function_tool
async def get_weather(city: str) -> str:
    """The weather of a city."""
    with trace_step("look it up", input=city):
        await asyncio.sleep(0)
    return f"rain in {city}"


@function_tool
def fail(reason: str) -> str:
    """Fails."""
    raise ValueError(reason)


@pytest.fixture(autouse=True)
def tracing() -> Iterator[None]:
    """The SDK's tracing, with our processor in the place of the one that sends to OpenAI."""
    set_trace_processors([tracing_processor()])
    set_tracing_disabled(False)
    yield
    set_trace_processors([])


@pytest.fixture
def server() -> Iterator[ReplayServer]:
    """An endpoint as OpenAI's."""
    with replay_server() as replay:
        yield replay


@pytest.fixture
def spans() -> Iterator[CapturedSpans]:
    """The spans of the test."""
    with capture_spans() as captured:
        yield captured


def run(agent: Agent[Any], *, streamed: bool = False, **options: Any) -> Any:
    """Ask ``agent`` about the weather, and close its model's client in the loop that it was used in."""

    async def asked() -> Any:
        try:
            if not streamed:
                return await Runner.run(agent, "How is the weather?", **options)
            result = Runner.run_streamed(agent, "How is the weather?", **options)
            async for _ in result.stream_events():
                pass
            return result
        finally:
            client = getattr(agent.model, "_client", None)
            if client is not None:
                await client.close()

    return asyncio.run(asked())


def client_of(server: ReplayServer) -> AsyncOpenAI:
    return AsyncOpenAI(base_url=server.url, api_key="test", max_retries=0)


def scripted(*steps: Any, **options: Any) -> Agent[Any]:
    """An agent whose model says ``steps`` one after the other."""
    return Agent("Weather", model=TracedModel(steps), **options)


def attributes_of(spans: CapturedSpans, name: str) -> dict[str, Any]:
    return dict(spans.find(name).attributes or {})


# By hand


def test_the_example_runs_as_it_is(tmp_path: Path) -> None:
    """It prints its answer, and leaves one trace that breaks no rule."""
    assert run_example("openai_agents_sdk", tmp_path) == "It rains in Oslo, and the sun shines in Rome.\n"
    assert outline(only_trace(tmp_path))[0] == "AGENT weather desk"


def test_the_example_leaves_one_tree(spans: CapturedSpans) -> None:
    """Marks on tools, model and run make one tree, with what each was given and gave."""
    example = runpy.run_path(str(EXAMPLES / "openai_agents_sdk.py"))
    set_tracing_disabled(True)
    answer = asyncio.run(example["answer"]("What is the weather in Oslo and in Rome?"))
    assert answer == "It rains in Oslo, and the sun shines in Rome."
    spans.assert_tree("""
        AGENT weather desk
          LLM ask
          CHAIN hand over to the forecaster
          LLM ask
          TOOL get_weather
          TOOL get_weather
          LLM ask
    """)
    spans.assert_conformant(strict=True)
    assert spans.output("weather desk") == answer
    assert [spans.input(tool) for tool in spans.find_all(kind="TOOL")] == [{"city": "Oslo"}, {"city": "Rome"}]
    second = dict(spans.find_all("ask")[1].attributes or {})
    assert second["llm.input_messages.0.message.content"] == "Answer from the tool."
    assert second["llm.tools.0.tool.name"] == "get_weather"
    called = "llm.output_messages.0.message.tool_calls.1.tool_call.function"
    assert (second[f"{called}.name"], second[f"{called}.arguments"]) == ("get_weather", '{"city":"Rome"}')
    counts = [dict(span.attributes or {})["llm.token_count.total"] for span in spans.find_all("ask")]
    assert counts == [70, 106, 135]


def test_a_marked_model_is_understood_when_it_streams(spans: CapturedSpans) -> None:
    """The events of ``stream_response`` are put together to the answer."""
    set_tracing_disabled(True)
    run(scripted(ModelStep([assistant_message("Rain.")], Usage(1, 7, output_tokens=2))), streamed=True)
    asked = attributes_of(spans, "ask")
    assert asked["llm.input_messages.0.message.content"] == "How is the weather?"
    assert asked["llm.output_messages.0.message.content"] == "Rain."
    assert asked["llm.token_count.total"] == 9
    spans.assert_conformant(strict=True)


# Through the SDK's own tracing


def test_a_run_is_one_tree(server: ReplayServer, spans: CapturedSpans) -> None:
    """Workflow, agent, turns, model calls and parallel tools, with marks of the user's inside the tools."""
    server.will_answer(
        json_answer(response(call_item(OSLO), call_item(BERGEN), tools=[DEFINITION], instructions="Be brief.")),
        json_answer(response(text_item("Rain."), instructions="Be brief.")),
    )
    model = OpenAIResponsesModel("gpt-4.1", client_of(server))
    agent = Agent("Weather", instructions="Be brief.", model=model, tools=[get_weather])
    config = RunConfig(workflow_name="Forecast", group_id="chat-7", trace_metadata={"plan": "free"})
    assert run(agent, run_config=config).final_output == "Rain."
    spans.assert_tree("""
        AGENT Forecast
          AGENT Weather
            CHAIN turn 1
              LLM response
              TOOL get_weather
                CHAIN look it up
              TOOL get_weather
                CHAIN look it up
            CHAIN turn 2
              LLM response
    """)
    spans.assert_conformant(strict=True)
    assert {dict(span.attributes or {})["session.id"] for span in spans} == {"chat-7"}
    for name in ("Forecast", "Weather"):
        assert (spans.input(name), spans.output(name)) == ("How is the weather?", "Rain.")
    assert attributes_of(spans, "Forecast")["metadata"] == '{"plan":"free"}'
    assert attributes_of(spans, "Weather")["graph.node.id"] == "Weather"


def test_a_response_is_read(server: ReplayServer, spans: CapturedSpans) -> None:
    """Messages, instructions, tools, model, parameters, tokens and why it stopped."""
    server.will_answer(json_answer(response(text_item("Rain."), tools=[DEFINITION], instructions="Be brief.")))
    run(Agent("Weather", model=OpenAIResponsesModel("gpt-4.1", client_of(server))))
    read = attributes_of(spans, "response")
    assert read["llm.input_messages.0.message.role"] == "system"
    assert read["llm.input_messages.0.message.content"] == "Be brief."
    assert read["llm.input_messages.1.message.content"] == "How is the weather?"
    assert read["llm.output_messages.0.message.content"] == "Rain."
    assert read["llm.model_name"] == "gpt-4.1-2025-04-14"
    assert read["llm.tools.0.tool.name"] == "get_weather"
    assert '"temperature":1.0' in read["llm.invocation_parameters"]
    assert (read["llm.token_count.prompt"], read["llm.token_count.completion"]) == (82, 37)
    assert read["llm.token_count.prompt_details.cache_read"] == 64
    assert read["llm.finish_reason"] == "completed"


def test_a_tool_has_the_definition_that_the_model_was_offered(server: ReplayServer, spans: CapturedSpans) -> None:
    """The SDK's span of a call has no description and no schema: the response before it has."""
    server.will_answer(
        json_answer(response(call_item(OSLO), tools=[DEFINITION])), json_answer(response(text_item("Rain.")))
    )
    run(Agent("Weather", model=OpenAIResponsesModel("gpt-4.1", client_of(server)), tools=[get_weather]))
    tool = attributes_of(spans, "get_weather")
    assert tool["tool.description"] == "The weather of a city."
    assert '"required":["city"]' in tool["tool.parameters"]
    assert (spans.input("get_weather"), spans.output("get_weather")) == ({"city": "Oslo"}, "rain in Oslo")


def test_a_chat_completion_is_read(server: ReplayServer, spans: CapturedSpans) -> None:
    """What any OpenAI-compatible endpoint answers: the conversation, what was set, tool calls and tokens."""
    calls = {"role": "assistant", "content": None, "tool_calls": [called(OSLO)]}
    server.will_answer(
        json_answer(completion(choice(calls, "tool_calls"))),
        json_answer(completion(choice({"role": "assistant", "content": "Rain."}))),
    )
    model = OpenAIChatCompletionsModel("gpt-4.1", client_of(server))
    settings = ModelSettings(temperature=0.2)
    run(Agent("Weather", instructions="Be brief.", model=model, model_settings=settings, tools=[get_weather]))
    first, second = (dict(span.attributes or {}) for span in spans.find_all("generation"))
    assert first["llm.invocation_parameters"] == '{"model":"gpt-4.1","temperature":0.2}'
    assert first["llm.output_messages.0.message.tool_calls.0.tool_call.id"] == "call_oslo"
    assert second["llm.input_messages.3.message.content"] == "rain in Oslo"
    assert second["llm.output_messages.0.message.content"] == "Rain."
    assert second["llm.token_count.prompt"] == 82
    assert spans.output("Weather") == "Rain."
    spans.assert_conformant(strict=True)


@pytest.mark.parametrize("kind", ["response", "generation"])
def test_a_streamed_answer_is_whole(kind: str, server: ReplayServer, spans: CapturedSpans) -> None:
    """A streamed run is recorded as one that isn't, by the end of its stream."""
    if kind == "response":
        server.will_answer(event_stream(RESPONSE_EVENTS, names=True), json_answer(response(text_item("Rain."))))
        model: Any = OpenAIResponsesModel("gpt-4.1", client_of(server))
    else:
        server.will_answer(event_stream(CHAT_CHUNKS, done=True))
        model = OpenAIChatCompletionsModel("gpt-4.1", client_of(server))
    agent = Agent("Weather", model=model, tools=[get_weather], tool_use_behavior="stop_on_first_tool")
    run(agent, streamed=True)
    spans.assert_tree(f"""
        AGENT Agent workflow
          AGENT Weather
            CHAIN turn 1
              LLM {kind}
              TOOL get_weather
                CHAIN look it up
              TOOL get_weather
                CHAIN look it up
    """)
    read = attributes_of(spans, kind)
    texts = [value for key, value in read.items() if key.startswith("llm.output_messages.0") and "content" in key]
    assert "Let me look." in texts
    assert read["llm.output_messages.0.message.tool_calls.1.tool_call.id"] == "call_bergen"
    assert read["llm.token_count.total"] == 119
    spans.assert_conformant(strict=True)


def test_a_marked_model_stands_in_its_turn(spans: CapturedSpans) -> None:
    """A model that doesn't tell the SDK's tracing of its calls is marked by hand, beside the processor."""
    run(scripted([assistant_message("Rain.")]))
    spans.assert_tree("""
        AGENT Agent workflow
          AGENT Weather
            CHAIN turn 1
              LLM ask
    """)


def test_run_sync_nests_under_the_program(spans: CapturedSpans) -> None:
    """A run that blocks is part of the span that it is called in."""
    loop = asyncio.new_event_loop()  # which the SDK would make, and not close
    asyncio.set_event_loop(loop)
    with contextlib.closing(loop), trace_agent("mine"):
        Runner.run_sync(scripted([assistant_message("Rain.")]), "How is the weather?")
    asyncio.set_event_loop(None)
    assert spans.tree().startswith("AGENT mine\n  AGENT Agent workflow\n    AGENT Weather\n")


def test_a_handoff_leads_from_agent_to_agent(spans: CapturedSpans) -> None:
    """Both agents stand in the workflow, with the handoff between them and their places in the graph."""
    weather = scripted([assistant_message("Rain.")])
    desk = Agent(
        "Desk", model=TracedModel([[function_call("transfer_to_weather", {}, call_id="1")]]), handoffs=[weather]
    )
    assert run(desk).final_output == "Rain."
    spans.assert_tree("""
        AGENT Agent workflow
          AGENT Desk
            CHAIN turn 1
              LLM ask
              CHAIN handoff to Weather
          AGENT Weather
            CHAIN turn 2
              LLM ask
    """)
    assert attributes_of(spans, "Weather")["graph.node.parent_id"] == "Desk"
    assert spans.input("handoff to Weather") == {"from_agent": "Desk"}
    spans.assert_conformant(strict=True)


def test_an_agent_as_a_tool_stands_in_the_tool(spans: CapturedSpans) -> None:
    """What it says is no answer of the workflow's."""
    tool = scripted([assistant_message("Rain.")]).as_tool("ask_weather", "Asks about the weather.")
    steps = [[function_call("ask_weather", {"input": "Oslo?"}, call_id="1")], [assistant_message("Take a coat.")]]
    run(Agent("Desk", model=TracedModel(steps), tools=[tool]))
    spans.assert_tree("""
        AGENT Agent workflow
          AGENT Desk
            CHAIN turn 1
              LLM ask
              TOOL ask_weather
                AGENT Weather
                  CHAIN turn 1
                    LLM ask
            CHAIN turn 2
              LLM ask
    """)
    assert attributes_of(spans, "Weather")["graph.node.parent_id"] == "Desk"


def test_runs_in_one_trace_are_one_tree(spans: CapturedSpans) -> None:
    """``with trace(…)`` holds several runs, and what the program marks between them."""

    async def both() -> None:
        with trace("Two questions", group_id="chat-8"):
            await Runner.run(scripted([assistant_message("Rain.")]), "Today?")
            with trace_step("in between"):
                await Runner.run(scripted([assistant_message("Sun.")]), "Tomorrow?")

    asyncio.run(both())
    spans.assert_tree("""
        AGENT Two questions
          AGENT Weather
            CHAIN turn 1
              LLM ask
          CHAIN in between
            AGENT Weather
              CHAIN turn 1
                LLM ask
    """)
    assert attributes_of(spans, "in between")["session.id"] == "chat-8"


def test_spans_are_left_out_as_the_sdk_is_told(spans: CapturedSpans) -> None:
    """Without turns the rest closes up."""
    run(scripted([assistant_message("Rain.")]), run_config=RunConfig(tracing={"include_task_and_turn_spans": False}))
    assert spans.tree() == "AGENT Agent workflow\n  AGENT Weather\n    LLM ask\n"


@pytest.mark.parametrize("streamed", [False, True])
def test_a_processor_that_is_given_again_records_once(
    streamed: bool, server: ReplayServer, spans: CapturedSpans
) -> None:
    """A notebook's cell that is run again, or ``add_trace_processor`` beside ``set_trace_processors``."""
    add_trace_processor(tracing_processor())
    add_trace_processor(tracing_processor())
    tool_call = [function_call("fail", {"reason": "no luck"}, call_id="1")]
    config = RunConfig(group_id="chat-9")
    run(scripted(tool_call, [assistant_message("Sorry.")], tools=[fail]), run_config=config, streamed=streamed)
    spans.assert_tree("""
        AGENT Agent workflow
          AGENT Weather
            CHAIN turn 1
              LLM ask
              TOOL fail
            CHAIN turn 2
              LLM ask
    """)
    assert {dict(span.attributes or {})["session.id"] for span in spans} == {"chat-9"}
    assert [span.name for span in spans if not span.status.is_ok] == ["fail"]
    assert spans.unfinished == []
    server.will_answer(json_answer(completion(choice({"role": "assistant", "content": "Rain."}))))
    run(Agent("Tokens", model=OpenAIChatCompletionsModel("gpt-4.1", client_of(server))))
    assert [dict(span.attributes or {})["llm.token_count.total"] for span in spans.find_all("generation")] == [119]


def test_a_processor_that_is_put_in_its_own_place_goes_on(spans: CapturedSpans) -> None:
    """Replaced in the middle of a trace, and shut down as some do first: what is open ends as it would."""
    with trace("Mine"):
        tracing_processor().shutdown()
        set_trace_processors([tracing_processor()])
        run(scripted([assistant_message("Rain.")]))
    assert spans.tree() == "AGENT Mine\n  AGENT Weather\n    CHAIN turn 1\n      LLM ask\n"
    assert spans.unfinished == []


# What fails


@pytest.mark.parametrize("streamed", [False, True])
def test_a_tools_failure_that_the_sdk_mends_is_the_tools_alone(streamed: bool, spans: CapturedSpans) -> None:
    """The model is told, and goes on: the run went well."""
    steps = [[function_call("fail", {"reason": "no luck"}, call_id="1")], [assistant_message("Sorry.")]]
    run(scripted(*steps, tools=[fail]), streamed=streamed)
    tool = spans.find("fail")
    assert (tool.status.is_ok, tool.status.description) == (
        False,
        "Error running tool (non-fatal): Tool execution failed. Error details are redacted.",
    )
    assert "An error occurred" in spans.output("fail")
    assert [span.name for span in spans if not span.status.is_ok] == ["fail"]


def test_a_tools_failure_that_ends_the_run_is_everybodys(spans: CapturedSpans) -> None:
    """From the tool up to the workflow each span has the exception that left it."""
    raising = function_tool(fail_hard, failure_error_function=None)
    with pytest.raises(Exception, match="no luck"):
        run(scripted([function_call("fail_hard", {}, call_id="1")], tools=[raising]))
    failed = {span.name: span.status.description for span in spans if not span.status.is_ok}
    assert failed == dict.fromkeys(
        ["fail_hard", "turn 1", "Weather", "Agent workflow"], "UserError: Error running tool fail_hard: no luck"
    )
    [event] = spans.find("fail_hard").events
    assert "no luck" in str((event.attributes or {})["exception.stacktrace"])


def fail_hard() -> str:
    """Fails."""
    raise ValueError("no luck")


@pytest.mark.parametrize("streamed", [False, True])
def test_a_models_failure_is_everybodys(streamed: bool, server: ReplayServer, spans: CapturedSpans) -> None:
    """What the endpoint refuses stands on the model call, its turn, its agent and the workflow."""
    server.will_answer(json_answer({"error": {"message": "no such model"}}, status=404))
    with pytest.raises(Exception, match="no such model"):
        run(Agent("Weather", model=OpenAIChatCompletionsModel("gpt-9", client_of(server))), streamed=streamed)
    assert [span.name for span in spans if span.status.is_ok] == []
    assert "NotFoundError" in str(spans.find("generation").status.description)
    assert attributes_of(spans, "generation")["llm.model_name"] == "gpt-9"


@pytest.mark.parametrize("streamed", [False, True])
def test_too_many_turns_are_a_failure_of_agent_and_workflow(streamed: bool, spans: CapturedSpans) -> None:
    """Of a streamed run the SDK tells only the agent."""
    steps = [[function_call("get_weather", {"city": "Oslo"}, call_id=str(number))] for number in range(3)]
    with pytest.raises(MaxTurnsExceeded):
        run(scripted(*steps, tools=[get_weather]), streamed=streamed, max_turns=2)
    assert [span.name for span in spans if not span.status.is_ok] == ["Agent workflow", "Weather"]
    assert "turns" in str(spans.find("Agent workflow").status.description)


@pytest.mark.parametrize("streamed", [False, True])
def test_a_tripwire_ends_the_run(streamed: bool, spans: CapturedSpans) -> None:
    """The guardrail did its work, so it is no failure of its own."""

    @input_guardrail(run_in_parallel=False)
    def politeness(context: Any, agent: Any, asked: Any) -> GuardrailFunctionOutput:
        with trace_step("count the pleases"):
            return GuardrailFunctionOutput(output_info="rude", tripwire_triggered=True)

    with pytest.raises(InputGuardrailTripwireTriggered):
        run(scripted([assistant_message("Rain.")], input_guardrails=[politeness]), streamed=streamed)
    guardrail = spans.find("politeness", kind="GUARDRAIL")
    assert guardrail.status.is_ok
    assert spans.output(guardrail) == {"triggered": True}
    assert [span.name for span in spans.children(guardrail)] == ["count the pleases"]
    assert not spans.find("Agent workflow").status.is_ok


def test_what_the_sdk_keeps_to_itself_is_not_recorded(server: ReplayServer, spans: CapturedSpans) -> None:
    """Without sensitive data there is no text of the conversation on any span, nor in an error."""
    server.will_answer(json_answer({"error": {"message": "no rain for you"}}, status=400))
    config = RunConfig(trace_include_sensitive_data=False)
    agent = Agent("Weather", model=OpenAIResponsesModel("gpt-4.1", client_of(server)))
    with pytest.raises(Exception, match="no rain for you"):
        run(agent, run_config=config)
    recorded = "".join(span.to_json() for span in spans)
    assert "no rain" not in recorded
    assert "How is the weather" not in recorded
    assert [span.name for span in spans if span.status.is_ok] == []


def test_an_exception_that_is_handled_around_a_run_is_none_of_it(spans: CapturedSpans) -> None:
    """A run in an ``except`` block went well all the same."""
    try:
        raise ValueError("no luck")
    except ValueError:
        run(scripted([assistant_message("Rain.")]))
    spans.assert_no_errors()


# Nothing to record


def test_nothing_is_recorded_where_tracing_is_suppressed(spans: CapturedSpans) -> None:
    """The run goes on as it would."""
    with suppress_tracing():
        assert run(scripted([assistant_message("Rain.")])).final_output == "Rain."
    assert len(spans) == 0


def test_nothing_is_recorded_without_a_registration() -> None:
    """Where nobody called ``register()`` the processor is idle."""
    assert run(scripted([assistant_message("Rain.")])).final_output == "Rain."
    assert sys.exc_info() == (None, None, None)


def test_the_sdk_can_have_spans_delivered_now(spans: CapturedSpans, monkeypatch: pytest.MonkeyPatch) -> None:
    """``flush_traces()``, which a worker calls after a piece of work, reaches the provider."""
    flushed: list[bool] = []
    monkeypatch.setattr(spans.tracer_provider, "force_flush", lambda: flushed.append(True))
    flush_traces()
    assert flushed == [True]


def test_nothing_stays_open(spans: CapturedSpans) -> None:
    """What a run leaves in the processor is nothing."""
    processor: Any = tracing_processor()
    set_trace_processors([processor])
    run(
        scripted(
            [function_call("fail", {"reason": "no luck"}, call_id="1")], [assistant_message("Sorry.")], tools=[fail]
        )
    )
    assert spans.unfinished == []
    assert (processor._places, processor._stories, processor._spans._open) == ({}, {}, {})
