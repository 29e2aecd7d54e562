"""One candidate of Gemini's responses, put together from its chunks; a whole response is one chunk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...semconv.fields import field, fields, list_field, text_field
from ...semconv.messages import make_message
from ...semconv.parts import drop_none, read_parts
from ...semconv.types import ContentPart, Message, ToolCall
from ..pieces import Pieces, Room, plain_copy
from .arguments import StreamedArguments
from .usage import field_names

__all__ = ["AssembledCandidate"]

_CONTINUES = ("CONTINUATION", "FINISH_REASON_UNSPECIFIED")


class AssembledCandidate:
    """What the chunks of one candidate amount to."""

    def __init__(self, room: Room, *, is_whole: bool) -> None:
        """Nothing so far.

        Args:
            room: What all text is taken from.
            is_whole: Whether there is just one chunk, whose objects may be read later instead of being copied.
        """
        self.finish_reason: str | None = None
        self._room = room
        self._is_whole = is_whole
        self._role: str | None = None
        self._parts: list[_Run | _Call | _Part] = []
        self._open_call: _Call | None = None
        self._sources: dict[tuple[object, ...], ContentPart] = {}
        self._finish_message: str | None = None
        self._left_out: set[str] = set()

    @property
    def is_finished(self) -> bool:
        """Whether nothing more of it follows."""
        return self.finish_reason is not None and self.finish_reason not in _CONTINUES

    def add(self, candidate: object) -> None:
        """Take in what one chunk says of the candidate."""
        candidate = fields(candidate)
        self.finish_reason = text_field(candidate, *field_names("finish_reason")) or self.finish_reason
        self._finish_message = text_field(candidate, *field_names("finish_message")) or self._finish_message
        content = fields(field(candidate, "content"))
        self._role = text_field(content, "role") or self._role
        for part in list_field(content, "parts"):
            self._add_part(fields(part) or part)
        for source in _sources_of(candidate):
            key = tuple(sorted(source.items()))  # each chunk may list them all again
            kept = None if key in self._sources else self._copied(source)
            if kept is not None:
                self._sources[key] = kept

    def message(self) -> Message:
        """The message so far: its parts, and after them the sources it is based on."""
        parts = [part.written() for part in self._parts]
        parts = [part for part in parts if part != {"type": "text", "text": ""}]  # the last chunk's
        if self._finish_message is not None:  # such as the call that could not be parsed
            parts.append({"type": "text", "text": self._finish_message})
        return make_message(self._role or "model", [*parts, *self._sources.values()])

    def _add_part(self, part: object) -> None:
        call = field(part, *field_names("function_call"))
        if call is not None and self._add_piece_of_call(part, call):
            return
        read = read_parts([_in_known_form(part)])
        if read.results:  # of a function that the client ran within the turn
            self._keep({"type": "text", "text": part})
            return
        is_text = isinstance(field(part, "text"), str)
        for content in read.contents:
            if is_text and content["type"] in ("text", "reasoning"):
                self._add_text(content)
            else:
                self._keep(content)

    def _add_text(self, content: Any) -> None:
        """Take in a piece of text or thought; one goes on with the last of its kind up to a signature."""
        last = self._parts[-1] if self._parts else None
        if not isinstance(last, _Run) or not last.takes(content["type"]):
            if not self._room.take(1):
                return
            last = _Run(content["type"], self._room)
            self._parts.append(last)
        last.add(content)

    def _add_piece_of_call(self, part: object, call: object) -> bool:
        """Take in a function call whose arguments are streamed; False where ``call`` is a whole one."""
        goes_on = field(call, *field_names("will_continue")) is True
        is_piece = goes_on or field(call, *field_names("partial_args")) is not None
        begins = text_field(call, "name") is not None
        if not begins and self._open_call is None:
            return not fields(call)  # the empty one that closes a call may come twice
        if begins and not is_piece:
            return False
        if begins:
            read = read_parts([part]).contents[0]
            header = plain_copy(read.get("tool_call"), self._room)
            if not isinstance(header, dict):
                return True
            self._open_call = _Call(header, self._room)  # type: ignore[arg-type]
            self._parts.append(self._open_call)
        if self._open_call is not None:
            self._open_call.arguments.add(call)
        if not goes_on:
            self._open_call = None
        return True

    def _keep(self, content: Any) -> None:
        """Take in a part that came whole; of the first of a kind that there is no room for, that it was there."""
        kept = self._copied(content)
        if kept is None and content["type"] not in self._left_out:
            self._left_out.add(content["type"])
            kept = {"type": "text", "text": f"[{content['type']}, too large to record]"}
        if kept is not None:
            self._parts.append(_Part(kept))

    def _copied(self, content: Any) -> ContentPart | None:
        """``content`` in a form that keeps nothing of the chunk, or None where there is no room for it."""
        if self._is_whole:
            return content  # type: ignore[no-any-return]
        url = content.get("url")
        if isinstance(url, str) and not self._room.take(len(url)):  # which would be none if it were cut
            return None
        copy = plain_copy({name: value for name, value in content.items() if name != "url"}, self._room)
        if isinstance(copy, dict) and url is not None:
            copy["url"] = url
        return copy  # type: ignore[no-any-return]


class _Part:
    """A part that came whole."""

    __slots__ = ("_content",)

    def __init__(self, content: ContentPart) -> None:
        self._content = content

    def written(self) -> ContentPart:
        return self._content


class _Run:
    """Successive pieces of one text, or of one thought, up to its signature."""

    __slots__ = ("_kind", "_pieces", "_signature")

    def __init__(self, kind: str, room: Room) -> None:
        self._kind = kind
        self._pieces = Pieces(room)
        self._signature: str | None = None

    def takes(self, kind: str) -> bool:
        """Whether a piece of ``kind`` goes on with this part."""
        return self._kind == kind and self._signature is None

    def add(self, content: Any) -> None:
        self._pieces.add(content.get("text"))
        self._signature = content.get("signature")

    def written(self) -> ContentPart:
        return drop_none(  # type: ignore[return-value]
            type=self._kind, text=self._pieces.text(), signature=self._signature
        )


class _Call:
    """A function call whose arguments come in pieces."""

    __slots__ = ("_header", "arguments")

    def __init__(self, header: ToolCall, room: Room) -> None:
        self._header = header
        self.arguments = StreamedArguments(room)

    def written(self) -> ContentPart:
        return {"type": "tool_use", "tool_call": {**self._header, "arguments": self.arguments.written()}}


def _in_known_form(part: object) -> object:
    """``part``, where it is a call of a tool that Google runs, as a tool call is written elsewhere."""
    call = field(part, *field_names("tool_call"))
    if call is None:
        return part
    return {
        "type": "tool_use",
        "id": text_field(call, "id"),
        "name": text_field(call, *field_names("tool_type")),
        "input": field(call, "args"),
        "thought_signature": field(part, *field_names("thought_signature")),
    }


def _sources_of(candidate: object) -> Iterator[ContentPart]:
    """What the answer is grounded in, and what it recites."""
    grounding = field(candidate, *field_names("grounding_metadata"))
    for chunk in list_field(grounding, *field_names("grounding_chunks")):
        found = field(chunk, "web", *field_names("retrieved_context"), "maps", "image")
        source = drop_none(
            url=text_field(found, "uri", *field_names("source_uri")),
            content=text_field(found, "text"),
            name=text_field(found, "title"),
        )
        if source:
            yield {"type": "document", **source}  # type: ignore[misc]
    recitation = field(candidate, *field_names("citation_metadata"))
    for citation in list_field(recitation, "citations", *field_names("citation_sources")):
        source = drop_none(url=text_field(citation, "uri"), name=text_field(citation, "title"))
        if source:
            yield {"type": "document", **source}  # type: ignore[misc]
