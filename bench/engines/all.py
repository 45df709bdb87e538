"""Every engine by its name."""

from bench.engines.engine import Engine
from bench.engines.kafka_streams import KafkaStreams
from bench.engines.ours import Ours
from bench.engines.python_peers import NaiveFastStream, QuixStreams, RawAiokafka
from deploy.local import Report

MOST_WORKERS = 4


def engines(report: Report) -> dict[str, Engine]:
    """List all engines by name, in the order in which they run."""
    all_engines: list[Engine] = [
        RawAiokafka(),
        NaiveFastStream(),
        QuixStreams(),
        KafkaStreams("at_least_once", report),
        KafkaStreams("exactly_once_v2", report),
        KafkaStreams("exactly_once_v2", report, tuned=True),
        KafkaStreams("exactly_once_v2", report, tuned=True, commit_ms=1000),
        *(Ours(workers) for workers in range(1, MOST_WORKERS + 1)),
    ]
    return {engine.name: engine for engine in all_engines}


def is_ours(name: str) -> bool:
    """Whether this is our own service, with any number of workers."""
    return name.startswith("ours-")
