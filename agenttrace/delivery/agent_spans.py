"""Which spans are an agent's, told by what they carry or by who made them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openinference.semconv.trace import SpanAttributes

from agenttrace.provider import SCOPE_NAME

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

__all__ = ["is_agent_span", "is_agents_scope"]

_NAMES = (SpanAttributes.OPENINFERENCE_SPAN_KIND, "gen_ai.")
# Scopes all of whose spans belong to an agent's run. They have to be known by name: OpenInference's instrumentors and
# OpenTelemetry's GenAI utilities describe a span when it ends, long after its children have been sent, and the root
# span of Google's Agent Development Kit carries no attribute that would tell.
_SCOPES = frozenset({SCOPE_NAME, "gcp.vertex.agent", "openinference.instrumentation", "opentelemetry.util.genai"})
_SCOPE_PREFIXES = ("openinference.instrumentation.", "opentelemetry.util.genai.")


def is_agent_span(span: ReadableSpan) -> bool:
    """Whether ``span``, which may be open still, says by its scope or its attributes that it is an agent's.

    Args:
        span: The span. Iterating an open span's attributes takes a lock of the SDK's for a moment.
    """
    if is_agents_scope(span):
        return True
    # One walk over the names: to ask for one that isn't there takes longer, in the SDK's mapping, than to see them all.
    for name in span.attributes or ():  # noqa: SIM110 - a generator would cost as much again
        if name.startswith(_NAMES):
            return True
    return False


def is_agents_scope(span: ReadableSpan) -> bool:
    """Whether all spans of the instrumentation scope that made ``span`` are an agent's."""
    scope = span.instrumentation_scope
    return scope is not None and (scope.name in _SCOPES or scope.name.startswith(_SCOPE_PREFIXES))
