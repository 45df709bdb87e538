"""Only access tokens for these services open them, whatever else the same issuer signed."""

from collections.abc import Sequence
from typing import Any

import httpx
import pytest
from joserfc import jwt

from deploy.local import LocalStack
from deploy.local.issuer.keys import ALGORITHM, ensure_key
from deploy.local.issuer.tokens import AUDIENCE
from schemas.access import Party
from tests.harness.oidc import Browser, answer_of
from tests.integration.access.callers import Asking, asking
from tests.integration.access.door import Door
from tests.integration.access.operations import Operation
from tests.integration.access.places import Asked, Places


def _signed(stack: LocalStack, caller: Asking, **changes: Any) -> Asking:
    """The caller with a token of the stack's issuer in which these claims are changed."""
    key = ensure_key(stack.data.issuer)
    token = jwt.decode(_token(caller), key, algorithms=[ALGORITHM])
    return _with(caller, jwt.encode(token.header, token.claims | changes, key))


def _token(caller: Asking) -> str:
    return caller.headers["authorization"].removeprefix("Bearer ")


def _with(caller: Asking, token: str) -> Asking:
    return Asking({"authorization": f"Bearer {token}"}, caller.actor)


async def _refused_everywhere(
    door: Door, operations: Sequence[Operation], places: Places, caller: Asking
) -> None:
    """Check that each operation that needs a token answers 401, as RFC 6750 and RFC 9457 have it."""
    guarded = [operation for operation in operations if operation.action]
    assert guarded
    for operation in guarded:
        answer = await door.ask(operation, places[Asked.OWN], caller)
        assert answer.status == 401, operation.name
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["www-authenticate"].startswith('Bearer error="invalid_token"')


async def test_the_id_token_of_a_login_opens_nothing_and_its_access_token_does(
    stack: LocalStack, door: Door, operations: Sequence[Operation], places: Places
) -> None:
    gp = asking(stack, Party.GP, places[Asked.OWN])
    async with httpx.AsyncClient(base_url=stack.issuer, timeout=20) as issuer:
        browser = Browser(issuer, f"http://127.0.0.1:{stack.ports.portal}/login/callback")
        code = answer_of(await browser.choose("usr_m5q9p3fj"))["code"]
        tokens = (await browser.redeem(code)).json()
    await _refused_everywhere(door, operations, places, _with(gp, tokens["id_token"]))
    await _refused_everywhere(door, operations, places, _with(gp, tokens["refresh_token"]))
    (overview,) = [o for o in operations if (o.method, o.path[-9:]) == ("GET", "/overview")]
    read = await door.ask(overview, places[Asked.OWN], _with(gp, tokens["access_token"]))
    assert read.status == 200


@pytest.mark.parametrize("audience", ["account", "portal", ["account", "portal"], []], ids=repr)
async def test_a_token_for_somebody_else_opens_nothing(
    stack: LocalStack,
    door: Door,
    operations: Sequence[Operation],
    places: Places,
    audience: object,
) -> None:
    gp = asking(stack, Party.GP, places[Asked.OWN])
    await _refused_everywhere(door, operations, places, _signed(stack, gp, aud=audience))


async def test_a_token_for_us_among_others_opens_what_its_bearer_may(
    stack: LocalStack, door: Door, operations: Sequence[Operation], places: Places
) -> None:
    gp = _signed(stack, asking(stack, Party.GP, places[Asked.OWN]), aud=["account", AUDIENCE])
    (overview,) = [o for o in operations if (o.method, o.path[-9:]) == ("GET", "/overview")]
    assert (await door.ask(overview, places[Asked.OWN], gp)).status == 200
    assert (await door.ask(overview, places[Asked.OTHER_PRACTICE], gp)).status == 404
