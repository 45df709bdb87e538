"""Secrets come from files or the environment, and are shown by nothing."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from runtime.issuers import Issuer
from runtime.kafka_address import Address
from runtime.settings import Settings

PASSWORD = "hunter2-canary"
AUDIT_KEY = "5ec2e7" * 10 + "5ec2"
DATABASE = f"postgresql://ordering:{PASSWORD}@127.0.0.1:1/ordering"
KAFKA = f"kafka://ordering:{PASSWORD}@127.0.0.1:1"
ISSUER = {"url": "http://127.0.0.1:1", "jwks": "http://127.0.0.1:1/jwks", "audience": "herhaal"}


@pytest.fixture
def secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the database's address, and what else a service needs in the environment."""
    (tmp_path / "HERHAAL_DATABASE").write_text(f"{DATABASE}\n")
    monkeypatch.setenv("HERHAAL_SECRETS", str(tmp_path))
    monkeypatch.setenv("HERHAAL_ISSUERS", json.dumps([ISSUER]))
    monkeypatch.setenv("HERHAAL_AUDIT_KEY", AUDIT_KEY)
    return tmp_path


def test_a_file_is_named_as_its_variable_and_the_environment_comes_first(
    secrets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (secrets / "HERHAAL_KAFKA").write_text(KAFKA)
    read = Settings.from_environment()
    assert read.database.get_secret_value() == DATABASE
    assert read.kafka.get_secret_value() == KAFKA
    monkeypatch.setenv("HERHAAL_KAFKA", "127.0.0.1:9092")
    assert Settings.from_environment().kafka.get_secret_value() == "127.0.0.1:9092"


def test_a_folder_that_is_not_there_is_an_error(
    secrets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HERHAAL_SECRETS", str(secrets / "mistyped"))
    with pytest.raises(ValueError, match="HERHAAL_SECRETS is not a folder"):
        Settings.from_environment()


def test_settings_and_addresses_show_no_password() -> None:
    issuer = Issuer("https://login.example.org", "https://login.example.org/jwks", "herhaal")
    settings = Settings(
        database=DATABASE,
        database_owner=DATABASE,
        kafka=KAFKA,
        issuers=(issuer,),
        audit_key=AUDIT_KEY,
    )
    address = Address.parse(KAFKA)
    shown = [f"{settings!r} {settings} {settings.model_dump()}", settings.model_dump_json()]
    shown += [f"{address!r} {address}"]
    assert not [text for text in shown if PASSWORD in text or AUDIT_KEY in text]
    assert PASSWORD in address.full


@pytest.mark.parametrize(
    "wrong",
    [
        {"HERHAAL_KAFKA": f"kafka://ordering:{PASSWORD}@nowhere"},
        {"HERHAAL_KAFKA": f"kafka://ordering:{PASSWORD}@kafka.example.org:9092"},
        {"HERHAAL_DATABASE": f"postgresql://ordering:{PASSWORD}@db.example.org/ordering"},
        {"HERHAAL_DATABASE": f"postgresql://ordering:half/{PASSWORD}@127.0.0.1/ordering"},
        {"HERHAAL_ISSUERS": f"[{{{PASSWORD}"},
        {"HERHAAL_AUDIT_KEY": PASSWORD},
        {"HERHAAL_MAX_RECORDS": PASSWORD},
        {"HERHAAL_LIMIT_PERSON": PASSWORD},
    ],
)
def test_a_setting_that_is_wrong_is_named_and_not_quoted(wrong: dict[str, str]) -> None:
    """Given a mistake in a secret, or a secret in the wrong place; then the process names the setting."""
    ended = _ended(
        {
            "HERHAAL_DATABASE": DATABASE,
            "HERHAAL_ISSUERS": json.dumps([ISSUER]),
            "HERHAAL_AUDIT_KEY": AUDIT_KEY,
            **wrong,
        }
    )
    assert ended.returncode == 1
    assert "Traceback" not in ended.stdout
    assert PASSWORD not in ended.stdout
    said = next(iter(wrong)).removeprefix("HERHAAL_")
    assert said.lower() in ended.stdout.lower() or "PostgreSQL" in ended.stdout


def test_a_service_that_cannot_reach_its_servers_logs_no_address_with_a_password(
    tmp_path: Path,
) -> None:
    """Given secrets in files; when neither server answers; then the log says so, without them."""
    (tmp_path / "HERHAAL_DATABASE").write_text(DATABASE)
    (tmp_path / "HERHAAL_KAFKA").write_text(KAFKA)
    with socket.create_server(("127.0.0.1", 0)) as free:
        listen = f"127.0.0.1:{free.getsockname()[1]}"
    env = {"HERHAAL_SECRETS": str(tmp_path), "HERHAAL_ISSUERS": json.dumps([ISSUER])}
    (tmp_path / "HERHAAL_AUDIT_KEY").write_text(AUDIT_KEY)
    with _started(env | {"HERHAAL_LISTEN": listen}) as running:
        assert running.stdout is not None
        waiting = next(line for line in running.stdout if "waiting for PostgreSQL" in line)
        running.terminate()
        said = waiting + running.communicate(timeout=30)[0]
    assert PASSWORD not in said


def test_an_error_of_validation_quotes_nothing() -> None:
    with pytest.raises(ValidationError) as refused:
        Settings(database=f"postgresql://u:{PASSWORD}@db.example.org/x")
    assert PASSWORD not in f"{refused.value} {refused.value!r}"


def _ended(env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run metrics with these settings alone, to its end."""
    with _started(env) as running:
        output, _ = running.communicate(timeout=30)
    return subprocess.CompletedProcess(running.args, running.returncode, output)


def _started(env: dict[str, str]) -> subprocess.Popen[str]:
    others = {name: value for name, value in os.environ.items() if "HERHAAL" not in name}
    return subprocess.Popen(
        [sys.executable, "-m", "services.metrics"],
        env=others | env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
