"""What LangChain's models return: messages, results with several generations, and the chunks and events of streams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...semconv.fields import (
    as_list,
    field,
    fields,
    has_fields,
    int_field,
    is_a,
    is_dict,
    is_list,
    is_text,
    list_field,
    text_field,
    text_of,
)
from ...semconv.parts import drop_none
from ...semconv.types import ModelCall
from ..interface import Assembler, Reader, StreamForm
from ..turns import add_token_counts
from .messages import identity_of, read_ai_message
from .streams import LangChainAssembler, is_chunk
from .tools import read_tool
from .usage import usage_of_provider

__all__ = ["LangChainReader"]

_PACKAGE = "langchain_core"
_RESULTS = ("LLMResult", "ChatResult")
_GENERATIONS = ("ChatGeneration", "Generation", "ChatGenerationChunk", "GenerationChunk")
_ONLY_OF_MESSAGES = ("response_metadata", "usage_metadata", "additional_kwargs")


class LangChainReader(Reader):
    """Reads ``AIMessage``, ``LLMResult`` and ``ChatResult``, from whichever integration, and what is dumped of them."""

    name = "langchain"

    def reads(self, response: object) -> bool:
        """Whether it is a message of a model, or holds some as generations or as the raw part of a parsed answer."""
        return _is_message(_unwrapped(response)) or _is_result(response) or _is_generation(response)

    def read(self, response: object) -> ModelCall:
        """The messages, or the texts of a model that completes prompts, and the counts."""
        if _is_result(response):
            return _read_result(response)
        if _is_generation(response):
            return _read_generation(response)
        return read_ai_message(_unwrapped(response))

    def reads_chunk(self, chunk: object) -> bool:
        """Whether it is a chunk of ``stream``, or an event of ``stream_events`` or ``astream_events``."""
        return is_chunk(chunk)

    def assembler(self) -> Assembler:
        """A new one."""
        return LangChainAssembler()

    def stream_form(self, stream: object) -> StreamForm | None:
        """A stream of version 3's events, which can be read in several ways and knows its message in the end."""
        if is_a(stream, _PACKAGE, "ChatModelStream", "AsyncChatModelStream"):
            return StreamForm(snapshots=("output_message",))
        return None

    def reads_tool(self, tool: object) -> bool:
        """Whether it is a tool of LangChain's."""
        return is_a(tool, _PACKAGE, "BaseTool")

    def read_tool(self, tool: object) -> Mapping[str, object]:
        """Its definition, as far as it can be read without having LangChain make it."""
        return read_tool(tool)


def _is_message(value: object) -> bool:
    if is_a(value, _PACKAGE, "AIMessage"):
        return True
    if not is_dict(value) or text_field(value, "type") not in ("ai", "AIMessageChunk"):
        return False
    return has_fields(value, ("content",)) and any(has_fields(value, (name,)) for name in _ONLY_OF_MESSAGES)


def _unwrapped(value: object) -> object:
    """The message in what LangChain wraps one in: its serialised forms, and the answer of a structured output."""
    if not is_dict(value):
        return value
    if has_fields(value, ("raw", "parsed", "parsing_error")):
        return field(value, "raw")
    path = list_field(value, "id")
    constructed = int_field(value, "lc") == 1 and path and text_of(path[-1]) in ("AIMessage", "AIMessageChunk")
    inner = field(value, "kwargs") if constructed else field(value, "data")
    if is_dict(inner) and (constructed or text_field(value, "type") == "ai"):
        return {"additional_kwargs": {}, **fields(inner), "type": "ai"}
    return value


def _is_result(value: object) -> bool:
    if is_a(value, _PACKAGE, *_RESULTS):
        return True
    if not is_dict(value) or not has_fields(value, ("generations", "llm_output")):
        return False
    return all(map(_is_generation, _first_of_each(value)))


def _is_generation(value: object) -> bool:
    return is_a(value, _PACKAGE, *_GENERATIONS) or (
        is_dict(value) and text_field(value, "type") in _GENERATIONS and has_fields(value, ("text",))
    )


def _first_of_each(result: object) -> list[Any]:
    """The first generation for each prompt."""
    return [each for generations in _by_prompt(result) for each in generations[:1]]


def _by_prompt(result: object) -> list[Sequence[Any]]:
    generations = list_field(result, "generations")
    if all(map(is_list, generations)):
        return [as_list(each) for each in generations]
    return [generations]  # those of a ChatResult are of one prompt


def _read_result(result: object) -> ModelCall:
    read = [_read_generation(each) for generations in _by_prompt(result) for each in generations]
    # Each generation for a prompt has the counts of the whole call, so one for each prompt is counted.
    counts = [_read_generation(each).get("token_counts") for each in _first_of_each(result)]
    output = field(result, "llm_output")
    said = usage_of_provider(field(output, "token_usage", "usage"))
    first: dict[str, Any] = {} if not read else {**read[0]}
    named = {name: value for name, value in identity_of(output).items() if name != "finish_reason"}
    first.update(
        **named,
        output_messages=[message for call in read for message in call.get("output_messages", ())] or None,
        choices=[text for call in read for text in call.get("choices", ())] or None,
        token_counts=said if None in counts else add_token_counts(count for count in counts if count is not None),
    )
    return drop_none(**first)  # type: ignore[return-value]


def _read_generation(generation: object) -> ModelCall:
    """What one generation says: its message; of a model that completes prompts, its text."""
    message = field(generation, "message")
    told = identity_of(field(generation, "generation_info"))
    if message is None:
        text = field(generation, "text")
        return drop_none(choices=[text] if is_text(text) else None, **told)  # type: ignore[return-value]
    return {**told, **read_ai_message(message)}  # type: ignore[typeddict-item]
