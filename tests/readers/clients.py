"""Five clients whose use is alike, in one form: ask for an answer or for its stream, as it is or asynchronously.

Each one's server says "Rain.", in the pieces "Ra" and "in." where it is asked for a stream.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import cohere
import ollama
from huggingface_hub import AsyncInferenceClient, InferenceClient
from huggingface_hub.errors import HfHubHTTPError
from smolagents import OpenAIModel

from . import test_cohere as of_cohere
from . import test_huggingface as of_huggingface
from . import test_mistral as of_mistral
from . import test_ollama as of_ollama
from .replay import Answer, event_stream, json_answer, json_lines
from .test_mistral import Mistral

QUESTION: list[Any] = [{"role": "user", "content": "What is the weather in Oslo?"}]
MESSAGE = {"role": "assistant", "content": "Rain."}


class Provider:
    """What the tests know of a client."""

    whole: Answer
    streamed: Answer
    broken: Answer
    """The first piece, then an error or the end of what can be understood."""
    known: dict[str, Any]
    """What the answer says beside its message."""
    known_at_first: dict[str, Any]
    """What its first piece says."""
    steps_to_first = 1
    """How many chunks there are up to the first piece."""
    name = ""

    def connected(self, url: str) -> Any:
        raise NotImplementedError

    def ask(self, client: Any) -> Any:
        raise NotImplementedError

    def stream(self, client: Any) -> Any:
        raise NotImplementedError


class AsyncProvider(Provider):
    """One that has an asynchronous client too."""

    def connected_async(self, url: str) -> Any:
        raise NotImplementedError

    async def ask_async(self, client: Any) -> Any:
        raise NotImplementedError

    async def stream_async(self, client: Any) -> Any:
        raise NotImplementedError


class MistralProvider(AsyncProvider):
    """The client whose stream is an object and a context manager."""

    name = "mistral"
    whole = json_answer(of_mistral.completion(MESSAGE))
    chunks = [
        of_mistral.chunk({"role": "assistant", "content": "Ra"}),
        of_mistral.chunk({"content": "in."}, "stop", usage=of_mistral.USAGE),
    ]
    streamed = event_stream(chunks, done=True)
    broken = event_stream([chunks[0], {"object": "error"}])
    known = of_mistral.KNOWN
    known_at_first = {name: of_mistral.KNOWN[name] for name in ("system", "model_name")}

    def connected(self, url: str) -> Any:
        return Mistral(api_key="test", server_url=url)

    def ask(self, client: Any) -> Any:
        return client.chat.complete(model=of_mistral.MODEL, messages=QUESTION)

    def stream(self, client: Any) -> Any:
        return client.chat.stream(model=of_mistral.MODEL, messages=QUESTION)

    connected_async = connected

    async def ask_async(self, client: Any) -> Any:
        return await client.chat.complete_async(model=of_mistral.MODEL, messages=QUESTION)

    async def stream_async(self, client: Any) -> Any:
        return await client.chat.stream_async(model=of_mistral.MODEL, messages=QUESTION)


class CohereProvider(AsyncProvider):
    """The client whose stream is a generator of events of many classes."""

    name = "cohere"
    options = {"max_retries": 0}
    whole = json_answer(
        {
            "id": "c14c80c3",
            "finish_reason": "COMPLETE",
            "message": {"role": "assistant", "content": [{"type": "text", "text": "Rain."}]},
            "usage": of_cohere.USAGE,
        }
    )
    streamed = event_stream(of_cohere.STREAMS["text"], names=True)
    broken = event_stream(of_cohere.STREAMS["text"][:3], names=True)
    known = of_cohere.KNOWN
    known_at_first = {"system": "cohere"}
    steps_to_first = 3

    def connected(self, url: str) -> Any:
        return cohere.ClientV2("test", base_url=url)

    def ask(self, client: Any) -> Any:
        return client.chat(model=of_cohere.MODEL, messages=QUESTION, request_options=self.options)

    def stream(self, client: Any) -> Any:
        return client.chat_stream(model=of_cohere.MODEL, messages=QUESTION, request_options=self.options)

    def connected_async(self, url: str) -> Any:
        return cohere.AsyncClientV2("test", base_url=url)

    async def ask_async(self, client: Any) -> Any:
        return await client.chat(model=of_cohere.MODEL, messages=QUESTION, request_options=self.options)

    async def stream_async(self, client: Any) -> Any:
        return self.stream(client)


class OllamaProvider(AsyncProvider):
    """The client whose stream is a generator of the objects that a whole answer is."""

    name = "ollama"
    whole = json_answer({**of_ollama.COMMON, "message": MESSAGE, **of_ollama.DONE})
    chunks = [
        {**of_ollama.COMMON, "message": {"role": "assistant", "content": "Ra"}, "done": False},
        {**of_ollama.COMMON, "message": {"role": "assistant", "content": "in."}, **of_ollama.DONE},
    ]
    streamed = json_lines(chunks)
    broken = json_lines([chunks[0], {"error": "the model crashed"}])
    known = of_ollama.KNOWN
    known_at_first = {name: of_ollama.KNOWN[name] for name in ("provider", "model_name")}

    @contextmanager
    def connected(self, url: str) -> Iterator[Any]:
        client = ollama.Client(url)
        yield client
        client._client.close()

    def ask(self, client: Any) -> Any:
        return client.chat("qwen3:8b", QUESTION)

    def stream(self, client: Any) -> Any:
        return client.chat("qwen3:8b", QUESTION, stream=True)

    @asynccontextmanager
    async def connected_async(self, url: str) -> AsyncIterator[Any]:
        client = ollama.AsyncClient(url)
        yield client
        await client._client.aclose()

    async def ask_async(self, client: Any) -> Any:
        return await self.ask(client)

    async def stream_async(self, client: Any) -> Any:
        return await self.stream(client)


class HuggingFaceProvider(AsyncProvider):
    """The client whose objects are dictionaries."""

    name = "huggingface"
    whole = json_answer(of_huggingface.completion(MESSAGE))
    last = {**of_huggingface.LAST, "usage": of_huggingface.USAGE}
    chunks = [
        of_huggingface.chunk({"role": "assistant", "content": "Ra"}),
        of_huggingface.chunk({"content": "in."}, "stop"),
    ]
    streamed = event_stream([*chunks, last], done=True)
    broken = event_stream([chunks[0], {"error": "overloaded", "error_type": "overloaded"}])
    known = of_huggingface.KNOWN
    known_at_first = {"model_name": of_huggingface.MODEL}

    def connected(self, url: str) -> Any:
        return InferenceClient(url, token="test")

    def ask(self, client: Any) -> Any:
        return client.chat_completion(QUESTION)

    def stream(self, client: Any) -> Any:
        return client.chat_completion(QUESTION, stream=True)

    def connected_async(self, url: str) -> Any:
        return AsyncInferenceClient(url, token="test")

    async def ask_async(self, client: Any) -> Any:
        return await self.ask(client)

    async def stream_async(self, client: Any) -> Any:
        return await self.stream(client)


class SmolagentsProvider(Provider):
    """A model of smolagents', which hides the provider's response in its own; its stream leaves most of it out."""

    name = "smolagents"
    messages = [{"role": "user", "content": [{"type": "text", "text": "What is the weather in Oslo?"}]}]
    whole = HuggingFaceProvider.whole
    streamed = HuggingFaceProvider.streamed
    broken = event_stream([HuggingFaceProvider.chunks[0], {"error": {"message": "overloaded"}}])
    known = of_huggingface.KNOWN
    known_streamed = {"token_counts": {"prompt": 19, "completion": 8}}
    known_at_first: dict[str, Any] = {}

    @contextmanager
    def connected(self, url: str) -> Iterator[Any]:
        model = OpenAIModel("gpt-4o", api_base=url, api_key="test", client_kwargs={"max_retries": 0}, retry=False)
        yield model
        model.client.close()

    def ask(self, client: Any) -> Any:
        return client.generate(self.messages)

    def stream(self, client: Any) -> Any:
        return client.generate_stream(self.messages)


ERRORS: dict[str, type[BaseException]] = {
    "mistral": Exception,
    "cohere": cohere.core.ApiError,
    "ollama": ollama.ResponseError,
    "huggingface": HfHubHTTPError,
    "smolagents": Exception,
}
"""What each client raises for a status that is an error."""
ASYNC_PROVIDERS: list[AsyncProvider] = [MistralProvider(), CohereProvider(), OllamaProvider(), HuggingFaceProvider()]
PROVIDERS: list[Provider] = [*ASYNC_PROVIDERS, SmolagentsProvider()]
