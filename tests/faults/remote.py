"""The loopback server in a process of its own, used as if it were here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any

from typing_extensions import Self

from tests.faults.received import Tally
from tests.faults.script import Fault

__all__ = ["ServerProcess"]

ROOT = Path(__file__).resolve().parent.parent.parent
_PATIENCE_SECONDS = 30.0


class ServerProcess:
    """A `CollectorServer` in another process, which only counts.

    Args:
        protocol: "http/protobuf" or "grpc".
        max_message_bytes: The largest message it takes. None: over gRPC that protocol's 4 MB, over HTTP any.
        is_up: Whether it listens from the start; else connections are refused until `accept`.

    Example:
        >>> with ServerProcess() as server:
        ...     subprocess.run([sys.executable, "program.py", server.endpoint])
        ...     server.tally.delivered
        100
    """

    def __init__(
        self, protocol: str = "http/protobuf", max_message_bytes: int | None = None, *, is_up: bool = True
    ) -> None:
        command = [sys.executable, "-m", "tests.faults.server", "--protocol", protocol]
        if max_message_bytes is not None:
            command += ["--max-message-bytes", str(max_message_bytes)]
        if not is_up:
            command.append("--down")
        # An order and its answer belong together, whichever threads give orders.
        self._turn = threading.Lock()
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        hello = self._read()
        self.endpoint: str = hello["endpoint"]
        """What to give to `register(endpoint=…)`."""
        self.port: int = hello["port"]

    @property
    def tally(self) -> Tally:
        """What was counted so far."""
        return Tally(**self._order(do="tally"))

    @property
    def delivered_ids(self) -> set[str]:
        """The ids of the spans that were accepted."""
        return set(self._order(do="delivered ids"))

    def script(self, *faults: Fault) -> None:
        """Meet the next requests with these faults, one each."""
        self._order(do="script", faults=[_fields(fault) for fault in faults])

    def fail_always(self, fault: Fault | None) -> None:
        """Meet every request that no script is left for with ``fault``; None takes them again."""
        self._order(do="always", fault=None if fault is None else _fields(fault))

    def refuse(self) -> None:
        """Close the port and cut what is connected, as a server does that was killed."""
        self._order(do="refuse")

    def accept(self) -> None:
        """Listen (again), on the same port."""
        self._order(do="accept")

    def let_go(self) -> None:
        """Cut the requests that hang."""
        self._order(do="let go")

    def wait_for_delivered(self, count: int, seconds: float = _PATIENCE_SECONDS) -> Tally:
        """The tally, as soon as ``count`` different spans were accepted."""
        return Tally(**self._order(do="wait", delivered=count, seconds=seconds))

    def wait_for_attempts(self, count: int, seconds: float = _PATIENCE_SECONDS) -> None:
        """Wait until ``count`` requests have arrived, whatever became of them."""
        self._order(do="wait", attempts=count, seconds=seconds)

    def close(self) -> None:
        """End the process."""
        try:
            self._process.communicate(timeout=10)  # its stdin's end is its own
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _order(self, **order: Any) -> Any:
        assert self._process.stdin is not None
        with self._turn:
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            answer = self._read()
        if "error" in answer:
            raise AssertionError(answer["error"])
        return answer["result"]

    def _read(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise AssertionError("the loopback server has ended; what it said stands above")
        return json.loads(line)


def _fields(fault: Fault) -> dict[str, Any]:
    return {**asdict(fault), "body": fault.body.decode()}
