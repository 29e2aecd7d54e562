"""What LangChain's own scripted models return for several prompts or choices, and the tools that they are offered."""

from __future__ import annotations

from typing import Annotated, Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import FakeListLLM, GenericFakeChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatResult, Generation, LLMResult
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool, InjectedToolArg, StructuredTool, tool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import BaseModel, Field

from agenttrace.readers.langchain import LangChainReader

READER = LangChainReader()


def counted(text: str, tokens: int) -> AIMessage:
    usage: Any = {"input_tokens": tokens, "output_tokens": 1, "total_tokens": tokens + 1}
    return AIMessage(text, usage_metadata=usage, response_metadata={"model_name": "m", "finish_reason": "stop"})


class TwoAtOnce(GenericFakeChatModel):
    """A scripted model that answers each prompt with two generations, both with the counts of the call."""

    output: dict[str, Any] = {}

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        generations = [ChatGeneration(message=next(self.messages)) for _ in range(2)]  # type: ignore[arg-type]
        return ChatResult(generations=generations, llm_output=self.output)

    def _combine_llm_outputs(self, llm_outputs: list[dict[str, Any] | None]) -> dict[str, Any]:
        return self.output


def test_the_generations_of_several_prompts_are_read() -> None:
    """Each generation is a message; the counts are those of one generation for each prompt."""
    model = TwoAtOnce(messages=iter([counted(text, number) for number in (10, 20) for text in ("Rain.", "Snow.")]))
    result = model.generate([[HumanMessage("Oslo?")], [HumanMessage("Bergen?")]])
    for form in (result, result.model_dump(serialize_as_any=True)):
        assert READER.reads(form)
        assert READER.read(form) == {
            "model_name": "m",
            "finish_reason": "stop",
            "token_counts": {"prompt": 30, "completion": 2, "total": 32},
            "output_messages": [
                {"role": "assistant", "content": text} for text in ("Rain.", "Snow.", "Rain.", "Snow.")
            ],
        }


def test_what_a_result_says_beside_its_generations_is_read() -> None:
    """Counts and model that integrations leave in ``llm_output`` stand in where the messages have none."""
    usage = {"prompt_tokens": 30, "completion_tokens": 2, "total_tokens": 32}
    output = {"token_usage": usage, "model_name": "gpt-4o"}
    model = TwoAtOnce(messages=iter([AIMessage("Rain."), AIMessage("Snow.")]), output=output)
    assert READER.read(model.generate([[HumanMessage("Oslo?")]])) == {
        "model_name": "gpt-4o",
        "token_counts": {"prompt": 30, "completion": 2, "total": 32},
        "output_messages": [{"role": "assistant", "content": "Rain."}, {"role": "assistant", "content": "Snow."}],
    }


def test_one_prompts_result_and_one_generation_are_read() -> None:
    """What a model's own ``_generate`` returns is read too, and each of its generations."""
    model = TwoAtOnce(messages=iter([counted("Rain.", 10), counted("Snow.", 10)]))
    result = model._generate([HumanMessage("Oslo?")])
    expected = {
        "model_name": "m",
        "finish_reason": "stop",
        "token_counts": {"prompt": 10, "completion": 1, "total": 11},
    }
    messages = [{"role": "assistant", "content": text} for text in ("Rain.", "Snow.")]
    for form in (result, result.model_dump(serialize_as_any=True)):
        assert READER.reads(form)
        assert READER.read(form) == {**expected, "output_messages": messages}
    first = result.generations[0]
    for generation in (first, first.model_dump(serialize_as_any=True)):
        assert READER.reads(generation)
        assert READER.read(generation) == {**expected, "output_messages": messages[:1]}


def test_texts_of_a_model_that_completes_prompts_are_choices() -> None:
    """What an LLM of LangChain's made of prompts is their completions."""
    result = FakeListLLM(responses=["Rain.", "Snow."]).generate(["Oslo: ", "Bergen: "])
    assert READER.reads(result)
    assert READER.read(result) == {"choices": ["Rain.", "Snow."]}
    told = LLMResult(
        generations=[[Generation(text="Rain.", generation_info={"finish_reason": "length"})]],
        llm_output={
            "model_name": "gpt-3.5-turbo-instruct",
            "token_usage": {"prompt_tokens": 3, "completion_tokens": 2},
        },
    )
    assert READER.read(told) == {
        "choices": ["Rain."],
        "finish_reason": "length",
        "model_name": "gpt-3.5-turbo-instruct",
        "token_counts": {"prompt": 3, "completion": 2},
    }


class Weather(BaseModel):
    """The weather of a city."""

    city: str = Field(description="Its name.")
    days: int = 3
    near: list[str] = Field(default_factory=list)


@tool
def get_weather(city: str, config: RunnableConfig, token: Annotated[str, InjectedToolArg] = "") -> str:
    """The weather of a city."""
    return f"rain in {city}"


def test_tools_are_read_as_they_are_sent() -> None:
    """A tool's definition is what LangChain makes of it, save for the types that take code to write."""
    plain = convert_to_openai_tool(get_weather)
    assert READER.reads_tool(get_weather)
    assert READER.read_tool(get_weather) == plain
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    served: BaseTool = StructuredTool(name="weather", description="Weather.", args_schema=schema, func=print)
    assert READER.read_tool(served) == {
        "type": "function",
        "function": {"name": "weather", "description": "Weather.", "parameters": schema},
    }
    typed = StructuredTool(name="weather", description="Weather.", args_schema=Weather, func=print)
    assert READER.read_tool(typed) == {
        "type": "function",
        "function": {
            "name": "weather",
            "description": "Weather.",
            "parameters": {
                "type": "object",
                "properties": {
                    "city": {"type": "string", "description": "Its name."},
                    "days": {"type": "integer"},
                    "near": {},
                },
                "required": ["city"],
            },
        },
    }
