"""A run within `suppress_tracing`: nothing in it leaves a span, nor does code in a thread that has no context."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from smolagents.remote_executors import RemotePythonExecutor

from ...current import Context, get_current, is_suppressed
from ...wrapping import Activity
from ...wrapping.stand_in import StandIn, stood_for
from .places import Place, attached, name_of

__all__ = ["open_suppressed_run"]


def open_suppressed_run(agent: Any) -> Activity | None:
    """What goes on while ``agent`` runs, where tracing is suppressed; None where it isn't, or no code is run here."""
    context = get_current()
    if not is_suppressed(context) or getattr(agent, "python_executor", None) is None:
        return None
    return _SuppressedRun(_SuppressedPlace(agent, context))


class _SuppressedPlace(Place):
    """Where an agent runs of which nothing is recorded."""

    def __init__(self, agent: Any, context: Context) -> None:
        super().__init__(agent, name_of(agent))
        self.context: Context | None = context
        """What says that nothing is; None once the run is over."""

    def stand_in(self, name: str, value: Any) -> Any:
        is_here = name == "python_executor" and not isinstance(value, RemotePythonExecutor)
        return _Executor(value, self) if is_here else value

    def over(self) -> None:
        """The run is over."""
        self.context = self._agent = None


class _SuppressedRun(Activity):
    def __init__(self, place: _SuppressedPlace) -> None:
        self._place = place
        self.context: Context | None = place.entered_in(get_current())

    def finish(self, value: Any) -> None:
        self._place.over()

    def fail(self, error: BaseException) -> None:
        self._place.over()

    def give_up(self) -> None:
        self._place.over()


class _InPlace(StandIn):
    __slots__ = ("_agenttrace_place",)

    def __init__(self, stood_for: Any, place: _SuppressedPlace) -> None:
        super().__init__(stood_for)
        object.__setattr__(self, "_agenttrace_place", place)


class _Executor(_InPlace):
    """Stands for an executor, and has the tools that it is sent take the context along."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        found = getattr(stood_for(self), name)
        return _sending(found, object.__getattribute__(self, "_agenttrace_place")) if name == "send_tools" else found

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        return stood_for(self)(*args, **kwargs)


class _Tool(_InPlace):
    """Stands for a tool, which code calls in a thread that knows of no context."""

    __slots__ = ()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        with attached(object.__getattribute__(self, "_agenttrace_place").context):
            return stood_for(self)(*args, **kwargs)


def _sending(send: Callable[..., Any], place: _SuppressedPlace) -> Callable[..., Any]:
    def send_tools(tools: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        return send({name: _Tool(tool, place) for name, tool in tools.items()}, *args, **kwargs)

    return send_tools
