"""What tools see of a marked function: what they see of the plain one."""

from __future__ import annotations

import asyncio
import copy
import functools
import inspect
import pickle
import pydoc
import sys
import typing
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from agenttrace import trace_agent, trace_step, trace_tool

from .conftest import Spans
from .material import KINDS, MARKS, run_to_end

COUNTER = 3


def plain(city: str, /, days: int = COUNTER, *more: float, exact: bool = False, **rest: bytes) -> list[str]:
    """Forecast the weather.

    For a city.
    """
    return [city]


async def coroutine(city: str, /, days: int = COUNTER, *more: float, exact: bool = False, **rest: bytes) -> list[str]:
    """Forecast the weather."""
    return [city]


def generator(city: str, /, days: int = COUNTER, *more: float, exact: bool = False, **rest: bytes) -> Iterator[str]:
    """Forecast the weather."""
    yield city


async def async_generator(
    city: str, /, days: int = COUNTER, *more: float, exact: bool = False, **rest: bytes
) -> AsyncIterator[str]:
    """Forecast the weather."""
    yield city


class Forecaster:
    """Forecasts."""

    def method(self, city: str, days: int = COUNTER) -> list[str]:
        """Forecast the weather."""
        return [city]

    async def method_async(self, city: str, days: int = COUNTER) -> list[str]:
        """Forecast the weather."""
        return [city]

    def __call__(self, city: str) -> str:
        """Call it."""
        return city


class AsyncForecaster:
    async def __call__(self, city: str) -> str:
        """Await it."""
        return city


class SteppedForecaster:
    def __call__(self, city: str) -> Iterator[str]:
        yield city


class AsyncSteppedForecaster:
    async def __call__(self, city: str) -> AsyncIterator[str]:
        yield city


FUNCTIONS: dict[str, Any] = {
    "function": plain,
    "coroutine function": coroutine,
    "generator function": generator,
    "async generator function": async_generator,
    "function of a class": Forecaster.method,
    "coroutine function of a class": Forecaster.method_async,
    "bound method": Forecaster().method,
    "bound coroutine method": Forecaster().method_async,
    "lambda": lambda city, days=COUNTER: city,
    "partial": functools.partial(plain, "Oslo", exact=True),
    "partial of a coroutine function": functools.partial(coroutine, "Oslo", exact=True),
    "partial of a generator function": functools.partial(generator, "Oslo", exact=True),
    "partial of an async generator function": functools.partial(async_generator, "Oslo", exact=True),
    "callable object": Forecaster(),
    "async callable object": AsyncForecaster(),
    "generator object": SteppedForecaster(),
    "async generator object": AsyncSteppedForecaster(),
    "builtin": len,
    "builtin without a signature": max,
    "builtin of a type": str.upper,
    "cached function": functools.lru_cache(plain),
}

every_function = pytest.mark.parametrize("function", FUNCTIONS.values(), ids=list(FUNCTIONS))


def marked_both_ways(function: Any) -> list[Any]:
    """``function`` under two marks, one with options and one that wraps differently."""
    return [trace_agent(function), trace_tool(name="named")(function)]


@every_function
def test_the_signature(function: Any) -> None:
    """`inspect.signature` shows what it shows of the plain function."""
    for traced in marked_both_ways(function):
        try:
            expected = inspect.signature(function)
        except ValueError:
            with pytest.raises(ValueError, match="no signature found"):
                inspect.signature(traced)
        else:
            assert inspect.signature(traced) == expected


@every_function
def test_what_kind_of_function_it_is(function: Any) -> None:
    """``inspect``'s questions have the plain function's answers; a callable object's, those of its ``__call__``."""
    asked = function
    if (
        not inspect.isroutine(function)
        and not isinstance(function, functools.partial)
        and function.__class__.__module__ == __name__
    ):
        asked = type(function).__call__
    for traced in marked_both_ways(function):
        for question in (inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction):
            assert question(traced) == question(asked), question
        if sys.version_info < (3, 14):
            assert asyncio.iscoroutinefunction(traced) == asyncio.iscoroutinefunction(asked)
        assert inspect.isfunction(traced)
        assert callable(traced)


@every_function
def test_the_attributes_that_functools_wraps_gives(function: Any) -> None:
    """``__name__``, ``__qualname__``, ``__module__``, ``__doc__``, annotations and ``__wrapped__``."""
    for traced in marked_both_ways(function):
        for name in ("__name__", "__qualname__", "__module__", "__annotations__"):
            if hasattr(function, name):
                assert getattr(traced, name) == getattr(function, name), name
        if not isinstance(function, functools.partial):
            assert traced.__doc__ == function.__doc__
        assert traced.__wrapped__ is function
        assert inspect.unwrap(traced) is inspect.unwrap(function)


@pytest.mark.parametrize("label", sorted(KINDS))
def test_every_mark_keeps_them(label: str) -> None:
    """It makes no difference which mark it is."""
    traced = MARKS[label](plain)
    assert inspect.signature(traced) == inspect.signature(plain)
    assert (traced.__name__, traced.__doc__) == (plain.__name__, plain.__doc__)


def test_own_attributes_of_a_function() -> None:
    """What a decorator or the program put on the function is on the traced one."""

    def function() -> None: ...

    function.kept = ["a"]  # type: ignore[attr-defined]
    assert trace_step(function).kept is function.kept  # type: ignore[attr-defined]


@pytest.mark.parametrize("function", [plain, coroutine, generator, async_generator])
def test_type_hints(function: Callable[..., Any]) -> None:
    """`typing.get_type_hints` finds the names of the annotations where the function was written."""
    assert typing.get_type_hints(trace_tool(function)) == typing.get_type_hints(function)


@pytest.mark.parametrize("function", [plain, coroutine, generator, async_generator])
def test_help(function: Callable[..., Any]) -> None:
    """`help` shows name, signature and docstring."""
    assert pydoc.render_doc(trace_tool(function)) == pydoc.render_doc(function)


def test_help_of_a_class() -> None:
    """So it does for the members of a class."""

    def made(mark: Callable[[Any], Any]) -> type:
        class Agent:
            """Answers."""

            @mark
            def run(self, question: str) -> str:
                """Answer."""
                return question

            @mark
            @classmethod
            def made(cls, size: int) -> None:
                """Make one."""

            @mark  # type: ignore[prop-decorator]
            @property
            def state(self) -> int:
                """The state."""
                return 1

        return Agent

    assert pydoc.render_doc(made(trace_step)) == pydoc.render_doc(made(lambda member: member))


def test_the_source(spans: Spans) -> None:
    """`inspect.getsource` and ``getfile`` find the plain function's."""
    for function in (plain, coroutine, generator, async_generator):
        traced = trace_step(function)
        assert inspect.getsource(traced) == inspect.getsource(function)
        assert inspect.getsourcefile(inspect.unwrap(traced)) == __file__


def test_members_are_found_as_what_they_are() -> None:
    """Class and static methods and properties stay of their kind in the class."""

    class Agent:
        @trace_step
        @classmethod
        def class_method(cls) -> None: ...

        @trace_step
        @staticmethod
        def static_method() -> None: ...

        @trace_step  # type: ignore[prop-decorator]
        @property
        def state(self) -> int:
            return 1

        @trace_step  # type: ignore[prop-decorator]
        @functools.cached_property
        def cached(self) -> int:
            return 1

    kinds = {name: type(member) for name, member in vars(Agent).items() if not name.startswith("__")}
    assert kinds == {
        "class_method": classmethod,
        "static_method": staticmethod,
        "state": property,
        "cached": functools.cached_property,
    }


MODULE = """
from agenttrace import trace_agent, trace_step, trace_tool

@trace_tool
def function(x):
    return x + 1

@trace_agent(name="named")
async def coroutine(x):
    return x + 1

@trace_step
def generator(x):
    yield x + 1

@trace_step
async def async_generator(x):
    yield x + 1

@trace_agent(method="run")
class Agent:
    def __init__(self, size):
        self.size = size

    def run(self, x):
        return x + self.size

    @trace_tool
    @classmethod
    def made(cls, size):
        return cls(size)
"""


@pytest.fixture
def marked_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A module with marked functions, which child processes can import too."""
    name = f"marked_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(MODULE, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    import importlib

    yield importlib.import_module(name)
    del sys.modules[name]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_functions_of_a_module_are_pickled_by_name(protocol: int, marked_module: Any) -> None:
    """Like any function of a module; methods, classes and their objects too."""
    names = ("function", "coroutine", "generator", "async_generator", "Agent")
    for value in (*(getattr(marked_module, name) for name in names),):
        assert pickle.loads(pickle.dumps(value, protocol)) is value
    agent = marked_module.Agent(3)
    assert pickle.loads(pickle.dumps(agent, protocol)).run(1) == 4
    assert pickle.loads(pickle.dumps(agent.run, max(protocol, 2)))(1) == 4
    assert pickle.loads(pickle.dumps(marked_module.Agent.made, max(protocol, 2)))(5).size == 5


def test_functions_are_copied_as_functions_are(marked_module: Any) -> None:
    """A copy of a function, deep or not, is the function itself."""
    for name in ("function", "coroutine", "generator", "async_generator", "Agent"):
        value = getattr(marked_module, name)
        assert copy.copy(value) is value
        assert copy.deepcopy([value])[0] is value


def test_process_pools(marked_module: Any) -> None:
    """A marked function is work for a `ProcessPoolExecutor` as it is."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert list(pool.map(marked_module.function, [1, 2])) == [2, 3]
        assert pool.submit(marked_module.Agent(3).run, 1).result() == 4


def test_a_marked_function_is_wrapped_again(spans: Spans) -> None:
    """Decorators above the mark, and `functools.wraps`, find what they look for."""

    def doubled(function: Callable[..., Any]) -> Callable[..., Any]:
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def async_wrapper(*args: Any, **kwargs: Any) -> Any:
                return await function(*args, **kwargs) * 2

            return async_wrapper

        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs) * 2

        return wrapper

    assert doubled(trace_step(plain))("a") == ["a", "a"]
    assert run_to_end(doubled(trace_step(coroutine))("a")) == ["a", "a"]
    assert inspect.signature(doubled(trace_step(plain))) == inspect.signature(plain)


def test_asyncio_knows_coroutines_and_tasks(spans: Spans) -> None:
    """What a marked coroutine function gives is a coroutine, and makes a task with its name in it."""

    async def main() -> str:
        made = trace_step(coroutine)("a")
        assert inspect.iscoroutine(made)
        assert asyncio.iscoroutine(made)
        assert made.__qualname__ == "coroutine"
        task = asyncio.ensure_future(made)
        shown = repr(task)
        await task
        return shown

    assert "coro=<coroutine() " in asyncio.run(main())


def test_generators_are_generators(spans: Spans) -> None:
    """With the names that they have plain."""
    made = trace_step(generator)("a")
    assert inspect.isgenerator(made)
    assert (made.__name__, made.__qualname__) == ("generator", "generator")  # type: ignore[attr-defined]
    assert list(made) == ["a"]
    made_async = trace_step(async_generator)("a")
    assert inspect.isasyncgen(made_async)
    assert made_async.__qualname__ == "async_generator"
    assert run_to_end(made_async.__anext__()) == "a"
    run_to_end(made_async.aclose())


def test_the_package_offers_its_public_names_and_no_rooms() -> None:
    """Completion in a shell shows what there is to use, what is imported on demand included."""
    import agenttrace

    assert dir(agenttrace) == sorted(agenttrace.__all__)
    assert all(callable(getattr(agenttrace, name)) for name in ("register", "flush", "shutdown"))
