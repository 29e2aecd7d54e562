"""Values under a secret's name are redacted in whatever is captured, at any depth and on both ways to JSON."""

from __future__ import annotations

import datetime as dt
import json
from collections import OrderedDict, UserDict, namedtuple
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import attrs
import httpx
import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agenttrace.capture.encode import encode_attribute, encode_json, encode_text, encode_value
from agenttrace.capture.redaction import shown_attribute
from agenttrace.capture.reserved import encode_reserved
from agenttrace.capture.results import YieldedItems
from agenttrace.capture.tools import tool_parameters
from agenttrace.semconv.masking import REDACTED, use_config
from agenttrace.semconv.privacy import TraceConfig
from agenttrace.semconv.secrets import is_secret_name

SECRET = "hunter2"


@dataclass
class Login:
    user: str = "ann"
    password: str = SECRET


@dataclass
class Request:
    login: Login = field(default_factory=Login)


class Model(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")

    name: str = "gpt"
    api_key: str = SECRET


@attrs.define
class Settings:
    region: str = "eu"
    secret: str = SECRET


Pair = namedtuple("Pair", ["host", "token"])


class Client:
    """An object that tells of itself."""

    def __repr__(self) -> str:
        return f"Client(host='h', api_key={SECRET!r}, config={{'password': {SECRET!r}}})"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"password": SECRET}, {"password": REDACTED}),
        ({"a": [{"b": {"api_key": SECRET, "c": 1}}]}, {"a": [{"b": {"api_key": REDACTED, "c": 1}}]}),
        ({**{str(n): n for n in range(20)}, "token": SECRET}, {**{str(n): n for n in range(20)}, "token": REDACTED}),
        ([{"x": 1}, {"x": 2, "secret": SECRET}], [{"x": 1}, {"x": 2, "secret": REDACTED}]),
        ({"credentials": {"user": "ann", "key": SECRET}}, {"credentials": REDACTED}),
        ({"cookies": [SECRET]}, {"cookies": REDACTED}),
        ({"password": 1234}, {"password": REDACTED}),
        ({"password": None, "authorization": False}, {"password": None, "authorization": False}),
        ({"password": ""}, {"password": REDACTED}),
        ({"when": dt.date(2026, 1, 1), "password": SECRET}, {"when": "2026-01-01", "password": REDACTED}),
        (Request(), {"login": {"user": "ann", "password": REDACTED}}),
        (Model.model_validate({"extra_token": SECRET}), {"name": "gpt", "api_key": REDACTED, "extra_token": REDACTED}),
        (Settings(), {"region": "eu", "secret": REDACTED}),
        (Pair("h", SECRET), {"host": "h", "token": REDACTED}),
        (OrderedDict(password=SECRET), {"password": REDACTED}),
        (UserDict(password=SECRET), {"password": REDACTED}),
        (MappingProxyType({"password": SECRET}), {"password": REDACTED}),
        (httpx.Headers({"Authorization": SECRET, "accept": "*"}), {"authorization": REDACTED, "accept": "*"}),
        ({("user", 1): {"password": SECRET}}, {'["user",1]': {"password": REDACTED}}),
        ([Client()], [f"Client(host='h', api_key='{REDACTED}', config={{'password': '{REDACTED}'}})"]),
    ],
)
def test_values_under_secret_names_are_redacted(value: object, shown: object) -> None:
    """In mappings, dataclasses, models, named tuples, headers, what objects say of themselves; None and bools stay."""
    assert json.loads(encode_json(value)) == shown
    assert SECRET in encode_json({"anything": SECRET})


def test_one_can_turn_it_off() -> None:
    """With redact_secrets=False they are recorded as they are, on both ways, and are redacted again afterwards."""
    values = (
        {"password": SECRET},
        {"password": SECRET, "when": dt.date(2026, 1, 1)},
        {"a": json.dumps(Login().__dict__)},
    )
    with use_config(TraceConfig(redact_secrets=False)):
        assert all(SECRET in encode_json(value) for value in values)
        assert SECRET in encode_text(json.dumps({"password": SECRET}))
        assert SECRET in encode_json([Client()])
    assert not any(SECRET in encode_json(value) for value in values)


def test_a_tool_that_takes_a_secret_keeps_its_schema() -> None:
    """What declares a secret is no secret; what the schema gives as its default is."""
    schema = {
        "type": "object",
        "properties": {
            "password": {"type": "string", "description": "The user's password.", "minLength": 8},
            "api_key": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
            "cookies": {"type": "object", "additionalProperties": {"type": "string"}},
            "credentials": {"$ref": "#/$defs/Credentials"},
            "secret": {},
        },
        "required": ["password"],
    }
    tools = [{"type": "function", "function": {"name": "log_in", "parameters": schema}}]
    assert json.loads(encode_json(tools)) == tools
    assert json.loads(encode_text(json.dumps(tools))) == tools
    assert json.loads(encode_json({"tools": json.dumps(tools)})) == {"tools": json.dumps(tools)}

    given = {"password": {"type": "string", "default": SECRET, "examples": [SECRET]}}
    hidden = {"password": {"type": "string", "default": REDACTED, "examples": REDACTED}}
    assert json.loads(encode_json(given)) == hidden
    assert json.loads(encode_text(json.dumps(given))) == hidden
    nested = json.loads(encode_json({"tools": json.dumps(given)}))
    assert json.loads(nested["tools"]) == hidden


@pytest.mark.parametrize(
    "value",
    [
        {"type": "string", "value": SECRET},
        {"type": SECRET},
        {"description": SECRET},
        {"title": SECRET},
        {"type": "object", "properties": {"a": SECRET}},
        {"type": "array", "items": [SECRET]},
        {"anyOf": [{"type": "string"}, SECRET]},
        {"type": ["string", {"a": SECRET}]},
        {"type": "string", 1: SECRET},
    ],
)
def test_what_only_looks_like_a_schema_is_redacted(value: object) -> None:
    """One key or value that no schema has is enough."""
    assert json.loads(encode_json({"password": value})) == {"password": REDACTED}
    assert SECRET not in encode_text(json.dumps({"password": value}))


def test_the_words_of_a_text_are_no_secrets() -> None:
    """A token with its log probability is a word that a model wrote."""
    logprobs = {"content": [{"token": "Hi", "logprob": -0.1, "bytes": None, "top_logprobs": []}]}
    assert json.loads(encode_json(logprobs)) == logprobs
    assert json.loads(encode_text(json.dumps(logprobs))) == logprobs
    assert json.loads(encode_json({"token": SECRET, "logprobs": None})) == {"token": REDACTED, "logprobs": None}


def test_attributes_that_the_program_names() -> None:
    """By the last part of the name, unless it is True, False or None; reserved ones never."""
    assert shown_attribute("app.api_key", SECRET) == REDACTED
    assert shown_attribute("password", 5) == REDACTED
    assert shown_attribute("app.auth", False) is False
    assert shown_attribute("app.auth", None) is None
    assert shown_attribute("llm.token_count.prompt", 3) == 3
    with use_config(TraceConfig(redact_secrets=False)):
        assert shown_attribute("app.api_key", SECRET) == SECRET


def test_parameters_of_a_tool_have_no_secret_default() -> None:
    """The schema that is read from a signature leaves them out."""

    def call(query: str, api_key: str = SECRET, max_tokens: int = 256) -> str:
        return query + api_key + str(max_tokens)

    assert SECRET not in encode_json(tool_parameters(call))
    assert tool_parameters(call)["properties"] == {
        "query": {"type": "string"},
        "api_key": {"type": "string"},
        "max_tokens": {"type": "integer", "default": 256},
    }


ARGUMENTS = json.dumps({"user": "ann", "password": SECRET})
HIDDEN_ARGUMENTS = json.dumps({"user": "ann", "password": REDACTED})
CALL = {"id": "c1", "type": "function", "function": {"name": "log_in", "arguments": ARGUMENTS}}


@pytest.mark.parametrize("beside", [{}, {"when": dt.date(2026, 1, 1)}], ids=["fast", "slow"])
def test_json_inside_json(beside: dict[str, Any]) -> None:
    """The arguments of a tool call are a text in a conversation, and JSON themselves; other texts stay as they are."""
    quoted = 'She said: "Oslo": \\ and went.'
    messages = [{"role": "assistant", "content": quoted, "tool_calls": [CALL]}]
    written = json.loads(encode_json({"messages": messages, **beside}))
    [message] = written["messages"]
    assert message["tool_calls"][0]["function"] == {"name": "log_in", "arguments": HIDDEN_ARGUMENTS}
    assert message["content"] == quoted
    twice = json.loads(encode_json({"body": json.dumps({"messages": messages}), **beside}))
    assert SECRET not in str(twice)
    assert json.loads(twice["body"])["messages"][0]["tool_calls"][0]["function"]["arguments"] == HIDDEN_ARGUMENTS


def test_texts_that_are_json() -> None:
    """As a value, an attribute, a list of texts, an item of a stream or a reserved attribute."""
    assert encode_text(ARGUMENTS) == HIDDEN_ARGUMENTS
    assert encode_value(ARGUMENTS) == (HIDDEN_ARGUMENTS, "text/plain")
    assert encode_value('{"password":"x"}') == (f'{{"password":"{REDACTED}"}}', "text/plain")
    assert encode_attribute(ARGUMENTS) == HIDDEN_ARGUMENTS
    assert encode_attribute([ARGUMENTS, "b"]) == [HIDDEN_ARGUMENTS, "b"]
    items = YieldedItems()
    for character in ARGUMENTS:
        items.add(character)
    assert items.output() == (HIDDEN_ARGUMENTS, "text/plain")
    key = "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments"
    assert encode_reserved({key: ARGUMENTS}) == {key: HIDDEN_ARGUMENTS}
    assert encode_reserved({"metadata": ARGUMENTS}) == {"metadata": HIDDEN_ARGUMENTS}


@pytest.mark.parametrize("limit", [64, 100, 200, 1000])
def test_a_value_that_has_to_be_cut_shows_no_secret(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever the cut falls, and whatever room the redaction takes."""
    from agenttrace.capture import limits

    monkeypatch.setenv(limits.VARIABLE, str(limit))
    limits.reread_limits()
    try:
        for before in range(0, 2 * limit, 7):
            text = json.dumps({"a": "x" * before, "password": SECRET, "b": "y" * limit})
            values: list[object] = [text, {"body": text}, {"x": [text, {"password": SECRET}], "z": "y" * before}]
            for value in values:
                shown, _ = encode_value(value)
                assert "hunter" not in shown
                assert len(shown.encode()) <= limit
                if value is not text:
                    json.loads(shown)
    finally:
        monkeypatch.undo()
        limits.reread_limits()


names = st.sampled_from(["a", "b", "key", "tokens", "password", "api_key", "Authorization", "user token", "ö"])
scalars = st.none() | st.booleans() | st.integers(-100, 100) | st.text(max_size=20) | st.just(dt.date(2026, 1, 1))
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=5),
    max_leaves=30,
)


def redacted(value: Any) -> Any:
    """What is to be recorded, in the plainest words."""
    if isinstance(value, dict):
        return {name: redacted(item) if not tells_secret(name, item) else REDACTED for name, item in value.items()}
    if isinstance(value, list):
        return [redacted(item) for item in value]
    return value.isoformat() if isinstance(value, dt.date) else value


def tells_secret(name: str, item: object) -> bool:
    # An empty mapping is a schema that says nothing.
    return is_secret_name(name) and item is not None and not isinstance(item, bool) and item != {}


@settings(max_examples=300, deadline=None)
@given(values)
def test_both_ways_redact_the_same(value: object) -> None:
    """The fast way and the slow one, at the root and below an object; and in a text that is JSON."""
    expected = redacted(value)
    assert json.loads(encode_json(value)) == expected
    assert json.loads(encode_json([dt.date(2026, 1, 1), value])) == ["2026-01-01", expected]
    if isinstance(value, (dict, list)) and "datetime" not in repr(value):
        assert json.loads(encode_text(json.dumps(value))) == expected
        assert json.loads(json.loads(encode_json([json.dumps(value)]))[0]) == expected
