"""Where an attribute's name stands in OpenInference's vocabulary: at the root, in a list of objects, or nowhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, NamedTuple

from openinference.semconv.trace import (
    AnnotationAttributes,
    AudioAttributes,
    ChoiceAttributes,
    DocumentAttributes,
    EmbeddingAttributes,
    EvaluationAttributes,
    ImageAttributes,
    MessageAttributes,
    MessageContentAttributes,
    PromptAttributes,
    RerankerAttributes,
    SpanAttributes,
    ToolAttributes,
    ToolCallAttributes,
    VideoAttributes,
)

from ..vocabulary import ValueType, lists_in, type_of

__all__ = ["CONTEXT_ATTRIBUTES", "Place", "first_name_in", "nearest_name", "place_of"]


class Place(NamedTuple):
    """Where a name stands."""

    lists: tuple[tuple[str, str, int], ...]
    """The lists that it leads through: the name up to the index, the list's own name, the index."""
    leaf: str
    """The last name in it, which stands in the last of the lists."""
    type: ValueType | None
    """What its value is to be; None where the specification doesn't say."""
    is_known: bool
    """Whether the specification has such a name there."""
    is_list: bool = False
    """Whether it is a list of objects, or one of the objects, whose value stands unflattened."""


CONTEXT_ATTRIBUTES = frozenset(
    {
        *(SpanAttributes.SESSION_ID, SpanAttributes.USER_ID, SpanAttributes.METADATA, SpanAttributes.TAG_TAGS),
        *(SpanAttributes.LLM_PROMPT_TEMPLATE, SpanAttributes.LLM_PROMPT_TEMPLATE_VERSION),
        SpanAttributes.LLM_PROMPT_TEMPLATE_VARIABLES,
    }
)
"""What is set on every span of a stretch of a program, other libraries' included, and so tells nothing of a span."""

# Longer than any name there is; to look for what is near a longer one would take long.
_LONGEST_NAME = 500


def _names(*attributes: type) -> list[str]:
    """The names that classes of constants have, the shared beginnings of names left out."""
    names = [value for cls in attributes for name, value in vars(cls).items() if name.isupper()]
    return [name for name in names if isinstance(name, str) and not name.endswith("_details")]


_Names = Mapping[str, Any]
"""Names, each with those of the objects in it where it is a list of objects, else with None."""

_ANNOTATION: _Names = dict.fromkeys(_names(AnnotationAttributes))
_EVALUATION: _Names = dict.fromkeys(_names(EvaluationAttributes))
_DOCUMENT: _Names = dict.fromkeys(_names(DocumentAttributes))
_IMAGE: _Names = dict.fromkeys(_names(ImageAttributes))
_HOLDERS = {
    MessageContentAttributes.MESSAGE_CONTENT_IMAGE: ImageAttributes,
    MessageContentAttributes.MESSAGE_CONTENT_AUDIO: AudioAttributes,
    MessageContentAttributes.MESSAGE_CONTENT_VIDEO: VideoAttributes,
    MessageContentAttributes.MESSAGE_CONTENT_DOCUMENT: DocumentAttributes,
}
_CONTENT: _Names = dict.fromkeys(
    [
        *(name for name in _names(MessageContentAttributes) if name not in _HOLDERS),
        *(f"{holder}.{name}" for holder, held in _HOLDERS.items() for name in _names(held)),
        *_names(ToolCallAttributes),  # of a part that is a tool call
    ]
)
_MESSAGE_LISTS: _Names = {
    MessageAttributes.MESSAGE_TOOL_CALLS: dict.fromkeys(_names(ToolCallAttributes)),
    MessageAttributes.MESSAGE_CONTENTS: _CONTENT,
}
_MESSAGE: _Names = {name: _MESSAGE_LISTS.get(name) for name in (*_MESSAGE_LISTS, *_names(MessageAttributes))}
_ROOT: _Names = {
    **dict.fromkeys(_names(SpanAttributes, RerankerAttributes)),
    **{f"{side}.{name}": None for side in ("input", "output") for name in _names(AudioAttributes)},
    ToolAttributes.TOOL_JSON_SCHEMA: None,
    **dict.fromkeys(
        (SpanAttributes.ANNOTATIONS, SpanAttributes.TRACE_ANNOTATIONS, SpanAttributes.SESSION_ANNOTATIONS), _ANNOTATION
    ),
    **dict.fromkeys(
        (SpanAttributes.EVALUATIONS, SpanAttributes.TRACE_EVALUATIONS, SpanAttributes.SESSION_EVALUATIONS), _EVALUATION
    ),
    **dict.fromkeys((SpanAttributes.LLM_INPUT_MESSAGES, SpanAttributes.LLM_OUTPUT_MESSAGES), _MESSAGE),
    **dict.fromkeys((SpanAttributes.INPUT_IMAGES, SpanAttributes.OUTPUT_IMAGES), _IMAGE),
    **dict.fromkeys((SpanAttributes.INPUT_DOCUMENTS, SpanAttributes.OUTPUT_DOCUMENTS), _DOCUMENT),
    **dict.fromkeys(
        (RerankerAttributes.RERANKER_INPUT_DOCUMENTS, RerankerAttributes.RERANKER_OUTPUT_DOCUMENTS), _DOCUMENT
    ),
    SpanAttributes.RETRIEVAL_DOCUMENTS: _DOCUMENT,
    SpanAttributes.EMBEDDING_EMBEDDINGS: dict.fromkeys(_names(EmbeddingAttributes)),
    SpanAttributes.LLM_PROMPTS: dict.fromkeys(_names(PromptAttributes)),
    SpanAttributes.LLM_CHOICES: dict.fromkeys(_names(ChoiceAttributes)),
    SpanAttributes.LLM_TOOLS: dict.fromkeys(_names(ToolAttributes)),
}

# Beginnings under which a provider may have counts and costs of its own.
_DETAILS = {
    f"{known.rpartition('.')[0]}.": value_type
    for known, value_type in {
        SpanAttributes.LLM_TOKEN_COUNT_PROMPT_DETAILS_AUDIO: ValueType.INTEGER,
        SpanAttributes.LLM_TOKEN_COUNT_COMPLETION_DETAILS_AUDIO: ValueType.INTEGER,
        SpanAttributes.LLM_COST_PROMPT_DETAILS_AUDIO: ValueType.FLOAT,
        SpanAttributes.LLM_COST_COMPLETION_DETAILS_AUDIO: ValueType.FLOAT,
    }.items()
}

# The first words of reserved names. `session.`, `user.` and `tag.` are other conventions' too.
_RESERVED = (
    *("agent.", "annotation.", "annotations.", "audio.", "completion.", "decision.", "document.", "embedding."),
    *("evaluation.", "evaluations.", "graph.", "image.", "input.", "llm.", "message.", "message_content."),
    *("openinference.", "output.", "prompt.", "reranker.", "retrieval.", "session.annotations.", "tag.tags."),
    *("session.evaluations.", "tool.", "tool_call.", "trace.annotations.", "trace.evaluations.", "video."),
)


@lru_cache(2**15)
def place_of(key: str) -> Place | None:
    """Where ``key`` stands; None for a name that OpenInference has nothing to do with.

    Example:
        >>> place_of("llm.input_messages.0.message.role").leaf
        'message.role'
        >>> place_of("http.url") is None
        True
    """
    place = _walk(key) if len(key) <= _LONGEST_NAME else None
    if place is None and key.startswith(_RESERVED):
        return Place((), key, None, is_known=False)
    return place


def _walk(key: str) -> Place | None:
    level, start = _ROOT, 0
    lists: list[tuple[str, str, int]] = []
    for path, index in lists_in(key):
        own = path[start:]
        items = level.get(own)
        item = f"{path}.{index}"
        if items is None or not f"{key}.".startswith(f"{item}."):  # no list, or an index such as 00
            break
        lists.append((path, own, index))
        level, start = items, len(item) + 1
    leaf = key[start:]
    if not leaf or level.get(leaf) is not None:
        return Place(tuple(lists), leaf, None, is_known=True, is_list=True)
    if leaf in level:
        return Place(tuple(lists), leaf, type_of(key), is_known=True)
    if not lists:
        return next(
            (Place((), key, kind, is_known=True) for prefix, kind in _DETAILS.items() if key.startswith(prefix)), None
        )
    return Place(tuple(lists), leaf, None, is_known=False)


@lru_cache(1024)
def nearest_name(key: str) -> str | None:
    """The reserved name that an unknown one may have been meant as; None where none is near.

    Example:
        >>> nearest_name("llm.model")
        'llm.model_name'
    """
    place = place_of(key)
    leaf = key if place is None else place.leaf
    prefix = key.removesuffix(leaf)
    level = _level(place)
    if leaf in _ROOT:
        return leaf
    elsewhere = next((f"{path}.0.{leaf}" for path, items in _lists(_ROOT) if leaf in items), None)
    if elsewhere is not None:
        return elsewhere
    near = get_close_matches(leaf[:_LONGEST_NAME], list(level), n=1, cutoff=0.6)
    return f"{prefix}{near[0]}" if near else None


def first_name_in(key: str) -> str:
    """A name that stands in the objects of a list, ``key`` being the list's name or that of one of its objects.

    Example:
        >>> first_name_in("retrieval.documents")
        'document.id'
    """
    place = place_of(key)
    assert place is not None, "a list of objects has its place"
    level = _level(place)
    items = level[place.leaf] if place.leaf else level
    return next(name for name, inner in items.items() if inner is None)


def _level(place: Place | None) -> _Names:
    level = _ROOT
    for _, own, _ in () if place is None else place.lists:
        level = level[own]
    return level


def _lists(level: _Names, prefix: str = "") -> Iterator[tuple[str, _Names]]:
    for name, items in level.items():
        if items is not None:
            yield f"{prefix}{name}", items
            yield from _lists(items, f"{prefix}{name}.0.")
