"""MCP: one tree over client and server, through what the Model Context Protocol's Python library documents.

The client's calls are TOOL spans, and say in the metadata of their request (``_meta``) whose calls they are; a server's
middleware makes that the context in which its handlers run. Marks on the server's functions are then children of the
client's call, with its session and user.

Example:
    >>> async with traced_client("http://localhost:8000/mcp") as client:
    ...     await client.call_tool("get_weather", {"city": "Oslo"})

    >>> server = MCPServer("weather")
    >>> server.middleware.insert(0, server_middleware())
"""

# mypy: disallow-subclassing-any=False
# Where the project's types are checked, MCP isn't installed.

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from dataclasses import replace
from secrets import token_hex
from typing import Any, overload

from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.trace import StatusCode, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from .. import faults
from ..current import SUPPRESS_KEY, Context, attach, detach, get_current, is_suppressed
from ..span import NO_SPAN, Span
from ..tracing import trace_tool
from .hook_spans import HookSpans
from .needs import needs

with needs("mcp>=2.0.0", extra="mcp"):
    from mcp import Client, StdioServerParameters
    from mcp.server import MCPServer, Server
    from mcp.server.context import CallNext, HandlerResult, ServerMiddleware, ServerRequestContext

__all__ = ["request_meta", "server_middleware", "traced_client"]

# MCP names the forms of W3C for its metadata, whatever propagator the program has chosen for its other services.
_PROPAGATOR = CompositePropagator([TraceContextTextMapPropagator(), W3CBaggagePropagator()])
_PARENT = "traceparent"
_OWN_PARENT = "agenttrace/traceparent"
"""The library writes its own span into ``traceparent``, one of those that aren't an agent's and are sent to nobody
who looks at agents, so that the server's spans would be orphans there. What it doesn't know it leaves alone."""

_spans = HookSpans("MCP")


def request_meta() -> dict[str, Any]:
    """What a request's metadata is to say for the server's spans to be children of the current one.

    For requests that `traced_client` doesn't make: hand it to a session's method, or to a framework's option for it.

    Returns:
        ``traceparent``, ``tracestate`` and ``baggage`` as MCP reserves them, the last with session and user where a
        block says ``propagate=True``, and ``agenttrace/traceparent``, which other libraries leave as it is. Nothing
        where there is no span; within ``suppress_tracing()``, that the server shall record nothing either.

    Example:
        >>> with trace_tool("get_weather", input={"city": "Oslo"}) as span:
        ...     result = await session.call_tool("get_weather", {"city": "Oslo"}, meta=request_meta())
        ...     span.set_output(result)
    """
    meta: dict[str, Any] = {}
    try:
        context = get_current()
        if is_suppressed(context):
            return {_OWN_PARENT: f"00-{token_hex(16)}-{token_hex(8)}-00"}
        _PROPAGATOR.inject(meta, context)
        if _PARENT in meta:
            meta[_OWN_PARENT] = meta[_PARENT]
    except BaseException as error:  # the program may have put any object into its baggage
        faults.contain("writing the context into a request of MCP", error)
    return meta


@overload
def server_middleware() -> ServerMiddleware[Any]: ...


@overload
def server_middleware(
    ctx: ServerRequestContext[Any, Any], call_next: CallNext
) -> Coroutine[Any, Any, HandlerResult]: ...


def server_middleware(*request: Any, **named: Any) -> Any:
    """A middleware that has a server's handlers run in the context of the client's call.

    It belongs first, so that the span that the library makes of each request has the right parent, too. In a server
    that strangers reach, they can say in whose trace and session they are, as they can with any headers.

    Returns:
        The middleware, for an ``MCPServer`` or a low-level ``Server``. It reads what `request_meta` and MCP's own
        client write, and leaves requests that say nothing as they are. Given to a server without the parentheses, it
        does the same.

    Example:
        >>> server = MCPServer("weather")
        >>> server.middleware.insert(0, server_middleware())
    """
    return _in_callers_context(*request, **named) if request or named else _in_callers_context


def traced_client(server: Any, **options: Any) -> Client:
    """MCP's ``Client``, whose ``call_tool`` is recorded and takes the context along to the server.

    A TOOL span has the arguments, the result, and the tool's description and parameters where the client has listed its
    tools before; nothing more is asked of the server. A result that says it is an error makes the span one.

    Args:
        server: As ``Client`` takes it: a URL, a command, a transport, a server in this process.
        **options: Further arguments of ``Client``.

    Returns:
        The client, of a subclass of ``Client``, and used as that.

    Raises:
        TypeError: If ``server`` is nothing that a client can connect to, such as another client.

    Example:
        >>> async with traced_client("http://localhost:8000/mcp") as client:
        ...     await client.list_tools()
        ...     result = await client.call_tool("get_weather", {"city": "Oslo"})
    """
    _refuse_what_is_no_server(server)
    return _TracedClient(server, **options)


def _refuse_what_is_no_server(given: Any) -> None:
    if isinstance(given, Client):
        raise TypeError("traced_client() makes the client: write traced_client(…) with what this Client was given")
    is_transport = all(hasattr(type(given), method) for method in ("__aenter__", "__aexit__"))
    if not is_transport and not isinstance(given, (str, StdioServerParameters, Server, MCPServer)):
        what = f"the class {given.__name__}" if isinstance(given, type) else type(given).__name__
        raise TypeError(
            "traced_client() takes what mcp.Client takes: a URL, StdioServerParameters(…), a transport, or a server in "
            f"this process; not {what}"
        )


class _TracedClient(Client):
    """The client, which remembers how the tools that it has listed are described."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._described: dict[str, dict[str, Any]] = {}

    async def list_tools(self, *args: Any, **options: Any) -> Any:
        listed = await super().list_tools(*args, **options)
        try:
            for tool in listed.tools:
                self._described[tool.name] = {"description": tool.description, "parameters": tool.input_schema}
        except BaseException as error:
            faults.contain("reading the tools of an MCP server", error)
        return listed

    async def call_tool(self, name: str, arguments: dict[str, Any] | None = None, *args: Any, **options: Any) -> Any:
        key = object()
        _spans.start(key, trace_tool, name, input=arguments or {}, **self._described.get(name, {}))
        try:
            with _spans.inside(key) as span:
                meta: Any = {**request_meta(), **(options.pop("meta", None) or {})}
                result = await super().call_tool(name, arguments, *args, meta=meta or None, **options)
                _say_if_failed(span, result)
        except BaseException as error:
            _spans.fail(key, error)
            raise
        _spans.finish(key, _answer_of(result))
        return result


async def _in_callers_context(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    parent = _parent_in(ctx.meta)
    context = None if parent is None else _context_of(parent, ctx.meta)
    if context is None:
        return await call_next(ctx)
    previous = get_current()
    token = attach(context)
    try:
        meta: Any = {**(ctx.meta or {}), _PARENT: parent}
        return await call_next(replace(ctx, meta=meta))
    finally:
        detach(token, context, previous)


def _parent_in(meta: Mapping[str, Any] | None) -> str | None:
    parent = None if not meta else meta.get(_OWN_PARENT, meta.get(_PARENT))
    return parent if isinstance(parent, str) else None


def _context_of(parent: str, meta: Mapping[str, Any] | None) -> Context | None:
    """The current context with the caller's span, session and user in it; None where ``parent`` names no span."""
    try:
        said = {key: value for key, value in (meta or {}).items() if isinstance(value, str)}
        context = _PROPAGATOR.extract({**said, _PARENT: parent}, get_current())
        caller = get_current_span(context).get_span_context()
        if not caller.is_remote:
            return None
        # Said by `request_meta`: a sampler that heeds no parent would record what is to be recorded nowhere.
        is_left_out = _OWN_PARENT in said and not caller.trace_flags.sampled
        return Context({**context, SUPPRESS_KEY: True}) if is_left_out else Context(context)
    except BaseException as error:
        faults.contain("reading the context of a request of MCP", error)
        return None


def _answer_of(result: Any) -> Any:
    """What a tool answered: its text where that is all, else its blocks."""
    try:
        blocks = result.content
        if all(block.type == "text" for block in blocks):
            return "\n".join(block.text for block in blocks)
        return [block.model_dump(mode="json", exclude_none=True) for block in blocks]
    except BaseException as error:
        faults.contain("reading the result of an MCP tool", error)
        return None


def _say_if_failed(span: Span, result: Any) -> None:
    try:
        if span is not NO_SPAN and result.is_error:
            span.set_status(StatusCode.ERROR, str(_answer_of(result)))
    except BaseException as error:
        faults.contain("reading whether an MCP tool failed", error)
