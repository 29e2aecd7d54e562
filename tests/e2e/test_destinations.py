"""The real Phoenix, Langfuse and the local store in one program, with one of them dead: the others have everything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agenttrace.local.reader import Store
from tests.langfuse.server import LangfuseServer
from tests.servers import unused_port

from .commanding import Program
from .phoenix_api import PhoenixApi

COUNT = 300


@pytest.fixture
def langfuse_server() -> Iterator[LangfuseServer]:
    """What plays Langfuse: it takes and refuses as the real one does."""
    with LangfuseServer() as server:
        yield server


@pytest.mark.parametrize("dead", ["phoenix", "langfuse", "local"])
def test_what_lives_has_everything(
    phoenix: PhoenixApi, langfuse_server: LangfuseServer, tmp_path: Path, dead: str
) -> None:
    """Once; what the dead one should have had is on disk, and one message names it."""
    project = f"without-{dead}"
    (tmp_path / "file").touch()
    store = tmp_path / ("file" if dead == "local" else "store") / "traces.db"  # no folder can be made in a file
    places = {
        "phoenix": f"http://127.0.0.1:{unused_port()}" if dead == "phoenix" else phoenix.http_endpoint,
        "langfuse": f"http://127.0.0.1:{unused_port()}" if dead == "langfuse" else langfuse_server.url,
        "local": str(store),
    }
    variables = {"LANGFUSE": places["langfuse"], "STORE": places["local"]}
    program = Program(tmp_path / "home", project, places["phoenix"], **variables)
    program.order("root")
    program.order(f"spans {COUNT} 0.5")
    report = program.flush()
    warnings = program.end()

    everything = sorted(program.span_ids)
    assert len(everything) == COUNT + 1
    assert (report["sent"], report["on_disk"], report["lost"]) == (2 * COUNT, COUNT, 0)
    assert len(warnings) == 1, warnings
    assert places[dead] in warnings[0]
    if dead != "phoenix":
        assert sorted(phoenix.wait_for_stored(project, program.span_ids)) == everything
    if dead != "langfuse":
        assert sorted(span.span_id for span in langfuse_server.spans) == everything
    if dead != "local":
        [trace] = Store(store).traces()
        assert sorted(span.span_id for span in Store(store).spans(trace.trace_id)) == everything
