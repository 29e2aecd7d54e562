"""Google's client (google-genai): responses of Gemini, their streams, embeddings.

A stream is a plain generator of responses, so there is no stream object to know. The Gemini API and Vertex AI give
objects of the same classes; their REST forms, in camel case, are read too.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...semconv.fields import fields, has_fields, is_a
from ...semconv.types import ModelCall
from ..interface import Assembler, Reader
from ..pieces import Room, plain_copy
from .responses import (
    GoogleAssembler,
    is_embedding_response,
    is_generated_content,
    read_embedding_response,
    read_generated_content,
)

__all__ = ["GoogleReader"]


class GoogleReader(Reader):
    """Reads what Google's client returns (``GenerateContentResponse``, ``EmbedContentResponse``), and such mappings."""

    name = "google"

    def reads(self, response: object) -> bool:
        """Whether ``response`` is generated content or embeddings."""
        return is_generated_content(response) or is_embedding_response(response)

    def read(self, response: object) -> ModelCall:
        """What the response says of the call."""
        return (
            read_embedding_response(response) if is_embedding_response(response) else read_generated_content(response)
        )

    def reads_chunk(self, chunk: object) -> bool:
        """Whether ``chunk`` is a response of a stream."""
        return is_generated_content(chunk)

    def assembler(self) -> Assembler:
        """An assembler of a stream's responses."""
        return GoogleAssembler()

    def reads_tool(self, tool: object) -> bool:
        """Whether ``tool`` is one of the client's own objects for tools."""
        return (is_a(tool, "google", "Tool") and has_fields(tool, ("function_declarations",))) or (
            is_a(tool, "google", "FunctionDeclaration") and has_fields(tool, ("parameters",))
        )

    def read_tool(self, tool: object) -> Mapping[str, object]:
        """The tool's definition: function declarations, or a tool that Google runs."""
        return plain_copy(fields(tool), Room()) or {}
