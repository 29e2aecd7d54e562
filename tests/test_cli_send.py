"""``agenttrace send``: what programs left on disk, whatever project they named, and what becomes of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from agenttrace import register, shutdown, trace_step
from agenttrace.cli.commands import agenttrace
from tests.isolation import isolated
from tests.servers import CollectorServer, Fault

__all__ = ["isolated"]

pytestmark = pytest.mark.usefixtures("isolated")


def leave(server: CollectorServer, project: str, count: int) -> None:
    """End spans of a project while nobody answers, and go."""
    register(endpoint=server.endpoint, project_name=project, verbose=False)
    for number in range(count):
        with trace_step(f"{project} {number}"):
            pass
    assert shutdown(0.1)


def send(*arguments: str, code: int = 0) -> str:
    """What the command prints."""
    result = CliRunner().invoke(agenttrace, ["send", *arguments])
    assert result.exit_code == code, result.output
    return result.output


def test_every_project_that_waits_for_a_server_is_sent(isolated: Path) -> None:
    """Named in code or not: nobody who reads the warning knows more than the server."""
    with CollectorServer(is_up=False) as server:
        leave(server, "weather", 3)
        leave(server, "news", 2)
        server.accept()
        shown = send("--endpoint", server.endpoint)
        assert 'project "weather"): 3 sent' in shown
        assert 'project "news"): 2 sent' in shown
        assert (server.tally.delivered, server.tally.duplicated) == (5, 0)
        assert send("--endpoint", server.endpoint).strip().endswith("nothing waits")
        assert not [path for path in isolated.rglob("*") if path.is_file()]


def test_one_project_may_be_named() -> None:
    """The others stay."""
    with CollectorServer(is_up=False) as server:
        leave(server, "weather", 3)
        leave(server, "news", 2)
        server.accept()
        send("--endpoint", server.endpoint, "--project", "news")
        assert sorted(span.name for span in server.spans) == ["news 0", "news 1"]


def test_what_still_waits_is_said_and_exits_with_1() -> None:
    """With what keeps it."""
    with CollectorServer(is_up=False) as server:
        leave(server, "weather", 3)
        shown = send("--endpoint", server.endpoint, code=1)
        assert "3 still waiting" in shown
        assert "no server answers" in shown


def test_what_is_refused_again_stays_a_dead_letter() -> None:
    """And is sent when the cause is mended; as JSON, for programs."""
    with CollectorServer() as server:
        server.fail_always(Fault("status", 400, body=b"bad tenant"))
        leave(server, "weather", 3)
        [told] = json.loads(send("--endpoint", server.endpoint, "--json", code=1))
        assert (told["refused"], told["sent"], told["waiting"], told["project"]) == (3, 0, 0, "weather")
        assert "bad tenant" in told["problem"]
        server.fail_always(None)
        [told] = json.loads(send("--endpoint", server.endpoint, "--json"))
        assert (told["refused"], told["sent"]) == (0, 3)


def test_other_accounts_are_left_alone(isolated: Path) -> None:
    """What waits for one tenant isn't sent with another's headers."""
    from agenttrace.destinations import otlp

    with CollectorServer(is_up=False) as server:
        register(otlp(server.endpoint, account="blue", project_name="p"), verbose=False)
        with trace_step("a"):
            pass
        shutdown(0.1)
        server.accept()
        assert send("--endpoint", server.endpoint).splitlines()[0].endswith("nothing waits")
        assert server.tally.delivered == 0
