"""A real Phoenix server on free loopback ports, for the end-to-end tests: started once, stopped at the end.

A server that can't start fails the tests with its own log; nothing here skips.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .phoenix_api import PhoenixApi
from .phoenix_server import PhoenixServer, StartError


@pytest.fixture(scope="session")
def phoenix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PhoenixApi]:
    """The server's API; its ``http_endpoint`` and ``grpc_endpoint`` are where spans go."""
    server = PhoenixServer(tmp_path_factory.mktemp("phoenix"))
    try:
        _start(server)
        yield server.api
    finally:
        server.stop()


def _start(server: PhoenixServer) -> None:
    try:
        server.start_first()
    except StartError as error:
        pytest.fail(str(error), pytrace=False)
