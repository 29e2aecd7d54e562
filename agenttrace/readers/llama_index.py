"""What LlamaIndex's models return: a ``ChatResponse`` or ``CompletionResponse`` around the provider's own response."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import faults
from ..semconv.fields import field, fields, is_a, text_field
from ..semconv.messages import read_message
from ..semconv.parts import drop_none
from ..semconv.types import ModelCall, TokenCount
from . import find_reader
from .interface import Assembler, Reader
from .langchain.tools import read_tool as read_declared
from .usage import read_any_usage

__all__ = ["LlamaIndexReader"]

_PACKAGE = "llama_index"
_RESPONSES = ("ChatResponse", "CompletionResponse")
_TAKEN_FROM_RAW = ("model_name", "provider", "system", "finish_reason", "token_counts")


class LlamaIndexReader(Reader):
    """Reads the responses of every LLM class of LlamaIndex's, and the ones that a stream of it gives."""

    name = "llama-index"

    def reads(self, response: object) -> bool:
        """Whether it is a response of ``chat`` or ``complete``."""
        return is_a(response, _PACKAGE, *_RESPONSES)

    def read(self, response: object) -> ModelCall:
        """Its message or text; model, reason to stop and token counts from the response that it was made of."""
        message = field(response, "message")
        raw = _read_raw(field(response, "raw"))
        known: dict[str, Any] = {name: raw[name] for name in _TAKEN_FROM_RAW if name in raw}  # type: ignore[literal-required]
        known["token_counts"] = known.get("token_counts") or _counts_of(response, message)
        if message is None:
            return drop_none(**known, choices=[text_field(response, "text") or ""])  # type: ignore[return-value]
        return drop_none(**known, output_messages=read_message(message, "assistant"))  # type: ignore[return-value]

    def reads_chunk(self, chunk: object) -> bool:
        """Whether it is what ``stream_chat`` or ``stream_complete`` yields: responses, each with all so far in it."""
        return self.reads(chunk)

    def assembler(self) -> Assembler:
        """A new one."""
        return _LastResponse(self)

    def reads_tool(self, tool: object) -> bool:
        """Whether it is a tool of LlamaIndex's."""
        return is_a(tool, _PACKAGE, "BaseTool")

    def read_tool(self, tool: object) -> Mapping[str, object]:
        """Its definition, as far as it can be read without having pydantic make the schema."""
        metadata = field(tool, "_metadata", "metadata")
        return read_declared(
            {
                "name": text_field(metadata, "name"),
                "description": text_field(metadata, "description"),
                "args_schema": field(metadata, "fn_schema"),
            }
        )


class _LastResponse(Assembler):
    """What the newest response of a stream says, and what only earlier ones said."""

    def __init__(self, reader: LlamaIndexReader) -> None:
        self._reader = reader
        self._known: dict[str, Any] = {}

    def add(self, chunk: object) -> None:
        self._known.update(self._reader.read(chunk))

    def result(self) -> ModelCall:
        return self._known  # type: ignore[return-value]


def _read_raw(raw: object) -> ModelCall:
    reader = None if raw is None else find_reader(raw)
    if reader is None or isinstance(reader, LlamaIndexReader):
        return {}
    try:
        return reader.read(raw)
    except BaseException as error:
        faults.contain(f"reading the raw response of a ChatResponse by the reader {reader.name}", error)
        return {}


def _counts_of(response: object, message: object) -> TokenCount | None:
    """The counts that LlamaIndex's integrations note themselves, and those of a raw response in no known shape."""
    raw = field(response, "raw")
    for said in (
        field(response, "additional_kwargs"),
        field(message, "additional_kwargs"),
        field(raw, "usage"),
        field(fields(raw), "usage"),
    ):
        counts = None if said is None else read_any_usage(said)
        if counts:
            return counts
    return None
