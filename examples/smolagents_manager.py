"""A smolagents manager that writes code and asks a researcher below it: one import traces all of it.

    pip install smolagents
    python examples/smolagents_manager.py
    python examples/smolagents_manager.py "How long does China's GDP take to double at its rate of 2024?"

The researcher searches and visits pages, the manager computes. With ``OPENAI_API_KEY`` or ``OPENAI_BASE_URL`` set, a
model behind that endpoint decides (``OPENAI_MODEL`` names it; ``pip install "smolagents[openai]"``), with ``HF_TOKEN``
one of Hugging Face's inference providers; without, rules do, from what the tools returned. Rules, and models without
``pip install "smolagents[toolkit]"``, search the pages in ``data/pages``; else it is the web.

Traces go where the environment says: to Phoenix with ``PHOENIX_COLLECTOR_ENDPOINT``, to Langfuse with
``LANGFUSE_PUBLIC_KEY``, ``LANGFUSE_SECRET_KEY`` and ``LANGFUSE_HOST``, else to the local store, which
``agenttrace show`` prints.
"""

from __future__ import annotations

import argparse
import os
import sys
import uuid
from importlib.util import find_spec
from typing import Any

from smolagents import InferenceClientModel, LogLevel, Model, OpenAIModel, VisitWebpageTool, WebSearchTool
from smolagents.utils import AgentError
from web_research.pages import visit_webpage, web_search
from web_research.scripted import ScriptedModel

from agenttrace import register, using_session
from agenttrace.integrations.smolagents import TracedCodeAgent as CodeAgent
from agenttrace.integrations.smolagents import TracedToolCallingAgent as ToolCallingAgent

QUESTION = "How many years does the GDP of the United States take to double at the 2024 growth rate?"


def main() -> int:
    """Answer the questions of the command line, in one session."""
    options = read_command_line()
    register(project_name=options.project, endpoint=options.endpoint)
    with using_session(f"gdp-{uuid.uuid4().hex[:8]}"):
        for question in options.questions or [QUESTION]:
            print(f"> {question}")
            try:
                print(make_manager(choose_model()).run(question))
            except AgentError as error:
                print(error, file=sys.stderr)
                return 1
    return 0


def make_manager(model: Model) -> CodeAgent:
    """The manager, and the researcher that it may call in its code."""
    researcher = ToolCallingAgent(
        name="web_researcher",
        description="Searches the web, reads pages and reports what they say, with their addresses.",
        tools=choose_tools(model),
        model=model,
        max_steps=8,
        verbosity_level=LogLevel.OFF,
    )
    return CodeAgent(
        name="manager",
        tools=[],
        managed_agents=[researcher],
        model=model,
        max_steps=8,
        verbosity_level=LogLevel.OFF,
    )


def choose_model() -> Model:
    """The model that the environment has a key for, else the rules."""
    key, base_url = os.environ.get("OPENAI_API_KEY"), os.environ.get("OPENAI_BASE_URL")
    if key or base_url:
        return OpenAIModel(os.environ.get("OPENAI_MODEL") or "gpt-4o-mini", api_base=base_url, api_key=key or "none")
    if token := os.environ.get("HF_TOKEN"):
        return InferenceClientModel(token=token)
    return ScriptedModel()


def choose_tools(model: Model) -> list[Any]:
    """The web for a real model where smolagents' tools can read it, else the pages that are here."""
    if isinstance(model, ScriptedModel) or find_spec("markdownify") is None:
        return [web_search, visit_webpage]
    return [WebSearchTool(), VisitWebpageTool()]


def read_command_line() -> argparse.Namespace:
    """The questions, and where the traces go."""
    parser = argparse.ArgumentParser(description="Say how long an economy takes to double, traced.")
    parser.add_argument("questions", nargs="*", metavar="question", help="what to answer (default: one of its own)")
    parser.add_argument("--endpoint", help="where traces go, such as http://localhost:6006 (default: the environment)")
    parser.add_argument("--project", default=os.environ.get("PHOENIX_PROJECT_NAME") or "smolagents-manager")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
