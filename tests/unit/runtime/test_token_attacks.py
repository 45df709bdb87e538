"""Tokens signed in another way than the issuer does are refused, also where JWT libraries let them pass."""

import base64
import hmac
import json
from collections.abc import Mapping
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from joserfc.jwk import OctKey

from runtime.http.jwks import FetchKeys
from runtime.http.tokens import InvalidToken, TokenVerifier
from tests.unit.runtime.token_issuer import (
    URL,
    Clock,
    MadeUpIssuer,
    claims_text,
    encoded,
    jwks,
    new_key,
    refusal,
    signed,
)

ISSUER = MadeUpIssuer()
RSA = MadeUpIssuer(algorithm="RS256")


@pytest.mark.parametrize("alg", ["none", "None", "nOnE", "NONE", ""])
async def test_a_token_without_a_signature_is_refused(alg: str) -> None:
    header = encoded(json.dumps(ISSUER.header(alg=alg)))
    unsigned = f"{header}.{encoded(claims_text())}"
    assert await refusal(ISSUER, f"{unsigned}.") == "malformed"
    assert await refusal(ISSUER, unsigned) == "malformed"
    assert await refusal(ISSUER, f"{unsigned}.AAAA") == "algorithm"


@pytest.mark.parametrize("form", ["PEM", "DER"])
@pytest.mark.parametrize("issuer", [ISSUER, RSA], ids=["ES256", "RS256"])
async def test_a_public_key_is_no_shared_secret(issuer: MadeUpIssuer, form: Any) -> None:
    secret = issuer.key.as_bytes(encoding=form, private=False)
    header = encoded(json.dumps(issuer.header(alg="HS256")))
    message = f"{header}.{encoded(claims_text())}"
    mac = hmac.digest(secret, message.encode(), "sha256")
    assert await refusal(issuer, f"{message}.{encoded(mac)}") == "algorithm"


@pytest.mark.parametrize("alg", ["RS256", "PS256", "ES384", "ES512", "ES256K", "EdDSA", "Ed25519"])
async def test_an_algorithm_that_is_not_pinned_is_refused(alg: str) -> None:
    assert await refusal(ISSUER, ISSUER.token({"alg": alg})) == "algorithm"


@pytest.mark.parametrize(
    "alg", [None, 1, ["ES256"], {"ES256": 1}, "es256", "ES256 ", True], ids=str
)
async def test_an_algorithm_is_named_exactly(alg: object) -> None:
    assert await refusal(ISSUER, ISSUER.token({"alg": alg})) == "algorithm"


async def test_a_key_serves_no_other_pinned_algorithm() -> None:
    """ES256 and RS256 are pinned; a token that names the other's algorithm finds no key."""
    both = ("ES256", "RS256")
    for issuer, other in ((ISSUER, "RS256"), (RSA, "ES256")):
        assert await refusal(issuer, issuer.token({"alg": other}), algorithms=both) == "key"


async def test_a_key_for_one_algorithm_serves_no_other_of_its_type() -> None:
    async def fetch(_: str) -> bytes:
        return RSA.document(alg="RS256")

    verifier = TokenVerifier(
        [RSA.issuer(algorithms=("RS256", "PS256"))], fetch=fetch, clock=Clock()
    )
    assert await verifier.verify(RSA.token())
    header = encoded(json.dumps(RSA.header(alg="PS256")))
    with pytest.raises(InvalidToken, match="key"):
        await verifier.verify(signed(header, encoded(claims_text()), "PS256", RSA.key))


_OWN_KEY = new_key("ES256")


@pytest.mark.parametrize(
    "parameters",
    [
        {"jku": "https://evil.example/keys"},
        {"jwk": _OWN_KEY.as_dict(private=False)},
        {"x5u": "https://evil.example/chain"},
        {"x5c": ["MIIB"]},
        {"crit": ["exp"], "exp": 1},
        {"crit": []},
        {"b64": False, "crit": ["b64"]},
        {"b64": True},
        {"cty": "JWT"},
        {"zip": "DEF"},
        {"enc": "A256GCM"},
        {"iss": URL},
        {"KID": "key-1"},
    ],
    ids=lambda parameters: "+".join(parameters),
)
async def test_a_header_that_brings_a_key_or_another_way_to_read_is_refused(
    parameters: Mapping[str, Any],
) -> None:
    assert await refusal(ISSUER, ISSUER.token(parameters)) == "header"
    header = encoded(json.dumps(ISSUER.header(**parameters)))
    assert (
        await refusal(ISSUER, signed(header, encoded(claims_text()), "ES256", _OWN_KEY)) == "header"
    )


async def test_a_thumbprint_of_a_certificate_is_ignored() -> None:
    verifier = TokenVerifier([ISSUER.issuer()], fetch=ISSUER.fetch, clock=Clock())
    assert await verifier.verify(ISSUER.token({"x5t": "0ZcOCORZ", "x5t#S256": "x"}))


@pytest.mark.parametrize(
    "kid",
    [
        "../../../../dev/null",
        "/proc/sys/kernel/randomize_va_space",
        "key-1' OR '1'='1",
        "key-1; drop table keys",
        "https://evil.example/keys",
        "KEY-1",
        "key-1 ",
        "key-1\n",
        "key-1\x00",
        "k" * 201,
        "sleutel-é",
        "",
        None,
        1,
        0,
        True,
        ["key-1"],
        {"key-1": 1},
    ],
    ids=repr,
)
async def test_a_key_is_found_by_its_exact_id_only(kid: object) -> None:
    assert await refusal(ISSUER, ISSUER.token({"kid": kid})) == "key"


@pytest.mark.parametrize(
    "kid", ["k" * 201, "key 1", "key-1\n", "key-1\x00", "sleutel-é", ""], ids=repr
)
async def test_an_id_that_no_key_can_have_asks_the_issuer_nothing(kid: str) -> None:
    issuer = MadeUpIssuer()
    assert await refusal(issuer, issuer.token({"kid": kid})) == "key"
    assert issuer.fetches == 0
    assert await refusal(issuer, issuer.token({"kid": "key-2"})) == "key"
    assert issuer.fetches == 1


async def test_another_key_with_the_known_id_signs_nothing() -> None:
    header, claims = encoded(json.dumps(ISSUER.header())), encoded(claims_text())
    assert await refusal(ISSUER, signed(header, claims, "ES256", _OWN_KEY)) == "signature"


async def test_a_token_that_was_changed_is_refused() -> None:
    header, _, signature = ISSUER.token().split(".")
    changed = encoded(claims_text(role="operator"))
    assert await refusal(ISSUER, f"{header}.{changed}.{signature}") == "signature"


@pytest.mark.parametrize(
    "signature", [b"\x00", b"\x00" * 64, b"\xff" * 64, b"\x00" * 65, b"x" * 63]
)
@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "EdDSA"])
async def test_no_signature_is_always_right(algorithm: str, signature: bytes) -> None:
    issuer = {"ES256": ISSUER, "RS256": RSA}.get(algorithm) or MadeUpIssuer(algorithm=algorithm)
    message = issuer.token().rpartition(".")[0]
    assert await refusal(issuer, f"{message}.{encoded(signature)}") == "signature"


async def test_a_signature_in_der_is_refused() -> None:
    """JWS writes an ECDSA signature as two numbers of fixed length (RFC 7518, 3.4)."""
    message, _, signature = ISSUER.token().rpartition(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    der = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    assert await refusal(ISSUER, f"{message}.{encoded(der)}") == "signature"


@pytest.mark.parametrize(
    "iss",
    [
        f"{URL}/",
        URL.upper(),
        f" {URL}",
        f"{URL}#",
        f"{URL}?x",
        URL.replace("https", "http"),
        f"{URL}/../zorg",
        "https://evil.example",
        "",
        None,
        [URL],
        {"url": URL},
        1,
    ],
    ids=repr,
)
async def test_an_issuer_is_known_by_its_exact_url_only(iss: object) -> None:
    assert await refusal(ISSUER, ISSUER.token(iss=iss)) == "issuer"


async def test_an_issuer_speaks_for_itself_only() -> None:
    """Two issuers with the same `kid`: the keys of one verify nothing of the other."""
    other = MadeUpIssuer(f"{URL}/")
    fetches: Mapping[str, FetchKeys] = {
        ISSUER.issuer().jwks: ISSUER.fetch,
        other.issuer().jwks: other.fetch,
    }

    async def fetch(url: str) -> bytes:
        return await fetches[url](url)

    verifier = TokenVerifier([ISSUER.issuer(), other.issuer()], fetch=fetch, clock=Clock())
    assert await verifier.verify(ISSUER.token())
    assert await verifier.verify(other.token())
    for impostor, victim in ((other, ISSUER), (ISSUER, other)):
        with pytest.raises(InvalidToken, match="signature"):
            await verifier.verify(impostor.token(iss=victim.url))


async def test_a_secret_in_the_key_set_verifies_nothing() -> None:
    secret = OctKey.import_key("s3cr3t-s3cr3t-s3cr3t-s3cr3t-s3cr3t")

    async def fetch(_: str) -> bytes:
        return jwks({**secret.as_dict(), "kid": "shared"}, ISSUER.jwk())

    verifier = TokenVerifier([ISSUER.issuer()], fetch=fetch, clock=Clock())
    for alg in ("HS256", "ES256"):
        header = encoded(json.dumps(ISSUER.header(kid="shared", alg=alg)))
        with pytest.raises(InvalidToken):
            await verifier.verify(signed(header, encoded(claims_text()), "HS256", secret))
    assert await verifier.verify(ISSUER.token())
