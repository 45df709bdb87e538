"""The example of a new stack is one region: its people, practices, pharmacies and login page agree."""

from datetime import date, timedelta
from pathlib import Path

from cli.directory import read_directory
from cli.example.contents import CARLA, DIRECTORY, PEOPLE, STANDS_IN, grant, overviews
from cli.example.fill import fill
from cli.people.csv_file import read_people
from deploy.local import LocalStack, StackOptions
from deploy.local.issuer import people as issuer
from samples.people import CHRONIC, STOPPED, TEMPORARY
from schemas.access import Party
from schemas.base import RiskClass
from schemas.records.medication import Medication, Status

TODAY = date(2026, 11, 29)


def medications(patient: str) -> list[Medication]:
    entries = dict(overviews(TODAY))[patient].medications
    assert all(isinstance(entry, Medication) for entry in entries)
    return [entry for entry in entries if isinstance(entry, Medication)]


def practice_of() -> dict[str | None, str | None]:
    """Each person of the example, and their practice."""
    return {line.request.patient: line.request.practice for line in read_people(PEOPLE)}


def test_every_patient_of_the_login_page_is_a_person_with_an_overview() -> None:
    patients = {one for person in issuer.PEOPLE for one in person.claims.patients}
    assert patients <= set(practice_of())
    overviewed = {patient: request.practice for patient, request in overviews(TODAY)}
    assert overviewed == practice_of()


def test_the_names_of_the_login_page_are_those_of_the_people() -> None:
    names = {line.request.patient: line.request.surname for line in read_people(PEOPLE)}
    patients = [one for one in issuer.PEOPLE if one.claims.role is Party.PATIENT]
    assert patients
    for person in patients:
        assert person.name.endswith(f" {names[person.claims.sub]}")


def test_anna_has_a_medicine_in_every_state() -> None:
    entries = medications("pat_example01")
    assert {entry.status for entry in entries} == set(Status)
    chronic = [entry for entry in entries if entry.status is Status.CHRONIC]
    assert any(entry.high_risk for entry in chronic)
    assert any(entry.repeat_service for entry in chronic)
    assert any(entry.last_ordered_on is None for entry in chronic)
    assert any(entry.days_supply is None for entry in chronic)
    assert len([e for e in chronic if not e.high_risk and not e.repeat_service]) >= 4
    ordered = (TODAY - timedelta(days=84)).isoformat()
    assert next(e for e in entries if e.prk == "5487").last_ordered_on == ordered


def test_annas_medicines_show_what_the_rules_look_at() -> None:
    """Given her chronic medicines; then all but one are authorised, a check-up is due, one is class A."""
    chronic = [e for e in medications("pat_example01") if e.status is Status.CHRONIC]
    authorised = [e.authorisation for e in chronic if e.authorisation]
    assert all(given.on < TODAY <= given.until for given in authorised)
    assert len(authorised) == len(chronic) - 1
    assert [e.prk for e in chronic if e.control_due and e.control_due < TODAY] == ["61034"]
    assert [e.prk for e in chronic if e.risk_class is RiskClass.A] == ["90115"]


def test_brams_medicines_have_an_authorisation_that_ended_and_a_specialists() -> None:
    entries = {e.prk: e for e in medications("pat_example02")}
    ended = entries["45519"].authorisation
    assert ended is not None
    assert ended.until == TODAY - timedelta(days=35)
    assert entries["2402"].specialist


def test_medicines_are_those_of_the_samples_under_the_same_codes() -> None:
    known = {m.prk: m.name for m in (*CHRONIC, *TEMPORARY, *STOPPED)} | {
        "55026": "Oxycodon tablet 5 mg"
    }
    for patient, _ in overviews(TODAY):
        for entry in medications(patient):
            assert known[entry.prk] == entry.medicine


def test_carla_stands_in_for_the_patients_of_her_token() -> None:
    carla = next(one for one in issuer.PEOPLE if one.claims.role is Party.PROXY)
    assert (carla.claims.sub, carla.claims.patients) == (CARLA, STANDS_IN)
    assert grant(TODAY).name == carla.name
    assert grant(TODAY).consent.on < TODAY


def test_a_line_on_somebody_names_their_place_as_the_directory_does() -> None:
    directory = read_directory(DIRECTORY)
    names = {practice.agb: practice.name for practice in directory.practices}
    names |= {pharmacy.agb: pharmacy.name for pharmacy in directory.pharmacies}
    for person in issuer.PEOPLE:
        place = person.claims.practice or person.claims.pharmacy
        for language in ("nl", "en"):
            assert (names[place] if place else person.claims.region or "") in person.about(language)


async def test_servers_of_somebody_else_are_never_filled(tmp_path: Path) -> None:
    """Given a Kafka or a PostgreSQL that is not ours and does not answer; then it is not even asked."""
    for options in (
        StackOptions(tmp_path, external_kafka="127.0.0.1:1"),
        StackOptions(tmp_path, external_postgres="postgresql://127.0.0.1:1/x"),
    ):
        assert not await fill(LocalStack(options))
