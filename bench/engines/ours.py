"""Our ordering service, unchanged: its worker processes, database and rules."""

from dataclasses import replace

from bench.data.patients import Population
from bench.engines.engine import Phase, RunContext
from deploy.local.processes.process import Program
from deploy.local.processes.services import ServiceAddresses, service_program


class Ours:
    """A number of processes `python -m services.ordering --only worker`."""

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

    async def prepare(self, context: RunContext, population: Population) -> None:
        return None

    def reads_overviews(self, context: RunContext) -> str | None:
        return "ordering"

    def programs(self, context: RunContext, phase: Phase) -> list[Program]:
        stack = context.stack
        ports = stack.ports.services.values()
        servers = ServiceAddresses(
            stack.kafka_as("ordering"),
            stack.databases["ordering"],
            "json",
            stack.issuers,
            context.database_owner,
        )
        return [
            replace(
                service_program(
                    "ordering", f"ordering-{number}", port, "worker", servers, stack.data
                ),
                log=context.log(f"ordering-{number}"),
            )
            for number, port in zip(range(1, self.workers + 1), ports, strict=False)
        ]
