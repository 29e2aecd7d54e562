"""Images over the limit go to an uploader, and whatever it does, the call that has them goes on."""

from __future__ import annotations

import base64
import hashlib
import importlib
import os
import sys
import textwrap
import threading
from typing import Any

import pytest
from openinference import instrumentation

from agenttrace.current import get_current, is_suppressed
from agenttrace.semconv import uploads as uploads_module
from agenttrace.semconv.blobs import Blob, BlobUploader, blob_of, is_address
from agenttrace.semconv.mask import Mask
from agenttrace.semconv.masking import REDACTED
from agenttrace.semconv.privacy import TraceConfig
from agenttrace.semconv.uploads import Uploads, uploads_to
from tests.isolation import Program, program, warnings_in

__all__ = ["program"]

KEY = "llm.input_messages.0.message.contents.0.message_content.image.image.url"
DATA = bytes(range(256)) * 200
IMAGE = f"data:image/png;base64,{base64.b64encode(DATA).decode()}"
PATIENCE_SECONDS = 30.0


class Uploader:
    """An uploader that answers as it is told, and remembers what it was given."""

    def __init__(self, answer: Any = None) -> None:
        self.blobs: list[Any] = []
        self.answer = answer
        self.shut_down_for: list[float] = []

    def upload(self, blob: Any) -> str | None:
        self.blobs.append(blob)
        assert is_suppressed(get_current())
        if isinstance(self.answer, BaseException):
            raise self.answer
        return f"s3://images/{blob.content_sha256}" if self.answer is None else self.answer

    def shutdown(self, timeout_sec: float = 10.0) -> None:
        self.shut_down_for.append(timeout_sec)


class Hanging(Uploader):
    """An uploader that hangs over the first image until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.go_on, self.served = threading.Event(), threading.Event(), threading.Event()

    def upload(self, blob: Any) -> str | None:
        self.begun.set()
        assert self.go_on.wait(PATIENCE_SECONDS)
        try:
            return super().upload(blob)
        finally:
            self.served.set()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls wait as long as it takes, so that a busy machine changes nothing."""
    monkeypatch.setattr(uploads_module, "PATIENCE_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr(uploads_module, "_SHARE_OF_TIME", PATIENCE_SECONDS)


def recorded(uploader: BlobUploader, value: str = IMAGE) -> Any:
    return Mask(TraceConfig(blob_uploader=uploader)).attributes({KEY: value})[KEY]


@pytest.mark.usefixtures("patient")
def test_the_address_is_recorded_in_the_place_of_the_image() -> None:
    """The uploader gets the bytes with their hash, type and attribute, on another thread with tracing suppressed."""
    uploader = Uploader()
    digest = hashlib.sha256(DATA).hexdigest()
    assert recorded(uploader) == f"s3://images/{digest}"
    assert uploader.blobs == [Blob(DATA, "image/png", "image", KEY, digest)]
    small = "data:image/png;base64,AAAA"
    assert recorded(uploader, small) == small
    assert len(uploader.blobs) == 1


def test_an_image_that_is_hidden_is_not_uploaded() -> None:
    """Hiding comes first."""
    uploader = Uploader()
    config = TraceConfig(blob_uploader=uploader, hide_input_images=True)
    assert Mask(config).attributes({KEY: IMAGE}) == {}
    assert Mask(config).image(KEY, IMAGE) == REDACTED
    assert uploader.blobs == []


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize(
    "answer",
    [
        ValueError("hunter2"),
        SystemExit(),
        KeyboardInterrupt(),
        5,
        "picture.png",
        "C:\\picture.png",
        "",
        "a://b c",
        IMAGE,
    ],
    ids=lambda answer: repr(answer)[:20],
)
def test_an_uploader_that_fails_redacts(answer: object, caplog: pytest.LogCaptureFixture) -> None:
    """It raises, or returns what is no absolute address; a warning says so once, and the next image is served."""
    uploader = Uploader(answer)
    assert recorded(uploader) == REDACTED
    assert recorded(uploader) == REDACTED
    assert len(warnings_in(caplog)) == 1
    assert "Uploader" in warnings_in(caplog)[0]
    assert "hunter2" not in caplog.text
    uploader.answer = None
    assert recorded(uploader).startswith("s3://")


@pytest.mark.usefixtures("patient")
def test_an_uploader_that_takes_nothing_redacts(caplog: pytest.LogCaptureFixture) -> None:
    """None is an answer, and no fault."""

    class Full(Uploader):
        def upload(self, blob: Any) -> str | None:
            return None

    assert recorded(Full()) == REDACTED
    assert not warnings_in(caplog)


@pytest.mark.parametrize("payload", ["****", "AAA", "", "ö"])
def test_an_image_that_is_broken_is_redacted(payload: str) -> None:
    """What can't be decoded can't be uploaded."""
    uploader = Uploader()
    mask = Mask(TraceConfig(blob_uploader=uploader, base64_image_max_length=0))
    assert mask.attributes({KEY: f"data:image/png;base64,{payload}*"}) == {KEY: REDACTED}
    assert uploader.blobs == []


def test_an_uploader_that_hangs_costs_one_wait(caplog: pytest.LogCaptureFixture) -> None:
    """The image it hangs over is redacted, and those after it without a wait; its late answer is dropped."""
    uploader = Hanging()
    assert recorded(uploader) == REDACTED
    assert uploader.begun.is_set()
    assert "too long" in warnings_in(caplog)[0]
    for _ in range(200):
        assert recorded(uploader) == REDACTED
    uploader.go_on.set()
    assert uploader.served.wait(PATIENCE_SECONDS)
    assert len(uploader.blobs) == 1


def test_what_nobody_waits_for_any_more_is_not_uploaded() -> None:
    """An image that stood behind one that hung is dropped when its turn comes."""
    uploader = Hanging()
    uploads = uploads_to(uploader)
    first = threading.Thread(target=uploads.address_of, args=(IMAGE, "first"))
    first.start()
    assert uploader.begun.wait(PATIENCE_SECONDS)
    uploads._begun = None  # as if it had only just begun, so that the second one waits in the queue
    assert uploads.address_of(IMAGE, "second") == REDACTED
    first.join()
    uploader.go_on.set()
    uploads.finish(PATIENCE_SECONDS)
    assert [blob.attribute_key for blob in uploader.blobs] == ["first"]
    assert uploader.shut_down_for == [PATIENCE_SECONDS]


@pytest.mark.usefixtures("patient")
def test_calls_wait_for_a_slow_uploader_a_part_of_the_time_only() -> None:
    """When the share of time is used up, images are redacted at once until there is some again."""
    uploader = Uploader()
    uploads = Uploads(uploader)
    assert uploads.address_of(IMAGE, KEY) != REDACTED
    uploads._credit = -1000.0
    assert uploads.address_of(IMAGE, KEY) == REDACTED
    uploads._counted -= 10_000.0
    assert uploads.address_of(IMAGE, KEY) != REDACTED
    assert len(uploader.blobs) == 2


@pytest.mark.usefixtures("patient")
def test_many_threads_have_one_uploader() -> None:
    """Each gets its own image's address or none; one thread serves them all."""
    uploader = Uploader()
    images = [f"data:image/png;base64,{base64.b64encode(bytes([n]) * 60_000).decode()}" for n in range(40)]
    found: dict[int, str] = {}
    threads = [
        threading.Thread(target=lambda n=n: found.update({n: recorded(uploader, images[n])}))  # type: ignore[misc]
        for n in range(40)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, address in found.items():
        blob = blob_of(images[number])
        assert blob is not None
        # With more of them than the queue holds, nobody waits.
        assert address in (REDACTED, f"s3://images/{blob.content_sha256}")
    assert len(found) == 40
    assert sum(thread.name == "agenttrace-blobs" for thread in threading.enumerate()) >= 1
    assert uploads_to(uploader) is uploads_to(uploader)


PROGRAM = """
    import base64, sys, time
    from agenttrace.semconv import uploads
    from agenttrace.semconv.mask import Mask
    from agenttrace.semconv.privacy import TraceConfig

    uploads.PATIENCE_SECONDS = uploads._SHARE_OF_TIME = 30.0

    class Uploader:
        def upload(self, blob):
            return f"s3://images/{blob.content_sha256}"

        def shutdown(self, timeout_sec=10.0):
            print("shut down", timeout_sec <= 2.0, flush=True)
            if "hang" in sys.argv:
                time.sleep(3600)

    image = "data:image/png;base64," + base64.b64encode(b"x" * 50_000).decode()
    mask = Mask(TraceConfig(blob_uploader=Uploader()))
    print(mask.image("input.images.0.image.url", image)[:12], flush=True)
"""


FORKING = """
    import os, warnings
    warnings.simplefilter("ignore")
    address = mask.image("input.images.0.image.url", image)
    child = os.fork()
    if child:
        os.waitpid(child, 0)
    print(child == 0, mask.image("input.images.0.image.url", image) == address, flush=True)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_has_a_worker_of_its_own(program: Program) -> None:
    """Threads aren't inherited, so the child starts one; both shut their uploader down."""
    out, err = program.run(textwrap.dedent(PROGRAM) + textwrap.dedent(FORKING))
    assert out.split("\n") == ["s3://images/", *("True True", "shut down True", "False True", "shut down True"), ""]
    assert err == ""


@pytest.mark.parametrize("arguments", [(), ("hang",)], ids=["ordinary", "hangs"])
def test_the_uploader_is_shut_down_when_the_program_exits(program: Program, arguments: tuple[str, ...]) -> None:
    """So that it sends what it has; an exit doesn't wait for one that hangs."""
    out, err = program.run(PROGRAM, *arguments)
    assert out.split("\n") == ["s3://images/", "shut down True", ""]
    assert err == ""


@pytest.mark.usefixtures("patient")
def test_an_uploader_of_an_installed_package(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Named by the variable, and loaded when there is an image for it; a factory and an object will do."""
    (tmp_path / "vendor_uploads.py").write_text(
        "class Uploader:\n"
        "    def upload(self, blob):\n"
        "        return 'gs://' + blob.content_sha256\n"
        "    def shutdown(self, timeout_sec=10.0):\n"
        "        pass\n"
        "made = Uploader()\n"
        "nothing = lambda: None\n"
    )
    folder = tmp_path / "vendor_uploads-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: vendor-uploads\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text(
        "[openinference_blob_uploader]\n"
        "vendor-class = vendor_uploads:Uploader\n"
        "vendor-object = vendor_uploads:made\n"
        "vendor-nothing = vendor_uploads:nothing\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    for name in ("vendor-class", "vendor-object"):
        monkeypatch.setenv("OPENINFERENCE_BLOB_UPLOADER", name)
        config = TraceConfig()
        assert TraceConfig().blob_uploader is config.blob_uploader
        assert Mask(config).image(KEY, IMAGE) == f"gs://{hashlib.sha256(DATA).hexdigest()}"
    assert not warnings_in(caplog)
    for name in ("vendor-nothing", "nobody"):
        monkeypatch.setenv("OPENINFERENCE_BLOB_UPLOADER", name)
        assert Mask(TraceConfig()).image(KEY, IMAGE) == REDACTED
    assert len(warnings_in(caplog)) == 2
    assert all("vendor-class, vendor-nothing, vendor-object" in warning for warning in warnings_in(caplog))
    sys.modules.pop("vendor_uploads", None)


@pytest.mark.parametrize(
    "address",
    ["https://a.b/c", "s3://bucket/name", "gs://b", "file:///tmp/x", "custom+x://a", "x://", "http//a", "a.png:stream"],
)
def test_addresses_are_what_openinference_takes_for_one(address: str) -> None:
    """An absolute URI with a scheme of more than one letter."""
    assert is_address(address) == instrumentation._blob_upload.is_valid_reference_uri(address)


def test_blobs_are_those_of_openinference() -> None:
    """An uploader written for its interface finds the same in ours."""
    ours, theirs = blob_of(IMAGE, KEY), instrumentation._blob_upload.decode_base64_data_uri_to_blob(IMAGE, KEY)
    assert ours is not None
    assert vars(ours) == vars(theirs)
    for mime_type in ("audio/wav", "video/mp4", "application/pdf", "text/plain"):
        assert Blob(b"x", mime_type).modality == instrumentation._blob_upload.Blob(b"x", mime_type).modality
    assert blob_of("https://example.com") is None
