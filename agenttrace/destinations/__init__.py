"""Where spans can go, as values for `agenttrace.register`: one maker for each kind of backend.

What a maker isn't given comes from its backend's own environment variables, then from defaults.

Example:
    >>> from agenttrace import register
    >>> from agenttrace.destinations import langfuse, local, phoenix
    >>> register(phoenix(), langfuse(), local(), project_name="weather")
"""

from __future__ import annotations

from .arize_server import arize
from .destination import Destination, Kind, Spans
from .here import console, local
from .langfuse_server import langfuse
from .otlp_server import otlp
from .phoenix_server import phoenix

__all__ = ["Destination", "Kind", "Spans", "arize", "console", "langfuse", "local", "otlp", "phoenix"]
