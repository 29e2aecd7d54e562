"""Which keys a collector's components take, as their documentation says: what stands in for a collector that checks.

Written down by hand from the schemas and READMEs of collector and collector-contrib: `load_balancing` as of 0.154, the
queue as of 0.162, the rest as of the sources between. Only the keys that this project uses or may come to use are here.
"""

from __future__ import annotations

from typing import Any

VERSION = "0.158.0"
"""The collector-contrib release that deploy/ is written for."""

VALUE = "a value"
ANY_NAMES = "names of the user's own, each with a value"

Keys = dict[str, Any]
"""Each key with `VALUE`, `ANY_NAMES`, the keys below it, or a list of one: those of each item."""

RETRY: Keys = {
    "enabled": VALUE,
    "initial_interval": VALUE,
    "max_interval": VALUE,
    "max_elapsed_time": VALUE,
    "multiplier": VALUE,
    "randomization_factor": VALUE,
}
QUEUE: Keys = {
    "enabled": VALUE,
    "num_consumers": VALUE,
    "wait_for_result": VALUE,
    "block_on_overflow": VALUE,
    "sizer": VALUE,
    "queue_size": VALUE,
    "storage": VALUE,
    "batch": {"flush_timeout": VALUE, "sizer": VALUE, "min_size": VALUE, "max_size": VALUE},
}
TLS: Keys = {
    "insecure": VALUE,
    "insecure_skip_verify": VALUE,
    "ca_file": VALUE,
    "cert_file": VALUE,
    "key_file": VALUE,
    "server_name_override": VALUE,
}
SENDING: Keys = {"timeout": VALUE, "retry_on_failure": RETRY, "sending_queue": QUEUE}
CLIENT: Keys = {"headers": ANY_NAMES, "compression": VALUE, "tls": TLS, **SENDING}

EXTENSIONS: Keys = {
    "health_check": {"endpoint": VALUE, "path": VALUE},
    "file_storage": {
        "directory": VALUE,
        "create_directory": VALUE,
        "timeout": VALUE,
        "fsync": VALUE,
        "compaction": {
            "directory": VALUE,
            "on_start": VALUE,
            "on_rebound": VALUE,
            "cleanup_on_start": VALUE,
            "rebound_needed_threshold_mib": VALUE,
            "rebound_trigger_threshold_mib": VALUE,
            "check_interval": VALUE,
            "max_transaction_size": VALUE,
        },
    },
}
RECEIVERS: Keys = {
    "otlp": {
        "protocols": {
            "grpc": {"endpoint": VALUE, "tls": TLS, "max_recv_msg_size_mib": VALUE},
            "http": {"endpoint": VALUE, "tls": TLS, "max_request_body_size": VALUE},
        }
    }
}
PROCESSORS: Keys = {
    "memory_limiter": {
        "check_interval": VALUE,
        "limit_mib": VALUE,
        "spike_limit_mib": VALUE,
        "limit_percentage": VALUE,
        "spike_limit_percentage": VALUE,
    },
    "tail_sampling": {
        "decision_wait": VALUE,
        "decision_wait_after_root_received": VALUE,
        "num_traces": VALUE,
        "expected_new_traces_per_sec": VALUE,
        "decision_cache": {"sampled_cache_size": VALUE, "non_sampled_cache_size": VALUE},
        "policies": [
            {
                "name": VALUE,
                "type": VALUE,
                "status_code": {"status_codes": [VALUE]},
                "latency": {"threshold_ms": VALUE, "upper_threshold_ms": VALUE},
                "probabilistic": {"sampling_percentage": VALUE, "hash_salt": VALUE},
            }
        ],
    },
}
EXPORTERS: Keys = {
    "otlp_http": {"endpoint": VALUE, "traces_endpoint": VALUE, "encoding": VALUE, **CLIENT},
    "load_balancing": {
        "routing_key": VALUE,
        "resolver": {
            "static": {"hostnames": [VALUE]},
            "dns": {"hostname": VALUE, "port": VALUE, "interval": VALUE, "timeout": VALUE},
        },
        # All that the gRPC exporter takes but the endpoint.
        "protocol": {"otlp": CLIENT},
        **SENDING,
    },
}
PIPELINE: Keys = {"receivers": [VALUE], "processors": [VALUE], "exporters": [VALUE]}
SERVICE: Keys = {
    "extensions": [VALUE],
    "telemetry": {
        "metrics": {
            "level": VALUE,
            "readers": [{"pull": {"exporter": {"prometheus": {"host": VALUE, "port": VALUE}}}}],
        }
    },
    "pipelines": {"traces": PIPELINE},
}
SECTIONS: Keys = {
    "extensions": EXTENSIONS,
    "receivers": RECEIVERS,
    "processors": PROCESSORS,
    "exporters": EXPORTERS,
}


def problems(config: Any) -> list[str]:
    """The paths in a collector's configuration that no component takes; empty when it is in order."""
    found = [f"{section}: no such section" for section in config.keys() - SECTIONS.keys() - {"service"}]
    for section, types in SECTIONS.items():
        for name, settings in config.get(section, {}).items():
            kind = name.partition("/")[0]
            found += _problems(f"{section}.{name}", settings, types.get(kind))
    return found + _problems("service", config.get("service"), SERVICE)


def _problems(path: str, given: Any, known: Any) -> list[str]:
    if known is None:
        return [f"{path}: unknown"]
    if known == VALUE:
        return [f"{path}: takes one value"] if isinstance(given, (dict, list)) else []
    if known == ANY_NAMES:
        return [] if isinstance(given, dict) else [f"{path}: takes names with values"]
    if isinstance(known, list):
        if not isinstance(given, list):
            return [f"{path}: takes a list"]
        return [found for number, item in enumerate(given) for found in _problems(f"{path}[{number}]", item, known[0])]
    if not isinstance(given, dict):
        return [f"{path}: takes settings"]
    return [found for key, value in given.items() for found in _problems(f"{path}.{key}", value, known.get(key))]
