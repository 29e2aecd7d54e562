"""What `register` says about where spans go."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from agenttrace.destinations import Destination, console, local, otlp, phoenix
from agenttrace.diagnosis.banner import banner
from agenttrace.local.paths import default_store_path

STORE = local("/srv/traces.db")
PHOENIX = otlp("http://localhost:6006", headers={"authorization": "Bearer key-that-nobody-sees"})


def test_one_destination_is_one_line() -> None:
    """With how to look at what was recorded; a server's own page is somewhere else."""
    assert banner([local()], "weather").splitlines()[0] == (
        f'agenttrace: recording to {default_store_path()} (project "weather"). To look: agenttrace show'
    )
    assert banner([STORE], "weather") == (
        'agenttrace: recording to /srv/traces.db (project "weather"). To look: agenttrace show --store /srv/traces.db'
    )
    assert banner([PHOENIX], "weather") == (
        'agenttrace: sending to http://localhost:6006/v1/traces (project "weather")'
    )


def test_a_command_that_does_not_fit_is_a_line_of_its_own() -> None:
    """Cut, it would be of no use."""
    path = f"/srv/{'x' * 90}.db"
    lines = banner([local(path)], "weather").splitlines()
    assert lines[1:] == [f"  To look: agenttrace show --store {path}"]


def test_the_console_is_said_once() -> None:
    """It has no other name."""
    lines = banner([console(), STORE], "weather").splitlines()
    assert lines[1:3] == ["  console", "  local    /srv/traces.db"]


def test_what_came_from_the_environment_is_a_second_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that nobody has to guess which variable it was."""
    monkeypatch.setenv("PHOENIX_COLLECTOR_ENDPOINT", "http://localhost:6006")
    monkeypatch.setenv("PHOENIX_API_KEY", "key-that-nobody-sees")
    assert banner([phoenix()], "weather").splitlines() == [
        'agenttrace: sending to Phoenix at http://localhost:6006/v1/traces (project "weather")',
        "  endpoint from PHOENIX_COLLECTOR_ENDPOINT, api_key from PHOENIX_API_KEY",
    ]


def test_what_the_program_said_itself_is_not_repeated() -> None:
    """Who wrote it knows."""
    assert len(banner([phoenix("http://localhost:6006", api_key="k")], "weather").splitlines()) == 1


def test_several_destinations_are_a_line_each() -> None:
    """With what kind each is, and how to look at what is here."""
    lines = banner([PHOENIX, STORE], "weather").splitlines()
    assert lines[0] == 'agenttrace: spans go to 2 places (project "weather")'
    assert [line.split()[:2] for line in lines[1:]] == [
        [PHOENIX.kind, "http://localhost:6006/v1/traces"],
        ["local", "/srv/traces.db"],
        ["To", "look:"],
    ]
    assert lines[-1] == "  To look: agenttrace show --store /srv/traces.db"


def test_a_project_of_its_own_is_said() -> None:
    """Where a destination has one."""
    lines = banner([replace(PHOENIX, project="news"), STORE], "weather").splitlines()
    assert '(project "news")' in lines[1]
    assert "project" not in lines[2]


def test_notes_are_lines_of_their_own() -> None:
    """Whatever else is worth knowing."""
    assert banner([STORE], "p", ["through the provider that is there already"]).splitlines()[1:] == [
        "  through the provider that is there already"
    ]


def test_it_is_never_more_than_a_screen() -> None:
    """However much is configured."""
    many: list[Destination] = [local(f"/srv/{'x' * 300}{number}.db") for number in range(30)]
    lines = banner(many, "weather", ["note"] * 30).splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 200
    assert "  and 22 more: agenttrace doctor lists them all" in lines


def test_no_secret_is_in_it() -> None:
    """Neither a header's value, nor what an endpoint hides."""
    hidden = otlp("http://user:hush@host:1/x?token=hush", headers={"x-key": "hush"})
    for text in (banner([hidden], "p"), banner([hidden, PHOENIX], "p")):
        assert "hush" not in text
        assert "nobody" not in text


def test_a_path_cannot_add_a_line() -> None:
    """Or move the cursor."""
    assert "\n" not in banner([local(Path("/srv/a\nb\x1b[2J.db"))], "p")
    assert "\x1b" not in banner([local(Path("/srv/a\nb\x1b[2J.db"))], "p")
