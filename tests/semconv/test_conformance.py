"""The checker: it finds each seeded fault, says nothing else, and says nothing of what is right."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from agenttrace.semconv.conformance import Rule, Severity, Violation, check, report

from .correct import CORRECT, EMBEDDING, LINKS, LLM
from .faults import FAULTS, Fault
from .sources import SOURCES, sdk_span

REDACTED = "__REDACTED__"

pytestmark = pytest.mark.agenttrace(check=False)  # the stores of these tests have wrong spans in them on purpose


def found(violations: list[Violation]) -> list[tuple[Rule, str]]:
    """The rules that were broken, and where."""
    return [(violation.rule, violation.attribute) for violation in violations]


def span_of(fault: Fault) -> Any:
    """The wrong span, as the SDK records it."""
    return sdk_span(fault.attributes, links=fault.links, events=fault.events, most_attributes=fault.most_attributes)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_seeded_fault_is_found_by_its_rule_alone(fault: Fault, source: str, tmp_path: Path) -> None:
    """Whatever the span comes from, the one thing that is wrong with it is found, and nothing else."""
    span = span_of(fault)
    [violation] = check(SOURCES[source]([span], tmp_path))
    assert (violation.rule, violation.attribute) == (fault.rule, fault.attribute)
    context = span.get_span_context()
    kind = fault.attributes.get("openinference.span.kind")
    assert violation.span == (
        f"{context.trace_id:032x}",
        f"{context.span_id:016x}",
        "step",
        kind if isinstance(kind, str) else None,
    )
    assert violation.problem
    assert violation.advice


@pytest.mark.parametrize("source", ["json", "protobuf", "store"])
def test_every_source_gives_the_same_violations(source: str, tmp_path: Path) -> None:
    """All faults at once: the same words from OTLP and the store as from the SDK, in the same order."""
    spans = [span_of(fault) for fault in FAULTS.values()]
    assert check(SOURCES[source](spans, tmp_path)) == check(spans)


def test_there_is_a_seeded_fault_for_every_rule() -> None:
    """No rule goes untried."""
    assert {fault.rule for fault in FAULTS.values()} == set(Rule)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("name", CORRECT)
def test_a_correct_span_of_each_kind_is_all_right(name: str, source: str, tmp_path: Path) -> None:
    """Nothing is said of a span that is as the specification has it."""
    span = sdk_span(CORRECT[name], links=LINKS.get(name, 0))
    assert check(SOURCES[source]([span], tmp_path)) == []


def test_several_faults_are_several_violations() -> None:
    """Each is told by itself, in the order of the spans."""
    first = sdk_span({**LLM, "llm.token_count.prompt": 30.0, "llm.cost.total": 1, "llm.input_messages.9": "hi"})
    second = sdk_span({"openinference.span.kind": "Llm"})
    assert set(found(check([first, second]))) == {
        (Rule.WRONG_TYPE, "llm.token_count.prompt"),
        (Rule.WRONG_TYPE, "llm.cost.total"),
        (Rule.LIST_NOT_FLATTENED, "llm.input_messages.9"),
        (Rule.LIST_GAP, "llm.input_messages.3"),
        (Rule.ROLE_MISSING, "llm.input_messages.9.message.role"),
        (Rule.KIND_INVALID, "openinference.span.kind"),
    }
    assert found(check([first, second]))[-1] == (Rule.KIND_INVALID, "openinference.span.kind")


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"http.method": "GET", "url.full": "http://localhost/"},
        {"db.system": "sqlite", "exception.type": "ValueError"},
        {"session.id": "s-1", "user.id": 3, "metadata": "no JSON", "tag.tags": "beta"},
        {"session.previous_id": "s-0", "user.email": "ada@example.com", "tag.colour": "red"},
        {"llm.prompt_template.template": "{start}", "llm.prompt_template.variables": "{"},
        {"gen_ai.system": "openai", "llm.usage.total_tokens": 3, "llm.is_streaming": True},
        {f"own.{number}": 1 for number in range(10_001)},
    ],
    ids=["nothing", "HTTP", "database", "context", "other conventions", "prompt template", "GenAI", "many"],
)
def test_spans_of_other_libraries_are_passed_over(attributes: Mapping[str, Any]) -> None:
    """A span with neither a kind nor a reserved attribute isn't OpenInference's, whatever every span of the run has."""
    assert check(sdk_span(attributes)) == []


def test_a_misspelled_kind_is_not_taken_for_another_librarys_span() -> None:
    """What is under ``openinference.span`` means to be OpenInference's, even where nothing else is."""
    violations = check(sdk_span({"openinference.span_kind": "LLM"}))
    assert found(violations) == [
        (Rule.KIND_MISSING, "openinference.span.kind"),
        (Rule.UNKNOWN_ATTRIBUTE, "openinference.span_kind"),
    ]


@pytest.mark.parametrize("name", CORRECT)
def test_hidden_values_may_stand_anywhere(name: str) -> None:
    """``__REDACTED__`` is right in place of every value, vectors and counts included, and of whole lists."""
    hidden = dict.fromkeys(CORRECT[name], REDACTED)
    hidden["openinference.span.kind"] = CORRECT[name]["openinference.span.kind"]
    carrier = {key: value for key, value in CORRECT[name].items() if key.startswith("agenttrace.")}
    span = sdk_span({**hidden, **carrier}, links=LINKS.get(name, 0))
    assert check(span) == []


def test_what_openinference_removes_when_it_hides_is_not_missed() -> None:
    """No MIME type beside a hidden input, no URL in an image's part, no vector, and a list hidden as a whole."""
    shown = {key: value for key, value in LLM.items() if not key.endswith((".mime_type", "image.url"))}
    changes = {"input.value": REDACTED, "output.value": REDACTED, "llm.prompts": REDACTED}
    assert check(sdk_span({**shown, **changes})) == []
    vectors = {key: REDACTED if key.endswith("vector") else value for key, value in EMBEDDING.items()}
    assert check(sdk_span(vectors)) == []


def test_texts_that_were_cut_are_no_fault() -> None:
    """agenttrace marks what it cut; in JSON the mark stands inside a text, and the JSON is whole."""
    mark = "… [truncated: 3,000 characters]"
    changes = {"output.value": f"a pict{mark}", "input.value": f'{{"question": "Wha{mark}"}}'}
    assert check(sdk_span({**LLM, **changes})) == []


@pytest.mark.parametrize(
    "text", ["null", "3", '"a"', '"\\ud800"', " [1]\n", '{"a": 1e999}', "9" * 5000, "[" * 900 + "]" * 900]
)
def test_json_is_what_the_grammar_says(text: str) -> None:
    """Any JSON value will do for what isn't to be an object, large numbers and lone surrogates' escapes included."""
    assert check(sdk_span({**LLM, "input.value": text, "llm.prompt_template.variables": text})) == []


@pytest.mark.parametrize("mime_type", ["application/json; charset=utf-8", "image/svg+xml", 'text/plain; a="b c"'])
def test_another_mime_type_is_a_warning(mime_type: str) -> None:
    """A MIME type is one by its form; those that readers don't know are doubtful."""
    assert found(check(sdk_span({**LLM, "output.mime_type": mime_type}))) == [
        (Rule.MIME_TYPE_UNUSUAL, "output.mime_type")
    ]


def test_a_system_that_nobody_can_know_is_not_missed() -> None:
    """A model of one's own, served by oneself, has no system; nor has a model whose name is hidden."""
    without = {key: value for key, value in LLM.items() if key not in ("llm.system", "llm.provider")}
    assert check(sdk_span({**without, "llm.model_name": "our-own-7b"})) == []
    assert check(sdk_span({**without, "llm.model_name": REDACTED})) == []
    assert "the model gpt-4o" in check(sdk_span({**without, "llm.model_name": "gpt-4o"}))[0].problem


@pytest.mark.parametrize("system", ["openai", "xai", "ai21", "our-own-lab", "typesafe", "huggingface"])
def test_systems_of_ones_own_are_allowed(system: str) -> None:
    """A well-known value as it is spelled, and a custom one, are both right."""
    assert check(sdk_span({**LLM, "llm.system": system})) == []


def test_an_annotated_evaluator_is_no_carrier() -> None:
    """Feedback on an evaluator's own span needs no link, and feedback about a session none ever."""
    own = {
        "openinference.span.kind": "EVALUATOR",
        "annotations.0.annotation.name": "a",
        "annotations.0.annotation.score": 1,
    }
    assert check(sdk_span(own)) == []
    about_session = {
        "openinference.span.kind": "EVALUATOR",
        "agenttrace.annotation.carrier": True,
        "session.id": "s-1",
        "session.annotations.0.annotation.name": "a",
        "session.annotations.0.annotation.label": "good",
    }
    for links in (0, 1, 2):
        assert check(sdk_span(about_session, links=links)) == []
    assert check(sdk_span({"openinference.span.kind": "EVALUATOR"}, links=3)) == []


def test_exceptions_as_the_sdk_records_them_are_all_right() -> None:
    """OpenTelemetry's SDK writes ``exception.escaped`` as a text, which its users can't change."""
    attributes = {"exception.type": "ValueError", "exception.message": "no", "exception.escaped": "False"}
    assert check(sdk_span({"openinference.span.kind": "TOOL"}, events={"exception": attributes, "other": {}})) == []


def test_the_nearest_name_is_suggested() -> None:
    """Of a name that there isn't, the one that may have been meant, in the same list, or where it stands."""
    names = {
        "llm.model": "llm.model_name",
        "llm.token_count.total_tokens": "llm.token_count.total",
        "llm.input_messages.0.message.roles": "llm.input_messages.0.message.role",
        "retrieval.documents.1.document.text": "retrieval.documents.1.document.content",
        "message.tool_call_id": "llm.input_messages.0.message.tool_call_id",
        "llm.output_messages.0.annotation.name": "annotations.0.annotation.name",
    }
    for name, meant in names.items():
        advice = {violation.attribute: violation.advice for violation in check(sdk_span({**LLM, name: "a"}))}
        assert advice[name].startswith(f"{meant} may be what is meant"), advice[name]


def test_how_to_flatten_is_said() -> None:
    """A list in one attribute is told what to be instead, nested lists too."""
    for name, instead in {
        "retrieval.documents": "retrieval.documents.0.document.id",
        "llm.input_messages.0.message.tool_calls": "llm.input_messages.0.message.tool_calls.0.tool_call.id",
        "llm.output_messages.0": "llm.output_messages.0.message.role",
    }.items():
        [violation] = [item for item in check(sdk_span({**LLM, name: "[]"})) if item.rule is Rule.LIST_NOT_FLATTENED]
        assert violation.advice.endswith(f"such as {instead}")


def test_many_spans_and_long_lists_are_checked() -> None:
    """Two hundred conversations of four hundred messages, half of them with a message lost."""
    attributes = {"openinference.span.kind": "LLM", "llm.model_name": "our-own-7b"}
    attributes |= {f"llm.input_messages.{number}.message.role": "user" for number in range(400)}
    whole, cut = sdk_span(attributes), sdk_span({**attributes, "llm.input_messages.401.message.role": "user"})
    violations = check([whole, cut] * 100)
    assert found(violations) == [(Rule.LIST_GAP, "llm.input_messages.400")] * 100


def test_what_is_no_span_is_refused_with_what_would_be_one() -> None:
    """A path, a number, a list of anything: the error says what is taken."""
    for wrong in ("spans.json", b"{}", 3, None, [3], [object()]):
        with pytest.raises(TypeError, match="check\\(\\) takes spans of OpenTelemetry's SDK or of the local store"):
            check(wrong)


def test_a_report_is_grouped_and_says_what_to_do() -> None:
    """By trace and by span, errors first, what is alike together, and nothing in it moves a terminal's cursor."""
    attributes: dict[str, Any] = {f"llm.choices.{number}.completion.text": number for number in range(12)}
    wrong = sdk_span({**attributes, "openinference.span.kind": "LLM", "input.\x1b[2Jvalue": "a"}, name="an\nswer")
    context = wrong.get_span_context()
    own = "what is your own goes into metadata or under a first word of your own"
    lines = report(check(wrong)).splitlines()
    assert lines == [
        f"trace {context.trace_id:032x}",
        f"  LLM an\\nswer ({context.span_id:016x})",
        "    error    llm.choices.0.completion.text  wrong-type (and 11 more like it)",
        "             it is 0, not a string",
        "             → record str(value)",
        "    warning  input.\\x1b[2Jvalue  unknown-attribute",
        "             OpenInference has no attribute of this name",
        f"             → input.value may be what is meant; {own}",
        "    warning  llm.model_name  model-name-missing",
        "             an LLM span without it can't be priced or compared",
        "             → record the model's name as the response has it, else as it was asked for",
    ]
    assert report([]) == ""


def test_a_violation_reads_as_a_sentence() -> None:
    """Attribute, rule, what is so, what to do."""
    [violation] = check(sdk_span({**LLM, "llm.cost.total": 1}))
    assert str(violation) == "llm.cost.total: wrong-type: it is 1, not a float; record float(value)"
    assert (violation.severity, violation.is_error) == (Severity.ERROR, True)


def test_the_page_lists_every_rule_with_its_severity() -> None:
    """docs/checking.md says of each rule how bad a breach is, and names no other rule."""
    page = (Path(__file__).parents[2] / "docs" / "checking.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^\| `([a-z-]+)` \| (error|warning) \|", page, re.MULTILINE))
    assert listed == {rule.value: rule.severity.value for rule in Rule}
