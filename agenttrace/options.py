"""The options that marks take, and what is said at once about a wrong one."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from opentelemetry.trace import Link, SpanContext
from typing_extensions import TypedDict

from .semconv.privacy import TraceConfig
from .span import Span

__all__ = ["MarkOptions", "ModelMarkOptions", "ToolMarkOptions", "check_names", "checked_options"]


class MarkOptions(TypedDict, total=False):
    """What every mark takes."""

    name: str
    """The span's name. Default: the function's name, with its class's in front for a method."""
    attributes: Mapping[str, Any]
    """Attributes that every span of the mark has."""
    capture_input: bool
    """Whether the arguments are recorded. Default: True."""
    capture_output: bool
    """Whether the result is recorded. Default: True."""
    exclude_args: Collection[str]
    """Names of parameters whose arguments are left out of the input."""
    process_input: Callable[[dict[str, Any]], Any]
    """Takes the bound arguments by name and returns what is recorded as input in their place."""
    process_output: Callable[[Any], Any]
    """Takes the result and returns what is recorded as output in its place."""
    reduce: Callable[[list[Any]], Any]
    """For generators: takes the list of all items that were yielded and returns the output. Default: strings are
    joined, anything else is recorded as a list. Keeps the items in memory until the generator ends."""
    links: Sequence[Link | SpanContext | Span]
    """Other spans that this one has to do with."""
    graph_node_id: str
    """The node of the agent's graph that this is (OpenInference ``graph.node.id``)."""
    graph_node_parent_id: str
    """The node that comes before it (OpenInference ``graph.node.parent_id``)."""
    method: str
    """On a class only: the name of the method to trace. Default: ``__call__``."""
    input: Any
    """As a ``with`` block only: recorded as the span's input."""
    metadata: Mapping[str, Any]
    """As a ``with`` block only: see `Span.set_metadata`."""
    tags: Sequence[str]
    """As a ``with`` block only: see `Span.set_tags`."""


class ToolMarkOptions(MarkOptions, total=False):
    """What `trace_tool` takes besides."""

    description: str
    """What the tool does (OpenInference ``tool.description``). Default: the function's docstring."""
    parameters: Mapping[str, Any]
    """The tool's parameters as a JSON Schema object (OpenInference ``tool.parameters``). Default: read from the
    function's signature."""


class ModelMarkOptions(MarkOptions, total=False):
    """What `trace_llm`, `trace_embedding` and `trace_reranker` take besides, as far as their kind has it."""

    model: str
    """The model's name, where it is known beforehand (``llm.model_name``, ``embedding.model_name``,
    ``reranker.model_name``). What the arguments or the response say of it wins."""
    provider: str
    """On `trace_llm`: who runs the model (``llm.provider``). Default: inferred where the name or a client tells."""
    system: str
    """On `trace_llm`: whose product it is (``llm.system``). Default: inferred from a well-known model's name."""
    invocation_parameters: Mapping[str, Any]
    """On `trace_llm` and `trace_embedding`: what the model is called with besides (``llm.invocation_parameters``)."""
    top_k: int
    """On `trace_reranker`: how many documents are asked for (``reranker.top_k``)."""


BLOCK_ONLY = ("input", "metadata", "tags")
"""Options that say something about one span, and so only about a ``with`` block."""


def checked_options(mark: str, options: Mapping[str, Any], known: frozenset[str]) -> dict[str, Any]:
    """``options`` as they are now, whatever the program does afterwards to the lists and mappings in them.

    Args:
        mark: The mark's name, for the message.
        options: The options as they were given.
        known: The names of those that the mark takes.

    Raises:
        TypeError: If there is an unknown one, or a value of a wrong type.
    """
    for option, value in options.items():
        if option not in known:
            advice = f"it takes {', '.join(sorted(known))}{_nearest(option, known)}"
            raise TypeError(f"{mark}() has no option {option!r}; {advice}")
        check = _CHECKS.get(option)
        if check is not None and value is not None and not check[0](value):
            raise TypeError(f"{mark}({option}=…) takes {check[1]}, not {type(value).__name__}")
    return {option: _COPIES.get(option, _itself)(value) for option, value in options.items()}


def _nearest(option: str, known: frozenset[str]) -> str:
    if option in TraceConfig.__dataclass_fields__:
        return f". {option} is for all spans: write register(config=TraceConfig({option}=…))"
    from difflib import get_close_matches  # here, since only a mistake needs it

    near = get_close_matches(option, known, n=1)
    return f". Did you mean {near[0]}?" if near else ""


def check_names(mark: str, names: Collection[str], function: Callable[..., Any]) -> None:
    """See that ``exclude_args`` leaves out what it is meant to: a misspelt name would be recorded after all.

    Args:
        mark: The mark's name, for the message.
        names: The names of parameters.
        function: The function that should have them. One that takes any keyword, or can't be read, may have any.

    Raises:
        TypeError: If ``function`` has no parameter of such a name.
    """
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return
    if any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters.values()):
        return
    for name in names:
        if name not in parameters:
            known = ", ".join(parameters) or "none"
            raise TypeError(f"{mark}(exclude_args=…): there is no parameter {name!r}; there are: {known}")


def _is_names(value: object) -> bool:
    # A generator would be used up by this very check, and then exclude nothing.
    return isinstance(value, Collection) and not isinstance(value, str) and all(isinstance(name, str) for name in value)


def _is_links(value: object) -> bool:
    return isinstance(value, Sequence) and all(isinstance(link, (Link, SpanContext, Span)) for link in value)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_mapping(value: object) -> bool:
    return isinstance(value, Mapping)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_TEXT = (_is_text, "a string")
_FLAG = (_is_flag, "True or False")
_MAPPING = (_is_mapping, 'a mapping such as {"key": "value"}')
_CALLABLE = (callable, "a function")
_CHECKS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "name": _TEXT,
    "attributes": _MAPPING,
    "capture_input": _FLAG,
    "capture_output": _FLAG,
    "exclude_args": (_is_names, 'a list of parameter names such as ["password"]'),
    "process_input": _CALLABLE,
    "process_output": _CALLABLE,
    "reduce": _CALLABLE,
    "links": (_is_links, "a list of OpenTelemetry links, span contexts or spans"),
    "graph_node_id": _TEXT,
    "graph_node_parent_id": _TEXT,
    "method": _TEXT,
    "metadata": _MAPPING,
    "tags": (_is_names, 'a list of strings such as ["nightly"]'),
    "model": _TEXT,
    "provider": _TEXT,
    "system": _TEXT,
    "invocation_parameters": _MAPPING,
    "top_k": (_is_count, "a whole number"),
    "description": _TEXT,
    "parameters": _MAPPING,
}


def _itself(value: Any) -> Any:
    return value


def _copied(value: Any) -> Any:
    if value is None:
        return None
    return dict(value) if isinstance(value, Mapping) else list(value)


_COPIES = dict.fromkeys(
    ("attributes", "exclude_args", "invocation_parameters", "links", "metadata", "parameters", "tags"), _copied
)
