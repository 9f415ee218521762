"""The command ``python -m stripe_sandbox``. README.md describes it."""

import argparse
import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
import traceback
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import uvicorn

from stripe_sandbox import app, deliveries, delivery
from stripe_sandbox.state import StateFile, WrongFile
from stripe_sandbox.store import Store


def main() -> None:
    options = arguments()
    keys = options.secret_key or [os.environ.get("STRIPE_SANDBOX_SECRET_KEY", "sk_test_sandbox")]
    secret = options.webhook_secret or os.environ.get("STRIPE_SANDBOX_WEBHOOK_SECRET", "")
    store = Store(account=options.account, webhook_secret=secret, seed=options.seed, delivery=options.delivery)
    if options.state:
        load(store, options.state)

    @contextlib.asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[None]:
        delivering = asyncio.create_task(delivery.deliver_forever(store))
        delivering.add_done_callback(end_if_it_failed)
        try:
            yield
        finally:
            delivering.cancel()

    listener = listening(options.host, options.port)
    store.base_url = f"http://{options.host}:{listener.getsockname()[1]}"
    print(f"stripe_sandbox ready on {store.base_url}", flush=True)  # noqa: T201
    application = app.build(store, keys, lifespan, strict=options.strict)
    config = uvicorn.Config(
        application, log_level="warning", access_log=False, timeout_graceful_shutdown=0, date_header=False
    )
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    uvicorn.Server(config).run(sockets=[listener])


def load(store: Store, path: Path) -> None:
    """Fill the store from the file, and keep the file up to date. If this is impossible, the program ends."""
    try:
        file = StateFile(path)
    except WrongFile as error:
        sys.exit(f"stripe_sandbox: {error}")
    gc.disable()  # nothing that is read is garbage, and searching for garbage takes as long as reading
    file.load(store)
    gc.enable()
    gc.freeze()
    store.save = lambda: file.save(store)
    deliveries.forget_old_events(store)
    store.persist()


def listening(host: str, port: int) -> socket.socket:
    """Open a listening socket. It names its protocol: only then asyncio sends small answers at once (TCP_NODELAY)."""
    family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(address)
    listener.listen(2048)
    return listener


def end_if_it_failed(delivering: asyncio.Task[None]) -> None:
    """End the program with the traceback if delivering failed. The program is of no use without its deliveries."""
    if not delivering.cancelled() and (defect := delivering.exception()):
        traceback.print_exception(defect)
        os._exit(1)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("stripe_sandbox", description="A local, stateful Stripe over HTTP.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=12111, help="0 takes a free one")
    parser.add_argument("--secret-key", action="append", help="the API key to accept; may be repeated")
    parser.add_argument("--webhook-secret", help="what endpoints sign with; else each gets its own")
    parser.add_argument("--account", default="acct_sandbox0000000001")
    parser.add_argument("--state", type=Path, help="keep everything in this file, over restarts")
    parser.add_argument("--delivery", choices=["auto", "manual"], default="auto")
    parser.add_argument("--seed", type=int, help="ids and choices repeat from run to run")
    parser.add_argument("--strict", action="store_true", help="an answer or event of a wrong shape is a 500")
    return parser.parse_args()


if __name__ == "__main__":
    main()
