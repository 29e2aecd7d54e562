"""The smolagents manager against a real Phoenix server: tree, kinds, conversations and tokens as Phoenix shows them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from tests.langfuse.server import PUBLIC_KEY, SECRET_KEY, LangfuseServer
from tests.manager_run import ANSWER, QUESTION, TREE, Node, outline

from .phoenix_api import Fields, PhoenixApi, differences
from .running import run_example
from .understanding import Understood, calls, messages, said, understood

PROJECT_TOTALS = """
query ($project: ID!) {
  node(id: $project) {
    ... on Project {
      traceCount tokenCountPrompt tokenCountCompletion tokenCountTotal
      costSummary { prompt { tokens } completion { tokens } total { tokens } }
    }
  }
}
"""


class Run(NamedTuple):
    """One run of the example: what it printed, what was recorded, and what Phoenix made of it."""

    printed: str
    recorded: dict[str, Fields]
    view: Understood


def run(phoenix: PhoenixApi, folder: Path, protocol: str = "http", **settings: str) -> Run:
    """Run the example with Phoenix's variables alone, in a project of its own."""
    project = folder.name
    printed, recorded = run_example(
        "smolagents_manager.py",
        folder,
        "--project",
        project,
        PHOENIX_COLLECTOR_ENDPOINT=phoenix.endpoint(protocol),
        **settings,
    )
    assert not differences(phoenix.spans(project, len(recorded)), recorded)
    return Run(printed, recorded, understood(phoenix, project))


@pytest.fixture(scope="module")
def manager(phoenix: PhoenixApi, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run that the tests only look at."""
    return run(phoenix, tmp_path_factory.mktemp("manager"))


def shown(view: Understood) -> list[str]:
    """The tree as Phoenix draws it."""
    return outline(
        Node(span["spanId"], span["parentId"], f"{span['spanKind'].upper()} {span['name']}") for span in view.spans
    )


def test_the_run_is_one_tree_in_phoenix(manager: Run) -> None:
    """Every span, with its kind, where it belongs; the trace begins with the question and ends with the answer."""
    assert shown(manager.view) == TREE
    (root,) = manager.view.roots
    assert root["input"]["value"] == QUESTION
    assert root["output"]["value"].startswith(ANSWER)
    assert root["output"]["value"] in manager.printed
    assert {span["propagatedStatusCode"] for span in manager.view.spans} == {"OK"}
    assert root["trace"]["session"]["numTraces"] == 1
    assert root["trace"]["session"]["sessionId"].startswith("gdp-")


def test_no_token_is_counted_twice_by_phoenix(manager: Run) -> None:
    """Trace, session and project sum up to what the model calls took, though agents report totals of their own."""
    view = manager.view
    models = view.of_kind("LLM")
    prompt, completion = (sum(span[f"tokenCount{part}"] for span in models) for part in ("Prompt", "Completion"))
    assert len(models) == 5
    assert min(prompt, completion) > 0

    (root,) = view.roots
    assert (root["cumulativeTokenCountPrompt"], root["cumulativeTokenCountCompletion"]) == (prompt, completion)
    assert root["trace"]["costSummary"]["total"]["tokens"] == prompt + completion
    usage = root["trace"]["session"]["tokenUsage"]
    assert (usage["prompt"], usage["completion"], usage["total"]) == (prompt, completion, prompt + completion)
    answer = view.phoenix.query(PROJECT_TOTALS, project=view.phoenix.project_id(view.project))["node"]
    assert [answer[f"tokenCount{part}"] for part in ("Prompt", "Completion", "Total")] == [
        prompt,
        completion,
        prompt + completion,
    ]
    assert answer["costSummary"]["total"]["tokens"] == prompt + completion
    # This Phoenix counts model calls alone, whatever other spans carry; other backends may not.
    carriers = {span["spanKind"] for span in view.spans if "token_count" in span["attributes"].get("llm", {})}
    assert carriers == {"llm"}


def test_both_agents_are_counted_where_they_ran(manager: Run) -> None:
    """What Phoenix shows above each agent is what its own model calls and those of agents below it took."""
    view = manager.view
    totals = [span["tokenCountTotal"] for span in view.of_kind("LLM")]
    (researcher,) = view.named("web_researcher.run")
    assert researcher["cumulativeTokenCountTotal"] == sum(totals[1:4])
    (root,) = view.roots
    assert root["cumulativeTokenCountTotal"] == sum(totals)


def test_model_calls_are_conversations_in_phoenix(manager: Run) -> None:
    """Roles, texts, the tools that were offered and the calls of them: as Phoenix's pages read them."""
    first, *_, last = manager.view.of_kind("LLM")
    assert [message["role"] for message in messages(first, "input")] == ["system", "user"]
    assert QUESTION in said(messages(first, "input")[-1])
    assert "web_researcher(task=" in said(messages(first, "output")[0])
    assert "changed by 2.8 percent" in said(messages(last, "input")[-1])
    _, visit, _ = [span for span in manager.view.of_kind("LLM") if calls(messages(span, "output")[0])]
    assert [name for name, _ in calls(messages(visit, "output")[0])] == ["visit_webpage", "visit_webpage"]
    assert len(visit["attributes"]["llm"]["tools"]) == 3


def test_phoenix_draws_the_graph_of_agents(manager: Run) -> None:
    """Each agent is a node, the researcher's below the manager's."""
    nodes = {span["name"]: span["attributes"]["graph"]["node"] for span in manager.view.of_kind("AGENT")}
    assert nodes["web_researcher.run"]["parent_id"] == nodes["manager.run"]["id"]


def test_the_run_arrives_whole_over_grpc(phoenix: PhoenixApi, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The other protocol makes no difference."""
    assert shown(run(phoenix, tmp_path_factory.mktemp("manager-grpc"), "grpc").view) == TREE


def test_phoenix_and_langfuse_get_the_same_run(phoenix: PhoenixApi, tmp_path_factory: pytest.TempPathFactory) -> None:
    """With both configured each has every span of it, under the same ids."""
    with LangfuseServer() as server:
        found = run(
            phoenix,
            tmp_path_factory.mktemp("manager-both"),
            LANGFUSE_PUBLIC_KEY=PUBLIC_KEY,
            LANGFUSE_SECRET_KEY=SECRET_KEY,
            LANGFUSE_HOST=server.url,
        )
        [trace] = server.traces()
    places = {(item["id"], item["parentObservationId"], item["name"]) for item in trace["observations"]}
    assert places == {(span["spanId"], span["parentId"], span["name"]) for span in found.view.spans}
    assert trace["sessionId"] == found.view.roots[0]["trace"]["session"]["sessionId"]
