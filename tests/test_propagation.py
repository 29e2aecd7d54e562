"""Session and user on their way to another process: what stands in the headers, and what is read out of them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any

import openinference.instrumentation as openinference
import pytest
from opentelemetry import baggage
from opentelemetry import context as otel_context
from opentelemetry.propagate import extract, inject

from agenttrace import annotate, trace_step, using_attributes, using_metadata, using_session, using_user
from agenttrace.local.reader import Store
from agenttrace.testing import CapturedSpans, capture_spans

from .isolation import Program, isolated, program, warnings_in

__all__ = ["isolated", "program"]

LONGEST_VALUE = 4096 - len("session.id=")


@pytest.fixture(autouse=True)
def nothing_left_behind(isolated: object) -> Iterator[None]:
    """No settings from outside, and the context as it was before."""
    before = otel_context.get_current()
    yield
    assert otel_context.get_current() == before


def headers_now() -> dict[str, str]:
    """What OpenTelemetry's propagators write into the headers of a request that goes out now."""
    headers: dict[str, str] = {}
    inject(headers)
    return headers


@contextmanager
def received(headers: dict[str, str]) -> Iterator[None]:
    """The other side: a context with nothing in it but what the headers say."""
    token = otel_context.attach(extract(headers, otel_context.Context()))
    try:
        yield
    finally:
        otel_context.detach(token)


def stamped(spans: CapturedSpans, name: str = "step") -> dict[str, Any]:
    """What of session and user stands on the one span of this name."""
    attributes = spans.find(name).attributes or {}
    return {key: value for key, value in attributes.items() if key in ("session.id", "user.id")}


def received_by_step(headers: dict[str, str]) -> dict[str, Any]:
    """Session and user of a span that starts on the other side."""
    with capture_spans() as spans, received(headers), trace_step("step"):
        pass
    return stamped(spans)


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (lambda: using_session("s-1", propagate=True), {"session.id": "s-1"}),
        (lambda: using_user("ada", propagate=True), {"user.id": "ada"}),
        (
            lambda: using_attributes(session_id="s-1", user_id="ada", metadata={"a": 1}, tags=["x"], propagate=True),
            {"session.id": "s-1", "user.id": "ada"},
        ),
        (lambda: using_session("s-1"), {}),
        (lambda: using_user("ada"), {}),
        (lambda: using_attributes(session_id="s-1", user_id="ada"), {}),
    ],
)
def test_what_is_propagated_arrives_on_the_other_side(scope: Callable[[], Any], expected: dict[str, str]) -> None:
    """Session and user, under their own names, where the block says so; nothing where it doesn't, nothing else ever."""
    with scope():
        headers = headers_now()
    assert dict(baggage.get_all(extract(headers, otel_context.Context()))) == expected
    assert set(headers) == ({"baggage"} if expected else set())
    assert received_by_step(headers) == expected


def test_one_trace_goes_on_in_the_other_process(program: Program) -> None:
    """A span there, of a mark or of another library, is a child of the span that was current here, and is stamped."""
    code = """
        import os
        from opentelemetry import context, propagate, trace
        from agenttrace import register, trace_tool
        provider = register(verbose=False)

        @trace_tool
        def marked() -> None:
            kind = {"openinference.span.kind": "LLM"}
            with trace.get_tracer("another-library").start_as_current_span("theirs", attributes=kind):
                pass

        headers = {"traceparent": os.environ["PARENT"], "baggage": os.environ["BAGGAGE"]}
        token = context.attach(propagate.extract(headers))
        marked()
        context.detach(token)
        marked()
    """
    sent = using_attributes(session_id="s-1", user_id="ada", propagate=True)
    with capture_spans() as spans, trace_step("caller") as caller, sent:
        headers = headers_now()
    program.run(code, PARENT=headers["traceparent"], BAGGAGE=headers["baggage"])

    assert stamped(spans, "caller") == {}
    store = Store(program.folder / "home" / "traces.db")
    after, within = ({span.name: span for span in store.spans(trace.trace_id)} for trace in store.traces())
    assert within["marked"].trace_id == caller.trace_id
    assert within["marked"].parent_id == caller.span_id
    assert within["theirs"].parent_id == within["marked"].span_id
    for span in within.values():
        assert (span.attributes["session.id"], span.attributes["user.id"]) == ("s-1", "ada")
    for span in after.values():
        assert span.attributes.keys().isdisjoint({"session.id", "user.id"})


TEXTS = ["s 1", "a,b;c=d", "größe ∞ 🐦", "100 %", 'quoted "text"', "a+b&c", "\\", "x" * LONGEST_VALUE]


@pytest.mark.parametrize("text", TEXTS, ids=ascii)
def test_any_text_arrives_as_it_was(text: str) -> None:
    """The header is ASCII, and what is special in it is encoded."""
    with using_session(text, propagate=True):
        headers = headers_now()
    assert headers["baggage"].isascii()
    assert received_by_step(headers) == {"session.id": text}


def test_a_lone_surrogate_does_not_break_the_request() -> None:
    """OpenTelemetry's propagator, which the program calls, can't encode one: it gets it written out."""
    with using_user("a\udc80", propagate=True):
        assert received_by_step(headers_now()) == {"user.id": "a\\udc80"}


def test_a_string_of_a_subclass_is_read_with_strs_own_methods() -> None:
    """What a class makes of encoding itself isn't asked."""

    class Odd(str):
        __slots__ = ()

        def encode(self, *arguments: object) -> bytes:
            raise RuntimeError

        def __str__(self) -> str:
            raise RuntimeError

    with using_session(Odd("s-1"), propagate=True):
        assert received_by_step(headers_now()) == {"session.id": "s-1"}


@pytest.mark.parametrize("text", ["x" * (LONGEST_VALUE + 1), "ö" * 700, " " + "%" * 1365])
def test_a_text_too_long_for_the_header_stays_here(text: str, caplog: pytest.LogCaptureFixture) -> None:
    """It stands on the spans of this process, and one warning says that it goes no further, and quotes nothing."""
    with capture_spans() as spans:
        for _ in range(2):
            with using_session("outer", propagate=True), using_session(text, propagate=True), trace_step("step"):
                headers = headers_now()
            assert "baggage" not in headers
    assert [(span.attributes or {})["session.id"] for span in spans] == [text, text]
    [warning] = warnings_in(caplog)
    assert "session.id is not propagated" in warning
    assert "xxx" not in warning


def test_the_programs_own_baggage_comes_first() -> None:
    """What is there stays there; where it leaves no room, session and user are left out and it arrives whole."""
    token = otel_context.attach(baggage.set_baggage("theirs", "y" * 4000))
    otel_context.attach(baggage.set_baggage("more", "z" * 4000))
    try:
        full = headers_now()["baggage"]
        with using_session("x" * 200, propagate=True), using_user("ada", propagate=True):
            crowded = headers_now()["baggage"]
        assert crowded == f"{full},user.id=ada"
        assert headers_now()["baggage"] == full
    finally:
        otel_context.detach(token)


def test_more_than_180_entries_are_not_made() -> None:
    """The number that every receiver takes."""
    context = otel_context.get_current()
    for number in range(180):
        context = baggage.set_baggage(f"entry-{number}", number, context)
    token = otel_context.attach(context)
    try:
        with using_session("s-1", propagate=True):
            assert "session.id" not in baggage.get_all()
            assert len(baggage.get_all()) == 180
    finally:
        otel_context.detach(token)


def test_an_object_in_the_baggage_that_can_not_be_written_is_no_matter(caplog: pytest.LogCaptureFixture) -> None:
    """The program's own baggage may hold anything: the block is in force all the same, and only isn't propagated."""

    class Unprintable:
        def __str__(self) -> str:
            raise RuntimeError("no text")

    token = otel_context.attach(baggage.set_baggage("theirs", Unprintable()))
    try:
        with capture_spans() as spans, using_session("s-1", propagate=True), trace_step("step"):
            assert list(baggage.get_all()) == ["theirs"]
    finally:
        otel_context.detach(token)
    assert stamped(spans) == {"session.id": "s-1"}
    assert len(warnings_in(caplog)) == 1


def test_what_a_block_says_here_wins_over_the_baggage() -> None:
    """agenttrace's own block or OpenInference's, inside or outside of where the headers were read; the rest stays."""
    with using_attributes(session_id="sent", user_id="ada", propagate=True):
        headers = headers_now()
    with capture_spans() as spans:
        with received(headers):
            with using_session("local"), trace_step("inside"):
                pass
            with openinference.using_session("theirs"), trace_step("openinference"):
                pass
            with trace_step("plain"):
                pass
        with using_session("around"):
            token = otel_context.attach(extract(headers, otel_context.get_current()))
            with trace_step("outside"):
                pass
            otel_context.detach(token)
    assert {span.name: stamped(spans, span.name) for span in spans} == {
        "inside": {"session.id": "local", "user.id": "ada"},
        "openinference": {"session.id": "theirs", "user.id": "ada"},
        "plain": {"session.id": "sent", "user.id": "ada"},
        "outside": {"session.id": "around", "user.id": "ada"},
    }


def test_blocks_in_one_another() -> None:
    """The inner one's is sent; each that is left takes away what it brought; one that doesn't propagate, nothing."""
    with using_session("outer", propagate=True), using_user("ada", propagate=True):
        with using_session("inner", propagate=True):
            assert dict(baggage.get_all()) == {"session.id": "inner", "user.id": "ada"}
            with using_session("local"), using_metadata({"a": 1}):
                assert dict(baggage.get_all()) == {"session.id": "inner", "user.id": "ada"}
        assert dict(baggage.get_all()) == {"session.id": "outer", "user.id": "ada"}
    assert not baggage.get_all()


def test_it_is_handed_on_by_a_process_in_between() -> None:
    """What came in the headers goes out in the headers of the next request, too."""
    with using_session("s-1", propagate=True):
        headers = headers_now()
    with received(headers):
        assert headers_now() == headers


def sent_session() -> object:
    """The session that would go out now."""
    return baggage.get_baggage("session.id")


def test_in_every_form_of_block() -> None:
    """``with``, ``async with`` and a decorator of each kind of function; what consumes a generator sends nothing."""
    scope = using_session("s-1", propagate=True)

    @scope
    async def coroutine() -> object:
        await asyncio.sleep(0)
        return sent_session()

    @scope
    def generator() -> Generator[object, None, None]:
        yield sent_session()
        yield sent_session()

    @scope
    async def async_generator() -> AsyncGenerator[object, None]:
        yield sent_session()
        await asyncio.sleep(0)
        yield sent_session()

    async def main() -> list[object]:
        async with scope:
            seen = [sent_session()]
        seen += await asyncio.gather(coroutine(), coroutine())
        async for item in async_generator():
            assert sent_session() is None
            seen.append(item)
        return seen

    seen = [scope(sent_session)(), *asyncio.run(main())]
    for item in generator():
        assert sent_session() is None
        seen.append(item)
    assert seen == ["s-1"] * 8


def test_tasks_have_sessions_of_their_own() -> None:
    """Two conversations at once in one process don't get into each other's headers."""

    async def conversation(name: str) -> list[object]:
        with using_session(name, propagate=True):
            seen = []
            for _ in range(3):
                await asyncio.sleep(0)
                seen.append(sent_session())
            return seen

    async def main() -> list[list[object]]:
        return list(await asyncio.gather(conversation("a"), conversation("b")))

    assert asyncio.run(main()) == [["a"] * 3, ["b"] * 3]


def test_a_generator_closed_elsewhere_leaves_that_context_alone() -> None:
    """One that holds the block open, collected in another context: the session there stays what it is."""

    def holding() -> Generator[None, None, None]:
        with using_session("held", propagate=True):
            yield

    running = holding()
    before = otel_context.get_current()
    next(running)
    token = otel_context.attach(before)
    with using_session("other", propagate=True):
        running.close()
        assert sent_session() == "other"
    otel_context.detach(token)
    otel_context.attach(before)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("s-1", {"session.id": "s-1"}),
        ("x" * 4096, {"session.id": "x" * 4096}),
        ("x" * 4097, {}),
        ("", {}),
        (7, {}),
        (None, {}),
        (["s"], {}),
    ],
    ids=lambda value: repr(value)[:12],
)
def test_only_a_text_of_bounded_length_is_read(value: object, expected: dict[str, str]) -> None:
    """Whoever wrote it, and whatever propagator read it."""
    token = otel_context.attach(baggage.set_baggage("session.id", value))
    with capture_spans() as spans, trace_step("step"):
        pass
    otel_context.detach(token)
    assert stamped(spans) == expected


def test_nothing_else_in_the_baggage_is_read() -> None:
    """Neither metadata nor any other attribute, be it one that OpenInference knows."""
    sent = {"metadata": "%7B%7D", "tag.tags": "x", "openinference.span.kind": "LLM", "input.value": "y", "other": "z"}
    headers = {"baggage": ",".join(f"{key}={value}" for key, value in sent.items())}
    with capture_spans() as spans, received(headers), trace_step("step"):
        assert len(baggage.get_all()) == 5
    assert set(spans[0].attributes or {}) == {"openinference.span.kind"}
    assert (spans[0].attributes or {})["openinference.span.kind"] == "CHAIN"


@pytest.mark.parametrize("word", ["false", "0", "OFF", " no ", "flase"])
def test_reading_can_be_switched_off(
    word: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """For a service that strangers can reach; a word that means neither doesn't open the door, and says so."""
    monkeypatch.setenv("AGENTTRACE_READ_BAGGAGE", word)
    assert received_by_step({"baggage": "session.id=of-a-stranger"}) == {}
    assert len(warnings_in(caplog)) == (1 if word == "flase" else 0)
    with using_session("s-1", propagate=True):
        assert sent_session() == "s-1"


@pytest.mark.parametrize("word", ["", "true", "1", "On"])
def test_words_that_leave_reading_on(word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As without the variable."""
    monkeypatch.setenv("AGENTTRACE_READ_BAGGAGE", word)
    assert received_by_step({"baggage": "session.id=s-1"}) == {"session.id": "s-1"}


def test_an_annotation_is_of_the_session_that_came_along() -> None:
    """`annotate` inside of a request finds the session where the spans do."""
    with capture_spans() as spans, received({"baggage": "session.id=s-1"}):
        annotate("helpful", score=1.0, scope="session")
    assert "s-1" in str([span.attributes for span in spans])


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: using_session("s", propagate=1), TypeError),  # type: ignore[arg-type]
        (lambda: using_user("u", propagate="yes"), TypeError),  # type: ignore[arg-type]
        (lambda: using_attributes(session_id="s", propagate=None), TypeError),  # type: ignore[arg-type]
        (lambda: using_attributes(tags=["x"], propagate=True), ValueError),
        (lambda: using_session("", propagate=True), ValueError),
    ],
)
def test_wrong_arguments_are_told_at_once(make: Callable[[], Any], error: type[Exception]) -> None:
    """Where the block is made; propagating what can't be propagated is a mistake, too."""
    with pytest.raises(error):
        make()


POOL = """
    import multiprocessing, os
    from opentelemetry import baggage
    from agenttrace import ProcessPoolExecutor, register, suppress_tracing, trace_step, trace_tool
    from agenttrace import using_attributes, using_session, using_user

    @trace_tool
    def work(name):
        return name, os.getpid(), baggage.get_baggage("session.id")

    def fail():
        raise LookupError("not there")

    if __name__ == "__main__":
        register(verbose=False)
        method = multiprocessing.get_context(os.environ["METHOD"])
        with trace_step("around"), ProcessPoolExecutor(1, method, initializer=register) as pool:
            with trace_step("one"), using_attributes(session_id="s", metadata={"a": 1}, tags=["x"]):
                first = pool.submit(work, name="submitted")
                list(pool.map(work, ["mapped", "too"], chunksize=2))
            with using_user("ada"), using_session("sent", propagate=True):
                assert pool.submit(work, "baggage").result()[2] == "sent"
            with suppress_tracing():
                pool.submit(work, "suppressed").result()
            assert first.result()[0] == "submitted" and first.result()[1] != os.getpid()
            error = pool.submit(fail).exception()
            assert type(error) is LookupError and error.args == ("not there",)
"""
METHODS = ["spawn", "fork"] if hasattr(os, "fork") else ["spawn"]


@pytest.mark.parametrize("method", METHODS)
def test_a_process_pools_tasks_run_where_they_were_submitted(method: str, program: Program) -> None:
    """Span, session, metadata, tags, baggage and suppression go along, however workers start and whatever the headers.

    A forked worker has the context that its pool was made in: that of the task counts.
    """
    program.run(POOL, METHOD=method, OTEL_PROPAGATORS="none")
    store = Store(program.folder / "home" / "traces.db")
    [trace] = store.traces()
    spans = store.spans(trace.trace_id)
    names = {span.span_id: span.name for span in spans}
    tasks = {span.attributes["input.value"]: span for span in spans if span.kind == "TOOL"}
    assert {task: names[span.parent_id or ""] for task, span in tasks.items()} == {
        '{"name":"submitted"}': "one",
        '{"name":"mapped"}': "one",
        '{"name":"too"}': "one",
        '{"name":"baggage"}': "around",
    }
    for name in ("submitted", "mapped", "too"):
        attributes = tasks[f'{{"name":"{name}"}}'].attributes
        assert [attributes[key] for key in ("session.id", "metadata", "tag.tags")] == ["s", '{"a":1}', ("x",)]
    last = tasks['{"name":"baggage"}'].attributes
    assert (last["session.id"], last["user.id"]) == ("sent", "ada")
    assert "metadata" not in last


def test_a_process_pool_with_nothing_registered_does_what_the_plain_one_does(program: Program) -> None:
    """Results and errors come back."""
    code = POOL.replace(", initializer=register", "").replace("register(verbose=False)", "pass")
    program.run(code, METHOD="spawn")
    assert not (program.folder / "home").exists()
