"""The command ``agenttrace doctor``: what it chooses, what it prints, how it ends."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest

from agenttrace import faults
from agenttrace.cli.commands import agenttrace
from agenttrace.diagnosis import server as server_module
from tests.diagnosis.playing import KEY, PUBLIC, SECRET, langfuse_server, phoenix_server
from tests.isolation import clean_environment
from tests.servers import CollectorServer, unused_port


@dataclass(frozen=True)
class Outcome:
    """What a run of the command came to."""

    code: int
    output: str
    lines: list[str]


def doctor(capsys: pytest.CaptureFixture[str], *arguments: str) -> Outcome:
    """Run it in this process."""
    with pytest.raises(SystemExit) as ended:
        agenttrace.main(["doctor", *arguments], standalone_mode=True)
    captured = capsys.readouterr()
    return Outcome(int(ended.value.code or 0), captured.out + captured.err, captured.out.splitlines())


def test_with_nothing_configured_it_looks_at_the_local_store(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    """Where `register` would record to."""
    outcome = doctor(capsys)
    assert outcome.code == 0
    assert outcome.lines[0] == f"local {home / 'traces.db'}"
    assert outcome.lines[-1] == "all right"


def test_every_destination_that_the_environment_configures_is_looked_at(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what came from which variable; one that is wrong decides the exit code."""
    with phoenix_server(looks=1, project="weather") as phoenix, langfuse_server() as langfuse:
        monkeypatch.setenv("PHOENIX_COLLECTOR_ENDPOINT", phoenix.address)
        monkeypatch.setenv("PHOENIX_API_KEY", KEY)
        monkeypatch.setenv("PHOENIX_PROJECT_NAME", "weather")
        monkeypatch.setenv("LANGFUSE_PUBLIC_KEY", PUBLIC)
        monkeypatch.setenv("LANGFUSE_SECRET_KEY", "sk-lf-wrong-one")
        monkeypatch.setenv("LANGFUSE_HOST", langfuse.address)
        outcome = doctor(capsys)
        assert outcome.code == 1
        assert f"phoenix {phoenix.address}/v1/traces" in outcome.lines
        assert (
            "  configured     endpoint from PHOENIX_COLLECTOR_ENDPOINT, api_key from PHOENIX_API_KEY" in outcome.lines
        )
        assert "  project        weather" in outcome.lines
        assert f"langfuse {langfuse.address}/api/public/otel/v1/traces" in outcome.lines
        assert outcome.lines[-1] == "something is wrong with 1 of 2 destinations"
        monkeypatch.setenv("LANGFUSE_SECRET_KEY", SECRET)
        assert doctor(capsys, "--send").code == 0


def test_no_secret_is_printed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even the end of one; its length tells whether it was pasted whole."""
    monkeypatch.setenv("PHOENIX_COLLECTOR_ENDPOINT", f"http://127.0.0.1:{unused_port()}/?token=in-the-query")
    monkeypatch.setenv("PHOENIX_API_KEY", "in-the-key")
    monkeypatch.setenv("PHOENIX_CLIENT_HEADERS", "x-tenant=in-the-header")
    for arguments in ((), ("--json",)):
        outcome = doctor(capsys, *arguments)
        assert "authorization" in outcome.output
        assert "set (17 characters)" in outcome.output
        assert "in-the" not in outcome.output


def test_another_server_may_be_named(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Instead of those that are configured, and how to speak to it."""
    monkeypatch.setenv("PHOENIX_COLLECTOR_ENDPOINT", f"http://127.0.0.1:{unused_port()}")
    with CollectorServer("grpc") as server:
        outcome = doctor(capsys, "--endpoint", f"http://127.0.0.1:{server.port}", "--protocol", "grpc")
    assert outcome.code == 0
    assert outcome.lines[0] == f"otlp grpc://127.0.0.1:{server.port}"


def test_json_is_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    """For other programs."""
    with CollectorServer() as server:
        outcome = doctor(capsys, "--endpoint", server.endpoint, "--send", "--json")
        [_, sent] = server.requests
    document = json.loads(outcome.output)
    assert document["is_fine"] is True
    [destination] = document["destinations"]
    assert destination["destination"] == f"{server.endpoint}/v1/traces"
    assert {finding["step"]: finding["state"] for finding in destination["findings"]}["test span"] == "ok"
    assert [span.name for span in sent.spans] == ["agenttrace doctor"]


@pytest.mark.parametrize("switch", ["AGENTTRACE_DISABLED", "OTEL_SDK_DISABLED"])
def test_a_switch_that_turns_all_of_it_off_is_named(
    switch: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is why nothing arrives, however well the rest is set."""
    monkeypatch.setenv(switch, "true")
    outcome = doctor(capsys)
    assert outcome.code == 1
    assert f"{switch} switches tracing off" in outcome.lines[-1]
    assert json.loads(doctor(capsys, "--json").output)["switched_off_by"] == switch


def test_a_setting_that_cannot_be_right_is_explained(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `register` would, without a stack trace."""
    monkeypatch.setenv("PHOENIX_COLLECTOR_ENDPOINT", "http://")
    outcome = doctor(capsys)
    assert outcome.code == 1
    assert "PHOENIX_COLLECTOR_ENDPOINT" in outcome.output
    assert "Traceback" not in outcome.output


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("LANGFUSE_PUBLIC_KEY", PUBLIC, "LANGFUSE_PUBLIC_KEY is set but LANGFUSE_SECRET_KEY isn't"),
        ("AGENTTRACE_DISABLED", "maybe", "AGENTTRACE_DISABLED is 'maybe', which is neither true nor false"),
    ],
)
def test_half_a_configuration_is_not_all_right(
    variable: str, value: str, words: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What `register` would only warn of is why somebody is asking."""
    monkeypatch.setenv(variable, value)
    outcome = doctor(capsys)
    assert outcome.code == 1
    assert outcome.lines[-2].startswith(words)
    assert outcome.lines[-1] == "something is wrong with the settings"
    assert outcome.output.count(words) == 1
    faults.forget()
    [complaint] = json.loads(doctor(capsys, "--json").output)["complaints"]
    assert complaint.startswith(words)


def test_a_project_may_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    """The one that the program names in code."""
    with CollectorServer() as server:
        outcome = doctor(capsys, "--endpoint", server.endpoint, "--project", "weather", "--send")
        assert "  project     weather" in outcome.lines
        assert [span.resource["openinference.project.name"] for span in server.spans] == ["weather"]


def test_where_nothing_is_kept_on_disk_no_outbox_is_looked_for(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A home that can't be written to is nothing wrong then."""
    monkeypatch.setenv("AGENTTRACE_DURABILITY", "memory")
    monkeypatch.setenv("AGENTTRACE_HOME", "/proc/nope")
    with CollectorServer() as server:
        outcome = doctor(capsys, "--endpoint", server.endpoint)
    assert outcome.code == 0
    assert "nothing is kept on disk on its way: durability is memory" in outcome.output


def test_a_server_that_never_ends_its_answer_holds_nothing_up(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each byte of it starts a socket's time limit anew, so another one has to end it."""
    monkeypatch.setattr(server_module, "CONNECTION_SECONDS", 0.2)
    monkeypatch.setattr(server_module, "LONGEST_ANSWER_SECONDS", 0.3)
    is_over = threading.Event()

    def trickle() -> None:
        listener.accept()[0].close()  # the look whether anybody listens
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")
            while not is_over.wait(0.02):
                connection.sendall(b"x")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=trickle)
        thread.start()
        outcome = doctor(capsys, "--endpoint", f"http://127.0.0.1:{listener.getsockname()[1]}")
        is_over.set()
        thread.join()
    assert outcome.code == 1
    assert "doesn't come to the end of its answer" in outcome.output


def test_it_runs_as_a_program(home: Path) -> None:
    """From a shell, with the exit code that says how it went."""
    environment = {**clean_environment(home), "PHOENIX_COLLECTOR_ENDPOINT": f"http://127.0.0.1:{unused_port()}"}
    finished = subprocess.run(
        [sys.executable, "-m", "agenttrace.cli", "doctor"], env=environment, capture_output=True, text=True, timeout=60
    )
    assert finished.returncode == 1
    assert "failed   connection" in finished.stdout
    assert finished.stderr == ""


def test_the_console_is_said_once(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """It has no address."""
    monkeypatch.setenv("AGENTTRACE_DESTINATIONS", "console")
    assert doctor(capsys).lines[0] == "console"
