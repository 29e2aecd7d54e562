"""`arize`: Arize AX's collector, in whichever region."""

from __future__ import annotations

import re
from collections.abc import Mapping

from typing_extensions import Unpack

from agenttrace import environment
from agenttrace.delivery.endpoint import (
    TRACES_PATH,
    Endpoint,
    check_protocol,
    parse_endpoint,
    with_default_scheme,
    with_path_end,
)

from .destination import Destination, Spans
from .mistakes import explain_mistakes
from .sources import Sources, check_spans, check_text
from .transport import Transport, choose_options

__all__ = ["ARIZE_KEYS", "arize"]

ARIZE_KEYS = ("ARIZE_SPACE_ID", "ARIZE_API_KEY")

_ENDPOINT = "ARIZE_COLLECTOR_ENDPOINT"
_REGIONS = {"us": "", "eu": "eu-west-1a.", "ca": "ca-central-1a."}
# A region that is new may be used before it is known here, so what looks like one's full name is taken.
_FULL_NAME = re.compile(r"[a-z]{2}(-[a-z]+)+-\d+[a-z]")
# Its own client names the endpoint up to here for both protocols.
_WRITTEN_PATHS = re.compile(r"(/v1)*(/traces)?$")


@explain_mistakes(space_name="it goes by the space's id, which is in the address of its page: write space_id=…")
def arize(
    space_id: str | None = None,
    api_key: str | None = None,
    *,
    region: str | None = None,
    endpoint: str | None = None,
    headers: Mapping[str, str] | str | None = None,
    protocol: str | None = None,
    project_name: str | None = None,
    spans: Spans | None = None,
    **transport: Unpack[Transport],
) -> Destination:
    """A space of Arize AX.

    Args:
        space_id: The space's id, ``U3BhY2U6…``, which isn't its name. None for ``ARIZE_SPACE_ID``.
        api_key: A key for it, ``ak-…``. None for ``ARIZE_API_KEY``.
        region: ``"us"``, ``"eu"``, ``"ca"``, or another one's full name, like ``"us-central-1a"``.
        endpoint: The collector, where it is another one; instead of a region. None for ``ARIZE_COLLECTOR_ENDPOINT``,
            else ``https://otlp.arize.com/v1``, which is in the US.
        headers: Headers to send along.
        protocol: ``"http/protobuf"`` or ``"grpc"``; None infers it from the endpoint.
        project_name: The project to file spans under there; None for the one that `register` knows, else
            ``ARIZE_PROJECT_NAME``.
        spans: ``"agent"`` sends the spans of agents and model calls, ``"all"`` those of web frameworks and databases
            too. None for ``AGENTTRACE_SPANS``, else ``"agent"``.
        transport: ``compression``, ``timeout``, ``certificate``, ``client_key`` and ``client_certificate``, as for
            `otlp`.

    Raises:
        TypeError: If an argument has the wrong type or isn't known.
        ValueError: If the space or the key is missing, or the endpoint can't be an address. No key is quoted.

    Example:
        >>> str(arize("U3BhY2U6MQ==", "ak-1", region="eu"))
        'https://otlp.eu-west-1a.arize.com/v1/traces'
    """
    sources = Sources()
    space = _credential("space_id", space_id, sources)
    key = _credential("api_key", api_key, sources)
    if space.startswith("ak-"):
        raise ValueError("Arize's space_id looks like a key (ak-…): the space's id is in the address of its page")
    where = _endpoint(endpoint, region, protocol, sources)
    # The names that its page gives today, and those that servers from before know.
    account = {
        "arize-space-id": space,
        "space_id": space,
        "arize-api-key": key,
        "api_key": key,
        "authorization": key,
    }
    pairs = {**dict(sources.headers(headers, None)), **account}
    return Destination(
        kind="arize",
        endpoint=where,
        headers=tuple(sorted(pairs.items())),
        options=choose_options(transport, sources, is_secure=where.is_secure),
        spans=check_spans(spans),
        project=check_text("project_name", project_name) or None,
        account=space,
        origin=sources.noted,
    )


def _credential(name: str, given: str | None, sources: Sources) -> str:
    variable = ARIZE_KEYS[name == "api_key"]
    value = sources.credential(name, given, variable)
    if value is None:
        raise ValueError(f"Arize needs {name}: write arize({name}=…), or set {variable}")
    return value


def _endpoint(given: str | None, region: str | None, protocol: str | None, sources: Sources) -> Endpoint:
    place = check_text("region", region).lower()
    if place:
        if check_text("endpoint", given):
            raise ValueError("endpoint and region are both given: leave one of them out")
        if place not in _REGIONS and not _FULL_NAME.fullmatch(place):
            raise ValueError('region is no region\'s name: write "us", "eu", "ca", or a full name like "us-central-1a"')
        sources.note("region", "argument")
        text: str | None = f"https://otlp.{_REGIONS.get(place, f'{place}.')}arize.com"
        source = "region"
    else:
        text = sources.text("endpoint", given, _ENDPOINT)
        if text is None:
            sources.note("endpoint", "default")
            text = "https://otlp.arize.com"
        source = sources.noted[-1][1]
    with environment.Named(source if source == _ENDPOINT else None):
        chosen = check_protocol(protocol)
        endpoint = parse_endpoint(with_default_scheme(text or "", "https"), chosen)
    if endpoint.protocol == "grpc":
        return endpoint
    return with_path_end(endpoint, _WRITTEN_PATHS, TRACES_PATH)
