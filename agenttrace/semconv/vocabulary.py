"""OpenInference's reserved attributes: which there are, and what type each has.

Lists of objects are flattened: ``llm.input_messages.0.message.role`` has the list's name, an index, and one name of an
object in it. The table is by the last of these names, the leaf; :func:`leaf_of` finds it in a flattened key.
"""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache

from openinference.semconv.trace import (
    AnnotationAttributes,
    AudioAttributes,
    ChoiceAttributes,
    DocumentAttributes,
    EmbeddingAttributes,
    EvaluationAttributes,
    ImageAttributes,
    MessageAttributes,
    MessageContentAttributes,
    PromptAttributes,
    RerankerAttributes,
    SpanAttributes,
    ToolAttributes,
    ToolCallAttributes,
    VideoAttributes,
)

__all__ = ["ANNOTATION_CARRIER", "LISTS", "OMITTED", "TYPES", "ValueType", "leaf_of", "lists_in", "type_of"]


ANNOTATION_CARRIER = "agenttrace.annotation.carrier"
"""True on a span that was made for nothing but to carry an annotation of another. It is no name of OpenInference's."""


OMITTED = "agenttrace.omitted."
"""Before a list's name: how many of its objects, or of the vectors in them, there was no room for."""


class ValueType(Enum):
    """What the value of a reserved attribute is."""

    STRING = "string"
    JSON = "JSON string"
    """A string that holds JSON."""
    INTEGER = "integer"
    FLOAT = "float"
    NUMBER = "integer or float"
    BOOLEAN = "boolean"
    STRINGS = "list of strings"
    FLOATS = "list of floats"
    IDENTIFIER = "string or integer"


_STRINGS = (
    *(SpanAttributes.AGENT_NAME, SpanAttributes.SESSION_ID, SpanAttributes.USER_ID),
    *(SpanAttributes.INPUT_VALUE, SpanAttributes.INPUT_MIME_TYPE),
    *(SpanAttributes.OUTPUT_VALUE, SpanAttributes.OUTPUT_MIME_TYPE),
    *(SpanAttributes.GRAPH_NODE_ID, SpanAttributes.GRAPH_NODE_NAME, SpanAttributes.GRAPH_NODE_PARENT_ID),
    *(SpanAttributes.LLM_MODEL_NAME, SpanAttributes.LLM_REQUEST_MODEL_NAME, SpanAttributes.LLM_RESPONSE_MODEL_NAME),
    *(SpanAttributes.LLM_PROVIDER, SpanAttributes.LLM_SYSTEM, SpanAttributes.LLM_FINISH_REASON),
    *(SpanAttributes.LLM_PROMPT_TEMPLATE, SpanAttributes.LLM_PROMPT_TEMPLATE_VERSION),
    *(SpanAttributes.PROMPT_ID, SpanAttributes.PROMPT_URL, SpanAttributes.PROMPT_VENDOR),
    *(SpanAttributes.TOOL_NAME, SpanAttributes.TOOL_DESCRIPTION, SpanAttributes.TOOL_ID),
    SpanAttributes.EMBEDDING_MODEL_NAME,
    SpanAttributes.OPENINFERENCE_SPAN_KIND,
    *(RerankerAttributes.RERANKER_MODEL_NAME, RerankerAttributes.RERANKER_QUERY),
    *(AnnotationAttributes.ANNOTATION_NAME, AnnotationAttributes.ANNOTATION_LABEL),
    *(AnnotationAttributes.ANNOTATION_EXPLANATION, AnnotationAttributes.ANNOTATION_ANNOTATOR_KIND),
    AnnotationAttributes.ANNOTATION_IDENTIFIER,
    *(EvaluationAttributes.EVALUATION_NAME, EvaluationAttributes.EVALUATION_LABEL),
    *(EvaluationAttributes.EVALUATION_EXPLANATION, EvaluationAttributes.EVALUATION_ANNOTATOR_KIND),
    EvaluationAttributes.EVALUATION_IDENTIFIER,
    *(AudioAttributes.AUDIO_URL, AudioAttributes.AUDIO_MIME_TYPE, AudioAttributes.AUDIO_TRANSCRIPT),
    *(ImageAttributes.IMAGE_URL, VideoAttributes.VIDEO_URL),
    *(DocumentAttributes.DOCUMENT_CONTENT, DocumentAttributes.DOCUMENT_URL),
    *(DocumentAttributes.DOCUMENT_MIME_TYPE, DocumentAttributes.DOCUMENT_NAME),
    EmbeddingAttributes.EMBEDDING_TEXT,
    *(MessageAttributes.MESSAGE_ROLE, MessageAttributes.MESSAGE_CONTENT, MessageAttributes.MESSAGE_NAME),
    *(MessageAttributes.MESSAGE_TOOL_CALL_ID, MessageAttributes.MESSAGE_FUNCTION_CALL_NAME),
    *(MessageContentAttributes.MESSAGE_CONTENT_TYPE, MessageContentAttributes.MESSAGE_CONTENT_TEXT),
    *(MessageContentAttributes.MESSAGE_CONTENT_ID, MessageContentAttributes.MESSAGE_CONTENT_SIGNATURE),
    *(MessageContentAttributes.MESSAGE_CONTENT_DATA, MessageContentAttributes.MESSAGE_CONTENT_ENCRYPTED_CONTENT),
    *(ToolCallAttributes.TOOL_CALL_ID, ToolCallAttributes.TOOL_CALL_FUNCTION_NAME),
    ToolCallAttributes.TOOL_CALL_REASONING_SIGNATURE,
    *(PromptAttributes.PROMPT_TEXT, ChoiceAttributes.COMPLETION_TEXT),
    *(SpanAttributes.DECISION_MODEL_NAME, SpanAttributes.DECISION_REQUEST_MODEL_NAME),
    *(SpanAttributes.DECISION_RESPONSE_MODEL_NAME, SpanAttributes.DECISION_PROVIDER, SpanAttributes.DECISION_SYSTEM),
    # OpenTelemetry's own; the constants for them come with another package.
    *("exception.type", "exception.message", "exception.stacktrace"),
)
_JSONS = (
    SpanAttributes.METADATA,
    *(SpanAttributes.LLM_INVOCATION_PARAMETERS, SpanAttributes.LLM_FUNCTION_CALL),
    SpanAttributes.LLM_PROMPT_TEMPLATE_VARIABLES,
    *(SpanAttributes.EMBEDDING_INVOCATION_PARAMETERS, SpanAttributes.TOOL_PARAMETERS),
    ToolAttributes.TOOL_JSON_SCHEMA,
    *(AnnotationAttributes.ANNOTATION_METADATA, EvaluationAttributes.EVALUATION_METADATA),
    DocumentAttributes.DOCUMENT_METADATA,
    MessageAttributes.MESSAGE_FUNCTION_CALL_ARGUMENTS_JSON,
    ToolCallAttributes.TOOL_CALL_FUNCTION_ARGUMENTS_JSON,
)
_INTEGERS = (
    *(SpanAttributes.LLM_TOKEN_COUNT_PROMPT, SpanAttributes.LLM_TOKEN_COUNT_COMPLETION),
    SpanAttributes.LLM_TOKEN_COUNT_TOTAL,
    SpanAttributes.LLM_TOKEN_COUNT_PROMPT_DETAILS_AUDIO,
    SpanAttributes.LLM_TOKEN_COUNT_PROMPT_DETAILS_CACHE_INPUT,
    SpanAttributes.LLM_TOKEN_COUNT_PROMPT_DETAILS_CACHE_READ,
    SpanAttributes.LLM_TOKEN_COUNT_PROMPT_DETAILS_CACHE_WRITE,
    SpanAttributes.LLM_TOKEN_COUNT_COMPLETION_DETAILS_AUDIO,
    SpanAttributes.LLM_TOKEN_COUNT_COMPLETION_DETAILS_REASONING,
    *(SpanAttributes.DECISION_TOKEN_COUNT_INPUT, SpanAttributes.DECISION_TOKEN_COUNT_OUTPUT),
    RerankerAttributes.RERANKER_TOP_K,
)
_FLOATS = (
    *(SpanAttributes.LLM_COST_PROMPT, SpanAttributes.LLM_COST_COMPLETION, SpanAttributes.LLM_COST_TOTAL),
    *(SpanAttributes.LLM_COST_PROMPT_DETAILS_INPUT, SpanAttributes.LLM_COST_PROMPT_DETAILS_AUDIO),
    SpanAttributes.LLM_COST_PROMPT_DETAILS_CACHE_INPUT,
    SpanAttributes.LLM_COST_PROMPT_DETAILS_CACHE_READ,
    SpanAttributes.LLM_COST_PROMPT_DETAILS_CACHE_WRITE,
    SpanAttributes.LLM_COST_COMPLETION_DETAILS_AUDIO,
    SpanAttributes.LLM_COST_COMPLETION_DETAILS_OUTPUT,
    SpanAttributes.LLM_COST_COMPLETION_DETAILS_REASONING,
    DocumentAttributes.DOCUMENT_SCORE,
)

TYPES: dict[str, ValueType] = {
    **dict.fromkeys(_STRINGS, ValueType.STRING),
    **dict.fromkeys(_JSONS, ValueType.JSON),
    **dict.fromkeys(_INTEGERS, ValueType.INTEGER),
    **dict.fromkeys(_FLOATS, ValueType.FLOAT),
    AnnotationAttributes.ANNOTATION_SCORE: ValueType.NUMBER,
    EvaluationAttributes.EVALUATION_SCORE: ValueType.NUMBER,
    DocumentAttributes.DOCUMENT_ID: ValueType.IDENTIFIER,
    EmbeddingAttributes.EMBEDDING_VECTOR: ValueType.FLOATS,
    SpanAttributes.TAG_TAGS: ValueType.STRINGS,
    "exception.escaped": ValueType.BOOLEAN,
}
"""The type of each leaf."""

LISTS: frozenset[str] = frozenset(
    {
        *(SpanAttributes.ANNOTATIONS, SpanAttributes.EVALUATIONS),
        *(SpanAttributes.TRACE_ANNOTATIONS, SpanAttributes.TRACE_EVALUATIONS),
        *(SpanAttributes.SESSION_ANNOTATIONS, SpanAttributes.SESSION_EVALUATIONS),
        *(SpanAttributes.LLM_INPUT_MESSAGES, SpanAttributes.LLM_OUTPUT_MESSAGES),
        *(SpanAttributes.LLM_PROMPTS, SpanAttributes.LLM_CHOICES, SpanAttributes.LLM_TOOLS),
        *(SpanAttributes.RETRIEVAL_DOCUMENTS, SpanAttributes.EMBEDDING_EMBEDDINGS),
        *(SpanAttributes.INPUT_IMAGES, SpanAttributes.OUTPUT_IMAGES),
        *(SpanAttributes.INPUT_DOCUMENTS, SpanAttributes.OUTPUT_DOCUMENTS),
        *(RerankerAttributes.RERANKER_INPUT_DOCUMENTS, RerankerAttributes.RERANKER_OUTPUT_DOCUMENTS),
        *(MessageAttributes.MESSAGE_CONTENTS, MessageAttributes.MESSAGE_TOOL_CALLS),
    }
)
"""The lists of objects, which stand in a key followed by an index; the last two inside a message."""

_INDEX = re.compile(r"\.([0-9]{1,9})(?=\.|\Z)")
_UP_TO_LAST_INDEX = re.compile(r".*\.[0-9]+(?:\.|\Z)", re.DOTALL)
# What stands between an index and the leaf where one object is nested in another, and before the leaf at the root.
_HOLDERS = (
    f"{MessageContentAttributes.MESSAGE_CONTENT_IMAGE}.",
    f"{MessageContentAttributes.MESSAGE_CONTENT_AUDIO}.",
    f"{MessageContentAttributes.MESSAGE_CONTENT_VIDEO}.",
    f"{MessageContentAttributes.MESSAGE_CONTENT_DOCUMENT}.",
)
_ROOT_AUDIO = ("input.audio.", "output.audio.")
_MOST_KEYS = 8192  # whose type is remembered: the messages of some thousands


def lists_in(key: str) -> list[tuple[str, int]]:
    """The lists that a flattened key leads through: the name up to each index, and the index.

    Example:
        >>> lists_in("llm.input_messages.0.message.contents.1.message_content.text")
        [('llm.input_messages', 0), ('llm.input_messages.0.message.contents', 1)]
    """
    return [(key[: match.start()], int(match[1])) for match in _INDEX.finditer(key)]


def leaf_of(key: str) -> str:
    """The last name in a flattened key, by which `TYPES` knows it; the key itself where nothing is flattened.

    Example:
        >>> leaf_of("llm.input_messages.0.message.contents.1.message_content.image.image.url")
        'image.url'
    """
    indexed = _UP_TO_LAST_INDEX.match(key)
    leaf = key[indexed.end() :] if indexed else key
    for holder in _HOLDERS:
        if leaf.startswith(holder):
            return leaf.removeprefix(holder)
    for holder in _ROOT_AUDIO:
        if leaf.startswith(holder):
            return f"audio.{leaf.removeprefix(holder)}"
    return leaf


@lru_cache(_MOST_KEYS)
def type_of(key: str) -> ValueType | None:
    """The type of a reserved attribute, None where ``key`` is none.

    Example:
        >>> type_of("llm.token_count.prompt")
        <ValueType.INTEGER: 'integer'>
    """
    return TYPES.get(leaf_of(key))
