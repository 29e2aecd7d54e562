"""The loopback server as a process of its own, which outlives the programs that are killed.

``python -m tests.faults.server`` prints one JSON object that says where it listens, then obeys one JSON object a line
on stdin, such as ``{"do": "always", "fault": {"kind": "status", "code": 503}}``, answering each with one. It ends when
stdin does. `ServerProcess` speaks to it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from tests.faults.script import Fault
from tests.servers import CollectorServer

__all__ = ["obey"]


def _fault(fields: dict[str, Any] | None) -> Fault | None:
    if fields is None:
        return None
    return Fault(**{**fields, "body": str(fields.get("body", "")).encode()})


def _script(server: CollectorServer, order: dict[str, Any]) -> None:
    server.script(*[fault for fault in map(_fault, order["faults"]) if fault is not None])


def _wait(server: CollectorServer, order: dict[str, Any]) -> dict[str, Any]:
    delivered, attempts = order.get("delivered", 0), order.get("attempts", 0)
    server.wait_until(
        lambda: len(server.ledger.span_ids) >= delivered and server.attempts >= attempts,
        f"{delivered} different spans and {attempts} attempts",
        order["seconds"],
    )
    return asdict(server.tally)


_ORDERS: dict[str, Callable[[CollectorServer, dict[str, Any]], Any]] = {
    "script": _script,
    "always": lambda server, order: server.fail_always(_fault(order["fault"])),
    "refuse": lambda server, order: server.refuse(),
    "accept": lambda server, order: server.accept(),
    "let go": lambda server, order: server.let_go(),
    "tally": lambda server, order: asdict(server.tally),
    "delivered ids": lambda server, order: sorted(server.delivered_ids),
    "wait": _wait,
}


def obey(server: CollectorServer, order: dict[str, Any]) -> dict[str, Any]:
    """Do what ``order`` says, and say what came of it: ``{"result": …}`` or ``{"error": …}``."""
    try:
        return {"result": _ORDERS[order["do"]](server, order)}
    except (AssertionError, KeyError, TypeError) as error:
        return {"error": f"{type(error).__name__}: {error}"}


def main() -> None:
    """Serve until stdin ends."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--protocol", choices=["http/protobuf", "grpc"], default="http/protobuf")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--max-message-bytes", type=int, help="the largest message that it takes")
    parser.add_argument("--down", action="store_true", help="refuse connections until told to accept them")
    options = parser.parse_args()
    with CollectorServer(
        options.protocol, options.port, options.max_message_bytes, is_up=not options.down, keeps_spans=False
    ) as server:
        _say({"endpoint": server.endpoint, "port": server.port})
        for line in sys.stdin:
            _say(obey(server, json.loads(line)))


def _say(what: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
