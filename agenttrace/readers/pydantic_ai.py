"""What Pydantic AI's models return: a ``ModelResponse`` of parts, and the definitions of its tools."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openinference.semconv.trace import OpenInferenceLLMProviderValues

from ..semconv.fields import field, fields, int_field, is_a, is_dict, text_field
from ..semconv.histories import is_turn
from ..semconv.messages import read_message
from ..semconv.parts import drop_none
from ..semconv.providers import host_of, provider_of_host
from ..semconv.types import ModelCall, TokenCount
from .interface import Reader
from .token_counts import make_token_count

__all__ = ["PydanticAIReader"]

_PACKAGE = "pydantic_ai"
_Provider = OpenInferenceLLMProviderValues
# Under the names that Pydantic AI has for them. Others are told by where they are, or not at all.
_PROVIDERS = {
    "anthropic": _Provider.ANTHROPIC.value,
    "azure": _Provider.AZURE.value,
    "bedrock": _Provider.AWS.value,
    "cerebras": _Provider.CEREBRAS.value,
    "cohere": _Provider.COHERE.value,
    "deepseek": _Provider.DEEPSEEK.value,
    "fireworks": _Provider.FIREWORKS.value,
    "google": _Provider.GOOGLE.value,
    "google-cloud": _Provider.GOOGLE.value,
    "google-gla": _Provider.GOOGLE.value,
    "google-vertex": _Provider.GOOGLE.value,
    "groq": _Provider.GROQ.value,
    "mistral": _Provider.MISTRALAI.value,
    "ollama": _Provider.OLLAMA.value,
    "openai": _Provider.OPENAI.value,
    "together": _Provider.TOGETHER.value,
    "xai": _Provider.XAI.value,
}


class PydanticAIReader(Reader):
    """Reads a ``ModelResponse``, whichever provider it is of, as an object or dumped."""

    name = "pydantic-ai"

    def reads(self, response: object) -> bool:
        """Whether it is a ``ModelResponse``: what it is says its ``kind``."""
        return text_field(response, "kind") == "response" and is_turn(response)

    def read(self, response: object) -> ModelCall:
        """The parts, as one message, the tokens and what is known of the model."""
        known: dict[str, Any] = {
            "model_name": text_field(response, "model_name"),
            "provider": _provider_of(response),
            "output_messages": read_message(response, "assistant"),
            "token_counts": _read_usage(field(response, "usage")),
            "finish_reason": text_field(response, "finish_reason"),
        }
        return drop_none(**known)  # type: ignore[return-value]

    def reads_tool(self, tool: object) -> bool:
        """Whether it is a ``ToolDefinition``."""
        return is_a(tool, _PACKAGE, "ToolDefinition") and is_dict(field(tool, "parameters_json_schema"))

    def read_tool(self, tool: object) -> Mapping[str, object]:
        """The definition in OpenAI's shape, whatever the provider it is sent to makes of it."""
        described = drop_none(name=text_field(tool, "name"), description=text_field(tool, "description"))
        parameters = field(tool, "parameters_json_schema")
        return {"type": "function", "function": {**described, "parameters": parameters}}


def _provider_of(response: object) -> str | None:
    known = _PROVIDERS.get(text_field(response, "provider_name") or "")
    return known or provider_of_host(host_of(text_field(response, "provider_url")))


def _read_usage(usage: object) -> TokenCount | None:
    """The counts of a request; those of the cache and of sound are parts of the whole already."""
    return make_token_count(
        prompt=int_field(usage, "input_tokens"),
        completion=int_field(usage, "output_tokens"),
        cache_read=int_field(usage, "cache_read_tokens") or None,
        cache_write=int_field(usage, "cache_write_tokens") or None,
        audio=int_field(usage, "input_audio_tokens") or None,
        reasoning=int_field(fields(field(usage, "details")), "reasoning_tokens"),
        completion_audio=int_field(usage, "output_audio_tokens") or None,
    )
