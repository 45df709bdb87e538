"""A bare FastAPI endpoint that sends orders to Kafka: no model, no database, no validation.

`python -m bench.peers.bare_fastapi KAFKA PORT`
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
import uvicorn
import uvloop
from aiokafka import AIOKafkaProducer
from fastapi import FastAPI, Request, Response

from bench.peers.arguments import ORDERS


def create_app(kafka: str) -> FastAPI:
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


async def main(kafka: str, port: int) -> None:
    """Serve the app with the same settings as our services."""
    config = uvicorn.Config(
        create_app(kafka),
        host="127.0.0.1",
        port=port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=5,
        timeout_keep_alive=65,
    )
    await uvicorn.Server(config).serve()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], int(sys.argv[2])))
