"""Requests made from the OpenAPI documents of ordering and notification, valid and invalid: never a 5xx."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local import LocalStack
from samples.persons import a_person
from schemas import topics
from schemas.access import Party
from tests.harness.kafka import read_all
from tests.harness.made import PHARMACY, PRACTICE, as_json

PATIENT = "pat_anna0001"

ONLY = {
    r"^pat_[A-Za-z0-9_-]{4,64}$": PATIENT,
    r"^01[0-9]{6}$": PRACTICE,
    r"^0[12][0-9]{6}$": PHARMACY,
}
"""Patterns of the document, and the only value that is asked about."""


async def test_whatever_its_openapi_document_allows_and_more_is_never_a_5xx(
    stack: LocalStack, tmp_path: Path
) -> None:
    """Given an assistant of the practice that is asked about; then requests get behind the door."""
    before = len(await read_all(stack.kafka, topics.ORDERS_REQUESTS.name))
    token = stack.token(Party.ASSISTANT, practice=PRACTICE)
    await _fuzzed(stack.endpoints["ordering"], tmp_path, 15, token)
    assert len(await read_all(stack.kafka, topics.ORDERS_REQUESTS.name)) > before


@pytest.mark.parametrize(
    ("role", "scope"),
    [
        (Party.PATIENT, {"patients": (PATIENT,)}),
        (Party.GP, {"practice": PRACTICE}),
        (Party.PHARMACIST, {"pharmacy": PHARMACY}),
        (Party.REGION, {"region": "Lindewaard"}),
    ],
)
async def test_no_role_gets_a_5xx_or_past_the_door_without_its_token(
    stack: LocalStack, tmp_path: Path, role: Party, scope: dict[str, Any]
) -> None:
    token = stack.token(role, **scope)
    await _fuzzed(stack.endpoints["ordering"], tmp_path, 5, token)


async def test_whatever_is_asked_of_people_and_proxies_is_never_a_5xx(
    stack: LocalStack, tmp_path: Path
) -> None:
    """Given an assistant, and a patient who is registered; then requests about both get behind the door."""
    assistant = stack.token(Party.ASSISTANT, practice=PRACTICE)
    headers = {"authorization": f"Bearer {assistant}"}
    address = stack.endpoints["notification"]
    async with httpx.AsyncClient() as http:
        person = as_json(a_person()) | {"patient": PATIENT}
        answer = await http.post(f"{address}/people", json=person, headers=headers)
        assert answer.json() == {"patient": PATIENT}
    patient = stack.token(Party.PATIENT, patients=(PATIENT,))
    await _fuzzed(address, tmp_path, 15, assistant)
    await _fuzzed(address, tmp_path, 5, patient)


async def _fuzzed(
    address: str,
    folder: Path,
    seconds: int,
    token: str,
) -> None:
    """Send requests made from the document, narrowed so that valid ones are about whom the token names."""
    async with httpx.AsyncClient() as http:
        document = (await http.get(f"{address}/openapi.json")).raise_for_status().text
    for pattern, only in ONLY.items():
        assert pattern in document
        document = document.replace(pattern, f"^{only}$")
    (folder / "openapi.json").write_text(document)
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).parent / "schemathesis"),
        *("run", "openapi.json", "--url", address, "--checks", "not_a_server_error,ignored_auth"),
        *("--header", f"Authorization: Bearer {token}"),
        *("--max-examples", "8", "--phases", "examples,coverage,fuzzing"),
        *("--max-time", str(seconds), "--generation-deterministic", "--no-color"),
        *("--suppress-health-check", "all"),
        # Its answer has no end.
        *("--exclude-path-regex", "/events$"),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()[-5000:]
