"""Options of the whole suite: where Kafka and PostgreSQL come from."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--stack local` starts our own servers, `--stack containers` takes images."""
    group = parser.getgroup("herhaal")
    group.addoption("--stack", choices=["local", "containers"], default="local")
    group.addoption("--kafka-image", default="apache/kafka:4.3.0")
    group.addoption("--postgres-image", default="postgres:18")
