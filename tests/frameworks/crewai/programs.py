"""Programs with crews in them, run from their beginning to their end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from ..example_runs import EXAMPLES, ROOT, environment_of

REGISTER = 'import agenttrace; agenttrace.register(project_name="crewai", verbose=False)'


def run_program(program: str, home: Path, **variables: str) -> str:
    """Run ``program`` to its end, with nothing but the end to see to what is still on its way."""
    environment = {**environment_of(home), "PYTHONPATH": os.pathsep.join(map(str, (ROOT, EXAMPLES))), **variables}
    command = [sys.executable, "-c", program]
    finished = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", timeout=120, check=False)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout.splitlines()[-1] if finished.stdout else ""
