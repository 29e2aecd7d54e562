"""Wrappers that are what they wrap: a coroutine function for a coroutine function, and so on for the generators.

``inspect.iscoroutinefunction`` and its like look at a function's code, and a wrong call must raise its TypeError when
it is made, not when the result is first awaited or iterated. A wrapper that takes ``*args, **kwargs`` can't have both:
it either runs at the call or is of the right kind. So the wrapper is compiled with the parameters of what it wraps, as
`dataclasses` does with ``__init__``. It is a few lines that hand the arguments over; what happens to them is in the
rooms beside this one.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from inspect import Parameter
from typing import Any

from ..tracebacks import WRAPPER_FILE, hide_own_frames

_COROUTINE = """\
async def traced({parameters}):
    __tracebackhide__ = True
    {call} = {hand_over}({arguments})
    {forget}
    try:
        return await {call}
    except {any_error} as {error}:
        {hide}({error})
        raise
"""

# A step is taken outside of the `except` block that caught what the consumer threw in: there the body would see it in
# `sys.exc_info()`, and its own exceptions would have it as their `__context__`.
_GENERATOR = """\
def traced({parameters}):
    __tracebackhide__ = True
    {call} = {hand_over}({arguments})
    {forget}
    {step}, {sent} = {call}.start, None
    try:
        while True:
            {step}({sent})
            {sent} = None
            try:
                {sent} = yield {call}.take()
                {step} = {call}.send
            except {any_error} as {error}:
                {hide}({error})
                {step}, {sent} = {call}.throw, {error}
    except {stop} as {error}:
        return {error}.value
    except {any_error} as {error}:
        {hide}({error})
        raise
    finally:
        {sent} = None
"""

_ASYNC_GENERATOR = """\
async def traced({parameters}):
    __tracebackhide__ = True
    {call} = {hand_over}({arguments})
    {forget}
    {step}, {sent} = {call}.start, None
    try:
        while True:
            await {step}({sent})
            {sent} = None
            try:
                {sent} = yield {call}.take()
                {step} = {call}.send
            except {any_error} as {error}:
                {hide}({error})
                {step}, {sent} = {call}.throw, {error}
    except {async_stop}:
        return
    except {any_error} as {error}:
        {hide}({error})
        raise
    finally:
        {sent} = None
"""


# A parameter may have the name of anything, a builtin's too: whatever the templates mention gets a name that is free.
_GLOBALS = {
    "hide": hide_own_frames,
    "any_error": BaseException,
    "stop": StopIteration,
    "async_stop": StopAsyncIteration,
}
_LOCALS = ("call", "step", "sent", "error")


def native_coroutine_function(hand_over: Callable[..., Any], signature: inspect.Signature) -> Callable[..., Any]:
    """A coroutine function with ``signature`` that awaits ``hand_over(args, kwargs)``."""
    return _compile(_COROUTINE, hand_over, signature)


def native_generator_function(hand_over: Callable[..., Any], signature: inspect.Signature) -> Callable[..., Any]:
    """A generator function with ``signature`` that takes the steps of ``hand_over(args, kwargs)``."""
    return _compile(_GENERATOR, hand_over, signature)


def native_async_generator_function(hand_over: Callable[..., Any], signature: inspect.Signature) -> Callable[..., Any]:
    """An async generator function with ``signature`` that takes the steps of ``hand_over(args, kwargs)``."""
    return _compile(_ASYNC_GENERATOR, hand_over, signature)


def _compile(template: str, hand_over: Callable[..., Any], signature: inspect.Signature) -> Callable[..., Any]:
    parameters = list(signature.parameters.values())
    names = [parameter.name for parameter in parameters]
    values = {"hand_over": hand_over, **_GLOBALS}
    own = {name: _unused(f"_agenttrace_{name}", names) for name in (*values, *_LOCALS)}
    source = template.format(
        parameters=_parameter_list(parameters),
        arguments=_argument_list(parameters),
        forget=f"del {', '.join(names)}" if names else "pass",
        **own,
    )
    namespace: dict[str, Any] = {own[name]: value for name, value in values.items()}
    exec(compile(source, WRAPPER_FILE, "exec"), namespace)  # noqa: S102  the template and checked names only
    function: Any = namespace["traced"]
    positional = [p.default for p in parameters if p.kind in _POSITIONAL and p.default is not Parameter.empty]
    function.__defaults__ = tuple(positional) or None
    function.__kwdefaults__ = {
        p.name: p.default for p in parameters if p.kind is Parameter.KEYWORD_ONLY and p.default is not Parameter.empty
    } or None
    return function  # type: ignore[no-any-return]


_POSITIONAL = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)


def _parameter_list(parameters: list[Parameter]) -> str:
    """The parameters as source; the defaults in it are stand-ins, the real ones are set on the function."""
    parts: list[str] = []
    for index, parameter in enumerate(parameters):
        following = parameters[index + 1].kind if index + 1 < len(parameters) else None
        if parameter.kind is Parameter.KEYWORD_ONLY and not any(
            p.kind in (Parameter.VAR_POSITIONAL, Parameter.KEYWORD_ONLY) for p in parameters[:index]
        ):
            parts.append("*")
        stars = (
            "*"
            if parameter.kind is Parameter.VAR_POSITIONAL
            else "**"
            if parameter.kind is Parameter.VAR_KEYWORD
            else ""
        )
        default = "" if parameter.default is Parameter.empty else "=None"
        parts.append(f"{stars}{parameter.name}{default}")
        if parameter.kind is Parameter.POSITIONAL_ONLY and following is not Parameter.POSITIONAL_ONLY:
            parts.append("/")
    return ", ".join(parts)


def _argument_list(parameters: list[Parameter]) -> str:
    """The tuple of positional arguments and the dict of keyword arguments that the parameters make, as source."""
    positional = [p.name for p in parameters if p.kind in _POSITIONAL]
    positional += [f"*{p.name}" for p in parameters if p.kind is Parameter.VAR_POSITIONAL]
    keywords = [f"{p.name!r}: {p.name}" for p in parameters if p.kind is Parameter.KEYWORD_ONLY]
    keywords += [f"**{p.name}" for p in parameters if p.kind is Parameter.VAR_KEYWORD]
    return f"({''.join(f'{argument}, ' for argument in positional)}), {{{', '.join(keywords)}}}"


def _unused(name: str, taken: list[str]) -> str:
    while name in taken:
        name += "_"
    return name
