"""What is said of keywords that `register` doesn't take: where they belong, or which one was meant."""

from __future__ import annotations

from agenttrace.destinations.mistakes import REGISTER_KEYWORDS, advice_on, arguments_of_makers
from agenttrace.destinations.transport import Transport
from agenttrace.semconv.privacy import TraceConfig

from .variables import OWN_VARIABLES, PREFIX

__all__ = ["PROVIDER_OPTIONS", "advice_on_keyword"]

PROVIDER_OPTIONS = frozenset(
    {"active_span_processor", "id_generator", "meter_provider", "shutdown_on_exit", "span_limits"}
)
"""What `register` hands on to the SDK's provider."""


def advice_on_keyword(name: str) -> str:
    """What to write instead of the keyword ``name``, which `register` doesn't take."""
    if name in TraceConfig.__dataclass_fields__:
        return f"write config=TraceConfig({name}=…)"
    if name in ("destination", "destinations", *arguments_of_makers()):
        maker = name if name in arguments_of_makers() else "phoenix"
        return (
            f"write destinations without a keyword, as in register({maker}(), …), with {maker} from "
            "agenttrace.destinations"
        )
    advice = advice_on(name, [*REGISTER_KEYWORDS, *sorted(PROVIDER_OPTIONS)], _places_of_others())
    return advice or f"it takes {', '.join(REGISTER_KEYWORDS)}"


def _places_of_others() -> dict[str, str]:
    """Where everything belongs that can be set, and not with a keyword of `register`."""
    places = {name.removeprefix(PREFIX).lower(): f"set {name}" for name in OWN_VARIABLES}
    for maker, arguments in arguments_of_makers().items():
        for argument in arguments:
            places[argument] = f"write it into a destination, as in register({maker}({argument}=…))"
    for argument in Transport.__annotations__:
        places[argument] = (
            f"write it into a destination, as in register(otlp({argument}=…)), or set "
            f"OTEL_EXPORTER_OTLP_{argument.upper()}, or {PREFIX}{argument.upper()} beside {PREFIX}ENDPOINT"
        )
    places["host"] = "did you mean endpoint? For Langfuse, write register(langfuse(host=…))"
    places["spans"] = f'write it into a destination, as in register(phoenix(spans="all")), or set {PREFIX}SPANS=all'
    return {name: place for name, place in places.items() if name not in REGISTER_KEYWORDS}
