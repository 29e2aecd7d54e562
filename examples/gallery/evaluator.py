"""Evaluators and annotations: a run is judged while it goes on, and after it has ended."""

from __future__ import annotations

from checked import checked_run

from agenttrace import annotate, trace_agent, trace_evaluator, using_session

QUESTION = "What is the weather in Oslo?"


@trace_evaluator
def grade(question: str, answer: str) -> float:
    """How much of the question the answer takes up. Judging that is work is a span of its own."""
    words = {word.strip("?").lower() for word in question.split() if len(word) > 3}
    return sum(word in answer.lower() for word in words) / len(words)


with checked_run(), using_session("evaluator-1"):
    with trace_agent("assistant", input=QUESTION) as run:
        answer = "The weather in Oslo: 14 °C and rain."
        run.set_output(answer)
        score = grade(QUESTION, answer)
        annotate("relevance", score=score, label="relevant" if score > 0.5 else "off topic", annotator_kind="CODE")
    print(answer)

    # Later, perhaps in another process that has kept the two ids: a person has read the answer.
    annotate(
        "helpfulness",
        score=1,
        label="helpful",
        explanation="Short, and true.",
        annotator_kind="HUMAN",
        identifier="reviewer-7",
        metadata={"form": 3},
        target=(run.trace_id, run.span_id),
    )
    annotate("resolved", label="yes", annotator_kind="HUMAN", scope="session")
