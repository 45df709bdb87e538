"""Keyed hashes by which people are found: nobody computes one from a BSN or a name without the lookup key."""

import hmac
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from runtime.keyring import KeyPair, Keyring
from schemas.api.people import Person
from services.notification.people.domain.names import asked, spellings


class What(StrEnum):
    """What a hash is made of."""

    BSN = "bsn"
    NAME = "name"
    """A spelling of a surname, the birth date and the practice."""


@dataclass(frozen=True)
class PersonHash:
    """One hash of a person, made with this version of the lookup key."""

    what: What
    version: int
    hash: bytes


def hashes_of(pair: KeyPair, person: Person, practice: str) -> set[PersonHash]:
    """All hashes by which a person of this practice is found."""
    names = spellings(person.surname, person.prefix, person.partner_surname)
    found = {
        PersonHash(What.NAME, pair.version, _name(pair, practice, person.birth_date, name))
        for name in names
    }
    if person.bsn:
        found.add(PersonHash(What.BSN, pair.version, _bsn(pair, person.bsn)))
    return found


def bsn_hashes(keyring: Keyring, bsn: str) -> list[bytes]:
    """The hashes of a BSN, one for each version, the newest first."""
    return [_bsn(pair, bsn) for pair in keyring.pairs]


def name_hashes(
    keyring: Keyring, practices: Iterable[str], surname: str, born: date
) -> list[bytes]:
    """The hashes of everything that the typed surname may mean at these practices."""
    return [*_typed(keyring, tuple(practices), surname, born)]


def _typed(
    keyring: Keyring, practices: tuple[str, ...], surname: str, born: date
) -> Iterator[bytes]:
    for pair in keyring.pairs:
        for practice in practices:
            for name in asked(surname):
                yield _name(pair, practice, born, name)


def _bsn(pair: KeyPair, bsn: str) -> bytes:
    return _hash(pair, What.BSN, bsn)


def _name(pair: KeyPair, practice: str, born: date, name: str) -> bytes:
    return _hash(pair, What.NAME, practice, born.isoformat(), name)


def _hash(pair: KeyPair, *parts: str) -> bytes:
    return hmac.digest(pair.lookup, "\0".join(parts).encode(), "sha256")
