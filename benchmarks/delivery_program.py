"""One program of the comparison, in a process of its own: ``python -m benchmarks.delivery_program CONTENDER ENDPOINT``.

Says what it did by one JSON object a line on stdout; `delivery` starts it, and kills it where that is the point.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import random
import sys
import time
from typing import Any

from openinference.semconv.trace import OpenInferenceSpanKindValues, SpanAttributes

from benchmarks.delivery_contenders import CONTENDERS

KIND = OpenInferenceSpanKindValues.LLM.value
INPUT_CHARACTERS, OUTPUT_CHARACTERS = 400, 200
SYLLABLES = ("ba", "con", "de", "er", "fo", "in", "ka", "lo", "ment", "ni", "or", "pre", "ra", "sti", "tion", "un")
WORDS = [first + second + third for first in SYLLABLES for second in SYLLABLES for third in ("", "s", "ly", "ed")]
"""A thousand words, so that gzip makes of them about what it makes of prose, a third, and not a tenth."""


def text_of(seed: int, characters: int) -> str:
    """A text of that length, other for each seed."""
    chosen = random.Random(seed).choices(WORDS, k=characters // 4)  # noqa: S311  nothing secret hangs on it
    return " ".join(chosen)[:characters]


def end_span(tracer: Any, number: int, texts: list[tuple[str, str]], padding: str) -> str:
    """A model call with input, output, model and token counts, set in the way of OpenTelemetry's API."""
    question, answer = texts[number % len(texts)]
    span = tracer.start_span(
        "answer",
        attributes={
            SpanAttributes.OPENINFERENCE_SPAN_KIND: KIND,
            SpanAttributes.INPUT_VALUE: f"{number}: {question}{padding}",
            SpanAttributes.OUTPUT_VALUE: answer,
            SpanAttributes.LLM_MODEL_NAME: "a-model",
            SpanAttributes.LLM_TOKEN_COUNT_PROMPT: 120,
            SpanAttributes.LLM_TOKEN_COUNT_COMPLETION: 40,
        },
    )
    span.end()
    return format(span.get_span_context().span_id, "016x")


def say(**what: Any) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def main() -> None:
    logging.disable(logging.CRITICAL)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("contender", choices=CONTENDERS)
    parser.add_argument("endpoint")
    parser.add_argument("groups", nargs="*", help="COUNT, or COUNTxBYTES for spans with so much more in them")
    parser.add_argument("--protocol", default="http/protobuf")
    parser.add_argument("--rate", type=float, help="spans a second; as many as the loop makes without it")
    parser.add_argument("--acknowledge", action="store_true", help="say each span's id after its end")
    parser.add_argument("--wait", action="store_true", help="don't end before stdin does")
    options = parser.parse_args()
    tracer = CONTENDERS[options.contender].set_up(options.endpoint, options.protocol).get_tracer("benchmark")
    texts = [(text_of(seed, INPUT_CHARACTERS), text_of(-seed, OUTPUT_CHARACTERS)) for seed in range(200)]
    groups = [(int(count), "x" * int(size or 0)) for count, _, size in (g.partition("x") for g in options.groups)]
    number = 0
    began = due = time.monotonic()
    for count, padding in groups:
        for _ in range(count):
            span_id = end_span(tracer, number, texts, padding)
            number += 1
            if options.acknowledge:
                say(ended=span_id)
            if options.rate:
                due += 1 / options.rate
                time.sleep(max(0.0, due - time.monotonic()))
    say(began=began, loop_seconds=time.monotonic() - began, process=os.getpid())
    if options.wait:
        sys.stdin.read()


if __name__ == "__main__":
    main()
