"""LlamaIndex, traced through its own instrumentation: `instrument` gives a dispatcher handlers that open and end spans.

LlamaIndex tells a dispatcher of every call of its models, tools, retrievers, engines and workflows, and of what happens
in them. Many of these calls are wrappers around one another, so one span stands for a call and what only wraps it.
"""

from ..needs import needs

with needs("llama-index-core>=0.14.0", extra="llama-index"):
    from .instrumentation import Instrumentation, instrument

__all__ = ["Instrumentation", "instrument"]
