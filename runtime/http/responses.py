"""JSON answers, serialised by the model itself rather than by FastAPI, which would validate them again."""

from collections.abc import Mapping

from fastapi import Response
from pydantic import BaseModel


def json_response(
    view: BaseModel, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A JSON answer, with the aliases of the model as names."""
    return Response(
        view.model_dump_json(by_alias=True), status, headers, media_type="application/json"
    )
