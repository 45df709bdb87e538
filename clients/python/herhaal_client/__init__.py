"""A typed async client of herhaal's four JSON APIs. Requests and answers are models of `schemas`."""

from herhaal_client.api import Api, Token
from herhaal_client.errors import (
    ApiError,
    Conflict,
    FieldError,
    Forbidden,
    Invalid,
    NotFound,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    UnexpectedAnswer,
)
from herhaal_client.events import ServerEvent
from herhaal_client.medication import MedicationClient
from herhaal_client.metrics import MetricsClient
from herhaal_client.notification import NotificationClient
from herhaal_client.ordering import OrderingClient
from herhaal_client.retries import Retries
from herhaal_client.services import Addresses, Clients, Services

__all__ = [
    "Addresses",
    "Api",
    "ApiError",
    "Clients",
    "Conflict",
    "FieldError",
    "Forbidden",
    "Invalid",
    "MedicationClient",
    "MetricsClient",
    "NotFound",
    "NotificationClient",
    "OrderingClient",
    "Retries",
    "ServerEvent",
    "Services",
    "Token",
    "TooManyRequests",
    "Unauthorized",
    "Unavailable",
    "UnexpectedAnswer",
]
