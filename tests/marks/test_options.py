"""The options that marks take: what each does, and what is said at decoration about a wrong one."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from opentelemetry.trace import Link, SpanContext

from agenttrace import Span, trace_agent, trace_chain, trace_step, trace_tool

from .conftest import LogCatcher, Spans
from .material import KINDS, MARKS, all_items, input_of, output_of, run_to_end

each_mark = pytest.mark.parametrize("label", sorted(KINDS))


def attributes_of(spans: Spans, name: str | None = None) -> dict[str, Any]:
    """All attributes of the one span there is (of this name)."""
    return dict(spans.only(name).attributes or {})


def test_nothing_is_recorded_but_what_is_documented(spans: Spans) -> None:
    """The attributes of a function's span, all of them."""

    @trace_step
    def double(x: int) -> int:
        return 2 * x

    assert double(2) == 4
    assert attributes_of(spans) == {
        "openinference.span.kind": "CHAIN",
        "input.value": '{"x":2}',
        "input.mime_type": "application/json",
        "output.value": "4",
        "output.mime_type": "application/json",
    }


@each_mark
def test_name(label: str, spans: Spans) -> None:
    """``name`` is the span's name, and an agent's or tool's own."""
    MARKS[label](name="chosen")(lambda: None)()
    own = {"trace_agent": {"agent.name": "chosen"}, "trace_tool": {"tool.name": "chosen"}}.get(label, {})
    assert own.items() <= attributes_of(spans, "chosen").items()


@each_mark
def test_attributes(label: str, spans: Spans) -> None:
    """``attributes`` are on every span, whatever their values; None records nothing."""
    given = {"text": "a", "number": 1.5, "list": ["a", "b"], "object": {"k": {1}}, "nothing": None, "mixed": [1, "a"]}
    mark = MARKS[label](attributes=given)
    mark(lambda: None)()
    with mark:
        pass
    for span in spans.all():
        attributes = dict(span.attributes or {})
        assert (attributes["text"], attributes["number"], attributes["list"]) == ("a", 1.5, ("a", "b"))
        assert json.loads(str(attributes["object"])) == {"k": [1]}
        assert json.loads(str(attributes["mixed"])) == [1, "a"]
        assert "nothing" not in attributes


def test_attributes_win_over_what_is_captured(spans: Spans) -> None:
    """What the user says about input, kind or tool stands."""

    @trace_tool(attributes={"input.value": "mine", "tool.name": "mine", "output.value": "mine"})
    def tool(x: int) -> int:
        return x

    assert tool(1) == 1
    attributes = attributes_of(spans)
    assert (attributes["input.value"], attributes["tool.name"], attributes["output.value"]) == ("mine",) * 3
    assert "input.mime_type" not in attributes


@pytest.mark.parametrize("label", ["trace_agent", "trace_tool"])
def test_capture_input(label: str, spans: Spans) -> None:
    """``capture_input=False`` records no input, and doesn't look at the arguments."""

    class Untouchable:
        def __repr__(self) -> str:
            raise AssertionError("it was looked at")

        __str__ = __reduce__ = __repr__

    @MARKS[label](capture_input=False)
    def answer(question: object) -> int:
        return 1

    assert answer(Untouchable()) == 1
    assert input_of(spans.only()) is None
    assert output_of(spans.only()) == 1


def test_capture_output(spans: Spans) -> None:
    """``capture_output=False`` records no output, of functions of every kind."""
    mark = trace_agent(capture_output=False)

    @mark
    def function() -> str:
        return "secret"

    @mark
    async def coroutine() -> str:
        return "secret"

    @mark
    def generator() -> Iterator[str]:
        yield "secret"

    @mark
    async def async_generator() -> Any:
        yield "secret"

    function()
    run_to_end(coroutine())
    list(generator())
    all_items(async_generator())
    assert len(spans.all()) == 4
    for span in spans.all():
        assert output_of(span) is None
        assert "secret" not in str(span.to_json())


def test_exclude_args(spans: Spans) -> None:
    """``exclude_args`` leaves arguments out, given in order or by name, with all other arguments or in ``**kwargs``."""

    @trace_tool(exclude_args=["password", "token"])
    def login(user: str, password: str, times: int = 1, **more: Any) -> str:
        return user

    login("a", "secret")
    login("a", password="secret", token="secret", host="h")
    assert [input_of(span) for span in spans.all()] == [
        {"user": "a", "times": 1, "more": {}},
        {"user": "a", "times": 1, "more": {"host": "h"}},
    ]


def test_a_misspelt_name_in_exclude_args_is_said_at_decoration() -> None:
    """What was meant to be left out would be recorded otherwise."""

    def login(user: str, password: str) -> None:
        """Take a secret."""

    with pytest.raises(TypeError, match=r"no parameter 'pasword'; there are: user, password"):
        trace_tool(exclude_args=["pasword"])(login)


def test_exclude_args_leaves_one_text(spans: Spans) -> None:
    """Where one string parameter is left, its text is the input."""

    @trace_agent(exclude_args={"client"})
    def ask(client: object, question: str) -> str:
        return question

    ask(object(), "why")
    assert input_of(spans.only()) == "why"


def test_exclude_args_holds_for_wrong_calls(spans: Spans) -> None:
    """A call that doesn't fit may have the secret in any place: only what surely is something else is recorded."""

    @trace_tool(exclude_args=["password"])
    def login(user: str, password: str, times: int = 1) -> str:
        return user

    call: Any = login
    for args, kwargs in [
        (("a", "secret", 2, "secret"), {}),
        (("a",), {"pasword": "secret", "times": 2}),
        (("a", "secret"), {"user": "b"}),
        ((), {"password": "secret"}),
    ]:
        with pytest.raises(TypeError):
            call(*args, **kwargs)  # type: ignore[arg-type]
    assert "secret" not in "".join(str(span.attributes) for span in spans.all())
    assert input_of(spans.all()[0]) == {"args": ["a", 2]}
    assert input_of(spans.all()[1]) == {"args": ["a"], "kwargs": {"times": 2}}


def test_exclude_args_of_a_function_whose_signature_is_unknown(spans: Spans) -> None:
    """Any positional argument may be the one that is to be left out, so none is recorded."""
    traced: Any = trace_tool(exclude_args=["default"])(max)
    assert traced([3], default=2) == 3
    assert input_of(spans.only()) == {"args": []}


def test_process_input(spans: Spans) -> None:
    """``process_input`` gets the bound arguments by name, and what it returns is the input."""
    seen: list[dict[str, Any]] = []

    def process(bound: dict[str, Any]) -> Any:
        seen.append(dict(bound))
        return f"{bound['a']}-{bound['b']}"

    @trace_tool(process_input=process, exclude_args=["c"])
    def function(a: int, b: int = 2, c: str = "secret") -> int:
        return a + b

    assert function(1) == 3
    assert seen == [{"a": 1, "b": 2}]
    assert input_of(spans.only()) == "1-2"


def test_process_input_may_change_what_it_gets(spans: Spans) -> None:
    """The mapping is of this call alone: neither the call nor the next one sees what is done to it."""

    def process(bound: dict[str, Any]) -> Any:
        bound["more"]["added"] = True
        del bound["a"]
        return bound

    @trace_step(process_input=process)
    def function(a: int, *rest: int, **more: Any) -> dict[str, Any]:
        return more

    assert function(1) == {}
    assert function(1, k=1) == {"k": 1}
    assert [input_of(span) for span in spans.all()] == [
        {"rest": [], "more": {"added": True}},
        {"rest": [], "more": {"k": 1, "added": True}},
    ]


def test_process_output(spans: Spans) -> None:
    """``process_output`` gets the result, the caller gets the result too, and what it returns is the output."""
    result = {"text": "x", "secret": "y"}

    @trace_agent(process_output=lambda value: value["text"])
    def function() -> dict[str, str]:
        return result

    assert function() is result
    assert output_of(spans.only()) == "x"


@pytest.mark.parametrize("option", ["process_input", "process_output"])
@pytest.mark.parametrize("error", [ValueError("quotes a secret"), RecursionError(), StopIteration()])
def test_a_process_function_that_raises_changes_nothing(
    option: str, error: BaseException, spans: Spans, log: LogCatcher
) -> None:
    """The call goes on, nothing unprocessed is recorded, and it is logged once for the function."""

    def broken(value: object) -> object:
        raise error

    options: dict[str, Any] = {option: broken}

    @trace_agent(**options)
    def function(question: str) -> str:
        return question

    assert function("secret") == "secret"
    assert function("secret") == "secret"
    of_value = input_of if option == "process_input" else output_of
    assert [of_value(span) for span in spans.all()] == [None, None]
    assert all(span.status.is_ok for span in spans.all())
    log.expect(f"put of function failed with {type(error).__name__}")


@pytest.mark.parametrize("option", ["process_input", "process_output"])
def test_ctrl_c_while_a_value_is_recorded_goes_on_to_the_program(option: str, spans: Spans) -> None:
    """The program is interrupted as it would have been, and no span stays open or current."""

    def interrupted(value: object) -> object:
        signal.raise_signal(signal.SIGINT)
        return value

    options: dict[str, Any] = {option: interrupted}

    @trace_agent(**options)
    def function(question: str) -> str:
        return question

    with pytest.raises(KeyboardInterrupt):
        function("why")
    spans.assert_each_ended_once()


def test_reduce(spans: Spans) -> None:
    """``reduce`` gets the list of what was yielded, and what it returns is the output."""

    @trace_agent(reduce=sum)
    def numbers(n: int) -> Iterator[int]:
        yield from range(n)

    @trace_agent(reduce=lambda items: "".join(item["text"] for item in items))
    async def parts() -> Any:
        yield {"text": "a"}
        yield {"text": "b"}

    assert list(numbers(4)) == [0, 1, 2, 3]
    assert len(all_items(parts())) == 2
    assert [output_of(span) for span in spans.all()] == [6, "ab"]


def test_reduce_and_process_output(spans: Spans) -> None:
    """Both together: the items are reduced, then processed; without ``reduce``, all of them are processed."""

    @trace_agent(reduce=sum, process_output=lambda total: {"total": total})
    def reduced() -> Iterator[int]:
        yield from (1, 2)

    @trace_agent(process_output=len)
    def processed() -> Iterator[int]:
        yield from (1, 2)

    @trace_agent(process_output=str.upper)
    def text() -> Iterator[str]:
        yield from "ab"

    list(reduced())
    list(processed())
    list(text())
    assert [output_of(span) for span in spans.all()] == [{"total": 3}, 2, "AB"]


def test_a_reduce_function_that_raises_changes_nothing(spans: Spans, log: LogCatcher) -> None:
    """The consumer sees nothing of it."""

    @trace_agent(reduce=lambda items: 1 / 0)
    def numbers() -> Iterator[int]:
        yield 1

    assert list(numbers()) == [1]
    assert output_of(spans.only()) is None
    assert spans.only().status.is_ok
    log.expect("ZeroDivisionError")


def test_links(spans: Spans) -> None:
    """``links`` takes spans, span contexts and links."""
    with trace_step("first") as first:
        pass
    context = first.otel_span.get_span_context()
    links: list[Link | SpanContext | Span] = [first, context, Link(context, {"k": 1})]
    trace_step(links=links)(lambda: None)()
    with trace_step("block", links=links):
        pass
    for span in spans.all()[1:]:
        assert [link.context.span_id for link in span.links] == [context.span_id] * 3
        assert dict(span.links[2].attributes or {}) == {"k": 1}


def test_graph_nodes(spans: Spans) -> None:
    """``graph_node_id`` and ``graph_node_parent_id`` are OpenInference's."""
    mark = trace_chain(graph_node_id="b", graph_node_parent_id="a")
    mark(lambda: None)()
    with mark("block"):
        pass
    for span in spans.all():
        attributes = dict(span.attributes or {})
        assert (attributes["graph.node.id"], attributes["graph.node.parent_id"]) == ("b", "a")


def test_tool_description_and_parameters(spans: Spans) -> None:
    """They come from docstring and signature, or from the options."""

    @trace_tool
    def read(x: int) -> int:
        """Read it."""
        return x

    @trace_tool(description="Said.", parameters={"type": "object", "properties": {"y": {}}})
    def said(x: int) -> int:
        """Read it."""
        return x

    read(1)
    said(1)
    attributes = attributes_of(spans, "read")
    assert attributes["tool.name"] == "read"
    assert attributes["tool.description"] == "Read it."
    assert json.loads(attributes["tool.parameters"])["properties"] == {"x": {"type": "integer"}}
    attributes = attributes_of(spans, "said")
    assert attributes["tool.description"] == "Said."
    assert json.loads(attributes["tool.parameters"]) == {"type": "object", "properties": {"y": {}}}


def test_none_is_as_good_as_no_option(spans: Spans) -> None:
    """An option that is None does nothing."""
    names = ("name", "attributes", "capture_input", "capture_output", "exclude_args", "process_input", "process_output")
    more = ("reduce", "links", "graph_node_id", "graph_node_parent_id", "method", "description", "parameters")
    nothing: dict[str, Any] = dict.fromkeys((*names, *more))

    def tool(x: int) -> int:
        return x

    trace_tool(**nothing)(tool)(1)
    trace_tool(tool)(1)
    first, second = spans.all()
    assert (first.name, first.attributes) == (second.name, second.attributes)


@each_mark
def test_an_unknown_option_is_a_type_error(label: str) -> None:
    """At decoration, and it says which there are."""
    mark: Any = MARKS[label]
    with pytest.raises(
        TypeError, match=rf"{label}\(\) has no option 'nmae'; it takes attributes, capture_input, .*name"
    ):
        mark(nmae="x")
    with pytest.raises(TypeError, match="has no option 'nmae'"):
        mark(lambda: None, nmae="x")
    if label != "trace_tool":
        with pytest.raises(TypeError, match="has no option 'description'"):
            mark(description="x")


@pytest.mark.parametrize("option", ["redact", "hide_inputs"])
def test_what_may_be_recorded_at_all_is_said_where_spans_go(option: str) -> None:
    """Not at a mark, whose nearest option is something else."""
    mark: Any = trace_tool
    with pytest.raises(TypeError, match=rf"write register\(config=TraceConfig\({option}=…\)\)$"):
        mark(**{option: None})


WRONG: list[tuple[str, object, str]] = [
    ("name", 1, "a string, not int"),
    ("attributes", ["a"], r'a mapping such as \{"key": "value"\}, not list'),
    ("capture_input", "yes", "True or False, not str"),
    ("capture_output", 1, "True or False, not int"),
    ("exclude_args", "password", r'a list of parameter names such as \["password"\], not str'),
    ("exclude_args", [1], "a list of parameter names"),
    ("exclude_args", (name for name in ["password"]), "a list of parameter names .*, not generator"),
    ("process_input", "f", "a function, not str"),
    ("process_output", 1, "a function, not int"),
    ("reduce", [], "a function, not list"),
    ("links", ["a"], "a list of OpenTelemetry links, span contexts or spans, not list"),
    ("graph_node_id", 1, "a string, not int"),
    ("graph_node_parent_id", 1, "a string, not int"),
    ("method", len, "a string, not builtin_function_or_method"),
    ("metadata", "a", "a mapping"),
    ("tags", "nightly", r'a list of strings such as \["nightly"\], not str'),
    ("description", 1, "a string, not int"),
    ("parameters", [], "a mapping"),
]


@pytest.mark.parametrize(("option", "value", "message"), WRONG)
def test_a_value_of_a_wrong_type_is_a_type_error(option: str, value: object, message: str) -> None:
    """At decoration, and it says what to write instead."""
    mark: Any = trace_tool
    with pytest.raises(TypeError, match=rf"trace_tool\({option}=…\) takes {message}"):
        mark(**{option: value})


@pytest.mark.parametrize("option", [{"input": 1}, {"metadata": {}}, {"tags": []}])
def test_what_is_said_of_one_span_is_no_option_of_a_function(option: dict[str, Any]) -> None:
    """``input``, ``metadata`` and ``tags`` are for blocks, and it says how a function says them."""
    [name] = option
    mark: Any = trace_step
    with pytest.raises(TypeError, match=rf"trace_step\({name}=…\) is for a `with` block; .*set_{name}\(…\)"):
        mark(**option)(lambda: None)


def test_options_are_taken_as_they_are_at_decoration(spans: Spans) -> None:
    """A list or mapping that the program goes on changing changes no span."""
    attributes: dict[str, Any] = {"k": 1}
    excluded = ["b"]
    parameters: dict[str, Any] = {"type": "object"}

    @trace_tool(attributes=attributes, exclude_args=excluded, parameters=parameters)
    def tool(a: int, b: str) -> int:
        return a

    attributes["k"] = 2
    excluded.clear()
    parameters["type"] = "changed"
    tool(1, "secret")
    assert attributes_of(spans)["k"] == 1
    assert input_of(spans.only()) == {"a": 1}
    assert json.loads(attributes_of(spans)["tool.parameters"]) == {"type": "object"}


def make_marked() -> Callable[..., Any]:
    """A marked function whose options are functions of the program."""
    return trace_step(process_input=len, process_output=len)(lambda *args: "result")


def test_a_process_function_may_be_a_builtin(spans: Spans) -> None:
    """Anything that can be called with one argument will do."""
    assert make_marked()(1, 2) == "result"
    assert (input_of(spans.only()), output_of(spans.only())) == (1, 6)
