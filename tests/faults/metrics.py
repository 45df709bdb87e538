"""Read a service's Prometheus metrics."""

import httpx
from prometheus_client.parser import text_string_to_metric_families


async def metric(url: str, name: str, **labels: str) -> float:
    """The sum of a metric's samples with these labels, of the service at `url`; 0 without samples."""
    async with httpx.AsyncClient() as http:
        told = (await http.get(f"{url}/metrics")).text
    return sum(
        sample.value
        for family in text_string_to_metric_families(told)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


async def retries(url: str, error: str) -> float:
    """How often the loop of the service at `url` has retried a batch after this error."""
    return await metric(url, "herhaal_retries_total", error=error)
