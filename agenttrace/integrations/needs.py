"""What an adapter's module says where its framework isn't installed, or is too old."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["needs"]


@contextmanager
def needs(requirement: str, extra: str) -> Iterator[None]:
    """Have the imports in the block say what to install where one of them fails.

    Args:
        requirement: The framework as pip wants it, such as ``"openai-agents>=0.20.0"``.
        extra: The extra of this project that names it.

    Raises:
        ImportError: If an import in the block fails; a `ModuleNotFoundError` where the module isn't there.

    Example:
        >>> with needs("openai-agents>=0.20.0", extra="openai-agents"):
        ...     from agents import TracingProcessor
    """
    try:
        yield
    except ImportError as error:
        advice = f"this adapter needs {requirement}: pip install '{requirement}' (the extra {extra} names it too)"
        raise type(error)(f"{error}; {advice}", name=error.name, path=error.path) from error
