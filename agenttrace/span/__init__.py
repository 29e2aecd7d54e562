"""The handle on one span that a ``with`` block or `current_span` gives, and how what it sets is written."""

from .handle import NO_SPAN, Span, current_span, valid_attributes, valid_description, valid_event
from .writing import Lists, split_lists, write_attributes, write_lists

__all__ = [
    "NO_SPAN",
    "Lists",
    "Span",
    "current_span",
    "split_lists",
    "valid_attributes",
    "valid_description",
    "valid_event",
    "write_attributes",
    "write_lists",
]
