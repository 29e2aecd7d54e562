"""Make docs/images/trace.svg: what `agenttrace show` prints of the example agent's newest run, drawn by rich.

    python tools/make_picture.py                      # the example's own questions
    python tools/make_picture.py "Where was the deepest earthquake?"

Needs the package with its `cli` extra. The run is real, so times and ids are new each time.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme

from agenttrace.local.picture import TracePicture
from agenttrace.local.reader import Store
from agenttrace.local.records import SpanRecord

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "examples" / "quickstart.py"
PICTURE = ROOT / "docs" / "images" / "trace.svg"
WIDTH = 112

# Quiet colours on a dark ground, readable on a light page and on a dark one.
THEME = TerminalTheme(
    (22, 27, 34),
    (214, 221, 230),
    [
        (48, 54, 61),
        (255, 123, 114),
        (126, 211, 133),
        (226, 179, 92),
        (110, 168, 254),
        (210, 148, 255),
        (94, 207, 216),
        (214, 221, 230),
    ],
    [
        (139, 148, 158),
        (255, 161, 152),
        (160, 230, 165),
        (242, 204, 134),
        (150, 193, 255),
        (226, 181, 255),
        (140, 226, 233),
        (240, 246, 252),
    ],
)


def main() -> int:
    """Run the example, draw its newest trace, and say where the picture is."""
    with tempfile.TemporaryDirectory() as home:
        # No endpoint of this machine's may take the run elsewhere.
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "PHOENIX_", "OPENAI_"))
        }
        subprocess.run([sys.executable, str(EXAMPLE), *sys.argv[1:]], check=True, env={**kept, "AGENTTRACE_HOME": home})
        store = Store(Path(home) / "traces.db")
        [newest] = store.traces(limit=1)
        drawn = svg(store.spans(newest.trace_id))
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    PICTURE.write_text(drawn, encoding="utf-8")
    print(f"wrote {PICTURE.relative_to(ROOT)}")
    return 0


def svg(spans: list[SpanRecord]) -> str:
    """The picture of a trace as SVG, with the reader's own fonts: an image in a page may load none from elsewhere."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(TracePicture(spans), soft_wrap=True)
    drawn = console.export_svg(title="agenttrace show", theme=THEME, unique_id="agenttrace")
    drawn = re.sub(r"@font-face \{.*?\}\s*", "", drawn, flags=re.DOTALL)
    return drawn.replace("Fira Code", "ui-monospace, Menlo, Consolas, DejaVu Sans Mono") + "\n"


if __name__ == "__main__":
    sys.exit(main())
