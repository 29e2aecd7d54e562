"""A provider's stream object that a traced function returned: what the caller gets in its place, and ends the span.

It behaves as the provider's own: the same class for ``isinstance``, the same attributes and methods, the same context
manager. What it gives is passed on as it is and noted on the way. Nothing of the provider's object is changed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from . import faults
from .current import attach, detach, get_current
from .readers.interface import StreamForm
from .wrapping import Activity
from .wrapping.stand_in import StandIn, stood_for

__all__ = ["followed_stream"]

_CLOSING = ("close", "aclose")
_MOST_CLASSES = 256


def followed_stream(stream: Any, activity: Activity, form: StreamForm) -> Any:
    """Something that is used as ``stream`` is, and ends ``activity`` when that is read, closed, fails or is dropped.

    Args:
        stream: The provider's object.
        activity: What goes on until the stream has ended; it is paused.
        form: How the stream is used.
    """
    return _proxy_of(stream, _Following(stream, activity, form))


class _Following:
    """What the objects that stand for one stream share: the activity, which ends when the last of them is dropped."""

    __slots__ = ("activity", "form", "stream")

    def __init__(self, stream: Any, activity: Activity, form: StreamForm) -> None:
        self.activity = activity
        self.form = form
        self.stream = stream
        """The stream proper, once a manager has given it."""

    def __del__(self) -> None:
        self.left(None)

    def refused(self, error: BaseException) -> None:
        """The stream could not be opened."""
        self.activity.raised(error)

    def opened(self, proxy: Any, opened: Any) -> Any:
        """What is given for ``opened``, which the stream that ``proxy`` stands for gave when it was entered."""
        if opened is stood_for(proxy):
            return proxy
        if opened is None or isinstance(opened, (str, bytes)):
            return opened
        self.stream = opened
        return _proxy_of(opened, self)

    def inside(self, take: Callable[[], Any]) -> Any:
        """What ``take`` gives, called inside the activity; its errors are left to who called this."""
        __tracebackhide__ = True
        context = self.activity.context  # None once the span has ended
        if context is None:
            return take()
        previous = get_current()
        token = attach(context)
        try:
            return take()
        finally:
            self._left(token, context, previous)

    def _left(self, token: Any, context: Any, previous: Any) -> None:
        """A step is over: its own context is undone, whoever ended the activity meanwhile or steps beside it."""
        if self.activity.context is context:
            self.activity.context = get_current()
        detach(token, context, previous)

    async def awaited_inside(self, take: Callable[[], Any]) -> Any:
        """As `inside`, for what has to be awaited, in the task of whoever asks for it."""
        __tracebackhide__ = True
        context = self.activity.context
        if context is None:
            return await take()
        previous = get_current()
        token = attach(context)
        try:
            return await take()
        finally:
            self._left(token, context, previous)

    def step(self, take: Callable[[], Any], notes: bool = True) -> Any:
        """One step of the stream inside the activity, its item noted."""
        __tracebackhide__ = True
        try:
            item = self.inside(take)
        except StopIteration:
            self.exhausted()
            raise
        except BaseException as error:
            self.activity.raised(error)
            raise
        self._note(item, notes)
        return item

    async def async_step(self, take: Callable[[], Any], notes: bool = True) -> Any:
        """As `step`, in the task of whoever asks for the item."""
        __tracebackhide__ = True
        try:
            item = await self.awaited_inside(take)
        except StopAsyncIteration:
            self.exhausted()
            raise
        except BaseException as error:
            self.activity.raised(error)
            raise
        self._note(item, notes)
        return item

    def exhausted(self) -> None:
        """The stream was read to its end."""
        self.activity.exhausted(self._snapshot())

    def left(self, error: BaseException | None) -> None:
        """The program is done with the stream, be it because of ``error``."""
        if error is not None:
            self.activity.raised(error)
            return
        snapshot = self._snapshot()
        if snapshot is None:
            self.activity.closed()
        else:
            self.activity.exhausted(snapshot)

    def _note(self, item: Any, notes: bool) -> None:
        if self.activity.context is None:  # ended: by an error of an earlier step, or by another task
            return
        if notes:
            self.activity.add_item(item)
        else:
            self.activity.skip_items()

    def _snapshot(self) -> Any:
        """The whole answer, where the stream knows it."""
        for name in self.form.snapshots:
            try:
                found = self.stream
                for part in name.split("."):
                    found = getattr(found, part, None)
            except BaseException as error:  # some raise while nothing has come yet
                if not isinstance(error, (AssertionError, AttributeError, LookupError, RuntimeError, ValueError)):
                    faults.contain("asking a stream for its answer", error)
                continue
            if found is not None and not callable(found):
                return found
        return None


class _Followed(StandIn):
    """Stands in the place of a stream. Its classes are made by `_proxy_of`, each with the methods of one other."""

    __slots__ = ("_agenttrace_following",)

    def __init__(self, stream: Any, following: _Following) -> None:
        super().__init__(stream)
        object.__setattr__(self, "_agenttrace_following", following)

    def __getattr__(self, name: str) -> Any:
        found = getattr(stood_for(self), name)
        following = _following_of(self)
        if name in following.form.iterators:
            return _iterating(following, found)
        if callable(found):
            if name in _CLOSING:
                return _closing(following, found)
            if name in following.form.finishers:
                return _finishing(following, found)
            if name in following.form.opens:
                return lambda *args, **kwargs: following.opened(self, found(*args, **kwargs))
        return found


_classes: dict[type, type] = {}


def _proxy_of(stream: Any, following: _Following) -> Any:
    """What stands for ``stream``: with those special methods that its class has and no others."""
    cls = type(stream)
    known = _classes.get(cls)
    if known is None:
        namespace: dict[str, Any] = {name: method for name, method in _SPECIAL.items() if hasattr(cls, name)}
        known = type(cls.__name__, (_Followed,), {"__slots__": (), "__module__": cls.__module__, **namespace})
        if len(_classes) < _MOST_CLASSES:
            _classes[cls] = known
    return known(stream, following)


def _following_of(proxy: Any) -> _Following:
    following: _Following = object.__getattribute__(proxy, "_agenttrace_following")
    return following


def _iter(self: Any) -> Iterator[Any]:
    stream = stood_for(self)
    iterator = iter(stream)
    return self if iterator is stream else _items(_following_of(self), iterator)


def _aiter(self: Any) -> AsyncIterator[Any]:
    stream = stood_for(self)
    iterator = aiter(stream)
    return self if iterator is stream else _async_items(_following_of(self), iterator)


def _next(self: Any) -> Any:
    __tracebackhide__ = True
    return _following_of(self).step(stood_for(self).__next__)


async def _anext(self: Any) -> Any:
    __tracebackhide__ = True
    return await _following_of(self).async_step(stood_for(self).__anext__)


def _enter(self: Any) -> Any:
    __tracebackhide__ = True
    following = _following_of(self)
    try:
        opened = following.inside(stood_for(self).__enter__)
    except BaseException as error:
        following.refused(error)
        raise
    return following.opened(self, opened)


async def _aenter(self: Any) -> Any:
    __tracebackhide__ = True
    following = _following_of(self)
    try:
        opened = await following.awaited_inside(stood_for(self).__aenter__)
    except BaseException as error:
        following.refused(error)
        raise
    return following.opened(self, opened)


def _exit(self: Any, kind: Any, error: BaseException | None, traceback: Any) -> Any:
    try:
        return stood_for(self).__exit__(kind, error, traceback)
    finally:
        _following_of(self).left(error)


async def _aexit(self: Any, kind: Any, error: BaseException | None, traceback: Any) -> Any:
    try:
        return await stood_for(self).__aexit__(kind, error, traceback)
    finally:
        _following_of(self).left(error)


def _await(self: Any) -> Any:
    __tracebackhide__ = True
    following = _following_of(self)
    stream = stood_for(self)
    if "__await__" in following.form.opens:
        return following.opened(self, (yield from following.awaited_inside(lambda: stream).__await__()))
    result = yield from following.async_step(lambda: stream, notes=False).__await__()
    following.exhausted()
    return result


def _len(self: Any) -> int:
    return len(stood_for(self))


_SPECIAL: dict[str, Callable[..., Any]] = {
    "__iter__": _iter,
    "__aiter__": _aiter,
    "__next__": _next,
    "__anext__": _anext,
    "__enter__": _enter,
    "__aenter__": _aenter,
    "__exit__": _exit,
    "__aexit__": _aexit,
    "__await__": _await,
    "__len__": _len,
}


def _items(following: _Following, iterator: Iterator[Any], notes: bool = True) -> Iterator[Any]:
    __tracebackhide__ = True
    while True:
        try:
            item = following.step(iterator.__next__, notes)
        except StopIteration:
            return
        yield item


async def _async_items(following: _Following, iterator: AsyncIterator[Any], notes: bool = True) -> AsyncIterator[Any]:
    __tracebackhide__ = True
    while True:
        try:
            item = await following.async_step(iterator.__anext__, notes)
        except StopAsyncIteration:
            return
        yield item


def _iterating(following: _Following, found: Any) -> Any:
    """Another way over the same stream, whose items are parts of the answer and not the provider's chunks."""
    if hasattr(found, "__anext__"):
        return _async_items(following, found, notes=False)
    if hasattr(found, "__next__"):
        return _items(following, found, notes=False)
    if callable(found):
        return lambda *args, **kwargs: _iterating(following, found(*args, **kwargs))
    return found


def _finishing(following: _Following, method: Callable[..., Any]) -> Callable[..., Any]:
    """A method that runs the stream to its end, at once or when it is awaited."""

    def finish(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        result = following.step(lambda: method(*args, **kwargs), notes=False)
        if hasattr(type(result), "__await__"):
            return finish_later(result)
        following.exhausted()
        return result

    async def finish_later(awaitable: Any) -> Any:
        __tracebackhide__ = True
        result = await following.async_step(lambda: awaitable, notes=False)
        following.exhausted()
        return result

    return finish


def _closing(following: _Following, method: Callable[..., Any]) -> Callable[..., Any]:
    def close(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        try:
            return method(*args, **kwargs)
        finally:
            following.left(None)

    return close
