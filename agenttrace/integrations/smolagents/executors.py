"""The code that a CodeAgent runs: a CHAIN span with the code, what it printed and what came out of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from smolagents.remote_executors import RemotePythonExecutor

from ...semconv.masking import REDACTED, current_mask
from ...tracing import trace_chain
from ...wrapping.stand_in import StandIn, stood_for
from ..blocks import open_block
from .activities import SpanActivity, call_inside, opened
from .places import InsideStep, StepPlace, open_step
from .tools import ToolStandIn
from .values import unwrapped

__all__ = ["ExecutorStandIn"]

_NAME = "CodeAgent.execute"


class ExecutorStandIn(StandIn):
    """Stands for an agent's executor, and records each piece of code that it runs.

    Args:
        executor: The executor.
        agent: The agent whose code it runs.
    """

    __slots__ = ("_agenttrace_agent",)

    def __init__(self, executor: Any, agent: Any) -> None:
        super().__init__(executor)
        object.__setattr__(self, "_agenttrace_agent", agent)

    def __getattr__(self, name: str) -> Any:
        found = getattr(stood_for(self), name)
        return self._send_tools(found) if name == "send_tools" else found

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run code."""
        __tracebackhide__ = True
        executor, step = stood_for(self), open_step(object.__getattribute__(self, "_agenttrace_agent"))
        if step is None:
            return executor(*args, **kwargs)
        activity = opened("code", lambda: _open(executor, step, args, kwargs))
        try:
            return call_inside(activity, executor, args, kwargs)
        except BaseException:
            step.failure_is_shown = True
            raise

    def _send_tools(self, send: Callable[..., Any]) -> Callable[..., Any]:
        """``send_tools`` that hands over tools whose calls are recorded, where they are called in this process."""
        if isinstance(stood_for(self), RemotePythonExecutor):
            return send  # which takes their source along
        agent = object.__getattribute__(self, "_agenttrace_agent")

        def send_tools(tools: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
            return send({name: ToolStandIn(tool, agent) for name, tool in tools.items()}, *args, **kwargs)

        return send_tools


class _CodeActivity(SpanActivity):
    """The span of a piece of code, whose context the tools that the code calls are in, whatever thread that runs in."""

    def __init__(self, running: Any, executor: Any, step: StepPlace) -> None:
        super().__init__(running, InsideStep(step))
        self._executor = executor
        self._step = step
        step.code_context = self.context

    def returned_value(self, value: Any) -> None:
        """See `SpanActivity.returned_value`; releases before 1.20 return a tuple."""
        output, logs, is_final = (
            value if isinstance(value, tuple) else (value.output, value.logs, value.is_final_answer)
        )
        printed = self._say(logs)
        handle = self.running.handle()
        handle.set_output(printed if output is None and printed else unwrapped(output))
        handle.set_attribute("smolagents.code.is_final_answer", bool(is_final))

    def failed(self, error: BaseException) -> None:
        """See `SpanActivity.failed`: what was printed before the error."""
        state = getattr(self._executor, "state", None)
        self._say(state.get("_print_outputs") if isinstance(state, dict) else None)

    def _say(self, logs: Any) -> str:
        """Record what was printed; gives it."""
        self._step.code_context = None
        printed = "" if logs is None else str(logs)
        if printed:
            told = REDACTED if current_mask().hides_output else printed
            self.running.handle().set_attribute("smolagents.code.logs", told)
        return printed


def _open(executor: Any, step: StepPlace, args: tuple[Any, ...], kwargs: dict[str, Any]) -> SpanActivity | None:
    code = args[0] if args else next(iter(kwargs.values()), None)
    running = open_block(trace_chain, _NAME, input=code)
    if running is None:
        return None
    running.handle().set_attribute("smolagents.code.executor", type(executor).__name__)
    return _CodeActivity(running, executor, step)
