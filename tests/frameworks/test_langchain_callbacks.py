"""LangChain without a graph: chains, models, tools and retrievers traced through its callbacks."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler, dispatch_custom_event
from langchain_core.documents import Document
from langchain_core.language_models.fake import FakeListLLM
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnableLambda, RunnableParallel
from langchain_core.tools import ToolException, tool
from langchain_openai import ChatOpenAI
from langgraph.errors import GraphInterrupt
from opentelemetry.context import get_current

from agenttrace import TraceConfig, current_span, suppress_tracing, trace_embedding, trace_step
from agenttrace.integrations.langchain import callback_handler
from agenttrace.testing import CapturedSpans, capture_spans
from tests.readers.openai_material import CHAT_CHUNKS, OSLO, called, choice, completion
from tests.readers.replay import event_stream, json_answer, replay_server

TRACED: Any = {"callbacks": [callback_handler()]}


def model_that_says(*answers: str | AIMessage) -> GenericFakeChatModel:
    return GenericFakeChatModel(messages=iter(answers))


def greeting_chain(*answers: str | AIMessage) -> Any:
    def shout(text: str) -> str:
        with trace_step("shouting"):
            return text.upper()

    prompt = ChatPromptTemplate.from_messages([("system", "Be {manner}."), ("user", "{question}")])
    return prompt | model_that_says(*answers) | StrOutputParser() | shout


def attributes(spans: CapturedSpans, name: str) -> dict[str, Any]:
    return dict(spans.find(name).attributes or {})


CHAIN = """
    CHAIN RunnableSequence
      PROMPT ChatPromptTemplate
      LLM GenericFakeChatModel
      CHAIN StrOutputParser
      CHAIN shout
        CHAIN shouting
"""
ASKED = {"manner": "brief", "question": "Oslo?"}


@pytest.mark.parametrize("is_async", [False, True])
def test_a_chain_is_a_chain_of_its_steps(is_async: bool) -> None:
    """A sequence is no agent; its prompt, model, parser and functions stand below it, and marks below those."""
    chain = greeting_chain("Rain.")
    with capture_spans() as spans:
        result = asyncio.run(chain.ainvoke(ASKED, TRACED)) if is_async else chain.invoke(ASKED, TRACED)
    assert result == "RAIN."
    spans.assert_tree(CHAIN)
    said = attributes(spans, "GenericFakeChatModel")
    assert said["llm.input_messages.0.message.role"] == "system"
    assert said["llm.input_messages.0.message.content"] == "Be brief."
    assert said["llm.output_messages.0.message.content"] == "Rain."
    assert spans.output("RunnableSequence") == "RAIN."


@pytest.mark.parametrize("is_async", [False, True])
def test_a_streamed_chain_leaves_its_consumers_context_alone(is_async: bool) -> None:
    """Nothing is current in the consumer that wasn't before, and marks in the chain stand in it nevertheless."""

    async def consume() -> list[str]:
        with trace_step("consumer") as consumer:
            context, pieces = get_current(), []
            async for piece in greeting_chain("Rain in Oslo.").astream(ASKED, TRACED):
                assert current_span() is consumer
                pieces.append(piece)
            assert get_current() is context
            return pieces

    def consume_at_once() -> list[str]:
        with trace_step("consumer") as consumer:
            context, pieces = get_current(), []
            for piece in greeting_chain("Rain in Oslo.").stream(ASKED, TRACED):
                assert current_span() is consumer
                pieces.append(piece)
            assert get_current() is context
            return pieces

    with capture_spans() as spans:
        pieces = asyncio.run(consume()) if is_async else consume_at_once()
    assert "".join(pieces) == "RAIN IN OSLO."
    spans.assert_parent("RunnableSequence", "consumer")
    spans.assert_parent("GenericFakeChatModel", "RunnableSequence")
    spans.assert_parent("shouting", "shout" if spans.find_all("shout") else "RunnableLambda")
    assert [event.name for event in spans.find("GenericFakeChatModel").events] == ["First Token Stream Event"]
    assert spans.output("GenericFakeChatModel") == "Rain in Oslo."


def test_a_mark_in_each_of_several_branches_stands_in_its_own() -> None:
    """``RunnableParallel`` runs its branches in threads."""

    def branch(name: str) -> Any:
        def run(question: str) -> str:
            with trace_step(f"in {name}"):
                return name

        return RunnableLambda(run, name=name)

    with capture_spans() as spans:
        RunnableParallel(left=branch("left"), right=branch("right")).invoke("why?", TRACED)
    spans.assert_parent("in left", "left")
    spans.assert_parent("in right", "right")


def test_a_batch_of_a_model_is_a_span_for_each() -> None:
    """Each conversation of a batch has a span of its own with its own answer."""
    with capture_spans() as spans:
        model_that_says("one", "two", "three").batch(["1", "2", "3"], TRACED)
    assert sorted(spans.output(span) for span in spans) == ["one", "three", "two"]
    assert len(spans.roots) == 3


def test_a_real_client_is_read_whole() -> None:
    """Model, provider, parameters, tools, finish reason and token counts of ``ChatOpenAI``, with no key recorded."""

    @tool
    def get_weather(city: str) -> str:
        """The weather of a city."""
        return "rain"

    answer = completion(choice({"tool_calls": [called(OSLO)]}, finish_reason="tool_calls"))
    with replay_server() as server, capture_spans() as spans:
        server.will_answer(json_answer(answer))
        model = ChatOpenAI(model="gpt-4o", temperature=0.2, base_url=server.url, api_key="sk-very-secret")
        model.bind_tools([get_weather]).invoke([HumanMessage("Oslo?")], TRACED)
    found = attributes(spans, "ChatOpenAI")
    assert found["llm.model_name"] == answer["model"]
    assert found["llm.request.model_name"] == "gpt-4o"
    assert found["llm.system"] == "openai"
    assert json.loads(found["llm.invocation_parameters"])["temperature"] == 0.2
    assert found["llm.tools.0.tool.name"] == "get_weather"
    assert found["llm.finish_reason"] == "tool_calls"
    assert found["llm.token_count.total"] == answer["usage"]["total_tokens"]
    assert found["llm.output_messages.0.message.tool_calls.0.tool_call.function.name"] == "get_weather"
    assert "sk-very-secret" not in str(found)


def test_a_stream_of_a_real_client_is_put_together() -> None:
    """The chunks of ``ChatOpenAI``, with the counts that come in the last."""
    with replay_server() as server, capture_spans() as spans:
        server.will_answer(event_stream(CHAT_CHUNKS, done=True))
        model = ChatOpenAI(model="gpt-4o", base_url=server.url, api_key="sk-1", stream_usage=True)
        list(model.stream("Oslo?", TRACED))
    found = attributes(spans, "ChatOpenAI")
    assert "llm.output_messages.0.message.role" in found
    assert found["llm.token_count.total"] > 0
    assert [event.name for event in spans.find("ChatOpenAI").events] == ["First Token Stream Event"]


def test_a_model_that_completes_prompts_has_choices() -> None:
    """What isn't a chat model is recorded with its prompt and its choice."""
    with capture_spans() as spans:
        FakeListLLM(responses=["rain"]).invoke("The weather in Oslo is", TRACED)
    found = attributes(spans, "FakeListLLM")
    assert found["llm.prompts.0.prompt.text"] == "The weather in Oslo is"
    assert found["llm.choices.0.completion.text"] == "rain"
    assert found["output.value"] == "rain"


def test_a_model_that_fails_in_the_middle_has_said_what_it_said() -> None:
    """An error that breaks a stream off: the span has it, and the pieces that came."""

    class Breaking(GenericFakeChatModel):
        def _stream(self, *args: Any, **kwargs: Any) -> Any:
            stream = super()._stream(*args, **kwargs)
            yield next(stream)
            raise ConnectionError("gone")

    with capture_spans() as spans, pytest.raises(ConnectionError):
        list(Breaking(messages=iter(["Rain in Oslo."])).stream("Oslo?", TRACED))
    span = spans.find("Breaking")
    assert span.status.description == "ConnectionError: gone"
    assert spans.output(span) == "Rain"


def test_a_tools_error_is_recorded_whether_it_is_handled_or_not() -> None:
    """A ``ToolException`` that LangChain makes a message of is an error of the tool's; the program gets the message."""

    @tool
    def handled(city: str) -> str:
        """Breaks."""
        raise ToolException(f"no {city}")

    handled.handle_tool_error = True
    with capture_spans() as spans:
        asked: Any = {"name": "handled", "args": {"city": "Oslo"}, "id": "call-1", "type": "tool_call"}
        answer = handled.invoke(asked, TRACED)
    assert isinstance(answer, ToolMessage)
    span = spans.find("handled")
    assert span.status.description == "no Oslo"
    assert spans.output(span) == "no Oslo"
    handled.handle_tool_error = False
    with capture_spans() as spans, pytest.raises(ToolException):
        handled.invoke(asked, TRACED)
    assert spans.find("handled").status.description == "ToolException: no Oslo"


@pytest.mark.parametrize("is_async", [False, True])
def test_a_tools_body_has_its_span(is_async: bool) -> None:
    """A mark, and ``current_span()``, in a tool that is called by itself; afterwards the context is as it was."""

    @tool
    def search(query: str) -> str:
        """Searches."""
        current_span().set_attribute("hits", 3)
        with trace_step("look"):
            return "found"

    async def run() -> Any:
        context = get_current()
        result = await search.ainvoke({"query": "tides"}, TRACED)
        assert get_current() is context
        return result

    def run_at_once() -> Any:
        context = get_current()
        result = search.invoke({"query": "tides"}, TRACED)
        assert get_current() is context
        return result

    with capture_spans() as spans:
        assert (asyncio.run(run()) if is_async else run_at_once()) == "found"
    spans.assert_tree("""
        TOOL search
          CHAIN look
    """)
    assert attributes(spans, "search")["hits"] == 3
    assert spans.input("search") == {"query": "tides"}


def test_another_librarys_span_in_a_tool_belongs_to_the_tool() -> None:
    """Outside of an event loop a tool's span is really the current one, for whoever asks OpenTelemetry."""

    @tool
    def fetch(url: str) -> str:
        """Fetches."""
        with tracer.start_as_current_span("GET"):
            return "page"

    with capture_spans() as spans:
        tracer = spans.tracer_provider.get_tracer("somebody else's")
        fetch.invoke({"url": "/"}, TRACED)
    spans.assert_parent("GET", "fetch")


class Notes(BaseRetriever):
    """A retriever as people write them, with a marked embedding in it."""

    fails: bool = False

    def _get_relevant_documents(self, query: str, **options: Any) -> list[Document]:
        embed([query])
        if self.fails:
            raise ConnectionError("no index")
        return [Document("Oslo is rainy.", id="7", metadata={"page": 2}), Document("Rome is sunny.")]


@trace_embedding(model="letters")
def embed(texts: list[str]) -> list[list[float]]:
    return [[float(len(text))] for text in texts]


def test_a_retriever_has_its_documents() -> None:
    """Query and documents; what it marks inside stands below it."""
    with capture_spans() as spans:
        Notes().invoke("rain", TRACED)
    spans.assert_tree("""
        RETRIEVER Notes
          EMBEDDING CreateEmbeddings
    """)
    found = attributes(spans, "Notes")
    assert spans.input("Notes") == "rain"
    assert found["retrieval.documents.0.document.content"] == "Oslo is rainy."
    assert found["retrieval.documents.0.document.id"] == "7"
    assert found["retrieval.documents.1.document.content"] == "Rome is sunny."


@pytest.mark.parametrize("is_async", [False, True])
def test_a_retriever_that_fails_leaves_nothing_current(is_async: bool) -> None:
    """The error comes out, is on the span, and the context is as it was."""

    async def run() -> None:
        context = get_current()
        with pytest.raises(ConnectionError):
            await Notes(fails=True).ainvoke("rain", TRACED)
        assert get_current() is context

    def run_at_once() -> None:
        with pytest.raises(ConnectionError):
            Notes(fails=True).invoke("rain", TRACED)

    context = get_current()
    with capture_spans() as spans:
        asyncio.run(run()) if is_async else run_at_once()
    assert get_current() is context
    assert spans.find("Notes").status.description == "ConnectionError: no index"
    assert spans.unfinished == []


def test_tries_of_a_chain_are_spans_of_their_own() -> None:
    """``with_retry`` runs the same thing again: the first has the error."""
    tries: list[str] = []

    def flaky(text: str) -> str:
        tries.append(text)
        if len(tries) == 1:
            raise ConnectionError("again")
        return text

    chain = RunnableLambda(flaky).with_retry(wait_exponential_jitter=False, stop_after_attempt=2)
    with capture_spans() as spans:
        chain.invoke("x", TRACED)
    whole, first, second = spans.find_all("flaky")
    assert [span.status.is_ok for span in (whole, first, second)] == [True, False, True]
    assert spans.children(whole) == [first, second]


def test_an_event_of_the_programs_is_an_event_of_the_span() -> None:
    """``dispatch_custom_event`` in a body is recorded on the span of that body."""

    def work(text: str) -> str:
        dispatch_custom_event("halfway", {"percent": 50})
        return text

    with capture_spans() as spans:
        RunnableLambda(work).invoke("x", TRACED)
    [event] = spans.find("work").events
    assert event.name == "halfway"
    assert dict(event.attributes or {}) == {"percent": 50}


def test_a_run_that_langchain_hides_has_no_span() -> None:
    """What is tagged as hidden is left out, and marks in it stand below the run above it."""

    def inner(text: str) -> str:
        with trace_step("marked"):
            return text

    hidden = RunnableLambda(inner).with_config(tags=["langsmith:hidden"])

    def body(text: str) -> Any:
        return hidden.invoke(text)

    with capture_spans() as spans:
        RunnableLambda(body).invoke("x", TRACED)
    spans.assert_tree("""
        CHAIN body
          CHAIN marked
    """)


def test_suppressed_calls_leave_nothing() -> None:
    """``suppress_tracing`` around a chain."""
    with capture_spans() as spans, suppress_tracing():
        greeting_chain("Rain.").invoke(ASKED, TRACED)
    assert len(spans) == 0


def test_a_handler_that_can_read_nothing_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever LangChain, or a runnable of somebody else's, hands it: no hook raises, or logs through LangChain."""
    assert isinstance(callback_handler(), BaseCallbackHandler)
    handler: Any = callback_handler()
    from uuid import uuid4

    with capture_spans() as spans:
        handler.on_chat_model_start(None, None, run_id=uuid4())
        handler.on_chain_start("odd", object(), run_id=uuid4(), tags=3, metadata="none")
        handler.on_tool_end(object(), run_id=uuid4())
        handler.on_llm_end(None, run_id=uuid4())
        handler.on_retry(None, run_id=uuid4())
        handler.on_stream_event(None, run_id=uuid4())
    assert "langchain_core" not in {record.name for record in caplog.records}
    from agenttrace.integrations.langchain import handler as langchain

    for run_id in list(langchain._runs):
        handler.on_chain_end(None, run_id=run_id)
    assert spans.unfinished == []


def test_what_events_tell_is_hidden_with_inputs_and_outputs() -> None:
    """Custom events, interrupts and what is retried may repeat what is hidden, so they are hidden with it."""

    def work(value: str) -> str:
        dispatch_custom_event("progress", {"seen": value})
        raise GraphInterrupt((f"need {value}",))

    config = TraceConfig(hide_inputs=True, hide_outputs=True)
    with capture_spans(config=config) as spans, pytest.raises(GraphInterrupt):
        RunnableLambda(work).invoke("the secret", {"callbacks": [callback_handler()]})
    events = [event for span in spans for event in span.events]
    assert {event.name for event in events} == {"progress", "GraphInterrupt"}
    assert "the secret" not in str([dict(event.attributes or {}) for event in events])
