"""A mark on a class: the class stays that class, with one of its methods traced."""

from __future__ import annotations

import asyncio
import enum
import functools
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from agenttrace import trace_agent, trace_llm, trace_tool

from .conftest import Spans
from .material import MARKS, input_of, output_of, span_name


@pytest.mark.parametrize("label", sorted(MARKS))
def test_call_is_traced_by_default(label: str, spans: Spans) -> None:
    """``@mark`` on a class traces ``__call__``, under the class's name."""

    @MARKS[label]
    class Answerer:
        def __call__(self, question: str, times: int = 1) -> str:
            return question * times

    assert isinstance(Answerer, type)
    assert Answerer()("?", 2) == "??"
    assert spans.only().name == span_name(label, "Answerer")
    assert input_of(spans.only()) == {"question": "?", "times": 2}
    assert output_of(spans.only()) == "??"


def test_the_class_is_the_same_object() -> None:
    """What is given back is the class itself, so that ``isinstance``, pickling and subclasses see no difference."""

    class Agent:
        def run(self) -> int:
            return 1

    assert trace_agent(Agent, method="run") is Agent


def test_a_chosen_method(spans: Spans) -> None:
    """``method=`` names the method; the agent's name is the class's."""

    @trace_agent(method="run")
    class Researcher:
        async def run(self, question: str) -> str:
            return question.upper()

        def other(self) -> int:
            return 1

    assert asyncio.run(Researcher().run("why")) == "WHY"
    assert Researcher().other() == 1
    span = spans.only("Researcher.run")
    assert (span.attributes or {})["agent.name"] == "Researcher"
    assert (input_of(span), output_of(span)) == ("why", "WHY")


def test_a_tool_class_is_named_by_itself(spans: Spans) -> None:
    """The tool's name is the class's; ``name=`` chooses another for span and tool."""

    @trace_tool(method="forward")
    class Search:
        """Searches."""

        def forward(self, query: str) -> list[str]:
            """Search for it."""
            return [query]

    @trace_tool(name="find", method="forward")
    class Find(Search):
        pass

    Search().forward("a")
    assert spans.only().name == "Search.forward"
    assert (spans.only().attributes or {})["tool.name"] == "Search"
    spans.clear()
    Find().forward("a")
    assert spans.names() == ["Search.forward", "find"]
    assert (spans.only("find").attributes or {})["tool.name"] == "find"


def test_an_inherited_method_is_traced_in_this_class_only(spans: Spans) -> None:
    """The method of a base class is traced where the mark is; the base class and its other children are not."""

    class Base:
        def run(self, question: str) -> str:
            return type(self).__name__ + question

    @trace_agent(method="run")
    class Marked(Base):
        pass

    class Sibling(Base):
        pass

    assert (Base().run("?"), Sibling().run("?")) == ("Base?", "Sibling?")
    assert spans.names() == []
    assert Marked().run("?") == "Marked?"
    assert spans.names() == ["Marked.run"]


def test_subclasses_of_a_marked_class(spans: Spans) -> None:
    """A child inherits the traced method; one that overrides it calls it by ``super()``."""

    @trace_agent(method="run")
    class Base:
        def run(self, question: str) -> str:
            return question

    class Silent(Base):
        pass

    class Overriding(Base):
        def run(self, question: str) -> str:
            return super().run(question + "!")

    assert (Silent().run("?"), Overriding().run("?")) == ("?", "?!")
    assert [input_of(span) for span in spans.named("Base.run")] == ["?", "?!"]


def test_class_methods_static_methods_and_properties_of_a_class(spans: Spans) -> None:
    """``method=`` may name any member that runs a function."""

    class Toolbox:
        @classmethod
        def made(cls, size: int) -> str:
            return f"{cls.__name__} {size}"

        @staticmethod
        def counted(cls: int) -> int:
            return cls

        @property
        def state(self) -> str:
            return "fine"

        @functools.cached_property
        def cached(self) -> list[int]:
            return [1]

        def stream(self, size: int) -> Iterator[int]:
            yield from range(size)

    for name in ("made", "counted", "state", "cached", "stream"):
        assert trace_llm(Toolbox, method=name) is Toolbox
    toolbox = Toolbox()
    assert (Toolbox.made(1), Toolbox.counted(2), toolbox.state) == ("Toolbox 1", 2, "fine")
    assert toolbox.cached is toolbox.cached
    assert list(toolbox.stream(2)) == [0, 1]
    assert [(span.name, input_of(span)) for span in spans.all()] == [
        ("Toolbox.made", {"size": 1}),
        ("Toolbox.counted", {"cls": 2}),
        ("Toolbox.state", {}),
        ("Toolbox.cached", {}),
        ("Toolbox.stream", {"size": 2}),
    ]


def test_the_first_parameter_of_a_method_is_left_out_whatever_its_name(spans: Spans) -> None:
    """In a marked class it is known what is a method: ``this`` is no argument, and ``cls`` of a static method is."""

    @trace_tool(method="run")
    class Agent:
        def run(this, question: str) -> str:
            return question

    @trace_tool(method="run")
    class Loose:
        def run(*args: Any) -> int:
            return len(args)

    assert (Agent().run("?"), Loose().run("?")) == ("?", 2)
    assert [input_of(span) for span in spans.all()] == [{"question": "?"}, {"args": ["?"]}]


def test_data_classes(spans: Spans) -> None:
    """Data classes, frozen and slotted ones too, are marked above or below their decorator."""

    @trace_agent(method="run")
    @dataclass(frozen=True)
    class Above:
        size: int

        def run(self, question: str) -> int:
            return self.size

    @dataclass(slots=True)
    @trace_agent(method="run")
    class Below:
        size: int

        def run(self, question: str) -> int:
            return self.size

    assert (Above(1).run("?"), Below(2).run("?")) == (1, 2)
    assert Above(1) == Above(1)
    assert spans.names() == ["Above.run", "Below.run"]


def test_slots_abstract_and_enumeration_classes(spans: Spans) -> None:
    """Classes with slots, abstract base classes and enumerations take the mark."""

    @trace_agent(method="run")
    class Slotted:
        __slots__ = ("size",)

        def run(self) -> int:
            self.size = 1
            return self.size

    @trace_agent(method="run")
    class Base(ABC):
        @abstractmethod
        def run(self) -> int:
            return 2

    class Whole(Base):
        def run(self) -> int:
            return super().run()  # type: ignore[safe-super]

    @trace_agent
    class Mode(enum.Enum):
        FAST = 1

        def __call__(self) -> int:
            return 3

    assert (Slotted().run(), Whole().run(), Mode.FAST()) == (1, 2, 3)
    assert Base.__abstractmethods__ == {"run"}
    assert list(Mode) == [Mode.FAST]
    assert spans.names() == ["Slotted.run", "Base.run", "Mode"]


def test_initialisation_can_be_traced(spans: Spans) -> None:
    """``method="__init__"`` records what a class is made with."""

    @trace_tool(method="__init__")
    class Client:
        def __init__(self, host: str) -> None:
            self.host = host

    assert Client("here").host == "here"
    assert input_of(spans.only("Client.__init__")) == {"host": "here"}


def test_a_missing_method_is_a_type_error() -> None:
    """It says which methods there are."""

    class Agent:
        state = 1

        def run(self) -> None: ...

        @staticmethod
        def helped() -> None: ...

    with pytest.raises(TypeError, match=r"class Agent: it has no method '__call__'\. .*one of: helped, run$"):
        trace_agent(Agent)
    with pytest.raises(TypeError, match="class Agent: it has no method 'rum'"):
        trace_agent(Agent, method="rum")
    with pytest.raises(TypeError, match="class Agent: 'state' is int, not a method"):
        trace_agent(Agent, method="state")
    with pytest.raises(TypeError, match=r"goes on a class, not on run$"):
        trace_agent(Agent.run, method="run")
    with pytest.raises(TypeError):
        trace_agent(int)
