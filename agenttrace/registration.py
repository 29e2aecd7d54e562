"""``register()``: one call that says where spans go. `flush` and `shutdown` are its counterparts at the end."""

from __future__ import annotations

import os
import sys
import threading
import weakref
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from opentelemetry import trace as otel_trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import Sampler
from opentelemetry.trace import NoOpTracerProvider, ProxyTracerProvider

from . import environment, faults
from .delivery.flush_report import FlushReport
from .delivery.guards import GuardedSampler
from .delivery.lifecycle import unwatch, watch
from .delivery.options import Durability, Overflow
from .delivery.own_provider import DisabledProvider, OwnProvider, default_span_limits, replace_own_providers
from .delivery.pipeline import Pipeline, Switch
from .delivery.sampling import default_sampler
from .delivery_setup import make_pipeline
from .destinations import Destination
from .diagnosis.banner import banner
from .provider import set_registered_provider
from .recording import import_ahead, import_everything
from .semconv.mask import Mask
from .semconv.masking import configure
from .semconv.privacy import TraceConfig
from .settings import DEFAULT_PROJECT, Settings, check_switches, check_timeout, make_settings
from .switch import is_disabled

__all__ = ["flush", "register", "shutdown"]

FLUSH_SECONDS = 10.0


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


def register(
    *destinations: Destination,
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
    overflow: Overflow | None = None,
    durability: Durability | None = None,
    export_interval: float | None = None,
    shutdown_timeout: float | None = None,
    flush_on_root: bool | None = None,
    **provider_options: Any,
) -> TracerProvider:
    """Say where spans go. Takes the keywords of `phoenix.otel.register`, mostly with the same meaning.

    Spans go to every destination that is given. With none, they go to the server that ``endpoint``, ``headers``,
    ``api_key`` or ``protocol`` describe; without these, to every destination that the environment configures (see
    the page "Where spans go"); and where it configures none, to the local store, which ``agenttrace show`` reads.
    Nothing is waited for, so a server that is down holds up neither the program nor what goes to the others. What
    processes before this one have left on disk for a destination is sent, too.

    Called again with the same settings it changes nothing and returns the same provider. With others, the provider
    before is flushed, for its ``shutdown_timeout`` at most, and replaced with a warning; tracers that it gave out, and
    OpenTelemetry's global provider if it is that, lead to the new one from then on.

    Where the program has a global SDK provider already, spans of that one are delivered in addition to what it does,
    and it is returned. ``OTEL_SDK_DISABLED=true`` or ``AGENTTRACE_DISABLED=true`` make the call a no-op.

    Args:
        destinations: Where spans go, made by the functions of `agenttrace.destinations`; each once.
        endpoint: One server: ``http://host:6006``, ``host:6006``, ``host:4317`` or ``grpc://host:4317`` for gRPC,
            ``https://host/prefix``. ``/v1/traces`` is added where it is missing. ``localhost`` alone is Phoenix at its
            port 6006; another host needs a scheme or a port. None, with headers, protocol or api_key, for what
            ``PHOENIX_COLLECTOR_ENDPOINT``, ``OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`` or ``OTEL_EXPORTER_OTLP_ENDPOINT``
            name, else Phoenix on this machine: ``http://localhost:6006``, or ``localhost:4317`` for gRPC.
        project_name: The project to file spans under, at every destination that isn't given one of its own. None for
            ``AGENTTRACE_PROJECT_NAME``, ``PHOENIX_PROJECT_NAME`` or, at Arize, ``ARIZE_PROJECT_NAME``, else
            ``"default"``.
        batch: Whether spans are gathered for a moment, see ``export_interval``. False sends each at once. Neither ever
            blocks the program.
        set_global_tracer_provider: Whether the provider becomes OpenTelemetry's global one. False leaves a global
            provider alone and gives the marks one of their own.
        headers: Headers to send along. None for ``PHOENIX_CLIENT_HEADERS``, or ``OTEL_EXPORTER_OTLP_HEADERS`` unless
            the environment names another server that these are for.
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
        overflow: What happens to spans that end faster than they can be put aside: ``"spill"`` lets the program wait
            for room, for ``AGENTTRACE_OVERFLOW_TIMEOUT`` at most, which is 2 seconds unless it says otherwise,
            ``"block"`` as long as it takes, ``"drop"`` never. What is dropped is counted. None for
            ``AGENTTRACE_OVERFLOW``, else ``"spill"``.
        durability: What survives the end of the process, whatever ended it: ``"memory"`` nothing that wasn't sent,
            ``"batch"`` all but the last interval, ``"write"`` every span that has ended, ``"sync"`` these after a power
            cut too. None for ``AGENTTRACE_DURABILITY``, else ``"batch"``.
        export_interval: Seconds to gather spans for. None for ``AGENTTRACE_EXPORT_INTERVAL``, else 0.1.
        shutdown_timeout: Seconds that the end of the program may wait for delivery. None for
            ``AGENTTRACE_SHUTDOWN_TIMEOUT``, else 2.
        flush_on_root: Whether the end of each root span waits until it is delivered or safe. None for
            ``AGENTTRACE_FLUSH_ON_ROOT``, else False.
        provider_options: Further arguments of the SDK's ``TracerProvider``: ``id_generator``, ``span_limits`` and
            the like.

    Returns:
        The provider that spans are made by.

    Raises:
        TypeError: If an argument has the wrong type or isn't known.
        ValueError: If an argument, or a variable, has an impossible value. The message says what to write instead.

    Example:
        >>> provider = register(endpoint="http://localhost:6006", project_name="weather")
        >>> from agenttrace.destinations import langfuse, local
        >>> provider = register(langfuse(), local(), project_name="weather")
    """
    if is_disabled() or environment.is_otel_disabled():
        return _switch_off()
    check_switches(verbose=verbose, auto_instrument=auto_instrument)
    settings = make_settings(
        destinations,
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
        overflow=overflow,
        durability=durability,
        export_interval=export_interval,
        shutdown_timeout=shutdown_timeout,
        flush_on_root=flush_on_root,
        options=provider_options,
    )
    return _put_in_force(settings, verbose=verbose, auto_instrument=auto_instrument)


def flush(timeout: float | None = None) -> FlushReport:
    """Deliver everything that has ended so far, and your own processors' spans too.

    A destination that nobody answers at isn't waited for: its spans are on disk by then, and are sent when it's back.

    Args:
        timeout: Seconds to wait at most; below 0 as 0. None waits for 10.

    Returns:
        What became of the spans that ended since the flush before; true when all of them are safe, which is sent or on
        disk, or nothing is registered.

    Raises:
        TypeError: If ``timeout`` is no number. Nothing else raises, whatever happens to the spans.

    Example:
        >>> report = flush(timeout=5)
        >>> if not report:
        ...     print(f"not safe: {report}")
    """
    check_timeout(timeout)
    current = _current
    if current is None:
        return FlushReport()
    try:
        return current.pipeline.flush_all(FLUSH_SECONDS if timeout is None else timeout)
    except BaseException as error:
        faults.contain("flushing", error)
        return FlushReport(waiting=1)  # how many is what couldn't be found out


def shutdown(timeout: float | None = None) -> bool:
    """Deliver what has ended so far and stop: marks record nothing until the next `register`.

    Not needed at the end of a program, which delivers by itself when it exits.

    Args:
        timeout: Seconds to wait at most; below 0 as 0. None waits for ``shutdown_timeout``, which is 2 unless
            `register` was told otherwise.

    Returns:
        Whether everything is safe: sent, or on disk.

    Raises:
        TypeError: If ``timeout`` is no number. Nothing else raises, whatever happens to the spans.

    Example:
        >>> shutdown()
        True
    """
    global _current
    check_timeout(timeout)
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


def _put_in_force(settings: Settings, *, verbose: bool, auto_instrument: bool) -> TracerProvider:
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


def _replace(before: _Registration | None, settings: Settings) -> _Registration:
    global_provider = otel_trace.get_tracer_provider()
    foreign = _provider_to_join(settings, global_provider)
    mask = configure(settings.config)
    known = None if before is None else before.pipeline
    after = _join(foreign, settings, mask, known) if foreign is not None else _make(settings, mask, known)
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


def _make(settings: Settings, mask: Mask, before: Pipeline | None) -> _Registration:
    pipeline = make_pipeline(settings, mask, before, is_foreign=False)
    options = dict(settings.options)
    options.setdefault("span_limits", default_span_limits())
    sampler = default_sampler() if settings.sampler is None else GuardedSampler(settings.sampler)
    resource = settings.full_resource()
    provider = OwnProvider(pipeline, settings.activity, resource=resource, sampler=sampler, **options)
    return _Registration(settings, provider, pipeline, None)


def _join(provider: Any, settings: Settings, mask: Mask, before: Pipeline | None) -> _Registration:
    pipeline = make_pipeline(settings, mask, before, is_foreign=True)
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
    before.pipeline.hand_over(_deliver_now)


def _deliver_now(span: ReadableSpan) -> None:
    """Deliver a span that started under an earlier registration by the one in force, however many lie between."""
    current = _current
    if current is not None:
        current.pipeline.deliver(span)


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
    notes = [] if registration.switch is None else ["through the OpenTelemetry provider that is there already"]
    text = banner(settings.destinations, settings.project or DEFAULT_PROJECT, notes)
    try:
        sys.stderr.write(f"{text}\n")
    except (OSError, ValueError, AttributeError):  # closed, or none at all (pythonw): nobody reads it anyway
        return


def _before_fork() -> None:
    # A child that is forked while a thread imports finds that module locked for ever. So nothing is left to import.
    if _current is not None:
        try:
            import_everything()
        except BaseException as error:
            faults.contain("importing what a forked child needs", error)


def _after_fork() -> None:
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_child=_after_fork)
