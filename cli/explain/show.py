"""An explanation on the screen."""

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.console import print_plain
from schemas.api.explanations import (
    DecisionView,
    ExplainedLine,
    ExplanationView,
    RuleView,
    VersionsView,
)
from schemas.times import AMSTERDAM
from services.ordering.domain.order import Order
from services.ordering.explanations.telling import SIGNALS, WHO
from services.ordering.explanations.texts import NOT_COMPLETE


def show(console: Console, order: Order, view: ExplanationView) -> None:
    """Print every decision on an order."""
    print_plain(console, f"Order {order.order_id} of {order.patient}, practice {order.practice}")
    if not view.complete:
        print_plain(console, NOT_COMPLETE[view.language])
    for decision in view.decisions:
        for part in _decision(decision, view):
            if isinstance(part, Table):
                console.print(part)
            else:
                print_plain(console, part)


def _decision(decision: DecisionView, view: ExplanationView) -> Iterator[str | Table]:
    at = decision.at.astimezone(AMSTERDAM)
    who = WHO[decision.by][view.language]
    yield f"\n{at:%Y-%m-%d %H:%M:%S} (Amsterdam) · {who}{_versions(decision.versions)}"
    yield from decision.not_kept
    for line in decision.lines:
        yield f"{line.line}. {visible(line.medicine)}: {line.text}"
        yield from (SIGNALS[signal][view.language] for signal in line.signals)
        if line.rules:
            yield _table(line)
    if decision.words:
        yield f"“{visible(decision.words)}”"


def visible(text: str) -> str:
    """A text of an order or overview for a terminal, its control characters escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _versions(versions: VersionsView) -> str:
    named = {
        "rules": versions.rules,
        "overview": versions.overview,
        "policy": versions.policy,
        "list of medicines": versions.medicines,
    }
    known = [f"{name} {version}" for name, version in named.items() if version is not None]
    return f" · {', '.join(known)}" if known else ""


def _table(line: ExplainedLine) -> Table:
    table = Table("rule", "holds", "in words", "facts", show_lines=True)
    for rule in line.rules:
        table.add_row(
            Text(_name(rule)),
            Text("yes", "bold") if rule.held else Text("no"),
            Text(rule.answer),
            Text("\n".join(f"{fact.label}: {visible(fact.value)}" for fact in rule.facts)),
        )
    return table


def _name(rule: RuleView) -> str:
    return rule.rule if rule.version is None else f"{rule.rule} v{rule.version}"
