"""Running examples/smolagents_manager.py as a person does, but without a network, and the tree that it is to leave."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from tests.isolation import ROOT, clean_environment

__all__ = ["ANSWER", "EXAMPLES", "QUESTION", "TREE", "Node", "outline", "run_manager"]

EXAMPLES = ROOT / "examples"
QUESTION = "How many years does the GDP of the United States take to double at the 2024 growth rate?"
ANSWER = "At 2.8 % a year, as in 2024, the GDP of the United States doubles in about 25.1 years"
TREE = [
    "AGENT manager.run",
    "  CHAIN Step 1",
    "    LLM ScriptedModel.generate",
    "    CHAIN CodeAgent.execute",
    "      AGENT web_researcher.run",
    *["        CHAIN Step 1", "          LLM ScriptedModel.generate", "          TOOL web_search"],
    *["        CHAIN Step 2", "          LLM ScriptedModel.generate", *["          TOOL visit_webpage"] * 2],
    *["        CHAIN Step 3", "          LLM ScriptedModel.generate", "          TOOL final_answer"],
    "  CHAIN Step 2",
    "    LLM ScriptedModel.generate",
    "    CHAIN CodeAgent.execute",
    "      TOOL final_answer",
]

_MODELS = ("HF_", "OPENAI_")
_WATCHED = """
import runpy, sys

def watch(event, arguments):
    address = arguments[1][0] if event == "socket.connect" else arguments[0] if event == "socket.getaddrinfo" else ""
    if address not in ("", "127.0.0.1"):
        print(f"it asked the network: {arguments}", file=sys.stderr)
        raise OSError("there is no network in this test")

sys.addaudithook(watch)
sys.argv.pop(0)
sys.path[0] = sys.argv[0].rpartition("/")[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


class Node(NamedTuple):
    """A span, as far as its place in the tree goes."""

    identifier: str
    parent: str | None
    label: str


def run_manager(
    home: Path, *arguments: str, examples: Path = EXAMPLES, **settings: str
) -> subprocess.CompletedProcess[str]:
    """Run the example with nothing configured but ``settings``, and a local store in ``home``."""
    kept = {name: value for name, value in clean_environment(home).items() if not name.startswith(_MODELS)}
    program = str(examples / "smolagents_manager.py")
    finished = subprocess.run(
        [sys.executable, "-c", _WATCHED, program, *arguments],
        env={**kept, **settings},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "it asked the network" not in finished.stderr, finished.stderr
    return finished


def outline(nodes: Iterable[Node]) -> list[str]:
    """The trees as lines, indented, in the order of ``nodes``."""
    nodes = list(nodes)
    lines: list[str] = []

    def add(parent: str | None, depth: int) -> None:
        for node in nodes:
            if node.parent == parent:
                lines.append(f"{'  ' * depth}{node.label}")
                add(node.identifier, depth + 1)

    add(None, 0)
    return lines
