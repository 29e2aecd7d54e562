"""The ``with`` block of a capture, and what is said to whoever forgets the ``with``."""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack
from typing import TYPE_CHECKING

from agenttrace.provider import use_provider
from agenttrace.semconv.masking import use_config

from .captured import CapturedSpans
from .recorder import Recorder, provider_for

if TYPE_CHECKING:
    from types import TracebackType
    from typing import NoReturn

    from agenttrace.semconv.privacy import TraceConfig

_HOW = "capture_spans() is for a with block, `with capture_spans() as spans:`; it is `spans` that has"


class CaptureBlock(AbstractContextManager[CapturedSpans]):
    """What ``capture_spans()`` gives: each time it is entered, a capture of its own begins.

    Args:
        deterministic: See `agenttrace.testing.capture_spans`.
        config: See `agenttrace.testing.capture_spans`.
    """

    def __init__(self, *, deterministic: bool, config: TraceConfig | None = None) -> None:
        self._deterministic = deterministic
        self._config = config
        self._open: list[ExitStack] = []

    def __enter__(self) -> CapturedSpans:
        """Begin a capture; the marks' spans go to it until the block ends."""
        recorder = Recorder(deterministic=self._deterministic)
        provider = provider_for(recorder, deterministic=self._deterministic)
        block = ExitStack()
        if self._config is not None:
            block.enter_context(use_config(self._config))
        block.enter_context(use_provider(provider))
        self._open.append(block)
        return CapturedSpans(recorder, provider)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the capture; what its block raised goes on."""
        self._open.pop().__exit__(kind, error, traceback)

    # Type checkers aren't told of these: they find the mistake by themselves.
    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> NoReturn:
            raise AttributeError(f"{_HOW} {name!r}")

        def __getitem__(self, index: object) -> NoReturn:
            raise TypeError(f"{_HOW} the spans")

        def __len__(self) -> NoReturn:
            raise TypeError(f"{_HOW} the spans")
