"""Where an OTLP server is: every usual spelling of an endpoint, made into one address and one protocol."""

from __future__ import annotations

import base64
import ipaddress
import re
from dataclasses import dataclass, field, replace
from typing import Literal
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

__all__ = [
    "GRPC_PORT",
    "PHOENIX_PORT",
    "TRACES_PATH",
    "Endpoint",
    "Protocol",
    "check_protocol",
    "mask",
    "parse_endpoint",
    "with_default_scheme",
    "with_path_end",
]

Protocol = Literal["http/protobuf", "grpc"]

GRPC_PORT = 4317
"""The port that OTLP over gRPC is registered for."""

PHOENIX_PORT = 6006
"""The port that Phoenix takes OTLP over HTTP at."""

TRACES_PATH = "/v1/traces"
"""Where OTLP over HTTP takes traces, behind whatever prefix a server has."""

_SCHEMES: dict[str, tuple[Protocol | None, bool]] = {
    "http": (None, False),
    "https": (None, True),
    "grpc": ("grpc", False),
    "grpcs": ("grpc", True),
}
# What people write of `TRACES_PATH`: no server takes OTLP at what adding the whole of it would make of that.
_STARTED_PATH = re.compile(r"/+v1(/+traces?)?$")
_MISSPELT_SCHEME = re.compile(r"(https?|grpcs?)(?::/?|/{2,}|:/{3,})(?=[^/])(?!\d+(?:/|$))", re.IGNORECASE)
_PORT_ALONE = re.compile(r":?(\d+)/?")
_HINT = 'write it like "http://localhost:6006" or "localhost:4317"'


@dataclass(frozen=True)
class Endpoint:
    """An OTLP server's address.

    Args:
        protocol: How to speak to it.
        address: The whole URL to post to for HTTP, ``host:port`` for gRPC. Holds no user name or password.
        host: The host alone, IPv6 without brackets.
        is_secure: Whether the connection is encrypted.
        authorization: The ``authorization`` header that a user name and password in the endpoint stand for.
    """

    protocol: Protocol
    address: str = field(repr=False)  # what follows "?" may be secret
    host: str
    is_secure: bool
    authorization: str | None = field(default=None, repr=False)

    @property
    def is_loopback(self) -> bool:
        """Whether the server is on this machine, so that no proxy is to be asked."""
        return _is_loopback(self.host)

    def __str__(self) -> str:
        """The address to show: what follows ``?`` is left out, as keys are put there."""
        if self.protocol == "grpc":
            return f"{'grpcs' if self.is_secure else 'grpc'}://{self.address}"
        return mask(self.address)


def parse_endpoint(
    text: str, protocol: Protocol | None = None, *, grpc_port: int = GRPC_PORT, is_exact: bool = False
) -> Endpoint:
    """Read an endpoint as people write it.

    Args:
        text: ``http://host:6006``, ``host:6006``, ``https://host/prefix``, ``…/v1/traces``, ``…/v1``,
            ``host:4317``, ``grpc://host:4317``, ``grpcs://host``, ``http://[::1]:6006``. With neither scheme nor port,
            ``localhost`` is Phoenix at its port 6006, and with gRPC every host is meant at `grpc_port`.
        protocol: ``"http/protobuf"`` or ``"grpc"``; None infers gRPC from a ``grpc`` scheme, or from `grpc_port`
            without a path, and HTTP else.
        grpc_port: The port that means gRPC.
        is_exact: Whether an HTTP path is taken as it is, as the OpenTelemetry specification wants for
            ``OTEL_EXPORTER_OTLP_TRACES_ENDPOINT``; else ``/v1/traces`` is added as far as it is missing, and made of
            ``/v1/trace``.

    Raises:
        TypeError: If ``text`` is no string.
        ValueError: If it has no host, an unknown scheme or an impossible port, contradicts ``protocol``, or names
            another machine for HTTP with neither scheme nor port.
    """
    parts, scheme = _split(text)
    host, port = _host_and_port(parts, text)
    scheme_protocol, is_secure = _SCHEMES[scheme]
    path = parts.path.rstrip("/")
    chosen = protocol or scheme_protocol or ("grpc" if port == grpc_port and not path else "http/protobuf")
    if scheme_protocol is not None and chosen != scheme_protocol:
        raise ValueError(
            f"endpoint {mask(text)!r} is a gRPC address, but protocol is {chosen!r}: leave out the protocol, or write "
            'the endpoint with "http://"'
        )
    authorization = _basic_authorization(parts)
    shown_host = f"[{host}]" if ":" in host else host
    if port is None and "://" not in text:
        port = _usual_port(host, chosen, grpc_port, text)
    if chosen == "grpc":
        default_port = grpc_port if scheme_protocol else (443 if is_secure else 80)
        address = f"{shown_host}:{default_port if port is None else port}"
    else:
        if is_exact:
            path = parts.path or "/"
        elif not path.endswith(TRACES_PATH):
            path = _STARTED_PATH.sub("", path) + TRACES_PATH
        netloc = shown_host if port is None else f"{shown_host}:{port}"
        address = f"{scheme}://{netloc}{path}" + (f"?{parts.query}" if parts.query else "")
    return Endpoint(chosen, address, host, is_secure, authorization)


def with_default_scheme(text: str, scheme: str, loopback_port: int | None = None) -> str:
    """``text`` with what is meant where it has no scheme, for servers that aren't reached as `parse_endpoint` expects.

    Args:
        text: An endpoint as people write it.
        scheme: The scheme in front of another machine's name that has no port.
        loopback_port: The port of this machine where none is written; None leaves ``text`` as it is there.

    Returns:
        ``text``, still to be parsed. Where it has a port, or can't be an address, it is what it was.

    Example:
        >>> with_default_scheme("cloud.example.com", "https"), with_default_scheme("localhost", "https", 3000)
        ('https://cloud.example.com', 'http://localhost:3000')
    """
    stripped = text.strip().removeprefix("//")
    if not stripped or "://" in stripped or _MISSPELT_SCHEME.match(stripped) or _PORT_ALONE.fullmatch(stripped):
        return stripped
    try:
        parts = urlsplit(f"//{stripped}")
        host, port = parts.hostname, parts.port
    except ValueError:  # `parse_endpoint` says what is wrong with it
        return stripped
    address = parts.netloc.rpartition("@")[2]
    is_bare_ipv6 = address.count(":") > 1 and not address.startswith("[")
    if not host or port is not None or address.endswith(":") or is_bare_ipv6:
        return stripped
    if not _is_loopback(host):
        return f"{scheme}://{stripped}"
    if loopback_port is None:
        return stripped
    return f"http://{parts.netloc}:{loopback_port}{stripped.removeprefix(parts.netloc)}"


def with_path_end(endpoint: Endpoint, written: re.Pattern[str], meant: str) -> Endpoint:
    """An HTTP endpoint whose path ends as its server wants it, whatever prefix stands before that.

    Args:
        endpoint: As `parse_endpoint` gave it.
        written: What people write of that end, more or less of it; has to match the empty string, too.
        meant: The end.
    """
    parts = urlsplit(endpoint.address)
    path = written.sub("", parts.path, count=1) + meant
    return replace(endpoint, address=urlunsplit(parts._replace(path=path)))


def check_protocol(value: object) -> Protocol | None:
    """``value`` as a protocol; None where it is to be inferred (None, ``"infer"``).

    Raises:
        TypeError: If it is no string.
        ValueError: If it is another word than ``"http/protobuf"``, ``"grpc"`` and ``"infer"``.
    """
    if value is None:
        return None
    if not isinstance(value, str):
        raise TypeError(f'protocol is {type(value).__name__}: write "http/protobuf" or "grpc"')
    word = str(value.value if hasattr(value, "value") else value)  # phoenix.otel's own enum is a string, too
    if word == "http/protobuf":
        return "http/protobuf"
    if word == "grpc":
        return "grpc"
    if word == "infer":
        return None
    meant = ': did you mean "http/protobuf"?' if word.lower().startswith("http") else ":"
    raise ValueError(f'unknown protocol {word!r}{meant} write "http/protobuf" or "grpc", or leave it out')


def mask(text: str) -> str:
    """``text`` without what may be secret in a URL: user name and password, and what follows ``?`` or ``#``."""
    without_query = re.sub(r"[?#].*", "?…", text, flags=re.DOTALL)
    # Greedy up to the last "@", as a password may hold one; the scheme is kept, however many slashes are behind it.
    return re.sub(r"^((?:[a-zA-Z][a-zA-Z0-9+.-]*:?)?/+)?[^/]*@", r"\1***@", without_query)


def _split(text: object) -> tuple[SplitResult, str]:
    if not isinstance(text, str):
        raise TypeError(f"endpoint is {type(text).__name__}, not a string: {_HINT}")
    stripped = text.strip()
    if not stripped:
        raise ValueError(f"endpoint is empty: {_HINT}, or leave it out to record to the local store")
    if re.search(r"[\s\x00-\x1f\x7f]", stripped):
        raise ValueError(f"endpoint {mask(stripped)!r} has a space or line break in it: {_HINT}")
    _refuse_what_looks_like_another(stripped)
    if stripped.startswith("//"):
        stripped = f"http:{stripped}"
    elif "://" not in stripped:
        stripped = f"http://{stripped}"
    try:
        parts = urlsplit(stripped)
    except ValueError:
        raise ValueError(f"endpoint {mask(text)!r} can't be read as an address: {_HINT}") from None
    scheme = parts.scheme.lower()
    if scheme not in _SCHEMES:
        raise ValueError(
            f"endpoint {mask(text)!r} has the unknown scheme {scheme!r}: write http://, https://, grpc:// or grpcs://"
        )
    return parts, scheme


def _refuse_what_looks_like_another(text: str) -> None:
    """Refuse what can be read as an address, with a scheme or a port for its host, and is meant for another one."""
    misspelt = _MISSPELT_SCHEME.match(text)
    if misspelt is not None:
        meant = f"{misspelt[1].lower()}://{text[misspelt.end() :]}"
        raise ValueError(f"endpoint {mask(text)!r} is misspelt behind its scheme: did you mean {mask(meant)!r}?")
    alone = _PORT_ALONE.fullmatch(text)
    if alone is not None:
        raise ValueError(f'endpoint {text!r} is a port alone: for one of this machine, write "localhost:{alone[1]}"')


def _host_and_port(parts: SplitResult, text: str) -> tuple[str, int | None]:
    address = parts.netloc.rpartition("@")[2]
    if address.count(":") > 1 and not address.startswith("["):
        raise ValueError(f'endpoint {mask(text)!r}: write an IPv6 address in brackets, like "http://[::1]:6006"')
    host = parts.hostname
    if not host:
        raise ValueError(f"endpoint {mask(text)!r} has no host: {_HINT}")
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0 or address.endswith(":"):
        raise ValueError(f"endpoint {mask(text)!r} has a bad port: a port is a number from 1 to 65535")
    return host, port


def _usual_port(host: str, protocol: Protocol, grpc_port: int, text: str) -> int:
    # What follows from "http://" is port 80, which nobody means who didn't write it.
    if protocol == "grpc":
        return grpc_port
    if _is_loopback(host):
        return PHOENIX_PORT
    raise ValueError(
        f"endpoint {mask(text)!r} has neither a scheme nor a port: write http:// or https:// in front, or the port "
        "behind the host"
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name
        return False


def _basic_authorization(parts: SplitResult) -> str | None:
    if parts.username is None:
        return None
    user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return "Basic " + base64.b64encode(user.encode()).decode()
