"""Secrets in texts: whole JSON, cut JSON, JSON in JSON, JSON between words, and what Python writes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agenttrace import trace_step
from agenttrace.semconv.masking import REDACTED
from agenttrace.semconv.secret_texts import has_nested_secret, hide_in_json, hide_in_text
from agenttrace.testing import capture_spans

SECRET = "hunter2"
DEEPEST = 4


def inside(value: object, depth: int) -> str:
    """``value`` as JSON in JSON in …, so many times."""
    text = json.dumps(value)
    for _ in range(depth):
        text = json.dumps({"user": "ann", "arguments": text})
    return text


def outside(text: str, depth: int) -> Any:
    """What `inside` was given."""
    value = json.loads(text)
    for _ in range(depth):
        assert value["user"] == "ann"
        value = json.loads(value["arguments"])
    return value


secrets = st.recursive(
    st.text(max_size=10).map(lambda text: f"{text}hunter2{text}"),
    lambda inner: st.lists(inner, min_size=1, max_size=3) | st.dictionaries(st.text(max_size=5), inner, min_size=1),
    max_leaves=5,
)


@settings(max_examples=300, deadline=None)
@given(secrets, st.text(max_size=20), st.integers(0, DEEPEST))
def test_a_secret_is_hidden_at_every_depth(secret: object, other: str, depth: int) -> None:
    """Whatever it consists of, and nothing else is changed; hiding twice is hiding once."""
    text = inside({"a": other, "password": secret, "b": [other, {"token": secret}], "c": 1}, depth)
    hidden = hide_in_json(text)
    expected = {"a": other, "password": REDACTED, "b": [other, {"token": REDACTED}], "c": 1}
    assert outside(hidden, depth) == expected
    assert hide_in_json(hidden) == hidden
    assert has_nested_secret(text.encode()) == (depth > 0)


@settings(max_examples=100, deadline=None)
@given(secrets, st.integers(0, DEEPEST), st.data())
def test_a_text_that_is_cut_anywhere_shows_no_part_of_it(secret: object, depth: int, data: st.DataObject) -> None:
    """Recorded texts are cut at their limit, and models stop in the middle of an argument."""
    text = inside({"user": "ann", "password": secret}, depth)
    end = data.draw(st.integers(0, len(text)))
    assert "hunter" not in hide_in_json(text[:end])
    assert "hunter" not in hide_in_text(text[:end])


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="\"\\{}[]:,= \n'apiky?&_x0-", max_size=200))
def test_any_text_can_be_looked_at(text: str) -> None:
    """Broken JSON of every kind: what has no secret's name in it stays as it is."""
    assert hide_in_json(text) == text or "api" in text
    hidden = hide_in_text(text)
    assert ("__REDACTED__" in hidden) == (text in WITH_VALUES)
    assert hide_in_text(hidden) == hidden
    assert has_nested_secret(text.encode()) == text.startswith('\\"password')


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('{"password" : "hunter2"}', '{"password" : "__REDACTED__"}'),
        ('{\n  "password":\n    "hunter2"\n}', '{\n  "password":\n    "__REDACTED__"\n}'),
        ('{"password": "hun\\"ter2\\\\"}', '{"password": "__REDACTED__"}'),
        ('{"password": null, "secret": true}', '{"password": null, "secret": true}'),
        ('{"password": -1.5e3, "a": 1}', '{"password": "__REDACTED__", "a": 1}'),
        ('{"password": ["hunter2", "]"], "a": 1}', '{"password": "__REDACTED__", "a": 1}'),
        ('{"a": "the \\"password\\": none"}', '{"a": "the \\"password\\": none"}'),
        ('Here: ```json\n{"api_key": "hunter2"}\n```', 'Here: ```json\n{"api_key": "__REDACTED__"}\n```'),
        ('{"max_tokens": 5, "author": "ann"}', '{"max_tokens": 5, "author": "ann"}'),
        ('{"password": }', '{"password": }'),
        ("no pair at all", "no pair at all"),
        ("", ""),
    ],
)
def test_json_in_a_text(text: str, shown: str) -> None:
    """Spaces, line breaks, escapes, numbers and containers; null, true, false and other names stay."""
    assert hide_in_json(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("bad {'password': 'hunter2', 'a': 1}", "bad {'password': '__REDACTED__', 'a': 1}"),
        ("""{'password': "hunter's2", 'a': 1}""", """{'password': "__REDACTED__", 'a': 1}"""),
        ("{'credentials': {'u': 'hunter2', 'n': [\"]\"]}, 'a': 1}", "{'credentials': '__REDACTED__', 'a': 1}"),
        ("{'token': b'hunter2'}", "{'token': b'__REDACTED__'}"),
        ("{'password': None, 'secret': True, 'pwd': 12}", "{'password': None, 'secret': True, 'pwd': '__REDACTED__'}"),
        ("Client(url='x', api_key='hunter2')", "Client(url='x', api_key='__REDACTED__')"),
        ('Client(api_key="hunter2", retries=3)', 'Client(api_key="__REDACTED__", retries=3)'),
        ("for url https://a.b/c?q=x&api_key=hunter2&n=1", "for url https://a.b/c?q=x&api_key=__REDACTED__&n=1"),
        ("call(api_key=settings.key)", "call(api_key=settings.key)"),
        ("password: field required", "password: field required"),
        ("it's 'token': unquoted", "it's 'token': unquoted"),
    ],
)
def test_what_python_writes(text: str, shown: str) -> None:
    """Mappings, objects and addresses in what an exception says; code and sentences stay readable."""
    assert hide_in_text(text) == shown
    assert hide_in_text(shown) == shown


WITH_VALUES = [
    '"password":"' * 20_000,
    '"password":[' * 20_000,
    '\\"password\\":' * 20_000,
    "'password':" * 20_000,
    "api_key='" * 20_000,
    "?api_key=" * 20_000,
]
WITHOUT = [
    "\\" * 300_000 + '":',
    '"' * 300_000 + ":",
    '"password":' + "\n" * 300_000,
    "=" * 300_000 + "'",
    "a" * 300_000 + "='",
]


@pytest.mark.parametrize(
    "text",
    [*WITH_VALUES, *WITHOUT],
    ids=lambda text: repr(text[:14]),
)
def test_texts_made_to_take_long_take_a_time_that_grows_with_them(text: str) -> None:
    """Nothing is looked at again and again: with the square of the length these would take hours."""
    assert (hide_in_text(text) != text) == (text in WITH_VALUES)
    assert isinstance(has_nested_secret(text.encode()), bool)


@pytest.mark.parametrize("gap", ["  ", "\t", "\n", "\n    "], ids=repr)
def test_whatever_stands_before_the_colon(gap: str) -> None:
    """JSON may have any white space there, in JSON inside JSON as an escape."""
    text = f'{{"user"{gap}: "ann", "password"{gap}: "hunter2"}}'
    assert "hunter2" not in hide_in_json(text)
    nested = json.dumps({"arguments": text})
    assert "hunter2" not in hide_in_json(nested)
    with capture_spans() as spans, trace_step("step") as step:
        step.set_input({"arguments": text})
        step.set_output(nested)
    assert "hunter2" not in str(spans[0].attributes)
