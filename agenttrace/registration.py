"""``register()``: one call that says where spans go. `flush` and `shutdown` are its counterparts at the end."""

from __future__ import annotations

import functools
import os
import sys
import threading
import weakref
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, ParamSpec, TypeVar, cast

from opentelemetry import trace as otel_trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import Sampler
from opentelemetry.trace import NoOpTracerProvider, ProxyTracerProvider

from . import environment, faults
from .delivery.flush_report import FlushReport
from .delivery.guards import GuardedSampler
from .delivery.lifecycle import unwatch, watch
from .delivery.own_provider import DisabledProvider, OwnProvider, default_span_limits, replace_own_providers
from .delivery.pipeline import Pipeline, Switch
from .delivery.sampling import default_sampler
from .delivery_setup import make_pipeline
from .provider import set_registered_provider
from .recording import import_ahead
from .semconv.mask import Mask
from .semconv.masking import configure
from .semconv.privacy import TraceConfig
from .settings import DEFAULT_PROJECT, Settings, check_switches, make_settings
from .switch import is_disabled

__all__ = ["flush", "register", "shutdown"]

FLUSH_SECONDS = 10.0

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class _Registration:
    settings: Settings
    provider: Any
    pipeline: Pipeline
    switch: Switch | None


_lock = threading.RLock()
_current: _Registration | None = None
# The places that other people's providers have given us. They can't be left again, so each is used for good.
_switches: list[tuple[weakref.ref[Any], Switch]] = []


def _keywords_only(function: Callable[_Parameters, _Result]) -> Callable[_Parameters, _Result]:
    """``function``, whose message about a positional argument says what to write; Python's own only counts them."""

    @functools.wraps(function)
    def checked(*positional: _Parameters.args, **keywords: _Parameters.kwargs) -> _Result:
        if positional:
            raise TypeError(
                "register() takes keywords only: write register(endpoint=...) or register(project_name=...)"
            )
        return function(*positional, **keywords)

    return checked


@_keywords_only
def register(
    *,
    endpoint: str | None = None,
    project_name: str | None = None,
    batch: bool = True,
    set_global_tracer_provider: bool = True,
    headers: Mapping[str, str] | str | None = None,
    protocol: Literal["http/protobuf", "grpc", "infer"] | None = None,
    verbose: bool = True,
    auto_instrument: bool = False,
    api_key: str | None = None,
    resource: Resource | None = None,
    sampler: Sampler | None = None,
    sample_rate: float | None = None,
    span_processors: Iterable[SpanProcessor] | None = None,
    tracer_provider: Literal["own"] | TracerProvider | None = None,
    config: TraceConfig | None = None,
    **provider_options: Any,
) -> TracerProvider:
    """Say where spans go. Takes the keywords of `phoenix.otel.register`, mostly with the same meaning.

    With nothing configured, spans are recorded to the local store, which ``agenttrace show`` reads. With headers, an
    API key or a protocol but no endpoint they go to Phoenix on this machine. Nothing is sent, opened or waited for
    before the first span ends, so a server that is down doesn't hold the program up.

    Called again with the same settings it changes nothing and returns the same provider. With others, the provider
    before is flushed, for 2 seconds at most, and replaced with a warning; tracers that it gave out, and OpenTelemetry's
    global provider if it is that, lead to the new one from then on.

    Where the program has a global SDK provider already, spans of that one are delivered in addition to what it does,
    and it is returned. ``OTEL_SDK_DISABLED=true`` or ``AGENTTRACE_DISABLED=true`` make the call a no-op.

    Args:
        endpoint: The server: ``http://host:6006``, ``host:6006``, ``host:4317`` or ``grpc://host:4317`` for gRPC,
            ``https://host/prefix``. ``/v1/traces`` is added where it is missing. ``localhost`` alone is Phoenix at its
            port 6006; another host needs a scheme or a port. None for what ``PHOENIX_COLLECTOR_ENDPOINT``,
            ``OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`` or ``OTEL_EXPORTER_OTLP_ENDPOINT`` name; where none of them is set,
            ``http://localhost:6006`` (gRPC: ``localhost:4317``) if headers, protocol or api_key is given, else the
            local store.
        project_name: The project to file spans under. None for ``PHOENIX_PROJECT_NAME``, else ``"default"``.
        batch: Whether spans are gathered for up to half a second. False sends each at once. Neither ever blocks the
            program.
        set_global_tracer_provider: Whether the provider becomes OpenTelemetry's global one. False leaves a global
            provider alone and gives the marks one of their own.
        headers: Headers to send along. None for ``PHOENIX_CLIENT_HEADERS`` or ``OTEL_EXPORTER_OTLP_HEADERS``.
        protocol: ``"http/protobuf"`` or ``"grpc"``. None infers it from the endpoint.
        verbose: Whether one line on stderr says where spans go.
        auto_instrument: Whether to switch on the OpenInference instrumentors that are installed.
        api_key: Sent as bearer token. None for ``PHOENIX_API_KEY``.
        resource: Describes the program. None for OpenTelemetry's default.
        sampler: Decides which spans are recorded.
        sample_rate: The share of traces to record, 0 to 1; instead of a sampler.
        span_processors: Processors of your own. A fault of theirs changes nothing for the program.
        tracer_provider: ``"own"`` gives the marks a provider of their own and leaves the global one alone; a provider
            of yours is joined. None joins or becomes the global one.
        config: What may be recorded, for every span that is delivered; see `TraceConfig`. None for what the
            ``OPENINFERENCE_…`` variables say now.
        provider_options: Further arguments of the SDK's ``TracerProvider``: ``id_generator``, ``span_limits`` and
            the like.

    Returns:
        The provider that spans are made by.

    Raises:
        TypeError: If an argument has the wrong type or isn't known.
        ValueError: If an argument, or a variable, has an impossible value. The message says what to write instead.

    Example:
        >>> provider = register(endpoint="http://localhost:6006", project_name="weather")
    """
    if is_disabled() or environment.is_otel_disabled():
        return _switch_off()
    check_switches(verbose=verbose, auto_instrument=auto_instrument)
    settings = make_settings(
        endpoint=endpoint,
        project_name=project_name,
        batch=batch,
        set_global_tracer_provider=set_global_tracer_provider,
        headers=headers,
        protocol=protocol,
        api_key=api_key,
        resource=resource,
        sampler=sampler,
        sample_rate=sample_rate,
        span_processors=span_processors,
        tracer_provider=tracer_provider,
        config=config,
        options=provider_options,
    )
    import_ahead()
    global _current
    with _lock:
        if _current is None or _current.settings != settings or _current.pipeline.is_stopped:
            _current = _replace(_current, settings)
            if verbose:
                _say_where(_current)
        provider = _current.provider
    if auto_instrument:
        from .instrumentors import instrument_installed

        instrument_installed(provider)
    return cast("TracerProvider", provider)


def flush(timeout: float | None = None) -> FlushReport:
    """Deliver everything that has ended so far, and your own processors' spans too.

    A destination that nobody answers at isn't waited for: its spans are on disk by then, and are sent when it's back.

    Args:
        timeout: Seconds to wait at most. None waits for 10.

    Returns:
        What became of the spans that ended since the flush before; true when all of them are safe, which is sent or on
        disk, or nothing is registered. Never raises.

    Example:
        >>> report = flush(timeout=5)
        >>> if not report:
        ...     print(f"not safe: {report}")
    """
    current = _current
    if current is None:
        return FlushReport()
    try:
        return current.pipeline.flush_all(FLUSH_SECONDS if timeout is None else timeout)
    except BaseException as error:
        faults.contain("flushing", error)
        return FlushReport()


def shutdown(timeout: float | None = None) -> bool:
    """Deliver what has ended so far and stop: marks record nothing until the next `register`.

    Not needed at the end of a program, which delivers by itself when it exits.

    Args:
        timeout: Seconds to wait at most. None waits for ``shutdown_timeout``, which is 2 unless `register` was told
            otherwise.

    Returns:
        Whether everything is safe: sent, or on disk. Never raises.

    Example:
        >>> shutdown()
        True
    """
    global _current
    with _lock:
        current, _current = _current, None
        if current is None:
            return True
        set_registered_provider(NoOpTracerProvider())
    unwatch(current.pipeline)
    try:
        return current.pipeline.stop(timeout)
    except BaseException as error:
        faults.contain("shutting down", error)
        return False


def _replace(before: _Registration | None, settings: Settings) -> _Registration:
    global_provider = otel_trace.get_tracer_provider()
    foreign = _provider_to_join(settings, global_provider)
    mask = configure(settings.config)
    after = _join(foreign, settings, mask) if foreign is not None else _make(settings, mask)
    set_registered_provider(after.provider)
    replace_own_providers(after.provider)
    watch(after.pipeline)
    if foreign is None and settings.sets_global and settings.provider is None:
        if isinstance(global_provider, ProxyTracerProvider):
            otel_trace.set_tracer_provider(after.provider)
        elif not isinstance(global_provider, OwnProvider):
            faults.warn(
                f"agenttrace: the program's global provider ({type(global_provider).__name__}) takes no span "
                "processors, so only what agenttrace marks is recorded, by a provider of its own."
            )
    if before is not None:
        _retire(before, after)
    after.pipeline.begin()
    return after


def _provider_to_join(settings: Settings, global_provider: Any) -> Any:
    """The provider of somebody else that is to be used, or None for one of our own."""
    if settings.provider == "own" or (settings.provider is None and not settings.sets_global):
        return None
    if settings.provider is not None:
        return settings.provider
    if isinstance(global_provider, ProxyTracerProvider | OwnProvider | DisabledProvider):
        return None
    return global_provider if callable(getattr(global_provider, "add_span_processor", None)) else None


def _make(settings: Settings, mask: Mask) -> _Registration:
    pipeline = make_pipeline(settings, mask, is_foreign=False)
    options = dict(settings.options)
    options.setdefault("span_limits", default_span_limits())
    sampler = default_sampler() if settings.sampler is None else GuardedSampler(settings.sampler)
    resource = settings.full_resource()
    provider = OwnProvider(pipeline, settings.activity, resource=resource, sampler=sampler, **options)
    return _Registration(settings, provider, pipeline, None)


def _join(provider: Any, settings: Settings, mask: Mask) -> _Registration:
    pipeline = make_pipeline(settings, mask, is_foreign=True)
    if settings.options or (settings.sampler is not None and settings.sample_rate is None):
        faults.warn(
            "agenttrace: sampler and provider options have no effect on a provider that exists already; "
            'register(tracer_provider="own") makes one that has them.'
        )
    return _Registration(settings, provider, pipeline, _switch_of(provider, pipeline))


def _switch_of(provider: Any, pipeline: Pipeline) -> Switch:
    for known, switch in _switches:
        if known() is provider:
            switch.pipeline = pipeline
            return switch
    switch = Switch(pipeline)
    provider.add_span_processor(switch)
    _switches.append((weakref.ref(provider), switch))
    return switch


def _retire(before: _Registration, after: _Registration | None) -> None:
    if before.switch is not None and (after is None or before.switch is not after.switch):
        before.switch.pipeline = None
    unwatch(before.pipeline)
    if after is None:
        before.pipeline.stop()
        return
    if not before.pipeline.is_stopped:
        changes = after.settings.changes_from(before.settings)
        faults.warn(
            f"agenttrace: register() was called again with other settings, which replace the ones before: {changes}."
        )
    before.pipeline.hand_over(after.pipeline)


def _switch_off() -> TracerProvider:
    global _current
    provider = DisabledProvider()
    with _lock:
        before, _current = _current, None
        set_registered_provider(provider)
        if before is not None:
            _retire(before, None)
    return provider


def _say_where(registration: _Registration) -> None:
    # On stderr, unlike phoenix.otel: a program's stdout may be another's input.
    settings = registration.settings
    project = settings.project or DEFAULT_PROJECT
    joined = "" if registration.switch is None else ", through the OpenTelemetry provider that is there already"
    look = "To look: agenttrace show" if settings.destination.endpoint is None else "Look at them there."
    line = f'agenttrace: {settings.activity} (project "{project}"){joined}. {look}'
    try:
        sys.stderr.write(f"{line}\n")
    except (OSError, ValueError, AttributeError):  # closed, or none at all (pythonw): nobody reads it anyway
        return


def _after_fork() -> None:
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
