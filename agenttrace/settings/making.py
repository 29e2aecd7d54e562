"""From `register`'s arguments and the environment to `Settings`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, Sampler, TraceIdRatioBased

from agenttrace import environment
from agenttrace.delivery.endpoint import check_protocol
from agenttrace.delivery.options import Durability, Overflow
from agenttrace.destinations import Destination
from agenttrace.destinations.configured import configured_destinations
from agenttrace.destinations.keywords import server_of_keywords
from agenttrace.semconv.privacy import TraceConfig, as_trace_config

from .checks import (
    check_options,
    check_sampling,
    check_switches,
    checked_destinations,
    checked_processors,
    checked_provider,
)
from .delivery import make_delivery_options
from .settings import Settings
from .variables import tell_of_unknown_variables

__all__ = ["choose_destinations", "make_settings"]


def make_settings(
    destinations: tuple[Any, ...] = (),
    *,
    endpoint: str | None,
    project_name: str | None,
    batch: bool,
    set_global_tracer_provider: bool,
    headers: Mapping[str, str] | str | None,
    protocol: str | None,
    api_key: str | None,
    resource: Resource | None,
    sampler: Sampler | None,
    sample_rate: float | None,
    span_processors: Iterable[SpanProcessor] | None,
    tracer_provider: Any,
    config: TraceConfig | None,
    overflow: Overflow | None,
    durability: Durability | None,
    export_interval: float | None,
    shutdown_timeout: float | None,
    flush_on_root: bool | None,
    options: Mapping[str, Any],
) -> Settings:
    """Check what `register` was given, and fill in what the environment says.

    Raises:
        TypeError: If an argument has the wrong type, or isn't known.
        ValueError: If an argument, or a variable, has an impossible value.
    """
    if project_name is not None and not isinstance(project_name, str):
        raise TypeError(f'project_name is {type(project_name).__name__}: write a string, like "weather"')
    if resource is not None and not isinstance(resource, Resource):
        raise TypeError(f"resource is {type(resource).__name__}: write Resource.create({{...}})")
    check_switches(batch=batch, set_global_tracer_provider=set_global_tracer_provider)
    check_sampling(sampler, sample_rate)
    check_options(options)
    chosen = choose_destinations(destinations, endpoint, headers, protocol, api_key)
    tell_of_unknown_variables()
    if project_name is None:
        chosen = _with_projects_of_the_environment(chosen)
    return Settings(
        destinations=chosen,
        project=project_name or _common_project(chosen) or environment.project_name(),
        resource=resource,
        sampler=ParentBased(TraceIdRatioBased(sample_rate)) if sample_rate is not None else sampler,
        sampler_identity=_identity(sampler),
        sample_rate=sample_rate,
        span_processors=checked_processors(span_processors),
        is_batched=batch,
        delivery=make_delivery_options(
            batch=batch,
            overflow=overflow,
            durability=durability,
            export_interval=export_interval,
            shutdown_timeout=shutdown_timeout,
            flush_on_root=flush_on_root,
        ),
        sets_global=set_global_tracer_provider,
        provider=checked_provider(tracer_provider),
        config=None if config is None else as_trace_config(config),
        options=tuple(sorted(options.items())),
    )


def choose_destinations(
    given: tuple[Any, ...] = (),
    endpoint: str | None = None,
    headers: Mapping[str, str] | str | None = None,
    protocol: str | None = None,
    api_key: str | None = None,
) -> tuple[Destination, ...]:
    """Where spans go: what is given; else the one server that keywords describe; else what the environment configures.

    Headers, a key or a protocol without an endpoint are meant for a server, and go to the one that
    `phoenix.otel.register` means too: Phoenix on this machine, unless the environment names another one.

    Raises:
        TypeError: If an argument has the wrong type.
        ValueError: If an argument or a variable has an impossible value, or destinations and a server's keywords are
            both given.
    """
    if given:
        return checked_destinations(given, endpoint=endpoint, headers=headers, protocol=protocol, api_key=api_key)
    describes_server = endpoint is not None or headers is not None or bool(api_key)
    if describes_server or check_protocol(protocol) is not None:
        return (server_of_keywords(endpoint, headers, protocol, api_key),)
    return configured_destinations()


def _with_projects_of_the_environment(destinations: tuple[Destination, ...]) -> tuple[Destination, ...]:
    """Each with the project that its backend's own variables name, where nobody said it in code."""
    return tuple(
        destination
        if destination.project
        else replace(destination, project=environment.project_name_of(destination.kind))
        for destination in destinations
    )


def _common_project(destinations: tuple[Destination, ...]) -> str | None:
    projects = {destination.project for destination in destinations}
    return projects.pop() if len(projects) == 1 else None


def _identity(sampler: Sampler | None) -> object:
    # The SDK's samplers are told apart by what they say of themselves; whether others do, nobody knows.
    if sampler is not None and type(sampler).__module__.startswith("opentelemetry.sdk."):
        return sampler.get_description()
    return sampler
