"""Marks on what stands in a class body: methods, class and static methods, properties, in either order."""

from __future__ import annotations

import asyncio
import functools
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from agenttrace import trace_agent, trace_step, trace_tool

from .conftest import Spans
from .material import all_items, input_of, output_of, raised


class Agent:
    """Has a marked member of every sort."""

    def __init__(self, name: str = "a") -> None:
        self.name = name

    @trace_tool
    def method(self, question: str, times: int = 1) -> str:
        return self.name + question * times

    @trace_tool
    async def method_async(self, question: str, times: int = 1) -> str:
        await asyncio.sleep(0)
        return self.name + question * times

    @trace_tool
    def stream(self, question: str, times: int = 1) -> Iterator[str]:
        yield self.name
        yield question * times

    @trace_tool
    async def stream_async(self, question: str, times: int = 1) -> AsyncIterator[str]:
        yield self.name
        yield question * times

    @trace_tool
    @classmethod
    def class_outside(cls, question: str, times: int = 1) -> str:
        return cls.__name__ + question * times

    @classmethod
    @trace_tool
    def class_inside(cls, question: str, times: int = 1) -> str:
        return cls.__name__ + question * times

    @trace_tool(name="class_async")
    @classmethod
    async def class_outside_async(cls, question: str, times: int = 1) -> str:
        return cls.__name__ + question * times

    @trace_tool
    @staticmethod
    def static_outside(question: str, times: int = 1) -> str:
        return question * times

    @staticmethod
    @trace_tool
    def static_inside(question: str, times: int = 1) -> str:
        return question * times

    @trace_tool
    @staticmethod
    def static_with_cls(cls: str, self: int = 1) -> str:
        """A static method may call its parameters what it likes."""
        return cls * self

    @trace_tool
    @classmethod
    def class_by_another_name(klass, question: str, times: int = 1) -> str:
        return klass.__name__ + question * times

    @trace_tool  # type: ignore[prop-decorator]
    @property
    def property_outside(self) -> str:
        """The state."""
        return self.name

    @property_outside.setter
    def property_outside(self, name: str) -> None:
        self.name = name

    @property_outside.deleter
    def property_outside(self) -> None:
        self.name = ""

    @property
    @trace_tool
    def property_inside(self) -> str:
        """The state."""
        return self.name

    @trace_tool  # type: ignore[prop-decorator]
    @functools.cached_property
    def cached_outside(self) -> str:
        """The state."""
        return self.name

    @functools.cached_property
    @trace_tool
    def cached_inside(self) -> str:
        """The state."""
        return self.name

    @trace_tool
    def takes_anything(*args: Any, **kwargs: Any) -> int:
        """The object is in ``args``."""
        return len(args) + len(kwargs)

    @trace_step
    def __getitem__(self, key: str) -> str:
        return key

    def __private(self, __secret: str) -> str:
        return __secret

    marked_private = trace_tool(__private)


class Heir(Agent):
    """Inherits all of it."""


@pytest.mark.parametrize("owner", [Agent, Heir])
def test_methods(owner: type[Agent], spans: Spans) -> None:
    """A method is named with its class, and its object is not among the arguments."""
    assert owner().method("?", times=2) == "a??"
    assert owner.method(owner(), "?", 2) == "a??"
    assert [input_of(span) for span in spans.named("Agent.method")] == [{"question": "?", "times": 2}] * 2


def test_methods_of_every_kind(spans: Spans) -> None:
    """Coroutine methods and generator methods are no different."""
    agent = Agent()
    assert asyncio.run(agent.method_async("?")) == "a?"
    assert list(agent.stream("?", 2)) == ["a", "??"]
    assert all_items(agent.stream_async("?", times=2)) == ["a", "??"]
    assert spans.names() == ["Agent.method_async", "Agent.stream", "Agent.stream_async"]
    assert [input_of(span)["question"] for span in spans.all()] == ["?"] * 3


@pytest.mark.parametrize("name", ["class_outside", "class_inside", "class_by_another_name"])
def test_class_methods(name: str, spans: Spans) -> None:
    """The mark stands above or below `classmethod`: the class that it is called on arrives, and isn't recorded."""
    assert getattr(Agent, name)("?", times=2) == "Agent??"
    assert getattr(Agent(), name)("?", 2) == "Agent??"
    assert getattr(Heir, name)("?") == "Heir?"
    assert [input_of(span) for span in spans.named(f"Agent.{name}")] == [
        {"question": "?", "times": 2},
        {"question": "?", "times": 2},
        {"question": "?", "times": 1},
    ]


def test_async_class_methods(spans: Spans) -> None:
    """A class method may be a coroutine function."""
    assert asyncio.run(Heir.class_outside_async("?")) == "Heir?"
    assert input_of(spans.only("class_async")) == {"question": "?", "times": 1}


@pytest.mark.parametrize("name", ["static_outside", "static_inside"])
def test_static_methods(name: str, spans: Spans) -> None:
    """The mark stands above or below `staticmethod`: nothing is added or left out."""
    assert getattr(Agent, name)("?", times=2) == "??"
    assert getattr(Heir(), name)("?") == "?"
    assert [input_of(span)["times"] for span in spans.named(f"Agent.{name}")] == [2, 1]


def test_a_static_method_keeps_its_parameters_whatever_their_names(spans: Spans) -> None:
    """Under a mark on a `staticmethod`, ``cls`` and ``self`` are parameters like any other."""
    assert Agent.static_with_cls("?", 2) == "??"
    assert input_of(spans.only()) == {"cls": "?", "self": 2}


@pytest.mark.parametrize("name", ["property_outside", "property_inside", "cached_outside", "cached_inside"])
def test_properties(name: str, spans: Spans) -> None:
    """The getter is traced, has no arguments, and the property keeps its docstring."""
    agent = Agent("ada")
    assert getattr(agent, name) == "ada"
    span = spans.only(f"Agent.{name}")
    assert (input_of(span), output_of(span)) == ({}, "ada")
    assert getattr(Agent, name).__doc__ == "The state."
    agent.name = "bob"
    assert getattr(agent, name) == ("ada" if "cached" in name else "bob")


def test_a_marked_property_keeps_setter_and_deleter(spans: Spans) -> None:
    """What is added below the marked getter works, and makes no spans."""
    agent = Agent()
    agent.property_outside = "x"
    assert agent.name == "x"
    del agent.property_outside
    assert agent.name == ""
    assert spans.names() == []
    assert raised(lambda: setattr(agent, "property_inside", 1)).__class__ is AttributeError


def test_a_property_that_raises(spans: Spans) -> None:
    """An AttributeError in a getter means what it always means."""

    class Broken:
        @trace_step  # type: ignore[prop-decorator]
        @property
        def state(self) -> int:
            raise AttributeError("no state")

        def __getattr__(self, name: str) -> str:
            return f"fallback for {name}"

    assert Broken().state == "fallback for state"  # type: ignore[comparison-overlap]
    assert spans.only().status.description == "AttributeError: no state"


def test_a_property_without_a_getter_cannot_be_marked() -> None:
    """There is nothing to trace, and it says so."""
    with pytest.raises(TypeError, match="a property without a getter has nothing to trace"):
        trace_step(property(None, lambda self, value: None))


def test_a_method_that_takes_its_object_in_args(spans: Spans) -> None:
    """``def method(*args)``: what Python puts first isn't named ``self``, so it is an argument like any other."""
    agent = Agent()
    assert agent.takes_anything(1, k=2) == 3
    assert Agent.__dict__["takes_anything"].__wrapped__(agent, 1, k=2) == 3
    assert input_of(spans.only())["args"][1:] == [1]
    assert input_of(spans.only())["kwargs"] == {"k": 2}


def test_magic_and_private_methods(spans: Spans) -> None:
    """Magic methods are found by Python, and mangled parameter names do no harm."""
    assert Agent()["key"] == "key"
    assert Agent().marked_private("secret") == "secret"
    assert spans.names() == ["Agent.__getitem__", "Agent.__private"]
    assert input_of(spans.all()[1]) == {"_Agent__secret": "__REDACTED__"}  # by its name


def test_cls_and_self_are_ordinary_names_outside_a_class(spans: Spans) -> None:
    """A function's parameter named ``cls`` is recorded; so is that of a function inside a method."""

    @trace_tool
    def by_class(cls: str, self: int) -> str:
        return cls

    class Holder:
        def make(self) -> Any:
            @trace_tool
            def inner(cls: str) -> str:
                return cls

            return inner

    assert (by_class("a", 1), Holder().make()("b")) == ("a", "b")
    assert [input_of(span) for span in spans.all()] == [{"cls": "a", "self": 1}, {"cls": "b"}]


def test_methods_of_a_metaclass(spans: Spans) -> None:
    """The class that a metaclass's method is called on is not among the arguments, by ``cls`` or ``mcs``."""

    class Meta(type):
        @trace_tool
        def named(cls, prefix: str) -> str:
            return prefix + cls.__name__

        @trace_tool
        def __prepare__(mcs, name: str, **kwargs: Any) -> dict[str, Any]:  # type: ignore[override]
            return {}

    class Thing(metaclass=Meta):
        pass

    spans.clear()
    assert Thing.named("a ") == "a Thing"
    assert input_of(spans.only()) == {"prefix": "a "}


def test_abstract_methods_stay_abstract(spans: Spans) -> None:
    """`abstractmethod` above or below the mark keeps the class from being made."""

    class Base(ABC):
        @abstractmethod
        @trace_tool
        def above(self) -> int: ...

        @trace_tool
        @abstractmethod
        def below(self) -> int: ...

        @trace_tool  # type: ignore[prop-decorator]
        @property
        @abstractmethod
        def state(self) -> int: ...

        @trace_tool
        @classmethod
        @abstractmethod
        def made(cls) -> int: ...

    class Whole(Base):
        @trace_tool
        def above(self) -> int:
            return 1

        def below(self) -> int:
            return super().below() or 2  # type: ignore[safe-super]

        state = 3
        made = 4  # type: ignore[assignment]

    assert Base.__abstractmethods__ == {"above", "below", "state", "made"}
    assert (Whole().above(), Whole().below()) == (1, 2)


def test_single_dispatch_methods_take_the_mark_below(spans: Spans) -> None:
    """`functools.singledispatchmethod` over marked functions works; under a mark it is a clear TypeError."""

    class Formatter:
        @functools.singledispatchmethod
        @trace_step
        def show(self, value: object) -> str:
            return "object"

        @show.register
        @trace_step(name="show for int")
        def _(self, value: int) -> str:
            return "int"

    assert (Formatter().show(""), Formatter().show(1)) == ("object", "int")
    assert input_of(spans.only("show for int")) == {"value": 1}
    with pytest.raises(TypeError, match="singledispatchmethod is neither"):
        trace_step(functools.singledispatchmethod(len))  # type: ignore[call-overload]


def test_super_works_in_marked_methods(spans: Spans) -> None:
    """``super()`` without arguments finds its way through the mark, one span in another."""

    class Child(Agent):
        @trace_agent
        def method(self, question: str, times: int = 1) -> str:
            return "child of " + super().method(question, times)

    assert Child().method("?") == "child of a?"
    assert spans.parent_of("Agent.method") == "Child.method"


def test_a_class_method_around_a_property(spans: Spans) -> None:
    """What Python lets stand inside a `classmethod` is traced too."""

    class Config:
        @trace_step  # type: ignore[misc, prop-decorator]
        @classmethod  # type: ignore[arg-type]
        @property
        def size(cls) -> int:
            return 3

    found = Config.__dict__["size"].__func__
    assert isinstance(found, property)
    assert found.fget is not None
    assert found.fget(Config) == 3
    assert spans.names() == ["Config.size"]
