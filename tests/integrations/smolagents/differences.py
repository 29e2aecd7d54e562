"""What may differ from OpenInference's instrumentor, why ours is the better, and how to tell that it is just that.

Whatever else differs, or is in theirs and not in ours, is a fault.
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from typing import Any, NamedTuple

from PIL import Image

from .comparison import Difference, Occurrence, Verdict

__all__ = ["ALLOWED", "SPANS_OF_OURS", "SPANS_OF_THEIRS", "Allowed", "OneSided", "allowed_by"]


class Allowed(NamedTuple):
    """One difference between the two, and a row of the table in the docs."""

    of: str
    """What it is a difference of, for people."""
    theirs: str
    ours: str
    places: tuple[tuple[str, str], ...]
    """Span kinds and keys."""
    verdicts: tuple[Verdict, ...]
    holds: Callable[[Occurrence], bool]
    """Whether an occurrence is just that."""

    def explains(self, found: Occurrence) -> bool:
        """Whether ``found`` is just that; values of another form than is expected are not."""
        try:
            return self.holds(found)
        except (KeyError, TypeError, ValueError):
            return False


def allowed_by(difference: Difference) -> list[Allowed]:
    """The rows that allow ``difference``."""
    place = (difference.kind, difference.key)
    return [row for row in ALLOWED if place in row.places and difference.verdict in row.verdicts]


def _same_task(found: Occurrence) -> bool:
    theirs, ours = json.loads(found.theirs[found.key]), found.ours[found.key]
    given = json.loads(ours) if found.ours["input.mime_type"] == "application/json" else {"task": ours}
    known = {name: value for name, value in given.items() if name != "images"}  # whose reprs name an address
    return known == {name: theirs[name] for name in known} and given["task"] == found.ours["smolagents.task"]


def _same_count(found: Occurrence) -> bool:
    counted = found.ours.get(found.key.replace("llm.", "smolagents."))
    # Of a step that didn't end, smolagents counts nothing, and we what its model call took.
    return counted == found.theirs[found.key] or (found.theirs[found.key] == 0 and found.ours["(status)"] != "OK")


def _is_prefix(start: str) -> Callable[[Occurrence], bool]:
    return lambda found: str(found.theirs[found.key]).startswith(start)


def _contains_ours(found: Occurrence) -> bool:
    return f"FinalAnswerStep(output={found.ours[found.key]!r}" in found.theirs[found.key]


def _is_file_of_picture(found: Occurrence) -> bool:
    return "PIL.Image.Image" in found.ours[found.key] and ".png" in found.theirs[found.key]


def _same_messages(found: Occurrence) -> bool:
    ours, theirs = json.loads(found.ours[found.key]), json.loads(found.theirs[found.key])
    said, known = ours["messages"], theirs["messages"]
    texts = all(isinstance(one, str) and ("ChatMessage(" in one or one[:1] == "{") for one in known)
    return len(said) == len(known) and texts and all(set(one) >= {"role", "content"} for one in said)


def _same_answer(found: Occurrence) -> bool:
    theirs, ours = json.loads(found.theirs["output.value"]), found.ours["output.value"]
    if found.ours["output.mime_type"] == "text/plain":
        return ours == theirs["content"] and not theirs["tool_calls"]
    answer = json.loads(ours)
    return {**answer, "raw": None} == {**theirs, "raw": None} if "raw" in answer else _same_calls(answer, theirs)


def _same_calls(ours: dict[str, Any], theirs: dict[str, Any]) -> bool:
    known = [{"id": call["id"], **call["function"]} for call in theirs["tool_calls"]]
    for call in known:
        del call["description"]
    return ours["tool_calls"] == known and ours["content"] == theirs["content"]


def _same_text(found: Occurrence) -> bool:
    """One text part of theirs is the message's content in ours."""
    message, _, part = found.key.partition(".message.contents.")
    content = found.ours.get(f"{message}.message.content", "")
    theirs = found.theirs[found.key]
    return part.startswith("0.") and (theirs == "text" if part.endswith("type") else theirs == content)


def _same_parts(found: Occurrence) -> bool:
    def texts(attributes: dict[str, Any]) -> set[Any]:
        return {value for key, value in attributes.items() if "output_messages" in key and key.endswith("content.text")}

    return texts(found.ours) == texts(found.theirs) and "reasoning" in found.ours.values()


def _same_picture(found: Occurrence) -> bool:
    def pixels(url: str) -> bytes:
        return Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).tobytes()

    return pixels(found.ours[found.key]) == pixels(found.theirs[found.key])


def _same_role(found: Occurrence) -> bool:
    known = {"tool-call": "assistant", "tool-response": "tool"}
    return known[found.theirs[found.key]] == found.ours[found.key]


def _has_all_of_theirs(found: Occurrence) -> bool:
    ours, theirs = json.loads(found.ours[found.key]), json.loads(found.theirs[found.key])
    return {name: ours.get(name) for name in theirs} == theirs and "stop_sequences" in ours


def _same_arguments(found: Occurrence) -> bool:
    ours, theirs = json.loads(found.ours[found.key]), json.loads(found.theirs[found.key])
    given = [*theirs["args"], *theirs["kwargs"].values()]
    return list(ours.values()) == given or any(".png" in str(value) for value in given)


def _same_schema(found: Occurrence) -> bool:
    ours, theirs = json.loads(found.ours[found.key]), json.loads(found.theirs[found.key])
    known = {name: {**words, "type": words["type"].replace("any", "string")} for name, words in theirs.items()}
    return ours["type"] == "object" and ours["properties"] == known


def _is_mended(found: Occurrence) -> bool:
    return "agent.step_recovery" in found.ours["(events)"] and "smolagents.step.error" in found.ours


_COUNTS = tuple(("AGENT", f"llm.token_count.{name}") for name in ("prompt", "completion", "total"))
_SAID = tuple(
    ("LLM", f"llm.{side}_messages.*.message.contents.*.message_content.{part}")
    for side in ("input", "output")
    for part in ("text", "type")
)

ALLOWED: tuple[Allowed, ...] = (
    Allowed(
        "a run's and a step's status",
        "`OK` whenever it ends: a stream that was broken off, a streamed run that failed",
        "`ERROR` where it failed, unset where nobody waited for the end",
        (("AGENT", "(status)"), ("CHAIN", "(status)")),
        ("differs",),
        lambda found: found.theirs["(status)"] == "OK" and found.ours["(status)"] in ("ERROR", "UNSET"),
    ),
    Allowed(
        "an error that the model is told of, to mend it",
        "`ERROR` on the step, with the exception twice",
        "`ERROR` on the span of what failed; the step has the event `agent.step_recovery` and `smolagents.step.error`, "
        "and is `ERROR` itself only where no span below it shows the failure",
        (("CHAIN", "(status)"), ("CHAIN", "(events)")),
        ("differs",),
        lambda found: found.theirs["(status)"] == "ERROR" and _is_mended(found),
    ),
    Allowed(
        "a run's `llm.token_count.*`",
        "the sum of its steps, which backends add to the model calls' own",
        "under `smolagents.token_count.*`",
        _COUNTS,
        ("theirs only",),
        _same_count,
    ),
    Allowed(
        "the numbers themselves, of a conversation that goes on and of a run with plans",
        "everything since the conversation began; without plans",
        "this run; with plans",
        _COUNTS,
        ("theirs only",),
        lambda found: found.scenario in ("a second run", "planning") and not _same_count(found),
    ),
    Allowed(
        "a run's `input.value`",
        "every parameter of `run`, with defaults",
        "the task; where more was given, that too",
        (("AGENT", "input.value"),),
        ("differs",),
        _same_task,
    ),
    Allowed(
        "`smolagents.task`",
        "the task of the run before",
        "the task of this run",
        (("AGENT", "smolagents.task"),),
        ("differs",),
        lambda found: found.ours[found.key] != found.theirs[found.key] == "What is the weather in Oslo?",
    ),
    Allowed(
        "`smolagents.max_steps`",
        "the agent's, whatever `run` was given",
        "what holds for the run",
        (("AGENT", "smolagents.max_steps"),),
        ("differs",),
        lambda found: json.loads(found.ours["input.value"])["max_steps"] == found.ours[found.key],
    ),
    Allowed(
        "a streamed run's `output.value`",
        "the `repr` of everything that was yielded, in one string",
        "the answer",
        (("AGENT", "output.value"),),
        ("differs",),
        _contains_ours,
    ),
    Allowed(
        "`output.value` of a run with `return_full_result`",
        "the `repr` of all its steps",
        "the answer; `smolagents.state` says how it ended",
        (("AGENT", "output.value"),),
        ("differs",),
        lambda found: found.theirs[found.key].startswith(
            f"RunResult(output={found.ours[found.key]!r}, state='success'"
        ),
    ),
    Allowed(
        "`output.value` of a run that has no answer",
        "the `repr` of what was yielded",
        "none",
        (("AGENT", "output.value"),),
        ("theirs only",),
        lambda found: found.ours["(status)"] != "OK",
    ),
    Allowed(
        "a picture as a tool's or a run's `output.value`",
        "the name of a file that the instrumentor has smolagents write for it",
        "its class, mode and size; no file is written",
        (("AGENT", "output.value"), ("TOOL", "output.value")),
        ("differs",),
        _is_file_of_picture,
    ),
    Allowed(
        "a step's `input.value`",
        "the `repr` of a step that nothing is known of yet",
        "what the step is to react to: the task, the plan, the last observations or error",
        (("CHAIN", "input.value"),),
        ("differs",),
        _is_prefix('{"memory_step": "ActionStep('),
    ),
    Allowed(
        "a model call's `input.value`",
        "JSON whose messages and tools are `repr`s",
        "JSON throughout",
        (("LLM", "input.value"),),
        ("differs",),
        _same_messages,
    ),
    Allowed(
        "a model call's `output.value`",
        "JSON with the provider's response as a `repr`; of a stream without it",
        "JSON throughout; a streamed text as that text",
        (("LLM", "output.value"), ("LLM", "output.mime_type")),
        ("differs",),
        _same_answer,
    ),
    Allowed(
        "a message that is one text",
        "`message.contents.0.message_content.text`",
        "`message.content`",
        _SAID,
        ("theirs only",),
        _same_text,
    ),
    Allowed(
        "what a model thought",
        "a `text` after the answer's",
        "a `reasoning` before it",
        _SAID,
        ("differs",),
        _same_parts,
    ),
    Allowed(
        "roles",
        "smolagents' own `tool-call` and `tool-response`",
        "`assistant` and `tool`",
        (("LLM", "llm.input_messages.*.message.role"),),
        ("differs",),
        _same_role,
    ),
    Allowed(
        "pictures in messages",
        "PNG",
        "the same picture in other bytes",
        (("LLM", "llm.input_messages.*.message.contents.*.message_content.image.image.url"),),
        ("differs",),
        _same_picture,
    ),
    Allowed(
        "`llm.invocation_parameters`",
        "the model's settings",
        "and those of the call, such as `stop_sequences`",
        (("LLM", "llm.invocation_parameters"),),
        ("differs",),
        _has_all_of_theirs,
    ),
    Allowed(
        "`llm.model_name`",
        "what was asked for",
        "what answered; both also under `llm.request.model_name` and `llm.response.model_name`",
        (("LLM", "llm.model_name"),),
        ("differs",),
        lambda found: found.ours["llm.request.model_name"] == found.theirs[found.key],
    ),
    Allowed(
        "a tool's `input.value`",
        '`{"args": […], "sanitize_inputs_outputs": …, "kwargs": {…}}`',
        "the arguments by their names",
        (("TOOL", "input.value"),),
        ("differs",),
        _same_arguments,
    ),
    Allowed(
        "a number or truth value as a tool's `output.value`",
        "itself, where backends expect a string",
        "JSON",
        (("TOOL", "output.value"), ("TOOL", "output.mime_type")),
        ("differs",),
        lambda found: json.loads(found.ours["output.value"]) == found.theirs["output.value"],
    ),
    Allowed(
        "`tool.parameters`",
        "smolagents' mapping of inputs",
        "JSON Schema",
        (("TOOL", "tool.parameters"),),
        ("differs",),
        _same_schema,
    ),
)


class OneSided(NamedTuple):
    """A span that only one of the two has, as a row of the table in the docs."""

    of: str
    there: str
    """What the one has."""
    otherwise: str = "nothing"
    """What the other one has in its place."""


SPANS_OF_OURS = {
    "CHAIN CodeAgent.execute": OneSided("code that a CodeAgent runs, what it prints and what comes out", "CHAIN"),
    "CHAIN Planning": OneSided("a plan", "CHAIN", "its model call, below the run"),
    "CHAIN Step 2": OneSided(
        "the answer that is asked for when no step is left", "CHAIN", "its model call, below the run"
    ),
    "GUARDRAIL names_a_city": OneSided("a check of the final answer", "GUARDRAIL"),
    "LLM ScriptedModel.generate": OneSided("a call of a model whose `generate` is one's own", "LLM"),
    "TOOL no_such_tool": OneSided("a call of a tool that there isn't", "TOOL, `ERROR`"),
    "AGENT ToolCallingAgent.run": OneSided(
        "a run that failed", "AGENT, `ERROR`", "where it was streamed; else never ended"
    ),
}
"""What only we have, by kind and name, as it occurs in the scenarios."""

SPANS_OF_THEIRS = {
    "calls within a tool: TOOL get_weather": OneSided("a tool that the user's own code calls", "TOOL", "mark it"),
    "calls within a tool: LLM OpenAIModel.generate": OneSided(
        "a model that the user's own code calls", "LLM", "mark it"
    ),
}
"""What only they have: what is no agent's doing. Marks see it: `trace_tool` and `trace_llm` on those calls."""
