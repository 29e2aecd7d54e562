"""What a stretch of the program says about every span that starts in it: session, user, metadata, tags, or "no spans".

The values travel in OpenTelemetry's context under the keys that the OpenInference instrumentors use, so their spans and
the marks' spans in one run carry the same session. Each ``using_…`` is a context manager, an async context manager and
a decorator, re-entrant and usable from many tasks at once: nothing about an entry is kept on the object, all of it is
in the context that the entry attached.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, TypeVar

from openinference.semconv.trace import SpanAttributes
from typing_extensions import ParamSpec, Self

from . import faults
from .current import SUPPRESS_KEY, Context, attach, create_key, get_current
from .propagation import BAGGAGE_KEY, PROPAGATED, add_to_baggage, attributes_from_baggage
from .wrapping import ContextOnly, wrap_callable
from .wrapping.targets import wrap_target

__all__ = [
    "Scope",
    "attributes_from_context",
    "suppress_tracing",
    "using_attributes",
    "using_metadata",
    "using_prompt_template",
    "using_session",
    "using_tags",
    "using_user",
]

P = ParamSpec("P")
R = TypeVar("R")

_METADATA = SpanAttributes.METADATA
_TAGS = SpanAttributes.TAG_TAGS
_ENTRIES_KEY = create_key("agenttrace-scope-entries")

CONTEXT_ATTRIBUTES = frozenset(
    {
        SpanAttributes.SESSION_ID,
        SpanAttributes.USER_ID,
        SpanAttributes.METADATA,
        SpanAttributes.TAG_TAGS,
        SpanAttributes.LLM_PROMPT_TEMPLATE,
        SpanAttributes.LLM_PROMPT_TEMPLATE_VERSION,
        SpanAttributes.LLM_PROMPT_TEMPLATE_VARIABLES,
    }
)
"""The attributes that travel in the context; each name is its context key too, as in OpenInference's instrumentors."""

CONTEXT_KEYS = CONTEXT_ATTRIBUTES | {BAGGAGE_KEY}
"""A context with none of these has no attributes for the spans that start in it."""


def attributes_from_context(context: Context) -> dict[str, Any]:
    """The attributes that every span starting in ``context`` carries.

    Returns:
        Attribute names and values; empty outside every ``using_…`` block, unless session or user came in the baggage:
        what a block in this process says wins over that. Values that another library put under OpenInference's
        context keys are made into valid attribute values.
    """
    if CONTEXT_KEYS.isdisjoint(context):
        return {}
    found = {key: context[key] for key in CONTEXT_ATTRIBUTES if key in context}
    if BAGGAGE_KEY in context:
        found = {**attributes_from_baggage(context), **found}
        if not found:
            return found
    from .capture.encode import encode_attribute

    return {key: encode_attribute(value) for key, value in found.items()}


class Scope:
    """A stretch of the program whose context holds more than the one around it.

    Use it as ``with``, ``async with`` or a decorator of any kind of function; in a generator it is in force while the
    body runs and not in the code that consumes the items.
    """

    __slots__ = ("_propagated", "_values")

    def __init__(self, values: Mapping[str, object], *, propagate: bool = False) -> None:
        self._values = dict(values)
        sent = PROPAGATED if propagate else ()
        self._propagated = {key: value for key, value in values.items() if key in sent and isinstance(value, str)}

    def __enter__(self) -> Self:
        current = get_current()
        attach(self.enclosed(current))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # The newest entry of this object in the context that is current now. There is none when a generator that
        # holds the block open is closed by another task or thread: whose context never had it, and is left alone.
        for scope, previous in reversed(_entries(get_current())):
            if scope is self:
                attach(previous)
                return

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, traceback)

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """``function`` with this scope in force in each of its calls."""
        if isinstance(function, type) or not (callable(function) or isinstance(function, (classmethod, property))):
            raise TypeError(
                "a context decorator goes on a function or method, not on "
                f"{'a class' if isinstance(function, type) else type(function).__name__}"
            )

        def enclosed(inner: Callable[..., Any], drop_first: bool | None, owner: type | None) -> Callable[..., Any]:
            return wrap_callable(inner, lambda args, kwargs: ContextOnly(self.enclosed(get_current())))

        wrapped: Callable[P, R] = wrap_target(function, enclosed, "a context decorator", None)
        return wrapped

    def enclosed(self, current: Context) -> Context:
        """``current`` with this scope's values, merged where they merge."""
        try:
            return Context({**current, **self._merged(current), _ENTRIES_KEY: (*_entries(current), (self, current))})
        except BaseException as error:
            faults.contain("entering a using_… block", error)
            return current

    def _merged(self, current: Context) -> dict[str, object]:
        values = dict(self._values)
        if _METADATA in values and _METADATA in current:
            values[_METADATA] = merge_metadata(current[_METADATA], str(values[_METADATA]))
        if _TAGS in values and _TAGS in current:
            values[_TAGS] = _merge_tags(current[_TAGS], values[_TAGS])
        if self._propagated:
            values.update(add_to_baggage(current, self._propagated))
        return values


def using_session(session_id: str, *, propagate: bool = False) -> Scope:
    """Put every span that starts inside into the session ``session_id`` (OpenInference ``session.id``).

    Args:
        session_id: Any non-empty text that names the conversation.
        propagate: Whether it is put into W3C baggage too, so that it goes along where OpenTelemetry's propagators
            write the headers of a request: to everybody whom such requests go to, readable.

    Raises:
        TypeError: If ``session_id`` is not a string, or ``propagate`` no bool.
        ValueError: If it is empty.

    Example:
        >>> with using_session("conversation-7"):
        ...     answer = agent("and tomorrow?")
    """
    return Scope({SpanAttributes.SESSION_ID: _text("session_id", session_id)}, propagate=_switch(propagate))


def using_user(user_id: str, *, propagate: bool = False) -> Scope:
    """Say on every span that starts inside who the user is (OpenInference ``user.id``).

    Args:
        user_id: Any non-empty text that names the user.
        propagate: As for `using_session`.

    Raises:
        TypeError: If ``user_id`` is not a string, or ``propagate`` no bool.
        ValueError: If it is empty.

    Example:
        >>> with using_user("ada"):
        ...     answer = agent("what is the weather?")
    """
    return Scope({SpanAttributes.USER_ID: _text("user_id", user_id)}, propagate=_switch(propagate))


def using_metadata(metadata: Mapping[str, Any]) -> Scope:
    """Put ``metadata`` on every span that starts inside (OpenInference ``metadata``, a JSON object).

    Blocks inside one another merge: the inner one's entries win.

    Args:
        metadata: Names and values; any value that JSON, or a readable text, can stand for.

    Raises:
        TypeError: If ``metadata`` is not a mapping.

    Example:
        >>> with using_metadata({"experiment": "b", "attempt": 2}):
        ...     answer = agent("what is the weather?")
    """
    return Scope({_METADATA: _json_object("metadata", metadata)})


def using_tags(tags: Sequence[str]) -> Scope:
    """Put ``tags`` on every span that starts inside (OpenInference ``tag.tags``).

    Blocks inside one another add up, each tag once.

    Args:
        tags: A list of texts.

    Raises:
        TypeError: If ``tags`` is one string or holds anything but strings.

    Example:
        >>> with using_tags(["nightly", "gpu"]):
        ...     answer = agent("what is the weather?")
    """
    return Scope({_TAGS: _tag_list(tags)})


def using_prompt_template(
    *, template: str, version: str | None = None, variables: Mapping[str, Any] | None = None
) -> Scope:
    """Say which prompt template the model calls inside were made from (OpenInference ``llm.prompt_template.*``).

    Args:
        template: The template's text, with its placeholders.
        version: Which version of it.
        variables: What the placeholders were filled with.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If ``template`` is empty.

    Example:
        >>> with using_prompt_template(template="Weather in {city}?", variables={"city": "Oslo"}, version="v2"):
        ...     answer = model("Weather in Oslo?")
    """
    values: dict[str, object] = {SpanAttributes.LLM_PROMPT_TEMPLATE: _text("template", template)}
    if version is not None:
        values[SpanAttributes.LLM_PROMPT_TEMPLATE_VERSION] = _text("version", version)
    if variables is not None:
        values[SpanAttributes.LLM_PROMPT_TEMPLATE_VARIABLES] = _json_object("variables", variables)
    return Scope(values)


def using_attributes(
    *,
    session_id: str | None = None,
    user_id: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    tags: Sequence[str] | None = None,
    prompt_template: str | None = None,
    prompt_template_version: str | None = None,
    prompt_template_variables: Mapping[str, Any] | None = None,
    propagate: bool = False,
) -> Scope:
    """All of the ``using_…`` in one: what is given goes on every span that starts inside, the rest stays as it is.

    Args:
        session_id: As for `using_session`.
        user_id: As for `using_user`.
        metadata: As for `using_metadata`.
        tags: As for `using_tags`.
        prompt_template: As ``template`` of `using_prompt_template`.
        prompt_template_version: As ``version`` of `using_prompt_template`.
        prompt_template_variables: As ``variables`` of `using_prompt_template`.
        propagate: As for `using_session`; session and user go along, the rest stays in this process.

    Raises:
        TypeError: If an argument is of another type than its ``using_…`` takes.
        ValueError: If a text is empty, or there is neither session nor user to propagate.

    Example:
        >>> with using_attributes(session_id="conversation-7", user_id="ada", tags=["nightly"]):
        ...     answer = agent("and tomorrow?")
    """
    given = {
        SpanAttributes.SESSION_ID: (session_id, _text, "session_id"),
        SpanAttributes.USER_ID: (user_id, _text, "user_id"),
        _METADATA: (metadata, _json_object, "metadata"),
        SpanAttributes.LLM_PROMPT_TEMPLATE: (prompt_template, _text, "prompt_template"),
        SpanAttributes.LLM_PROMPT_TEMPLATE_VERSION: (prompt_template_version, _text, "prompt_template_version"),
        SpanAttributes.LLM_PROMPT_TEMPLATE_VARIABLES: (
            prompt_template_variables,
            _json_object,
            "prompt_template_variables",
        ),
    }
    values: dict[str, object] = {
        key: check(name, value) for key, (value, check, name) in given.items() if value is not None
    }
    if tags is not None:
        values[_TAGS] = _tag_list(tags)
    if _switch(propagate) and session_id is None and user_id is None:
        raise ValueError("propagate=True sends session_id and user_id: give one of them, or leave propagate out")
    return Scope(values, propagate=propagate)


def suppress_tracing() -> Scope:
    """Record nothing inside: neither the marks nor any instrumentor that heeds OpenTelemetry's suppression.

    Example:
        >>> with suppress_tracing():
        ...     health_check()
    """
    return Scope({SUPPRESS_KEY: True})


def _entries(context: Context) -> tuple[tuple[Scope, Context], ...]:
    entries = context.get(_ENTRIES_KEY, ())
    return entries if isinstance(entries, tuple) else ()


def merge_metadata(outer: object, inner: str) -> str:
    """The JSON object ``outer`` with the entries of the JSON object ``inner`` added, which win."""
    import json

    from .capture.encode import encode_json

    try:
        return encode_json({**json.loads(str(outer)), **json.loads(inner)})
    except (TypeError, ValueError):
        return inner  # what another library put there is no JSON object


def _merge_tags(outer: object, inner: object) -> object:
    if isinstance(outer, (list, tuple)) and isinstance(inner, list):
        return list(dict.fromkeys([*outer, *inner]))
    return inner


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name} is a string, not {type(value).__name__}: write {name}=str(…)")
    if not value:
        raise ValueError(f"{name} is empty: give it a text, or leave the block out")
    return value


def _switch(propagate: object) -> bool:
    if not isinstance(propagate, bool):
        raise TypeError(f"propagate is {type(propagate).__name__}: write True or False")
    return propagate


def _json_object(name: str, value: object) -> str:
    if not isinstance(value, Mapping):
        raise TypeError(f'{name} is a mapping such as {{"key": "value"}}, not {type(value).__name__}')
    from .capture.encode import encode_json

    return encode_json(dict(value))


def _tag_list(value: object) -> list[str]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise TypeError(f'tags is a list of strings such as ["nightly"], not {type(value).__name__}')
    for tag in value:
        if not isinstance(tag, str):
            raise TypeError(f"tags holds strings only, not {type(tag).__name__}")
    return list(value)
