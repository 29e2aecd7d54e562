"""Secrets in what is captured: values under a secret's name, and JSON in texts that has such names in it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ..semconv.masking import REDACTED, current_mask
from ..semconv.secret_schemas import schema_without_values
from ..semconv.secret_texts import hide_in_json, hide_in_text
from ..semconv.secrets import harmless, is_secret_attribute, is_secret_name, secret_names

__all__ = ["hide_in_own_words", "hide_in_string", "hides_secrets", "holds_secret", "shown_attribute", "shown_value"]


def hides_secrets() -> bool:
    """Whether secrets are redacted at all."""
    return current_mask().hides_secrets


def shown_value(name: str, value: Any, names: Collection[Any]) -> Any:
    """What is shown of ``value`` where it stands under ``name``: itself, or `REDACTED` where that names a secret.

    None, True and False are no secrets. A JSON Schema declares one and is shown without the values in it; a token
    beside a ``logprob`` is a word of a text.

    Args:
        name: An exact string.
        value: Anything.
        names: All the names that the mapping or the object has.
    """
    if name in harmless or value is None or type(value) is bool or not is_secret_name(name):
        return value
    if name == "token" and "logprob" in names:
        return value
    schema = schema_without_values(value)
    return REDACTED if schema is None else schema


def shown_attribute(key: str, value: Any) -> Any:
    """What is shown of an attribute that the program named: itself, or `REDACTED` where ``key`` names a secret."""
    if value is None or type(value) is bool or not is_secret_attribute(key) or not hides_secrets():
        return value
    return REDACTED


def holds_secret(dictionaries: Collection[dict[str, Any]]) -> bool:
    """Whether a value in one of ``dictionaries``, whose keys are exact strings, is not to be shown as it is."""
    for dictionary in dictionaries:
        for name in secret_names(dictionary):
            value = dictionary[name]
            if shown_value(name, value, dictionary) is not value:
                return hides_secrets()
    return False


def hide_in_string(text: str) -> str:
    """``text`` without secrets in JSON in it."""
    hidden = hide_in_json(text)
    return text if hidden is text or not hides_secrets() else hidden


def hide_in_own_words(text: str) -> str:
    """``text``, in which an object or an exception tells of itself, without the secrets that it quotes."""
    hidden = hide_in_text(text)
    return text if hidden is text or not hides_secrets() else hidden
