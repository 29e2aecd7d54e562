"""Work that leaves the thread, the task or the process it was begun in, and its spans, which stay in one tree.

    python examples/threads_and_processes.py
    agenttrace list                  # then show a trace by its id

Each function marked as an agent is a run of its own: the first three keep their tree whole, the last one shows what
doesn't go along by itself.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import multiprocessing
import threading

from opentelemetry.context import attach, detach
from opentelemetry.propagate import extract, inject

from agenttrace import (
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    keep_context,
    register,
    trace_agent,
    trace_tool,
    using_session,
)

PROJECT = "threads-and-processes"


@trace_tool
def fetch(page: str) -> str:
    """Read a page."""
    return f"what {page} says"


@trace_tool
async def fetch_async(page: str) -> str:
    """Read a page, and let others run meanwhile."""
    await asyncio.sleep(0)
    return f"what {page} says"


# Threads.


@trace_agent
def read_in_threads() -> list[str]:
    """A thread, agenttrace's pool, the standard library's pool."""
    thread = threading.Thread(target=keep_context(fetch), args=("thread",))
    thread.start()
    thread.join()
    with ThreadPoolExecutor() as pool:
        pages = [pool.submit(fetch, "agenttrace.submit").result(), *pool.map(fetch, ["agenttrace.map"])]
    with concurrent.futures.ThreadPoolExecutor() as standard:
        pages.append(standard.submit(keep_context(fetch), "standard.submit").result())
        pages += standard.map(keep_context(fetch), ["standard.map"])
    return pages


# Tasks.


@trace_agent
async def read_in_tasks() -> list[str]:
    """Coroutines side by side, a task, and threads that a loop starts."""
    loop = asyncio.get_running_loop()
    task = asyncio.create_task(fetch_async("create_task"))
    with ThreadPoolExecutor() as pool:
        pages = await asyncio.gather(
            fetch_async("gather"),
            task,
            asyncio.to_thread(fetch, "to_thread"),
            loop.run_in_executor(None, keep_context(fetch), "run_in_executor"),
            loop.run_in_executor(pool, fetch, "run_in_executor.agenttrace"),
        )
    return list(pages)


# Processes. Spawned ones share nothing with this process, as if they were on another machine.

SPAWN = multiprocessing.get_context("spawn")


def start_worker() -> None:
    """What each worker does first: say where its spans go."""
    register(project_name=PROJECT, verbose=False)


def fetch_for(headers: dict[str, str], page: str) -> str:
    """`fetch`, in the trace that ``headers`` tell of."""
    token = attach(extract(headers))
    try:
        return fetch(page)
    finally:
        detach(token)


def fetch_in_process(headers: dict[str, str], page: str) -> None:
    """What a process of its own runs."""
    start_worker()
    fetch_for(headers, page)


@trace_agent
def read_in_processes() -> list[str]:
    """agenttrace's pool; the standard library's pools and processes, which are handed the context as headers."""
    with ProcessPoolExecutor(1, mp_context=SPAWN, initializer=start_worker) as pool:
        pages = list(pool.map(fetch, ["agenttrace.map"]))
    headers: dict[str, str] = {}
    inject(headers)
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=SPAWN, initializer=start_worker) as standard:
        pages.append(standard.submit(fetch_for, headers, "standard.submit").result())
    with SPAWN.Pool(1, initializer=start_worker) as workers:
        pages += workers.starmap(fetch_for, [(headers, "Pool")])
        workers.close()  # or the end of the block would kill them before they have sent what they recorded
        workers.join()
    process = SPAWN.Process(target=fetch_in_process, args=(headers, "Process"))
    process.start()
    process.join()
    return pages


# What doesn't go along.


@trace_agent
async def leave_behind() -> list[str]:
    """Each of these pages is a trace of its own: nothing tells the new thread whom it works for."""
    thread = threading.Thread(target=fetch, args=("plain thread",))
    thread.start()
    thread.join()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        pages = [pool.submit(fetch, "plain pool").result()]
    return [*pages, await asyncio.get_running_loop().run_in_executor(None, fetch, "plain run_in_executor")]


if __name__ == "__main__":
    register(project_name=PROJECT)
    with using_session("reading-1", propagate=True):
        print(read_in_threads())
        print(asyncio.run(read_in_tasks()))
        print(read_in_processes())
        print(asyncio.run(leave_behind()))
