"""Whatever raises in tracing, the program's calls return, raise and yield what they do without it."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace import Span as SdkSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, Sampler, SamplingResult
from opentelemetry.trace import StatusCode

from agenttrace import current_span, suppress_tracing, trace_agent, trace_step, trace_tool, using_session
from agenttrace.provider import use_provider

from .conftest import LogCatcher, Spans

ROOT = Path(__file__).parents[2]


class Refusal(Exception):
    """What the program's own code raises."""


class Fault(Exception):
    """What raises inside tracing; even its text does."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


class RaisingStart(SpanProcessor):
    def on_start(self, span: SdkSpan, parent_context: Context | None = None) -> None:
        raise Fault


class RaisingEnd(SpanProcessor):
    def on_end(self, span: ReadableSpan) -> None:
        raise Fault


class RaisingSampler(Sampler):
    def should_sample(self, *args: Any, **kwargs: Any) -> SamplingResult:
        raise Fault

    def get_description(self) -> str:
        raise Fault


class WrongSampler(Sampler):
    def should_sample(self, *args: Any, **kwargs: Any) -> SamplingResult:
        return None  # type: ignore[return-value]

    def get_description(self) -> str:
        return "wrong"


class RaisingIds(IdGenerator):
    def generate_span_id(self) -> int:
        raise Fault

    def generate_trace_id(self) -> int:
        raise Fault


class WrongIds(RandomIdGenerator):
    def generate_span_id(self) -> int:
        return "seven"  # type: ignore[return-value]


class RaisingExporter(SpanExporter):
    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        raise Fault


def provider_with(*processors: SpanProcessor, **options: Any) -> TracerProvider:
    """A provider with these processors, of which none is shut down at exit."""
    provider = TracerProvider(shutdown_on_exit=False, **options)
    for processor in processors:
        provider.add_span_processor(processor)
    return provider


PROVIDERS: dict[str, Callable[[], TracerProvider]] = {
    "processor's on_start": lambda: provider_with(RaisingStart()),
    "processor's on_end": lambda: provider_with(RaisingEnd()),
    "sampler": lambda: provider_with(sampler=RaisingSampler()),
    "sampler that gives nothing": lambda: provider_with(sampler=WrongSampler()),
    "id generator": lambda: provider_with(id_generator=RaisingIds()),
    "id generator of texts": lambda: provider_with(id_generator=WrongIds()),
}


def program(mark: Callable[..., Any]) -> list[Any]:
    """Calls of every kind, each twice, and what came of them."""
    notes: list[Any] = []

    @mark
    def function(value: str) -> str:
        current_span().set_output("mine")
        return value * 2

    @mark
    def refuses(value: str) -> str:
        raise Refusal(value)

    @mark
    async def coroutine(value: str) -> str:
        await asyncio.sleep(0)
        return value * 2

    @mark
    def generator(value: str) -> Generator[str, str, str]:
        notes.append((yield value))
        return value * 2

    @mark
    async def async_generator(value: str) -> AsyncGenerator[str, str]:
        notes.append((yield value))

    @mark
    def later(value: str) -> Any:
        return coroutine(value)

    async def main() -> None:
        notes.append(await coroutine("c"))
        notes.append(await later("l"))
        notes.append([item async for item in async_generator("a")])
        stream = async_generator("closed")
        notes.append(await stream.__anext__())
        await stream.aclose()
        async with trace_step("async block"):
            notes.append("block")

    for _ in range(2):
        notes.append(function("f"))
        error = None
        try:
            refuses("r")
        except Refusal as refusal:
            error = refusal
        notes.append((type(error), str(error), error.__cause__ if error else None))
        notes.append(error is not None and error.__context__)
        notes.append(list(generator("g")))
        started = generator("closed")
        notes.append(next(started))
        started.close()
        asyncio.run(main())
        with trace_step("block", input="in") as step:
            step.set_output("out")
            notes.append("block")
    return notes


PLAIN = program(lambda function: function)


@pytest.mark.parametrize("make", PROVIDERS.values(), ids=PROVIDERS)
def test_a_part_of_the_provider_that_raises(make: Callable[[], TracerProvider], log: LogCatcher) -> None:
    """Nothing changes for the caller; each place is logged once."""
    with use_provider(make()):
        assert program(trace_tool) == PLAIN
    assert log.lines
    assert all(line.startswith("agenttrace: ") for line in log.lines), log.lines
    assert len(log.lines) == len(set(log.lines))
    log.lines.clear()


def test_an_exporter_that_raises(log: LogCatcher) -> None:
    """The SDK's own processor says so, in its way; nothing changes for the caller."""
    with use_provider(provider_with(SimpleSpanProcessor(RaisingExporter()))):
        assert program(trace_tool) == PLAIN
    assert all(line.startswith("opentelemetry.") for line in log.lines)
    log.lines.clear()


@pytest.mark.parametrize("name", ["process_input", "process_output", "reduce"])
def test_a_mark_s_function_that_raises(spans: Spans, log: LogCatcher, name: str) -> None:
    """Its span ends, with the call's own status, and the fault is logged once per function."""

    def fault(value: object) -> object:
        raise Fault

    def mark(function: Any) -> Any:
        options: dict[str, Any] = {name: fault}
        return trace_tool(function, **options)

    assert program(mark) == PLAIN
    assert len(log.lines) == len(set(log.lines)) > 0
    log.lines.clear()
    assert {span.status.status_code for span in spans.named("program.<locals>.function")} <= {StatusCode.OK}


@pytest.mark.parametrize("part", ["handler", "filter", "handler that exits"])
def test_logging_that_raises(part: str) -> None:
    """A handler or filter of the program's on the ``agenttrace`` logger changes nothing either."""

    class Raising(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if part == "handler that exits":
                raise SystemExit("from a handler")
            raise Fault

    def refuse(record: logging.LogRecord) -> bool:
        raise Fault

    logger = logging.getLogger("agenttrace")
    handler = Raising()
    if part == "filter":
        logger.addFilter(refuse)
    else:
        logger.handlers.insert(0, handler)
    try:
        with use_provider(provider_with(RaisingEnd())):
            assert program(trace_tool) == PLAIN
        with use_provider(provider_with(RaisingStart())):
            assert program(trace_tool) == PLAIN
    finally:
        logger.removeFilter(refuse)
        logger.removeHandler(handler)
        for other in logger.handlers:
            if isinstance(other, LogCatcher):
                other.lines.clear()


def run_python(code: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run ``code`` in a Python of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, *options, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
        check=False,
    )


def test_with_warnings_as_errors() -> None:
    """``-W error`` in a process of its own: everything runs, and nothing is said."""
    done = run_python(
        f"""
        import sys
        sys.path.insert(0, {str(ROOT)!r})
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
        from agenttrace import trace_tool
        from agenttrace.provider import use_provider
        import asyncio

        exporter = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(exporter))

        class Deprecated:
            def __repr__(self):
                import warnings
                warnings.warn("an old object")
                return "Deprecated()"

        @trace_tool
        def tool(value):
            return value

        @trace_tool
        async def stream(value):
            yield value

        async def main():
            async for item in stream(Deprecated()):
                pass

        with use_provider(provider):
            argument = Deprecated()
            assert tool(argument) is argument
            asyncio.run(main())
            assert list(tool(iter([1, 2]))) == [1, 2]
        print(len(exporter.get_finished_spans()))
        """,
        "-W",
        "error",
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "3\n", "")


@pytest.mark.parametrize("kind", ["function", "coroutine", "generator", "block", "caught", "below"])
def test_recursion_to_the_interpreter_s_limit(spans: Spans, kind: str) -> None:
    """A RecursionError where the plain program has one, a clean stack afterwards, and every span that started ended."""

    @trace_tool
    def function(depth: int) -> int:
        return function(depth + 1)

    @trace_tool
    async def coroutine(depth: int) -> int:
        return await coroutine(depth + 1)

    @trace_tool
    def generator(depth: int) -> Generator[int, None, None]:
        yield from generator(depth + 1)

    def block(depth: int) -> int:
        with trace_step("level"):
            return block(depth + 1)

    @trace_tool
    def caught(depth: int) -> int:
        try:
            return caught(depth + 1)
        except RecursionError:
            if depth:
                return depth
            raise

    def plain(depth: int) -> int:
        return plain(depth + 1)

    @trace_tool
    def below() -> int:
        return plain(0)

    def go() -> Any:
        return {
            "function": lambda: function(0),
            "coroutine": lambda: asyncio.run(coroutine(0)),
            "generator": lambda: list(generator(0)),
            "block": lambda: block(0),
            "caught": lambda: caught(0) and function(0),
            "below": below,
        }[kind]()

    with trace_step("outer") as outer:
        for _ in range(2):
            with pytest.raises(RecursionError):
                go()
            assert current_span() is outer
    with trace_step("after"):
        pass
    assert len(spans.all()) > 2
    spans.assert_each_ended_once()


def test_recursion_that_ends_just_before_the_limit(spans: Spans) -> None:
    """A program that goes as deep as it can, and calls a traced function near the limit, gets its results."""

    @trace_tool
    def leaf() -> str:
        return "leaf"

    def descend(depth: int) -> str:
        return leaf() if depth == 0 else descend(depth - 1)

    results = set()
    for depth in range(sys.getrecursionlimit() - 200, sys.getrecursionlimit() + 20):
        try:
            results.add(descend(depth))
        except RecursionError:
            results.add("RecursionError")
        assert current_span().span_id == "0" * 16
    assert results == {"leaf", "RecursionError"}
    with trace_step("after"):
        pass


def test_many_threads_at_once(spans: Spans) -> None:
    """One mark and two functions from many threads: every span once, with its own thread's parent."""
    start = threading.Barrier(8)

    @trace_tool(name="work")
    def work(number: int) -> int:
        return number

    @trace_tool(name="stream")
    def stream(number: int) -> Generator[int, None, None]:
        yield work(number)

    block = trace_agent("thread")
    wrong: list[Any] = []

    def run(number: int) -> None:
        start.wait()
        for _ in range(25):
            with block as handle:
                if list(stream(number)) != [number] or current_span() is not handle:
                    wrong.append(number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(spans.named("thread")) == len(spans.named("stream")) == len(spans.named("work")) == 200
    ids = {span.context.span_id: span for span in spans.all() if span.context}
    for name, parent in (("work", "stream"), ("stream", "thread")):
        for span in spans.named(name):
            assert span.parent is not None
            assert ids[span.parent.span_id].name == parent
    assert all(span.parent is None for span in spans.named("thread"))
    assert len({span.parent.span_id for span in spans.named("stream") if span.parent}) == 200


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_fork_inside_a_traced_call() -> None:
    """Parent and child both come back from the call, and both trace on."""
    done = run_python(
        """
        import os
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
        from agenttrace import trace_tool, trace_step
        from agenttrace.provider import use_provider

        exporter = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(exporter))

        @trace_tool
        def forks():
            with trace_step("block"):
                return os.fork()

        with use_provider(provider):
            child = forks()
            with trace_step("after"):
                pass
        names = [span.name for span in exporter.get_finished_spans()]
        assert names == ["block", "forks", "after"], names
        if child:
            assert os.waitpid(child, 0)[1] == 0
            print("both")
        """
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "both\n", "")


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="this system has no such signals")
@pytest.mark.parametrize("kind", ["function", "generator", "coroutine", "async generator", "block"])
@pytest.mark.parametrize("number", ["SIGINT", "SIGUSR1"])
def test_a_signal_while_the_body_runs(spans: Spans, kind: str, number: str) -> None:
    """What its handler raises goes on, the same object; the span ends, and the stack is clean."""
    raised = KeyboardInterrupt("Ctrl-C") if number == "SIGINT" else TimeoutError("took too long")
    signum = getattr(signal, number)

    def handler(*_: Any) -> None:
        raise raised

    @trace_tool
    def function() -> None:
        signal.raise_signal(signum)

    @trace_tool
    def generator() -> Generator[int, None, None]:
        yield 1
        signal.raise_signal(signum)

    @trace_tool
    async def coroutine() -> None:
        signal.raise_signal(signum)

    @trace_tool
    async def async_generator() -> AsyncGenerator[int, None]:
        yield 1
        signal.raise_signal(signum)

    def block() -> None:
        with trace_step("block"):
            signal.raise_signal(signum)

    async def consume() -> None:
        async for _ in async_generator():
            pass

    def by_hand(made: Any) -> None:
        made.send(None)

    runs: dict[str, Callable[[], Any]] = {
        "function": function,
        "generator": lambda: list(generator()),
        "coroutine": lambda: by_hand(coroutine()),
        "async generator": lambda: by_hand(consume()),
        "block": block,
    }
    before = signal.signal(signum, handler)
    try:
        with pytest.raises(type(raised)) as caught:
            runs[kind]()
    finally:
        signal.signal(signum, before)
    assert caught.value is raised
    assert current_span().span_id == "0" * 16
    expected = StatusCode.UNSET if number == "SIGINT" else StatusCode.ERROR
    assert spans.only().status.status_code is expected


def test_nothing_is_serialised_when_nothing_records(log: LogCatcher) -> None:
    """Neither unregistered, nor suppressed, nor sampled out: no argument's or result's method is called."""
    touched: list[str] = []

    class Watched:
        def __getattribute__(self, name: str) -> Any:
            touched.append(name)
            return object.__getattribute__(self, name)

        def __repr__(self) -> str:
            touched.append("repr")
            return "Watched()"

    class Never(Sampler):
        def should_sample(self, *args: Any, **kwargs: Any) -> SamplingResult:
            from opentelemetry.sdk.trace.sampling import Decision

            return SamplingResult(Decision.DROP)

        def get_description(self) -> str:
            return "never"

    @trace_tool
    def function(value: Watched) -> Watched:
        return value

    @trace_tool
    def generator(value: Watched) -> Generator[Watched, None, None]:
        yield value

    def use() -> None:
        value = Watched()
        assert function(value) is value
        assert list(generator(value)) == [value]
        with trace_step("block", input=value) as step:
            step.set_output(value)
            step.set_attribute("key", value)
            step.set_metadata({"key": value})

    use()
    with use_provider(provider_with(sampler=Never())):
        use()
    with use_provider(provider_with(sampler=ALWAYS_ON)), suppress_tracing(), using_session("s"):
        use()
    assert touched == []


class ExitingProcessor(SpanProcessor):
    """Raises SystemExit where it is told to."""

    def __init__(self, method: str) -> None:
        self.method = method

    def on_start(self, span: SdkSpan, parent_context: Context | None = None) -> None:
        if self.method == "on_start":
            raise SystemExit

    def on_end(self, span: ReadableSpan) -> None:
        if self.method == "on_end":
            raise SystemExit


@pytest.mark.parametrize("method", ["on_start", "on_end"])
def test_a_processor_that_exits_ends_nothing(method: str, log: LogCatcher) -> None:
    """SystemExit out of a processor stays there: the program didn't ask for it."""
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(ExitingProcessor(method))
    with use_provider(provider):
        assert trace_tool(len)("abc") == 3
    log.expect("SystemExit")


@pytest.mark.parametrize("option", ["process_input", "process_output", "reduce"])
def test_a_hook_that_exits_ends_nothing(option: str, spans: Spans, log: LogCatcher) -> None:
    """SystemExit out of a hook stays there, and the span has everything else."""

    def leave(value: object) -> object:
        raise SystemExit

    options: Any = {option: leave}

    @trace_agent(**options)
    def count() -> Generator[int, None, None]:
        yield 1

    assert list(count()) == [1]
    assert spans.only().status.status_code is StatusCode.OK
    log.expect("SystemExit")


class TimeLimit(Exception):
    """What a signal handler raises to end a call that takes too long."""


@pytest.mark.parametrize("option", ["process_input", "process_output"])
def test_what_a_signal_handler_raises_reaches_the_program(option: str, spans: Spans) -> None:
    """A time limit that strikes while tracing records is no fault of tracing's, though it is an Exception."""

    def interrupted(value: object) -> object:
        signal.raise_signal(signal.SIGUSR1)
        return value

    def strike(number: int, frame: object) -> None:
        raise TimeLimit

    options: Any = {option: interrupted}

    @trace_agent(**options)
    def work(question: str) -> str:
        return question

    before = signal.signal(signal.SIGUSR1, strike)
    try:
        with pytest.raises(TimeLimit):
            work("why")
    finally:
        signal.signal(signal.SIGUSR1, before)
    spans.assert_each_ended_once()


def test_made_up_names_are_not_logged_for_ever(log: LogCatcher) -> None:
    """A program that names each block anew gets a bounded number of lines, and tracing keeps no list of them."""
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(RaisingEnd())
    with use_provider(provider):
        for number in range(1_000):
            with trace_step(f"ticket {number}"):
                pass
    lines, log.lines = log.lines, []
    assert 0 < len(lines) <= 200
