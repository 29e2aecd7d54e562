"""OpenInference's objects → flat attributes, by the names of the specification.

The values are as they were given: `agenttrace.capture.reserved` makes texts and numbers of them, within bounds.
What isn't known leaves no attribute.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from openinference.semconv.trace import (
    AnnotationAttributes,
    AudioAttributes,
    ChoiceAttributes,
    DocumentAttributes,
    EmbeddingAttributes,
    ImageAttributes,
    MessageAttributes,
    MessageContentAttributes,
    PromptAttributes,
    SpanAttributes,
    ToolAttributes,
    ToolCallAttributes,
    VideoAttributes,
)

from .fields import as_list, field, fields
from .types import (
    Annotation,
    Cost,
    Document,
    Embedding,
    Message,
    ModelCall,
    PromptTemplate,
    TokenCount,
    Tool,
)

__all__ = [
    "annotation_attributes",
    "choice_attributes",
    "cost_attributes",
    "document_attributes",
    "embedding_attributes",
    "message_attributes",
    "model_call_attributes",
    "prompt_attributes",
    "prompt_template_attributes",
    "token_count_attributes",
    "tool_attributes",
]

Flat = dict[str, Any]


def message_attributes(prefix: str, messages: Sequence[Message]) -> Flat:
    """``messages`` as attributes.

    Args:
        prefix: ``llm.input_messages`` or ``llm.output_messages``.
        messages: The messages.
    """
    flat: Flat = {}
    index = 0
    for message in as_list(messages):
        source = message if type(message) is dict else fields(message)
        start, size = f"{prefix}.{index}.", len(flat)
        for name, key in _MESSAGE.items():
            value = source.get(name)
            if value is not None:
                flat[start + key] = value
        contents, calls = source.get("contents"), source.get("tool_calls")
        if contents is not None:
            _add_objects(flat, f"{start}{MessageAttributes.MESSAGE_CONTENTS}", contents, _add_part)
        if calls is not None:
            _add_objects(flat, f"{start}{MessageAttributes.MESSAGE_TOOL_CALLS}", calls, _add_tool_call)
        index += len(flat) > size
    return flat


def tool_attributes(tools: Sequence[Tool]) -> Flat:
    """The tools that were offered to a model as ``llm.tools``."""
    return _listed(SpanAttributes.LLM_TOOLS, tools, _TOOL)


def document_attributes(prefix: str, documents: Sequence[Document]) -> Flat:
    """``documents`` as attributes.

    Args:
        prefix: ``retrieval.documents``, ``reranker.input_documents`` or ``reranker.output_documents``.
        documents: The documents.
    """
    return _listed(prefix, documents, _DOCUMENT)


def embedding_attributes(embeddings: Sequence[Embedding]) -> Flat:
    """Vectors and their texts as ``embedding.embeddings``."""
    return _listed(SpanAttributes.EMBEDDING_EMBEDDINGS, embeddings, _EMBEDDING)


def prompt_attributes(prompts: Sequence[str]) -> Flat:
    """What a completions API was asked to complete as ``llm.prompts``."""
    return _texts(SpanAttributes.LLM_PROMPTS, PromptAttributes.PROMPT_TEXT, prompts)


def choice_attributes(choices: Sequence[str]) -> Flat:
    """What a completions API answered as ``llm.choices``."""
    return _texts(SpanAttributes.LLM_CHOICES, ChoiceAttributes.COMPLETION_TEXT, choices)


def token_count_attributes(counts: TokenCount) -> Flat:
    """Token counts as ``llm.token_count.*``; the total is added up where it isn't given."""
    flat = _present(counts, _TOKEN_COUNT)
    prompt, completion = field(counts, "prompt"), field(counts, "completion")
    if field(counts, "total") is None and type(prompt) is int and type(completion) is int:
        flat[SpanAttributes.LLM_TOKEN_COUNT_TOTAL] = prompt + completion
    return flat


def cost_attributes(cost: Cost) -> Flat:
    """Costs in US dollars as ``llm.cost.*``; the total is added up where it isn't given."""
    flat = _present(cost, _COST)
    flat.update(_present(field(cost, "prompt_details"), _PROMPT_COST_DETAILS))
    flat.update(_present(field(cost, "completion_details"), _COMPLETION_COST_DETAILS))
    if field(cost, "total") is None:
        flat.update(_present({"total": _sum(field(cost, "prompt"), field(cost, "completion"))}, _COST))
    return flat


def prompt_template_attributes(template: PromptTemplate) -> Flat:
    """A prompt's template as ``llm.prompt_template.*``."""
    return _present(template, _PROMPT_TEMPLATE)


def annotation_attributes(prefix: str, index: int, annotation: Annotation) -> Flat:
    """One annotation as attributes.

    Args:
        prefix: ``annotations``, ``trace.annotations`` or ``session.annotations``.
        index: Its place in that list.
        annotation: The annotation.
    """
    return {f"{prefix}.{index}.{key}": value for key, value in _present(annotation, _ANNOTATION).items()}


def model_call_attributes(call: ModelCall) -> Flat:
    """All that is known of a model call as attributes of its LLM span."""
    flat = _present(call, _MODEL_CALL)
    known: Any = call
    flat.update(message_attributes(SpanAttributes.LLM_INPUT_MESSAGES, known.get("input_messages")))
    flat.update(message_attributes(SpanAttributes.LLM_OUTPUT_MESSAGES, known.get("output_messages")))
    flat.update(prompt_attributes(known.get("prompts")))
    flat.update(choice_attributes(known.get("choices")))
    flat.update(tool_attributes(known.get("tools")))
    flat.update(token_count_attributes(known.get("token_counts")))
    flat.update(cost_attributes(known.get("cost")))
    return flat


def _add_objects(flat: Flat, prefix: str, objects: object, add: Callable[[Flat, str, Mapping[str, Any]], None]) -> None:
    """Add each of ``objects``, and number those that have anything to say without a gap."""
    index = 0
    for item in as_list(objects):
        size = len(flat)
        add(flat, f"{prefix}.{index}.", item if type(item) is dict else fields(item))
        index += len(flat) > size


def _add_part(flat: Flat, start: str, part: Mapping[str, Any]) -> None:
    kind = part.get("type")
    if type(kind) is not str:
        return
    flat[start + MessageContentAttributes.MESSAGE_CONTENT_TYPE] = kind
    if kind == "tool_use":
        _add_tool_call(flat, start, fields(part.get("tool_call")))
    elif kind in _NESTED:
        holder, names = _NESTED[kind]
        for name, key in names.items():
            value = part.get(name)
            if value is not None:
                flat[f"{start}{holder}.{key}"] = value
    else:
        for name, key in _CONTENT.items():
            value = part.get(name)
            if value is not None:
                flat[start + key] = value


def _add_tool_call(flat: Flat, start: str, call: Mapping[str, Any]) -> None:
    for name, key in _TOOL_CALL.items():
        value = call.get(name)
        if value is not None:
            flat[start + key] = value


def _listed(prefix: str, items: object, names: Mapping[str, str]) -> Flat:
    flat: Flat = {}
    _add_objects(
        flat,
        prefix,
        items,
        lambda into, start, item: into.update({start + key: value for key, value in _present(item, names).items()}),
    )
    return flat


def _texts(prefix: str, name: str, texts: object) -> Flat:
    present = [text for text in as_list(texts) if text is not None]
    return {f"{prefix}.{index}.{name}": text for index, text in enumerate(present)}


def _sum(first: Any, second: Any) -> Any:
    """The sum of two numbers, None where they are none."""
    kinds = {type(first), type(second)}
    try:
        return first + second if kinds <= {int, float} or kinds == {Decimal} else None
    except (ArithmeticError, ValueError):  # too large for a float
        return None


def _present(values: Any, names: Mapping[str, str]) -> Flat:
    source = values if type(values) is dict else fields(values)
    return {key: value for name, key in names.items() if (value := source.get(name)) is not None}


_MESSAGE = {
    "role": MessageAttributes.MESSAGE_ROLE,
    "content": MessageAttributes.MESSAGE_CONTENT,
    "name": MessageAttributes.MESSAGE_NAME,
    "tool_call_id": MessageAttributes.MESSAGE_TOOL_CALL_ID,
}
_CONTENT = {
    "text": MessageContentAttributes.MESSAGE_CONTENT_TEXT,
    "id": MessageContentAttributes.MESSAGE_CONTENT_ID,
    "signature": MessageContentAttributes.MESSAGE_CONTENT_SIGNATURE,
    "data": MessageContentAttributes.MESSAGE_CONTENT_DATA,
    "encrypted_content": MessageContentAttributes.MESSAGE_CONTENT_ENCRYPTED_CONTENT,
}
_NESTED: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "image": (MessageContentAttributes.MESSAGE_CONTENT_IMAGE, {"url": ImageAttributes.IMAGE_URL}),
    "audio": (
        MessageContentAttributes.MESSAGE_CONTENT_AUDIO,
        {
            "url": AudioAttributes.AUDIO_URL,
            "mime_type": AudioAttributes.AUDIO_MIME_TYPE,
            "transcript": AudioAttributes.AUDIO_TRANSCRIPT,
        },
    ),
    "video": (MessageContentAttributes.MESSAGE_CONTENT_VIDEO, {"url": VideoAttributes.VIDEO_URL}),
    "document": (
        MessageContentAttributes.MESSAGE_CONTENT_DOCUMENT,
        {
            "id": DocumentAttributes.DOCUMENT_ID,
            "url": DocumentAttributes.DOCUMENT_URL,
            "content": DocumentAttributes.DOCUMENT_CONTENT,
            "mime_type": DocumentAttributes.DOCUMENT_MIME_TYPE,
            "name": DocumentAttributes.DOCUMENT_NAME,
        },
    ),
}
_TOOL_CALL = {
    "id": ToolCallAttributes.TOOL_CALL_ID,
    "name": ToolCallAttributes.TOOL_CALL_FUNCTION_NAME,
    "arguments": ToolCallAttributes.TOOL_CALL_FUNCTION_ARGUMENTS_JSON,
    "reasoning_signature": ToolCallAttributes.TOOL_CALL_REASONING_SIGNATURE,
}
_TOOL = {
    "json_schema": ToolAttributes.TOOL_JSON_SCHEMA,
    "name": ToolAttributes.TOOL_NAME,
    "description": ToolAttributes.TOOL_DESCRIPTION,
}
_DOCUMENT = {
    "id": DocumentAttributes.DOCUMENT_ID,
    "content": DocumentAttributes.DOCUMENT_CONTENT,
    "score": DocumentAttributes.DOCUMENT_SCORE,
    "metadata": DocumentAttributes.DOCUMENT_METADATA,
}
_EMBEDDING = {
    "text": EmbeddingAttributes.EMBEDDING_TEXT,
    "vector": EmbeddingAttributes.EMBEDDING_VECTOR,
}
_TOKEN_COUNT = {
    "prompt": SpanAttributes.LLM_TOKEN_COUNT_PROMPT,
    "completion": SpanAttributes.LLM_TOKEN_COUNT_COMPLETION,
    "total": SpanAttributes.LLM_TOKEN_COUNT_TOTAL,
    "cache_read": SpanAttributes.LLM_TOKEN_COUNT_PROMPT_DETAILS_CACHE_READ,
    "cache_write": SpanAttributes.LLM_TOKEN_COUNT_PROMPT_DETAILS_CACHE_WRITE,
    "audio": SpanAttributes.LLM_TOKEN_COUNT_PROMPT_DETAILS_AUDIO,
    "reasoning": SpanAttributes.LLM_TOKEN_COUNT_COMPLETION_DETAILS_REASONING,
    "completion_audio": SpanAttributes.LLM_TOKEN_COUNT_COMPLETION_DETAILS_AUDIO,
}
_COST = {
    "prompt": SpanAttributes.LLM_COST_PROMPT,
    "completion": SpanAttributes.LLM_COST_COMPLETION,
    "total": SpanAttributes.LLM_COST_TOTAL,
}
_PROMPT_COST_DETAILS = {
    "input": SpanAttributes.LLM_COST_PROMPT_DETAILS_INPUT,
    "cache_read": SpanAttributes.LLM_COST_PROMPT_DETAILS_CACHE_READ,
    "cache_write": SpanAttributes.LLM_COST_PROMPT_DETAILS_CACHE_WRITE,
    "cache_input": SpanAttributes.LLM_COST_PROMPT_DETAILS_CACHE_INPUT,
    "audio": SpanAttributes.LLM_COST_PROMPT_DETAILS_AUDIO,
}
_COMPLETION_COST_DETAILS = {
    "output": SpanAttributes.LLM_COST_COMPLETION_DETAILS_OUTPUT,
    "reasoning": SpanAttributes.LLM_COST_COMPLETION_DETAILS_REASONING,
    "audio": SpanAttributes.LLM_COST_COMPLETION_DETAILS_AUDIO,
}
_PROMPT_TEMPLATE = {
    "template": SpanAttributes.LLM_PROMPT_TEMPLATE,
    "version": SpanAttributes.LLM_PROMPT_TEMPLATE_VERSION,
    "variables": SpanAttributes.LLM_PROMPT_TEMPLATE_VARIABLES,
}
_ANNOTATION = {
    "name": AnnotationAttributes.ANNOTATION_NAME,
    "score": AnnotationAttributes.ANNOTATION_SCORE,
    "label": AnnotationAttributes.ANNOTATION_LABEL,
    "explanation": AnnotationAttributes.ANNOTATION_EXPLANATION,
    "annotator_kind": AnnotationAttributes.ANNOTATION_ANNOTATOR_KIND,
    "identifier": AnnotationAttributes.ANNOTATION_IDENTIFIER,
    "metadata": AnnotationAttributes.ANNOTATION_METADATA,
}
_MODEL_CALL = {
    "model_name": SpanAttributes.LLM_MODEL_NAME,
    "provider": SpanAttributes.LLM_PROVIDER,
    "system": SpanAttributes.LLM_SYSTEM,
    "invocation_parameters": SpanAttributes.LLM_INVOCATION_PARAMETERS,
    "finish_reason": SpanAttributes.LLM_FINISH_REASON,
}
