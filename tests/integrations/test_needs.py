"""What an adapter says where its framework isn't installed."""

from __future__ import annotations

import subprocess
import sys

import pytest

_ADAPTERS = [
    ("crewai", "crewai", "crewai>=1.15.0"),
    ("mcp", "mcp", "mcp>=2.0.0"),
    ("openai_agents", "agents", "openai-agents>=0.20.0"),
    ("pydantic_ai", "pydantic_ai", "pydantic-ai-slim>=2.66.0"),
    ("langchain", "langchain_core", "langchain-core>=1.0.0"),
    ("llama_index", "llama_index", "llama-index-core>=0.14.0"),
    ("smolagents", "smolagents", "smolagents>=1.17.0"),
]


@pytest.mark.parametrize(("adapter", "module", "requirement"), _ADAPTERS, ids=lambda value: str(value))
def test_a_missing_framework_is_named_with_what_installs_it(adapter: str, module: str, requirement: str) -> None:
    """The error is the one of the import, and says what to write; nothing else of agenttrace needs the framework."""
    code = f"import sys; sys.modules[{module!r}] = None; import agenttrace; import agenttrace.integrations.{adapter}"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert finished.returncode == 1
    *_, last = finished.stderr.strip().splitlines()
    assert last.startswith("ModuleNotFoundError: ")
    assert f"needs {requirement}: pip install '{requirement}'" in last
    assert f"the extra {adapter.replace('_', '-')} names it too" in last


def test_the_plain_class_is_not_imported_by_mistake() -> None:
    """Who forgets the prefix is told, since agents of the plain class leave no trace."""
    pytest.importorskip("smolagents")
    with pytest.raises(ImportError, match="import TracedCodeAgent from here"):
        from agenttrace.integrations.smolagents import CodeAgent  # noqa: F401
