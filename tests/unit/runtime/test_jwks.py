"""An issuer's keys: how often they are fetched, what is kept, and which keys count."""

import asyncio
from collections.abc import Mapping, MutableMapping
from typing import Any

import orjson
import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from runtime.http.jwks import MOST_WAITING, IssuerKeys, VerificationKey, public_keys
from tests.unit.runtime.token_issuer import Clock, MadeUpIssuer, encoded, jwks, new_key

EVERY = ("ES256", "ES384", "RS256", "PS256", "EdDSA")


class Provider:
    """Answers what it is told to, after its gate opens."""

    def __init__(self, answer: bytes | Exception) -> None:
        self.answer = answer
        self.fetches = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, _: str) -> bytes:
        self.fetches += 1
        answer = self.answer
        await self.gate.wait()
        if isinstance(answer, Exception):
            raise answer
        return answer


class Setting:
    """An issuer, its provider of keys, a clock, and what is tested."""

    def __init__(self, timeout_s: float = 3.0) -> None:
        self.issuer = MadeUpIssuer()
        self.provider = Provider(self.issuer.document())
        self.clock = Clock()
        self.keys = IssuerKeys(self.issuer.issuer(), self.provider, self.clock, timeout_s)

    async def found(self, kid: str = "key-1") -> bool:
        return await self.keys.find(kid, "ES256") is not None

    async def settle(self) -> None:
        """Let a fetch in the background go on."""
        for _ in range(10):
            await asyncio.sleep(0)


@pytest.fixture
async def given() -> Setting:
    """Before the first key is asked for."""
    return Setting()


@pytest.fixture
async def known() -> Setting:
    """Its key is known, and the pause after that fetch is over."""
    setting = Setting()
    assert await setting.found()
    setting.clock.now += 11
    setting.provider.fetches = 0
    return setting


FAILURES: Mapping[str, bytes | Exception] = {
    "unreachable": ConnectionRefusedError(),
    "times out": TimeoutError(),
    "no keys": b'{"keys":[]}',
    "no usable key": jwks({"kty": "oct", "k": "c2VjcmV0", "kid": "key-1"}),
    "no JWKS": b"[]",
    "keys is no list": b'{"keys":{}}',
    "no JSON": b"<html>",
    "nothing": b"",
    "deep": b"[" * 90_000,
    "over 100 kB": MadeUpIssuer().document() + b" " * 100_000,
}


async def test_a_known_key_is_fetched_once(given: Setting) -> None:
    assert all([await given.found() for _ in range(100)])
    assert given.provider.fetches == 1


async def test_who_comes_at_the_same_time_waits_for_the_same_fetch(given: Setting) -> None:
    given.provider.gate.clear()
    asking = [asyncio.create_task(given.found()) for _ in range(50)]
    await given.settle()
    given.provider.gate.set()
    assert all(await asyncio.gather(*asking))
    assert given.provider.fetches == 1


async def test_who_stops_waiting_does_not_end_the_fetch_for_others(given: Setting) -> None:
    given.provider.gate.clear()
    first, second = (asyncio.create_task(given.found()) for _ in range(2))
    await given.settle()
    first.cancel()
    await given.settle()
    given.provider.gate.set()
    assert await second
    assert given.provider.fetches == 1


async def test_unknown_ids_ask_once_in_ten_seconds(known: Setting) -> None:
    for second in range(30):
        for number in range(50):
            assert not await known.found(f"random-{second}-{number}")
        assert await known.found()
        known.clock.now += 1
    assert known.provider.fetches == 3


@pytest.mark.parametrize("failure", FAILURES)
async def test_a_fetch_that_fails_or_brings_nothing_counts_and_loses_no_key(
    known: Setting, failure: str
) -> None:
    known.provider.answer = FAILURES[failure]
    for second in range(30):
        assert not await known.found(f"random-{second}")
        assert await known.found()
        known.clock.now += 1
    assert known.provider.fetches == 3


@pytest.mark.parametrize("failure", FAILURES)
async def test_a_first_fetch_that_fails_is_tried_again_after_ten_seconds(
    given: Setting, failure: str
) -> None:
    given.provider.answer = FAILURES[failure]
    assert not await given.found()
    assert not given.keys.known
    given.provider.answer = given.issuer.document()
    given.clock.now += 9.9
    assert not await given.found()
    given.clock.now += 0.1
    assert await given.found()
    assert given.keys.known


async def test_an_issuer_that_hangs_is_left_after_the_time_out() -> None:
    hanging = Setting(timeout_s=0.05)
    assert await hanging.found()
    hanging.clock.now += 11
    hanging.provider.gate.clear()
    unknown = asyncio.create_task(hanging.found("random"))
    await hanging.settle()
    assert await hanging.found()
    assert not unknown.done()
    assert not await unknown
    assert hanging.provider.fetches == 2
    assert not await hanging.found("random")
    assert hanging.provider.fetches == 2


async def test_only_so_many_wait_for_a_fetch_and_others_are_answered_at_once(
    known: Setting,
) -> None:
    known.provider.gate.clear()
    asking = [asyncio.create_task(known.found(f"random-{n}")) for n in range(MOST_WAITING + 400)]
    await known.settle()
    assert sum(task.done() for task in asking) == 400
    known.provider.gate.set()
    assert not any(await asyncio.gather(*asking))
    assert known.provider.fetches == 1


async def test_a_new_key_is_taken_within_ten_seconds(known: Setting) -> None:
    """Also when an attacker used up the fetch just before."""
    assert not await known.found("random")
    known.provider.answer = jwks(known.issuer.jwk(), known.issuer.jwk(kid="key-2"))
    known.clock.now += 9.9
    assert not await known.found("key-2")
    known.clock.now += 0.1
    assert await known.found("key-2")
    assert await known.found("key-1")


async def test_keys_are_fetched_anew_after_an_hour_while_nobody_waits(known: Setting) -> None:
    known.clock.now += 3580
    assert await known.found()
    await known.settle()
    assert known.provider.fetches == 0
    known.provider.gate.clear()
    known.clock.now += 20
    assert await known.found()
    assert await known.found()
    await known.settle()
    assert known.provider.fetches == 1
    known.provider.gate.set()


async def test_a_withdrawn_key_is_gone_after_the_next_fetch(known: Setting) -> None:
    known.provider.answer = known.issuer.document(kid="key-2")
    known.clock.now += 3600
    assert await known.found()
    await known.settle()
    assert not await known.found()
    assert await known.found("key-2")


async def test_old_keys_serve_on_while_the_issuer_fails(known: Setting) -> None:
    known.provider.answer = ConnectionRefusedError()
    known.clock.now += 86_400
    for _ in range(30):
        assert await known.found()
        await known.settle()
        known.clock.now += 1
    assert known.provider.fetches == 3


async def test_a_clock_that_is_set_back_does_not_stop_the_fetching(known: Setting) -> None:
    known.clock.now -= 86_400
    known.provider.answer = known.issuer.document(kid="key-2")
    assert await known.found("key-2")


async def test_closing_ends_a_fetch(given: Setting) -> None:
    given.provider.gate.clear()
    asking = asyncio.create_task(given.found())
    await given.settle()
    await given.keys.close()
    assert not await asking
    await Setting().keys.close()


async def test_a_failed_fetch_is_logged_without_content(
    given: Setting, lines: list[MutableMapping[str, Any]]
) -> None:
    given.provider.answer = OSError("content")
    assert not await given.found("kid-of-somebody")
    assert [(line["event"], line["error"]) for line in lines] == [("keys not fetched", "OSError")]
    assert "content" not in str(lines)
    assert "kid-of-somebody" not in str(lines)


def _read(*keys: Mapping[str, Any], algorithms: tuple[str, ...] = EVERY) -> set[tuple[str, str]]:
    return set(public_keys(jwks(*keys), algorithms))


def _jwk(key: ECKey | RSAKey | OKPKey, **members: Any) -> dict[str, Any]:
    return {**key.as_dict(private=False), "kid": "k", **members}


EC, RSA, ED = new_key("ES256"), new_key("RS256"), new_key("EdDSA")


def test_a_key_is_for_the_algorithms_that_fit_it() -> None:
    assert _read(_jwk(EC)) == {("k", "ES256")}
    assert _read(_jwk(new_key("ES384"))) == {("k", "ES384")}
    assert _read(_jwk(ED)) == {("k", "EdDSA")}
    assert _read(_jwk(RSA)) == {("k", "RS256"), ("k", "PS256")}
    assert _read(_jwk(RSA, alg="PS256")) == {("k", "PS256")}
    assert _read(_jwk(RSA), algorithms=("RS256",)) == {("k", "RS256")}


@pytest.mark.parametrize(
    "jwk",
    [
        _jwk(EC, use="enc"),
        _jwk(EC, use=None),
        _jwk(EC, use=["sig"]),
        _jwk(EC, key_ops=["sign"]),
        _jwk(EC, key_ops="verify"),
        _jwk(EC, alg="ECDH-ES"),
        _jwk(EC, alg="ES384"),
        _jwk(EC, alg=["ES256"]),
        _jwk(RSA, alg="RSA-OAEP"),
        _jwk(RSA, alg="HS256"),
        _jwk(EC, kid=None),
        _jwk(EC, kid=1),
        _jwk(EC, kty="oct"),
        _jwk(EC, kty=["EC"]),
        _jwk(EC, crv="P-521"),
        _jwk(EC, crv="P-384"),
        _jwk(EC, x="AAAA"),
        _jwk(EC, x=1),
        _jwk(EC, y="!"),
        _jwk(ED, crv="X25519"),
        _jwk(ED, x="AA"),
        _jwk(RSA, n="AQAB"),
        _jwk(RSA, n=encoded(b"\xff" * 128)),
        _jwk(RSA, e="AA"),
        {**EC.as_dict(private=True), "kid": "k"},
        {**OctKey.generate_key(256).as_dict(), "kid": "k"},
        {"kid": "k", "kty": "EC"},
        {"kid": "k"},
        {},
    ],
)
@pytest.mark.filterwarnings("ignore:Key size")
def test_a_key_that_is_not_for_our_signatures_is_ignored(jwk: Mapping[str, Any]) -> None:
    assert _read(jwk, _jwk(EC, kid="good")) == {("good", "ES256")}


def test_what_is_no_key_is_ignored() -> None:
    document = orjson.dumps({"keys": [None, 1, "k", [], _jwk(EC)]})
    assert set(public_keys(document, EVERY)) == {("k", "ES256")}


def test_of_two_keys_with_one_id_the_first_of_each_type_counts() -> None:
    other = new_key("ES256")
    found = public_keys(jwks(_jwk(EC), _jwk(other), _jwk(RSA)), ("ES256", "RS256"))
    assert set(found) == {("k", "ES256"), ("k", "RS256")}
    key: VerificationKey = found["k", "ES256"]
    assert key.key.as_dict(private=False)["x"] == EC.as_dict(private=False)["x"]
