"""Annotations in the picture of a trace, wherever they were recorded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agenttrace import annotate, trace_agent, trace_llm, trace_tool, using_session
from agenttrace.cli.commands import agenttrace
from agenttrace.local import carriers
from agenttrace.local.database import open_to_write
from agenttrace.local.judgements import Judgements, judgement_texts
from agenttrace.local.reader import Store
from agenttrace.local.records import LinkRecord, SpanRecord
from agenttrace.local.rows import INSERT_RESOURCES, INSERT_SPANS, INSERT_TRACES, resource_row, span_row
from agenttrace.local.store import LocalSpanExporter
from agenttrace.span import current_span
from agenttrace.testing import capture_spans

Show = Callable[..., list[str]]


@pytest.fixture
def show(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Show:
    """The lines that a command of ``agenttrace`` prints, each without its branches."""
    monkeypatch.setenv("COLUMNS", "150")

    def run(*arguments: str) -> list[str]:
        capsys.readouterr()
        with pytest.raises(SystemExit):
            agenttrace(arguments, prog_name="agenttrace")
        return [line.strip(" │├└─") for line in capsys.readouterr().out.splitlines()]

    return run


def answer_and_judge(*judge: Callable[[tuple[str, str]], None]) -> tuple[str, str]:
    """Record a run of an agent with a tool, and after it what is thought of its tool; the tool's two ids."""
    ids: list[tuple[str, str]] = []

    @trace_tool
    def look_up() -> str:
        ids.append((current_span().trace_id, current_span().span_id))
        return "rain"

    @trace_agent
    def answer() -> str:
        return look_up()

    with capture_spans() as spans:
        with using_session("s-1"):
            answer()
        for one in judge:
            one(ids[0])
    LocalSpanExporter().export(list(spans))
    return ids[0]


def thumbs_down(target: tuple[str, str]) -> None:
    """What a person thinks, later."""
    annotate("helpful", score=0, label="thumbs-down", annotator_kind="HUMAN", explanation="wrong", target=target)


def test_a_judgement_stands_below_the_span_that_was_open(show: Show) -> None:
    """What a span says of itself, of its trace and of its session."""

    @trace_llm
    def ask() -> str:
        annotate("cites", score=2 / 3, annotator_kind="CODE")
        annotate("short", label="yes", explanation="One\nword.")
        annotate("done", score=1, scope="trace")
        annotate("solved", explanation="So they say.", scope="session", session_id="s-1")
        return "rain"

    with capture_spans() as spans:
        ask()
    LocalSpanExporter().export(list(spans))
    assert show("show")[-5:] == [
        "output assistant: rain",
        "judged cites: 0.6667, CODE",
        "judged short: yes: One word.",
        "judged done (trace): 1",
        "judged solved (session): So they say.",
    ]


def test_what_is_thought_later_stands_at_the_span_it_is_about(show: Show) -> None:
    """Carriers lie in traces of their own; the run that they judge is still the newest, and shows them."""
    trace_id, _ = answer_and_judge(thumbs_down)
    lines = show("show")
    assert lines[0].startswith(f"trace {trace_id}")
    at = next(index for index, line in enumerate(lines) if line.startswith("TOOL  look_up"))
    assert lines[at + 1 :] == ["output rain", "judged helpful: 0 thumbs-down, HUMAN: wrong"]
    assert "judged helpful: 0 thumbs-down, HUMAN: wrong" in show("show", "--full")
    assert not any(line.startswith("judged") for line in show("show", "--json"))


def test_a_session_judged_later_is_judged_at_the_root_of_its_runs(show: Show) -> None:
    """Of runs in the session, before the judgement, and of no other."""
    answer_and_judge(lambda _: annotate("solved", label="yes", scope="session", session_id="s-1"))
    assert [line.split()[0] for line in show("show")[3:6]] == ["AGENT", "output", "judged"]
    answer_and_judge(lambda _: annotate("solved", label="yes", scope="session", session_id="s-2"))
    assert not any(line.startswith("judged") for line in show("show"))


def test_traces_of_carriers_alone_are_not_listed(show: Show) -> None:
    """``list`` leaves them out, ``check`` takes the run; by its id a carrier is shown, and says whom it judges."""
    trace_id, span_id = answer_and_judge(thumbs_down, thumbs_down)
    assert len(show("list")) == 2
    assert show("check") == ["2 spans checked: all right"]
    [first, _, run] = Store().traces()
    assert run.trace_id == trace_id
    assert [trace.trace_id for trace in Store().traces(with_carriers=False)] == [trace_id]
    assert [trace.trace_id for trace in Store().traces(project=run.project, with_carriers=False)] == [trace_id]
    lines = show("show", first.trace_id)
    assert lines[-1] == f"judges helpful: 0 thumbs-down, HUMAN: wrong  (span {span_id} of trace {trace_id})"


def test_a_store_of_annotations_alone_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    """The runs were recorded elsewhere, which is not the same as nothing recorded."""
    with capture_spans() as spans:
        thumbs_down(("ab" * 16, "cd" * 8))
    LocalSpanExporter().export(list(spans))
    for command, code in (("show", 1), ("check", 1), ("list", 0)):
        with pytest.raises(SystemExit) as end:
            agenttrace([command], prog_name="agenttrace")
        assert end.value.code == code
        assert "nothing but annotations in" in capsys.readouterr().err


def test_a_run_with_a_carrier_in_it_is_a_run(show: Show) -> None:
    """One span that ended is judged while the run goes on: the line stands at it, and the carrier names it."""
    ids: list[tuple[str, str]] = []

    @trace_tool
    def look_up() -> None:
        ids.append((current_span().trace_id, current_span().span_id))

    @trace_agent
    def answer() -> None:
        look_up()
        annotate("fast", score=1, target=ids[0])

    with capture_spans() as spans:
        answer()
    LocalSpanExporter().export(list(spans))
    lines = show("show")
    assert [line.split("  ")[0] for line in lines[2:]] == [
        *("AGENT", "TOOL", "judged fast: 1", "EVALUATOR", "judges fast: 1")
    ]
    assert lines[-1] == f"judges fast: 1  (span {ids[0][1]})"


def test_a_judged_span_that_is_missing_is_judged_at_the_root() -> None:
    """It may be another process's; what is thought of it isn't lost."""
    root = SpanRecord("a" * 32, "1" * 16, None, "root", 0, 1)
    carrier = carrier_of("a" * 32, "2" * 16)
    judgements = Judgements([root], [carrier])
    assert judgements.carried(root) == ["helpful: 1"]
    assert judgements.given(root) == ("judged", [])


def carrier_of(trace_id: str, span_id: str, **attributes: Any) -> SpanRecord:
    """A carrier in a trace of its own."""
    told = {"openinference.span.kind": "EVALUATOR", "agenttrace.annotation.carrier": True, **attributes}
    told |= {"annotations.0.annotation.name": "helpful", "annotations.0.annotation.score": 1}
    link = LinkRecord(trace_id, span_id)
    return SpanRecord("c" * 32, "3" * 16, None, "annotate helpful", 5, 6, attributes=told, links=(link,))


def keep(store_path: Path, *spans: SpanRecord) -> None:
    """Put ``spans`` into the store as they are."""
    digest, resource = resource_row({})
    with open_to_write(store_path) as connection:
        INSERT_RESOURCES.add(connection, [(digest, resource)])
        for span in spans:
            INSERT_TRACES.add(connection, [(span.trace_id, span.start_time)])
            INSERT_SPANS.add(connection, [span_row(span, digest)])


def test_only_carriers_with_one_link_to_the_trace_are_found(store_path: Path) -> None:
    """Not an evaluator that links for reasons of its own, not one with two links, not one whose text says it is one."""
    root = SpanRecord("a" * 32, "1" * 16, None, "root", 1, 2)
    right = carrier_of(root.trace_id, root.span_id)
    plain = {key: value for key, value in right.attributes.items() if not key.startswith("agenttrace")}
    wrong = [
        replace(right, attributes=plain),
        replace(right, attributes={**plain, "input.value": '{"agenttrace.annotation.carrier":true}'}),
        replace(right, attributes={**right.attributes, "openinference.span.kind": "TOOL"}),
        replace(right, links=(*right.links, LinkRecord("b" * 32, "1" * 16))),
        replace(right, links=(LinkRecord("b" * 32, "1" * 16, {"not": root.trace_id}),)),
        replace(right, start_time=0),
    ]
    others = [replace(span, trace_id=f"{number:032x}") for number, span in enumerate(wrong)]
    assert Store(store_path).carriers([root]) == []
    keep(store_path, root, *others)
    assert Store(store_path).carriers([root]) == []
    assert Store(store_path).carriers([]) == []
    keep(store_path, right)
    assert Store(store_path).carriers([root]) == [right]
    # Without the trace's own, which hides only where it is one carrier and nothing else.
    listed = {trace.trace_id for trace in Store(store_path).traces(with_carriers=False)}
    assert listed == {root.trace_id, *(f"{number:032x}" for number in (0, 1, 2))}


def test_the_search_is_bounded(store_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Traces right after the one that is judged are looked at, and the newest; those between are not."""
    monkeypatch.setattr(carriers, "MOST_TRACES", 2)
    root = SpanRecord("a" * 32, "1" * 16, None, "root", 1, 2)
    right = carrier_of(root.trace_id, root.span_id)
    later = [replace(right, trace_id=f"{number:032x}", start_time=10 + number) for number in range(6)]
    keep(store_path, root, *later)
    found = Store(store_path).carriers([root])
    assert [span.start_time for span in found] == [10, 14, 15]


def test_an_annotation_of_any_shape_is_a_line() -> None:
    """Scores that are no numbers, names that are missing, control characters."""
    odd = {
        "annotations.0.annotation.score": float("nan"),
        "annotations.1.annotation.name": "a\x1b[31m\nb",
        "annotations.1.annotation.score": 10**5000,
        "annotations.2.annotation.label": ("x", b"y"),
        "annotations.3.other": 1,
    }
    texts = judgement_texts(SpanRecord("1", "2", None, "s", 0, 1, attributes=odd))
    assert texts[0] == "nan"
    assert texts[1].startswith('a\\x1b[31m b: "0x')
    assert texts[2:] == ['["x", "eQ=="]']
