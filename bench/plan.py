"""The sizes of each figure, in the full run and in the quick one."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bench.arena import Arena
from bench.result import Measured
from deploy.local import Report


@dataclass(frozen=True)
class Sizes:
    """The sizes of a run. Each engine runs once in each of `rounds`."""

    quick: bool
    rounds: int
    warm_up: bool
    """Whether figures warm the servers and services first: Java compiles while it runs."""
    orders: tuple[int, ...]
    """The numbers of orders, each with as many patients: an order is of another patient."""
    engines: tuple[str, ...]
    later_engines: tuple[str, ...]
    """The engines that also run the larger numbers of orders, after the first."""
    workers: int
    """The number of ordering's workers that is fastest on two cores."""
    whole_orders: int
    populations: tuple[int, int]
    """The small and the large number of patients."""
    patient_orders: int
    requests: int
    latency_s: float
    """Seconds of orders at a steady rate."""
    dashboards: tuple[tuple[int, int], tuple[int, int]]
    """Practices and days whose lines are counted: the small size, and the large one."""
    queries: int
    rest_s: float
    events: int


FULL = Sizes(
    quick=False,
    rounds=5,
    warm_up=True,
    orders=(100_000, 200_000),
    engines=(
        *("raw", "naive", "quix"),
        *("streams-alo", "streams-eos", "streams-eos-tuned", "streams-eos-tuned-1000ms"),
        *("ours-1", "ours-2"),
    ),
    later_engines=("streams-eos", "streams-eos-tuned", "ours-2"),
    workers=2,
    whole_orders=50_000,
    populations=(50_000, 1_000_000),
    patient_orders=50_000,
    requests=20_000,
    latency_s=15,
    dashboards=((1, 915), (50, 1827)),
    queries=300,
    rest_s=10,
    events=300_000,
)
# Above 1,000 orders, the size of an engine's batch: one batch has no rate. Other figures run `ours-1`.
QUICK = Sizes(
    quick=True,
    rounds=1,
    warm_up=False,
    orders=(3_000,),
    engines=("raw", "naive", "quix", "streams-eos", "ours-2"),
    later_engines=("streams-eos", "ours-2"),
    workers=1,
    whole_orders=2_500,
    populations=(2_500, 5_000),
    patient_orders=2_500,
    requests=500,
    latency_s=1.5,
    dashboards=((1, 120), (2, 240)),
    queries=10,
    rest_s=0.5,
    events=2_000,
)


@dataclass(frozen=True)
class Bench:
    """What a figure needs to measure."""

    arena: Arena
    sizes: Sizes
    report: Report


Figure = Callable[[Bench], Awaitable[Measured]]
"""Measures one figure. Each module of bench.figures has one as `measure`, and its NAME."""
