"""`auth_check`: a yes or a no, the reason in the log, and never an exception."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agenttrace.destinations import Destination, console, langfuse, local, otlp, phoenix
from agenttrace.diagnosis import auth_check, examination
from tests.backends import Backend, Reply
from tests.diagnosis.playing import KEY, PUBLIC, SECRET, langfuse_server, phoenix_server
from tests.isolation import warnings_in
from tests.servers import CollectorServer, Fault, unused_port


def test_credentials_that_are_taken() -> None:
    """By each kind of backend; nothing is sent but an empty batch."""
    with phoenix_server() as server:
        assert auth_check(phoenix(server.address, api_key=KEY))
        assert [asked.body for asked in server.asked_for("POST /v1/traces")] == [b""]
    with langfuse_server() as server:
        assert auth_check(langfuse(PUBLIC, SECRET, server.address))
    for protocol in ("http/protobuf", "grpc"):
        with CollectorServer(protocol) as collector:
            assert auth_check(otlp(collector.endpoint, headers={"x-key": "1"}))
    assert auth_check(local())
    assert auth_check(console())


def test_credentials_that_are_refused(caplog: pytest.LogCaptureFixture) -> None:
    """The log says by whom, and what to do; no key is in it."""
    with phoenix_server() as server:
        assert not auth_check(phoenix(server.address, api_key="wrong-phoenix-key"))
        assert f"{server.address}/v1/traces refuses the credentials" in warnings_in(caplog)[-1]
    with langfuse_server() as langfuse_backend:
        assert not auth_check(langfuse(PUBLIC, "sk-lf-wrong", langfuse_backend.address))
    with CollectorServer("grpc") as collector:
        collector.fail_always(Fault("status", "UNAUTHENTICATED", details="bad token wrong-token"))
        assert not auth_check(otlp(collector.endpoint, headers={"authorization": "Bearer wrong-token"}))
    assert len(warnings_in(caplog)) == 3
    assert not [key for key in ("wrong-phoenix-key", "sk-lf-wrong", "wrong-token") if key in caplog.text]


def test_keys_that_only_the_backends_api_refuses(caplog: pytest.LogCaptureFixture) -> None:
    """Taking an empty batch says little about the key."""
    takes_all = {"POST /api/public/otel/v1/traces": Reply(), "GET /api/public/projects": Reply(401)}
    with Backend(takes_all) as backend:
        destination = langfuse(PUBLIC, SECRET, backend.address)
        assert not auth_check(destination)
    assert warnings_in(caplog)[0].startswith(f"agenttrace: {destination}: Langfuse refuses the keys (HTTP 401)")


@pytest.mark.parametrize("fault", [Fault("hang"), Fault("status", 503), Fault("status", 404), Fault("status", 500)])
def test_a_server_that_does_not_answer_as_one_takes_no_credentials(
    fault: Fault, caplog: pytest.LogCaptureFixture
) -> None:
    """Whether it takes them, nobody knows."""
    with CollectorServer() as server:
        server.fail_always(fault)
        assert not auth_check(otlp(server.endpoint, timeout=0.2))
    assert len(warnings_in(caplog)) == 1


def test_nobody_there(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    """Neither a server nor a folder."""
    assert not auth_check(otlp(f"http://127.0.0.1:{unused_port()}"))
    (tmp_path / "file").write_text("")
    assert not auth_check(local(tmp_path / "file" / "run.db"))
    first, second = warnings_in(caplog)
    assert "is it running, and is the port right?" in first
    assert second.startswith(f"agenttrace: {tmp_path / 'file' / 'run.db'}: nothing can be made in")


def test_a_fault_of_ours_is_a_no(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """It stands in a health check, and must not bring that down."""

    def broken(destination: Destination, project: str) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(examination, "examine", broken)
    assert not auth_check(local())
    assert "RuntimeError" in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("http://user:hush@host:6006", "write auth_check(otlp(...))"),
        (phoenix, "call it, as in auth_check(phoenix())"),
        (None, "write auth_check(phoenix())"),
    ],
)
def test_what_is_no_destination_is_a_mistake(argument: Any, words: str) -> None:
    """It is said what to write; a health check that can never be true would say nothing."""
    with pytest.raises(TypeError) as told:
        auth_check(argument)
    assert words in str(told.value)
    assert "hush" not in str(told.value)


def test_keys_that_langfuse_refuses_are_named_as_langfuse_names_them(caplog: pytest.LogCaptureFixture) -> None:
    """It has no api_key, and keys of one region are of no use in another."""
    with langfuse_server() as server:
        assert not auth_check(langfuse(PUBLIC, "sk-lf-wrong", server.address))
    assert "check public_key, secret_key, and whether host is the region or server they are of" in caplog.text
    assert "api_key" not in caplog.text
