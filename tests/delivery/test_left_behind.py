"""What processes that are gone have left, and how much lies there: looked at now and then, and nobody's for good."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from agenttrace.delivery import left_behind as module
from agenttrace.delivery import sender as sender_module
from agenttrace.outbox.folder import stored_files
from agenttrace.outbox.outbox import Outbox
from tests.delivery.setups import UNREACHABLE, MakeSetup, Setup, setups
from tests.delivery.sinks import make_payload, names_in
from tests.outbox.holders import Holder, make_outbox_code, posix

__all__ = ["setups"]

PLENTY = 10**9
A_WHILE = 3_600.0
LARGE, SMALL = 40_000, 10


def age(setup: Setup) -> None:
    """The oldest file has been there for too long."""
    [folder] = [path for path in setup.outbox.path.iterdir() if path.is_dir()]
    long_ago = time.time() - 2 * A_WHILE
    os.utime(stored_files(folder)[0].path, (long_ago, long_ago))


def crowd(setup: Setup) -> None:
    """Another process writes more than there is room for beside ours."""
    other = Outbox(setup.outbox.path, {}, PLENTY, PLENTY)
    other.keep(make_payload("another process's", attributes={"text": "x" * 70_000}))
    other.leave()


@pytest.mark.parametrize("happen", [age, crowd])
def test_the_bounds_hold_while_nobody_answers(
    setups: MakeSetup, monkeypatch: pytest.MonkeyPatch, happen: Callable[[Setup], None]
) -> None:
    """What is too old goes, and what there is no room for, though the sender has enough to do with what is there."""
    monkeypatch.setattr(module, "LOOK_AROUND_SECONDS", 0.0)
    monkeypatch.setattr(sender_module, "pause_after", lambda failures, wish: 0.01)
    setup = setups(batch_size=1, outbox_bytes=100_000, outbox_seconds=A_WHILE)
    setup.sink.always = UNREACHABLE
    for name, size in (("old", LARGE), ("new", SMALL)):
        setup.tracer.start_span(name, attributes={"text": "x" * size}).end()
        setup.flush()
    assert setup.on_disk == ["old", "new"]
    happen(setup)
    for _ in range(100):  # attempts; what has to go goes before the next one but one
        setup.sink.wait_until_entered()
        if names_in(setup.sink.payloads[-1]) == ["new"]:
            break
    assert "old" not in setup.on_disk
    assert "new" in setup.on_disk
    assert setup.outbox.dropped == 1


FORKS = """
from agenttrace.delivery.options import DeliveryOptions
from agenttrace.delivery.processor import DeliveryProcessor
from agenttrace.delivery.sink import Answer, Verdict
from tests.delivery.sinks import MemorySink

sink = MemorySink()
sink.always = Answer(Verdict.UNREACHABLE)
processor = DeliveryProcessor(sink, DeliveryOptions(), None, Outbox(path, {}, 10**9, 10**9))
processor.begin()
sink.wait_until_entered()  # it has taken the folder over
end, start = os.pipe()
if os.fork() == 0:
    processor.after_fork()
    os.write(start, b"!")
    sys.stdin.read()  # until the test has seen enough
    os._exit(0)
os.read(end, 1)
"""


@posix
def test_a_forked_child_does_not_keep_what_its_parent_has_taken_over(tmp_path: Path) -> None:
    """When the parent is killed, the next process takes it over, though the child lives."""
    with Holder(tmp_path, make_outbox_code("a")) as holder:
        holder.kill()
    outbox = Outbox(tmp_path, {}, PLENTY, PLENTY)
    with Holder(tmp_path, FORKS) as parent:
        assert outbox.take_over() is None
        parent.kill()
        found = outbox.take_over()
        assert found is not None
        folder, files = found
        assert [file.count for file in files] == [1]
        folder.leave()
