"""What the checker finds: the rules there are, how bad a breach of each is, and one breach of one span."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple


class Severity(Enum):
    """How bad a breach of a rule is."""

    ERROR = "error"
    """The specification forbids it, or readers of the span will get something else than what was meant."""
    WARNING = "warning"
    """It is allowed and probably not what was meant."""


class Rule(Enum):
    """The rules of the specification that a span is held to. The value is what reports call a rule.

    Example:
        >>> Rule.LIST_GAP.value, Rule.LIST_GAP.severity
        ('list-gap', <Severity.ERROR: 'error'>)
    """

    severity: Severity

    def __new__(cls, value: str, severity: Severity) -> Rule:
        """A rule by its name in reports, with its severity beside."""
        rule = object.__new__(cls)
        rule._value_ = value
        rule.severity = severity
        return rule

    KIND_MISSING = "kind-missing", Severity.ERROR
    KIND_INVALID = "kind-invalid", Severity.ERROR

    WRONG_TYPE = "wrong-type", Severity.ERROR
    JSON_INVALID = "json-invalid", Severity.ERROR
    JSON_NOT_OBJECT = "json-not-object", Severity.ERROR
    UNKNOWN_ATTRIBUTE = "unknown-attribute", Severity.WARNING

    LIST_NOT_FLATTENED = "list-not-flattened", Severity.ERROR
    LIST_NOT_ZERO_BASED = "list-not-zero-based", Severity.ERROR
    LIST_GAP = "list-gap", Severity.ERROR

    MIME_TYPE_INVALID = "mime-type-invalid", Severity.ERROR
    MIME_TYPE_WITHOUT_VALUE = "mime-type-without-value", Severity.ERROR
    MIME_TYPE_UNTRUE = "mime-type-untrue", Severity.ERROR
    MIME_TYPE_UNUSUAL = "mime-type-unusual", Severity.WARNING

    MODEL_NAME_MISSING = "model-name-missing", Severity.WARNING
    SYSTEM_MISSING = "system-missing", Severity.WARNING
    WELL_KNOWN_VALUE = "well-known-value", Severity.WARNING
    EMBEDDING_SYSTEM = "embedding-system", Severity.ERROR

    TOKEN_COUNT_NEGATIVE = "token-count-negative", Severity.ERROR
    TOKEN_COUNT_TOTAL = "token-count-total", Severity.ERROR
    TOKEN_COUNT_DETAILS = "token-count-details", Severity.ERROR
    TOKEN_COUNT_KIND = "token-count-kind", Severity.WARNING

    ROLE_EMPTY = "role-empty", Severity.ERROR
    ROLE_MISSING = "role-missing", Severity.WARNING
    ROLE_UNUSUAL = "role-unusual", Severity.WARNING
    CONTENT_TYPE_INVALID = "content-type-invalid", Severity.ERROR
    TOOL_CALL_NAME_MISSING = "tool-call-name-missing", Severity.ERROR

    ANNOTATION_NAME_MISSING = "annotation-name-missing", Severity.ERROR
    ANNOTATION_RESULT_MISSING = "annotation-result-missing", Severity.ERROR
    SESSION_ID_MISSING = "session-id-missing", Severity.ERROR
    CARRIER_LINKS = "carrier-links", Severity.ERROR

    ATTRIBUTE_LARGE = "attribute-large", Severity.WARNING
    SPAN_LARGE = "span-large", Severity.WARNING
    ATTRIBUTES_MANY = "attributes-many", Severity.WARNING
    ATTRIBUTES_DROPPED = "attributes-dropped", Severity.WARNING


class SpanReference(NamedTuple):
    """Which span it is. Identifiers are lower-case hexadecimal."""

    trace_id: str
    span_id: str
    name: str
    kind: str | None
    """What ``openinference.span.kind`` says, None where it says nothing that can be read."""


@dataclass(frozen=True)
class Violation:
    """One breach of one rule by one span.

    Example:
        >>> [violation] = check(spans)
        >>> print(violation)
        llm.token_count.prompt: wrong-type: it is '12', not an integer; record int(value)
    """

    span: SpanReference
    attribute: str
    """The attribute it is about, which may be one that isn't there; ``*`` where it is the span as a whole."""
    rule: Rule
    problem: str
    """What is so."""
    advice: str
    """What to do."""

    @property
    def severity(self) -> Severity:
        """How bad it is."""
        return self.rule.severity

    @property
    def is_error(self) -> bool:
        """Whether it is more than a warning."""
        return self.rule.severity is Severity.ERROR

    def __str__(self) -> str:
        return f"{self.attribute}: {self.rule.value}: {self.problem}; {self.advice}"
