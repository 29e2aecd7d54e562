"""Questions to a backend's own API: one GET each, with the destination's headers, bounded in time and in size."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import requests

from agenttrace.delivery.endpoint import Endpoint
from agenttrace.delivery.server_words import ServerWords, words_in
from agenttrace.delivery.transport import USER_AGENT, TransportOptions

from .bounded import within

__all__ = ["Api", "ApiAnswer", "SilentError"]

CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 5.0
_LONGEST_BODY = 1_000_000


class SilentError(Exception):
    """The server gave no answer. Holds no text, as that of the libraries may quote a key."""


@dataclass(frozen=True)
class ApiAnswer:
    """What a server answered.

    Args:
        status: The HTTP status.
        value: The body, if it is JSON; None else.
        headers: The headers, names in lower case.
        words: What the server says for itself where it refuses, ready to be shown.
    """

    status: int
    value: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    words: str = ""

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The objects in its ``data``, where backends put their lists."""
        data = self.value.get("data") if isinstance(self.value, dict) else None
        return [row for row in data if isinstance(row, dict)] if isinstance(data, list) else []


class Api:
    """Asks one server.

    Args:
        base: The address that the paths are added to.
        endpoint: The OTLP endpoint at that server, which decides on proxies.
        headers: What is sent along, names in lower case.
        options: Certificates.
    """

    def __init__(self, base: str, endpoint: Endpoint, headers: Mapping[str, str], options: TransportOptions) -> None:
        self.base: str = base
        self._headers = {"user-agent": USER_AGENT, "accept": "application/json", **headers}
        self._words = ServerWords(headers, endpoint.address)
        self.has_credentials: bool = self._words.has_credentials
        """Whether anything is sent that may be credentials."""
        self._session = session = requests.Session()
        session.trust_env = not endpoint.is_loopback  # no proxy stands between a program and its own machine
        if options.certificate:
            session.verify = options.certificate
        if options.client_certificate:
            certificate, key = options.client_certificate, options.client_key
            session.cert = (certificate, key) if key else certificate

    def get(self, path: str, **query: str) -> ApiAnswer:
        """Ask for ``path``.

        Raises:
            SilentError: If there was no answer.
        """
        try:
            return within(CONNECT_SECONDS + ANSWER_SECONDS, lambda: self._ask(path, query))
        except OSError:  # what requests raises, what opening a certificate's file does, and taking too long
            raise SilentError from None

    def _ask(self, path: str, query: Mapping[str, str]) -> ApiAnswer:
        response = self._session.get(
            self.base + path,
            params=query,
            headers=self._headers,
            timeout=(CONNECT_SECONDS, ANSWER_SECONDS),
            allow_redirects=False,  # a key goes to nobody but the host that it was given for
            stream=True,
            auth=lambda request: request,  # so that ~/.netrc doesn't replace the authorization header
        )
        try:
            body = b""
            for chunk in response.iter_content(65_536):
                body += chunk
                if len(body) > _LONGEST_BODY:
                    break
        finally:
            response.close()
        headers = {name.lower(): value for name, value in response.headers.items()}
        words = "" if response.ok else self._words.shown(words_in(body, headers.get("content-type", "")))
        return ApiAnswer(response.status_code, _json(body), headers, words)

    def close(self) -> None:
        """Close the connection."""
        self._session.close()


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
