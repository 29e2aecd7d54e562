"""An MCP server whose tools are marked: its spans stand in the trace of the agent that called it.

`mcp_client.py` starts it, over standard input and output. With ``--http PORT`` it listens on this machine instead:

    python examples/frameworks/mcp_server.py --http 8765
    python examples/frameworks/mcp_client.py http://127.0.0.1:8765/mcp
"""

# mypy: disallow-untyped-decorators=False
# Where the project's types are checked, MCP isn't installed.

from __future__ import annotations

import sys
from typing import Any

from mcp.server import MCPServer

from agenttrace import register, trace_retriever, trace_tool
from agenttrace.integrations.mcp import server_middleware

server = MCPServer("weather", log_level="WARNING")
server.middleware.insert(0, server_middleware())

STATIONS = {"Oslo": [4.0, 5.0], "Lima": [18.5, 19.5]}


@trace_retriever
def find_readings(city: str) -> list[dict[str, Any]]:
    """What the stations of a city measure."""
    return [{"text": f"{degrees} °C", "degrees": degrees} for degrees in STATIONS[city]]


@server.tool()
@trace_tool
def get_temperature(city: str) -> float:
    """The temperature in a city now, in degrees Celsius."""
    readings: list[float] = [reading["degrees"] for reading in find_readings(city)]
    return sum(readings) / len(readings)


@server.tool()
@trace_tool
async def subtract(minuend: float, subtrahend: float) -> float:
    """How much is left of one number when another is taken away."""
    return minuend - subtrahend


if __name__ == "__main__":
    # MCP's library makes a span of its own for each request where there is a global provider; it isn't missed here.
    register(project_name="mcp", verbose=False, set_global_tracer_provider=False)
    if sys.argv[1:2] == ["--http"]:
        server.run("streamable-http", port=int(sys.argv[2]))
    else:
        server.run()
