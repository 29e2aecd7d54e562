"""A research agent that answers questions about earthquakes, every step of it on record.

    python examples/quickstart.py                                   # two questions of its own
    python examples/quickstart.py "How deep are earthquakes in Fiji on average?"

No key, no network and no framework are needed. With ``OPENAI_API_KEY`` or ``OPENAI_BASE_URL`` set, a language model
behind that endpoint decides (``OPENAI_MODEL`` names it); without, rules do, from the question and the tools' results.

Traces go where ``register()`` sends them: to the endpoint of ``--endpoint`` or ``PHOENIX_COLLECTOR_ENDPOINT``, else
to the local store, which ``agenttrace show`` prints.
"""

from __future__ import annotations

import argparse
import os
import sys
import uuid

from research_agent.agent import research
from research_agent.chat import ChatModel, EndpointError
from research_agent.messages import Model
from research_agent.rules import RuleModel

from agenttrace import register, using_session

QUESTIONS = (
    "How many earthquakes were deeper than 100 km, and why are deep ones felt less?",
    "How much more energy did the strongest earthquake release than the strongest one in Alaska?",
)


def main() -> int:
    """Answer the questions of the command line, in one session."""
    options = read_command_line()
    register(project_name=options.project, endpoint=options.endpoint)
    model = choose_model()
    with using_session(f"quickstart-{uuid.uuid4().hex[:8]}"):
        for question in options.questions or QUESTIONS:
            print(f"\n> {question}")
            try:
                for piece in research(question, model):
                    print(piece, end="", flush=True)
            except EndpointError as error:
                print(f"The model's endpoint failed: {error}", file=sys.stderr)
                return 1
            print()
    return 0


def choose_model() -> Model:
    """The model behind the configured OpenAI-compatible endpoint, else the rules."""
    key, base_url = os.environ.get("OPENAI_API_KEY", ""), os.environ.get("OPENAI_BASE_URL", "")
    if not key and not base_url:
        return RuleModel()
    return ChatModel(base_url or "https://api.openai.com/v1", os.environ.get("OPENAI_MODEL") or "gpt-4o-mini", key)


def read_command_line() -> argparse.Namespace:
    """The questions, and where the traces go."""
    parser = argparse.ArgumentParser(description="Answer questions about a week of earthquakes, traced.")
    parser.add_argument("questions", nargs="*", metavar="question", help="what to answer (default: two of its own)")
    parser.add_argument("--endpoint", help="where traces go, such as http://localhost:6006 (default: the environment)")
    parser.add_argument("--project", default=os.environ.get("PHOENIX_PROJECT_NAME") or "quickstart")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
