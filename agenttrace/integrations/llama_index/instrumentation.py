"""Putting the handlers on a dispatcher, and taking them off."""

from __future__ import annotations

from types import TracebackType

from llama_index_instrumentation import get_dispatcher
from llama_index_instrumentation.dispatcher import Dispatcher
from typing_extensions import Self

from .handlers import EVENT_HANDLER, SPAN_HANDLER

__all__ = ["Instrumentation", "instrument"]


class Instrumentation:
    """What `instrument` gives: the handlers on a dispatcher, until they are taken off.

    Args:
        dispatcher: The dispatcher that has the handlers.

    Example:
        >>> with instrument():
        ...     print(await agent.run("Where is it warmest?"))
    """

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._added = all(handler is not SPAN_HANDLER for handler in dispatcher.span_handlers)
        if self._added:
            dispatcher.add_span_handler(SPAN_HANDLER)
            dispatcher.add_event_handler(EVENT_HANDLER)

    def remove(self) -> None:
        """Take the handlers off, unless another `instrument` had put them there before; spans that are open end."""
        if not self._added:
            return
        self._added = False
        dispatcher = self._dispatcher
        # New lists: a call in another thread may be going through the old ones.
        dispatcher.span_handlers = [each for each in dispatcher.span_handlers if each is not SPAN_HANDLER]
        dispatcher.event_handlers = [each for each in dispatcher.event_handlers if each is not EVENT_HANDLER]
        SPAN_HANDLER.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.remove()


def instrument(dispatcher: Dispatcher | str | None = None) -> Instrumentation:
    """Trace what LlamaIndex does from here on.

    Args:
        dispatcher: The dispatcher whose calls are traced: ``get_dispatcher("llama_index.core.query_engine")`` traces
            those of that part of LlamaIndex, as does its name alone. None for the root of all, which traces everything
            in the process.

    Returns:
        What takes it off again: ``.remove()``, or the end of a ``with`` block.

    Raises:
        TypeError: If ``dispatcher`` is something else, such as an index or an agent.

    Example:
        >>> register(project_name="weather")
        >>> instrument()
    """
    if dispatcher is None or isinstance(dispatcher, str):
        dispatcher = get_dispatcher(dispatcher or "root")
    if not hasattr(dispatcher, "add_span_handler"):
        raise TypeError(
            f"instrument() takes one of LlamaIndex's dispatchers, or its name, not {type(dispatcher).__name__}: write "
            "instrument() to trace all that LlamaIndex does"
        )
    return Instrumentation(dispatcher)
