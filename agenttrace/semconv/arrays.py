"""Numbers and arrays of numpy, torch and the standard library, read without importing any of them.

Only what lies in this process's memory is read: an array on a device, or one that is still to be computed, would wait.
"""

from __future__ import annotations

import math
from typing import Any

from .fields import as_list, is_list, package_of, package_of_class

__all__ = ["array_items", "array_rows", "dimensions_of", "floats_of", "number_of"]

_NUMBERS = frozenset({int, float})


def number_of(value: object) -> float | None:
    """``value``, a number of Python's or numpy's, as a float; None where it is none.

    Example:
        >>> number_of(numpy.float32(0.5)), number_of(True), number_of("0.5")
        (0.5, None, None)
    """
    kind = type(value)
    if kind is not float and kind is not int and (package_of(value) != "numpy" or dimensions_of(value) != 0):
        return None
    number: Any = value
    try:
        return float(number)
    except (TypeError, ValueError, OverflowError):  # a date of numpy's, or an integer too large
        return None


def dimensions_of(value: object) -> int | None:
    """How many dimensions an array has, 0 for a number of numpy's; None where ``value`` is neither."""
    package = package_of(value)
    if package == "array":
        return 1
    if package not in ("numpy", "torch") or not _is_in_memory(value):
        return None
    dimensions = getattr(value, "ndim", None)
    return dimensions if type(dimensions) is int else None


def array_items(value: object, most: int) -> list[Any]:
    """The first ``most`` items of a one-dimensional array; none where ``value`` is no such array."""
    if dimensions_of(value) != 1:
        return []
    array: Any = value
    items = array[:most].tolist()
    return items if type(items) is list else []


def floats_of(value: object, most: int) -> list[float] | None:
    """A vector of any library's making as a list of finite floats; None where it is none, or has more than ``most``."""
    items = as_list(value) if is_list(value) else array_items(value, most + 1)
    if not items or len(items) > most:
        return None
    others = set(map(type, items)) - _NUMBERS
    if any(package_of_class(kind) != "numpy" for kind in others):
        return None  # what else is there may have a `__float__` and be no number
    try:
        floats = list(map(float, items))
    except (TypeError, ValueError, OverflowError):  # an array in the place of a number, or a number too large
        return None
    return floats if all(map(math.isfinite, floats)) else None


def array_rows(value: object, most: int) -> list[Any]:
    """The first ``most`` rows of a matrix, as arrays; none where ``value`` is no matrix."""
    if dimensions_of(value) != 2:
        return []
    matrix: Any = value
    return [matrix[index] for index in range(min(len(matrix), most))]


def _is_in_memory(value: Any) -> bool:
    if package_of(value) != "torch":
        return True
    return getattr(getattr(value, "device", None), "type", None) == "cpu" and not getattr(value, "is_sparse", True)
