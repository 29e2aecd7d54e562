"""One choice of a streamed chat completion, put together from its deltas."""

from __future__ import annotations

import json
from typing import Any

from ...semconv.fields import as_list, field, list_field, text_field
from ...semconv.parts import drop_none
from ..pieces import Pieces, Room, plain_copy

__all__ = ["AssembledChoice"]

_LONGEST_NAME = 1024


class AssembledChoice:
    """What the deltas of one choice amount to."""

    def __init__(self, room: Room) -> None:
        """Nothing so far; all text goes into ``room``."""
        self.finish_reason: str | None = None
        self._room = room
        self._role: str | None = None
        self._contents: list[_Run] = []
        self._has_content = False
        self._reasoning = Pieces(room)
        self._thinking: list[_Run] = []
        self._refusal = Pieces(room)
        self._transcript = Pieces(room)
        self._images: list[Any] = []
        self._calls = _Calls(room)

    def add(self, choice: object) -> None:
        """Take in one choice of a chunk."""
        self.finish_reason = text_field(choice, "finish_reason") or self.finish_reason
        delta = field(choice, "delta", "message")
        if delta is None:
            return
        self._role = text_field(delta, "role") or self._role
        self._add_content(field(delta, "content"))
        self._reasoning.add(field(delta, "reasoning_content", "reasoning"))
        for block in list_field(delta, "thinking_blocks"):
            _add_run(self._thinking, block, self._room)
        self._refusal.add(field(delta, "refusal"))
        self._transcript.add(text_field(field(delta, "audio"), "transcript"))
        for image in list_field(delta, "images"):
            if self._room.left > 0:
                self._images.append(plain_copy(image, self._room))
        for call in list_field(delta, "tool_calls"):
            self._calls.add(call)
        legacy = field(delta, "function_call")
        if legacy is not None:
            self._calls.add_legacy(legacy)

    def message(self) -> dict[str, Any]:
        """The message in the shape that a whole completion has."""
        contents = [run.part() for run in self._contents]
        content: Any = contents or ("" if self._has_content and not self._refusal else None)
        if len(contents) == 1 and contents[0].get("type") == "text":
            content = contents[0]["text"]
        return drop_none(
            role=self._role or "assistant",
            content=content,
            reasoning_content=self._reasoning.text() or None,
            thinking_blocks=[run.part() for run in self._thinking] or None,
            refusal=self._refusal.text() or None,
            audio={"transcript": self._transcript.text()} if self._transcript else None,
            images=self._images or None,
            tool_calls=self._calls.written() or None,
        )

    def _add_content(self, content: object) -> None:
        if isinstance(content, str):
            self._has_content = True
            if content:
                _add_run(self._contents, {"type": "text", "text": content}, self._room)
            return
        for part in as_list(content):  # Mistral's, where thoughts stand among the text
            _add_run(self._contents, part, self._room)


class _Run:
    """Successive pieces of one part: a text, or a thought up to its signature."""

    __slots__ = ("kind", "other", "pieces", "signature")

    def __init__(self, kind: str, room: Room) -> None:
        self.kind = kind
        self.pieces = Pieces(room)
        self.signature: str | None = None
        self.other: dict[str, Any] = {}

    def part(self) -> dict[str, Any]:
        """The whole part."""
        if self.kind == "other":
            return self.other
        return drop_none(type=self.kind, **{self.kind: self.pieces.text()}, signature=self.signature)

    def takes(self, kind: str) -> bool:
        """Whether a piece of ``kind`` goes on with this part."""
        return self.kind == kind != "other" and self.signature is None


def _add_run(runs: list[_Run], part: object, room: Room) -> None:
    if isinstance(part, str):
        part = {"type": "text", "text": part}
    written = text_field(part, "type")
    kind = written if written in ("text", "thinking") else "other"
    if not runs or not runs[-1].takes(kind):
        if not room.take(1):
            return
        runs.append(_Run(kind, room))
    run = runs[-1]
    if kind == "other":
        copied = plain_copy(part, room)
        run.other = copied if isinstance(copied, dict) else {"type": "text", "text": copied}
        return
    inner = field(part, kind)
    for piece in as_list(inner) or (inner,):  # Mistral's thoughts are lists of texts
        run.pieces.add(piece if isinstance(piece, str) else field(piece, "text"))
    run.signature = text_field(part, "signature")


class _Calls:
    """The calls of one choice, whose arguments come in pieces that may take turns."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._calls: list[_Call] = []
        self._by_key: dict[int | str, _Call] = {}

    def add(self, piece: object) -> None:
        """Take in one entry of a delta's ``tool_calls``."""
        index = field(piece, "index")
        identifier = text_field(piece, "id")
        if identifier == "null":  # Mistral's stand-in for none
            identifier = None
        function = field(piece, "function", "custom")
        key = index if type(index) is int else identifier
        call = self._find(key, identifier, begins=text_field(function, "name") is not None)
        if call is None:
            call = self._new(key)
        if call is not None:
            call.add(identifier, function)

    def add_legacy(self, function: object) -> None:
        """Take in a delta's ``function_call``, of which there is one at most."""
        call = self._by_key.get("function_call") or self._new("function_call")
        if call is not None:
            call.add(None, function)

    def written(self) -> list[dict[str, Any]]:
        """The calls in the shape that a whole completion has."""
        return [call.written() for call in self._calls]

    def _find(self, key: int | str | None, identifier: str | None, *, begins: bool) -> _Call | None:
        """The call that a piece goes on with. Not all servers count: some give all calls one index, some none."""
        if key is None:
            return self._calls[-1] if self._calls and not begins else None
        call = self._by_key.get(key)
        if call is not None and begins and None not in (identifier, call.identifier) and identifier != call.identifier:
            return None
        return call

    def _new(self, key: int | str | None) -> _Call | None:
        if not self._room.take(1):
            return None
        call = _Call(self._room)
        self._calls.append(call)
        if key is not None:
            self._by_key[key] = call
        return call


class _Call:
    """One call."""

    __slots__ = ("_arguments", "_has_arguments", "_name", "_room", "identifier")

    def __init__(self, room: Room) -> None:
        self._room = room
        self.identifier: str | None = None
        self._name = ""
        self._arguments = Pieces(room)
        self._has_arguments = False

    def add(self, identifier: str | None, function: object) -> None:
        """Take in what a piece says of it."""
        if self.identifier is None and identifier is not None and self._room.take(len(identifier)):
            self.identifier = identifier
        name = text_field(function, "name")
        if name is not None and name != self._name and len(self._name) < _LONGEST_NAME:  # some repeat it in each piece
            self._name += name[:_LONGEST_NAME]
        arguments = field(function, "arguments", "input")
        self._has_arguments = self._has_arguments or arguments is not None
        self._arguments.add(arguments if isinstance(arguments, str) else _as_json(arguments))

    def written(self) -> dict[str, Any]:
        """The call in the shape that a whole completion has."""
        arguments = self._arguments.text() if self._has_arguments else None
        function = drop_none(name=self._name or None, arguments=arguments)
        return drop_none(id=self.identifier, type="function", function=function)


def _as_json(value: object) -> str | None:
    if value is None:
        return None
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return None
