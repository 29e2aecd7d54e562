"""What goes into a model call, read from the arguments of the user's function by the names that people give them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from .. import faults
from ..semconv.definitions import MOST_TOOLS
from ..semconv.fields import (
    as_list,
    fields,
    is_a,
    is_dict,
    is_list,
    is_record,
    is_text,
    is_unset,
    list_field,
    text_field,
    text_of,
)
from ..semconv.messages import is_message, read_messages, read_tools
from ..semconv.providers import host_of, provider_of_client, provider_of_host
from ..semconv.secrets import is_secret_name
from ..semconv.types import Message, ModelCall, Tool
from . import _find

__all__ = ["MODEL_NAMES", "defined_tool", "model_of", "parameters_of", "read_request"]

Read = TypeVar("Read")

_MESSAGES = ("messages", "input_messages", "chat_messages", "conversation", "contents", "input")
_HISTORIES = ("chat_history", "message_history", "history")
_PROMPTS = ("prompt", "prompts", "user_prompt", "question", "query", "user_message", "message", "text", "user_input")
_SYSTEM = (
    *("system", "system_prompt", "system_message", "system_instruction", "system_instructions", "instructions"),
    "preamble",
)
_SYSTEM_ROLES = ("system", "developer")
_TOOLS = ("tools", "tools_to_call_from", "functions", "function_tools")
_OUTPUT_TOOLS = "output_tools"  # Pydantic AI's, by which a model gives its answer
MODEL_NAMES = ("model", "model_name", "model_id", "deployment", "deployment_name", "engine", "modelId")
"""The names under which functions and objects have a model's name."""
_CLIENTS = ("client", "llm", "openai", "anthropic", "api")
_ADDRESSES = ("base_url", "api_base", "azure_endpoint", "server_url", "endpoint", "host")
_UNMISTAKABLE = frozenset(
    {"temperature", "top_p", "max_tokens", "max_completion_tokens", "max_output_tokens", "max_new_tokens"}
)
_PARAMETERS = _UNMISTAKABLE | {
    *("top_k", "min_p", "n", "seed", "stop", "stop_sequences", "min_tokens", "num_predict", "num_ctx", "do_sample"),
    *("frequency_penalty", "presence_penalty", "repetition_penalty", "logit_bias", "logprobs", "top_logprobs"),
    *("response_format", "response_schema", "response_mime_type", "text_format", "tool_choice", "tool_config"),
    *("parallel_tool_calls", "function_call", "reasoning", "reasoning_effort", "thinking", "thinking_config"),
    *("think", "verbosity", "modalities", "stream", "stream_options", "service_tier", "store", "truncation"),
    *("max_tool_calls", "safe_prompt", "safety_settings", "prediction", "grammar", "keep_alive", "format"),
    *("options", "dimensions", "encoding_format", "input_type", "output_dimensionality", "candidate_count"),
    *("presencePenalty", "frequencyPenalty", "maxOutputTokens", "topP", "topK", "echo", "best_of", "suffix"),
}
# Arguments that hold the whole request, as `**parameters` and bodies of requests do, or some of its parameters.
_REQUEST = frozenset({*_MESSAGES, *MODEL_NAMES, *_TOOLS, "prompt"})
_CONVERSATION = ("messages", "contents", "prompt")  # by which an object is known for a request
_CONFIGURATIONS = ("config", "generation_config", "generationConfig", "model_settings", "model_request_parameters")
_ENOUGH = 100  # items of a list that tell what the others are
_NO_TEXT = frozenset({*_SYSTEM, *MODEL_NAMES, *_PARAMETERS, *_ADDRESSES, "role", "name", "session_id", "user_id"})


def read_request(bound: Mapping[str, Any], as_tool: Callable[[object], object] = lambda tool: tool) -> ModelCall:
    """What the arguments of a call say of the model call that it makes.

    Args:
        bound: The arguments by name.
        as_tool: Makes a tool's definition of what is offered as one and is no mapping (a function).

    Returns:
        What is known: messages, tools, model, parameters, and the provider where an address or a client tells it.

    Example:
        >>> read_request({"prompt": "What is the weather?", "model": "gpt-4o", "temperature": 0})
        {'input_messages': [{'role': 'user', 'content': 'What is the weather?'}], 'model_name': 'gpt-4o',
         'invocation_parameters': {'model': 'gpt-4o', 'temperature': 0}}
    """
    arguments = _contained("its mappings", lambda: _unfolded(bound)) or {**bound}
    read: dict[str, Any] = {
        "input_messages": _contained("messages", lambda: _messages(arguments, bound)),
        "tools": _contained("tools", lambda: _tools(arguments, as_tool)),
        "model_name": _contained("the model", lambda: model_of(arguments)),
        "invocation_parameters": _contained("parameters", lambda: parameters_of(arguments)),
        "provider": _contained("the provider", lambda: _provider(arguments)),
    }
    return {name: value for name, value in read.items() if value}  # type: ignore[return-value]


def model_of(arguments: Mapping[str, Any]) -> str | None:
    """The model's name among ``arguments``: a string, or what an object that stands for a model has as its name."""
    for name in MODEL_NAMES:
        value = arguments.get(name)
        found = text_of(value) or text_field(value, *MODEL_NAMES)
        if found is not None:
            return found
    return None


def parameters_of(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What of ``arguments`` a model is called with beside messages and tools, and nothing that isn't known as that."""
    parameters = {
        name: value
        for name, value in arguments.items()
        if name in _PARAMETERS and value is not None and not is_unset(value)
    }
    written = next((text for name in MODEL_NAMES if (text := text_of(arguments.get(name)))), None)
    return parameters if written is None else {"model": written, **parameters}


def _contained(what: str, read: Callable[[], Read]) -> Read | None:
    try:
        return read()
    except BaseException as error:
        faults.contain(f"reading {what} among a model call's arguments", error)
        return None


def _unfolded(bound: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments, with those of a mapping that holds a request, or a part of one, among them."""
    arguments: dict[str, Any] = {}
    for name, value in bound.items():
        if is_dict(value):
            if _holds_request(name, value):
                arguments.update(fields(value))
        elif name in _CONFIGURATIONS or (is_record(value) and _is_request(value)):
            arguments.update(fields(value))
    arguments.update(bound)
    return arguments


def _holds_request(name: str, value: Any) -> bool:
    if name in _PARAMETERS or is_message(value):
        return False
    return name in _CONFIGURATIONS or any(dict.__contains__(value, known) for known in (*_REQUEST, *_UNMISTAKABLE))


def _is_request(value: object) -> bool:
    own = fields(value)
    conversations = [own.get(name) for name in _CONVERSATION]
    return not is_message(value) and any(is_text(said) or _are_messages(as_list(said)) for said in conversations)


def _messages(arguments: Mapping[str, Any], bound: Mapping[str, Any]) -> list[Message]:
    system = next((arguments[name] for name in _SYSTEM if arguments.get(name) is not None), None)
    instructions = [_as_instruction(message) for message in read_messages(system, "system")]
    history = [message for name in _HISTORIES for message in _said(name, arguments.get(name))]
    said = next((read for name in (*_MESSAGES, *_PROMPTS) if (read := _said(name, arguments.get(name)))), None)
    return [*instructions, *history, *(said or ([] if history else _only_one(bound)))]


def _as_instruction(message: Message) -> Message:
    # Google's instructions may be contents of a user's role.
    return message if message["role"] in _SYSTEM_ROLES else {**message, "role": "system"}


def _said(name: str, value: object) -> list[Message]:
    """The messages in an argument; none where it is something else, such as a template of a prompt."""
    if name == "contents" and is_list(value) and all(map(is_text, as_list(value))):
        return read_messages({"role": "user", "parts": value})  # Google's client makes one message of texts
    if is_text(value) or is_list(value) or is_message(value) or _are_messages(list_field(value, "messages")):
        return read_messages(value)
    return []


def _only_one(bound: Mapping[str, Any]) -> list[Message]:
    """The messages, or the prompt, by whatever name, where nothing else can be meant."""
    others = {name: value for name, value in bound.items() if name not in _NO_TEXT and not is_secret_name(name)}
    conversations = [value for value in others.values() if _are_messages(as_list(value))]
    texts = [value for value in others.values() if is_text(value)]
    found = conversations or texts
    return read_messages(found[0]) if len(found) == 1 else []


def _are_messages(items: Sequence[Any]) -> bool:
    return len(items) > 0 and all(map(is_message, items[:_ENOUGH]))


def _tools(arguments: Mapping[str, Any], as_tool: Callable[[object], object]) -> list[Tool]:
    own = next((found for name in _TOOLS if (found := list_field(arguments, name))), ())
    offered = [*own[:MOST_TOOLS], *list_field(arguments, _OUTPUT_TOOLS)[:MOST_TOOLS]]
    return read_tools([defined_tool(tool, as_tool) for tool in offered[:MOST_TOOLS]]) if offered else []


def defined_tool(tool: object, as_tool: Callable[[object], object]) -> object:
    """``tool`` as a definition: by ``as_tool``, else by a reader that knows its form."""
    if is_dict(tool) or is_text(tool):
        return tool
    made = as_tool(tool)
    if made is not tool:
        return made
    reader = _find(lambda reader: reader if reader.reads_tool(tool) else None)
    definition = None if reader is None else _contained("a tool", lambda: reader.read_tool(tool))
    return tool if definition is None else definition


def _provider(arguments: Mapping[str, Any]) -> str | None:
    for name in _ADDRESSES:
        provider = provider_of_host(host_of(arguments.get(name)))
        if provider is not None:
            return provider
    for name, value in arguments.items():
        if name in _CLIENTS or name.endswith(("_client", "_llm")) or is_a(value, "smolagents", "Model"):
            provider = None if is_text(value) else provider_of_client(value)
            if provider is not None:
                return provider
    return None
