"""LlamaIndex's models that make one of their ways to answer of another: each call of the real one is one span."""

# Where LlamaIndex isn't installed, as where this project is checked, its classes are Any to mypy:
# mypy: disallow-subclassing-any=False

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any

import pytest
from llama_index.core.agent.workflow import ReActAgent
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, CompletionResponse, LLMMetadata
from llama_index.core.llms import CustomLLM
from llama_index.core.llms.callbacks import llm_chat_callback, llm_completion_callback
from pydantic import BaseModel

from agenttrace.integrations.llama_index import instrument
from agenttrace.testing import capture_spans

pytestmark = [
    # LlamaIndex's agents look at every attribute of theirs when they are made, those that pydantic deprecates included.
    pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecationWarning"),
    # LlamaIndex's structured streams call pydantic's old names.
    pytest.mark.filterwarnings("ignore:The `(json|copy|__fields__)`.*"),
    # An agent's memory is a database that LlamaIndex leaves to the collector to close.
    pytest.mark.filterwarnings("ignore:.*aiosqlite.*:ResourceWarning"),
    # ReActAgent asks its workflow whether that is running, which the workflow's own package deprecates.
    pytest.mark.filterwarnings("ignore:is_running called from within a step:DeprecationWarning"),
]

USAGE = {"prompt_tokens": 20, "completion_tokens": 4, "total_tokens": 24}
QUESTION = [ChatMessage(role="user", content="Oslo?")]


@pytest.fixture(autouse=True)
def instrumented() -> Iterator[None]:
    """LlamaIndex's root dispatcher with the handlers, for the length of a test."""
    with instrument():
        yield
    gc.collect()  # of the agents' memories, see above


class Model(CustomLLM):
    """A model with the two methods that LlamaIndex asks for; all others are made of these."""

    answer: str = "Rain."
    fails: bool = False

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(model_name="own-1")

    @llm_completion_callback()
    def complete(self, prompt: str, formatted: bool = False, **options: Any) -> CompletionResponse:
        return CompletionResponse(text=self.answer, raw={"usage": USAGE})

    @llm_completion_callback()
    def stream_complete(self, prompt: str, formatted: bool = False, **options: Any) -> Any:
        def pieces() -> Iterator[CompletionResponse]:
            half = len(self.answer) // 2
            yield CompletionResponse(text=self.answer[:half], delta=self.answer[:half])
            if self.fails:
                raise ConnectionError("gone")
            yield CompletionResponse(text=self.answer, delta=self.answer[half:], raw={"usage": USAGE})

        return pieces()


class Copying(Model):
    """Asks with a list of its own."""

    @llm_chat_callback()
    async def astream_chat(self, messages: Sequence[ChatMessage], **options: Any) -> Any:
        async def pieces() -> AsyncIterator[ChatResponse]:
            for piece in self.stream_chat([*messages], **options):
                yield piece

        return pieces()


class Threaded(Model):
    """Reads in a thread, so as not to hold the event loop up."""

    @llm_chat_callback()
    async def astream_chat(self, messages: Sequence[ChatMessage], **options: Any) -> Any:
        async def pieces() -> AsyncIterator[ChatResponse]:
            for piece in await asyncio.to_thread(lambda: list(self.stream_chat(messages, **options))):
                yield piece

        return pieces()


class Plain(Model):
    """Has none of LlamaIndex's decorators on what it adds, so that nothing is told of how it ends."""

    def stream_chat(self, messages: Sequence[ChatMessage], **options: Any) -> Any:
        for piece in self.stream_complete("\n".join(str(message.content) for message in messages)):
            message = ChatMessage(role="assistant", content=piece.text)
            yield ChatResponse(message=message, delta=piece.delta, raw=piece.raw)

    async def astream_chat(self, messages: Sequence[ChatMessage], **options: Any) -> Any:
        async def pieces() -> AsyncIterator[ChatResponse]:
            for piece in self.stream_chat([*messages], **options):
                yield piece

        return pieces()


class City(BaseModel):
    """What a structured model answers."""

    name: str


async def read(stream: Any) -> None:
    """Read an asynchronous stream to its end."""
    async for _ in await stream:
        pass


async def react(model: Model) -> None:
    """A run of an agent that streams, as agents do unless told not to."""
    assert str(await ReActAgent(name="forecaster", llm=model).run("Oslo?")) == "Rain."


async def at_once(stream: Any) -> None:
    """Read a synchronous stream to its end."""
    list(stream)


@pytest.mark.parametrize("kind", [Model, Copying, Threaded, Plain])
@pytest.mark.parametrize(
    "call",
    [
        lambda model: read(model.astream_chat(QUESTION)),
        lambda model: read(model.astream_chat(messages=QUESTION)),
        lambda model: read(model.astream_complete("Oslo?")),
        lambda model: read(model.astream_complete(prompt="Oslo?")),
        lambda model: at_once(model.stream_chat(QUESTION)),
    ],
    ids=["astream_chat", "astream_chat-by-name", "astream_complete", "astream_complete-by-name", "stream_chat"],
)
def test_a_stream_that_is_made_of_another_is_one_call(kind: type[Model], call: Callable[[Model], Any]) -> None:
    """However the one reads the other, and be LlamaIndex told of both or not: one span, with answer and tokens."""
    with capture_spans() as spans:
        asyncio.run(call(kind()))
        gc.collect()
    assert spans.tree() == f"LLM {kind.__name__}\n"
    found = dict(spans.find(kind.__name__).attributes or {})
    assert found["llm.token_count.total"] == 24
    assert found["output.value"] == "Rain."
    assert [event.name for event in spans.find(kind.__name__).events] == ["First Token Stream Event"]
    assert spans.unfinished == []


@pytest.mark.parametrize("kind", [Model, Copying, Threaded, Plain])
def test_an_agent_that_streams_calls_its_model_once(kind: type[Model]) -> None:
    """The tokens of the run are those of its one model call."""
    with capture_spans() as spans:
        asyncio.run(react(kind(answer="Thought: I can answer.\nAnswer: Rain.")))
        gc.collect()
    spans.assert_tree(f"""
        AGENT forecaster
          LLM {kind.__name__}
    """)
    assert dict(spans.find(kind.__name__).attributes or {})["llm.token_count.total"] == 24


@pytest.mark.parametrize("kind", [Model, Copying, Plain])
def test_what_breaks_the_inner_stream_off_is_an_error_of_the_one_span(kind: type[Model]) -> None:
    """With the exception that came out."""
    with capture_spans() as spans, pytest.raises(ConnectionError, match="gone"):
        asyncio.run(read(kind(fails=True).astream_chat(QUESTION)))
    assert spans.tree() == f"LLM {kind.__name__}\n"
    assert spans.find(kind.__name__).status.description == "ConnectionError: gone"


def test_calls_beside_a_stream_are_calls_of_their_own() -> None:
    """The same model asked the same while a stream of it isn't read yet, or is between two pieces: another call."""

    async def both() -> None:
        model = Model()
        stream = await model.astream_chat(QUESTION)
        list(model.stream_chat(QUESTION))
        assert (len(spans), spans.unfinished) == (1, ["Model"])
        await stream.__anext__()
        list(model.stream_chat(QUESTION))
        assert (len(spans), spans.unfinished) == (2, ["Model"])
        async for _ in stream:
            pass

    with capture_spans() as spans:
        asyncio.run(both())
    assert spans.tree() == "LLM Model\n" * 3
    assert {dict(span.attributes or {})["llm.token_count.total"] for span in spans} == {24}


@pytest.mark.parametrize(
    "call",
    [
        lambda model: asyncio.to_thread(model.chat, QUESTION),
        lambda model: model.achat(QUESTION),
        lambda model: asyncio.to_thread(model.complete, "Oslo?"),
        lambda model: at_once(model.stream_chat(QUESTION)),
        lambda model: read(model.astream_chat(QUESTION)),
    ],
    ids=["chat", "achat", "complete", "stream_chat", "astream_chat"],
)
def test_a_structured_model_is_the_model_that_it_is_made_of(call: Callable[[Any], Any]) -> None:
    """``as_structured_llm`` has the model answer in JSON: one call, one span."""
    model = Model(answer='{"name": "Oslo"}').as_structured_llm(City)
    with capture_spans() as spans:
        asyncio.run(call(model))
    assert spans.tree() == "LLM Model\n"
    found = dict(spans.find("Model").attributes or {})
    assert (found["llm.token_count.total"], found["output.value"]) == (24, '{"name": "Oslo"}')
    assert spans.unfinished == []
