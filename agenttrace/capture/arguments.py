"""A call's arguments by the names its function gives them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from inspect import Parameter
from types import MethodType
from typing import Any

from ..wrapping.signatures import shown_signature

_MISSING = object()


class ArgumentReader:
    """Puts names on the arguments of calls to one function, as ``inspect.BoundArguments`` with defaults applied does.

    The signature is read once; a call costs a few dictionary operations. Nothing is copied but references.

    Args:
        function: Whose calls are read. One whose signature can't be read (many C functions) gives ``args`` and
            ``kwargs``, as does a call that doesn't fit the signature.
        exclude: Names of parameters to leave out.
        drop_first: Whether the first parameter is the instance or class, which is left out.
    """

    __slots__ = (
        "_by_keyword",
        "_exactly",
        "_exclude",
        "_instance_name",
        "_keywords_name",
        "_positional",
        "_rest_name",
        "_skip",
        "_template",
        "only",
    )

    def __init__(self, function: Callable[..., Any], exclude: Collection[str], drop_first: bool) -> None:
        self._exclude = frozenset(exclude)
        self._skip = 1 if drop_first else 0
        self._instance_name: str | None = None
        parameters = _parameters(function)
        if drop_first and parameters and parameters[0].kind in _POSITIONAL:
            self._instance_name = parameters.pop(0).name
        # How many positional arguments alone make a call that needs no further look; -1 for no number.
        self._exactly = -1
        self._positional: tuple[str, ...] | None = None
        self._by_keyword: frozenset[str] = frozenset()
        self._rest_name: str | None = None
        self._keywords_name: str | None = None
        self._template: dict[str, Any] = {}
        self.only: str | None = None
        """The name of the one parameter there is, if there is exactly one that is recorded and it takes one value."""
        if parameters is not None:
            self._read(parameters)

    def read(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """The arguments of one call by name, in the order of the signature."""
        if self._skip:
            if not args and self._instance_name in kwargs:  # Agent.run(self=agent)
                kwargs = {name: value for name, value in kwargs.items() if name != self._instance_name}
            args = args[1:]
        positional = self._positional
        if positional is None:
            return self._unnamed(args, kwargs)
        if len(args) == self._exactly and not kwargs:
            return dict(zip(positional, args))  # noqa: B905  the lengths were compared
        return self._bind(positional, args, kwargs)

    def spread(self, bound: dict[str, Any]) -> dict[str, Any]:
        """``bound``, with what was given for a ``**parameter`` under the names that it was given by."""
        further = bound.get(self._keywords_name) if self._keywords_name is not None else None
        if not isinstance(further, dict) or not further:
            return bound
        return {**further, **{name: value for name, value in bound.items() if name != self._keywords_name}}

    def _bind(self, positional: tuple[str, ...], args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        bound = self._template.copy()
        if self._keywords_name is not None:
            bound[self._keywords_name] = {}  # of this call alone: whoever processes the input may change it
        bound.update(zip(positional, args))  # noqa: B905  fewer arguments than parameters is the ordinary case
        if len(args) > len(positional):
            if self._rest_name is None:
                return self._unnamed(args, kwargs)
            bound[self._rest_name] = args[len(positional) :]
        if kwargs:
            given = positional[: len(args)]
            if self._by_keyword.issuperset(kwargs) and not any(name in kwargs for name in given):
                bound.update(kwargs)
            elif not self._bind_keywords(bound, given, kwargs):
                return self._unnamed(args, kwargs)
        if any(value is _MISSING for value in bound.values()):
            return self._unnamed(args, kwargs)
        for name in self._exclude:
            bound.pop(name, None)
        return bound

    def _bind_keywords(self, bound: dict[str, Any], given: Iterable[str], kwargs: dict[str, Any]) -> bool:
        """Bind keyword arguments of which some have no parameter of their name, or one that is bound already."""
        extra: dict[str, Any] = {}
        given = set(given)
        for name, value in kwargs.items():
            if name not in self._by_keyword:
                extra[name] = value
            elif name in given:
                return False
            else:
                bound[name] = value
        if extra:
            if self._keywords_name is None:
                return False
            bound[self._keywords_name] = {k: v for k, v in extra.items() if k not in self._exclude}
        return True

    def _unnamed(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        if self._exclude:
            args, kwargs = self._surely_included(args, kwargs)
        unnamed: dict[str, Any] = {"args": list(args)}
        if kwargs:
            unnamed["kwargs"] = kwargs
        return unnamed

    def _surely_included(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Those arguments of a call that doesn't fit which can't be meant for a parameter that is to be left out."""
        if self._positional is None:
            kept = {} if "kwargs" in self._exclude else kwargs
            return (), {name: value for name, value in kept.items() if name not in self._exclude}
        # What is one too many, or has a misspelt name, may be the very secret.
        named = zip(self._positional, args)  # noqa: B905  as above
        known = self._by_keyword - self._exclude
        return (
            tuple(value for name, value in named if name not in self._exclude),
            {name: value for name, value in kwargs.items() if name in known},
        )

    def _read(self, parameters: list[Parameter]) -> None:
        self._positional = tuple(p.name for p in parameters if p.kind in _POSITIONAL)
        self._by_keyword = frozenset(p.name for p in parameters if p.kind in _BY_KEYWORD)
        for parameter in parameters:
            if parameter.kind is Parameter.VAR_POSITIONAL:
                self._rest_name = parameter.name
                self._template[parameter.name] = ()
            elif parameter.kind is Parameter.VAR_KEYWORD:
                self._keywords_name = parameter.name
                self._template[parameter.name] = {}
            else:
                default = _MISSING if parameter.default is Parameter.empty else parameter.default
                self._template[parameter.name] = default
        kept = [p for p in parameters if p.name not in self._exclude]
        if len(kept) == len(self._positional) == len(parameters):
            self._exactly = len(parameters)
        if len(kept) == 1 and kept[0].kind in (*_POSITIONAL, Parameter.KEYWORD_ONLY):
            self.only = kept[0].name


_POSITIONAL = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
_BY_KEYWORD = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)


def takes_instance(function: Callable[..., Any]) -> bool:
    """Whether the first parameter of ``function`` is the instance or class it is called on.

    A name is all there is to go by while a class body runs: ``self`` anywhere, ``cls`` in a class body only, where it
    is not some other argument of that name.
    """
    if isinstance(function, MethodType):
        return False
    parameters = _parameters(function)
    if not parameters or parameters[0].kind not in _POSITIONAL:
        return False
    first = parameters[0].name
    return first == "self" or (first in ("cls", "mcs") and _is_in_class(function))


def _is_in_class(function: Callable[..., Any]) -> bool:
    qualified = getattr(function, "__qualname__", None)
    return isinstance(qualified, str) and qualified.rpartition(".")[0].rpartition(".")[2] not in ("", "<locals>")


def _parameters(function: Callable[..., Any]) -> list[Parameter] | None:
    signature = shown_signature(function)
    return None if signature is None else list(signature.parameters.values())
