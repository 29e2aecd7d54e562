"""What is said of an argument that nothing takes: which one was meant, and which there are."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import wraps
from typing import ParamSpec

from .destination import Destination
from .transport import Transport

__all__ = ["NO_SERVER", "REGISTER_KEYWORDS", "advice_on", "arguments_of_makers", "explain_mistakes", "meant_by"]

REGISTER_KEYWORDS = (
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
    "overflow",
    "durability",
    "export_interval",
    "shutdown_timeout",
    "flush_on_root",
)
"""What `register` takes, in its own order."""

_OF_A_SERVER = ("endpoint", "headers", "protocol", "api_key", *Transport.__annotations__)
NO_SERVER: Mapping[str, str] = dict.fromkeys(_OF_A_SERVER, "it sends to no server, so leave that out")
"""What a maker of a destination on this machine says of what describes a server."""

_ADDRESS = ("endpoint", "host")
_MEANT: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("endpoint", "host", "url", "uri", "base_url", "hostname", "address", "server"), _ADDRESS),
    **dict.fromkeys(("collector_endpoint", "collector", "otlp_endpoint"), _ADDRESS),
    **dict.fromkeys(("apikey", "key", "token", "api_token", "access_token", "bearer_token"), ("api_key",)),
    **dict.fromkeys(("file", "filename", "store", "db", "database"), ("path",)),
    **dict.fromkeys(("cert", "ca", "ca_cert", "ca_file"), ("certificate",)),
    **dict.fromkeys(("project", "model_id"), ("project_name",)),
}
"""What other libraries call an argument, or people do, and what it may be called here."""

_arguments: dict[str, tuple[str, ...]] = {}

_P = ParamSpec("_P")


def explain_mistakes(
    **sentences: str,
) -> Callable[[Callable[_P, Destination]], Callable[_P, Destination]]:
    """Let a maker say which argument was meant by one that it doesn't take.

    Args:
        sentences: What to say of arguments that other makers take and this one has something else for, or nothing.

    Example:
        >>> @explain_mistakes(protocol="it is reached over HTTP only, so leave that out")
        ... def langfuse(host: str | None = None) -> Destination: ...
        >>> langfuse(url="localhost:3000")
        TypeError: langfuse() got an unexpected keyword argument 'url': did you mean host? It takes host
    """

    def decorate(maker: Callable[_P, Destination]) -> Callable[_P, Destination]:
        known = _arguments[maker.__name__] = tuple(_names_of(maker))

        @wraps(maker)
        def make(*args: _P.args, **kwargs: _P.kwargs) -> Destination:
            for name in kwargs:
                if name not in known:
                    advice = _advice_of_maker(maker.__name__, name, known, sentences)
                    raise TypeError(f"{maker.__name__}() got an unexpected keyword argument {name!r}: {advice}")
            return maker(*args, **kwargs)

        return make

    return decorate


def advice_on(name: str, known: Iterable[str], sentences: Mapping[str, str]) -> str | None:
    """What to say of the argument ``name``; None where nobody can tell what was meant.

    Args:
        name: The argument.
        known: Those that there are.
        sentences: What to say of arguments that there aren't, by their usual names.
    """
    meant = meant_by(name, [*known, *sentences])
    if meant is None:
        return None
    return sentences.get(meant, f"did you mean {meant}?")


def meant_by(word: str, known: Collection[str]) -> str | None:
    """The one of ``known``, in lower case, that ``word`` is another word for, or misspells; None for neither.

    Args:
        word: What was written.
        known: What there is.
    """
    word = word.lower()
    for meant in (word, *_MEANT.get(word, ())):
        if meant in known:
            return meant
    from difflib import get_close_matches  # here, since only a mistake needs it

    near = get_close_matches(word, list(known), n=1)
    return near[0] if near else None


def arguments_of_makers() -> Mapping[str, tuple[str, ...]]:
    """What each maker takes, by the maker's name."""
    return _arguments


def _names_of(maker: Callable[..., Destination]) -> Iterable[str]:
    for parameter in inspect.signature(maker).parameters.values():
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            yield from Transport.__annotations__
        else:
            yield parameter.name


def _advice_of_maker(maker: str, name: str, known: tuple[str, ...], sentences: Mapping[str, str]) -> str:
    takes = f"It takes {', '.join(known)}"
    if name in REGISTER_KEYWORDS and name not in _OF_A_SERVER:
        return f"write register({maker}(), {name}=…). {takes}"
    advice = advice_on(name, known, sentences)
    return f"i{takes[1:]}" if advice is None else f"{advice}{'' if advice.endswith('?') else '.'} {takes}"
