"""Room that runs out: memory that is set aside, and an outbox at its bound. What gives way, and what doesn't."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from agenttrace.delivery.flush_report import FlushReport
from tests.delivery.setups import UNREACHABLE, MakeSetup, Setup, setups
from tests.servers import PATIENCE_SECONDS

__all__ = ["setups"]

A_SPAN = 1_000  # bytes that an encoded one without attributes stays below


def flush_all(setup: Setup) -> FlushReport:
    """What became of all spans, when as many as can be are where they should be."""
    report = FlushReport(waiting=1)
    while report.waiting:  # what is in the queue has to wait until there is room behind it
        flushed = setup.flush()
        report = replace(report + flushed, waiting=flushed.waiting)
    return report


@pytest.mark.parametrize("durability", ["write", "sync"])
def test_where_the_disk_fails_memory_has_a_bound(setups: MakeSetup, tmp_path: Path, durability: str) -> None:
    """Though each span is kept by itself: an outage takes no more than was set aside, and the rest is counted."""
    (tmp_path / "outbox").touch()
    setup = setups(durability=durability, overflow="drop", batch_size=1, memory_bytes=3_000, capacity=10)
    setup.sink.gate.clear()
    setup.end_spans(*(str(number) for number in range(200)))
    assert setup.processor._sender.memory <= 3_000 + A_SPAN
    assert len(setup.processor._queue.spans) <= 10
    setup.sink.gate.set()
    report = flush_all(setup)
    assert report.sent == len(setup.sink.names) < 200
    assert report.sent + report.lost == 200


def test_an_outbox_smaller_than_a_batch_loses_nothing(setups: MakeSetup) -> None:
    """Where the destination takes what it is sent."""
    setup = setups(outbox_bytes=1, batch_size=10)
    names = [str(number) for number in range(100)]
    for start in range(0, 100, 20):
        setup.end_spans(*names[start : start + 20])
        report = flush_all(setup)
        assert report
        assert report.lost == 0
    assert setup.sink.names == names
    assert setup.outbox.dropped == 0
    assert setup.on_disk == []


def test_an_outbox_at_its_bound_waits_for_a_slow_destination(setups: MakeSetup) -> None:
    """A burst is larger than the outbox: the rest waits in memory until there is room again."""
    setup = setups(outbox_bytes=5 * A_SPAN, batch_size=1, interval=0.0)
    setup.sink.gate.clear()
    names = [str(number) for number in range(2_000)]
    setup.end_spans(*names)
    setup.sink.wait_until_entered()
    request = setup.processor.begin_flush(0.1)
    assert request is not None
    assert request.kept.wait(PATIENCE_SECONDS)
    assert len(setup.on_disk) < 2_000
    setup.sink.gate.set()
    report = flush_all(setup)
    assert (report.sent, report.lost) == (2_000, 0)
    assert setup.sink.names == names


def test_an_outbox_at_its_bound_drops_the_oldest_where_nobody_answers(setups: MakeSetup) -> None:
    """And counts them. What is newest is kept, and arrives when somebody does."""
    setup = setups(outbox_bytes=10 * A_SPAN, batch_size=1)
    setup.sink.always = UNREACHABLE
    names = [str(number) for number in range(100)]
    report = FlushReport()
    for name in names:
        setup.end_spans(name)
        flushed = setup.flush()
        report = replace(report + flushed, on_disk=flushed.on_disk)
        assert setup.on_disk[-1] == name
    setup.sink.always = None
    report += flush_all(setup)
    assert report.lost == setup.outbox.dropped > 0
    assert report.sent + report.lost == 100
    assert setup.sink.names == names[report.lost :]


def test_the_newest_stays_however_small_the_outbox(setups: MakeSetup) -> None:
    """A bound that not one batch fits into would keep nothing else at all, and say it was kept."""
    setup = setups(outbox_bytes=1, batch_size=1)
    setup.sink.always = UNREACHABLE
    for name in "abc":
        setup.end_spans(name)
        setup.flush()
        assert setup.on_disk == [name]
    setup.sink.always = None
    setup.flush()
    assert setup.sink.names == ["c"]
