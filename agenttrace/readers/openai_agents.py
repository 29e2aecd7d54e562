"""What models of the OpenAI Agents SDK return: a ``ModelResponse`` with items of OpenAI's responses, and its tools."""

from __future__ import annotations

from collections.abc import Mapping

from ..semconv.fields import field, has_fields, is_a, is_dict, list_field, text_field
from ..semconv.parts import drop_none
from ..semconv.types import ModelCall
from .interface import Reader
from .openai.response_items import read_items
from .token_counts import read_usage

__all__ = ["OpenAIAgentsReader"]

_PACKAGE = "agents"
_FIELDS = ("output", "usage", "response_id")


class OpenAIAgentsReader(Reader):
    """Reads what ``Model.get_response`` gives. Its streams are of OpenAI's own events, which `OpenAIReader` reads."""

    name = "openai-agents"

    def reads(self, response: object) -> bool:
        """Whether it is a ``ModelResponse``; the fields are asked for too, since other packages are named agents."""
        return is_a(response, _PACKAGE, "ModelResponse") and has_fields(response, _FIELDS)

    def read(self, response: object) -> ModelCall:
        """The items that the model put out, as one message, and its tokens."""
        return drop_none(  # type: ignore[return-value]
            output_messages=read_items(list_field(response, "output")) or None,
            token_counts=read_usage(field(response, "usage")),
        )

    def reads_tool(self, tool: object) -> bool:
        """Whether it is a ``FunctionTool``."""
        return is_a(tool, _PACKAGE, "FunctionTool") and is_dict(field(tool, "params_json_schema"))

    def read_tool(self, tool: object) -> Mapping[str, object]:
        """The definition that is sent to OpenAI."""
        described = drop_none(name=text_field(tool, "name"), description=text_field(tool, "description"))
        return {"type": "function", **described, "parameters": field(tool, "params_json_schema")}
