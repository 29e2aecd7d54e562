"""Where the spans of the marks go, and that nothing is read where they go nowhere."""

from __future__ import annotations

import asyncio
import functools
import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace as otel_trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased, TraceIdRatioBased
from opentelemetry.trace import NonRecordingSpan, NoOpTracerProvider, SpanContext, use_span

from agenttrace import current_span, suppress_tracing, trace_agent, trace_step, trace_tool, using_session
from agenttrace.provider import registered_provider, set_registered_provider, use_provider

from .conftest import Spans
from .material import all_items, output_of, run_to_end

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _nothing_is_registered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Neither here nor with OpenTelemetry, whatever tests before this one did."""
    before = registered_provider()
    monkeypatch.setattr(otel_trace, "_TRACER_PROVIDER", None)
    set_registered_provider(None)
    yield
    set_registered_provider(before)


@trace_agent
def marked_at_import(question: str) -> str:
    """Marked before any provider is there."""
    return question


def assert_holds_in_a_process(code: str) -> None:
    """Run ``code`` in a Python of its own, whose global provider nobody has set yet; it must end well."""
    prelude = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from agenttrace import trace_agent, trace_step
from agenttrace.provider import set_registered_provider, use_provider

def made():
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider, lambda: [span.name for span in exporter.get_finished_spans()]

@trace_agent
def marked():
    with trace_step("block"):
        return 1
"""
    finished = subprocess.run(
        [sys.executable, "-W", "error", "-c", prelude + code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert finished.returncode == 0, finished.stderr
    assert finished.stderr == ""


def test_the_global_provider_is_found_when_it_is_set_after_decorating_and_calling() -> None:
    """Before there is one nothing is recorded; from then on all is."""
    assert_holds_in_a_process("""
assert marked() == 1
provider, names = made()
trace.set_tracer_provider(provider)
assert marked() == 1
assert names() == ["block", "marked"]
""")


def test_a_registered_provider_is_preferred_to_the_global_one() -> None:
    """And given back when it goes."""
    assert_holds_in_a_process("""
(global_provider, global_names), (own, own_names) = made(), made()
trace.set_tracer_provider(global_provider)
set_registered_provider(own)
marked()
assert (global_names(), own_names()) == ([], ["block", "marked"])
set_registered_provider(None)
marked()
assert (global_names(), own_names()) == (["block", "marked"], ["block", "marked"])
""")


def test_opentelemetry_switched_off_is_heeded() -> None:
    """A global SDK provider makes no spans under ``OTEL_SDK_DISABLED``, and the marks find none."""
    assert_holds_in_a_process("""
import os
os.environ["OTEL_SDK_DISABLED"] = "true"
provider, names = made()
trace.set_tracer_provider(provider)
assert marked() == 1
assert names() == []
""")


def test_a_provider_is_changed_between_calls() -> None:
    """Each call goes where the provider is then."""
    first, second = Spans(), Spans()
    for spans in (first, second, first):
        set_registered_provider(spans.provider)
        assert marked_at_import("?") == "?"
    assert (len(first.all()), len(second.all())) == (2, 1)


def test_a_provider_is_changed_during_a_call() -> None:
    """A span that is open ends where it started; those that start later go to the new one."""
    first, second = Spans(), Spans()
    set_registered_provider(first.provider)
    with trace_step("outer"):
        set_registered_provider(second.provider)
        with trace_step("inner"):
            pass
    assert (first.names(), second.names()) == (["outer"], ["inner"])


def test_a_block_s_provider_is_preferred_to_any_other() -> None:
    """``use_provider`` blocks nest, hold in coroutines that start inside, and end."""
    registered, outer, inner = Spans(), Spans(), Spans()
    set_registered_provider(registered.provider)

    async def run() -> None:
        await asyncio.gather(*[asyncio.to_thread(marked_at_import, "?") for _ in range(3)])

    with use_provider(outer.provider):
        with use_provider(inner.provider):
            asyncio.run(run())
        marked_at_import("?")
    marked_at_import("?")
    assert [len(spans.all()) for spans in (registered, outer, inner)] == [1, 1, 3]


def test_the_scope_is_named_and_versioned(spans: Spans) -> None:
    """Backends tell the marks' spans by their instrumentation scope."""
    from agenttrace import __version__

    marked_at_import("?")
    scope = spans.only().instrumentation_scope
    assert scope is not None
    assert (scope.name, scope.version) == ("agenttrace", __version__)


# Nothing is read where nothing is recorded


class Witness:
    """Notes every touch by anybody, and raises."""

    touches: list[str]

    def __init__(self) -> None:
        object.__setattr__(self, "touches", [])


def _noted(name: str) -> Callable[..., Any]:
    def touched(self: Any, *args: object, **kwargs: object) -> Any:
        object.__getattribute__(self, "touches").append(name)
        raise RuntimeError(name)

    return touched


_DUNDERS = """
__repr__ __str__ __bytes__ __format__ __hash__ __bool__ __eq__ __ne__ __lt__ __le__ __gt__ __ge__ __getattribute__
__getattr__ __setattr__ __delattr__ __dir__ __iter__ __next__ __reversed__ __len__ __length_hint__ __getitem__
__contains__ __call__ __enter__ __exit__ __aenter__ __aexit__ __await__ __aiter__ __anext__ __int__ __float__ __index__
__complex__ __add__ __radd__ __reduce__ __reduce_ex__ __getstate__ __copy__ __deepcopy__ __instancecheck__ __buffer__
__fspath__ __sizeof__ __array__
"""
for _name in _DUNDERS.split():
    setattr(Witness, _name, _noted(_name))


def _sampled_out() -> AbstractContextManager[None]:
    return use_provider(TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False))


def _sampled_out_by_ratio() -> AbstractContextManager[None]:
    return use_provider(TracerProvider(sampler=TraceIdRatioBased(0.0), shutdown_on_exit=False))


def _sampled_out_by_parent() -> AbstractContextManager[None]:
    """A provider that follows the parent, whose caller was sampled out."""
    from contextlib import ExitStack

    stack = ExitStack()
    stack.enter_context(use_provider(TracerProvider(sampler=ParentBased(ALWAYS_ON), shutdown_on_exit=False)))
    stack.enter_context(use_span(NonRecordingSpan(SpanContext(1, 2, is_remote=True))))
    return stack  # type: ignore[return-value]


def _suppressed() -> AbstractContextManager[Any]:
    from contextlib import ExitStack

    stack = ExitStack()
    stack.enter_context(use_provider(TracerProvider(shutdown_on_exit=False)))
    stack.enter_context(suppress_tracing())
    return stack


def _makes_no_spans() -> AbstractContextManager[None]:
    return use_provider(NoOpTracerProvider())


SILENCES: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "nothing registered": nullcontext,
    "suppressed": _suppressed,
    "sampled out": _sampled_out,
    "sampled out by ratio": _sampled_out_by_ratio,
    "sampled out by the parent": _sampled_out_by_parent,
    "a provider that makes no spans": _makes_no_spans,
}


@pytest.mark.parametrize("silence", SILENCES)
@pytest.mark.parametrize("kind", ["function", "coroutine", "generator", "async generator", "block", "class", "partial"])
def test_nothing_is_read_where_nothing_is_recorded(silence: str, kind: str) -> None:
    """Arguments, results, items and what blocks are told aren't touched, nor are the process functions called."""
    processed: list[object] = []
    witness = Witness()
    touches = object.__getattribute__(witness, "touches")
    mark = trace_tool(process_input=processed.append, process_output=processed.append, reduce=processed.append)

    @mark
    def function(a: object, *rest: object, **more: object) -> object:
        current_span().set_input(a)
        current_span().set_metadata({"k": a})
        return a

    @mark
    async def coroutine(a: object, *rest: object, **more: object) -> object:
        return a

    @mark
    def generator(a: object, *rest: object, **more: object) -> Iterator[object]:
        yield a

    @mark
    async def async_generator(a: object, *rest: object, **more: object) -> Any:
        yield a

    @trace_agent(method="run")
    class Agent:
        def run(self, a: object, *rest: object, **more: object) -> object:
            return a

    def block() -> object:
        with trace_step("s", input=witness, attributes={"k": witness}, metadata={"k": witness}) as span:
            span.set_output(witness)
        return witness

    given = {"k": witness}
    calls: dict[str, Callable[[], object]] = {
        "function": lambda: function(witness, witness, **given),
        "coroutine": lambda: run_to_end(coroutine(witness, witness, **given)),
        "generator": lambda: next(generator(witness, witness, **given)),
        "async generator": lambda: all_items(async_generator(witness, witness, **given))[0],
        "class": lambda: Agent().run(witness, witness, **given),
        "partial": lambda: mark(functools.partial(function, witness))(witness, **given),
        "block": block,
    }
    with SILENCES[silence]():
        result = calls[kind]()
    assert result is witness
    assert touches == []
    assert processed == []


def test_an_error_is_not_read_where_nothing_is_recorded() -> None:
    """The exception goes on untouched."""
    asked: list[str] = []

    class Quiet(Exception):
        def __str__(self) -> str:
            asked.append("str")
            return ""

    @trace_agent
    def failing() -> None:
        raise Quiet

    for silence in SILENCES.values():
        with silence(), pytest.raises(Quiet):
            failing()
    assert asked == []


def test_children_of_a_span_that_was_sampled_out_are_not_recorded_either(spans: Spans) -> None:
    """The whole tree is there or not."""
    provider = TracerProvider(sampler=ParentBased(ALWAYS_OFF), shutdown_on_exit=False)
    provider.add_span_processor(spans)

    @trace_agent
    def agent() -> None:
        with trace_step("step"):
            marked_at_import("?")

    with use_provider(provider):
        agent()
    assert spans.names() == []


def test_suppression_by_another_library_is_heeded(spans: Spans) -> None:
    """OpenTelemetry's instrumentors suppress one another by a key in the context; the marks keep quiet too."""
    from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, attach, detach, set_value

    token = attach(set_value(_SUPPRESS_INSTRUMENTATION_KEY, True))
    try:
        marked_at_import("?")
    finally:
        detach(token)
    assert spans.names() == []


def test_marks_find_their_provider_in_plain_threads(spans: Spans) -> None:
    """A thread that carries no context records to the newest provider; its spans are roots."""
    with trace_step("outer"), using_session("s"):
        thread = threading.Thread(target=marked_at_import, args=("in a thread",))
        thread.start()
        thread.join()
    assert spans.parent_of("marked_at_import") is None
    assert output_of(spans.only("marked_at_import")) == "in a thread"


@pytest.mark.parametrize(("word", "recorded"), [("true", 0), ("0", 1)])
def test_agenttrace_disabled_holds_where_nobody_registered(word: str, recorded: int) -> None:
    """The variable switches the marks off on somebody else's global provider too."""
    program = textwrap.dedent(
        """
        from opentelemetry import trace
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
        from agenttrace import trace_tool

        exporter = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        trace.set_tracer_provider(provider)
        assert trace_tool(len)("abc") == 3
        print(len(exporter.get_finished_spans()))
        """
    )
    environment = {**os.environ, "AGENTTRACE_DISABLED": word}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == str(recorded)
