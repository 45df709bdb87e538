"""What the example consists of: the files of `deploy/example`, and who stands in for whom."""

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

FOLDER = Path(__file__).parents[2] / "deploy" / "example"
DIRECTORY = FOLDER / "directory.yaml"
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
    days = entry.pop("ordered_days_ago", None)
    if days is not None:
        entry["last_ordered_on"] = (today - timedelta(days=days)).isoformat()
    return entry
