"""How often a batch is tried, and when a failure is the fault of one of its records.

A transient failure (see `failures.py`) is nearly always a server's, and is tried again for ever. Yet a record
can cause one too: a statement of its own that takes too long, or code that raises an OSError. The two are told
apart by a trial save, which writes nothing new: a record on which the batch fails again and again, while the
database saves each time in between, is at fault.
"""

from dataclasses import dataclass

from runtime.failures import is_about_the_server, is_transient

ATTEMPTS = 3
"""So many lasting failures of a batch are enough; also the transient ones before the first trial save."""

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
    """Transient ones in a row after which the database did save."""

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
        """Whether a trial save must say if the database works."""
        may_be_the_records = is_transient(error) and not is_about_the_server(error)
        return may_be_the_records and self.transient > ATTEMPTS

    def tried(self, saved: bool) -> None:
        """Note whether the trial save succeeded: an outage explains every failure before it."""
        self.unexplained = self.unexplained + 1 if saved else 0

    def are_used_up(self, error: BaseException) -> bool:
        """Whether, after this failure, the records must be tried one by one; or a single one is at fault."""
        if is_transient(error):
            return self.unexplained >= (UNEXPLAINED if self.alone else ATTEMPTS)
        return self.lasting >= ATTEMPTS
