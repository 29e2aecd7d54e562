"""What describes the calls of a kind, and what puts a stream together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..readers.interface import StreamForm
from ..semconv.messages import is_message

__all__ = ["Collector", "Describer", "Flat"]

Flat = dict[str, Any]
"""Flattened attributes, with values as the program or its provider had them."""


class Collector:
    """Puts together what one run of a generator, or one stream, yields."""

    def add(self, item: object) -> None:
        """Take in ``item``, of which nothing but text and numbers may be kept."""
        raise NotImplementedError

    def describe(self, recorded: Mapping[str, Any]) -> Flat:
        """What the items so far amount to as attributes; see `Describer.after`."""
        raise NotImplementedError

    def output(self) -> object:
        """The same as the value that the function might have returned in one piece."""
        raise NotImplementedError


class Describer:
    """Says what a call of one kind was about. Methods may raise: who calls them logs that once and goes on."""

    def before(self, bound: Mapping[str, Any]) -> Flat:
        """What the arguments say.

        Args:
            bound: The arguments by name, those that are to be left out left out.
        """
        return {}

    def asked(self, value: object) -> Flat:
        """What is said by a value that stands for all arguments: the input of a block.

        Args:
            value: A mapping of arguments by name, or the one thing that goes in.
        """
        return self.before(value if type(value) is dict and not is_message(value) else {"input": value})

    def after(self, value: object, recorded: Mapping[str, Any]) -> Flat:
        """What the result says.

        Args:
            value: What the function returned.
            recorded: What is recorded of the call so far, by attribute.
        """
        return {}

    def collector(self, item: object) -> Collector | None:
        """Who puts together a stream whose first item is ``item``; None for one that isn't understood."""
        return None

    def stream_form(self, value: object) -> StreamForm | None:
        """How ``value`` is used, if it is a provider's stream object."""
        return None
