"""What smolagents' models return: a ``ChatMessage`` with the provider's own response in it, and deltas of a stream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import faults
from ..semconv.fields import field, fields, has_fields, int_field, is_a, is_dict, is_text
from ..semconv.messages import read_message
from ..semconv.parts import drop_none
from ..semconv.types import ContentPart, Message, ModelCall, TokenCount
from . import find_reader
from .added_parts import with_parts
from .interface import Assembler, Reader
from .openai.chat_choices import AssembledChoice
from .pieces import Room
from .token_counts import make_token_count

__all__ = ["SmolagentsReader"]

_PACKAGE = "smolagents"
_DUMPED = frozenset({"role", "content", "tool_calls", "raw", "token_usage"})


class SmolagentsReader(Reader):
    """Reads ``ChatMessage`` and what is dumped from one, whichever model, a user's own too, made it."""

    name = "smolagents"

    def reads(self, response: object) -> bool:
        """Whether it is a message of ``Model.generate``."""
        if is_a(response, _PACKAGE, "ChatMessage"):
            return True
        return is_dict(response) and has_fields(response, _DUMPED) and field(response, "role") is not None

    def read(self, response: object) -> ModelCall:
        """The message; what it doesn't say itself (model, reason, thoughts) from the response that it was made of."""
        raw = _read_raw(field(response, "raw"))
        first, *others = raw.get("output_messages") or ({},)
        own = [with_parts(message, _thoughts_in(first)) for message in read_message(response, "assistant")]
        usage = field(response, "token_usage")
        said = _counts_of(int_field(usage, "input_tokens"), int_field(usage, "output_tokens"))
        known: dict[str, Any] = {**raw, "output_messages": [*own, *others]}
        known["token_counts"] = raw.get("token_counts") or said
        return drop_none(**known)  # type: ignore[return-value]

    def reads_chunk(self, chunk: object) -> bool:
        """Whether it is a delta of ``Model.generate_stream``."""
        return is_a(chunk, _PACKAGE, "ChatMessageStreamDelta")

    def assembler(self) -> Assembler:
        """A new one."""
        return _SmolagentsAssembler()

    def reads_tool(self, tool: object) -> bool:
        """Whether it is a ``Tool``, or an agent that another one may call as one."""
        return is_a(tool, _PACKAGE, "Tool", "MultiStepAgent")

    def read_tool(self, tool: object) -> Mapping[str, object]:
        """The definition that smolagents sends to a model: the tool's own words for its inputs, as JSON Schema."""
        inputs = fields(_declared(tool, "inputs"))
        parameters = {
            "type": "object",
            "properties": {name: _property_of(value) for name, value in inputs.items()},
            "required": [name for name, value in inputs.items() if field(value, "nullable") is not True],
        }
        named = drop_none(name=_declared(tool, "name"), description=_declared(tool, "description"))
        return {"type": "function", "function": {**named, "parameters": parameters}}


class _SmolagentsAssembler(Assembler):
    def __init__(self) -> None:
        self._choice = AssembledChoice(Room())
        self._prompt = 0
        self._completion = 0

    def add(self, chunk: object) -> None:
        self._choice.add({"delta": chunk})
        # Models count either everything at the end or each token with its delta: smolagents adds up whatever comes.
        usage = field(chunk, "token_usage")
        self._prompt += int_field(usage, "input_tokens") or 0
        self._completion += int_field(usage, "output_tokens") or 0

    def result(self) -> ModelCall:
        return drop_none(  # type: ignore[return-value]
            output_messages=read_message(self._choice.message(), "assistant"),
            token_counts=_counts_of(self._prompt, self._completion),
        )


def _read_raw(raw: object) -> ModelCall:
    """What the provider's response, which a message was made of, says; nothing where it is no known one."""
    reader = None if raw is None else find_reader(raw)
    if reader is None or isinstance(reader, SmolagentsReader):  # of its own kind, which might hold itself
        return {}
    try:
        return reader.read(raw)
    except BaseException as error:
        faults.contain(f"reading the raw response of a ChatMessage by the reader {reader.name}", error)
        return {}


def _thoughts_in(message: Message) -> list[ContentPart]:
    return [part for part in message.get("contents", ()) if part["type"] == "reasoning"]


def _counts_of(prompt: int | None, completion: int | None) -> TokenCount | None:
    return make_token_count(prompt=prompt, completion=completion)


def _declared(tool: object, name: str) -> Any:
    """What ``tool``, or the class that declares it, has under ``name``, be it text or a mapping."""
    spaces = [{name: field(tool, name)}, *(vars(base) for base in type(tool).__mro__)]
    found = (space.get(name) for space in spaces)
    return next((value for value in found if is_text(value) or is_dict(value)), None)


def _property_of(declared: object) -> object:
    """One input as a property; smolagents' word for a value of any type is a string to a model."""
    return {**fields(declared), "type": "string"} if field(declared, "type") == "any" else declared
