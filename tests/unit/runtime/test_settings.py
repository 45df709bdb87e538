"""Settings: the address on which a service listens, and those of its database."""

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from runtime.issuers import Issuer
from runtime.limits import Limit
from runtime.settings import Settings

KEY = SecretStr("ab" * 32)
NEAR = "postgresql://ordering@127.0.0.1/ordering"
ISSUERS = (Issuer("https://login.example.org", "https://login.example.org/jwks", "herhaal"),)
FAR = "postgresql://ordering@db.example.org/ordering"


def settings(listen: str, *, insecure: bool = False, certificate: Path | None = None) -> Settings:
    return Settings(
        database=NEAR,
        listen=listen,
        insecure_listen=insecure,
        certificate=certificate,
        issuers=ISSUERS,
        audit_key=KEY,
    )


@pytest.mark.parametrize(
    ("listen", "host", "port"),
    [
        ("127.0.0.1:8101", "127.0.0.1", 8101),
        ("127.1.2.3:1", "127.1.2.3", 1),
        ("localhost:8101", "localhost", 8101),
        ("[::1]:8101", "::1", 8101),
    ],
)
def test_loopback_is_accepted(listen: str, host: str, port: int) -> None:
    made = settings(listen)
    assert (made.host, made.port) == (host, port)


@pytest.mark.parametrize(
    "listen",
    [
        "0.0.0.0:8101",
        "[::]:8101",
        "192.168.1.5:8101",
        "[2001:db8::1]:8101",
        "localhost.example.org:8101",
        ":8101",
    ],
)
def test_another_address_is_refused_with_what_to_do(listen: str) -> None:
    with pytest.raises(
        ValidationError, match=r"is not loopback.*HERHAAL_CERTIFICATE.*--insecure-listen"
    ):
        settings(listen)


def test_a_service_with_a_certificate_may_listen_elsewhere() -> None:
    made = settings("0.0.0.0:8101", certificate=Path("/server.pem"))
    assert made.host == "0.0.0.0"


def test_insecure_listen_allows_it() -> None:
    assert settings("0.0.0.0:8101", insecure=True).host == "0.0.0.0"


@pytest.mark.parametrize(
    "listen", ["127.0.0.1", "127.0.0.1:", "127.0.0.1:http", "127.0.0.1:70000", "127.0.0.1:²"]
)
def test_an_address_without_a_port_is_refused(listen: str) -> None:
    with pytest.raises(ValidationError, match="listen must be address:port"):
        settings(listen)


def test_a_database_elsewhere_without_tls_is_refused_with_what_to_do() -> None:
    what_to_do = r"needs sslmode=verify-full .*HERHAAL_INSECURE_DATABASE=true"
    with pytest.raises(ValidationError, match=what_to_do):
        Settings(database=FAR, issuers=ISSUERS, audit_key=KEY)
    with pytest.raises(ValidationError, match=what_to_do):
        Settings(database=NEAR, database_owner=FAR, issuers=ISSUERS, audit_key=KEY)


def test_a_database_elsewhere_needs_tls_or_an_explicit_exception() -> None:
    verified = f"{FAR}?sslmode=verify-full"
    known = Settings(database=verified, database_owner=verified, issuers=ISSUERS, audit_key=KEY)
    assert known.database_owner == SecretStr(verified)
    open_ = Settings(database=FAR, insecure_database=True, issuers=ISSUERS, audit_key=KEY)
    assert open_.database == SecretStr(FAR)


def test_a_limit_is_a_text_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HERHAAL_LIMIT_PATIENT", "30/60")
    assert settings("127.0.0.1:8101").limits.patient == Limit(30, 60)
    monkeypatch.setenv("HERHAAL_LIMIT_PATIENT", "many")
    with pytest.raises(ValidationError, match="QUOTA/SECONDS"):
        settings("127.0.0.1:8101")


def test_a_service_without_an_issuer_does_not_start() -> None:
    for_lack_of_one = "without an issuer nobody can prove who asks"
    with pytest.raises(ValidationError, match=for_lack_of_one):
        Settings(database=NEAR, audit_key=KEY)
    with pytest.raises(ValidationError, match=for_lack_of_one):
        Settings(database=NEAR, issuers=(), audit_key=KEY)
