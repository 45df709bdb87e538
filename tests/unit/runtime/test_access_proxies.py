"""A proxy's token counts for a patient only while a grant does."""

import math
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from runtime.http.tokens import Verified
from schemas.access import Claims, Party
from schemas.records.access import ProxyGrant, grant_key
from schemas.times import AMSTERDAM
from tests.unit.runtime.test_access import ANNA, BERT, app

CARLA = "usr_carla"
TEN = datetime(2026, 11, 28, 10, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class TokenOfCarla:
    """Says that the bearer is a proxy of Anna and of Bert, and remembers it, as a verifier does."""

    async def verify(self, token: str) -> Verified:
        claims = Claims(sub=CARLA, role=Party.PROXY, patients=(ANNA, BERT))
        return Verified(claims, issued_at=TEN.timestamp() - 60, expires_at=math.inf)


class Door:
    """An app with its grants and its time."""

    def __init__(self, *grants: ProxyGrant) -> None:
        self.proxies: dict[str, ProxyGrant] | None = {grant.grant: grant for grant in grants}
        self.now = TEN
        self._app = app(TokenOfCarla(), proxies=lambda: self.proxies, clock=lambda: self.now)

    async def ask(self, patient: str = ANNA, at: datetime | None = None) -> httpx.Response:
        self.now = at or self.now
        transport = httpx.ASGITransport(self._app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            headers = {"authorization": "Bearer carla"}
            return await client.get(f"/patients/{patient}", headers=headers)


def grant(patient: str = ANNA, proxy: str = CARLA, until: datetime | None = None) -> ProxyGrant:
    return ProxyGrant(grant=grant_key(patient, proxy), patient=patient, proxy=proxy, until=until)


async def test_a_token_that_names_a_patient_is_worth_nothing_without_a_grant() -> None:
    """Neither somebody else's grant counts, nor one for another patient."""
    door = Door(grant(BERT), grant(ANNA, "usr_another"))
    assert (await door.ask(BERT)).status_code == 200
    hidden = await door.ask(ANNA)
    never = await door.ask("pat_never0001")
    assert (hidden.status_code, hidden.content) == (never.status_code, never.content)


async def test_who_is_revoked_at_ten_is_let_in_no_more_after_it() -> None:
    """Given a remembered token; when the grant is taken back; then the next request is refused (A5)."""
    door = Door(grant())
    assert (await door.ask(at=TEN)).status_code == 200
    assert door.proxies is not None
    del door.proxies[grant_key(ANNA, CARLA)]
    assert (await door.ask(at=TEN + SECOND)).status_code == 404


@pytest.mark.parametrize(
    ("until", "before", "at"),
    [
        (TEN, TEN - SECOND, TEN),
        (
            datetime(2027, 6, 1, tzinfo=AMSTERDAM).astimezone(UTC),
            datetime(2027, 5, 31, 21, 59, 59, tzinfo=UTC),
            datetime(2027, 5, 31, 22, tzinfo=UTC),
        ),
    ],
    ids=["at ten", "at a child's midnight"],
)
async def test_a_grant_ends_by_itself_to_the_second(
    until: datetime, before: datetime, at: datetime
) -> None:
    door = Door(grant(until=until))
    assert (await door.ask(at=before)).status_code == 200
    assert (await door.ask(at=at)).status_code == 404


async def test_no_proxy_is_admitted_until_the_grants_are_read() -> None:
    door = Door(grant())
    door.proxies = None
    answer = await door.ask()
    assert (answer.status_code, "retry-after" in answer.headers) == (503, True)


async def test_a_patient_needs_no_grant() -> None:
    class TokenOfAnna:
        """Says that the bearer is Anna."""

        async def verify(self, token: str) -> Verified:
            return Verified(
                Claims(sub=ANNA, role=Party.PATIENT, patients=(ANNA,)), issued_at=0, expires_at=1
            )

    transport = httpx.ASGITransport(app(TokenOfAnna(), proxies=lambda: None))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        headers = {"authorization": "Bearer anna"}
        assert (await client.get(f"/patients/{ANNA}", headers=headers)).status_code == 200
