"""The table of topics in the documentation matches the registry of topics."""

from pathlib import Path

import pytest

from schemas.contracts.snapshots.topics import EVERY_TOPIC, key_field
from schemas.topics import Topic

PAGE = Path(__file__).parents[2] / "docs" / "architecture" / "records-and-topics.md"


def row(topic: Topic) -> str:
    """The topic's line in the table."""
    types = ", ".join(f"`{body.TYPE.removesuffix('.v1')}`" for body in topic.bodies)
    kept = "compacted" if topic.retention is None else f"{topic.retention.days} d"
    cells = (
        f"`{topic.name}`",
        key_field(topic) or "as it was",
        types or "the record as it was",
        ", ".join(sorted(topic.writers)),
        ", ".join(sorted(topic.readers)),
        str(topic.partitions),
        kept,
    )
    return f"| {' | '.join(cells)} |"


@pytest.mark.parametrize("topic", EVERY_TOPIC, ids=lambda topic: topic.name)
def test_every_topic_is_in_the_table_as_it_is(topic: Topic) -> None:
    assert row(topic) in PAGE.read_text().splitlines()
