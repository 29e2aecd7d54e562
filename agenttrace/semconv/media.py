"""Images, sound, videos and files among a message's parts → OpenInference's content parts, each with a URL.

What a provider takes as base64 or as bytes is written as a data URI. That costs time in proportion to its size, so raw
bytes are written only as far as there is room, and what is too large is described.
"""

from __future__ import annotations

import sys
from base64 import b64encode
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any

from .fields import class_name, field, from_package, is_text, text_field, text_of
from .texts import joined_text
from .types import ContentPart

__all__ = ["MEDIA_BY_FIELD", "MEDIA_BY_TYPE", "Fields", "Room", "opaque", "read_image"]

_MOST_INLINE_BYTES = 1_000_000  # of one piece of raw data that is written as a data URI
_LONGEST_DATA = 32 * 1024 * 1024  # characters of base64 in one piece that are made a data URI, which copies them
_LONGEST_NAME = 256  # characters of a text that may be a file's name
_MOST_PIXELS = 65_536  # of an image in memory that is encoded; a larger one would take more time than a call should
_DEEPEST = 4  # objects within objects, down to a URL or the data
_ADDRESS = ("url", "image_url", "data", "base64", "file_id", "file_uri", "fileUri", "bytes", "source", "value")
_MIME_TYPE = ("media_type", "mime_type", "mimeType")
_INLINE = ("inline_data", "inlineData", "file_data", "fileData")

Fields = Mapping[str, Any]


class Room:
    """How much of one conversation is read.

    Args:
        parts: So many parts of messages.
        inline_bytes: So many bytes of raw data that are to be written as text.
        copied: So many characters of base64 that are to be made data URIs.
    """

    MOST_PARTS = 1000

    __slots__ = ("copied", "inline_bytes", "parts")

    def __init__(
        self, parts: int = MOST_PARTS, inline_bytes: int = 8 * _MOST_INLINE_BYTES, copied: int = 2 * _LONGEST_DATA
    ) -> None:
        self.parts: int = parts
        self.inline_bytes: int = inline_bytes
        self.copied: int = copied

    def take_part(self) -> bool:
        """Whether there is room for another part."""
        self.parts -= 1
        return self.parts >= 0

    def take_bytes(self, data: bytes | bytearray) -> bool:
        """Whether there is room to write ``data``."""
        if len(data) > min(_MOST_INLINE_BYTES, self.inline_bytes):
            return False
        self.inline_bytes -= len(data)
        return True

    def take_base64(self, text: str) -> bool:
        """Whether there is room to make a data URI of ``text``."""
        if len(text) > min(_LONGEST_DATA, self.copied):
            return False
        self.copied -= len(text)
        return True


def opaque(value: object) -> Any:
    """A provider's opaque token as text: Gemini's client has bytes where its API has base64."""
    if type(value) in (bytes, bytearray):
        return b64encode(value[:_MOST_INLINE_BYTES]).decode("ascii")  # type: ignore[index]
    return value


def read_image(source: object, part: object, room: Room) -> ContentPart:
    """The image ``source``, which stands in ``part``: an address, data, or an image in memory (PIL's)."""
    url = _url(source, part, "image/png", room)
    if url is None:
        url = _encoded_image(source, room)
    return {"type": "text", "text": _described(source)} if url is None else {"type": "image", "url": url}


def _image(part: Fields, room: Room) -> ContentPart:
    return read_image(field(part, "image_url", "image", "source", "url", "base64", "data", "file_id"), part, room)


def _audio(part: Fields, room: Room) -> ContentPart:
    source = field(part, "input_audio", "audio", "audio_url", "source", "url", "base64", "data")
    kind = text_field(source, "format") or text_field(part, "format")
    mime_type = text_field(part, *_MIME_TYPE) or (f"audio/{kind}" if kind else None)
    read: Any = {
        "type": "audio",
        "url": _url(source, part, mime_type or "audio/wav", room),
        "mime_type": mime_type,
        "transcript": text_field(source, "transcript") or text_field(part, "transcript"),
    }
    return _without_none(read)


def _video(part: Fields, room: Room) -> ContentPart:
    source = field(part, "video_url", "video", "source", "url", "base64", "data")
    url = _url(source, part, "video/mp4", room)
    return {"type": "text", "text": _described(source)} if url is None else {"type": "video", "url": url}


def _document(part: Fields, room: Room) -> ContentPart:
    source = field(part, "source", "file", "document", "document_url")
    holder = part if source is None or is_text(source) else source
    written = text_field(holder, "type") in ("text", "content")
    text = field(holder, "data", "content", "text") if written else text_field(holder, "content")
    url = text_of(source)
    if url is None and text is None and source is not None and source is field(part, "document"):
        data = field(source, "data")  # Cohere's, which is a text or an object and no file
        text = text_field(data, "text") or data
    if url is None and text is None:
        data = field(holder, "file_data", "file_url", "url", "data", "base64", "bytes", "source")
        url = _url(data, holder, "application/pdf", room)
    read: Any = {
        "type": "document",
        "id": text_field(holder, "file_id", "id"),
        "url": url,
        "content": joined_text(text),
        "mime_type": text_field(holder, *_MIME_TYPE),
        "name": text_field(part, "title", "filename", "document_name") or text_field(holder, "filename", "name"),
    }
    return _without_none(read)


def _inline_data(part: Fields, room: Room) -> ContentPart:
    """Gemini's bytes and files, of any kind."""
    source = field(part, *_INLINE)
    mime_type = text_field(source, *_MIME_TYPE) or ""
    url = _url(source, part, mime_type or "application/octet-stream", room)
    kind = mime_type.partition("/")[0]
    if url is None:
        return {"type": "text", "text": f"[{mime_type or 'data'}, too large to record]"}
    if kind == "image":
        return {"type": "image", "url": url}
    if kind == "video":
        return {"type": "video", "url": url}
    read: Any = {"type": "audio" if kind == "audio" else "document", "url": url, "mime_type": mime_type or None}
    return _without_none(read)


def _url(source: object, part: object, mime_type: str, room: Room) -> str | None:
    """What ``source`` is as a URL: one already, data to be made one, or None."""
    for _ in range(_DEEPEST):
        text = text_of(source)
        if text is not None:
            return _url_of_text(text, part, mime_type, room)
        if type(source) in (bytes, bytearray):
            data: Any = source
            return f"data:{mime_type};base64,{b64encode(data).decode('ascii')}" if room.take_bytes(data) else None
        inner = field(source, *_ADDRESS)
        if inner is None:
            return None
        mime_type = text_field(source, *_MIME_TYPE) or _mime_type_of_format(source, mime_type)
        source, part = inner, source
    return None


def _url_of_text(text: str, part: object, mime_type: str, room: Room) -> str | None:
    if text.startswith(("http:", "https:", "data:", "gs:", "s3:", "file:")) or "://" in text[:32]:
        return text
    # An identifier or the name of a file; no base64 has a dot in it.
    if len(text) <= _LONGEST_NAME and (field(part, "file_id") is text or "." in text):
        return text
    if not room.take_base64(text):
        return None
    return f"data:{text_field(part, *_MIME_TYPE) or mime_type};base64,{text}"


def _mime_type_of_format(source: object, mime_type: str) -> str:
    """``mime_type``, made exact where ``source`` says the format, as Bedrock's images do."""
    kind = text_field(source, "format")
    return mime_type if kind is None or "/" in kind else f"{mime_type.partition('/')[0]}/{kind}"


def _encoded_image(image: Any, room: Room) -> str | None:
    """An image in memory as a data URI, where it is small enough for that to take no time.

    One that is still in its file is left there.
    """
    if not from_package(image, "PIL"):
        return None
    inner = field(image, "_raw")  # of smolagents' images
    image = inner if from_package(inner, "PIL") else image
    size, pillow = field(image, "_size"), sys.modules.get("PIL.Image")
    if field(image, "_im", "im") is None or pillow is None or not _is_size(size) or size[0] * size[1] > _MOST_PIXELS:
        return None
    buffer = BytesIO()
    try:
        # A copy, since saving notes things in the image.
        pillow.Image.copy(image).save(buffer, format="PNG", compress_level=1)
    except Exception:  # a mode that PNG has no room for: it is described instead
        return None
    return _url(buffer.getvalue(), None, "image/png", room)


def _described(source: object) -> str:
    size, mode = field(source, "_size"), text_field(source, "_mode", "mode")
    if _is_size(size):
        return f"[image of {size[0]} by {size[1]} pixels{f', {mode}' if mode else ''}]"
    if type(source) in (bytes, bytearray, str):
        return f"[{len(source)} bytes, too large to record]"  # type: ignore[arg-type]
    return f"[{class_name(source)}, not recorded]"


def _is_size(size: object) -> bool:
    return type(size) is tuple and len(size) == 2 and type(size[0]) is int and type(size[1]) is int


def _without_none(read: dict[str, Any]) -> ContentPart:
    return {name: value for name, value in read.items() if value is not None}  # type: ignore[return-value]


_Read = Callable[[Fields, Room], ContentPart]
MEDIA_BY_TYPE: dict[str, _Read] = {
    **dict.fromkeys(("image", "image_url", "input_image"), _image),
    **dict.fromkeys(("audio", "input_audio", "audio_url"), _audio),
    **dict.fromkeys(("video", "video_url", "input_video"), _video),
    **dict.fromkeys(("document", "file", "input_file", "document_url"), _document),
}
"""What reads a part of this ``type``."""
MEDIA_BY_FIELD: dict[str, _Read] = {
    **dict.fromkeys(_INLINE, _inline_data),
    "image_url": _image,
    "image": _image,
    "video": _video,
    "document": _document,
}
"""What reads a part that has this field and no ``type``."""
