"""JSON answers serialised by the model; FastAPI would validate them a second time."""

from collections.abc import Mapping

from fastapi import Response
from pydantic import BaseModel


def json_response(
    view: BaseModel, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Make a JSON answer, with the aliases of the model's fields as names."""
    return Response(
        view.model_dump_json(by_alias=True), status, headers, media_type="application/json"
    )
