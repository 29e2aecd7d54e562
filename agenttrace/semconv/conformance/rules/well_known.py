"""Where the specification has a word for something, that word is used, spelled as it is there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from openinference.semconv.trace import (
    AnnotationAttributes,
    EvaluationAttributes,
    OpenInferenceAnnotatorKindValues,
    OpenInferenceDecisionProviderValues,
    OpenInferenceDecisionSystemValues,
    OpenInferenceLLMProviderValues,
    OpenInferenceLLMSystemValues,
    SpanAttributes,
)

from ..inspection import Findings, Inspection
from ..values import is_hidden, shown
from ..violations import Rule

_MORE_SYSTEMS = ("xai", "deepseek", "amazon", "meta", "ai21")
"""Those that the specification's table has and this release's constants may not have yet."""


def check_well_known_values(span: Inspection) -> Findings:
    """Systems, providers and kinds of annotators in the specification's spelling."""
    for key, value, place in span.placed:
        words = _WORDS.get(place.leaf) if place.is_known else None
        if words is None or not isinstance(value, str) or is_hidden(value) or value in words.values():
            continue
        word = words.get(_squeezed(value))
        if word is not None:
            problem = f"{shown(value)} is spelled {word!r} in the specification"
            yield span.violation(Rule.WELL_KNOWN_VALUE, key, problem, f"record {word!r}")


def _squeezed(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())


def _spellings(words: Iterable[str], others: Mapping[str, str] | None = None) -> dict[str, str]:
    """How a word may be spelled, without what stands between letters and digits → the word."""
    return {**{_squeezed(word): word for word in words}, **(others or {})}


_SYSTEM, _PROVIDER = OpenInferenceLLMSystemValues, OpenInferenceLLMProviderValues
_SYSTEMS = _spellings(
    (*(system.value for system in _SYSTEM), *_MORE_SYSTEMS),
    {
        **dict.fromkeys(("azure", "azureopenai", "azureaiopenai", "chatgpt", "gpt"), _SYSTEM.OPENAI.value),
        **dict.fromkeys(("claude", "anthropicclaude"), _SYSTEM.ANTHROPIC.value),
        **dict.fromkeys(("mistral",), _SYSTEM.MISTRALAI.value),
        **dict.fromkeys(
            ("google", "gemini", "googlevertexai", "googlegenai", "googleai", "vertex"), _SYSTEM.VERTEXAI.value
        ),
        **dict.fromkeys(("aws", "bedrock", "awsbedrock", "amazonbedrock"), "amazon"),
        **dict.fromkeys(("grok",), "xai"),
        **dict.fromkeys(("llama", "metaai", "metallama"), "meta"),
        **dict.fromkeys(("ai21labs",), "ai21"),
        **dict.fromkeys(("cohereai",), _SYSTEM.COHERE.value),
    },
)
_PROVIDERS = _spellings(
    (provider.value for provider in _PROVIDER),
    {
        **dict.fromkeys(("azureopenai", "azureai", "microsoft", "microsoftazure"), _PROVIDER.AZURE.value),
        **dict.fromkeys(("mistral",), _PROVIDER.MISTRALAI.value),
        **dict.fromkeys(("gemini", "vertex", "vertexai", "googlevertexai", "googlegenai"), _PROVIDER.GOOGLE.value),
        **dict.fromkeys(("amazon", "bedrock", "awsbedrock", "amazonbedrock"), _PROVIDER.AWS.value),
        **dict.fromkeys(("fireworksai",), _PROVIDER.FIREWORKS.value),
        **dict.fromkeys(("moonshotai",), _PROVIDER.MOONSHOT.value),
        **dict.fromkeys(("perplexityai",), _PROVIDER.PERPLEXITY.value),
        **dict.fromkeys(("togetherai",), _PROVIDER.TOGETHER.value),
        **dict.fromkeys(("cohereai",), _PROVIDER.COHERE.value),
        **dict.fromkeys(("metaai",), _PROVIDER.META.value),
        **dict.fromkeys(("zhipu", "zhipuai"), _PROVIDER.ZAI.value),
    },
)
_ANNOTATORS = _spellings(kind.value for kind in OpenInferenceAnnotatorKindValues)
_WORDS = {
    SpanAttributes.LLM_SYSTEM: _SYSTEMS,
    SpanAttributes.LLM_PROVIDER: _PROVIDERS,
    SpanAttributes.DECISION_SYSTEM: _spellings(system.value for system in OpenInferenceDecisionSystemValues),
    SpanAttributes.DECISION_PROVIDER: _spellings(provider.value for provider in OpenInferenceDecisionProviderValues),
    AnnotationAttributes.ANNOTATION_ANNOTATOR_KIND: _ANNOTATORS,
    EvaluationAttributes.EVALUATION_ANNOTATOR_KIND: _ANNOTATORS,
}
