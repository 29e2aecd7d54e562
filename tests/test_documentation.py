"""The README and the pages under docs/ say what is true: the code runs, names exist, links lead somewhere."""

from __future__ import annotations

import inspect
import os
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import NamedTuple

import pytest

import agenttrace
import agenttrace.destinations

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
PHOENIX = "localhost:6006"
"""Where the pages say that a server listens; in the tests a receiver on a free port stands there."""


class Block(NamedTuple):
    """A fenced block of code in a page."""

    page: Path
    line: int
    language: str
    code: str

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


def blocks_of(page: Path) -> list[Block]:
    """All fenced blocks of ``page``."""
    text = page.read_text(encoding="utf-8")
    found = re.finditer(r"^```(\w*)[^\n]*\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return [Block(page, text.count("\n", 0, match.start()) + 1, match[1], match[2]) for match in found]


def code_in(text: str) -> list[str]:
    """What ``text`` sets in a code font: the lines of its fenced blocks, and the spans between backticks."""
    fenced = re.compile(r"^```\w*[^\n]*\n(.*?)^```$", re.DOTALL | re.MULTILINE)
    lines = [line for match in fenced.finditer(text) for line in match[1].splitlines()]
    return lines + re.findall(r"`([^`\n]+)`", fenced.sub("", text))


BLOCKS = [block for page in PAGES for block in blocks_of(page)]


def run(command: list[str | Path], home: Path) -> subprocess.CompletedProcess[str]:
    """Run ``command`` with a store of its own and nothing else configured."""
    unset = ("AGENTTRACE_", "ARIZE_", "LANGFUSE_", "OTEL_", "PHOENIX_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(unset)}
    environment |= {"AGENTTRACE_HOME": str(home), "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(
        command, cwd=home, env=environment, capture_output=True, text=True, encoding="utf-8", timeout=60, check=False
    )


@contextmanager
def receiver() -> Iterator[tuple[str, list[str]]]:
    """A server on loopback that takes whatever is posted: its address, and the paths that were asked for."""
    paths: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            paths.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has in the class above
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}", paths
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.language == "python"], ids=str)
def test_every_python_block_runs_as_it_stands(block: Block, tmp_path: Path) -> None:
    """A reader who pastes the code into a file and runs it gets no error; the server that it names is asked rightly."""
    with receiver() as (address, paths):
        script = tmp_path / "test_block.py"
        script.write_text(block.code.replace(PHOENIX, address), encoding="utf-8")
        is_test = re.search(r"^(async )?def test_", block.code, re.MULTILINE)
        pytest_itself: list[str | Path] = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", tmp_path]
        finished = run([sys.executable, *(pytest_itself if is_test else []), script], tmp_path)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "Traceback" not in finished.stderr
    assert "failed" not in finished.stderr
    assert all(path.endswith("/v1/traces") for path in paths)


def test_every_name_that_is_imported_in_the_pages_is_public() -> None:
    """The pages use public names only."""
    used = {
        name.strip()
        for block in BLOCKS
        for names in re.findall(r"^from agenttrace import \(?([\w\s,]+?)\)?$", block.code, re.MULTILINE)
        for name in names.split(",")
        if name.strip()
    }
    assert used
    assert used <= set(agenttrace.__all__)


def test_the_reference_lists_every_public_name() -> None:
    """Each name of `agenttrace` and its destinations stands in `docs/reference.md`, and what stands there exists."""
    reference = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    listed = re.findall(r"^::: (agenttrace\.[\w.]+)$", reference, re.MULTILINE)
    found = {path: pkgutil.resolve_name(path) for path in listed}
    assert len(listed) == len(set(listed))
    assert not [path for path, thing in found.items() if inspect.ismodule(thing)]
    public = {f"agenttrace.{name}" for name in agenttrace.__all__ if not name.startswith("__")}
    public |= {f"agenttrace.destinations.{name}" for name in agenttrace.destinations.__all__}
    assert public <= set(listed)


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "docs" / "marks.md"], ids=lambda page: page.name)
def test_the_tables_of_marks_name_every_mark_with_its_kind(page: Path) -> None:
    """The table in each page is what the marks really record."""
    from agenttrace.testing import capture_spans

    table = dict(re.findall(r"^\| `(trace_\w+)` \| ([A-Z]+) \|", page.read_text(encoding="utf-8"), re.MULTILINE))
    with capture_spans() as spans:
        for name in table:
            with getattr(agenttrace, name)(name):
                pass
    assert set(table) == {name for name in agenttrace.__all__ if name.startswith("trace_")}
    assert table == {span.name: (span.attributes or {})["openinference.span.kind"] for span in spans}


def test_every_command_in_the_pages_exists() -> None:
    """Each make target, `agenttrace` command and option that a page names is one that there is."""
    from agenttrace.cli.commands import agenttrace as group

    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z0-9-]*):", makefile, re.MULTILINE))
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        code = "\n".join(code_in(text))
        assert set(re.findall(r"^make (?:\w+=\S+ )?([a-z][a-z0-9-]*)", code, re.MULTILINE)) <= targets, page.name
        for command, arguments in re.findall(r"^(?:\.venv/bin/)?agenttrace ([a-z]+)(.*)$", code, re.MULTILINE):
            assert command in group.commands, f"{page.name}: agenttrace {command}"
            known = {name for parameter in group.commands[command].params for name in parameter.opts}
            assert set(re.findall(r"--[a-z-]+", arguments)) <= known, f"{page.name}: agenttrace {command}{arguments}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    """Links and pictures point at files that are there, and at headings that stand in them."""
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = page.parent / name if name else page
        assert file.exists(), f"{page.name} links to {target}"
        if anchor and not anchor.startswith("agenttrace"):
            headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}, target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_has_a_gap_left_to_fill(page: Path) -> None:
    """Figures that were to be measured have been."""
    gaps = re.findall(r"<<.*?>>", page.read_text(encoding="utf-8"))
    assert not gaps
