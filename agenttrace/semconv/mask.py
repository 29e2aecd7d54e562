"""`Mask`: a `TraceConfig` compiled into a table that is asked by the attribute's name.

What a name was answered is remembered, so that masking a known attribute costs a look-up in a dictionary.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from openinference.semconv.trace import SpanAttributes

from .. import faults
from .hiding import EXCEPTION_MESSAGE, EXCEPTION_STACKTRACE, HIDING_TEXTS, Action, rules_of
from .masking import REDACTED
from .privacy import DEFAULT_IMAGE_LENGTH, HIDING, TraceConfig
from .quiet import quietly
from .redactor import Redactor
from .secret_texts import hide_in_json, hide_in_text
from .secrets import is_secret_attribute, is_secret_name

if TYPE_CHECKING:
    from .uploads import Uploads

__all__ = ["Mask", "closed_mask"]

STATUS_KEY = "status.description"
"""What ``redact`` is told as key of a span's status description, which is no attribute."""

_KEEP, _DROP, _REDACT, _LIMIT = Action.KEEP, Action.DROP, Action.REDACT, Action.LIMIT
_CREDENTIAL = Action.CREDENTIAL
_EXCEPTION_TEXTS = frozenset({EXCEPTION_MESSAGE, EXCEPTION_STACKTRACE})
_MOST_KEYS = 16_384  # names that are remembered: the messages of some thousands
# What these say is the library's, not the program's, and nobody can read a span without them.
_OWN_WORDS = frozenset(
    {
        SpanAttributes.OPENINFERENCE_SPAN_KIND,
        SpanAttributes.INPUT_MIME_TYPE,
        SpanAttributes.OUTPUT_MIME_TYPE,
    }
)


class Mask:
    """What a `TraceConfig` lets pass.

    Args:
        config: What may be recorded.
    """

    def __init__(self, config: TraceConfig) -> None:
        self.config: TraceConfig = config
        self.hides_input: bool = bool(config.hide_inputs)
        """Whether ``input.value`` is hidden, so that it needn't even be encoded."""
        self.hides_output: bool = bool(config.hide_outputs)
        """Whether ``output.value`` is hidden, so that it needn't even be encoded."""
        self.hides_secrets: bool = config.redact_secrets
        """Whether values are redacted whose name says that they are secrets."""
        self.hides_error_texts: bool = any(getattr(config, name) for name in HIDING_TEXTS)
        """Whether exceptions and statuses are recorded without their texts, which may repeat what is hidden."""
        self.withholds_errors: bool = self.hides_error_texts or config.redact is not None
        """Whether an error's text may not be logged either."""
        self.is_active: bool = (
            any(getattr(config, name) for name in HIDING)
            or config.redact is not None
            or config.blob_uploader is not None
            or config.base64_image_max_length != DEFAULT_IMAGE_LENGTH
        )
        """Whether anything is configured beyond the defaults: secrets by their names, and the images' limit."""
        self._rules = [(rule.matches, rule.action) for rule in rules_of(config)]
        if self.hides_error_texts:
            self._rules.append((_EXCEPTION_TEXTS.__contains__, _REDACT))
        if config.redact_secrets:
            self._rules.append((is_secret_attribute, _CREDENTIAL))
        self._longest_image: int = config.base64_image_max_length or 0
        self._uploads: Uploads | None = None
        if config.blob_uploader is not None:
            from .uploads import uploads_to  # here, as few have one

            self._uploads = uploads_to(config.blob_uploader)
        self._redact = None if config.redact is None else Redactor(config.redact)
        self._actions: dict[str, Action] = {}

    def attributes(self, attributes: dict[str, Any]) -> dict[str, Any]:
        """What may be recorded of ``attributes``, which are valid attributes and stay as they are.

        Raises:
            BaseException: Only what a signal meant for the program, and RecursionError at the interpreter's limit.
        """
        return _closed(self._masked, attributes)

    def event_attributes(self, attributes: dict[str, Any]) -> dict[str, Any]:
        """What may be recorded of an event's attributes: an exception's texts are among what may be hidden."""
        return self.attributes(attributes)

    def status_description(self, description: str) -> str:
        """What may be recorded of a status description."""
        return REDACTED if self.hides_error_texts else self.text(STATUS_KEY, description)

    def text(self, key: str, text: str) -> str:
        """What ``redact``, where there is one, makes of one text that no field hides."""
        return text if self._redact is None else quietly(self._redact, key, text)

    def image(self, key: str, value: str) -> str:
        """What may be recorded of an image's address, which is not cut yet: one over the limit goes to the uploader."""
        action = self._actions.get(key) or self._action(key)
        if action is _LIMIT and self._is_too_large(value):
            return REDACTED if self._uploads is None else self._uploads.address_of(value, key)
        return REDACTED if action is _DROP else value

    def foreign_attributes(self, attributes: Mapping[str, Any]) -> dict[str, Any]:
        """As `attributes`, for those of another library: secrets are looked for in their texts as well."""
        return _closed(self._foreign, dict(attributes))

    def foreign_status(self, description: str) -> str:
        """As `status_description`, for that of another library."""
        return self.status_description(hide_in_text(description) if self.hides_secrets else description)

    def hidden_attributes(self, attributes: Mapping[str, Any]) -> dict[str, Any]:
        """As `attributes`, but without ``redact``: for what has passed it already."""
        return _closed(self._hidden, dict(attributes))

    def _masked(self, attributes: dict[str, Any]) -> dict[str, Any]:
        hidden = self._hidden(attributes)
        return hidden if self._redact is None else quietly(self._redacted, hidden)

    def _foreign(self, attributes: dict[str, Any]) -> dict[str, Any]:
        if not self.hides_secrets:
            return self._masked(attributes)
        return self._masked({key: _without_secrets(value, key) for key, value in attributes.items()})

    def _hidden(self, attributes: dict[str, Any]) -> dict[str, Any]:
        actions = self._actions
        hidden: dict[str, Any] | None = None
        for key, value in attributes.items():
            action = actions.get(key) or self._action(key)
            if action is _KEEP:
                continue
            if hidden is None:
                hidden = attributes.copy()
            if action is _DROP:
                del hidden[key]
            elif action is _REDACT or (action is _CREDENTIAL and type(value) is not bool):
                hidden[key] = REDACTED
            elif action is _LIMIT and isinstance(value, str):
                hidden[key] = self.image(key, value)
        return attributes if hidden is None else hidden

    def _action(self, key: str) -> Action:
        found = next((action for matches, action in self._rules if matches(key)), _KEEP)
        if len(self._actions) >= _MOST_KEYS:
            self._actions.clear()
        self._actions[key] = found
        return found

    def _is_too_large(self, value: object) -> bool:
        return (
            isinstance(value, str)
            and len(value) > self._longest_image
            and value.startswith("data:image/")
            and "base64" in value
        )

    def _redacted(self, attributes: dict[str, Any]) -> dict[str, Any]:
        return {
            key: value if key in _OWN_WORDS else self._redacted_value(key, value) for key, value in attributes.items()
        }

    def _redacted_value(self, key: str, value: Any) -> Any:
        assert self._redact is not None, "asked for where there is one"
        if isinstance(value, str):
            return self._redact(key, value)
        if isinstance(value, (list, tuple)):
            numbers = not value or isinstance(value[0], (int, float))  # a vector: all are of one type
            return value if numbers else [self._redacted_value(key, item) for item in value]
        if isinstance(value, Mapping):
            return {name: self._redacted_value(key, item) for name, item in value.items()}
        return value


def closed_mask() -> Mask:
    """The mask that hides all that can be hidden, made without asking anything that could fail."""
    config = object.__new__(TraceConfig)
    for each in fields(TraceConfig):
        object.__setattr__(config, each.name, True if each.name in HIDING else each.default)
    return Mask(config)


def _closed(mask: Callable[[dict[str, Any]], dict[str, Any]], attributes: dict[str, Any]) -> dict[str, Any]:
    """``mask(attributes)``; where it fails, every value is redacted."""
    try:
        return mask(attributes)
    except RecursionError:
        raise
    except BaseException as error:
        faults.contain("masking attributes", error)
        return {key: value if key in _OWN_WORDS else REDACTED for key, value in attributes.items()}


def _without_secrets(value: Any, key: str) -> Any:
    if isinstance(value, str):
        return hide_in_text(value) if key in _EXCEPTION_TEXTS else hide_in_json(value)
    if isinstance(value, (list, tuple)):
        return [_without_secrets(item, key) for item in value]
    if isinstance(value, Mapping):
        return {
            name: REDACTED if is_secret_name(name) and type(item) is not bool else _without_secrets(item, key)
            for name, item in value.items()
        }
    return value
