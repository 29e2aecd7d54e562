"""What to do about a TLS connection that can't be made."""

from __future__ import annotations

import ssl

from .transport import cause_of

__all__ = ["tls_advice"]

# OpenSSL's numbers, which are part of its interface: X509_V_ERR_CERT_NOT_YET_VALID and so on.
_NOT_YET_VALID = 9
_EXPIRED = 10
_OTHER_HOST = (62, 64)


def tls_advice(error: BaseException) -> str:
    """What is wrong, and what to do about it, as the end of a sentence; holds nothing of the error's own text.

    Args:
        error: What connecting raised, however libraries have wrapped it.
    """
    verification = cause_of(error, ssl.SSLCertVerificationError)
    if verification is None:
        return "does it speak TLS? If not, write http:// instead of https://"
    if verification.verify_code == _EXPIRED:
        return "its certificate has expired; whoever runs the server has to renew it"
    if verification.verify_code == _NOT_YET_VALID:
        return "its certificate isn't valid yet; is this machine's clock right?"
    if verification.verify_code in _OTHER_HOST:
        return "its certificate is for another host; write the endpoint with the host that the certificate names"
    return "its certificate isn't trusted here; name the authority's file in OTEL_EXPORTER_OTLP_CERTIFICATE"
