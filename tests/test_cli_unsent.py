"""What ``agenttrace send`` says of spans for servers that nobody names, and how they get to another address."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from agenttrace import register, shutdown, trace_step
from agenttrace.destinations import Destination, arize, langfuse, local, otlp, phoenix
from agenttrace.local.reader import Store
from agenttrace.outbox.key import folder_name, outbox_root
from tests.isolation import isolated
from tests.outbox.holders import Holder
from tests.servers import CollectorServer, Fault, unused_port
from tests.test_cli_send import leave, send

__all__ = ["isolated"]

pytestmark = pytest.mark.usefixtures("isolated")

NAMES_NOBODY = "not sent, as neither the command nor the environment names where to:"
ACCOUNT = "with that account's headers in the environment"
ARIZE = "ARIZE_SPACE_ID and ARIZE_API_KEY in the environment"
LANGFUSE = "LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY in the environment"


def leave_for(destination: Destination) -> None:
    """End a span for it while nobody answers, and go."""
    register(destination, verbose=False)
    with trace_step("a"):
        pass
    assert shutdown(0.1)


def commands_in(shown: str) -> list[str]:
    """The commands that a listing says to run."""
    return [line.strip() for line in shown.splitlines() if line.startswith("    agenttrace")]


def code_that_keeps(address: str, project: str) -> str:
    """Code for a process that keeps a span for an address, as its own outbox would."""
    about = {"kind": "otlp", "address": address, "project": project}
    return f"outbox = Outbox(path, {about!r}, 10**9, 10**9)\noutbox.keep(make_payload('a'))"


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_what_waits_for_a_server_that_nobody_names_is_listed_with_its_command(protocol: str) -> None:
    """The program named it in code. Nothing is sent there, and the command does that."""
    with CollectorServer(protocol, is_up=False) as server:
        leave(server, "weather", 3)
        leave(server, "news", 2)
        server.accept()
        shown = send(code=1)
        assert server.attempts == 0
        assert NAMES_NOBODY in shown
        assert '(project "weather"): 3 waiting' in shown
        assert '(project "news"): 2 waiting' in shown
        [command] = commands_in(shown)
        assert command.startswith(f"agenttrace send --endpoint {server.endpoint}")
        send(*shlex.split(command)[2:])
        assert server.tally.delivered == 5
    assert "not sent" not in send()


def test_dead_letters_are_listed_too() -> None:
    """And as JSON, beside what was sent."""
    with CollectorServer() as server:
        server.fail_always(Fault("status", 400))
        leave(server, "weather", 3)
        assert '(project "weather"): 3 refused' in send(code=1)
        _, other = json.loads(send("--json", code=1))
    assert (other["destination"], other["project"]) == (f"{server.endpoint}/v1/traces", "weather")
    assert (other["sent"], other["refused"], other["waiting"]) == (0, 3, 0)
    assert other["command"] == f"agenttrace send --endpoint {server.endpoint}/v1/traces"


def test_a_server_that_the_environment_names_is_sent_to_and_the_others_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    """One run tells of both."""
    with CollectorServer(is_up=False) as named, CollectorServer(is_up=False) as other:
        leave(named, "weather", 2)
        leave(other, "weather", 1)
        named.accept()
        monkeypatch.setenv("PHOENIX_COLLECTOR_ENDPOINT", named.endpoint)
        shown = send(code=1)
        assert f'{named.endpoint}/v1/traces (project "weather"): 2 sent' in shown
        assert commands_in(shown) == [f"agenttrace send --endpoint {other.endpoint}/v1/traces"]
        assert NAMES_NOBODY not in send("--project", "news")


def test_where_nothing_waits_for_the_server_that_is_named_the_others_are_listed() -> None:
    """Its address may be mistyped; but what was asked for is done."""
    with CollectorServer(is_up=False) as server:
        leave(server, "weather", 1)
        shown = send("--endpoint", f"http://127.0.0.1:{unused_port()}")
        assert commands_in(shown) == [f"agenttrace send --endpoint {server.endpoint}/v1/traces"]


def test_what_a_running_program_has_is_not_stuck() -> None:
    """It is said whose it is, and no command is: that program sends it."""
    address = "http://127.0.0.1:1/v1/traces"
    path = outbox_root() / folder_name(address, "weather")
    with Holder(path, code_that_keeps(address, "weather")) as holder:
        shown = send()
        assert f'{address} (project "weather"): 1 of a program that runs, which sends them itself' in shown
        assert NAMES_NOBODY not in shown
        assert commands_in(shown) == []
        assert "1 left to a program that runs" in send("--endpoint", address)
        holder.kill()
    assert "1 waiting" in send(code=1)


def test_what_needs_more_than_an_address_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Accounts and keys aren't on disk; a file needs none; a path may be one that no option can say."""
    nobody = f"http://127.0.0.1:{unused_port()}"
    blocked = tmp_path / "blocked"
    blocked.write_text("")
    leave_for(langfuse("pk-lf-1", "sk-lf-2", nobody))
    leave_for(arize("space", "key", endpoint=nobody))
    leave_for(otlp(nobody, account="blue"))
    leave_for(local(blocked / "run.db"))
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", f"{nobody}/exact")
    leave_for(otlp())
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    shown = send(code=1)
    folder = folder_name(f"{nobody}/v1/traces", "default", "blue")
    elsewhere = f"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT={nobody}/exact"
    assert sorted(commands_in(shown)) == [
        f"agenttrace send --from {folder} --endpoint {nobody}/v1/traces, {ACCOUNT}",
        f"agenttrace send --store {blocked / 'run.db'}",
        f"agenttrace send, with AGENTTRACE_DESTINATIONS=arize, ARIZE_COLLECTOR_ENDPOINT={nobody}/v1/traces, {ARIZE}",
        f"agenttrace send, with AGENTTRACE_DESTINATIONS=langfuse, LANGFUSE_BASE_URL={nobody}, {LANGFUSE}",
        f"agenttrace send, with AGENTTRACE_DESTINATIONS=otlp and {elsewhere} in the environment",
    ]
    assert "key" not in shown.replace("KEY", "")


def test_each_of_these_commands_sends(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what has to be set, for a backend with accounts and for a path that is taken as it is."""
    with CollectorServer(is_up=False) as server:
        leave_for(langfuse("pk-lf-1", "sk-lf-2", server.endpoint))
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", f"{server.endpoint}/exact")
        leave_for(otlp())
        monkeypatch.delenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
        shown = send(code=1)
        server.accept()
        monkeypatch.setenv("LANGFUSE_PUBLIC_KEY", "pk-lf-1")
        monkeypatch.setenv("LANGFUSE_SECRET_KEY", "sk-lf-2")
        commands = commands_in(shown)
        for command in reversed(commands):
            for word in command.replace(",", "").split():
                if "=" in word:
                    monkeypatch.setenv(*word.split("=", 1))
            send(code=0 if command == commands[0] else 1)
        assert server.tally.delivered == 2


def test_a_store_elsewhere_is_sent_to_by_its_file(tmp_path: Path) -> None:
    """What couldn't be recorded there is, when it can."""
    folder = tmp_path / "blocked"
    folder.write_text("")
    leave_for(local(folder / "run.db"))
    folder.unlink()
    [command] = commands_in(send(code=1))
    assert "1 sent" in send(*shlex.split(command)[2:])
    assert [trace.name for trace in Store(folder / "run.db").traces()] == ["a"]


def test_what_waits_for_a_wrong_address_is_sent_to_the_right_one() -> None:
    """The server refused it there, and nobody was at another port; each project stays what it was."""
    with CollectorServer(is_up=False) as wrong, CollectorServer("grpc") as right:
        leave(wrong, "weather", 3)
        wrong.accept()
        wrong.fail_always(Fault("status", 404))
        leave(wrong, "news", 2)
        before = wrong.attempts
        shown = send("--from", f"{wrong.endpoint}/v1/traces", "--endpoint", right.endpoint)
        assert f'{right.endpoint} (project "weather"), instead of {wrong.endpoint}/v1/traces: 3 sent' in shown
        assert wrong.attempts == before
        assert (right.tally.delivered, right.tally.duplicated) == (5, 0)
        assert {span.resource["openinference.project.name"] for span in right.spans} == {"weather", "news"}
    assert not [path for path in outbox_root().rglob("*") if path.is_file()]


def test_what_the_right_address_does_not_take_stays_where_it_was() -> None:
    """For the next try, with another one."""
    with CollectorServer(is_up=False) as wrong, CollectorServer() as second:
        leave(wrong, "weather", 2)
        nobody = f"http://127.0.0.1:{unused_port()}"
        assert "2 still waiting" in send("--from", wrong.endpoint, "--endpoint", nobody, code=1)
        second.fail_always(Fault("status", 401))
        assert "2 refused" in send("--from", wrong.endpoint, "--endpoint", second.endpoint, code=1)
        second.fail_always(None)
        assert "2 sent" in send("--from", wrong.endpoint, "--endpoint", second.endpoint)
        assert second.tally.delivered == 2


def test_what_a_running_program_has_is_not_sent_elsewhere() -> None:
    """It is its own business, wrong address or not."""
    address = "http://127.0.0.1:1/v1/traces"
    path = outbox_root() / folder_name(address, "weather")
    with Holder(path, code_that_keeps(address, "weather")), CollectorServer() as server:
        assert "1 left to a program that runs" in send("--from", address, "--endpoint", server.endpoint)
        assert server.attempts == 0


def test_where_from_and_where_to_have_to_be_clear() -> None:
    """Nothing goes to an address that nobody named, and no account's spans among another's."""
    with CollectorServer(is_up=False) as server:
        assert "nothing waits for http://other:1" in send("--from", "http://other:1", "--endpoint", "h:1", code=1)
        leave_for(otlp(server.endpoint, account="blue"))
        leave_for(otlp(server.endpoint, account="green"))
        assert "add --endpoint" in send("--from", server.endpoint, code=1)
        shown = send("--from", server.endpoint, "--endpoint", server.endpoint, code=1)
        assert "has several accounts: name the folder of one" in shown
        server.accept()
        folder = min(path.name for path in outbox_root().iterdir())
        assert "1 sent" in send("--from", folder, "--endpoint", server.endpoint)
        assert server.tally.delivered == 1


def test_a_mended_variable_is_a_place_to_send_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without --endpoint."""
    with CollectorServer(is_up=False) as wrong, CollectorServer() as right:
        leave_for(phoenix(wrong.endpoint))
        monkeypatch.setenv("PHOENIX_COLLECTOR_ENDPOINT", right.endpoint)
        assert "1 sent" in send("--from", wrong.endpoint)
        assert right.tally.delivered == 1
