"""Traced classes of agents: subclasses that are like the plain ones in all that a program sees of them."""

from __future__ import annotations

import copyreg
import functools
import sys
from collections.abc import Callable
from threading import RLock
from typing import Any, SupportsIndex, TypeVar
from weakref import WeakValueDictionary

from smolagents import MultiStepAgent

from .methods import AROUND, Around
from .places import PLAIN_CLASS, current_place
from .shields import bases_with_shield

__all__ = ["traced"]

AgentT = TypeVar("AgentT", bound=type)

_STAND_INS = frozenset({"model", "python_executor", "tools", "final_answer_checks"})
_OVERRIDABLE = frozenset(AROUND) - {"run"}
_LOADERS = ("from_dict", "from_folder")
_known: WeakValueDictionary[type, type] = WeakValueDictionary()
_making = RLock()  # a metaclass of the user's may ask for another class meanwhile


def traced(agent_class: AgentT, /) -> AgentT:
    """A traced subclass of ``agent_class``, to be used in its place.

    Its agents leave a span for each run, step, model call, tool call, piece of code, plan and check of a final answer;
    agents of ``agent_class`` itself leave none. Everything else is as it was: constructor, ``run``, streams, being a
    member of a team, saved files (which name ``agent_class`` and load without agenttrace), pickles and copies. Nothing
    of smolagents is changed.

    Args:
        agent_class: Any subclass of smolagents' ``MultiStepAgent``. A class that is traced already comes back itself.

    Returns:
        The subclass, under the name of ``agent_class``: smolagents goes by it.

    Raises:
        TypeError: If it is something else, such as an agent that was made already.

    Example:
        >>> @traced
        ... class Researcher(ToolCallingAgent):
        ...     def initialize_system_prompt(self) -> str: ...
        >>> Researcher(tools=[search], model=model).run("How long is a day on Venus?")
    """
    if not isinstance(agent_class, type) or not issubclass(agent_class, MultiStepAgent):
        raise TypeError(_advice(agent_class))
    if hasattr(agent_class, PLAIN_CLASS):
        return agent_class
    with _making:
        known = _known.get(agent_class)
        if known is None:
            known = _known[agent_class] = _make(agent_class)
    return known  # type: ignore[return-value]


def _advice(given: object) -> str:
    if isinstance(given, MultiStepAgent):
        name = type(given).__name__
        return (
            f"traced() takes a class, and this is an agent of {name}, made already. "
            f"Write traced({name})(tools=…, model=…) where the agent is made"
        )
    return (
        f"traced() takes a class of agents, such as smolagents.CodeAgent, not {getattr(given, '__name__', given)!r}. "
        "Tools and models need no mark: a traced agent records what it calls"
    )


def _make(plain: Any) -> type:
    namespace: dict[str, Any] = {
        PLAIN_CLASS: plain,
        "__doc__": plain.__doc__,
        "__module__": plain.__module__,
        "__qualname__": plain.__qualname__,
    }
    made: Any = type(plain)(plain.__name__, bases_with_shield(plain), namespace)
    if hasattr(plain, "__parameters__"):  # of a generic class, which a subclass without any ends
        made.__parameters__ = plain.__parameters__
    made.__getattribute__ = _getattribute(made, plain)
    made.__reduce_ex__ = _reduce_ex(made, plain)
    for name, around in AROUND.items():
        if hasattr(plain, name):
            setattr(made, name, _method(made, name, around))
    for name in _LOADERS:
        if hasattr(plain, name):
            setattr(made, name, _loader(made, name))
    return made  # type: ignore[no-any-return]


def _method(made: type, name: str, around: Around) -> Callable[..., Any]:
    @functools.wraps(getattr(made, name))
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        # Looked up at the call, as an instrumentor may have replaced the plain class's method since.
        return around(self, getattr(super(made, self), name), args, kwargs)

    return method


def _getattribute(made: Any, plain: Any) -> Callable[[Any, str], Any]:
    def getattribute(self: Any, name: str) -> Any:
        value = plain.__getattribute__(self, name)
        if name in _STAND_INS:
            place = current_place(self)
            if place is not None:
                return place.stand_in(name, value)
        elif name in _OVERRIDABLE and getattr(value, "__func__", None) is not made.__dict__.get(name):
            return value if current_place(self) is None else _overridden(self, name, value)
        return value

    return getattribute


def _overridden(agent: Any, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    """``method``, which a subclass of a traced class has in the place of the traced one, for the agent's own run."""

    def call(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        return AROUND[name](agent, method, args, kwargs)

    return call


def _reduce_ex(made: Any, plain: Any) -> Callable[[Any, SupportsIndex], Any]:
    makers: Any = (copyreg.__newobj__, copyreg._reconstructor)  # type: ignore[attr-defined]

    def reduce_ex(self: Any, protocol: SupportsIndex) -> Any:
        """As the plain class does. A class that its name doesn't lead to is made anew where the agent is loaded."""
        reduced = plain.__reduce_ex__(self, protocol)
        if type(self) is not made or not isinstance(reduced, tuple) or _is_found_by_name(made):
            return reduced
        if reduced[0] is made:
            return (_call, (plain, *reduced[1]), *reduced[2:])
        if reduced[0] not in makers or reduced[1][0] is not made:
            return reduced
        return (_new, (plain, *(reduced[1][1:] if reduced[0] is makers[0] else ())), *reduced[2:])

    return reduce_ex


def _is_found_by_name(made: type) -> bool:
    found: Any = sys.modules.get(made.__module__)
    for part in made.__qualname__.split("."):
        found = getattr(found, part, None)
    return found is made


def _new(plain: type, *args: Any) -> Any:
    made = traced(plain)
    return made.__new__(made, *args)


def _call(plain: type, *args: Any) -> Any:
    return traced(plain)(*args)


def _loader(made: type, name: str) -> Any:
    plain_loader = getattr(made, name).__func__

    @functools.wraps(plain_loader)
    def load(cls: type, *args: Any, **kwargs: Any) -> Any:
        agent = plain_loader(cls, *args, **kwargs)
        _trace_team(agent, kwargs.get("managed_agents"))
        return agent

    return classmethod(load)


def _trace_team(agent: Any, given: Any) -> None:
    """Trace the members of a team that was loaded: the files name plain classes. Those that were handed over stay."""
    for member in agent.managed_agents.values():
        if isinstance(member, MultiStepAgent) and not any(member is other for other in given or ()):
            if not hasattr(type(member), PLAIN_CLASS):
                member.__class__ = traced(type(member))
            _trace_team(member, None)
