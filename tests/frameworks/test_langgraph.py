"""LangGraph: its example marked by hand, and graphs traced through `agenttrace.integrations.langchain`."""

from __future__ import annotations

import asyncio
import operator
import textwrap
from pathlib import Path
from typing import Annotated, Any

import pytest
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.runnables import Runnable
from langchain_core.tools import tool
from langchain_core.utils.function_calling import convert_to_openai_tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint, task
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from langgraph.types import Command, RetryPolicy, Send, interrupt
from opentelemetry.context import get_current
from typing_extensions import TypedDict

from agenttrace import current_span, suppress_tracing, trace_agent, trace_step, trace_tool, using_session
from agenttrace.integrations.langchain import callback_handler
from agenttrace.testing import CapturedSpans, capture_spans

from .example_runs import ROOT, only_trace, outline, run_example, values

QUESTION = {"messages": [HumanMessage("Oslo and Bergen?")]}
TREE = """
    AGENT weather agent
      CHAIN model
        CHAIN prepare
        LLM FakeModel
        CHAIN tools_condition
      CHAIN tools
        TOOL temperature
          CHAIN look up
        TOOL temperature
          CHAIN look up
      CHAIN model
        CHAIN prepare
        LLM FakeModel
        CHAIN tools_condition
"""


class FakeModel(GenericFakeChatModel):
    """LangChain's own fake, which offers tools as the real ones do."""

    def bind_tools(self, tools: Any, **options: Any) -> Runnable[Any, AIMessage]:
        return self.bind(tools=[convert_to_openai_tool(each) for each in tools], **options)


def call(name: str, **args: Any) -> dict[str, Any]:
    return {"name": name, "args": args, "id": f"{name}-{'-'.join(map(str, args.values()))}"}


def scripted(*answers: AIMessage) -> Runnable[Any, AIMessage]:
    # The fake streams words alone, and loses calls of tools where it is asked to stream.
    return FakeModel(messages=iter(answers), disable_streaming=True).bind_tools([temperature])


@tool
def temperature(city: str) -> int:
    """The temperature in a city."""
    with trace_step("look up", input=city):
        return {"Oslo": 14, "Bergen": 11}[city]


def weather_graph(**options: Any) -> Any:
    model = scripted(
        AIMessage("", tool_calls=[call("temperature", city="Oslo"), call("temperature", city="Bergen")]),
        AIMessage("14 and 11.", usage_metadata={"input_tokens": 30, "output_tokens": 4, "total_tokens": 34}),
    )

    def ask(state: MessagesState) -> Any:
        with trace_step("prepare"):
            pass
        return {"messages": [model.invoke(state["messages"])]}

    async def ask_later(state: MessagesState) -> Any:
        with trace_step("prepare"):
            await asyncio.sleep(0)
        return {"messages": [await model.ainvoke(state["messages"])]}

    builder = StateGraph(MessagesState)
    builder.add_node("model", ask_later if options.pop("is_async", False) else ask)
    builder.add_node("tools", ToolNode([temperature]))
    builder.add_edge(START, "model")
    builder.add_conditional_edges("model", tools_condition)
    builder.add_edge("tools", "model")
    return builder.compile(name="weather agent", **options)


def traced(**configurable: Any) -> dict[str, Any]:
    return {"callbacks": [callback_handler()], "configurable": configurable}


def attributes(spans: CapturedSpans, name: str, place: int = 0) -> dict[str, Any]:
    return dict(spans.find_all(name)[place].attributes or {})


def test_the_example_leaves_one_tree(tmp_path: Path) -> None:
    """Run as it stands it answers, and its agent, nodes, models and tools are one tree that breaks no rule."""
    assert run_example("langgraph_agent", tmp_path) == "It is warmest in Rome.\n"
    spans = only_trace(tmp_path)
    assert outline(spans) == [
        "AGENT weather agent",
        "  CHAIN model",
        "    LLM ask_model",
        "  CHAIN tools",
        "    TOOL get_temperature",
        "    TOOL get_temperature",
        "    TOOL get_temperature",
        "  CHAIN model",
        "    LLM ask_model",
        "  CHAIN tools",
        "    TOOL warmest",
        "  CHAIN model",
        "    LLM ask_model",
    ]
    assert values(spans, "ask_model", "llm.token_count.prompt") == [8, 11, 12]
    assert values(spans, "ask_model", "llm.model_name") == ["scripted-1"] * 3
    assert values(spans, "ask_model", "llm.finish_reason") == ["tool_calls", "tool_calls", "stop"]
    assert values(spans, "ask_model", "llm.tools.1.tool.name") == ["warmest"] * 3
    called = "llm.output_messages.0.message.tool_calls.2.tool_call.function.arguments"
    assert values(spans, "ask_model", called) == ['{"city":"Rome"}', None, None]
    assert sorted(values(spans, "get_temperature", "input.value")) == [
        '{"city":"Bergen"}',
        '{"city":"Oslo"}',
        '{"city":"Rome"}',
    ]
    assert values(spans, "warmest", "output.value") == ["Rome"]


def test_a_run_is_one_tree() -> None:
    """The graph is the agent, its nodes are chains, and marks in nodes and tools stand below their spans."""
    with capture_spans() as spans:
        weather_graph().invoke(QUESTION, traced())
    spans.assert_tree(TREE)
    asked, answered = attributes(spans, "FakeModel", 0), attributes(spans, "FakeModel", 1)
    assert asked["llm.input_messages.0.message.content"] == "Oslo and Bergen?"
    assert asked["llm.tools.0.tool.name"] == "temperature"
    assert asked["llm.output_messages.0.message.tool_calls.1.tool_call.function.arguments"] == '{"city":"Bergen"}'
    assert answered["llm.input_messages.3.message.tool_call_id"] == "temperature-Bergen"
    assert answered["llm.token_count.total"] == 34
    assert answered["output.value"] == "14 and 11."
    tool_span = attributes(spans, "temperature", 0)
    assert tool_span["tool.description"] == "The temperature in a city."
    assert '"city"' in tool_span["tool.parameters"]
    assert tool_span["tool.id"].startswith("temperature-")
    assert {spans.output(each) for each in spans.find_all("temperature")} == {"14", "11"}
    assert attributes(spans, "weather agent")["agent.name"] == "weather agent"
    assert spans.output("weather agent")["messages"][-1] == {"role": "assistant", "content": "14 and 11."}
    assert attributes(spans, "tools")["graph.node.id"] == "tools"


def test_an_asynchronous_run_is_the_same_tree() -> None:
    """``ainvoke`` of an asynchronous node, with a synchronous tool in LangChain's executor: the marks nest too."""
    with capture_spans() as spans:
        asyncio.run(weather_graph(is_async=True).ainvoke(QUESTION, traced()))
    spans.assert_tree(TREE)


def test_an_asynchronous_run_of_synchronous_nodes_is_the_same_tree() -> None:
    """Nodes that LangGraph runs in an executor's threads."""
    with capture_spans() as spans:
        asyncio.run(weather_graph().ainvoke(QUESTION, traced()))
    spans.assert_tree(TREE)


@pytest.mark.parametrize("mode", ["values", "updates", "debug"])
def test_a_stream_leaves_its_consumers_context_alone(mode: str) -> None:
    """Between the chunks what was current is current still, and the consumer's own spans are none of the graph's."""
    with capture_spans() as spans, trace_step("consumer") as consumer:
        context = get_current()
        for _ in weather_graph().stream(QUESTION, traced(), stream_mode=mode):
            assert get_current() is context
            assert current_span() is consumer
        assert get_current() is context
    spans.assert_tree("    CHAIN consumer\n" + textwrap.indent(TREE.strip("\n"), "  "))


def test_an_asynchronous_stream_leaves_its_consumers_context_alone() -> None:
    """As above with ``astream``, and after ``ainvoke``."""

    async def consume() -> None:
        with trace_step("consumer") as consumer:
            context = get_current()
            async for _ in weather_graph(is_async=True).astream(QUESTION, traced(), stream_mode="updates"):
                assert get_current() is context
                assert current_span() is consumer
            await weather_graph(is_async=True).ainvoke(QUESTION, traced())
            assert get_current() is context

    with capture_spans() as spans:
        asyncio.run(consume())
    assert [child.name for child in spans.children("consumer")] == ["weather agent", "weather agent"]
    assert len(spans.find_all("prepare")) == 4


def test_tokens_of_a_stream_are_noted_once() -> None:
    """``stream_mode="messages"`` has the models stream: the first token is an event, the whole answer the output."""
    model = FakeModel(messages=iter([AIMessage("It rains in Oslo.")]))
    builder = StateGraph(MessagesState)
    builder.add_node("model", lambda state: {"messages": [model.invoke(state["messages"])]})
    builder.add_edge(START, "model")
    with capture_spans() as spans:
        chunks = list(builder.compile().stream(QUESTION, traced(), stream_mode="messages"))
    assert len(chunks) > 2
    span = spans.find("FakeModel")
    assert [event.name for event in span.events] == ["First Token Stream Event"]
    assert spans.output(span) == "It rains in Oslo."


def test_a_stream_that_is_dropped_leaves_no_span_open() -> None:
    """A consumer that wants no more makes no error, and all that had begun ends."""
    with capture_spans() as spans:
        stream = weather_graph().stream(QUESTION, traced(), stream_mode="updates")
        next(stream)
        stream.close()
    assert spans.unfinished == []
    spans.assert_no_errors()
    assert spans[0].name == "weather agent"


def test_an_asynchronous_stream_that_is_dropped_leaves_no_span_open() -> None:
    """As above, closed by the consumer's task."""

    async def consume() -> None:
        stream = weather_graph(is_async=True).astream(QUESTION, traced(), stream_mode="updates")
        await anext(stream)
        await stream.aclose()

    with capture_spans() as spans:
        asyncio.run(consume())
    assert spans.unfinished == []
    spans.assert_no_errors()


def test_runs_of_a_batch_are_trees_of_their_own() -> None:
    """Several runs at once in LangChain's threads don't get into one another."""
    builder = StateGraph(MessagesState)

    def answer(state: MessagesState) -> Any:
        with trace_step("think", input=state["messages"][-1].content):
            return {"messages": [AIMessage("yes")]}

    builder.add_node("answer", answer)
    builder.add_edge(START, "answer")
    questions: list[Any] = [{"messages": [HumanMessage(str(number))]} for number in range(6)]
    with capture_spans() as spans:
        builder.compile(name="agent").batch(questions, traced())
    assert len(spans.roots) == 6
    for root in spans.roots:
        [node] = spans.children(root)
        [thought] = spans.children(node)
        assert str(spans.input(thought)) == spans.input(root)["messages"][0]["content"]


@pytest.mark.parametrize("is_async", [False, True])
def test_a_workflow_of_functions_is_traced_as_a_graph(is_async: bool) -> None:
    """LangGraph's functional API: the entry point is the agent, its tasks are chains, marks stand in them."""

    @task
    def look_up(city: str) -> str:
        with trace_step("inside", input=city):
            return f"rain in {city}"

    @entrypoint()
    def forecast(cities: list[str]) -> list[str]:
        running = [look_up(city) for city in cities]
        return [each.result() for each in running]

    @entrypoint()
    async def forecast_later(cities: list[str]) -> list[str]:
        return list(await asyncio.gather(*(look_up(city) for city in cities)))

    with capture_spans() as spans:
        if is_async:
            asyncio.run(forecast_later.ainvoke(["Oslo", "Rome"], traced()))
        else:
            forecast.invoke(["Oslo", "Rome"], traced())
    [root] = spans.roots
    assert root is spans.find("LangGraph", kind="AGENT")
    assert next(child.name for child in spans.children(root)) == ("forecast_later" if is_async else "forecast")
    for looked_up in spans.find_all("look_up"):
        [inside] = spans.children(looked_up)
        assert spans.output(looked_up) == f"rain in {spans.input(inside)}"
    assert len(spans.find_all("look_up")) == 2


def test_streamed_events_see_the_same_spans() -> None:
    """``astream_events``, with which frontends follow a run, and the handler don't disturb one another."""

    async def follow() -> set[str]:
        graph = weather_graph(is_async=True)
        return {event["event"] async for event in graph.astream_events(QUESTION, traced(), version="v2")}

    with capture_spans() as spans:
        kinds = asyncio.run(follow())
    assert {"on_chain_start", "on_tool_end", "on_chat_model_end"} <= kinds
    spans.assert_tree(TREE)


class Cities(TypedDict):
    cities: list[str]
    found: Annotated[list[str], operator.add]


@pytest.mark.parametrize("is_async", [False, True])
def test_marks_in_parallel_nodes_stand_below_their_own(is_async: bool) -> None:
    """Nodes that ``Send`` runs at once, each with a mark inside."""

    def visit(state: dict[str, str]) -> dict[str, list[str]]:
        with trace_step("visit", input=state["city"]):
            return {"found": [state["city"]]}

    builder: Any = StateGraph(Cities)
    builder.add_node("visit", visit)
    builder.add_conditional_edges(START, lambda state: [Send("visit", {"city": city}) for city in state["cities"]])
    graph = builder.compile(name="tour")
    state: Any = {"cities": ["Oslo", "Bergen", "Rome"], "found": []}
    with capture_spans() as spans:
        result = asyncio.run(graph.ainvoke(state, traced())) if is_async else graph.invoke(state, traced())
    assert result["found"] == ["Oslo", "Bergen", "Rome"]
    nodes = spans.find_all("visit")
    for node in [span for span in nodes if "graph.node.id" in (span.attributes or {})]:
        [inner] = spans.children(node)
        assert spans.input(inner) == spans.input(node)["city"]
        spans.assert_parent(node, "tour")
    assert len(nodes) == 6


def test_a_graph_in_a_graph_is_a_chain() -> None:
    """One agent a run: a subgraph stands below the node that it is."""
    outer = StateGraph(MessagesState)
    outer.add_node("ask", weather_graph())
    outer.add_edge(START, "ask")
    with capture_spans() as spans:
        outer.compile(name="supervisor").invoke(QUESTION, traced())
    assert [span.name for span in spans.find_all(kind="AGENT")] == ["supervisor"]
    spans.assert_parent(spans.find("weather agent", kind="CHAIN"), "ask")
    assert len(spans.find_all("look up")) == 2


def test_an_agent_of_langchains_in_a_tool_is_an_agent() -> None:
    """``create_agent``'s agents are agents wherever they run, and stand below what called them."""
    from langchain.agents import create_agent

    inner = create_agent(FakeModel(messages=iter([AIMessage("11")])), [], name="local expert")

    @tool
    def ask_expert(question: str) -> str:
        """Ask the expert."""
        return str(inner.invoke({"messages": [("user", question)]})["messages"][-1].content)

    said = AIMessage("", tool_calls=[call("ask_expert", question="Bergen?")])
    outer = create_agent(
        FakeModel(
            messages=iter(
                [
                    said,
                    AIMessage("It is 11."),
                ]
            )
        ),
        [ask_expert],
        name="desk",
    )
    with capture_spans() as spans:
        outer.invoke({"messages": [("user", "Bergen?")]}, traced())
    spans.assert_tree("""
        AGENT desk
          CHAIN model
            LLM FakeModel
          CHAIN tools
            TOOL ask_expert
              AGENT local expert
                CHAIN model
                  LLM FakeModel
          CHAIN model
            LLM FakeModel
    """)


def test_a_tool_that_raises_is_an_error_that_the_run_gets_over() -> None:
    """Its own span has the error; what LangGraph handled is none of the node's or the agent's."""

    @tool
    def broken(city: str) -> str:
        """Breaks."""
        raise LookupError(f"no {city}")

    model = FakeModel(messages=iter([AIMessage("", tool_calls=[call("broken", city="Oslo")]), AIMessage("Sorry.")]))
    builder = StateGraph(MessagesState)
    builder.add_node("model", lambda state: {"messages": [model.invoke(state["messages"])]})
    builder.add_node("tools", ToolNode([broken], handle_tool_errors=True))
    builder.add_edge(START, "model")
    builder.add_conditional_edges("model", tools_condition)
    builder.add_edge("tools", "model")
    with capture_spans() as spans:
        builder.compile().invoke(QUESTION, traced())
    failed = [span.name for span in spans if not span.status.is_ok]
    assert failed == ["broken"]
    assert spans.find("broken").status.description == "LookupError: no Oslo"


def test_a_node_that_raises_is_an_error_of_all_above_it() -> None:
    """The exception comes out as it was raised, and is on the node and on the agent."""
    raised = RuntimeError("no luck")

    def fail(state: MessagesState) -> Any:
        raise raised

    builder = StateGraph(MessagesState)
    builder.add_node("fail", fail)
    builder.add_edge(START, "fail")
    with capture_spans() as spans, pytest.raises(RuntimeError) as caught:
        builder.compile(name="agent").invoke(QUESTION, traced())
    assert caught.value is raised
    assert [span.status.description for span in spans] == ["RuntimeError: no luck"] * 2


def test_a_node_that_is_tried_again_has_a_span_for_each_try() -> None:
    """LangGraph starts the node anew: the first span has the error, the second is well."""
    tries: list[int] = []

    def flaky(state: MessagesState) -> Any:
        tries.append(1)
        if len(tries) == 1:
            raise ConnectionError("try again")
        return {"messages": [AIMessage("done")]}

    builder = StateGraph(MessagesState)
    builder.add_node("flaky", flaky, retry_policy=RetryPolicy(initial_interval=0.001, jitter=False))
    builder.add_edge(START, "flaky")
    with capture_spans() as spans:
        builder.compile().invoke(QUESTION, traced())
    first, second = spans.find_all("flaky")
    assert (first.status.is_ok, second.status.is_ok) == (False, True)
    assert spans[0].status.is_ok


@pytest.mark.parametrize("is_async", [False, True])
def test_an_interrupt_is_no_error(is_async: bool) -> None:
    """A run that waits for a person has not failed; the run that goes on belongs to the same session."""

    def confirm(state: MessagesState) -> Any:
        said = interrupt({"really": True})
        return {"messages": [AIMessage(f"you said {said}")]}

    builder = StateGraph(MessagesState)
    builder.add_node("confirm", confirm)
    builder.add_edge(START, "confirm")
    graph = builder.compile(name="agent", checkpointer=InMemorySaver())

    def run(asked: Any) -> Any:
        config = traced(thread_id="thread-7")
        return asyncio.run(graph.ainvoke(asked, config)) if is_async else graph.invoke(asked, config)

    with capture_spans() as spans:
        run(QUESTION)
        result = run(Command(resume="yes"))
    assert result["messages"][-1].content == "you said yes"
    spans.assert_no_errors()
    interrupted, resumed = spans.find_all("confirm")
    [event] = interrupted.events
    assert event.name == "GraphInterrupt"
    assert "really" in str((event.attributes or {})["value"])
    assert not resumed.events
    assert {(span.attributes or {})["session.id"] for span in spans} == {"thread-7"}


def test_a_handover_to_the_parent_graph_is_no_error() -> None:
    """``Command(graph=Command.PARENT)`` leaves a subgraph by an exception that LangGraph catches."""

    def hand_over(state: MessagesState) -> Any:
        return Command(goto="other", graph=Command.PARENT)

    inner = StateGraph(MessagesState)
    inner.add_node("hand over", hand_over)
    inner.add_edge(START, "hand over")
    outer = StateGraph(MessagesState)
    outer.add_node("first", inner.compile(name="first agent"), destinations=("other",))
    outer.add_node("other", lambda state: {"messages": [AIMessage("here")]})
    outer.add_edge(START, "first")
    with capture_spans() as spans:
        outer.compile(name="agent").invoke(QUESTION, traced())
    spans.assert_no_errors()
    assert "ParentCommand" in [event.name for span in spans for event in span.events]


def test_a_thread_is_the_session_unless_the_program_says_which() -> None:
    """``thread_id`` is LangGraph's word for a conversation; marks inside have it too, and ``using_session`` wins."""
    with capture_spans() as spans:
        weather_graph().invoke(QUESTION, traced(thread_id="thread-7"))
    assert {(span.attributes or {})["session.id"] for span in spans} == {"thread-7"}
    assert "look up" in {span.name for span in spans}
    with capture_spans() as spans, using_session("mine"):
        weather_graph().invoke(QUESTION, traced(thread_id="thread-7"))
    assert {(span.attributes or {})["session.id"] for span in spans} == {"mine"}
    assert '"thread_id":"thread-7"' in attributes(spans, "weather agent")["metadata"]


def test_the_runs_tags_and_metadata_are_recorded_without_the_frameworks_own() -> None:
    """What the program put into the config stands on the spans; LangGraph's bookkeeping doesn't."""
    config = {**traced(), "tags": ["nightly"], "metadata": {"tenant": "acme"}}
    with capture_spans() as spans:
        weather_graph().invoke(QUESTION, config)
    assert attributes(spans, "temperature")["tag.tags"] == ("nightly",)
    assert attributes(spans, "temperature")["metadata"] == '{"tenant":"acme"}'
    assert attributes(spans, "tools")["metadata"] == '{"tenant":"acme","langgraph_step":2}'


def test_what_is_suppressed_in_a_node_is_not_recorded() -> None:
    """Around a whole run, and around a call in a node."""
    model = FakeModel(messages=iter([AIMessage("one"), AIMessage("two")]))

    def ask(state: MessagesState) -> Any:
        with suppress_tracing():
            model.invoke("unseen")
            with trace_step("unseen"):
                assert not current_span().otel_span.is_recording()
        return {"messages": [model.invoke("seen")]}

    builder = StateGraph(MessagesState)
    builder.add_node("ask", ask)
    builder.add_edge(START, "ask")
    graph = builder.compile(name="agent")
    with capture_spans() as spans:
        graph.invoke(QUESTION, traced())
        with suppress_tracing():
            weather_graph().invoke(QUESTION, traced())
    spans.assert_tree("""
        AGENT agent
          CHAIN ask
            LLM FakeModel
    """)


def test_a_mark_around_calls_in_a_node_is_not_jumped_over() -> None:
    """What LangChain runs inside a marked function stands below that, and that below the node."""
    model = FakeModel(messages=iter([AIMessage("one")]))

    @trace_tool
    def helper(question: str) -> str:
        return str(model.invoke(question).content)

    async def ask(state: MessagesState) -> Any:
        assert current_span().otel_span.is_recording()
        current_span().set_attribute("seen", "node")
        return {"messages": [AIMessage(helper("why?"))]}

    builder = StateGraph(MessagesState)
    builder.add_node("ask", ask)
    builder.add_edge(START, "ask")
    with capture_spans() as spans:
        asyncio.run(builder.compile(name="agent").ainvoke(QUESTION, traced()))
    spans.assert_tree("""
        AGENT agent
          CHAIN ask
            TOOL helper
              LLM FakeModel
    """)
    assert attributes(spans, "ask")["seen"] == "node"


def test_a_run_without_the_handler_leaves_nothing() -> None:
    """Nothing is patched: of two runs in one process only the one with the handler is traced."""
    with capture_spans() as spans:
        weather_graph().with_config(callbacks=[callback_handler()]).invoke(QUESTION)
        traced_spans = len(spans)
        weather_graph().invoke(QUESTION)
    assert traced_spans == len(TREE.strip().splitlines())
    # The marks in its nodes and tools are marks as ever, and stand for themselves.
    assert {span.name for span in spans[traced_spans:]} == {"prepare", "look up"}


@pytest.mark.parametrize("place", ["argument", "configurable"])
def test_a_handler_in_the_wrong_place_is_taken_without_a_word(place: str) -> None:
    """As the page warns: LangGraph accepts it beside the config, or among what is configurable, and never calls it."""
    builder = StateGraph(MessagesState)
    builder.add_node("answer", lambda state: {"messages": [AIMessage("yes")]})
    builder.add_edge(START, "answer")
    agent: Any = builder.compile(name="agent")
    with capture_spans() as spans:
        if place == "argument":
            agent.invoke(QUESTION, callbacks=[callback_handler()])
        else:
            agent.invoke(QUESTION, {"configurable": {"callbacks": [callback_handler()]}})
    assert len(spans) == 0


@pytest.mark.parametrize(
    ("callbacks", "message"),
    [
        ([callback_handler], "'function' object has no attribute 'raise_error'"),
        (callback_handler(), "'_Handler' object has no attribute 'parent_run_id'"),
    ],
    ids=["not called", "not in a list"],
)
def test_what_is_no_list_of_handlers_fails_as_the_page_says(callbacks: Any, message: str) -> None:
    """The errors are LangChain's own, and the page is where somebody who looks for them finds what to write."""
    agent: Any = weather_graph()
    with pytest.raises(AttributeError, match=message):
        agent.invoke(QUESTION, {"callbacks": callbacks})
    page = (ROOT / "docs" / "frameworks" / "langgraph.md").read_text(encoding="utf-8")
    assert message in page


def test_a_handler_that_is_given_twice_records_once() -> None:
    """In the config and on the model, as programs do that set it wherever they can."""
    model = FakeModel(messages=iter([AIMessage("yes")]), callbacks=[callback_handler()])
    builder = StateGraph(MessagesState)
    builder.add_node("ask", lambda state: {"messages": [model.invoke(state["messages"])]})
    builder.add_edge(START, "ask")
    builder.add_edge("ask", END)
    with capture_spans() as spans:
        builder.compile(name="agent").invoke(QUESTION, {"callbacks": [callback_handler(), callback_handler()]})
    assert spans.tree() == "AGENT agent\n  CHAIN ask\n    LLM FakeModel\n"


def test_without_a_provider_nothing_is_kept() -> None:
    """Where nothing is registered a run is as it was, and the handler forgets it when it ends."""
    from agenttrace.integrations.langchain import handler as langchain

    result = weather_graph().invoke(QUESTION, traced())
    assert result["messages"][-1].content == "14 and 11."
    assert langchain._runs == {}


def test_a_marked_agent_around_a_graph_is_its_parent() -> None:
    """Marks and the handler together: one tree."""

    @trace_agent(name="desk")
    def desk() -> Any:
        return weather_graph().invoke(QUESTION, traced())["messages"][-1].content

    with capture_spans() as spans:
        desk()
    [root] = spans.roots
    assert root.name == "desk"
    spans.assert_parent("weather agent", "desk")
