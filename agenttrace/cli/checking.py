"""What ``agenttrace check`` finds, and how it says so."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from agenttrace.local.figures import count_text
from agenttrace.local.picture import KIND_STYLES
from agenttrace.local.text import one_line
from agenttrace.local.tree import NO_KIND
from agenttrace.semconv.conformance import Severity, Violation, check, is_openinference, read_otlp_json, views_of
from agenttrace.semconv.conformance.reporting import Finding, findings_by_span

if TYPE_CHECKING:
    from rich.console import Console

    from agenttrace.local.reader import Store

_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow"}
_SEVERITY_WIDTH = max(len(severity.value) for severity in Severity)
_EVERY_TRACE = 2**31


@dataclass(frozen=True)
class Outcome:
    """What came of a check."""

    violations: Sequence[Violation]
    checked: int
    """How many spans are OpenInference's."""
    passed_over: int
    """How many are other libraries'."""

    @property
    def errors(self) -> int:
        """How many violations are errors."""
        return sum(violation.is_error for violation in self.violations)

    @property
    def warnings(self) -> int:
        """How many are warnings."""
        return len(self.violations) - self.errors


def check_in_turn(groups: Iterable[object]) -> Outcome:
    """Check spans group by group, so that only one group is in memory at a time."""
    violations: list[Violation] = []
    checked = passed_over = 0
    for group in groups:
        for view in views_of(group):
            if is_openinference(view):
                checked += 1
                violations.extend(check(view))
            else:
                passed_over += 1
    return Outcome(violations, checked, passed_over)


def spans_in_files(paths: Iterable[str]) -> Iterator[object]:
    """The spans of each OTLP/JSON file; ``-`` is standard input.

    Raises:
        ValueError: If a file isn't OTLP/JSON.
    """
    for path in paths:
        try:
            text = (sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()).decode("utf-8")
            yield read_otlp_json(text)
        except ValueError as error:
            raise ValueError(f"{'standard input' if path == '-' else path} is not OTLP/JSON: {error}") from error


def spans_in_store(store: Store, project: str | None) -> Iterator[object]:
    """The spans of each trace of the store, or of one project in it, the oldest trace first."""
    for trace in reversed(store.traces(limit=_EVERY_TRACE, project=project)):
        yield store.spans(trace.trace_id)


def print_outcome(outcome: Outcome, console: Console) -> None:
    """By trace and by span what is wrong and what to do, then how many spans it was."""
    arrow = "->" if console.options.ascii_only else "→"
    for trace_id, spans in findings_by_span(outcome.violations).items():
        console.print(Text.assemble("trace ", (one_line(trace_id), "bold")), soft_wrap=True)
        for span, findings in spans.items():
            kind = one_line(span.kind or NO_KIND)
            named = ((kind, KIND_STYLES.get(kind, "bold")), "  ", one_line(span.name), "  ", (span.span_id, "dim"))
            console.print(Text.assemble("  ", *named), soft_wrap=True)
            for finding in findings:
                for line in _finding_lines(finding, arrow):
                    console.print(line, soft_wrap=True)
        console.print()
    console.print(_summary(outcome), soft_wrap=True)


def outcome_document(outcome: Outcome) -> dict[str, Any]:
    """The outcome as a value for JSON."""
    return {
        "spans": outcome.checked,
        "passed_over": outcome.passed_over,
        "errors": outcome.errors,
        "warnings": outcome.warnings,
        "violations": [
            {
                **violation.span._asdict(),
                "attribute": violation.attribute,
                "rule": violation.rule.value,
                "severity": violation.severity.value,
                "problem": violation.problem,
                "advice": violation.advice,
            }
            for violation in outcome.violations
        ],
    }


def _finding_lines(finding: Finding, arrow: str) -> Iterator[Text]:
    violation, more = finding
    severity = violation.severity
    indent = " " * (4 + _SEVERITY_WIDTH + 2)
    yield Text.assemble(
        "    ",
        (f"{severity.value:<{_SEVERITY_WIDTH}}", _STYLES[severity]),
        "  ",
        (one_line(violation.attribute), "bold"),
        "  ",
        (violation.rule.value, "dim"),
        f"  (and {more:,} more like it)" if more else "",
    )
    yield Text(f"{indent}{one_line(violation.problem)}")
    yield Text(f"{indent}{arrow} {one_line(violation.advice)}")


def _summary(outcome: Outcome) -> Text:
    found = [
        (count_text(number, word), style)
        for number, word, style in (
            (outcome.errors, "error", _STYLES[Severity.ERROR]),
            (outcome.warnings, "warning", _STYLES[Severity.WARNING]),
        )
        if number
    ]
    line = Text(f"{count_text(outcome.checked, 'span')} checked")
    if outcome.passed_over:
        line.append(f", {outcome.passed_over:,} of other libraries passed over")
    line.append(": ")
    return line.append_text(Text(", ").join(Text(*part) for part in found) if found else Text("all right", "green"))
