"""Disks that are full, read-only or bounded, and what is on them: never more than spans, for this user alone."""

from __future__ import annotations

import base64
import ctypes
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.running import Scenario
from tests.faults.script import Fault
from tests.servers import CollectorServer

MEGABYTE = 1_000_000
_PR_CAPBSET_DROP, _CAP_DAC_OVERRIDE = 24, 1
KEY = "sk-7f3b1c9d5e2a48608d4f"
PASSWORD = "pw-41d0c2aa93"
QUERY = "tok-90be77f1d6"


@pytest.fixture
def small_disk(scenario: Scenario) -> Iterator[Path]:
    """A file system of 64 kB, where this user may mount one."""
    scenario.home.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(scenario.home)]
    if os.geteuid() or subprocess.run(mounting, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a file system")
    yield scenario.home
    subprocess.run(["umount", "--lazy", str(scenario.home)], check=True)


def obey_modes() -> None:
    """Have the program that starts obey what a folder's mode forbids, as root needn't."""
    if os.geteuid() == 0 and ctypes.CDLL(None).prctl(_PR_CAPBSET_DROP, _CAP_DAC_OVERRIDE):
        raise PermissionError("root may not give up a right here")


def told_of_the_disk(warnings: list[str]) -> list[str]:
    """The lines that say that spans can't be kept on disk."""
    return [line for line in warnings if "can't be kept on disk" in line]


def test_a_full_disk_costs_no_span(scenario: Scenario, small_disk: Path) -> None:
    """The backend is down and the disk takes 64 kB of 2 MB: the rest waits in memory, and one line says so."""
    with CollectorServer(is_up=False) as server:
        running = scenario.start("burst", "2000x1000", "--then", "flush", "wait", to=server)
        report = running.hear("report")
        assert report["lost"] == 0
        assert report["on_disk"] + report["waiting"] == 2_000
        assert report["waiting"] > 0
        server.accept()
        server.wait_for_delivered(2_000)
        running.tell()
        finished = running.finish()
        assert (server.tally.delivered, server.tally.duplicated) == (2_000, 0)
        assert len(told_of_the_disk(finished.warnings)) == 1
        assert "failed with" not in finished.log


@pytest.mark.parametrize("durability", ["batch", "write"])
def test_files_that_may_not_grow_cost_no_span(scenario: Scenario, durability: str) -> None:
    """As on a disk that is full: each file ends at 1 kB."""
    with CollectorServer() as server:
        variables = {"AGENTTRACE_DURABILITY": durability}
        finished = scenario.run("burst", "1000x1000", "--file-limit", 1_024, to=server, **variables)
        assert (server.tally.delivered, server.tally.duplicated) == (1_000, 0)
        assert len(told_of_the_disk(finished.warnings)) == 1
        assert "failed with" not in finished.log


def test_a_home_that_is_no_folder_costs_no_span(scenario: Scenario) -> None:
    """A file stands in its place."""
    scenario.home.write_text("not a folder")
    with CollectorServer() as server:
        finished = scenario.run("burst", 1_000, to=server)
        assert (server.tally.delivered, server.tally.duplicated) == (1_000, 0)
        assert len(told_of_the_disk(finished.warnings)) == 1
        assert "failed with" not in finished.log
    assert scenario.home.read_text() == "not a folder"


def test_a_home_that_may_not_be_written_costs_no_span(scenario: Scenario) -> None:
    """A read-only folder: everything waits in memory and arrives, and one line says so."""
    scenario.home.mkdir(mode=0o555)
    with CollectorServer(is_up=False) as server:
        running = scenario.start("burst", 1_000, "--then", "flush", "wait", to=server, preexec_fn=obey_modes)
        report = running.hear("report")
        assert (report["waiting"], report["on_disk"], report["is_safe"]) == (1_000, 0, False)
        server.accept()
        server.wait_for_delivered(1_000)
        running.tell()
        finished = running.finish()
        assert len(told_of_the_disk(finished.warnings)) == 1
        assert "wait on disk" not in finished.log
    assert not list(scenario.home.iterdir())


def test_an_outbox_keeps_the_newest_within_its_bound(scenario: Scenario) -> None:
    """1 MB of 4: the oldest go, they are counted and told of once, and the rest arrives."""
    with CollectorServer(is_up=False) as server:
        count = 4_000
        finished = scenario.run("burst", f"{count}x1000", "--then", "flush", to=server, AGENTTRACE_OUTBOX_MB="1")
        lost = finished.told("report")["lost"]
        assert 0 < lost < count
        assert sum(path.stat().st_size for path in scenario.files()) <= 1.2 * MEGABYTE
        assert len([line for line in finished.warnings if "oldest" in line or "dropped" in line]) == 1
        server.accept()
        with scenario.later(server):
            server.wait_for_delivered(count - lost)
        assert sorted(int(span.name) for span in server.spans) == list(range(lost, count))


def test_what_is_too_old_is_not_sent(scenario: Scenario) -> None:
    """What lay longer than its days is removed; what is younger arrives."""
    with CollectorServer(is_up=False) as server:
        scenario.run("burst", 100, to=server)
        for path in scenario.files():
            os.utime(path, (path.stat().st_mtime - 8 * 86_400,) * 2)
        scenario.run("burst", 50, to=server, AGENTTRACE_OUTBOX_DAYS="30")
        server.accept()
        with scenario.later(server):
            server.wait_for_delivered(50)
        assert server.tally.delivered == 50


@pytest.mark.parametrize("fault", [None, Fault("status", 400)], ids=["waiting", "dead letters"])
def test_what_is_on_disk_is_for_this_user_alone(scenario: Scenario, fault: Fault | None) -> None:
    """Files and folders of the outbox, whatever the umask."""
    with CollectorServer(is_up=fault is not None) as server:
        server.fail_always(fault)
        scenario.run("burst", 100, "--then", "flush", to=server, umask=0)
        files = [path for path in scenario.files() if "outbox" in path.parts]
        assert files
        assert {oct(path.stat().st_mode & 0o777) for path in files} == {"0o600"}
        folders = [path for path in (scenario.home / "outbox").rglob("*") if path.is_dir()]
        assert {oct(path.stat().st_mode & 0o077) for path in folders} == {"0o0"}


@pytest.mark.parametrize("fault", [None, Fault("status", 400)], ids=["waiting", "dead letters"])
def test_no_credential_is_on_disk_or_in_the_log(scenario: Scenario, fault: Fault | None) -> None:
    """Key, headers, the endpoint's password and what follows its "?": in no file, in no file's name, in no line."""

    class Secretive:
        endpoint = ""

    with CollectorServer(is_up=fault is not None) as server:
        server.fail_always(fault)
        place = Secretive()
        place.endpoint = f"http://me:{PASSWORD}@127.0.0.1:{server.port}/v1/traces?token={QUERY}"
        finished = scenario.run("burst", 100, "--secret", KEY, "--then", "flush", to=place)
        files = [path for path in scenario.files() if path.suffix == ".spans"]
        assert files
        texts = (KEY, KEY[::-1], PASSWORD, QUERY)
        encoded = [base64.b64encode(f"me:{PASSWORD}".encode()), base64.b64encode(KEY.encode()).rstrip(b"=")]
        for secret in (*(text.encode() for text in texts), *encoded):
            assert not [path for path in scenario.home.rglob("*") if secret in os.fsencode(path)]
            assert not [path for path in scenario.files() if secret in path.read_bytes()]
            assert secret.decode() not in finished.log
