"""Where spans can go, as values: what `register` chose or was told, and how each makes what delivers to it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .delivery.endpoint import Endpoint, Protocol, check_protocol, parse_endpoint
from .delivery.transport import TransportOptions

if TYPE_CHECKING:
    from .delivery.sink import Sink

__all__ = ["Destination", "local", "otlp"]

# RFC 9110's token, and visible ASCII: what both HTTP and gRPC carry.
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e]*")


@dataclass(frozen=True)
class Destination:
    """One place that spans go to. Two that are equal need no second export.

    Made by `local` and `otlp`.

    Args:
        path: The local store's file; None where the destination is a server.
        endpoint: The server; None where the destination is the local store.
        headers: Headers to send along, names in lower case. Never shown.
        options: Compression, timeout and certificates.
    """

    path: Path | None = None
    endpoint: Endpoint | None = None
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    options: TransportOptions = field(default_factory=TransportOptions)
    spans: str = "agent"
    project: str | None = None
    account: str | None = None

    @property
    def kind(self) -> str:
        """What kind of backend it is."""
        return "local" if self.endpoint is None else "otlp"

    def resource_attributes(self, project: str) -> dict[str, str]:
        """What its copies' resource has."""
        from openinference.semconv.resource import ResourceAttributes

        return {ResourceAttributes.PROJECT_NAME: project}

    def __str__(self) -> str:
        """The destination as shown to people; holds no secret."""
        return str(self.path if self.endpoint is None else self.endpoint)

    @property
    def activity(self) -> str:
        """What becomes of spans there, as shown to people; holds no secret."""
        return f"recording to {self}" if self.endpoint is None else f"sending to {self}"

    def changes_from(self, before: Destination) -> list[str]:
        """What is other than ``before``, as shown to people. Holds no secret, so headers are only named."""
        if str(self) != str(before):
            return [f"{before} -> {self}"]
        pairs = (
            ("endpoint", before.endpoint, self.endpoint),  # in what isn't shown of it: a password, what follows "?"
            ("headers or api_key", before.headers, self.headers),
            ("OTEL_EXPORTER_OTLP_… variables", before.options, self.options),
        )
        return [name for name, old, new in pairs if old != new]

    def make_sink(self) -> Sink:
        """What delivers to this destination. Imports what that needs; opens nothing."""
        if self.endpoint is None:
            from .delivery.local import LocalSink

            return LocalSink(self.path)
        from .delivery.otlp import OtlpSink, load_libraries

        load_libraries(self.endpoint)
        return OtlpSink(self.endpoint, dict(self.headers), self.options)


def local(path: Path | str | None = None) -> Destination:
    """The local store, which ``agenttrace show`` reads.

    Args:
        path: The store's file; None for the one in ``$AGENTTRACE_HOME``, or in this user's data folder.

    Raises:
        ValueError: If no path is given and this user has no home folder.

    Example:
        >>> str(local("/srv/traces/run.db"))
        '/srv/traces/run.db'
    """
    if path is None:
        from .local.paths import default_store_path

        return Destination(path=default_store_path())
    return Destination(path=Path(path))


def otlp(
    endpoint: str | Endpoint,
    *,
    headers: Mapping[str, str] | None = None,
    protocol: str | None = None,
    options: TransportOptions | None = None,
) -> Destination:
    """A server that speaks OTLP: Phoenix, an OpenTelemetry collector, and most others.

    Args:
        endpoint: ``http://host:6006``, ``host:4317``, ``grpc://host:4317`` and the like.
        headers: Headers to send along, such as ``authorization``.
        protocol: ``"http/protobuf"`` or ``"grpc"``; None infers it from the endpoint.
        options: Compression, timeout and certificates; None for what the ``OTEL_EXPORTER_OTLP_…`` variables say.

    Raises:
        TypeError: If an argument has the wrong type.
        ValueError: If the endpoint can't be an address, or the protocol is unknown.

    Example:
        >>> str(otlp("localhost:6006"))
        'http://localhost:6006/v1/traces'
    """
    chosen: Protocol | None = check_protocol(protocol)
    where = endpoint if isinstance(endpoint, Endpoint) else parse_endpoint(endpoint, chosen)
    if options is None:
        from .environment import transport_options

        options = transport_options()
    return Destination(endpoint=where, headers=check_headers(headers), options=options)


def check_headers(headers: Any) -> tuple[tuple[str, str], ...]:
    """``headers`` as pairs in one order, names in lower case.

    Raises:
        TypeError: If it is no mapping of strings to strings.
        ValueError: If a name or value holds what no header can. Neither is quoted, as both may be secret.
    """
    if headers is None:
        return ()
    if not isinstance(headers, Mapping):
        raise TypeError(f'headers is {type(headers).__name__}: write a dict, like headers={{"x-tenant": "blue"}}')
    pairs: dict[str, str] = {}
    for name, value in headers.items():
        if not isinstance(name, str) or not isinstance(value, str):
            kinds = f"{type(name).__name__} to {type(value).__name__}"
            raise TypeError(f"headers maps {kinds}: both must be strings")
        if not _NAME.fullmatch(name.strip()):
            raise ValueError("a header's name has a space, a line break or another character that none can have")
        check_header_value("a header's value", value)
        pairs[name.strip().lower()] = value.strip()
    return tuple(sorted(pairs.items()))


def check_header_value(what: str, text: str) -> None:
    """Refuse what can't be sent in a header, without quoting it.

    Args:
        what: What the text is, for the message.
        text: The text; white space around it doesn't count.

    Raises:
        ValueError: If it has line breaks, control characters or anything beyond ASCII in it.
    """
    if not _VALUE.fullmatch(text.strip()):
        raise ValueError(f"{what} has a line break or another character in it that no header can carry")
