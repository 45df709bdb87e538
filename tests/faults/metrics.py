"""What a service says of itself in its metrics."""

import httpx
from prometheus_client.parser import text_string_to_metric_families

from deploy.local import LocalStack


async def metric(stack: LocalStack, service: str, name: str, **labels: str) -> float:
    """The sum of a metric's samples with these labels, of the process that runs now; 0 without any."""
    async with httpx.AsyncClient() as http:
        told = (await http.get(f"{stack.endpoints[service]}/metrics")).text
    return sum(
        sample.value
        for family in text_string_to_metric_families(told)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


async def retries(stack: LocalStack, service: str, error: str) -> float:
    """How often a service's loop has tried a batch again after an error."""
    return await metric(stack, service, "herhaal_retries_total", error=error)
