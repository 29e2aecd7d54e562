"""Who runs a model, told from where its client connects or from the client's class.

The answers are OpenInference's well-known values of ``llm.provider``. What isn't known is None: a made-up provider is
worse than none. What a model's name tells is in `agenttrace.semconv.model_names`.
"""

from __future__ import annotations

import re

from openinference.semconv.trace import OpenInferenceLLMProviderValues

from .fields import class_name, field, fields, int_field, package_of, text_field, text_of
from .model_names import infer_provider, infer_system

__all__ = ["host_of", "infer_provider", "infer_system", "provider_of_client", "provider_of_host"]

_Provider = OpenInferenceLLMProviderValues

_PROVIDERS_BY_HOST = (
    ("api.openai.com", _Provider.OPENAI.value),
    ("anthropic.com", _Provider.ANTHROPIC.value),
    ("openai.azure.com", _Provider.AZURE.value),
    ("services.ai.azure.com", _Provider.AZURE.value),
    ("cognitiveservices.azure.com", _Provider.AZURE.value),
    ("models.ai.azure.com", _Provider.AZURE.value),
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
# Those that are hosts of much else too: what must be in the host's name beside its end.
_PROVIDERS_BY_SERVICE = (
    ("googleapis.com", ("generativelanguage", "aiplatform"), _Provider.GOOGLE.value),
    ("amazonaws.com", ("bedrock", "sagemaker"), _Provider.AWS.value),
    ("api.aws", ("bedrock",), _Provider.AWS.value),
    ("oraclecloud.com", ("generativeai",), _Provider.ORACLE.value),
)
_OLLAMA_PORT = "11434"
# By a word in the class's name, where the class is from a package that names its clients so.
_PROVIDERS_BY_CLASS = (
    ("azure", _Provider.AZURE.value),
    ("bedrock", _Provider.AWS.value),
    ("vertex", _Provider.GOOGLE.value),
    ("gcp", _Provider.GOOGLE.value),
)
_PACKAGES_OF_CLIENTS = (
    *("openai", "anthropic", "azure", "google", "vertexai", "botocore", "aiobotocore", "cohere", "mistralai"),
    *("langchain", "llama_index", "litellm", "smolagents"),
)
_PROVIDERS_BY_PACKAGE = {
    "ollama": _Provider.OLLAMA.value,
    "mistralai": _Provider.MISTRALAI.value,
    "cohere": _Provider.COHERE.value,
    "groq": _Provider.GROQ.value,
    "together": _Provider.TOGETHER.value,
    "cerebras": _Provider.CEREBRAS.value,
}
# Hugging Face's names of those that run models for it.
_PROVIDERS_BY_ROUTE: dict[str, str] = {
    **{
        provider.value: provider.value
        for provider in (_Provider.CEREBRAS, _Provider.COHERE, _Provider.GROQ, _Provider.OPENAI, _Provider.TOGETHER)
    },
    "fireworks-ai": _Provider.FIREWORKS.value,
    "zai-org": _Provider.ZAI.value,
}
_ADDRESS_FIELDS = (
    *("base_url", "_base_url", "azure_endpoint", "api_base", "server_url", "host", "_host", "_endpoint_url"),
    *("openai_api_base", "anthropic_api_url"),
)
_BARE_HOST = re.compile(r"[\w.-]+(:\d+)?")
_INNER_FIELDS = (
    *("_client", "_api_client", "client", "root_client", "sdk_configuration", "_client_wrapper", "_http_options"),
    *("meta", "async_client", "_async_client"),
)
_MOST_OBJECTS = 8  # that are looked at for where a client connects
_LONGEST_URL = 2048
_HOST = re.compile(r"\s*(?:[a-z][a-z0-9+.-]*:)?//(?:[^/?#@]*@)?(\[[^\]]*\]|[^/?#:]*)(:\d+)?", re.IGNORECASE)


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
    name, port = host.lower(), ""
    if name.rpartition(":")[2].isdecimal():
        name, _, port = name.rpartition(":")
    for suffix, provider in _PROVIDERS_BY_HOST:
        if name == suffix or name.endswith(f".{suffix}"):
            return provider
    for suffix, words, provider in _PROVIDERS_BY_SERVICE:
        if name.endswith(f".{suffix}") and any(word in name for word in words):
            return provider
    return _Provider.OLLAMA.value if port == _OLLAMA_PORT else None


def host_of(url: object) -> str | None:
    """The host, and port if there is one, of a URL: a string, or an object of an HTTP client's."""
    text = text_of(url)
    if text is None:
        reference = fields(field(url, "_uri_reference"))  # of httpx's URL, a named tuple
        host, port = text_field(reference, "host"), int_field(reference, "port")
        return host if host is None or port is None else f"{host}:{port}"
    found = _HOST.match(text[:_LONGEST_URL])
    if found is None:
        return text if _BARE_HOST.fullmatch(text[:_LONGEST_URL]) else None
    return "".join(found.groups(default="")).lower() or None


def provider_of_client(client: object) -> str | None:
    """Who runs what ``client``, an object of a provider's library, talks to.

    Only where it connects and its class are looked at: no key, no header. One that talks to a host that nobody is known
    to have, such as a server of one's own, has no provider.
    """
    objects = [client]
    for index in range(_MOST_OBJECTS):
        if index >= len(objects):
            break
        found = _provider_by_class(objects[index])
        if found is not None:
            return found
        address = _address_of(objects[index])
        if address is not None:
            # Ollama's client talks to nothing else, wherever that is.
            own_server = _Provider.OLLAMA.value if package_of(client) == "ollama" else None
            return provider_of_host(address) or own_server
        own = fields(objects[index])
        named = text_field(own, "provider")  # of Hugging Face's client, which has many behind it
        if named in _PROVIDERS_BY_ROUTE:
            return _PROVIDERS_BY_ROUTE[named]
        objects += [own[name] for name in _INNER_FIELDS if name in own]
    return _PROVIDERS_BY_PACKAGE.get(package_of(client))


def _provider_by_class(client: object) -> str | None:
    if not package_of(client).startswith(_PACKAGES_OF_CLIENTS):
        return None
    name: str = class_name(client).lower()
    return next((provider for word, provider in _PROVIDERS_BY_CLASS if word in name), None)


def _address_of(client: object) -> str | None:
    own = fields(client)
    for name in _ADDRESS_FIELDS:
        host = host_of(own.get(name))
        if host is not None:
            return host
    model = text_field(own, "model")  # of Hugging Face's client, where it is to talk to one address
    return host_of(model) if model is not None and model.startswith(("http://", "https://")) else None
