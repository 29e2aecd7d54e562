"""Both examples, run as a person runs them, against a real Phoenix server: every span arrives, as it was recorded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .phoenix_api import Fields, PhoenixApi, differences
from .running import run_example


def children(spans: dict[str, Fields], parent: str | None, kind: str = "") -> list[str]:
    """The ids of the spans right below ``parent``, of one kind if it is given."""
    return [key for key, span in spans.items() if span["parent_id"] == parent and kind in ("", span["kind"])]


@pytest.mark.parametrize("protocol", ["http", "grpc"])
def test_the_quickstart_arrives_whole(phoenix: PhoenixApi, tmp_path: Path, protocol: str) -> None:
    """Count, tree, kinds, names, status, input, output, session: Phoenix has what the run recorded, no more."""
    project = f"quickstart-{protocol}"
    printed, recorded = run_example(
        "quickstart.py", tmp_path, "--endpoint", phoenix.endpoint(protocol), "--project", project
    )

    arrived = phoenix.spans(project, len(recorded))

    assert not differences(arrived, recorded)
    assert project in phoenix.projects()
    roots = children(arrived, None)
    assert [arrived[root]["kind"] for root in roots] == ["AGENT", "AGENT"]
    for root in roots:
        attributes = arrived[root]["attributes"]
        assert arrived[root]["status"] == "OK"
        assert attributes["output.value"] in printed
        assert f"> {attributes['input.value']}\n" in printed
    (session,) = phoenix.sessions(project)
    assert len(session["traces"]) == 2
    assert {span["attributes"]["session.id"] for span in arrived.values()} == {session["session_id"]}


def test_the_quickstart_shows_how_the_agent_went_about_it(phoenix: PhoenixApi, tmp_path: Path) -> None:
    """The trace has the plan, every turn's decision and tool, the failed query, the streamed answer: one tree."""
    question = "How much more energy did the strongest earthquake release than the strongest one in Alaska?"
    _, recorded = run_example(
        "quickstart.py", tmp_path, question, "--endpoint", phoenix.http_endpoint, "--project", "quickstart-tree"
    )

    arrived = phoenix.spans("quickstart-tree", len(recorded))

    (root,) = children(arrived, None)
    assert arrived[root]["name"] == "earthquake researcher"
    turns = sorted((arrived[key]["name"], key) for key in children(arrived, root, "CHAIN"))
    assert [name for name, _ in turns] == ["plan", *(f"turn {number}" for number in range(1, 8))]
    for _, turn in turns:
        assert len(children(arrived, turn, "LLM")) == 1
    assert [arrived[key]["name"] for key in children(arrived, root, "LLM")] == ["write"]
    used = [arrived[key] for _, turn in turns for key in children(arrived, turn) if arrived[key]["kind"] != "LLM"]
    assert [tool["name"] for tool in used] == [*["query_data"] * 4, "search_notes", "compute"]
    failed, *others = used
    assert (failed["status"], failed["message"]) == ("ERROR", "OperationalError: no such column: magnitude")
    assert [name for name, _ in failed["events"]] == ["exception"]
    assert {tool["status"] for tool in others} == {"OK"}
    assert json.loads(failed["attributes"]["input.value"])["sql"].startswith("SELECT magnitude")
    assert failed["attributes"]["input.mime_type"] == "application/json"
    assert failed["attributes"]["tool.name"] == "query_data"
    assert failed["attributes"]["tool.parameters.properties.sql.type"] == "string"


@pytest.mark.parametrize("protocol", ["http", "grpc"])
def test_the_smolagents_example_arrives_whole(phoenix: PhoenixApi, tmp_path: Path, protocol: str) -> None:
    """A real ToolCallingAgent, marked by hand: its run, its model's calls and its tools are there, in one tree."""
    project = f"smolagents-{protocol}"
    printed, recorded = run_example(
        "smolagents_custom.py", tmp_path, "--endpoint", phoenix.endpoint(protocol), "--project", project
    )

    arrived = phoenix.spans(project, len(recorded))

    assert not differences(arrived, recorded)
    (root,) = children(arrived, None)
    assert [arrived[root][field] for field in ("name", "kind", "status")] == ["smolagents researcher", "AGENT", "OK"]
    assert arrived[root]["attributes"]["output.value"] in printed
    assert all(span["trace_id"] == arrived[root]["trace_id"] for span in arrived.values())
    tools = [arrived[key] for key in children(arrived, root, "TOOL")]
    assert {tool["name"] for tool in tools} == {"query_data", "compute"}
    assert [tool["message"] for tool in tools if tool["status"] == "ERROR"] == [
        "OperationalError: no such column: magnitude"
    ]
    assert len(children(arrived, root, "LLM")) == len(tools) + 1
    (session,) = phoenix.sessions(project)
    assert arrived[root]["attributes"]["session.id"] == session["session_id"]
