"""The errors of the local stack that are shown to the user."""


class StackError(Exception):
    """The stack cannot start or continue. The message is one sentence that says what to do."""


class InUse(StackError):
    """Another stack holds the data folder."""
