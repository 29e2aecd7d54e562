"""What the spans of CrewAI's events have on them."""

# CrewAI isn't installed where the whole project is type-checked, so its classes are Any to mypy there:
# mypy: disallow-subclassing-any=False

from __future__ import annotations

import json
from typing import Any

import pytest
from crewai import BaseLLM, Crew
from crewai.knowledge.knowledge import Knowledge
from crewai.knowledge.storage.base_knowledge_storage import BaseKnowledgeStorage
from crewai.memory.unified_memory import Memory
from crewai.tools import BaseTool, tool

from agenttrace import current_span, trace_llm, trace_step, using_session

from .crews import agent_of, crew_of, look_up, looks_up, loopback, model, recorded, task_of


def attributes_of(spans: Any, name: str, kind: str | None = None) -> list[dict[str, Any]]:
    """The attributes of every span called ``name``."""
    return [dict(span.attributes or {}) for span in spans.find_all(name, kind)]


def test_a_crew_a_task_and_an_agent_say_what_they_were_given_and_gave() -> None:
    """Inputs, the task's description and expectation, the agent's prompt, and each one's output."""
    with model(looks_up("Oslo")) as llm, recorded() as spans:
        scout = agent_of(llm, "Scout\n", look_up)
        task = task_of(scout)
        task.description = "The weather in {city}"
        Crew(name="weather", agents=[scout], tasks=[task]).kickoff(inputs={"city": "Oslo"})
    assert spans.input("weather") == {"city": "Oslo"}
    assert spans.input("look") == {"description": "The weather in Oslo", "expected_output": "A few words"}
    assert spans.input("Scout").startswith("The weather in Oslo\n")
    for name in ("weather", "look", "Scout"):
        assert spans.output(name) == "rain in Oslo"
    [agent] = attributes_of(spans, "Scout")
    assert agent["agent.name"] == agent["graph.node.id"] == "Scout"
    assert agent["graph.node.parent_id"] == "weather"


@pytest.mark.parametrize("stream", [False, True])
def test_a_model_call_says_what_was_asked_and_answered(stream: bool) -> None:
    """Messages with their tool calls, tools with their schemas, parameters, provider, tokens, finish reason."""
    with model(looks_up("Oslo"), temperature=0.5, stream=stream) as llm, recorded() as spans:
        crew_of(llm).kickoff()
    first, second = attributes_of(spans, "gpt-4o-mini", "LLM")
    assert first["llm.provider"] == "openai"
    assert json.loads(first["llm.invocation_parameters"])["temperature"] == 0.5
    schema = json.loads(first["llm.tools.0.tool.json_schema"])
    assert schema["function"]["parameters"]["properties"]["city"]["type"] == "string"
    for message, attributes in (("llm.output_messages.0", first), ("llm.input_messages.2", second)):
        call = f"{message}.message.tool_calls.0.tool_call"
        assert attributes[f"{call}.function.name"] == "look_up"
        assert json.loads(attributes[f"{call}.function.arguments"]) == {"city": "Oslo"}
    assert second["llm.input_messages.3.message.role"] == "tool"
    assert second["llm.input_messages.3.message.content"] == "rain in Oslo"
    assert second["llm.output_messages.0.message.content"] == second["output.value"] == "rain in Oslo"
    assert [call["llm.finish_reason"] for call in (first, second)] == ["tool_calls", "stop"]
    for answered in (first, second):
        counts = [answered[f"llm.token_count.{name}"] for name in ("prompt", "completion", "total")]
        assert counts[0] + counts[1] == counts[2] > 0


def test_a_tool_says_what_it_is_took_and_gave() -> None:
    """Name, description, parameters, arguments as a JSON object, output."""
    with model(looks_up("Oslo")) as llm, recorded() as spans:
        crew_of(llm).kickoff()
    [call] = attributes_of(spans, "look_up", "TOOL")
    assert call["tool.name"] == "look_up"
    assert call["tool.description"] == "Today's weather in a city."
    assert json.loads(call["tool.parameters"])["required"] == ["city"]
    assert spans.input("look_up") == {"city": "Oslo"}
    assert spans.output("look_up") == "rain in Oslo"


@tool("note")
def note() -> str:
    """Says more about its own call."""
    current_span().set_attribute("note.length", 4)
    return "rain"


def test_the_current_span_in_a_tool_is_its_call() -> None:
    """What a tool says of the current span is on the TOOL that the listener made."""

    def script(asked: Any) -> Any:
        return loopback.Reply("rain") if asked.results else loopback.Reply(calls=[loopback.Call("note", {})])

    with model(script) as llm, recorded() as spans:
        crew_of(llm, note).kickoff()
    [attributes] = attributes_of(spans, "note", "TOOL")
    assert attributes["note.length"] == 4
    assert attributes["tool.description"] == "Says more about its own call."


class Reasoner(BaseLLM):
    """A model that calls tools in its text, as those do that know nothing of calls; behind CrewAI's own interface."""

    @trace_llm
    def call(self, messages: Any, *_: Any, **__: Any) -> str:
        """A call first, and then the answer."""
        if any("Observation: " in str(message["content"]) for message in messages[2:]):
            return "Thought: I know.\nFinal Answer: rain"
        return 'Thought: I look.\nAction: look_up\nAction Input: {"city": "Oslo"}'


def test_a_model_of_ones_own_that_is_marked_is_below_its_agent() -> None:
    """CrewAI emits no events for such a model, so its mark is its span; tools called in text are TOOLs all the same."""
    with recorded() as spans:
        assert str(crew_of(Reasoner(model="mine")).kickoff()) == "rain"
    spans.assert_tree("""
        AGENT weather
          CHAIN look
            AGENT Scout
              LLM Reasoner.call
              TOOL look_up
                CHAIN reading
              LLM Reasoner.call
    """)
    assert spans.input("look_up") == {"city": "Oslo"}


def short(output: Any):
    """A guardrail; like the callback below not a lambda, since CrewAI warns of what it couldn't save."""
    # Without an annotation of what it returns: CrewAI reads that, and takes none that is a string.
    with trace_step("measuring"):
        return (True, output.raw) if len(output.raw) < 20 else (False, "too long")


def told(_: Any) -> None:
    """A task's callback."""
    with trace_step("told"):
        pass


def test_a_guardrail_says_whether_it_let_pass() -> None:
    """One that sends the agent back is no error; its own marks are below it, and a callback's below the task."""

    def script(asked: Any) -> Any:
        return loopback.Reply("rain" if "too long" in asked.question else "rain, rain and once more rain")

    with model(script) as llm, recorded() as spans:
        assert str(crew_of(llm, guardrail=short, callback=told).kickoff()) == "rain"
    spans.assert_tree("""
        AGENT weather
          CHAIN look
            AGENT Scout
              LLM gpt-4o-mini
            GUARDRAIL short
              CHAIN measuring
            AGENT Scout
              LLM gpt-4o-mini
            GUARDRAIL short
              CHAIN measuring
            CHAIN told
    """)
    outcomes = [spans.output(span) for span in spans.find_all("short")]
    assert outcomes == [{"success": False, "error": "too long"}, {"success": True, "result": "rain"}]
    spans.assert_no_errors()


def test_memory_says_what_was_found_and_kept() -> None:
    """A RETRIEVER with the memories as documents; what is kept in the background is below the crew, to its end."""

    def embed(texts: list[str]) -> list[list[float]]:
        return [[float(len(text)), 1.0] for text in texts]

    with model(lambda _: loopback.Reply("rain")) as llm, recorded() as spans:
        memory = Memory(llm=llm, embedder=embed)
        memory.remember("Oslo is rainy", scope="/places", categories=["weather"], importance=0.5)
        scout = agent_of(llm, memory=memory)
        Crew(name="weather", agents=[scout], tasks=[task_of(scout)]).kickoff()
    [recall] = spans.find_all("recall")
    spans.assert_parent(recall, "look")
    [found] = spans.children(recall)
    attributes: dict[str, Any] = dict(found.attributes or {})
    assert attributes["openinference.span.kind"] == "RETRIEVER"
    assert attributes["input.value"] == "The weather"
    assert attributes["retrieval.documents.0.document.content"] == "Oslo is rainy"
    assert 0 < attributes["retrieval.documents.0.document.score"] < 1
    _, kept = spans.find_all("remember")
    spans.assert_parent(kept, "weather")
    assert spans.find_all(kind="LLM")[-1].parent is not None
    assert spans.unfinished == []


class Shelf(BaseKnowledgeStorage):
    """Knowledge that needs no vectors."""

    def search(self, query: list[str], *_: Any, **__: Any) -> Any:
        """Find the one thing there is."""
        with trace_step("searching", input=query):
            return [{"id": "1", "content": "Oslo is rainy.", "metadata": {}, "score": 0.9}]

    async def asearch(self, query: list[str], *_: Any, **__: Any) -> Any:
        """See `search`."""
        return self.search(query)

    def save(self, documents: list[str]) -> None:
        """Keep nothing."""

    async def asave(self, documents: list[str]) -> None:
        """Keep nothing."""

    def reset(self) -> None:
        """Forget nothing."""

    async def areset(self) -> None:
        """Forget nothing."""


def test_knowledge_says_what_was_sought_and_found() -> None:
    """A RETRIEVER with the text that the prompt gets, and in it the model's call that worded the query."""

    def script(asked: Any) -> Any:
        return loopback.Reply("rain in Oslo" if "knowledge" in asked.system else "rain")

    with model(script) as llm, recorded() as spans:
        scout = agent_of(llm, knowledge=Knowledge(collection_name="weather", sources=[], storage=Shelf()))
        Crew(agents=[scout], tasks=[task_of(scout)]).kickoff()
    [found] = spans.find_all("knowledge", kind="RETRIEVER")
    assert spans.input(found)
    assert "Oslo is rainy." in str((found.attributes or {})["retrieval.documents.0.document.content"])
    assert [span.name for span in spans.children(found)] == ["query for knowledge", "searching"]
    assert [span.name for span in spans.children("query for knowledge")] == ["gpt-4o-mini"]


class Broken(BaseTool):
    """A tool that raises, with a secret in its argument."""

    name: str = "broken"
    description: str = "Fails."

    def _run(self, password: str) -> str:
        """Fail."""
        raise ValueError("out of order")


def test_a_tool_that_raises_fails_its_own_span_alone() -> None:
    """The exception itself is on it; the agent goes on, so all above end well. Secrets are hidden as elsewhere."""

    def script(asked: Any) -> Any:
        if asked.results:
            return loopback.Reply("no luck")
        return loopback.Reply(calls=[loopback.Call("broken", {"password": "hunter2"})])

    with model(script) as llm, recorded() as spans:
        crew_of(llm, Broken()).kickoff()
    [call] = spans.find_all(kind="TOOL")
    assert call.status.description == "ValueError: out of order"
    [event] = call.events
    assert (event.attributes or {})["exception.type"] == "ValueError"
    assert spans.input(call) == {"password": "__REDACTED__"}
    assert [span.name for span in spans if not span.status.is_ok] == ["broken"]


def test_the_context_of_the_program_holds_for_all_of_a_run() -> None:
    """A session that the program has set is on every span, though CrewAI's listeners run in a thread of their own."""
    with model(looks_up("Oslo")) as llm, recorded() as spans, using_session("conversation-7"):
        crew_of(llm).kickoff()
    assert {(span.attributes or {}).get("session.id") for span in spans} == {"conversation-7"}


def test_times_are_the_events_own() -> None:
    """A span lies within the one above, though its handler was called when that one had gone on long since."""
    with model(looks_up("Oslo")) as llm, recorded() as spans:
        crew_of(llm).kickoff()
    for span in spans:
        for child in spans.children(span):
            moments = [span.start_time, child.start_time, child.end_time, span.end_time]
            assert moments == sorted(moments, key=lambda moment: moment or 0)
