"""What type checkers see of the marks: nothing of what was marked is lost, and what can't be meant is an error.

Never executed: `tests/test_types.py` has mypy and pyright read it, both as strict as they get. A line that must be an
error has an ignore with the code of that error for each of the two, and both checkers call an ignore that nothing needs
an error.
"""

from __future__ import annotations

import asyncio
import functools
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Coroutine, Generator, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Generic, Protocol, TypeVar, overload

from typing_extensions import assert_type

from agenttrace import (
    Span,
    annotate,
    current_span,
    trace_agent,
    trace_chain,
    trace_embedding,
    trace_evaluator,
    trace_guardrail,
    trace_llm,
    trace_prompt,
    trace_reranker,
    trace_retriever,
    trace_step,
    trace_tool,
)

T = TypeVar("T")

# Functions: parameters of every kind, and the result.


@trace_tool
def bare(city: str, /, days: int = 1, *more: float, exact: bool = False, **rest: bytes) -> list[str]:
    return []


@trace_agent(name="planner", attributes={"team": "a"})
def with_options(city: str, /, days: int = 1, *more: float, exact: bool = False, **rest: bytes) -> list[str]:
    return []


def plain(city: str, /, days: int = 1, *more: float, exact: bool = False, **rest: bytes) -> list[str]:
    return []


class KeepsEveryParameter(Protocol):
    def __call__(self, city: str, /, days: int = 1, *more: float, exact: bool = False, **rest: bytes) -> list[str]: ...


called_on_a_function: KeepsEveryParameter = trace_llm(plain)
called_on_a_function_with_options: KeepsEveryParameter = trace_llm(plain, name="model")
called_on_a_function_after_options: KeepsEveryParameter = trace_llm(name="model")(plain)
named_and_called_on_a_function: KeepsEveryParameter = trace_llm("model")(plain)
a_bare_mark: KeepsEveryParameter = bare
a_mark_with_options: KeepsEveryParameter = with_options
assert_type(bare("Oslo", 2, 0.5, exact=True, other=b""), list[str])
assert_type(with_options("Oslo", 2, 0.5, exact=True, other=b""), list[str])
bare(city="Oslo")  # type: ignore[call-arg, arg-type]  # pyright: ignore[reportCallIssue]
bare(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
bare("Oslo", days="2")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
with_options()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
with_options("Oslo", exact="yes")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


# Each mark, bare, with a name, and with options.


@trace_agent
def agent(x: int) -> str:
    return ""


@trace_tool
def tool(x: int) -> str:
    return ""


@trace_llm
def llm(x: int) -> str:
    return ""


@trace_chain
def chain(x: int) -> str:
    return ""


@trace_retriever
def retriever(x: int) -> str:
    return ""


@trace_reranker
def reranker(x: int) -> str:
    return ""


@trace_embedding
def embedding(x: int) -> str:
    return ""


@trace_guardrail
def guardrail(x: int) -> str:
    return ""


@trace_evaluator
def evaluator(x: int) -> str:
    return ""


@trace_prompt
def prompt(x: int) -> str:
    return ""


@trace_step
def step(x: int) -> str:
    return ""


@trace_step("a named step")
def named_step(x: int) -> str:
    return ""


@trace_step()
def step_with_nothing_said(x: int) -> str:
    return ""


@trace_tool(
    name="everything",
    attributes={"k": 1},
    capture_input=True,
    capture_output=False,
    exclude_args=["secret"],
    process_input=lambda bound: bound["x"],
    process_output=lambda result: [result],
    reduce=len,
    links=[current_span()],
    graph_node_id="a",
    graph_node_parent_id="b",
    description="what it does",
    parameters={"type": "object"},
)
def every_option(x: int) -> str:
    return ""


class TakesX(Protocol):
    def __call__(self, x: int) -> str: ...


EACH_MARK: tuple[TakesX, ...] = (
    agent,
    tool,
    llm,
    chain,
    retriever,
    reranker,
    embedding,
    guardrail,
    evaluator,
    prompt,
    step,
    named_step,
    step_with_nothing_said,
    every_option,
)
assert_type(agent(x=1), str)
assert_type(tool(x=1), str)
assert_type(step(x=1), str)
assert_type(every_option(x=1), str)
agent(x="1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
tool(y=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
every_option(1, 2)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


# Coroutines and generators of all kinds stay what they are.


@trace_agent
async def coroutine(question: str) -> int:
    return 0


@trace_llm(name="stream")
def generator(question: str) -> Generator[str, bytes, int]:
    sent = yield question
    return len(sent)


@trace_llm
def iterator(question: str) -> Iterator[str]:
    yield question


@trace_llm
async def async_generator(question: str) -> AsyncGenerator[str, bytes]:
    yield question


@trace_llm(reduce="".join)
async def async_iterator(question: str) -> AsyncIterator[str]:
    yield question


@trace_step
def returns_a_coroutine(question: str) -> Awaitable[int]:
    return coroutine(question)


async def runs_them_all() -> None:
    started: Coroutine[Any, Any, int] = coroutine("?")
    assert_type(await started, int)
    assert_type(await coroutine("?"), int)
    assert_type(await returns_a_coroutine("?"), int)
    assert_type(await asyncio.create_task(coroutine("?")), int)
    assert_type(generator("?"), Generator[str, bytes, int])
    assert_type(generator("?").send(b""), str)
    assert_type(next(iterator("?")), str)
    assert_type(async_generator("?"), AsyncGenerator[str, bytes])
    assert_type(await async_generator("?").asend(b""), str)
    async for item in async_iterator("?"):
        assert_type(item, str)
    generator("?").send("")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    coroutine("?").upper()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    await coroutine(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


# Generic functions, lambdas, builtins, partials, callable objects.


@trace_step
def first(items: list[T]) -> T:
    return items[0]


class Multiplier:
    def __call__(self, x: int, *, by: int = 2) -> float:
        return x * by


class AsyncMultiplier:
    async def __call__(self, x: int, *, by: int = 2) -> float:
        return x * by


class Multiplies(Protocol):
    def __call__(self, x: int, *, by: int = 2) -> float: ...


a_partial = trace_tool(functools.partial(plain, "Oslo"))
a_callable_object: Multiplies = trace_tool(Multiplier())
an_async_callable_object = trace_tool(AsyncMultiplier())
a_bound_method = trace_tool("count")("text".count)
a_lambda = trace_step(lambda: 1)
a_builtin = trace_tool(len)
a_class_function = trace_tool(str.upper)


async def calls_them_all() -> None:
    assert_type(first([1]), int)
    assert_type(first(["a"]), str)
    assert_type(a_partial(3), list[str])
    assert_type(a_callable_object(1, by=3), float)
    assert_type(await an_async_callable_object(1, by=3), float)
    assert_type(a_bound_method("t"), int)
    assert_type(a_lambda(), int)
    assert_type(a_builtin("abc"), int)
    assert_type(a_class_function("abc"), str)
    first(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    a_callable_object("1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    a_bound_method(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


# Methods, class methods, static methods and properties, the mark on either side of Python's own decorator.


class Agent(Generic[T]):
    def __init__(self, value: T) -> None:
        self.value = value

    @trace_agent
    def run(self, question: str) -> T:
        return self.value

    @trace_tool(name="chosen")
    def run_with_options(self, question: str) -> T:
        return self.value

    @trace_agent
    async def run_async(self, question: str) -> T:
        return self.value

    @trace_llm
    def stream(self, question: str) -> Iterator[T]:
        yield self.value

    @trace_llm
    async def stream_async(self, question: str) -> AsyncIterator[T]:
        yield self.value

    @classmethod
    @trace_tool
    def made_inside(cls, size: int) -> list[int]:
        return [size]

    @trace_tool
    @classmethod
    def made_outside(cls, size: int) -> list[int]:
        return [size]

    @trace_tool(name="made")
    @classmethod
    def made_outside_with_options(cls, size: int) -> list[int]:
        return [size]

    @staticmethod
    @trace_tool
    def counted_inside(size: int) -> float:
        return size

    @trace_tool
    @staticmethod
    def counted_outside(size: int) -> float:
        return size

    @trace_step(name="counted")
    @staticmethod
    def counted_outside_with_options(size: int) -> float:
        return size

    @property
    @trace_step
    def state_inside(self) -> dict[str, T]:
        return {"value": self.value}

    @functools.cached_property
    @trace_step
    def cached_inside(self) -> dict[str, T]:
        return {"value": self.value}


async def uses_the_methods(agent: Agent[bytes]) -> None:
    assert_type(agent.run("?"), bytes)
    assert_type(agent.run_with_options(question="?"), bytes)
    assert_type(await agent.run_async("?"), bytes)
    assert_type(next(agent.stream("?")), bytes)
    async for item in agent.stream_async("?"):
        assert_type(item, bytes)
    assert_type(Agent.made_inside(1), list[int])
    assert_type(Agent.made_outside(1), list[int])
    assert_type(agent.made_outside(size=1), list[int])
    assert_type(Agent.made_outside_with_options(1), list[int])
    assert_type(Agent.counted_inside(1), float)
    assert_type(Agent.counted_outside(1), float)
    assert_type(agent.counted_outside(size=1), float)
    assert_type(Agent.counted_outside_with_options(1), float)
    assert_type(agent.state_inside, dict[str, bytes])
    assert_type(agent.cached_inside, dict[str, bytes])
    agent.run()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    agent.run(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Agent.made_inside("1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Agent.made_outside("1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Agent.counted_outside("1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    agent.state_inside.upper()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]


class MarkOnTheOutside:
    # mypy supports no decorator at all on a property; what it makes of one is right all the same.
    @trace_step  # type: ignore[prop-decorator]
    @property
    def state_outside(self) -> int:
        return 1

    @trace_step  # type: ignore[prop-decorator]
    @functools.cached_property
    def cached_outside(self) -> int:
        return 1

    @trace_step(name="cached")  # type: ignore[prop-decorator]
    @functools.cached_property
    def cached_outside_with_options(self) -> int:
        return 1


assert_type(MarkOnTheOutside().state_outside, int)
assert_type(MarkOnTheOutside().cached_outside, int)
assert_type(MarkOnTheOutside().cached_outside_with_options, int)


class Base(ABC):
    @abstractmethod
    @trace_tool
    def act(self, times: int) -> str: ...


class Derived(Base):
    @trace_tool
    def act(self, times: int) -> str:
        return "done"


class DerivedWrongly(Base):
    @trace_tool
    def act(self) -> str:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        return "done"


assert_type(Derived().act(1), str)
assert_type(Derived.act(Derived(), 1), str)
Derived.act(1)  # type: ignore[call-arg, arg-type]  # pyright: ignore[reportCallIssue]


# Classes stay classes.


@trace_agent(method="run")
class MarkedClass:
    def __init__(self, size: int) -> None:
        self.size = size

    def run(self, question: str) -> int:
        return self.size


@trace_agent
@dataclass
class MarkedDataclass(Generic[T]):
    value: T

    def __call__(self, question: str) -> T:
        return self.value


class Heir(MarkedClass):
    pass


assert_type(MarkedClass(1), MarkedClass)
assert_type(MarkedClass(size=1).run("?"), int)
assert_type(MarkedDataclass(b"")("?"), bytes)
assert_type(Heir(1).run("?"), int)
assert_type(trace_agent(MarkedClass, method="run"), type[MarkedClass])
MarkedClass("1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
MarkedClass(1).run(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


# Overloads stay on the outside: the implementation is what is marked.


@overload
def parse(text: str) -> int: ...
@overload
def parse(text: bytes) -> float: ...
@trace_tool
def parse(text: str | bytes) -> int | float:
    return len(text)


assert_type(parse(""), int)
assert_type(parse(b""), float)
parse(1)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]


# Blocks.


def uses_blocks() -> int:
    with trace_step("choose", input={"q": 1}, metadata={"k": 1}, tags=["a"]) as span:
        assert_type(span, Span)
        span.set_output(1)
    with trace_tool as span:
        assert_type(span, Span)
    with trace_agent(name="planner"):
        pass
    with trace_llm("model"):
        return 1  # a block that swallowed exceptions would make the end of this function reachable


async def uses_async_blocks() -> int:
    async with trace_step("choose", input=b"") as span:
        assert_type(span, Span)
    async with trace_llm as span:
        assert_type(span, Span)
    async with trace_llm("model"):
        return 1


def handles_spans(span: Span, error: Exception, traceback: TracebackType) -> None:
    assert_type(current_span(), Span)
    assert_type(span.trace_id, str)
    assert_type(span.span_id, str)
    span.set_input(object(), mime_type="text/plain")
    span.set_output(object())
    span.set_attribute("key", object())
    span.set_attributes({"key": object()})
    span.set_metadata({"key": object()})
    span.set_tags(["a"])
    span.add_event("cache hit", {"key": "k"})
    span.record_exception(error)
    span.set_status("error", "why")
    span.update_name("better")
    span.set_metadata("no mapping")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    span.record_exception(traceback)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    span.set_model("gpt-4o", provider="azure")
    span.set_input_messages([{"role": "user", "content": "?"}, error, ("human", "hi")])
    span.set_output_messages("Rain.")
    span.set_tools([plain, {"name": "f"}])
    span.set_token_counts(prompt=1, completion=2)
    span.set_token_counts({"prompt": 1})
    span.set_cost({"total": 0.5})
    span.set_documents(["a", {"content": "b"}, ("c", 0.5)])
    span.set_embeddings(texts=["a"], vectors=[[0.5]])
    annotate("correct", score=1, target=span)
    annotate("correct", label="yes", target=(span.trace_id, span.span_id), scope="trace")
    annotate("correct", score="1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    annotate("correct", score=1, scope="document")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    span.set_everything(1)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]


# What can't be meant is an error.

trace_step(1)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
trace_step(nmae="x")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
trace_step(capture_input="yes")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
trace_agent(description="only tools have one")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
trace_llm(plain, top_k="x")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
trace_llm(modle="x")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
trace_agent(model="x")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
trace_tool(plain, nmae="x")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
