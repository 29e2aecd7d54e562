"""Reads what LiteLLM returns: OpenAI's shapes, whoever answered, with LiteLLM's own notes of the call beside."""

from __future__ import annotations

from typing import Any

from openinference.semconv.trace import OpenInferenceLLMProviderValues

from ..semconv.fields import field, from_package, is_a, text_field
from ..semconv.parts import drop_none
from ..semconv.providers import host_of, infer_provider, provider_of_host
from ..semconv.types import ModelCall
from .interface import Assembler, Reader, StreamForm
from .openai.shapes import ShapeAssembler, assembler_of, reading_of

__all__ = ["LiteLLMReader"]

_STREAMS = ("CustomStreamWrapper", "TextCompletionStreamWrapper", "BaseResponsesAPIStreamingIterator")
_Provider = OpenInferenceLLMProviderValues
# LiteLLM's names of providers → OpenInference's, where they differ.
_PROVIDERS = {
    **dict.fromkeys(("azure_ai", "azure_text"), _Provider.AZURE.value),
    **dict.fromkeys(("bedrock", "bedrock_converse", "sagemaker", "sagemaker_chat"), _Provider.AWS.value),
    **dict.fromkeys(("vertex_ai", "vertex_ai_beta", "gemini"), _Provider.GOOGLE.value),
    **dict.fromkeys(("mistral", "codestral", "text-completion-codestral"), _Provider.MISTRALAI.value),
    "cohere_chat": _Provider.COHERE.value,
    "fireworks_ai": _Provider.FIREWORKS.value,
    "meta_llama": _Provider.META.value,
    "ollama_chat": _Provider.OLLAMA.value,
    "text-completion-openai": _Provider.OPENAI.value,
    "together_ai": _Provider.TOGETHER.value,
}


class LiteLLMReader(Reader):
    """LiteLLM's completions, responses, text completions and embeddings, with who answered and what it cost."""

    name = "litellm"

    def reads(self, response: object) -> bool:
        """Whether ``response`` is an object of LiteLLM's with one of OpenAI's shapes."""
        return from_package(response, "litellm") and reading_of(response) is not None

    def read(self, response: object) -> ModelCall:
        """The call of which ``response`` is the answer."""
        read = reading_of(response)
        call: ModelCall = {} if read is None else read(response)
        return {**call, **_noted(_notes_of(response))}

    def reads_chunk(self, chunk: object) -> bool:
        """Whether ``chunk`` is of a stream of LiteLLM's."""
        return from_package(chunk, "litellm") and assembler_of(chunk) is not None

    def assembler(self) -> Assembler:
        """An assembler for whichever of the shapes comes first."""
        return _LiteLLMAssembler()

    def stream_form(self, stream: object) -> StreamForm | None:
        """How LiteLLM's stream wrappers are used: as plain iterators."""
        return StreamForm() if is_a(stream, "litellm", *_STREAMS) else None


class _LiteLLMAssembler(ShapeAssembler):
    """The chunks of a stream, and the notes on them: who answers is on the first, the cost of an answer on its last."""

    def __init__(self) -> None:
        super().__init__()
        self._noted: ModelCall = {}
        self._costs: dict[str, float] = {}

    def add(self, chunk: object) -> None:
        super().add(chunk)
        noted = _noted(_notes_of(chunk))
        if "cost" in noted:
            self._costs[text_field(chunk, "id") or ""] = noted["cost"]["total"]
        self._noted.update(noted)

    def result(self) -> ModelCall:
        call: ModelCall = {**super().result(), **self._noted}
        if self._costs:
            call["cost"] = {"total": sum(self._costs.values())}
        return call


def _notes_of(response: object) -> object:
    """What LiteLLM keeps beside the provider's answer: a mapping or an object in a private field."""
    return field(field(response, "__pydantic_private__"), "_hidden_params")


def _noted(notes: object) -> ModelCall:
    return drop_none(  # type: ignore[return-value]
        model_name=text_field(notes, "provider_response_model"),
        provider=_provider(notes),
        cost=_cost(field(notes, "response_cost")),
    )


def _provider(notes: object) -> str | None:
    name = text_field(notes, "custom_llm_provider")
    if name is None:
        return infer_provider(text_field(notes, "litellm_model_name"))
    provider = _PROVIDERS.get(name, name)
    address = text_field(notes, "api_base")
    if provider == _Provider.OPENAI.value and address is not None:
        return provider_of_host(host_of(address))  # under this name any server is reached that speaks OpenAI's API
    return provider


def _cost(cost: object) -> Any:
    """The cost of the call in US dollars, which LiteLLM reckons from its prices; it is 0 where it has none, too."""
    return {"total": float(cost)} if type(cost) in (int, float) and cost > 0 else None  # type: ignore[arg-type, operator]
