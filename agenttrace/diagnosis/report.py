"""An examination as lines for people and as a document for programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .examination import Examination
from .findings import Finding
from .subject import headers_of, sources

__all__ = ["document", "heading", "settings"]

# Headers whose values say nothing about anybody, and are worth seeing.
_SHOWN = frozenset({"x-langfuse-ingestion-version"})


def heading(examination: Examination) -> str:
    """What was looked at: its kind, and where it is."""
    destination = examination.destination
    return destination.kind if destination.kind == "console" else f"{destination.kind}  {destination}"


def settings(examination: Examination) -> Iterator[tuple[str, str]]:
    """What is configured, and where that was said, as pairs of a name and what to show. Of a secret only its length."""
    destination = examination.destination
    configured = sources(destination)
    if configured:
        yield "configured", configured
    yield "project", examination.project
    for name, value in headers_of(destination).items():
        # Not even its end is shown: what is left of a key is of use to whoever has the rest from elsewhere. The length
        # tells a key that was pasted in part.
        yield name, value if name in _SHOWN else f"set ({len(value)} characters)"
    if destination.endpoint is not None:
        options = destination.options
        if options.compression:
            yield "compression", options.compression
        if options.certificate:
            yield "certificate", options.certificate
        if options.client_certificate:
            yield "client certificate", options.client_certificate


def document(examination: Examination) -> dict[str, Any]:
    """The examination as JSON can say it."""
    return {
        "kind": examination.destination.kind,
        "destination": str(examination.destination),
        "is_fine": examination.is_fine,
        "origin": [{"setting": what, "source": source} for what, source in examination.destination.origin],
        "settings": dict(settings(examination)),
        "findings": [_finding(finding) for finding in examination.findings],
    }


def _finding(finding: Finding) -> dict[str, str]:
    return {"step": finding.step, "state": finding.state.value, "text": finding.text}
