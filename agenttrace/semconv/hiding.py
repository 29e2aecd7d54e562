"""Which attributes each ``hide_…`` field of a `TraceConfig` hides, and how: the specification's table, as a table.

Beside what OpenInference's own library hides, this hides every part that says or shows the same: documents and audio
with a message's texts, video with its images. docs/privacy.md lists where it is stricter.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import NamedTuple

from openinference.semconv.trace import (
    DocumentAttributes,
    EmbeddingAttributes,
    ImageAttributes,
    MessageAttributes,
    MessageContentAttributes,
    RerankerAttributes,
    SpanAttributes,
)

from .privacy import TraceConfig

__all__ = ["EXCEPTION_MESSAGE", "EXCEPTION_STACKTRACE", "HIDING_TEXTS", "Action", "Rule", "rules_of"]

Matcher = Callable[[str], bool]


class Action(Enum):
    """What becomes of an attribute."""

    KEEP = "it is recorded"
    DROP = "it is left out"
    REDACT = "its value is redacted"
    CREDENTIAL = "its value is redacted, unless it is True or False"
    LIMIT = "its value is redacted, or sent to the uploader, where it is a base64 image over the limit"


class Rule(NamedTuple):
    """A row: where one of the fields is set, this becomes of the attributes that match. No fields: always."""

    fields: tuple[str, ...]
    matches: Matcher
    action: Action


HIDING_TEXTS = (
    *("hide_inputs", "hide_outputs", "hide_input_messages", "hide_output_messages", "hide_input_text"),
    *("hide_output_text", "hide_prompts", "hide_choices", "hide_retrieval_documents", "hide_embeddings_text"),
)
"""Fields under which exceptions and statuses lose their texts, since those may repeat what is hidden."""

# OpenTelemetry's own; the constants for them come with another package.
EXCEPTION_MESSAGE, EXCEPTION_STACKTRACE = "exception.message", "exception.stacktrace"


def rules_of(config: TraceConfig) -> list[Rule]:
    """The rows that hold under ``config``. The first that matches an attribute decides."""
    return [rule for rule in _RULES if not rule.fields or any(getattr(config, name) for name in rule.fields)]


def _exactly(*names: str) -> Matcher:
    return frozenset(names).__contains__


def _within(*names: str) -> Matcher:
    prefixes = tuple(f"{name}." for name in names)
    return lambda key: key in names or key.startswith(prefixes)


def _containing(*names: str) -> Matcher:
    return lambda key: any(name in key for name in names)


def _all_of(*matchers: Matcher) -> Matcher:
    return lambda key: all(matches(key) for matches in matchers)


def _any_of(*matchers: Matcher) -> Matcher:
    return lambda key: any(matches(key) for matches in matchers)


def _ending(*names: str) -> Matcher:
    return lambda key: key.endswith(names)


def _plain_content(key: str) -> bool:
    # "message.contents" begins with "message.content".
    return MessageAttributes.MESSAGE_CONTENT in key and MessageAttributes.MESSAGE_CONTENTS not in key


_IN_INPUT = _containing(SpanAttributes.LLM_INPUT_MESSAGES)
_IN_OUTPUT = _containing(SpanAttributes.LLM_OUTPUT_MESSAGES)
_TEXT = _any_of(_plain_content, _containing(MessageContentAttributes.MESSAGE_CONTENT_TEXT))
# Addresses among them, as an address may hold the content itself.
_SPOKEN = _ending(DocumentAttributes.DOCUMENT_CONTENT, ".url", ".transcript")
_DOCUMENT_OR_AUDIO = _all_of(
    _containing(MessageContentAttributes.MESSAGE_CONTENT_DOCUMENT, MessageContentAttributes.MESSAGE_CONTENT_AUDIO),
    _SPOKEN,
)
_IMAGE = _containing(MessageContentAttributes.MESSAGE_CONTENT_IMAGE)
_INPUT_IMAGE = _any_of(_all_of(_IN_INPUT, _IMAGE), _within(SpanAttributes.INPUT_IMAGES))
_OUTPUT_IMAGE = _any_of(_all_of(_IN_OUTPUT, _IMAGE), _within(SpanAttributes.OUTPUT_IMAGES))
_RETRIEVED = _all_of(
    _within(SpanAttributes.RETRIEVAL_DOCUMENTS),
    _ending(DocumentAttributes.DOCUMENT_CONTENT, DocumentAttributes.DOCUMENT_METADATA),
)
_EMBEDDED = _containing(SpanAttributes.EMBEDDING_EMBEDDINGS)
# The constants for audio at a span's root come with a newer release of the conventions.
_INPUT_MEDIA = _within(SpanAttributes.INPUT_DOCUMENTS, "input.audio")
_OUTPUT_MEDIA = _within(SpanAttributes.OUTPUT_DOCUMENTS, "output.audio")
# OpenTelemetry's own conventions, by which other libraries' spans in the same traces may be written.
_GENAI_INPUT = _within("gen_ai.input.messages", "gen_ai.system_instructions", "gen_ai.prompt")
_GENAI_OUTPUT = _within("gen_ai.output.messages", "gen_ai.completion")

_RULES = (
    Rule(
        ("hide_llm_invocation_parameters",),
        _exactly(SpanAttributes.LLM_INVOCATION_PARAMETERS),
        Action.DROP,
    ),
    Rule(("hide_inputs", "hide_llm_tools"), _containing(SpanAttributes.LLM_TOOLS), Action.DROP),
    Rule(("hide_inputs",), _exactly(SpanAttributes.INPUT_VALUE, RerankerAttributes.RERANKER_QUERY), Action.REDACT),
    Rule(
        ("hide_inputs",),
        _any_of(
            _exactly(SpanAttributes.INPUT_MIME_TYPE, SpanAttributes.LLM_PROMPT_TEMPLATE_VARIABLES),
            _within(RerankerAttributes.RERANKER_INPUT_DOCUMENTS),
            _INPUT_MEDIA,
            _exactly("gen_ai.tool.call.arguments"),
        ),
        Action.DROP,
    ),
    Rule(("hide_outputs",), _exactly(SpanAttributes.OUTPUT_VALUE), Action.REDACT),
    Rule(
        ("hide_outputs",),
        _any_of(
            _exactly(SpanAttributes.OUTPUT_MIME_TYPE, SpanAttributes.LLM_FUNCTION_CALL),
            _within(RerankerAttributes.RERANKER_OUTPUT_DOCUMENTS),
            _OUTPUT_MEDIA,
            _exactly("gen_ai.tool.call.result"),
        ),
        Action.DROP,
    ),
    Rule(("hide_retrieval_documents", "hide_outputs"), _RETRIEVED, Action.REDACT),
    Rule(("hide_inputs", "hide_input_messages"), _any_of(_IN_INPUT, _GENAI_INPUT), Action.DROP),
    Rule(("hide_inputs", "hide_prompts"), _containing(SpanAttributes.LLM_PROMPTS), Action.REDACT),
    Rule(("hide_outputs", "hide_output_messages"), _any_of(_IN_OUTPUT, _GENAI_OUTPUT), Action.DROP),
    Rule(("hide_outputs", "hide_choices"), _containing(SpanAttributes.LLM_CHOICES), Action.REDACT),
    Rule(("hide_input_text",), _all_of(_IN_INPUT, _any_of(_TEXT, _DOCUMENT_OR_AUDIO)), Action.REDACT),
    Rule(("hide_output_text",), _all_of(_IN_OUTPUT, _any_of(_TEXT, _DOCUMENT_OR_AUDIO)), Action.REDACT),
    Rule(("hide_input_text",), _any_of(_all_of(_INPUT_MEDIA, _SPOKEN), _GENAI_INPUT), Action.REDACT),
    Rule(("hide_output_text",), _any_of(_all_of(_OUTPUT_MEDIA, _SPOKEN), _GENAI_OUTPUT), Action.REDACT),
    Rule(("hide_inputs", "hide_input_images"), _INPUT_IMAGE, Action.DROP),
    Rule(
        ("hide_input_images",),
        _all_of(_IN_INPUT, _containing(MessageContentAttributes.MESSAGE_CONTENT_VIDEO)),
        Action.DROP,
    ),
    Rule(("hide_outputs",), _OUTPUT_IMAGE, Action.DROP),
    Rule((), _all_of(_ending(ImageAttributes.IMAGE_URL), _any_of(_INPUT_IMAGE, _OUTPUT_IMAGE)), Action.LIMIT),
    Rule(
        ("hide_embedding_vectors", "hide_embeddings_vectors"),
        _all_of(_EMBEDDED, _containing(EmbeddingAttributes.EMBEDDING_VECTOR)),
        Action.REDACT,
    ),
    Rule(
        ("hide_embeddings_text", "hide_inputs", "hide_input_messages", "hide_input_text"),
        _all_of(_EMBEDDED, _containing(EmbeddingAttributes.EMBEDDING_TEXT)),
        Action.REDACT,
    ),
)
