"""A provider's stream object that a traced function returned: the caller's use of it is the plain one, and is recorded.

The provider here is one of the tests' own, whose reader they register; those of real providers are tested in
``tests/readers``.
"""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from agenttrace import current_span, register_reader, trace_llm, trace_step
from agenttrace.readers import Assembler, Reader, StreamForm, unregister_reader
from agenttrace.semconv.types import ModelCall

from .conftest import Spans


class Chunk:
    """A piece of an answer."""

    def __init__(self, text: str) -> None:
        self.text = text


class AcmeStream:
    """A stream as clients have them: an iterator with attributes, a context manager and a method to close it."""

    model = "acme-1"

    def __init__(self, *texts: str, fails: BaseException | None = None) -> None:
        self._chunks = (Chunk(text) for text in texts)
        self._fails = fails
        self.closed = 0
        self.entered = 0
        self.seen: list[str] = []

    def __iter__(self) -> Iterator[Chunk]:
        return self

    def __next__(self) -> Chunk:
        with trace_step("request"):
            pass
        try:
            chunk = next(self._chunks)
        except StopIteration:
            if self._fails is not None:
                raise self._fails from None
            raise
        self.seen.append(chunk.text)
        return chunk

    def __enter__(self) -> AcmeStream:
        self.entered += 1
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> str:
        self.closed += 1
        return "closed"

    @property
    def texts(self) -> Iterator[str]:
        return (chunk.text for chunk in self)

    def final(self) -> str:
        return "".join(chunk.text for chunk in self)

    @property
    def snapshot(self) -> Any:
        return {"acme": "".join(self.seen)} if self.seen else None


class AsyncAcmeStream:
    """The same for coroutines."""

    def __init__(self, *texts: str) -> None:
        self._stream = AcmeStream(*texts)

    def __aiter__(self) -> AsyncIterator[Chunk]:
        return self

    async def __anext__(self) -> Chunk:
        await asyncio.sleep(0)
        try:
            return next(self._stream)
        except StopIteration:
            raise StopAsyncIteration from None

    async def __aenter__(self) -> AsyncAcmeStream:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    async def close(self) -> str:
        return self._stream.close()

    async def final(self) -> str:
        return "".join([chunk.text async for chunk in self])

    @property
    def snapshot(self) -> Any:
        return self._stream.snapshot


class AcmeManager:
    """What gives a stream when it is entered."""

    def __init__(self, stream: AcmeStream) -> None:
        self._stream = stream

    def __enter__(self) -> AcmeStream:
        return self._stream

    def __exit__(self, *error: object) -> None:
        self._stream.close()


class AcmeAssembler(Assembler):
    def __init__(self) -> None:
        self._texts: list[str] = []

    def add(self, chunk: object) -> None:
        assert isinstance(chunk, Chunk)
        self._texts.append(chunk.text)

    def result(self) -> ModelCall:
        return {
            "model_name": "acme-1",
            "output_messages": [{"role": "assistant", "content": "".join(self._texts)}],
            "token_counts": {"prompt": 1, "completion": len(self._texts)},
        }


class AcmeReader(Reader):
    name = "acme"

    def reads(self, response: object) -> bool:
        return isinstance(response, dict) and "acme" in response

    def read(self, response: object) -> ModelCall:
        assert isinstance(response, dict)
        return {"output_messages": [{"role": "assistant", "content": response["acme"]}]}

    def reads_chunk(self, chunk: object) -> bool:
        return isinstance(chunk, Chunk)

    def assembler(self) -> Assembler:
        return AcmeAssembler()

    def stream_form(self, stream: object) -> StreamForm | None:
        if not isinstance(stream, (AcmeStream, AsyncAcmeStream, AcmeManager)):
            return None
        return StreamForm(frozenset({"texts"}), frozenset({"final"}), ("snapshot",))


@pytest.fixture(autouse=True)
def _acme() -> Iterator[None]:
    reader = register_reader(AcmeReader())
    yield
    unregister_reader(reader)


@trace_llm
def ask(stream: Any) -> Any:
    return stream


@trace_llm
async def ask_async(stream: Any) -> Any:
    return stream


def answer(spans: Spans) -> tuple[Any, list[str]]:
    """What the one call of a model answered, and the names of its events."""
    [span] = [span for span in spans.all() if span.name.startswith("ask")]
    assert span.status.is_ok
    attributes = span.attributes or {}
    return attributes.get("llm.output_messages.0.message.content"), [event.name for event in span.events]


FIRST_TOKEN = ["First Token Stream Event"]


def test_reading_to_the_end_records_the_answer(spans: Spans) -> None:
    """The chunks come as the provider's own objects; put together they are the answer, model and tokens included."""
    stream = AcmeStream("Ra", "in.")
    chunks = list(ask(stream))
    assert [type(chunk) for chunk in chunks] == [Chunk, Chunk]
    assert answer(spans) == ("Rain.", FIRST_TOKEN)
    attributes = spans.only("ask").attributes or {}
    assert attributes["output.value"] == "Rain."
    assert (attributes["llm.model_name"], attributes["llm.token_count.total"]) == ("acme-1", 3)


def test_the_span_lasts_as_long_as_the_stream(spans: Spans) -> None:
    """Before the end nothing is exported, what the stream does is below the span, and what the consumer does is not."""
    reading = iter(ask(AcmeStream("Ra", "in.")))
    next(reading)
    assert current_span().span_id == "0" * 16
    with trace_step("consumer"):
        next(reading)
    assert [span.name for span in spans.all()] == ["request", "request", "consumer"]
    assert list(reading) == []
    spans.only("ask")
    asked = spans.only("ask").context
    assert asked is not None
    for request in spans.named("request"):
        assert request.parent is not None
        assert request.parent.span_id == asked.span_id
    assert spans.parent_of("consumer") is None


def test_what_the_caller_gets_is_used_as_the_providers_own(spans: Spans) -> None:
    """``isinstance``, attributes, setting them, ``repr``, the methods and the context manager are the stream's."""
    stream = AcmeStream("Ra", "in.")
    got = ask(stream)
    assert isinstance(got, AcmeStream)
    assert isinstance(got, Iterator)
    assert not isinstance(got, AsyncIterator)
    assert not hasattr(got, "__aenter__")
    assert not hasattr(got, "no_such_attribute")
    assert got.model == "acme-1"
    assert repr(got) == repr(stream)
    assert dir(got) == dir(stream)
    got.note = "kept"
    assert stream.note == "kept"
    del got.note
    assert not hasattr(stream, "note")
    with got as entered:
        assert entered is got
        assert next(entered).text == "Ra"
    assert (stream.entered, stream.closed) == (1, 1)
    assert answer(spans) == ("Ra", FIRST_TOKEN)


def test_closing_ends_the_span(spans: Spans) -> None:
    """``close()`` does what it does, returns what it returns, and what had come by then is the answer."""
    stream = AcmeStream("Ra", "in.")
    got = ask(stream)
    next(got)
    assert got.close() == "closed"
    assert stream.closed == 1
    assert answer(spans) == ("Ra", FIRST_TOKEN)


def test_dropping_ends_the_span(spans: Spans) -> None:
    """A stream that nobody reads on, or at all, ends its span when it is collected, without an error."""
    got = ask(AcmeStream("Ra", "in."))
    next(got)
    del got
    gc.collect()
    assert answer(spans) == ("Ra", FIRST_TOKEN)
    spans.clear()
    ask(AcmeStream("Ra"))
    gc.collect()
    assert answer(spans) == (None, [])


def test_a_stream_that_breaks_off_is_an_error_with_what_had_come(spans: Spans) -> None:
    """The provider's exception goes on as it is, and is on the span beside the beginning of the answer."""
    error = ConnectionError("reset")
    got = ask(AcmeStream("Ra", fails=error))
    assert next(got).text == "Ra"
    with pytest.raises(ConnectionError) as caught:
        next(got)
    assert caught.value is error
    span = spans.only("ask")
    assert span.status.description == "ConnectionError: reset"
    assert (span.attributes or {})["llm.output_messages.0.message.content"] == "Ra"


def test_an_error_in_the_block_ends_the_span_with_that_error(spans: Spans) -> None:
    """What the consumer raises inside the stream's ``with`` block reaches the stream's exit and the span."""
    stream = AcmeStream("Ra")
    with pytest.raises(KeyError), ask(stream):
        raise KeyError("mine")
    assert stream.closed == 1
    assert spans.only("ask").status.description == "KeyError: 'mine'"


@pytest.mark.parametrize("way", ["texts", "final"])
def test_other_ways_through_the_stream_are_followed(way: str, spans: Spans) -> None:
    """Iterators and methods that read the stream by themselves give what they give; the answer is the stream's own."""
    got = ask(AcmeStream("Ra", "in."))
    assert "".join(got.texts if way == "texts" else got.final()) == "Rain."
    assert answer(spans)[0] == "Rain."


def test_a_manager_gives_a_stream_that_is_followed(spans: Spans) -> None:
    """The stream that a manager opens ends the span, however far it is read before the block is left."""
    with ask(AcmeManager(AcmeStream("Ra", "in."))) as stream:
        assert isinstance(stream, AcmeStream)
        assert next(stream).text == "Ra"
    assert answer(spans) == ("Ra", FIRST_TOKEN)


@pytest.mark.parametrize("way", ["for", "with", "final", "close"])
def test_an_async_stream_is_followed_in_the_callers_task(way: str, spans: Spans) -> None:
    """Coroutine functions that return a stream: read, entered, finished or closed, it is recorded as the sync one."""

    async def run() -> list[str]:
        got = await ask_async(AsyncAcmeStream("Ra", "in."))
        assert isinstance(got, AsyncAcmeStream)
        if way == "for":
            return [chunk.text async for chunk in got]
        if way == "with":
            async with got as stream:
                return [chunk.text async for chunk in stream]
        if way == "final":
            return [await got.final()]
        read = [(await got.__anext__()).text]
        assert await got.close() == "closed"
        return read

    texts = asyncio.run(run())
    assert answer(spans)[0] == "".join(texts)


def test_nothing_is_put_in_the_place_of_a_stream_that_is_not_recorded(spans: Spans) -> None:
    """Suppressed, the caller gets the very object; so does whoever marked a function that is no model call."""
    from agenttrace import suppress_tracing

    stream = AcmeStream("Ra")
    with suppress_tracing():
        assert ask(stream) is stream
    assert trace_step(lambda: stream)() is stream


def test_a_traced_stream_keeps_nothing_alive(spans: Spans) -> None:
    """Chunks are the consumer's alone."""
    import weakref

    got = ask(AcmeStream("Ra", "in."))
    chunk = next(got)
    reference = weakref.ref(chunk)
    del chunk
    gc.collect()
    assert reference() is None
    list(got)


def test_a_stream_that_another_thread_closes_leaves_the_readers_context_alone(spans: Spans) -> None:
    """Closed in the middle of a step by another thread, the reader goes on, and has its own current span back."""
    reading, closed = threading.Event(), threading.Event()

    class SlowStream(AcmeStream):
        def __next__(self) -> Chunk:
            reading.set()
            assert closed.wait(30)
            return super().__next__()

    got = ask(SlowStream("Ra", "in."))

    def close() -> None:
        assert reading.wait(30)
        got.close()
        closed.set()

    thread = threading.Thread(target=close)
    thread.start()
    with trace_step("consumer") as consumer:
        assert next(got).text == "Ra"
        assert current_span() is consumer
        assert [chunk.text for chunk in got] == ["in."]
        assert current_span() is consumer
    thread.join()
    assert answer(spans)[0] is None


def test_two_threads_read_one_stream(spans: Spans) -> None:
    """Whoever reads, each has its own current span back after each step."""
    got = ask(AcmeStream(*"abcdefgh"))
    seen: list[str] = []

    def read(name: str) -> None:
        with trace_step(name) as step:
            for chunk in got:
                seen.append(chunk.text)
                assert current_span() is step

    threads = [threading.Thread(target=read, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == list("abcdefgh")
    assert {span.name for span in spans.all()} == {"ask", "one", "two", "request"}


def test_marks_within_marks_hand_the_same_stream_on(spans: Spans) -> None:
    """A traced function that returns what another one returned gives a stream that is still the provider's."""

    @trace_llm
    def outer() -> Any:
        return ask(AcmeStream("Ra", "in."))

    got = outer()
    assert isinstance(got, AcmeStream)
    assert [chunk.text for chunk in got] == ["Ra", "in."]
    assert sorted(span.name.rpartition(".")[2] for span in spans.all() if span.name != "request") == ["ask", "outer"]


def test_an_iterator_over_the_stream_is_closed_without_the_stream(spans: Spans) -> None:
    """Where iterating gives a generator, as with OpenAI's client, closing that one leaves the stream open."""

    class IteratedStream(AcmeStream):
        def __iter__(self) -> Iterator[Chunk]:
            while True:
                try:
                    yield self.__next__()
                except StopIteration:
                    return

    stream = IteratedStream("Ra", "in", ".")
    got = ask(stream)

    def delegating() -> Iterator[Chunk]:
        yield from got

    iterator = delegating()
    assert next(iterator).text == "Ra"
    iterator.close()  # type: ignore[attr-defined]
    assert stream.closed == 0
    assert [chunk.text for chunk in got] == ["in", "."]
    assert answer(spans)[0] == "Rain."


def test_a_copy_of_the_stream_is_the_providers_own(spans: Spans) -> None:
    """``copy.copy`` gives what it gives of the plain stream, which is followed no longer."""
    import copy

    got = ask(AcmeStream("Ra", "in."))
    copied = copy.copy(got)
    assert type(copied) is AcmeStream
    assert copied.model == "acme-1"
    list(got)
    assert answer(spans)[0] == "Rain."
