"""The marks: what a function *is*, said once, in front of it.

Each mark is one object that serves in every form: ``@mark``, ``@mark(name=…)``, ``mark(function)``,
``with mark("name") as span`` and ``async with mark("name") as span``. They differ in the OpenInference span kind alone,
and a tool's in what it says about its parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from types import FunctionType, MappingProxyType, TracebackType
from typing import Any, TypeVar, overload
from weakref import WeakKeyDictionary

from openinference.semconv.trace import OpenInferenceSpanKindValues as Kind
from typing_extensions import ParamSpec, Self, Unpack

from .current import HANDLE_KEY, Context, get_current
from .openers import BlockOpener, CallOpener, DescribedCallOpener, ToolCallOpener
from .options import BLOCK_ONLY, MarkOptions, ModelMarkOptions, ToolMarkOptions, check_names, checked_options
from .running import RunningSpan
from .span import NO_SPAN, Span
from .wrapping import Activity, wrap_callable
from .wrapping.callables import underlying_function
from .wrapping.targets import DESCRIPTORS, span_name, wrap_target

__all__ = [
    "Mark",
    "ModelMark",
    "ToolMark",
    "kind_of",
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
]

P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C", bound=type)
# What stands between a function and its class: each is given back as the same thing around a traced function.
D = TypeVar("D", bound="classmethod[Any, Any, Any] | staticmethod[Any, Any] | property | cached_property[Any]")


class Mark:
    """Marks functions, classes and blocks as one OpenInference span kind.

    One object serves as ``@mark``, ``@mark(...)``, ``mark(function)``, ``with mark("name") as span`` and
    ``async with mark("name") as span``, on functions, coroutines, generators, async generators, methods, classmethods,
    staticmethods, properties, classes, partials and whatever else can be called. Calling it with options gives another
    mark with those options added. A mark is re-entrant and may be used from many threads and tasks at once.

    Options, all of them by keyword (`agenttrace.options.MarkOptions` says more of each):

    - ``name``: the span's name; default: the function's, with its class's in front for a method.
    - ``attributes``: attributes that every span of the mark has.
    - ``capture_input``, ``capture_output``: False records no arguments, no result.
    - ``exclude_args``: names of parameters that are left out of the input.
    - ``process_input``: takes the bound arguments by name, returns what is recorded in their place.
    - ``process_output``: takes the result, returns what is recorded in its place.
    - ``reduce``: for generators: takes the list of all items, returns the output.
    - ``links``: other spans that this one has to do with.
    - ``graph_node_id``, ``graph_node_parent_id``: the node of the agent's graph, and the one before it.
    - ``method``: on a class: the method to trace; default: ``__call__``.
    - ``input``, ``metadata``, ``tags``: for a ``with`` block only: what is known of this one span.
    - ``description``, ``parameters``: for tools only: what it does, and its parameters as JSON Schema; default: read
      from the docstring and the signature.
    - ``model``, ``provider``, ``system``, ``invocation_parameters``, ``top_k``: for model calls, embeddings and
      rerankers, each where its kind has it: what is known of the model beforehand.

    Args:
        kind: The OpenInference span kind of the spans.
        label: The mark's own name, for messages, and the name of blocks that are given none.
        options: The options it starts with.

    Example:
        >>> @trace_tool(exclude_args=["api_key"])
        ... def search(query: str, api_key: str) -> list[str]: ...
        >>> @trace_agent
        ... async def plan(question: str) -> str:
        ...     with trace_step("choose a tool", input=question) as step:
        ...         step.set_output("search")
    """

    _opener_type = CallOpener
    _known_options: frozenset[str] = frozenset(MarkOptions.__annotations__)

    def __init__(self, kind: Kind, label: str, options: Mapping[str, Any] | None = None) -> None:
        self._kind = kind
        self._label = label
        self._options = dict(options or {})
        self._block: BlockOpener | None = None
        # The spans of `with` blocks that are open on this very object, in the order of their opening.
        self._open_blocks: list[_OpenBlock] = []

    @property
    def kind(self) -> str:
        """The OpenInference span kind of its spans, such as ``"TOOL"``."""
        return self._kind.value

    @property
    def options(self) -> Mapping[str, Any]:
        """The options it has been given so far."""
        return MappingProxyType(self._options)

    @overload
    def __call__(self, target: C, /, **options: Unpack[MarkOptions]) -> C: ...
    @overload
    def __call__(  # type: ignore[overload-overlap]  # a staticmethod can be called, and stays one
        self, target: D, /, **options: Unpack[MarkOptions]
    ) -> D: ...
    @overload
    def __call__(self, target: Callable[P, R], /, **options: Unpack[MarkOptions]) -> Callable[P, R]: ...
    @overload
    def __call__(self, target: str | None = None, /, **options: Unpack[MarkOptions]) -> Self: ...

    def __call__(self, target: Any = None, /, **options: Any) -> Any:
        """Mark ``target``, or give a mark with these options.

        Args:
            target: A function of any kind, a class, a classmethod, staticmethod or property: returned traced. A string:
                the name, for a ``with`` block or a decorator. Nothing: options for a decorator.
            **options: See `MarkOptions`.

        Returns:
            What ``target`` is, traced; without a target a mark with the options.

        Raises:
            TypeError: If ``target`` can't be traced, or an option is unknown or of a wrong type.
        """
        mark = self._with_options(target, options)
        if target is None or isinstance(target, str):
            return mark
        return mark._applied_to(target)

    def __enter__(self) -> Span:
        if self._block is None:
            name = self._options.get("name") or _SPAN_NAMES.get(self._kind) or self._label.removeprefix("trace_")
            self._block = BlockOpener(self._kind.value, name, self._options)
        running = self._block.open((), {})
        # What is current inside the block tells at its end which of several it is.
        self._open_blocks.append(_OpenBlock(get_current(), running))
        return NO_SPAN if running is None else running.handle()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        running = self._take_open_block()
        if running is None:
            return
        if error is None:
            running.exhausted(None)
        else:
            running.raised(error)

    async def __aenter__(self) -> Span:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, traceback)

    def __repr__(self) -> str:
        return f"<{self._label}>"

    def _with_options(self, target: Any, options: Mapping[str, Any]) -> Self:
        merged = {**self._options, **checked_options(self._label, options, self._known_options)}
        if isinstance(target, str):
            if "name" in options:
                raise TypeError(f"{self._label}({target!r}, name=…) gives two names: leave one out")
            merged["name"] = target
        elif target is not None and not callable(target) and not isinstance(target, DESCRIPTORS):
            raise TypeError(
                f"{self._label}() marks a function or class, or takes a name: "
                f"{type(target).__name__} is neither. Write @{self._label}, @{self._label}(name=…) "
                f'or `with {self._label}("name"):`; below another decorator where that makes an object of the function'
            )
        return self._with(merged)

    def _with(self, options: Mapping[str, Any]) -> Self:
        return type(self)(self._kind, self._label, options)

    def _applied_to(self, target: Any) -> Any:
        for option in BLOCK_ONLY:
            if option in self._options:
                raise TypeError(
                    f"{self._label}({option}=…) is for a `with` block; a function's {option} "
                    "is set in each call: current_span().set_" + f"{option}(…)"
                )
        return wrap_target(target, self._traced, self._label, self._options.get("method"))

    def _traced(self, function: Callable[..., Any], drop_first: bool | None, owner: type | None) -> Callable[..., Any]:
        name = self._options.get("name") or _SPAN_NAMES.get(self._kind) or span_name(function, owner)
        excluded = self._options.get("exclude_args")
        if excluded:
            check_names(self._label, excluded, function)
        opener = self._opener_type(self._kind.value, name, self._options, function, drop_first, owner)
        open_call: Callable[[tuple[Any, ...], dict[str, Any]], Activity | None] = opener.open
        wrapped = wrap_callable(function, open_call)
        _marked[wrapped] = self.kind
        return wrapped

    def _take_open_block(self) -> RunningSpan | None:
        """The span of the block that ends here, of several that may be open on this object at once."""
        blocks = self._open_blocks
        context = get_current()
        # Other threads enter and leave meanwhile, so even the only block there is must prove to be the one. A walk from
        # the end may see a block twice when one before it is removed, but misses none.
        for block in reversed(blocks):
            if block.context is context:
                blocks.remove(block)
                return block.running
        # Where the body left more in the context than it found, the current span still tells.
        innermost = context.get(HANDLE_KEY)
        for block in reversed(blocks):
            if block.running is not None and block.running is innermost:
                blocks.remove(block)
                return block.running
        return blocks.pop().running if blocks else None


# By whoever wants to know whether a function has a span of its own already.
_marked: WeakKeyDictionary[Callable[..., Any], str] = WeakKeyDictionary()


def kind_of(function: object) -> str | None:
    """The OpenInference span kind that ``function`` was marked as; None where no mark is on it.

    Args:
        function: Any callable. A mark below other decorators is found where these tell what they are around.

    Example:
        >>> kind_of(trace_tool(search))
        'TOOL'
    """
    while callable(function):
        function = underlying_function(function)
        if isinstance(function, FunctionType) and function in _marked:
            return _marked[function]
        function = getattr(function, "__wrapped__", None)
    return None


class _OpenBlock:
    """A block that is open: the context that is current inside, and its span, if it has one.

    Two of them are never compared but by identity: a context may hold objects that can't be compared.
    """

    __slots__ = ("context", "running")

    def __init__(self, context: Context, running: RunningSpan | None) -> None:
        self.context = context
        self.running = running


class ToolMark(Mark):
    """The mark of tools, which says besides what the tool does and what it takes."""

    _opener_type = ToolCallOpener
    _known_options = frozenset(MarkOptions.__annotations__) | frozenset(ToolMarkOptions.__annotations__)

    @overload
    def __call__(self, target: C, /, **options: Unpack[ToolMarkOptions]) -> C: ...
    @overload
    def __call__(  # type: ignore[overload-overlap]  # a staticmethod can be called, and stays one
        self, target: D, /, **options: Unpack[ToolMarkOptions]
    ) -> D: ...
    @overload
    def __call__(self, target: Callable[P, R], /, **options: Unpack[ToolMarkOptions]) -> Callable[P, R]: ...
    @overload
    def __call__(self, target: str | None = None, /, **options: Unpack[ToolMarkOptions]) -> Self: ...

    def __call__(self, target: Any = None, /, **options: Any) -> Any:
        """Mark ``target`` as a tool, or give a mark with these options; see `Mark` and `ToolMarkOptions`."""
        return super().__call__(target, **options)


class ModelMark(Mark):
    """The mark of what calls a model or searches, which says besides what went in, what came out and what that took.

    Args:
        kind: See `Mark`.
        label: See `Mark`.
        options: See `Mark`.
        known: The names of the options that it takes beside those that all marks take.
    """

    _opener_type = DescribedCallOpener

    def __init__(
        self, kind: Kind, label: str, options: Mapping[str, Any] | None = None, known: Iterable[str] = ()
    ) -> None:
        super().__init__(kind, label, options)
        self._own_options = frozenset(known)
        self._known_options = frozenset(MarkOptions.__annotations__) | self._own_options

    @overload
    def __call__(self, target: C, /, **options: Unpack[ModelMarkOptions]) -> C: ...
    @overload
    def __call__(  # type: ignore[overload-overlap]  # a staticmethod can be called, and stays one
        self, target: D, /, **options: Unpack[ModelMarkOptions]
    ) -> D: ...
    @overload
    def __call__(self, target: Callable[P, R], /, **options: Unpack[ModelMarkOptions]) -> Callable[P, R]: ...
    @overload
    def __call__(self, target: str | None = None, /, **options: Unpack[ModelMarkOptions]) -> Self: ...

    def __call__(self, target: Any = None, /, **options: Any) -> Any:
        """Mark ``target``, or give a mark with these options; see `Mark` and `ModelMarkOptions`."""
        return super().__call__(target, **options)

    def _with(self, options: Mapping[str, Any]) -> Self:
        return type(self)(self._kind, self._label, options, self._own_options)


# OpenInference's name for every call of an embedding model.
_SPAN_NAMES = {Kind.EMBEDDING: "CreateEmbeddings"}

trace_agent: Mark = Mark(Kind.AGENT, "trace_agent")
"""An agent: what plans, calls tools and models, and answers (OpenInference AGENT).

Use it as ``@trace_agent``, ``@trace_agent(name="planner")`` or ``with trace_agent("planner", input=question) as span``;
`Mark` lists the options.
"""

trace_tool: ToolMark = ToolMark(Kind.TOOL, "trace_tool")
"""A tool that an agent or model calls (OpenInference TOOL), recorded with its name, description and JSON Schema.

Use it as ``@trace_tool``, ``@trace_tool(exclude_args=["api_key"])`` or ``with trace_tool("search") as span``; `Mark`
lists the options.
"""

trace_llm: ModelMark = ModelMark(Kind.LLM, "trace_llm", known=("model", "provider", "system", "invocation_parameters"))
"""A call of a language model (OpenInference LLM): messages, tools, model, tokens and cost are read from its arguments
and from what it returns, be it a response or a stream of any provider's client that `agenttrace.readers` knows.

Use it as ``@trace_llm``, ``@trace_llm(model="gpt-4o")`` or ``with trace_llm("answer", model="gpt-4o") as span``; `Mark`
lists the options.
"""

trace_chain: Mark = Mark(Kind.CHAIN, "trace_chain")
"""A sequence of calls, or the glue between them (OpenInference CHAIN)."""

trace_step: Mark = Mark(Kind.CHAIN, "trace_step")
"""A step of an agent's work: `trace_chain` by the name that agents' authors use (OpenInference CHAIN).

Use it as ``with trace_step("choose a tool", input=question) as step`` or ``@trace_step``; `Mark` lists the options.
"""

trace_retriever: ModelMark = ModelMark(Kind.RETRIEVER, "trace_retriever")
"""A search for documents (OpenInference RETRIEVER); those that it returns are recorded as such."""

trace_reranker: ModelMark = ModelMark(Kind.RERANKER, "trace_reranker", known=("model", "top_k"))
"""A reordering of documents (OpenInference RERANKER): query, documents before and after, and scores are recorded."""

trace_embedding: ModelMark = ModelMark(Kind.EMBEDDING, "trace_embedding", known=("model", "invocation_parameters"))
"""A call of an embedding model (OpenInference EMBEDDING): texts and vectors are recorded.

Its spans are named ``CreateEmbeddings``, as the specification asks, unless the mark is given a name.
"""

trace_guardrail: Mark = Mark(Kind.GUARDRAIL, "trace_guardrail")
"""A check that lets something through or not (OpenInference GUARDRAIL)."""

trace_evaluator: Mark = Mark(Kind.EVALUATOR, "trace_evaluator")
"""A judgement of another call's result (OpenInference EVALUATOR)."""

trace_prompt: Mark = Mark(Kind.PROMPT, "trace_prompt")
"""The making of a prompt from a template (OpenInference PROMPT)."""
