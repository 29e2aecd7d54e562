"""A trace drawn in the terminal."""

from __future__ import annotations

import io

import pytest
from rich.cells import cell_len
from rich.console import Console

from agenttrace.local.figures import local_time_text
from agenttrace.local.outcome import error_text
from agenttrace.local.picture import TracePicture
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


def draw(
    spans: list[SpanRecord], width: int = 100, *, full: bool = False, encoding: str = "utf-8", now: int | None = None
) -> list[str]:
    """The picture's lines below the heading, without colour."""
    lines = whole(spans, width, full=full, encoding=encoding, now=now)
    return lines[lines.index("") + 1 :]


def whole(
    spans: list[SpanRecord], width: int = 100, *, full: bool = False, encoding: str = "utf-8", now: int | None = None
) -> list[str]:
    """The picture's lines, without colour."""
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="backslashreplace")
    console = Console(file=file, width=width, color_system=None)
    console.print(TracePicture(spans, full=full, now=now), soft_wrap=True)
    file.seek(0)
    lines = file.read().splitlines()
    assert all(cell_len(line) <= width for line in lines)
    return lines


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

MOMENT = RUN[0].start_time + 1_000 * MILLISECOND
"""When the run's root ended."""


def test_a_wide_terminal_shows_it_all() -> None:
    """Kind, name, tokens, duration, when each span ran, and one line of what went in, came out and went wrong."""
    assert "\n".join(draw(RUN, now=MOMENT)) == (
        """
AGENT  research                                                         1.00 s  ━━━━━━━━━━━━━━━━━━━━
│  input  What is new?
│  output Nothing.
├─ TOOL  search ✗                                                      12.0 ms    ╸
│     input  {"query": "new"}
│     error  ValueError: no such column
└─ LLM  model                                   1,204 → 310 tokens      500 ms      ━━━━━━━━━━
   └─ EMBEDDING  embed                                             running 0 s        ━━━━━━━━━━━━━━
""".strip()
    )


def test_a_narrow_terminal_shows_what_fits() -> None:
    """Without the timeline, and with texts cut where the terminal ends."""
    assert draw(RUN, 50, now=MOMENT) == [
        "AGENT  research                             1.00 s",
        "│  input  What is new?",
        "│  output Nothing.",
        "├─ TOOL  search ✗                          12.0 ms",
        '│     input  {"query": "new"}',
        "│     error  ValueError: no such column",
        "└─ LLM  model       1,204 → 310 tokens      500 ms",
        "   └─ EMBEDDING  embed                 running 0 s",
    ]
    assert draw(RUN, 30, now=MOMENT)[2] == "│  output Nothing."


def test_a_terminal_without_line_drawing_gets_ascii() -> None:
    """Where the character set has no lines, letters and signs stand for them."""
    lines = draw(RUN, 60, encoding="ascii", now=MOMENT)
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
    everything = span(
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
    assert draw([everything], 50, full=True) == [
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
        ('[{"role":"user","content":[{"type":"text","text":"Hi"},{"type":"image_url"},7]}]', "user: Hi [image]"),
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


NOW = RUN[0].start_time + 185_000 * MILLISECOND


def test_the_heading_says_which_run_it_is() -> None:
    """Its id, project, when it was and how long ago; below, its sessions, users and tags, each once."""
    labels = {"session.id": "conversation 7", "user.id": "ada", "tag.tags": ("beta", "oslo")}
    first, second = (
        span("plan", None, 0, 1, attributes=labels),
        span("search", "plan", 0, 1, attributes={**labels, "tag.tags": ("beta", "a\nb", 7), "session.id": 8}),
    )
    lines = whole([first, second], now=NOW)
    clock = local_time_text(NOW - 185_000 * MILLISECOND)
    assert lines[:3] == [
        f"trace 4bf92f3577b34da6a3ce929d0e0e4736  default  {clock} (3 min ago)  2 spans",
        "session conversation 7, 8  user ada  tags beta, oslo, a b, 7",
        "",
    ]
    narrow = whole([first, second], 60, now=NOW)
    assert narrow[:2] == [
        f"trace 4bf92f35  default  {clock}  2 spans",
        "session conversation 7, 8  user ada  tags beta, oslo, a b, 7",
    ]
    assert whole([first], 30, now=NOW)[1].endswith("…")
    assert whole(RUN, now=NOW)[1] == ""
    assert clock in whole(RUN, now=NOW)[0]
    assert "(" not in whole(RUN, now=NOW + 10**18)[0]


def test_a_root_whose_parent_is_missing_is_said_to_have_one() -> None:
    """A run that goes on or was killed has no root yet: its first tool must not pass for it."""
    note = "(parent not recorded: still running, killed, or elsewhere)"
    spans = [
        span("first", "gone", 0, 1, "TOOL"),
        span("second", "gone", 1, 2, "TOOL"),
        span("below", "second", 1, 2, "TOOL"),
        span("third", "also gone", 2, 3, "TOOL"),
        span("root", None, 3, 4),
    ]
    lines = [note if line == note else line.split("TOOL  ")[-1].split()[0] for line in draw(spans, 80)]
    assert lines == [note, "first", "second", "below", note, "third", "CHAIN"]
    assert note not in draw(RUN)
    assert note in draw(spans, 80, full=True)


@pytest.mark.parametrize(
    ("name", "kind", "message", "shown"),
    [
        ("SystemExit", "SystemExit", "1", "stopped SystemExit: 1"),
        ("CancelledError", "asyncio.exceptions.CancelledError", "", "stopped CancelledError"),
    ],
)
def test_a_run_that_was_stopped_says_so(name: str, kind: str, message: str, shown: str) -> None:
    """Without an error status and without an output it would look like a success."""
    event = EventRecord(name, 0, {"exception.type": kind, "exception.message": message})
    stopped = span("plan", None, 0, 1, events=(EventRecord("first_item", 0), event))
    assert draw([stopped])[1:] == [f"   {shown}"]
    assert f"   {shown}" in draw([stopped], full=True)


def test_an_exception_that_did_not_stop_the_run_is_no_stop() -> None:
    """One that the program recorded and went on from, and one that failed the span, which is said otherwise."""
    handled = EventRecord("exception", 0, {"exception.type": "ValueError", "exception.message": "no"})
    assert len(draw([span("plan", None, 0, 1, events=(handled,))])) == 1
    exiting = EventRecord("SystemExit", 0, {"exception.type": "SystemExit"})
    failed = span("plan", None, 0, 1, status="ERROR", status_description="E", events=(exiting,))
    assert draw([failed])[1:] == ["   error  E"]


def test_a_run_is_drawn_while_it_goes_on() -> None:
    """How long each open span has been running, its bar up to now, and its children that ended below it."""
    running = [span("plan", None, 0, None, "AGENT"), span("search", "plan", 0, 30_000, "TOOL")]
    running.append(span("model", "plan", 45_000, None, "LLM"))
    now = running[0].start_time + 90_000 * MILLISECOND
    assert "\n".join(draw(running, now=now)) == (
        """
AGENT  plan                                                      running 1 min  ━━━━━━━━━━━━━━━━━━━━
├─ TOOL  search                                                         30.0 s  ━━━━━━━
└─ LLM  model                                                     running 45 s            ━━━━━━━━━━
""".strip()
    )
    assert draw(running, 50, now=now)[-1] == "└─ LLM  model                         running 45 s"


def test_a_run_that_nothing_more_is_heard_of_may_be_dead() -> None:
    """Its open spans are shown as running, as far as is known, and that nothing new came is said above them."""
    silent = [span("plan", None, 0, None), span("search", "plan", 0, 1_000, "TOOL")]
    now = silent[0].start_time + (5 * 3_600 + 1) * 1_000 * MILLISECOND
    note = "(nothing new for 5 h: still running, or its process was killed)"
    lines = draw(silent, now=now)
    assert lines[0] == note
    assert lines[1].split()[:5] == ["CHAIN", "plan", "running", "5", "h"]
    assert lines[1].endswith("━" * 20)
    assert lines[2].endswith("━" * 20)
    assert note not in draw(silent, now=silent[0].start_time + 500_000 * MILLISECOND)
    assert note not in draw([silent[1]], now=now)
