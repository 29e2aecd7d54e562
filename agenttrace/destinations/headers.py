"""Headers and keys, checked so that what can't be sent is refused at once; none is ever quoted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from agenttrace import faults
from agenttrace.environment import Named, Variable, parse_headers

__all__ = ["Headers", "check_header_value", "check_headers", "headers_of_variable"]

Headers = tuple[tuple[str, str], ...]

# RFC 9110's token, and visible ASCII: what both HTTP and gRPC carry.
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e]*")


def check_headers(headers: Any) -> Headers:
    """``headers`` as pairs in one order, names in lower case.

    Args:
        headers: A mapping, ``"name=value,name=value"``, or None for none.

    Raises:
        TypeError: If it is neither, or no mapping of strings to strings.
        ValueError: If a name or value holds what no header can. Neither is quoted, as both may be secret.
    """
    if headers is None:
        return ()
    if isinstance(headers, str):
        headers = parse_headers(headers)
    if not isinstance(headers, Mapping):
        raise TypeError(f'headers is {type(headers).__name__}: write a dict, like headers={{"x-tenant": "blue"}}')
    pairs: dict[str, str] = {}
    for name, value in headers.items():
        if not isinstance(name, str) or not isinstance(value, str):
            kinds = f"{type(name).__name__} to {type(value).__name__}"
            raise TypeError(f"headers maps {kinds}: both must be strings")
        if not _NAME.fullmatch(name.strip()):
            raise ValueError("a header's name has a space, a line break or another character that none can have")
        check_header_value("a header's value", value)
        pairs[name.strip().lower()] = value.strip()
    return tuple(sorted(pairs.items()))


def headers_of_variable(found: Variable) -> Headers:
    """The headers that a variable names, as `check_headers` gives them.

    A variable that others set for others is no reason to stop a program: a header of it that can't be sent is left
    out, and said without quoting it. In one of ours, it is an error.

    Raises:
        ValueError: If the variable is ours and a header in it can't be read or sent; the variable is named.
    """
    if found.is_ours:
        with Named(found.name):
            return check_headers(found.value)
    pairs: dict[str, str] = {}
    parts = [part for part in found.value.split(",") if part.strip()]
    for number, part in enumerate(parts, 1):
        try:
            pairs.update(check_headers(part))
        except ValueError as error:
            faults.warn_once(f"agenttrace: {found.name}: header {number} of {len(parts)} is left out: {error}")
    return tuple(sorted(pairs.items()))


def check_header_value(what: str, text: str) -> None:
    """Refuse what can't be sent in a header, without quoting it.

    Args:
        what: What the text is, for the message.
        text: The text; white space around it doesn't count.

    Raises:
        ValueError: If it has line breaks, control characters or anything beyond ASCII in it.
    """
    if not _VALUE.fullmatch(text.strip()):
        raise ValueError(f"{what} has a line break or another character in it that no header can carry")
