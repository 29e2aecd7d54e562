"""What a request to Langfuse is like, and what becomes of one that it refuses: see `server` for what is documented."""

from __future__ import annotations

from typing import Literal

import pytest

from agenttrace import flush, trace_step
from tests.isolation import isolated, warnings_in
from tests.langfuse.sending import register_with
from tests.langfuse.server import PUBLIC_KEY, SECRET_KEY, TRACES_PATH, LangfuseServer, basic

__all__ = ["isolated"]

pytestmark = pytest.mark.usefixtures("isolated")


def end_span(name: str = "step") -> None:
    with trace_step(name, input="in") as step:
        step.set_output("out")


@pytest.mark.parametrize("answers", ["protobuf", "json"])
def test_a_batch_is_posted_as_the_documentation_asks(
    answers: Literal["protobuf", "json"], caplog: pytest.LogCaptureFixture
) -> None:
    """Path, content type, keys and version are the documented ones; either kind of answer means that it arrived."""
    with LangfuseServer(answers) as server:
        register_with(server)
        end_span()
        assert flush()
        [request] = server.wait_for_requests(1)
        assert server.observations()["step"]["output"] == "out"
    assert request.answer.status == 200
    assert (request.method, request.path) == ("POST", TRACES_PATH)
    assert request.headers["content-type"] == "application/x-protobuf"
    assert request.headers["authorization"] == basic(PUBLIC_KEY, SECRET_KEY)
    assert request.headers["x-langfuse-ingestion-version"] == "4"
    assert not warnings_in(caplog)


def test_a_compressed_batch_arrives() -> None:
    """Langfuse documents gzip."""
    with LangfuseServer() as server:
        register_with(server, compression="gzip")
        end_span()
        assert flush()
        [request] = server.wait_for_requests(1)
        assert request.headers["content-encoding"] == "gzip"
        assert server.observations()["step"]["input"] == "in"


def test_a_wrong_key_is_refused_and_told_without_quoting_it(caplog: pytest.LogCaptureFixture) -> None:
    """Langfuse answers 401; that the credentials are refused is said once, and no key stands in what is said."""
    wrong = "sk-lf-of-another-project"
    with LangfuseServer() as server:
        register_with(server, wrong)
        end_span("first")
        flush()
        end_span("second")
        flush()
        refused = server.wait_for_requests(1)
        assert not server.spans
    expected = {"message": "Invalid credentials. Confirm that you've configured the correct host."}
    assert {(request.answer.status, request.answer.body["message"]) for request in refused} == {
        (401, expected["message"])
    }
    told = [warning for warning in warnings_in(caplog) if "credentials" in warning]
    assert len(told) == 1
    assert wrong not in caplog.text
    assert PUBLIC_KEY not in caplog.text
    assert basic(PUBLIC_KEY, wrong).split()[1] not in caplog.text


def test_a_run_that_was_sent_can_be_read_back() -> None:
    """The public API gives the trace with its observations to who has the keys, and to nobody else."""
    with LangfuseServer() as server:
        register_with(server)
        with trace_step("outer") as step:
            trace_id = step.trace_id
            end_span("inner")
        assert flush()
        server.wait_for_requests(1)
        status, trace = server.get(f"/api/public/traces/{trace_id}")
        assert (status, trace["id"], trace["name"]) == (200, trace_id, "outer")
        parents = {item["name"]: item["parentObservationId"] for item in trace["observations"]}
        assert parents == {"outer": None, "inner": step.span_id}
        assert server.get(f"/api/public/traces/{'0' * 31}1")[0] == 404
        assert server.get(f"/api/public/traces/{trace_id}", None) == (401, {"message": "No authorization header"})


def test_the_checks_of_credentials_answer_as_documented() -> None:
    """What `auth_check` and `doctor` ask: the health without keys, the projects with them."""
    with LangfuseServer() as server:
        status, health = server.get("/api/public/health", None)
        assert (status, health["status"]) == (200, "OK")
        status, projects = server.get("/api/public/projects")
        assert (status, [project["name"] for project in projects["data"]]) == (200, ["weather"])
        status, refusal = server.get("/api/public/projects", (PUBLIC_KEY, "sk-lf-wrong"))
        assert (status, refusal["message"][:19]) == (401, "Invalid credentials")
