"""Counts failed attempts of a batch, and decides when a record must be the cause.

Most failures of a load or save are caused by a server and are retried without limit. A record can cause the
same errors, for example with a statement that times out, or service code that raises OSError. A trial save,
which saves only the unchanged positions, distinguishes the two: if the batch keeps failing while trial saves
succeed, the cause is a record.
"""

from dataclasses import dataclass

from runtime.errors import is_server_fault, is_transient
from runtime.loop.batch import HandlerFailed, SavingFailed

MAX_ATTEMPTS = 3
"""Permanent failures before records are isolated, and transient failures before trial saves begin."""

MAX_UNEXPLAINED = 10
"""Transient failures of a single record, each with a successful trial save, before it is dead-lettered.

With back-off this takes at least 30 s."""


@dataclass
class Attempts:
    """Failure counts of one batch."""

    single_record: bool
    permanent: int = 0
    transient: int = 0
    """Consecutive transient failures."""
    unexplained: int = 0
    """Consecutive transient failures, each followed by a successful trial save."""

    def record_failure(self, error: BaseException) -> None:
        """Count a failure."""
        if not is_transient(error):
            self.permanent += 1
            self.transient = self.unexplained = 0
            return
        self.transient += 1
        if is_server_fault(error):
            self.unexplained = 0

    def needs_trial(self, error: BaseException) -> bool:
        """Whether a trial save is needed to find out if the database can save."""
        if is_transient(error):
            return self.transient > MAX_ATTEMPTS and not is_server_fault(error)
        # These come from the service's code only: no server can be the cause.
        return self.permanent >= MAX_ATTEMPTS and not isinstance(
            error, HandlerFailed | SavingFailed
        )

    def record_trial(self, saved: bool) -> None:
        """Record the result of a trial save. If it failed, the database explains all failures so far."""
        if saved:
            self.unexplained += 1
        else:
            self.permanent = self.unexplained = 0

    def are_exhausted(self, error: BaseException) -> bool:
        """Whether to stop retrying the batch as a whole: isolate its records, or dead-letter a single one."""
        if is_transient(error):
            return self.unexplained >= (MAX_UNEXPLAINED if self.single_record else MAX_ATTEMPTS)
        return self.permanent >= MAX_ATTEMPTS
