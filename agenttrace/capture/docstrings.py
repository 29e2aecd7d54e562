"""What a docstring says about each parameter, in Google, NumPy, reST and Epydoc style, and what is left without that.

Read line by line in one pass, in time proportional to the text. A docstring that follows no style, or several, costs
nothing but what could not be understood: every line is either some parameter's or part of the description.
"""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass, field

MAX_DOCSTRING_CHARACTERS = 100_000
"""What is read of a docstring; what comes after is left out."""

_PARAMETER_TITLES = frozenset(
    {
        "args",
        "arguments",
        "parameters",
        "params",
        "keyword args",
        "keyword arguments",
        "other args",
        "other arguments",
        "other parameters",
    }
)
_OTHER_TITLES = frozenset(
    {
        "attributes",
        "example",
        "examples",
        "note",
        "notes",
        "raises",
        "references",
        "return",
        "returns",
        "see also",
        "todo",
        "warning",
        "warnings",
        "warns",
        "yield",
        "yields",
    }
)
_TITLE = re.compile(r"([A-Za-z][A-Za-z ]{0,30}):\s*$")
# One name, or several with commas between; stars, backslashes and backticks around a name are markup.
_NAME = r"[*`\\]{0,6}[^\W\d]\w*[*`]{0,4}"
_NAMES = re.compile(rf"({_NAME}(?:\s*,\s*{_NAME})*)\s*")
_DASH = re.compile(r"(?:--?|\u2013|\u2014)\s+")
_BULLET = re.compile(r"[-*+\u2022]\s+")
_LIST_ITEM = re.compile(r"(?:[-*+\u2022]|\d{1,3}[.)])\s+")
_FIELD = re.compile(r"\s*[:@](param|parameter|arg|argument|key|keyword|kwarg|type|kwtype)\s([^:]+):(.*)$")
# A role at the beginning of a line (:class:`Path`) is text.
_ANY_FIELD = re.compile(r"\s*(?::\w+(?:\s[^:]*)?:(?!`)|@\w+)")
_OPENING, _CLOSING = "([{", ")]}"


@dataclass
class ParsedDocstring:
    """A docstring taken apart."""

    description: str = ""
    """Summary and body without the parameter sections, dedented and stripped."""
    parameters: dict[str, str] = field(default_factory=dict)
    """What is said of each parameter, by its name without stars. A name without a text is left out."""


def parameter_descriptions(docstring: str | None) -> dict[str, str]:
    r"""What ``docstring`` says about each parameter.

    Args:
        docstring: As a function carries it, or None. Anything else than text reads as None.

    Returns:
        The text of each parameter that has one, by its name without stars (``args`` for ``*args``). Wrapped lines
        are joined; paragraphs, list items and code keep lines of their own.

    Example:
        >>> parameter_descriptions("Add.\n\nArgs:\n    a (int): One number.\n    b: The\n        other.")
        {'a': 'One number.', 'b': 'The other.'}
    """
    return parse_docstring(docstring).parameters


def parse_docstring(docstring: object, *, attributes: bool = False) -> ParsedDocstring:
    """Take ``docstring`` apart into its description and its parameters.

    Args:
        docstring: As an object carries it. Anything but text reads as an empty one.
        attributes: Whether sections named "Attributes" describe parameters too, as they do for a data class.
    """
    if type(docstring) is not str:
        return ParsedDocstring()
    text = inspect.cleandoc(docstring[:MAX_DOCSTRING_CHARACTERS])
    titles = _PARAMETER_TITLES | {"attributes"} if attributes else _PARAMETER_TITLES
    return _Reader(text.splitlines(), titles).read()


class _Reader:
    """One pass over the lines of a docstring; ``position`` is the line that is read next."""

    def __init__(self, lines: list[str], titles: frozenset[str]) -> None:
        self.lines = lines
        self.titles = titles
        self.position = 0
        self.body: list[str] = []
        self.parameters: dict[str, str] = {}

    def read(self) -> ParsedDocstring:
        while self.position < len(self.lines):
            line = self.lines[self.position]
            if line.lstrip().startswith("```"):
                self._copy_fenced_code()
            elif (match := _FIELD.match(line)) is not None:
                self._read_field(match)
            elif self._is_underlined(self.position) and self._is_title(line.strip().rstrip(":")):
                self._read_numpy_section()
            elif (title := _title(line)) is None or not self._starts_google_section(title):
                self.body.append(line)
                self.position += 1
        return ParsedDocstring(_join_body(self.body), self.parameters)

    def _is_title(self, title: str) -> bool:
        return title.lower() in self.titles

    def _is_underlined(self, position: int) -> bool:
        if position + 1 >= len(self.lines) or not self.lines[position].strip():
            return False
        underline = self.lines[position + 1].strip()
        return len(underline) >= 3 and (set(underline) == {"-"} or set(underline) == {"="})

    def _next_filled(self, position: int) -> int | None:
        """The first line from ``position`` on that is not blank, or None."""
        for later in range(position, len(self.lines)):
            if self.lines[later].strip():
                return later
        return None

    def _keep(self, names: list[str], lines: list[str]) -> None:
        text = _flow(lines)
        for name in names:
            if text and name not in self.parameters:
                self.parameters[name] = text

    def _copy_fenced_code(self) -> None:
        self.body.append(self.lines[self.position])
        self.position += 1
        while self.position < len(self.lines):
            line = self.lines[self.position]
            self.body.append(line)
            self.position += 1
            if line.lstrip().startswith("```"):
                return

    # reST and Epydoc

    def _read_field(self, match: re.Match[str]) -> None:
        """Read ``:param type name: text`` and the lines that go on with it."""
        kind, subject, text = match.groups()
        indent = _indent(self.lines[self.position])
        content = [text.strip()]
        self.position += 1
        while self.position < len(self.lines):
            line = self.lines[self.position]
            if line.strip():
                if _ANY_FIELD.match(line):
                    break
                # A line that is not indented goes on with the field only when nothing stands between.
                if _indent(line) <= indent and (not content[-1].strip() or self._starts_section(self.position)):
                    break
            content.append(line)
            self.position += 1
        if not content[-1].strip() and len(content) > 1:
            self.position -= 1  # the blank line belongs to what follows
        words = subject.split()
        if words and "type" not in kind:
            self._keep([_bare(words[-1])], content)

    def _starts_section(self, position: int) -> bool:
        return self._is_underlined(position) or _title(self.lines[position]) is not None

    # NumPy

    def _read_numpy_section(self) -> None:
        """Read the entries under an underlined title, to the next title or the first line that is no entry."""
        first = self._next_filled(self.position + 2)
        header_indent = _indent(self.lines[self.position])
        self.position += 2
        if first is None or _indent(self.lines[first]) < header_indent:
            return
        base = _indent(self.lines[first])
        names: list[str] = []
        content: list[str] = []
        while self.position < len(self.lines):
            line = self.lines[self.position]
            if line.strip() and _indent(line) <= base:
                entry = _numpy_entry(line.strip())
                if entry is None or _indent(line) < base or self._is_underlined(self.position):
                    break
                self._keep(names, content)
                names, content = entry, []
            else:
                content.append(line)
            self.position += 1
        self._keep(names, content)

    # Google

    def _starts_google_section(self, title: str) -> bool:
        """Read the section under ``title:``; False, with nothing read, when it is only a line that looks like one."""
        header_indent = _indent(self.lines[self.position])
        first = self._next_filled(self.position + 1)
        if title in _OTHER_TITLES and title not in self.titles:
            self._copy_block(header_indent)
            return True
        if title not in self.titles or first is None:
            return False
        base = _indent(self.lines[first])
        # A docstring that begins with the title loses the indentation of what follows when it is dedented.
        if base <= header_indent and not (self.position == 0 and _google_entry(self.lines[first].strip())):
            return False
        self.position += 1
        self._read_google_entries(base, header_indent)
        return True

    def _copy_block(self, header_indent: int) -> None:
        self.body.append(self.lines[self.position])
        self.position += 1
        while self.position < len(self.lines):
            line = self.lines[self.position]
            if line.strip() and _indent(line) <= header_indent:
                return
            self.body.append(line)
            self.position += 1

    def _read_google_entries(self, base: int, header_indent: int) -> None:
        names: list[str] = []
        content: list[str] = []
        bulleted = False
        while self.position < len(self.lines):
            line = self.lines[self.position]
            if line.strip() and _indent(line) <= base:
                title = _title(line)
                if _indent(line) <= header_indent and (base > header_indent or title is not None):
                    break
                has_bullet = _BULLET.match(line.strip()) is not None
                entry = _google_entry(line.strip()) if _indent(line) == base else None
                # Bullets between plain entries are a list in the text of one of them.
                if entry is not None and (not names or has_bullet == bulleted):
                    self._keep(names, content)
                    bulleted = has_bullet
                    names, content = entry[0], [entry[1]]
                    self.position += 1
                    continue
            content.append(line)
            self.position += 1
        self._keep(names, content)


def _title(line: str) -> str | None:
    """The title that ``line`` consists of, in lower case, or None. Only titles that are known count."""
    match = _TITLE.match(line.strip())
    if match is None:
        return None
    title = match.group(1).strip().lower()
    return title if title in _PARAMETER_TITLES or title in _OTHER_TITLES else None


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _bare(name: str) -> str:
    return name.strip("*`\\")


def _split_names(text: str) -> list[str]:
    return [_bare(name.strip()) for name in text.split(",")]


def _numpy_entry(line: str) -> list[str] | None:
    """The names in ``a, b : int, optional``, or None when ``line`` is something else."""
    match = _NAMES.match(line)
    if match is None or (match.end() < len(line) and line[match.end()] != ":"):
        return None
    return _split_names(match.group(1))


def _google_entry(line: str) -> tuple[list[str], str] | None:
    """Names and text of ``name (type, optional): text``, or None when ``line`` is something else."""
    bullet = _BULLET.match(line)
    if bullet is not None:
        line = line[bullet.end() :]
    match = _NAMES.match(line)
    if match is None:
        return None
    rest = line[match.end() :]
    if rest.startswith("("):
        end = _closing_bracket(rest)
        if end is None:
            return None
        rest = rest[end:].lstrip()
    if rest.startswith(":"):
        # Bold names are closed after the colon by some: `**name:** text`.
        return _split_names(match.group(1)), rest[1:].removeprefix("**").strip()
    dash = _DASH.match(rest)
    return None if dash is None else (_split_names(match.group(1)), rest[dash.end() :].strip())


def _closing_bracket(text: str) -> int | None:
    """The place after the bracket that closes the one ``text`` begins with."""
    depth = 0
    for place, character in enumerate(text):
        if character in _OPENING:
            depth += 1
        elif character in _CLOSING:
            depth -= 1
            if depth == 0:
                return place + 1
    return None


def _flow(lines: list[str]) -> str:
    """Join the wrapped lines of a text; paragraphs, list items and doctest lines keep lines of their own.

    The first line stands as it is, the others lose the indentation they share.
    """
    rest = [line.rstrip() for line in lines[1:]]
    margin = min((_indent(line) for line in rest if line), default=0)
    parts: list[str] = []
    in_code = False
    glue = ""
    for line in [lines[0].strip() if lines else "", *(line[margin:] for line in rest)]:
        stripped = line.strip()
        fence = stripped.startswith("```")
        if not stripped and not in_code:
            glue = "\n\n"
            continue
        own_line = in_code or fence or stripped.startswith(">>>") or _LIST_ITEM.match(stripped) is not None
        if glue != "\n\n" and parts:
            glue = "\n" if own_line or glue == "\n" else " "
        if parts:
            parts.append(glue)
        parts.append(line if own_line else stripped)
        in_code = in_code != fence
        # What follows a fence or a doctest line is not joined to it.
        glue = "\n" if fence or stripped.startswith(">>>") else ""
    return "".join(parts).strip()


def _join_body(lines: list[str]) -> str:
    kept: list[str] = []
    for line in lines:
        if line.strip() or (kept and kept[-1]):
            kept.append(line.rstrip())
    return "\n".join(kept).strip()
