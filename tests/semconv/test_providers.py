"""Whose a model is and who runs it, in the specification's well-known values; what isn't known is left out."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openinference.semconv.trace import OpenInferenceLLMProviderValues, OpenInferenceLLMSystemValues

from agenttrace.semconv.providers import host_of, infer_provider, infer_system, provider_of_client, provider_of_host

from .hostile import HOSTILE, anything, assert_untouched

PROVIDERS = {provider.value for provider in OpenInferenceLLMProviderValues}
# The specification's table has more than the constants of this release.
SYSTEMS = {*(system.value for system in OpenInferenceLLMSystemValues), "xai", "deepseek", "amazon", "meta", "ai21"}

NAMES: dict[str | None, list[str]] = {
    "openai": [
        *("gpt-4o", "gpt-4o-mini-2024-07-18", "gpt-3.5-turbo", "gpt-35-turbo", "gpt-5-codex", "gpt-oss-120b", "GPT-4"),
        *("chatgpt-4o-latest", "o1", "o1-preview", "o3-mini", "o4-mini-deep-research", "codex-mini-latest"),
        *("davinci-002", "text-davinci-003", "babbage-002", "text-ada-001", "text-embedding-3-small"),
        *("text-embedding-ada-002", "dall-e-3", "gpt-image-1", "whisper-1", "tts-1-hd", "gpt-realtime", "gpt2"),
        *("openai/gpt-4o", "azure/gpt-4o", "openrouter/openai/gpt-4o", "openai.gpt-oss-120b-1:0"),
        *("ft:gpt-4o:org::id", "ft:gpt-3.5-turbo-0125:my-org:custom:id", "ft:davinci-002:org::id", "gpt-oss:20b"),
        *("openai/gpt-oss-20b", "computer-use-preview", "sora-2"),
    ],
    "anthropic": [
        *("claude-sonnet-4-20250514", "claude-3-5-haiku-latest", "claude-2.1", "claude-instant-1.2", "claude"),
        *("anthropic/claude-opus-4", "anthropic.claude-v2:1", "us.anthropic.claude-sonnet-4-20250514-v1:0"),
        *("bedrock/anthropic.claude-3-haiku-20240307-v1:0", "vertex_ai/claude-3-opus@20240229"),
        *(
            "claude-3-opus@20240229",
            "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0",
        ),
        "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-3-5-sonnet-20240620-v1:0",
    ],
    "vertexai": [
        *("gemini-2.5-flash", "models/gemini-1.5-pro", "gemini/gemini-2.0-flash", "gemini-embedding-001", "text-bison"),
        *("projects/p/locations/l/publishers/google/models/gemini-1.5-pro", "google/gemini-2.5-pro", "chat-bison"),
    ],
    "cohere": [
        *(
            "command",
            "command-r",
            "command-r-plus-08-2024",
            "command-a-03-2025",
            "command-r7b-12-2024",
            "command-light",
        ),
        *("c4ai-aya-expanse-32b", "rerank-v3.5", "rerank-english-v3.0", "embed-english-v3.0", "embed-v4.0"),
        *("cohere.command-r-v1:0", "command-r:35b"),
    ],
    "mistralai": [
        *("mistral-large-latest", "mistral-7b-instruct", "open-mistral-nemo", "mixtral-8x7b-32768", "codestral-2405"),
        *("mistralai/Mistral-7B-Instruct-v0.3", "mistral.mistral-large-2407-v1:0", "mistral:7b", "pixtral-12b"),
        *("ministral-8b", "magistral-medium", "devstral-small", "voxtral-mini", "mistral"),
    ],
    "xai": ["grok-3", "grok-2-vision-1212", "xai/grok-beta", "x-ai/grok-4"],
    "deepseek": [
        *("deepseek-chat", "deepseek-reasoner", "deepseek-ai/DeepSeek-V3", "deepseek-r1:7b", "us.deepseek.r1-v1:0"),
        "deepseek-ai/DeepSeek-R1-Distill-Llama-70B",
    ],
    "amazon": [
        *("amazon.nova-pro-v1:0", "us.amazon.nova-lite-v1:0", "nova-micro", "amazon/nova-pro-v1", "nova-sonic"),
        *("amazon.titan-embed-text-v2:0", "titan-text-express-v1"),
    ],
    "meta": [
        *("llama-3.3-70b-versatile", "meta-llama/Llama-3.1-8B-Instruct", "llama3.1:8b", "groq/llama-3.3-70b"),
        *(
            "accounts/fireworks/models/llama-v3p1-8b-instruct",
            "meta.llama3-1-70b-instruct-v1:0",
            "llama2",
            "codellama:7b",
        ),
        *("@cf/meta/llama-3-8b-instruct", "llama-guard-3-8b"),
    ],
    "ai21": ["jamba-1.5-large", "ai21.jamba-1-5-mini-v1:0", "j2-ultra"],
    None: [
        *("my-own-model", "ada", "nova", "nova-2", "nova-3-general", "titan", "gpt-neo-2.7B", "gpt-j-6b", "gpt4all-j"),
        *(
            "EleutherAI/gpt-neox-20b",
            "gpt-sw3",
            "claudette-7b",
            "openclaude",
            "command-center",
            "commander",
            "o2",
            "o1x",
        ),
        *("mistrallite", "openhermes-2.5-mistral-7b", "llama", "llamafile", "llama-3.1-sonar-large-128k-online"),
        *("grokking", "qwen2.5-coder", "Qwen/Qwen3-32B", "phi-3", "gemma-2-9b-it", "google/gemma-3-27b-it", "opus"),
        *("text-embedding-004", "embedding-001", "rerank-2", "nomic-embed-text", "voyage-3", "sonar-pro", "kimi-k2"),
        *("my-gpt-4o-deployment", "not-claude-3", "arn:aws:bedrock:us-east-1:123:provisioned-model/abc", "aya", ""),
        *("whisper-large-v3", "tts", "embed-anything", "jambalaya", "j2", "/", ":", "ft:", "."),
    ],
}


@pytest.mark.parametrize(("name", "system"), [(name, system) for system, names in NAMES.items() for name in names])
def test_a_model_s_name_tells_whose_it_is(name: str, system: str | None) -> None:
    """As providers, routers, hubs and clouds write it; a name that others give models too tells nothing."""
    assert infer_system(name) == system


@pytest.mark.parametrize(
    ("provider", "system"),
    [
        ("openai", "openai"),
        ("anthropic", "anthropic"),
        ("xai", "xai"),
        ("azure", None),
        ("groq", None),
        ("aws", None),
        ("mine", None),
        (None, None),
    ],
)
def test_who_runs_only_models_of_its_own_tells_whose_they_are(provider: str | None, system: str | None) -> None:
    """A name that is known counts more."""
    assert infer_system("my-own-model", provider) == infer_system(None, provider) == system
    assert infer_system("claude-sonnet-4", provider) == "anthropic"


@pytest.mark.parametrize(
    ("name", "provider"),
    [
        ("azure/gpt-4o", "azure"),
        ("groq/llama-3.3-70b", "groq"),
        ("bedrock/anthropic.claude-v2", "aws"),
        ("us.anthropic.claude-sonnet-4-20250514-v1:0", "aws"),
        ("arn:aws:bedrock:us-east-1:123:provisioned-model/abc", "aws"),
        ("arn:aws-us-gov:sagemaker:us-gov-west-1:123:endpoint/e", "aws"),
        ("vertex_ai/gemini-1.5-pro", "google"),
        ("gemini/gemini-2.0-flash", "google"),
        ("accounts/fireworks/models/llama-v3p1-8b-instruct", "fireworks"),
        ("fireworks_ai/accounts/fireworks/models/llama-v3p1-8b", "fireworks"),
        ("together_ai/meta-llama/Llama-3-8b", "together"),
        ("ollama/llama3", "ollama"),
        ("openai/gpt-4o", None),
        ("meta-llama/Llama-3.1-8B-Instruct", None),
        ("mistralai/Mistral-7B", None),
        ("gpt-4o", None),
        ("azure", None),
        ("anthropic.com", None),
        ("", None),
        (None, None),
    ],
)
def test_a_model_s_name_tells_who_runs_it_where_it_says_so(name: str | None, provider: str | None) -> None:
    """By a prefix that only one uses; a hub's author is no provider."""
    assert infer_provider(name) == provider


HOSTS: dict[str | None, list[str]] = {
    "openai": ["api.openai.com", "eu.api.openai.com", "API.OPENAI.COM:443"],
    "anthropic": ["api.anthropic.com"],
    "azure": [
        "r.openai.azure.com",
        "r.services.ai.azure.com",
        "r.cognitiveservices.azure.com",
        "m.eastus.models.ai.azure.com",
    ],
    "google": ["generativelanguage.googleapis.com", "us-central1-aiplatform.googleapis.com"],
    "aws": ["bedrock-runtime.us-east-1.amazonaws.com", "runtime.sagemaker.eu-west-1.amazonaws.com"],
    "cohere": ["api.cohere.com", "api.cohere.ai"],
    "mistralai": ["api.mistral.ai", "codestral.mistral.ai"],
    "xai": ["api.x.ai"],
    "deepseek": ["api.deepseek.com"],
    "groq": ["api.groq.com"],
    "fireworks": ["api.fireworks.ai"],
    "moonshot": ["api.moonshot.cn", "api.moonshot.ai"],
    "cerebras": ["api.cerebras.ai"],
    "perplexity": ["api.perplexity.ai"],
    "together": ["api.together.xyz"],
    "ollama": ["localhost:11434", "127.0.0.1:11434", "[::1]:11434", "ollama.com"],
    "meta": ["api.llama.com"],
    "zai": ["api.z.ai", "open.bigmodel.cn"],
    "minimax": ["api.minimax.io"],
    "oracle": ["inference.generativeai.us-chicago-1.oci.oraclecloud.com"],
    None: [
        *("localhost", "localhost:8000", "my-server", "example.com", "openai.com.example.org", "notanthropic.com"),
        *("storage.googleapis.com", "s3.amazonaws.com", "ec2-1-2-3-4.compute.amazonaws.com", "jazz.ai", "x.ai.evil.io"),
        *("openrouter.ai", "", ":", "::1", "."),
    ],
}


@pytest.mark.parametrize(
    ("host", "provider"), [(host, provider) for provider, hosts in HOSTS.items() for host in hosts]
)
def test_a_host_tells_who_runs_what_is_there(host: str, provider: str | None) -> None:
    """Whoever has it; a cloud's other services, and a server of one's own, tell nothing."""
    assert provider_of_host(host) == provider


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://api.openai.com/v1", "api.openai.com"),
        ("HTTPS://API.OpenAI.com:443/v1?key=sk-1234#x", "api.openai.com:443"),
        ("https://user:password@example.com/", "example.com"),
        ("//example.com/a", "example.com"),
        ("http://[::1]:11434/v1", "[::1]:11434"),
        ("example.com:8080", "example.com:8080"),
        (httpx.URL("https://api.groq.com/openai/v1"), "api.groq.com"),
        (httpx.URL("http://localhost:11434"), "localhost:11434"),
        ("not a url", None),
        ("", None),
        ("/v1", None),
        (None, None),
        (5, None),
        (["https://api.openai.com"], None),
        ("https://" + "a" * 50_000_000, "a" * 2040),
    ],
)
def test_the_host_of_an_address(url: object, host: str | None) -> None:
    """Of a string or an HTTP client's object, without who logs in there."""
    assert host_of(url) == host


def test_a_client_is_known_by_where_it_connects() -> None:
    """However its library wraps that, and never by a key."""
    client = SimpleNamespace(base_url="https://api.groq.com/openai/v1", api_key="sk-1234")
    assert provider_of_client(client) == "groq"
    assert provider_of_client(SimpleNamespace(_client=SimpleNamespace(_client=client))) == "groq"
    assert provider_of_client(SimpleNamespace(base_url="http://localhost:8000")) is None
    assert provider_of_client(httpx.Client(base_url="https://api.mistral.ai")) == "mistralai"


def test_a_client_that_holds_itself_is_no_endless_way() -> None:
    """Some objects are looked at, and no more."""
    client = SimpleNamespace()
    client.client = client._client = client
    assert provider_of_client(client) is None


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_what_resists_does_no_harm(make: Callable[[], Any]) -> None:
    """Nothing of a foreign object is called while it is read."""
    value = make()
    for client in (value, SimpleNamespace(base_url=value, _client=value, client=value, provider=value)):
        assert provider_of_client(client) is None
    assert host_of(value) is None
    assert_untouched(value)


@given(st.text())
def test_any_name_and_host_has_a_well_known_answer_or_none(text: str) -> None:
    """Nothing is invented."""
    assert infer_system(text) in {*SYSTEMS, None}
    assert infer_provider(text) in {*PROVIDERS, None}
    assert provider_of_host(text) in {*PROVIDERS, None}
    assert provider_of_host(host_of(text)) in {*PROVIDERS, None}


@given(anything)
def test_anything_can_be_a_client(value: object) -> None:
    """Nothing raises, and nothing is invented."""
    assert provider_of_client(value) in {*PROVIDERS, None}


def test_a_very_long_name_takes_no_time() -> None:
    """Its beginning is looked at, and no more."""
    assert infer_system("a/" * 25_000_000) is None
    assert infer_system("gpt-4o" + "x" * 50_000_000) == "openai"
    assert infer_provider("azure/" + "x" * 50_000_000) == "azure"
