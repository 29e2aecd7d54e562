"""What `TraceConfig` makes of its arguments and of the variables, and how it refuses what can't be meant."""

from __future__ import annotations

import dataclasses
import logging
from typing import Any

import pytest
from openinference import instrumentation

from agenttrace.semconv.masking import current_mask, reset
from agenttrace.semconv.privacy import HIDING, TraceConfig, as_trace_config
from tests.isolation import warnings_in


class Uploader:
    """An uploader that takes nothing."""

    def upload(self, blob: Any) -> str | None:
        return None

    def shutdown(self, timeout_sec: float = 10.0) -> None:
        """There is nothing to do."""


def made(settings: dict[str, Any]) -> TraceConfig:
    return TraceConfig(**settings)


def test_it_has_the_fields_of_openinference() -> None:
    """The same names, so that a configuration can be moved; what is out of scope and what is ours differ."""
    theirs = {each.name for each in dataclasses.fields(instrumentation.TraceConfig)}
    ours = {each.name for each in dataclasses.fields(TraceConfig)}
    assert theirs - ours == {"enable_genai_semconv"}
    assert ours - theirs == {"redact", "redact_secrets"}


def test_nothing_is_hidden_by_default() -> None:
    """But secrets by their names, and images of more than 32,000 characters."""
    config = TraceConfig()
    assert not any(getattr(config, name) for name in HIDING)
    assert config.base64_image_max_length == 32_000
    assert config.blob_uploader is None
    assert config.redact is None
    assert config.redact_secrets is True
    assert config == TraceConfig()


@pytest.mark.parametrize("field", HIDING)
def test_arguments_win_over_variables_and_these_over_defaults(field: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """For every field, and its variable hides nothing else."""
    monkeypatch.setenv(f"OPENINFERENCE_{field.upper()}", "true")
    assert [name for name in HIDING if getattr(TraceConfig(), name)] == [field]
    assert getattr(made({field: False}), field) is False
    monkeypatch.setenv(f"OPENINFERENCE_{field.upper()}", "false")
    assert getattr(TraceConfig(), field) is False
    assert getattr(made({field: True}), field) is True


@pytest.mark.parametrize("word", ["1", "true", "True", "TRUE", "yes", "Yes", "on", "ON", " true "])
def test_words_that_are_true(word: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """In any case, and with spaces around them."""
    monkeypatch.setenv("OPENINFERENCE_HIDE_INPUTS", word)
    assert TraceConfig().hide_inputs is True
    assert not warnings_in(caplog)


@pytest.mark.parametrize("word", ["0", "false", "False", "no", "off", "OFF", ""])
def test_words_that_are_false(word: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """An empty variable is none."""
    monkeypatch.setenv("OPENINFERENCE_HIDE_INPUTS", word)
    assert TraceConfig().hide_inputs is False
    assert not warnings_in(caplog)


@pytest.mark.parametrize("word", ["maybe", "2", "tru", "-"])
def test_a_variable_that_cannot_be_read_hides(
    word: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """With one warning, however often it is read, that says what to write."""
    monkeypatch.setenv("OPENINFERENCE_HIDE_OUTPUTS", word)
    assert TraceConfig().hide_outputs is True
    assert TraceConfig().hide_outputs is True
    [warning] = warnings_in(caplog)
    assert "OPENINFERENCE_HIDE_OUTPUTS" in warning
    assert "true or false" in warning


def test_the_image_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A whole number of characters, from the argument, the variable or the specification."""
    monkeypatch.setenv("OPENINFERENCE_BASE64_IMAGE_MAX_LENGTH", " 100 ")
    assert TraceConfig().base64_image_max_length == 100
    assert TraceConfig(base64_image_max_length=7).base64_image_max_length == 7
    assert TraceConfig(base64_image_max_length=0).base64_image_max_length == 0


@pytest.mark.parametrize("number", ["many", "-1", "1.5", "1e3"])
def test_an_image_limit_that_cannot_be_read_hides_every_image(
    number: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """With a warning that says what to write."""
    monkeypatch.setenv("OPENINFERENCE_BASE64_IMAGE_MAX_LENGTH", number)
    assert TraceConfig().base64_image_max_length == 0
    [warning] = warnings_in(caplog)
    assert "OPENINFERENCE_BASE64_IMAGE_MAX_LENGTH" in warning
    assert "32000" in warning


@pytest.mark.parametrize(
    ("variable", "advice"),
    [
        ("OPENINFERENCE_HIDE_INPUT", "OPENINFERENCE_HIDE_INPUTS"),
        ("OPENINFERENCE_HIDE_ZZZZ", "there are OPENINFERENCE_HIDE_CHOICES, …EMB"),
    ],
)
def test_a_variable_that_is_none_is_told(
    variable: str, advice: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever misspells one believes that something is hidden."""
    monkeypatch.setenv(variable, "true")
    assert TraceConfig() == TraceConfig(hide_inputs=False)
    [warning] = warnings_in(caplog)
    assert f"{variable} is no variable" in warning
    assert advice in warning


def test_the_other_name_of_hide_prompts(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Phoenix documents it as OPENINFERENCE_HIDE_LLM_PROMPTS."""
    monkeypatch.setenv("OPENINFERENCE_HIDE_LLM_PROMPTS", "true")
    assert TraceConfig().hide_prompts is True
    assert not warnings_in(caplog)


class Redactor:
    def __call__(self, key: str, text: str) -> str:
        return text


def plain(key: str, text: str) -> str:
    return text


def any_arguments(*args: str) -> str:
    return args[1]


def keywords(*, key: str, text: str) -> str:
    return text


async def waits(key: str, text: str) -> str:
    return text


@pytest.mark.parametrize("redact", [plain, any_arguments, Redactor(), lambda key, text: text, dict.get])
def test_what_redact_may_be(redact: Any) -> None:
    """Anything that can be called with a key and a text."""
    assert TraceConfig(redact=redact).redact is redact


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"hide_inputs": "yes"}, TypeError, "hide_inputs is str: write hide_inputs=True or hide_inputs=False"),
        ({"hide_llm_tools": 1}, TypeError, "hide_llm_tools is int"),
        ({"redact_secrets": None}, TypeError, "redact_secrets is NoneType: write redact_secrets=True"),
        ({"base64_image_max_length": "100"}, TypeError, "write a whole number of characters, like 32000"),
        ({"base64_image_max_length": True}, TypeError, "base64_image_max_length is bool"),
        ({"base64_image_max_length": -1}, ValueError, "write 0 to redact every base64 image"),
        ({"redact": "password"}, TypeError, "redact is str: write a function, def redact(key, text): return text"),
        ({"redact": waits}, TypeError, "redact is an async function"),
        ({"redact": lambda text: text}, TypeError, "can't be called with a key and a text"),
        ({"redact": keywords}, TypeError, "can't be called with a key and a text"),
        ({"blob_uploader": "arize"}, TypeError, "set OPENINFERENCE_BLOB_UPLOADER"),
        ({"blob_uploader": Uploader}, TypeError, r"write an object of it, Uploader(...)"),
        ({"blob_uploader": object()}, TypeError, "it needs the methods upload(blob) and shutdown(timeout_sec)"),
        ({"hide_input": True}, TypeError, "unexpected keyword argument"),
    ],
)
def test_a_wrong_argument_is_refused_with_what_to_write_instead(
    settings: dict[str, Any], error: type[Exception], words: str
) -> None:
    """At once, where it is made."""
    with pytest.raises(error) as caught:
        TraceConfig(**settings)
    assert words in str(caught.value)


def test_it_takes_keywords_only_and_never_changes() -> None:
    """Fifteen booleans in a row say nothing."""
    with pytest.raises(TypeError):
        TraceConfig(True)  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        TraceConfig().hide_inputs = True  # type: ignore[misc]


def test_one_of_openinference_is_taken_over() -> None:
    """Field by field, the uploader too."""
    uploader = Uploader()
    theirs = instrumentation.TraceConfig(hide_inputs=True, base64_image_max_length=5, blob_uploader=uploader)
    ours = as_trace_config(theirs)
    assert ours == TraceConfig(hide_inputs=True, base64_image_max_length=5, blob_uploader=uploader)
    assert as_trace_config(ours) is ours
    with pytest.raises(TypeError, match=r"config is dict: write config=TraceConfig\(hide_inputs=True\)"):
        as_trace_config({"hide_inputs": True})


def test_the_variables_are_in_force_when_nobody_registers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read when they are first needed, and once."""
    monkeypatch.setenv("OPENINFERENCE_HIDE_INPUTS", "true")
    assert current_mask().hides_input
    monkeypatch.delenv("OPENINFERENCE_HIDE_INPUTS")
    assert current_mask().hides_input
    reset()
    assert not current_mask().hides_input
    assert not current_mask().is_active


def test_a_set_up_that_fails_hides_everything(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever goes wrong while the environment is read, nothing is shown for that, and the program goes on."""
    caplog.set_level(logging.DEBUG)

    def fail(self: object) -> None:
        raise OSError("out of order: hunter2")

    monkeypatch.setattr(TraceConfig, "_uploader", fail)
    mask = current_mask()
    assert mask.hides_input
    assert mask.hides_output
    assert mask.hides_secrets
    assert mask.withholds_errors
    assert mask is current_mask()
    assert len(warnings_in(caplog)) == 1
    assert "hunter2" not in caplog.text
