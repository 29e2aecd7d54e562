"""smolagents' agents, traced: change one import, and every run is one tree of spans.

    from agenttrace.integrations.smolagents import TracedCodeAgent as CodeAgent

The classes are subclasses that record what they do; no class, function or object of smolagents is changed, and agents
of the plain classes leave no spans. The rooms: `classes` (making the subclasses), `methods` (what their methods do
beside), `runs`, `steps`, `models`, `tools`, `executors`, `checks` (the spans), `places` (which part of a run is where),
`activities` (what spans around calls have in common), `values` (what answers come wrapped in), `instrumentor`
and `shields` (OpenInference's instrumentor, in the same process).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .classes import traced

if TYPE_CHECKING:
    from smolagents import CodeAgent as TracedCodeAgent
    from smolagents import ToolCallingAgent as TracedToolCallingAgent
else:
    from smolagents import CodeAgent, ToolCallingAgent

    TracedCodeAgent = traced(CodeAgent)
    TracedToolCallingAgent = traced(ToolCallingAgent)
    for _made, _name in ((TracedCodeAgent, "TracedCodeAgent"), (TracedToolCallingAgent, "TracedToolCallingAgent")):
        _made.__module__, _made.__qualname__ = __name__, _name

__all__ = ["TracedCodeAgent", "TracedToolCallingAgent", "traced"]
