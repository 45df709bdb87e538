"""Prints what a policy would change: numbers only, as operators see no patient."""

from collections.abc import Iterable, Sequence
from datetime import date

from rich.console import Console
from rich.table import Table

from cli.console import print_plain
from schemas.records.orders import Outcome
from services.ordering.domain.trial import Trial
from services.ordering.trials.views import trial_view

HELD = "Each order is judged as it stood then; what would have followed is not simulated."


def show(trial: Trial, practice: str, since: date, console: Console) -> None:
    """Print the sums, then tables by outcome, reason and reviewer."""
    print_plain(console, "\n".join(_sums(trial, since)))
    view = trial_view(trial, practice, since, with_orders=False)
    outcomes = ((f"{n.decided} → {n.tried}", n.lines) for n in view.outcomes)
    _table(console, ("decided → tried", "lines"), outcomes)
    reasons = ((n.code, n.decided, n.tried, f"{n.tried - n.decided:+}") for n in view.reasons)
    _table(console, ("reason", "decided", "tried", "change"), reasons)
    by = ((n.reviewer, n.decided, n.tried, f"{n.tried - n.decided:+}") for n in view.reviewers)
    _table(console, ("who is to look", "decided", "tried", "change"), by)
    print_plain(console, HELD)


def _sums(trial: Trial, since: date) -> Sequence[str]:
    left_out = ", ".join(f"{n} {why}" for why, n in trial.not_judged.items()) or "none"
    return (
        f"{trial.orders} orders with {trial.lines} lines since {since}: {trial.judged} lines judged,"
        f" not judged: {left_out}",
        f"{trial.changed} lines change: {_more(trial, Outcome.REVIEW)} in review,"
        f" {_more(trial, Outcome.REFUSED)} refused, {_more(trial, Outcome.APPROVED)} approved",
    )


def _more(trial: Trial, outcome: Outcome) -> str:
    """How many lines more or fewer have this outcome."""
    more = sum(n for (_, tried), n in trial.outcomes.items() if tried is outcome)
    fewer = sum(n for (decided, _), n in trial.outcomes.items() if decided is outcome)
    return f"{more - fewer:+}"


def _table(console: Console, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    table = Table(*heads)
    for row in rows:
        table.add_row(*map(str, row))
    if table.row_count:
        console.print(table)
