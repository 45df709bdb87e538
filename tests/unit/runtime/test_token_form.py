"""The form of tokens: what can be read in two ways, or is no signed JSON, is refused before anything else."""

import json
from collections.abc import Sequence

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from runtime.http.tokens import InvalidToken, TokenVerifier
from tests.unit.runtime.token_issuer import Clock, MadeUpIssuer, claims_text, refusal

ISSUER = MadeUpIssuer()


@pytest.mark.parametrize(
    ("header", "claims"),
    [
        ('{"alg":"ES256","typ":"at+jwt","kid":"key-1","alg":"none"}', claims_text()),
        ('{"alg":"none","typ":"at+jwt","kid":"key-1","alg":"ES256"}', claims_text()),
        ('{"alg":"ES256","typ":"at+jwt","kid":"x","k\\u0069d":"key-1"}', claims_text()),
        (json.dumps(ISSUER.header()), claims_text()[:-1] + ', "role": "operator"}'),
        (json.dumps(ISSUER.header()), claims_text()[:-1] + ', "r\\u006fle": "operator"}'),
        (json.dumps(ISSUER.header()), claims_text()[:-1] + ', "realm": {"a": 1, "a": 2}}'),
    ],
)
async def test_a_name_that_occurs_twice_is_refused(header: str, claims: str) -> None:
    """Whoever reads the first, and whoever reads the last, would see two different tokens."""
    assert await refusal(ISSUER, ISSUER.written(header, claims)) == "malformed"


_HEADER = json.dumps(ISSUER.header())


@pytest.mark.parametrize(
    ("header", "claims"),
    [
        (_HEADER, "[]"),
        (_HEADER, "null"),
        (_HEADER, '"text"'),
        (_HEADER, "1"),
        ("[]", claims_text()),
        (_HEADER, claims_text()[:-1]),
        (_HEADER, claims_text() + "{}"),
        (_HEADER, claims_text()[:-1] + ', "x": NaN}'),
        (_HEADER, claims_text()[:-1] + ', "x": -Infinity}'),
        (_HEADER, "{" + "'sub': 1}"),
        (_HEADER, b"\xef\xbb\xbf" + claims_text().encode()),
        (_HEADER, claims_text().encode("utf-16")),
        (_HEADER, b'{"sub": "\xff"}'),
        (_HEADER, '{"x":' + "[" * 3000 + "]" * 3000 + "}"),
        (_HEADER, '{"x":' * 1000 + "1" + "}" * 1000),
        (_HEADER, f'{{"exp": {"9" * 5000}}}'),
    ],
)
async def test_what_is_no_json_object_is_refused(header: str, claims: str | bytes) -> None:
    assert await refusal(ISSUER, ISSUER.written(header, claims)) in ("malformed", "issuer")


def _odd(token: str) -> Sequence[str]:
    header, claims, signature = token.split(".")
    return [
        "",
        ".",
        "..",
        "...",
        header,
        f"{header}.{claims}",
        f"{token}.",
        f".{token}",
        f"{token}.{signature}",
        f"{token}.{signature}.{signature}",
        f"{header}..{claims}.{signature}",
        f"{header}..{signature}",
        f"{token}=",
        f"{token}==",
        f"{header}=.{claims}.{signature}",
        f" {token}",
        f"{token} ",
        f"{token}\n",
        f"{token}\r\n",
        f"{header}.\n{claims}.{signature}",
        f"{token}\x00",
        f"{token}é",
        f"{token}\ud800",
        token.replace(".", "．"),
        f"Bearer {token}",
        f'"{token}"',
        f"{header}.{claims}.{signature[:-1]}",
        f"{header}.{claims}.{signature}AAA",
        f"{header}.{claims}.{signature[:10]}+/{signature[12:]}",
        f"{header}.{claims}.%41{signature}",
        json.dumps({"protected": header, "payload": claims, "signature": signature}),
    ]


@pytest.mark.parametrize("number", range(len(_odd(ISSUER.token()))))
async def test_a_token_is_written_in_one_way_only(number: int) -> None:
    assert await refusal(ISSUER, _odd(ISSUER.token())[number]) == "malformed"


_BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


async def test_unused_bits_of_base64_are_zero() -> None:
    """64 bytes leave four bits of the last character unused: 15 other spellings of one signature."""
    token = ISSUER.token()
    place = _BASE64URL.index(token[-1])
    assert place % 16 == 0
    for other in range(place + 1, place + 16):
        assert await refusal(ISSUER, token[:-1] + _BASE64URL[other]) == "malformed"


async def test_an_encrypted_or_nested_token_is_refused() -> None:
    assert (
        await refusal(ISSUER, "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.a.b.c.d")
        == "malformed"
    )
    assert await refusal(ISSUER, ISSUER.written(_HEADER, ISSUER.token())) == "malformed"
    assert await refusal(ISSUER, ISSUER.written(_HEADER, json.dumps(ISSUER.token()))) == "malformed"
    nested = json.dumps(ISSUER.header(cty="JWT"))
    assert await refusal(ISSUER, ISSUER.written(nested, ISSUER.token())) == "malformed"


async def test_a_token_over_8_kb_is_refused_before_it_is_read() -> None:
    verifier = TokenVerifier([ISSUER.issuer()], fetch=ISSUER.fetch, clock=Clock())
    room = 8192 - len(ISSUER.token(x=""))
    fits = ISSUER.token(x="x" * (room * 3 // 4 - 2))
    assert 8180 < len(fits) <= 8192
    assert await verifier.verify(fits)
    assert await refusal(ISSUER, ISSUER.token(x="x" * (room * 3 // 4 + 4))) == "malformed"
    assert await refusal(ISSUER, "x" * 1_000_000) == "malformed"
    assert await refusal(ISSUER, ISSUER.token({"kid": "k" * 10_000})) == "malformed"


_VERIFIER = TokenVerifier([ISSUER.issuer()], fetch=ISSUER.fetch, clock=Clock())


@settings(max_examples=200, deadline=None)
@given(st.data())
async def test_a_token_with_anything_changed_is_refused_with_a_reason(data: st.DataObject) -> None:
    token = ISSUER.token()
    place = data.draw(st.integers(0, len(token) - 1))
    put = data.draw(st.text(max_size=3) | st.text(alphabet=_BASE64URL + ".", max_size=3))
    changed = token[:place] + put + token[place + data.draw(st.integers(0, 3)) :]
    assume(changed != token)
    with pytest.raises(InvalidToken):
        await _VERIFIER.verify(changed)
