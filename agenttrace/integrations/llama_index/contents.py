"""What goes into a call of LlamaIndex's and what comes out of it, as its span records it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from llama_index.core.schema import BaseNode, NodeWithScore
from llama_index.core.workflow import Event
from openinference.semconv.trace import OpenInferenceMimeTypeValues, SpanAttributes

from ...readers.llama_index import LlamaIndexReader
from ...readers.request import model_of, parameters_of
from ...semconv.documents import read_documents
from ...semconv.fields import fields
from ...semconv.messages import read_message
from ...span import Span
from ...tracing import trace_agent, trace_embedding, trace_llm, trace_retriever, trace_tool
from .roles import Role, arguments_of

if TYPE_CHECKING:
    from .calls import Call

__all__ = ["add_answered", "add_asked", "add_settings", "asked", "prompt_of", "template_of"]

_TEXT = OpenInferenceMimeTypeValues.TEXT.value
_JSON = OpenInferenceMimeTypeValues.JSON.value
_UNKNOWN = "unknown"  # LlamaIndex's name for a model without one
_CONTEXTS = ("Context", "InternalContext")


def asked(role: Role, instance: Any, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What the span of a call begins with, as options of its mark."""
    if role.mark is trace_llm:
        return {"input": prompt_of(arguments), "model": _model_of(instance)}
    if role.mark is trace_tool:
        description, parameters = instance.metadata.description, _parameters_of(instance)
        return {"input": _tool_input(arguments), "description": description, "parameters": parameters}
    if role.mark is trace_embedding:
        return {"input": _only(arguments), "model": _model_of(instance)}
    if role.mark is trace_agent:
        return {"input": _task_of(arguments)}
    return {"input": _plain(_only(arguments))}


def add_asked(role: Role, span: Span, call: Call) -> None:
    """Record what more is known of a call that begins."""
    arguments = arguments_of(call.arguments)
    if role.mark is trace_llm:
        if "messages" not in arguments:
            span.set_prompt(prompt_of(arguments)["prompt"])
        if arguments.get("tools"):
            span.set_tools(arguments["tools"])
        add_settings(span, call, arguments)
        _add_template(span, call)
    elif role.mark is trace_tool:
        step = None if call.above is None else call.above.arguments.get("ev")
        span.set_tool(id=getattr(step, "tool_id", None))


def add_settings(span: Span, call: Call, settings: Mapping[str, Any]) -> None:
    """Record what a model is called with: its name where ``settings`` has one, and parameters."""
    known = {name: value for name, value in {**fields(call.instance), **settings}.items() if value != _UNKNOWN}
    parameters, model = parameters_of(known), model_of(known)
    if parameters:
        span.set_invocation_parameters(parameters)
    if model is not None:
        span.set_attribute(SpanAttributes.LLM_MODEL_NAME, model)


def add_answered(call: Call, span: Span, result: Any) -> None:
    """Record what a call returned."""
    if result is None:
        return
    if call.mark is trace_llm:
        _add_response(span, result)
    elif call.mark is trace_tool:
        if getattr(result, "is_error", False):
            span.set_status("error", str(result.content))
        span.set_output(getattr(result, "content", result))
    elif call.mark is trace_embedding:
        texts = _only(arguments_of(call.arguments))
        is_one = isinstance(texts, str)
        span.set_embeddings(texts=[texts] if is_one else texts, vectors=[result] if is_one else result)
    elif call.mark is trace_retriever:
        span.set_output(read_documents(result) or [])
    else:
        span.set_output(_plain(result))


def template_of(template: Any, arguments: Mapping[str, Any] | None) -> tuple[str, dict[str, Any]]:
    """The text of a prompt's template, and what fills it."""
    chosen = getattr(template, "default_template", template)  # of one that chooses by the model
    text = getattr(chosen, "template", None)
    if not isinstance(text, str):
        messages = getattr(chosen, "message_templates", None) or ()
        text = "\n".join(f"{message.role.value}: {message.content}" for message in messages)
    return text, {**(getattr(template, "kwargs", None) or {}), **(arguments or {})}


def _add_template(span: Span, call: Call) -> None:
    around: Call | None = call
    while around is not None and around.template is None and around.above is not None:
        around = around.above
        if around.mark is not None:
            return
    if around is not None and around.template is not None:
        text, variables = around.template
        if not text:
            return
        span.set_prompt_template(text, variables=variables)


def _add_response(span: Span, response: Any) -> None:
    """Record a model's answer; as the output what was said, without the provider's own response."""
    span.set_output(response)
    message = getattr(response, "message", None)
    text = getattr(response, "text", None) if message is None else message.content
    [read] = [{}] if message is None else read_message(message, "assistant")[:1] or [{}]
    if message is None or read.keys() <= {"role", "content"}:
        span.set_attributes({SpanAttributes.OUTPUT_VALUE: text or "", SpanAttributes.OUTPUT_MIME_TYPE: _TEXT})
    else:
        span.set_attributes({SpanAttributes.OUTPUT_VALUE: read, SpanAttributes.OUTPUT_MIME_TYPE: _JSON})


def prompt_of(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What a model is asked, under the name ``messages`` or ``prompt``."""
    if "messages" in arguments:
        return {"messages": arguments["messages"]}
    given = arguments.get("args") or ()
    return {"prompt": arguments["prompt"] if "prompt" in arguments else given[0] if given else ""}


def _model_of(instance: Any) -> str | None:
    for name in ("model", "model_name"):
        value = getattr(instance, name, None)
        if isinstance(value, str) and value != _UNKNOWN:
            return value
    named = getattr(getattr(instance, "metadata", None), "model_name", None)
    return named if isinstance(named, str) and named != _UNKNOWN else None


def _parameters_of(tool: Any) -> Any:
    """The JSON Schema of what ``tool`` takes; where pydantic can't make one, what its declaration says by itself."""
    if tool.metadata.fn_schema is None:
        return None
    try:
        return tool.metadata.get_parameters_dict()
    except Exception:
        return LlamaIndexReader().read_tool(tool)["function"].get("parameters")  # type: ignore[attr-defined]


def _tool_input(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What a tool was called with, without the workflow's context that LlamaIndex gives to those that want it."""
    given = {name: value for name, value in arguments.items() if type(value).__name__ not in _CONTEXTS}
    if not given.get("args"):
        given.pop("args", None)
    return given


def _task_of(arguments: Mapping[str, Any]) -> Any:
    """What an agent, or one of several in its turn, was asked."""
    event = arguments.get("start_event") or arguments.get("ev")
    said = getattr(event, "user_msg", None)
    if said is None:
        history = getattr(event, "input", None) or getattr(event, "chat_history", None)
        asking = [message for message in history or () if message.role.value == "user"]
        said = asking[-1] if asking else None
    return _plain(event if said is None else said)


def _only(arguments: Mapping[str, Any]) -> Any:
    """What a call is about: its first argument, or of a step its event and of a workflow what it starts with."""
    named = arguments.get("start_event") or arguments.get("ev")
    if named is not None:
        return named
    return next((value for value in arguments.values() if type(value).__name__ not in _CONTEXTS), None)


def _plain(value: Any) -> Any:
    """``value`` as people would write it down: the text of an answer or a query, the documents in nodes."""
    kind = type(value).__name__
    if kind == "StopEvent":
        return _plain(value.result)
    if kind == "AgentOutput":
        return _plain(value.response)
    if kind == "ChatMessage":
        [read] = read_message(value)[:1] or [{}]
        return read["content"] if read.keys() <= {"role", "content"} else read
    if kind == "QueryBundle":
        return value.query_str
    if kind in ("Response", "AgentChatResponse", "PydanticResponse"):
        return str(value)
    if isinstance(value, Event):
        return {**{name: getattr(value, name) for name in type(value).model_fields}, **dict(value.items())}
    if isinstance(value, list) and value and isinstance(value[0], (BaseNode, NodeWithScore)):
        return read_documents(value)
    return value
