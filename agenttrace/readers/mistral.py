"""What Mistral's client returns: chats, agents' and fill-in-the-middle completions, whole and streamed, and embeddings.

They have the shape of OpenAI's chat completions, but that contents may be lists with thoughts and references in them.
Mappings of that shape are the OpenAI reader's, for nothing in them says whose they are; the client's objects do.
"""

from __future__ import annotations

from typing import Any

from openinference.semconv.trace import OpenInferenceLLMProviderValues, OpenInferenceLLMSystemValues

from ..semconv.fields import field, is_a, is_dict, list_field, package_of
from ..semconv.parts import drop_none
from ..semconv.types import ModelCall
from .as_sent import as_sent
from .interface import Assembler, Reader, StreamForm
from .openai.chat_completions import ChatCompletionAssembler, is_chat_completion_chunk, read_chat_completion
from .openai.embeddings import read_embedding_response

__all__ = ["MistralReader"]

_PACKAGES = ("mistralai", "mistralai_azure", "mistralai_gcp")
_PROVIDERS = {
    **dict.fromkeys(("mistralai.azure", "mistralai_azure"), OpenInferenceLLMProviderValues.AZURE.value),
    **dict.fromkeys(("mistralai.gcp", "mistralai_gcp"), OpenInferenceLLMProviderValues.GOOGLE.value),
}
"""Who runs the model, by the client's module: those for other clouds have classes of their own."""
_COMPLETIONS = ("ChatCompletionResponse", "FIMCompletionResponse")


class MistralReader(Reader):
    """Reads ``mistralai``'s responses and the events of its streams."""

    name = "mistral"

    def reads(self, response: object) -> bool:
        """Whether it is a response of ``chat``, ``agents``, ``fim`` or ``embeddings``."""
        return _is_mistrals(response, *_COMPLETIONS, "EmbeddingResponse")

    def read(self, response: object) -> ModelCall:
        """The messages or the vectors, and the counts."""
        sent = _as_sent(response)
        if _is_mistrals(response, "EmbeddingResponse"):
            return read_embedding_response(sent)
        sent["choices"] = [each for choice in list_field(sent, "choices") for each in _one_message_each(choice)]
        return _with_provider(read_chat_completion(sent), _provider_of(response))

    def reads_chunk(self, chunk: object) -> bool:
        """Whether it is an event of a streamed completion, or the chunk in one."""
        if _is_mistrals(chunk, "CompletionEvent", "CompletionChunk"):
            return True
        return is_dict(chunk) and is_chat_completion_chunk(field(chunk, "data"))

    def assembler(self) -> Assembler:
        """A new one."""
        return _MistralAssembler()

    def stream_form(self, stream: object) -> StreamForm | None:
        """An event stream is its own iterator; the generator below it is another one."""
        if _is_mistrals(stream, "EventStream", "EventStreamAsync"):
            return StreamForm(iterators=frozenset({"generator"}))
        return None


class _MistralAssembler(Assembler):
    def __init__(self) -> None:
        self._chunks = ChatCompletionAssembler()
        self._provider: str | None = None

    def add(self, chunk: object) -> None:
        data = field(chunk, "data")
        self._chunks.add(_as_sent(chunk if data is None else data))
        self._provider = self._provider or _provider_of(chunk)

    def result(self) -> ModelCall:
        return _with_provider(self._chunks.result(), self._provider)


def _is_mistrals(value: object, *class_names: str) -> bool:
    return any(is_a(value, package, *class_names) for package in _PACKAGES)


def _as_sent(value: object) -> Any:
    return as_sent(value, package_of(value))


def _provider_of(value: object) -> str | None:
    module = type(value).__module__
    return next((provider for prefix, provider in _PROVIDERS.items() if module.startswith(prefix)), None)


def _with_provider(call: ModelCall, provider: str | None) -> ModelCall:
    return drop_none(system=OpenInferenceLLMSystemValues.MISTRALAI.value, provider=provider, **call)  # type: ignore[return-value]


def _one_message_each(choice: Any) -> list[Any]:
    """``choice``; one that holds several messages as so many choices."""
    several = list_field(choice, "messages")
    if field(choice, "message") is not None or not several:
        return [choice]
    return [{**choice, "message": message} for message in several]
