"""What goes into a model call, read from the arguments of the user's function by the names that people give them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..semconv.fields import fields, is_a, list_field, text_field
from ..semconv.messages import is_message, read_messages, read_tools
from ..semconv.providers import provider_of_client
from ..semconv.types import Message, ModelCall, Tool

__all__ = ["MODEL_NAMES", "model_of", "read_request"]

_MESSAGES = ("messages", "input_messages", "chat_messages", "chat_history", "conversation", "contents", "input")
_PROMPTS = ("prompt", "prompts", "user_prompt", "question", "query", "user_message", "message", "text", "user_input")
_SYSTEM = ("system", "system_prompt", "system_message", "system_instruction", "instructions", "preamble")
_TOOLS = ("tools", "tools_to_call_from", "functions")
MODEL_NAMES = ("model", "model_name", "model_id", "deployment", "deployment_name", "engine", "modelId")
"""The names under which functions and objects have a model's name."""
_CLIENTS = ("client", "llm", "openai", "anthropic", "api")
_PARAMETERS = frozenset(
    {
        *("temperature", "top_p", "top_k", "min_p", "n", "seed", "stop", "stop_sequences", "max_tokens"),
        *("max_completion_tokens", "max_output_tokens", "max_new_tokens", "min_tokens", "num_predict", "num_ctx"),
        *("frequency_penalty", "presence_penalty", "repetition_penalty", "logit_bias", "logprobs", "top_logprobs"),
        *("response_format", "response_schema", "response_mime_type", "text_format", "tool_choice", "tool_config"),
        *("parallel_tool_calls", "function_call", "reasoning", "reasoning_effort", "thinking", "thinking_config"),
        *("think", "verbosity", "modalities", "stream", "stream_options", "service_tier", "store", "truncation"),
        *("max_tool_calls", "safe_prompt", "safety_settings", "prediction", "grammar", "keep_alive", "format"),
        *("options", "dimensions", "encoding_format", "input_type", "output_dimensionality", "candidate_count"),
        *("presencePenalty", "frequencyPenalty", "maxOutputTokens", "topP", "topK", "echo", "best_of", "suffix"),
    }
)
# Arguments that hold the whole request, as `**parameters` and bodies of requests do.
_HOLDERS = frozenset({*_MESSAGES, *MODEL_NAMES, *_TOOLS, "prompt"})
_CONFIGURATIONS = ("config", "generation_config", "generationConfig")


def read_request(bound: Mapping[str, Any], as_tool: Callable[[object], object] = lambda tool: tool) -> ModelCall:
    """What the arguments of a call say of the model call that it makes.

    Args:
        bound: The arguments by name.
        as_tool: Makes a tool's definition of what is offered as one and is no mapping (a function).

    Returns:
        What is known: messages, tools, model, parameters, and the provider where a client's address tells it.

    Example:
        >>> read_request({"prompt": "What is the weather?", "model": "gpt-4o", "temperature": 0})
        {'input_messages': [{'role': 'user', 'content': 'What is the weather?'}], 'model_name': 'gpt-4o',
         'invocation_parameters': {'model': 'gpt-4o', 'temperature': 0}}
    """
    arguments = _unfolded(bound)
    call: ModelCall = {}
    messages = _messages(arguments, bound)
    if messages:
        call["input_messages"] = messages
    tools = _tools(arguments, as_tool)
    if tools:
        call["tools"] = tools
    model = model_of(arguments)
    if model is not None:
        call["model_name"] = model
    parameters = {name: value for name, value in arguments.items() if name in _PARAMETERS and value is not None}
    if model is not None and any(isinstance(arguments.get(name), str) for name in MODEL_NAMES):
        parameters = {"model": model, **parameters}
    if parameters:
        call["invocation_parameters"] = parameters
    provider = _provider(arguments)
    if provider is not None:
        call["provider"] = provider
    return call


def model_of(arguments: Mapping[str, Any]) -> str | None:
    """The model's name among ``arguments``: a string, or what an object that stands for a model has as its name."""
    for name in MODEL_NAMES:
        value = arguments.get(name)
        if isinstance(value, str) and value:
            return value
        found = None if value is None else text_field(value, *MODEL_NAMES)
        if found is not None:
            return found
    return None


def _unfolded(bound: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments, with those of a mapping that holds a request, or a part of one, among them."""
    arguments: dict[str, Any] = {}
    for name, value in bound.items():
        if isinstance(value, dict) and not (name in _MESSAGES and is_message(value)):
            if name in _CONFIGURATIONS or not _HOLDERS.isdisjoint(value):
                arguments.update((key, item) for key, item in value.items() if isinstance(key, str))
        elif name in _CONFIGURATIONS:
            arguments.update(fields(value))
    arguments.update(bound)
    return arguments


def _messages(arguments: Mapping[str, Any], bound: Mapping[str, Any]) -> list[Message]:
    messages: list[Message] = []
    system = next((arguments[name] for name in _SYSTEM if arguments.get(name) is not None), None)
    if isinstance(system, (str, list, tuple)) or fields(system):
        messages += read_messages(system, "system")
    for name in (*_MESSAGES, *_PROMPTS):
        value = arguments.get(name)
        if isinstance(value, (str, list, tuple)) or is_message(value) or list_field(value, "messages"):
            return messages + (read_messages(value) if value or value == "" else [])
    texts = [value for name, value in bound.items() if isinstance(value, str) and name not in _NOT_MESSAGES]
    return messages + (read_messages(texts[0]) if len(texts) == 1 else [])


_NOT_MESSAGES = frozenset({*_SYSTEM, *MODEL_NAMES, *_PARAMETERS, "api_key", "base_url", "role", "name", "session_id"})


def _tools(arguments: Mapping[str, Any], as_tool: Callable[[object], object]) -> list[Tool]:
    for name in _TOOLS:
        offered = arguments.get(name)
        if isinstance(offered, (list, tuple)) and offered:
            return read_tools([as_tool(tool) for tool in offered])
    return []


def _provider(arguments: Mapping[str, Any]) -> str | None:
    for name, value in arguments.items():
        if name in _CLIENTS or name.endswith(("_client", "_llm")) or is_a(value, "smolagents", "Model"):
            provider = None if isinstance(value, str) else provider_of_client(value)
            if provider is not None:
                return provider
    return None
