"""The parts of a message in any provider's shape → OpenInference's content parts.

OpenAI (chat and responses), Anthropic, Gemini, Mistral, Cohere, LangChain and smolagents each have shapes of their own
for a text, an image, a thought, a tool call or its result. All are told by ``type`` or by the fields they have.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from typing import Any, NamedTuple

from .fields import field, fields, from_package, text_field
from .types import ContentPart, ReasoningPart, TextPart, ToolCall

__all__ = ["Parts", "ToolResult", "drop_none", "joined_text", "read_parts", "read_tool_call", "text_part"]

_MOST_INLINE_BYTES = 1_000_000  # of raw data that is written as a data URI; what is larger is described
_MOST_PIXELS = 65_536  # of an image in memory that is encoded; a larger one would take more time than a call should


class ToolResult(NamedTuple):
    """What a tool answered, which stands among a message's parts but is a message of its own in OpenInference."""

    tool_call_id: str | None
    name: str | None
    content: Any


class Parts(NamedTuple):
    """A message's parts, sorted."""

    contents: list[ContentPart]
    """In order; calls of tools among them."""
    results: list[ToolResult]


def read_parts(content: object) -> Parts:
    """The parts of ``content``: a string, a part, or a list of them.

    Args:
        content: What a message has as content, in any of the shapes that providers use.
    """
    parts = Parts([], [])
    for item in content if isinstance(content, (list, tuple)) else () if content is None else (content,):
        if isinstance(item, str):
            parts.contents.append({"type": "text", "text": item})
        else:
            _read_part(item, parts)
    return parts


def read_tool_call(call: object) -> ToolCall | None:
    """``call``, in the shape of OpenAI (and all who share it), LangChain, Anthropic or Gemini, as a tool call."""
    function = field(call, "function")
    named = call if function is None or isinstance(function, str) else function
    name = text_field(named, "name") or (function if isinstance(function, str) else None)
    if name is None:
        return None
    read: ToolCall = {"name": name}
    # OpenAI's responses have an id of the item beside the call's own.
    identifier = text_field(call, "call_id", "id", "tool_call_id")
    if identifier is not None and identifier != "null":  # Mistral's stand-in for none
        read["id"] = identifier
    arguments = field(named, "arguments", "args", "input", "parameters")
    if arguments is not None:
        read["arguments"] = arguments
    signature = _opaque(field(call, "thought_signature", "thoughtSignature", "reasoning_signature"))
    if signature is not None:
        read["reasoning_signature"] = signature
    return read


def joined_text(content: object) -> Any:
    """The text of ``content`` where it is nothing but text, in one string; else ``content`` itself."""
    if isinstance(content, str):
        return content
    parts = read_parts(content)
    texts = [part["text"] for part in parts.contents if part["type"] == "text"]
    if texts and len(texts) == len(parts.contents) and all(isinstance(text, str) for text in texts):
        return "".join(texts)
    return content


def text_part(value: Any) -> TextPart:
    """A part of text; a value that is no string is written as JSON when it is recorded."""
    return {"type": "text", "text": value}


def drop_none(**values: Any) -> dict[str, Any]:
    """The values that aren't None."""
    return {name: value for name, value in values.items() if value is not None}


def _read_part(part: object, parts: Parts) -> None:
    kind = text_field(part, "type")
    read = _BY_TYPE.get(kind or "")
    if read is None:
        read = next((reader for name, reader in _BY_FIELD.items() if field(part, name) is not None), None)
    if read is not None:
        read(part, parts)
    else:
        _unknown(part, parts)


def _text(part: object, parts: Parts) -> None:
    text = field(part, "text", "content", "refusal")
    if not isinstance(text, str):
        text = field(text, "value") or text  # of OpenAI's assistants
    if field(part, "thought") is True:
        parts.contents.append(_reasoning_part(text, signature=field(part, "thought_signature", "thoughtSignature")))
        return
    read: Any = {"type": "text", "text": "" if text is None else text}
    signature = _opaque(field(part, "thought_signature", "thoughtSignature", "signature"))
    if signature is not None:
        read["signature"] = signature
    parts.contents.append(read)


def _reasoning(part: object, parts: Parts) -> None:
    thought = field(part, "thinking", "reasoning", "summary", "text")
    texts = joined_text(thought) if isinstance(thought, (list, tuple)) else thought
    if not texts:
        texts = joined_text(field(part, "content"))
    parts.contents.append(
        _reasoning_part(
            texts or None,
            id=text_field(part, "id"),
            signature=field(part, "signature"),
            data=field(part, "data"),
            encrypted_content=text_field(part, "encrypted_content"),
        )
    )


def _reasoning_part(text: Any, **more: Any) -> ReasoningPart:
    opaque = {name: _opaque(value) for name, value in more.items()}
    return drop_none(type="reasoning", text=text, **opaque)  # type: ignore[return-value]


def _tool_use(part: object, parts: Parts) -> None:
    inner = field(part, "function_call", "functionCall", "toolUse", "tool_call")
    call = read_tool_call(part if inner is None else {"thought_signature": _signature(part), **fields(inner)})
    if call is None:
        _unknown(part, parts)
    else:
        parts.contents.append({"type": "tool_use", "tool_call": call})


def _signature(part: object) -> Any:
    return field(part, "thought_signature", "thoughtSignature")


def _tool_result(part: object, parts: Parts) -> None:
    inner = field(part, "function_response", "functionResponse", "toolResult")
    source = part if inner is None else inner
    parts.results.append(
        ToolResult(
            text_field(source, "tool_use_id", "toolUseId", "tool_call_id", "call_id", "id"),
            text_field(source, "name"),
            field(source, "content", "response", "output"),
        )
    )


def _image(part: object, parts: Parts) -> None:
    source = field(part, "image_url", "image", "source", "url", "base64", "file_id")
    url = _url(source, part, "image/png")
    if url is None and from_package(source, "PIL"):
        url = _encoded_image(source)
    if url is None:
        parts.contents.append({"type": "text", "text": _described(source)})
    else:
        parts.contents.append({"type": "image", "url": url})


def _audio(part: object, parts: Parts) -> None:
    source = field(part, "input_audio", "audio", "audio_url", "source", "url", "base64")
    kind = text_field(source, "format") or text_field(part, "format")
    mime_type = text_field(part, "mime_type", "media_type") or (f"audio/{kind}" if kind else None)
    read = drop_none(
        type="audio",
        url=_url(source, part, mime_type or "audio/wav"),
        mime_type=mime_type,
        transcript=text_field(source, "transcript") or text_field(part, "transcript"),
    )
    parts.contents.append(read)  # type: ignore[arg-type]


def _video(part: object, parts: Parts) -> None:
    url = _url(field(part, "video_url", "video", "source", "url", "base64"), part, "video/mp4")
    parts.contents.append({"type": "video", "url": url} if url else {"type": "text", "text": _described(part)})


def _document(part: object, parts: Parts) -> None:
    source = field(part, "source", "file", "document", "document_url")
    holder = part if source is None or isinstance(source, str) else source
    text = field(holder, "data", "content", "text") if text_field(holder, "type") in ("text", "content") else None
    url = source if isinstance(source, str) else None
    if url is None and text is None:
        url = _url(field(holder, "file_data", "file_url", "url", "data", "base64"), holder, "application/pdf")
    read = drop_none(
        type="document",
        id=text_field(holder, "file_id"),
        url=url,
        content=joined_text(text) if text is not None else text_field(field(part, "data"), "text"),
        mime_type=text_field(holder, "media_type", "mime_type"),
        name=text_field(part, "title", "filename", "document_name") or text_field(holder, "filename", "name"),
    )
    parts.contents.append(read)  # type: ignore[arg-type]


def _inline_data(part: object, parts: Parts) -> None:
    """Gemini's bytes and files, of any kind."""
    source = field(part, "inline_data", "inlineData", "file_data", "fileData")
    mime_type = text_field(source, "mime_type", "mimeType") or ""
    url = text_field(source, "file_uri", "fileUri") or _url(field(source, "data"), source, mime_type)
    kind = mime_type.partition("/")[0]
    if url is None:
        parts.contents.append({"type": "text", "text": f"[{mime_type or 'data'}, too large to record]"})
    elif kind in ("image", "video"):
        parts.contents.append({"type": kind, "url": url})  # type: ignore[arg-type, misc]
    elif kind == "audio":
        parts.contents.append({"type": "audio", "url": url, "mime_type": mime_type})
    else:
        parts.contents.append(drop_none(type="document", url=url, mime_type=mime_type or None))  # type: ignore[arg-type]


def _code(part: object, parts: Parts) -> None:
    """Gemini's code and what came of it."""
    source = field(part, "executable_code", "executableCode", "code_execution_result", "codeExecutionResult")
    parts.contents.append({"type": "text", "text": field(source, "code", "output") or ""})


def _unknown(part: object, parts: Parts) -> None:
    parts.contents.append(text_part(fields(part) or part))


def _url(source: object, part: object, mime_type: str) -> str | None:
    """What ``source`` is as a URL: one already, data to be made one, or None."""
    if isinstance(source, str):
        if source.startswith(("http:", "https:", "data:", "gs:", "s3:", "file:")) or "://" in source[:32]:
            return source
        if field(part, "file_id") == source:
            return source
        kind = text_field(part, "mime_type", "media_type", "mimeType") or mime_type
        return f"data:{kind};base64,{source}"
    if isinstance(source, (bytes, bytearray)):
        if len(source) > _MOST_INLINE_BYTES:
            return None
        return f"data:{mime_type};base64,{b64encode(source).decode('ascii')}"
    inner = field(source, "url", "image_url", "data", "base64", "file_id", "bytes")
    if inner is None or inner is source:
        return None
    kind = text_field(source, "media_type", "mime_type", "mimeType") or mime_type
    return _url(inner, source, kind)


def _encoded_image(image: Any) -> str | None:
    """An image in memory (PIL's) as a data URI, where it is small enough for that to take no time."""
    size = field(image, "_size")
    if not isinstance(size, tuple) or len(size) != 2 or size[0] * size[1] > _MOST_PIXELS:
        return None
    from io import BytesIO

    buffer = BytesIO()
    try:
        image.copy().save(buffer, format="PNG")
    except Exception:  # a mode that PNG has no room for, or a file that is gone: it is described instead
        return None
    return _url(buffer.getvalue(), image, "image/png")


def _described(source: object) -> str:
    size, mode = field(source, "_size"), field(source, "_mode", "mode")
    if isinstance(size, tuple) and len(size) == 2:
        return f"[image of {size[0]} by {size[1]} pixels{f', {mode}' if isinstance(mode, str) else ''}]"
    return f"[{type(source).__name__}, not recorded]"


def _opaque(value: object) -> Any:
    """A provider's opaque token as text: Gemini's client has bytes where its API has base64."""
    if isinstance(value, (bytes, bytearray)):
        return b64encode(value[:_MOST_INLINE_BYTES]).decode("ascii")
    return value


_Read = Callable[[object, Parts], None]
_BY_TYPE: dict[str, _Read] = {
    **dict.fromkeys(("text", "input_text", "output_text", "refusal", "summary_text", "reasoning_text"), _text),
    **dict.fromkeys(("thinking", "redacted_thinking", "reasoning"), _reasoning),
    **dict.fromkeys(("tool_use", "server_tool_use", "mcp_tool_use", "tool_call", "function_call"), _tool_use),
    **dict.fromkeys(("tool_result", "function_call_output"), _tool_result),
    **dict.fromkeys(("image", "image_url", "input_image"), _image),
    **dict.fromkeys(("audio", "input_audio", "audio_url"), _audio),
    **dict.fromkeys(("video", "video_url", "input_video"), _video),
    **dict.fromkeys(("document", "file", "input_file", "document_url"), _document),
}
_BY_FIELD: dict[str, _Read] = {
    **dict.fromkeys(("function_call", "functionCall", "toolUse"), _tool_use),
    **dict.fromkeys(("function_response", "functionResponse", "toolResult"), _tool_result),
    **dict.fromkeys(("inline_data", "inlineData", "file_data", "fileData"), _inline_data),
    **dict.fromkeys(("executable_code", "executableCode", "code_execution_result", "codeExecutionResult"), _code),
    "text": _text,
    "image_url": _image,
    "thinking": _reasoning,
}
