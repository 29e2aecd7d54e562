"""Generator bodies of every temper, to be run plain and marked. Each takes a ``note`` function to say what it sees."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any

Noter = Callable[[object], None]
Body = Callable[[Noter], Generator[Any, Any, Any]]
AsyncBody = Callable[[Noter], AsyncGenerator[Any, Any]]


def is_over(note: Noter) -> bool:
    """Whether the script is over: what refuses to be closed may now go quietly."""
    return getattr(note, "over", False)


def counts(note: Noter) -> Generator[Any, Any, Any]:
    for number in range(3):
        note(("sent", (yield number)))
    return "counted"


def yields_nothing(note: Noter) -> Generator[Any, Any, Any]:
    note("ran")
    return "nothing"
    yield


def fails_at_once(note: Noter) -> Generator[Any, Any, Any]:
    note("ran")
    raise KeyError("at once")
    yield


def fails_later(note: Noter) -> Generator[Any, Any, Any]:
    yield 1
    raise ValueError("later") from KeyError("its cause")


def cleans_up(note: Noter) -> Generator[Any, Any, Any]:
    try:
        yield "first"
        yield "second"
    finally:
        note("cleaned up")


def cleans_up_badly(note: Noter) -> Generator[Any, Any, Any]:
    try:
        yield "first"
        yield "second"
    finally:
        note("cleaning up")
        if not is_over(note):
            raise OSError("while cleaning up")


def yields_while_cleaning_up(note: Noter) -> Generator[Any, Any, Any]:
    try:
        yield "first"
    finally:
        note("before")
        if not is_over(note):
            yield "while cleaning up"
        note("after")


def catches_everything(note: Noter) -> Generator[Any, Any, Any]:
    received = None
    for _ in range(4):
        try:
            received = yield received
        except BaseException as error:
            if is_over(note):
                raise
            note(("caught", type(error).__name__, error.__traceback__ is not None))
            received = type(error).__name__
        note("goes on")
    return received


def returns_when_closed(note: Noter) -> Generator[Any, Any, Any]:
    try:
        yield 1
        yield 2
    except GeneratorExit:
        return "closed"


def raises_another_when_thrown_at(note: Noter) -> Generator[Any, Any, Any]:
    try:
        yield 1
    except ValueError:
        raise KeyError("instead")  # noqa: B904  the context is what is looked at
    except RuntimeError as error:
        raise KeyError("instead") from error
    except OSError:
        raise KeyError("instead") from None
    yield 2


def raises_after_catching(note: Noter) -> Generator[Any, Any, Any]:
    try:
        yield 1
    except BaseException:
        pass
    note("after catching")
    if is_over(note):
        return
    raise KeyError("not while handling")


def raises_stop_iteration(note: Noter) -> Generator[Any, Any, Any]:
    yield 1
    raise StopIteration("escaped")


def yields_inside_a_handler(note: Noter) -> Generator[Any, Any, Any]:
    try:
        raise KeyError("the body's own")
    except KeyError:
        note((yield "handling"))
        yield "still handling"
    note("done handling")
    yield "done"


def reraises_what_it_was_thrown(note: Noter) -> Generator[Any, Any, Any]:
    try:
        yield 1
    except Exception as error:
        note(error.args)
        raise
    yield 2


def catches_errors(note: Noter) -> Generator[Any, Any, Any]:
    received = None
    for _ in range(3):
        try:
            received = yield received
        except Exception as error:
            note(("caught", type(error).__name__))
    return received


def delegates(note: Noter) -> Generator[Any, Any, Any]:
    result = yield from catches_errors(note)
    note(("delegate returned", result))
    yield "own"


def raises_interrupt(note: Noter) -> Generator[Any, Any, Any]:
    yield 1
    raise KeyboardInterrupt


def raises_generator_exit(note: Noter) -> Generator[Any, Any, Any]:
    yield 1
    raise GeneratorExit("by itself")


BODIES: list[Body] = [
    counts,
    yields_nothing,
    fails_at_once,
    fails_later,
    cleans_up,
    cleans_up_badly,
    yields_while_cleaning_up,
    catches_everything,
    returns_when_closed,
    raises_another_when_thrown_at,
    raises_after_catching,
    raises_stop_iteration,
    yields_inside_a_handler,
    reraises_what_it_was_thrown,
    catches_errors,
    delegates,
    raises_interrupt,
    raises_generator_exit,
]


async def async_counts(note: Noter) -> AsyncGenerator[Any, Any]:
    for number in range(3):
        note(("sent", (yield number)))
        await asyncio.sleep(0)


async def async_yields_nothing(note: Noter) -> AsyncGenerator[Any, Any]:
    note("ran")
    return
    yield


async def async_fails_at_once(note: Noter) -> AsyncGenerator[Any, Any]:
    await asyncio.sleep(0)
    raise KeyError("at once")
    yield


async def async_fails_later(note: Noter) -> AsyncGenerator[Any, Any]:
    yield 1
    raise ValueError("later") from KeyError("its cause")


async def async_cleans_up(note: Noter) -> AsyncGenerator[Any, Any]:
    try:
        yield "first"
        yield "second"
    finally:
        await asyncio.sleep(0)
        note("cleaned up")


async def async_cleans_up_badly(note: Noter) -> AsyncGenerator[Any, Any]:
    try:
        yield "first"
        yield "second"
    finally:
        note("cleaning up")
        await asyncio.sleep(0)
        if not is_over(note):
            raise OSError("while cleaning up")


async def async_yields_while_cleaning_up(note: Noter) -> AsyncGenerator[Any, Any]:
    try:
        yield "first"
    finally:
        note("before")
        if not is_over(note):
            yield "while cleaning up"
        note("after")


async def async_catches_everything(note: Noter) -> AsyncGenerator[Any, Any]:
    received = None
    for _ in range(4):
        try:
            received = yield received
        except BaseException as error:
            if is_over(note):
                raise
            note(("caught", type(error).__name__, error.__traceback__ is not None))
            received = type(error).__name__
        await asyncio.sleep(0)
        note("goes on")


async def async_returns_when_closed(note: Noter) -> AsyncGenerator[Any, Any]:
    try:
        yield 1
        yield 2
    except GeneratorExit:
        await asyncio.sleep(0)
        return


async def async_raises_another_when_thrown_at(note: Noter) -> AsyncGenerator[Any, Any]:
    try:
        yield 1
    except ValueError:
        raise KeyError("instead")  # noqa: B904  the context is what is looked at
    except RuntimeError as error:
        raise KeyError("instead") from error
    except OSError:
        raise KeyError("instead") from None
    yield 2


async def async_raises_after_catching(note: Noter) -> AsyncGenerator[Any, Any]:
    try:
        yield 1
    except BaseException:
        pass
    note("after catching")
    if is_over(note):
        return
    raise KeyError("not while handling")


async def async_raises_stop_iteration(note: Noter) -> AsyncGenerator[Any, Any]:
    yield 1
    raise StopIteration("escaped")


async def async_raises_stop_async_iteration(note: Noter) -> AsyncGenerator[Any, Any]:
    yield 1
    raise StopAsyncIteration("escaped")


async def async_yields_inside_a_handler(note: Noter) -> AsyncGenerator[Any, Any]:
    try:
        raise KeyError("the body's own")
    except KeyError:
        note((yield "handling"))
        await asyncio.sleep(0)
        yield "still handling"
    note("done handling")
    yield "done"


async def async_delegates(note: Noter) -> AsyncGenerator[Any, Any]:
    async for item in async_counts(note):
        note(("passed on", item))
        yield item


async def async_is_cancelled(note: Noter) -> AsyncGenerator[Any, Any]:
    yield 1
    raise asyncio.CancelledError("by itself")


ASYNC_BODIES: list[AsyncBody] = [
    async_counts,
    async_yields_nothing,
    async_fails_at_once,
    async_fails_later,
    async_cleans_up,
    async_cleans_up_badly,
    async_yields_while_cleaning_up,
    async_catches_everything,
    async_returns_when_closed,
    async_raises_another_when_thrown_at,
    async_raises_after_catching,
    async_raises_stop_iteration,
    async_raises_stop_async_iteration,
    async_yields_inside_a_handler,
    async_delegates,
    async_is_cancelled,
]
