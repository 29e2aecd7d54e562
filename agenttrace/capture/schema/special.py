"""What an annotation is: a text, a variable, a union, a class with arguments … whichever way that was written.

``typing``, ``typing_extensions`` and the builtin generics spell the same things differently, and differently again
from one Python to the next. Everything after this module sees only :class:`Form`.
"""

from __future__ import annotations

import inspect
import types
import typing
from dataclasses import InitVar
from enum import Enum, auto
from typing import Any

import typing_extensions

_UNIONS = (typing.Union, types.UnionType)
_LITERALS = (typing.Literal, typing_extensions.Literal)
_ANY = (typing.Any, typing_extensions.Any, inspect.Parameter.empty, object)
_QUALIFIERS = frozenset({"ClassVar", "Final", "NotRequired", "ReadOnly", "Required", "Unpack"})


class Form(Enum):
    """The kinds of annotation, each with the parts that :func:`form_of` gives."""

    ANYTHING = auto()
    """No parts: any value, or nothing is known."""
    NOTHING = auto()
    """No parts: no value is right (``Never``)."""
    TEXT = auto()
    """The text to be resolved."""
    REFERENCE = auto()
    """What ``Scope.resolve`` takes: the text, the module whose names come first, names of the reference's own."""
    VARIABLE = auto()
    """The type variable."""
    SAME_AS = auto()
    """The annotation that this one is the same as, for a value: what ``NewType`` or ``Required`` is around."""
    ANNOTATED = auto()
    """The annotation and the metadata beside it."""
    LITERAL = auto()
    """The values."""
    UNION = auto()
    """The members."""
    ALIAS = auto()
    """The alias of a ``type`` statement and its arguments."""
    CLASS = auto()
    """The class and its arguments; the one argument ``()`` of a tuple means that it is empty."""


def form_of(annotation: Any) -> tuple[Form, tuple[Any, ...]]:
    """What ``annotation`` is, with its parts as :class:`Form` lists them."""
    kind = type(annotation)
    if annotation is None:
        return Form.CLASS, (type(None), ())
    if any(annotation is candidate for candidate in _ANY):
        return Form.ANYTHING, ()
    if issubclass(kind, str):
        return Form.TEXT, (annotation,)
    if issubclass(kind, typing.ForwardRef):
        names = (getattr(annotation, "__forward_module__", None), getattr(annotation, "__extra_names__", None))
        return Form.REFERENCE, (annotation.__forward_arg__, *names)
    if kind.__name__ == "TypeVar":
        return Form.VARIABLE, (annotation,)
    if kind.__name__ == "TypeVarTuple":  # any number of values
        return Form.CLASS, (list, ())
    if kind is typing.NewType:
        return Form.SAME_AS, (annotation.__supertype__,)
    if kind is InitVar:
        return Form.SAME_AS, (annotation.type,)
    if _is_alias(annotation):
        return Form.ALIAS, (annotation, ())
    origin = typing_extensions.get_origin(annotation)
    return _bare_form(annotation) if origin is None else _generic_form(annotation, origin)


def special_name(annotation: Any) -> str | None:
    """The name of the special form that ``annotation`` is made with (``Required``, ``Unpack``), or None."""
    origin = typing_extensions.get_origin(annotation)
    name = getattr(annotation if origin is None else origin, "_name", None)
    return name if isinstance(name, str) else None


def _is_alias(annotation: object) -> bool:
    # typing_extensions has a class of its own up to Python 3.13.
    return type(annotation).__name__ == "TypeAliasType"


def _bare_form(annotation: Any) -> tuple[Form, tuple[Any, ...]]:
    if issubclass(type(annotation), type):
        return Form.CLASS, (annotation, ())
    name = special_name(annotation)
    if name == "LiteralString":
        return Form.CLASS, (str, ())
    return (Form.NOTHING if name in ("Never", "NoReturn") else Form.ANYTHING), ()


def _generic_form(annotation: Any, origin: Any) -> tuple[Form, tuple[Any, ...]]:
    if origin is typing.Annotated:
        return Form.ANNOTATED, (annotation.__origin__, annotation.__metadata__)
    arguments = typing_extensions.get_args(annotation)
    if origin in _UNIONS:
        return Form.UNION, arguments
    if origin in _LITERALS:
        return Form.LITERAL, arguments
    if special_name(annotation) in _QUALIFIERS and arguments:
        return Form.SAME_AS, arguments[:1]
    if _is_alias(origin):
        return Form.ALIAS, (origin, arguments)
    if origin is tuple and not arguments and annotation is not typing.Tuple:  # noqa: UP006  # the bare old name is meant
        return Form.CLASS, (tuple, ((),))
    if issubclass(type(origin), type) and origin is not type:
        return Form.CLASS, (origin, arguments)
    return Form.ANYTHING, ()
