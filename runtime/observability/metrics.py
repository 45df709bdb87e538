"""The Prometheus metrics of a worker. Labels never identify a patient or an order, or hold free text."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Telemetry:
    """The loop's metrics, in a registry per instance, so that tests can run two workers in one process."""

    def __init__(self, service: str) -> None:
        self.registry = CollectorRegistry()
        self.last_progress_s = time.monotonic()
        names, label = ("service",), {"service": service}

        def histogram(name: str, about: str, buckets: tuple[float, ...]) -> Histogram:
            return Histogram(name, about, names, buckets=buckets, registry=self.registry).labels(
                **label
            )

        def gauge(name: str, about: str) -> Gauge:
            return Gauge(name, about, names, registry=self.registry).labels(**label)

        def counter(name: str, about: str) -> Counter:
            return Counter(name, about, names, registry=self.registry).labels(**label)

        self._batch_records = histogram(
            "herhaal_batch_records", "Records in a batch", (1, 3, 10, 30, 100, 300, 1000, 3000)
        )
        self._batch_seconds = histogram("herhaal_batch_seconds", "From poll to save", _SECONDS)
        self._decide_seconds = histogram("herhaal_decide_seconds", "Deciding a batch", _SECONDS)
        self._save_seconds = histogram("herhaal_transaction_seconds", "Saving a batch", _SECONDS)
        self._records = counter("herhaal_records", "Records handled")
        self._published = counter("herhaal_published", "Records published")
        self._last_progress = gauge(
            "herhaal_last_progress_timestamp_seconds", "Time of the last saved progress"
        )
        self.outbox_age = gauge("herhaal_outbox_age_seconds", "Age of the oldest outbox row")
        self.open_streams = gauge("herhaal_open_streams", "Open streams of server-sent events")
        self._dead = Counter(
            "herhaal_dead_letters", "Dead letters", ("service", "reason"), registry=self.registry
        )
        self._retries = Counter(
            "herhaal_retries", "Retried batches", ("service", "error"), registry=self.registry
        )
        self._lag = Gauge(
            "herhaal_consumer_lag_records",
            "Records not yet handled, in partitions of all workers",
            ("service", "topic", "partition"),
            registry=self.registry,
        )
        self._months_ahead = Gauge(
            "herhaal_months_ahead",
            "Coming months for which every table parted by month has a part",
            names,
            registry=self.registry,
        )
        self._service = service

    def months_ahead(self, months: int) -> None:
        """Record how many coming months have parts, of a service that parts tables by month."""
        self._months_ahead.labels(self._service).set(months)

    @contextmanager
    def batch(self, records: int) -> Iterator[None]:
        """Measure a batch from its poll until it is saved."""
        self._batch_records.observe(records)
        with self._batch_seconds.time():
            yield
        self._records.inc(records)

    @contextmanager
    def deciding(self) -> Iterator[None]:
        """Measure deciding."""
        with self._decide_seconds.time():
            yield

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Measure saving."""
        with self._save_seconds.time():
            yield

    def progressed(self) -> None:
        """Record that progress was saved now."""
        self.last_progress_s = time.monotonic()
        self._last_progress.set_to_current_time()

    def published(self, records: int) -> None:
        """Count records that Kafka has acknowledged."""
        self._published.inc(records)

    def dead_lettered(self, reasons: Iterable[str]) -> None:
        """Count saved dead letters by reason."""
        for reason in reasons:
            self._dead.labels(self._service, reason).inc()

    def retried(self, error: BaseException) -> None:
        """Count a batch that failed and will be retried."""
        self._retries.labels(self._service, type(error).__name__).inc()

    def lag(self, topic: str, partition: int, records: int) -> None:
        """Set the lag of a partition."""
        self._lag.labels(self._service, topic, str(partition)).set(records)
