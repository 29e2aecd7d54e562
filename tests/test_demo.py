"""``make demo`` as somebody runs it whose environment is set up for work."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from agenttrace.local.reader import Store
from tests.isolation import ROOT, clean_environment
from tests.servers import unused_port


@pytest.mark.skipif(shutil.which("make") is None, reason="make isn't installed")
@pytest.mark.skipif(not (Path(sys.executable).parent / "agenttrace").exists(), reason="the command isn't installed")
def test_the_demo_shows_its_own_trace_whatever_is_configured(tmp_path: Path) -> None:
    """Backends, switches and another project change nothing; the environment that it runs in is there already."""
    nobody = f"http://127.0.0.1:{unused_port()}"
    configured = {
        "LANGFUSE_PUBLIC_KEY": "pk-lf-1",
        "LANGFUSE_SECRET_KEY": "sk-lf-2",
        "LANGFUSE_HOST": nobody,
        "ARIZE_SPACE_ID": "space",
        "ARIZE_API_KEY": "key",
        "ARIZE_COLLECTOR_ENDPOINT": nobody,
        "PHOENIX_COLLECTOR_ENDPOINT": nobody,
        "PHOENIX_PROJECT_NAME": "work",
        "AGENTTRACE_ENDPOINT": nobody,
        "AGENTTRACE_DESTINATIONS": "langfuse,arize,console",
        "AGENTTRACE_DISABLED": "true",
        "OTEL_SDK_DISABLED": "true",
        "OTEL_TRACES_SAMPLER": "always_off",
    }
    environment = {**clean_environment(tmp_path), **configured, "OPENAI_API_KEY": "", "OPENAI_BASE_URL": ""}
    finished = subprocess.run(
        ["make", "demo", "ENVIRONMENT=true", f"BIN={Path(sys.executable).parent}"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert finished.returncode == 0, finished.stderr
    traces = Store(tmp_path / "traces.db").traces()
    assert [trace.project for trace in traces] == ["quickstart"] * 2
    assert traces[0].trace_id[:8] in finished.stdout  # how much of it is shown depends on the width there is
    assert nobody not in finished.stdout + finished.stderr
    assert not list((tmp_path / "outbox").glob("*"))
