"""Reads the services' APIs as a practice manager and a patient do."""

from collections import Counter
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import httpx

from cli.console import UserError
from cli.demo.proof import ANSWER
from deploy.local import LocalStack
from schemas.records.orders import OrderPlace

_PAGE = 200


async def counted(stack: LocalStack, http: httpx.AsyncClient, placed: Sequence[OrderPlace]) -> int:
    """Sum the order lines that metrics has counted, over all practices."""
    lines = 0
    for agb in sorted({order.practice for order in placed}):
        lines += sum((await _overview_of(stack, http, agb))["totals"]["outcomes"].values())
    return lines


async def orders_by_channel(stack: LocalStack, http: httpx.AsyncClient, agb: str) -> dict[str, int]:
    by_channel = (await _overview_of(stack, http, agb))["totals"]["by_channel"]
    return {channel: row["orders"] for channel, row in by_channel.items()}


async def _overview_of(stack: LocalStack, http: httpx.AsyncClient, agb: str) -> dict[str, Any]:
    return await _get(http, f"{stack.endpoints['metrics']}/practices/{agb}/orders", {"by": "month"})


async def inbox(
    stack: LocalStack, http: httpx.AsyncClient, placed: Sequence[OrderPlace]
) -> Counter[UUID]:
    """Count the automatic answers of each order in the patients' inboxes."""
    answers: Counter[UUID] = Counter()
    for patient in sorted({order.patient for order in placed}):
        for message in await _messages(stack, http, patient):
            if message["kind"] == ANSWER:
                answers[UUID(message["order_id"])] += 1
    return answers


async def _messages(
    stack: LocalStack, http: httpx.AsyncClient, patient: str
) -> list[dict[str, Any]]:
    """Read a patient's whole inbox, newest first, page by page."""
    url = f"{stack.endpoints['notification']}/patients/{patient}/messages"
    messages: list[dict[str, Any]] = []
    while True:
        before = {"before": messages[-1]["message_id"]} if messages else {}
        page = (await _get(http, url, {"limit": _PAGE} | before))["messages"]
        messages += page
        if len(page) < _PAGE:
            return messages


async def _get(http: httpx.AsyncClient, url: str, query: dict[str, Any]) -> dict[str, Any]:
    answer = await http.get(url, params=query)
    if answer.status_code != 200:
        raise UserError(f"{url} answered {answer.status_code}.")
    body: dict[str, Any] = answer.json()
    return body


async def example(
    stack: LocalStack, http: httpx.AsyncClient, placed: Sequence[OrderPlace]
) -> dict[str, Any]:
    """Find an answer with a pickup window, preferably of an order with many lines."""
    for order in sorted(placed, key=lambda o: -len(o.lines)):
        for message in await _messages(stack, http, order.patient):
            if message["order_id"] == str(order.order_id) and message["pickup"]:
                return message
    return {}
