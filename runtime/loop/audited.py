"""The audit entries of commands that outside systems send over Kafka."""

from typing import Any

from runtime.audit.entry import Channel, Entry, Outcome
from runtime.loop.handler import Done, Rejected
from runtime.messages.message import Message
from schemas.acts import act_of
from schemas.topic_lookup import system_of, systems_of


def audited(message: Message[Any], handled: Done | Rejected) -> Entry | None:
    """Make the entry of what a system asked for; None when a service's own API wrote the record, which has
    audited it, or the record asks for no act.
    """
    system = system_of(message.topic)
    act = act_of(message.body) if system else None
    if system is None or act is None:
        return None
    refused = isinstance(handled, Rejected)
    return Entry(
        at=message.at,
        role=systems_of(message.topic),
        actor=system,
        for_role=act.by.role,
        for_id=act.by.id,
        patient=message.key,
        practice=act.practice,
        action=act.action,
        thing=act.thing,
        channel=Channel.KAFKA,
        outcome=Outcome.REFUSED if refused else Outcome.ALLOWED,
        reason=handled.reason if isinstance(handled, Rejected) else None,
    )
