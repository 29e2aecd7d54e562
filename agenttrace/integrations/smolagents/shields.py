"""What keeps OpenInference's instrumentor out of the ``super().run(…)`` of a class that `traced` was given.

Of a traced class's own methods the instrumentor's wrappers are left out where they are called. Where the user's class
calls smolagents' method by ``super()``, the next class in the order of classes answers: so one of ours stands there.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from .instrumentor import below_instrumentor
from .places import current_place

__all__ = ["bases_with_shield"]

_REPLACED = ("run", "_step_stream")
"""The methods that the instrumentor replaces."""


def bases_with_shield(plain: type) -> tuple[type, ...]:
    """What a traced class of ``plain`` is made of: that, and a shield where ``plain`` may call smolagents' methods."""
    own = [base for base in plain.__mro__ if not base.__module__.startswith("smolagents.")]
    if not any(name in vars(base) for base in own for name in _REPLACED):
        return (plain,)
    return (plain, _shield_of(next(base for base in plain.__mro__ if base not in own)))


@functools.cache
def _shield_of(shielded: Any) -> type:
    shield = type(shielded)(shielded.__name__, (shielded,), {"__module__": __name__, "__doc__": shielded.__doc__})
    for name in _REPLACED:
        setattr(shield, name, _passing(shield, name))
    return shield  # type: ignore[no-any-return]


def _passing(shield: type, name: str) -> Callable[..., Any]:
    @functools.wraps(getattr(shield, name))
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        following = getattr(super(shield, self), name)
        # Where agenttrace records nothing, the instrumentor is to see the call.
        return (following if current_place(self) is None else below_instrumentor(following))(*args, **kwargs)

    return method
