"""Where the store lies."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from agenttrace.local.paths import default_store_path


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder, and nothing set that says otherwise."""
    for name in ("AGENTTRACE_HOME", "XDG_DATA_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_the_variable_decides(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """AGENTTRACE_HOME names the folder; a tilde in it is the home folder."""
    monkeypatch.setenv("AGENTTRACE_HOME", "~/traces")
    assert default_store_path() == home / "traces" / "traces.db"


def test_a_relative_folder_is_made_absolute(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that changes its working folder later goes on writing to the same file."""
    monkeypatch.chdir(home)
    monkeypatch.setenv("AGENTTRACE_HOME", "here")
    assert default_store_path() == home / "here" / "traces.db"


def test_linux_has_a_data_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """XDG_DATA_HOME where it is an absolute path, else ~/.local/share; an empty AGENTTRACE_HOME counts as unset."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("AGENTTRACE_HOME", "")
    assert default_store_path() == home / ".local" / "share" / "agenttrace" / "traces.db"
    monkeypatch.setenv("XDG_DATA_HOME", "/srv/data")
    assert default_store_path() == Path("/srv/data/agenttrace/traces.db")
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    assert default_store_path() == home / ".local" / "share" / "agenttrace" / "traces.db"


def test_macos_and_windows_have_folders_of_their_own(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """~/Library/Application Support on macOS, LOCALAPPDATA on Windows."""
    monkeypatch.setattr(sys, "platform", "darwin")
    assert default_store_path() == home / "Library" / "Application Support" / "agenttrace" / "traces.db"
    monkeypatch.setattr(sys, "platform", "win32")
    assert default_store_path() == home / "AppData" / "Local" / "agenttrace" / "traces.db"
    monkeypatch.setenv("LOCALAPPDATA", str(home / "local"))
    assert default_store_path() == home / "local" / "agenttrace" / "traces.db"


def test_without_a_home_folder_it_says_what_to_set(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user without a home folder, as in some containers, is told about AGENTTRACE_HOME."""

    def no_home(cls: type[Path]) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", classmethod(no_home))
    monkeypatch.setattr(sys, "platform", "linux")
    with pytest.raises(ValueError, match="set AGENTTRACE_HOME to a folder"):
        default_store_path()
