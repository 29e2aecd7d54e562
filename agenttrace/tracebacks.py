"""Keeping tracing's own frames out of the tracebacks that the user reads."""

from __future__ import annotations

WRAPPER_FILE = "<agenttrace wrapper>"
"""The file name that the compiled wrappers in `native` go by."""

_PACKAGE = __file__.removesuffix("tracebacks.py")


def is_own_file(filename: str) -> bool:
    """Whether code of ``filename`` is tracing's own."""
    return filename == WRAPPER_FILE or filename.startswith(_PACKAGE)


def hide_own_frames(error: BaseException) -> None:
    """Drop the outermost frames of ``error``'s traceback that are tracing's own.

    For an ``except`` block whose next statement is a bare ``raise``: Python from 3.11 on goes on with the traceback as
    it is then, and doesn't add the raising frame again. Python 3.10 goes on with the one it had.
    """
    try:
        frames = error.__traceback__
        while frames is not None and is_own_file(frames.tb_frame.f_code.co_filename):
            frames = frames.tb_next
        BaseException.with_traceback(error, frames)
    except Exception:  # an exception class that makes its own of __traceback__: its frames stay
        return
