"""The providers' own client objects tell who runs what they talk to, by where they connect."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import anthropic
import cohere
import ollama
import openai
import pytest
from google import genai
from huggingface_hub import AsyncInferenceClient, InferenceClient
from mistralai.client import Mistral
from smolagents import InferenceClientModel, OpenAIModel

from agenttrace.semconv.providers import provider_of_client

KEY = "sk-1234"
GROQ = "https://api.groq.com/openai/v1"
OWN = "http://localhost:8000/v1"


def google() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return genai.Client(api_key=KEY)


def bedrock() -> Any:
    return anthropic.AnthropicBedrock(aws_region="us-east-1", aws_access_key=KEY, aws_secret_key=KEY)


CLIENTS: dict[str, tuple[Callable[[], Any], str | None]] = {
    "OpenAI": (lambda: openai.OpenAI(api_key=KEY), "openai"),
    "AsyncOpenAI": (lambda: openai.AsyncOpenAI(api_key=KEY), "openai"),
    "one of its resources": (lambda: openai.OpenAI(api_key=KEY).chat.completions, "openai"),
    "OpenAI's to Groq": (lambda: openai.OpenAI(api_key=KEY, base_url=GROQ), "groq"),
    "OpenAI's to Ollama": (lambda: openai.OpenAI(api_key=KEY, base_url="http://localhost:11434/v1"), "ollama"),
    "OpenAI's to a server of one's own": (lambda: openai.OpenAI(api_key=KEY, base_url=OWN), None),
    "AzureOpenAI": (
        lambda: openai.AzureOpenAI(api_key=KEY, azure_endpoint="https://r.openai.azure.com", api_version="2024-10-21"),
        "azure",
    ),
    "AzureOpenAI behind a gateway": (
        lambda: openai.AsyncAzureOpenAI(
            api_key=KEY, azure_endpoint="https://gateway.example", api_version="2024-10-21"
        ),
        "azure",
    ),
    "Anthropic": (lambda: anthropic.Anthropic(api_key=KEY), "anthropic"),
    "AnthropicBedrock": (bedrock, "aws"),
    "AnthropicVertex": (
        lambda: anthropic.AnthropicVertex(region="us-east5", project_id="p", access_token=KEY),
        "google",
    ),
    "Anthropic's to a server of one's own": (lambda: anthropic.Anthropic(api_key=KEY, base_url=OWN), None),
    "Google": (google, "google"),
    "Google's models": (lambda: google().models, "google"),
    "Google's asynchronous client": (lambda: google().aio, "google"),
    "Mistral": (lambda: Mistral(api_key=KEY), "mistralai"),
    "Mistral's chat": (lambda: Mistral(api_key=KEY).chat, "mistralai"),
    "Mistral's to a server of one's own": (lambda: Mistral(api_key=KEY, server_url=OWN), None),
    "Cohere": (lambda: cohere.ClientV2(api_key=KEY), "cohere"),
    "Cohere's to a server of one's own": (lambda: cohere.ClientV2(api_key=KEY, base_url=OWN), None),
    "Ollama": (ollama.Client, "ollama"),
    "Ollama's asynchronous client": (ollama.AsyncClient, "ollama"),
    "Ollama elsewhere": (lambda: ollama.Client(host="http://gpu-server:9999"), "ollama"),
    "InferenceClient": (InferenceClient, None),
    "InferenceClient to Groq": (lambda: InferenceClient(provider="groq", token=KEY), "groq"),
    "InferenceClient to Fireworks": (lambda: AsyncInferenceClient(provider="fireworks-ai", token=KEY), "fireworks"),
    "InferenceClient to one nobody knows": (lambda: InferenceClient(provider="novita", token=KEY), None),
    "InferenceClient to an address": (lambda: InferenceClient(base_url="https://api.together.xyz/v1"), "together"),
    "InferenceClient with a model": (lambda: InferenceClient(model="meta-llama/Llama-3.1-8B"), None),
    "boto3": (
        lambda: pytest.importorskip("boto3").client(
            "bedrock-runtime", region_name="us-east-1", aws_access_key_id=KEY, aws_secret_access_key=KEY
        ),
        "aws",
    ),
    "smolagents' model": (lambda: OpenAIModel("gpt-4o", api_key=KEY), "openai"),
    "smolagents' model at an address": (lambda: OpenAIModel("m", api_base=GROQ, api_key=KEY), "groq"),
    "smolagents' model on a server of one's own": (lambda: OpenAIModel("m", api_base=OWN, api_key=KEY), None),
    "smolagents' model by a route": (lambda: InferenceClientModel("m", provider="together", token=KEY), "together"),
}


@pytest.mark.parametrize(("make", "provider"), CLIENTS.values(), ids=CLIENTS)
def test_a_client_tells_who_runs_what_it_talks_to(make: Callable[[], Any], provider: str | None) -> None:
    """By its address, by its class where that is made for one cloud, or by the route that it was told."""
    assert provider_of_client(make()) == provider
