"""LlamaIndex's blocks, which say their kind as ``block_type``, as parts in shapes that many share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .fields import field, text_field

__all__ = ["BLOCK_TYPE", "known_block"]

BLOCK_TYPE = "block_type"
"""The field by which a block is known."""

Fields = Mapping[str, Any]


def known_block(block: Fields) -> Fields:
    """``block`` in a shape that is known for a part of a message; as it is, where there is none for its kind.

    Example:
        >>> known_block({"block_type": "tool_call", "tool_call_id": "1", "tool_name": "search", "tool_kwargs": {}})
        {'type': 'tool_use', 'id': '1', 'name': 'search', 'input': {}}
    """
    known = _BY_TYPE.get(text_field(block, BLOCK_TYPE) or "")
    return block if known is None else {name: value for name, value in known(block).items() if value is not None}


def _text(block: Fields) -> Fields:
    return {"type": "text", "text": field(block, "text")}


def _thinking(block: Fields) -> Fields:
    more = field(block, "additional_information")
    return {"type": "thinking", "thinking": field(block, "content"), "signature": text_field(more, "signature")}


def _tool_call(block: Fields) -> Fields:
    return {
        "type": "tool_use",
        "id": text_field(block, "tool_call_id"),
        "name": text_field(block, "tool_name"),
        "input": field(block, "tool_kwargs"),
    }


def _medium(kind: str, mime_type: str, *data: str) -> Callable[[Fields], Fields]:
    """What reads a block whose data stands under one of ``data``: in base64, which LlamaIndex keeps as bytes."""

    def read(block: Fields) -> Fields:
        held = field(block, *data)
        url = field(block, "url")
        return {
            "type": kind,
            "base64": held.decode("ascii", "replace") if isinstance(held, bytes) else None,
            "url": None if url is None else str(url),
            "mime_type": text_field(block, mime_type),
            "format": text_field(block, "format"),
            "name": text_field(block, "title"),
        }

    return read


_BY_TYPE: dict[str, Callable[[Fields], Fields]] = {
    "text": _text,
    "thinking": _thinking,
    "tool_call": _tool_call,
    "image": _medium("image", "image_mimetype", "image"),
    "audio": _medium("audio", "audio_mimetype", "audio"),
    "video": _medium("video", "video_mimetype", "video"),
    "document": _medium("document", "document_mimetype", "data"),
}
