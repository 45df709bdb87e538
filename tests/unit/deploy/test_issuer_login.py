"""The development issuer over HTTP: login with a code and PKCE, refresh, systems, logout, refusals."""

from collections.abc import AsyncIterator

import pytest

from deploy.local.issuer.people import PEOPLE
from deploy.local.issuer.requests import LONGEST
from tests.harness.oidc import answer_of
from tests.unit.deploy.issuing import CALLBACK, ISSUER, OTHER, Issuing, claims, issuing

GP = "usr_m5q9p3fj"


@pytest.fixture
async def issuer() -> AsyncIterator[Issuing]:
    async with issuing() as running:
        yield running


async def test_discovery_names_every_endpoint_and_only_what_is_safe(issuer: Issuing) -> None:
    found = (await issuer.http.get("/.well-known/openid-configuration")).json()
    assert found["issuer"] == ISSUER
    assert found["jwks_uri"] == f"{ISSUER}/jwks"
    assert found["response_types_supported"] == ["code"]
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert found["id_token_signing_alg_values_supported"] == ["ES256"]
    assert found["authorization_response_iss_parameter_supported"] is True


async def test_a_name_that_leads_to_this_machine_does_not_reach_the_issuer(issuer: Issuing) -> None:
    answer = await issuer.http.get("/jwks", headers={"Host": "evil.example:8106"})
    assert answer.status_code == 400


async def test_the_login_page_says_who_everybody_is_in_dutch_and_in_english(
    issuer: Issuing,
) -> None:
    dutch = (await issuer.browser.ask()).text
    english = (await issuer.browser.ask(ui_locales="en")).text
    assert "Wie bent u?" in dutch
    assert "Huisartsen" in dutch
    assert "Who are you?" in english
    assert "GPs" in english
    for person in PEOPLE:
        assert f'value="{person.claims.sub}"' in dutch
        assert person.about("nl") in dutch
        assert person.name in english
        assert person.about("en") in english


async def test_what_a_request_says_is_text_on_the_page(issuer: Issuing) -> None:
    page = (await issuer.browser.ask(state='"><script>x</script>', ui_locales='"><b>')).text
    assert "<script" not in page
    assert "<b>" not in page.partition("<main")[0]


async def test_the_login_page_is_in_no_frame_and_its_form_leads_to_the_client_only(
    issuer: Issuing,
) -> None:
    policy = (await issuer.browser.ask()).headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert policy.endswith(f"form-action 'self' {CALLBACK}")


async def test_the_answer_has_the_state_and_says_who_answers(issuer: Issuing) -> None:
    redirect = await issuer.browser.choose(GP)
    assert redirect.headers["location"].startswith(f"{CALLBACK}?code=")
    answer = answer_of(redirect)
    assert set(answer) == {"code", "state", "iss"}
    assert answer["state"] == "a state & more"
    assert answer["iss"] == ISSUER


async def test_a_code_is_redeemed_for_the_tokens_of_the_chosen_person(issuer: Issuing) -> None:
    browser = issuer.browser
    answer = await browser.redeem(await browser.code(GP))
    assert answer.headers["cache-control"] == "no-store"
    tokens = answer.json()
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 900)
    access, identity = claims(tokens["access_token"]), claims(tokens["id_token"])
    assert (access["sub"], access["role"], access["practice"]) == (GP, "gp", "01999001")
    assert (access["aud"], access["client_id"]) == ("herhaal", "portal")
    assert (identity["sub"], identity["aud"], identity["nonce"]) == (GP, "portal", "n-1")
    assert "role" not in identity


async def test_a_code_is_redeemed_once_and_a_second_time_ends_what_it_began(
    issuer: Issuing,
) -> None:
    browser = issuer.browser
    code = await browser.code(GP)
    tokens = (await browser.redeem(code)).json()
    assert (await browser.redeem(code)).json()["error"] == "invalid_grant"
    assert (await browser.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "changed",
    [
        {"code_verifier": "w" * 43},
        {"redirect_uri": "http://localhost:8100/login/callback"},
        {"client_id": OTHER.id},
    ],
)
async def test_a_code_is_worth_nothing_to_whom_it_was_not_given_and_then_to_nobody(
    issuer: Issuing, changed: dict[str, str]
) -> None:
    browser = issuer.browser
    code = await browser.code(GP)
    assert (await browser.redeem(code, **changed)).json()["error"] == "invalid_grant"
    assert (await browser.redeem(code)).json()["error"] == "invalid_grant"


async def test_a_code_is_valid_for_a_minute(issuer: Issuing) -> None:
    browser = issuer.browser
    code = await browser.code(GP)
    issuer.clock.now += 60
    assert (await browser.redeem(code)).json()["error"] == "invalid_grant"


@pytest.mark.parametrize("verifier", ["", "short", "v" * 129, "ü" * 43])
async def test_a_code_verifier_has_the_form_of_rfc_7636(issuer: Issuing, verifier: str) -> None:
    browser = issuer.browser
    answer = await browser.redeem(await browser.code(GP), code_verifier=verifier)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    "changed",
    [
        {"client_id": "nobody"},
        {"client_id": "linde-his"},
        {"client_id": None},
        {"redirect_uri": None},
        {"redirect_uri": f"{CALLBACK}/"},
        {"redirect_uri": f"{CALLBACK}?x=1"},
        {"redirect_uri": "http://127.0.0.1:8101/login/callback"},
        {"redirect_uri": "http://127.0.0.1:8100@evil.example/login/callback"},
        {"redirect_uri": "HTTP://127.0.0.1:8100/login/callback"},
    ],
)
async def test_an_address_that_is_not_exactly_one_of_the_clients_is_never_redirected_to(
    issuer: Issuing, changed: dict[str, str | None]
) -> None:
    for answer in (await issuer.browser.ask(**changed), await issuer.browser.choose(GP, **changed)):
        assert answer.status_code == 400
        assert "location" not in answer.headers


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": None}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"request_uri": "https://evil.example"}, "request_not_supported"),
        ({"prompt": "none"}, "login_required"),
    ],
)
async def test_a_request_that_is_not_code_with_pkce_goes_back_with_an_error(
    issuer: Issuing, changed: dict[str, str | None], error: str
) -> None:
    for answer in (await issuer.browser.ask(**changed), await issuer.browser.choose(GP, **changed)):
        given = answer_of(answer)
        assert (given["error"], given["state"], given["iss"]) == (error, "a state & more", ISSUER)
        assert "code" not in given


async def test_nobody_logs_in_as_somebody_who_is_not_on_the_page(issuer: Issuing) -> None:
    assert answer_of(await issuer.browser.choose("usr_nobody"))["error"] == "access_denied"
    assert answer_of(await issuer.browser.choose("linde-his"))["error"] == "access_denied"


async def test_a_parameter_given_twice_is_refused(issuer: Issuing) -> None:
    twice = "grant_type=client_credentials&client_id=linde-his&client_id=vijzel-ais"
    answer = await issuer.http.post("/token", content=twice)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("content", [b"x" * (LONGEST + 1), b"client_id=\xff", b"client_id=%FF"])
async def test_a_form_that_is_none_is_refused(issuer: Issuing, content: bytes) -> None:
    answer = await issuer.http.post("/token", content=content)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_a_refresh_token_is_replaced_at_each_use(issuer: Issuing) -> None:
    browser = issuer.browser
    first = (await browser.redeem(await browser.code(GP))).json()
    issuer.clock.now += 1000
    second = (await browser.refresh(first["refresh_token"])).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert claims(second["access_token"])["exp"] == 1_800_001_900
    assert claims(second["id_token"])["auth_time"] == 1_800_000_000
    assert (await browser.refresh(second["refresh_token"])).status_code == 200


async def test_a_refresh_token_that_comes_twice_ends_the_session(issuer: Issuing) -> None:
    browser = issuer.browser
    first = (await browser.redeem(await browser.code(GP))).json()["refresh_token"]
    second = (await browser.refresh(first)).json()["refresh_token"]
    assert (await browser.refresh(first)).json()["error"] == "invalid_grant"
    assert (await browser.refresh(second)).json()["error"] == "invalid_grant"


async def test_another_client_or_a_guess_neither_refreshes_nor_ends_a_session(
    issuer: Issuing,
) -> None:
    browser = issuer.browser
    token = (await browser.redeem(await browser.code(GP))).json()["refresh_token"]
    guess = f"{token.partition('.')[0]}.guess"
    for stolen in (await browser.refresh(token, OTHER.id), await browser.refresh(guess)):
        assert stolen.json()["error"] == "invalid_grant"
    assert (await browser.refresh(token)).status_code == 200


async def test_a_session_ends_after_twelve_hours_however_often_it_is_refreshed(
    issuer: Issuing,
) -> None:
    browser = issuer.browser
    token = (await browser.redeem(await browser.code(GP))).json()["refresh_token"]
    issuer.clock.now += 12 * 3600 - 1
    token = (await browser.refresh(token)).json()["refresh_token"]
    issuer.clock.now += 1
    assert (await browser.refresh(token)).json()["error"] == "invalid_grant"


async def test_a_logout_ends_the_session_of_its_id_token_and_leads_back(issuer: Issuing) -> None:
    mine, others = issuer.browser, issuer.browser
    tokens = (await mine.redeem(await mine.code(GP))).json()
    other = (await others.redeem(await others.code(GP))).json()
    issuer.clock.now += 3600
    answer = await issuer.http.get(
        "/logout",
        params={
            "id_token_hint": tokens["id_token"],
            "post_logout_redirect_uri": "http://127.0.0.1:8100/",
            "state": "s&1",
        },
    )
    assert answer.headers["location"] == "http://127.0.0.1:8100/?state=s%261"
    assert (await mine.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"
    assert (await others.refresh(other["refresh_token"])).status_code == 200


async def test_a_logout_leads_to_no_other_address(issuer: Issuing) -> None:
    for target in ("https://evil.example/", "http://127.0.0.1:8100/x"):
        given = {"client_id": "portal", "post_logout_redirect_uri": target}
        answer = await issuer.http.post("/logout", data=given)
        assert answer.status_code == 200
        assert "U bent uitgelogd" in answer.text


async def test_a_system_gets_a_token_for_its_secret_in_the_header_or_the_form(
    issuer: Issuing,
) -> None:
    grant = {"grant_type": "client_credentials"}
    named = {"client_id": "linde-his", "client_secret": "secret-of-linde-his"}
    in_form = await issuer.http.post("/token", data=grant | named)
    in_header = await issuer.http.post(
        "/token", data=grant, auth=("linde-his", "secret-of-linde-his")
    )
    for answer in (in_form, in_header):
        assert "refresh_token" not in answer.json()
        said = claims(answer.json()["access_token"])
        assert (said["sub"], said["client_id"]) == ("linde-his", "linde-his")
        assert said["role"] == "practice-system"


@pytest.mark.parametrize(
    "given",
    [
        {"client_id": "linde-his"},
        {"client_id": "linde-his", "client_secret": "wrong"},
        {"client_id": "linde-his", "client_secret": "secret-of-vijzel-ais"},
        {"client_id": "nobody", "client_secret": "secret-of-nobody"},
        {"client_id": "portal", "client_secret": "secret-of-portal"},
        {},
    ],
)
async def test_a_system_without_its_secret_gets_nothing(
    issuer: Issuing, given: dict[str, str]
) -> None:
    answer = await issuer.http.post("/token", data={"grant_type": "client_credentials", **given})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert answer.headers["www-authenticate"].startswith("Basic")


@pytest.mark.parametrize(
    "header", ["Bearer x", "Basic", "Basic !", "Basic bm9jb2xvbg==", "Basic /w=="]
)
async def test_a_header_that_is_not_basic_is_refused(issuer: Issuing, header: str) -> None:
    answer = await issuer.http.post("/token", headers={"Authorization": header})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_the_portal_is_no_system_and_there_are_no_other_grants(issuer: Issuing) -> None:
    given = {"client_id": "portal", "grant_type": "client_credentials"}
    assert (await issuer.http.post("/token", data=given)).json()["error"] == "unauthorized_client"
    given["grant_type"] = "password"
    assert (await issuer.http.post("/token", data=given)).json()[
        "error"
    ] == "unsupported_grant_type"
