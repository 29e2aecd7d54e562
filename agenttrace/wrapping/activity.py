"""What goes on around a call: entered while its body runs, left while it waits, told how it ended."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextvars import Token
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import Any, Protocol

from .. import faults
from ..current import Context, attach, detach, get_current

OpenCall = Callable[[tuple[Any, ...], dict[str, Any]], "Activity | None"]
"""Opens the activity of one call from its arguments, entered already; None when there is nothing to put around it."""


class _Endable(Protocol):
    def end(self) -> None: ...


unfinished: deque[_Endable] = deque()
"""What could not be ended where it should have been, the interpreter's recursion limit being reached there, or a signal
having interrupted it. Whatever ends next ends these too (`end_unfinished`)."""


# As many as ending a span takes: the SDK's processors, and the formatting of a traceback.
_FRAMES_TO_END = 40


def need_frames(count: int = _FRAMES_TO_END) -> None:
    """Raise RecursionError now rather than halfway through something that can't be done again."""
    if count:
        need_frames(count - 1)


def end_unfinished() -> None:
    """End what a full stack left behind."""
    while unfinished:
        try:
            need_frames()
            left = unfinished.popleft()
        except (RecursionError, IndexError):
            return  # still too near to the limit, or another thread was faster
        try:
            left.end()
        except BaseException as error:
            faults.contain("ending a span late", error)


# What by far the most functions return, none of which goes on after the call.
_FINISHED_TYPES = frozenset({type(None), str, bytes, bool, int, float, list, tuple, dict, set})


class Activity:
    """One call's stay in a context of its own, from its opening to its end.

    A body that runs in steps (a generator's) finds at each step the context it had at the end of the step before, so
    that a span it holds open across a ``yield`` is current again, while its consumer never sees it.

    Subclasses say what is recorded, in `finish`, `fail`, `give_up` and `add_item`. None of those may raise, and each of
    the first three is called at most once in all.
    """

    # Defaults on the class, since one of these is made for every traced call: most never set most of them.
    context: Context | None = None
    """The context of the body's next step."""
    _attached: Context | None = None
    _previous: Context | None = None
    _token: Token[Context] | None = None
    _ended = False

    def enter(self) -> None:
        """Make the body's context the current one; nothing when it is already."""
        if self._token is None and self.context is not None:
            self._previous = get_current()
            self._attached = self.context
            self._token = attach(self.context)

    def leave(self) -> None:
        """Give the caller its context back; nothing when it has it."""
        token = self._token
        if token is None:
            if self._attached is not None and get_current() is self._attached:
                # A signal's exception came between the attaching and its being noted.
                attach(self._previous or Context())
                self._attached = self._previous = None
            return
        try:
            token.var.reset(token)
        except (ValueError, AttributeError):
            detach(token, self._attached, self._previous)
        except RuntimeError:
            self._token = None  # reset already, by a `leave` that a signal's exception interrupted
        self._token = self._attached = self._previous = None

    def pause(self) -> None:
        """Leave, and remember what the body made of its context for the next step."""
        self.context = get_current()
        self.leave()

    def returned(self, value: Any) -> Any:
        """The body returned ``value``; gives what the caller gets for it.

        That is ``value`` itself, unless it is a generator, an async generator or a coroutine: then one of the same kind
        that ends this activity when it is done.
        """
        kind = type(value)
        try:
            is_finished = kind in _FINISHED_TYPES
        except Exception:  # a class whose metaclass can't be hashed
            is_finished = False
        if is_finished:
            # As `exhausted`, without two more calls.
            try:
                self.leave()
                if not self._ended:
                    self._ended = True
                    if unfinished:
                        need_frames()
                    self.finish(value)
            except RecursionError:
                unfinished.append(self)
            except BaseException:
                self._interrupted()
                raise
            return value
        try:
            return self._goes_on(value, kind)
        except BaseException:
            self._interrupted()
            raise

    def _goes_on(self, value: Any, kind: type) -> Any:
        self.pause()
        from .deferred import finish_with, wrap_stepped

        if kind is GeneratorType or kind is CoroutineType or kind is AsyncGeneratorType:
            return wrap_stepped(value, self)
        followed = self.follow(value)
        if followed is not None:
            return followed
        if not finish_with(value, self):
            self.exhausted(value)
        return value

    def exhausted(self, value: Any) -> None:
        """There is no more to come: the body returned ``value``, as the body of a generator does at its end."""
        self._end_by(self.finish, value)

    def raised(self, error: BaseException) -> None:
        """``error`` came out of the body."""
        self._end_by(self.fail, error)

    def closed(self) -> None:
        """The body was closed, or dropped, before it was done."""
        self._end_by(self.give_up)

    def _end_by(self, record: Callable[..., None], *outcome: Any) -> None:
        try:
            self.leave()
            if self._ended:
                return
            self._ended = True
            self.context = None
            if unfinished or (outcome and type(outcome[0]) is RecursionError):
                need_frames()
            record(*outcome)
        except RecursionError:
            unfinished.append(self)
        except BaseException:
            self._interrupted()
            raise

    def _interrupted(self) -> None:
        """A signal's exception is on its way to the program, through the end of this call."""
        self.leave()
        self._ended = True
        unfinished.append(self)

    def end(self) -> None:
        """End late what could not be ended in time; nothing more is recorded."""

    def follow(self, value: Any) -> Any:
        """What the caller gets in the place of ``value``, and what ends this activity; None to hand ``value`` on."""
        return None

    def expect_items(self) -> None:
        """The body is a generator's: what it yields matters more than what it returns."""

    def finish(self, value: Any) -> None:
        """Record that the call returned ``value``."""

    def fail(self, error: BaseException) -> None:
        """Record that the call raised ``error``."""

    def give_up(self) -> None:
        """Record that the call was closed before it was done."""

    def add_item(self, item: Any) -> None:
        """Record that the call yielded ``item``."""

    def skip_items(self) -> None:
        """Record that the call yielded something that can't be seen from here."""


class ContextOnly(Activity):
    """Runs a call in a context and records nothing; entered from the start."""

    def __init__(self, context: Context) -> None:
        self.context: Context | None = context
        self.enter()
