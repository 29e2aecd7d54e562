"""Agents that are saved, pushed, loaded, copied and pickled: traced ones leave the files of the plain ones."""

# smolagents ships no types, so every class of it is Any to mypy:
# mypy: disallow-subclassing-any=False

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import pytest
from smolagents import AgentLogger, CodeAgent, InferenceClientModel, LogLevel, Tool, ToolCallingAgent, agents

from agenttrace.integrations.smolagents import TracedCodeAgent, TracedToolCallingAgent, traced
from agenttrace.testing import capture_spans
from tests.isolation import Program, program

from .scenarios import Classes
from .scripted import ScriptedModel, call, code, get_weather, text
from .twins import PLAIN, QUIET, TRACED, assert_alike, each_kind, outcome_of

__all__ = ["program"]


class Double(Tool):
    """A tool whose source can be saved."""

    name = "double"
    description = "Double a number."
    inputs = {"number": {"type": "integer", "description": "Which number."}}
    output_type = "integer"

    def forward(self, number: int) -> int:
        return 2 * number


def team(classes: Classes) -> Any:
    """A manager, a member, and a member of that."""
    model = InferenceClientModel("some/model")
    deepest = classes.tool_calling_agent([Double()], model, name="deepest", description="Doubles.", **QUIET)
    helper = classes.code_agent(
        [],
        model,
        managed_agents=[deepest],
        name="helper",
        description="Helps.",
        additional_authorized_imports=["json"],
        **QUIET,
    )
    return classes.tool_calling_agent(
        [Double()], model, managed_agents=[helper], max_steps=3, planning_interval=2, name="manager", **QUIET
    )


def files_in(folder: Path) -> dict[str, bytes]:
    """Every file below ``folder``."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def classes_of(agent: Any) -> Any:
    """The classes of ``agent`` and its team."""
    return type(agent), {name: classes_of(member) for name, member in agent.managed_agents.items()}


OF_TRACED: Any = (
    TracedToolCallingAgent,
    {"helper": (TracedCodeAgent, {"deepest": (TracedToolCallingAgent, {})})},
)
OF_PLAIN: Any = (ToolCallingAgent, {"helper": (CodeAgent, {"deepest": (ToolCallingAgent, {})})})


def pair(classes: Classes) -> Any:
    """A manager and a member, as `from_dict` of smolagents can load them."""
    model = InferenceClientModel("some/model")
    helper = classes.code_agent([Double()], model, name="helper", description="Helps.", **QUIET)
    return classes.tool_calling_agent([Double()], model, managed_agents=[helper], max_steps=3, **QUIET)


def test_a_dictionary_of_an_agent() -> None:
    """It says what the plain agent's says, and makes a plain team or a traced one, as its class is asked."""
    described = pair(TRACED).to_dict()
    assert described == pair(PLAIN).to_dict()
    assert team(TRACED).to_dict() == team(PLAIN).to_dict()
    loaded = TracedToolCallingAgent.from_dict(described)
    assert classes_of(loaded) == (TracedToolCallingAgent, {"helper": (TracedCodeAgent, {})})
    assert classes_of(ToolCallingAgent.from_dict(described)) == (ToolCallingAgent, {"helper": (CodeAgent, {})})
    assert loaded.tools["double"](21) == 42


def test_loading_takes_the_same_arguments() -> None:
    """What is given by name wins over what is written; members that are handed over stay as they are."""

    def run(classes: Classes) -> Any:
        helper = PLAIN.tool_calling_agent([], ScriptedModel(), name="plain", description="Stays plain.", **QUIET)
        loaded = classes.tool_calling_agent.from_dict(
            pair(PLAIN).to_dict(), max_steps=17, model=ScriptedModel(), managed_agents=[helper]
        )
        refused = outcome_of(lambda: classes.code_agent.from_dict({"model": {"class": "NoSuchModel"}}))
        return (
            loaded.max_steps,
            type(loaded.model),
            [type(member) for member in loaded.managed_agents.values()],
            refused,
        )

    assert_alike(run)


def test_a_saved_folder_is_the_plain_one_s(tmp_path: Path) -> None:
    """Byte for byte, the members of the team and the app included."""
    team(TRACED).save(tmp_path / "traced")
    team(PLAIN).save(str(tmp_path / "plain"))
    saved = files_in(tmp_path / "traced")
    assert saved == files_in(tmp_path / "plain")
    assert "managed_agents/helper/managed_agents/deepest/agent.json" in saved
    assert not any(b"agenttrace" in text or b"Traced" in text for text in saved.values())


LOADING = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("agenttrace", "opentelemetry", "openinference"):
            raise ImportError(f"{name} is not installed here")

sys.meta_path.insert(0, Blocked())
try:
    import agenttrace
except ImportError:
    pass
else:
    sys.exit("agenttrace could be imported")

from smolagents import CodeAgent, MultiStepAgent, ToolCallingAgent
agent = ToolCallingAgent.from_folder(sys.argv[1])
helper = agent.managed_agents["helper"]
assert type(agent) is ToolCallingAgent and type(helper) is CodeAgent
assert type(helper.managed_agents["deepest"]) is ToolCallingAgent
print(agent.tools["double"](21), agent.max_steps, helper.authorized_imports.count("json"))
"""


def test_a_saved_agent_loads_without_agenttrace(program: Program, tmp_path: Path) -> None:
    """In a process where importing it is impossible."""
    team(TRACED).save(tmp_path / "saved")
    out, _ = program.run(LOADING, str(tmp_path / "saved"))
    assert out.split() == ["42", "3", "1"]


def test_a_folder_makes_a_traced_team(tmp_path: Path) -> None:
    """Whoever saved it, and every member of it leaves spans."""
    team(PLAIN).save(tmp_path / "saved")
    loaded = TracedToolCallingAgent.from_folder(tmp_path / "saved")
    assert classes_of(loaded) == OF_TRACED
    assert classes_of(ToolCallingAgent.from_folder(tmp_path / "saved")) == OF_PLAIN
    loaded.model = ScriptedModel(text("Ask."), call("helper", task="Double 2."), call("final_answer", answer="4"))
    loaded.managed_agents["helper"].model = ScriptedModel(code("final_answer(4)"))
    with capture_spans() as spans:
        assert loaded.run("Double 2.") == "4"
    assert [span.name for span in spans.find_all(kind="AGENT")] == ["manager.run", "helper.run"]


def test_a_folder_from_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``from_hub`` loads what was downloaded."""
    team(PLAIN).save(tmp_path / "saved")
    monkeypatch.setattr(agents, "snapshot_download", lambda repo_id, **_: str(tmp_path / "saved"))
    assert classes_of(TracedToolCallingAgent.from_hub("ada/agent", trust_remote_code=True)) == OF_TRACED


def test_what_is_pushed_is_what_the_plain_agent_pushes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The files, and what is said of them."""
    pushed: list[Any] = []

    def upload(folder_path: str, **options: Any) -> str:
        pushed.append((files_in(Path(folder_path)), options))
        return "uploaded"

    class Repo:
        repo_id = "ada/agent"

    def create(**options: Any) -> Repo:
        pushed.append(options)
        return Repo()

    monkeypatch.setattr(agents, "create_repo", create)
    monkeypatch.setattr(agents, "metadata_update", lambda *args, **options: pushed.append((args, options)))
    monkeypatch.setattr(agents, "upload_folder", upload)

    def run(classes: Classes) -> Any:
        pushed.clear()
        return team(classes).push_to_hub("ada/agent", private=True), list(pushed)

    assert_alike(run)


class Silent(AgentLogger):
    """A logger that can be pickled, as the one with a console can't."""

    def __init__(self) -> None:
        self.level = LogLevel.OFF

    def log(self, *args: Any, **options: Any) -> None:
        """Say nothing."""

    log_task = log_rule = log_markdown = log_code = log_messages = log_error = visualize_agent_tree = log


class Own(TracedToolCallingAgent):
    """A user's subclass of a traced class."""


@traced
class Marked(ToolCallingAgent):
    """A user's class, traced where it is written."""


class Reduced(ToolCallingAgent):
    """A user's class that pickles itself in its own way."""

    def __reduce__(self) -> Any:
        return type(self), (list(self.tools.values()), self.model), {"logger": self.logger, "noted": True}


CASES = [TracedCodeAgent, TracedToolCallingAgent, Own, Marked, traced(Reduced)]


@pytest.mark.parametrize("made", CASES, ids=["code", "tool calling", "a subclass", "marked", "its own way"])
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles(made: Any, protocol: int) -> None:
    """By every protocol, as an agent of the very class."""
    agent = made([Double()], ScriptedModel(), logger=Silent())
    loaded = pickle.loads(pickle.dumps(agent, protocol))
    assert type(loaded) is made
    assert list(loaded.tools) == ["double", "final_answer"]


@pytest.mark.parametrize("made", CASES, ids=["code", "tool calling", "a subclass", "marked", "its own way"])
@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy])
def test_copies(made: Any, how: Any) -> None:
    """A copy is of the same class, has what the agent has, and is traced."""
    is_code = issubclass(made, CodeAgent)
    script = [code("final_answer(double(2))")] if is_code else [call("final_answer", answer=4)]
    agent = made([Double()], ScriptedModel(*script, *script), logger=Silent())
    with capture_spans() as spans:
        agent.run("Double 2.")
        copied = how(agent)
        assert type(copied) is made
        assert copied.run("Double 2.") == 4
    assert len(spans.roots) == 2
    if how is copy.copy:
        assert copied.model is agent.model


@each_kind
def test_a_pickle_of_an_agent_that_has_run_holds_the_user_s_tools(kind: str) -> None:
    """Where the plain one can be pickled; with smolagents' own logger neither can."""

    def run(classes: Classes) -> Any:
        script = [code("print(get_weather('Oslo'))"), code("final_answer(1)")]
        if kind == "tool_calling_agent":
            script = [call("get_weather", city="Oslo"), call("final_answer", answer=1)]
        agent = getattr(classes, kind)([Double()], ScriptedModel(*script), logger=Silent())
        agent.run("What?")
        loaded = pickle.loads(pickle.dumps(agent))
        held = getattr(getattr(loaded, "python_executor", None), "static_tools", {})
        refused = outcome_of(lambda: pickle.dumps(getattr(classes, kind)([], ScriptedModel())))
        return {name: type(tool) for name, tool in held.items()}, len(loaded.memory.steps), refused[1][:2]

    assert_alike(run)


def test_an_agent_is_sent_to_another_process(program: Program) -> None:
    """A spawned process gets a traced agent, and runs it."""
    out, _ = program.run(
        """
        import multiprocessing
        from smolagents import Model
        from agenttrace.integrations.smolagents import TracedToolCallingAgent
        from tests.integrations.smolagents.scripted import ScriptedModel, call
        from tests.integrations.smolagents.test_drop_in_saving import Silent
        from agenttrace.testing import capture_spans

        def work(agent):
            with capture_spans() as spans:
                answer = agent.run("Well?")
            return answer, type(agent) is TracedToolCallingAgent, spans.tree()

        if __name__ == "__main__":
            agent = TracedToolCallingAgent([], ScriptedModel(call("final_answer", answer="yes")), logger=Silent())
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                print(pool.apply(work, (agent,)))
        """
    )
    tree = "AGENT ToolCallingAgent.run\n  CHAIN Step 1\n    LLM ScriptedModel.generate\n    TOOL final_answer\n"
    assert out.strip() == repr(("yes", True, tree))


def test_saving_in_the_middle_of_a_run(tmp_path: Path) -> None:
    """`save` during a run, from a callback, writes what it writes at any other time."""

    def run(classes: Classes) -> Any:
        def save(step: Any, agent: Any) -> None:
            agent.save(tmp_path / "saved")

        agent = classes.code_agent(
            [Double()], ScriptedModel(code("final_answer(double(2))")), step_callbacks=[save], **QUIET
        )
        agent.model.to_dict = dict
        return agent.run("Double 2."), files_in(tmp_path / "saved")

    assert_alike(run)


def test_weather_is_not_saved_twice() -> None:
    """A tool that was made by ``@tool`` is described as the plain agent describes it."""

    def run(classes: Classes) -> Any:
        return classes.tool_calling_agent([get_weather], InferenceClientModel("some/model"), **QUIET).to_dict()

    assert_alike(run)
