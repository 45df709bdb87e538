"""Order validation on Quix Streams, exactly once: an as-of join with the newest overview."""

from datetime import UTC, datetime, timedelta
from typing import Any

from quixstreams import Application

from bench.peers import rules
from bench.peers.arguments import EVENTS, ORDERS, OVERVIEWS, Arguments, arguments, region

KEPT = timedelta(days=365)
COMMIT_S, HURRIED_COMMIT_S = 5.0, 0.5
"""The default of Quix, and for runs whose rate is not measured."""


def run(options: Arguments) -> None:
    """Run until SIGTERM."""
    directory = region(options.region)
    app = Application(
        broker_address=options.kafka,
        consumer_group=options.group,
        auto_offset_reset="earliest",
        processing_guarantee="exactly-once",
        state_dir=options.state,
        loglevel="WARNING",
        commit_interval=HURRIED_COMMIT_S if options.hurried else COMMIT_S,
    )
    orders = app.dataframe(app.topic(ORDERS, key_deserializer="str"))
    overviews = app.dataframe(app.topic(OVERVIEWS, key_deserializer="str"))
    events = app.topic(EVENTS, key_serializer="str")

    def decided(joined: Any, key: Any, at_ms: int, headers: Any) -> Any:
        order, overview = joined
        return rules.decide(order, overview, directory, _text(at_ms))

    def enveloped(event: Any, key: Any, at_ms: int, headers: Any) -> Any:
        return rules.headers(event["order_id"], _text(at_ms), dict(headers)["traceparent"].decode())

    joined = orders.join_asof(
        overviews, how="left", on_merge=lambda order, overview: (order, overview), grace_ms=KEPT
    )
    joined.apply(decided, metadata=True).set_headers(enveloped).to_topic(events)
    app.run()


def _text(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat().replace("+00:00", "Z")


if __name__ == "__main__":
    run(arguments())
