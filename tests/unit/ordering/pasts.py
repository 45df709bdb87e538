"""Pasts of orders: what the handler noted while a story went on."""

from collections.abc import Sequence

from runtime.messages.encoding import decoder, encode_parts
from schemas.records.directory import Policy
from services.ordering.domain.journal import Note
from services.ordering.domain.past import Past, past_of
from services.ordering.explanations.explain import PolicyOf
from services.ordering.explanations.reader import Reader
from tests.unit.ordering.story import Story

_NOTE = decoder(Note)

PRACTICE_READS = Reader("en", of_practice=True)
PATIENT_READS = Reader("en", of_practice=False)


def past(*batches: Story) -> Past:
    """The past of the only order of these batches, with notes as they are stored."""
    order = batches[-1].order
    noted = [note for batch in batches for note in batch.work.notes.get(order.order_id, ())]
    return past_of(order, stored(noted))


def stored(notes: Sequence[Note]) -> list[Note]:
    """Notes as they are read from the database."""
    return [_NOTE.decode(encode_parts(note)) for note in notes]


def known_policy(policy: Policy | None = None, version: int | None = 3) -> PolicyOf:
    """Only the policy of this version is known."""
    return lambda asked: (policy or Policy()) if asked == version else None
