"""The development issuer of a running stack: discovery, login, systems, `herhaal token`, its cost."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import psutil
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from deploy.local import LocalStack
from deploy.local.processes.services import READY_S
from schemas.access import Party
from tests.harness.oidc import Browser, answer_of

ROOT = Path(__file__).parents[2]
MOST_MIB = 80


@pytest.fixture
async def issuer(stack: LocalStack) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=stack.issuer, timeout=20) as client:
        yield client


def run(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a module to its end."""
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


async def keys(issuer: httpx.AsyncClient) -> KeySet:
    """The keys that discovery leads to."""
    metadata = (await issuer.get("/.well-known/openid-configuration")).json()
    return KeySet.import_key_set((await issuer.get(metadata["jwks_uri"])).json())


async def test_the_stack_names_its_issuer(stack: LocalStack, issuer: httpx.AsyncClient) -> None:
    found = (await issuer.get("/.well-known/openid-configuration")).json()
    assert found["issuer"] == stack.issuer == stack.endpoints["issuer"]


async def test_a_person_logs_in_stays_so_by_refreshing_and_logs_out(
    stack: LocalStack, issuer: httpx.AsyncClient
) -> None:
    portal = f"http://127.0.0.1:{stack.ports.portal}"
    browser = Browser(issuer, f"{portal}/login/callback")
    assert "Gijs Linde" in (await browser.ask()).text
    answer = answer_of(await browser.choose("usr_m5q9p3fj"))
    assert (answer["iss"], answer["state"]) == (stack.issuer, browser.params["state"])
    tokens = (await browser.redeem(answer["code"])).json()
    access = jwt.decode(tokens["access_token"], await keys(issuer), algorithms=["ES256"])
    assert access.header["typ"] == "at+jwt"
    assert access.claims["iss"] == stack.issuer
    assert (access.claims["role"], access.claims["practice"]) == ("gp", "01999001")
    refreshed = (await browser.refresh(tokens["refresh_token"])).json()
    leaving = {
        "id_token_hint": refreshed["id_token"],
        "post_logout_redirect_uri": f"{portal}/",
    }
    left = await issuer.get("/logout", params=leaving)
    assert left.headers["location"] == f"{portal}/"
    assert (await browser.refresh(refreshed["refresh_token"])).json()["error"] == "invalid_grant"


async def test_a_system_gets_a_token_for_its_secret(issuer: httpx.AsyncClient) -> None:
    answer = await issuer.post(
        "/token",
        data={"grant_type": "client_credentials"},
        auth=("vijzel-ais", "secret-of-vijzel-ais"),
    )
    token = jwt.decode(answer.json()["access_token"], await keys(issuer), algorithms=["ES256"])
    assert token.claims["role"] == "pharmacy-system"


async def test_tokens_that_are_minted_beside_it_are_the_issuers_own(
    stack: LocalStack, issuer: httpx.AsyncClient
) -> None:
    bearer = ("--as", "gp", "--practice", "01999001")
    done = await asyncio.to_thread(run, "cli", "token", *bearer, "--data", str(stack.data.path))
    assert done.returncode == 0
    assert done.stderr == ""
    ours = stack.token(Party.GP, practice="01999001")
    for minted in (done.stdout.removesuffix("\n"), ours):
        token = jwt.decode(minted, await keys(issuer), algorithms=["ES256"])
        assert (token.claims["iss"], token.claims["sub"]) == (stack.issuer, "usr_m5q9p3fj")


async def test_a_restarted_issuer_has_the_same_key(
    stack: LocalStack, issuer: httpx.AsyncClient
) -> None:
    before = (await issuer.get("/jwks")).json()
    await stack.kill("issuer")
    await stack.start("issuer", READY_S)
    assert (await issuer.get("/jwks")).json() == before


async def test_the_issuer_is_small(stack: LocalStack) -> None:
    memory = psutil.Process(stack.pids["issuer"]).memory_info().rss >> 20
    assert memory < MOST_MIB


async def test_it_listens_on_loopback_only(stack: LocalStack) -> None:
    listening = [
        connection.laddr.ip
        for connection in psutil.Process(stack.pids["issuer"]).net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert listening == ["127.0.0.1"]


def test_it_does_not_start_outside_a_local_stack(tmp_path: Path) -> None:
    options = ("--data", str(tmp_path), "--port", "1", "--portal-port", "2")
    done = run("deploy.local.issuer", *options)
    assert done.returncode == 1
    assert done.stderr == f"{tmp_path} is no data folder of a stack; name one with --data.\n"
