"""`herhaal people import`: the whole file is checked first, and may be imported again."""

from datetime import date
from pathlib import Path

import pytest

from schemas.access import Party
from tests.harness.made import PRACTICE, a_patient
from tests.integration.people.client import OTHER_PRACTICE, Client, a_bsn
from tests.integration.people.command import people

HEADER = (
    "practice;bsn;patient;initials;prefix;surname;partner_surname;birth_date;street;house_number;"
    "postcode;city;phones;email"
)


def line(bsn: str = "", patient: str = "", practice: str = PRACTICE, **changes: str) -> str:
    """One person, as a practice's system exports them."""
    fields = {
        "initials": "A.M.",
        "prefix": "van der",
        "surname": "D'Angelo-Müller",
        "partner_surname": "",
        "birth_date": "1949-03-01",
        "street": "Verzonnenlaan",
        "house_number": "12 b",
        "postcode": "1234ab",
        "city": "Lindewaard",
        "phones": "0123-456799|+31 6 00000000",
        "email": "",
    } | changes
    return ";".join((practice, bsn, patient, *fields.values()))


def write(file: Path, content: str | bytes) -> None:
    file.write_bytes(content if isinstance(content, bytes) else content.encode())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a file that is not there yet."""
    return tmp_path / "people.csv"


async def test_people_are_imported_and_again_without_a_change(
    assistant: Client, file: Path
) -> None:
    """Given a file as Excel writes it; when it is imported twice; then each person has one pseudonym, also
    who has no BSN, and is found as the pitfall A7 says.
    """
    bsn, patient = a_bsn(), a_patient()
    lines = [HEADER, line(bsn, birth_date="1903-03-01"), line(patient=patient, surname="Zonderbsn")]
    write(file, "\ufeff" + "\r\n".join(lines) + "\r\n")
    for _ in range(2):
        said = await people(assistant.stack, "import", str(file))
        assert (said.code, said.text) == (0, "2 registered, 0 refused.\n")
    for typed in ("d’angelo-muller", "Dangelo Muller", "Van der D'Angelo-Müller"):
        (found,) = await assistant.find(surname=typed, birth_date="1903-03-01")
    (same,) = await assistant.find(bsn=bsn)
    assert same == found
    assert (await assistant.show(patient)).json()["phones"] == ["0123-456799", "+31 6 00000000"]
    trail = (await assistant.ask("GET", f"/patients/{patient}/audit")).json()["entries"]
    assert [(e["action"], e["role"], e["channel"]) for e in reversed(trail)] == [
        ("people.write", "operator", "cli"),
        ("people.write", "operator", "cli"),
        ("people.read", "assistant", "http"),
    ]


async def test_a_bad_file_imports_nobody_and_shows_no_value(assistant: Client, file: Path) -> None:
    good = a_bsn()
    bad = [
        line(good),
        line("999912345"),
        line(a_bsn(), birth_date="01-03-1949"),
        line(a_bsn(), surname=""),
        line(surname="Geheim"),
        line(a_bsn(), practice="1"),
        line(a_bsn()) + ";more",
        line(a_bsn(), practice=""),
    ]
    write(file, "\n".join([HEADER, *bad]))
    said = await people(assistant.stack, "import", str(file))
    assert said.code == 1
    text = str(said.error)
    for reason in (
        "line 3, column bsn: is no BSN: it fails the eleven-test",
        "line 4, column birth_date: ",
        "line 5, column surname: ",
        "line 6, columns bsn and patient: one of the two is needed",
        "line 7, column practice: ",
        "line 8, it has more fields than the header",
        "line 9, column practice: is missing",
    ):
        assert reason in text
    for value in ("999912345", "01-03-1949", "Geheim", "Verzonnen", "Angelo", good):
        assert value not in text
    assert await assistant.find(bsn=good) == []


@pytest.mark.parametrize("header", ["name;surname", "", "practice;Jan de Vries"])
async def test_a_file_with_another_header_is_refused(
    assistant: Client, file: Path, header: str
) -> None:
    write(file, f"{header}\n{line(a_bsn())}\n")
    said = await people(assistant.stack, "import", str(file))
    assert said.code == 1
    assert "Vries" not in str(said.error)


async def test_lines_that_contradict_what_is_known_are_refused_and_the_others_done(
    assistant: Client, file: Path
) -> None:
    known, taken = a_bsn(), a_patient()
    gp = assistant.as_(Party.GP, practice=OTHER_PRACTICE)
    answer = await gp.ask(
        "POST",
        "/people",
        {
            "patient": taken,
            "initials": "B.",
            "surname": "Elders",
            "birth_date": date(1950, 1, 1).isoformat(),
            "street": "Nergenspad",
            "house_number": "1",
            "postcode": "1234 AB",
            "city": "Waterrand",
        },
    )
    assert answer.status_code == 200
    write(file, "\n".join([HEADER, line(known), line(known, a_patient()), line(patient=taken)]))
    said = await people(assistant.stack, "import", str(file))
    assert said.code == 2
    assert said.text.splitlines() == [
        "line 3: this BSN is known under another pseudonym",
        "line 4: this pseudonym is of another practice's patient",
        "1 registered, 2 refused.",
    ]


async def test_a_file_that_is_no_text_is_refused(assistant: Client, file: Path) -> None:
    write(file, b"practice;\xff\xfe")
    said = await people(assistant.stack, "import", str(file))
    assert said.code == 1
    assert "not UTF-8" in str(said.error)
