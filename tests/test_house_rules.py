"""The rules of the house that a machine can check: who imports whom, how long a file gets, what an import brings."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "agenttrace"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))
ROOMS = re.findall(r"^\| `(\w+)/?` \|", (ROOT / "docs" / "design.md").read_text(encoding="utf-8"), re.MULTILINE)
"""The rooms as docs/design.md lists them: each may import those that stand below it."""


def room_of(path: Path) -> str:
    """The file or folder right under ``agenttrace/`` that ``path`` is in."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports_of(path: Path) -> Iterator[str]:
    """The rooms that ``path`` imports, inside functions too; imports that only types need don't count."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for_types = {
        id(statement)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for statement in node.body
    }
    depth = len(path.relative_to(PACKAGE).parts)
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom) or id(node) in for_types:
            continue
        absolute = (node.module or "").startswith("agenttrace")
        if node.level == depth or absolute:
            module = (node.module or "").removeprefix("agenttrace").lstrip(".")
            yield from [module.split(".")[0]] if module else [name.name for name in node.names]


def test_the_map_of_the_house_is_complete() -> None:
    """docs/design.md names every room, and only rooms that there are."""
    assert sorted(ROOMS) == sorted({room_of(path) for path in MODULES})


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_one_way(path: Path) -> None:
    """A file imports from its own room and from those below it, so that data flows one way."""
    own = ROOMS.index(room_of(path))
    back = [room for room in imports_of(path) if room in ROOMS and ROOMS.index(room) < own]
    assert not back, f"{path.relative_to(ROOT)} imports {back}, which stand above it"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_files_and_functions_stay_small(path: Path) -> None:
    """A file holds one idea, in under 400 lines; a function fits a screen of 60."""
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 400
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            docstring = ast.get_docstring(node, clean=False) or ""
            lines = (node.end_lineno or node.lineno) - node.lineno - docstring.count("\n")
            assert lines < 60, f"{node.name} has {lines} lines"


@pytest.mark.parametrize("path", TESTS, ids=lambda path: str(path.relative_to(ROOT / "tests")))
def test_every_test_says_what_it_proves(path: Path) -> None:
    """A test has a docstring whose first line states the behaviour."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    tests = [
        node
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test_")
    ]
    assert not [node.name for node in tests if not (ast.get_docstring(node) or "").strip()]


def test_import_agenttrace_brings_the_api_only() -> None:
    """What costs time to import comes with register() and the command line, not with the marks."""
    code = "import agenttrace, sys; print('\\n'.join(sys.modules))"
    finished = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    heavy = ("opentelemetry.sdk", "opentelemetry.exporter", "grpc", "requests", "sqlite3", "rich", "click", "pydantic")
    loaded = finished.stdout.split()
    assert "opentelemetry.trace" in loaded
    assert not [name for name in loaded if name.startswith(heavy)]
