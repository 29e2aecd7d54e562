"""MCP: a client and its server leave one tree, over standard input and output, over HTTP, and in one process."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import textwrap
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, MCPError, StdioServerParameters, stdio_client
from mcp.server import MCPServer
from mcp.types import CallToolResult

from agenttrace import suppress_tracing, trace_agent, trace_step, trace_tool, using_session
from agenttrace.integrations.mcp import request_meta, server_middleware, traced_client
from agenttrace.testing import capture_spans

from .example_runs import EXAMPLES, environment_of, only_trace, outline, run_example, values

ANSWER = "It is 14.5 °C warmer in Lima than in Oslo."
READ = ["  TOOL get_temperature", "    TOOL get_temperature", "      RETRIEVER find_readings"]
TREE = [
    "AGENT assistant",
    "  LLM complete",
    *READ,
    *READ,
    "  LLM complete",
    *["  TOOL subtract", "    TOOL subtract"],
    "  LLM complete",
]


def make_server() -> MCPServer:
    """A server with a tool for each way that one can end."""
    server = MCPServer("test", log_level="CRITICAL")
    server.middleware.insert(0, server_middleware())

    @server.tool()
    @trace_tool
    def double(number: int) -> int:
        """Twice as much."""
        return 2 * number

    @server.tool()
    @trace_tool
    def fail(reason: str) -> str:
        raise ValueError(reason)

    @server.tool()
    @trace_tool
    def refuse() -> str:
        raise MCPError(code=-32000, message="closed on Sundays")

    return server


def run(body: Coroutine[Any, Any, Any]) -> Any:
    """Run ``body`` in a loop of its own."""
    return asyncio.run(body)


def test_client_and_server_leave_one_tree(tmp_path: Path) -> None:
    """The server's spans, from another process, are children of the client's calls, with its session and user."""
    assert run_example("mcp_client", tmp_path) == f"{ANSWER}\n"
    spans = only_trace(tmp_path)
    assert outline(spans) == TREE
    assert {(span.attributes["session.id"], span.attributes["user.id"]) for span in spans} == {("mcp-1", "ada")}


def test_a_call_is_recorded_with_what_the_server_says_of_the_tool(tmp_path: Path) -> None:
    """Name, description, parameters, arguments and result stand on the client's span."""
    run_example("mcp_client", tmp_path)
    spans = only_trace(tmp_path)
    [agent] = [span for span in spans if span.kind == "AGENT"]
    [call] = [span for span in spans if span.name == "subtract" and span.parent_id == agent.span_id]
    assert call.attributes["tool.name"] == "subtract"
    assert call.attributes["tool.description"] == "How much is left of one number when another is taken away."
    assert json.loads(call.attributes["tool.parameters"])["required"] == ["minuend", "subtrahend"]
    assert json.loads(call.attributes["input.value"]) == {"minuend": 19.0, "subtrahend": 4.5}
    assert call.attributes["output.value"] == "14.5"
    assert values(spans, "complete", "llm.token_count.total") == [14, 16, 23]


AGENTS_SDK = """
    import asyncio, os, sys
    from agents import Agent, Runner, set_trace_processors
    from agents.mcp import MCPServerStdio
    from agents.testing import ModelStep, ScriptedModel, assistant_message, function_call
    from agenttrace import register
    from agenttrace.integrations.mcp import request_meta
    from agenttrace.integrations.openai_agents import tracing_processor

    async def main():
        command = {"command": sys.executable, "args": sys.argv[1:], "env": dict(os.environ)}
        async with MCPServerStdio(params=command, tool_meta_resolver=lambda _: request_meta()) as server:
            call = function_call("get_temperature", {"city": "Oslo"}, call_id="c1")
            steps = [ModelStep(output=[call]), ModelStep(output=[assistant_message("4.5")])]
            await Runner.run(Agent(name="asker", model=ScriptedModel(steps), mcp_servers=[server]), "Oslo?")

    register(verbose=False)
    set_trace_processors([tracing_processor()])
    asyncio.run(main())
"""


def test_a_framework_hands_the_context_on(tmp_path: Path) -> None:
    """The OpenAI Agents SDK takes `request_meta` as its ``tool_meta_resolver``: the server's spans are in its tree."""
    program = tmp_path / "ask.py"
    program.write_text(textwrap.dedent(AGENTS_SDK), encoding="utf-8")
    command = [sys.executable, str(program), str(EXAMPLES / "mcp_server.py")]
    subprocess.run(command, env=environment_of(tmp_path), check=True, timeout=120)
    spans = only_trace(tmp_path)
    assert not any(line.startswith("ORPHAN") for line in outline(spans))
    above = {span.span_id: span for span in spans}
    [search] = [span for span in spans if span.name == "find_readings"]
    handler = above[str(search.parent_id)]
    call = above[str(handler.parent_id)]
    turn = above[str(call.parent_id)]
    assert [handler.name, call.name, turn.kind] == ["get_temperature", "get_temperature", "CHAIN"]


SERVE = """
    import socket, sys, threading
    sys.path.insert(0, sys.argv[1])
    import uvicorn
    from mcp_server import server
    from agenttrace import register

    register(project_name="mcp", verbose=False)  # and so the library makes spans of its own, too
    listener = socket.socket(fileno=int(sys.argv[2]))
    service = uvicorn.Server(uvicorn.Config(server.streamable_http_app(), log_level="critical"))

    def end_with_standard_input():
        sys.stdin.read()
        service.should_exit = True

    threading.Thread(target=end_with_standard_input, daemon=True).start()
    service.run(sockets=[listener])
"""


def test_over_http_the_librarys_own_spans_leave_no_orphans(tmp_path: Path) -> None:
    """Where the library makes a span of each request, and only the server's is sent, that one has the right parent."""
    program = tmp_path / "serve.py"
    program.write_text(textwrap.dedent(SERVE), encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        command = [sys.executable, str(program), str(EXAMPLES), str(listener.fileno())]
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/mcp"
        server = subprocess.Popen(
            command, env=environment_of(tmp_path), stdin=subprocess.PIPE, pass_fds=[listener.fileno()]
        )
        try:
            assert run_example("mcp_client", tmp_path, url, NO_PROXY="127.0.0.1") == f"{ANSWER}\n"
        finally:
            server.communicate(timeout=60)
    assert server.returncode == 0
    read = [READ[0], "    None tools/call get_temperature", *(f"  {line}" for line in READ[1:])]
    subtract = ["  TOOL subtract", "    None tools/call subtract", "      TOOL subtract"]
    assert outline(only_trace(tmp_path)) == [*TREE[:2], *read, *read, TREE[8], *subtract, TREE[-1]]


def test_a_result_that_says_it_is_an_error_makes_the_call_one() -> None:
    """The caller gets the result as it is; the spans of both sides say what went wrong."""

    async def body() -> CallToolResult:
        async with traced_client(make_server()) as client:
            return await client.call_tool("fail", {"reason": "no such city"})

    with capture_spans() as spans:
        result = run(body())
    assert result.is_error
    spans.assert_tree("TOOL fail\n  TOOL fail\n")
    call, handler = spans
    assert call.status.description == spans.output(call) == result.content[0].text
    assert handler.status.description == "ValueError: no such city"


def test_a_call_that_raises_is_recorded_and_raises_on() -> None:
    """An error of the protocol is on the call's span, and reaches the caller as without tracing."""

    async def body() -> None:
        async with traced_client(make_server()) as client:
            with pytest.raises(MCPError, match="closed on Sundays"):
                await client.call_tool("refuse", {})

    with capture_spans() as spans:
        run(body())
    [call] = spans.roots
    assert call.status.description == "MCPError: closed on Sundays"


def test_calls_at_once_have_their_own_children() -> None:
    """Calls that run side by side mix up neither their spans nor their results."""

    @trace_agent
    async def agent(numbers: list[int]) -> list[str]:
        async with traced_client(make_server()) as client:
            results = await asyncio.gather(*(client.call_tool("double", {"number": number}) for number in numbers))
        return [result.content[0].text for result in results]

    with capture_spans() as spans:
        assert run(agent([1, 2, 3])) == ["2", "4", "6"]
    spans.assert_tree("AGENT agent\n" + "  TOOL double\n    TOOL double\n" * 3)
    for call in spans.children("agent"):
        [handler] = spans.children(call)
        assert spans.input(call) == spans.input(handler)
        assert str(spans.output(call)) == str(spans.output(handler))


def test_the_tools_description_is_there_once_the_tools_were_listed() -> None:
    """Nothing is asked of the server that the program doesn't ask."""

    async def body() -> None:
        async with traced_client(make_server()) as client:
            await client.call_tool("double", {"number": 1})
            await client.list_tools()
            await client.call_tool("double", {"number": 2})

    with capture_spans() as spans:
        run(body())
    before, after = (dict(span.attributes or {}) for span in spans.roots)
    assert "tool.description" not in before
    assert after["tool.description"] == "Twice as much."
    assert json.loads(str(after["tool.parameters"]))["properties"]["number"]["type"] == "integer"


def test_the_context_goes_by_the_request_not_by_the_task() -> None:
    """A session's request that was told of another span has the handler's spans below that one, with its session."""

    async def body() -> None:
        with trace_step("asks"), using_session("s-1", propagate=True):
            meta: Any = request_meta()
        with trace_step("other"):
            async with Client(make_server()) as client:
                await client.session.call_tool("double", {"number": 1}, meta=meta)

    with capture_spans() as spans:
        run(body())
    spans.assert_tree("CHAIN asks\n  TOOL double\nCHAIN other\n")
    assert (spans.find("double").attributes or {})["session.id"] == "s-1"


PLAIN_CLIENT = """
    import asyncio, os, sys
    from mcp import Client, StdioServerParameters
    from agenttrace import register, trace_agent

    register(verbose=False, set_global_tracer_provider=sys.argv[1] == "global")

    @trace_agent
    async def agent():
        server = StdioServerParameters(command=sys.executable, args=sys.argv[2:], env=dict(os.environ))
        async with Client(server) as client:
            await client.call_tool("subtract", {"minuend": 3.0, "subtrahend": 1.0})

    asyncio.run(agent())
"""


@pytest.mark.parametrize(
    ("provider", "tree"),
    [("global", ["AGENT agent", "ORPHAN subtract"]), ("own", ["AGENT agent", "  TOOL subtract"])],
)
def test_a_client_without_the_adapter_is_in_the_same_trace(provider: str, tree: list[str], tmp_path: Path) -> None:
    """The server's spans stand below the agent only where the library makes no span of its own for the request."""
    program = tmp_path / "ask.py"
    program.write_text(textwrap.dedent(PLAIN_CLIENT), encoding="utf-8")
    command = [sys.executable, str(program), provider, str(EXAMPLES / "mcp_server.py")]
    subprocess.run(command, env=environment_of(tmp_path), check=True, timeout=120)
    assert outline(only_trace(tmp_path)) == tree


def test_the_librarys_own_client_is_believed_too() -> None:
    """Without the adapter in the client, the server goes by the keys that MCP reserves."""

    async def body() -> None:
        meta: Any = {"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01", "baggage": "user.id=ada"}
        async with Client(make_server()) as client:
            await client.call_tool("double", {"number": 1}, meta=meta)

    with capture_spans() as spans:
        run(body())
    [handler] = spans
    assert handler.context is not None
    assert handler.parent is not None
    assert (handler.context.trace_id, handler.parent.span_id) == (int("ab" * 16, 16), int("cd" * 8, 16))
    assert (handler.attributes or {})["user.id"] == "ada"


@pytest.mark.parametrize("middleware", [server_middleware, server_middleware()], ids=["as it is", "called"])
def test_the_middleware_works_with_its_parentheses_and_without(middleware: Any) -> None:
    """Who forgets them would have a failure of the protocol, which says nothing of the middleware."""

    async def body() -> str:
        server = MCPServer("test", log_level="CRITICAL")
        server.middleware.insert(0, middleware)
        server.tool(name="double")(trace_tool(name="double")(lambda number: 2 * number))
        async with traced_client(server) as client:
            return str((await client.call_tool("double", {"number": 2})).content[0].text)

    with capture_spans() as spans:
        assert run(body()) == "4"
    spans.assert_tree("TOOL double\n  TOOL double\n")


@pytest.mark.parametrize(
    ("given", "advice"),
    [
        (3, "a URL, StdioServerParameters.*; not int"),
        (None, "not NoneType"),
        (MCPServer, "not the class MCPServer"),
        (Client("http://localhost:1/mcp"), "with what this Client was given"),
        (traced_client("http://localhost:1/mcp"), "with what this Client was given"),
    ],
    ids=["number", "nothing", "class", "client", "traced client"],
)
def test_what_is_no_server_is_refused_at_once(given: Any, advice: str) -> None:
    """With what to write instead, and not when the client connects."""
    with pytest.raises(TypeError, match=advice):
        traced_client(given)


def test_a_transport_is_accepted() -> None:
    """Whatever opens a pair of streams is a transport to MCP."""
    transport = stdio_client(StdioServerParameters(command=sys.executable))
    assert traced_client(transport).server is transport


@pytest.mark.parametrize("parent", [7, "nonsense", f"00-{'0' * 32}-{'0' * 16}-01", None, ["00"]])
def test_metadata_that_makes_no_sense_is_passed_over(parent: object) -> None:
    """The handler runs all the same, in the context that it would have run in."""

    async def body() -> CallToolResult:
        meta: Any = {"traceparent": parent, "agenttrace/traceparent": parent}
        async with Client(make_server()) as client:
            return await client.call_tool("double", {"number": 4}, meta=meta)

    with capture_spans() as spans:
        assert run(body()).content[0].text == "8"
    spans.assert_tree("TOOL double\n")


def test_what_is_suppressed_is_suppressed_in_the_server_too() -> None:
    """A request from within ``suppress_tracing()`` has the server record nothing."""

    async def body() -> CallToolResult:
        with trace_step("asks"), suppress_tracing():
            meta: Any = request_meta()
        async with Client(make_server()) as client, traced_client(make_server()) as traced:
            with suppress_tracing():
                await traced.call_tool("double", {"number": 1})
            return await client.call_tool("double", {"number": 1}, meta=meta)

    with capture_spans() as spans:
        assert run(body()).content[0].text == "2"
    spans.assert_tree("CHAIN asks\n")


def test_without_register_nothing_is_added() -> None:
    """The client sends what it would have sent, and the call is what it is without tracing."""
    seen: list[Any] = []

    async def look(ctx: Any, call_next: Any) -> Any:
        if ctx.method == "tools/call":
            seen.append({key: value for key, value in (ctx.meta or {}).items() if "trace" in key or key == "baggage"})
        return await call_next(ctx)

    async def body() -> CallToolResult:
        server = make_server()
        server.middleware.append(look)
        async with traced_client(server) as client:
            return await client.call_tool("double", {"number": 3})

    assert run(body()).content[0].text == "6"
    assert seen == [{}]
    assert request_meta() == {}


def test_the_users_own_metadata_goes_along_and_wins() -> None:
    """What a program says in ``meta`` reaches the server beside the context."""
    seen: list[Any] = []

    async def look(ctx: Any, call_next: Any) -> Any:
        if ctx.method == "tools/call":
            seen.append(ctx.meta)
        return await call_next(ctx)

    async def body() -> None:
        server = make_server()
        server.middleware.append(look)
        async with traced_client(server) as client:
            await client.call_tool("double", {"number": 3}, meta={"com.example/tenant": "t-1"})

    with capture_spans() as spans:
        run(body())
    [meta] = seen
    assert meta["com.example/tenant"] == "t-1"
    call = spans.roots[0].context
    assert call is not None
    assert meta["traceparent"].startswith(f"00-{call.trace_id:032x}-{call.span_id:016x}-")


def test_nothing_of_mcp_is_patched() -> None:
    """The library's own client makes no spans, also after the adapter's has."""

    async def body() -> None:
        for make_client in (traced_client, Client):
            async with make_client(make_server()) as client:
                await client.call_tool("double", {"number": 1})

    with capture_spans() as spans:
        run(body())
    spans.assert_tree("TOOL double\n  TOOL double\nTOOL double\n")
