"""What to do about a TLS connection that can't be made: wrong certificates of servers, and wrong files of ours."""

from __future__ import annotations

import ssl
from pathlib import Path

from .transport import TransportOptions, cause_of

__all__ = ["NAME_CLIENT_CERTIFICATE", "authorities_problem", "tls_advice"]

NAME_CLIENT_CERTIFICATE = (
    "give client_certificate and client_key, or set OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and "
    "OTEL_EXPORTER_OTLP_CLIENT_KEY"
)
"""What to do where a server wants to know who its client is."""

_NO_TLS = "does it speak TLS? If not, write http:// instead of https://"
# OpenSSL's numbers, which are part of its interface: X509_V_ERR_CERT_NOT_YET_VALID and so on.
_NOT_YET_VALID = 9
_EXPIRED = 10
_OTHER_HOST = (62, 64)
# Which alert it was stands in an error's reason only, and OpenSSL's releases differ in what stands in front of it. A
# server sends these about the client's certificate; about its own it has nothing to say.
_REFUSED_CERTIFICATE = (
    "ALERT_UNKNOWN_CA",
    "ALERT_BAD_CERTIFICATE",
    "ALERT_UNSUPPORTED_CERTIFICATE",
    "ALERT_CERTIFICATE_REVOKED",
    "ALERT_CERTIFICATE_EXPIRED",
    "ALERT_CERTIFICATE_UNKNOWN",
    "ALERT_ACCESS_DENIED",
)


def tls_advice(error: BaseException, options: TransportOptions) -> str:
    """What is wrong, and what to do about it, as the end of a sentence; holds nothing of the error's own text.

    Args:
        error: What connecting raised, however libraries have wrapped it.
        options: How it was tried.
    """
    verification = cause_of(error, ssl.SSLCertVerificationError)
    if verification is None:
        return _advice_on_handshake(cause_of(error, ssl.SSLError), options)
    if verification.verify_code == _EXPIRED:
        return "its certificate has expired; whoever runs the server has to renew it"
    if verification.verify_code == _NOT_YET_VALID:
        return "its certificate isn't valid yet; is this machine's clock right?"
    if verification.verify_code in _OTHER_HOST:
        return "its certificate is for another host; write the endpoint with the host that the certificate names"
    return "its certificate isn't trusted here; name the authority's file in OTEL_EXPORTER_OTLP_CERTIFICATE"


def _advice_on_handshake(error: ssl.SSLError | None, options: TransportOptions) -> str:
    reason = (error and error.reason) or ""
    if "ALERT_CERTIFICATE_REQUIRED" in reason:
        return f"it wants a client certificate: {NAME_CLIENT_CERTIFICATE}"
    if any(alert in reason for alert in _REFUSED_CERTIFICATE):
        return "it refuses the client certificate: is that the one that it was set up to trust, and still valid?"
    # With TLS 1.2 that is the alert about a missing certificate, too; with 1.3 the connection is often gone before its
    # alert can be read, as the client may write as soon as its own side of the handshake is done.
    is_handshake = "ALERT_HANDSHAKE_FAILURE" in reason
    if not is_handshake and not isinstance(error, ssl.SSLEOFError):
        return _NO_TLS
    if options.client_certificate:
        return "the server ends it; does it trust the client certificate?"
    guess = f"the server ends it; if it wants a client certificate, {NAME_CLIENT_CERTIFICATE}"
    return guess if is_handshake else f"{guess}; {_NO_TLS}"


def authorities_problem(options: TransportOptions) -> str | None:
    """What is wrong with the files that the settings name for TLS, and what to do; None if they can be used.

    Args:
        options: The settings. The key's file isn't named, only its variable.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    certificate, client_certificate = options.certificate, options.client_certificate
    if certificate:
        is_folder = Path(certificate).is_dir()
        try:
            context.load_verify_locations(None if is_folder else certificate, certificate if is_folder else None)
        except (OSError, ValueError):
            return f"{certificate} can't be read as certificates: check OTEL_EXPORTER_OTLP_CERTIFICATE"
    if client_certificate:
        try:
            # A key that wants a password is no key here: asking for it would wait at the terminal.
            context.load_cert_chain(client_certificate, options.client_key or None, password=lambda: "")
        except (OSError, ValueError):
            variables = "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and OTEL_EXPORTER_OTLP_CLIENT_KEY"
            return f"{client_certificate} and its key can't be read as a certificate: check {variables}"
    return None
