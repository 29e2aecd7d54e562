"""Whose a model is and who runs it, told from its name as providers, routers and hubs write it."""

from __future__ import annotations

import re

from openinference.semconv.trace import OpenInferenceLLMProviderValues, OpenInferenceLLMSystemValues

__all__ = ["infer_provider", "infer_system"]

_System = OpenInferenceLLMSystemValues
_Provider = OpenInferenceLLMProviderValues

# Those that the specification's table has and this release's constants may not have yet.
_XAI, _DEEPSEEK, _AMAZON, _META, _AI21 = "xai", "deepseek", "amazon", "meta", "ai21"

# How the names of each one's own models begin. Names that others give models too ("nova-2", "gpt-neo") are left out.
_BEGINNINGS = {
    _System.OPENAI.value: (
        *(r"(chat)?gpt-(\d|oss|image|audio|realtime)", r"gpt2(-|$)", r"o[1345](-|$)", r"codex-mini"),
        *(r"computer-use-preview", r"(text-)?(davinci|babbage|curie)-", r"text-ada-", r"text-embedding-(3|ada)-"),
        *(r"dall-e-\d", r"whisper-1$", r"tts-1", r"sora-\d"),
    ),
    _System.ANTHROPIC.value: (r"claude(-|$)",),
    _System.VERTEXAI.value: (r"gemini-", r"learnlm-", r"(text|chat)-bison"),
    _System.COHERE.value: (
        *(r"command(-(r|a|r7b|light|nightly|text)([-:]|$)|:|$)", r"c4ai-", r"aya-(expanse|vision|23|101)"),
        *(r"rerank-(v\d|english|multilingual)", r"embed-(v\d|english|multilingual)"),
    ),
    _System.MISTRALAI.value: (
        r"(open-)?(mistral|mixtral|ministral|magistral|codestral|devstral|pixtral|voxtral|mathstral)(?![a-z])",
    ),
    _XAI: (r"grok-",),
    _DEEPSEEK: (r"deepseek-",),
    _AMAZON: (r"nova-(micro|lite|pro|premier|sonic|canvas|reel|act)(?![a-z])", r"titan-(text|embed|image|tg1)"),
    # Perplexity's Sonar was named for the Llama below it.
    _META: (r"(meta-)?llama-?v?\d(?!.*sonar)", r"(meta-)?llama-guard", r"codellama"),
    _AI21: (r"jamba-", r"j2-(ultra|mid|light|jumbo|grande|large)"),
}
_PATTERNS = [(re.compile("|".join(patterns), re.IGNORECASE), system) for system, patterns in _BEGINNINGS.items()]
_SYSTEMS_BY_VENDOR = {
    "ai21": _AI21,
    "amazon": _AMAZON,
    "anthropic": _System.ANTHROPIC.value,
    "cohere": _System.COHERE.value,
    "deepseek": _DEEPSEEK,
    "meta": _META,
    "mistral": _System.MISTRALAI.value,
    "openai": _System.OPENAI.value,
}
# Bedrock's names: a region, the vendor, the vendor's own name.
_BEDROCK = re.compile(rf"(?:(?:us|eu|apac|jp|au|ca|us-gov|global)\.)?({'|'.join(_SYSTEMS_BY_VENDOR)})\.(?!(com|ai)\b)")
_ARN = re.compile(r"arn:aws[\w-]*:(bedrock|sagemaker):")
_FIREWORKS = "accounts/fireworks/"
_FINE_TUNED = "ft:"
_LONGEST_NAME = 512
_SYSTEMS_BY_PROVIDER = {
    _Provider.OPENAI.value: _System.OPENAI.value,
    _Provider.ANTHROPIC.value: _System.ANTHROPIC.value,
    _Provider.COHERE.value: _System.COHERE.value,
    _Provider.MISTRALAI.value: _System.MISTRALAI.value,
    _Provider.XAI.value: _XAI,
    _Provider.DEEPSEEK.value: _DEEPSEEK,
}
# LiteLLM's. Those that a hub has as an author's name too ("openai/gpt-oss-20b") say nothing of who runs the model.
_PROVIDERS_BY_PREFIX = {
    **dict.fromkeys(("azure", "azure_ai"), _Provider.AZURE.value),
    **dict.fromkeys(("bedrock", "sagemaker", "sagemaker_chat"), _Provider.AWS.value),
    **dict.fromkeys(("gemini", "vertex_ai"), _Provider.GOOGLE.value),
    "groq": _Provider.GROQ.value,
    "fireworks_ai": _Provider.FIREWORKS.value,
    "together_ai": _Provider.TOGETHER.value,
    **dict.fromkeys(("ollama", "ollama_chat"), _Provider.OLLAMA.value),
    "cohere_chat": _Provider.COHERE.value,
    "moonshot": _Provider.MOONSHOT.value,
    "oci": _Provider.ORACLE.value,
}


def infer_system(model_name: str | None, provider: str | None = None) -> str | None:
    """Whose product a model is (OpenInference ``llm.system``).

    Args:
        model_name: The model's name as providers, routers and hubs write it: ``gpt-4o``, ``anthropic/claude-sonnet-4``,
            ``us.anthropic.claude-sonnet-4-v1:0``, ``models/gemini-2.5-flash``, ``ft:gpt-4o:org::id``.
        provider: Who runs it, where that is known: those who run nothing but their own models tell whose it is.

    Returns:
        One of the specification's well-known values, or None.

    Example:
        >>> infer_system("gpt-4o-mini"), infer_system("my-own-model")
        ('openai', None)
    """
    if model_name:
        name = _own_name(model_name)
        vendor = _BEDROCK.match(name)
        if vendor is not None:
            return _SYSTEMS_BY_VENDOR[vendor[1]]
        for pattern, system in _PATTERNS:
            if pattern.match(name):
                return system
    return _SYSTEMS_BY_PROVIDER.get(provider or "")


def infer_provider(model_name: str | None) -> str | None:
    """Who runs a model, where its name says so, as LiteLLM's, Bedrock's and Fireworks' do: ``azure/gpt-4o``.

    A name without such a prefix says whose a model is and not who runs it, so there is no answer.

    Example:
        >>> infer_provider("groq/llama-3.3-70b"), infer_provider("gpt-4o")
        ('groq', None)
    """
    name = (model_name or "")[:_LONGEST_NAME]
    if _ARN.match(name) or _BEDROCK.match(name):
        return _Provider.AWS.value
    if name.startswith(_FIREWORKS):
        return _Provider.FIREWORKS.value
    head, separator, _ = name.partition("/")
    return _PROVIDERS_BY_PREFIX.get(head) if separator else None


def _own_name(model_name: str) -> str:
    """The model's name without what a router, a hub, an account or a fine-tuning put before it."""
    name = model_name[:_LONGEST_NAME].rpartition("/")[2]
    return name.removeprefix(_FINE_TUNED)
