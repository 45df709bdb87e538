"""How often a batch is tried, and when a failure is the fault of one of its records.

Most failures of a save or a load are a server's, and are retried for ever. Yet a record can cause any of them:
a statement of its own that takes too long, or code that raises an OSError. A trial save, which writes nothing
new, tells the two apart: a record is at fault when its batch fails again and again while the database saves.
"""

from dataclasses import dataclass

from runtime.errors import is_about_the_server, is_transient
from runtime.loop.batch import HandlerFailed, SavingFailed

ATTEMPTS = 3
"""So many failures of a batch that are not transient are enough; transient ones begin to be suspicious."""

UNEXPLAINED = 10
"""So many transient failures of a single record, each followed by a trial save that succeeds, are enough.

The back-off between them adds up to half a minute at least."""


@dataclass
class Attempts:
    """Counts the failures of one batch; `alone` when it is a single record."""

    alone: bool
    lasting: int = 0
    transient: int = 0
    """In a row."""
    unexplained: int = 0
    """Transient ones in a row, each followed by a trial save that succeeded."""

    def failed(self, error: BaseException) -> None:
        """Note a failure."""
        if not is_transient(error):
            self.lasting += 1
            self.transient = self.unexplained = 0
            return
        self.transient += 1
        if is_about_the_server(error):
            self.unexplained = 0

    def needs_trial(self, error: BaseException) -> bool:
        """Whether a trial save must say if the database works, before a record may be at fault."""
        if is_transient(error):
            return self.transient > ATTEMPTS and not is_about_the_server(error)
        # Where only the service's code ran, no server can be the cause.
        return self.lasting >= ATTEMPTS and not isinstance(error, HandlerFailed | SavingFailed)

    def tried(self, saved: bool) -> None:
        """Note whether the trial save succeeded: an outage explains every failure before it."""
        if saved:
            self.unexplained += 1
        else:
            self.lasting = self.unexplained = 0

    def are_used_up(self, error: BaseException) -> bool:
        """Whether, after this failure, the records must be tried one by one; or a single one is at fault."""
        if is_transient(error):
            return self.unexplained >= (UNEXPLAINED if self.alone else ATTEMPTS)
        return self.lasting >= ATTEMPTS
