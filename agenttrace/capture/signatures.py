"""The parameters that a caller of any callable gives: without ``self``, without what a partial has bound."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import FunctionType, MethodType
from typing import Any

from .schema.metadata import read_attribute
from .schema.scope import Scope, scope_of_function

_MAX_LAYERS = 50
_MAX_BASES = 50
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


@dataclass
class _Target:
    """What a callable comes down to when wrappers, partials and bound methods are taken off."""

    function: object
    """The innermost callable: a function, where there is one."""
    bound_names: set[str] = field(default_factory=set)
    """Names that partials give by keyword."""
    is_classmethod: bool = False
    """Whether the first parameter is the class, whatever its name."""
    takes_self: bool = True
    """Whether a first parameter named ``self`` is still the caller's to give."""
    owners: list[type] = field(default_factory=list)
    """Classes whose docstrings describe the callable, the class called or that of the instance called."""
    layers: list[FunctionType] = field(default_factory=list)
    """The functions on the way in, the outermost first: a wrapper may have a docstring of its own."""


@dataclass(frozen=True)
class CallSignature:
    """What a caller gives to a callable."""

    parameters: Sequence[inspect.Parameter]
    """The parameters, in order; annotations are as they were written."""
    scope: Scope
    """Where names in the annotations are looked up."""


def read_signature(function: object) -> CallSignature | None:
    """The signature of ``function`` as its caller sees it, or None when there is none that can be read.

    Args:
        function: A function, method, class, callable instance, partial, classmethod or staticmethod object, property
            (its getter), builtin: whatever can be traced. Anything else gives None.

    Raises:
        Exception: What the object's own attributes raise.
    """
    target = _target_of(function)
    try:
        signature = _inspect(_without_descriptor(function))
    except (TypeError, ValueError):  # no callable, or one written in C that says nothing of its parameters
        return None
    parameters = list(signature.parameters.values())
    if parameters and parameters[0].kind in _POSITIONAL and _is_given_by_python(parameters[0], target):
        del parameters[0]
    scope = scope_of_function(target.function) if isinstance(target.function, FunctionType) else Scope()
    return CallSignature([each for each in parameters if each.name not in target.bound_names], scope)


def docstrings_of(function: object) -> list[str]:
    """The docstrings that describe ``function``, the most telling first: its own, then that of its class.

    Raises:
        Exception: What the object's own attributes raise.
    """
    target = _target_of(function)
    if not callable(target.function):
        return []
    of_classes = [_text_of_class(owner) for owner in target.owners]
    own = next((text for layer in target.layers if (text := read_attribute(layer, "__doc__"))), None)
    if own is None and not _is_magic(target.function):
        own = inspect.getdoc(target.function)  # the text of the method that this one overrides
    ordered = [*of_classes, own] if issubclass(type(function), type) else [own, *of_classes]
    return [text for text in ordered if type(text) is str and text.strip()]


def _is_magic(function: object) -> bool:
    """Whether ``function`` has a name whose texts in ``object`` and ``type`` say nothing of it, or is a class."""
    name = getattr(function, "__name__", None)
    return issubclass(type(function), type) or (isinstance(name, str) and name.startswith("__"))


def _without_descriptor(function: Any) -> Any:
    if issubclass(type(function), (classmethod, staticmethod)):
        return function.__func__
    return function.fget if issubclass(type(function), property) else function


def _inspect(function: Any) -> inspect.Signature:
    if sys.version_info >= (3, 14):
        import annotationlib

        # Annotations are evaluated when they are asked for: one that cannot be must not cost the others.
        return inspect.signature(function, annotation_format=annotationlib.Format.FORWARDREF)
    return inspect.signature(function)


def _target_of(function: Any) -> _Target:
    target = _Target(function)
    for _ in range(_MAX_LAYERS):
        inner = _one_layer_off(target)
        if inner is None:
            break
        target.function = inner
    return target


def _one_layer_off(target: _Target) -> object | None:
    """What ``target.function`` is a layer around, noted in ``target``; None when it is no layer."""
    function: Any = target.function
    kind = type(function)
    if issubclass(kind, FunctionType):
        target.layers.append(function)
        return getattr(function, "__wrapped__", None)
    if issubclass(kind, functools.partial):
        target.bound_names |= set(function.keywords)
        target.takes_self = target.takes_self and not function.args
        return function.func  # type: ignore[no-any-return]  # a callable of any kind
    if issubclass(kind, (classmethod, staticmethod)):
        target.is_classmethod = issubclass(kind, classmethod)
        target.takes_self = False
        return function.__func__  # type: ignore[no-any-return]  # as above
    if issubclass(kind, property):
        return function.fget  # type: ignore[no-any-return]  # as above
    if issubclass(kind, MethodType):
        target.takes_self = False
        return function.__func__  # type: ignore[no-any-return]  # as above
    if issubclass(kind, type):
        target.takes_self = False
        target.owners.append(function)
        return _constructor_of(function)
    wrapped = getattr(function, "__wrapped__", None)
    if wrapped is not None:
        return wrapped  # type: ignore[no-any-return]  # as above
    call = getattr(kind, "__call__", None)  # noqa: B004  # the function is wanted, not whether there is one
    if not issubclass(type(call), FunctionType):
        return None
    target.takes_self = False
    target.owners.append(kind)
    return call


def _constructor_of(cls: type) -> object | None:
    """The Python function that reads the arguments of ``cls(...)``, or None."""
    for base in cls.__mro__[:_MAX_BASES]:
        for name in ("__init__", "__new__"):
            found = vars(base).get(name)
            found = found.__func__ if isinstance(found, staticmethod) else found
            if issubclass(type(found), FunctionType):
                return found
    return None


def _is_given_by_python(parameter: inspect.Parameter, target: _Target) -> bool:
    """Whether the first ``parameter`` is the instance or the class, which no caller writes."""
    if target.is_classmethod:
        return True
    if not target.takes_self:
        return False
    if parameter.name == "self":
        return True
    name = getattr(target.function, "__qualname__", None)
    if parameter.name != "cls" or not isinstance(name, str):
        return False
    around = name.rpartition(".")[0]
    return bool(around) and not around.endswith("<locals>")


def _text_of_class(cls: type) -> str | None:
    """The docstring of ``cls`` or the nearest base that was written by somebody; not those of builtins."""
    for base in cls.__mro__[:_MAX_BASES]:
        text = vars(base).get("__doc__")
        # Data classes and named tuples put their signature there.
        if base.__module__ != "builtins" and type(text) is str and not text.startswith(f"{base.__name__}("):
            return inspect.cleandoc(text)
    return None
