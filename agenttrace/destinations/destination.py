"""One destination as a value: what `register` was given or found, and how it makes what delivers to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from openinference.semconv.resource import ResourceAttributes

from agenttrace.delivery.endpoint import Endpoint
from agenttrace.delivery.transport import TransportOptions

if TYPE_CHECKING:
    from agenttrace.delivery.sink import Sink

__all__ = ["Destination", "Kind", "Spans"]

Kind = Literal["phoenix", "langfuse", "arize", "otlp", "local", "console"]
Spans = Literal["agent", "all"]

_NAMES: dict[Kind, str] = {"phoenix": "Phoenix at ", "langfuse": "Langfuse at ", "arize": "Arize AX at "}
_ARIZE_PROJECT = "model_id"
"""What Arize AX files spans under beside OpenInference's attribute for the project."""


@dataclass(frozen=True)
class Destination:
    """One place that spans go to. Two that are equal need no second export.

    Made by `phoenix`, `langfuse`, `arize`, `otlp`, `local` and `console`.

    Args:
        kind: What is there.
        path: The local store's file; None for what is no local store.
        endpoint: The server; None where there is none.
        headers: Headers to send along, names in lower case. Never shown.
        options: Compression, timeout and certificates.
        spans: Which spans go there: those of agents and model calls, or all.
        project: The project to file spans under there; None for the one that `register` knows.
        account: The public key or space id, which tells apart two owners at one address.
        origin: What was set and where it came from, for people: ``("endpoint", "PHOENIX_COLLECTOR_ENDPOINT")``,
            ``("api_key", "argument")``. Holds no secret.
    """

    kind: Kind
    path: Path | None = None
    endpoint: Endpoint | None = None
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    options: TransportOptions = field(default_factory=TransportOptions)
    spans: Spans = "agent"
    project: str | None = None
    # Public where it is what it should be; somebody may have put a secret in its place.
    account: str | None = field(default=None, repr=False)
    origin: tuple[tuple[str, str], ...] = field(default=(), compare=False)

    def __str__(self) -> str:
        """The destination as shown to people; holds no secret."""
        if self.endpoint is not None:
            return str(self.endpoint)
        return "the console" if self.kind == "console" else str(self.path)

    @property
    def activity(self) -> str:
        """What becomes of spans there, as shown to people; holds no secret."""
        if self.endpoint is not None:
            return f"sending to {_NAMES.get(self.kind, '')}{self}"
        return "printing to the console" if self.kind == "console" else f"recording to {self}"

    def changes_from(self, before: Destination) -> list[str]:
        """What is other than ``before``, as shown to people. Holds no secret, so headers are only named."""
        if str(self) != str(before):
            return [f"{before} -> {self}"]
        values = (
            ("destination", before.kind, self.kind),
            ("spans", before.spans, self.spans),
            ("project_name", before.project, self.project),
        )
        hidden = (
            ("endpoint", before.endpoint, self.endpoint),  # in what isn't shown of it: a password, what follows "?"
            ("headers or api_key", before.headers, self.headers),
            ("account", before.account, self.account),
            ("compression, timeout or certificates", before.options, self.options),
        )
        return [
            *(f"{name} {old!r} -> {new!r}" for name, old, new in values if old != new),
            *(name for name, old, new in hidden if old != new),
        ]

    def resource_attributes(self, project: str | None) -> dict[str, str]:
        """The resource attributes that this kind of destination files spans by.

        Args:
            project: The project; None where nobody named one.
        """
        if project is None:
            return {}
        attributes = {ResourceAttributes.PROJECT_NAME: project}
        return {**attributes, _ARIZE_PROJECT: project} if self.kind == "arize" else attributes

    def make_sink(self) -> Sink:
        """What delivers to this destination. Imports what that needs; opens nothing."""
        if self.endpoint is not None:
            from agenttrace.delivery.otlp import OtlpSink, load_libraries

            load_libraries(self.endpoint)
            return OtlpSink(self.endpoint, dict(self.headers), self.options, is_phoenix=self.kind == "phoenix")
        if self.kind == "console":
            from agenttrace.delivery.console import ConsoleSink

            return ConsoleSink()
        from agenttrace.delivery.local import LocalSink

        return LocalSink(self.path)
