"""Any object → what it is to be written as: a scalar, a text, or entries still to be read.

Which way a class goes is decided once, by looking at the class and not at the object (:mod:`.kinds`), and remembered as
long as the class lives; no object is ever remembered.

An object that declares its fields is written as them, one that has a ``__repr__`` of its own as that text, and any
other is named (``<package.Client object>``) and not opened: plain objects are where clients keep their keys.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from .classes import MISSING, class_name, find_in_class
from .contents import Contents, Described, Instead, Scalar, record
from .limits import max_value_bytes
from .text import Excerpt, excerpt, float_text, integer_text, said

_BYTES_SHOWN = 64
_SORTED_UP_TO = 10_000
SMALLEST_INTEGER, LARGEST_INTEGER = -(2**63), 2**64 - 1
"""What orjson writes."""
DICTIONARY_VIEWS: tuple[Any, ...] = (type({}.keys()), type({}.values()), type({}.items()))


def plain_scalar(value: Any, kind: type) -> Scalar:
    """A number, a truth value or None as what JSON can say; a text for what it can't.

    Args:
        value: An instance of exactly ``kind``.
        kind: ``int``, ``float``, ``bool`` or ``NoneType``.
    """
    if kind is int and not SMALLEST_INTEGER <= value <= LARGEST_INTEGER:
        return integer_text(value)
    if kind is float and not float("-inf") < value < float("inf"):
        return float_text(value)
    return value  # type: ignore[no-any-return]


def as_text(value: Any) -> Excerpt:
    """What the object's own ``repr`` says."""
    return said(repr(value))


def as_str(value: Any) -> Excerpt:
    """What the object's own ``str`` says."""
    return said(str(value))


def as_name(value: Any) -> str:
    """The name of its class and nothing that is in it."""
    return f"<{class_name(type(value))} object>"


def string(value: Any) -> Excerpt:
    """A string of a subclass, by ``str``'s own methods."""
    return excerpt(value, max_value_bytes())


def integer(value: Any) -> Scalar:
    """An integer of a subclass."""
    return plain_scalar(int.__int__(value), int) if int.bit_length(value) <= 64 else integer_text(value)


def floating(value: Any) -> Scalar:
    """A float of a subclass."""
    return plain_scalar(float.__float__(value), float)


def complex_number(value: Any) -> str:
    """A complex number as Python writes it."""
    return complex.__repr__(value)


def rational(value: Any) -> str:
    """A fraction as ``1/3``."""
    return f"{integer_text(value.numerator)}/{integer_text(value.denominator)}"


def decimal(value: Any) -> Scalar:
    """A decimal as text, so that no digit is lost."""
    # The digits take half a byte each; their size is known without writing them.
    if object.__sizeof__(value) + value.__sizeof__() > max_value_bytes():
        return f"<{class_name(type(value))} of {value.__sizeof__()} bytes>"
    return str(value)


def enumeration(value: Any) -> Described:
    """A member of an enumeration as its value, or as its name where the value is an object."""
    item = object.__getattribute__(value, "_value_")
    if item is None or type(item) in (str, int, float, bool):
        return Instead(item)
    return Instead(object.__getattribute__(value, "_name_"))


def iso_time(value: Any) -> str:
    """A date, a time or both, in ISO 8601."""
    return str(value.isoformat())


def iso_duration(value: Any) -> str:
    """A ``timedelta`` in ISO 8601: ``P1DT2H3M4.5S``."""
    micros = (value.days * 86_400 + value.seconds) * 1_000_000 + value.microseconds
    sign, micros = ("-", -micros) if micros < 0 else ("", micros)
    seconds, micros = divmod(micros, 1_000_000)
    days, seconds = divmod(seconds, 86_400)
    hours, seconds = divmod(seconds, 3600)
    minutes, seconds = divmod(seconds, 60)
    fraction = f".{micros:06d}".rstrip("0") if micros else ""
    day_part = f"{days}D" if days else ""
    time_part = "".join(f"{count}{unit}" for count, unit in ((hours, "H"), (minutes, "M")) if count)
    if seconds or fraction or not (day_part or time_part):
        time_part += f"{seconds}{fraction}S"
    return f"{sign}P{day_part}{'T' if time_part else ''}{time_part}"


def byte_string(value: Any) -> Contents:
    """Bytes of any kind as their number and a preview."""
    if type(value) is memoryview:
        length = value.nbytes
        flat = value.ndim == 1 and value.itemsize == 1
        start = value[:_BYTES_SHOWN].tobytes() if flat else b""
    else:
        own: Any = bytes if issubclass(type(value), bytes) else bytearray
        length = own.__len__(value)
        start = bytes(own.__getitem__(value, slice(0, _BYTES_SHOWN)))
    name = class_name(type(value))
    more = "…" if length > len(start) else ""
    preview = start.decode("utf-8", "backslashreplace") + more
    return record(name, {"type": name, "length": length, "preview": preview})


def exception(value: Any) -> Excerpt:
    """An exception as ``Type: message``."""
    name = class_name(type(value))
    message = said(str(value))
    return Excerpt(f"{name}: {message.text}", len(name) + 2 + message.length) if message.length else excerpt(name, 200)


def mapping(value: Any) -> Contents:
    """A dictionary, whatever its subclass says that is in it."""
    # A view and no iterator yet: that would fail if the dictionary changed before its turn to be read comes.
    return Contents(dict.items(value), dict.__len__(value), True, class_name(type(value)))


def sequence(value: Any) -> Contents:
    """A list or a tuple, whatever its subclass says that is in it."""
    own: Any = list if issubclass(type(value), list) else tuple
    return Contents(own.__iter__(value), own.__len__(value), False, class_name(type(value)))


def collection(value: Any) -> Contents:
    """A builtin collection (``deque``, ``range``, a dictionary's view)."""
    return Contents(value, len(value), False, class_name(type(value)))


def dictionary_view(value: Any) -> Contents:
    """A view of a dictionary of a subclass (``OrderedDict``), without the subclass's own lookup."""
    own = next(kind for kind in DICTIONARY_VIEWS if issubclass(type(value), kind))
    return Contents(own.__iter__(value), own.__len__(value), False, class_name(type(value)))


def set_of_items(value: Any) -> Contents:
    """A set, sorted where its items are all strings or all numbers, so that equal sets read the same."""
    own: Any = set if issubclass(type(value), set) else frozenset
    size: int = own.__len__(value)
    items: Iterable[Any] = own.__iter__(value)
    if size <= _SORTED_UP_TO:
        items = list(items)
        kinds = set(map(type, items))
        if kinds == {str} or kinds <= {int, float}:
            items.sort()
    return Contents(items, size, False, class_name(type(value)))


def foreign_collection(value: Any) -> Contents:
    """An object that is registered as a ``Sequence`` or ``Set``, read by its own methods."""

    def items() -> Iterator[Any]:
        yield from value

    return Contents(items(), _said_size(value), False, class_name(type(value)))


def function_name(value: Any) -> str:
    """A function by its qualified name."""
    module, name = value.__module__, value.__qualname__
    return f"<function {module}.{name}>" if type(module) is str else f"<function {name}>"


def type_name(value: Any) -> str:
    """A class by its qualified name."""
    return f"<class {class_name(value)}>"


def method_name(value: Any) -> str:
    """A bound method by the qualified name of its function."""
    function = value.__func__
    named = find_in_class(type(function), "__qualname__") is not MISSING
    return f"<method {function.__module__}.{function.__qualname__}>" if named else as_name(value)


def module_name(value: Any) -> str:
    """A module by its name."""
    name = object.__getattribute__(value, "__dict__").get("__name__")
    return f"<module {name}>" if type(name) is str else as_name(value)


def running_name(value: Any) -> str:
    """A generator or coroutine by the name of its function; it is neither run nor closed."""
    noun = type(value).__name__.replace("_", " ")
    return f"<{noun} {value.__qualname__}>"


def _said_size(value: Any) -> int | None:
    try:
        size = len(value)
    except Exception:  # nobody needs it: reading tells what there is
        return None
    return size
