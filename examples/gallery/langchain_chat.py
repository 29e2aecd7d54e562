"""LangChain (``pip install langchain-core``): its messages, documents and models, marked where you call them."""

from __future__ import annotations

from collections.abc import Iterator

from checked import checked_run
from langchain_core.documents import Document
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from agenttrace import trace_chain, trace_llm, trace_retriever

ANSWERS: Iterator[AIMessage] = iter(
    [
        AIMessage(
            content="",
            tool_calls=[{"name": "get_weather", "args": {"city": "Oslo"}, "id": "call_1"}],
            usage_metadata={"input_tokens": 60, "output_tokens": 15, "total_tokens": 75},
            response_metadata={"model_name": "gpt-4o-mini-2024-07-18", "finish_reason": "tool_calls"},
        ),
        AIMessage(
            content="It rains in Oslo.",
            usage_metadata={
                "input_tokens": 90,
                "output_tokens": 7,
                "total_tokens": 97,
                "input_token_details": {"cache_read": 32},
            },
            response_metadata={"model_name": "gpt-4o-mini-2024-07-18", "finish_reason": "stop"},
        ),
    ]
)
model = GenericFakeChatModel(messages=ANSWERS)  # in your program ChatOpenAI(…), ChatAnthropic(…), …


@trace_llm
def invoke(messages: list[BaseMessage]) -> BaseMessage:
    """Ask the model."""
    return model.invoke(messages)


@trace_retriever
def retrieve(query: str) -> list[Document]:
    """What a vector store's retriever would find."""
    return [Document(page_content="Oslo is rainy.", metadata={"source": "guide.md"}, id="guide-1")]


@trace_chain
def answer(question: str) -> str:
    """Retrieve, ask, use the tool, answer."""
    context = "\n".join(document.page_content for document in retrieve(question))
    messages: list[BaseMessage] = [SystemMessage(context), HumanMessage(question)]
    messages.append(invoke(messages))
    messages.append(ToolMessage("14 °C and rain", tool_call_id="call_1"))
    return str(invoke(messages).content)


with checked_run():
    print(answer("What is the weather in Oslo?"))
