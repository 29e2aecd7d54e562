"""What a Phoenix server has made of a project's spans: the fields that its pages are drawn from, not raw attributes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .phoenix_api import ARRIVAL_SECONDS, Fields, PhoenixApi

_ANNOTATION = "name score label explanation annotatorKind identifier metadata"
_BREAKDOWN = "{ prompt { tokens cost } completion { tokens cost } total { tokens cost } }"
_SPANS = f"""
query ($project: ID!) {{
  node(id: $project) {{
    ... on Project {{
      spans(first: 1000) {{
        edges {{
          node {{
            spanId parentId name spanKind statusCode propagatedStatusCode startTime attributes userId metadata
            numDocuments
            tokenCountPrompt tokenCountCompletion tokenCountTotal
            tokenPromptDetails {{ cacheRead cacheWrite audio }}
            cumulativeTokenCountPrompt cumulativeTokenCountCompletion cumulativeTokenCountTotal
            input {{ value mimeType }}
            output {{ value mimeType }}
            events {{ name message }}
            costSummary {_BREAKDOWN}
            costDetailSummaryEntries {{ tokenType isPrompt value {{ tokens }} }}
            documentRetrievalMetrics {{ evaluationName precision(k: 2) hit reciprocalRank }}
            spanAnnotations {{ {_ANNOTATION} }}
            trace {{
              traceId
              traceAnnotations {{ {_ANNOTATION} }}
              costSummary {_BREAKDOWN}
              session {{
                sessionId userId numTraces
                tokenUsage {{ prompt completion total }}
                sessionAnnotations {{ {_ANNOTATION} }}
              }}
            }}
          }}
        }}
      }}
    }}
  }}
}}
"""


@dataclass(frozen=True)
class Understood:
    """A project's spans as Phoenix understands them, in the order in which they started."""

    phoenix: PhoenixApi
    project: str
    spans: list[Fields] = field(default_factory=list)

    def named(self, name: str) -> list[Fields]:
        """The spans of that name."""
        found = [span for span in self.spans if span["name"] == name]
        assert found, f"no span {name!r} among {[span['name'] for span in self.spans]}"
        return found

    def of_kind(self, kind: str) -> list[Fields]:
        """The spans of that OpenInference kind."""
        return [span for span in self.spans if span["spanKind"] == kind.lower()]

    @property
    def roots(self) -> list[Fields]:
        """The spans that have no parent."""
        return [span for span in self.spans if span["parentId"] is None]

    def again(self) -> Understood:
        """The same project, asked for anew."""
        return understood(self.phoenix, self.project)

    def until(self, holds: Callable[[Understood], bool]) -> Understood:
        """The same project once ``holds`` is true of it, or as it is when that never came."""
        deadline = time.monotonic() + ARRIVAL_SECONDS
        latest = self.again()
        while not holds(latest) and time.monotonic() < deadline:
            time.sleep(0.2)
            latest = self.again()
        return latest


def understood(phoenix: PhoenixApi, project: str) -> Understood:
    """What Phoenix has made of the project's spans, which have arrived."""
    answer = phoenix.query(_SPANS, project=phoenix.project_id(project))
    spans = [edge["node"] for edge in answer["node"]["spans"]["edges"]]
    for span in spans:
        span["attributes"] = json.loads(span["attributes"])
    return Understood(phoenix, project, sorted(spans, key=lambda span: str(span["startTime"])))


def messages(span: Fields, direction: str) -> list[Fields]:
    """The messages of an LLM span, nested as Phoenix's pages read them.

    Args:
        span: A span of `Understood`.
        direction: ``input`` or ``output``.
    """
    return [item["message"] for item in span["attributes"]["llm"][f"{direction}_messages"]]


def said(message: Fields) -> str:
    """The text of a message, of its parts too: of a text, and of a document that was written out in the message."""
    parts = [part["message_content"] for part in message.get("contents", ()) if "message_content" in part]
    return str(message.get("content") or "".join(map(_text_of_part, parts)))


def _text_of_part(part: Fields) -> str:
    if part["type"] == "document":
        return str(part["document"]["document"].get("content", ""))
    return str(part["text"]) if part["type"] == "text" else ""


def calls(message: Fields) -> list[tuple[str, Any]]:
    """The tool calls of a message: names, and what their arguments mean."""
    functions = [call["tool_call"]["function"] for call in message.get("tool_calls", ())]
    return [(function["name"], json.loads(function["arguments"])) for function in functions]
