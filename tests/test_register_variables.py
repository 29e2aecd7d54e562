"""Variables that are ours, and those that only look like it: `register` warns of them, with what was meant."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from agenttrace.destinations import local
from agenttrace.registration import register
from agenttrace.settings.variables import OWN_VARIABLES
from tests.isolation import isolated, warnings_in

__all__ = ["isolated"]

pytestmark = pytest.mark.usefixtures("isolated")

ROOT = Path(__file__).resolve().parent.parent


def registered(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    for project_name in ("a", "b"):
        register(local(), project_name=project_name, set_global_tracer_provider=False, verbose=False)


def variables_in(folder: Path, ending: str) -> set[str]:
    texts = [path.read_text(encoding="utf-8") for path in folder.rglob(f"*{ending}")]
    return {name for text in texts for name in re.findall(r"\bAGENTTRACE_[A-Z_]*[A-Z]\b", text)}


@pytest.mark.parametrize(
    ("variable", "words"),
    [
        ("AGENTTRACE_PROJET_NAME", "did you mean AGENTTRACE_PROJECT_NAME?"),
        ("AGENTTRACE_PROJECT", "did you mean AGENTTRACE_PROJECT_NAME?"),
        ("AGENTTRACE_URL", "did you mean AGENTTRACE_ENDPOINT?"),
        ("AGENTTRACE_API_KEY", 'set AGENTTRACE_HEADERS="authorization=Bearer …" beside AGENTTRACE_ENDPOINT'),
        ("AGENTTRACE_SAMPLE_RATE", "write register(sample_rate=…)"),
        ("AGENTTRACE_COLOUR", 'the page "Where spans go" lists'),
    ],
)
def test_a_variable_that_only_looks_like_ours_is_told_of_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, variable: str, words: str
) -> None:
    """With the one that was meant, and without its value."""
    registered(monkeypatch, **{variable: "hidden"})
    [warning] = [text for text in warnings_in(caplog) if "called again" not in text]
    assert warning.startswith(f"agenttrace: {variable} is no variable that is read: ")
    assert words in warning
    assert "hidden" not in warning


def test_several_of_them_are_one_warning(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Of one line that doesn't grow with their number."""
    registered(monkeypatch, **{f"AGENTTRACE_COLOUR_{number}": "x" for number in range(7)})
    [warning] = [text for text in warnings_in(caplog) if "called again" not in text]
    assert "AGENTTRACE_COLOUR_0 is no" in warning
    assert "AGENTTRACE_COLOUR_4 is no" in warning
    assert warning.endswith("2 more aren't read either.")


def test_variables_that_are_read_are_nothing_to_speak_of(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Nor are those of others."""
    registered(monkeypatch, AGENTTRACE_SPANS="all", AGENTTRACE_OUTBOX_MB="9", AGENT_TRACE="x", MY_AGENTTRACE_KEY="x")
    assert [text for text in warnings_in(caplog) if "called again" not in text] == []


def test_every_variable_of_ours_is_listed() -> None:
    """The list has what the pages document, which is all that the package names."""
    assert set(OWN_VARIABLES) == variables_in(ROOT / "docs", ".md")
    assert variables_in(ROOT / "agenttrace", ".py") <= set(OWN_VARIABLES)
