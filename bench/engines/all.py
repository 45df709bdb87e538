"""Every engine by its name."""

from bench.engines.engine import Engine
from bench.engines.kafka_streams import KafkaStreams
from bench.engines.ours import Ours
from bench.engines.python_peers import NaiveFastStream, QuixStreams, RawAiokafka
from deploy.local import Report

MOST_WORKERS = 4


def engines(report: Report) -> dict[str, Engine]:
    """All that there are, in the order in which they take turns."""
    found: list[Engine] = [
        RawAiokafka(),
        NaiveFastStream(),
        QuixStreams(),
        KafkaStreams("at_least_once", report),
        KafkaStreams("exactly_once_v2", report),
        KafkaStreams("exactly_once_v2", report, tuned=True),
        KafkaStreams("exactly_once_v2", report, tuned=True, commit_ms=1000),
        *(Ours(workers) for workers in range(1, MOST_WORKERS + 1)),
    ]
    return {engine.name: engine for engine in found}


def is_ours(name: str) -> bool:
    """Whether this is our own service, with whatever number of workers."""
    return name.startswith("ours-")
