"""What the role of a service may do: read and write the rows of its tables, and no more; and its owner."""

from collections.abc import Mapping

from runtime.errors import CannotRun
from runtime.postgres.connection import Connection

_RIGHTS = """
select current_user::text as name, rolsuper as superuser,
    has_database_privilege(current_database(), 'create')
    or has_schema_privilege('public', 'create')
    or exists (
        select from pg_class
        where relnamespace = 'public'::regnamespace and pg_has_role(relowner, 'member')
    ) as changes_tables
from pg_roles where rolname = current_user
"""

# Tables of others, such as one that somebody added for a report, are none of the service's.
_UNREADABLE = """
select coalesce(array_agg(relname::text order by relname), '{}')
from pg_class t
where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
    and relowner = (select relowner from pg_class where oid = 'public.migrations'::regclass)
    and exists (
        select from unnest(array['select', 'insert', 'update', 'delete']) as needed(privilege)
        where not has_table_privilege(t.oid, privilege)
            and t.relname || ' ' || privilege <> all($1::text[])
    )
"""
_CHANGEABLE = """
select coalesce(array_agg(distinct split_part(withheld, ' ', 1)), '{}') from unnest($1::text[]) as withheld
where has_table_privilege(to_regclass('public.' || split_part(withheld, ' ', 1)), split_part(withheld, ' ', 2))
"""

_OWNER = """
select tableowner::text from pg_tables where schemaname = 'public' and tablename = 'progress'
"""

WITHHELD: Mapping[str, tuple[str, ...]] = {
    "audit": ("update", "delete", "truncate"),
    "audit_heads": ("delete", "truncate"),
}
"""By table of the runtime, what a service's role may not do: nobody edits the audit trail."""

_WITHHELD = [f"{table} {privilege}" for table, all in WITHHELD.items() for privilege in all]


async def require_rows_only(db: Connection) -> None:
    """Require a role that can change no table, so that no bug of ours can. Raises CannotRun."""
    role = await db.fetchrow(_RIGHTS)
    assert role is not None, "every session has a role"
    if role["superuser"]:
        raise CannotRun(f"HERHAAL_DATABASE connects as {role['name']}, a superuser: {_INSTEAD}")
    if role["changes_tables"]:
        raise CannotRun(
            f"HERHAAL_DATABASE connects as {role['name']}, which may create or change tables: {_INSTEAD}"
        )


async def require_grants(db: Connection) -> None:
    """Require every privilege on the service's tables, instead of failing records later. Raises CannotRun.

    What is withheld from it, it may not have.
    """
    changeable = await db.fetchval(_CHANGEABLE, _WITHHELD)
    if changeable:
        raise CannotRun(
            f"the role of HERHAAL_DATABASE may change rows in {', '.join(changeable)}: their owner must"
            " revoke it"
        )
    tables = await db.fetchval(_UNREADABLE, _WITHHELD)
    if tables:
        raise CannotRun(
            "the role of HERHAAL_DATABASE may not select, insert, update and delete in"
            f" {', '.join(tables)}: their owner must grant it"
        )


async def become_owner(db: Connection) -> None:
    """Go on as the owner of the service's tables, who must own what a command makes as well.

    Raises CannotRun when the service has never run on this database.
    """
    owner: str | None = await db.fetchval(_OWNER)
    if owner is None:
        raise CannotRun("the service has never run on this database")
    quoted = owner.replace('"', '""')
    await db.execute(f'set role "{quoted}"')


_INSTEAD = "a service runs as a role that reads and writes rows; the owner goes into HERHAAL_DATABASE_OWNER"
