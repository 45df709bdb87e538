"""A pharmacy's prescriptions: the feed is read to its end, and the newest are shown by name."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import httpx

from portal.pharmacy import feed, prescriptions
from portal.web.starts import Starts
from portal.web.visit import Visit
from samples.persons import a_person
from schemas.api.ordering import FeedItem, FeedView
from schemas.api.people import PersonView
from schemas.base import Actor, Role
from schemas.records.prescriptions import PrescriptionApproved, PrescriptionWithdrawn
from tests.harness.made import PHARMACY, PRACTICE
from tests.unit.clients.asking import a_problem
from tests.unit.portal.visits import NOW, PHARMACIST, Told, a_visit, answering, look

PAGE = "/pharmacy/prescriptions"
FEED = f"GET ordering/pharmacies/{PHARMACY}/prescriptions"
ANNA = "pat_anna0001"
BY = Actor(role=Role.GP, id="usr_gp")


def approved(number: int, patient: str = ANNA) -> FeedItem:
    body = PrescriptionApproved(
        prescription_id=UUID(int=number),
        order_id=UUID(int=number << 96),
        line=1,
        patient=patient,
        practice=PRACTICE,
        pharmacy=PHARMACY,
        prk="5487",
        medicine=f"Medicine {number}",
        quantity=Decimal(90),
        dosage="2x daags 1",
        approved_at=NOW + timedelta(minutes=number),
        approved_by=BY,
        unit="stuk",
    )
    return _item(number, feed.APPROVED, body.model_dump(mode="json"))


def withdrawn(number: int, of: int) -> FeedItem:
    body = PrescriptionWithdrawn(
        prescription_id=UUID(int=of),
        order_id=UUID(int=of << 96),
        line=1,
        patient=ANNA,
        practice=PRACTICE,
        pharmacy=PHARMACY,
        withdrawn_at=NOW,
        reason="Dubbel besteld",
    )
    return _item(number, feed.WITHDRAWN, body.model_dump(mode="json"))


def _item(number: int, kind: str, data: dict[str, object]) -> FeedItem:
    return FeedItem(id=f"{number}", type=kind, cursor=f"{number}", data=data)


class AFeed:
    """A pharmacy's feed that gives pages of `size` entries; keeps the cursors that were asked for."""

    def __init__(self, items: Sequence[FeedItem], size: int = 1000) -> None:
        self.items = items
        self.size = size
        self.asked: list[int] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        after = int(request.url.params.get("after", "0"))
        self.asked.append(after)
        if after > len(self.items):
            return a_problem(410, "unknown-cursor")
        page = self.items[after : after + self.size]
        return answering(FeedView(items=[*page], next=f"{after + len(page)}"))


def visit_to(read: AFeed, **query: str) -> Visit:
    return a_visit(PHARMACIST, told_by(read), query=query)


def told_by(read: AFeed) -> Told:
    person = PersonView(
        **dict(a_person(initials="A.M.", prefix=None, surname="Voorbeeld")),
        patient=ANNA,
        practice=PRACTICE,
    )
    return Told({FEED: read, f"GET notification/patients/{ANNA}/person": answering(person)})


async def test_the_newest_is_on_top_by_name_and_the_feed_is_read_to_its_end() -> None:
    read = AFeed([approved(1), approved(2), approved(3)], size=2)
    status, html = await look(prescriptions.pages, "GET", PAGE, visit_to(read))
    assert status == 200
    assert html.index("Medicine 3") < html.index("Medicine 2") < html.index("Medicine 1")
    assert "A.M. Voorbeeld" in html
    assert "90 pieces" in html
    assert ANNA not in html
    assert read.asked == [0, 2, 3]


async def test_one_that_was_withdrawn_says_so_and_why() -> None:
    read = AFeed([approved(1), withdrawn(2, of=1)])
    _, html = await look(prescriptions.pages, "GET", PAGE, visit_to(read))
    assert html.count("Withdrawn: do not dispense") == 1
    assert "Dubbel besteld" in html


async def test_who_is_no_longer_to_be_known_has_no_name_and_no_pseudonym() -> None:
    read = AFeed([approved(1, patient="pat_other001")])
    _, html = await look(prescriptions.pages, "GET", PAGE, visit_to(read))
    assert "Name not known" in html
    assert "pat_other001" not in html


async def test_a_page_has_25_of_at_most_200_and_says_so() -> None:
    read = AFeed([approved(number) for number in range(1, 211)])
    _, html = await look(prescriptions.pages, "GET", PAGE, visit_to(read, page="8"))
    assert "You see the 200 newest" in html
    assert "Page 8 of 8" in html
    assert "Medicine 11<" in html
    assert "Medicine 10<" not in html


async def test_the_next_visit_begins_where_the_newest_part_does() -> None:
    items = [approved(number) for number in range(1, 211)]
    starts, read = Starts(), AFeed(items)
    ordering = visit_to(read).api.ordering
    await feed.read_feed(ordering, starts, PHARMACY)
    read.asked.clear()
    again = await feed.read_feed(ordering, starts, PHARMACY)
    assert read.asked[0] == 10
    assert [each.approved.medicine for each in again.prescriptions][-1] == "Medicine 11"


async def test_a_feed_that_is_too_long_for_one_visit_goes_on_at_the_next() -> None:
    read = AFeed([approved(number) for number in range(1, feed.MOST_PAGES + 6)], size=1)
    starts, ordering = Starts(), visit_to(read).api.ordering
    assert not (await feed.read_feed(ordering, starts, PHARMACY)).whole
    later = await feed.read_feed(ordering, starts, PHARMACY)
    assert later.whole
    assert later.prescriptions[0].approved.medicine == f"Medicine {feed.MOST_PAGES + 5}"


async def test_a_feed_that_began_anew_is_read_from_its_start() -> None:
    starts, read = Starts(), AFeed([approved(1)])
    starts.note(PHARMACY, "500")
    found = await feed.read_feed(visit_to(read).api.ordering, starts, PHARMACY)
    assert len(found.prescriptions) == 1


async def test_when_ordering_is_away_the_page_says_so() -> None:
    told = Told({FEED: httpx.ConnectError("refused")})
    _, html = await look(prescriptions.pages, "GET", PAGE, a_visit(PHARMACIST, told))
    assert "We cannot show this part now" in html


async def test_no_prescriptions_are_said_so() -> None:
    _, html = await look(prescriptions.pages, "GET", PAGE, visit_to(AFeed([])))
    assert "There are no prescriptions yet" in html
