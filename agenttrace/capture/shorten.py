"""A tree of plain builtins → JSON within the limit: long strings are cut to a share that is fair to the short ones."""

from __future__ import annotations

import re
from collections.abc import Callable

from orjson import Fragment, dumps

from .classes import class_name
from .redaction import hide_in_string
from .shares import fair_share
from .text import cut_mark, valid_text
from .tree import Known, Place, Tree

_FIRST_WIDTH = 1024
_NARROW = 16  # entries of a container below which ending early is better than leaving out more of each
_WORTH_ANOTHER = 1.5  # times the entries that a wider tree must promise
_PARTIAL_ESCAPE = re.compile(rb"u[0-9a-f]{0,3}\Z")


def bounded_json(value: object, limit: int) -> str:
    """``value``, anything, as JSON of at most ``limit`` bytes of UTF-8; what is left out is marked with its size."""
    known: Known = {}
    width = _FIRST_WIDTH
    tree = Tree(value, width, limit, known)
    while tree.was_clipped and tree.room_factor >= _WORTH_ANOTHER:
        wider = Tree(value, int(width * tree.room_factor), limit, known)
        if wider.was_exhausted:
            break
        tree, width = wider, int(width * tree.room_factor)
    data = None if tree.was_exhausted else _dump(tree, limit)
    if data is None:
        if tree.has_fragments:
            # Too large: now nothing is taken whole, so that all strings are cut to a fair share.
            tree = Tree(value, width, limit, known, use_fragments=False)
        while tree.was_exhausted and tree.widest > _NARROW:
            width = min(width, tree.widest) // 4
            tree = Tree(value, width, limit, known, use_fragments=False)
        data = _dump(tree, limit)
    while data is None and width > 1:
        width = max(1, width // 4)
        data = _dump(Tree(value, width, limit, known, use_fragments=False), limit)
    if data is None:
        data = dumps(f"<{class_name(type(value))[:24]}: too large to record>")
    return data.decode("utf-8")


def _dump(tree: Tree, limit: int) -> bytes | None:
    """The JSON of ``tree``, or None where even with its strings cut short it is over ``limit`` bytes."""
    places = tree.places
    if sum(place.length for place in places) <= limit:
        for place in places:
            place.target[place.key] = valid_text(hide_in_string(place.text) if tree.hides_secrets else place.text)
        data = dumps(tree.holder[0])
        if len(data) <= limit:
            return data
    for place in places:
        place.target[place.key] = ""
    room = limit - len(dumps(tree.holder[0]))
    _share_out(places, max(0, room), hide_in_string if tree.hides_secrets else str)
    data = dumps(tree.holder[0])
    return data if len(data) <= limit else None


def _share_out(places: list[Place], room: int, hide: Callable[[str], str]) -> None:
    """Put as much of each text in its place as its fair share of ``room`` bytes allows."""
    # A character takes a byte at least: no text needs to be looked at further than a share of that many characters.
    share = fair_share([place.length for place in places], room)
    bodies = [dumps(valid_text(hide(place.text[: int(min(share, place.length)) + 1])))[1:-1] for place in places]
    sizes = [max(place.length, len(body)) for place, body in zip(places, bodies, strict=True)]
    share = fair_share(sizes, room)
    for place, body, size in zip(places, bodies, sizes, strict=True):
        shown = body
        if size > share or len(place.text) < place.length:
            mark = cut_mark(place.length).encode("utf-8")
            shown = _cut_json(body, max(0, int(min(share, size)) - len(mark))) + mark
        place.target[place.key] = Fragment(b'"' + shown + b'"')


def _cut_json(body: bytes, size: int) -> bytes:
    """At most ``size`` bytes of the inside of a JSON string, without half a character or half an escape at the end."""
    while 0 < size < len(body) and body[size] & 0xC0 == 0x80:  # the middle of a character
        size -= 1
    body = body[:size]
    partial = _PARTIAL_ESCAPE.search(body, max(0, size - 4))
    end = partial.start() if partial else len(body)
    backslashes = end - len(body[:end].rstrip(b"\\"))
    # An even number of backslashes is so many escaped ones; the last of an odd number begins an escape.
    return body[: end - 1] if backslashes % 2 else body
