"""The rules, by theme. Each is a function that takes an `Inspection` and yields what it finds."""

from __future__ import annotations

from collections.abc import Callable

from ..inspection import Findings, Inspection
from .annotations import check_annotations, check_carrier
from .events import check_events
from .kinds import check_kind
from .lists import check_lists
from .messages import check_messages
from .mime import check_mime_types
from .models import check_embedding, check_model
from .names import check_names
from .sizes import check_sizes
from .tokens import check_token_counts
from .types import check_types
from .well_known import check_well_known_values

__all__ = ["RULES"]

RULES: tuple[Callable[[Inspection], Findings], ...] = (
    check_kind,
    check_types,
    check_names,
    check_lists,
    check_mime_types,
    check_model,
    check_embedding,
    check_well_known_values,
    check_token_counts,
    check_messages,
    check_annotations,
    check_carrier,
    check_events,
    check_sizes,
)
