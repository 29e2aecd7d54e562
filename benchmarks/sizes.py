"""How large spans are, and what disk and memory a number of them takes: the figures of docs/deployment.md.

Run it with ``python -m benchmarks.sizes``; ``--runs-per-second 5`` and the like put in numbers of your own. The bytes
are those of OpenTelemetry's own encoder over spans that the marks made, in batches as they are sent.
"""

from __future__ import annotations

import argparse
import gzip
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

from agenttrace import trace_llm, trace_tool
from agenttrace.testing import capture_spans

BATCH = 100
"""Spans in a batch that is measured."""

MESSAGES = 20
MESSAGE_CHARACTERS = 500
GIGABYTE = 1e9
DAY = 86_400


@trace_tool
def get_weather(city: str, unit: str) -> dict[str, object]:
    return {"city": city, "temperature": 4.5, "unit": unit}


@trace_llm
def ask(messages: list[dict[str, str]], model: str) -> dict[str, object]:
    return {"role": "assistant", "content": messages[-1]["content"]}


def prose() -> Iterator[str]:
    """Pieces of English without end, from this project's own pages, as gzip would make too little of made-up text."""
    pages = sorted((Path(__file__).resolve().parent.parent / "docs").glob("*.md"))
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    chance = random.Random(4)  # noqa: S311 - the same pieces in every run, and nobody's secret
    while True:
        start = chance.randrange(len(text) - MESSAGE_CHARACTERS)
        yield text[start : start + MESSAGE_CHARACTERS]


def fresh_tool_calls() -> Callable[[], None]:
    """A tool call whose two short arguments are seldom those of the call before."""
    pieces = prose()

    def call() -> None:
        get_weather(next(pieces)[:8], "celsius")

    return call


def fresh_conversations() -> Callable[[], None]:
    """A model call whose 20 messages share nothing with those of the call before."""
    pieces = prose()

    def call() -> None:
        roles = ("user", "assistant")
        ask([{"role": roles[number % 2], "content": next(pieces)} for number in range(MESSAGES)], "a-model")

    return call


@dataclass(frozen=True)
class Size:
    """The mean size of one span as it is sent, in bytes."""

    plain: float
    gzipped: float


def size_of(call: Callable[[], None]) -> Size:
    """The size of the span that one ``call`` makes, as the mean over a batch."""
    with capture_spans() as spans:
        for _ in range(BATCH):
            call()
    assert len(spans) == BATCH, "each call is to make one span"
    payload = encode_spans(list(spans)).SerializeToString()
    return Size(len(payload) / BATCH, len(gzip.compress(payload)) / BATCH)


@dataclass(frozen=True)
class Load:
    """What is sent, as the reader knows it.

    Args:
        runs_per_second: Runs of agents that start each second, over all machines.
        tool_spans: Spans about as small as a tool's, in one run.
        llm_spans: Model calls in one run.
        run_seconds: How long a run takes.
        kept_share: The share of traces that the samplers keep, from 0 to 1.
        outage_hours: How long what stands behind a queue may be away without anything being lost.
    """

    runs_per_second: float = 2.0
    tool_spans: float = 12.0
    llm_spans: float = 8.0
    run_seconds: float = 60.0
    kept_share: float = 0.2
    outage_hours: float = 8.0


@dataclass(frozen=True)
class Needs:
    """What a load takes. Bytes are decimal."""

    spans_per_second: float
    bytes_per_run: float
    bytes_per_second: float
    wire_bytes_per_second: float
    traces_in_memory: float
    sampler_bytes: float
    gateway_queue_bytes: float
    queue_bytes: float
    day_bytes: float


GO_FACTOR = 3.0
"""Bytes of a collector's memory for a byte of protobuf that it holds: an assumption, measured by nobody here."""

SETTLING_SECONDS = 10.0
"""How long a sampler waits for stragglers after a root: `decision_wait_after_root_received`."""


def needs_of(load: Load, tool: Size, llm: Size) -> Needs:
    """The formulas of docs/deployment.md."""
    per_run = load.tool_spans * tool.plain + load.llm_spans * llm.plain
    wire_per_run = load.tool_spans * tool.gzipped + load.llm_spans * llm.gzipped
    traces = load.runs_per_second * (load.run_seconds + SETTLING_SECONDS)
    kept_per_second = load.runs_per_second * per_run * load.kept_share
    return Needs(
        spans_per_second=load.runs_per_second * (load.tool_spans + load.llm_spans),
        bytes_per_run=per_run,
        bytes_per_second=load.runs_per_second * per_run,
        wire_bytes_per_second=load.runs_per_second * wire_per_run,
        traces_in_memory=traces,
        sampler_bytes=traces * per_run * GO_FACTOR,
        gateway_queue_bytes=load.runs_per_second * per_run * load.outage_hours * 3600,
        queue_bytes=kept_per_second * load.outage_hours * 3600,
        day_bytes=kept_per_second * DAY,
    )


LOADS = {
    "one team": Load(runs_per_second=0.1),
    "a service": Load(),
    "a platform": Load(runs_per_second=50, run_seconds=300),
}


def print_sizes(sizes: dict[str, Size]) -> None:
    print("| one span | bytes | gzipped |")
    print("| --- | --- | --- |")
    for name, size in sizes.items():
        print(f"| {name} | {size.plain:,.0f} | {size.gzipped:,.0f} |")


def print_needs(needs: dict[str, Needs]) -> None:
    rows: dict[str, Callable[[Needs], str]] = {
        "spans/s": lambda need: f"{need.spans_per_second:,.0f}",
        "kB a run": lambda need: f"{need.bytes_per_run / 1e3:,.0f}",
        "MB/s into the collectors": lambda need: f"{need.bytes_per_second / 1e6:,.2f}",
        "MB/s on the wire, gzipped": lambda need: f"{need.wire_bytes_per_second / 1e6:,.2f}",
        "traces in the samplers' memory": lambda need: f"{need.traces_in_memory:,.0f}",
        "memory for them, GB": lambda need: f"{need.sampler_bytes / GIGABYTE:,.2f}",
        "gateways' queues for the outage, GB": lambda need: f"{need.gateway_queue_bytes / GIGABYTE:,.1f}",
        "samplers' queues for it, each exporter, GB": lambda need: f"{need.queue_bytes / GIGABYTE:,.1f}",
        "kept a day, GB": lambda need: f"{need.day_bytes / GIGABYTE:,.1f}",
    }
    print(f"| | {' | '.join(needs)} |")
    print(f"| --- |{' --- |' * len(needs)}")
    for name, show in rows.items():
        print(f"| {name} | {' | '.join(show(need) for need in needs.values())} |")


def main() -> None:
    parser = argparse.ArgumentParser(description="sizes of spans, and what a load of them takes")
    for one in fields(Load):
        parser.add_argument(f"--{one.name.replace('_', '-')}", type=float)
    given = {name: value for name, value in vars(parser.parse_args()).items() if value is not None}
    tool, llm = size_of(fresh_tool_calls()), size_of(fresh_conversations())
    print_sizes({"a tool call, two short arguments": tool, "a model call, 20 messages of 500 characters": llm})
    print()
    loads = {"yours": Load(**given)} if given else LOADS
    print_needs({name: needs_of(load, tool, llm) for name, load in loads.items()})


if __name__ == "__main__":
    main()
