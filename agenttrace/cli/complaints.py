"""What reading the settings warns of, gathered, so that a command can say it in its own place and go by it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from agenttrace.faults import logger

__all__ = ["gathered_warnings"]


class _Gatherer(logging.Handler):
    def __init__(self, messages: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._messages = messages

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self._messages.append(record.getMessage().removeprefix("agenttrace: "))


@contextmanager
def gathered_warnings() -> Iterator[list[str]]:
    """What is warned of in the block, in order; it isn't printed meanwhile."""
    messages: list[str] = []
    handler, propagates = _Gatherer(messages), logger.propagate
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield messages
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagates
