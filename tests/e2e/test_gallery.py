"""The gallery against a real Phoenix server: what Phoenix's own API makes of each trace, not raw attributes alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from .phoenix_api import Fields, PhoenixApi, differences
from .running import EXAMPLES, run_example
from .understanding import Understood, calls, messages, said, understood

FILES = sorted(path.stem for path in (EXAMPLES / "gallery").glob("*.py") if path.stem != "checked")
OVER_GRPC = ["anthropic_messages", "embedding", "evaluator", "openai_chat", "retriever"]
OSLO = [("get_weather", {"city": "Oslo"})]

Gallery = Callable[[str], Understood]


class Tokens(NamedTuple):
    """How many tokens a model call took, as Phoenix shows it."""

    prompt: int
    completion: int
    cache_read: int = 0
    cache_write: int = 0
    audio: int = 0


TOKENS = {
    "anthropic_messages": [Tokens(1020, 60, cache_write=1000), Tokens(1030, 8, cache_read=1000)],
    "cohere_chat": [Tokens(500, 40), Tokens(560, 9)],
    "google_genai": [Tokens(60, 52), Tokens(90, 6, cache_read=32)],
    "huggingface_chat": [Tokens(40, 4), Tokens(0, 3)],
    "langchain_chat": [Tokens(60, 15), Tokens(90, 7, cache_read=32)],
    "litellm_chat": [Tokens(21, 9, cache_read=16)] * 3,
    "llm_by_hand": [Tokens(120, 14, cache_read=64)],
    "mistral_chat": [Tokens(70, 20), Tokens(95, 31)],
    "multimodal": [Tokens(340, 5, audio=60)] * 2,
    "ollama_chat": [Tokens(160, 45), Tokens(190, 8)],
    "openai_chat": [Tokens(82, 17), Tokens(118, 12, cache_read=64)],
    "openai_responses": [Tokens(75, 90), Tokens(182, 6, cache_read=128)],
    "openai_streaming": [Tokens(14, 4)],
    "own_reader": [Tokens(9, 4)],
    "smolagents_agent": [Tokens(900, 20), Tokens(960, 14)],
}
"""Each file's model calls in the order in which they began."""

REASONING = {"google_genai": [40, 0], "litellm_chat": [5, 5, 5], "openai_responses": [64, 0]}
"""How many of the completion's tokens were spent on thinking."""


class Turns(NamedTuple):
    """A conversation of two model calls with a tool call between them."""

    roles: list[str]
    """Of the messages that went into the second call."""
    asked: list[tuple[str, Any]] = OSLO
    """The tool calls that the first one answered with."""
    result: str = "14 °C and rain"
    answer: str = "It rains in Oslo."


TURNS = {
    "anthropic_messages": Turns(["system", "user", "assistant", "tool"], result="14 °C and rain in Oslo"),
    "cohere_chat": Turns(["user", "assistant", "tool"], result='{"weather": "14 °C and rain"}'),
    "google_genai": Turns(["system", "user", "model", "tool"], result='{"weather":"14 °C and rain"}'),
    "langchain_chat": Turns(["system", "user", "assistant", "tool"]),
    "mistral_chat": Turns(["user", "assistant", "tool"], answer="Take an umbrella."),
    "ollama_chat": Turns(["user", "assistant", "tool"]),
    "openai_chat": Turns(
        ["user", "assistant", "tool"], result="14 °C and rain in Oslo", answer="It rains in Oslo, at 14 °C."
    ),
    "openai_responses": Turns(
        ["system", "user", "assistant", "assistant", "tool"], asked=[("get_weather", {})], answer="It rains."
    ),
}
OFFERED = ["anthropic_messages", "google_genai", "llm_by_hand", "openai_chat", "openai_responses", "smolagents_agent"]
"""The files whose model calls are offered a tool."""


@pytest.fixture(scope="session")
def gallery(phoenix: PhoenixApi, tmp_path_factory: pytest.TempPathFactory) -> Gallery:
    """Runs a file of the gallery, once, and gives what Phoenix understands of it."""
    known: dict[str, Understood] = {}

    def run(name: str) -> Understood:
        if name not in known:
            assert_arrives_whole(phoenix, name, "http", tmp_path_factory.mktemp(name))
            known[name] = understood(phoenix, f"{name}-http")
        return known[name]

    return run


def assert_arrives_whole(phoenix: PhoenixApi, name: str, protocol: str, folder: Path) -> None:
    """Run a file; the server has just what was recorded, in a project of the file's own."""
    project = f"{name}-{protocol}"
    printed, recorded = run_example(
        f"gallery/{name}.py",
        folder,
        PHOENIX_COLLECTOR_ENDPOINT=phoenix.endpoint(protocol),
        PHOENIX_PROJECT_NAME=project,
    )
    assert printed.endswith("all right\n"), printed
    assert recorded
    assert not differences(phoenix.spans(project, len(recorded)), recorded)


@pytest.mark.parametrize("name", FILES)
def test_every_file_arrives_whole(gallery: Gallery, name: str) -> None:
    """Each file's trace is checked by itself, and Phoenix has every span and attribute of it."""
    assert gallery(name).spans


@pytest.mark.parametrize("name", OVER_GRPC)
def test_files_arrive_whole_over_grpc(phoenix: PhoenixApi, tmp_path: Path, name: str) -> None:
    """The other protocol makes no difference: long vectors, nested messages and annotations come through."""
    assert_arrives_whole(phoenix, name, "grpc", tmp_path)


def test_the_expectations_here_are_of_files_that_there_are() -> None:
    """Nothing is expected of a file that is gone, and every provider's file is held to its counts."""
    assert {*TOKENS, *TURNS, *REASONING, *OFFERED, *OVER_GRPC} <= set(FILES)
    assert {name for name in FILES if name.endswith(("_chat", "_messages", "_responses", "_genai"))} <= set(TOKENS)


@pytest.mark.parametrize("name", TOKENS)
def test_token_counts_are_each_model_calls_own(gallery: Gallery, name: str) -> None:
    """Phoenix shows on each LLM span how many tokens it took, cached and audio tokens apart."""
    found = []
    for span in gallery(name).of_kind("LLM"):
        details = span["tokenPromptDetails"]
        parts = [details[part] or 0 for part in ("cacheRead", "cacheWrite", "audio")]
        found.append(Tokens(span["tokenCountPrompt"], span["tokenCountCompletion"], *parts))
        assert span["tokenCountTotal"] == span["tokenCountPrompt"] + span["tokenCountCompletion"]

    assert found == TOKENS[name]


@pytest.mark.parametrize("name", TOKENS)
def test_no_token_is_counted_twice(gallery: Gallery, name: str) -> None:
    """The traces' sums are those of their model calls: nothing above them has counts of its own."""
    view = gallery(name)
    prompt, completion = (sum(getattr(one, part) for one in TOKENS[name]) for part in ("prompt", "completion"))

    assert sum(root["cumulativeTokenCountPrompt"] for root in view.roots) == prompt
    assert sum(root["cumulativeTokenCountCompletion"] for root in view.roots) == completion
    traces = {span["trace"]["traceId"]: span["trace"]["costSummary"] for span in view.spans}
    assert sum(trace["total"]["tokens"] or 0 for trace in traces.values()) == prompt + completion
    assert not [span["name"] for span in view.spans if span["spanKind"] != "llm" and span["tokenCountTotal"]]


@pytest.mark.parametrize("name", REASONING)
def test_thinking_is_part_of_the_completion(gallery: Gallery, name: str) -> None:
    """What Phoenix breaks a call's tokens down into adds up to its total, the tokens spent on thinking among them."""
    for span, reasoning in zip(gallery(name).of_kind("LLM"), REASONING[name], strict=True):
        parts = span["costDetailSummaryEntries"]
        thought = [part["value"]["tokens"] for part in parts if part["tokenType"] == "reasoning"]
        assert sum(thought) == reasoning
        assert sum(part["value"]["tokens"] for part in parts) == span["tokenCountTotal"]


def test_calls_of_models_with_a_known_price_cost_something(gallery: Gallery) -> None:
    """Phoenix knows the model by the name that was recorded, and cached tokens make the prompt cheaper."""
    fresh, cached = gallery("openai_responses").of_kind("LLM")
    assert fresh["costSummary"]["total"]["cost"] > 0
    assert 0 < cached["costSummary"]["prompt"]["cost"] / 182 < fresh["costSummary"]["prompt"]["cost"] / 75


@pytest.mark.parametrize("name", TURNS)
def test_conversations_are_nested_as_phoenix_reads_them(gallery: Gallery, name: str) -> None:
    """The model's tool call, the tool's result and the answer: each in a message of its own, with its role."""
    expected = TURNS[name]
    first, second = gallery(name).of_kind("LLM")

    [asked] = messages(first, "output")
    assert calls(asked) == expected.asked
    history = messages(second, "input")
    assert [message["role"] for message in history] == expected.roles
    assert [call for message in history for call in calls(message)] == expected.asked
    assert said(history[-1]) == expected.result
    assert [said(message) for message in messages(second, "output")] == [expected.answer]


@pytest.mark.parametrize("name", OFFERED)
def test_offered_tools_have_their_schema(gallery: Gallery, name: str) -> None:
    """Each tool is there as the JSON that the provider was sent."""
    for span in gallery(name).of_kind("LLM"):
        tool, *_ = [item["tool"] for item in span["attributes"]["llm"]["tools"]]
        schema = json.loads(tool["json_schema"])
        assert (schema.get("function") or schema)["name"] == "get_weather"


def test_thoughts_keep_their_place_and_their_signature(gallery: Gallery) -> None:
    """What a model thought stands before what it said, with what its provider wants back."""
    [message] = messages(gallery("anthropic_messages").of_kind("LLM")[0], "output")
    thought, text, use = message["contents"]
    assert thought["message_content"] == {
        "type": "reasoning",
        "text": "I need the weather.",
        "signature": "EqQBCgIYAg==",
    }
    assert (text["message_content"]["text"], use["message_content"]["type"]) == ("I'll look it up.", "tool_use")
    [message] = messages(gallery("google_genai").of_kind("LLM")[0], "output")
    assert message["tool_calls"][0]["tool_call"]["reasoning_signature"] == "CpQBAVSo"


def test_images_audio_and_documents_are_parts_of_messages(gallery: Gallery) -> None:
    """Each part has its type and its own fields, whichever provider's shape it came in."""
    first, second = gallery("multimodal").of_kind("LLM")
    [message] = messages(first, "input")
    text, image, audio = [part["message_content"] for part in message["contents"]]
    assert text["type"] == "text"
    assert image["image"]["image"]["url"].startswith("data:image/png;base64,")
    assert audio["audio"]["audio"]["mime_type"] == "audio/wav"
    [message] = messages(second, "input")
    parts = [part["message_content"] for part in message["contents"]]
    assert [part["type"] for part in parts] == ["image", "document", "text"]
    assert parts[1]["document"]["document"]["content"] == "Oslo is rainy."


def test_input_and_output_of_a_model_call_by_hand_are_shown(gallery: Gallery) -> None:
    """Phoenix's table of spans has what went in and what came out."""
    [call] = gallery("llm_by_hand").of_kind("LLM")
    assert call["input"] == {"value": "What is the weather in Oslo?", "mimeType": "text"}
    assert call["output"] == {"value": "It rains in Oslo, at 14 °C.", "mimeType": "text"}


def test_retrieved_documents_are_counted_and_can_be_judged(gallery: Gallery, phoenix: PhoenixApi) -> None:
    """Phoenix knows how many documents were found, and works out precision from judgements of each."""
    view = gallery("retriever")
    [notes] = view.named("find_notes")
    assert notes["numDocuments"] == 2
    first, second = [item["document"] for item in notes["attributes"]["retrieval"]["documents"]]
    assert (first["id"], first["score"]) == ("tides", 0.5)
    assert first["content"].startswith("The moon")
    assert first["metadata"] == {"file": "notes/tides.md"}
    assert second["score"] < first["score"]

    judged = [
        {"span_id": notes["spanId"], "document_position": place, "name": "relevance", "annotator_kind": "LLM"}
        | {"result": {"score": score}}
        for place, score in enumerate([1, 0])
    ]
    phoenix.post("/v1/document_annotations", {"data": judged}, sync="true")

    [notes] = view.again().named("find_notes")
    [metrics] = notes["documentRetrievalMetrics"]
    assert metrics == {"evaluationName": "relevance", "precision": 0.5, "hit": 1, "reciprocalRank": 1}


def test_reranked_documents_are_counted_in_their_new_order(gallery: Gallery) -> None:
    """Phoenix counts what came out; each document has its text and score."""
    for span in gallery("reranker").of_kind("RERANKER"):
        reranker = span["attributes"]["reranker"]
        assert span["numDocuments"] == 2
        assert reranker["query"] == "the tide of Oslo"
        assert len(reranker["input_documents"]) == 3
        best = reranker["output_documents"][0]["document"]
        assert (best["content"], best["score"] > 0.7) == ("Tide tables of Oslo", True)


def test_embeddings_have_their_text_and_vector(gallery: Gallery) -> None:
    """Phoenix takes the vectors for vectors, which its pages show by their length alone."""
    own, remote = gallery("embedding").of_kind("EMBEDDING")
    for span, model, length in ((own, "letters-1", 5), (remote, "text-embedding-3-small", 3)):
        assert span["name"] == "CreateEmbeddings"
        assert span["attributes"]["embedding"]["model_name"] == model
        embeddings = [item["embedding"] for item in span["attributes"]["embedding"]["embeddings"]]
        assert [embedding["text"] for embedding in embeddings] == ["rain in Oslo", "sun in Rome"]
        assert {embedding["vector"] for embedding in embeddings} == {f"<{length} dimensional vector>"}


def test_a_session_has_its_traces_user_and_metadata(gallery: Gallery) -> None:
    """Two runs are one conversation of one user."""
    view = gallery("session")
    sessions = [root["trace"]["session"] for root in view.roots]
    assert [(session["sessionId"], session["userId"], session["numTraces"]) for session in sessions] == [
        ("conversation-42", "ann", 2)
    ] * 2
    assert {span["userId"] for span in view.spans} == {"ann"}
    assert [json.loads(root["metadata"]) for root in view.roots] == [
        {"release": "1.4", "turn": 1},
        {"release": "1.4", "turn": 2},
    ]
    assert [root["attributes"].get("tag") for root in view.roots] == [None, {"tags": ["follow-up"]}]


def test_a_prompts_template_is_on_the_model_call(gallery: Gallery) -> None:
    """Template, version and variables: what Phoenix opens its playground with."""
    [call] = gallery("prompt").of_kind("LLM")
    assert call["attributes"]["llm"]["prompt_template"] == {
        "template": "What is the weather in $city on a $day?",
        "version": "v2",
        "variables": {"city": "Oslo", "day": "Monday"},
    }


def test_a_recovered_error_stays_where_it_happened(gallery: Gallery) -> None:
    """The tool failed, with its exception; the agent that went on did not."""
    view = gallery("recovered_error")
    assert [root["statusCode"] for root in view.roots] == ["OK", "ERROR"]
    failed = [span for span in view.named("book") if span["statusCode"] == "ERROR"]
    assert [span["events"][0]["message"] for span in failed] == ["Grand has no room left"] * 2


def test_a_stream_notes_its_first_token(gallery: Gallery) -> None:
    """Both a generator's and a real client's stream have the event and the whole answer."""
    for name, span_name, answer in (
        ("streaming", "words", "It rains in Oslo."),
        ("openai_streaming", "ask", "It rains."),
    ):
        [span] = gallery(name).named(span_name)
        assert [event["name"] for event in span["events"]] == ["First Token Stream Event"]
        assert [said(message) for message in messages(span, "output")] == [answer]


def test_nothing_private_arrives(gallery: Gallery) -> None:
    """Neither the address, the password nor an answer is anywhere in what Phoenix has."""
    everything = json.dumps(gallery("privacy").spans)
    assert "<e-mail>" in everything
    for secret in ("ann@example.com", "correct horse", "She lives in Oslo"):
        assert secret not in everything


def test_annotations_are_phoenixs_own(gallery: Gallery) -> None:
    """What was annotated while the span was open, after it had ended, and of the session: each is an annotation."""

    def is_complete(view: Understood) -> bool:
        [root] = view.named("assistant")
        return len(root["spanAnnotations"]) == 2 and bool(root["trace"]["session"]["sessionAnnotations"])

    [root] = gallery("evaluator").until(is_complete).named("assistant")
    found = {annotation["name"]: annotation for annotation in root["spanAnnotations"]}
    assert found.keys() == {"relevance", "helpfulness"}
    assert found["relevance"] == annotation(
        name="relevance", label="relevant", score=pytest.approx(2 / 3), annotatorKind="CODE"
    )
    assert found["helpfulness"] == annotation(
        name="helpfulness",
        label="helpful",
        score=1,
        explanation="Short, and true.",
        annotatorKind="HUMAN",
        identifier="reviewer-7",
        metadata={"form": 3},
    )
    assert root["trace"]["session"]["sessionAnnotations"] == [
        annotation(name="resolved", label="yes", annotatorKind="HUMAN")
    ]


def annotation(**given: Any) -> Fields:
    """An annotation as GraphQL gives it, with what was not given left empty."""
    empty: Fields = {"score": None, "label": None, "explanation": None, "identifier": "", "metadata": {}}
    return {**empty, **given}
