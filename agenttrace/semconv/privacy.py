"""`TraceConfig`: what may be recorded, said in code or by the ``OPENINFERENCE_…`` variables of the specification.

Privacy fails closed: a variable that can't be read hides what it is about, and says so once.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from .. import faults
from .blobs import BlobUploader, load_uploader

__all__ = ["DEFAULT_IMAGE_LENGTH", "TraceConfig", "as_trace_config"]

DEFAULT_IMAGE_LENGTH = 32_000
"""Characters of a base64 image, as the specification has it."""

_PREFIX = "OPENINFERENCE_"
# Names under which a variable was, or is, documented elsewhere.
_ALIASES = {"hide_prompts": "hide_llm_prompts"}
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off", ""})


@dataclass(frozen=True, kw_only=True)
class TraceConfig:
    """What may be recorded (OpenInference's trace configuration), for `register` and `capture_spans`.

    Each field but the last two is also a variable: ``hide_inputs`` is ``OPENINFERENCE_HIDE_INPUTS``. An argument wins
    over its variable, which is read when the object is made; where both are missing nothing is hidden. Afterwards no
    ``hide_…`` field and no limit is None.

    A variable is true as ``1``, ``true``, ``yes`` or ``on``, false as ``0``, ``false``, ``no``, ``off`` or empty, in
    any case. What can't be read hides, with a warning.

    Args:
        hide_inputs: ``input.value``, input messages, images, documents and audio, prompts, tool definitions, the
            reranker's query and documents, embedded texts, what fills a prompt template.
        hide_outputs: ``output.value``, output messages, images, documents and audio, choices, the contents of retrieved
            and reranked documents.
        hide_input_messages: Input messages, and embedded texts.
        hide_output_messages: Output messages.
        hide_input_images: Images and videos in input messages, and ``input.images``.
        hide_input_text: Texts, documents and audio in input messages, and embedded texts.
        hide_output_text: Texts, documents and audio in output messages.
        hide_prompts: ``llm.prompts``.
        hide_choices: ``llm.choices``.
        hide_llm_invocation_parameters: ``llm.invocation_parameters``.
        hide_llm_tools: ``llm.tools``.
        hide_retrieval_documents: Contents and metadata of ``retrieval.documents``.
        hide_embeddings_vectors: Embedding vectors.
        hide_embedding_vectors: The same; the name that the specification gave up.
        hide_embeddings_text: Embedded texts.
        base64_image_max_length: Characters that a base64 image may have; a longer one goes to the uploader, or is
            redacted. 32,000 by default.
        blob_uploader: Where large images go (OpenInference's experimental ``BlobUploader``); the address it returns is
            recorded. The variable names one that an installed package registers.
        redact: Called with the attribute's key and text for every text that is recorded, exceptions included; what it
            returns is recorded instead. If it raises, or returns no string, ``__REDACTED__`` is.
        redact_secrets: Whether values whose name says that they are secrets (``password``, ``api_key``) are redacted.

    Raises:
        TypeError: If an argument has the wrong type.
        ValueError: If the limit is negative.

    Example:
        >>> register(config=TraceConfig(hide_inputs=True, redact=lambda key, text: text.replace("Ann", "…")))
    """

    hide_inputs: bool | None = None
    hide_outputs: bool | None = None
    hide_input_messages: bool | None = None
    hide_output_messages: bool | None = None
    hide_input_images: bool | None = None
    hide_input_text: bool | None = None
    hide_output_text: bool | None = None
    hide_prompts: bool | None = None
    hide_choices: bool | None = None
    hide_llm_invocation_parameters: bool | None = None
    hide_llm_tools: bool | None = None
    hide_retrieval_documents: bool | None = None
    hide_embeddings_vectors: bool | None = None
    hide_embedding_vectors: bool | None = None
    hide_embeddings_text: bool | None = None
    base64_image_max_length: int | None = None
    blob_uploader: BlobUploader | None = None
    redact: Callable[[str, str], str] | None = None
    redact_secrets: bool = True

    def __post_init__(self) -> None:
        for name in HIDING:
            self._fill_in(name, self._switch(name))
        self._fill_in("base64_image_max_length", self._image_length())
        self._fill_in("blob_uploader", self._uploader())
        _check_switch("redact_secrets", self.redact_secrets)
        _check_redact(self.redact)
        _warn_of_unknown_variables()

    def _fill_in(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def _switch(self, name: str) -> bool:
        given = getattr(self, name)
        if given is not None:
            return _check_switch(name, given)
        return any(_read_switch(_variable(known)) for known in (name, _ALIASES.get(name, name)))

    def _image_length(self) -> int:
        given = self.base64_image_max_length
        if given is None:
            return _read_image_length(_variable("base64_image_max_length"))
        if isinstance(given, bool) or not isinstance(given, int):
            raise TypeError(
                f"base64_image_max_length is {type(given).__name__}: write a whole number of characters, "
                f"like {DEFAULT_IMAGE_LENGTH}"
            )
        if given < 0:
            raise ValueError(f"base64_image_max_length is {given}: write 0 to redact every base64 image, or more")
        return given

    def _uploader(self) -> BlobUploader | None:
        given: Any = self.blob_uploader
        if given is None:
            name = os.environ.get(_variable("blob_uploader"), "").strip()
            return load_uploader(name) if name else None
        if isinstance(given, str):
            raise TypeError(
                f"blob_uploader is the name {given!r}: write the uploader itself, or set {_variable('blob_uploader')}"
            )
        if isinstance(given, type):
            raise TypeError(
                f"blob_uploader is the class {given.__name__}: write an object of it, {given.__name__}(...)"
            )
        if not isinstance(given, BlobUploader):
            raise TypeError(
                f"blob_uploader is {type(given).__name__}: it needs the methods upload(blob) and shutdown(timeout_sec)"
            )
        return given


HIDING: tuple[str, ...] = tuple(each.name for each in fields(TraceConfig) if each.name.startswith("hide_"))
"""The fields that hide something."""


def as_trace_config(config: object) -> TraceConfig:
    """``config`` as a `TraceConfig`; one of ``openinference.instrumentation`` is taken over field by field.

    Raises:
        TypeError: If it is neither.
    """
    if isinstance(config, TraceConfig):
        return config
    kind = type(config)
    if kind.__name__ == "TraceConfig" and kind.__module__.partition(".")[0] == "openinference":
        known = {each.name for each in fields(TraceConfig)}
        return TraceConfig(**{name: value for name, value in vars(config).items() if name in known})
    raise TypeError(f"config is {kind.__name__}: write config=TraceConfig(hide_inputs=True), or leave it out")


def _variable(name: str) -> str:
    return _PREFIX + name.upper()


def _check_switch(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{name} is {type(value).__name__}: write {name}=True or {name}=False")
    return value


def _check_redact(redact: object) -> None:
    if redact is None:
        return
    if not callable(redact):
        raise TypeError(f"redact is {type(redact).__name__}: write a function, def redact(key, text): return text")
    if inspect.iscoroutinefunction(redact):
        raise TypeError("redact is an async function: write one without async, since texts are recorded at once")
    try:
        inspect.signature(redact).bind("input.value", "text")
    except TypeError:
        raise TypeError(
            "redact can't be called with a key and a text: write def redact(key, text): return text"
        ) from None
    except ValueError:  # a C function whose signature can't be read
        return


def _read_switch(variable: str) -> bool:
    setting = os.environ.get(variable, "").strip().lower()
    if setting in _TRUE:
        return True
    if setting not in _FALSE:
        faults.warn_once(f"agenttrace: {variable} can't be read, so it hides; set it to true or false")
        return True
    return False


def _read_image_length(variable: str) -> int:
    setting = os.environ.get(variable, "").strip()
    if not setting:
        return DEFAULT_IMAGE_LENGTH
    try:
        length = int(setting)
    except ValueError:
        length = -1
    if length < 0:
        faults.warn_once(
            f"agenttrace: {variable} can't be read, so every base64 image is redacted; set it to a whole number of "
            f"characters, like {DEFAULT_IMAGE_LENGTH}"
        )
    return max(0, length)


def _warn_of_unknown_variables() -> None:
    prefix = f"{_PREFIX}HIDE_"
    known = {_variable(name).removeprefix(prefix) for name in (*HIDING, *_ALIASES.values())}
    for variable in sorted(os.environ):
        if variable.startswith(prefix) and variable.removeprefix(prefix) not in known:
            from difflib import get_close_matches  # here, since only a mistake needs it

            near = get_close_matches(variable.removeprefix(prefix), known, n=1)
            advice = f"did you mean {prefix}{near[0]}?" if near else f"there are {prefix}{', …'.join(sorted(known))}"
            faults.warn_once(f"agenttrace: {variable} is no variable of OpenInference and hides nothing: {advice}")
