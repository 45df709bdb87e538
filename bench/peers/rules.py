"""The twelve rules of the fixed job again, on the plain dictionaries of a stream processor.

Written independently from docs/architecture/ordering.md; the benchmark compares every decision. Later
rules of ordering are not part of the job (`bench/fixed_job.py`).
"""

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid5

from bench.peers.arguments import Region, Switches

_EVENTS = UUID("5b1f4f0e-6f0b-5d5e-9d3c-6a2f8f3f7f10")
_DECIDED = "order.decided.v1"
_OUTCOMES = {
    "NOT_IN_OVERVIEW": "e_consult",
    "COVERED_BY_REPEAT_SERVICE": "repeat_service",
    "STATUS_NOT_KNOWN_YET": "waiting",
}

Json = dict[str, Any]


def decide(order: Json, overview: Json | None, region: Region, placed_at: str) -> Json:
    """Decide a whole order; `placed_at` is RFC 3339 in UTC."""
    version, policy = region.practices.get(order["practice"], (None, Switches()))
    listed = order["pharmacy"] in region.pharmacies
    lines = [_line(order, line, overview, listed, policy) for line in order["lines"]]
    return {
        "order_id": order["order_id"],
        "seq": 1,
        "patient": order["patient"],
        "practice": order["practice"],
        "pharmacy": order["pharmacy"],
        "channel": order["channel"],
        "placed_at": placed_at,
        "decided_at": placed_at,
        "overview_version": overview["version"] if overview else None,
        "policy_version": version,
        "state": _state({line["outcome"] for line in lines}),
        "lines": lines,
    }


def headers(order_id: str, at: str, traceparent: str) -> list[tuple[str, bytes]]:
    """Make the envelope of a decision; its id and trace are derived from the order."""
    event = uuid5(_EVENTS, f"{_DECIDED}/{order_id}/1")
    values = {
        "ce_specversion": "1.0",
        "ce_type": f"nl.herhaal.{_DECIDED}",
        "ce_source": "nl.herhaal/ordering",
        "content-type": "application/json",
        "ce_id": str(event),
        "ce_time": at,
        "ce_subject": order_id,
        "traceparent": f"{traceparent[:36]}{event.hex[:16]}{traceparent[52:]}",
    }
    return [(name, value.encode()) for name, value in values.items()]


def _line(order: Json, line: Json, overview: Json | None, listed: bool, policy: Switches) -> Json:
    medications = overview["medications"] if overview else []
    entry = next((m for m in medications if m["prk"] == line["prk"]), None)
    codes = list(_refusals(order, overview, entry, listed))
    if codes or entry is None:
        outcome = _refused_as(codes)
    else:
        codes = list(_reviews(order, line, entry, policy))
        outcome = "review" if codes or policy.review_everything else "approved"
    asked = {name: line[name] for name in ("line", "prk", "medicine", "quantity")}
    dosage = entry["dosage"] if entry else ""
    reasons = [{"code": code} for code in codes]
    return {**asked, "dosage": dosage, "outcome": outcome, "reasons": reasons}


def _refusals(
    order: Json, overview: Json | None, entry: Json | None, listed: bool
) -> Iterator[str]:
    if overview is not None and overview["practice"] != order["practice"]:
        yield "OTHER_PRACTICE"
    if not listed:
        yield "UNKNOWN_PHARMACY"
    if overview is None:
        if listed:
            yield "STATUS_NOT_KNOWN_YET"
    elif entry is None:
        yield "NOT_IN_OVERVIEW"
    else:
        if entry["status"] == "temporary":
            yield "TEMPORARY_MEDICATION"
        if entry["status"] == "stopped":
            yield "STOPPED_MEDICATION"
        if entry["repeat_service"]:
            yield "COVERED_BY_REPEAT_SERVICE"


def _reviews(order: Json, line: Json, entry: Json, policy: Switches) -> Iterator[str]:
    if policy.review_high_risk and entry["high_risk"]:
        yield "HIGH_RISK_MEDICATION"
    if policy.review_remarks and (order["remark"] or "").strip():
        yield "REMARK_NEEDS_READING"
    if policy.review_larger_supply and order["supply_until"]:
        yield "LARGER_SUPPLY"
    if policy.review_larger_quantity and line["quantity"] > entry["quantity"]:
        yield "QUANTITY_ABOVE_LIMIT"


def _refused_as(codes: list[str]) -> str:
    ways = {_OUTCOMES.get(code, "refused") for code in codes}
    if "waiting" in ways and "refused" not in ways:
        return "waiting"
    return ways.pop() if len(ways) == 1 else "refused"


def _state(outcomes: set[str]) -> str:
    if "waiting" in outcomes:
        return "waiting"
    if "review" in outcomes:
        return "in_review"
    if outcomes == {"approved"}:
        return "approved"
    return "partly_approved" if "approved" in outcomes else "refused"
