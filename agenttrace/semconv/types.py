"""OpenInference's objects as typed dictionaries: what the setters take and the readers give.

They say what is understood, not what is allowed. Wherever one of them is taken, a mapping or object in the shape of a
provider's own API is too (OpenAI's chat messages, Anthropic's blocks, Gemini's parts, smolagents' ``ChatMessage``), and
whatever can't be understood is recorded as readable text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

from typing_extensions import Required, TypedDict

__all__ = [
    "Annotation",
    "AudioPart",
    "ContentPart",
    "Cost",
    "CostDetails",
    "Document",
    "DocumentPart",
    "Embedding",
    "ImagePart",
    "Message",
    "ModelCall",
    "PromptTemplate",
    "ReasoningPart",
    "TextPart",
    "TokenCount",
    "Tool",
    "ToolCall",
    "ToolUsePart",
    "VideoPart",
]


class TextPart(TypedDict, total=False):
    """A piece of text in a message (OpenInference ``message_content.type`` ``text``)."""

    type: Required[Literal["text"]]
    text: Required[str]
    id: str
    signature: str
    """A provider's opaque signature, such as Gemini's ``thoughtSignature`` on a text part."""


class ImagePart(TypedDict, total=False):
    """An image in a message (``message_content.type`` ``image``)."""

    type: Required[Literal["image"]]
    url: Required[str]
    """An ``http(s)`` URL, an object store's URI or a base64 data URI."""


class AudioPart(TypedDict, total=False):
    """Audio in a message (``message_content.type`` ``audio``)."""

    type: Required[Literal["audio"]]
    url: str
    """A URL or a base64 data URI."""
    mime_type: str
    transcript: str


class VideoPart(TypedDict, total=False):
    """A video in a message (``message_content.type`` ``video``)."""

    type: Required[Literal["video"]]
    url: Required[str]


class DocumentPart(TypedDict, total=False):
    """A file in a message (``message_content.type`` ``document``)."""

    type: Required[Literal["document"]]
    id: str
    """The provider's file id."""
    url: str
    content: str
    """The text of a document that was passed as text."""
    mime_type: str
    name: str


class ReasoningPart(TypedDict, total=False):
    """What a model thought, as far as its provider shows it (``message_content.type`` ``reasoning``)."""

    type: Required[Literal["reasoning"]]
    text: str
    id: str
    """The provider's id of the item, which OpenAI wants back."""
    signature: str
    data: str
    """Anthropic's ``redacted_thinking.data``."""
    encrypted_content: str
    """OpenAI's ``encrypted_content``."""


class ToolCall(TypedDict, total=False):
    """A model's request to call a tool (OpenInference ``tool_call.*``)."""

    id: str
    name: Required[str]
    """The function's name."""
    arguments: str | Mapping[str, Any]
    """JSON text as the model wrote it, or the object that it means."""
    reasoning_signature: str
    """Gemini's ``thoughtSignature`` on a function call."""


class ToolUsePart(TypedDict, total=False):
    """A tool call whose place among the other parts matters (``message_content.type`` ``tool_use``)."""

    type: Required[Literal["tool_use"]]
    tool_call: Required[ToolCall]


ContentPart: TypeAlias = "TextPart | ImagePart | AudioPart | VideoPart | DocumentPart | ReasoningPart | ToolUsePart"
"""One item of a message's ``contents``."""


class Message(TypedDict, total=False):
    """A message to or from a model (OpenInference ``message.*``).

    Example:
        >>> message: Message = {"role": "user", "content": "What is the weather in Oslo?"}
    """

    role: str
    content: str
    """The text, where there is nothing but text."""
    contents: Sequence[ContentPart]
    """The parts, where there are several or their order matters."""
    name: str
    """On a tool's result: the function that produced it."""
    tool_calls: Sequence[ToolCall]
    tool_call_id: str
    """On a tool's result: the call that it answers."""


class Tool(TypedDict, total=False):
    """A tool that is offered to a model (OpenInference ``llm.tools``)."""

    json_schema: Required[str | Mapping[str, Any]]
    """The whole definition as it is sent to the provider."""
    name: str
    description: str


class Document(TypedDict, total=False):
    """A document that was found or ranked (OpenInference ``document.*``)."""

    id: str | int
    content: str
    score: float
    metadata: Mapping[str, Any]


class Embedding(TypedDict, total=False):
    """A vector and the text it stands for (OpenInference ``embedding.*``)."""

    text: str
    vector: Sequence[float]


class TokenCount(TypedDict, total=False):
    """How many tokens a call took (OpenInference ``llm.token_count.*``).

    ``prompt`` includes ``cache_read``, ``cache_write`` and ``audio``; ``completion`` includes ``reasoning`` and
    ``completion_audio``. Of a provider that counts cached tokens apart, they have been added in.
    """

    prompt: int
    completion: int
    total: int
    """Left out, it is the sum of prompt and completion."""
    cache_read: int
    cache_write: int
    audio: int
    """Audio tokens of the prompt."""
    reasoning: int
    completion_audio: int
    """Audio tokens of the completion."""


class CostDetails(TypedDict, total=False):
    """What the parts of a prompt's or completion's cost are, in US dollars."""

    input: float
    output: float
    cache_read: float
    cache_write: float
    cache_input: float
    audio: float
    reasoning: float


class Cost(TypedDict, total=False):
    """What a call cost, in US dollars (OpenInference ``llm.cost.*``)."""

    prompt: float
    completion: float
    total: float
    """Left out, it is the sum of prompt and completion."""
    prompt_details: CostDetails
    completion_details: CostDetails


class PromptTemplate(TypedDict, total=False):
    """What a prompt was made from (OpenInference ``llm.prompt_template.*``)."""

    template: Required[str]
    version: str
    variables: Mapping[str, Any]


class Annotation(TypedDict, total=False):
    """One judgement of a span, a trace or a session (OpenInference ``annotation.*``)."""

    name: Required[str]
    score: float
    label: str
    explanation: str
    annotator_kind: str
    """``HUMAN``, ``LLM``, ``CODE`` or a word of your own."""
    identifier: str
    metadata: Mapping[str, Any]


class ModelCall(TypedDict, total=False):
    """All that can be known of one call of a model, from its arguments or from what it returned.

    What isn't known is left out, never None and never made up.
    """

    model_name: str
    """The model, as the response names it where it does."""
    provider: str
    """Who runs it (OpenInference ``llm.provider``'s well-known values where one applies)."""
    system: str
    """Whose product it is (OpenInference ``llm.system``'s well-known values where one applies)."""
    invocation_parameters: Mapping[str, Any]
    input_messages: Sequence[Message]
    output_messages: Sequence[Message]
    """One for each choice or candidate; the items of a response that are one turn are one message."""
    prompts: Sequence[str]
    """Of a completions API: what was to be completed."""
    choices: Sequence[str]
    """Of a completions API: how it was completed."""
    tools: Sequence[Tool]
    token_counts: TokenCount
    cost: Cost
    finish_reason: str
    """In the provider's own words; of several choices, the first one's."""
    embeddings: Sequence[Embedding]
    """Of an embedding model."""
    documents: Sequence[Document]
    """Of a reranker: its results in order, each with its score; content only where the response has it."""
