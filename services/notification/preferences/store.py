"""All SQL about preferences. They follow from no topic."""

from datetime import datetime

from runtime.postgres.connection import Connection
from schemas.api.preferences import Preferences

_OF_PATIENT = "select language, pharmacy from preferences where patient = $1"
_SAVE = """
insert into preferences (patient, language, pharmacy, changed_at) values ($1, $2, $3, $4)
on conflict (patient) do update
set language = excluded.language, pharmacy = excluded.pharmacy, changed_at = excluded.changed_at
"""
_DELETE = "delete from preferences where patient = $1"


async def preferences(db: Connection, patient: str) -> Preferences:
    """What a patient prefers: nothing, when they never said."""
    row = await db.fetchrow(_OF_PATIENT, patient)
    return Preferences() if row is None else Preferences(**row)


async def save(db: Connection, patient: str, wanted: Preferences, at: datetime) -> None:
    """Write what a patient prefers; `at` is now (UTC)."""
    await db.execute(_SAVE, patient, wanted.language, wanted.pharmacy, at)


async def delete(db: Connection, patient: str) -> None:
    """Delete what a patient prefers."""
    await db.execute(_DELETE, patient)
