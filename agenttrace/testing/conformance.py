"""The assertion that spans are as the OpenInference specification has them."""

from __future__ import annotations

from agenttrace.semconv.conformance import check, report


def assert_conformant(spans: object, *, strict: bool = False) -> None:
    """Every span of ``spans`` is as the OpenInference specification has it.

    Args:
        spans: What a capture caught, or whatever else `agenttrace.semconv.conformance.check` takes.
        strict: Warnings count too.

    Raises:
        AssertionError: If one isn't. Its text says what is wrong where, and what to do.

    Example:
        >>> with capture_spans() as spans:
        ...     plan("what is the weather in Oslo?")
        >>> assert_conformant(spans)
    """
    __tracebackhide__ = True
    faults = faults_of(spans, strict=strict)
    if faults is not None:
        raise AssertionError(faults)


def faults_of(spans: object, *, strict: bool = False) -> str | None:
    """What `assert_conformant` has to say of ``spans``, None where that is nothing."""
    found = [violation for violation in check(spans) if strict or violation.is_error]
    if not found:
        return None
    count = len({violation.span for violation in found})
    named = "one span is" if count == 1 else f"{count} spans are"
    return f"{named} not as OpenInference has it\n\n{report(found)}"
