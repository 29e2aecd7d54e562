"""Running an example in a process of its own, with `recorder.py` beside it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from .phoenix_api import Fields, read_recorded

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
RECORDER = Path(__file__).with_name("recorder.py")
CONFIGURED = ("AGENTTRACE_", "ARIZE_", "HF_", "LANGFUSE_", "OPENAI_", "OTEL_", "PHOENIX_")


def run_example(name: str, folder: Path, *arguments: str, **settings: str) -> tuple[str, dict[str, Fields]]:
    """Run an example with nothing configured but ``settings``, and a local store in ``folder / "home"``.

    Returns:
        What the example printed, and the spans that it ended, by span id.
    """
    environment = {key: value for key, value in os.environ.items() if not key.startswith(CONFIGURED)}
    environment |= {"AGENTTRACE_HOME": str(folder / "home"), "NO_PROXY": "127.0.0.1", **settings}
    recorded = folder / "spans.jsonl"
    finished = subprocess.run(
        [sys.executable, str(RECORDER), str(recorded), str(EXAMPLES / name), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "fail" not in finished.stderr.lower(), finished.stderr
    return finished.stdout, read_recorded(recorded.read_text(encoding="utf-8"))
