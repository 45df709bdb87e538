"""ordering's API: what can be ordered, orders, lines in review, a pharmacy's feed, the directory."""

from dataclasses import dataclass
from uuid import UUID

from pydantic import TypeAdapter

from herhaal_client.calls import Answer, Call, Value
from herhaal_client.service import LiveClient
from schemas.api.directory import PharmaciesView, PracticeView
from schemas.api.explanations import ExplanationView, TimelineView
from schemas.api.orderable import OrderableView
from schemas.api.ordering import (
    CancelRequest,
    FeedView,
    OrdersView,
    OrderView,
    PlaceRequest,
    ReceivedView,
)
from schemas.api.policies import PolicyTrialRequest, PolicyTrialView, PolicyView
from schemas.api.reviews import ReviewRequest, ReviewsView
from schemas.base import Reviewer
from schemas.reasons import Language

TRIAL_S = 60
"""How long ordering may take to try a policy; then it says that it took too long."""

_ORDER: TypeAdapter[OrderView | ReceivedView] = TypeAdapter(OrderView | ReceivedView)


@dataclass(frozen=True)
class OrderingClient(LiveClient):
    """Calls ordering. Each method raises `ApiError`; a wait is in seconds, at most 30."""

    async def place(self, order: PlaceRequest, wait_s: int = 0) -> OrderView | ReceivedView:
        """Place an order: an `OrderView` if it is decided within `wait_s`. Conflict: another has this id."""
        return _accepted(await self.api.ask(Call("POST", "/orders", body=order, wait_s=wait_s)))

    async def show(self, order_id: UUID) -> OrderView | ReceivedView:
        """Show an order; a `ReceivedView` while it is not decided."""
        answer = await self.api.ask(Call("GET", "/orders/{order_id}", {"order_id": order_id}))
        return answer.read(_ORDER.validate_json)

    async def cancel(
        self, order_id: UUID, request: CancelRequest, wait_s: int = 0
    ) -> OrderView | ReceivedView:
        """Cancel an order: an `OrderView` if that is done within `wait_s`."""
        values = {"order_id": order_id}
        call = Call("POST", "/orders/{order_id}/cancel", values, body=request, wait_s=wait_s)
        return _accepted(await self.api.ask(call))

    async def of_patient(self, patient: str, limit: int = 100) -> OrdersView:
        """Show a patient's orders, newest first."""
        values, params = {"patient": patient}, {"limit": limit}
        answer = await self.api.ask(Call("GET", "/patients/{patient}/orders", values, params))
        return answer.read(OrdersView.model_validate_json)

    async def orderable(self, patient: str, pharmacy: str | None = None) -> OrderableView:
        """Show what a patient can order now, at this pharmacy if one is chosen."""
        values, params = {"patient": patient}, {"pharmacy": pharmacy}
        answer = await self.api.ask(Call("GET", "/patients/{patient}/orderable", values, params))
        return answer.read(OrderableView.model_validate_json)

    async def explanation(self, order_id: UUID, language: Language = "nl") -> ExplanationView:
        """Show in words how an order was decided, and why."""
        values, params = {"order_id": order_id}, {"language": language}
        answer = await self.api.ask(Call("GET", "/orders/{order_id}/explanation", values, params))
        return answer.read(ExplanationView.model_validate_json)

    async def timeline(self, order_id: UUID, language: Language = "nl") -> TimelineView:
        """Show in words what happened to an order, oldest first."""
        values, params = {"order_id": order_id}, {"language": language}
        answer = await self.api.ask(Call("GET", "/orders/{order_id}/timeline", values, params))
        return answer.read(TimelineView.model_validate_json)

    async def reviews(
        self,
        practice: str,
        after: str | None = None,
        limit: int = 50,
        reviewer: Reviewer | None = None,
    ) -> ReviewsView:
        """Show a practice's lines in review, those placed first first; `after` is a page's `next`.

        With a `reviewer` those alone that this one is to decide.
        """
        params = {"after": after, "limit": limit, "reviewer": reviewer}
        call = Call("GET", "/practices/{agb}/reviews", {"agb": practice}, params)
        return (await self.api.ask(call)).read(ReviewsView.model_validate_json)

    async def review(
        self, order_id: UUID, line: int, request: ReviewRequest, wait_s: int = 0
    ) -> OrderView | ReceivedView:
        """Decide a line in review: an `OrderView` if that is done within `wait_s`.

        ApiError with code `not-in-review`: somebody decided it first; its detail says who and when.
        """
        path = "/orders/{order_id}/lines/{line}/review"
        values: dict[str, Value] = {"order_id": order_id, "line": line}
        call = Call("PUT", path, values, body=request, wait_s=wait_s)
        return _accepted(await self.api.ask(call))

    async def pharmacies(self) -> PharmaciesView:
        """Show all pharmacies of the directory."""
        answer = await self.api.ask(Call("GET", "/pharmacies"))
        return answer.read(PharmaciesView.model_validate_json)

    async def practice(self, practice: str) -> PracticeView:
        """Show a practice of the directory."""
        answer = await self.api.ask(Call("GET", "/practices/{agb}", {"agb": practice}))
        return answer.read(PracticeView.model_validate_json)

    async def policy(self, practice: str) -> PolicyView:
        """Show the policy by which a practice's orders are decided now."""
        answer = await self.api.ask(Call("GET", "/practices/{agb}/policy", {"agb": practice}))
        return answer.read(PolicyView.model_validate_json)

    async def try_policy(self, practice: str, request: PolicyTrialRequest) -> PolicyTrialView:
        """Try a policy on a practice's past orders; this takes up to a minute.

        Unavailable: another policy is tried at this moment, or it took too long; ask for fewer months.
        """
        path, values = "/practices/{agb}/policy-trials", {"agb": practice}
        call = Call("POST", path, values, body=request, takes_s=TRIAL_S, repeatable=False)
        return (await self.api.ask(call)).read(PolicyTrialView.model_validate_json)

    async def feed(self, pharmacy: str, after: str | None = None, limit: int = 100) -> FeedView:
        """Show what was approved for a pharmacy after the cursor `after`, which is a page's `next`.

        ApiError with code `unknown-cursor`: read from the start, and ignore entries whose id is known.
        """
        params = {"after": after, "limit": limit}
        call = Call("GET", "/pharmacies/{agb}/prescriptions", {"agb": pharmacy}, params)
        return (await self.api.ask(call)).read(FeedView.model_validate_json)


def _accepted(answer: Answer) -> OrderView | ReceivedView:
    if answer.status == 202:
        return answer.read(ReceivedView.model_validate_json)
    return answer.read(OrderView.model_validate_json)
