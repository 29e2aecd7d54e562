"""Which destinations a command is about: those that `register` would choose."""

from __future__ import annotations

from pathlib import Path

from agenttrace.destinations import local
from agenttrace.settings import Settings, make_settings

__all__ = ["chosen_settings"]


def chosen_settings(endpoint: str | None, protocol: str | None, store: Path | None = None) -> Settings:
    """What `register` would go by without an argument, or with these.

    Args:
        endpoint: The server instead of what the environment names.
        protocol: How to speak to it.
        store: The local store's file instead of any server.

    Raises:
        ValueError: If a setting can't be right; the text says what to write instead.
    """
    return make_settings(
        () if store is None else (local(store),),
        endpoint=endpoint,
        project_name=None,
        batch=True,
        set_global_tracer_provider=True,
        headers=None,
        protocol=protocol,
        api_key=None,
        resource=None,
        sampler=None,
        sample_rate=None,
        span_processors=None,
        tracer_provider=None,
        config=None,
        overflow=None,
        durability=None,
        export_interval=None,
        shutdown_timeout=None,
        flush_on_root=None,
        options={},
    )
