"""Putting the handlers on a dispatcher, and taking them off."""

from __future__ import annotations

from types import TracebackType

from llama_index_instrumentation import root_dispatcher, root_manager
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
        dispatcher: The dispatcher whose calls are traced, or its name, which is that of the module that has it:
            ``"llama_index.core.base.embeddings.base"`` traces embeddings alone. None for the root of all, which traces
            everything in the process.

    Returns:
        What takes it off again: ``.remove()``, or the end of a ``with`` block.

    Raises:
        ValueError: If no dispatcher has the name. A package such as ``llama_index.core`` has none.
        TypeError: If ``dispatcher`` is something else, such as an index or an agent.

    Example:
        >>> register(project_name="weather")
        >>> instrument()
    """
    if dispatcher is None:
        return Instrumentation(root_dispatcher)
    found = root_manager.dispatchers.get(dispatcher) if isinstance(dispatcher, str) else dispatcher
    if found is None:
        # LlamaIndex itself would make one here, which is told of nothing.
        raise ValueError(
            f"LlamaIndex has no dispatcher {dispatcher!r}: write instrument() to trace all that it does, or the name "
            "of a module that has one and is imported, such as 'llama_index.core.base.embeddings.base'"
        )
    if not hasattr(found, "add_span_handler"):
        raise TypeError(
            f"instrument() takes one of LlamaIndex's dispatchers, or its name, not {type(found).__name__}: write "
            "instrument() to trace all that LlamaIndex does"
        )
    return Instrumentation(found)
