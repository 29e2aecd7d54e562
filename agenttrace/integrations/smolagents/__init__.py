"""smolagents' agents, traced: change one import, and every run is one tree of spans.

    from agenttrace.integrations.smolagents import TracedCodeAgent as CodeAgent

The classes are subclasses that record what they do; no class, function or object of smolagents is changed, and agents
of the plain classes leave no spans. The rooms: `classes` (making the subclasses), `methods` (what their methods do
beside), `runs`, `steps`, `models`, `tools`, `executors`, `checks` (the spans), `places` (which part of a run is where),
`activities` (what spans around calls have in common), `values` (what answers come wrapped in), `suppressed`
(runs that leave no spans), `instrumentor` and `shields` (OpenInference's instrumentor, in the same process).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..needs import needs

with needs("smolagents>=1.17.0", extra="smolagents"):
    import smolagents as _plain

    from .classes import traced

if TYPE_CHECKING:
    from smolagents import CodeAgent as TracedCodeAgent
    from smolagents import ToolCallingAgent as TracedToolCallingAgent
else:
    TracedCodeAgent = traced(_plain.CodeAgent)
    TracedToolCallingAgent = traced(_plain.ToolCallingAgent)
    for _made, _name in ((TracedCodeAgent, "TracedCodeAgent"), (TracedToolCallingAgent, "TracedToolCallingAgent")):
        _made.__module__, _made.__qualname__ = __name__, _name

    def __getattr__(name):
        # Left without the prefix, the plain class would be imported, and leave no trace and no word of why.
        if name in ("CodeAgent", "ToolCallingAgent"):
            raise ImportError(f"import Traced{name} from here: `from {__name__} import Traced{name} as {name}`")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = ["TracedCodeAgent", "TracedToolCallingAgent", "traced"]
