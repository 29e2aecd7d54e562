"""The two threads of a destination: there from the first need of them until the end, whatever happens."""

from __future__ import annotations

import threading

import pytest

from agenttrace.delivery.batch import Batch
from agenttrace.outbox.payloads import Payload
from tests.delivery.setups import MakeSetup, setups
from tests.isolation import warnings_in

__all__ = ["setups"]


@pytest.mark.parametrize("name", ["agenttrace-sender", "agenttrace-worker"])
def test_a_thread_that_could_not_be_started_is_started_later(
    setups: MakeSetup, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """As where a container's limit was reached for a moment. Spans go out by themselves then, without a flush."""
    start = threading.Thread.start
    refused: list[str] = []

    def start_most(thread: threading.Thread) -> None:
        if thread.name == name and not refused:
            refused.append(name)
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_most)
    setup = setups(durability="memory", interval=0.0)
    setup.end_spans("a")
    assert refused == [name]
    assert len(warnings_in(caplog)) == 1
    setup.end_spans("b")
    setup.sink.wait_until_entered()
    assert setup.processor.stop()
    assert setup.sink.names == ["a", "b"]


@pytest.mark.parametrize("error", [MemoryError(), KeyboardInterrupt()])
def test_the_sender_outlives_what_fails_in_it(
    setups: MakeSetup, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: BaseException
) -> None:
    """Memory may be short for a moment. The spans are sent when it isn't, by themselves, and one warning says so."""
    load = Batch.load
    errors = iter([error])

    def load_later(batch: Batch) -> Payload:
        for one in errors:
            raise one
        return load(batch)

    monkeypatch.setattr(Batch, "load", load_later)
    setup = setups(durability="memory", interval=0.0)
    setup.end_spans("a")
    setup.sink.wait_until_entered()
    setup.end_spans("b")
    setup.sink.wait_until_entered()
    assert setup.processor.stop()
    assert setup.sink.names == ["a", "b"]
    assert len(warnings_in(caplog)) == 1


@pytest.mark.parametrize("durability", ["memory", "write"])
def test_an_interval_longer_than_a_lock_can_count_is_a_long_interval(setups: MakeSetup, durability: str) -> None:
    """For who sends by flush alone, and by full batches."""
    setup = setups(durability=durability, interval=1e10, batch_size=2)
    setup.end_spans("a")
    assert setup.processor.force_flush()
    setup.sink.wait_until_entered()
    setup.end_spans("b", "c")
    if durability == "memory":
        setup.sink.wait_until_entered()
    assert setup.processor.force_flush()
    assert setup.sink.names == ["a", "b", "c"]
