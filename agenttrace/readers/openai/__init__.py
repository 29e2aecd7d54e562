"""Reads what OpenAI's client returns, and what any other server answers in the same shapes."""

from __future__ import annotations

from ...semconv.fields import field, from_package, is_a, text_field
from ...semconv.types import ModelCall
from ..interface import Assembler, Reader, StreamForm
from .chat_completions import is_chat_completion_chunk
from .shapes import ShapeAssembler, assembler_of, reading_of

__all__ = ["OpenAIReader"]

_HAVE_READERS_OF_THEIR_OWN = ("litellm", "mistralai", "huggingface_hub")
_CHAT_FORM = StreamForm(
    finishers=frozenset({"get_final_completion", "until_done"}), snapshots=("current_completion_snapshot",)
)
# The response that was put together has no public name.
_RESPONSE_FORM = StreamForm(
    finishers=frozenset({"get_final_response", "until_done"}), snapshots=("_state._completed_response",)
)


class OpenAIReader(Reader):
    """Chat completions, responses, completions and embeddings; those of OpenAI-compatible servers too.

    What `with_raw_response` gives isn't read: its body may not even have been fetched.
    """

    name = "openai"

    def reads(self, response: object) -> bool:
        """Whether ``response`` is an answer of OpenAI's, by its shape; not where its class has a reader of its own."""
        return not _is_of_others(response) and reading_of(response) is not None

    def read(self, response: object) -> ModelCall:
        """The call of which ``response`` is the answer."""
        read = reading_of(response)
        return {} if read is None else read(response)

    def reads_chunk(self, chunk: object) -> bool:
        """Whether ``chunk`` is of a stream of OpenAI's, or an event of its client's helpers."""
        return not _is_of_others(chunk) and assembler_of(_chunk_in(chunk)) is not None

    def assembler(self) -> Assembler:
        """An assembler for whichever of the shapes comes first."""
        return _OpenAIAssembler()

    def stream_form(self, stream: object) -> StreamForm | None:
        """How a stream of OpenAI's client is used: the plain one, a helper's, or the manager that opens it."""
        if is_a(stream, "openai", "Stream", "AsyncStream"):
            return StreamForm()
        for form, name in ((_CHAT_FORM, "ChatCompletionStream"), (_RESPONSE_FORM, "ResponseStream")):
            if is_a(stream, "openai", name, f"Async{name}", f"{name}Manager", f"Async{name}Manager"):
                return form
        return None


class _OpenAIAssembler(ShapeAssembler):
    def add(self, chunk: object) -> None:
        super().add(_chunk_in(chunk))


def _is_of_others(value: object) -> bool:
    return any(from_package(value, root) for root in _HAVE_READERS_OF_THEIR_OWN)


def _chunk_in(chunk: object) -> object:
    """The chunk that an event of the chat helper hands on; its other events only say the same again."""
    if text_field(chunk, "type") == "chunk":
        inner = field(chunk, "chunk")
        return inner if is_chat_completion_chunk(inner) else chunk
    return chunk
