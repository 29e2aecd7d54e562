"""What `register` was asked for: its keywords and the environment, checked, as one value that can be compared."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from openinference.semconv.resource import ResourceAttributes
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, Sampler, TraceIdRatioBased

from . import environment
from .delivery.endpoint import check_protocol, parse_endpoint
from .delivery.options import DeliveryOptions
from .delivery.own_provider import OwnProvider
from .destinations import Destination, check_header_value, check_headers, local, otlp
from .semconv.privacy import TraceConfig, as_trace_config

__all__ = ["DEFAULT_PROJECT", "Settings", "check_switches", "choose_destination", "make_settings"]

DEFAULT_PROJECT = "default"

_PROVIDER_OPTIONS = frozenset(
    {"active_span_processor", "id_generator", "meter_provider", "shutdown_on_exit", "span_limits"}
)
_KEYWORDS = (
    "endpoint",
    "project_name",
    "batch",
    "set_global_tracer_provider",
    "headers",
    "protocol",
    "verbose",
    "auto_instrument",
    "api_key",
    "resource",
    "sampler",
    "sample_rate",
    "span_processors",
    "tracer_provider",
    "config",
)


@dataclass(frozen=True)
class Settings:
    """One way to register. Two that are equal need no second export.

    Args:
        destination: Where spans go.
        project: The project to file them under; None where nobody named one.
        resource: The resource to describe the program with; None for OpenTelemetry's default one.
        sampler: The sampler of a provider of our own.
        sampler_identity: What tells it from another one.
        sample_rate: The share of traces to keep; None for what the environment says.
        span_processors: The user's own processors.
        is_batched: Whether spans are gathered for a moment.
        sets_global: Whether the provider becomes, or is, OpenTelemetry's global one.
        provider: The provider to join; "own" for one of our own.
        config: What may be recorded; None for what the environment says.
        options: Further arguments of a provider of our own.
    """

    destination: Destination
    project: str | None
    resource: Resource | None
    sampler: Sampler | None = field(compare=False)
    sampler_identity: object
    sample_rate: float | None
    span_processors: tuple[SpanProcessor, ...]
    is_batched: bool
    sets_global: bool
    provider: Any
    config: TraceConfig | None
    options: tuple[tuple[str, Any], ...]

    @property
    def destinations(self) -> tuple[Destination, ...]:
        """Where spans go."""
        return (self.destination,)

    @property
    def delivery(self) -> DeliveryOptions:
        """How they are kept and sent."""
        return DeliveryOptions() if self.is_batched else DeliveryOptions(interval=0.0)

    @property
    def activity(self) -> str:
        """What becomes of spans, as shown to people; holds no secret."""
        return " and ".join(destination.activity for destination in self.destinations)

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
            *self.destination.changes_from(before.destination),
            *(f"{name} {old!r} -> {new!r}" for name, old, new in values if old != new),
            *(name for name, old, new in objects if old != new),
            *(name for name in sorted({*old_options, *new_options}) if old_options.get(name) != new_options.get(name)),
        ]
        return ", ".join(changes)


def default_resource() -> Resource:
    """The project that spans are filed under when nobody names one, as a resource."""
    return Resource({ResourceAttributes.PROJECT_NAME: DEFAULT_PROJECT})


def make_settings(
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
    _check_sampling(sampler, sample_rate)
    _check_options(options)
    return Settings(
        destination=choose_destination(endpoint, headers, protocol, api_key),
        project=project_name or environment.project_name(),
        resource=resource,
        sampler=ParentBased(TraceIdRatioBased(sample_rate)) if sample_rate is not None else sampler,
        sampler_identity=_identity(sampler),
        sample_rate=sample_rate,
        span_processors=_checked_processors(span_processors),
        is_batched=batch,
        sets_global=set_global_tracer_provider,
        provider=_checked_provider(tracer_provider),
        config=None if config is None else as_trace_config(config),
        options=tuple(sorted(options.items())),
    )


def check_switches(**switches: object) -> None:
    """Refuse keywords that are neither True nor False, such as ``batch="no"``, which Python counts as true.

    Raises:
        TypeError: If one of them is.
    """
    for name, value in switches.items():
        if not isinstance(value, bool):
            raise TypeError(f"{name} is {type(value).__name__}: write {name}=True or {name}=False")


def choose_destination(
    endpoint: str | None,
    headers: Mapping[str, str] | str | None = None,
    protocol: str | None = None,
    api_key: str | None = None,
) -> Destination:
    """Where spans go: the endpoint given, else the one that the environment names, else the local store.

    Headers or a key without an endpoint are meant for a server, and go to the one that `phoenix.otel.register` means
    too: Phoenix on this machine.
    """
    chosen = check_protocol(protocol)
    given_headers = _checked_headers(headers, api_key)
    if endpoint is not None:
        where = parse_endpoint(endpoint, chosen, grpc_port=environment.grpc_port())
    else:
        configured = environment.configured_endpoint(chosen)
        if configured is None and chosen is None and given_headers is None:
            return local()
        where = configured or environment.default_server(chosen)
    all_headers = dict(given_headers or {})
    if headers is None:
        all_headers = {**(environment.client_headers() or {}), **all_headers}
    key = environment.api_key()
    if key is not None and "authorization" not in all_headers and where.authorization is None:
        check_header_value("PHOENIX_API_KEY", key)
        all_headers["authorization"] = f"Bearer {key}"
    return otlp(where, headers=all_headers)


def _checked_headers(headers: Mapping[str, str] | str | None, api_key: str | None) -> dict[str, str] | None:
    if api_key is not None and not isinstance(api_key, str):
        raise TypeError(f"api_key is {type(api_key).__name__}: it must be a string")
    if headers is None and not api_key:
        return None
    pairs = dict(check_headers(environment.parse_headers(headers) if isinstance(headers, str) else headers))
    if api_key:
        check_header_value("api_key", api_key)
        pairs["authorization"] = f"Bearer {api_key.strip()}"
    return pairs


def _check_sampling(sampler: Sampler | None, sample_rate: float | None) -> None:
    if sampler is not None and not isinstance(sampler, Sampler):
        hint = f": for a share of the traces, write sample_rate={sampler}" if isinstance(sampler, int | float) else ""
        raise TypeError(f"sampler is {type(sampler).__name__}, not an OpenTelemetry Sampler{hint}")
    if sample_rate is None:
        return
    if isinstance(sample_rate, bool) or not isinstance(sample_rate, int | float):
        raise TypeError(f"sample_rate is {type(sample_rate).__name__}: write a number from 0 to 1, like 0.1")
    if math.isnan(sample_rate) or not 0 <= sample_rate <= 1:
        raise ValueError(f"sample_rate is {sample_rate}: write a number from 0 (no trace) to 1 (every trace)")
    if sampler is not None:
        raise ValueError("sampler and sample_rate are both given: leave one of them out")


def _check_options(options: Mapping[str, Any]) -> None:
    for name in options:
        if name not in _PROVIDER_OPTIONS:
            raise TypeError(f"register() got an unexpected keyword argument {name!r}: {_advice_on(name)}")


def _advice_on(name: str) -> str:
    from difflib import get_close_matches  # here, since only a mistake needs it

    if name in TraceConfig.__dataclass_fields__:
        return f"write config=TraceConfig({name}=…)"
    near = get_close_matches(name, [*_KEYWORDS, *sorted(_PROVIDER_OPTIONS)], n=1)
    return f"did you mean {near[0]}?" if near else f"it takes {', '.join(_KEYWORDS)}"


def _checked_processors(processors: Any) -> tuple[SpanProcessor, ...]:
    if processors is None:
        return ()
    if hasattr(processors, "on_end") or not isinstance(processors, Iterable):
        raise TypeError("span_processors is no list: write span_processors=[processor]")
    checked = tuple(processors)
    for processor in checked:
        if not callable(getattr(processor, "on_start", None)) or not callable(getattr(processor, "on_end", None)):
            raise TypeError(f"span_processors holds a {type(processor).__name__}, which is no span processor")
    return checked


def _checked_provider(provider: Any) -> Any:
    if isinstance(provider, str) and provider != "own":
        raise ValueError(f'tracer_provider is {provider!r}: write "own", a TracerProvider, or leave it out')
    if provider is None or isinstance(provider, str):
        return provider
    if isinstance(provider, OwnProvider):
        return None  # one that register() made: it is replaced, or is the one in force, as without the argument
    if not callable(getattr(provider, "add_span_processor", None)):
        raise TypeError(
            f'tracer_provider is {type(provider).__name__}: write "own", or a TracerProvider of the OpenTelemetry SDK'
        )
    return provider


def _identity(sampler: Sampler | None) -> object:
    # The SDK's samplers are told apart by what they say of themselves; whether others do, nobody knows.
    if sampler is not None and type(sampler).__module__.startswith("opentelemetry.sdk."):
        return sampler.get_description()
    return sampler
