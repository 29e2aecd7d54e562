"""What `register` was asked for, as one value that can be compared."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from openinference.semconv.resource import ResourceAttributes
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.sdk.trace.sampling import Sampler

from agenttrace.delivery.options import DeliveryOptions
from agenttrace.destinations import Destination
from agenttrace.semconv.privacy import TraceConfig

__all__ = ["DEFAULT_PROJECT", "Settings", "default_resource"]

DEFAULT_PROJECT = "default"


@dataclass(frozen=True)
class Settings:
    """One way to register. Two that are equal need no second export.

    Args:
        destinations: Where spans go.
        project: The project to file them under where a destination has none of its own; None where nobody named one.
        resource: The resource to describe the program with; None for OpenTelemetry's default one.
        sampler: The sampler of a provider of our own.
        sampler_identity: What tells it from another one.
        sample_rate: The share of traces to keep; None for what the environment says.
        span_processors: The user's own processors.
        is_batched: Whether spans are gathered for a moment.
        delivery: How they are kept safe on the way, whatever the destination.
        sets_global: Whether the provider becomes, or is, OpenTelemetry's global one.
        provider: The provider to join; "own" for one of our own.
        config: What may be recorded; None for what the environment says.
        options: Further arguments of a provider of our own.
    """

    destinations: tuple[Destination, ...]
    project: str | None
    resource: Resource | None
    sampler: Sampler | None = field(compare=False)
    sampler_identity: object
    sample_rate: float | None
    span_processors: tuple[SpanProcessor, ...]
    is_batched: bool
    delivery: DeliveryOptions
    sets_global: bool
    provider: Any
    config: TraceConfig | None
    options: tuple[tuple[str, Any], ...]

    @property
    def activity(self) -> str:
        """What becomes of spans, as shown to people: ``"sending to … and recording to …"``. Holds no secret."""
        *first, last = (destination.activity for destination in self.destinations)
        return f"{', '.join(first)} and {last}" if first else last

    def project_of(self, destination: Destination) -> str | None:
        """The project to file spans under at ``destination``; None where nobody named one."""
        return destination.project or self.project

    def options_for(self, destination: Destination) -> DeliveryOptions:
        """How spans get to ``destination``."""
        return replace(self.delivery, timeout=destination.options.timeout)

    @property
    def project_resource(self) -> Resource:
        """The project as a resource; empty where nobody named one."""
        return Resource({} if self.project is None else {ResourceAttributes.PROJECT_NAME: self.project})

    def full_resource(self) -> Resource:
        """The resource of a provider of our own."""
        given = Resource.create() if self.resource is None else self.resource
        return default_resource().merge(given).merge(self.project_resource)

    def changes_from(self, before: Settings) -> str:
        """What is other than ``before``, in the keywords of `register`: ``project_name 'a' -> 'b', headers``.

        Holds no secret: values are shown of those keywords only that have none.
        """
        values = (
            ("project_name", before.project, self.project),
            ("batch", before.is_batched, self.is_batched),
            ("sample_rate", before.sample_rate, self.sample_rate),
            ("set_global_tracer_provider", before.sets_global, self.sets_global),
            *self._delivery_values(before),
        )
        objects = (
            ("resource", before.resource, self.resource),
            ("sampler", before.sampler_identity, self.sampler_identity),
            ("span_processors", before.span_processors, self.span_processors),
            ("tracer_provider", before.provider, self.provider),
            ("config", before.config, self.config),
        )
        old_options, new_options = dict(before.options), dict(self.options)
        changes = [
            *self._destination_changes(before),
            *(f"{name} {old!r} -> {new!r}" for name, old, new in values if old != new),
            *(name for name, old, new in objects if old != new),
            *(name for name in sorted({*old_options, *new_options}) if old_options.get(name) != new_options.get(name)),
        ]
        return ", ".join(dict.fromkeys(changes))

    def _destination_changes(self, before: Settings) -> list[str]:
        old, new = before.destinations, self.destinations
        if len(old) == len(new):
            return [change for one, other in zip(old, new, strict=True) for change in other.changes_from(one)]
        return [f"{', '.join(map(str, old))} -> {', '.join(map(str, new))}"]

    def _delivery_values(self, before: Settings) -> list[tuple[str, object, object]]:
        old, new = before.delivery, self.delivery
        if self.is_batched != before.is_batched:
            old = replace(old, interval=new.interval)  # that is what the keyword changes
        return [
            ("overflow", old.overflow, new.overflow),
            ("durability", old.durability, new.durability),
            ("export_interval", old.interval, new.interval),
            ("shutdown_timeout", old.shutdown_timeout, new.shutdown_timeout),
            ("flush_on_root", old.flush_on_root, new.flush_on_root),
            ("AGENTTRACE_OVERFLOW_TIMEOUT", old.overflow_timeout, new.overflow_timeout),
            ("AGENTTRACE_BATCH_MB", old.batch_bytes, new.batch_bytes),
            ("AGENTTRACE_OUTBOX_MB", old.outbox_bytes, new.outbox_bytes),
            ("AGENTTRACE_OUTBOX_DAYS", old.outbox_seconds, new.outbox_seconds),
        ]


def default_resource() -> Resource:
    """The project that spans are filed under when nobody names one, as a resource."""
    return Resource({ResourceAttributes.PROJECT_NAME: DEFAULT_PROJECT})
