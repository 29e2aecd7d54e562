"""A real Phoenix server on free loopback ports, for the end-to-end tests: started once, stopped at the end.

A server that can't start fails the tests with its own log; nothing here skips.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from .phoenix_api import PhoenixApi

PHOENIX_PYTHON = Path(__file__).resolve().parents[2] / ".venv-phoenix" / "bin" / "python"
"""Where `make test-e2e` has installed the server."""

START_SECONDS = 180
START_ATTEMPTS = 3
STOP_SECONDS = 20

OFFLINE = {
    "PHOENIX_ALLOW_EXTERNAL_RESOURCES": "false",
    "PHOENIX_DISABLE_AGENT_ASSISTANT": "true",
    "PHOENIX_TELEMETRY_ENABLED": "false",
}
"""What keeps the server from asking the internet for anything."""


@pytest.fixture(scope="session")
def phoenix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PhoenixApi]:
    """The server's API; its ``http_endpoint`` and ``grpc_endpoint`` are where spans go."""
    failure = ""
    for _ in range(START_ATTEMPTS):
        folder = tmp_path_factory.mktemp("phoenix")
        http_port, grpc_port = _free_ports()
        with (folder / "server.log").open("wb") as log:
            server = _start(folder, http_port, grpc_port, log.fileno())
            try:
                failure = _wait_until_ready(server, f"http://127.0.0.1:{http_port}/readyz")
                if not failure:
                    yield PhoenixApi(f"http://127.0.0.1:{http_port}", f"grpc://127.0.0.1:{grpc_port}")
                    return
            finally:
                _stop(server)
        text = (folder / "server.log").read_text(encoding="utf-8", errors="replace")
        failure = f"Phoenix did not start: {failure}. Its log:\n{text}"
        # A port may have been taken between our looking and the server's binding it; nothing else is tried again.
        if "address already in use" not in text.lower() and "failed to bind" not in text.lower():
            break
    pytest.fail(failure, pytrace=False)


def _start(folder: Path, http_port: int, grpc_port: int, log: int) -> subprocess.Popen[bytes]:
    settings = {
        **OFFLINE,
        "HOME": str(folder),
        "PHOENIX_HOST": "127.0.0.1",
        "PHOENIX_PORT": str(http_port),
        "PHOENIX_GRPC_PORT": str(grpc_port),
        "PHOENIX_WORKING_DIR": str(folder),
    }
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PHOENIX_", "OTEL_"))}
    command = [str(PHOENIX_PYTHON), "-m", "phoenix.server.main", "serve"]
    # It runs in its own folder, not in the project's: `agenttrace` must not be found there by chance.
    return subprocess.Popen(
        command, cwd=folder, env=inherited | settings, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
    )


def _wait_until_ready(server: subprocess.Popen[bytes], address: str) -> str:
    """Nothing once the server answers, else why it never did."""
    last = "it never answered"
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            return f"it exited with {server.returncode}"
        try:
            with urllib.request.urlopen(address, timeout=5):
                return ""
        except (OSError, urllib.error.HTTPError) as error:
            last = f"{address}: {error}"
        time.sleep(0.2)
    return f"not ready in {START_SECONDS} seconds ({last})"


def _stop(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _free_ports() -> tuple[int, int]:
    """Two ports that nobody listens on, both held until both are known."""
    with socket.socket() as first, socket.socket() as second:
        first.bind(("127.0.0.1", 0))
        second.bind(("127.0.0.1", 0))
        return first.getsockname()[1], second.getsockname()[1]
