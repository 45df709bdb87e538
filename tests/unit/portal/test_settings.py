"""The portal starts only with addresses over which nobody reads along."""

from typing import Any

import pytest
from pydantic import ValidationError

from portal.settings import PortalSettings
from runtime.issuers import Issuer

GOOD: dict[str, Any] = {
    "database": "postgresql://portal@127.0.0.1/portal",
    "issuers": (Issuer("https://login.example.org", "https://login.example.org/jwks", "herhaal"),),
    "portal_url": "https://herhaal.example.org",
    "portal_key": "ab" * 32,
    "ordering_url": "https://ordering.example.org",
    "medication_url": "https://medication.example.org",
    "notification_url": "http://127.0.0.1:8103",
    "metrics_url": "http://localhost:8104",
}


def test_addresses_over_https_and_on_this_machine_are_taken() -> None:
    assert PortalSettings(**GOOD).portal_url == "https://herhaal.example.org"


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"portal_url": "http://herhaal.example.org"}, "must be https"),
        ({"portal_url": "https://herhaal.example.org/"}, "must be an origin"),
        ({"portal_url": "herhaal.example.org"}, "must be an origin"),
        ({"ordering_url": "http://ordering.example.org"}, "HERHAAL_INSECURE_SERVICES"),
        ({"portal_key": "ab" * 31}, "64 hexadecimal digits"),
    ],
)
def test_an_address_that_others_could_read_is_refused(changed: dict[str, str], why: str) -> None:
    with pytest.raises(ValidationError, match=why) as refused:
        PortalSettings(**GOOD | changed)
    assert "ab" * 31 not in str(refused.value)


def test_plain_http_to_the_services_is_taken_by_who_says_so() -> None:
    PortalSettings(**GOOD | {"ordering_url": "http://ordering:8101", "insecure_services": True})
