"""Seeded faults: each a correct span with one thing wrong in it, and what the checker is to say of it, no more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agenttrace.semconv.conformance import Rule

from .correct import AGENT, CHAIN, COMPLETION, DECISION, EMBEDDING, EVALUATOR, LLM, RERANKER, RETRIEVER, TOOL

_MESSAGE = "llm.input_messages.0.message"
_PART = "llm.input_messages.1.message.contents.0"
_CALL = "llm.output_messages.0.message.tool_calls.0.tool_call"
_LONG = "x" * (2**20 + 1)


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong.

    Args:
        rule: The rule that it breaks.
        attribute: What the checker is to name.
        base: The correct span.
        change: The attributes that make it wrong; None takes one away.
    """

    rule: Rule
    attribute: str
    base: Mapping[str, Any]
    change: Mapping[str, Any]
    links: int = 0
    events: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    most_attributes: int | None = None

    @property
    def attributes(self) -> dict[str, Any]:
        """Those of the wrong span."""
        return {key: value for key, value in {**self.base, **self.change}.items() if value is not None}


def _fault(rule: Rule, attribute: str, base: Mapping[str, Any], change: Any, **more: Any) -> Fault:
    """A fault in the very attribute that is to be named, or in those of a mapping."""
    return Fault(rule, attribute, base, change if isinstance(change, dict) else {attribute: change}, **more)


_KIND = "openinference.span.kind"
FAULTS: dict[str, Fault] = {
    "no kind": _fault(Rule.KIND_MISSING, _KIND, TOOL, None),
    "no kind on a span with messages only": _fault(
        Rule.KIND_MISSING, _KIND, {"llm.input_messages.0.message.role": "user"}, {}
    ),
    "a kind in small letters": _fault(Rule.KIND_INVALID, _KIND, TOOL, "tool"),
    "an empty kind": _fault(Rule.KIND_INVALID, _KIND, TOOL, ""),
    "a kind of one's own": _fault(Rule.KIND_INVALID, _KIND, TOOL, "WORKFLOW"),
    "a kind that is a number": _fault(Rule.KIND_INVALID, _KIND, TOOL, 3),
    # Types.
    "a name that is a number": _fault(Rule.WRONG_TYPE, "tool.name", TOOL, 3),
    "a session that is a number": _fault(Rule.WRONG_TYPE, "session.id", TOOL, 17),
    "an input that is a list": _fault(Rule.WRONG_TYPE, "input.value", TOOL, ["a"]),
    "tags that are one text": _fault(Rule.WRONG_TYPE, "tag.tags", TOOL, "beta"),
    "tags that are numbers": _fault(Rule.WRONG_TYPE, "tag.tags", TOOL, [1, 2]),
    "a count that is a float": _fault(Rule.WRONG_TYPE, "llm.token_count.total", LLM, 42.0),
    "a count that is a text": _fault(Rule.WRONG_TYPE, "llm.token_count.prompt", LLM, "30"),
    "a count that is a boolean": _fault(Rule.WRONG_TYPE, "llm.token_count.completion", COMPLETION, True),
    "a detail of a count that is a float": _fault(
        Rule.WRONG_TYPE, "llm.token_count.prompt_details.of_our_own", LLM, 7.0
    ),
    "a count of a decision that is a text": _fault(Rule.WRONG_TYPE, "decision.token_count.input", DECISION, "12"),
    "a cost that is an integer": _fault(Rule.WRONG_TYPE, "llm.cost.total", LLM, 1),
    "a detail of a cost that is a text": _fault(Rule.WRONG_TYPE, "llm.cost.prompt_details.cache_read", LLM, "0.1"),
    "a document's score that is an integer": _fault(
        Rule.WRONG_TYPE, "retrieval.documents.0.document.score", RETRIEVER, 1
    ),
    "a document's id that is a float": _fault(Rule.WRONG_TYPE, "retrieval.documents.0.document.id", RETRIEVER, 1.5),
    "a vector of integers": _fault(Rule.WRONG_TYPE, "embedding.embeddings.0.embedding.vector", EMBEDDING, [1, 2]),
    "a vector as text": _fault(Rule.WRONG_TYPE, "embedding.embeddings.0.embedding.vector", EMBEDDING, "[0.5]"),
    "a vector in base 64": _fault(Rule.WRONG_TYPE, "embedding.embeddings.1.embedding.vector", EMBEDDING, "AACAPwAA"),
    "a number of documents that is a text": _fault(Rule.WRONG_TYPE, "reranker.top_k", RERANKER, "1"),
    "an annotation's score that is a text": _fault(
        Rule.WRONG_TYPE, "annotations.0.annotation.score", CHAIN, "excellent"
    ),
    "an exception's message that is a number": _fault(
        Rule.WRONG_TYPE, "exception.message", TOOL, {}, events={"exception": {"exception.message": 3}}
    ),
    "an exception that escaped a number of times": _fault(
        Rule.WRONG_TYPE, "exception.escaped", TOOL, {}, events={"exception": {"exception.escaped": 1}}
    ),
    # JSON.
    "metadata as Python writes it": _fault(Rule.JSON_INVALID, "metadata", LLM, "{'team': 'weather'}"),
    "metadata with what only Python takes": _fault(Rule.JSON_INVALID, "metadata", LLM, '{"score": NaN}'),
    "arguments of a tool call that are cut": _fault(Rule.JSON_INVALID, f"{_CALL}.function.arguments", LLM, '{"a": "b'),
    "arguments of a tool call that are empty": _fault(Rule.JSON_INVALID, f"{_CALL}.function.arguments", LLM, ""),
    "arguments of a tool call that are a list": _fault(Rule.WRONG_TYPE, f"{_CALL}.function.arguments", LLM, ["a"]),
    "a tool's parameters that are no JSON": _fault(Rule.JSON_INVALID, "tool.parameters", TOOL, "city: str"),
    "metadata that is a list": _fault(Rule.JSON_NOT_OBJECT, "metadata", LLM, '["weather"]'),
    "parameters that are a text": _fault(Rule.JSON_NOT_OBJECT, "llm.invocation_parameters", LLM, '"hot"'),
    "an annotation's metadata that is a number": _fault(
        Rule.JSON_NOT_OBJECT, "annotations.0.annotation.metadata", CHAIN, " 3"
    ),
    # Names.
    "a name that is nearly right": _fault(Rule.UNKNOWN_ATTRIBUTE, "llm.model", LLM, "gpt-4o"),
    "a name of one's own": _fault(Rule.UNKNOWN_ATTRIBUTE, "input.language", TOOL, "en"),
    "a name of one's own in a list": _fault(Rule.UNKNOWN_ATTRIBUTE, f"{_MESSAGE}.text", LLM, "Be brief."),
    "a message's name outside its list": _fault(Rule.UNKNOWN_ATTRIBUTE, "message.content", LLM, "Be brief."),
    "a name in a list of other things": _fault(
        Rule.UNKNOWN_ATTRIBUTE, "llm.input_messages.0.document.content", LLM, "It rains."
    ),
    "an index that begins with a 0": _fault(
        Rule.UNKNOWN_ATTRIBUTE, "llm.input_messages.00.message.role", LLM, "system"
    ),
    "an index below 0": _fault(Rule.UNKNOWN_ATTRIBUTE, "llm.input_messages.-1.message.role", LLM, "system"),
    "tags one by one": _fault(Rule.UNKNOWN_ATTRIBUTE, "tag.tags.0", TOOL, "beta"),
    "a video's type, which isn't recorded": _fault(
        Rule.UNKNOWN_ATTRIBUTE, f"{_PART}.message_content.video.video.mime_type", LLM, "video/mp4"
    ),
    # Lists.
    "messages as JSON": _fault(
        Rule.LIST_NOT_FLATTENED, "llm.input_messages", COMPLETION, '[{"role": "user", "content": "hi"}]'
    ),
    "documents as a list of texts": _fault(Rule.LIST_NOT_FLATTENED, "retrieval.documents", RETRIEVER, ["a", "b"]),
    "an annotation as JSON": _fault(
        Rule.LIST_NOT_FLATTENED,
        "annotations.2",
        {**CHAIN, "annotations.2.annotation.name": "a", "annotations.2.annotation.score": 1},
        '{"name": "a"}',
    ),
    "a message's parts as JSON": _fault(
        Rule.LIST_NOT_FLATTENED,
        f"{_MESSAGE}.contents",
        LLM,
        '[{"type": "text"}]',
    ),
    "a list that begins at 1": _fault(
        Rule.LIST_NOT_ZERO_BASED,
        "llm.choices.1",
        COMPLETION,
        {"llm.choices.0.completion.text": None, "llm.choices.1.completion.text": " a time"},
    ),
    "tool calls that begin at 2": _fault(
        Rule.LIST_NOT_ZERO_BASED,
        "llm.input_messages.0.message.tool_calls.2",
        LLM,
        {f"{_MESSAGE}.tool_calls.2.tool_call.function.name": "look"},
    ),
    "a message that is missing": _fault(
        Rule.LIST_GAP, "llm.input_messages.3", LLM, {"llm.input_messages.4.message.role": "user"}
    ),
    "a part that is missing": _fault(
        Rule.LIST_GAP,
        "llm.output_messages.0.message.contents.2",
        LLM,
        {"llm.output_messages.0.message.contents.9.message_content.type": "text"},
    ),
    # MIME types.
    "JSON that isn't": _fault(Rule.MIME_TYPE_UNTRUE, "input.mime_type", TOOL, {"input.value": "city=Oslo"}),
    "JSON that was cut as text": _fault(
        Rule.MIME_TYPE_UNTRUE, "input.mime_type", TOOL, {"input.value": '{"a": "b… [truncated: 3 characters]'}
    ),
    "a type without a value": _fault(Rule.MIME_TYPE_WITHOUT_VALUE, "input.mime_type", TOOL, {"input.value": None}),
    "a type of the output without one": _fault(Rule.MIME_TYPE_WITHOUT_VALUE, "output.mime_type", TOOL, "text/plain"),
    "a word that is no type": _fault(Rule.MIME_TYPE_INVALID, "input.mime_type", TOOL, "json"),
    "an audio's word that is no type": _fault(Rule.MIME_TYPE_INVALID, "input.audio.mime_type", AGENT, "wav"),
    "a document's word that is no type": _fault(
        Rule.MIME_TYPE_INVALID,
        "llm.input_messages.1.message.contents.2.message_content.document.document.mime_type",
        LLM,
        "PDF",
    ),
    "a type that readers don't know": _fault(Rule.MIME_TYPE_UNUSUAL, "input.mime_type", TOOL, "text/markdown"),
    # Models.
    "a call of no model": _fault(Rule.MODEL_NAME_MISSING, "llm.model_name", COMPLETION, None),
    "a call of a model without a name": _fault(Rule.MODEL_NAME_MISSING, "llm.model_name", COMPLETION, ""),
    "a known model's system left out": _fault(Rule.SYSTEM_MISSING, "llm.system", LLM, None),
    "a known provider's system left out": _fault(
        Rule.SYSTEM_MISSING, "llm.system", COMPLETION, {"llm.model_name": "ft-1", "llm.provider": "anthropic"}
    ),
    "a system in capitals": _fault(Rule.WELL_KNOWN_VALUE, "llm.system", LLM, "OpenAI"),
    "a system by another name": _fault(Rule.WELL_KNOWN_VALUE, "llm.system", LLM, "mistral"),
    "a provider by another name": _fault(Rule.WELL_KNOWN_VALUE, "llm.provider", LLM, "azure_openai"),
    "an annotator in small letters": _fault(
        Rule.WELL_KNOWN_VALUE, "annotations.0.annotation.annotator_kind", CHAIN, "human"
    ),
    "an embedding's system": _fault(Rule.EMBEDDING_SYSTEM, "llm.system", EMBEDDING, "openai"),
    "an embedding's provider": _fault(Rule.EMBEDDING_SYSTEM, "llm.provider", EMBEDDING, "openai"),
    # Token counts.
    "a count below 0": _fault(Rule.TOKEN_COUNT_NEGATIVE, "llm.token_count.prompt", COMPLETION, -1),
    "a total below its parts": _fault(Rule.TOKEN_COUNT_TOTAL, "llm.token_count.total", LLM, 41),
    "a total below its only part": _fault(Rule.TOKEN_COUNT_TOTAL, "llm.token_count.total", EMBEDDING, 1),
    "a prompt below what was read from the cache": _fault(
        Rule.TOKEN_COUNT_DETAILS,
        "llm.token_count.prompt",
        LLM,
        {"llm.token_count.prompt_details.cache_read": 31, "llm.token_count.prompt_details.cache_write": None},
    ),
    "a prompt below what was read and written": _fault(
        Rule.TOKEN_COUNT_DETAILS, "llm.token_count.prompt", LLM, {"llm.token_count.prompt_details.cache_write": 21}
    ),
    "a completion below its reasoning": _fault(
        Rule.TOKEN_COUNT_DETAILS,
        "llm.token_count.completion",
        LLM,
        {"llm.token_count.completion_details.reasoning": 13},
    ),
    "counts on an agent": _fault(Rule.TOKEN_COUNT_KIND, "llm.token_count.total", AGENT, 42),
    # Messages.
    "an empty role": _fault(Rule.ROLE_EMPTY, f"{_MESSAGE}.role", LLM, ""),
    "a message of nobody's": _fault(Rule.ROLE_MISSING, f"{_MESSAGE}.role", LLM, None),
    "a role in capitals": _fault(Rule.ROLE_UNUSUAL, f"{_MESSAGE}.role", LLM, "System"),
    "a role of one's own": _fault(Rule.ROLE_UNUSUAL, f"{_MESSAGE}.role", LLM, "narrator"),
    "a role that is a number": _fault(Rule.WRONG_TYPE, f"{_MESSAGE}.role", LLM, 1),
    "a part of a provider's own type": _fault(
        Rule.CONTENT_TYPE_INVALID, f"{_PART}.message_content.type", LLM, "input_text"
    ),
    "a part of no type": _fault(Rule.CONTENT_TYPE_INVALID, f"{_PART}.message_content.type", LLM, None),
    "a call of no tool": _fault(Rule.TOOL_CALL_NAME_MISSING, f"{_CALL}.function.name", LLM, None),
    "a call of no tool among the parts": _fault(
        Rule.TOOL_CALL_NAME_MISSING, "llm.output_messages.0.message.contents.1.tool_call.function.name", LLM, ""
    ),
    # Annotations.
    "an annotation of nothing": _fault(Rule.ANNOTATION_NAME_MISSING, "annotations.0.annotation.name", CHAIN, None),
    "an annotation without a result": _fault(
        Rule.ANNOTATION_RESULT_MISSING,
        "annotations.1.annotation.score",
        CHAIN,
        {"annotations.1.annotation.explanation": None},
    ),
    "an evaluation with an empty result": _fault(
        Rule.ANNOTATION_RESULT_MISSING,
        "trace.evaluations.0.evaluation.score",
        CHAIN,
        {"trace.evaluations.0.evaluation.label": ""},
    ),
    "an annotation of no session": _fault(Rule.SESSION_ID_MISSING, "session.id", CHAIN, None),
    "a carrier without a link": _fault(Rule.CARRIER_LINKS, "evaluations", EVALUATOR, {}),
    "a carrier of another kind without a link": _fault(
        Rule.CARRIER_LINKS, "annotations", CHAIN, {"agenttrace.annotation.carrier": True}
    ),
    "a carrier with two links": _fault(Rule.CARRIER_LINKS, "evaluations", EVALUATOR, {}, links=2),
    "an evaluator's annotation of two spans": _fault(
        Rule.CARRIER_LINKS, "evaluations", EVALUATOR, {"agenttrace.annotation.carrier": None}, links=2
    ),
    # Sizes.
    "a long attribute": _fault(
        Rule.ATTRIBUTE_LARGE, "input.value", TOOL, {"input.value": _LONG, "input.mime_type": "text/plain"}
    ),
    "a long attribute of one's own": _fault(Rule.ATTRIBUTE_LARGE, "our.own", TOOL, _LONG),
    "a long vector": _fault(
        Rule.ATTRIBUTE_LARGE, "embedding.embeddings.0.embedding.vector", EMBEDDING, [0.5] * 100_000
    ),
    "a large span": _fault(Rule.SPAN_LARGE, "*", TOOL, {f"our.own.{number}": "ä" * 500_000 for number in range(4)}),
    "many attributes": _fault(Rule.ATTRIBUTES_MANY, "*", TOOL, {f"our.{number}": 1 for number in range(10_000)}),
    "attributes that were dropped": _fault(
        Rule.ATTRIBUTES_DROPPED, "*", {f"our.{number}": 1 for number in range(8)}, dict(TOOL), most_attributes=9
    ),
}
