"""Applies numbered SQL files once each, in order, in one transaction, under an advisory lock."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import structlog

from runtime.errors import CannotRun
from runtime.postgres.connection import Connection

log = structlog.get_logger()

RUNTIME = Path(__file__).parent / "migrations"

_LOCK = 0x68657268616C  # "herhal" in ASCII; any number that only our migrations use.
_FILE = re.compile(r"^(\d{4})_[a-z0-9_]+\.sql$")

MIGRATE_S = 3600.0
"""How long one migration, and the wait for the lock, may take."""

_TABLE = """
create table if not exists migrations (
    name text primary key,
    checksum text not null,
    applied_at timestamptz not null default now()
)
"""
_EXISTS = "select to_regclass('migrations') is not null"
_APPLIED = "select name, checksum from migrations"
_NOTE = "insert into migrations (name, checksum) values ($1, $2)"


class MigrationChanged(CannotRun):
    """An applied file was changed or removed, so the schema is not the one that the code expects."""


class MigrationsMissing(CannotRun):
    """Migrations are not applied, and this process has no owner's DSN to apply them with."""


@dataclass(frozen=True)
class Migration:
    """One file; `name` is the owner of its folder and the file name: `runtime/0001_runtime.sql`."""

    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the file's text."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def read(owner: str, folder: Path) -> list[Migration]:
    """Read the migrations in a folder, sorted by number.

    Raises:
        ValueError: a file is not named `NNNN_words.sql`, or two have the same number.
    """
    files = sorted(folder.glob("*.sql"))
    numbers = [match.group(1) for f in files if (match := _FILE.match(f.name))]
    if len(numbers) != len(files) or len(set(numbers)) != len(numbers):
        raise ValueError(f"{folder}: files must be named NNNN_words.sql, each number once")
    return [Migration(f"{owner}/{f.name}", f.read_text()) for f in files]


async def migrate(db: Connection, migrations: Iterable[Migration]) -> list[str]:
    """Apply new migrations; return their names.

    Raises:
        MigrationChanged: an applied file was changed or removed.
    """
    wanted = list(migrations)
    async with db.transaction():
        # Migrating, and waiting for another process that migrates, may take longer than other statements.
        await db.execute("set local statement_timeout = 0")
        await db.execute("set local lock_timeout = 0")
        await db.execute("select pg_advisory_xact_lock($1)", _LOCK, timeout=MIGRATE_S)
        await db.execute(_TABLE)
        applied = await _applied(db)
        _check(wanted, applied)
        new = [m for m in wanted if m.name not in applied]
        for migration in new:
            await db.execute(migration.sql, timeout=MIGRATE_S)
            await db.execute(_NOTE, migration.name, migration.checksum)
    if new:
        log.info("migrated", files=len(new))
    return [m.name for m in new]


async def require_applied(db: Connection, migrations: Iterable[Migration]) -> None:
    """Require that exactly these migrations are applied; change nothing.

    Raises:
        MigrationChanged: an applied file was changed or removed.
        MigrationsMissing: a file is not applied.
    """
    wanted = list(migrations)
    applied = await _applied(db) if await db.fetchval(_EXISTS) else {}
    _check(wanted, applied)
    missing = [m.name for m in wanted if m.name not in applied]
    if missing:
        raise MigrationsMissing(
            f"{len(missing)} migrations are not applied, the first is {missing[0]}: start the service with"
            " HERHAAL_DATABASE_OWNER, the address of its database as the owner of its tables"
        )


async def _applied(db: Connection) -> dict[str, str]:
    return {row["name"]: row["checksum"] for row in await db.fetch(_APPLIED)}


def _check(wanted: Iterable[Migration], applied: dict[str, str]) -> None:
    by_name = {m.name: m for m in wanted}
    for name, checksum in applied.items():
        if name not in by_name:
            raise MigrationChanged(f"{name} was applied but is not in this version of the code")
        if by_name[name].checksum != checksum:
            raise MigrationChanged(
                f"{name} was changed after it was applied; add a new file instead"
            )
