"""The real Phoenix with authentication on: the right key, a wrong one and none, over HTTP and gRPC."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from agenttrace.destinations import phoenix
from agenttrace.diagnosis import auth_check

from .commanding import Program, command
from .phoenix_api import PhoenixApi
from .phoenix_server import running_phoenix

ADMIN = "the-administrators-secret-of-the-tests-1"
SECRET = "what-the-server-of-the-tests-signs-with-1"
WRONG_KEY = "a-key-that-opens-nothing"
PROTOCOLS = ("http", "grpc")
ADVICE = {WRONG_KEY: "refuses the credentials", None: "wants credentials, and none are sent"}


@dataclasses.dataclass(frozen=True)
class Guarded:
    """A server that wants a key, which ``api`` has, too."""

    api: PhoenixApi
    key: str

    def settings(self, protocol: str, key: str | None, project: str) -> dict[str, str]:
        """The environment of a program that sends there with a key, or without any."""
        settings = {"PHOENIX_COLLECTOR_ENDPOINT": self.api.endpoint(protocol), "PHOENIX_PROJECT_NAME": project}
        return settings if key is None else {**settings, "PHOENIX_API_KEY": key}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """A server of this module's own, and a key that it made."""
    settings = {"PHOENIX_ENABLE_AUTH": "true", "PHOENIX_SECRET": SECRET, "PHOENIX_ADMIN_SECRET": ADMIN}
    with running_phoenix(tmp_path_factory.mktemp("guarded"), **settings) as server:
        admin = dataclasses.replace(server.api, headers={"authorization": f"Bearer {ADMIN}"})
        key: str = admin.post("/v1/system/api_keys", {"data": {"name": "tests"}})["data"]["key"]
        yield Guarded(dataclasses.replace(server.api, headers={"authorization": f"Bearer {key}"}), key)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_with_the_right_key_everything_arrives(guarded: Guarded, tmp_path: Path, protocol: str) -> None:
    """And `auth_check` says so before."""
    assert auth_check(phoenix(guarded.api.endpoint(protocol), api_key=guarded.key))
    project = f"right-{protocol}"
    program = Program(tmp_path, project, **guarded.settings(protocol, guarded.key, project))
    program.order("spans 20 0.1")
    assert program.flush()["sent"] == 20
    assert program.end() == []
    assert sorted(guarded.api.wait_for_stored(project, program.span_ids)) == sorted(program.span_ids)


@pytest.mark.parametrize("key", [WRONG_KEY, None], ids=["wrong key", "no key"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_without_the_right_key_spans_are_kept_until_it_is_there(
    guarded: Guarded, tmp_path: Path, protocol: str, key: str | None
) -> None:
    """One message says what to do, however much is refused; `agenttrace send` with the right key does it."""
    project = f"kept-{protocol}-{key}"
    settings = guarded.settings(protocol, key, project)
    program = Program(tmp_path, project, **settings)
    for _ in range(3):
        program.order("spans 10 0.1")
        assert program.flush()["refused"] == 10
    [warning] = program.end()
    for words in (guarded.api.endpoint(protocol), ADVICE[key], "api_key", "dead letters", "`agenttrace send`"):
        assert words in warning
    assert len(list(tmp_path.rglob("dead/*.spans"))) == 3

    code, printed = command(tmp_path, "send", **settings)
    assert code == 1
    assert "30 refused" in printed
    assert ADVICE[key] in printed

    code, printed = command(tmp_path, "send", **{**settings, "PHOENIX_API_KEY": guarded.key})
    assert code == 0
    assert "30 sent" in printed
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == []
    assert sorted(guarded.api.wait_for_stored(project, program.span_ids)) == sorted(program.span_ids)


@pytest.mark.parametrize("key", [WRONG_KEY, None], ids=["wrong key", "no key"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_check_in_code_says_no_and_why(
    guarded: Guarded, caplog: pytest.LogCaptureFixture, protocol: str, key: str | None
) -> None:
    """As one warning."""
    with caplog.at_level(logging.WARNING, "agenttrace"):
        assert not auth_check(phoenix(guarded.api.endpoint(protocol), api_key=key))
    [record] = caplog.records
    assert ADVICE[key] in record.getMessage()


def test_the_doctor_reads_its_span_back_with_the_right_key(guarded: Guarded, tmp_path: Path) -> None:
    """Over HTTP, where Phoenix's API is at the same address."""
    code, printed = command(tmp_path, "doctor", "--send", **guarded.settings("http", guarded.key, "doctor"))
    assert code == 0, printed
    assert "Phoenix " in printed
    assert "accepts them" in printed
    assert "sent, and read back after" in printed
    assert printed.endswith("all right\n")
    assert guarded.key not in printed
    assert "doctor" in guarded.api.projects()


def test_the_doctor_sends_a_span_over_grpc_with_the_right_key(guarded: Guarded, tmp_path: Path) -> None:
    """What it can't read back there, it names."""
    code, printed = command(tmp_path, "doctor", "--send", **guarded.settings("grpc", guarded.key, "doctor-grpc"))
    assert code == 0, printed
    [line] = [line for line in printed.splitlines() if "test span" in line]
    trace_id = line.split()[-1]
    [span] = guarded.api.spans("doctor-grpc", 1).values()
    assert span["trace_id"] == trace_id


@pytest.mark.parametrize("key", [WRONG_KEY, None], ids=["wrong key", "no key"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_doctor_fails_without_it(guarded: Guarded, tmp_path: Path, protocol: str, key: str | None) -> None:
    """It says what to do, and sends no span."""
    project = f"never-{protocol}"
    code, printed = command(tmp_path, "doctor", "--send", **guarded.settings(protocol, key, project))
    assert code == 1, printed
    assert ADVICE[key] in printed
    assert printed.endswith("something is wrong\n")
    assert WRONG_KEY not in printed
    assert project not in guarded.api.projects()
