"""The largest overview and order that the schemas allow go all the way, in any script, as escapes or not."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from deploy.local import LocalStack
from tests.harness.kafka import eventually
from tests.harness.largest import CONTROL, OUTSIDE_BMP, an_order, an_overview, escaped
from tests.harness.made import a_patient
from tests.integration.ordering_api import OrderingClient

HEADERS = {"content-type": "application/json", "prefer": "wait=30"}


def as_utf8(body: Any) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode()


@pytest.mark.parametrize("encoded", [escaped, as_utf8])
@pytest.mark.parametrize("character", ["é", OUTSIDE_BMP, CONTROL], ids=["é", "emoji", "control"])
async def test_what_http_accepts_kafka_and_the_databases_accept(
    stack: LocalStack,
    http: httpx.AsyncClient,
    character: str,
    encoded: Callable[[Any], bytes],
) -> None:
    """Given an overview of 200 medicines with long texts; when 50 are ordered; then both are handled."""
    patient = a_patient()
    overview = f"{stack.endpoints['medication']}/patients/{patient}/overview"
    answer = await http.put(
        overview, content=encoded(an_overview(patient, character)), headers=HEADERS
    )
    assert answer.status_code == 200, answer.text[:500]
    medicines = (await http.get(overview)).json()["medications"]
    assert [len(m["dosage"]) for m in medicines] == [2000] * 200

    ordering = OrderingClient(stack, http)

    async def copied() -> int:
        return await ordering.count("overviews", "patient", patient)

    await eventually(copied, lambda count: count == 1, within_s=30)
    order = an_order(patient, character)
    answer = await http.post(ordering.url("/orders"), content=encoded(order), headers=HEADERS)
    assert answer.status_code == 200, answer.text[:500]
    assert len(answer.json()["lines"]) == 50
