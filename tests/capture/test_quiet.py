"""While an argument's own methods run, tracing is off; afterwards it is as before."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from agenttrace import trace_tool
from agenttrace.capture.encode import encode_attribute, encode_json, encode_value
from agenttrace.capture.results import YieldedItems
from agenttrace.current import get_current, is_suppressed
from agenttrace.provider import use_provider


class Telling:
    """Says whether tracing was off when it was asked what it is."""

    def __repr__(self) -> str:
        return f"off: {is_suppressed(get_current())}"


def test_a_repr_that_calls_the_traced_function_again_does_not_recurse() -> None:
    """Its body runs as often as it would untraced, and there is one span of the one call."""
    bodies = []

    class Document:
        def __repr__(self) -> str:
            return render(self)

    @trace_tool
    def render(document: Document) -> str:
        bodies.append(document)
        return "Document()"

    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with use_provider(provider):
        assert render(Document()) == "Document()"
    [span] = exporter.get_finished_spans()
    assert span.attributes is not None
    assert span.attributes["input.value"] == '{"document":"Document()"}'
    assert len(bodies) == 2  # the call, and the one of the repr, untraced


@pytest.mark.parametrize("encode", [encode_json, encode_attribute, encode_value])
def test_tracing_is_off_while_an_object_is_asked(encode: Callable[[object], Any]) -> None:
    """By each of the ways in, and on again afterwards."""
    before = get_current()
    assert "off: True" in str(encode(Telling()))
    assert get_current() is before


def test_tracing_is_off_while_what_was_yielded_is_cut(set_limit: Callable[[object], None]) -> None:
    """A stream's item is read once more where it is larger than what room is left."""
    set_limit(400)
    items = YieldedItems()
    items.add(["x" * 200])
    items.add([Telling(), "y" * 500])
    assert "off: True" in items.output()[0]
    assert "off: False" not in items.output()[0]


@pytest.mark.skipif(not hasattr(signal, "raise_signal"), reason="needs signals")
def test_a_signal_leaves_tracing_on() -> None:
    """What it raises reaches the program, and the context is the one before."""

    class Slow:
        def __repr__(self) -> str:
            signal.raise_signal(signal.SIGINT)
            return "slow"

    before, handler = get_current(), signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        for encode in (encode_json, encode_attribute):
            with pytest.raises(KeyboardInterrupt):
                encode(Slow())
            assert get_current() is before
    finally:
        signal.signal(signal.SIGINT, handler)


def test_the_recursion_limit_leaves_tracing_on() -> None:
    """Wherever on the way in or back it strikes."""
    before = get_current()
    contexts = []

    def descend() -> None:
        encode_json({1})
        contexts.append(get_current() is before)
        descend()

    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(300)
    try:
        with pytest.raises(RecursionError):
            descend()
    finally:
        sys.setrecursionlimit(limit)
    assert len(contexts) > 50
    assert all(contexts)
    assert get_current() is before
