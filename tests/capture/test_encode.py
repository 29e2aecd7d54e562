"""What one recorded value looks like and how large it may get."""

from __future__ import annotations

import contextlib
import json
import logging
import sys
from collections.abc import Callable
from enum import Enum, IntEnum
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider

from agenttrace.capture.encode import encode_attribute, encode_json, encode_text, encode_value, max_value_bytes
from agenttrace.capture.limits import LENGTH_VARIABLES

SetLimit = Callable[[object], None]


def strict(text: str) -> Any:
    """Parse JSON as other languages do: without NaN and Infinity."""

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is no JSON")

    return json.loads(text, parse_constant=refuse)


def test_the_limit_is_one_mebibyte_where_nothing_is_set(set_limit: SetLimit) -> None:
    """An empty setting is none."""
    set_limit("")
    assert max_value_bytes() == 1_048_576


def test_the_limit_is_read_from_the_environment_once(set_limit: SetLimit, monkeypatch: pytest.MonkeyPatch) -> None:
    """Later changes of the environment don't matter."""
    set_limit(2000)
    assert max_value_bytes() == 2000
    monkeypatch.setenv("AGENTTRACE_MAX_VALUE_BYTES", "3000")
    assert max_value_bytes() == 2000


@pytest.mark.parametrize("setting", ["1MB", "63", "-1", "1.5"])
def test_an_unusable_limit_is_the_default_with_one_warning(
    setting: str, set_limit: SetLimit, caplog: pytest.LogCaptureFixture
) -> None:
    """The warning names the variable and shows how to write it."""
    caplog.set_level(logging.WARNING, "agenttrace")
    set_limit(setting)
    assert max_value_bytes() == 1_048_576
    set_limit(setting)
    assert max_value_bytes() == 1_048_576
    (record,) = caplog.records
    assert "AGENTTRACE_MAX_VALUE_BYTES=1048576" in record.getMessage()


@pytest.mark.parametrize("variable", LENGTH_VARIABLES)
def test_the_sdks_own_limit_does_not_cut_json(
    variable: str, set_limit: SetLimit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The smallest of the limits that are set is ours."""
    monkeypatch.setenv(variable, "100")
    set_limit(2000)
    provider = TracerProvider()
    span = provider.get_tracer(__name__).start_span("name")
    value = {"argument": "é" * 500}
    span.set_attribute("input.value", encode_json(value))
    span.set_attribute("tags", encode_attribute(["x" * 500]))
    span.set_attribute("name", encode_text("é" * 500))
    assert isinstance(span, ReadableSpan)
    assert span.attributes is not None
    assert span.attributes["input.value"] == encode_json(value)
    assert "500 characters" in strict(str(span.attributes["input.value"]))["argument"]
    assert "500 characters" in strict(str(span.attributes["tags"]))[0]
    assert span.attributes["name"] == encode_text("é" * 500)


@pytest.mark.parametrize(
    ("setting", "found"), [("", 2000), ("unset", 2000), ("3000", 2000), ("63", 2000), (" 64 ", 64)]
)
def test_a_limit_of_the_sdks_that_cannot_be_kept_is_not_heeded(
    setting: str, found: int, set_limit: SetLimit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor a larger one than ours."""
    for variable in LENGTH_VARIABLES:
        monkeypatch.setenv(variable, setting)
    set_limit(2000)
    assert max_value_bytes() == found


def test_plain_arguments_are_compact_json() -> None:
    """Everything JSON has, in its order."""
    value = {"a": "x", "b": 3, "c": [1.5, None, True, {"d": ()}], "e": {}}
    assert encode_json(value) == '{"a":"x","b":3,"c":[1.5,null,true,{"d":[]}],"e":{}}'


def test_a_conversation_round_trips() -> None:
    """Messages of several shapes, as model APIs take them."""
    call = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Malmö"}'}}
    messages = [
        {"role": "system", "content": "You are 🤖.\n\x00"},
        {"role": "assistant", "content": None, "tool_calls": [call, call]},
        {"role": "tool", "tool_call_id": "call_1", "content": [{"type": "text", "text": "17 °C"}], "score": 0.25},
    ]
    assert strict(encode_json({"messages": messages, "temperature": 0.7, "n": 1})) == {
        "messages": messages,
        "temperature": 0.7,
        "n": 1,
    }


def test_a_string_is_text_and_anything_else_is_json() -> None:
    """The MIME type says how to read the value."""

    class Text(str):
        __slots__ = ()

        def __str__(self) -> str:
            raise ValueError

    assert encode_value("sunny") == ("sunny", "text/plain")
    assert encode_value(Text("sunny")) == ("sunny", "text/plain")
    assert encode_value({"a": 1}) == ('{"a":1}', "application/json")
    assert encode_value(None) == ("null", "application/json")


def test_numbers_that_json_has_not_are_strings() -> None:
    """NaN, infinities and integers beyond 64 bits, at any depth and beside plain values."""
    value = {"a": [float("nan"), 1], "b": float("inf"), "c": {"d": -float("inf")}, "e": 2**64, "f": -(2**63) - 1}
    assert strict(encode_json(value)) == {
        "a": ["NaN", 1],
        "b": "Infinity",
        "c": {"d": "-Infinity"},
        "e": str(2**64),
        "f": str(-(2**63) - 1),
    }
    assert encode_json(float("nan")) == '"NaN"'
    assert encode_json([1.0] * 100 + [float("inf")]).endswith(',1.0,"Infinity"]')
    assert strict(encode_json([*range(100), 2**64]))[-1] == str(2**64)
    assert encode_json(2**64 - 1) == "18446744073709551615"


def test_an_integer_of_many_digits_is_not_printed() -> None:
    """Python itself refuses beyond 4300 digits."""
    assert encode_json({"n": 1 << 200_000}) == '{"n":"<int of 200001 bits>"}'


def test_an_integer_over_the_programs_own_digit_limit_is_not_printed() -> None:
    """sys.set_int_max_str_digits can be as low as 640."""
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(640)
    try:
        assert encode_json([10**700]) == '["<int of 2326 bits>"]'
    finally:
        sys.set_int_max_str_digits(before)


def test_lone_surrogates_are_written_out() -> None:
    """No UTF-8 has them."""
    assert encode_text("a\udc80é") == "a\\udc80é"
    assert strict(encode_json({"k\ud800": ["\udc80", 1], "plain": "é"})) == {"k\\ud800": ["\\udc80", 1], "plain": "é"}


def test_keys_of_any_type_become_text_and_no_entry_is_lost() -> None:
    """As json writes them where it can; a second key of the same text says its type."""

    class Color(Enum):
        RED = "red"

    value = {1: "a", "1": "b", None: "c", False: "d", (1, "x"): "e", Color.RED: "f", 1.5: "g", frozenset({2}): "h"}
    assert strict(encode_json(value)) == {
        "1": "a",
        "1 (str)": "b",
        "null": "c",
        "false": "d",
        '[1,"x"]': "e",
        "red": "f",
        "1.5": "g",
        "[2]": "h",
    }


def test_keys_whose_texts_are_equal_are_numbered() -> None:
    """A thousand objects with one repr are a thousand entries."""

    class Key:
        def __repr__(self) -> str:
            return "key"

    written = strict(encode_json({Key(): index for index in range(1000)}))
    assert sorted(written.values()) == list(range(1000))


def test_a_cycle_is_marked() -> None:
    """Through lists, dictionaries and objects; the same object twice is no cycle."""
    items: list[Any] = [1]
    items.append({"self": items})
    assert encode_json(items) == '[1,{"self":"<cycle: list>"}]'
    shared = {"x": object}
    assert encode_json([shared, shared]) == '[{"x":"<class object>"},{"x":"<class object>"}]'


def test_a_web_of_shared_lists_is_bounded() -> None:
    """2 to the power of 60 paths lead through 60 lists."""
    web: list[Any] = []
    for _ in range(60):
        web = [web, web]
    assert len(encode_json({"web": web, "question": "short"})) <= max_value_bytes()
    assert strict(encode_json({"web": web, "question": "short"}))["question"] == "short"


@pytest.mark.parametrize("odd", [None, object()], ids=["plain", "with an object"])
def test_deep_nesting_ends_with_a_mark(odd: object) -> None:
    """A hundred levels are recorded of a hundred thousand."""
    deep: Any = [odd]
    for level in range(100_000):
        deep = [deep] if level % 2 else {"d": deep}
    text = encode_json({"deep": deep, "b": 2})
    assert "nested more than 100 levels deep>" in text
    assert strict(text)["b"] == 2
    while deep:  # taken apart by hand: Python's own way to free it recurses on some versions
        deep = deep.pop() if isinstance(deep, list) else deep.pop("d")
        if not isinstance(deep, (list, dict)):
            break


def test_a_long_text_is_cut_and_says_how_long_it_was(set_limit: SetLimit) -> None:
    """In bytes, not characters, and never within a character."""
    set_limit(1000)
    for text in ("x" * 5000, "é" * 5000, "🤖" * 5000, "\udc80" * 5000):
        cut = encode_text(text)
        assert cut.endswith("… [truncated: 5000 characters]")
        assert 980 <= len(cut.encode()) <= 1000
    assert encode_text("é" * 500) == "é" * 500


def test_one_huge_argument_leaves_the_small_ones_whole(set_limit: SetLimit) -> None:
    """The room is divided so that what is short stays whole, whatever the order and depth."""
    set_limit(10_000)
    text = encode_json({"doc": "x" * 50_000_000, "pages": ["y" * 4000, "z" * 100_000], "question": "why?" * 50})
    written = strict(text)
    assert written["question"] == "why?" * 50
    assert written["doc"].endswith("x… [truncated: 50000000 characters]")
    assert len(written["doc"]) == pytest.approx(len(written["pages"][1]), abs=20)
    assert 9500 < len(text.encode()) <= 10_000


def test_a_long_list_is_cut_and_says_how_long_it_was(set_limit: SetLimit) -> None:
    """The first items are kept; what stands beside the list is whole."""
    set_limit(2000)
    written = strict(encode_json({"rows": list(range(100_000)), "question": "short"}))
    kept, mark = written["rows"][:-1], written["rows"][-1]
    assert kept == list(range(len(kept)))
    assert len(kept) > 50
    assert mark == f"… {100_000 - len(kept):,} more items of 100,000"
    assert written["question"] == "short"


def test_a_large_dictionary_is_cut_and_says_how_large_it_was(set_limit: SetLimit) -> None:
    """The mark is an entry that collides with no key."""
    set_limit(2000)
    written = strict(encode_json({"…": "own", **{f"key {index}": index for index in range(10_000)}}))
    assert written["…"] == "own"
    assert written["… (2)"] == f"{10_001 - (len(written) - 1):,} more items of 10,001"


def test_many_rows_are_kept_whole_rather_than_all_of_them_empty(set_limit: SetLimit) -> None:
    """Fewer rows, each with all its columns."""
    set_limit(20_000)
    rows = [{"id": index, "text": "some words", "kind": Enum} for index in range(50_000)]
    written = strict(encode_json(rows))
    assert len(written) > 50
    assert all(set(row) == {"id", "text", "kind"} for row in written[:-1])


def test_what_escapes_make_longer_still_fits(set_limit: SetLimit) -> None:
    """One NUL is six bytes of JSON; the beginning says nothing of the rest."""
    set_limit(5000)
    tail = "🤖" * 100_000
    for text in ("\0" * 100_000, "x" * 2000 + "\0" * 100_000, "x" * 300 + tail, '"' * 4999, "\\\udc80" * 4000):
        written = encode_json({"text": text, "question": "short"})
        assert 4000 < len(written.encode()) <= 5000
        assert strict(written)["question"] == "short"


def test_the_smallest_limit_is_kept(set_limit: SetLimit) -> None:
    """64 bytes, of anything."""
    set_limit(64)
    nested = {"k" * 1000: {"v" * 1000: 1}}
    for value in ("x" * 1000, "é" * 1000, ["x" * 1000] * 100, nested, list(range(10**6)), 10**3000):
        text = encode_json(value)
        assert len(text.encode()) <= 64
        strict(text)
        assert len(encode_text(str(value)).encode()) <= 64


def test_encoding_at_the_interpreters_recursion_limit_does_not_raise() -> None:
    """From any depth at which the function can be called at all."""
    values = [{"a": 1}, {"a": object()}, [[[[{"k": ValueError("x")}]]]], "\udc80", 2**70]
    seen = []

    def descend() -> None:
        with contextlib.suppress(RecursionError):
            descend()
        for value in values:
            for encode in (encode_json, encode_attribute, encode_value):
                try:
                    seen.append(encode(value))  # type: ignore[operator]
                except RecursionError as error:  # only from the call itself, with no frame of ours on the stack
                    traceback = error.__traceback__
                    assert traceback is not None
                    assert traceback.tb_next is None or traceback.tb_next.tb_next is None

    descend()
    assert '{"a":1}' in seen
    assert '{"a":"<object object>"}' in seen


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, True),
        (3, 3),
        (2**63, "9223372036854775808"),
        (10**400, str(10**400)),
        (1.5, 1.5),
        (float("inf"), float("inf")),
        ("text\udc80", "text\\udc80"),
        (("a", "b"), ["a", "b"]),
        ([1, 2], [1, 2]),
        ([True], [True]),
        ([], []),
        ([1, "a"], '[1,"a"]'),
        ([1, True], "[1,true]"),
        ([2**63], "[9223372036854775808]"),
        ([None], "[null]"),
        (None, "null"),
        ({"a": 1}, '{"a":1}'),
        (IntEnum("Level", {"LOW": 1}).LOW, 1),  # type: ignore[attr-defined]
        (b"ab", '{"type":"bytes","length":2,"preview":"ab"}'),
        (Enum("Plain", {"A": object()}).A, "A"),  # type: ignore[attr-defined]
    ],
)
def test_any_object_becomes_an_attribute_that_opentelemetry_takes(value: object, expected: object) -> None:
    """Scalars and short lists of one type as they are, anything else as text."""
    written = encode_attribute(value)
    assert written == expected
    assert type(written) is type(expected)


def test_a_long_list_is_no_list_attribute(set_limit: SetLimit) -> None:
    """It would be bounded neither in bytes nor in items."""
    set_limit(5000)
    assert isinstance(encode_attribute(list(range(1001))), str)
    assert isinstance(encode_attribute(["x" * 1000] * 100), str)
    assert len(str(encode_attribute("x" * 10_000))) <= 5000
