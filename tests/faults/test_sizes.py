"""Spans that are large, alone or together: batches are cut to what the server takes, and every span arrives."""

from __future__ import annotations

import pytest

from tests.faults.running import Scenario
from tests.servers import CollectorServer

GRPC_BYTES = 4 * 1024 * 1024
GROUPS = {
    "1,000 of 20 kB": ("1000x20000", 1_000),
    "50 of 300 kB": ("50x300000", 50),
    "512 of 8.5 kB": ("512x8500", 512),
}


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_large_spans_arrive(scenario: Scenario, protocol: str, group: str) -> None:
    """In requests below gRPC's 4 MB, none of which had to be refused first."""
    spans, count = GROUPS[group]
    with CollectorServer(protocol, max_message_bytes=GRPC_BYTES) as server:
        scenario.run("burst", spans, to=server)
        with scenario.later(server):
            server.wait_for_delivered(count)
        tally = server.tally
        assert (tally.delivered, tally.duplicated) == (count, 0)
        assert tally.attempts == tally.accepted
        assert {len(span.attributes["padding"]) for span in server.spans} == {int(spans.partition("x")[2])}


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_a_span_over_the_limit_is_shortened_and_costs_no_other(scenario: Scenario, protocol: str) -> None:
    """One of 4.5 MB among 100 small ones: 101 arrive, and its text is cut, not gone."""
    with CollectorServer(protocol, max_message_bytes=GRPC_BYTES) as server:
        scenario.run("burst", 50, "1x4500000", 50, to=server)
        with scenario.later(server):
            server.wait_for_delivered(101)
        [large] = [span for span in server.spans if span.name == "50"]
        assert 1_000_000 < len(large.attributes["padding"]) < 4_500_000
        assert large.attributes["openinference.span.kind"] == "CHAIN"
        assert (server.tally.delivered, server.tally.duplicated) == (101, 0)


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_a_server_that_takes_less_gets_smaller_batches(scenario: Scenario, protocol: str) -> None:
    """413, or RESOURCE_EXHAUSTED, halves a batch until it fits, and each span arrives once."""
    with CollectorServer(protocol, max_message_bytes=200_000) as server:
        scenario.run("burst", "300x5000", to=server)
        with scenario.later(server):
            server.wait_for_delivered(300)
        tally = server.tally
        assert (tally.delivered, tally.duplicated) == (300, 0)
        assert tally.largest <= 200_000


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_one_span_that_no_server_would_take_costs_no_other(scenario: Scenario, protocol: str) -> None:
    """A server with an uncommonly low limit refuses one of 101: the others arrive, and it is told of once."""
    with CollectorServer(protocol, max_message_bytes=200_000) as server:
        finished = scenario.run("burst", 50, "1x1000000", 50, "--then", "flush", to=server)
        with scenario.later(server):
            server.wait_for_delivered(100)
        # It may be shortened to what the server takes, too, which a refusal doesn't tell.
        report = finished.told("report")
        assert server.tally.delivered + report["refused"] + report["lost"] == 101
        assert len(finished.warnings) <= 1
