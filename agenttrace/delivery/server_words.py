"""What a server says in its own words about what it refuses: short, printable, and without any secret of ours."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from urllib.parse import parse_qsl, quote, urlsplit

from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status

__all__ = ["ServerWords", "without_words", "words_in"]

LONGEST = 200
"""Characters of a server's words that are shown at most."""

_LONGEST_READ = 4_096  # of what is looked through for secrets
_INTRODUCTION = "; it says: "
_MASK = "***"
# How much of a secret has to stand in a row to be recognised. Servers quote keys with their middle left out.
_WINDOW = 6
# Headers whose values tell nobody anything, so that what a server says about them can be read.
_NO_SECRETS = frozenset({"content-encoding", "content-type", "user-agent", "x-langfuse-ingestion-version"})
# Where servers put the sentence, the most telling first: gRPC gateways and Langfuse, FastAPI, everybody else.
_KEYS = ("message", "detail", "error_description", "error", "errors", "msg", "title", "reason")


class ServerWords:
    """Adds a server's words to what we say about its answer.

    Args:
        headers: What is sent to the server, whose values it must not bring back to light.
        address: The server's URL, whose query may be secret.
    """

    def __init__(self, headers: Mapping[str, str], address: str = "") -> None:
        self._secrets = tuple(_secrets(headers, address))
        self.has_credentials: bool = bool(self._secrets)
        """Whether anything is sent that may be credentials."""

    def after(self, problem: str, words: str) -> str:
        """``problem`` and, where the server said something, that too.

        Args:
            problem: A sentence of our own, without a full stop.
            words: What the server said, as it came.
        """
        shown = self.shown(words)
        return f"{problem}{_INTRODUCTION}{shown}" if shown else problem

    def shown(self, words: str) -> str:
        """``words`` as they may be shown: one line of at most `LONGEST` characters, our secrets masked."""
        text = "".join(character if character.isprintable() else " " for character in words[:_LONGEST_READ])
        text = " ".join(_masked(" ".join(text.split()), self._secrets).split()).rstrip(".")
        return text if len(text) <= LONGEST else text[: LONGEST - 1].rstrip() + "…"


def without_words(problem: str) -> str:
    """``problem`` without what the server said, which may be other for each request: what makes two problems the same.

    Args:
        problem: What `ServerWords.after` gave.
    """
    return problem.partition(_INTRODUCTION)[0]


def words_in(body: bytes, content_type: str) -> str:
    """The sentence in the body of an HTTP answer: JSON, a ``google.rpc.Status``, or text. Empty where there is none.

    Args:
        body: The body, or its beginning.
        content_type: What the answer says it is.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "text/html" or not body:
        return ""
    if "protobuf" in kind:
        try:
            return str(Status.FromString(body).message)
        except DecodeError:
            return ""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return ""
    if text.lstrip()[:1] in ("{", "["):
        try:
            return next(_sentences(json.loads(text)), "")
        except (ValueError, RecursionError):
            return ""
    return "" if text.lstrip().startswith("<") else text


def _sentences(value: object) -> Iterator[str]:
    if isinstance(value, str):
        if value.strip():
            yield value
    elif isinstance(value, list):
        for item in value:
            yield from _sentences(item)
    elif isinstance(value, dict):
        for key in _KEYS:
            yield from _sentences(value.get(key))


def _secrets(headers: Mapping[str, str], address: str) -> Iterator[str]:
    for name, value in headers.items():
        if name.lower() not in _NO_SECRETS:
            for part in _parts(name.lower(), value):
                yield part
                yield quote(part, safe="")
    for name, value in parse_qsl(urlsplit(address).query, keep_blank_values=True):
        yield from (value, quote(value, safe="")) if value else (name,)


def _parts(name: str, value: str) -> Iterator[str]:
    """What is secret in a header: not the scheme of an authorization, but all else, user name and password too."""
    scheme, _, rest = value.partition(" ")
    if not name.endswith("authorization") or not rest.strip():
        yield value
        return
    token = rest.strip()
    yield token
    if scheme.lower() == "basic":
        try:
            decoded = base64.b64decode(token, validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError):
            return
        yield decoded
        yield from decoded.split(":", 1)


def _masked(text: str, secrets: Iterable[str]) -> str:
    """``text`` without the secrets, and without pieces of them that are long enough to be one."""
    is_hidden = [False] * len(text)
    for secret in secrets:
        for pattern in _patterns(secret):
            for match in pattern.finditer(text):
                for position in range(*match.span(1)):
                    is_hidden[position] = True
    pieces = groupby(range(len(text)), key=is_hidden.__getitem__)
    return "".join(_MASK if hides else "".join(text[position] for position in piece) for hides, piece in pieces)


def _patterns(secret: str) -> Iterator[re.Pattern[str]]:
    secret = " ".join(secret.split())
    if not secret:
        return
    if len(secret) < _WINDOW:
        # So short that it stands in many a word: there it isn't the secret.
        yield re.compile(rf"(?<!\w)({re.escape(secret)})(?!\w)", re.IGNORECASE)
        return
    windows = {secret[start : start + _WINDOW] for start in range(len(secret) - _WINDOW + 1)}
    # Looking ahead finds windows that overlap.
    yield re.compile(f"(?=({'|'.join(map(re.escape, windows))}))", re.IGNORECASE)
