"""LLM spans of an agent's model, whoever wrote it: every call that the agent makes is seen from the agent's side."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from ... import faults
from ...capture.arguments import ArgumentReader
from ...openers import DescribedCallOpener
from ...readers.request import parameters_of
from ...running import RunningSpan
from ...semconv.fields import fields, text_of
from ...semconv.providers import provider_of_client
from ...tracing import kind_of, trace_llm
from ...wrapping import wrap_callable
from ...wrapping.callables import underlying_function
from ...wrapping.stand_in import StandIn, stood_for
from .activities import as_generator
from .instrumentor import below_instrumentor

__all__ = ["ModelStandIn"]

_CALLS = ("generate", "generate_stream")


class ModelStandIn(StandIn):
    """Stands for a model, and records its calls; its methods run on the model itself."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        found = getattr(stood_for(self), name)
        return _traced(stood_for(self), name, found) if name in _CALLS and callable(found) else found

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Ask the model; for agents that call theirs as a function."""
        __tracebackhide__ = True
        model = stood_for(self)
        return _traced(model, "__call__", model)(*args, **kwargs)


def _traced(model: Any, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    """``method`` as a model call, unless a mark of the user's makes it one already."""
    generate = getattr(model, "generate", None) if name == "__call__" else method
    if kind_of(generate) == trace_llm.kind:
        return method
    opener = _ModelCallOpener(model, name, method)
    made = below_instrumentor(method)
    is_other_stream = name == "generate_stream" and not inspect.isgeneratorfunction(underlying_function(made))
    return wrap_callable(_streaming(made) if is_other_stream else made, opener.open_call)


def _streaming(method: Callable[..., Any]) -> Callable[..., Any]:
    def stream(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        return as_generator(method(*args, **kwargs))

    return stream


class _ModelCallOpener:
    """Opens the spans of one method of one model."""

    def __init__(self, model: Any, name: str, method: Callable[..., Any]) -> None:
        self._model = model
        self._method = method
        self._name = f"{type(model).__name__}.{'generate' if name == '__call__' else name}"

    def open_call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> RunningSpan | None:
        """See `OpenCall`."""
        try:
            options = {
                "model": text_of(getattr(self._model, "model_id", None)),
                "provider": provider_of_client(self._model),
            }
            known = {option: value for option, value in options.items() if value is not None}
            opener = DescribedCallOpener(trace_llm.kind, self._name, known, self._method, drop_first=False)
            running = opener.open(args, kwargs)
            if running is not None:
                # Of a generator's call the arguments come by position, however the agent gave them.
                given = ArgumentReader(self._method, (), drop_first=False).read(args, kwargs)
                running.handle().set_invocation_parameters(self._parameters({**given, **kwargs}))
            return running
        except BaseException as error:
            faults.contain(f"opening the span of {self._name}", error)
            return None

    def _parameters(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """What the model is called with: smolagents lets the model's own settings win over those of the call."""
        own = {name: value for name, value in fields(getattr(self._model, "kwargs", None)).items() if _is_plain(value)}
        return {**parameters_of(given), **own}


def _is_plain(value: object) -> bool:
    """Whether ``value`` is a parameter, and neither a client nor smolagents' word for one that is to be left out."""
    return value is None or isinstance(value, (str, int, float, bool, list, tuple, dict))
