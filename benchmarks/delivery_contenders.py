"""What delivers spans in the comparison of `delivery`: how each is set up, as a user of it would."""

from __future__ import annotations

import importlib.util
from typing import Any

__all__ = ["CONTENDERS", "Contender"]


class Contender:
    """One library.

    Args:
        name: What it is called in the tables.
        package: The module that must be installed for it.
    """

    name = ""
    package = ""

    @property
    def installed(self) -> bool:
        try:
            return importlib.util.find_spec(self.package) is not None
        except ModuleNotFoundError:  # not even the package that it would be in
            return False

    def set_up(self, endpoint: str, protocol: str) -> Any:
        """Register ``endpoint`` and return the provider."""
        raise NotImplementedError


class AgentTrace(Contender):
    """agenttrace as `register` sets it up; what is said to it comes through the environment."""

    name = "agenttrace"
    package = "agenttrace"

    def set_up(self, endpoint: str, protocol: str) -> Any:
        from agenttrace import register

        return register(endpoint=endpoint, protocol=protocol, verbose=False)  # type: ignore[arg-type]


class PhoenixOtel(Contender):
    """``phoenix.otel.register(batch=True)``: OpenTelemetry's batch processor and exporters, with Phoenix's defaults."""

    name = "phoenix.otel (batch)"
    package = "phoenix.otel"

    def set_up(self, endpoint: str, protocol: str) -> Any:
        from phoenix.otel import register

        # It takes a gRPC address with an HTTP scheme, and no path is added to an endpoint that is given in code.
        address = endpoint.replace("grpc://", "http://") if protocol == "grpc" else f"{endpoint}/v1/traces"
        return register(endpoint=address, protocol=protocol, batch=True, verbose=False)


_ALL = (AgentTrace(), PhoenixOtel())
CONTENDERS: dict[str, Contender] = {each.name: each for each in _ALL}
