"""What identifies a model: its name, whose product it is, who runs it; on an embedding span, nothing but its name."""

from __future__ import annotations

from openinference.semconv.trace import OpenInferenceSpanKindValues, SpanAttributes

from ...providers import infer_system
from ..inspection import Findings, Inspection
from ..violations import Rule

_LLM = OpenInferenceSpanKindValues.LLM.value
_EMBEDDING = OpenInferenceSpanKindValues.EMBEDDING.value


def check_model(span: Inspection) -> Findings:
    """An LLM span names its model, and the model's system where the name or the provider tells it."""
    if span.kind != _LLM:
        return
    name = SpanAttributes.LLM_MODEL_NAME
    if not span.has(name):
        advice = "record the model's name as the response has it, else as it was asked for"
        yield span.violation(
            Rule.MODEL_NAME_MISSING, name, "an LLM span without it can't be priced or compared", advice
        )
    if not span.has(SpanAttributes.LLM_SYSTEM):
        model_name, provider = span.text(name), span.text(SpanAttributes.LLM_PROVIDER)
        system = infer_system(model_name, provider)
        if system is not None:
            told_by = f"the provider {provider}" if infer_system(model_name) is None else f"the model {model_name}"
            problem = f"there is none, and {told_by} tells whose product it is"
            yield span.violation(Rule.SYSTEM_MISSING, SpanAttributes.LLM_SYSTEM, problem, f"record {system!r}")


def check_embedding(span: Inspection) -> Findings:
    """An embedding span has neither ``llm.system`` nor ``llm.provider``."""
    if span.kind != _EMBEDDING:
        return
    for name in (SpanAttributes.LLM_SYSTEM, SpanAttributes.LLM_PROVIDER):
        if name in span.attributes:
            advice = f"leave it out; {SpanAttributes.EMBEDDING_MODEL_NAME} identifies the model"
            yield span.violation(Rule.EMBEDDING_SYSTEM, name, "it isn't for embedding spans", advice)
