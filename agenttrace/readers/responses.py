"""What a function that called a model returned, whatever that is: a response, a message, a text."""

from __future__ import annotations

from ..semconv.messages import is_message, read_messages
from ..semconv.types import ModelCall
from . import find_reader, read_with

__all__ = ["read_response"]

_MOST_IN_A_TUPLE = 4


def read_response(value: object) -> ModelCall | None:
    """What ``value``, which a model call returned, says of it.

    Args:
        value: A response of a provider's client, a message or a list of them, or the text of the answer.
    """
    if isinstance(value, str):
        return {"output_messages": [{"role": "assistant", "content": value}]}
    if value is None or isinstance(value, (int, float, bytes)):
        return None
    reader = find_reader(value)
    if reader is not None:
        return read_with(reader, value)
    if is_message(value) or (isinstance(value, (list, tuple)) and value and all(map(is_message, value))):
        return {"output_messages": read_messages(value, "assistant")}
    if isinstance(value, tuple) and value:
        # A response and what the program made of it, in one.
        few = value[:_MOST_IN_A_TUPLE]
        return next((call for item in few if not isinstance(item, str) and (call := read_response(item))), None)
    return None
