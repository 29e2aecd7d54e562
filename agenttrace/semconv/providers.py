"""Whose a model is and who runs it, told from its name, from where its client connects, or from the client's class.

The answers are OpenInference's well-known values of ``llm.system`` and ``llm.provider``. What isn't known is None: a
made-up provider is worse than none.
"""

from __future__ import annotations

import re

from openinference.semconv.trace import OpenInferenceLLMProviderValues, OpenInferenceLLMSystemValues

from .fields import field, fields, text_field

__all__ = ["host_of", "infer_provider", "infer_system", "provider_of_client", "provider_of_host"]

_System = OpenInferenceLLMSystemValues
_Provider = OpenInferenceLLMProviderValues

# Those that the specification's table has and this release's constants may not have yet.
_XAI, _DEEPSEEK, _AMAZON, _META, _AI21 = "xai", "deepseek", "amazon", "meta", "ai21"

_SYSTEMS_BY_MODEL = (
    (
        r"(chat)?gpt-|gpt\d|o[1345](-|$)|codex-|computer-use-|(text-)?(davinci|babbage|curie)-|ada-00",
        _System.OPENAI.value,
    ),
    (r"text-embedding-(3|ada)-|dall-e-|whisper-1$|tts-1", _System.OPENAI.value),
    (r"claude-", _System.ANTHROPIC.value),
    (r"gemini-|gemma-?\d|gemini-embedding|text-bison|chat-bison|learnlm-", _System.VERTEXAI.value),
    (r"command(-|$)|c4ai-|aya-|rerank-(v|english|multilingual)|embed-(english|multilingual|v\d)", _System.COHERE.value),
    (r"(open-)?(mistral|mixtral|ministral|magistral|codestral|devstral|pixtral|voxtral)", _System.MISTRALAI.value),
    (r"grok-", _XAI),
    (r"deepseek-", _DEEPSEEK),
    (r"(amazon-)?(nova|titan)-", _AMAZON),
    (r"(meta-)?llama-?\d", _META),
    (r"jamba-|j2-", _AI21),
)
_SYSTEM_PATTERNS = [(re.compile(pattern, re.IGNORECASE), system) for pattern, system in _SYSTEMS_BY_MODEL]
# What may stand before a model's own name: a router's or hub's "openai/", Bedrock's "us.anthropic.", "models/".
_PREFIX = re.compile(
    r"(?:[\w.-]+/)*(?:(?:us|eu|apac|global|us-gov)\.)?(?:(?:anthropic|meta|mistral|cohere|amazon|ai21|deepseek)\.)?"
)

_PROVIDERS_BY_HOST = (
    ("api.openai.com", _Provider.OPENAI.value),
    ("anthropic.com", _Provider.ANTHROPIC.value),
    ("openai.azure.com", _Provider.AZURE.value),
    ("services.ai.azure.com", _Provider.AZURE.value),
    ("cognitiveservices.azure.com", _Provider.AZURE.value),
    ("models.ai.azure.com", _Provider.AZURE.value),
    ("googleapis.com", _Provider.GOOGLE.value),
    ("amazonaws.com", _Provider.AWS.value),
    ("cohere.com", _Provider.COHERE.value),
    ("cohere.ai", _Provider.COHERE.value),
    ("mistral.ai", _Provider.MISTRALAI.value),
    ("api.x.ai", _Provider.XAI.value),
    ("deepseek.com", _Provider.DEEPSEEK.value),
    ("groq.com", _Provider.GROQ.value),
    ("fireworks.ai", _Provider.FIREWORKS.value),
    ("moonshot.ai", _Provider.MOONSHOT.value),
    ("moonshot.cn", _Provider.MOONSHOT.value),
    ("cerebras.ai", _Provider.CEREBRAS.value),
    ("perplexity.ai", _Provider.PERPLEXITY.value),
    ("together.xyz", _Provider.TOGETHER.value),
    ("together.ai", _Provider.TOGETHER.value),
    ("ollama.com", _Provider.OLLAMA.value),
    ("llama.com", _Provider.META.value),
    ("z.ai", _Provider.ZAI.value),
    ("bigmodel.cn", _Provider.ZAI.value),
    ("minimax.io", _Provider.MINIMAX.value),
    ("minimaxi.com", _Provider.MINIMAX.value),
)
_OLLAMA_PORT = 11434
_PROVIDERS_BY_CLASS = (
    ("azure", _Provider.AZURE.value),
    ("bedrock", _Provider.AWS.value),
    ("vertex", _Provider.GOOGLE.value),
)
_PROVIDERS_BY_PACKAGE = {
    "ollama": _Provider.OLLAMA.value,
    "mistralai": _Provider.MISTRALAI.value,
    "cohere": _Provider.COHERE.value,
    "groq": _Provider.GROQ.value,
    "together": _Provider.TOGETHER.value,
    "cerebras": _Provider.CEREBRAS.value,
}
# LiteLLM's. Those that a hub has as an author's name too ("openai/gpt-oss-20b") say nothing of who runs the model.
_PROVIDERS_BY_PREFIX = {
    **dict.fromkeys(("azure", "azure_ai"), _Provider.AZURE.value),
    "bedrock": _Provider.AWS.value,
    **dict.fromkeys(("gemini", "vertex_ai"), _Provider.GOOGLE.value),
    "groq": _Provider.GROQ.value,
    "fireworks_ai": _Provider.FIREWORKS.value,
    "together_ai": _Provider.TOGETHER.value,
    **dict.fromkeys(("ollama", "ollama_chat"), _Provider.OLLAMA.value),
}
_WELL_KNOWN = frozenset(provider.value for provider in _Provider)
_ADDRESS_FIELDS = ("base_url", "_base_url", "azure_endpoint", "api_base", "host", "_host")
_INNER_FIELDS = ("_client", "_api_client", "client", "sdk_configuration", "_client_wrapper", "_http_options")
_DEEPEST = 4
_LONGEST_URL = 2048
_HOST = re.compile(r"\s*(?:[a-z][a-z0-9+.-]*:)?//(?:[^/?#@]*@)?(\[[^\]]*\]|[^/?#:]*)(:\d+)?", re.IGNORECASE)


def infer_system(model_name: str | None, provider: str | None = None) -> str | None:
    """Whose product a model is (OpenInference ``llm.system``).

    Args:
        model_name: The model's name as providers, routers and hubs write it: ``gpt-4o``, ``anthropic/claude-sonnet-4``,
            ``us.anthropic.claude-sonnet-4-v1:0``, ``models/gemini-2.5-flash``.
        provider: Who runs it, where that is known: those who run nothing but their own models tell whose it is.

    Returns:
        One of the specification's well-known values, or None.

    Example:
        >>> infer_system("gpt-4o-mini"), infer_system("my-own-model")
        ('openai', None)
    """
    if model_name:
        match = _PREFIX.match(model_name)
        name = model_name[match.end() :] if match else model_name
        for pattern, system in _SYSTEM_PATTERNS:
            if pattern.match(name):
                return system
    return _SYSTEMS_BY_PROVIDER.get(provider or "")


_SYSTEMS_BY_PROVIDER = {
    _Provider.OPENAI.value: _System.OPENAI.value,
    _Provider.ANTHROPIC.value: _System.ANTHROPIC.value,
    _Provider.COHERE.value: _System.COHERE.value,
    _Provider.MISTRALAI.value: _System.MISTRALAI.value,
    _Provider.XAI.value: _XAI,
    _Provider.DEEPSEEK.value: _DEEPSEEK,
}


def infer_provider(model_name: str | None) -> str | None:
    """Who runs a model, where its name says so as LiteLLM's do: ``groq/llama-3.3-70b``, ``azure/gpt-4o``.

    A name without such a prefix says whose a model is and not who runs it, so there is no answer.
    """
    head, separator, _ = (model_name or "").partition("/")
    return _PROVIDERS_BY_PREFIX.get(head) if separator else None


def provider_of_host(host: str | None) -> str | None:
    """Who runs what is at ``host`` (OpenInference ``llm.provider``), None for a host that nobody is known to have.

    Args:
        host: A host, with or without a port.

    Example:
        >>> provider_of_host("my-resource.openai.azure.com")
        'azure'
    """
    if not host:
        return None
    name, _, port = host.lower().partition(":")
    for suffix, provider in _PROVIDERS_BY_HOST:
        if name == suffix or name.endswith(f".{suffix}"):
            return provider
    return _Provider.OLLAMA.value if port == str(_OLLAMA_PORT) else None


def host_of(url: object) -> str | None:
    """The host, and port if there is one, of a URL: a string, or an object of an HTTP client's."""
    if not isinstance(url, str):
        reference = field(url, "_uri_reference")  # of httpx's URL, a named tuple
        host, port = (getattr(reference, name, None) for name in ("host", "port"))
        if not isinstance(reference, tuple) or not isinstance(host, str):
            return None
        return f"{host}:{port}" if isinstance(port, int) else host
    found = _HOST.match(url[:_LONGEST_URL])
    return (found[1] + (found[2] or "")).lower() if found and found[1] else None


def provider_of_client(client: object) -> str | None:
    """Who runs what ``client``, an object of a provider's library, talks to.

    Only where it connects and its class are looked at: no key, no header.
    """
    for _ in range(_DEEPEST):
        cls = type(client)
        for word, provider in _PROVIDERS_BY_CLASS:
            if word in cls.__name__.lower():
                return provider
        for name in _ADDRESS_FIELDS:
            address = field(client, name)
            provider_here = None if address is None else provider_of_host(host_of(address) or _bare_host(address))
            if provider_here is not None:
                return provider_here
        named = text_field(client, "provider")  # of Hugging Face's client, which has many behind it
        if named in _WELL_KNOWN:
            return named
        package = str(cls.__module__).partition(".")[0]
        if package in _PROVIDERS_BY_PACKAGE:
            return _PROVIDERS_BY_PACKAGE[package]
        own = fields(client)
        client = next((own[name] for name in _INNER_FIELDS if name in own), None)
        if client is None:
            break
    return None


def _bare_host(address: object) -> str | None:
    return address if isinstance(address, str) and re.fullmatch(r"[\w.-]+(:\d+)?", address) else None
