"""One process's folder: locked while it lives; what it left open is ended, once, by whoever takes it over."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.trace import StatusCode

from agenttrace.delivery.decoding import decode_spans
from agenttrace.outbox.files import read_file
from agenttrace.outbox.folder import SENT_ENDING, ProcessFolder, StoredFile, make_folder, stored_files
from agenttrace.outbox.payloads import Payload, span_ids, spans_in
from agenttrace.outbox.recovery import ENDED_BY_PROCESS
from tests.delivery.sinks import make_payload, names_in
from tests.outbox.holders import Holder, posix

CREATES = "from agenttrace.outbox.folder import ProcessFolder\nfolder = ProcessFolder.create(path)\n"


def names_at(files: list[StoredFile]) -> list[str]:
    return [name for file in files for name in names_in(read_file(file.path)[0])]


def opened(payload: Payload) -> dict[bytes, bytes]:
    """The spans of ``payload`` as they were before they ended, each by its ids."""
    found = {}
    for trace_id, span_id in span_ids(payload.data):
        request = ExportTraceServiceRequest.FromString(payload.data)
        for group in request.resource_spans:
            for part in group.scope_spans:
                [own] = [span for span in part.spans if span.span_id == span_id]
                own.end_time_unix_nano = 0
                kept = own.SerializeToString()
                del part.spans[:]
                part.spans.add().MergeFromString(kept)
        found[trace_id + span_id] = request.SerializeToString()
    return found


@posix
def test_only_the_user_may_look_into_it(tmp_path: Path) -> None:
    """Nor into any folder above it that was made for it."""
    make_folder(tmp_path / "home" / "outbox" / "server")
    folder = ProcessFolder.create(tmp_path / "home" / "outbox" / "server")
    file = folder.write(make_payload("a"))
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "home" / "outbox").rglob("*")}
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}
    assert {mode for path, mode in modes.items() if path.is_file()} == {0o600}
    assert stat.S_IMODE((tmp_path / "home" / "outbox").stat().st_mode) == 0o700
    file.path.unlink()
    folder.leave()


def test_files_are_found_in_the_order_in_which_they_were_written(tmp_path: Path) -> None:
    """With what their names and the file system tell of them. Other people's files aren't."""
    folder = ProcessFolder.create(tmp_path)
    names = [str(number) for number in range(12)]
    written = [folder.write(make_payload(name)) for name in names]
    folder.write(make_payload("root", "child"))
    (folder.path / "notes.txt").touch()
    (folder.path / "x.spans").touch()
    found = stored_files(folder.path)
    assert [file.path for file in found[:-1]] == [file.path for file in written]
    assert [(file.count, file.size) for file in found[:-1]] == [(file.count, file.size) for file in written]
    assert found[-1].count == 2
    assert names_at(found) == [*names, "child", "root"]
    folder.leave()


def test_a_folder_that_is_gone_has_no_files(tmp_path: Path) -> None:
    """Whoever looks may be slower than whoever removes it."""
    assert stored_files(tmp_path / "gone") == []
    assert ProcessFolder.take_over(tmp_path / "gone") is None


def test_it_is_taken_over_when_its_process_was_killed_and_not_before(tmp_path: Path) -> None:
    """By one."""
    with Holder(tmp_path, f"{CREATES}folder.write(make_payload('a'))\nprint(folder.path)") as holder:
        path = Path(holder.said[0])
        assert ProcessFolder.take_over(path) is None
        holder.kill()
    folder = ProcessFolder.take_over(path)
    assert folder is not None
    assert ProcessFolder.take_over(path) is None
    assert names_at(stored_files(path)) == ["a"]
    folder.leave()


def test_leaving_removes_it_only_where_nothing_is_in_it(tmp_path: Path) -> None:
    """What is in it is for the next process."""
    empty, full = ProcessFolder.create(tmp_path), ProcessFolder.create(tmp_path)
    full.write(make_payload("a"))
    assert (empty.is_empty, full.is_empty) == (True, False)
    empty.leave()
    full.leave()
    assert [path for path in tmp_path.iterdir() if path.is_dir()] == [full.path]
    taken = ProcessFolder.take_over(full.path)
    assert taken is not None
    taken.leave()


class Left:
    """A folder that a process has left, with open spans in its log.

    Args:
        parent: Where to make it.
        open_spans: The spans that were open when it ended.
    """

    def __init__(self, parent: Path, open_spans: Payload) -> None:
        folder = ProcessFolder.create(parent)
        self.path = folder.path
        folder.running.note(opened(open_spans), [])
        folder.forget()

    def write(self, payload: Payload, ending: str = ".spans") -> None:
        """A file that the process has written."""
        folder = self.taken()
        folder.write(payload).path.rename(self.path / f"000000000001-{payload.count}{ending}")
        folder.forget()

    def taken(self) -> ProcessFolder:
        """The folder, taken over."""
        folder = ProcessFolder.take_over(self.path)
        assert folder is not None
        return folder

    def recovered(self) -> list[Any]:
        """What is in it when its open spans have been ended, as spans."""
        folder = self.taken()
        folder.end_running()
        found = [span for file in stored_files(self.path) for span in decode_spans(read_file(file.path)[0])]
        folder.forget()
        return found


def test_what_was_open_is_ended_as_an_error(tmp_path: Path) -> None:
    """With everything that was known of it, and an end when the process last gave a sign of life."""
    left = Left(tmp_path, make_payload("root", "child", attributes={"session.id": "s-1"}))
    seen = (left.path / "running").stat().st_mtime_ns
    found = left.recovered()
    assert sorted(span.name for span in found) == ["child", "root"]
    for span in found:
        assert span.status.status_code is StatusCode.ERROR
        assert span.status.description == ENDED_BY_PROCESS
        assert span.attributes == {"session.id": "s-1"}
        assert span.end_time == max(seen, span.start_time)
    assert not (left.path / "running").exists()


def test_it_is_ended_once(tmp_path: Path) -> None:
    """However often its folder is taken over, and where whoever did it was killed on the way, too."""
    left = Left(tmp_path, make_payload("root"))
    log = (left.path / "running").read_bytes()
    assert [span.name for span in left.recovered()] == ["root"]
    assert [span.name for span in left.recovered()] == ["root"]
    (left.path / "running").write_bytes(log)  # as if they had got no further than to write the file
    assert [span.name for span in left.recovered()] == ["root"]
    [file] = stored_files(left.path)
    (left.path / "running").write_bytes(log)
    file.path.write_bytes(file.path.read_bytes()[:-1])  # and not to the end of that
    assert [span.name for span in left.recovered()] == ["root"]


@pytest.mark.parametrize("ending", [".spans", SENT_ENDING])
def test_what_has_ended_after_all_is_not_ended_again(tmp_path: Path, ending: str) -> None:
    """Its real end is in a file beside the log. One that was sent a moment ago is sent again: see `unconfirmed`."""
    payload = make_payload("root", "child")
    left = Left(tmp_path, payload)
    left.write(payload, ending)
    found = left.recovered()
    assert [span.name for span in found] == ["child", "root"]
    assert {span.status.status_code for span in found} == {StatusCode.UNSET}
    assert not (left.path / "running").exists()
    assert list(left.path.glob(f"*{SENT_ENDING}")) == []


def test_of_a_run_the_root_alone_is_ended_where_its_children_have(tmp_path: Path) -> None:
    """So that no tree lacks its root. It ends after the last of them."""
    whole = make_payload("root", "child")
    request = ExportTraceServiceRequest.FromString(whole.data)
    child, _ = spans_in(request)
    late = child.end_time_unix_nano = 2**62
    del request.resource_spans[0].scope_spans[0].spans[1]
    left = Left(tmp_path, whole)
    left.write(Payload(request.SerializeToString(), 1))
    root, child_after = left.recovered()
    assert (root.name, root.status.description, root.end_time) == ("root", ENDED_BY_PROCESS, late)
    assert (child_after.name, child_after.status.status_code) == ("child", StatusCode.UNSET)


def test_a_damaged_file_beside_it_is_no_obstacle(tmp_path: Path) -> None:
    """Whoever sends it says that it is damaged."""
    left = Left(tmp_path, make_payload("root"))
    (left.path / "000000000001-1.spans").write_bytes(b"damaged")
    folder = left.taken()
    folder.end_running()
    assert [file.path.name for file in stored_files(left.path)] == ["000000000000-1.spans", "000000000001-1.spans"]
    folder.forget()
