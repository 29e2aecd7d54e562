"""`langfuse`: Langfuse's OpenTelemetry endpoint, as its public API describes it."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping

from typing_extensions import Unpack

from agenttrace import environment, faults
from agenttrace.delivery.endpoint import Endpoint, mask, parse_endpoint, with_default_scheme, with_path_end

from .destination import Destination, Spans
from .mistakes import explain_mistakes
from .sources import Sources, check_spans, check_text
from .transport import Transport, choose_options

__all__ = ["LANGFUSE_HOSTS", "LANGFUSE_KEYS", "check_not_langfuse", "langfuse"]

LANGFUSE_KEYS = ("LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY")
LANGFUSE_HOSTS = ("LANGFUSE_BASE_URL", "LANGFUSE_HOST")
"""Langfuse's newer name for the variable, and its older one."""

_CLOUD = "https://cloud.langfuse.com"
_LOCAL_PORT = 3000
_OTLP_PATH = "/api/public/otel"
_PATH = f"{_OTLP_PATH}/v1/traces"
_CLOUDS = ".cloud.langfuse.com"
"""What the hosts of its cloud end with, one for each region."""
_PREFIXES = ("pk-lf-", "sk-lf-")
# What people copy from its documentation, more or less of the path that is meant.
_WRITTEN_PATHS = re.compile(r"(/api(/public(/otel)?)?)?(/+v1(/+traces)?)*/*$")
# Without it, spans show up with a delay of minutes.
_INGESTION_VERSION = ("x-langfuse-ingestion-version", "4")


@explain_mistakes(
    api_key="did you mean public_key and secret_key?",
    region='write its host, like host="https://us.cloud.langfuse.com"',
    protocol="it is reached over HTTP only, so leave that out",
)
def langfuse(
    public_key: str | None = None,
    secret_key: str | None = None,
    host: str | None = None,
    *,
    headers: Mapping[str, str] | str | None = None,
    project_name: str | None = None,
    spans: Spans | None = None,
    **transport: Unpack[Transport],
) -> Destination:
    """A Langfuse project, in its cloud or on a server of your own (from its release 3.22 on). It takes HTTP only.

    Args:
        public_key: The project's public key, ``pk-lf-…``. None for ``LANGFUSE_PUBLIC_KEY``.
        secret_key: Its secret key, ``sk-lf-…``. None for ``LANGFUSE_SECRET_KEY``.
        host: ``https://us.cloud.langfuse.com``, ``localhost:3000`` and the like, with or without ``/api/public/otel``.
            None for ``LANGFUSE_BASE_URL`` or ``LANGFUSE_HOST``, else ``https://cloud.langfuse.com``.
        headers: Headers to send along, such as a proxy in front of it needs.
        project_name: A name to send along as ``openinference.project.name``; the keys decide what project it is.
        spans: ``"agent"`` sends the spans of agents and model calls, ``"all"`` those of web frameworks and databases
            too. None for ``AGENTTRACE_SPANS``, else ``"agent"``.
        transport: ``compression``, ``timeout``, ``certificate``, ``client_key`` and ``client_certificate``, as for
            `otlp`.

    Raises:
        TypeError: If an argument has the wrong type or isn't known.
        ValueError: If a key is missing, or the host can't be an address. No key is quoted.

    Example:
        >>> str(langfuse("pk-lf-1", "sk-lf-2", "localhost:3000"))
        'http://localhost:3000/api/public/otel/v1/traces'
    """
    sources = Sources()
    user = _key("public_key", public_key, sources)
    password = _key("secret_key", secret_key, sources)
    public, secret = _PREFIXES
    if user.startswith(secret) or password.startswith(public):
        raise ValueError(
            f"Langfuse's keys are the wrong way round: the public one starts with {public}, "
            f"the secret one with {secret}"
        )
    if ":" in user:
        raise ValueError("Langfuse's public key has a colon in it, so it can't be one: it looks like pk-lf-…")
    _tell_of_odd_keys(user, password)
    where = _endpoint(host, sources)
    token = base64.b64encode(f"{user}:{password}".encode()).decode("ascii")
    pairs = {**dict(sources.headers(headers, None)), "authorization": f"Basic {token}"}
    pairs.setdefault(*_INGESTION_VERSION)
    return Destination(
        kind="langfuse",
        endpoint=where,
        headers=tuple(sorted(pairs.items())),
        options=choose_options(transport, sources, is_secure=where.is_secure),
        spans=check_spans(spans),
        project=check_text("project_name", project_name) or None,
        account=user,
        origin=sources.noted,
    )


def _key(name: str, given: str | None, sources: Sources) -> str:
    variable = LANGFUSE_KEYS[name == "secret_key"]
    key = sources.credential(name, given, variable)
    if key is None:
        raise ValueError(f"Langfuse needs a {name}: write langfuse({name}=…), or set {variable}")
    return key


def check_not_langfuse(endpoint: Endpoint, source: str) -> None:
    """Refuse Langfuse's cloud as a plain OTLP server: it takes spans at one path alone, and with both keys.

    That path is let through, with headers that somebody made for it.

    Args:
        endpoint: The server.
        source: "argument", or the variable that names it. That may be there for something else, so it is warned of.

    Raises:
        ValueError: If the server is Langfuse's, and ``source`` is "argument".
    """
    if not f".{endpoint.host}".endswith(_CLOUDS) or _OTLP_PATH in endpoint.address:
        return
    host = f"https://{endpoint.host}"
    if source == "argument":
        raise ValueError(
            f"endpoint {str(endpoint)!r} is Langfuse, which takes no spans there: write register(langfuse("
            f'host="{host}")), with langfuse from agenttrace.destinations'
        )
    faults.warn_once(
        f"agenttrace: {source} names {endpoint}, which is Langfuse and takes no spans there: set "
        f"{LANGFUSE_HOSTS[0]}={host}, {' and '.join(LANGFUSE_KEYS)} instead."
    )


def _tell_of_odd_keys(*keys: str) -> None:
    # A server of one's own can be set up with keys that look like nothing, so these are no error.
    odd = [
        f"{name} doesn't start with {prefix}"
        for name, prefix, key in zip(("public_key", "secret_key"), _PREFIXES, keys, strict=True)
        if not key.startswith(prefix)
    ]
    if odd:
        faults.warn_once(
            f"agenttrace: Langfuse's {' and '.join(odd)}, as those that Langfuse makes do: unless your own server was "
            "given other ones, copy them anew from the project's settings."
        )


def _endpoint(host: str | None, sources: Sources) -> Endpoint:
    text = sources.text("host", host, *LANGFUSE_HOSTS)
    if text is None:
        sources.note("host", "default")
        text = _CLOUD
    source = sources.noted[-1][1]
    with environment.Named("host" if source == "argument" else source):
        if re.match(r"grpcs?://", text, re.IGNORECASE):
            raise ValueError(f"{mask(text)!r} is a gRPC address, and Langfuse takes HTTP only: write https://")
        endpoint = parse_endpoint(with_default_scheme(text, "https", _LOCAL_PORT), "http/protobuf")
    return with_path_end(endpoint, _WRITTEN_PATHS, _PATH)
