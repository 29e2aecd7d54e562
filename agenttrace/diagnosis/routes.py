"""The way to a server, before anything is said to it: its host's addresses, a proxy in between, a connection, TLS."""

from __future__ import annotations

import ipaddress
import os
import socket
import ssl
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from requests.utils import DEFAULT_CA_BUNDLE_PATH, get_environ_proxies, select_proxy, should_bypass_proxies

from agenttrace.delivery.endpoint import Endpoint, mask
from agenttrace.delivery.tls import authorities_problem, tls_advice
from agenttrace.delivery.transport import TransportOptions

from .bounded import within
from .findings import Finding, failed, ok, skipped

__all__ = ["USUAL_PORTS", "Route", "connect", "find_addresses", "judge_certificate", "route_to", "secure"]

LOOK_UP_SECONDS = 5.0
CONNECT_SECONDS = 3.0
HANDSHAKE_SECONDS = 5.0
EXPIRES_SOON_DAYS = 14

USUAL_PORTS = {3000: "Langfuse", 4317: "OTLP over gRPC", 4318: "OTLP over HTTP", 6006: "Phoenix"}
"""Ports and what usually listens there, for people whose port is wrong."""
_MOST_ADDRESSES = 4
_SECONDS_A_DAY = 86_400


@dataclass(frozen=True)
class Route:
    """Where a connection goes to first.

    Args:
        host: The host, IPv6 without brackets.
        port: The port.
        proxy: The proxy that this is, as it may be shown; None where it is the server itself.
    """

    host: str
    port: int
    proxy: str | None = None


def route_to(endpoint: Endpoint) -> Route:
    """The way to ``endpoint``: to the proxy that the environment names for it, or straight there.

    Raises:
        ValueError: If the proxy's address can't be read.
    """
    proxy = None if endpoint.is_loopback else _proxy_for(endpoint)
    if proxy is not None:
        parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        return Route(parts.hostname or "", parts.port or _default_port(parts.scheme), mask(proxy))
    if endpoint.protocol == "grpc":
        return Route(endpoint.host, int(endpoint.address.rpartition(":")[2]))
    parts = urlsplit(endpoint.address)
    return Route(endpoint.host, parts.port or _default_port(parts.scheme))


def find_addresses(route: Route) -> tuple[Finding, list[str]]:
    """Look the host up; what was found, and the addresses."""
    if _is_address(route.host):
        return skipped("DNS", f"{route.host} is an address already"), [route.host]
    try:
        answers = within(LOOK_UP_SECONDS, lambda: socket.getaddrinfo(route.host, route.port, type=socket.SOCK_STREAM))
    except TimeoutError:
        return failed("DNS", f"no answer about {_named(route)} within {LOOK_UP_SECONDS:g} s: is the network up?"), []
    except (OSError, UnicodeError):  # the latter for a name that no host can have
        return failed("DNS", f"{_named(route)} isn't known here: is it spelled right, and is the network up?"), []
    found = list(dict.fromkeys(str(address[0]) for *_, address in answers))
    return ok("DNS", f"{_named(route)} is {', '.join(found[:_MOST_ADDRESSES])}"), found


def connect(route: Route, addresses: list[str], *, is_loopback: bool) -> Finding:
    """Open a TCP connection to one of ``addresses``, and close it.

    Args:
        route: Where to.
        addresses: The host's addresses.
        is_loopback: Whether it is this machine, whose other ports may be looked at where nobody listens at this one.
    """
    started = time.monotonic()
    was_refused = False
    for address in addresses[:_MOST_ADDRESSES]:
        try:
            socket.create_connection((address, route.port), CONNECT_SECONDS).close()
        except OSError as error:
            was_refused |= isinstance(error, ConnectionRefusedError)
        else:
            took = f"{1000 * (time.monotonic() - started):.0f} ms"
            return ok("connection", f"{_at(route)} accepts connections ({took})")
    if not was_refused:
        return failed(
            "connection",
            f"{_at(route)} can't be reached within {CONNECT_SECONDS:g} s: is a firewall or VPN in between?",
        )
    others = _listening(route.port) if is_loopback else []
    listening = f" {' and '.join(others)} {'listens' if len(others) == 1 else 'listen'} on this machine"
    advice = "is the port right?" + (listening if others else "")
    return failed("connection", f"nobody listens at {_at(route)}: is the server running, and {advice}")


def secure(endpoint: Endpoint, options: TransportOptions, route: Route, addresses: list[str]) -> Finding:
    """Make a TLS connection to the server and look at its certificate."""
    if not endpoint.is_secure:
        return skipped("TLS", "the endpoint is http:// or grpc://, without encryption")
    if route.proxy is not None:
        return skipped("TLS", "there is a proxy in between: what is sent below tells")
    problem = authorities_problem(options)
    if problem is not None:
        return failed("TLS", problem)
    try:
        with _open(route, addresses) as connection:
            connection.settimeout(HANDSHAKE_SECONDS)
            with _context(endpoint, options).wrap_socket(connection, server_hostname=endpoint.host) as encrypted:
                certificate = encrypted.getpeercert() or {}
                protocol = encrypted.version()
    except (OSError, ssl.SSLError) as error:
        return failed("TLS", f"no secure connection to {_at(route)} can be made: {tls_advice(error, options)}")
    return judge_certificate(certificate.get("notAfter"), str(protocol), time.time())


def judge_certificate(not_after: object, protocol: str, now: float) -> Finding:
    """What there is to say about a trusted certificate.

    Args:
        not_after: When it ends, as Python's ssl gives it.
        protocol: The protocol that was agreed on.
        now: The present, in seconds since 1970.
    """
    if not isinstance(not_after, str):
        return ok("TLS", f"{protocol}, the certificate is trusted")
    end = ssl.cert_time_to_seconds(not_after)
    days = int((end - now) // _SECONDS_A_DAY)
    until = time.strftime("%Y-%m-%d", time.gmtime(end))
    soon = ": have it renewed" if days < EXPIRES_SOON_DAYS else ""
    return ok("TLS", f"{protocol}, the certificate is trusted and valid until {until} ({days:,} days){soon}")


def _open(route: Route, addresses: list[str]) -> socket.socket:
    """A connection to the first address that takes one: a server may listen at one of its host's only."""
    for address in addresses[: _MOST_ADDRESSES - 1]:
        try:
            return socket.create_connection((address, route.port), CONNECT_SECONDS)
        except OSError:
            continue
    return socket.create_connection((addresses[-1], route.port), CONNECT_SECONDS)


def _context(endpoint: Endpoint, options: TransportOptions) -> ssl.SSLContext:
    # The authorities that what sends the spans trusts, which aren't the system's.
    trusted = options.certificate or _bundle(endpoint) or str(DEFAULT_CA_BUNDLE_PATH)
    is_folder = Path(trusted).is_dir()
    context = ssl.create_default_context(cafile=None if is_folder else trusted, capath=trusted if is_folder else None)
    if options.client_certificate:
        context.load_cert_chain(options.client_certificate, options.client_key or None)
    if endpoint.protocol == "grpc":
        context.set_alpn_protocols(["h2"])
    return context


def _bundle(endpoint: Endpoint) -> str | None:
    if endpoint.protocol == "grpc":
        return os.environ.get("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH") or None
    if endpoint.is_loopback:
        return None
    return os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or None


def _proxy_for(endpoint: Endpoint) -> str | None:
    scheme = "https" if endpoint.is_secure else "http"
    url = endpoint.address if endpoint.protocol != "grpc" else f"{scheme}://{endpoint.address}"
    if endpoint.protocol == "grpc":
        if should_bypass_proxies(url, os.environ.get("no_grpc_proxy")):  # noqa: SIM112 - gRPC knows it in small letters only
            return None
        # Of these the first counts for gRPC, whatever the scheme.
        values = (os.environ.get(name) for name in ("grpc_proxy", "https_proxy", "http_proxy"))
        return next((value for value in values if value), None)
    proxies = get_environ_proxies(url)
    return select_proxy(url, proxies)


def _listening(but: int) -> list[str]:
    found: list[str] = []
    for port, name in USUAL_PORTS.items():
        if port != but:
            try:
                socket.create_connection(("127.0.0.1", port), 0.2).close()
            except OSError:
                continue
            found.append(f"port {port}, usually {name},")
    return found


def _named(route: Route) -> str:
    return f"the host {route.host}" if route.proxy is None else f"the proxy {route.proxy}"


def _at(route: Route) -> str:
    host = f"[{route.host}]" if ":" in route.host else route.host
    return f"{host}:{route.port}" if route.proxy is None else f"the proxy {route.proxy}"


def _default_port(scheme: str) -> int:
    return 443 if scheme == "https" else 80


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
