"""The collector configurations under deploy/. No collector runs here: what can be checked without one is."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from agenttrace.delivery.options import DeliveryOptions
from agenttrace.destinations import langfuse, phoenix
from tests.deploy.collector_keys import VERSION, problems
from tests.deploy.files import COLLECTORS, DEPLOY, collector, example_environment, variables_of

BACKENDS = ("collector-single.yaml", "collector-sampling.yaml")
BOTH = "[otlp_http/phoenix, otlp_http/langfuse]"


def pipeline(config: dict[str, Any]) -> dict[str, list[str]]:
    """The one pipeline that there is."""
    [(signal, found)] = config["service"]["pipelines"].items()
    assert signal == "traces"
    return dict(found)


@pytest.mark.parametrize("name", COLLECTORS)
def test_every_key_is_one_that_its_component_takes(name: str) -> None:
    """A misspelt key would stop a collector from starting."""
    assert problems(collector(name)) == []


def test_a_misspelt_key_is_found() -> None:
    """The check above sees a wrong key, a wrong component and a value of the wrong shape."""
    config = collector("collector-gateway.yaml")
    config["exporters"]["load_balancing"]["sending_queue"]["queuesize"] = 1
    config["exporters"]["loadbalancing"] = {}
    config["processors"]["memory_limiter"] = []
    config["processor"] = {}
    assert sorted(problems(config)) == [
        "exporters.load_balancing.sending_queue.queuesize: unknown",
        "exporters.loadbalancing: unknown",
        "processor: no such section",
        "processors.memory_limiter: takes settings",
    ]


@pytest.mark.parametrize("name", COLLECTORS)
def test_what_the_service_names_is_defined_and_what_is_defined_is_used(name: str) -> None:
    """With both backends switched on, nothing is missing and nothing lies about."""
    config = collector(name, TRACE_EXPORTERS=BOTH)
    used = pipeline(config) | {"extensions": config["service"]["extensions"]}
    for section in ("extensions", "receivers", "processors", "exporters"):
        assert sorted(used[section]) == sorted(config[section]), section


@pytest.mark.parametrize("name", [*COLLECTORS, "compose.yaml"])
def test_a_variable_has_the_same_default_in_the_file_as_in_the_example(name: str) -> None:
    """Each one stands in .env.example, where people look for what they can set, with what an unset one means."""
    defaults = variables_of(name)
    assert defaults
    assert defaults == {variable: example_environment().get(variable) for variable in defaults}


def test_the_example_sets_nothing_that_no_file_reads() -> None:
    """Every variable of .env.example does something."""
    read = {variable for name in (*COLLECTORS, "compose.yaml") for variable in variables_of(name)}
    assert set(example_environment()) == read


@pytest.mark.parametrize("name", COLLECTORS)
def test_memory_is_guarded_first_and_nothing_batches_in_memory_behind_it(name: str) -> None:
    """What was refused is still the sender's, and what was taken is on disk, but for what the sampler has to hold."""
    config = collector(name)
    sampling = ["tail_sampling"] if name == "collector-sampling.yaml" else []
    assert pipeline(config)["processors"] == ["memory_limiter", *sampling]


@pytest.mark.parametrize("name", COLLECTORS)
def test_every_exporter_has_a_queue_on_disk_and_never_gives_up(name: str) -> None:
    """An outage is bounded by the disk that is given to it, and by nothing else."""
    config = collector(name)
    for exporter in config["exporters"].values():
        queue, retries = exporter["sending_queue"], exporter["retry_on_failure"]
        assert queue["enabled"] is True
        assert queue["storage"] in config["service"]["extensions"]
        assert (queue["sizer"], queue["queue_size"]) == ("bytes", 10_000_000_000)
        assert (retries["enabled"], retries["max_elapsed_time"]) == (True, "0s")
    storage = config["extensions"]["file_storage"]
    assert storage["compaction"]["directory"] == storage["directory"]


@pytest.mark.parametrize("name", BACKENDS)
def test_a_batch_takes_the_largest_span_that_agenttrace_sends(name: str) -> None:
    """A span that fits into no batch would be dropped by the exporter."""
    for exporter in collector(name)["exporters"].values():
        batch = exporter["sending_queue"]["batch"]
        assert batch["sizer"] == "bytes"
        assert batch["min_size"] <= DeliveryOptions().batch_bytes < batch["max_size"]


@pytest.mark.parametrize("name", COLLECTORS)
def test_a_receiver_takes_what_agenttrace_sends(name: str) -> None:
    """Over gRPC the default of 4 MiB leaves no room for a batch that two sources were put together in."""
    receiver = collector(name)["receivers"]["otlp"]["protocols"]["grpc"]
    assert receiver["max_recv_msg_size_mib"] * 2**20 > 2 * DeliveryOptions().batch_bytes


def test_the_gateway_sends_a_trace_to_one_sampler_and_queues_once() -> None:
    """Its own queue is the one on disk; a second one for each sampler would be in memory."""
    balancing = collector("collector-gateway.yaml")["exporters"]["load_balancing"]
    assert balancing["routing_key"] == "traceID"
    assert len(balancing["resolver"]["static"]["hostnames"]) == 2
    sending = balancing["protocol"]["otlp"]
    assert (sending["sending_queue"]["enabled"], sending["retry_on_failure"]["enabled"]) == (False, False)


def test_the_samplers_keep_errors_slow_runs_and_a_share_of_the_rest() -> None:
    """Each policy keeps a trace by itself, and what comes late follows the decision."""
    sampling = collector("collector-sampling.yaml")["processors"]["tail_sampling"]
    assert {policy["type"]: policy[policy["type"]] for policy in sampling["policies"]} == {
        "status_code": {"status_codes": ["ERROR"]},
        "latency": {"threshold_ms": 30_000},
        "probabilistic": {"sampling_percentage": 10},
    }
    assert min(sampling["decision_cache"].values()) >= 10 * sampling["num_traces"]


@pytest.mark.parametrize("name", BACKENDS)
def test_no_key_stands_in_a_file(name: str) -> None:
    """Keys come from the environment alone, and the example has none to be copied by mistake."""
    for exporter in collector(name)["exporters"].values():
        assert exporter["headers"]["authorization"].strip() in ("Bearer", "Basic")
    example = example_environment()
    assert [example[variable] for variable in ("PHOENIX_API_KEY", "LANGFUSE_AUTH")] == ["", ""]
    assert (DEPLOY / ".gitignore").read_text(encoding="utf-8").split() == [".env"]


@pytest.mark.parametrize("name", COLLECTORS)
def test_the_files_say_which_release_they_are_written_for(name: str) -> None:
    """The comment at the top, the image and the keys that are checked are of one release."""
    assert f"collector-contrib {VERSION}" in (DEPLOY / name).read_text(encoding="utf-8")


def sent(name: str, exporter: str, **environment: str) -> tuple[str, dict[str, str]]:
    """Where an exporter posts traces to and with which headers; it adds the path itself."""
    found = collector(name, **environment)["exporters"][exporter]
    return found["endpoint"] + "/v1/traces", {key.lower(): value for key, value in found["headers"].items()}


@pytest.mark.parametrize("name", BACKENDS)
def test_langfuse_gets_from_a_collector_what_it_gets_from_agenttrace(name: str) -> None:
    """The same path, the same basic auth and the same ingestion header."""
    direct = langfuse(public_key="pk", secret_key="sk", host="http://127.0.0.1:3000")
    url, headers = sent(
        name,
        "otlp_http/langfuse",
        LANGFUSE_HOST="http://127.0.0.1:3000",
        LANGFUSE_AUTH=base64.b64encode(b"pk:sk").decode(),
    )
    assert url == str(direct.endpoint)
    assert headers == dict(direct.headers)


@pytest.mark.parametrize("name", BACKENDS)
def test_phoenix_gets_from_a_collector_what_it_gets_from_agenttrace(name: str) -> None:
    """The same path and the same bearer token."""
    direct = phoenix(endpoint="http://127.0.0.1:6006", api_key="key")
    url, headers = sent(
        name, "otlp_http/phoenix", PHOENIX_COLLECTOR_ENDPOINT="http://127.0.0.1:6006", PHOENIX_API_KEY="key"
    )
    assert url == str(direct.endpoint)
    assert headers == dict(direct.headers)


@pytest.mark.parametrize("name", BACKENDS)
def test_langfuse_gets_what_its_documentation_asks_for(name: str) -> None:
    """Its OTLP path, basic auth and the header of the current ingestion."""
    url, headers = sent(name, "otlp_http/langfuse", LANGFUSE_AUTH="cGs6c2s=")
    assert url == "https://cloud.langfuse.com/api/public/otel/v1/traces"
    assert headers == {"authorization": "Basic cGs6c2s=", "x-langfuse-ingestion-version": "4"}
