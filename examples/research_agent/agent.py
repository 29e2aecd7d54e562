"""The agent: plan, let the model choose tools and run them until it knows enough, stream the answer.

The marks are all that tracing adds. The agent and the model's ``write`` are generators: their spans last until the
last word has been read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from agenttrace import trace_agent, trace_step

from .messages import Message, Model, ToolCall
from .tools import TOOLS, describe_tools

MAX_TURNS = 12

INSTRUCTIONS = """You answer questions about a week of earthquakes. Look facts up with the tools, never from memory,
and compute with the compute tool. When a tool fails, read its error and try again in another way. When you know
enough, reply READY without a tool call; you are then asked to write the answer."""


@trace_agent(name="earthquake researcher", exclude_args=["model"])
def research(question: str, model: Model) -> Iterator[str]:
    """Answer ``question``, piece by piece as the model writes it."""
    messages: list[Message] = [{"role": "system", "content": INSTRUCTIONS}, {"role": "user", "content": question}]
    with trace_step("plan", input=question) as step:
        plan = model.plan(messages)
        step.set_output(plan)
    messages.append({"role": "assistant", "content": f"Plan:\n{plan}"})
    for turn in range(1, MAX_TURNS + 1):
        with trace_step(f"turn {turn}") as step:
            decision = model.decide(messages, describe_tools())
            messages.append(decision)
            calls = decision.get("tool_calls") or []
            results = [run_tool(call) for call in calls]
            messages.extend(results)
            step.set_output("\n".join(result["content"] or "" for result in results) or decision.get("content"))
        if not calls:
            break
    messages.append({"role": "user", "content": "Write the answer in at most four sentences, with units."})
    yield from model.write(messages)


def run_tool(call: ToolCall) -> Message:
    """The tool's result for the model to read, or its error: what went wrong is the model's to put right."""
    name = call["function"]["name"]
    try:
        result = TOOLS[name](**json.loads(call["function"]["arguments"]))
    except Exception as error:  # whatever it is, the model may find another way
        result = {"error": f"{type(error).__name__}: {error}"}
    return {"role": "tool", "tool_call_id": call["id"], "content": json.dumps(result, ensure_ascii=False)}
