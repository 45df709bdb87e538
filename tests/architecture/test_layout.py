"""Every service has the same layout, files stay readable, and no package registry is named."""

import ast
import re
import subprocess

import pytest

from tests.architecture.source import (
    PACKAGES,
    ROOT,
    SERVICES,
    files,
    name,
    parsed,
    public_definitions,
)

LAYOUT = ("__init__", "__main__", "app", "handlers", "http", "store", "views")

MOST_LINES = 350

# Written in parts, so that this file does not contain the names that it looks for.
REGISTRIES = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("registry", "npmjs", "org"),
        ("repo1", "maven", "org"),
        ("repo", "maven", "apache", "org"),
        ("registry-1", "docker", "io"),
        ("ghcr", "io"),
        ("quay", "io"),
        ("proxy", "golang", "org"),
        ("static", "crates", "io"),
    )
]


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_the_files_that_every_service_has(service: str) -> None:
    folder = ROOT / "services" / service
    missing = [
        part
        for part in LAYOUT
        if not (folder / f"{part}.py").exists() and not (folder / part / "__init__.py").exists()
    ]
    assert missing == []
    assert (folder / "domain").is_dir() or (folder / "domain.py").exists()
    assert list(folder.glob("migrations/*.sql"))


def test_there_is_no_other_service() -> None:
    found = {path.parent.name for path in (ROOT / "services").glob("*/__init__.py")}
    assert found == set(SERVICES)


def test_everything_public_says_what_it_is() -> None:
    silent = [
        f"{name(path)}:{node.lineno} {node.name}"
        for path in files("schemas", "herhaal_client", "samples", "runtime", "services", "verify")
        for node in public_definitions(path)
        if ast.get_docstring(node) is None
    ]
    assert silent == []


def test_every_module_says_what_it_is_for() -> None:
    silent = [name(p) for p in files(*PACKAGES) if ast.get_docstring(parsed(p)) is None]
    assert silent == []


def test_no_file_is_too_long_to_read_in_one_go() -> None:
    lengths = {name(p): len(p.read_text().splitlines()) for p in files(*PACKAGES, "tests")}
    assert {path: lines for path, lines in lengths.items() if lines > MOST_LINES} == {}


def test_only_the_command_line_prints() -> None:
    prints = [
        f"{name(path)}:{node.lineno}"
        for path in files(
            "schemas", "herhaal_client", "samples", "runtime", "services", "verify", "deploy"
        )
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
    ]
    assert prints == []


def test_tests_patch_and_mock_nothing() -> None:
    """Fakes are passed to constructors; `monkeypatch.setenv` and the like are allowed: they change no code."""
    patched = [
        name(path)
        for path in files("tests")
        if path.name != "test_layout.py"
        and any(word in path.read_text() for word in ("unittest.mock", "monkeypatch.setattr"))
    ]
    assert patched == []


_CLOSES = re.compile(r"await (?:self\._?)?(?:reader|consumer|producer|client)\.(?:stop|close)\(")


def test_what_closes_a_kafka_client_hears_that_it_is_to_end() -> None:
    """aiokafka confuses the caller's cancellation with that of its task; `runtime.kafka.clients` does not."""
    deaf = [
        name(path)
        for path in files("runtime", "verify", "cli", "deploy")
        if _CLOSES.search(path.read_text())
    ]
    assert deaf == []
    assert _CLOSES.search("await self._consumer.stop()")


_CLIENTS = {"AIOKafkaConsumer", "AIOKafkaProducer", "AIOKafkaAdminClient"}


def test_kafka_clients_are_made_in_one_place() -> None:
    """There they are closed as the test above requires, and can read header names that are not UTF-8."""
    made = {
        name(path)
        for path in files("runtime", "services", "verify", "cli", "deploy")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in _CLIENTS
    }
    assert made == {"runtime/kafka/clients.py"}


def test_no_registry_is_named_outside_the_lock_file() -> None:
    """The installing machine decides where packages come from; a mirror must work as well."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    paths = [ROOT / path for path in listed if path != "uv.lock"]
    texts = {name(p): p.read_text(errors="replace") for p in paths if p.is_file()}
    assert len(texts) > 100
    named = [
        f"{path}: {host}" for path, text in texts.items() for host in REGISTRIES if host in text
    ]
    assert named == []
