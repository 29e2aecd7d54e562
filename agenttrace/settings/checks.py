"""What `register` refuses, and what it says to write instead."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from opentelemetry.sdk.trace import SpanLimits, SpanProcessor
from opentelemetry.sdk.trace.sampling import Sampler

from agenttrace.delivery.own_provider import OwnProvider
from agenttrace.destinations import Destination

from .advice import PROVIDER_OPTIONS, advice_on_keyword

__all__ = [
    "check_options",
    "check_sampling",
    "check_switches",
    "check_timeout",
    "checked_destinations",
    "checked_processors",
    "checked_provider",
]


def checked_destinations(given: tuple[Any, ...], **server: object) -> tuple[Destination, ...]:
    """What `register` was given without a keyword, each once.

    Args:
        given: The arguments.
        server: The keywords that describe a server, which belong into a maker's call then.

    Raises:
        TypeError: If one of them is no destination. It isn't quoted, as it may hold a password.
        ValueError: If a keyword that describes a server is there as well.
    """
    for destination in given:
        if not isinstance(destination, Destination):
            raise TypeError(_what_to_write(destination))
    keywords = [name for name, value in server.items() if value is not None]
    if keywords:
        kind = given[0].kind if given[0].endpoint is not None else "otlp"
        raise ValueError(
            f"{' and '.join(keywords)} and destinations are both given: write it where it belongs, like "
            f"register({kind}({keywords[0]}=...))"
        )
    return tuple(dict.fromkeys(given))


def _what_to_write(argument: object) -> str:
    start = f"register() takes destinations and keywords, not {type(argument).__name__}"
    if isinstance(argument, str):
        return f"{start}: write register(endpoint=...) or register(project_name=...)"
    name = getattr(argument, "__name__", "")
    if callable(argument) and getattr(argument, "__module__", "").startswith("agenttrace.destinations"):
        return f"{start}: call it, as in register({name}())"
    if isinstance(argument, list | tuple | set | frozenset):
        return f"{start}: write register(*destinations)"
    return f"{start}: write register(phoenix()), with phoenix from agenttrace.destinations"


def check_switches(**switches: object) -> None:
    """Refuse keywords that are neither True nor False, such as ``batch="no"``, which Python counts as true.

    Raises:
        TypeError: If one of them is.
    """
    for name, value in switches.items():
        if not isinstance(value, bool):
            raise TypeError(f"{name} is {type(value).__name__}: write {name}=True or {name}=False")


def check_timeout(timeout: object) -> None:
    """Refuse what is no number of seconds; any number is, those below 0 as 0.

    Raises:
        TypeError: If it is neither a number nor None.
    """
    if timeout is not None and (isinstance(timeout, bool) or not isinstance(timeout, int | float)):
        raise TypeError(f"timeout is {type(timeout).__name__}: write a number of seconds, like 5, or leave it out")


def check_sampling(sampler: Sampler | None, sample_rate: float | None) -> None:
    """Refuse what is no sampler, no share, or both.

    Raises:
        TypeError: If an argument has the wrong type.
        ValueError: If the share isn't from 0 to 1, or both are given.
    """
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


def check_options(options: Mapping[str, Any]) -> None:
    """Refuse keywords that neither `register` nor the SDK's provider takes, and what the provider can do nothing with.

    Raises:
        TypeError: If there is one; the message says what was meant.
    """
    for name in options:
        if name not in PROVIDER_OPTIONS:
            raise TypeError(f"register() got an unexpected keyword argument {name!r}: {advice_on_keyword(name)}")
    limits = options.get("span_limits")
    if limits is not None and not isinstance(limits, SpanLimits):
        raise TypeError(
            f"span_limits is {type(limits).__name__}: write SpanLimits(max_span_attributes=…), with SpanLimits from "
            "opentelemetry.sdk.trace"
        )
    generator = options.get("id_generator")
    if generator is not None and not all(hasattr(generator, f"generate_{what}_id") for what in ("span", "trace")):
        raise TypeError(f"id_generator is {type(generator).__name__}: write an IdGenerator of the OpenTelemetry SDK")


def checked_processors(processors: Any) -> tuple[SpanProcessor, ...]:
    """The user's processors.

    Raises:
        TypeError: If that is no list of span processors.
    """
    if processors is None:
        return ()
    if hasattr(processors, "on_end") or not isinstance(processors, Iterable):
        raise TypeError("span_processors is no list: write span_processors=[processor]")
    checked = tuple(processors)
    for processor in checked:
        if not callable(getattr(processor, "on_start", None)) or not callable(getattr(processor, "on_end", None)):
            raise TypeError(f"span_processors holds a {type(processor).__name__}, which is no span processor")
    return checked


def checked_provider(provider: Any) -> Any:
    """The provider to join; "own" for one of our own; None where that isn't said.

    Raises:
        TypeError: If it is no provider.
        ValueError: If it is another word than "own".
    """
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
