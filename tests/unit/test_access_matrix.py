"""Every route of every service, asked by every role: only the roles in the table get past the door."""

import math
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from runtime.app import routers
from runtime.http.access import GuardedRoute
from runtime.http.caller import Caller
from runtime.http.tokens import InvalidToken, Verified
from schemas.access import ACCESS, SYSTEM_KINDS, Action, Claims, Party
from schemas.base import Actor, PlacedBy
from schemas.records.access import AccessRevoked, WhyRevoked
from schemas.records.directory import System
from services.medication.app import SERVICE as MEDICATION
from services.metrics.app import SERVICE as METRICS
from services.notification.app import SERVICE as NOTIFICATION
from services.ordering.app import SERVICE as ORDERING
from tests.unit.schemas.test_grants import a_system
from tests.unit.served import Served

PAGE = Path(__file__).parents[2] / "docs" / "architecture" / "security.md"
SERVICES = (ORDERING, MEDICATION, NOTIFICATION, METRICS)
ISSUED_AT = 1_790_000_000.0


class EveryRole:
    """Takes a role for a token, with nothing in its scope."""

    async def verify(self, token: str) -> Verified:
        if token not in set(Party):
            raise InvalidToken("unknown")
        return Verified(
            Claims(sub=f"a-{token}", role=Party(token)), issued_at=ISSUED_AT, expires_at=math.inf
        )


def _guarded() -> list[tuple[Any, str, str, Action]]:
    found = []
    for service in SERVICES:
        of_service = routers(service, Served(service).resources)
        for route in (route for router in of_service for route in router.routes):
            if isinstance(route, GuardedRoute):
                path = re.sub(r"{patient}", "pat_anna0001", route.path)
                path = (
                    path.replace("{prk}", "5487")
                    .replace("{agb}", "01999001")
                    .replace("{proxy}", "usr_1")
                    .replace("{line}", "1")
                )
                path = path.replace("{message_id}", "0192aaaa-0000-7000-8000-000000000002")
                path = path.replace("{order_id}", "0192aaaa-0000-7000-8000-000000000001")
                found += [(service, method, path, route.action) for method in route.methods or ()]
    return found


GUARDED = _guarded()


@pytest.mark.parametrize(
    ("service", "method", "path", "action"), GUARDED, ids=lambda v: str(v)[:40]
)
async def test_only_roles_in_the_table_get_past_the_door(
    service: Any, method: str, path: str, action: Action
) -> None:
    served = Served(service, verifier=EveryRole(), tokens=None)
    served.tables[System].rows |= {
        f"a-{kind}": a_system(f"a-{kind}", kind) for kind in SYSTEM_KINDS
    }
    assert (await served.ask(method, path)).status_code == 401
    for role in Party:
        answer = await served.ask(method, path, headers={"authorization": f"Bearer {role}"})
        refused = answer.status_code == 403
        assert refused is (role not in ACCESS[action]), (role, answer.status_code)
        assert answer.status_code != 401


@pytest.mark.parametrize(
    ("service", "method", "path", "action"), GUARDED, ids=lambda v: str(v)[:40]
)
async def test_who_is_revoked_gets_past_no_door(
    service: Any, method: str, path: str, action: Action
) -> None:
    served = Served(service, verifier=EveryRole())
    for role in Party:
        at = datetime.fromtimestamp(ISSUED_AT, UTC)
        served.tables[AccessRevoked].rows[f"a-{role}"] = AccessRevoked(
            sub=f"a-{role}", not_before=at, why=WhyRevoked.LEFT
        )
        answer = await served.ask(method, path, headers={"authorization": f"Bearer {role}"})
        assert answer.status_code == 401
        assert 'error_description="revoked"' in answer.headers["www-authenticate"]


@pytest.mark.parametrize(
    ("service", "method", "path", "action"), GUARDED, ids=lambda v: str(v)[:40]
)
async def test_no_spelling_of_a_path_or_method_gets_past_the_door(
    service: Any, method: str, path: str, action: Action
) -> None:
    """Nothing is answered, and nobody is sent to a host that the request names."""
    served = Served(service, verifier=EveryRole(), tokens=None)
    spelt = (f"/{path}", f"{path}/", f"{path}?", f"/livez/..%2f{path[1:]}", path.replace("/", "//"))
    for odd in spelt:
        for headers in ({}, {"host": "elsewhere.example/livez?"}, {"x-forwarded-prefix": "/livez"}):
            answer = await served.ask(method, odd, headers=headers)
            assert answer.status_code in (401, 404), (odd, answer.status_code)
            assert "location" not in answer.headers
    for other in ("HEAD", "OPTIONS", "TRACE"):
        assert (await served.ask(other, path)).status_code in (401, 404, 405)


ONLY_ASKS = {Action.POLICY_TRY}
"""Has a body, as it is too much for a query, and changes nothing."""

WRITTEN = {action for _, method, _, action in GUARDED if method != "GET"} - ONLY_ASKS


@pytest.mark.parametrize("action", sorted(WRITTEN))
def test_who_may_change_something_has_a_role_in_records_or_is_a_system(action: Action) -> None:
    """So a record can always say who acted; an order only has roles that may place one."""
    for role in ACCESS[action].keys() - SYSTEM_KINDS:
        caller = Caller(action, Claims(sub="somebody", role=role))
        assert caller.acting(Actor, None, "by").id == "somebody"
        if action is Action.ORDERS_PLACE:
            assert caller.acting(PlacedBy, None, "placed_by").id == "somebody"


def test_every_action_has_a_route() -> None:
    assert {action for *_, action in GUARDED} == set(Action)


def test_the_page_has_the_table() -> None:
    rows = ["| action | " + " | ".join(Party) + " |", "|---" * (len(Party) + 1) + "|"]
    for action in Action:
        scopes = [ACCESS[action].get(role) for role in Party]
        cells = [f" {scope} " if scope else " " for scope in scopes]
        rows.append(f"| `{action}` |" + "|".join(cells) + "|")
    assert "\n".join(rows) in PAGE.read_text()
