"""A client's object as the mapping that the API sent, for clients whose objects say more, or less, than that."""

from __future__ import annotations

from typing import Any

from ..semconv.fields import as_list, fields, from_package, is_dict, is_list

__all__ = ["as_sent"]

_DEEPEST = 12
_PLAIN = frozenset({type(None), bool, int, float, str, dict})


def as_sent(value: object, package: str, depth: int = _DEEPEST) -> Any:
    """``value`` with the objects of the client in it as dictionaries of their fields; what isn't set is left out.

    Fields that their release doesn't know lie beside the others: Mistral's client keeps them in a field of their own,
    and Hugging Face's, whose objects are dictionaries too, in the instance.

    Args:
        value: An object of a client's, a list of them, or a plain value, which is given back as it is.
        package: The name of the client's package. Objects from elsewhere are given back as they are.
        depth: How deep objects are followed.
    """
    if type(value) in _PLAIN or not depth:
        return value
    if is_list(value):
        return [as_sent(item, package, depth - 1) for item in as_list(value)]
    if not from_package(value, package):
        return value
    found = {**fields(value), **_beside(value)}
    more = found.pop("__pydantic_extra__", None)
    found.update(fields(more))
    return {name: as_sent(item, package, depth - 1) for name, item in found.items() if item is not None}


def _beside(value: object) -> dict[str, Any]:
    """What lies in the instance of a dictionary's subclass."""
    return fields(object.__getattribute__(value, "__dict__")) if is_dict(value) else {}
