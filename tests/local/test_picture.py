"""A trace drawn in the terminal."""

from __future__ import annotations

import io

import pytest
from rich.cells import cell_len
from rich.console import Console

from agenttrace.local.picture import TracePicture, error_text
from agenttrace.local.records import EventRecord, LinkRecord, SpanRecord

MILLISECOND = 1_000_000


def span(
    name: str, parent: str | None, start: int, end: int | None, kind: str = "CHAIN", **fields: object
) -> SpanRecord:
    """A span whose id is its name, with times in milliseconds since 2025."""
    attributes = {"openinference.span.kind": kind, **fields.pop("attributes", {})}  # type: ignore[dict-item]
    begin = 1_735_689_600_000_000_000
    return SpanRecord(
        "4bf92f3577b34da6a3ce929d0e0e4736",
        name,
        parent,
        name,
        begin + start * MILLISECOND,
        None if end is None else begin + end * MILLISECOND,
        attributes=attributes,
        **fields,  # type: ignore[arg-type]
    )


def text(key: str, value: str, mime_type: str = "text/plain") -> dict[str, str]:
    """An input's or output's two attributes."""
    return {f"{key}.value": value, f"{key}.mime_type": mime_type}


def draw(spans: list[SpanRecord], width: int = 100, *, full: bool = False, encoding: str = "utf-8") -> list[str]:
    """The picture's lines below the heading, without colour."""
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="backslashreplace")
    console = Console(file=file, width=width, color_system=None)
    console.print(TracePicture(spans, full=full), soft_wrap=True)
    file.seek(0)
    lines = file.read().splitlines()
    assert all(cell_len(line) <= width for line in lines)
    return lines[2:]


RUN = [
    span("research", None, 0, 1_000, "AGENT", attributes=text("input", "What is\nnew?") | text("output", "Nothing.")),
    span(
        "search",
        "research",
        100,
        112,
        "TOOL",
        status="ERROR",
        status_description="ValueError: no such\ncolumn",
        attributes=text("input", '{"query":"new"}', "application/json"),
    ),
    span(
        "model",
        "research",
        200,
        700,
        "LLM",
        attributes={"llm.token_count.prompt": 1_204, "llm.token_count.completion": 310},
    ),
    span("embed", "model", 300, None, "EMBEDDING"),
]


def test_a_wide_terminal_shows_it_all() -> None:
    """Kind, name, tokens, duration, when each span ran, and one line of what went in, came out and went wrong."""
    assert "\n".join(draw(RUN)) == (
        """
AGENT  research                                                         1.00 s  ━━━━━━━━━━━━━━━━━━━━
│  input  What is new?
│  output Nothing.
├─ TOOL  search ✗                                                      12.0 ms    ╸
│     input  {"query": "new"}
│     error  ValueError: no such column
└─ LLM  model                                   1,204 → 310 tokens      500 ms      ━━━━━━━━━━
   └─ EMBEDDING  embed                                                 running        ━━━━━━━━━━━━━━
""".strip()
    )


def test_a_narrow_terminal_shows_what_fits() -> None:
    """Without the timeline, and with texts cut where the terminal ends."""
    assert draw(RUN, 50) == [
        "AGENT  research                             1.00 s",
        "│  input  What is new?",
        "│  output Nothing.",
        "├─ TOOL  search ✗                          12.0 ms",
        '│     input  {"query": "new"}',
        "│     error  ValueError: no such column",
        "└─ LLM  model       1,204 → 310 tokens      500 ms",
        "   └─ EMBEDDING  embed                     running",
    ]
    assert draw(RUN, 30)[2] == "│  output Nothing."


def test_a_terminal_without_line_drawing_gets_ascii() -> None:
    """Where the character set has no lines, letters and signs stand for them."""
    lines = draw(RUN, 60, encoding="ascii")
    assert lines[3] == "|- TOOL  search x                                    12.0 ms"
    assert "1,204 -> 310 tokens" in lines[6]
    assert all(line.isascii() for line in lines)


@pytest.mark.parametrize("full", [False, True])
def test_no_escape_sequence_and_no_markup_gets_through(full: bool) -> None:
    """Names, values, keys, events and messages are shown as what they are, wherever they stand."""
    evil = "[bold]\x1b]0;owned\x07\x9b2J\u202e\r[/] 日本\udcff"
    everywhere = SpanRecord(
        "4bf92f3577b34da6a3ce929d0e0e4736",
        "1",
        None,
        evil,
        0,
        1,
        status="ERROR",
        status_description=evil,
        attributes={"openinference.span.kind": evil, "input.value": evil, "output.value": evil, evil: evil},
        events=(EventRecord(evil, 0, {evil: evil}),),
        links=(LinkRecord("1", "2", {evil: (evil,)}),),
        resource={"openinference.project.name": evil},
    )
    file = io.StringIO()
    Console(file=file, width=120, force_terminal=True, color_system=None).print(TracePicture([everywhere], full=full))
    printed = file.getvalue()
    assert not set(printed) & {"\x1b", "\x07", "\x9b", "\u202e", "\r", "\udcff"}
    assert "[bold]\\x1b]0;owned\\x07\\x9b2J\\u202e" in printed


def test_everything_at_its_whole_length() -> None:
    """The full picture has ids, status, values with their line breaks, other attributes, events and links."""
    whole = span(
        "plan",
        None,
        0,
        5,
        "CHAIN",
        attributes={
            **text("input", '{"a":[1]}', "application/json"),
            **text("output", "one\n\ttwo " + "x" * 60),
            "tag.tags": ("a", "b"),
            "score": float("nan"),
        },
        events=(EventRecord("exception", 1_735_689_600_002_000_000, {"exception.stacktrace": "line 1\n  line 2\n"}),),
        links=(LinkRecord("a" * 32, "b" * 16),),
        dropped_attributes=3,
    )
    assert draw([whole], 50, full=True) == [
        "CHAIN  plan                                5.00 ms",
        "   span plan  status UNSET",
        "   input",
        "     {",
        '       "a": [',
        "         1",
        "       ]",
        "     }",
        "   output",
        "     one",
        "         two",
        "     xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "     xxxxxxxxxxxxxxx",
        '   tag.tags = ["a", "b"]',
        '   score = "NaN"',
        "   3 more attributes were over the provider's",
        "   limit",
        "   event exception after 2.00 ms",
        "     exception.stacktrace",
        "       line 1",
        "         line 2",
        "   link to span bbbbbbbbbbbbbbbb of trace",
        "   " + "a" * 32,
        "",
    ]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ('{"messages":[{"role":"system","content":"Be kind."},{"role":"user","content":"Hi"}]}', "… user: Hi"),
        ('[{"role":"user","content":[{"type":"text","text":"Hi"},{"type":"image_url"},7]}]', "user: Hi"),
        (
            '{"role":"assistant","content":null,"tool_calls":[{"function":{"name":"search","arguments":"{\\"q\\":1}"}}]}',
            'assistant: search({"q":1})',
        ),
        ('{"messages":[]}', '{"messages": []}'),
        ('{"messages":"none"}', '{"messages": "none"}'),
        ('{"role":"assistant","content":7,"tool_calls":[7,{"function":7}]}', "assistant:"),
        ("[1, 2]", "[1, 2]"),
    ],
)
def test_a_models_conversation_is_shown_by_its_last_message(value: str, shown: str) -> None:
    """The call's own question and answer, not the system prompt that every call begins with."""
    model = span("model", None, 0, 1, "LLM", attributes=text("input", value, "application/json"))
    assert draw([model], 120)[1].strip() == f"input  {shown}"


@pytest.mark.parametrize("full", [False, True])
def test_deep_and_wide_traces_stay_on_the_screen(full: bool) -> None:
    """A thousand levels keep to the terminal's width and can all be read; a thousand siblings are as many lines."""
    deep = [span(f"level {depth}", f"level {depth - 1}", depth, 2_000) for depth in range(1_000)]
    lines = draw(deep, 80, full=full)
    assert sum("CHAIN  level" in line for line in lines) == 1_000
    assert lines[-1 if not full else -3].startswith("⋯  ")
    wide = [span("root", None, 0, 1), *(span(f"child {number}", "root", 0, 1) for number in range(1_000))]
    assert sum("CHAIN  child" in line for line in draw(wide, 80, full=full)) == 1_000


def test_values_that_are_not_what_they_say() -> None:
    """JSON that isn't JSON, values that aren't texts, an error without a word: shown as they are."""
    odd = span(
        "odd",
        None,
        0,
        0,
        status="ERROR",
        attributes={**text("input", "{not json", "application/json"), "output.value": (1, 10**5000)},
        events=(EventRecord("exception", 0, {"exception.type": "KeyError", "exception.message": "'a'"}),),
    )
    assert draw([odd], 60)[1].strip() == "input  {not json"
    assert draw([odd], 60)[2].strip().startswith('output [1, "0x')
    assert draw([odd], 60)[3].strip() == "error  KeyError: 'a'"
    assert "{not json" in "\n".join(draw([odd], 60, full=True))
    assert error_text(span("quiet", None, 0, 0, status="ERROR")) == "(no description)"
