"""python -m stripe_sandbox: see README.md."""

import argparse
import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import uvicorn

from stripe_sandbox import app, control, delivery
from stripe_sandbox.store import Store

SAVE_SECONDS = 0.5


def main() -> None:
    options = arguments()
    keys = options.secret_key or [os.environ.get("STRIPE_SANDBOX_SECRET_KEY", "sk_test_sandbox")]
    secret = options.webhook_secret or os.environ.get("STRIPE_SANDBOX_WEBHOOK_SECRET", "")
    store = Store(account=options.account, webhook_secret=secret)
    if options.state and options.state.exists():
        store.load(options.state)
    control.MODE["mode"] = options.delivery

    @contextlib.asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(delivery.deliver_forever(store, control.MODE))]
        if options.state:
            tasks.append(asyncio.create_task(save_forever(store, options.state)))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            if options.state:
                store.save(options.state)

    listener = socket.create_server((options.host, options.port))
    print(f"stripe_sandbox ready on http://{options.host}:{listener.getsockname()[1]}", flush=True)  # noqa: T201
    config = uvicorn.Config(
        app.build(store, keys, lifespan), log_level="warning", access_log=False, timeout_graceful_shutdown=0
    )
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    uvicorn.Server(config).run(sockets=[listener])


async def save_forever(store: Store, file: Path) -> None:
    while True:
        await asyncio.sleep(SAVE_SECONDS)
        if store.changed:
            store.save(file)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("stripe_sandbox", description="A local, stateful Stripe over HTTP.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=12111, help="0 takes a free one")
    parser.add_argument("--secret-key", action="append", help="the API key to accept; may be repeated")
    parser.add_argument("--webhook-secret", help="what endpoints sign with; else each gets its own")
    parser.add_argument("--account", default="acct_sandbox0000000001")
    parser.add_argument("--state", type=Path, help="keep everything in this file")
    parser.add_argument("--delivery", choices=["auto", "manual"], default="auto")
    return parser.parse_args()


if __name__ == "__main__":
    main()
