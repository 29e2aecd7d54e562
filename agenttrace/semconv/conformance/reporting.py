"""Violations as text: by trace, by span, what is alike together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .violations import Rule, SpanReference, Violation

__all__ = ["Finding", "findings_by_span", "report"]

_INDEX = re.compile(r"\.\d+(?=\.|\Z)")


class Finding(NamedTuple):
    """A violation, for all on the same span that differ in the place in a list only."""

    violation: Violation
    more: int
    """How many others are like it."""


def report(violations: Iterable[Violation]) -> str:
    r"""``violations`` as plain text, empty for none.

    Example:
        >>> print(report(check(spans)))
        trace 4bf92f3577b34da6a3ce929d0e0e4736
          LLM answer (00f067aa0ba902b7)
            error    llm.token_count.prompt  wrong-type
                     it is '12', not an integer
                     → record int(value)
    """
    lines: list[str] = []
    for trace_id, spans in findings_by_span(violations).items():
        lines.append(f"trace {trace_id}")
        for span, findings in spans.items():
            lines.append(f"  {span.kind or 'SPAN'} {span.name} ({span.span_id})")
            for finding in findings:
                lines.extend(_lines(finding))
    return "\n".join(map(_printable, lines))


def findings_by_span(violations: Iterable[Violation]) -> dict[str, dict[SpanReference, list[Finding]]]:
    """What was found by trace and by span, in the order in which it was found, errors first."""
    traces: dict[str, dict[SpanReference, list[Violation]]] = {}
    for violation in violations:
        spans = traces.setdefault(violation.span.trace_id, {})
        spans.setdefault(violation.span, []).append(violation)
    return {
        trace_id: {span: sorted(_merged(found), key=_warnings_last) for span, found in spans.items()}
        for trace_id, spans in traces.items()
    }


def _merged(violations: Iterable[Violation]) -> Iterator[Finding]:
    alike: dict[tuple[Rule, str], list[Violation]] = {}
    for violation in violations:
        alike.setdefault((violation.rule, _INDEX.sub(".N", violation.attribute)), []).append(violation)
    return (Finding(found[0], len(found) - 1) for found in alike.values())


def _printable(line: str) -> str:
    """``line`` with what isn't to be seen, which may come from a program's data, as escapes."""
    if line.isprintable():
        return line
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in line
    )


def _warnings_last(finding: Finding) -> bool:
    return not finding.violation.is_error


def _lines(finding: Finding) -> Iterator[str]:
    violation, more = finding
    also = f" (and {more:,} more like it)" if more else ""
    yield f"    {violation.severity.value:<8} {violation.attribute}  {violation.rule.value}{also}"
    yield f"             {violation.problem}"
    yield f"             → {violation.advice}"
