"""Answers in OpenAI's shapes that aren't what they should be: a field of another type, cut off or missing."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agenttrace.readers.openai import OpenAIReader

from . import test_openai_chat as chat_tests
from . import test_openai_chat_streams as chat_stream_tests
from . import test_openai_completions as completion_tests
from . import test_openai_response_streams as response_stream_tests
from . import test_openai_responses as response_tests
from .openai_material import CREATED, RESPONSE_EVENTS, WHOLE_RESPONSE, numbered, response
from .test_damaged import JUNK, damaged

READER = OpenAIReader()
WHOLE: list[dict[str, Any]] = [
    *(answer for answer, _ in chat_tests.ANSWERS.values()),
    *(response(item, tools=[response_tests.FUNCTION]) for item, _ in response_tests.ITEMS.values()),
    WHOLE_RESPONSE,
    completion_tests.WHOLE,
    completion_tests.embeddings([0.5], completion_tests.encoded([0.5])),
]
STREAMS: list[list[dict[str, Any]]] = [
    *(chunks for chunks, _ in chat_stream_tests.STREAMS.values()),
    *(numbered(CREATED, *events) for events, _ in response_stream_tests.ITEMS.values()),
    RESPONSE_EVENTS,
    completion_tests.CHUNKS,
]


@given(st.data())
def test_a_damaged_answer_raises_nothing(data: st.DataObject) -> None:
    """Whatever stands where something else should, the answer is read as far as it goes, or left alone."""
    value = data.draw(damaged(data.draw(st.sampled_from(WHOLE))))
    if READER.reads(value):
        assert isinstance(READER.read(value), dict)
    assert READER.reads_chunk(value) in (True, False)
    assert READER.stream_form(value) is None


@given(st.data())
def test_a_damaged_chunk_raises_nothing(data: st.DataObject) -> None:
    """A stream goes on through what isn't understood in it."""
    assembler = READER.assembler()
    for chunk in data.draw(st.sampled_from(STREAMS)):
        value = data.draw(damaged(chunk)) if data.draw(st.booleans()) else chunk
        assert READER.reads_chunk(value) in (True, False)
        assembler.add(value)
    assert isinstance(assembler.result(), dict)


@given(st.recursive(st.sampled_from(JUNK), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_a_stranger_is_left_alone(value: object) -> None:
    """Values of a program's own, of whatever shape, are no answer of OpenAI's."""
    assert not READER.reads(value)
    assert not READER.reads_chunk(value)
    assert READER.stream_form(value) is None
    assembler = READER.assembler()
    assembler.add(value)
    assert assembler.result() == {}
