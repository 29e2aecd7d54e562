"""Looking at the local store, the console and the outbox."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest

from agenttrace.delivery.payloads import Payload
from agenttrace.destinations import console, local, otlp
from agenttrace.local.reader import Store
from agenttrace.outbox.key import folder_name, outbox_root
from agenttrace.outbox.outbox import Outbox
from tests.diagnosis.playing import findings, states
from tests.servers import unused_port


def test_a_store_that_is_not_there_yet_is_fine_and_is_not_made(home: Path) -> None:
    """Looking changes nothing."""
    found = findings(local())
    assert states(found) == {"store": "ok", "outbox": "skipped"}
    assert not home.exists()


def test_a_span_is_written_to_the_store_and_read_back() -> None:
    """With ``--send``, and only then."""
    found = findings(local(), sends=True, project="weather")
    [trace] = Store().traces()
    assert states(found)["test span"] == "ok"
    assert found["test span"].text == f"written and read back: agenttrace show {trace.trace_id[:8]}"
    assert (trace.name, trace.project) == ("agenttrace doctor", "weather")
    assert states(findings(local()))["store"] == "ok"
    assert len(Store().traces()) == 1


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_folder_that_may_not_be_written_to_is_named(tmp_path: Path) -> None:
    """With what to set instead."""
    tmp_path.chmod(0o500)
    found = findings(local(tmp_path / "traces" / "run.db"), sends=True)
    tmp_path.chmod(0o700)
    assert found["store"].text == (
        f"nothing can be made in {tmp_path}: set AGENTTRACE_HOME to a folder that can be written to"
    )
    assert states(found)["test span"] == "failed"


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path: Path) -> None:
    """It can't be made into one."""
    (tmp_path / "file").write_text("")
    found = findings(local(tmp_path / "file" / "run.db"))
    assert found["store"].text.startswith(f"nothing can be made in {tmp_path / 'file'}:")


def test_a_file_that_is_no_store_is_left_alone(tmp_path: Path) -> None:
    """And said to be none."""
    other = tmp_path / "other.db"
    other.write_bytes(b"something else" * 100)
    found = findings(local(other))
    assert states(found)["store"] == "failed"
    assert str(other) in found["store"].text
    assert other.read_bytes() == b"something else" * 100


def test_the_console_is_fine_while_it_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program without a window has none."""
    assert states(findings(console())) == {"console": "ok"}
    closed = io.StringIO()
    closed.close()
    for stream in (closed, None):
        monkeypatch.setattr(sys, "stderr", stream)
        found = findings(console())
        monkeypatch.undo()
        assert states(found) == {"console": "failed"}


def test_what_waits_on_disk_and_what_was_refused_is_counted() -> None:
    """For this destination and project alone."""
    destination = otlp(f"http://127.0.0.1:{unused_port()}", headers={"authorization": "Bearer k"})
    outbox = Outbox(outbox_root() / folder_name(str(destination), "weather"), {}, 10**6, 10**6)
    outbox.keep(Payload(b"abc", 3))
    assert findings(destination, project="weather")["outbox"].text.startswith("3 spans on disk")
    outbox.refuse(Payload(b"de", 2), "HTTP 400")
    found = findings(destination, project="weather")
    assert states(found)["outbox"] == "failed"
    assert f"2 spans that the server refused lie in {outbox.path / 'dead'}" in found["outbox"].text
    assert states(findings(destination, project="news"))["outbox"] == "skipped"
    outbox.leave()
