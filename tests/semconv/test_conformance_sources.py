"""What the checker reads: OTLP/JSON files of every layout, OTLP's protobuf objects, captures, and what it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData
from opentelemetry.sdk.trace import ReadableSpan

from agenttrace import trace_tool
from agenttrace.semconv.conformance import Rule, SpanView, check, is_openinference, read_otlp_json, views_of
from agenttrace.testing import capture_spans

from .sources import otlp_json, sdk_span

ROOT = Path(__file__).parents[2]


def wrong_spans() -> list[ReadableSpan]:
    """Two spans, with one fault each."""
    return [sdk_span({"openinference.span.kind": kind}, name=kind) for kind in ("first", "second")]


def kinds(source: Any) -> list[str | None]:
    """The kinds of the spans in which the checker found the one fault."""
    violations = check(source)
    assert {violation.rule for violation in violations} <= {Rule.KIND_INVALID}
    return [violation.span.kind for violation in violations]


def test_otlp_json_is_read_in_every_layout_of_files() -> None:
    """One document, on one line or many, a list of them, one on each line and empty lines, a byte order mark."""
    first, second = (json.dumps(otlp_json([span])) for span in wrong_spans())
    both = ["first", "second"]
    assert kinds(read_otlp_json(json.dumps(otlp_json(wrong_spans())))) == both
    assert kinds(read_otlp_json(json.dumps(otlp_json(wrong_spans()), indent=2))) == both
    assert kinds(read_otlp_json(f"[{first}, {second}]")) == both
    assert kinds(read_otlp_json(f"{first}\n\n{second}\r\n")) == both
    assert kinds(read_otlp_json(f"\ufeff{first}")) == ["first"]
    assert read_otlp_json("{}") == read_otlp_json("[]") == []


def test_parts_of_otlp_json_are_taken() -> None:
    """Resources, scopes, spans, and lists of them: whatever a program has at hand."""
    document = otlp_json(wrong_spans())
    both = ["first", "second"]
    [resource] = document["resourceSpans"]
    assert kinds(document) == kinds([document]) == both
    assert kinds(resource) == kinds(document["resourceSpans"]) == both
    assert kinds(resource["scopeSpans"]) == kinds(resource["scopeSpans"][0]["spans"]) == both
    assert kinds(resource["scopeSpans"][0]["spans"][1]) == ["second"]


def test_parts_of_protobuf_are_taken() -> None:
    """Requests, data, resources, scopes, spans, and lists of them."""
    request = encode_spans(wrong_spans())
    data = TracesData(resource_spans=request.resource_spans)
    both = ["first", "second"]
    [resource] = request.resource_spans
    assert kinds(request) == kinds([request]) == kinds(data) == both
    assert kinds(resource) == kinds(request.resource_spans) == both
    assert kinds(resource.scope_spans) == kinds(resource.scope_spans[0].spans) == both
    assert kinds(resource.scope_spans[0].spans[1]) == ["second"]
    with pytest.raises(TypeError, match="not KeyValue"):
        check(KeyValue())


def test_spans_of_every_source_may_be_mixed() -> None:
    """One list with an SDK's span, a protobuf object, JSON and a view."""
    span, other = wrong_spans()
    [view] = views_of(span)
    assert kinds([span, encode_spans([other]), otlp_json([span]), view]) == ["first", "second", "first", "first"]
    assert kinds(iter([span, other])) == ["first", "second"]


def test_values_of_every_type_are_read_from_json() -> None:
    """64-bit integers as texts, numbers as numbers, NaN by name, bytes, lists and maps; what is none of it is None."""
    values = {
        "s": {"stringValue": "a"},
        "b": {"boolValue": False},
        "i": {"intValue": "-9223372036854775808"},
        "j": {"intValue": 3},
        "d": {"doubleValue": 1},
        "n": {"doubleValue": "-Infinity"},
        "y": {"bytesValue": "AAE="},
        "l": {"arrayValue": {"values": [{"doubleValue": 0.5}, {"doubleValue": 1}]}},
        "e": {"arrayValue": {}},
        "m": {"kvlistValue": {"values": [{"key": "k", "value": {"intValue": "1"}}]}},
        "none": {},
        "odd": {"intValue": "1.5"},
    }
    span = {"traceId": "AB", "attributes": [{"key": key, "value": value} for key, value in values.items()]}
    [view] = views_of(span)
    assert view == SpanView(
        "ab",
        "",
        "",
        {
            "s": "a",
            "b": False,
            "i": -(2**63),
            "j": 3,
            "d": 1.0,
            "n": float("-inf"),
            "y": b"\x00\x01",
            "l": (0.5, 1.0),
            "e": (),
            "m": {"k": 1},
            "none": None,
            "odd": None,
        },
    )
    assert isinstance(view.attributes["d"], float)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "it is no JSON"),
        ("[1", "it is no JSON"),
        ("{}\n{", "line 2"),
        ("[" * 100_000, "nested too deep"),
        ('"spans"', "no str stands there"),
        ("[[]]", "no list stands there"),
        ('{"trace_id": "ab", "spans_": []}', "has 'trace_id', 'spans_'"),
        ('{"resourceSpans": {}}', "'resourceSpans' is to be a list there, not dict"),
        ('{"traceId": "ab", "attributes": {"a": 1}}', "'attributes' is to be a list there, not dict"),
        ('{"resourceSpans": [3]}', "no int stands there"),
    ],
)
def test_what_is_no_otlp_json_is_refused(text: str, problem: str) -> None:
    """The error says what OTLP/JSON looks like, or where the file stops being JSON."""
    with pytest.raises(ValueError, match=problem):
        read_otlp_json(text)


def test_captures_are_taken_as_they_are() -> None:
    """What capture_spans() caught is a sequence of the SDK's spans, one that is running still too."""

    @trace_tool
    def search(query: str) -> str:
        return query

    with capture_spans() as spans:
        search("rain")
    assert check(spans) == []
    span = spans.tracer_provider.get_tracer("tests").start_span("a", attributes={"openinference.span.kind": "?"})
    assert kinds(span) == ["?"]


def test_which_spans_are_looked_at_can_be_asked() -> None:
    """A span with a kind or a reserved attribute of its own, and no other."""
    own, context, foreign = (
        next(iter(views_of(sdk_span(attributes))))
        for attributes in ({"input.value": "a"}, {"session.id": "s-1"}, {"http.method": "GET"})
    )
    assert [is_openinference(view) for view in (own, context, foreign)] == [True, False, False]


def test_the_checker_needs_no_sdk() -> None:
    """Checking a file imports neither the SDK, nor protobuf, nor the local store."""
    code = (
        "import sys; from agenttrace.semconv.conformance import check, read_otlp_json; "
        'check(read_otlp_json(\'{"traceId": "ab", "name": "a"}\')); '
        "print([name for name in sys.modules if name.startswith(('opentelemetry.sdk', 'google', 'agenttrace.local'))])"
    )
    finished = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert finished.stdout.strip() == "[]"
