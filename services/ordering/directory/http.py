"""The routes of the directory: public facts, from ordering's global tables."""

from collections.abc import Mapping

from fastapi import APIRouter, Response

from runtime.http.access import CallerOf, may
from runtime.http.caller import About, Caller
from runtime.http.problems import not_found
from runtime.http.requests import PracticePath
from runtime.http.responses import json_response
from runtime.resources import Resources
from schemas.access import Action
from schemas.api.directory import PharmaciesView, PharmacyView, PracticeView
from schemas.records.directory import Pharmacy, Practice


class DirectoryApi:
    """Shows the pharmacies and practices of the directory."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def pharmacies(self) -> Response:
        """Show all pharmacies, by city and name."""
        rows: Mapping[str, Pharmacy] = self._resources.table(Pharmacy).rows
        found = sorted(rows.values(), key=lambda each: (each.city, each.name, each.agb))
        views = [PharmacyView.model_validate(vars(pharmacy)) for pharmacy in found]
        return json_response(PharmaciesView(pharmacies=views))

    def practice(self, caller: Caller, agb: str) -> Response:
        """Show a practice. Raises Problem (404) for one that is not in the directory."""
        caller.require(About(practice=agb), "practice")
        rows: Mapping[str, Practice] = self._resources.table(Practice).rows
        practice = rows.get(agb)
        if practice is None:
            raise not_found("practice")
        return json_response(
            PracticeView.model_validate({**vars(practice.policy), **vars(practice)})
        )


def add_routes(routes: APIRouter, api: DirectoryApi) -> None:
    """Add the routes of the directory."""

    @routes.get("/pharmacies", response_model=PharmaciesView)
    @may(Action.DIRECTORY_READ)
    async def pharmacies(_: CallerOf) -> Response:
        """List the pharmacies where one can collect."""
        return api.pharmacies()

    @routes.get("/practices/{agb}", response_model=PracticeView)
    @may(Action.DIRECTORY_READ)
    async def practice(caller: CallerOf, agb: PracticePath) -> Response:
        """Show a practice: its name, telephone and hours."""
        return api.practice(caller, agb)
