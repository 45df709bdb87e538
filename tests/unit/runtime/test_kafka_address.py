"""Kafka's address: what is accepted, what clients get of it, and that a password is never shown."""

import pytest
from pydantic import SecretStr

from runtime.issuers import Issuer
from runtime.kafka_address import (
    Address,
    InvalidAddress,
    client_options,
    librdkafka_options,
    servers_of,
)
from runtime.settings import Settings

PASSWORD = "p:/@?#%ä"
SECURE = Address(("kafka-1:9092", "kafka-2:9092"), "ordering", PASSWORD, "/etc/ca file.pem").full


def test_servers_alone_are_a_kafka_that_asks_nobody_who_they_are() -> None:
    assert Address.parse("127.0.0.1:9092,[::1]:9093") == Address(("127.0.0.1:9092", "[::1]:9093"))
    assert client_options("127.0.0.1:9092") == {
        "bootstrap_servers": ["127.0.0.1:9092"],
        "security_protocol": "PLAINTEXT",
    }


def test_an_address_is_read_as_it_was_written() -> None:
    """Given a password with every character that an address may confuse."""
    address = Address.parse(SECURE)
    assert (address.user, address.password) == ("ordering", PASSWORD)
    assert (address.servers, address.ca) == (("kafka-1:9092", "kafka-2:9092"), "/etc/ca file.pem")
    assert address.full == SECURE


def test_a_user_logs_in_with_scram() -> None:
    options = client_options("kafka://ordering:secret@127.0.0.1:9092")
    assert options == {
        "bootstrap_servers": ["127.0.0.1:9092"],
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "ordering",
        "sasl_plain_password": "secret",
    }


def test_librdkafka_logs_in_and_encrypts_likewise() -> None:
    assert librdkafka_options("127.0.0.1:9092") == {
        "bootstrap.servers": "127.0.0.1:9092",
        "security.protocol": "plaintext",
    }
    assert librdkafka_options(SECURE) == {
        "bootstrap.servers": "kafka-1:9092,kafka-2:9092",
        "security.protocol": "sasl_ssl",
        "ssl.ca.location": "/etc/ca file.pem",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "ordering",
        "sasl.password": PASSWORD,
    }


def test_the_password_is_not_shown() -> None:
    assert servers_of(SECURE) == "kafka-1:9092,kafka-2:9092"
    assert PASSWORD not in repr(Address.parse(SECURE))


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "kafka",
        "kafka:x",
        "kafka:70000",
        ":9092",
        "a:1,,b:2",
        "http://u:secret@kafka:9092",
        "kafka://u@kafka:9092",
        "kafka://:secret@kafka:9092",
        "kafka://u:secret@kafka:9092/topic",
        "kafka://u:secret@kafka:9092?tls=on",
    ],
)
def test_what_is_no_address_is_refused_without_quoting_it(wrong: str) -> None:
    with pytest.raises(InvalidAddress) as refused:
        Address.parse(wrong)
    assert "secret" not in str(refused.value)


def settings(kafka: str, *, insecure: bool = False) -> Settings:
    issuer = Issuer("https://login.example.org", "https://login.example.org/jwks", "herhaal")
    return Settings(
        database="postgresql://127.0.0.1/x",
        issuers=(issuer,),
        audit_key=SecretStr("ab" * 32),
        kafka=kafka,
        insecure_kafka=insecure,
    )


def test_kafka_elsewhere_must_be_encrypted() -> None:
    """Given Kafka on another machine; then a service needs a certificate, or to be told otherwise."""
    with pytest.raises(ValueError, match="not on loopback and not encrypted"):
        settings("kafka://u:p@kafka:9092")
    assert settings("kafka://u:p@kafka:9092?ca=/ca.pem").insecure_kafka is False
    assert settings("kafka://u:p@kafka:9092", insecure=True).insecure_kafka
    assert settings("kafka://u:p@127.0.0.1:9092,localhost:9093,[::1]:1").kafka
