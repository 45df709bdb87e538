"""What `herhaal topics` prints of a plan."""

import pytest

from cli.topics.commands import show
from runtime.kafka.admin import Plan
from schemas.topics import ALL, MEDICATION_STATUS, ORDERS_EVENTS, ORDERS_REQUESTS, ORDERS_REVIEWS


def shown(plan: Plan, capsys: pytest.CaptureFixture[str]) -> list[str]:
    show(plan, ALL)
    return [
        " ".join(line.replace("│", " ").split()) for line in capsys.readouterr().out.split("\n")
    ]


def test_nothing_to_do_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(Plan(), capsys) == [f"{len(ALL)} of {len(ALL)} topics unchanged", ""]


def test_every_difference_is_a_row_also_in_a_narrow_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    plan = Plan(
        create=(MEDICATION_STATUS,),
        configure={ORDERS_EVENTS.name: {"retention.ms": ("1", "2")}},
        skipped={ORDERS_REVIEWS.name: {"max.message.bytes": ("2", "1")}},
        refused={ORDERS_REQUESTS.name: (3, 8)},
    )
    lines = shown(plan, capsys)
    assert "medication.status create partitions=8," in lines
    assert "orders.events change retention.ms=1 retention.ms=2" in lines
    assert "orders.reviews left alone max.message.bytes=2 max.message.bytes=1" in lines
    assert "orders.requests left alone partitions=3 partitions=8" in lines
    assert f"{len(ALL) - 4} of {len(ALL)} topics unchanged" in lines
