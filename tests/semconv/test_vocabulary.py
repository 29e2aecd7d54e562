"""The table of reserved attributes has all that the specification reserves, each with its type."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openinference.semconv.trace as conventions
import pytest

from agenttrace.semconv.vocabulary import LISTS, TYPES, ValueType, leaf_of, lists_in, type_of

# The specification's table (spec/semantic_conventions.md of OpenInference): a name and a type on each line.
RESERVED = dict(
    line.split("\t")
    for line in Path(__file__).with_name("reserved_attributes.tsv").read_text(encoding="utf-8").splitlines()
)
WORDS = {
    "string": ValueType.STRING,
    "json": ValueType.JSON,
    "int": ValueType.INTEGER,
    "float": ValueType.FLOAT,
    "number": ValueType.NUMBER,
    "bool": ValueType.BOOLEAN,
    "string[]": ValueType.STRINGS,
    "float[]": ValueType.FLOATS,
    "string|int": ValueType.IDENTIFIER,
}
"""How the table there names a type."""
HOLDERS = {
    "message_content.image": "an object: image.url stands below it",
    "message_content.audio": "an object: audio.url and others stand below it",
    "message_content.video": "an object: video.url stands below it",
    "message_content.document": "an object: document.url and others stand below it",
}
BEGINNINGS = {
    "llm.token_count.prompt_details": "the beginning of names, with no value of its own",
    "llm.token_count.completion_details": "the beginning of names, with no value of its own",
    "llm.cost.prompt_details": "the beginning of names, with no value of its own",
    "llm.cost.completion_details": "the beginning of names, with no value of its own",
}
EXCEPTIONS = {**HOLDERS, **BEGINNINGS}
"""Constants that name no attribute, and why."""
CONSTANTS = {
    f"{name}.{constant}": value
    for name, attributes in vars(conventions).items()
    if isinstance(attributes, type) and name.endswith("Attributes")
    for constant, value in vars(attributes).items()
    if constant.isupper()
}
BEYOND_THE_TABLE = {
    "completion.text": "of llm.choices, which the table names without what is in it",
    "prompt.text": "of llm.prompts, likewise",
    "document.url": "of files in messages, which came after the table",
    "document.mime_type": "of files in messages, likewise",
    "document.name": "of files in messages, likewise",
    "video.url": "of videos in messages, likewise",
    "llm.token_count.prompt_details.cache_input": "an older name of what is read from a cache",
    "input.images": "images at a span's root, which came after the table",
    "output.images": "images at a span's root, likewise",
    "input.documents": "files at a span's root, likewise",
    "output.documents": "files at a span's root, likewise",
}
"""What is known and not in the table, and why."""


@pytest.mark.parametrize(("name", "word"), RESERVED.items())
def test_every_reserved_attribute_is_known_with_its_type(name: str, word: str) -> None:
    """A list of objects is one, an object's fields stand below it, and the rest has one type."""
    if word == "objects":
        assert name in LISTS
        assert name not in TYPES
    elif word == "object":
        assert name in HOLDERS
    else:
        assert TYPES[name] is WORDS[word]


@pytest.mark.parametrize(("constant", "name"), CONSTANTS.items())
def test_every_constant_of_the_conventions_is_known(constant: str, name: str) -> None:
    """A newer release of the conventions that has more fails here, and says what is missing."""
    assert name in TYPES or name in LISTS or name in EXCEPTIONS, f"{constant} is new: {name}"
    assert not (name in TYPES and name in EXCEPTIONS)


def test_nothing_is_known_that_nobody_reserves() -> None:
    """Each name is the table's or a constant's, or OpenTelemetry's own."""
    known = {*TYPES, *LISTS}
    decisions = {name for name in known if name.startswith("decision.")}  # in a part of the specification of their own
    assert known - decisions == {name for name, word in RESERVED.items() if word != "object"} | set(BEYOND_THE_TABLE)
    assert known - {"exception.type", "exception.message", "exception.stacktrace", "exception.escaped"} <= set(
        CONSTANTS.values()
    )


@pytest.mark.parametrize(
    ("key", "leaf"),
    [
        ("llm.model_name", "llm.model_name"),
        ("llm.input_messages.0.message.role", "message.role"),
        ("llm.input_messages.12.message.contents.3.message_content.text", "message_content.text"),
        ("llm.input_messages.0.message.contents.1.message_content.image.image.url", "image.url"),
        ("llm.input_messages.0.message.contents.1.message_content.audio.audio.transcript", "audio.transcript"),
        ("llm.input_messages.0.message.contents.1.message_content.video.video.url", "video.url"),
        ("llm.input_messages.0.message.contents.1.message_content.document.document.id", "document.id"),
        ("llm.input_messages.0.message.contents.1.tool_call.function.arguments", "tool_call.function.arguments"),
        ("llm.output_messages.0.message.tool_calls.0.tool_call.id", "tool_call.id"),
        ("retrieval.documents.0.document.score", "document.score"),
        ("session.annotations.0.annotation.metadata", "annotation.metadata"),
        ("input.audio.url", "audio.url"),
        ("output.audio.mime_type", "audio.mime_type"),
        ("llm.input_messages.0", ""),
        ("search.0.index", "index"),
        ("a.\n.0.b", "b"),
        ("", ""),
    ],
)
def test_the_leaf_of_a_flattened_key_is_its_last_name(key: str, leaf: str) -> None:
    """However many lists it leads through, and whatever it is nested in."""
    assert leaf_of(key) == leaf


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("llm.token_count.total", ValueType.INTEGER),
        ("llm.input_messages.0.message.contents.1.message_content.image.image.url", ValueType.STRING),
        ("embedding.embeddings.1000.embedding.vector", ValueType.FLOATS),
        ("llm.tools.0.tool.json_schema", ValueType.JSON),
        ("tag.tags", ValueType.STRINGS),
        ("llm.input_messages", None),
        ("search.index", None),
        ("llm.input_messages.0.message.nothing", None),
    ],
)
def test_the_type_of_an_attribute(key: str, expected: Any) -> None:
    """What isn't reserved has none."""
    assert type_of(key) is expected


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("llm.model_name", []),
        ("llm.tools.3.tool.name", [("llm.tools", 3)]),
        (
            "llm.input_messages.10.message.tool_calls.2.tool_call.id",
            [("llm.input_messages", 10), ("llm.input_messages.10.message.tool_calls", 2)],
        ),
        ("llm.tools.0", [("llm.tools", 0)]),
        ("v1.5", [("v1", 5)]),
        ("a.1b.c", []),
        ("a.٣.c", []),
        ("a." + "9" * 5000 + ".c", []),
    ],
)
def test_the_lists_that_a_key_leads_through(key: str, expected: list[tuple[str, int]]) -> None:
    """Each with its name and the index in it; what no program counts up to is no index."""
    assert lists_in(key) == expected
