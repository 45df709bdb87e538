"""The configuration of an issuer: what cannot be meant is refused at start."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from runtime.issuers import Issuer

URL = "https://login.example.nl"


def _issuer(**changes: Any) -> Issuer:
    return Issuer(**{"url": URL, "jwks": f"{URL}/keys", "audience": "herhaal", **changes})


@pytest.mark.parametrize("host", ["127.0.0.1:8200", "[::1]:8200", "localhost", "127.8.9.10"])
def test_keys_may_come_over_http_from_loopback(host: str) -> None:
    assert _issuer(jwks=f"http://{host}/keys")


@pytest.mark.parametrize(
    "jwks",
    [
        "http://login.example.nl/keys",
        "http://127.0.0.1.example.nl/keys",
        "http://127.0.0.1@example.nl/keys",
        "http://localhost.example.nl/keys",
        "http://10.0.0.1/keys",
        "file:///etc/keys",
        "ftp://127.0.0.1/keys",
        "https:///keys",
        "login.example.nl/keys",
        "",
    ],
)
def test_keys_never_come_unprotected_from_elsewhere(jwks: str) -> None:
    with pytest.raises(ValueError, match="https"):
        _issuer(jwks=jwks)


@pytest.mark.parametrize("algorithms", [(), ("HS256",), ("none",), ("ES256", "HS512"), ("es256",)])
def test_only_asymmetric_algorithms_can_be_pinned(algorithms: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="algorithms"):
        _issuer(algorithms=algorithms)


@pytest.mark.parametrize("missing", ["url", "audience"])
def test_an_issuer_has_a_url_and_an_audience(missing: str) -> None:
    with pytest.raises(ValueError, match="needs"):
        _issuer(**{missing: ""})


def test_issuers_are_read_from_json() -> None:
    reader = TypeAdapter(tuple[Issuer, ...])
    text = '[{"url": "%s", "jwks": "%s/keys", "audience": "herhaal"}]'
    assert reader.validate_json(text % (URL, URL)) == (_issuer(),)
    with pytest.raises(ValidationError):
        reader.validate_json(text % (URL, "http://login.example.nl"))
