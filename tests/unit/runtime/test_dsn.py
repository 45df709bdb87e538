"""Which addresses of PostgreSQL need TLS."""

import pytest

from runtime.dsn import database_dsn, require_tls


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://ordering@127.0.0.1:8105/ordering",
        "postgresql://ordering:p%40ss@localhost/ordering?sslmode=disable",
        "postgresql://ordering@[::1]:5432/ordering",
        "postgresql://127.1.2.3,localhost:5433/ordering",
        "postgresql://%2Fvar%2Frun%2Fpostgresql/ordering",
        "postgresql://ordering@/ordering?host=/var/run/postgresql",
        "postgresql:///ordering?host=127.0.0.1",
    ],
)
def test_this_machine_needs_no_tls(dsn: str) -> None:
    require_tls(dsn)


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://ordering@db.example.org/ordering",
        "postgresql://ordering@192.168.1.5:5432/ordering",
        "postgresql://ordering@localhost.example.org/ordering",
        "postgresql://ordering@[2001:db8::1]/ordering",
        "postgresql://ordering@127.0.0.1,db.example.org/ordering",
        "postgresql://ordering@db.example.org/ordering?host=127.0.0.1",
        "postgresql:///ordering?host=db.example.org",
        # The host is elsewhere: in the environment or a service file.
        "postgresql:///ordering",
        "postgresql://ordering@/ordering?service=far",
        # A password with an `@` that is not escaped: the client takes what follows the first for the host.
        "postgresql://ordering:secret@db.example.org@127.0.0.1/ordering",
        # Encrypted, by whoever answers.
        "postgresql://ordering@db.example.org/ordering?sslmode=require",
        "postgresql://ordering@db.example.org/ordering?sslmode=verify-ca",
        "postgresql://ordering@db.example.org/ordering?sslmode=verify-full&sslmode=prefer",
    ],
)
def test_another_machine_does(dsn: str) -> None:
    with pytest.raises(ValueError, match="needs sslmode=verify-full") as refused:
        require_tls(dsn)
    assert "secret" not in str(refused.value)


def test_a_verified_server_may_be_anywhere() -> None:
    require_tls("postgresql://ordering@db.example.org/ordering?sslmode=verify-full&sslrootcert=/ca")


def test_another_database_keeps_role_server_and_options() -> None:
    assert database_dsn("postgresql://me:p%40ss@db:1/postgres?sslmode=x", "ordering") == (
        "postgresql://me:p%40ss@db:1/ordering?sslmode=x"
    )
