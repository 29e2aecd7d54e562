"""Looking at the local store, the console and the outbox."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

from agenttrace.delivery.options import DeliveryOptions
from agenttrace.delivery_setup import make_outbox
from agenttrace.destinations import Destination, console, local, otlp
from agenttrace.diagnosis.findings import State
from agenttrace.diagnosis.trial import trial_span
from agenttrace.local.reader import Store
from agenttrace.outbox.outbox import Outbox
from agenttrace.outbox.payloads import Payload, spans_in
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


@pytest.mark.skipif(sys.platform != "linux", reason="a file system that takes nothing, whatever it says")
def test_a_home_where_nothing_can_be_made_is_named_for_servers_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Permissions aren't asked: the superuser has them all. Nothing was kept on disk, so that step fails."""
    monkeypatch.setenv("AGENTTRACE_HOME", "/proc/nope")
    told = "as nothing can be made in /proc: set AGENTTRACE_HOME to a folder that can be written to"
    assert findings(otlp(f"http://127.0.0.1:{unused_port()}"))["outbox"].text == f"nothing can be kept on disk, {told}"
    assert states(findings(local())) == {"store": "failed", "outbox": "failed"}


def outbox_of(destination: Destination, project: str) -> Outbox:
    """What a program would use for it."""
    made = make_outbox(destination, project, DeliveryOptions())
    assert made is not None
    return made


def test_what_waits_on_disk_and_what_was_refused_is_counted() -> None:
    """Of all projects at this address, which are named; and what to do about it."""
    destination = otlp(f"http://127.0.0.1:{unused_port()}", headers={"authorization": "Bearer k"})
    outbox = outbox_of(destination, "weather")
    outbox.keep(Payload(b"abc", 3))
    outbox.leave()
    found = findings(destination, project="weather")
    assert states(found)["outbox"] == "ok"
    assert found["outbox"].text.startswith("3 spans on disk (0.0 kB), which the next program that sends there brings")
    assert findings(destination, project="news")["outbox"].text.startswith('project "weather": 3 spans on disk')
    outbox.refuse(Payload(b"de", 2), "HTTP 400")
    found = findings(destination, project="weather")
    assert states(found)["outbox"] == "failed"
    assert f"2 spans that the server refused lie in {outbox.path / 'dead'}" in found["outbox"].text
    assert "run `agenttrace send` when the cause is mended" in found["outbox"].text
    assert states(findings(otlp(f"http://127.0.0.1:{unused_port()}")))["outbox"] == "skipped"


def test_what_a_running_program_has_on_disk_is_said_to_be_its_own() -> None:
    """It sends that itself."""
    destination = otlp(f"http://127.0.0.1:{unused_port()}")
    outbox = outbox_of(destination, "weather")
    outbox.keep(Payload(b"abc", 3))
    found = findings(destination, project="weather")["outbox"]
    assert (found.state, found.text) == (State.OK, "a program that runs has 3 spans on disk")
    outbox.leave()


def test_what_a_killed_program_left_open_is_counted() -> None:
    """Though there is no file of ended spans."""
    destination = otlp(f"http://127.0.0.1:{unused_port()}")
    outbox = outbox_of(destination, "weather")
    request = encode_spans([trial_span("weather", {})])
    [span] = spans_in(request)
    outbox.running.note({span.trace_id + span.span_id: request.SerializeToString()}, [])
    outbox.leave()
    found = findings(destination, project="weather")["outbox"]
    assert found.text == "1 span that a killed program left open, which the next one ends"


def test_more_projects_than_fit_are_counted() -> None:
    """One line stays one."""
    destination = otlp(f"http://127.0.0.1:{unused_port()}")
    for number in range(7):
        outbox = outbox_of(destination, f"p{number}")
        outbox.keep(Payload(b"abc", 3))
        outbox.leave()
    text = findings(destination, project="weather")["outbox"].text
    assert text.count("3 spans on disk") == 5
    assert text.endswith("2 projects more: `agenttrace send` names them")
