"""The compose file under deploy/ fits the collector configurations that it mounts. No container runs here."""

from __future__ import annotations

from typing import Any

from tests.deploy.collector_keys import VERSION
from tests.deploy.files import DEPLOY, collector, compose

QUEUE = "/var/lib/otelcol/queue"


def mounts(service: dict[str, Any]) -> dict[str, str]:
    """Where each volume or file is seen, with what it is outside."""
    return {mount.split(":")[1]: mount.split(":")[0] for mount in service.get("volumes", [])}


def collectors() -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """Each service that is a collector, with the configuration that it is given."""
    found = {}
    for name, service in compose()["services"].items():
        if "opentelemetry-collector" in service["image"]:
            [option] = service["command"]
            file = mounts(service)[option.removeprefix("--config=")]
            found[name] = (service, collector(file.removeprefix("./")))
    return found


def port_of(address: str) -> str:
    """The port in ``host:port``."""
    return address.rpartition(":")[2]


def test_there_are_a_gateway_and_two_samplers() -> None:
    """The two tiers, each with the configuration of its own."""
    assert {name: mounts(service)["/etc/otelcol/config.yaml"] for name, (service, _) in collectors().items()} == {
        "gateway": "./collector-gateway.yaml",
        "sampler-1": "./collector-sampling.yaml",
        "sampler-2": "./collector-sampling.yaml",
    }
    assert all((DEPLOY / service["env_file"]).name == ".env" for service, _ in collectors().values())


def test_every_image_is_pinned() -> None:
    """What runs tomorrow is what runs today, and the collector is the release that the keys are of."""
    images = [service["image"] for service in compose()["services"].values()]
    assert images
    assert not [image for image in images if ":" not in image or image.endswith(":latest")]
    assert {image.partition(":")[2] for image in images if "collector" in image} == {VERSION}


def test_the_gateway_finds_the_samplers() -> None:
    """The names and the port that it sends to are those of services that listen there."""
    gateway = collectors()["gateway"][1]
    hosts = gateway["exporters"]["load_balancing"]["resolver"]["static"]["hostnames"]
    listening = [
        f"{name}:{port_of(config['receivers']['otlp']['protocols']['grpc']['endpoint'])}"
        for name, (_, config) in collectors().items()
        if name != "gateway"
    ]
    assert hosts == listening


def test_every_collector_has_a_queue_volume_of_its_own_that_it_may_write() -> None:
    """Two collectors can't share a queue's file, and a new volume belongs to root until it is handed over."""
    composed = compose()
    queues = {name: mounts(service)[QUEUE] for name, (service, _) in collectors().items()}
    assert len(set(queues.values())) == len(queues)
    assert set(queues.values()) <= set(composed["volumes"])
    assert set(queues.values()) == set(mounts(composed["services"]["queues"]).values())
    assert {config["extensions"]["file_storage"]["directory"] for _, config in collectors().values()} == {QUEUE}
    waited_for = [service["depends_on"] for service, _ in collectors().values()]
    assert waited_for == [{"queues": {"condition": "service_completed_successfully"}}] * 3


def test_only_this_machine_reaches_the_ports_until_somebody_says_otherwise() -> None:
    """The gateway asks for no key, nor does Phoenix as it is here."""
    services = compose()["services"]
    published = [port for service in services.values() for port in service.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)
    protocols = collectors()["gateway"][1]["receivers"]["otlp"]["protocols"].values()
    assert [port_of(port) for port in services["gateway"]["ports"]] == [port_of(at["endpoint"]) for at in protocols]


def test_the_health_of_every_part_is_asked_at_its_port() -> None:
    """A collector that is added without being asked after would fail this."""
    [_, script] = compose()["services"]["health"]["healthcheck"]["test"]
    for name, (_, config) in collectors().items():
        assert f" {name}:{port_of(config['extensions']['health_check']['endpoint'])}" in script
    assert " phoenix:6006/healthz" in script


def test_the_samplers_send_to_the_phoenix_that_is_started() -> None:
    """Its name, its port, and a volume where it keeps what it gets."""
    phoenix = compose()["services"]["phoenix"]
    endpoints = {config["exporters"]["otlp_http/phoenix"]["endpoint"] for _, config in list(collectors().values())[1:]}
    assert endpoints == {f"http://phoenix:{port_of(phoenix['ports'][0])}"}
    assert mounts(phoenix)[phoenix["environment"]["PHOENIX_WORKING_DIR"]] in compose()["volumes"]
