"""Which spans are an agent's, and under which parent each is sent where those between are left out."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openinference.semconv.trace import SpanAttributes
from opentelemetry.context import Context
from opentelemetry.sdk.trace import IdGenerator, ReadableSpan, Span, SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context, use_span

from agenttrace import faults, trace_step, trace_tool
from agenttrace.delivery import lineage as module
from agenttrace.delivery.lineage import Lineage
from agenttrace.provider import SCOPE_NAME, use_provider
from tests.isolation import warnings_in

KIND = SpanAttributes.OPENINFERENCE_SPAN_KIND


class Copy(SpanProcessor):
    """What a pipeline does with a `Lineage`: tells it of the spans, and asks it about those that ended."""

    def __init__(self) -> None:
        self.lineage = Lineage()
        self.ended: list[ReadableSpan] = []
        self.parents: dict[str, SpanContext | None] = {}
        self.resolves_at_once: Callable[[ReadableSpan], bool] = lambda span: True

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        if span.instrumentation_scope.name == SCOPE_NAME:
            self.lineage.on_own_start(span, parent_context)
        else:
            self.lineage.on_start(span, parent_context)

    def on_end(self, span: ReadableSpan) -> None:
        if span.instrumentation_scope.name != SCOPE_NAME:
            self.lineage.on_end(span)
        self.ended.append(span)
        if self.resolves_at_once(span):
            self.resolve(span)

    def resolve(self, span: ReadableSpan) -> None:
        """Send ``span`` if it is to be sent."""
        if span.context.trace_flags.sampled and self.lineage.is_agents(span):
            self.parents[span.name] = self.lineage.parent_of(span)


class Rig:
    """A provider whose spans go through a `Copy`."""

    def __init__(self, **options: Any) -> None:
        self.provider = TracerProvider(shutdown_on_exit=False, **options)
        self.copy = Copy()
        self.provider.add_span_processor(self.copy)

    def start(self, name: str, parent: Any = None, scope: str = "web", attributes: dict[str, Any] | None = None) -> Any:
        """Start a span under ``parent``: a span, a context, or nothing."""
        context = Context()
        if parent is not None:
            span = NonRecordingSpan(parent) if isinstance(parent, SpanContext) else parent
            context = set_span_in_context(span, context)
        return self.provider.get_tracer(scope).start_span(name, context, attributes=attributes)

    def agent(self, name: str, parent: Any = None) -> Any:
        """Start a span of agenttrace's."""
        return self.start(name, parent, SCOPE_NAME, {KIND: "AGENT"})

    def parent_id(self, name: str) -> int | None:
        """The id of the parent that the span ``name`` was sent under."""
        parent = self.copy.parents[name]
        return None if parent is None else parent.span_id

    @property
    def sent(self) -> list[str]:
        """The names of the spans that were sent, in order."""
        return list(self.copy.parents)


@pytest.fixture
def rig() -> Iterator[Rig]:
    """A rig, whose lineage has had no fault when the test is over."""
    faults.forget()
    yield Rig()
    assert not faults._reported
    faults.forget()


def id_of(span: Any) -> int:
    return span.get_span_context().span_id


def remote(sampled: bool = True) -> SpanContext:
    return SpanContext(0xABC, 0xDEF, is_remote=True, trace_flags=TraceFlags(int(sampled)))


_KINDS = st.sampled_from(["agenttrace", "instrumentor", "genai", "noise", "noise"])


@st.composite
def _stories(draw: st.DrawFn) -> tuple[list[tuple[str, int | None, bool]], list[tuple[str, int]]]:
    """Forests of spans, each with its kind, its parent and whether it is sent at once; and an order of events."""
    size = draw(st.integers(1, 12))
    nodes = []
    for index in range(size):
        parent = draw(st.none() | st.integers(0, index - 1)) if index else None
        nodes.append((draw(_KINDS), parent, draw(st.booleans())))
    events: list[tuple[str, int]] = []
    started = 0
    open_ones: list[int] = []
    while started < size or open_ones:
        choice = draw(st.integers(0 if started < size else 1, len(open_ones)))
        if choice == 0:
            events.append(("start", started))
            open_ones.append(started)
            started += 1
        else:
            events.append(("end", open_ones.pop(choice - 1)))
    return nodes, events


@settings(max_examples=300, deadline=None)
@given(_stories())
def test_every_kept_span_is_sent_under_its_nearest_kept_ancestor(
    story: tuple[list[tuple[str, int | None, bool]], list[tuple[str, int]]],
) -> None:
    """Whatever the order in which spans end, before or after their children start, and whenever they are sent."""
    nodes, events = story
    rig = Rig()
    rig.copy.resolves_at_once = lambda span: nodes[int(span.name)][2]
    spans: dict[int, Any] = {}
    makers: dict[str, tuple[str, dict[str, Any]]] = {
        "agenttrace": (SCOPE_NAME, {KIND: "AGENT"}),
        "instrumentor": ("openinference.instrumentation.langchain", {}),
        "genai": ("my.own", {"gen_ai.operation.name": "chat"}),
        "noise": ("web", {"http.method": "GET"}),
    }
    for event, index in events:
        if event == "end":
            spans[index].end()
        else:
            kind, parent, _ = nodes[index]
            spans[index] = rig.start(str(index), None if parent is None else spans[parent], *makers[kind])
    for ended in rig.copy.ended:
        if not nodes[int(ended.name)][2]:
            rig.copy.resolve(ended)
    expected = {}
    for index, (kind, parent, _) in enumerate(nodes):
        while parent is not None and nodes[parent][0] == "noise":
            parent = nodes[parent][1]
        if kind != "noise":
            expected[str(index)] = None if parent is None else id_of(spans[parent])
    assert {name: rig.parent_id(name) for name in rig.sent} == expected


def test_chains_of_other_spans_are_passed_by(rig: Rig) -> None:
    """Above them is an agent's span, or nothing."""
    request = rig.start("request")
    outer = rig.agent("outer", rig.start("middleware", request))
    inner = rig.agent("inner", rig.start("pool", rig.start("query", outer)))
    inner.end()
    outer.end()
    request.end()
    assert rig.sent == ["inner", "outer"]
    assert rig.parent_id("inner") == id_of(outer)
    assert rig.parent_id("outer") is None


def test_an_open_parent_is_judged_by_what_it_carries_now(rig: Rig) -> None:
    """An attribute that it was given after its start counts."""
    parent = rig.start("parent")
    parent.set_attribute("gen_ai.agent.name", "planner")
    rig.agent("child", parent).end()
    parent.end()
    assert rig.parent_id("child") == id_of(parent)
    assert rig.sent == ["child", "parent"]


def test_a_parent_that_turns_out_late_stands_beside_its_first_children(rig: Rig) -> None:
    """It is sent, and children that come after it are under it: nothing is an orphan."""
    root = rig.agent("root")
    parent = rig.start("parent", root)
    late = rig.agent("late child", parent)
    rig.agent("child", parent).end()
    parent.set_attribute(KIND, "CHAIN")
    parent.end()
    late.end()
    assert rig.parent_id("child") == rig.parent_id("parent") == id_of(root)
    assert rig.parent_id("late child") == id_of(parent)


@pytest.mark.parametrize(
    "scope",
    [
        "openinference.instrumentation",
        "openinference.instrumentation.langchain",
        "opentelemetry.util.genai.handler",
        "gcp.vertex.agent",
    ],
)
def test_scopes_that_describe_their_spans_at_the_end_are_known(rig: Rig, scope: str) -> None:
    """Children of their open spans, which carry nothing yet, stay where they are."""
    parent = rig.start("parent", scope=scope)
    rig.agent("child", parent).end()
    parent.end()
    assert rig.parent_id("child") == id_of(parent)
    assert rig.sent == ["child", "parent"]


@pytest.mark.parametrize(
    "scope", ["web", "openinference", "openinference.instrumentationlike", "opentelemetry.util.http", "agenttraces"]
)
def test_other_scopes_are_left_out(rig: Rig, scope: str) -> None:
    """Similar names count for nothing, and neither do what `using_session` stamps and names that look like GenAI's."""
    attributes = {SpanAttributes.SESSION_ID: "s", SpanAttributes.METADATA: "{}", "gen_ai": "x", "gen_aix.y": "z"}
    rig.start("other", None, scope, attributes).end()
    assert rig.sent == []


def test_a_remote_parent_stays(rig: Rig) -> None:
    """One that isn't in this process: also where it is the parent of a request that is left out."""
    rig.agent("direct", remote()).end()
    rig.agent("through a request", rig.start("request", remote())).end()
    assert rig.copy.parents["direct"] == rig.copy.parents["through a request"] == remote()


def test_a_remote_parent_that_was_not_sampled_is_passed_by(rig: Rig) -> None:
    """Nobody has sent it."""
    always = Rig(sampler=_Dropping())
    always.agent("root", remote(sampled=False)).end()
    assert always.parent_id("root") is None


def test_a_request_to_the_own_process_is_passed_by(rig: Rig) -> None:
    """A parent that came in a header, and is in this process, is no riddle."""
    caller = rig.agent("caller")
    sent = rig.start("http get", caller).get_span_context()
    header = SpanContext(sent.trace_id, sent.span_id, is_remote=True, trace_flags=sent.trace_flags)
    rig.agent("answerer", rig.start("request", header)).end()
    assert rig.parent_id("answerer") == id_of(caller)


class _Dropping(Sampler):
    """Drops spans named "dropped", records but doesn't sample those named "unsampled", and samples all others."""

    def should_sample(self, parent_context: Any, trace_id: int, name: str, *args: Any, **kwargs: Any) -> SamplingResult:
        decisions = {"dropped": Decision.DROP, "unsampled": Decision.RECORD_ONLY}
        return SamplingResult(decisions.get(name, Decision.RECORD_AND_SAMPLE))

    def get_description(self) -> str:
        return "dropping"


def test_a_parent_that_was_not_sampled_is_passed_by() -> None:
    """Where it is recorded, to what stands above it, be it an agent's; where not, nothing is known of that."""
    rig = Rig(sampler=_Dropping())
    root = rig.agent("root")
    rig.agent("below dropped", rig.start("dropped", root)).end()
    unsampled = rig.start("unsampled", root, "openinference.instrumentation.openai")
    rig.agent("below open", unsampled).end()
    late = rig.agent("below ended", unsampled)
    unsampled.end()
    late.end()
    assert rig.parent_id("below dropped") is None
    assert rig.parent_id("below open") == rig.parent_id("below ended") == id_of(root)


def test_a_parent_that_is_collected_without_an_end_is_passed_by(rig: Rig) -> None:
    """Whatever it carried: nobody will send it."""
    root = rig.agent("root")
    given_up = rig.start("given up", root, "openinference.instrumentation.openai")
    child = rig.agent("child", given_up)
    del given_up
    gc.collect()
    child.end()
    assert rig.parent_id("child") == id_of(root)
    assert not rig.copy.lineage._open


def test_a_parent_that_children_were_sent_under_is_sent(rig: Rig) -> None:
    """Though the SDK drops the oldest attributes at its limit, and with them what told that it is an agent's."""
    tight = Rig(span_limits=SpanLimits(max_span_attributes=2))
    parent = tight.start("parent", attributes={KIND: "CHAIN"})
    tight.agent("child", parent).end()
    parent.set_attributes({"a": 1, "b": 2})
    parent.end()
    assert KIND not in (tight.copy.ended[-1].attributes or {})
    assert tight.sent == ["child", "parent"]
    assert tight.parent_id("child") == id_of(parent)


def test_memory_is_bounded_and_the_oldest_are_forgotten_first(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """A child of a parent that is forgotten keeps it."""
    monkeypatch.setattr(module, "MOST_REMEMBERED", 10)
    old, young = rig.start("old"), rig.start("young")
    below_old, below_young = rig.agent("below old", old), rig.agent("below young", young)
    old.end()
    for number in range(9):
        rig.start(f"other {number}").end()
    young.end()
    below_old.end()
    below_young.end()
    assert rig.parent_id("below old") == id_of(old)
    assert rig.parent_id("below young") is None
    assert len(rig.copy.lineage._left_out.parents) == 10
    assert not rig.copy.lineage._open


def test_a_chain_is_not_walked_again_and_again(rig: Rig) -> None:
    """A program that goes on from span to span, each of which has ended, is looked through a few steps at a time."""
    root = rig.agent("root")
    link: Any = rig.start("0", root)
    link.end()
    for number in range(1, 500):
        link = rig.start(str(number), link)
        link.end()
        rig.agent(f"agent {number}", link).end()
        assert rig.parent_id(f"agent {number}") == id_of(root)
    steps, context = 0, link.get_span_context()
    parents = rig.copy.lineage._left_out.parents
    while (context.trace_id, context.span_id) in parents:
        context = parents[context.trace_id, context.span_id]
        steps += 1
    assert steps < 20


def test_ids_that_lead_in_a_circle_are_survived() -> None:
    """A generator that makes one id only: every span is its own parent."""

    class Constant(IdGenerator):
        def generate_trace_id(self) -> int:
            return 1

        def generate_span_id(self) -> int:
            return 2

    rig = Rig(id_generator=Constant())
    first = rig.start("first")
    second = rig.start("second", first)
    rig.agent("open", second).end()
    second.end()
    rig.agent("ended", second).end()
    assert rig.parent_id("open") is None
    assert rig.sent == ["open", "ended"]


def test_two_left_out_parents_in_a_circle_are_survived(rig: Rig) -> None:
    """Each the other's child: there is no nearest ancestor."""
    contexts = [SpanContext(1, number, is_remote=False, trace_flags=TraceFlags(1)) for number in (1, 2)]
    for context, parent in (contexts, contexts[::-1]):
        rig.copy.lineage.on_end(ReadableSpan("web", context=context, parent=parent))
    rig.agent("agent", contexts[0]).end()
    assert rig.parent_id("agent") is None


def test_nothing_of_the_program_is_kept(rig: Rig) -> None:
    """An open span lives as long as the program keeps it; of one that ended nothing but ids is left."""
    span = rig.start("request", attributes={"http.method": "GET"})
    seen = weakref.ref(span)
    rig.copy.ended = []
    del span
    assert seen() is None
    span = rig.start("request")
    seen = weakref.ref(span)
    span.end()
    ended = weakref.ref(rig.copy.ended.pop())
    del span
    assert (seen(), ended()) == (None, None)


def test_a_fault_goes_no_further(caplog: pytest.LogCaptureFixture) -> None:
    """A span that isn't what the SDK's are like is logged once for each place."""
    faults.forget()
    lineage = Lineage()
    broken: Any = object()
    for _ in range(3):
        lineage.on_start(broken)
        lineage.on_own_start(broken)
        lineage.on_end(broken)
    assert len(warnings_in(caplog)) == 3
    faults.forget()


def test_many_threads_at_once(rig: Rig) -> None:
    """Spans start, end and are resolved by threads of their own: no parent gets lost."""
    root = rig.agent("root")
    failures: list[str] = []

    def run(worker: int) -> None:
        for number in range(200):
            request = rig.start("request", root)
            child = rig.agent(f"{worker}-{number}", request)
            if number % 2:
                request.end()
                child.end()
            else:
                child.end()
                request.end()
            if rig.parent_id(child.name) != id_of(root):
                failures.append(child.name)

    threads = [threading.Thread(target=run, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(rig.copy.parents) == 1600
    assert not rig.copy.lineage._open


@pytest.fixture
def other() -> TracerProvider:
    """A provider that our pipeline sees nothing of."""
    return TracerProvider(shutdown_on_exit=False)


def nested(rig: Rig, *steps: Any) -> None:
    """Run ``steps`` inside each other: texts are marks, pairs are spans of a provider, the outermost first."""
    if not steps:
        return
    first, *rest = steps
    with use_provider(rig.provider):
        if isinstance(first, str):
            with trace_step(first):
                nested(rig, *rest)
            return
        provider, name = first
        with provider.get_tracer(name).start_as_current_span(name):
            nested(rig, *rest)


OPENAI = "openinference.instrumentation.openai"


def _below(rig: Rig, other: TracerProvider) -> Sequence[tuple[tuple[Any, ...], str | None]]:
    return [
        (((other, "request"), "agent"), None),
        (((other, "middleware"), (other, "request"), "agent"), None),
        (("outer", (other, "query"), "agent"), "outer"),
        (("outer", (other, "pool"), (other, "query"), "agent"), "outer"),
        (("outer", (rig.provider, OPENAI), (other, "query"), "agent"), OPENAI),
        (("outer", (rig.provider, "web"), (other, "query"), "agent"), "outer"),
        (("outer", (other, "query"), (rig.provider, "web"), "agent"), "outer"),
        (("outer", (other, OPENAI), "agent"), "outer"),
        (((other, "request"), (rig.provider, "web"), "agent"), None),
    ]


@pytest.mark.parametrize("case", range(9))
def test_spans_of_another_provider_are_passed_by(rig: Rig, other: TracerProvider, case: int) -> None:
    """With `set_global_tracer_provider=False` a web framework's spans never come our way, but are parents all the same.

    An agent's span of another provider is passed by too: it doesn't go where ours go.
    """
    steps, expected = _below(rig, other)[case]
    nested(rig, *steps)
    by_name = {span.name: span.context.span_id for span in rig.copy.ended}
    assert rig.parent_id("agent") == (None if expected is None else by_name[expected])
    assert rig.copy.lineage._open == {}


def test_a_mark_of_another_trace_is_no_ancestor(rig: Rig, other: TracerProvider) -> None:
    """Another provider's request that begins a trace of its own inside a marked function."""
    web = other.get_tracer("web")
    request = web.start_span("request", Context())
    marks = use_provider(rig.provider)
    with marks, trace_step("outer"), use_span(request), web.start_as_current_span("endpoint"), trace_step("agent"):
        pass
    assert rig.copy.parents["agent"] is None


def test_an_ended_span_of_another_provider_is_passed_by(rig: Rig, other: TracerProvider) -> None:
    """An agent that was started in the background, after the answer was given."""
    request = other.get_tracer("web").start_span("request", Context())
    request.end()

    @trace_tool
    def background() -> None: ...

    with use_provider(rig.provider), use_span(request):
        background()
    assert [rig.parent_id(name) for name in rig.sent] == [None]


def test_a_remote_parent_stays_above_another_providers_request(rig: Rig, other: TracerProvider) -> None:
    """It may be an agent's span of another process."""
    context = set_span_in_context(NonRecordingSpan(remote()), Context())
    web = other.get_tracer("web")
    with use_provider(rig.provider), web.start_as_current_span("request", context), trace_step("agent"):
        pass
    assert rig.copy.parents["agent"] == remote()


def test_a_span_from_before_register_is_passed_by(rig: Rig) -> None:
    """A request during which `register` is called: its start was seen by nobody, its end is."""
    provider = TracerProvider(shutdown_on_exit=False)
    request = provider.get_tracer("web").start_span("request", Context())
    provider.add_span_processor(rig.copy)
    with use_provider(provider), use_span(request):
        with trace_step("early"):
            pass
        late = provider.get_tracer(SCOPE_NAME).start_span("late")
    request.end()
    late.end()
    assert (rig.parent_id("early"), rig.parent_id("late")) == (None, None)
