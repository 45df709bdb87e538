"""A bare FastAPI endpoint that sends orders to Kafka: no model, no database, no validation of the order.

`python -m bench.peers.bare_fastapi KAFKA PORT ISSUER [remember]`. It verifies the JWT of each request, as
joserfc's documentation shows; with `remember`, each JWT once.
"""

import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.request import urlopen

import orjson
import uvicorn
import uvloop
from aiokafka import AIOKafkaProducer
from fastapi import FastAPI, Request, Response
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jwt import JWTClaimsRegistry

from bench.peers.arguments import ORDERS


class Tokens:
    """Verifies access tokens of one issuer, whose keys are fetched once."""

    def __init__(self, issuer: str, *, remember: bool) -> None:
        with urlopen(f"{issuer}/jwks") as answer:  # noqa: S310
            self._keys = KeySet.import_key_set(orjson.loads(answer.read()))
        self._claims = JWTClaimsRegistry(
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": "herhaal"},
            exp={"essential": True},
        )
        self._remember = remember
        self._valid_until: dict[str, float] = {}

    def accept(self, authorization: str) -> bool:
        """Tell whether this is a bearer token that is valid."""
        scheme, _, token = authorization.partition(" ")
        if scheme != "Bearer":
            return False
        if self._valid_until.get(token, 0.0) > time.time():
            return True
        try:
            claims = jwt.decode(token, self._keys, algorithms=["ES256"]).claims
            self._claims.validate(claims)
        except (JoseError, ValueError):
            return False
        if self._remember:
            self._valid_until[token] = claims["exp"]
        return True


def create_app(kafka: str, tokens: Tokens) -> FastAPI:
    """Make the app; its producer lives as long as the app."""
    producers: list[AIOKafkaProducer] = []

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with AIOKafkaProducer(
            bootstrap_servers=kafka, acks="all", enable_idempotence=True
        ) as producer:
            producers.append(producer)
            yield

    app = FastAPI(lifespan=lifespan)

    @app.post("/orders")
    async def place(request: Request) -> Response:
        if not tokens.accept(request.headers.get("authorization", "")):
            return Response(status_code=401, headers={"WWW-Authenticate": "Bearer"})
        body = await request.body()
        order = orjson.loads(body)
        await producers[0].send_and_wait(ORDERS, body, key=order["patient"].encode())
        answer = orjson.dumps({"order_id": order["order_id"], "state": "received"})
        headers = {"Location": f"/orders/{order['order_id']}"}
        return Response(answer, 202, headers, media_type="application/json")

    @app.get("/readyz")
    async def ready() -> Response:
        return Response(status_code=200)

    return app


async def main(kafka: str, port: int, tokens: Tokens) -> None:
    """Serve the app with the same settings as our services."""
    config = uvicorn.Config(
        create_app(kafka, tokens),
        host="127.0.0.1",
        port=port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=5,
        timeout_keep_alive=65,
    )
    await uvicorn.Server(config).serve()


if __name__ == "__main__":
    given = Tokens(sys.argv[3], remember=sys.argv[4:] == ["remember"])
    uvloop.run(main(sys.argv[1], int(sys.argv[2]), given))
