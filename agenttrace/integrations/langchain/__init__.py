"""LangChain and LangGraph, traced through LangChain's callbacks: `callback_handler`, which a run's config is given.

LangChain calls ``on_…_start`` before a run's body and ``on_…_end`` after it, but often in another context than that of
the body (asynchronous ends run in a task of their own, streams in their consumer's context). So a span isn't made the
current one where it might stay that, and which span a mark belongs under is read from LangChain's own context variable.
"""

from ..needs import needs

with needs("langchain-core>=1.0.0", extra="langchain"):
    from .handler import callback_handler

__all__ = ["callback_handler"]
