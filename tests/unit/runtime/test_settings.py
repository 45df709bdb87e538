"""Settings: the address on which a service listens."""

import pytest
from pydantic import ValidationError

from runtime.settings import Settings


def settings(listen: str, *, insecure: bool = False) -> Settings:
    return Settings(database="postgresql://x", listen=listen, insecure_listen=insecure)


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
    with pytest.raises(ValidationError, match=r"is not loopback.*needs --insecure-listen"):
        settings(listen)


def test_insecure_listen_allows_it() -> None:
    assert settings("0.0.0.0:8101", insecure=True).host == "0.0.0.0"


@pytest.mark.parametrize(
    "listen", ["127.0.0.1", "127.0.0.1:", "127.0.0.1:http", "127.0.0.1:70000", "127.0.0.1:²"]
)
def test_an_address_without_a_port_is_refused(listen: str) -> None:
    with pytest.raises(ValidationError, match="listen must be address:port"):
        settings(listen)
