"""A Stripe that says what the local Stripe cannot say yet: a server before it that rewrites its answers."""

import contextlib
import http.server
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx

Rewrite = Callable[[dict[str, Any]], dict[str, Any]]
PASSED_ON = ("authorization", "content-type", "idempotency-key", "stripe-version")


@contextlib.contextmanager
def rewriting(url: str, rewrite: Rewrite) -> Iterator[str]:
    """Run a server that passes each request on to ``url`` and rewrites each object of its answer. Yields its address.

    The webhooks' bodies stay as they are, because they are signed. An event is a hint only.
    """
    behind = httpx.Client(base_url=url, timeout=20)

    class Answers(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name: value for name, value in self.headers.items() if name.lower() in PASSED_ON}
            answer = behind.request(self.command, self.path, content=body, headers=headers)
            content = json.dumps(_rewritten(answer.json(), rewrite)).encode()
            self.send_response(answer.status_code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_DELETE = do_GET

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        behind.close()


def _rewritten(value: Any, rewrite: Rewrite) -> Any:
    if isinstance(value, list):
        return [_rewritten(one, rewrite) for one in value]
    if not isinstance(value, dict):
        return value
    return rewrite({name: _rewritten(one, rewrite) for name, one in value.items()})


def a_bank_debits(its: dict[str, Any]) -> dict[str, Any]:
    """Let what a card refused be a debit that is on its way, as of a bank account.

    Until the bank has decided, the subscription is active, its invoice open and its payment processing.
    Source: https://docs.stripe.com/billing/subscriptions/sepa-debit
    """
    match its:
        case {"object": "payment_method", "card": {"last4": "0341"}}:  # the test card that is refused when charged
            account = {"last4": "3000", "country": "DE", "bank_code": "37040044", "fingerprint": None}
            return {name: one for name, one in its.items() if name != "card"} | {
                "type": "sepa_debit",
                "sepa_debit": account,
            }
        case {"object": "subscription", "status": "past_due"}:
            return its | {"status": "active"}
        case {"object": "invoice", "status": "open"}:
            return its | {"next_payment_attempt": None}
        case {"object": "payment_intent", "status": "requires_payment_method"}:
            return its | {"status": "processing", "last_payment_error": None}
        case {"object": "charge", "status": "failed"}:
            details = {"type": "sepa_debit", "sepa_debit": {"last4": "3000"}}
            return its | {"status": "pending", "failure_code": None, "outcome": None, "payment_method_details": details}
    return its
