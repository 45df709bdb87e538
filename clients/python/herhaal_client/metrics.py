"""metrics' API: orders of a practice, or of a region's practices, per period."""

from dataclasses import dataclass
from datetime import date

from herhaal_client.calls import Call
from herhaal_client.service import ServiceClient
from schemas.api.metrics import By, OrdersReport, RegionReport


@dataclass(frozen=True)
class MetricsClient(ServiceClient):
    """Calls metrics. Each method raises `ApiError`."""

    async def orders(
        self,
        practice: str,
        first: date | None = None,
        last: date | None = None,
        by: By = By.DAY,
    ) -> OrdersReport:
        """Report the orders of a practice, this month without days; both days are included, in Amsterdam."""
        params = {"from": first, "to": last, "by": by}
        answer = await self.api.ask(
            Call("GET", "/practices/{agb}/orders", {"agb": practice}, params)
        )
        return answer.read(OrdersReport.model_validate_json)

    async def of_region(
        self,
        region: str,
        first: date | None = None,
        last: date | None = None,
        by: By = By.DAY,
    ) -> RegionReport:
        """Report the orders of each practice of a region and of all together, days as in `orders`."""
        params = {"from": first, "to": last, "by": by}
        answer = await self.api.ask(
            Call("GET", "/regions/{region}/orders", {"region": region}, params)
        )
        return answer.read(RegionReport.model_validate_json)
