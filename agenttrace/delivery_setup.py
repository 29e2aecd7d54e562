"""From what `register` was told to what delivers: one processor for each destination, in one pipeline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from . import faults
from .delivery.copies import MaskedSpans, SampledTraces
from .delivery.encoding import SpanView
from .delivery.langfuse import attributes_for
from .delivery.lineage import Lineage
from .delivery.pipeline import Pipeline
from .delivery.processor import DeliveryProcessor
from .outbox.key import folder_name, outbox_root
from .outbox.outbox import Outbox
from .settings import DEFAULT_PROJECT

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

    from .delivery.options import DeliveryOptions
    from .destinations import Destination
    from .semconv.mask import Mask
    from .settings import Settings

__all__ = ["make_outbox", "make_pipeline"]

Show = Callable[["ReadableSpan"], "ReadableSpan | None"]


def make_pipeline(settings: Settings, mask: Mask, before: Pipeline | None = None, *, is_foreign: bool) -> Pipeline:
    """What stamps, filters and delivers the spans of one provider.

    Args:
        settings: What `register` was told.
        mask: What may be recorded.
        before: The pipeline that this one follows; it knows of spans that are open.
        is_foreign: Whether the provider is somebody else's, whose resource and sampling aren't ours.

    Raises:
        OSError: If a certificate can't be read.
        ValueError: If two destinations can't be told apart by what may be written to disk about them.
    """
    _check_outboxes(settings)
    lineage = None
    if any(destination.spans == "agent" for destination in settings.destinations):
        lineage = (None if before is None else before.lineage) or Lineage()
    deliveries = [_delivery(settings, destination, mask, lineage, is_foreign) for destination in settings.destinations]
    flush_seconds = settings.delivery.shutdown_timeout if settings.delivery.flush_on_root else None
    is_apart = not is_foreign and (settings.provider == "own" or not settings.sets_global)
    return Pipeline(deliveries, settings.span_processors, lineage, flush_seconds, is_apart=is_apart)


def make_outbox(destination: Destination, project: str, options: DeliveryOptions) -> Outbox | None:
    """Where spans for ``destination`` are kept on disk; None where they aren't.

    Args:
        destination: Where they go.
        project: The project that they are filed under.
        options: How large it may be, and whether there is one.
    """
    if destination.kind == "console" or options.durability == "memory":
        return None
    try:
        root = outbox_root()
    except ValueError as error:
        faults.warn_once(f"agenttrace: nothing can be kept on disk until it is delivered: {error}")
        return None
    address = str(destination)
    about = {"kind": destination.kind, "address": address, "project": project}
    folder = root / folder_name(address, project, destination.account)
    return Outbox(folder, about, options.outbox_bytes, options.outbox_seconds)


def _check_outboxes(settings: Settings) -> None:
    seen = set()
    for destination in settings.destinations:
        place = str(destination), settings.project_of(destination) or DEFAULT_PROJECT, destination.account
        if place in seen:
            raise ValueError(
                f'two destinations are {destination} with project "{place[1]}": give one of them another project_name, '
                "or, where headers tell tenants apart, otlp(..., account=...)"
            )
        seen.add(place)


def _delivery(
    settings: Settings, destination: Destination, mask: Mask, lineage: Lineage | None, is_foreign: bool
) -> DeliveryProcessor:
    named = settings.project_of(destination)
    steps: list[Show] = []
    if is_foreign and settings.sample_rate is not None:
        steps.append(SampledTraces(settings.sample_rate))
    is_filtered = lineage is not None and destination.spans == "agent"
    if lineage is not None and is_filtered:
        steps.append(_agents_only(lineage))
    if mask.is_active:
        steps.append(MaskedSpans(mask))
    resource: dict[str, Any] = {}
    if is_foreign and settings.resource is not None:
        resource.update(settings.resource.attributes)
    if named:
        resource.update(destination.resource_attributes(named))
    view = SpanView(
        shown=_in_turn(steps) if steps else None,
        parent_of=lineage.parent_of if lineage is not None and is_filtered else None,
        added=_as_langfuse_says if destination.kind == "langfuse" else None,
        resource=resource,
        resource_defaults=destination.resource_attributes(DEFAULT_PROJECT),
    )
    options = settings.options_for(destination)
    outbox = make_outbox(destination, named or DEFAULT_PROJECT, options)
    return DeliveryProcessor(destination.make_sink(), options, view, outbox)


def _agents_only(lineage: Lineage) -> Show:
    return lambda span: span if lineage.is_agents(span) else None


def _in_turn(steps: list[Show]) -> Show:
    def shown(span: ReadableSpan) -> ReadableSpan | None:
        current: ReadableSpan | None = span
        for step in steps:
            if current is None:
                return None
            current = step(current)
        return current

    return shown


def _as_langfuse_says(span: ReadableSpan) -> Mapping[str, Any]:
    return attributes_for(span.attributes or {}, span.events)
