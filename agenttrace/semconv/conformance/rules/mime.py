"""A MIME type is one, and is true of the value beside it."""

from __future__ import annotations

import re

from openinference.semconv.trace import (
    AudioAttributes,
    DocumentAttributes,
    OpenInferenceMimeTypeValues,
    SpanAttributes,
)

from ..inspection import Findings, Inspection
from ..values import is_hidden, json_fault, shown
from ..violations import Rule, Violation

_JSON = OpenInferenceMimeTypeValues.JSON.value
_USUAL = frozenset(kind.value for kind in OpenInferenceMimeTypeValues)
_PAIRS = (
    (SpanAttributes.INPUT_MIME_TYPE, SpanAttributes.INPUT_VALUE),
    (SpanAttributes.OUTPUT_MIME_TYPE, SpanAttributes.OUTPUT_VALUE),
)
_OF_FILES = (AudioAttributes.AUDIO_MIME_TYPE, DocumentAttributes.DOCUMENT_MIME_TYPE)
"""The ends of the names that files' MIME types have, wherever the file is."""
# https://www.rfc-editor.org/rfc/rfc9110#name-media-type: type/subtype, then parameters.
_WORD = r"[!#$%&'*+.^`|~\w-]+"
_MIME_TYPE = re.compile(rf"{_WORD}/{_WORD}(\s*;\s*{_WORD}=({_WORD}|\"[^\"]*\"))*\s*", re.ASCII)


def check_mime_types(span: Inspection) -> Findings:
    """``input.mime_type`` and ``output.mime_type`` against their values; those of files for their form."""
    for name, value_name in _PAIRS:
        mime_type = span.visible(name)
        if isinstance(mime_type, str):  # what is no text is told by its type
            yield from _check_pair(span, name, mime_type, value_name)
    for key, value, place in span.placed:
        is_file = place.is_known and place.leaf.endswith(_OF_FILES)
        if is_file and isinstance(value, str) and not is_hidden(value) and not _MIME_TYPE.fullmatch(value):
            yield _invalid(span, key, value, "audio/wav or application/pdf")


def _check_pair(span: Inspection, name: str, mime_type: str, value_name: str) -> Findings:
    if not _MIME_TYPE.fullmatch(mime_type):
        yield _invalid(span, name, mime_type, " or ".join(sorted(_USUAL, reverse=True)))
        return
    if value_name not in span.attributes:
        problem = f"it is {shown(mime_type)}, and there is no {value_name}"
        yield span.violation(Rule.MIME_TYPE_WITHOUT_VALUE, name, problem, f"record {value_name} too, or leave both out")
        return
    if mime_type not in _USUAL:
        problem = f"it is {shown(mime_type)}, which readers show as plain text"
        advice = f"record text as {OpenInferenceMimeTypeValues.TEXT.value} and JSON as {_JSON}"
        yield span.violation(Rule.MIME_TYPE_UNUSUAL, name, problem, advice)
        return
    value = span.visible(value_name)
    fault = json_fault(value) if mime_type == _JSON and isinstance(value, str) else None
    if fault is not None:
        problem = f"it is {_JSON}, and {value_name} is {shown(value)}, which is no JSON ({fault})"
        advice = f"record json.dumps(value), or {OpenInferenceMimeTypeValues.TEXT.value} for plain text"
        yield span.violation(Rule.MIME_TYPE_UNTRUE, name, problem, advice)


def _invalid(span: Inspection, name: str, mime_type: str, such_as: str) -> Violation:
    problem = f"it is {shown(mime_type)}, which is no MIME type"
    return span.violation(Rule.MIME_TYPE_INVALID, name, problem, f"record one such as {such_as}")
