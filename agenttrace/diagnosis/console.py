"""The console as a destination: whether there is one to write to."""

from __future__ import annotations

import sys

from .findings import Finding, failed, ok

__all__ = ["check_console"]


def check_console() -> Finding:
    """Whether this program has a standard output and error to write to. Nothing is written."""
    for stream in (sys.stdout, sys.stderr):
        # Programs without a window (pythonw) have none, and services may have closed theirs.
        if stream is None or stream.closed or not stream.writable():
            return failed("console", "standard output or error is closed: what is written there is seen by nobody")
    return ok("console", "it can be written to")
