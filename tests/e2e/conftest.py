"""A real Phoenix server on free loopback ports, for the end-to-end tests: started once, stopped at the end.

A server that can't start fails the tests with its own log; nothing here skips.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .phoenix_api import PhoenixApi
from .phoenix_server import PhoenixServer, running_phoenix


@pytest.fixture(scope="session")
def phoenix_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PhoenixServer]:
    """The server that all tests share. Whoever kills it starts it again."""
    with running_phoenix(tmp_path_factory.mktemp("phoenix")) as server:
        yield server


@pytest.fixture(scope="session")
def phoenix(phoenix_server: PhoenixServer) -> PhoenixApi:
    """The server's API; its ``http_endpoint`` and ``grpc_endpoint`` are where spans go."""
    return phoenix_server.api
