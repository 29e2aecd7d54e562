"""Every mark, against a real Phoenix server: what one process recorded is what the server has, over HTTP and gRPC."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

import agenttrace

from .phoenix_api import Fields, PhoenixApi, differences, read_recorded
from .recorder import Recorder

MARKS = {
    "AGENT": agenttrace.trace_agent,
    "CHAIN": agenttrace.trace_chain,
    "EMBEDDING": agenttrace.trace_embedding,
    "EVALUATOR": agenttrace.trace_evaluator,
    "GUARDRAIL": agenttrace.trace_guardrail,
    "LLM": agenttrace.trace_llm,
    "PROMPT": agenttrace.trace_prompt,
    "RERANKER": agenttrace.trace_reranker,
    "RETRIEVER": agenttrace.trace_retriever,
    "TOOL": agenttrace.trace_tool,
}
UNICODE = 'Ümlaut, 日本語, 🙂, עברית, \x00 \x1b[31m, "quotes" \\ and\nlines'
MEGABYTE = "0123456789abcdef" * 65536
"""Just what a value may hold by default (1 MiB); one character more and it is cut."""


class Run:
    """A registered process: its project, and what it recorded."""

    def __init__(self, phoenix: PhoenixApi, project: str, file: Path) -> None:
        self.project = project
        self._phoenix = phoenix
        self._file = file

    def compare(self) -> dict[str, Fields]:
        """Send everything, check that the server has just what was recorded, and give the spans by name."""
        assert agenttrace.flush(60)
        recorded = read_recorded(self._file.read_text(encoding="utf-8"))
        arrived = self._phoenix.spans(self.project, len(recorded))
        assert not differences(arrived, recorded)
        return {span["name"]: span for span in arrived.values()}


@pytest.fixture(params=["http", "grpc"])
def run(phoenix: PhoenixApi, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Run]:
    """This process, registered with the server under a project of the test's own."""
    project = request.node.name.replace("[", "-").rstrip("]")
    file = tmp_path / "spans.jsonl"
    agenttrace.register(
        endpoint=phoenix.endpoint(request.param),
        project_name=project,
        set_global_tracer_provider=False,
        span_processors=[Recorder(file)],
    )
    yield Run(phoenix, project, file)
    agenttrace.shutdown(10)


def test_every_kind_arrives(run: Run) -> None:
    """Each mark's span comes with its kind, below the one that called it, its text unharmed."""

    @agenttrace.trace_step
    def all_of_them(text: str) -> list[str]:
        return [mark(name=kind.lower())(str.upper if kind == "TOOL" else repeat)(text) for kind, mark in MARKS.items()]

    def repeat(text: str) -> str:
        return text * 2

    all_of_them(UNICODE)

    spans = run.compare()
    assert {name: spans[name]["kind"] for name in spans if name in map(str.lower, MARKS)} == {
        kind.lower(): kind for kind in MARKS
    }
    assert len({span["trace_id"] for span in spans.values()}) == 1
    assert spans["agent"]["attributes"]["input.value"] == UNICODE
    assert spans["agent"]["attributes"]["output.value"] == UNICODE * 2


def test_errors_arrive_with_their_exception(run: Run) -> None:
    """The failed call's status and exception event are there, the caller's success too."""

    @agenttrace.trace_tool
    def divide(dividend: float, divisor: float) -> float:
        return dividend / divisor

    @agenttrace.trace_agent
    def careful() -> str:
        try:
            divide(1, 0)
        except ZeroDivisionError as error:
            return str(error)
        return "no error"

    careful()

    spans = run.compare()
    assert (spans["divide"]["status"], spans["divide"]["message"]) == ("ERROR", "ZeroDivisionError: division by zero")
    ((name, attributes),) = spans["divide"]["events"]
    assert (name, attributes["exception.type"]) == ("exception", "ZeroDivisionError")
    assert "divide" in attributes["exception.stacktrace"]
    assert spans["careful"]["status"] == "OK"


def test_generators_and_coroutines_arrive(run: Run) -> None:
    """Sync and async, plain and generating: each ends with its own output, in one tree."""

    @agenttrace.trace_llm
    def words(text: str) -> Iterator[str]:
        yield from text.split(" ")

    @agenttrace.trace_retriever
    async def numbers(limit: int) -> AsyncIterator[int]:
        for number in range(limit):
            await asyncio.sleep(0)
            yield number

    @agenttrace.trace_agent
    async def everything() -> int:
        list(words("one two"))
        return sum([number async for number in numbers(3)])

    asyncio.run(everything())

    spans = run.compare()
    assert spans["words"]["attributes"]["output.value"] == "onetwo"
    assert spans["numbers"]["attributes"]["output.value"] == "[0,1,2]"
    assert spans["everything"]["attributes"]["output.value"] == "3"
    assert len({span["trace_id"] for span in spans.values()}) == 1


def test_context_attributes_arrive(run: Run) -> None:
    """Session, user, metadata and tags stand on every span of their scope."""
    with (
        agenttrace.using_session("session-ü"),
        agenttrace.using_user("user-1"),
        agenttrace.using_metadata({"release": 7, "nested": {"list": [1, 2]}}),
        agenttrace.using_tags(["blue", "größer"]),
        agenttrace.trace_step("outer", input={"question": UNICODE}),
        agenttrace.trace_tool("inner") as inner,
    ):
        inner.set_output({"answer": [1.5, None, True]})

    spans = run.compare()
    for name in ("outer", "inner"):
        attributes: dict[str, Any] = spans[name]["attributes"]
        assert (attributes["session.id"], attributes["user.id"]) == ("session-ü", "user-1")
        assert (attributes["metadata.release"], attributes["metadata.nested.list.1"]) == (7, 2)
        assert (attributes["tag.tags.0"], attributes["tag.tags.1"]) == ("blue", "größer")


def test_large_values_arrive(run: Run) -> None:
    """Twenty megabytes, five times what a gRPC message may hold: all spans come, each value cut at its limit."""

    @agenttrace.trace_tool
    def echo(number: int, text: str) -> str:
        return text

    with agenttrace.trace_step("ten times"):
        for number in range(10):
            echo(number, f"{number}{MEGABYTE}")

    output = run.compare()["echo"]["attributes"]["output.value"]
    assert len(MEGABYTE) * 0.9 < len(output) <= len(MEGABYTE)
