"""A LangGraph agent, marked by hand: a node that asks a model, a node that runs tools, an edge that chooses.

Run it with `python examples/frameworks/langgraph_agent.py`. Without `OPENAI_API_KEY` a scripted model answers, offline.
"""

from __future__ import annotations

import os
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.messages.tool import ToolCall
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool, tool
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition

from agenttrace import register, trace_agent, trace_llm, trace_step, trace_tool

TEMPERATURES = {"Oslo": 14, "Bergen": 11, "Rome": 27}


@tool
@trace_tool
def get_temperature(city: str) -> int:
    """The temperature in a city, in °C."""
    return TEMPERATURES[city]


@tool
@trace_tool
def warmest(temperatures: dict[str, int]) -> str:
    """The warmest of some cities, given their temperatures."""
    return max(temperatures, key=lambda city: temperatures[city])


TOOLS: list[BaseTool] = [get_temperature, warmest]


@trace_llm
def ask_model(messages: list[AnyMessage], tools: list[BaseTool]) -> AIMessage:
    """What the model says next: messages, tools, answer and token counts are read from what goes in and out."""
    return choose_model(tools).invoke(messages)


@trace_step(name="model")
def call_model(state: MessagesState) -> dict[str, list[AnyMessage]]:
    """The node that asks the model."""
    return {"messages": [ask_model(state["messages"], TOOLS)]}


@trace_step(name="tools")
def run_tools(state: MessagesState) -> dict[str, list[AnyMessage]]:
    """The node that runs what the model asked for; several calls at once, each in a thread."""
    found: dict[str, list[AnyMessage]] = ToolNode(TOOLS).invoke(state)
    return found


builder = StateGraph(MessagesState)
builder.add_node("model", call_model)
builder.add_node("tools", run_tools)
builder.add_edge(START, "model")
builder.add_conditional_edges("model", tools_condition)
builder.add_edge("tools", "model")
graph = builder.compile()


@trace_agent(name="weather agent")
def answer(question: str) -> str:
    """One run of the graph."""
    state = graph.invoke({"messages": [HumanMessage(question)]})
    return str(state["messages"][-1].content)


class ScriptedModel(BaseChatModel):
    """Stands for a model: it asks for the temperatures, then for the warmest, then answers."""

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Any, **options: Any) -> Runnable[Any, AIMessage]:
        """The model itself, which knows what it may call."""
        return self

    def _generate(self, messages: list[BaseMessage], *args: Any, **options: Any) -> ChatResult:
        cities = [city for city in TEMPERATURES if city in str(messages[0].content)]
        results = [message.content for message in messages if isinstance(message, ToolMessage)]
        if not results:
            said = _calls([("get_temperature", {"city": city}) for city in cities])
        elif len(results) == len(cities):
            said = _calls([("warmest", {"temperatures": dict(zip(cities, map(int, map(str, results)), strict=True))})])
        else:
            said = AIMessage(f"It is warmest in {results[-1]}.")
        words = sum(len(str(message.content).split()) for message in messages)
        said.usage_metadata = {"input_tokens": words, "output_tokens": 5, "total_tokens": words + 5}
        reason = "tool_calls" if said.tool_calls else "stop"
        said.response_metadata = {"model_name": "scripted-1", "finish_reason": reason}
        return ChatResult(generations=[ChatGeneration(message=said)])


def _calls(wanted: list[tuple[str, dict[str, Any]]]) -> AIMessage:
    calls = [ToolCall(name=name, args=args, id=f"{name}-{number}") for number, (name, args) in enumerate(wanted)]
    return AIMessage("", tool_calls=calls)


def choose_model(tools: list[BaseTool]) -> Runnable[Any, AIMessage]:
    """OpenAI's model where there is a key for it, else the scripted one."""
    if not os.environ.get("OPENAI_API_KEY"):
        return ScriptedModel().bind_tools(tools)
    from langchain_openai import ChatOpenAI

    model: BaseChatModel = ChatOpenAI(model="gpt-4o-mini")
    return model.bind_tools(tools)


if __name__ == "__main__":
    register(project_name="langgraph")
    print(answer("Where is it warmest: Oslo, Bergen or Rome?"))
