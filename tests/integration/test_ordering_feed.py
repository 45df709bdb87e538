"""A pharmacy's feed gives every prescription once, also while orders are being decided."""

import asyncio
import time

import httpx
import pytest

from deploy.local import LocalStack
from runtime.kafka.admin import apply_topics
from schemas.topics import PRESCRIPTIONS_PREFIX, prescriptions
from services.ordering.domain.events import prescription_id
from tests.harness.kafka import header, records_of
from tests.harness.made import FREELY, METFORMINE, OMEPRAZOL, an_order, entry
from tests.integration.ordering_api import OrderingClient, is_problem

PHARMACY = "02999003"
ORDERS = 150
WAIT_S = 20


@pytest.fixture
def ordering(stack: LocalStack, http: httpx.AsyncClient) -> OrderingClient:
    return OrderingClient(stack, http)


@pytest.fixture
async def start(ordering: OrderingClient) -> str:
    """Return the cursor at the end of the feed."""
    cursor = ""
    while (page := await ordering.feed(PHARMACY, cursor, limit=1000))["items"]:
        cursor = page["next"]
    return cursor or page["next"]


async def test_reading_on_sees_each_prescription_exactly_once_while_orders_come_in(
    ordering: OrderingClient, start: str
) -> None:
    patients = [
        await ordering.patient(entry(METFORMINE, **FREELY), entry(OMEPRAZOL, high_risk=True))
        for _ in range(5)
    ]
    orders = [
        an_order(patients[n % 5], METFORMINE, OMEPRAZOL, pharmacy=PHARMACY) for n in range(ORDERS)
    ]
    expected = {str(prescription_id(order.order_id, 1)) for order in orders}
    placing = asyncio.gather(*(ordering.place(order) for order in orders))
    seen: list[str] = []
    cursor = start
    async with asyncio.timeout(WAIT_S):
        while len(seen) < ORDERS:
            page = await ordering.feed(PHARMACY, cursor, limit=7)
            assert len(page["items"]) <= 7
            seen += [item["data"]["prescription_id"] for item in page["items"]]
            cursor = page["next"]
    await placing
    assert sorted(seen) == sorted(expected)
    assert (await ordering.feed(PHARMACY, cursor))["items"] == []


async def test_a_withdrawal_comes_after_the_approval_it_takes_back(
    ordering: OrderingClient, start: str
) -> None:
    order = an_order(await ordering.patient(), pharmacy=PHARMACY)
    await ordering.place(order, wait=WAIT_S)
    await ordering.cancel(order, wait=WAIT_S)
    approved, withdrawn = (await ordering.feed(PHARMACY, start))["items"]
    assert approved["type"] == "nl.herhaal.prescription.approved.v1"
    assert withdrawn["type"] == "nl.herhaal.prescription.withdrawn.v1"
    assert approved["data"]["prescription_id"] == withdrawn["data"]["prescription_id"]


async def test_any_items_cursor_can_be_read_on_from(ordering: OrderingClient, start: str) -> None:
    patient = await ordering.patient(entry(**FREELY))
    for _ in range(3):
        await ordering.place(an_order(patient, pharmacy=PHARMACY), wait=WAIT_S)
    items = (await ordering.feed(PHARMACY, start))["items"]
    assert len(items) == 3
    for number, item in enumerate(items, start=1):
        assert (await ordering.feed(PHARMACY, item["cursor"]))["items"] == items[number:]


async def test_reading_the_same_page_again_gives_the_same(
    ordering: OrderingClient, start: str
) -> None:
    order = an_order(await ordering.patient(), pharmacy=PHARMACY)
    await ordering.place(order, wait=WAIT_S)
    assert await ordering.feed(PHARMACY, start) == await ordering.feed(PHARMACY, start)


async def test_a_page_that_ends_the_feed_is_read_again_at_once(
    ordering: OrderingClient, start: str
) -> None:
    """Given readers that come one after the other; then none waits for the fetch of the one before."""
    await ordering.place(an_order(await ordering.patient(), pharmacy=PHARMACY), wait=WAIT_S)
    took_s = []
    for _ in range(5):
        began = time.monotonic()
        assert (await ordering.feed(PHARMACY, start))["items"]
        took_s.append(time.monotonic() - began)
    assert min(took_s[1:]) < 0.25


async def test_another_pharmacy_sees_nothing_of_it(ordering: OrderingClient) -> None:
    order = an_order(await ordering.patient(), pharmacy=PHARMACY)
    await ordering.place(order, wait=WAIT_S)
    page = await ordering.feed("02999002", limit=1000)
    assert order.patient not in {item["data"].get("patient") for item in page["items"]}


async def test_a_pharmacy_that_never_was_is_404_and_not_empty_for_ever(
    ordering: OrderingClient,
) -> None:
    """Given a mistyped code; then the pharmacy hears of it, and does not wait for prescriptions."""
    answer = await ordering.get("/pharmacies/02999999/prescriptions", after="7")
    assert is_problem(answer, 404)
    assert answer.json()["detail"] == "There is no such pharmacy."


async def test_a_pharmacy_that_left_the_directory_keeps_its_feed(
    ordering: OrderingClient, stack: LocalStack
) -> None:
    """Given the topic of a pharmacy that is not in the directory (any more); then it can be read to its end."""
    gone = "02999777"
    await apply_topics(stack.kafka, [prescriptions(gone)], 1)
    assert await ordering.feed(gone) == {"items": [], "next": "0"}


@pytest.mark.parametrize(
    "after",
    ["x", "-", "-1", "1-1", "1.5", "9" * 30, "1'; drop table orders", "%00"],
)
async def test_what_is_no_cursor_is_422(ordering: OrderingClient, after: str) -> None:
    answer = await ordering.get(f"/pharmacies/{PHARMACY}/prescriptions", after=after)
    assert is_problem(answer, 422)
    assert answer.json()["errors"][0]["field"] == "after"


async def test_a_cursor_that_the_feed_does_not_reach_is_410(ordering: OrderingClient) -> None:
    """Given a cursor beyond the end, as after a loss of Kafka's data; then 410: no record is skipped."""
    answer = await ordering.get(f"/pharmacies/{PHARMACY}/prescriptions", after="1000000000")
    assert is_problem(answer, 410)


async def test_an_entry_has_the_id_of_the_record_on_the_topic(
    ordering: OrderingClient, stack: LocalStack, start: str
) -> None:
    order = an_order(await ordering.patient(), pharmacy=PHARMACY)
    await ordering.place(order, wait=WAIT_S)
    topic = PRESCRIPTIONS_PREFIX + PHARMACY
    (record,) = await records_of(stack.kafka, topic, [order.patient], 1)
    (item,) = (await ordering.feed(PHARMACY, start))["items"]
    assert (item["id"], item["cursor"]) == (header(record, "ce_id"), f"{record.offset + 1}")


@pytest.mark.parametrize("limit", ["0", "-1", "1001", "x", "99999999999999999999"])
async def test_a_limit_is_from_1_to_1000(ordering: OrderingClient, limit: str) -> None:
    answer = await ordering.get(f"/pharmacies/{PHARMACY}/prescriptions", limit=limit)
    assert is_problem(answer, 422)
    assert answer.json()["errors"][0]["field"] == "limit"


@pytest.mark.parametrize("agb", ["03999001", "0201000", "020100011", "apotheek"])
async def test_a_code_that_is_no_pharmacys_is_422(ordering: OrderingClient, agb: str) -> None:
    assert is_problem(await ordering.get(f"/pharmacies/{agb}/prescriptions"), 422)
