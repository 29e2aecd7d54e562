"""An agent that asks another service over HTTP: two processes, one trace.

    python examples/distributed/http_service.py
    agenttrace show

The agent's tool calls a FastAPI service, which is an agent itself. The context goes along in the headers of the request
(``traceparent`` and ``baggage``), which OpenTelemetry's own functions write and read: no instrumentor is needed. Where
instrumentors of httpx and FastAPI are at work, leave `inject` and `extract` out: they do just that. So does FastAPI by
itself in its newest releases, unless it is told not to trace, as here.
"""

from __future__ import annotations

import multiprocessing
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from opentelemetry.context import attach, detach
from opentelemetry.propagate import extract, inject

from agenttrace import register, shutdown, trace_agent, trace_tool, using_session, using_user

try:
    import httpx
    import uvicorn
    from fastapi import FastAPI, Request
except ImportError:
    sys.exit("This example needs FastAPI and httpx: pip install fastapi uvicorn httpx")

PROJECT = "distributed"


# The service.


@trace_tool
def read_sensor(city: str) -> int:
    """The temperature, in degrees Celsius."""
    return {"Oslo": 4, "Lima": 19}.get(city, 12)


@trace_agent(name="forecaster")
def forecast(city: str) -> str:
    """Answer from what the sensor says."""
    degrees = read_sensor(city)
    return f"{degrees} °C, {'take a coat' if degrees < 10 else 'no coat needed'}"


def answer(request: Request, city: str) -> dict[str, str]:
    """What the service does with a request: go on in the caller's trace."""
    token = attach(extract(request.headers))
    try:
        return {"forecast": forecast(city)}
    finally:
        detach(token)


@asynccontextmanager
async def deliver_at_the_end(_: FastAPI) -> AsyncIterator[None]:
    """uvicorn ends by the signal that it was stopped with, after which no exit handler runs."""
    yield
    shutdown()


def serve(listener: socket.socket) -> None:
    """The service's process, until it is told to end."""
    register(project_name=PROJECT, verbose=False)
    service = FastAPI(lifespan=deliver_at_the_end, telemetry={"tracing": False})
    service.add_api_route("/forecast", answer)
    uvicorn.Server(uvicorn.Config(service, log_level="warning")).run(sockets=[listener])


# The caller.


@trace_tool
def ask_forecaster(url: str, city: str) -> str:
    """Ask the service, and tell it whose call this is."""
    headers: dict[str, str] = {}
    inject(headers)
    response = httpx.get(f"{url}/forecast", params={"city": city}, headers=headers, timeout=30)
    return str(response.raise_for_status().json()["forecast"])


@trace_agent
def travel_agent(url: str, cities: list[str]) -> str:
    """Pack for a journey."""
    return "\n".join(f"{city}: {ask_forecaster(url, city)}" for city in cities)


def main() -> None:
    """Start the service, run the agent, end the service."""
    register(project_name=PROJECT)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        service = multiprocessing.get_context("spawn").Process(target=serve, args=(listener,))
        service.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        try:
            with using_session("journey-1", propagate=True), using_user("ada", propagate=True):
                print(travel_agent(url, ["Oslo", "Lima"]))
        finally:
            service.terminate()
            service.join()


if __name__ == "__main__":
    main()
