"""What the bearer of a token is told of a patient: as long as the token and its rights last, and no longer."""

from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from runtime.http.access import Door
from runtime.http.problems import Problem
from runtime.http.tokens import Verified
from runtime.live import MOST_OF_PERSON, StreamRights, require_room
from runtime.messages.recent import READY, RESET, LiveEvent, Recent
from runtime.systems import Systems
from schemas.access import Action, Claims, Party
from schemas.records.access import AccessRevoked, ProxyGrant, WhyRevoked, grant_key
from schemas.records.directory import System
from tests.harness.made import PHARMACY, PRACTICE
from tests.unit.runtime.test_access import NoLimits, Tokens, nobody_reads
from tests.unit.schemas.test_grants import a_system

ANNA, CARLA = "pat_anna0001", "usr_carla"
TEN = datetime(2026, 11, 28, 10, tzinfo=UTC)
SECOND = timedelta(seconds=1)
OURS = LiveEvent("order", b"{}", PRACTICE, PHARMACY)
OTHERS = LiveEvent("order", b"{}", "01999900", "02999900")
UNNAMED = LiveEvent("message", b"{}")


@dataclass
class Now:
    """The state of the world, which a test changes."""

    at: datetime = TEN
    revoked: dict[str, AccessRevoked] = field(default_factory=dict)
    proxies: dict[str, ProxyGrant] = field(default_factory=dict)
    systems: dict[str, System] = field(default_factory=dict)

    def rights(self, claims: Claims, action: Action = Action.ORDERS_READ) -> StreamRights:
        """The rights of a token that was issued at nine and expires at a quarter past ten."""
        door = Door(
            Tokens(),
            NoLimits(),
            nobody_reads,
            lambda: Systems(self.systems),
            lambda: self.revoked,
            lambda: self.proxies,
            lambda: self.at,
        )
        expires_at = (TEN + timedelta(minutes=15)).timestamp()
        issued_at = (TEN - timedelta(hours=1)).timestamp()
        return StreamRights(door, Verified(claims, issued_at, expires_at), action, ANNA)


def patient() -> Claims:
    return Claims(sub=ANNA, role=Party.PATIENT, patients=(ANNA,))


def proxy() -> Claims:
    return Claims(sub=CARLA, role=Party.PROXY, patients=(ANNA,))


def grant(until: datetime | None = None) -> dict[str, ProxyGrant]:
    key = grant_key(ANNA, CARLA)
    return {key: ProxyGrant(grant=key, patient=ANNA, proxy=CARLA, until=until)}


def test_a_token_ends_to_the_second_without_leeway() -> None:
    now = Now()
    rights = now.rights(patient())
    assert rights.left_s() == 900
    now.at += timedelta(minutes=15) - SECOND
    assert rights.left_s() == 1
    now.at += SECOND
    assert rights.left_s() == 0
    with pytest.raises(Problem) as refused:
        rights.caller()
    assert refused.value.status == 401


def test_a_revocation_ends_them() -> None:
    now = Now()
    rights = now.rights(patient())
    now.revoked[ANNA] = AccessRevoked(sub=ANNA, not_before=TEN, why=WhyRevoked.STOLEN)
    assert rights.left_s() == 0


def test_a_proxys_end_with_the_grant() -> None:
    now = Now(proxies=grant())
    rights = now.rights(proxy())
    assert rights.left_s() > 0
    now.proxies.clear()
    assert rights.left_s() == 0
    with pytest.raises(Problem) as refused:
        rights.caller()
    assert refused.value.status == 404


def test_a_proxys_end_by_themselves() -> None:
    """At midnight of a child's birthday, for example (pitfall E1)."""
    now = Now(proxies=grant(until=TEN + SECOND))
    rights = now.rights(proxy())
    assert rights.left_s() > 0
    now.at += SECOND
    assert rights.left_s() == 0


def test_a_system_that_is_removed_has_none() -> None:
    portal = a_system("mijnzorg", Party.PORTAL, practices=(PRACTICE,))
    now = Now(systems={"mijnzorg": portal})
    rights = now.rights(Claims(sub="mijnzorg", role=Party.PORTAL))
    assert rights.left_s() > 0
    assert (rights.cover(OURS), rights.cover(OTHERS)) == (True, False)
    now.systems["mijnzorg"] = portal.model_copy(update={"removed_at": TEN})
    assert rights.left_s() == 0


@pytest.mark.parametrize(
    ("claims", "seen"),
    [
        (patient(), {OURS, OTHERS, UNNAMED}),
        (Claims(sub="gp-1", role=Party.GP, practice=PRACTICE), {OURS}),
        (Claims(sub="ph-1", role=Party.PHARMACIST, pharmacy=PHARMACY), {OURS}),
    ],
    ids=["patient", "gp", "pharmacist"],
)
def test_each_is_told_what_they_may_see(claims: Claims, seen: set[LiveEvent]) -> None:
    rights = Now().rights(claims)
    assert {event for event in (OURS, OTHERS, UNNAMED) if rights.cover(event)} == seen
    assert rights.cover(READY)
    assert rights.cover(RESET)


def test_a_token_that_names_another_patient_or_nothing_gives_nothing() -> None:
    other = Claims(sub="pat_bert0002", role=Party.PATIENT, patients=("pat_bert0002",))
    for claims in (other, proxy(), Claims(sub="gp-1", role=Party.GP)):
        rights = Now().rights(claims)
        assert rights.left_s() == 0
        with pytest.raises(Problem) as refused:
            rights.caller()
        assert refused.value.status == 404


def test_streams_are_bounded_in_all_and_of_a_person() -> None:
    """Given as many streams as a person may have; then a person gets no more, and a system does."""
    recent = Recent()
    recent.begin(0, 0)
    system = Claims(sub=ANNA, role=Party.PORTAL)
    with ExitStack() as opened:
        for _ in range(MOST_OF_PERSON):
            require_room(recent, patient(), MOST_OF_PERSON + 1)
            opened.enter_context(recent.watch(ANNA, ANNA))
        require_room(recent, system, MOST_OF_PERSON + 1)
        assert _refusal(recent, patient(), MOST_OF_PERSON + 1) == (429, "too-many-streams")
        assert _refusal(recent, system, MOST_OF_PERSON) == (503, "overloaded")
    require_room(recent, patient(), 1)


def _refusal(recent: Recent, claims: Claims, most: int) -> tuple[int, str]:
    with pytest.raises(Problem) as refused:
        require_room(recent, claims, most)
    assert "Retry-After" in refused.value.headers
    return refused.value.status, refused.value.code
