"""Calls with every kind of parameter: what arrives is what the plain function gets, wrong calls fail as they do there.

Coroutine functions and generators get a wrapper that is compiled with the parameters of what it wraps; each test runs
on those and on plain functions.
"""

from __future__ import annotations

import inspect
import json
import keyword
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agenttrace import trace_chain, trace_tool

from .conftest import Spans
from .material import all_items, input_of, raised, run_to_end

KINDS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "function": ("def {name}({parameters}):\n    return ({names})", lambda result: result),
    "coroutine function": ("async def {name}({parameters}):\n    return ({names})", run_to_end),
    "generator function": ("def {name}({parameters}):\n    yield ({names})", lambda result: next(result)),
    "async generator function": ("async def {name}({parameters}):\n    yield ({names})", lambda r: all_items(r)[0]),
}
"""The source of a function of each kind that gives back its parameters, and what gets them out of a call's result."""

each_kind = pytest.mark.parametrize("kind", sorted(KINDS))


def made(kind: str, parameters: str, name: str = "function") -> Callable[..., Any]:
    """A function of this kind with these parameters that gives all of them back."""
    names = inspect.signature(eval(f"lambda {parameters}: None")).parameters
    source = KINDS[kind][0].format(name=name, parameters=parameters, names="".join(f"{each}, " for each in names))
    namespace: dict[str, Any] = {}
    exec(source, namespace)
    function: Callable[..., Any] = namespace[name]
    return function


def outcome(kind: str, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What a call gives in the end, or the class and text of what it raises."""
    try:
        return ("gave", KINDS[kind][1](function(*args, **kwargs)))
    except TypeError as error:
        return ("raised", str(error))


PARAMETERS = [
    "",
    "a",
    "a, b=2",
    "a, /",
    "a=1, /",
    "a, b, /, c, d=4",
    "a, /, b=2, *, c",
    "*, a",
    "*, a=1, b",
    "*args",
    "**kwargs",
    "*args, **kwargs",
    "a, *args, b, c=3, **kwargs",
    "a, b=2, /, c=3, *args, d, e=5, **kwargs",
    "a, /, **a_kwargs",
    "self, cls",
    "self, /, **kwargs",
    "args, kwargs",
    "name, function, activity, open_call",
    "call, hand_over, error, step, sent, hide, traced",
    "_agenttrace_call, _agenttrace_hand_over, _agenttrace_sent=3, *_agenttrace_step, _agenttrace_error=0",
    "_agenttrace_call_, _agenttrace_call, _agenttrace_hide=1",
    "π, naïve=1",
    "print, len=2, *tuple, dict=3, **BaseException",
    "StopIteration=1, StopAsyncIteration=2, GeneratorExit=3, BaseException=4",
]

CALLS: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    ((), {}),
    ((1,), {}),
    ((1, 2), {}),
    ((1, 2, 3, 4, 5, 6, 7), {}),
    ((1,), {"a": 1}),
    ((), {"a": 1}),
    ((1,), {"b": 2}),
    ((1, 2), {"d": 7}),
    ((1,), {"c": 3}),
    ((), {"a": 1, "b": 2, "c": 3}),
    ((), {"args": 1, "kwargs": 2}),
    ((1,), {"self": 2, "cls": 3, "name": 4, "function": 5}),
    ((), {"π": 1, "naïve": 2}),
    ((), {"print": 1, "BaseException": 2}),
    ((1, 2), {"not an identifier": 3, "class": 4}),
]


@each_kind
@pytest.mark.parametrize("parameters", PARAMETERS)
def test_what_arrives_is_what_arrives_at_the_plain_function(kind: str, parameters: str, spans: Spans) -> None:
    """Every call gives what the plain function gives, or raises the TypeError that it raises, when it is made."""
    plain = made(kind, parameters)
    traced = trace_chain(plain)
    assert inspect.signature(traced) == inspect.signature(plain)
    assert inspect.signature(traced, follow_wrapped=False).parameters.keys() in (
        inspect.signature(plain).parameters.keys(),
        {"args", "kwargs"},
    )
    for args, kwargs in CALLS:
        assert outcome(kind, traced, args, kwargs) == outcome(kind, plain, args, kwargs)


@each_kind
def test_a_wrong_call_fails_when_it_is_made(kind: str, spans: Spans) -> None:
    """Not when its result is first awaited or iterated."""
    plain = made(kind, "a, b=2")
    traced = trace_chain(plain)
    for args, kwargs in [((), {}), ((1, 2, 3), {}), ((1,), {"c": 1}), ((1,), {"a": 1})]:
        error = raised(lambda args=args, kwargs=kwargs: traced(*args, **kwargs))  # type: ignore[misc]
        assert type(error) is TypeError
        assert str(error) == str(raised(lambda args=args, kwargs=kwargs: plain(*args, **kwargs)))  # type: ignore[misc]
        assert error.__cause__ is None
        assert error.__context__ is None


def test_the_wrong_call_of_a_plain_function_is_on_record(spans: Spans) -> None:
    """With what it was called with, and the TypeError."""
    traced = trace_tool(made("function", "a, b=2", name="add"))
    raised(lambda: traced(1, 2, 3, c=4))
    span = spans.only("add")
    assert input_of(span) == {"args": [1, 2, 3], "kwargs": {"c": 4}}
    assert (span.status.description or "").startswith("TypeError: add() got an unexpected keyword argument 'c'")


@each_kind
def test_defaults_are_the_very_objects(kind: str, spans: Spans) -> None:
    """A default that is changed in place is the same one for the next call, as in plain Python."""
    default: list[int] = []
    namespace: dict[str, Any] = {"default": default}
    source = KINDS[kind][0].format(name="f", parameters="a=default, *, b=default", names="a, b")
    exec(source, namespace)
    traced = trace_chain(namespace["f"])
    for _ in range(2):
        first, second = KINDS[kind][1](traced())
        assert first is default
        assert second is default
        default.append(1)
    assert input_of(spans.all()[-1]) == {"a": [1], "b": [1]}


@each_kind
def test_arguments_are_the_very_objects(kind: str, spans: Spans) -> None:
    """Nothing is copied or changed on its way."""
    plain = made(kind, "a, /, *args, b, **kwargs")
    given = [object() for _ in range(4)]
    a, args, b, kwargs = KINDS[kind][1](trace_chain(plain)(given[0], given[1], b=given[2], c=given[3]))
    assert a is given[0]
    assert args[0] is given[1]
    assert b is given[2]
    assert kwargs["c"] is given[3]


NAMES = ["a", "b", "c", "self", "cls", "args", "kwargs", "name", "_agenttrace_call"]


@st.composite
def signatures(draw: st.DrawFn) -> str:
    """The parameters of a function, as source."""
    names = draw(st.lists(st.sampled_from(NAMES), max_size=6, unique=True))
    positional_only = draw(st.integers(0, len(names)))
    positional = draw(st.integers(positional_only, len(names)))
    first_default = draw(st.integers(0, positional))
    parts = [name if index < first_default else f"{name}={index}" for index, name in enumerate(names[:positional])]
    if positional_only:
        parts.insert(positional_only, "/")
    rest = names[positional:]
    ending = draw(st.sampled_from(["", "*", "**", "***"]))
    keywords = rest[:-1] if ending.startswith("**") and rest else rest
    if ending in ("*", "***"):
        parts.append("*rest")
    elif keywords:
        parts.append("*")
    parts += [draw(st.sampled_from([name, f"{name}=0"])) for name in keywords]
    if ending.startswith("**"):
        parts.append("**others")
    return ", ".join(parts)


values = st.one_of(st.integers(-9, 9), st.text("xyz", max_size=2), st.none())


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    kind=st.sampled_from(sorted(KINDS)),
    parameters=signatures(),
    args=st.lists(values, max_size=6).map(tuple),
    kwargs=st.dictionaries(st.sampled_from([*NAMES, "other"]), values, max_size=4),
)
def test_any_call_of_any_signature(kind: str, parameters: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """What is recorded is what ``inspect`` binds, defaults applied; a wrong call is the plain function's TypeError."""
    assert not any(keyword.iskeyword(name) for name in NAMES)
    plain = made(kind, parameters)
    spans = Spans()
    from agenttrace.provider import use_provider

    with use_provider(spans.provider):
        result = outcome(kind, trace_tool(plain), args, kwargs)
    assert result == outcome(kind, plain, args, kwargs)
    if result[0] == "raised":
        return
    # What the call gave back are its parameters, in order. (`Signature.bind` is wrong about `f(a=0, /, **others)`
    # called with `a=1`, on Pythons up to 3.12.)
    shown = inspect.signature(plain).parameters
    expected = dict(zip(shown, result[1], strict=True))
    if not any(p.kind is p.POSITIONAL_ONLY for p in shown.values()):
        bound = inspect.signature(plain).bind(*args, **kwargs)
        bound.apply_defaults()
        assert expected == bound.arguments
    first = next(iter(shown.values()), None)
    if (
        first is not None
        and first.name == "self"
        and first.kind in (first.POSITIONAL_ONLY, first.POSITIONAL_OR_KEYWORD)
    ):
        del expected["self"]
    assert input_of(spans.only()) == json.loads(json.dumps(expected))


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    parameters=signatures(),
    args=st.lists(values, max_size=6).map(tuple),
    kwargs=st.dictionaries(st.sampled_from([*NAMES, "other"]), values, max_size=4),
    excluded=st.sets(st.sampled_from([*NAMES, "rest", "others"]), max_size=3),
)
def test_excluded_arguments_of_any_call_are_left_out(
    parameters: str, args: tuple[Any, ...], kwargs: dict[str, Any], excluded: set[str]
) -> None:
    """Nothing is on record that an excluded parameter got, by any way, whether the call fits or not."""
    plain = made("function", parameters)
    secret = "the secret"
    names = [name for name, p in inspect.signature(plain).parameters.items() if p.kind is not p.VAR_KEYWORD]
    places = inspect.signature(plain).parameters
    if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in places.values()):
        excluded &= set(places)  # a name that no parameter has is a TypeError
    args = tuple(
        secret if index < len(names) and names[index] in excluded and places[names[index]].kind < 2 else value
        for index, value in enumerate(args)
    )
    if "rest" in names and "rest" in excluded:
        before = [name for name in names if places[name].kind < 2]
        args = args[: len(before)] + (secret,) * len(args[len(before) :])
    kwargs = {name: secret if name in excluded or "others" in excluded else value for name, value in kwargs.items()}
    spans = Spans()
    from agenttrace.provider import use_provider

    with use_provider(spans.provider):
        outcome("function", trace_tool(exclude_args=sorted(excluded))(plain), args, kwargs)
    recorded = (spans.only().attributes or {})["input.value"]
    misplaced = "others" in excluded and "others" not in names
    assert misplaced or secret not in str(recorded)
