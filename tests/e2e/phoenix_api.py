"""What the end-to-end tests ask of a Phoenix server, over its own REST API, and how its spans compare with ours."""

from __future__ import annotations

import dataclasses
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any

ARRIVAL_SECONDS = 60

LOADED = ("metadata", "tool.parameters", "llm.prompt_template.variables")
"""How the names of attributes end that Phoenix stores as the objects that their JSON texts mean."""

Fields = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class PhoenixApi:
    """One server: where spans go, and what it says it has.

    Args:
        http_endpoint: Where it takes spans over HTTP, and answers questions.
        grpc_endpoint: Where it takes spans over gRPC.
        headers: What it wants to be sent along with a question.
    """

    http_endpoint: str
    grpc_endpoint: str
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def endpoint(self, protocol: str) -> str:
        """The endpoint for ``http`` or ``grpc``."""
        return {"http": self.http_endpoint, "grpc": self.grpc_endpoint}[protocol]

    def projects(self) -> list[str]:
        """The names of all projects."""
        return [project["name"] for project in self._get("/v1/projects", limit="100")["data"]]

    def sessions(self, project: str) -> list[Fields]:
        """The project's sessions, each with its traces."""
        data: list[Fields] = self._get(f"/v1/projects/{project}/sessions", limit="100")["data"]
        return data

    def spans(self, project: str, count: int) -> dict[str, Fields]:
        """The project's spans by span id, once there are ``count`` of them; fewer only when they never came.

        Phoenix answers an export before it has stored it: the spans show up a moment later.
        """
        found: dict[str, Fields] = {}
        deadline = time.monotonic() + ARRIVAL_SECONDS
        while len(found) < count and time.monotonic() < deadline:
            time.sleep(0.1)
            found = {span["context"]["span_id"]: _comparable(span) for span in self._all_spans(project)}
        return found

    def wait_for_stored(self, project: str, span_ids: set[str]) -> list[str]:
        """The ids of all spans in the project, as often as they are there, once these are among them.

        Phoenix writes some hundred spans a second, and listing them keeps it from that: it is asked for their number
        first, which it counts anew when it has written.
        """
        deadline = time.monotonic() + ARRIVAL_SECONDS
        while self._count(project) < len(span_ids) and time.monotonic() < deadline:
            time.sleep(0.5)
        found: list[str] = []
        while not span_ids <= set(found):
            found = [span["context"]["span_id"] for span in self._all_spans(project)]
            if time.monotonic() >= deadline:
                break
            time.sleep(0.5)
        missing = span_ids - set(found)
        assert not missing, f"{len(missing)} of {len(span_ids)} spans of {project} never came"
        return found

    def _count(self, project: str) -> int:
        if project not in self.projects():  # a project begins with its first span
            return 0
        text = "query ($id: ID!) { node(id: $id) { ... on Project { recordCount } } }"
        count: int = self.query(text, id=self.project_id(project))["node"]["recordCount"]
        return count

    def query(self, text: str, **variables: object) -> Fields:
        """The answer to a question in GraphQL, as Phoenix's own pages ask them."""
        answer = self.post("/graphql", {"query": text, "variables": variables})
        assert "errors" not in answer, answer["errors"]
        data: Fields = answer["data"]
        return data

    def project_id(self, project: str) -> str:
        """The id under which GraphQL knows the project."""
        identifier: str = self._get(f"/v1/projects/{project}")["data"]["id"]
        return identifier

    def post(self, path: str, body: object, **options: str) -> Fields:
        """The answer to a request with a JSON body."""
        request = urllib.request.Request(
            f"{self.http_endpoint}{path}?{urllib.parse.urlencode(options)}",
            json.dumps(body).encode(),
            {**self.headers, "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            answer: Fields = json.load(response)
            return answer

    def _all_spans(self, project: str) -> list[Fields]:
        spans: list[Fields] = []
        options = {"limit": "500"}
        while True:
            try:
                page = self._get(f"/v1/projects/{project}/spans", **options)
            except urllib.error.HTTPError as error:
                if error.code == 404:  # a project begins with its first span
                    return []
                raise
            spans += page["data"]
            if not page["next_cursor"]:
                return spans
            options["cursor"] = page["next_cursor"]

    def _get(self, path: str, **options: str) -> Fields:
        address = f"{self.http_endpoint}{urllib.parse.quote(path)}?{urllib.parse.urlencode(options)}"
        with urllib.request.urlopen(
            urllib.request.Request(address, headers=dict(self.headers)), timeout=30
        ) as response:
            answer: Fields = json.load(response)
            return answer


def _comparable(span: Fields) -> Fields:
    """A span of Phoenix's API in the form in which ``recorder.py`` writes ours."""
    return {
        "trace_id": span["context"]["trace_id"],
        "parent_id": span["parent_id"],
        "name": span["name"],
        "kind": span["span_kind"],
        "status": span["status_code"],
        "message": span["status_message"],
        "attributes": flatten(span["attributes"]),
        "events": [(event["name"], event["attributes"]) for event in span["events"]],
    }


def read_recorded(text: str) -> dict[str, Fields]:
    """The spans that ``recorder.py`` wrote, by span id, in the form of `PhoenixApi.spans`."""
    spans = {}
    for line in text.splitlines():
        span = json.loads(line)
        identifier = span.pop("span_id")
        span["kind"] = span["attributes"].pop("openinference.span.kind")
        span["attributes"] = flatten({name: _loaded(name, value) for name, value in span["attributes"].items()})
        span["events"] = [(name, values) for name, values in span["events"]]
        spans[identifier] = span
    return spans


def differences(arrived: dict[str, Fields], recorded: dict[str, Fields]) -> list[str]:
    """What the server has otherwise than it was recorded, a line for each span or field of one."""
    found = [f"{recorded[key]['name']} never came" for key in recorded.keys() - arrived.keys()]
    found += [f"{arrived[key]['name']} was not recorded" for key in arrived.keys() - recorded.keys()]
    for key in recorded.keys() & arrived.keys():
        ours, theirs = flatten(recorded[key]), flatten(arrived[key])
        for field in sorted(ours.keys() | theirs.keys()):
            if (sent := ours.get(field, "nothing")) != (got := theirs.get(field, "nothing")):
                found.append(f"{ours['name']}: {field} was {str(sent)[:200]!r} and arrived as {str(got)[:200]!r}")
    return found


def _loaded(name: str, value: Any) -> Any:
    """The value of an attribute that Phoenix stores as the object that its JSON text means."""
    return json.loads(value) if name.endswith(LOADED) else value


def flatten(value: Any, name: str = "") -> Fields:
    """Nested objects and lists as one mapping with dotted names: Phoenix nests what it was sent flat, and back.

    Empty objects leave nothing, as they do in Phoenix.
    """
    if isinstance(value, dict):
        items = [(f"{name}.{key}" if name else str(key), inner) for key, inner in value.items()]
    elif isinstance(value, (list, tuple)) and value:
        items = [(f"{name}.{index}", inner) for index, inner in enumerate(value)]
    else:
        return {name: value}
    return {path: leaf for inner_name, inner in items for path, leaf in flatten(inner, inner_name).items()}
