"""agenttrace: mark what a function is, and every run is on record as OpenInference spans over OpenTelemetry.

Example:
    >>> from agenttrace import register, trace_agent, trace_tool
    >>> register()
    >>> @trace_tool
    ... def get_weather(city: str) -> str:
    ...     return f"sunny in {city}"
    >>> @trace_agent
    ... def assistant(question: str) -> str:
    ...     return get_weather("Oslo")
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .annotations import annotate
from .context import (
    suppress_tracing,
    using_attributes,
    using_metadata,
    using_prompt_template,
    using_session,
    using_tags,
    using_user,
)
from .span import Span, current_span
from .threads import ThreadPoolExecutor, keep_context
from .tracing import (
    trace_agent,
    trace_chain,
    trace_embedding,
    trace_evaluator,
    trace_guardrail,
    trace_llm,
    trace_prompt,
    trace_reranker,
    trace_retriever,
    trace_step,
    trace_tool,
)
from .version import __version__

if TYPE_CHECKING:
    from .delivery.flush_report import FlushReport
    from .diagnosis import auth_check
    from .processes import ProcessPoolExecutor
    from .readers import register_reader
    from .registration import flush, register, shutdown
    from .semconv.privacy import TraceConfig
else:
    # The SDK and the exporters come with the first three, and all of them only to programs that use them.
    _HOMES = {
        "FlushReport": "delivery.flush_report",
        "auth_check": "diagnosis",
        **dict.fromkeys(("flush", "register", "shutdown"), "registration"),
        "ProcessPoolExecutor": "processes",  # and `multiprocessing`
        "TraceConfig": "semconv.privacy",
        "register_reader": "readers",
    }

    def __getattr__(name):
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        return getattr(import_module(f".{_HOMES[name]}", __name__), name)

    def __dir__():
        return __all__


__all__ = [
    "FlushReport",
    "ProcessPoolExecutor",
    "Span",
    "ThreadPoolExecutor",
    "TraceConfig",
    "__version__",
    "annotate",
    "auth_check",
    "current_span",
    "flush",
    "keep_context",
    "register",
    "register_reader",
    "shutdown",
    "suppress_tracing",
    "trace_agent",
    "trace_chain",
    "trace_embedding",
    "trace_evaluator",
    "trace_guardrail",
    "trace_llm",
    "trace_prompt",
    "trace_reranker",
    "trace_retriever",
    "trace_step",
    "trace_tool",
    "using_attributes",
    "using_metadata",
    "using_prompt_template",
    "using_session",
    "using_tags",
    "using_user",
]
