"""OTLP over HTTP/protobuf: one request a batch, and every answer read for what it tells a person to do."""

from __future__ import annotations

import gzip
import re
import socket
import ssl
from collections.abc import Mapping
from dataclasses import replace
from email.utils import parsedate_to_datetime
from http.client import HTTPException, IncompleteRead, responses
from math import isfinite
from time import time
from urllib.parse import urlsplit

import requests
from requests import exceptions

from .endpoint import TRACES_PATH, Endpoint, mask
from .otlp_answer import accepted, refused_credentials
from .phoenix import VERSION_HEADER
from .server_words import ServerWords, words_in
from .sink import Answer, Verdict
from .tls import NAME_CLIENT_CERTIFICATE, authorities_problem, tls_advice
from .transport import USER_AGENT, TransportOptions, is_caused_by

__all__ = ["HttpConnection"]

_CONNECT_SECONDS = 5.0
_LONGEST_BODY = 65_536
_OR_SECURE = "if it wants TLS, write https:// instead of http://"
_BUSY = {408, 425, 429, 502, 503, 504}
# Where its OTLP stands behind an address that people copy without the path.
_LANGFUSE_HOST = re.compile(r"(.+\.)?langfuse\.com", re.IGNORECASE)
_LANGFUSE_PATH = "/api/public/otel"
_PROXYS = {502, 503}
"""What proxies say of a server that isn't there."""


class HttpConnection:
    """Posts encoded batches to one URL over a connection that is kept open.

    The official exporter isn't used for this because it answers success or failure only, and retries by sleeping
    where nobody can wake it; its encoder is what makes the payload.

    Args:
        endpoint: Where to post to.
        headers: Headers to send along, names in lower case.
        options: Compression and certificates.
    """

    def __init__(self, endpoint: Endpoint, headers: Mapping[str, str], options: TransportOptions) -> None:
        self._endpoint = endpoint
        self._options = options
        self._headers = {"user-agent": USER_AGENT, "content-type": "application/x-protobuf", **headers}
        if options.compression == "gzip":
            self._headers["content-encoding"] = "gzip"
        self._words = ServerWords(self._headers, endpoint.address)
        self._session = session = requests.Session()
        session.trust_env = not endpoint.is_loopback  # no proxy stands between a program and its own machine
        if options.certificate:
            session.verify = options.certificate
        if options.client_certificate:
            certificate, key = options.client_certificate, options.client_key
            session.cert = (certificate, key) if key else certificate
        self._has_answered = False
        self.is_phoenix: bool = False
        """Whether the server said that it is Phoenix, which takes annotations too."""
        self.status: str = ""
        """How the latest answer's status reads, like ``HTTP 200``; empty while there was none."""

    def send(self, payload: bytes, timeout: float) -> Answer:
        """Post one encoded batch; a connection that the server closed while it was idle is opened anew, once."""
        self.status = ""
        body = gzip.compress(payload, 6) if self._options.compression == "gzip" else payload
        try:
            try:
                return self._post(body, timeout)
            except exceptions.ConnectionError as error:
                if not is_caused_by(error, ConnectionResetError) and not is_caused_by(error, BrokenPipeError):
                    raise
                return replace(self._post(body, timeout), interrupted=True)
        except OSError as error:  # requests' own errors, and what opening a certificate's file raises
            return self._failure(error, timeout)

    def post_json(self, path: str, value: object, timeout: float) -> int | None:
        """Post JSON to another path of the same server.

        Args:
            path: The path, which stands in the place of OTLP's.
            value: What JSON can say.
            timeout: Seconds to wait for the answer.

        Returns:
            The HTTP status; None where there was no answer, or OTLP's path isn't the usual one.
        """
        base, separator, rest = self._endpoint.address.rpartition(TRACES_PATH)
        if not separator or rest:
            return None
        headers = {**self._headers, "content-type": "application/json"}
        headers.pop("content-encoding", None)
        try:
            response = self._session.post(
                base + path,
                json=value,
                headers=headers,
                timeout=(min(timeout, _CONNECT_SECONDS), timeout),
                allow_redirects=False,
                stream=True,
                auth=_as_it_is,
            )
            response.close()
        except exceptions.RequestException:
            return None
        return response.status_code

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def _post(self, body: bytes, timeout: float) -> Answer:
        response = self._session.post(
            self._endpoint.address,
            data=body,
            headers=self._headers,
            timeout=(min(timeout, _CONNECT_SECONDS), timeout),
            allow_redirects=False,
            stream=True,
            auth=_as_it_is,
        )
        try:
            answer = next(response.iter_content(_LONGEST_BODY), b"")
        except exceptions.ContentDecodingError:  # the status is what counts
            answer = b""
        finally:
            response.close()
        return self._read(response, answer)

    def _read(self, response: requests.Response, body: bytes) -> Answer:
        status = response.status_code
        content_type = response.headers.get("content-type", "")
        name = str(self._endpoint)
        self._has_answered = True
        self.status = f"HTTP {status}"
        if 200 <= status < 300:
            self.is_phoenix = VERSION_HEADER in response.headers
            if "text/html" in content_type:
                problem = f"{name} answers with a web page, not as an OTLP server does: {self._address_advice()}"
                return Answer(Verdict.REFUSED, problem)
            return accepted(name, body, self._words)
        if status in _BUSY:
            problem = f"{name} is busy (HTTP {status})"
            is_proxy = status in _PROXYS and VERSION_HEADER not in response.headers
            wish = _retry_after(response.headers.get("retry-after"))
            return Answer(Verdict.LATER, problem, wish, interrupted=is_proxy)
        words = words_in(body, content_type)
        if words.strip().lower() == responses.get(status, "").lower():
            words = ""  # the number's own name, which frameworks send when they have nothing to say
        if status == 413:
            problem = f"{name} takes no request as large as one span is (HTTP 413)"
            return Answer(Verdict.SPLIT, self._words.after(problem, words))
        if status >= 500:
            problem = f"{name} failed (HTTP {status}): see the server's log"
            return Answer(Verdict.FAULTY, self._words.after(problem, words))
        problem = self._refusal(status, response.headers.get("location"))
        return Answer(Verdict.REFUSED, self._words.after(problem, words))

    def _refusal(self, status: int, location: str | None) -> str:
        name = str(self._endpoint)
        if status in (401, 403):
            is_langfuse = _LANGFUSE_PATH in urlsplit(self._endpoint.address).path
            has_credentials = self._words.has_credentials
            return f"{name} {refused_credentials(has_credentials, f'HTTP {status}', is_langfuse=is_langfuse)}"
        if status in (404, 405):
            return f"{name} is no OTLP address of that server (HTTP {status}): {self._address_advice()}"
        if 300 <= status < 400:
            target = f" to {mask(location)}" if location else ""
            return f"{name} redirects{target} (HTTP {status}): use the address that it redirects to as endpoint"
        if status == 400 and not self._endpoint.is_secure:
            return f"{name} refuses the spans (HTTP 400); {_OR_SECURE}"
        return f"{name} refuses the spans (HTTP {status})"

    def _address_advice(self) -> str:
        advice = "check the endpoint's host, port and path"
        path = urlsplit(self._endpoint.address).path
        if _LANGFUSE_HOST.fullmatch(self._endpoint.host) and not path.startswith(_LANGFUSE_PATH):
            return (
                f"Langfuse takes spans at https://{self._endpoint.host}{_LANGFUSE_PATH}, which is the endpoint to write"
            )
        if path.endswith(TRACES_PATH):
            return advice
        # Only OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is taken as it is, as its specification wants.
        return f"{advice}, which is taken as it is here and usually ends with {TRACES_PATH}"

    def _failure(self, error: Exception, timeout: float) -> Answer:
        # The error's own text is never shown: it may quote headers, and the URL with what follows "?".
        name = str(self._endpoint)
        if is_caused_by(error, ssl.SSLError) or not isinstance(error, exceptions.RequestException):
            problem = authorities_problem(self._options)
            if problem is not None:
                return Answer(Verdict.UNREACHABLE, problem)
        if isinstance(error, exceptions.ProxyError):
            problem = (
                f"the proxy that the environment names doesn't lead to {name}: check HTTPS_PROXY, HTTP_PROXY, NO_PROXY"
            )
            return Answer(Verdict.UNREACHABLE, problem)
        if is_caused_by(error, socket.gaierror):
            problem = f"the host {self._endpoint.host} of {name} isn't known: is it spelled right?"
            return Answer(Verdict.UNREACHABLE, problem)
        if is_caused_by(error, ssl.SSLError):
            advice = tls_advice(error, self._options)
            return Answer(Verdict.UNREACHABLE, f"no secure connection to {name} can be made: {advice}")
        if isinstance(error, exceptions.ConnectTimeout):
            return Answer(Verdict.UNREACHABLE, _nobody_at(name))
        if isinstance(error, exceptions.Timeout) or is_caused_by(error, TimeoutError):
            return Answer(Verdict.LATER, f"{name} accepts connections but doesn't answer within {timeout:.3g} s")
        if is_caused_by(error, ConnectionResetError) or is_caused_by(error, BrokenPipeError):
            problem = f"{name} breaks connections off without an answer{self._guess()}"
            return Answer(Verdict.LATER, problem, interrupted=True)
        if is_caused_by(error, IncompleteRead):
            return Answer(Verdict.LATER, f"{name} breaks its answers off halfway", interrupted=True)
        if is_caused_by(error, HTTPException):
            problem = f'{name} doesn\'t answer in HTTP: if that is its gRPC port, use register(protocol="grpc")'
            return Answer(Verdict.LATER, problem if self._endpoint.is_secure else f"{problem}; {_OR_SECURE}")
        if isinstance(error, exceptions.ConnectionError):
            return Answer(Verdict.UNREACHABLE, _nobody_at(name))
        return Answer(Verdict.REFUSED, f"nothing can be sent to {name} ({type(error).__name__})")

    def _guess(self) -> str:
        if not self._endpoint.is_secure:
            return f"; {_OR_SECURE}"
        if self._has_answered or self._options.client_certificate:
            return ""
        return f"; if it wants a client certificate, {NAME_CLIENT_CERTIFICATE}"


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """An authentication that adds nothing, so that ~/.netrc doesn't replace the authorization header."""
    return request


def _nobody_at(name: str) -> str:
    return f"no server answers at {name}: is it running, and is the port right?"


def _retry_after(value: str | None) -> float | None:
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - time()
        except (TypeError, ValueError):
            return None
    return max(0.0, seconds) if isfinite(seconds) else None
