"""notification's tables on a real PostgreSQL: migration 0003 keeps the rows of an older installation."""

from datetime import timedelta
from uuid import UUID

import asyncpg

from runtime.messages.encoding import encode
from runtime.postgres import migrations
from runtime.postgres.statements import Writes
from schemas.records.notifications import PickupPromised
from services.notification import store
from services.notification.app import SERVICE
from tests.unit.notification.made import MONDAY, ORDER_ID, PATIENT

PROMISE_ID = UUID(int=7)
PROMISE = PickupPromised(
    order_id=ORDER_ID,
    patient=PATIENT,
    practice="01999001",
    pharmacy="02999001",
    lines=(1,),
    from_=MONDAY,
    until=MONDAY + timedelta(hours=2),
    rule="practice 01999001 v3: before 11:00, 2 working days",
    promised_at=MONDAY,
)


async def test_what_was_sent_before_a_restore_is_still_there_after_the_table_got_its_new_name(
    scratch: str,
) -> None:
    """Given a restored database whose events are not all handled again, when it is migrated,
    then a promise that was sent before is loaded, and deleted after it is sent again."""
    loop = migrations.read("runtime", migrations.RUNTIME)
    own = migrations.read("notification", SERVICE.migrations)
    db = await asyncpg.connect(scratch)
    try:
        await migrations.migrate(db, [*loop, *(m for m in own if "/0003" not in m.name)])
        add = "insert into told (order_id, id, type, body) values ($1, $2, $3, $4)"
        await db.execute(add, ORDER_ID, PROMISE_ID, PROMISE.TYPE, encode(PROMISE))

        await migrations.migrate(db, [*loop, *own])

        assert await store.load(db, [ORDER_ID]) == ({}, {ORDER_ID: {PROMISE_ID: PROMISE}})
        writes = Writes()
        store.delete_sent(writes, [PROMISE_ID])
        await writes.send(db)
        assert await store.load(db, [ORDER_ID]) == ({}, {})
    finally:
        await db.close()
