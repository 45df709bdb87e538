"""Data of the events that every stream has (server-sent events)."""

from pydantic import BaseModel


class StreamMark(BaseModel):
    """Of `ready`: all was told up to here. Of `reset`: something may be missing, so read everything again."""
