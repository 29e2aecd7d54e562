"""docs/privacy.md says what is so: its tables are held to the code."""

from __future__ import annotations

import re
from pathlib import Path

from agenttrace.semconv.privacy import HIDING
from agenttrace.semconv.secrets import is_secret_name

PAGE = (Path(__file__).resolve().parent.parent.parent / "docs" / "privacy.md").read_text(encoding="utf-8")


def rows_under(heading: str) -> list[list[str]]:
    """The cells of the first table that follows ``heading``, without its head."""
    table = re.search(rf"^\| {heading} .*?(?=\n\n)", PAGE, re.DOTALL | re.MULTILINE)
    assert table is not None
    return [line.strip("| ").split(" | ") for line in table[0].splitlines()[2:]]


def test_the_table_of_names_is_so() -> None:
    """Each name on the left names a secret, each on the right doesn't."""
    rows = rows_under("a secret")
    assert len(rows) == 6
    for secret, harmless in rows:
        assert [name for name in re.findall(r"`([^`]+)`", secret) if not is_secret_name(name)] == []
        assert [name for name in re.findall(r"`([^`]+)`", harmless) if is_secret_name(name)] == []


def test_every_field_stands_in_the_table() -> None:
    """And nothing else does."""
    fields = re.findall(r"`((?:hide|base64)_\w+)`", str(rows_under("field")))
    assert set(fields) == {*HIDING, "base64_image_max_length"}
