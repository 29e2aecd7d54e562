"""What stands in the place of somebody's object, and is taken for it in every way but ``is``."""

from __future__ import annotations

import copy
from typing import Any, SupportsIndex

__all__ = ["StandIn", "stood_for"]


class StandIn:
    """Stands for an object: of its class for ``isinstance``, with its attributes, which it reads and writes there.

    Subclasses do something of their own about what they define. Copies and pickles are of the object itself.

    Args:
        stood_for: The object.
    """

    __slots__ = ("__weakref__", "_agenttrace_stood_for")

    def __init__(self, stood_for: Any) -> None:
        object.__setattr__(self, "_agenttrace_stood_for", stood_for)

    @property
    def __class__(self) -> type:  # what isinstance asks
        return stood_for(self).__class__  # type: ignore[no-any-return]

    @__class__.setter
    def __class__(self, cls: type) -> None:
        stood_for(self).__class__ = cls

    def __getattr__(self, name: str) -> Any:
        return getattr(stood_for(self), name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(stood_for(self), name, value)

    def __delattr__(self, name: str) -> None:
        delattr(stood_for(self), name)

    def __repr__(self) -> str:
        return repr(stood_for(self))

    def __str__(self) -> str:
        return str(stood_for(self))

    def __bool__(self) -> bool:
        return bool(stood_for(self))

    def __eq__(self, other: object) -> bool:
        return bool(stood_for(self) == (stood_for(other) if issubclass(type(other), StandIn) else other))  # type: ignore[arg-type]

    def __hash__(self) -> int:
        return hash(stood_for(self))

    def __dir__(self) -> list[str]:
        return dir(stood_for(self))

    def __copy__(self) -> Any:
        return copy.copy(stood_for(self))

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return copy.deepcopy(stood_for(self), memo)

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        return stood_for(self).__reduce_ex__(protocol)


def stood_for(stand_in: StandIn) -> Any:
    """The object that ``stand_in`` stands for."""
    return object.__getattribute__(stand_in, "_agenttrace_stood_for")
