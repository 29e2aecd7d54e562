"""``using_…``, ``suppress_tracing``, ``keep_context`` and the pool: what they put on spans, in every form there is."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import inspect
import json
import threading
import weakref
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any

import openinference.instrumentation as openinference
import pytest
from opentelemetry import context as otel_context

from agenttrace import (
    ThreadPoolExecutor,
    current_span,
    keep_context,
    suppress_tracing,
    trace_step,
    trace_tool,
    using_attributes,
    using_metadata,
    using_prompt_template,
    using_session,
    using_tags,
    using_user,
)
from agenttrace.provider import use_provider

from .conftest import Spans

SCOPES: dict[str, tuple[Callable[[], Any], dict[str, Any]]] = {
    "session": (lambda: using_session("s-1"), {"session.id": "s-1"}),
    "user": (lambda: using_user("ada"), {"user.id": "ada"}),
    "metadata": (lambda: using_metadata({"a": 1}), {"metadata": '{"a":1}'}),
    "tags": (lambda: using_tags(["x", "y"]), {"tag.tags": ("x", "y")}),
    "prompt template": (
        lambda: using_prompt_template(template="Hi {name}", version="v2", variables={"name": "Ada"}),
        {
            "llm.prompt_template.template": "Hi {name}",
            "llm.prompt_template.version": "v2",
            "llm.prompt_template.variables": '{"name":"Ada"}',
        },
    ),
    "attributes": (
        lambda: using_attributes(
            session_id="s-1",
            user_id="ada",
            metadata={"a": 1},
            tags=["x"],
            prompt_template="Hi",
            prompt_template_version="v1",
            prompt_template_variables={},
        ),
        {
            "session.id": "s-1",
            "user.id": "ada",
            "metadata": '{"a":1}',
            "tag.tags": ("x",),
            "llm.prompt_template.template": "Hi",
            "llm.prompt_template.version": "v1",
            "llm.prompt_template.variables": "{}",
        },
    ),
}
KEYS = {key for _, expected in SCOPES.values() for key in expected}


def context_attributes(spans: Spans, name: str) -> dict[str, Any]:
    """What of the context stands on the one span of this name."""
    attributes = spans.only(name).attributes or {}
    return {key: value for key, value in attributes.items() if key in KEYS}


def step(name: str = "step") -> None:
    """A span."""
    with trace_step(name):
        pass


def as_with(scope: Any) -> None:
    with scope:
        step()


def as_async_with(scope: Any) -> None:
    async def main() -> None:
        async with scope:
            await asyncio.sleep(0)
            step()

    asyncio.run(main())


def as_function_decorator(scope: Any) -> None:
    scope(step)()


def as_coroutine_decorator(scope: Any) -> None:
    @scope
    async def coroutine() -> None:
        await asyncio.sleep(0)
        step()

    assert inspect.iscoroutinefunction(coroutine)
    asyncio.run(coroutine())


def as_generator_decorator(scope: Any) -> None:
    @scope
    def generator() -> Generator[int, None, None]:
        yield 1
        step()

    assert inspect.isgeneratorfunction(generator)
    for _ in generator():
        step("consumer")


def as_async_generator_decorator(scope: Any) -> None:
    @scope
    async def generator() -> AsyncGenerator[int, None]:
        yield 1
        step()

    async def main() -> None:
        async for _ in generator():
            step("consumer")

    assert inspect.isasyncgenfunction(generator)
    asyncio.run(main())


def as_method_decorator(scope: Any) -> None:
    class Agent:
        @scope
        def method(self) -> None:
            step()

    Agent().method()


FORMS = [
    as_with,
    as_async_with,
    as_function_decorator,
    as_coroutine_decorator,
    as_generator_decorator,
    as_async_generator_decorator,
    as_method_decorator,
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", SCOPES)
def test_each_in_every_form(spans: Spans, name: str, form: Callable[[Any], None]) -> None:
    """What it says stands on the spans inside, and on none outside, before or after."""
    make, expected = SCOPES[name]
    step("before")
    form(make())
    step("after")
    assert context_attributes(spans, "step") == expected
    for other in ("before", "after", "consumer"):
        if spans.named(other):
            assert context_attributes(spans, other) == {}


@pytest.mark.parametrize("form", FORMS)
def test_suppression_in_every_form(spans: Spans, form: Callable[[Any], None]) -> None:
    """Nothing is recorded inside; everything is before and after, and in the consumer of a generator."""
    step("before")
    form(suppress_tracing())
    step("after")
    assert set(spans.names()) <= {"before", "after", "consumer"}
    assert len(spans.named("before")) == len(spans.named("after")) == 1
    if "generator" in form.__name__:
        spans.only("consumer")


def test_they_nest_by_merging_metadata_and_tags(spans: Spans) -> None:
    """Inner metadata wins entry by entry, tags add up each once, the rest is replaced; outside all is as it was."""
    with (
        using_attributes(session_id="outer", user_id="ada", metadata={"a": 1, "b": 1}, tags=["x", "y"]),
        using_attributes(session_id="inner", metadata={"b": 2, "c": {"d": 3}}, tags=["y", "z"]),
    ):
        step("inner")
    with using_metadata({"a": 1}), using_tags(["x"]):
        with using_metadata({}), using_tags([]):
            step("empty")
        step("outer")
    inner = context_attributes(spans, "inner")
    assert json.loads(inner.pop("metadata")) == {"a": 1, "b": 2, "c": {"d": 3}}
    assert inner == {"session.id": "inner", "user.id": "ada", "tag.tags": ("x", "y", "z")}
    for name in ("empty", "outer"):
        assert context_attributes(spans, name) == {"metadata": '{"a":1}', "tag.tags": ("x",)}


def test_what_a_span_is_told_itself_is_added(spans: Spans) -> None:
    """``set_metadata`` and ``set_tags`` add to what the context says."""
    with using_metadata({"a": 1, "b": 1}), using_tags(["x"]), trace_step("own", metadata={"b": 2}, tags=["y"]) as own:
        own.set_metadata({"c": 3})
        own.set_tags(["x", "z"])
    attributes = context_attributes(spans, "own")
    assert json.loads(attributes["metadata"]) == {"a": 1, "b": 2, "c": 3}
    assert attributes["tag.tags"] == ("x", "y", "z")


@pytest.mark.parametrize("name", [*SCOPES, "suppress"])
def test_one_object_is_re_entrant(spans: Spans, name: str) -> None:
    """Inside itself, again and again; each exit undoes its own entry."""
    scope = suppress_tracing() if name == "suppress" else SCOPES[name][0]()
    before = dict(otel_context.get_current())
    with scope:
        with scope:
            with scope, contextlib.ExitStack() as stack:
                stack.enter_context(scope)
                step("deep")
            step("inner")
        step("still inside")
    assert dict(otel_context.get_current()) == before
    scope(step)("decorated")
    if name != "suppress":
        for span in ("deep", "inner", "still inside", "decorated"):
            assert context_attributes(spans, span) == SCOPES[name][1]
    else:
        assert spans.names() == []


def test_one_object_in_many_tasks_at_once(spans: Spans) -> None:
    """Each task is in and out of it on its own, in whatever order they end."""
    scope, session = using_tags(["shared"]), using_session("s")

    @session
    async def decorated(number: int) -> None:
        for _ in range(number % 3):
            await asyncio.sleep(0)
        step(f"decorated {number}")

    async def work(number: int) -> None:
        async with scope:
            for _ in range(number % 5):
                await asyncio.sleep(0)
            with using_user(f"user {number}"):
                await asyncio.sleep(0)
                step(f"inside {number}")
            await asyncio.sleep(0)
        step(f"outside {number}")
        await decorated(number)

    async def main() -> None:
        await asyncio.gather(*(work(number) for number in range(30)))

    asyncio.run(main())
    for number in range(30):
        assert context_attributes(spans, f"inside {number}") == {"tag.tags": ("shared",), "user.id": f"user {number}"}
        assert context_attributes(spans, f"outside {number}") == {}
        assert context_attributes(spans, f"decorated {number}") == {"session.id": "s"}


def test_one_object_in_many_threads_at_once(spans: Spans) -> None:
    """Threads, too."""
    scope = using_session("s")
    start = threading.Barrier(8)

    def work(number: int) -> None:
        start.wait()
        for turn in range(20):
            with scope:
                step(f"inside {number} {turn}")
            step(f"outside {number} {turn}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for span in spans.all():
        attributes = span.attributes or {}
        assert attributes.get("session.id") == ("s" if span.name.startswith("inside") else None)


def test_a_child_task_takes_the_scope_along(spans: Spans) -> None:
    """A task or thread hop inside the block sees it; one that outlives the block keeps it."""

    async def later(ready: asyncio.Event) -> None:
        await ready.wait()
        step("later")

    async def main() -> None:
        ready = asyncio.Event()
        with using_session("s"):
            task = asyncio.create_task(later(ready))
            await asyncio.to_thread(step, "thread")
        ready.set()
        await task
        step("outside")

    asyncio.run(main())
    assert [context_attributes(spans, name) for name in ("thread", "later", "outside")] == [
        {"session.id": "s"},
        {"session.id": "s"},
        {},
    ]


def test_a_generator_that_holds_one_open_is_closed_elsewhere(spans: Spans) -> None:
    """From another task or another thread: that one's own context is left alone, and nothing is logged."""
    scope = using_session("of the generator")

    async def stream() -> AsyncGenerator[int, None]:
        with scope:
            yield 1

    def plain() -> Generator[int, None, None]:
        with scope, suppress_tracing():
            yield 1

    async def main() -> None:
        generator = stream()

        async def begin() -> None:
            await generator.__anext__()

        async def close() -> None:
            with using_session("of the task"):
                await generator.aclose()
                step("in the task")
            step("after the task")

        await asyncio.create_task(begin())
        await asyncio.create_task(close())
        step("in main")

    asyncio.run(main())
    assert context_attributes(spans, "in the task") == {"session.id": "of the task"}
    assert context_attributes(spans, "after the task") == context_attributes(spans, "in main") == {}

    made: list[Generator[int, None, None]] = []

    def begin_plain() -> None:
        made.append(plain())
        next(made[0])

    thread = threading.Thread(target=begin_plain)
    thread.start()
    thread.join()
    with using_user("ada"):
        made[0].close()
        step("in this thread")
    assert context_attributes(spans, "in this thread") == {"user.id": "ada"}


def test_a_marked_generator_that_holds_one_open(spans: Spans) -> None:
    """It is in force in the body's later steps, and never in the consumer."""

    @trace_tool(name="stream")
    def stream() -> Generator[int, None, None]:
        with using_session("inside"):
            step("first")
            yield 1
            step("second")
            yield 2

    generator = stream()
    next(generator)
    step("between")
    next(generator)
    generator.close()
    step("after")
    assert context_attributes(spans, "first") == context_attributes(spans, "second") == {"session.id": "inside"}
    assert context_attributes(spans, "between") == context_attributes(spans, "after") == {}


def test_blocks_left_in_another_order(spans: Spans) -> None:
    """The first entered is left first: at the end the context is what it was."""
    before = dict(otel_context.get_current())
    first, second = using_session("first"), using_user("second")
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    second.__exit__(None, None, None)
    assert dict(otel_context.get_current()) == before
    second.__exit__(None, None, None)
    assert dict(otel_context.get_current()) == before


def test_an_error_goes_through(spans: Spans) -> None:
    """The same object; the context is what it was."""
    error = ValueError("text")

    @using_session("s")
    def fails() -> None:
        raise error

    with pytest.raises(ValueError, match="text") as raised, using_user("u"), suppress_tracing():
        fails()
    assert raised.value is error
    step("after")
    assert context_attributes(spans, "after") == {}


def test_openinference_s_own_blocks_are_seen(spans: Spans) -> None:
    """What ``openinference.instrumentation`` puts in the context stands on the marks' spans, and nests with ours."""
    with (
        openinference.using_session("theirs"),
        openinference.using_metadata({"a": 1, "b": 1}),
        openinference.using_tags(["x"]),
    ):
        step("theirs")
        with using_metadata({"b": 2}), using_tags(["y"]), using_user("ours"):
            step("both")
        step("theirs again")
    theirs = context_attributes(spans, "theirs")
    assert json.loads(theirs.pop("metadata")) == {"a": 1, "b": 1}
    assert theirs == {"session.id": "theirs", "tag.tags": ("x",)}
    both = context_attributes(spans, "both")
    assert json.loads(both.pop("metadata")) == {"a": 1, "b": 2}
    assert both == {"session.id": "theirs", "tag.tags": ("x", "y"), "user.id": "ours"}
    again = context_attributes(spans, "theirs again")
    assert json.loads(again.pop("metadata")) == {"a": 1, "b": 1}


def test_openinference_s_instrumentors_see_ours(spans: Spans) -> None:
    """What they read from the context is what our blocks put there."""
    with using_attributes(session_id="s", user_id="u", metadata={"a": 1}, tags=["x"], prompt_template="t"):
        read = dict(openinference.get_attributes_from_context())
    assert json.loads(str(read.pop("metadata"))) == {"a": 1}
    assert {key: tuple(value) if isinstance(value, (list, tuple)) else value for key, value in read.items()} == {
        "session.id": "s",
        "user.id": "u",
        "tag.tags": ("x",),
        "llm.prompt_template.template": "t",
    }


def test_suppression_is_shared_with_other_libraries(spans: Spans) -> None:
    """Ours is the switch that instrumentors look at; theirs holds for the marks."""
    with suppress_tracing():
        assert otel_context.get_value(otel_context._SUPPRESS_INSTRUMENTATION_KEY)
    with openinference.suppress_tracing():
        step()
        assert current_span().span_id == "0" * 16
    assert spans.names() == []


def test_values_of_any_sort_in_metadata(spans: Spans) -> None:
    """Hostile ones too: the block is entered, and what can be said is said."""

    class Hostile:
        def __repr__(self) -> str:
            raise RuntimeError

        __str__ = __repr__

    cycle: dict[str, Any] = {}
    cycle["self"] = cycle
    with using_metadata({"hostile": Hostile(), "cycle": cycle, "nan": float("nan"), "bad": "\ud800"}):
        step()
    assert set(json.loads(context_attributes(spans, "step")["metadata"])) >= {"hostile", "cycle", "nan", "bad"}


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: using_session(7), TypeError),  # type: ignore[arg-type]
        (lambda: using_session(""), ValueError),
        (lambda: using_user(None), TypeError),  # type: ignore[arg-type]
        (lambda: using_user(""), ValueError),
        (lambda: using_metadata([1]), TypeError),  # type: ignore[arg-type]
        (lambda: using_tags("one"), TypeError),
        (lambda: using_tags([1]), TypeError),  # type: ignore[list-item]
        (lambda: using_prompt_template(template=""), ValueError),
        (lambda: using_prompt_template(template="t", version=2), TypeError),  # type: ignore[arg-type]
        (lambda: using_prompt_template(template="t", variables="x"), TypeError),  # type: ignore[arg-type]
        (lambda: using_attributes(session_id=7), TypeError),  # type: ignore[arg-type]
        (lambda: using_session("s")(7), TypeError),  # type: ignore[arg-type]
        (lambda: keep_context(7), TypeError),  # type: ignore[arg-type]
    ],
)
def test_wrong_arguments_are_told_at_once(make: Callable[[], Any], error: type[Exception]) -> None:
    """Where the block is made, with what to write instead."""
    with pytest.raises(error):
        make()


def test_what_was_given_may_change_afterwards(spans: Spans) -> None:
    """The values are those at the time the block was made."""
    metadata, tags = {"a": 1}, ["x"]
    scope = using_attributes(metadata=metadata, tags=tags)
    metadata["b"] = 2
    tags.append("y")
    with scope:
        step()
    assert context_attributes(spans, "step") == {"metadata": '{"a":1}', "tag.tags": ("x",)}


def test_keep_context_takes_span_and_session_into_a_thread(spans: Spans) -> None:
    """The span that was current becomes the parent, long after it has ended too; other context variables go along."""
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")
    seen: list[str] = []

    def work(name: str, *, suffix: str = "") -> str:
        step(name)
        seen.append(variable.get())
        variable.set("set in the thread")
        return name + suffix

    with trace_step("outer"), using_session("s"):
        variable.set("outside")
        kept = keep_context(work)
    assert inspect.signature(kept) == inspect.signature(work)
    assert kept.__name__ == "work"
    threads = [threading.Thread(target=kept, args=(f"in thread {number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert kept("here", suffix="!") == "here!"
    assert seen == ["outside"] * 5
    assert variable.get() == "outside"
    for name in ("here", *(f"in thread {number}" for number in range(4))):
        assert spans.parent_of(name) == "outer"
        assert context_attributes(spans, name) == {"session.id": "s"}


def test_keep_context_on_every_kind(spans: Spans) -> None:
    """Coroutine, generator and async generator functions stay what they are, and run in the kept context."""

    async def coroutine() -> str:
        await asyncio.sleep(0)
        step("coroutine")
        return "done"

    def generator() -> Generator[int, str, str]:
        step("generator 1")
        received = yield 1
        step("generator 2")
        return received

    async def async_generator() -> AsyncGenerator[int, None]:
        step("async generator")
        yield 1

    with trace_step("outer"):
        kept = keep_context(coroutine), keep_context(generator), keep_context(async_generator)
    assert inspect.iscoroutinefunction(kept[0])
    assert inspect.isgeneratorfunction(kept[1])
    assert inspect.isasyncgenfunction(kept[2])

    async def main() -> None:
        assert await kept[0]() == "done"
        assert [item async for item in kept[2]()] == [1]

    with trace_step("other") as other:
        running = kept[1]()
        assert next(running) == 1
        assert current_span() is other
        with pytest.raises(StopIteration) as stop:
            running.send("sent")
        assert stop.value.value == "sent"
        asyncio.run(main())
    for name in ("coroutine", "generator 1", "generator 2", "async generator"):
        assert spans.parent_of(name) == "outer"


def test_the_pool_s_tasks_run_where_they_were_submitted(spans: Spans) -> None:
    """``submit`` and ``map``: span, session and suppression; results and errors are the plain pool's."""

    def work(name: str) -> str:
        step(name)
        return name.upper()

    def fails() -> None:
        raise ValueError("failed")

    with ThreadPoolExecutor(max_workers=2) as pool:
        with trace_step("one"), using_session("s1"):
            first = pool.submit(work, name="a")
            mapped = pool.map(work, ["b", "c"])
        with trace_step("two"), using_session("s2"):
            second = pool.submit(work, "d")
        with suppress_tracing():
            pool.submit(work, "suppressed").result()
        bare = pool.submit(work, "e")
        assert [first.result(), *mapped, second.result(), bare.result()] == ["A", "B", "C", "D", "E"]
        with pytest.raises(ValueError, match="failed"):
            pool.submit(fails).result()
        with pytest.raises(TypeError):
            pool.submit()  # type: ignore[call-arg]
    assert [spans.parent_of(name) for name in "abcde"] == ["one", "one", "one", "two", None]
    assert context_attributes(spans, "a") == context_attributes(spans, "c") == {"session.id": "s1"}
    assert context_attributes(spans, "d") == {"session.id": "s2"}
    assert context_attributes(spans, "e") == {}
    assert spans.named("suppressed") == []


def test_the_pool_serves_asyncio(spans: Spans) -> None:
    """``loop.run_in_executor`` with it takes the context along, which the standard pool doesn't."""

    async def main() -> None:
        with ThreadPoolExecutor(1) as pool, trace_step("outer"):
            await asyncio.get_running_loop().run_in_executor(pool, step, "inside")

    asyncio.run(main())
    assert spans.parent_of("inside") == "outer"


def test_the_pool_keeps_nothing_alive(spans: Spans) -> None:
    """An argument and a result are gone when the task is done and the future dropped."""

    class Item:
        pass

    def work(item: Item) -> Item:
        return Item()

    with ThreadPoolExecutor(1) as pool:
        item = Item()
        watched = weakref.ref(item)
        future = pool.submit(work, item)
        del item
        result = weakref.ref(future.result())
        del future
    gc.collect()
    assert watched() is None
    assert result() is None


def test_spans_of_other_libraries_in_a_scope(spans: Spans) -> None:
    """A block around another library's span leaves that span's place in the tree as it is."""
    with trace_step("outer"), using_session("s"), spans.tracer.start_as_current_span("theirs"):
        step("inner")
    assert spans.parent_of("theirs") == "outer"
    assert spans.parent_of("inner") == "theirs"
    assert context_attributes(spans, "inner") == {"session.id": "s"}


def test_with_nothing_registered_all_of_it_does_nothing() -> None:
    """Blocks, decorators, kept functions and the pool run without a provider."""
    with using_session("s"), suppress_tracing(), trace_step("block") as block:
        assert block.span_id == "0" * 16
        assert keep_context(len)("abc") == 3
    assert using_tags(["x"])(len)("abc") == 3
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(len, "abc").result() == 3


def test_two_providers_at_once(spans: Spans) -> None:
    """A kept function's spans go to the provider whose block it was kept in."""
    other = Spans()
    with use_provider(other.provider):
        kept = keep_context(step)
        kept("other")
    step("first")
    assert other.names() == ["other"]
    assert spans.names() == ["first"]


class Member:
    @using_session("static")
    @staticmethod
    def static(value: int) -> int:
        with trace_step("in static"):
            return value

    @using_session("class")
    @classmethod
    def of_class(cls, value: int) -> int:
        with trace_step("in class"):
            return value


def test_a_scope_above_staticmethod_and_classmethod(spans: Spans) -> None:
    """What stands between a function and its class stays what it is."""
    assert (Member().static(1), Member.static(2), Member().of_class(3), Member.of_class(4)) == (1, 2, 3, 4)
    sessions = [(span.name, (span.attributes or {})["session.id"]) for span in spans.all()]
    assert sessions == [("in static", "static")] * 2 + [("in class", "class")] * 2


def test_a_scope_on_a_class_is_refused() -> None:
    """A class has no one call that the scope could be in force in."""
    scope: Any = using_session("s")
    with pytest.raises(TypeError, match="not on a class"):
        scope(Member)


def test_keep_context_of_a_staticmethod() -> None:
    """It stays one, so that an instance calls it without itself."""

    class Pool:
        run = keep_context(staticmethod(abs))

    pool: Any = Pool()
    assert pool.run(-1) == 1
