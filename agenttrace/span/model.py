"""The setters that say what a model was asked and what it answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from openinference.semconv.trace import (
    OpenInferenceSpanKindValues,
    RerankerAttributes,
    SpanAttributes,
)
from typing_extensions import Unpack

from .. import faults
from ..faults import Advice
from ..semconv.types import Cost, Message, TokenCount, Tool
from .base import HandleBase, contained

__all__ = ["ModelSetters", "check_keywords"]

_EMBEDDING = OpenInferenceSpanKindValues.EMBEDDING.value
_RERANKER = OpenInferenceSpanKindValues.RERANKER.value
# None is the kind of a span that another library opened and named no kind for.
_COUNTED_KINDS = (OpenInferenceSpanKindValues.LLM.value, _EMBEDDING, _RERANKER, None)


class ModelSetters(HandleBase):
    """Setters for spans of kind LLM; `set_model`, parameters, counts and cost fit EMBEDDING spans too."""

    __slots__ = ()

    @contained
    def set_model(
        self,
        name: str,
        *,
        provider: str | None = None,
        system: str | None = None,
        request_name: str | None = None,
        response_name: str | None = None,
    ) -> None:
        """Record which model answered (OpenInference ``llm.model_name``, ``llm.provider``, ``llm.system``).

        On an EMBEDDING span the name is ``embedding.model_name`` and on a RERANKER span ``reranker.model_name``;
        OpenInference has no provider and no system there, so they are left out.

        Args:
            name: The model's name, as the response has it where it does.
            provider: Who runs it, in OpenInference's well-known values where one applies: ``"openai"``, ``"azure"``.
                None where the name doesn't tell.
            system: Whose product it is: ``"openai"``, ``"anthropic"``, ``"vertexai"``. None infers it from the name of
                a well-known model.
            request_name: What was asked for, where that differs.
            response_name: What answered, where that differs from what was asked for.

        Example:
            >>> current_span().set_model("gpt-4o-2024-08-06", provider="azure", request_name="gpt-4o")
        """
        kind = self._kind()
        if kind == _EMBEDDING:
            self._set({SpanAttributes.EMBEDDING_MODEL_NAME: name})
            return
        if kind == _RERANKER:
            self._set({RerankerAttributes.RERANKER_MODEL_NAME: name})
            return
        from ..semconv.providers import infer_provider, infer_system

        provider = provider or (infer_provider(name) if isinstance(name, str) else None)
        if system is None and isinstance(name, str):
            system = infer_system(name, provider)
        self._set(
            {
                SpanAttributes.LLM_MODEL_NAME: name,
                SpanAttributes.LLM_PROVIDER: provider,
                SpanAttributes.LLM_SYSTEM: system,
                SpanAttributes.LLM_REQUEST_MODEL_NAME: request_name,
                SpanAttributes.LLM_RESPONSE_MODEL_NAME: response_name,
            }
        )

    @contained
    def set_invocation_parameters(self, parameters: Mapping[str, Any]) -> None:
        """Record what the model was called with beside messages and tools (``llm.invocation_parameters``, JSON).

        On an EMBEDDING span it is ``embedding.invocation_parameters``.

        Args:
            parameters: Names and values: temperature, the most tokens, the format of the answer. No keys: a name that
                sounds secret has its value hidden.

        Example:
            >>> current_span().set_invocation_parameters({"temperature": 0.2, "max_tokens": 500})
        """
        embedding = self._kind() == _EMBEDDING
        key = SpanAttributes.EMBEDDING_INVOCATION_PARAMETERS if embedding else SpanAttributes.LLM_INVOCATION_PARAMETERS
        self._set({key: parameters})

    @contained
    def set_input_messages(self, messages: Sequence[Message | Mapping[str, Any] | object] | str) -> None:
        """Record the conversation that went to the model (``llm.input_messages``).

        Args:
            messages: Messages as `Message` or in any provider's shape: OpenAI's and Anthropic's dictionaries and
                objects, Gemini's contents, LangChain's messages, smolagents' ``ChatMessage``; or one string, a user's.
                Set again, they replace those before.

        Example:
            >>> current_span().set_input_messages([{"role": "user", "content": "What is the weather in Oslo?"}])
        """
        self._set_messages(SpanAttributes.LLM_INPUT_MESSAGES, messages, "user")

    @contained
    def set_output_messages(self, messages: Sequence[Message | Mapping[str, Any] | object] | str | object) -> None:
        """Record what the model answered (``llm.output_messages``).

        Args:
            messages: As for `set_input_messages`; one string is the assistant's. Or a provider's whole response, of
                which the messages are taken.

        Example:
            >>> current_span().set_output_messages([{"role": "assistant", "content": "Rain, 14 °C."}])
        """
        self._set_messages(SpanAttributes.LLM_OUTPUT_MESSAGES, messages, "assistant")

    @contained
    def set_tools(self, tools: Sequence[Tool | Mapping[str, Any] | object]) -> None:
        """Record which tools the model was offered (``llm.tools``).

        Args:
            tools: Definitions in any provider's shape, `Tool`, or functions, whose schema is read from the signature.

        Example:
            >>> current_span().set_tools([get_weather])
        """
        from ..capture.offered import as_definition
        from ..readers.request import defined_tool
        from ..semconv.attributes import tool_attributes
        from ..semconv.messages import read_tools

        offered = tools if isinstance(tools, (list, tuple)) else [tools]
        definitions = [defined_tool(tool, as_definition) for tool in offered]
        self._set_list(SpanAttributes.LLM_TOOLS, tool_attributes(read_tools(definitions)))

    @contained
    def set_token_counts(
        self, counts: TokenCount | Mapping[str, Any] | object = None, /, **named: Unpack[TokenCount]
    ) -> None:
        """Record how many tokens the call took (``llm.token_count.*``).

        Only on LLM, EMBEDDING and RERANKER spans: backends add up all spans, so counts that an agent's span had too
        would count twice. Elsewhere nothing is recorded, and that is logged once.

        Args:
            counts: A `TokenCount`: ``prompt``, ``completion``, ``total``, ``cache_read``, ``cache_write``, ``audio``,
                ``reasoning``, ``completion_audio``; in tokens. The prompt includes what was read from a cache. Or a
                provider's own, such as ``response.usage``.
            **named: The same by keyword.

        Example:
            >>> current_span().set_token_counts(prompt=1200, completion=80, cache_read=1024)
        """
        if self._kind() not in _COUNTED_KINDS:
            faults.warn_once(
                "agenttrace: set_token_counts() records nothing on spans of other kinds than LLM, EMBEDDING and "
                "RERANKER, so that no backend counts tokens twice: set them on a span that trace_llm opened."
            )
            return
        from ..semconv.attributes import token_count_attributes

        given: Any = {} if counts is None else counts
        if not (isinstance(given, Mapping) and given.keys() <= TokenCount.__annotations__.keys()):
            from ..readers.usage import read_any_usage

            given = read_any_usage(given)
            if given is None:
                raise Advice(f"no token counts are known in this {type(counts).__name__}: {_names_of(TokenCount)}")
        check_keywords(named, TokenCount)
        self._set(token_count_attributes({**given, **named}))

    @contained
    def set_cost(self, cost: Cost | Mapping[str, Any] | None = None, /, **named: Unpack[Cost]) -> None:
        """Record what the call cost, in US dollars (``llm.cost.*``).

        Args:
            cost: A `Cost`: ``prompt``, ``completion``, ``total``, ``prompt_details``, ``completion_details``.
            **named: The same by keyword.

        Example:
            >>> current_span().set_cost(prompt=0.0021, completion=0.0045)
        """
        from ..semconv.attributes import cost_attributes

        given: Any = {} if cost is None else cost
        if not isinstance(given, Mapping):
            raise Advice(f"cost is {type(cost).__name__}: {_names_of(Cost)}")
        check_keywords({**given, **named}, Cost)
        self._set(cost_attributes({**given, **named}))

    @contained
    def set_finish_reason(self, reason: str | None) -> None:
        """Record why the model stopped (``llm.finish_reason``).

        Args:
            reason: In the provider's words: ``"stop"``, ``"length"``, ``"tool_calls"``, ``"end_turn"``; None records
                nothing.

        Example:
            >>> current_span().set_finish_reason("length")
        """
        self._set({SpanAttributes.LLM_FINISH_REASON: reason})

    @contained
    def set_prompt_template(
        self, template: str, *, version: str | None = None, variables: Mapping[str, Any] | None = None
    ) -> None:
        """Record what the prompt was made from (``llm.prompt_template.*``).

        Args:
            template: The template's text, with its placeholders.
            version: Which version of it.
            variables: What the placeholders were filled with.

        Example:
            >>> current_span().set_prompt_template("Weather in {city}?", variables={"city": "Oslo"}, version="v2")
        """
        self._set(
            {
                SpanAttributes.LLM_PROMPT_TEMPLATE: template,
                SpanAttributes.LLM_PROMPT_TEMPLATE_VERSION: version,
                SpanAttributes.LLM_PROMPT_TEMPLATE_VARIABLES: variables,
            }
        )

    @contained
    def set_prompt(
        self,
        prompt: str | Sequence[str] | None = None,
        *,
        vendor: str | None = None,
        id: str | None = None,  # noqa: A002 - OpenInference's name for it
        url: str | None = None,
    ) -> None:
        """Record a prompt: its text for a completions API (``llm.prompts``), and where it is kept (``prompt.*``).

        Args:
            prompt: What a completions API was asked to complete: one text, or one for each.
            vendor: The prompt library or service that it comes from.
            id: The vendor's id of it.
            url: Where it is found.

        Example:
            >>> current_span().set_prompt("def fib(n):", vendor="my-prompts", id="fib-1")
        """
        if prompt is not None:
            from ..semconv.attributes import prompt_attributes

            texts = [prompt] if isinstance(prompt, str) else prompt
            self._set_list(SpanAttributes.LLM_PROMPTS, prompt_attributes(texts))
        self._set({SpanAttributes.PROMPT_VENDOR: vendor, SpanAttributes.PROMPT_ID: id, SpanAttributes.PROMPT_URL: url})

    @contained
    def set_choices(self, choices: Sequence[str]) -> None:
        """Record what a completions API answered (``llm.choices``).

        Args:
            choices: The texts.

        Example:
            >>> current_span().set_choices(["    return n if n < 2 else fib(n - 1) + fib(n - 2)"])
        """
        from ..semconv.attributes import choice_attributes

        texts = [choices] if isinstance(choices, str) else choices
        self._set_list(SpanAttributes.LLM_CHOICES, choice_attributes(texts))

    def _set_messages(self, name: str, messages: object, role: str) -> None:
        from ..semconv.attributes import message_attributes
        from ..semconv.messages import read_messages

        read = _messages_of_response(messages) or read_messages(messages, role)
        if not read and messages:
            raise Advice(
                f"{type(messages).__name__} holds nothing that is known as messages: give a list such as "
                f'[{{"role": "{role}", "content": "…"}}], or a provider\'s own'
            )
        self._set_list(name, message_attributes(name, read))


def check_keywords(given: Mapping[str, Any], known: type) -> None:
    """Refuse names that ``known``, a typed dictionary, doesn't have: a misspelt one would be lost without a word."""
    for name in given:
        if name not in known.__annotations__:
            raise Advice(f"there is no {str(name)[:40]!r}: {_names_of(known)}")


def _names_of(known: type) -> str:
    return f"give {', '.join(known.__annotations__)}"


def _messages_of_response(value: object) -> Sequence[Message]:
    """The messages of a provider's whole response; none where ``value`` is no such thing."""
    if value is None or isinstance(value, (str, list, tuple)):
        return ()
    from ..readers import find_reader, read_with

    reader = find_reader(value)
    return () if reader is None else read_with(reader, value).get("output_messages", ())
