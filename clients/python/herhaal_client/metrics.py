"""metrics' API: orders of a practice per period."""

from dataclasses import dataclass
from datetime import date

from herhaal_client.api import Api
from herhaal_client.calls import Call
from schemas.api.metrics import By, OrdersReport


@dataclass(frozen=True)
class MetricsClient:
    """Calls metrics. Each method raises `ApiError`."""

    api: Api

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
