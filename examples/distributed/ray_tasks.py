"""Tasks on a Ray cluster, here one of this machine: every task's spans stand in the trace of the agent that started it.

    pip install ray
    python examples/distributed/ray_tasks.py
    agenttrace show

A task gets the caller's context as one more argument: the headers that OpenTelemetry's own functions write and read.
Whatever else runs functions elsewhere (Celery, Dask, a message queue) can be handed them in the same way.
"""

from __future__ import annotations

import sys

from opentelemetry.context import attach, detach
from opentelemetry.propagate import extract, inject

from agenttrace import flush, register, trace_agent, trace_tool, using_session, using_user

try:
    import ray
except ImportError:
    sys.exit("This example needs Ray: pip install ray")

PROJECT = "distributed"


@trace_tool
def estimate(city: str) -> float:
    """Millions of inhabitants. Runs in a worker of the cluster."""
    return {"Lagos": 16.5, "Lima": 11.3, "Oslo": 0.7}[city]


def estimate_in_worker(city: str, headers: dict[str, str]) -> float:
    """`estimate`, in the trace that ``headers`` tell of."""
    token = attach(extract(headers))
    try:
        return estimate(city)
    finally:
        detach(token)
        flush()  # Ray kills its workers when the program ends


@trace_agent
def find_largest(cities: list[str]) -> str:
    """The city with the most inhabitants."""
    headers: dict[str, str] = {}
    inject(headers)
    task = ray.remote(estimate_in_worker)
    sizes: list[float] = ray.get([task.remote(city, headers) for city in cities])
    return cities[sizes.index(max(sizes))]


def start_worker() -> None:
    """What each worker does first: say where its spans go."""
    register(project_name=PROJECT, verbose=False)


def main() -> None:
    """Start Ray on this machine, run the agent, stop Ray."""
    register(project_name=PROJECT)
    ray.init(num_cpus=2, include_dashboard=False, runtime_env={"worker_process_setup_hook": start_worker})
    try:
        with using_session("atlas-1", propagate=True), using_user("ada", propagate=True):
            print(find_largest(["Lagos", "Lima", "Oslo"]))
    finally:
        ray.shutdown()


if __name__ == "__main__":
    main()
