"""Token counts add up, and stand where they are counted once."""

from __future__ import annotations

from collections.abc import Iterator

from openinference.semconv.trace import OpenInferenceSpanKindValues, SpanAttributes

from ..inspection import Findings, Inspection
from ..values import shown
from ..violations import Rule

_PROMPT = SpanAttributes.LLM_TOKEN_COUNT_PROMPT
_COMPLETION = SpanAttributes.LLM_TOKEN_COUNT_COMPLETION
_TOTAL = SpanAttributes.LLM_TOKEN_COUNT_TOTAL
_CACHE_READ = SpanAttributes.LLM_TOKEN_COUNT_PROMPT_DETAILS_CACHE_READ
_CACHE_WRITE = SpanAttributes.LLM_TOKEN_COUNT_PROMPT_DETAILS_CACHE_WRITE
_COUNTS = f"{_TOTAL.rpartition('.')[0]}."
_DECISION_COUNTS = f"{SpanAttributes.DECISION_TOKEN_COUNT_INPUT.rpartition('.')[0]}."
_PARTS = {
    _PROMPT: f"{_CACHE_READ.rpartition('.')[0]}.",
    _COMPLETION: f"{SpanAttributes.LLM_TOKEN_COUNT_COMPLETION_DETAILS_REASONING.rpartition('.')[0]}.",
}
"""Each count and how the names of its parts begin."""

# A reranker is a model of its own, which no LLM or embedding span beside it counts again.
_COUNTING = frozenset(
    kind.value
    for kind in (
        OpenInferenceSpanKindValues.LLM,
        OpenInferenceSpanKindValues.EMBEDDING,
        OpenInferenceSpanKindValues.RERANKER,
    )
)


def check_token_counts(span: Inspection) -> Findings:
    """No count below 0, none below its parts, and none where a backend would count it a second time."""
    counts = {
        key: value
        for key, value, _ in span.placed
        if key.startswith((_COUNTS, _DECISION_COUNTS)) and isinstance(value, int) and not isinstance(value, bool)
    }
    if not counts:
        return
    for key, count in counts.items():
        if count < 0:
            yield span.violation(Rule.TOKEN_COUNT_NEGATIVE, key, f"it is {shown(count)}", "leave out what isn't known")
    yield from _check_total(span, counts)
    for whole in _PARTS:
        yield from _check_details(span, counts, whole)
    misplaced = next((key for key in counts if key.startswith(_COUNTS)), None)
    if misplaced is not None and span.kind is not None and span.kind not in _COUNTING:
        problem = f"backends add up the counts of all spans, so on a span of kind {span.kind} they count twice"
        advice = "record token counts on the LLM or EMBEDDING span of the call itself"
        yield span.violation(Rule.TOKEN_COUNT_KIND, misplaced, problem, advice)


def _check_total(span: Inspection, counts: dict[str, int]) -> Findings:
    parts = [counts[name] for name in (_PROMPT, _COMPLETION) if name in counts]
    if _TOTAL in counts and counts[_TOTAL] < sum(parts):
        added = " + ".join(map(shown, parts))
        problem = f"it is {shown(counts[_TOTAL])}, less than prompt and completion together ({added})"
        advice = "record the sum; where a provider counts cached tokens apart, add them to the prompt and the total"
        yield span.violation(Rule.TOKEN_COUNT_TOTAL, _TOTAL, problem, advice)


def _check_details(span: Inspection, counts: dict[str, int], whole: str) -> Findings:
    if whole not in counts:
        return
    for name, count in _details(counts, whole):
        if count > counts[whole]:
            problem = f"it is {shown(counts[whole])}, less than its part {name}, which is {shown(count)}"
            advice = f"add what the provider counts apart to {whole} and {_TOTAL}"
            yield span.violation(Rule.TOKEN_COUNT_DETAILS, whole, problem, advice)
            return


def _details(counts: dict[str, int], whole: str) -> Iterator[tuple[str, int]]:
    """The parts of a count; and those of the cache added up, since no token is both read and written."""
    for name, count in counts.items():
        if name.startswith(_PARTS[whole]):
            yield name, count
    if whole == _PROMPT and _CACHE_READ in counts and _CACHE_WRITE in counts:
        yield f"{_CACHE_READ} and {_CACHE_WRITE.rpartition('.')[2]}", counts[_CACHE_READ] + counts[_CACHE_WRITE]
