"""What `register` was asked for: its arguments and the environment, checked, as one value that can be compared."""

from __future__ import annotations

from .checks import check_switches, check_timeout
from .making import choose_destinations, make_settings
from .settings import DEFAULT_PROJECT, Settings, default_resource

__all__ = [
    "DEFAULT_PROJECT",
    "Settings",
    "check_switches",
    "check_timeout",
    "choose_destinations",
    "default_resource",
    "make_settings",
]
