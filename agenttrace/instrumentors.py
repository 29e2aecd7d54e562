"""Switching on the OpenInference instrumentors that are installed, for ``register(auto_instrument=True)``."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any

from . import faults

__all__ = ["GROUP", "instrument_installed"]

GROUP = "openinference_instrumentor"
"""The entry point group that instrumentors announce themselves in."""


def instrument_installed(provider: Any) -> None:
    """Have every installed instrumentor make its spans with ``provider``.

    One that is on already is left as it is, and one that fails is logged and leaves the others on.

    Args:
        provider: The tracer provider.
    """
    found = list(entry_points(group=GROUP))
    if not found:
        faults.warn_once(
            "agenttrace: auto_instrument=True finds no instrumentor: install the one for your framework, such as "
            "openinference-instrumentation-openai."
        )
    for entry_point in found:
        try:
            instrumentor = entry_point.load()()
            if not getattr(instrumentor, "is_instrumented_by_opentelemetry", False):
                instrumentor.instrument(tracer_provider=provider)
        except Exception as error:
            faults.report(f"switching on the instrumentor {entry_point.name}", error)
