"""A real Phoenix server in a process of its own, that can be killed and started again on the same data."""

from __future__ import annotations

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
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


class StartError(Exception):
    """The server did not start; its log says why."""


class PhoenixServer:
    """A server with a data folder and two loopback ports, which it has again whenever it is started again.

    Args:
        folder: Where its data and its log are.
        settings: Environment variables, beside those that keep it on this machine.
    """

    def __init__(self, folder: Path, **settings: str) -> None:
        self._folder = folder
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self._ports = _free_ports()

    @property
    def api(self) -> PhoenixApi:
        """What it says it has; ``http_endpoint`` and ``grpc_endpoint`` are where spans go."""
        http_port, grpc_port = self._ports
        return PhoenixApi(f"http://127.0.0.1:{http_port}", f"grpc://127.0.0.1:{grpc_port}")

    def start_first(self) -> None:
        """Start it for the first time, with other ports where somebody took these meanwhile.

        Raises:
            StartError: If it never answers. Nothing but a taken port is tried again.
        """
        for attempt in range(1, START_ATTEMPTS + 1):
            try:
                self.start()
            except StartError as error:
                text = str(error).lower()
                if attempt == START_ATTEMPTS or not ("address already in use" in text or "failed to bind" in text):
                    raise
                self._ports = _free_ports()
            else:
                return

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            StartError: If it never does.
        """
        self._begin()
        failure = self._failure()
        if failure:
            self.kill()
            text = self._log.read_text(encoding="utf-8", errors="replace")
            raise StartError(f"Phoenix did not start: {failure}. Its log:\n{text}")

    def _begin(self) -> None:
        http_port, grpc_port = self._ports
        settings = {
            **OFFLINE,
            "HOME": str(self._folder),
            "PHOENIX_HOST": "127.0.0.1",
            "PHOENIX_PORT": str(http_port),
            "PHOENIX_GRPC_PORT": str(grpc_port),
            "PHOENIX_WORKING_DIR": str(self._folder),
            **self._settings,
        }
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PHOENIX_", "OTEL_"))}
        command = [str(PHOENIX_PYTHON), "-m", "phoenix.server.main", "serve"]
        with self._log.open("ab") as log:
            # It runs in its own folder, not in the project's: `agenttrace` must not be found there by chance.
            self._process = subprocess.Popen(
                command,
                cwd=self._folder,
                env=inherited | settings,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def kill(self) -> None:
        """End it at once, whatever it is at: what it holds in memory is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        """End it as an administrator does."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()

    @property
    def _log(self) -> Path:
        return self._folder / "server.log"

    def _failure(self) -> str:
        """Nothing once the server answers, else why it never did."""
        assert self._process is not None, "it was not started"
        address = f"{self.api.http_endpoint}/readyz"
        last = "it never answered"
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                return f"it exited with {self._process.returncode}"
            try:
                with urllib.request.urlopen(address, timeout=5):
                    return ""
            except (OSError, urllib.error.HTTPError) as error:
                last = f"{address}: {error}"
            time.sleep(0.2)
        return f"not ready in {START_SECONDS} seconds ({last})"


@contextmanager
def running_phoenix(folder: Path, **settings: str) -> Iterator[PhoenixServer]:
    """A server that runs while this is entered. One that can't start fails the test with its log.

    Args:
        folder: Where its data and its log are.
        settings: Environment variables.
    """
    server = PhoenixServer(folder, **settings)
    try:
        try:
            server.start_first()
        except StartError as error:
            pytest.fail(str(error), pytrace=False)
        yield server
    finally:
        server.stop()


def _free_ports() -> tuple[int, int]:
    """Two ports that nobody listens on, both held until both are known."""
    with socket.socket() as first, socket.socket() as second:
        first.bind(("127.0.0.1", 0))
        second.bind(("127.0.0.1", 0))
        return first.getsockname()[1], second.getsockname()[1]
