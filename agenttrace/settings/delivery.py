"""How spans are kept safe on the way: `register`'s keywords for it, else their variables, checked."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import cast, get_args

from agenttrace import environment
from agenttrace.delivery.options import DeliveryOptions, Durability, Overflow

__all__ = ["make_delivery_options"]

_TRUE = ("1", "true", "yes", "on")
_FALSE = ("0", "false", "no", "off")
_BYTES_OF_MB = 1_048_576
# Decimal ones for a request, so that "4" stays below the 4 MiB that gRPC's servers take, with the message's own frame.
_BYTES_OF_BATCH_MB = 1_000_000
_MOST_BATCH_MB = 64.0
_SECONDS_OF_DAY = 86_400.0


def make_delivery_options(
    *,
    batch: bool,
    overflow: Overflow | None,
    durability: Durability | None,
    export_interval: float | None,
    shutdown_timeout: float | None,
    flush_on_root: bool | None,
) -> DeliveryOptions:
    """What `register` was told; where it was told nothing, what the ``AGENTTRACE_…`` variables say.

    Raises:
        TypeError: If an argument has the wrong type.
        ValueError: If an argument or a variable has an impossible value, or two contradict each other.
    """
    if not batch and export_interval is not None:
        raise ValueError("batch=False and export_interval are both given: leave one of them out")
    usual = DeliveryOptions()
    interval = _number("export_interval", export_interval, usual.interval)
    return DeliveryOptions(
        interval=interval if batch else 0.0,
        batch_bytes=_batch_bytes(usual.batch_bytes),
        durability=cast("Durability", _word("durability", durability, get_args(Durability), usual.durability)),
        overflow=cast("Overflow", _word("overflow", overflow, get_args(Overflow), usual.overflow)),
        overflow_timeout=_number("overflow_timeout", None, usual.overflow_timeout),
        shutdown_timeout=_number("shutdown_timeout", shutdown_timeout, usual.shutdown_timeout),
        flush_on_root=_switch("flush_on_root", flush_on_root, usual.flush_on_root),
        outbox_bytes=_outbox_bytes(usual.outbox_bytes),
        outbox_seconds=_number("outbox_days", None, usual.outbox_seconds / _SECONDS_OF_DAY) * _SECONDS_OF_DAY,
    )


def _batch_bytes(usual: int) -> int:
    megabytes = _number("batch_mb", None, usual / _BYTES_OF_BATCH_MB)
    if not 0 < megabytes <= _MOST_BATCH_MB:
        raise ValueError(
            f"AGENTTRACE_BATCH_MB is {megabytes:g}: write a number of megabytes above 0, at most {_MOST_BATCH_MB:g}, "
            f"like {usual / _BYTES_OF_BATCH_MB:g}"
        )
    return max(1, round(megabytes * _BYTES_OF_BATCH_MB))


def _outbox_bytes(usual: int) -> int:
    megabytes = _number("outbox_mb", None, usual / _BYTES_OF_MB)
    if megabytes < 1:
        raise ValueError(
            f"AGENTTRACE_OUTBOX_MB is {megabytes:g}: write a number of megabytes from 1 on, like "
            f'{usual / _BYTES_OF_MB:g}. To keep nothing on disk, write register(durability="memory"), or set '
            "AGENTTRACE_DURABILITY=memory"
        )
    return round(megabytes * _BYTES_OF_MB)


def _variable(name: str) -> environment.Variable | None:
    return environment.find(f"AGENTTRACE_{name.upper()}")


def _word(name: str, given: object, words: Collection[str], usual: str) -> str:
    found = _variable(name) if given is None else None
    if given is not None and not isinstance(given, str):
        raise TypeError(f"{name} is {type(given).__name__}: write one of {_listed(words)}")
    word = found.value.lower() if found is not None else usual if given is None else str(given)
    if word not in words:
        raise ValueError(f"{_called(name, found)} is {word[:20]!r}: write one of {_listed(words)}")
    return word


def _number(name: str, given: object, usual: float) -> float:
    found = _variable(name) if given is None else None
    if found is not None:
        try:
            given = float(found.value)
        except ValueError:
            given = math.nan
    if given is None:
        return usual
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise TypeError(f"{name} is {type(given).__name__}: write a number of seconds, like {usual:g}")
    if not 0 <= given < math.inf:
        shown = given if found is None else repr(found.value[:20])
        raise ValueError(f"{_called(name, found)} is {shown}: write a number from 0 on, like {usual:g}")
    return float(given)


def _switch(name: str, given: object, usual: bool) -> bool:
    if given is not None:
        if not isinstance(given, bool):
            raise TypeError(f"{name} is {type(given).__name__}: write {name}=True or {name}=False")
        return given
    found = _variable(name)
    if found is None:
        return usual
    word = found.value.lower()
    if word not in _TRUE and word not in _FALSE:
        raise ValueError(f"{found.name} is {word[:20]!r}: set it to true or false")
    return word in _TRUE


def _called(name: str, found: environment.Variable | None) -> str:
    return name if found is None else found.name


def _listed(words: Collection[str]) -> str:
    return ", ".join(f'"{word}"' for word in words)
