"""What a rule asks of an attribute's value: whether it is hidden, whether it is JSON, what to call it in a report."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import orjson

from ..masking import REDACTED

__all__ = ["is_blank", "is_hidden", "is_json_object", "json_fault", "shown", "size_of"]

_LONGEST_SHOWN = 60
_LONGEST_INTEGER = 64
_NUMBER_BYTES = 11
"""A number in a list, as OTLP's protobuf has it, with what stands around it."""


def is_hidden(value: object) -> bool:
    """Whether ``value`` stands in place of one that a `TraceConfig` hid, which may be of any type."""
    return isinstance(value, str) and value == REDACTED


def is_blank(value: object) -> bool:
    """Whether ``value`` is a text with nothing in it."""
    return isinstance(value, str) and not value.strip()


def json_fault(text: str) -> str | None:
    """Why ``text`` is no JSON, None where it is; what only Python takes for JSON (``NaN``) is none."""
    try:
        orjson.loads(text)
    except ValueError:
        # orjson refuses halves of surrogate pairs and endless numbers, which JSON's grammar allows. No number is made
        # of the latter, since Python refuses those of more than 4,300 digits.
        try:
            json.loads(text, parse_constant=_refuse_constant, parse_int=len, parse_float=len)
        except RecursionError:
            return "it is nested too deep to be read"
        except ValueError as error:
            return str(error)
    return None


def is_json_object(text: str) -> bool:
    """Whether a text that is JSON is a JSON object's."""
    return text.lstrip(" \t\r\n").startswith("{")


def shown(value: object) -> str:
    """``value`` in a few words for a report, whatever it is."""
    if isinstance(value, str):
        text = str.__str__(value)
        return repr(text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…")
    if isinstance(value, bool) or value is None:
        return repr(value)
    if isinstance(value, int):
        bits = int.bit_length(value)
        return int.__repr__(value) if bits <= _LONGEST_INTEGER else f"an integer of {bits:,} bits"
    if isinstance(value, float):
        return float.__repr__(value)
    if isinstance(value, (list, tuple)):
        kinds = sorted({type(item).__name__ for item in value})
        return f"a list of {' and '.join(kinds)}" if kinds else "an empty list"
    return f"a {'mapping' if isinstance(value, Mapping) else type(value).__name__}"


def size_of(value: Any) -> int:
    """How many bytes ``value`` takes when it is sent, near enough."""
    if type(value) is str and value.isascii():  # nearly all are
        return len(value)
    size = 0
    waiting = [value]
    while waiting:  # not by recursion: values come from files, too
        item = waiting.pop()
        if isinstance(item, str):
            size += len(item) if item.isascii() else len(item.encode("utf-8", "surrogatepass"))
        elif isinstance(item, (bytes, bytearray)):
            size += len(item)
        elif isinstance(item, Mapping):
            waiting.extend(item)
            waiting.extend(item.values())
        elif isinstance(item, (list, tuple)):
            if item and isinstance(item[0], (int, float)):  # a vector: lists of attributes are of one type
                size += len(item) * _NUMBER_BYTES
            else:
                waiting.extend(item)
        else:
            size += _NUMBER_BYTES
    return size


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
