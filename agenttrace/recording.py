"""The one way a span is opened, whatever was marked: `SpanOpener`. What goes on from there is `RunningSpan`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from openinference.semconv.trace import OpenInferenceSpanKindValues, RerankerAttributes, SpanAttributes
from opentelemetry.trace import Link, SpanContext, SpanKind
from opentelemetry.trace import Span as OtelSpan

from . import faults
from .context import CONTEXT_KEYS, attributes_from_context
from .current import SPAN_KEY, SUPPRESS_KEY, Context, attach, get_current
from .provider import find_source
from .running import RunningSpan
from .semconv.masking import current_mask
from .span import Lists, Span, valid_attributes, write_attributes
from .whereabouts import located
from .wrapping.activity import unfinished

if TYPE_CHECKING:
    from .kinds import Describer
    from .semconv.mask import Mask

__all__ = ["SpanOpener", "import_ahead"]

_OUTPUT_VALUE = SpanAttributes.OUTPUT_VALUE
_INTERNAL = SpanKind.INTERNAL


class SpanOpener:
    """Opens the spans of one mark on one function or block.

    Args:
        kind: The OpenInference span kind.
        name: The spans' name.
        options: The mark's options, checked.
        subject: The name of the agent or tool, where it is not ``name``.
    """

    __slots__ = (
        "_links",
        "_static",
        "describer",
        "encode_input",
        "encode_output",
        "kind",
        "name",
        "options",
        "records_output",
        "started_at",
        "subject",
    )

    def __init__(self, kind: str, name: str, options: Mapping[str, Any], subject: str | None = None) -> None:
        self.kind: str = kind
        self.name: str = name
        self.options: Mapping[str, Any] = options
        self.subject: str | None = subject
        given = options.get("attributes") or {}
        self.records_output: bool = options.get("capture_output") is not False and _OUTPUT_VALUE not in given
        """Whether the result is recorded at all."""
        self.encode_input: Callable[[Any], tuple[str, str]]
        self.encode_output: Callable[[Any], tuple[str, str]]
        """What a result is recorded as, and its MIME type."""
        self.describer: Describer | None = None
        """Who says more of the calls than input and output, where their kind has more to say."""
        self.started_at: int | None = None
        """When its spans began, in nanoseconds since 1970, where that isn't when they are opened."""
        self._links = [_as_link(link) for link in options.get("links") or ()]
        self._static: dict[str, Any] | None = None

    def open(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> RunningSpan | None:
        """Open the span of a call with these arguments, entered; None where nothing is recorded."""
        before = get_current()
        try:
            context = located(before)
            source = find_source(context)
            if source is None or context.get(SUPPRESS_KEY):
                return None
            attributes = (self._static or self._prepare()).copy()
            if not CONTEXT_KEYS.isdisjoint(context):
                attributes = {**attributes_from_context(context), **attributes}
            # Attributes are cheapest where the span starts. Unless the sampler may say no: nothing is serialised then.
            certain = source.samples_all and (SPAN_KEY not in context or _is_recording(context))
            mask = current_mask()
            lists = self.add_start_attributes(attributes, context, args, kwargs, mask) if certain else None
            if mask.is_active:
                attributes = mask.attributes(attributes)
            otel_span = source.start_span(self.name, context, _INTERNAL, attributes, self._links, self.started_at)
            try:
                if not certain and otel_span.is_recording():
                    added: dict[str, Any] = {}
                    lists = self.add_start_attributes(added, context, args, kwargs, mask)
                    write_attributes(otel_span, added)
                    attributes.update(added)
                return RunningSpan(self, otel_span, context, before, attributes, lists, mask)
            except RecursionError:
                unfinished.append(otel_span)
                return None
            except BaseException:  # Ctrl-C, while the arguments were read
                otel_span.end()
                raise
        except RecursionError:
            return None  # not even a line can be logged here
        except BaseException as error:
            if get_current() is not before:
                attach(before)
            faults.contain(f"opening the span {self.name}", error)
            return None

    def _prepare(self) -> dict[str, Any]:
        from .capture.text import valid_text

        self.name = valid_text(self.name)
        self.prepare()
        static = self.static_attributes()
        self._static = static
        return static

    def prepare(self) -> None:
        """Get ready for the first span: what takes time, and what need not be imported before."""
        from .capture.encode import encode_value

        self.encode_input = encode_value
        process = self.options.get("process_output")
        self.encode_output = encode_value if process is None else lambda result: encode_value(process(result))

    def static_attributes(self) -> dict[str, Any]:
        """The attributes that all spans of this opener have. Made at the first span, not at import."""
        from .capture.encode import encode_attribute, encode_json, encode_text

        attributes: dict[str, Any] = {SpanAttributes.OPENINFERENCE_SPAN_KIND: self.kind}
        name_attribute = _NAME_ATTRIBUTES.get(self.kind)
        if name_attribute is not None:
            attributes[name_attribute] = encode_text(self.options.get("name") or self.subject or self.name)
        for option, key in {**_OPTION_ATTRIBUTES, **_OPTION_ATTRIBUTES_BY_KIND.get(self.kind, {})}.items():
            value = self.options.get(option)
            if value is not None:
                attributes[key] = encode_json(value) if isinstance(value, Mapping) else encode_attribute(value)
        return {**_inferred(attributes), **attributes, **self.given_attributes()}

    def given_attributes(self) -> dict[str, Any]:
        """The attributes that the user gave the mark."""
        return valid_attributes(self.options.get("attributes") or {})

    def add_start_attributes(
        self, attributes: dict[str, Any], context: Context, args: tuple[Any, ...], kwargs: dict[str, Any], mask: Mask
    ) -> Lists | None:
        """Add to ``attributes`` what is known before the body runs and differs from span to span; never raises.

        Returns:
            Flattened lists that are written when the span ends.
        """
        return None


_NAME_ATTRIBUTES = {
    OpenInferenceSpanKindValues.AGENT.value: SpanAttributes.AGENT_NAME,
    OpenInferenceSpanKindValues.TOOL.value: SpanAttributes.TOOL_NAME,
}
_OPTION_ATTRIBUTES = {
    "description": SpanAttributes.TOOL_DESCRIPTION,
    "parameters": SpanAttributes.TOOL_PARAMETERS,
    "graph_node_id": SpanAttributes.GRAPH_NODE_ID,
    "graph_node_parent_id": SpanAttributes.GRAPH_NODE_PARENT_ID,
}


_OPTION_ATTRIBUTES_BY_KIND: dict[str, dict[str, str]] = {
    OpenInferenceSpanKindValues.LLM.value: {
        "model": SpanAttributes.LLM_MODEL_NAME,
        "provider": SpanAttributes.LLM_PROVIDER,
        "system": SpanAttributes.LLM_SYSTEM,
        "invocation_parameters": SpanAttributes.LLM_INVOCATION_PARAMETERS,
    },
    OpenInferenceSpanKindValues.EMBEDDING.value: {
        "model": SpanAttributes.EMBEDDING_MODEL_NAME,
        "invocation_parameters": SpanAttributes.EMBEDDING_INVOCATION_PARAMETERS,
    },
    OpenInferenceSpanKindValues.RERANKER.value: {
        "model": RerankerAttributes.RERANKER_MODEL_NAME,
        "top_k": RerankerAttributes.RERANKER_TOP_K,
    },
}


def _inferred(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Whose a model is whose name the mark was given."""
    model = attributes.get(SpanAttributes.LLM_MODEL_NAME)
    if model is None:
        return {}
    from .semconv.providers import infer_provider, infer_system

    provider = attributes.get(SpanAttributes.LLM_PROVIDER) or infer_provider(model)
    found = {SpanAttributes.LLM_PROVIDER: provider, SpanAttributes.LLM_SYSTEM: infer_system(model, provider)}
    return {key: value for key, value in found.items() if value is not None}


def import_ahead() -> None:
    """Import what the first traced call would otherwise import while its span runs.

    For the places that set tracing up: a first trace that shows 20 ms of imports as an agent's work misleads.
    """
    from . import details, yielded  # noqa: F401
    from .capture import arguments, encode, errors, tools  # noqa: F401
    from .wrapping import deferred  # noqa: F401


_PACKAGES = ("capture", "kinds", "readers", "semconv", "span", "wrapping")
_MODULES = ("annotations", "details", "openers", "running", "streaming", "yielded")


def import_everything() -> None:
    """Import whatever a mark may import later, and wait for other threads that are importing some of it."""
    from importlib import import_module
    from pkgutil import walk_packages

    for name in _MODULES:
        import_module(f"agenttrace.{name}")
    for name in _PACKAGES:
        package = import_module(f"agenttrace.{name}")
        for found in walk_packages(package.__path__, f"{package.__name__}."):
            if ".conformance" not in found.name:  # which checks traces, and makes none
                import_module(found.name)


def _is_recording(context: Context) -> bool:
    parent = context[SPAN_KEY]
    return isinstance(parent, OtelSpan) and parent.is_recording()


def _as_link(link: Link | SpanContext | Span) -> Link:
    if isinstance(link, Link):
        return link
    return Link(link.otel_span.get_span_context() if isinstance(link, Span) else link)
