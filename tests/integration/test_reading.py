"""What was read, and what a patient prefers: kept by patient, changed by the patient or who stands in."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest

from deploy.local import LocalStack
from schemas import topics
from schemas.access import Party
from schemas.records.orders import Outcome
from tests.harness.kafka import eventually, send, sent
from tests.harness.made import PHARMACY, PRACTICE, a_patient
from tests.integration.people.client import Client
from tests.unit.notification.made import a_line, decided


@pytest.fixture
async def mine(stack: LocalStack) -> Any:
    """A patient, asking for themselves."""
    patient = a_patient()
    async with httpx.AsyncClient(timeout=40) as http:
        yield Mine(Client(stack, http, Party.PATIENT, {"patients": (patient,)}), patient)


class Mine:
    """A patient's own messages and preferences."""

    def __init__(self, client: Client, patient: str) -> None:
        self.client, self.patient = client, patient

    async def told(self, orders: int) -> Mapping[str, Any]:
        """Have these many orders decided; return the inbox with their messages."""
        line = a_line("Metformine 500 mg tablet", Outcome.APPROVED)
        events = [decided(line, order_id=uuid4(), patient=self.patient) for _ in range(orders)]
        await send(self.client.stack.kafka, [sent(topics.ORDERS_EVENTS.name, e) for e in events])
        inbox: Mapping[str, Any] = await eventually(
            self.inbox, lambda seen: len(seen["messages"]) == orders
        )
        return inbox

    async def inbox(self, client: Client | None = None, query: str = "") -> Mapping[str, Any]:
        """The inbox, as this client sees it."""
        answer = await (client or self.client).ask("GET", f"{self.path('messages')}{query}")
        assert answer.status_code == 200, answer.text
        body: Mapping[str, Any] = answer.json()
        return body

    async def mark(self, message_id: object, client: Client | None = None) -> int:
        """Mark a message as read; return the status."""
        path = self.path(f"messages/{message_id}/read")
        return (await (client or self.client).ask("PUT", path)).status_code

    async def prefer(self, wanted: dict[str, Any]) -> httpx.Response:
        """Change the preferences."""
        return await self.client.ask("PUT", self.path("preferences"), wanted)

    def path(self, of: str) -> str:
        return f"/patients/{self.patient}/{of}"


async def test_a_message_is_unread_until_it_is_marked_and_keeps_its_first_time(mine: Mine) -> None:
    """Given two messages; when one is marked, twice; then one is unread, and the time is the first."""
    inbox = await mine.told(2)
    assert inbox["unread"] == 2
    assert [message["read_at"] for message in inbox["messages"]] == [None, None]
    marked = inbox["messages"][0]["message_id"]
    assert await mine.mark(marked) == 204
    first = (await mine.inbox())["messages"][0]["read_at"]
    assert datetime.fromisoformat(first).tzinfo is not None
    assert await mine.mark(marked) == 204
    inbox = await mine.inbox()
    assert inbox["unread"] == 1
    assert [message["read_at"] for message in inbox["messages"]] == [first, None]


async def test_how_many_are_unread_can_be_asked_without_messages(mine: Mine) -> None:
    await mine.told(2)
    assert await mine.inbox(query="?limit=0") == {"messages": [], "unread": 2}
    assert (await mine.inbox(query="?limit=1"))["unread"] == 2


async def test_the_practice_sees_what_was_read_and_only_counts_its_own(mine: Mine) -> None:
    (message,) = (await mine.told(1))["messages"]
    await mine.mark(message["message_id"])
    own, other = (
        mine.client.as_(Party.ASSISTANT, practice=practice) for practice in (PRACTICE, "01999002")
    )
    (shown,) = (await mine.inbox(own))["messages"]
    assert shown["read_at"] is not None
    assert await mine.inbox(other) == {"messages": [], "unread": 0}
    assert await mine.mark(message["message_id"], own) == 403


async def test_nobody_marks_a_message_that_is_not_theirs_or_never_was(mine: Mine) -> None:
    """Given another patient's message; then it is as one that never was, and stays unread."""
    (message,) = (await mine.told(1))["messages"]
    other = a_patient()
    stranger = mine.client.as_(Party.PATIENT, patients=(other,))
    assert await mine.mark(message["message_id"], stranger) == 404
    in_own_name = f"/patients/{other}/messages/{message['message_id']}/read"
    assert (await stranger.ask("PUT", in_own_name)).status_code == 404
    assert await mine.mark(uuid4()) == 404
    assert await mine.mark("none") == 422
    assert (await mine.inbox())["unread"] == 1


async def test_preferences_are_none_until_they_are_set_and_are_replaced_whole(mine: Mine) -> None:
    async def shown() -> Any:
        return (await mine.client.ask("GET", mine.path("preferences"))).json()

    assert await shown() == {"language": None, "pharmacy": None}
    for wanted in ({"language": "en", "pharmacy": PHARMACY}, {"language": "nl"}):
        assert (await mine.prefer(wanted)).status_code == 200
        assert await shown() == {"language": None, "pharmacy": None} | wanted


@pytest.mark.parametrize(
    "wanted",
    [{"language": "fr"}, {"pharmacy": "1"}, {"pharmacy": "02999998"}],
    ids=["language", "code", "unknown pharmacy"],
)
async def test_a_wrong_preference_is_named_and_changes_nothing(
    mine: Mine, wanted: dict[str, Any]
) -> None:
    answer = await mine.prefer({"language": "nl", "pharmacy": PHARMACY} | wanted)
    assert answer.status_code == 422
    assert next(iter(wanted)) in answer.text
    assert (await mine.client.ask("GET", mine.path("preferences"))).json()["language"] is None
