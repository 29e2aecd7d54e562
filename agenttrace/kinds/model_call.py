"""LLM spans: the conversation, the answer, the model, what it was called with and how many tokens that took."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openinference.semconv.trace import ChoiceAttributes, MessageAttributes, SpanAttributes

from ..capture.offered import as_definition
from ..readers import Reader, StreamForm, checked_call, find_chunk_reader, find_stream_form
from ..readers.interface import Assembler
from ..readers.request import read_request
from ..readers.responses import read_response
from ..semconv.attributes import model_call_attributes, prompt_attributes
from ..semconv.providers import infer_provider, infer_system
from ..semconv.types import Message, ModelCall
from .interface import Collector, Describer, Flat

__all__ = ["ModelCallDescriber"]

_FIRST_CHOICE = f"{SpanAttributes.LLM_CHOICES}.0.{ChoiceAttributes.COMPLETION_TEXT}"
_MOST_PROMPTS = 100


class ModelCallDescriber(Describer):
    """Describes calls of functions marked `trace_llm`."""

    def before(self, bound: Mapping[str, Any]) -> Flat:
        """See `Describer.before`."""
        return _completed(model_call_attributes(read_request(bound, as_definition)), {})

    def after(self, value: object, recorded: Mapping[str, Any]) -> Flat:
        """See `Describer.after`."""
        call = read_response(value)
        return {} if call is None else _completed(model_call_attributes(call), recorded)

    def collector(self, item: object) -> Collector | None:
        """See `Describer.collector`."""
        if isinstance(item, str):
            return _Texts()
        reader = find_chunk_reader(item)
        return None if reader is None else _Chunks(reader)

    def stream_form(self, value: object) -> StreamForm | None:
        """See `Describer.stream_form`."""
        return find_stream_form(value)


def _completed(flat: Flat, recorded: Mapping[str, Any]) -> Flat:
    """``flat`` with what follows from it: whose the model is, which one was asked for, what a completion completed."""
    asked = recorded.get(SpanAttributes.LLM_MODEL_NAME)
    answered = flat.get(SpanAttributes.LLM_MODEL_NAME)
    if isinstance(asked, str) and isinstance(answered, str) and asked != answered:
        flat[SpanAttributes.LLM_REQUEST_MODEL_NAME] = asked
        flat[SpanAttributes.LLM_RESPONSE_MODEL_NAME] = answered
    names = [name for name in (answered, asked) if isinstance(name, str)]
    provider = flat.get(SpanAttributes.LLM_PROVIDER) or recorded.get(SpanAttributes.LLM_PROVIDER)
    if provider is None:
        provider = next((found for name in names if (found := infer_provider(name))), None)
        if provider is not None:
            flat[SpanAttributes.LLM_PROVIDER] = provider
    if SpanAttributes.LLM_SYSTEM not in flat and SpanAttributes.LLM_SYSTEM not in recorded:
        system = next((found for name in names if (found := infer_system(name))), None) or infer_system(None, provider)
        if system is not None:
            flat[SpanAttributes.LLM_SYSTEM] = system
    if _FIRST_CHOICE in flat:
        flat.update(prompt_attributes(_prompts_in(recorded)))
    return flat


def _prompts_in(recorded: Mapping[str, Any]) -> list[str]:
    """What was to be completed: the texts that were recorded as messages before it was known to be a completion."""
    contents = (
        recorded.get(f"{SpanAttributes.LLM_INPUT_MESSAGES}.{index}.{MessageAttributes.MESSAGE_CONTENT}")
        for index in range(_MOST_PROMPTS)
    )
    return [content for content in contents if isinstance(content, str)]


class _Texts(Collector):
    """A stream of plain texts."""

    def __init__(self) -> None:
        from ..capture.results import YieldedItems

        self._items = YieldedItems()

    def add(self, item: object) -> None:
        """See `Collector.add`."""
        self._items.add(item)

    def describe(self, recorded: Mapping[str, Any]) -> Flat:
        """See `Collector.describe`."""
        message: Message = {"role": "assistant", "content": self._items.output()[0]}
        return _completed(model_call_attributes({"output_messages": [message]}), recorded)

    def output(self) -> object:
        """See `Collector.output`."""
        return self._items


class _Chunks(Collector):
    """A stream of a provider's chunks."""

    def __init__(self, reader: Reader) -> None:
        self._assembler: Assembler = reader.assembler()
        self._name = reader.name or type(reader).__name__

    def add(self, item: object) -> None:
        """See `Collector.add`."""
        self._assembler.add(item)

    def describe(self, recorded: Mapping[str, Any]) -> Flat:
        """See `Collector.describe`."""
        return _completed(model_call_attributes(self._result()), recorded)

    def output(self) -> object:
        """See `Collector.output`: the text where the answer is nothing else, else the messages or choices."""
        call = self._result()
        choices = list(call.get("choices") or ())
        if choices:
            return choices[0] if len(choices) == 1 else choices
        messages = list(call.get("output_messages") or ())
        if len(messages) != 1:
            return messages
        [message] = messages
        return message["content"] if message.keys() <= {"role", "content"} and "content" in message else message

    def _result(self) -> ModelCall:
        return checked_call(self._assembler.result(), self._name)
