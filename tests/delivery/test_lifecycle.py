"""Exit, fork and `multiprocessing`: programs of their own that send to a server here, and what arrives of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agenttrace.delivery.options import DeliveryOptions
from agenttrace.local.reader import Store
from tests.isolation import Program, program
from tests.servers import CollectorServer, Fault, unused_port

__all__ = ["program"]

PROTOCOLS = ["http/protobuf", "grpc"]

START = """
import os, sys, time
from agenttrace.registration import flush, register, shutdown
from opentelemetry import trace

def start(name):
    return trace.get_tracer("test").start_span(name, attributes={"openinference.span.kind": "CHAIN"})

def span(name):
    start(name).end()
"""


def outbox_of(program: Program) -> list[Path]:
    """What a program has left on disk for its destinations."""
    return [path for path in program.folder.rglob("outbox/**/*") if path.is_file()]


ENDS = {
    "at its end": "",
    "by sys.exit": "sys.exit(0)",
    "by an exception": "raise RuntimeError('uncaught')",
}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_spans_arrive_when_a_program_ends(program: Program, protocol: str, end: str) -> None:
    """Without a flush, however it ends."""
    with CollectorServer(protocol) as server:
        code = START + f"register(endpoint=sys.argv[1], verbose=False)\nfor i in range(700): span(str(i))\n{ENDS[end]}"
        program.run(code, server.endpoint, exit_code=1 if "exception" in end else 0)
        assert [received.name for received in server.spans] == [str(number) for number in range(700)]


LAST_EXIT_HANDLER = "import atexit\natexit.register(lambda: span('last'))\n"
"""Registered before agenttrace's, and so called after it."""


@pytest.mark.parametrize("before", [["first"], []], ids=["after others", "the only one"])
def test_a_span_that_ends_while_the_program_ends_arrives(program: Program, before: list[str]) -> None:
    """In an exit handler that was there before register(), and so runs after delivery has finished."""
    ended = "".join(f"span({name!r})\n" for name in before)
    code = f"{LAST_EXIT_HANDLER}{START}register(endpoint=sys.argv[1], verbose=False)\n{ended}"
    with CollectorServer() as server:
        program.run(code, server.endpoint)
        assert [received.name for received in server.spans] == [*before, "last"]
    assert outbox_of(program) == []


def test_a_first_span_that_ends_in_an_exit_handler_is_no_fault(program: Program) -> None:
    """From Python 3.12 on no thread can be started then: the program's own delivers, and nothing is said."""
    with CollectorServer() as server:
        code = START + "import atexit\nregister(endpoint=sys.argv[1], verbose=False)\natexit.register(span, 'first')"
        _, err = program.run(code, server.endpoint)
        assert [received.name for received in server.spans] == ["first"]
        assert err == ""


LATE = """
class Late:
    def __init__(self):
        self.span = start("late")

    def __del__(self):
        self.span.end()
"""


FATES = {"batch": "1 span is on disk", "memory": "1 span could not be delivered and is lost"}


@pytest.mark.parametrize("durability", FATES)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_span_that_ends_while_the_interpreter_is_taken_apart_is_told_of(
    program: Program, protocol: str, durability: str
) -> None:
    """By a finalizer, as a generator's that was left open: nothing can be sent any more, and what to do is said."""
    code = START + "register(endpoint=sys.argv[1], verbose=False)\nspan('first')\n"
    with CollectorServer(protocol) as server:
        _, err = program.run(f"{LATE}{code}late = Late()", server.endpoint, AGENTTRACE_DURABILITY=durability)
        assert err.count("agenttrace:") == 1
        assert len(err.strip().splitlines()) == 1
        assert f"such as generators, before the program ends. {FATES[durability]}" in err
        assert [received.name for received in server.spans] == ["first"]


def test_a_span_that_ends_while_the_interpreter_is_taken_apart_is_sent_by_the_next_program(program: Program) -> None:
    """Where it was the only one, too."""
    code = START + "register(endpoint=sys.argv[1], verbose=False)\n"
    with CollectorServer() as server:
        program.run(f"{LATE}{code}late = Late()", server.endpoint)
        assert server.spans == []
        program.run(code, server.endpoint)
        assert [received.name for received in server.spans] == ["late"]


def test_a_span_that_ends_while_the_interpreter_is_taken_apart_is_kept_in_the_local_store(program: Program) -> None:
    """Where it is the first one, too."""
    _, err = program.run(f"{START}{LATE}\nregister(verbose=False)\nlate = Late()")
    assert err == ""
    [trace] = Store(program.folder / "home" / "traces.db").traces()
    assert trace.name == "late"


def test_the_local_store_has_everything_when_a_program_ends(program: Program) -> None:
    """Nothing configured: the spans are in the store that the banner names."""
    _, err = program.run(START + "register()\nfor i in range(5): span(str(i))")
    assert "agenttrace show" in err
    assert str(program.folder / "home") in err
    out, _ = program.run(
        """
        import os, pathlib, sqlite3
        [store] = pathlib.Path(os.environ["AGENTTRACE_HOME"]).glob("*.db")
        print(sqlite3.connect(store).execute("select count(*) from spans").fetchone()[0])
        """
    )
    assert out.strip() == "5"


def test_a_backlog_for_the_local_store_is_written_to_its_end(program: Program) -> None:
    """A batch job that ends right after its last span loses none: what a busy machine leaves is the next one's."""
    program.run(START + "register(verbose=False)\nfor i in range(20_000): span('s')")
    out, _ = program.run(
        """
        import os, pathlib, sqlite3
        from agenttrace import flush, register
        register(verbose=False)
        assert flush(60)
        [store] = pathlib.Path(os.environ["AGENTTRACE_HOME"]).glob("*.db")
        print(sqlite3.connect(store).execute("select count(*) from spans").fetchone()[0])
        """
    )
    assert out.strip() == "20000"


PROSPECTS = {
    "batch": "on disk",  # which of the two lines is written depends on whether the exit or the first attempt is first
    "memory": "2,000 spans",
}


@pytest.mark.parametrize(
    ("scheme", "durability", "words"),
    [
        ("http", "batch", PROSPECTS["batch"]),
        ("grpc", "batch", PROSPECTS["batch"]),
        ("http", "memory", PROSPECTS["memory"]),
    ],
)
def test_a_dead_endpoint_costs_one_warning_and_at_most_two_seconds(
    program: Program, scheme: str, durability: str, words: str
) -> None:
    """The exit takes no longer, and the warning says what to do and what becomes of the spans."""
    assert DeliveryOptions().shutdown_timeout <= 2
    code = (
        START + "register(endpoint=sys.argv[1], verbose=False, export_interval=60)\nfor i in range(2_000): span(str(i))"
    )
    endpoint = f"{scheme}://127.0.0.1:{unused_port()}"
    _, err = program.run(code, endpoint, AGENTTRACE_DURABILITY=durability)
    lines = err.strip().splitlines()
    assert len(lines) == 1 if durability == "batch" else len(lines) in (1, 2)  # the second counts what is lost
    assert "no server answers at" in lines[0]
    assert words in err


@pytest.mark.parametrize("durability", PROSPECTS)
def test_a_dead_endpoint_that_was_explained_is_not_explained_again_at_exit(program: Program, durability: str) -> None:
    """The warning is true in both cases: the server comes, or the program ends before. What is lost is counted."""
    code = START + "register(endpoint=sys.argv[1], verbose=False)\nspan('a')\nprint(flush())\nspan('b')"
    endpoint = f"http://127.0.0.1:{unused_port()}"
    out, err = program.run(code, endpoint, AGENTTRACE_DURABILITY=durability)
    assert out.strip() == ("1 on disk" if durability == "batch" else "1 waiting in memory")
    assert err.count("no server answers") == 1
    assert err.count("agenttrace:") == (1 if durability == "batch" else 2)
    assert ("2 spans for" in err) == (durability == "memory")


@pytest.mark.parametrize("durability", FATES)
def test_a_span_that_ends_too_late_for_a_dead_endpoint_is_told_of(program: Program, durability: str) -> None:
    """In an exit handler that runs after delivery has finished, when there was nothing to deliver before."""
    code = f"{LAST_EXIT_HANDLER}{START}register(endpoint=sys.argv[1], verbose=False)"
    endpoint = f"http://127.0.0.1:{unused_port()}"
    _, err = program.run(code, endpoint, AGENTTRACE_DURABILITY=durability)
    assert err.count("agenttrace:") == 1
    assert FATES[durability] in err


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_hanging_server_does_not_keep_a_program(program: Program, protocol: str) -> None:
    """The program ends while the server still hangs, with one warning that counts the spans."""
    with CollectorServer(protocol) as server:
        server.fail_always(Fault("hang"))
        code = START + "register(endpoint=sys.argv[1], verbose=False)\nfor i in range(10): span(str(i))"
        _, err = program.run(code, server.endpoint)
        assert err.count("agenttrace:") == 1
        assert "10 spans are on disk" in err


def test_a_provider_that_does_not_shut_down_at_exit_is_flushed(program: Program) -> None:
    """Somebody else's provider, with shutdown_on_exit=False."""
    with CollectorServer() as server:
        code = START + (
            "from opentelemetry.sdk.trace import TracerProvider\n"
            "trace.set_tracer_provider(TracerProvider(shutdown_on_exit=False))\n"
            "register(endpoint=sys.argv[1], verbose=False)\n"
            "span('a')\n"
        )
        program.run(code, server.endpoint)
        assert [received.name for received in server.spans] == ["a"]


forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform has no fork")


@forks
@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("flushed", ["", "flush(20)\n"], ids=["while spans wait", "with a connection open"])
def test_a_forked_child_sends_its_own_spans_and_not_its_parents(program: Program, protocol: str, flushed: str) -> None:
    """Each span arrives once, whether or not the parent had sent anything before."""
    code = START + (
        "register(endpoint=sys.argv[1], verbose=False)\n"
        "for i in range(20): span(f'parent {i}')\n"
        f"{flushed}"
        "child = os.fork()\n"
        "span('child' if child == 0 else 'parent after')\n"
        "if child: assert os.waitpid(child, 0)[1] == 0\n"
        "sys.exit(0)\n"
    )
    with CollectorServer(protocol) as server:
        program.run(code, server.endpoint)
        names = sorted(received.name for received in server.spans)
        assert names == sorted([*(f"parent {number}" for number in range(20)), "child", "parent after"])


@forks
@pytest.mark.parametrize("durability", ["batch", "write"])
def test_a_span_that_is_open_at_a_fork_is_its_parents(program: Program, durability: str) -> None:
    """The child has a copy of it, which it ends, too. It arrives once, with what the parent has set on it."""
    code = START + (
        "register(endpoint=sys.argv[1], verbose=False)\n"
        "root = start('root')\n"
        "child = os.fork()\n"
        "if child == 0: span('child')\n"
        "else: assert os.waitpid(child, 0)[1] == 0\n"
        "root.set_attribute('ended.by', 'child' if child == 0 else 'parent')\n"
        "root.end()\n"
    )
    with CollectorServer() as server:
        program.run(code, server.endpoint, AGENTTRACE_DURABILITY=durability)
        assert sorted(received.name for received in server.spans) == ["child", "root"]
        [root] = [received for received in server.spans if received.name == "root"]
        assert root.attributes["ended.by"] == "parent"
    assert outbox_of(program) == []


@forks
def test_a_fork_while_threads_end_spans_hangs_nobody(program: Program) -> None:
    """Whatever locks they hold at that moment."""
    code = START + (
        "import threading\n"
        "register(endpoint=sys.argv[1], verbose=False)\n"
        "stop = threading.Event()\n"
        "def busy():\n"
        "    while not stop.is_set(): span('busy')\n"
        "threads = [threading.Thread(target=busy) for _ in range(4)]\n"
        "for thread in threads: thread.start()\n"
        "for number in range(10):\n"
        "    child = os.fork()\n"
        "    if child == 0:\n"
        "        span(f'child {number}')\n"
        "        os._exit(0 if flush(20) else 1)\n"
        "    assert os.waitpid(child, 0)[1] == 0\n"
        "stop.set()\n"
        "for thread in threads: thread.join()\n"
        "os._exit(0)\n"
    )
    with CollectorServer() as server:
        program.run(code, server.endpoint)
        children = sorted(received.name for received in server.spans if received.name.startswith("child"))
        assert children == [f"child {number}" for number in range(10)]


METHODS = [
    pytest.param("fork", marks=forks),
    pytest.param("forkserver", marks=forks),
    "spawn",
]

PROCESSES = (
    START
    + """
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

def work(number):
    if multiprocessing.get_start_method() != "fork":
        register(endpoint=sys.argv[1], verbose=False)
    span(f"child {number}")

if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[2])
    register(endpoint=sys.argv[1], verbose=False)
    span("parent before")
    if sys.argv[3] == "Process":
        children = [multiprocessing.Process(target=work, args=(number,)) for number in range(3)]
        for child in children: child.start()
        for child in children: child.join()
        assert [child.exitcode for child in children] == [0, 0, 0]
    else:
        with ProcessPoolExecutor(2) as pool:
            list(pool.map(work, range(3)))
    span("parent after")
"""
)


@pytest.mark.parametrize("kind", ["Process", "ProcessPoolExecutor"])
@pytest.mark.parametrize("method", METHODS)
def test_children_of_multiprocessing_send_their_spans(program: Program, method: str, kind: str) -> None:
    """Without a flush, though they leave by os._exit; and nobody sends what the parent sends."""
    with CollectorServer() as server:
        program.run(PROCESSES, server.endpoint, method, kind)
        names = sorted(received.name for received in server.spans)
        assert names == ["child 0", "child 1", "child 2", "parent after", "parent before"]


@forks
def test_children_of_multiprocessing_send_over_grpc(program: Program) -> None:
    """After the parent has opened its own channel."""
    with CollectorServer("grpc") as server:
        code = PROCESSES.replace('span("parent before")', 'span("parent before"); flush(20)')
        program.run(code, server.endpoint, "fork", "Process")
        names = sorted(received.name for received in server.spans)
        assert names == ["child 0", "child 1", "child 2", "parent after", "parent before"]


@forks
def test_a_child_of_multiprocessing_is_not_kept_by_a_hanging_server(program: Program) -> None:
    """Both exits are bounded."""
    with CollectorServer() as server:
        server.fail_always(Fault("hang"))
        program.run(PROCESSES, server.endpoint, "fork", "Process")
        assert server.spans == []


def test_multiprocessing_is_not_imported_for_its_sake(program: Program) -> None:
    """A program that doesn't use it doesn't pay for it."""
    with CollectorServer() as server:
        code = START + (
            "register(endpoint=sys.argv[1], verbose=False)\nspan('a')\nflush()\n"
            "print('multiprocessing.util' in sys.modules)"
        )
        out, _ = program.run(code, server.endpoint)
        assert out.strip() == "False"


def test_no_thread_no_socket_no_file_where_nothing_ends(program: Program) -> None:
    """register() alone starts nothing."""
    code = START + (
        "import threading\n"
        "register()\n"
        "print([thread.name for thread in threading.enumerate()], os.path.exists(os.environ['AGENTTRACE_HOME']))"
    )
    out, _ = program.run(code)
    assert out.strip() == "['MainThread'] False"


def test_stderr_that_is_closed_is_no_reason_to_fail(program: Program) -> None:
    """As in a program without a console."""
    code = START + "sys.stderr.close()\nregister()\nspan('a')\nsys.stderr = None\nregister(project_name='b')\n"
    out, _ = program.run(code + "span('b')\nprint(flush())")
    assert out.strip() == "1 sent"
