"""LlamaIndex: its example marked by hand, and what `agenttrace.integrations.llama_index` records of it."""

# Where LlamaIndex isn't installed, as where this project is checked, its classes are Any to mypy:
# mypy: disallow-subclassing-any=False

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from llama_index.core import Document, MockEmbedding, VectorStoreIndex
from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent, ReActAgent
from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    CompletionResponse,
    LLMMetadata,
    ToolCallBlock,
)
from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.instrumentation.events.rerank import ReRankEndEvent, ReRankStartEvent
from llama_index.core.llms import CustomLLM
from llama_index.core.llms.callbacks import llm_chat_callback, llm_completion_callback
from llama_index.core.llms.mock import MockFunctionCallingLLM
from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.prompts import PromptTemplate
from llama_index.core.tools import FunctionTool
from llama_index.core.workflow import Context, Event, StartEvent, StopEvent, Workflow, step
from opentelemetry.context import get_current

from agenttrace import current_span, suppress_tracing, trace_agent, trace_step
from agenttrace.integrations.llama_index import instrument
from agenttrace.testing import CapturedSpans, capture_spans

from .example_runs import only_trace, outline, run_example, values

pytestmark = [
    # LlamaIndex's agents look at every attribute of theirs when they are made, those that pydantic deprecates included.
    pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecationWarning"),
    # An agent's memory is a database that LlamaIndex leaves to the collector to close.
    pytest.mark.filterwarnings("ignore:.*aiosqlite.*:ResourceWarning"),
    # ReActAgent asks its workflow whether that is running, which the workflow's own package deprecates.
    pytest.mark.filterwarnings("ignore:is_running called from within a step:DeprecationWarning"),
]

USAGE = {"prompt_tokens": 20, "completion_tokens": 4, "total_tokens": 24}


@pytest.fixture(autouse=True)
def instrumented() -> Iterator[None]:
    """LlamaIndex's root dispatcher with the handlers, for the length of a test."""
    with instrument():
        yield
    gc.collect()  # of the agents' memories, see above


class Scripted(MockFunctionCallingLLM):
    """LlamaIndex's own mock, with a name and with counts as its integrations note them."""

    temperature: float = 0.2

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(is_function_calling_model=True, is_chat_model=True, model_name="scripted-1")

    @llm_chat_callback()
    def chat(self, messages: Sequence[ChatMessage], **options: Any) -> ChatResponse:
        response = super().chat(messages, **options)
        response.additional_kwargs = dict(USAGE)
        return response


def scripted(respond: Any) -> Scripted:
    model = Scripted()
    model.response_generator = respond
    return model


def called(name: str, *calls: dict[str, Any]) -> ChatMessage:
    blocks = [
        ToolCallBlock(tool_call_id=f"{name}-{place}", tool_name=name, tool_kwargs=arguments)
        for place, arguments in enumerate(calls)
    ]
    return ChatMessage(role="assistant", blocks=blocks)


def weather(city: str) -> str:
    """The weather of a city."""
    with trace_step("look up", input=city):
        return "rain"


def ask_then_answer(messages: Sequence[ChatMessage], **options: Any) -> ChatMessage:
    if any(message.role.value == "tool" for message in messages):
        return ChatMessage(role="assistant", content="Rain.")
    return called("weather", {"city": "Oslo"}, {"city": "Bergen"})


def attributes(spans: CapturedSpans, name: str, place: int = 0) -> dict[str, Any]:
    return dict(spans.find_all(name)[place].attributes or {})


def run(agent: Any, question: str = "Oslo and Bergen?") -> str:
    async def whole() -> str:
        return str(await agent.run(question))

    return asyncio.run(whole())


def test_the_example_leaves_one_tree(tmp_path: Path) -> None:
    """Run as it stands it answers, and its agent, models, tools and search are one tree that breaks no rule."""
    assert run_example("llama_index_agent", tmp_path) == "It takes 12 years.\n"
    spans = only_trace(tmp_path)
    assert outline(spans) == [
        "AGENT economist",
        "  LLM model",
        "  TOOL search_notes",
        "    RETRIEVER retrieve",
        "  LLM model",
        "  TOOL years_to_double",
        "  LLM model",
    ]
    assert values(spans, "model", "llm.token_count.prompt") == [14, 24, 26]
    assert values(spans, "model", "llm.tools.1.tool.name") == ["years_to_double"] * 3
    arguments = "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments"
    assert values(spans, "model", arguments) == ['{"query":"2024 growth rate of India"}', '{"percent":6.5}', None]
    assert values(spans, "years_to_double", "input.value") == ['{"percent":6.5}']
    assert values(spans, "retrieve", "retrieval.documents.0.document.score") == [1.0]


@pytest.mark.parametrize("streaming", [False, True])
def test_an_agents_run_is_one_tree(streaming: bool) -> None:
    """Agent, models and tools, and marks in tools below these: no span for LlamaIndex's own steps."""
    agent = FunctionAgent(
        name="forecaster",
        tools=[weather],
        llm=scripted(ask_then_answer),
        streaming=streaming,
        system_prompt="Be brief.",
    )
    with capture_spans() as spans:
        assert run(agent) == "Rain."
    spans.assert_tree("""
        AGENT forecaster
          LLM Scripted
          TOOL weather
            CHAIN look up
          TOOL weather
            CHAIN look up
          LLM Scripted
    """)
    assert spans.input("forecaster") == "Oslo and Bergen?"
    assert spans.output("forecaster") == "Rain."
    asked, answered = attributes(spans, "Scripted", 0), attributes(spans, "Scripted", 1)
    assert asked["llm.model_name"] == "scripted-1"
    assert asked["llm.input_messages.0.message.content"] == "Be brief."
    assert asked["llm.tools.0.tool.name"] == "weather"
    assert asked["llm.output_messages.0.message.tool_calls.1.tool_call.function.arguments"] == '{"city":"Bergen"}'
    assert answered["llm.input_messages.3.message.tool_call_id"] == "weather-0"
    assert answered["output.value"] == "Rain."
    assert [event.name for event in spans.find_all("Scripted")[0].events] == (
        ["First Token Stream Event"] if streaming else []
    )
    if not streaming:
        assert answered["llm.token_count.total"] == 24
    tool = attributes(spans, "weather")
    assert tool["tool.id"] == "weather-0"
    assert "The weather of a city." in tool["tool.description"]
    assert '"city"' in tool["tool.parameters"]
    assert (spans.input(spans.find_all("weather")[0]), tool["output.value"]) == ({"city": "Oslo"}, "rain")


def test_an_agent_below_a_mark_leaves_the_context_alone() -> None:
    """A run in a marked function is below it; before, between and after the current span is the mark's."""

    @trace_agent(name="desk")
    async def desk() -> str:
        context, mine = get_current(), current_span()
        running = FunctionAgent(tools=[weather], llm=scripted(ask_then_answer), streaming=True).run("Oslo?")
        async for _ in running.stream_events():
            assert get_current() is context
            assert current_span() is mine
        answer = str(await running)
        assert get_current() is context
        return answer

    with capture_spans() as spans:
        asyncio.run(desk())
    spans.assert_parent("Agent", "desk")
    assert spans.unfinished == []


def test_agents_that_hand_over_are_agents_below_their_workflow() -> None:
    """Each turn of each agent is a span with that agent's name, and the handing over a tool's."""

    def first(messages: Sequence[ChatMessage], **options: Any) -> ChatMessage:
        return called("handoff", {"to_agent": "second", "reason": "knows more"})

    agents = [
        FunctionAgent(
            name="first", description="asks", llm=scripted(first), streaming=False, can_handoff_to=["second"]
        ),
        FunctionAgent(
            name="second",
            description="answers",
            llm=scripted(lambda messages, **_: ChatMessage(role="assistant", content="Rain.")),
            streaming=False,
        ),
    ]
    with capture_spans() as spans:
        assert run(AgentWorkflow(agents=agents, root_agent="first")) == "Rain."
    spans.assert_tree("""
        AGENT AgentWorkflow
          AGENT first
            LLM Scripted
          TOOL handoff
          AGENT second
            LLM Scripted
    """)
    assert spans.output("second") == "Rain."


def test_a_react_agent_is_traced_too() -> None:
    """An agent that writes its calls as text: the model completes, the tool is called all the same."""

    def respond(messages: Sequence[ChatMessage], **options: Any) -> ChatMessage:
        if "Observation" in str(messages[-1].content):
            return ChatMessage(role="assistant", content="Thought: I can answer.\nAnswer: Rain.")
        call = 'Thought: I need a tool.\nAction: weather\nAction Input: {"city": "Oslo"}'
        return ChatMessage(role="assistant", content=call)

    with capture_spans() as spans:
        assert run(ReActAgent(tools=[weather], llm=scripted(respond), streaming=False)) == "Rain."
    spans.assert_tree("""
        AGENT Agent
          LLM Scripted
          TOOL weather
            CHAIN look up
          LLM Scripted
    """)


def test_a_tool_that_raises_is_an_error_that_the_agent_gets_over() -> None:
    """The tool's span has the error; the run, which went on, has none."""

    def broken(city: str) -> str:
        raise LookupError(f"no {city}")

    def respond(messages: Sequence[ChatMessage], **options: Any) -> ChatMessage:
        has_result = any(message.role.value == "tool" for message in messages)
        return ChatMessage(role="assistant", content="Sorry.") if has_result else called("broken", {"city": "Oslo"})

    with capture_spans() as spans:
        run(FunctionAgent(tools=[broken], llm=scripted(respond), streaming=False))
    assert [span.name for span in spans if not span.status.is_ok] == ["broken"]
    assert spans.find("broken").status.description == "LookupError: no Oslo"


def test_a_model_that_raises_is_an_error_of_the_run() -> None:
    """The error is on the call and on the agent, and comes out of the run."""

    def respond(messages: Sequence[ChatMessage], **options: Any) -> ChatMessage:
        raise ConnectionError("no network")

    agent = FunctionAgent(name="agent", llm=scripted(respond), streaming=False)
    with capture_spans() as spans, pytest.raises(Exception, match="no network"):
        run(agent)
    assert spans.find("Scripted").status.description == "ConnectionError: no network"
    assert not spans.find("agent").status.is_ok
    assert spans.unfinished == []


class Typed(CustomLLM):
    """A model that only completes, as people write them, and streams word by word."""

    model: str = "typed-1"
    temperature: float = 0.5
    fails: bool = False

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(model_name=self.model)

    @llm_completion_callback()
    def complete(self, prompt: str, formatted: bool = False, **options: Any) -> CompletionResponse:
        return CompletionResponse(text="Rain in Oslo.", raw={"usage": USAGE})

    @llm_completion_callback()
    def stream_complete(self, prompt: str, formatted: bool = False, **options: Any) -> Any:
        def words() -> Iterator[CompletionResponse]:
            text = ""
            for word in ("Rain ", "in ", "Oslo."):
                if self.fails and text:
                    raise ConnectionError("gone")
                text += word
                yield CompletionResponse(text=text, delta=word)

        return words()


def test_a_completion_has_prompt_choice_and_counts() -> None:
    """A call of ``complete`` by itself."""
    with capture_spans() as spans:
        Typed().complete("The weather is")
    found = attributes(spans, "Typed")
    assert found["llm.prompts.0.prompt.text"] == "The weather is"
    assert found["llm.choices.0.completion.text"] == "Rain in Oslo."
    assert found["llm.token_count.total"] == 24
    assert found["llm.model_name"] == "typed-1"
    assert '"temperature":0.5' in found["llm.invocation_parameters"]


def test_a_chat_that_is_made_of_a_completion_is_one_call() -> None:
    """``CustomLLM.chat`` calls ``complete``: counted once, with the conversation."""
    with capture_spans() as spans:
        Typed().chat([ChatMessage(role="user", content="Oslo?")])
    assert spans.tree() == "LLM Typed\n"
    found = attributes(spans, "Typed")
    assert found["llm.input_messages.0.message.content"] == "Oslo?"
    assert found["llm.output_messages.0.message.content"] == "Rain in Oslo."


def test_a_prompts_template_is_on_the_call_that_it_is_for() -> None:
    """``predict`` wraps a call, and its template and what fills it are recorded on that."""
    with capture_spans() as spans:
        Typed().predict(PromptTemplate("Weather in {city}?"), city="Oslo")
    assert spans.tree() == "LLM Typed\n"
    found = attributes(spans, "Typed")
    assert found["llm.prompt_template.template"] == "Weather in {city}?"
    assert found["llm.prompt_template.variables"] == '{"city":"Oslo"}'


def test_a_stream_ends_with_its_last_piece() -> None:
    """The span lasts while the stream is read, has its first token's time and the whole answer; nothing is current."""
    with capture_spans() as spans:
        context = get_current()
        for _ in Typed().stream_complete("The weather is"):
            assert spans.unfinished == ["Typed"]
            assert get_current() is context
        assert spans.unfinished == []
    span = spans.find("Typed")
    assert [event.name for event in span.events] == ["First Token Stream Event"]
    assert spans.output(span) == "Rain in Oslo."


def test_an_asynchronous_stream_that_is_made_of_the_other_is_one_call() -> None:
    """``CustomLLM.astream_chat`` calls ``stream_chat`` when it is read, long after it returned: counted once."""

    async def read(model: Typed, messages: list[ChatMessage]) -> int:
        return len([piece async for piece in await model.astream_chat(messages)])

    async def several() -> None:
        model, messages = Typed(), [ChatMessage(role="user", content="Oslo?")]
        assert await asyncio.gather(*(read(model, messages) for _ in range(3))) == [3, 3, 3]
        assert len([piece async for piece in await model.astream_complete("The weather is")]) == 3

    with capture_spans() as spans:
        asyncio.run(several())
    assert spans.tree() == "LLM Typed\n" * 4
    assert spans.unfinished == []
    assert {spans.output(span) for span in spans} == {"Rain in Oslo."}


def test_a_dispatcher_is_taken_by_its_name_and_nothing_else() -> None:
    """What is no dispatcher is refused at once, with what to write."""
    with pytest.raises(TypeError, match=r"instrument\(\) to trace all"):
        instrument(Typed())  # type: ignore[arg-type]
    with instrument("llama_index.core.base.embeddings.base") as here:
        assert here._dispatcher is get_dispatcher("llama_index.core.base.embeddings.base")


@pytest.mark.parametrize("name", ["llama_index.core", "llama_index.core.query_engines", ""])
def test_a_name_that_no_dispatcher_has_is_refused(name: str) -> None:
    """LlamaIndex would make one by that name, which nothing tells anything: packages have none."""
    with pytest.raises(ValueError, match=r"instrument\(\) to trace all"):
        instrument(name)


def test_a_stream_that_breaks_off_is_an_error() -> None:
    """What raises in the middle of a stream is on its span."""
    with capture_spans() as spans, pytest.raises(ConnectionError):
        list(Typed(fails=True).stream_complete("The weather is"))
    assert spans.find("Typed").status.description == "ConnectionError: gone"


@pytest.mark.parametrize("pieces", [0, 1])
def test_a_stream_that_is_dropped_leaves_no_span_open(pieces: int) -> None:
    """Be it after a piece, be it before the first: nobody wants more, and that is no error."""
    with capture_spans() as spans:
        stream: Any = Typed().stream_complete("The weather is")
        for _ in range(pieces):
            next(stream)
        del stream
        gc.collect()
    assert spans.unfinished == []
    spans.assert_no_errors()


class Reranker(BaseNodePostprocessor):
    """Puts nodes in order, and says so as LlamaIndex's own do."""

    def _postprocess_nodes(self, nodes: Any, query_bundle: Any = None) -> Any:
        dispatcher = get_dispatcher("llama_index.core.tests")
        dispatcher.event(ReRankStartEvent(query=query_bundle, nodes=nodes, top_n=1, model_name="judge-1"))
        best = sorted(nodes, key=lambda node: node.text)[:1]
        dispatcher.event(ReRankEndEvent(nodes=best))
        return best


def index() -> Any:
    documents = [Document(text="Oslo is rainy.", doc_id="7"), Document(text="Rome is sunny.")]
    return VectorStoreIndex.from_documents(documents, embed_model=MockEmbedding(embed_dim=3, model_name="mock-embed"))


@pytest.mark.parametrize("is_async", [False, True])
def test_a_query_is_one_tree(is_async: bool) -> None:
    """Search, embedding, reranking and answer below the engine, with documents, vectors and scores."""
    engine = index().as_query_engine(llm=Typed(), node_postprocessors=[Reranker()])
    with capture_spans() as spans:
        answer = asyncio.run(engine.aquery("rain?")) if is_async else engine.query("rain?")
    assert str(answer) == "Rain in Oslo."
    spans.assert_tree(f"""
        CHAIN RetrieverQueryEngine.{"aquery" if is_async else "query"}
          RETRIEVER VectorIndexRetriever
            EMBEDDING CreateEmbeddings
          RERANKER Reranker
          CHAIN CompactAndRefine
            LLM Typed
    """)
    retrieved, ranked = attributes(spans, "VectorIndexRetriever"), attributes(spans, "Reranker")
    assert spans.input("VectorIndexRetriever") == "rain?"
    assert {retrieved[f"retrieval.documents.{place}.document.content"] for place in (0, 1)} == {
        "Oslo is rainy.",
        "Rome is sunny.",
    }
    assert retrieved["retrieval.documents.0.document.score"] == pytest.approx(1.0)
    assert ranked["reranker.query"] == "rain?"
    assert ranked["reranker.model_name"] == "judge-1"
    assert ranked["reranker.top_k"] == 1
    assert ranked["reranker.input_documents.1.document.content"]
    assert ranked["reranker.output_documents.0.document.content"] == "Oslo is rainy."
    assert "reranker.output_documents.1.document.content" not in ranked
    embedded = attributes(spans, "CreateEmbeddings")
    assert embedded["embedding.embeddings.0.embedding.text"] == "rain?"
    assert embedded["embedding.embeddings.0.embedding.vector"] == (0.5, 0.5, 0.5)
    assert embedded["embedding.model_name"] == "mock-embed"
    assert "{context_str}" in attributes(spans, "Typed")["llm.prompt_template.template"]


def test_a_batch_of_texts_is_one_embedding() -> None:
    """Building an index: the splitter, and one span with all texts and vectors."""
    with capture_spans() as spans:
        index()
    spans.assert_tree("""
        CHAIN SentenceSplitter
        EMBEDDING CreateEmbeddings
    """)
    found = attributes(spans, "CreateEmbeddings")
    assert found["embedding.embeddings.1.embedding.text"] == "Rome is sunny."
    assert found["embedding.embeddings.1.embedding.vector"] == (0.5, 0.5, 0.5)


def test_an_answer_that_is_streamed_belongs_to_the_chat_that_began_it() -> None:
    """A chat engine returns before its model has spoken: the model's call, in a thread, is still the engine's."""
    engine = index().as_chat_engine(chat_mode="context", llm=Typed())
    with capture_spans() as spans:
        response = engine.stream_chat("rain?")
        assert "".join(response.response_gen) == "Rain in Oslo."
    spans.assert_parent("Typed", "ContextChatEngine.stream_chat")
    assert spans.output("Typed") == "Rain in Oslo."
    assert spans.unfinished == []


class Draft(Event):
    """What one step hands to the next."""

    text: str


class Writing(Workflow):
    """A workflow of one's own, with a mark in a step."""

    @step
    async def draft(self, ev: StartEvent) -> Draft:
        with trace_step("think"):
            return Draft(text=f"about {ev.topic}")

    @step
    def polish(self, ev: Draft) -> StopEvent:
        with trace_step("polish it"):
            return StopEvent(result=ev.text.upper())


def test_a_workflow_is_a_chain_of_its_steps() -> None:
    """One's own steps are spans, asynchronous or not, and marks in them stand below."""

    async def write() -> Any:
        return await Writing().run(topic="rain")

    with capture_spans() as spans:
        assert asyncio.run(write()) == "ABOUT RAIN"
    spans.assert_tree("""
        CHAIN Writing
          CHAIN draft
            CHAIN think
          CHAIN polish
            CHAIN polish it
    """)
    assert spans.input("Writing") == {"topic": "rain"}
    assert spans.output("Writing") == "ABOUT RAIN"
    assert spans.input("polish") == {"text": "about rain"}


def test_a_step_that_raises_is_an_error_of_the_workflow() -> None:
    """Both spans have it, and it comes out."""

    class Failing(Workflow):
        @step
        async def fail(self, ev: StartEvent) -> StopEvent:
            raise ValueError("no luck")

    async def start() -> None:
        await Failing().run()

    with capture_spans() as spans, pytest.raises(Exception, match="no luck"):
        asyncio.run(start())
    assert [span.status.description for span in spans] == ["ValueError: no luck", "ValueError: no luck"]


def test_a_workflow_that_is_cancelled_has_not_failed() -> None:
    """The step that was running says that it was cancelled; nothing stays open."""
    started = asyncio.Event()

    class Waiting(Workflow):
        @step
        async def wait(self, ev: StartEvent) -> StopEvent:
            started.set()
            await asyncio.Event().wait()
            return StopEvent()

    async def cancel() -> None:
        running = Waiting(timeout=None).run()
        await started.wait()
        await running.cancel_run()

    with capture_spans() as spans:
        asyncio.run(cancel())
    assert spans.unfinished == []
    spans.assert_no_errors()
    assert "cancelled" in [event.name for span in spans for event in span.events]


def test_a_tool_with_a_context_is_recorded_without_it() -> None:
    """The workflow's context, which LlamaIndex hands to tools that want it, is no argument of the model's."""

    async def remember(ctx: Any, fact: Any) -> str:
        current_span().set_attribute("remembered", True)
        return f"noted: {fact}"

    # LlamaIndex looks for the class itself, which this module's annotations only name.
    remember.__annotations__ = {"ctx": Context, "fact": str, "return": str}

    def respond(messages: Sequence[ChatMessage], **options: Any) -> ChatMessage:
        has_result = any(message.role.value == "tool" for message in messages)
        return ChatMessage(role="assistant", content="Done.") if has_result else called("remember", {"fact": "rain"})

    with capture_spans() as spans:
        run(FunctionAgent(tools=[remember], llm=scripted(respond), streaming=False))
    assert spans.input("remember") == {"fact": "rain"}
    assert attributes(spans, "remember")["remembered"] is True
    assert "ctx" not in attributes(spans, "remember")["tool.parameters"]


def test_a_tool_that_is_called_by_hand_is_a_span() -> None:
    """A ``FunctionTool`` outside of any agent."""
    with capture_spans() as spans:
        FunctionTool.from_defaults(weather)(city="Oslo")
    spans.assert_tree("""
        TOOL weather
          CHAIN look up
    """)


def test_what_is_suppressed_is_not_recorded() -> None:
    """Around a call, and around one in a tool."""

    def quiet(city: str) -> str:
        with suppress_tracing():
            return str(Typed().complete(city))

    with capture_spans() as spans:
        FunctionTool.from_defaults(quiet)(city="Oslo")
        with suppress_tracing():
            Typed().complete("unseen")
    assert spans.tree() == "TOOL quiet\n"


def test_the_handlers_are_taken_off_again() -> None:
    """After ``remove`` LlamaIndex's dispatcher is as it was, and what was open has ended."""
    root = get_dispatcher()
    here = instrument()
    here.remove()
    assert any("Agenttrace" in handler.class_name() for handler in root.span_handlers)  # the fixture's are still there
    from agenttrace.integrations.llama_index.handlers import EVENT_HANDLER, SPAN_HANDLER

    names = [handler.class_name() for handler in root.span_handlers]
    assert names.count(SPAN_HANDLER.class_name()) == 1
    with capture_spans() as spans:
        stream: Any = Typed().stream_complete("x")
        next(stream)
        root.span_handlers = [handler for handler in root.span_handlers if handler is not SPAN_HANDLER]
        root.event_handlers = [handler for handler in root.event_handlers if handler is not EVENT_HANDLER]
        with instrument():
            pass
        assert spans.unfinished == []
        assert SPAN_HANDLER not in root.span_handlers
        assert EVENT_HANDLER not in root.event_handlers
        list(stream)
        Typed().complete("unseen")
    assert spans.tree() == "LLM Typed\n"


def test_one_part_of_llamaindex_can_be_traced_alone() -> None:
    """On a dispatcher of its own the handlers see only what that one is told, and see it once."""
    part = get_dispatcher("llama_index.core.base.embeddings.base")
    engine = index().as_query_engine(llm=Typed())
    from agenttrace.integrations.llama_index.handlers import EVENT_HANDLER, SPAN_HANDLER

    root = get_dispatcher()
    with capture_spans() as spans, instrument(part):
        engine.query("rain?")
        both = len(spans)
        root.span_handlers = [handler for handler in root.span_handlers if handler is not SPAN_HANDLER]
        root.event_handlers = [handler for handler in root.event_handlers if handler is not EVENT_HANDLER]
        engine.query("rain?")
    assert both == 5
    assert [span.name for span in spans[both:]] == ["CreateEmbeddings"]


def test_without_a_provider_nothing_is_kept() -> None:
    """Where nothing is registered a run is as it was, and its calls are forgotten when they end."""
    from agenttrace.integrations.llama_index import calls

    assert run(FunctionAgent(tools=[weather], llm=scripted(ask_then_answer))) == "Rain."
    assert calls._calls == {}
