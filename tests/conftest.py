"""Every span that the tests produce is held to the OpenInference specification; an error in one fails its test.

A test that makes wrong spans on purpose says so: ``@pytest.mark.agenttrace(check=False)``.
"""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from agenttrace.local.database import StoreError
from agenttrace.local.reader import Store
from agenttrace.local.records import SpanRecord
from agenttrace.testing.conformance import faults_of

_EVERY_TRACE = 2**31
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as for what a shell runs in the background
    signal.signal(signal.SIGINT, signal.default_int_handler)
_PROVIDERS = ("anthropic", "cohere", "google", "huggingface_hub", "langchain_core", "litellm", "mistralai", "ollama")
_CLIENTS = "|".join((*_PROVIDERS, "openai", "smolagents"))
_IMPORTS_A_PROVIDER = re.compile(rf"^\s*(?:import|from) (?:{_CLIENTS})\b", re.MULTILINE)


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave out what needs a provider's client, in the one run that has none: on the lowest dependencies."""
    if not os.environ.get("AGENTTRACE_TESTS_WITHOUT_PROVIDERS"):
        return None
    if collection_path.name in ("readers", "smolagents"):
        return True
    if collection_path.suffix != ".py" or not collection_path.name.startswith("test_"):
        return None
    text = collection_path.read_text(encoding="utf-8")
    needs_one = collection_path.name == "test_gallery.py" or _IMPORTS_A_PROVIDER.search(text)
    return True if needs_one else None


_STORES_ODD_SPANS = Path(__file__).parent / "local"
"""The tests of the local store, which write spans of every oddness by hand to see whether they come back unchanged."""


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let the plugin check what `capture_spans` and `agenttrace_spans` catch, unless the test says otherwise.

    By the marker and not by the setting ``agenttrace_check``, so that the check below goes by it too.
    """
    if all("check" not in marker.kwargs for marker in item.iter_markers("agenttrace")):
        item.add_marker(pytest.mark.agenttrace(check=_STORES_ODD_SPANS not in item.path.parents))


@pytest.hookimpl(trylast=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    """Check the spans that went elsewhere: to an exporter in memory, or to a store in the test's own folder.

    A test that failed doesn't come here: the calls of this hook end with the failure.
    """
    marked = (marker.kwargs["check"] for marker in item.iter_markers("agenttrace") if "check" in marker.kwargs)
    if next(marked, False):
        arguments: dict[str, object] = getattr(item, "funcargs", {})
        for spans in (*_exported(arguments), *_stored(arguments)):
            faults = faults_of(spans)
            if faults is not None:
                pytest.fail(faults, pytrace=False)


def _exported(arguments: dict[str, object]) -> Iterator[Sequence[ReadableSpan]]:
    """What the fixture ``spans`` of the marks' tests has caught with a provider of its own."""
    exporter = getattr(arguments.get("spans"), "exporter", None)
    if isinstance(exporter, InMemorySpanExporter):
        yield exporter.get_finished_spans()


def _stored(arguments: dict[str, object]) -> Iterator[Sequence[SpanRecord]]:
    """The traces in the stores that the test, or a program that it ran, has made in its folder."""
    folder = arguments.get("tmp_path")
    for path in folder.rglob("traces.db") if isinstance(folder, Path) else ():
        store = Store(path)
        try:
            for trace in store.traces(limit=_EVERY_TRACE):
                yield store.spans(trace.trace_id)
        except StoreError:  # damaged on purpose
            continue
