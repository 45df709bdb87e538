"""What the example consists of: `deploy/example`, the starter list of medicines, who stands in for whom."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml

from schemas.api.medication import OverviewRequest
from schemas.api.proxies import (
    Consent,
    ConsentBy,
    ConsentHow,
    ProxyKind,
    ProxyRequest,
)

DEPLOY = Path(__file__).parents[2] / "deploy"
FOLDER = DEPLOY / "example"
DIRECTORY = FOLDER / "directory.yaml"
MEDICINES = DEPLOY / "lists" / "medicines-nl.yaml"
PEOPLE = FOLDER / "people.csv"
OVERVIEWS = FOLDER / "overviews.yaml"

CARLA = "usr_p9f5j2hv"
"""Carla Voorbeeld's `sub` at the issuer."""

STANDS_IN = ("pat_example02", "pat_example03")
"""Carla's brothers, twins, for whom she stands in."""


def overviews(today: date) -> Iterator[tuple[str, OverviewRequest]]:
    """Each patient's pseudonym and overview. `today` (Europe/Amsterdam) is what days are counted from."""
    for each in yaml.safe_load(OVERVIEWS.read_text(encoding="utf-8")):
        entries = [_entry(entry, today) for entry in each["medications"]]
        patient, practice = each["patient"], each["practice"]
        body = {"patient": patient, "practice": practice, "medications": entries}
        yield patient, OverviewRequest.model_validate(body, strict=False)


def grant(today: date) -> ProxyRequest:
    """What Carla's brothers agreed to, last month."""
    return ProxyRequest(
        kind=ProxyKind.AUTHORISED,
        name="Carla Voorbeeld",
        relation="zus",
        phone="0123-456796",
        consent=Consent(
            by=ConsentBy.PATIENT, how=ConsentHow.IN_PERSON, on=today - timedelta(days=30)
        ),
    )


def _entry(written: Mapping[str, Any], today: date) -> Mapping[str, Any]:
    entry = dict(written)
    if "ordered_days_ago" in entry:
        entry["last_ordered_on"] = _day(today, -entry.pop("ordered_days_ago"))
    if "control_in_days" in entry:
        entry["control_due"] = _day(today, entry.pop("control_in_days"))
    if "authorised" in entry:
        entry["authorisation"] = _authorisation(entry.pop("authorised"), today)
    return entry


def _authorisation(written: Mapping[str, int], today: date) -> Mapping[str, Any]:
    on = today - timedelta(days=written["days_ago"])
    until = _day(on, written["for_days"])
    return {
        "by": "gp",
        "on": on.isoformat(),
        "until": until,
        "repeats": written.get("repeats"),
    }


def _day(since: date, days: int) -> str:
    return (since + timedelta(days=days)).isoformat()
