"""Bearer tokens: what a valid one says, whom it is for, how long it lives and how long it is remembered."""

import json
from collections.abc import MutableMapping
from typing import Any

import pytest

from runtime.http.tokens import InvalidToken, KeysUnavailable, TokenVerifier, Verified
from schemas.access import Claims, Party
from tests.unit.runtime.token_issuer import AUDIENCE, NOW, PATIENT, URL, Clock, MadeUpIssuer


def _verifier(issuer: MadeUpIssuer, clock: Clock, **changes: Any) -> TokenVerifier:
    return TokenVerifier([issuer.issuer(**changes)], fetch=issuer.fetch, clock=clock)


async def _refusal(verifier: TokenVerifier, token: str) -> str:
    with pytest.raises(InvalidToken) as refused:
        await verifier.verify(token)
    return refused.value.code


async def _judged(**claims: Any) -> str:
    """What becomes of a token with these claims changed: `valid`, or the code of the refusal."""
    issuer = MadeUpIssuer()
    try:
        await _verifier(issuer, Clock()).verify(issuer.token(**claims))
    except InvalidToken as refused:
        return refused.code
    return "valid"


@pytest.mark.parametrize("algorithm", ["ES256", "ES384", "RS256", "PS256", "EdDSA"])
async def test_a_token_signed_by_any_pinned_algorithm_is_valid(algorithm: str) -> None:
    issuer = MadeUpIssuer(algorithm=algorithm)
    verified = await _verifier(issuer, Clock()).verify(issuer.token())
    claims = Claims(sub="u-4711", role=Party.PATIENT, patients=(PATIENT,))
    assert verified == Verified(claims, issued_at=NOW, expires_at=NOW + 300)


async def test_every_claim_of_ours_is_read_and_others_are_not() -> None:
    issuer = MadeUpIssuer()
    token = issuer.token(
        role="practice-system",
        practice="01999001",
        pharmacy="02999001",
        region="Utrecht",
        preferred_username="not ours",
    )
    assert (await _verifier(issuer, Clock()).verify(token)).claims == Claims(
        sub="u-4711",
        role=Party.PRACTICE_SYSTEM,
        patients=(PATIENT,),
        practice="01999001",
        pharmacy="02999001",
        region="Utrecht",
    )


@pytest.mark.parametrize(
    "claims",
    [
        {"role": None},
        {"role": "administrator"},
        {"role": ["gp", "operator"]},
        {"sub": None},
        {"sub": ""},
        {"sub": 4711},
        {"sub": "x" * 101},
        {"patients": PATIENT},
        {"patients": ["*"]},
        {"patients": [PATIENT, None]},
        {"practice": "02999001"},
        {"practice": ["01999001"]},
        {"pharmacy": "1"},
        {"region": ""},
        {"sub": "\ud800"},
        {"patients": {"0": PATIENT}},
    ],
    ids=str,
)
async def test_a_token_whose_claims_cannot_be_meant_is_refused(claims: dict[str, Any]) -> None:
    assert await _judged(**claims) == "claims"


@pytest.mark.parametrize("typ", ["at+jwt", "application/at+jwt", "JWT", "AT+JWT", "jwt"])
async def test_access_tokens_of_rfc_9068_and_of_keycloak_are_accepted(typ: str) -> None:
    issuer = MadeUpIssuer()
    assert await _verifier(issuer, Clock()).verify(issuer.token({"typ": typ}, typ="Bearer"))


@pytest.mark.parametrize("typ", [None, "", "logout+jwt", "dpop+jwt", "secevent+jwt", "JOSE", 1, []])
async def test_a_token_of_another_type_is_refused(typ: object) -> None:
    issuer = MadeUpIssuer()
    assert await _refusal(_verifier(issuer, Clock()), issuer.token({"typ": typ})) == "type"


@pytest.mark.parametrize(
    "claims",
    [
        {"typ": "ID"},
        {"typ": "Refresh"},
        {"typ": "Logout"},
        {"typ": "DPoP"},
        {"typ": ["Bearer"]},
        {"nonce": "n-0S6"},
        {"at_hash": "77QmUPtjPfzWtF2AnpK9RQ"},
        {"c_hash": "x"},
        {"events": {}},
        {"cnf": {"jkt": "0ZcOCORZ"}},
    ],
    ids=str,
)
async def test_id_tokens_logout_tokens_and_bound_tokens_are_refused(claims: dict[str, Any]) -> None:
    assert await _judged(**claims) == "type"


@pytest.mark.parametrize("audience", [AUDIENCE, [AUDIENCE], ["account", AUDIENCE]], ids=str)
async def test_a_token_for_us_among_others_is_valid(audience: object) -> None:
    assert await _judged(aud=audience, azp="portal", client_id="portal") == "valid"


@pytest.mark.parametrize(
    "audience",
    [
        None,
        "account",
        ["account"],
        "portal",
        [],
        "",
        "HERHAAL",
        "herhaal ",
        "herhaal account",
        ["herhaal", 1],
        {"herhaal": 1},
        [["herhaal"]],
        True,
    ],
    ids=str,
)
async def test_a_token_for_somebody_else_is_refused(audience: object) -> None:
    assert await _judged(aud=audience, azp="portal") == "audience"


async def test_a_token_that_names_us_only_as_its_client_is_refused() -> None:
    """An ID token's audience is the client that logs somebody in, so we are never a client."""
    assert await _judged(aud="account", azp=AUDIENCE) == "audience"
    assert await _judged(aud=AUDIENCE, azp=AUDIENCE) == "audience"
    assert await _judged(aud=AUDIENCE, client_id=AUDIENCE) == "audience"


@pytest.mark.parametrize(
    ("claims", "judged"),
    [
        ({"iat": NOW - 900, "exp": NOW}, "valid"),
        ({"iat": NOW - 300, "exp": NOW - 9}, "valid"),
        ({"iat": NOW - 300, "exp": NOW - 10}, "expired"),
        ({"iat": NOW, "exp": NOW + 900}, "valid"),
        ({"iat": NOW, "exp": NOW + 901}, "lifetime"),
        ({"iat": NOW, "exp": NOW + 86_400}, "lifetime"),
        ({"iat": NOW, "exp": NOW}, "lifetime"),
        ({"iat": NOW, "exp": NOW - 1}, "lifetime"),
        ({"iat": NOW + 10, "exp": NOW + 300}, "valid"),
        ({"iat": NOW + 11, "exp": NOW + 300}, "not-yet-valid"),
        ({"iat": NOW + 11, "nbf": NOW, "exp": NOW + 300}, "not-yet-valid"),
        ({"nbf": NOW + 10}, "valid"),
        ({"nbf": NOW + 11}, "not-yet-valid"),
        ({"iat": NOW - 0.5, "exp": NOW + 0.5}, "valid"),
        ({"exp": None}, "claims"),
        ({"iat": None}, "claims"),
        ({"exp": str(NOW + 300)}, "claims"),
        ({"exp": True}, "claims"),
        ({"exp": [NOW + 300]}, "claims"),
        ({"exp": 10**400}, "claims"),
        ({"iat": -1}, "claims"),
        ({"nbf": "now"}, "claims"),
    ],
    ids=str,
)
async def test_a_token_is_valid_from_its_start_to_its_end_and_never_for_long(
    claims: dict[str, Any], judged: str
) -> None:
    """At most 900 s in all, and 10 s of leeway for clocks that differ."""
    assert await _judged(**claims) == judged


async def test_a_longer_life_is_a_setting() -> None:
    issuer = MadeUpIssuer()
    verifier = TokenVerifier([issuer.issuer()], fetch=issuer.fetch, clock=Clock(), longest_s=3600)
    assert await verifier.verify(issuer.token(exp=NOW + 3600))


async def test_a_valid_token_is_remembered_for_a_minute() -> None:
    issuer, clock = MadeUpIssuer(), Clock()
    verifier, token = _verifier(issuer, clock), issuer.token()
    first = await verifier.verify(token)
    assert await verifier.verify(token) is first
    clock.now += 59.9
    assert await verifier.verify(token) is first
    clock.now += 0.1
    assert await verifier.verify(token) is not first


async def test_a_token_is_not_remembered_past_its_end() -> None:
    issuer, clock = MadeUpIssuer(), Clock()
    verifier, token = _verifier(issuer, clock), issuer.token(exp=NOW + 5)
    first = await verifier.verify(token)
    clock.now += 5
    assert await verifier.verify(token) is not first
    clock.now += 10
    assert await _refusal(verifier, token) == "expired"


async def test_a_refused_token_is_not_remembered() -> None:
    issuer, clock = MadeUpIssuer(), Clock()
    verifier, token = _verifier(issuer, clock), issuer.token(nbf=NOW + 60)
    assert await _refusal(verifier, token) == "not-yet-valid"
    clock.now += 60
    assert await verifier.verify(token)


async def test_the_least_recently_used_tokens_are_forgotten_first() -> None:
    issuer = MadeUpIssuer()
    verifier = TokenVerifier(
        [issuer.issuer()], fetch=issuer.fetch, clock=Clock(), most_remembered=2
    )
    tokens = [issuer.token(sub=f"u-{number}") for number in range(3)]
    first, second = [await verifier.verify(token) for token in tokens[:2]]
    assert await verifier.verify(tokens[0]) is first
    await verifier.verify(tokens[2])
    assert await verifier.verify(tokens[0]) is first
    assert await verifier.verify(tokens[1]) is not second


async def test_each_issuer_has_its_own_keys_audience_and_algorithms() -> None:
    ours, theirs = MadeUpIssuer(), MadeUpIssuer("https://id.example.nl", "RS256", "key-1")
    by_url = {ours.issuer().jwks: ours.fetch, theirs.issuer().jwks: theirs.fetch}

    async def fetch(url: str) -> bytes:
        return await by_url[url](url)

    issuers = [ours.issuer(), theirs.issuer(audience="urn:herhaal")]
    verifier = TokenVerifier(issuers, fetch=fetch, clock=Clock())
    assert await verifier.verify(ours.token())
    assert await verifier.verify(theirs.token(aud="urn:herhaal"))
    assert await _refusal(verifier, theirs.token(aud=AUDIENCE)) == "audience"
    assert await _refusal(verifier, theirs.token(aud="urn:herhaal", iss=URL)) == "algorithm"


async def test_while_no_keys_could_be_fetched_nobody_can_tell() -> None:
    async def fetch(_: str) -> bytes:
        raise OSError

    issuer = MadeUpIssuer()
    verifier = TokenVerifier([issuer.issuer()], fetch=fetch, clock=Clock())
    with pytest.raises(KeysUnavailable):
        await verifier.verify(issuer.token())


def test_two_issuers_with_one_url_are_a_mistake() -> None:
    issuer = MadeUpIssuer()
    with pytest.raises(ValueError, match="same URL"):
        TokenVerifier([issuer.issuer(), issuer.issuer(audience="other")])


async def test_neither_refusals_nor_logs_quote_a_token(
    lines: list[MutableMapping[str, Any]],
) -> None:
    issuer = MadeUpIssuer()
    verifier = _verifier(issuer, Clock())
    secret = "pat_secret1"
    for token in (
        issuer.token(patients=[secret, "!"]),
        issuer.token(sub=secret, role="nobody"),
        issuer.token({"kid": secret}),
        issuer.token({"typ": secret}),
        issuer.token(iss=secret),
        issuer.token(aud=secret),
        issuer.token(exp=secret),
        issuer.written(json.dumps(issuer.header()), f'{{"sub": "{secret}"'),
        secret,
    ):
        with pytest.raises(InvalidToken) as refused:
            await verifier.verify(token)
        assert refused.value.__cause__ is None
        assert refused.value.__context__ is None
        assert str(refused.value) == refused.value.code
        assert secret not in f"{refused.value.code}{lines}"
