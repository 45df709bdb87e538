"""Our ordering service as it is: its worker processes, its database, its rules."""

from dataclasses import replace

from bench.data.patients import Population
from bench.engines.engine import Phase, Place
from deploy.local.processes.process import Program
from deploy.local.processes.services import Addresses, service_program


class Ours:
    """So many `python -m services.ordering --only worker`."""

    promise = "effectively once, state in SQL"
    share = 1.0
    decides = True

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self.name = f"ours-{workers}"
        self.title = f"herhaal ordering, {workers} worker{'s' if workers > 1 else ''}"
        self.processes = f"{workers} × Python"

    async def available(self) -> str | None:
        return None

    async def prepare(self, place: Place, population: Population) -> None:
        return None

    def reads_overviews(self, place: Place) -> str | None:
        return "ordering"

    def programs(self, place: Place, phase: Phase) -> list[Program]:
        ports = place.stack.ports.services.values()
        found = Addresses(place.stack.kafka, place.database, "json")
        return [
            replace(
                service_program(
                    "ordering", f"ordering-{number}", port, "worker", found, place.stack.data
                ),
                log=place.log(f"ordering-{number}"),
            )
            for number, port in zip(range(1, self.workers + 1), ports, strict=False)
        ]
