"""The one error of the local stack that is meant for the person at the keyboard."""


class StackError(Exception):
    """The stack cannot start or go on; the message is one clear sentence with what to do about it."""


class InUse(StackError):
    """Another stack holds the data folder."""
